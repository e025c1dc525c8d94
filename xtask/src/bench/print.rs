//! The program as source text.

use super::program::{Callee, Function, MODULUS, Program, Statement};
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

/// A language to write the program in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    Cm,
    C,
    Rust,
    Zig,
}

/// All of them.
pub(super) const LANGUAGES: [Language; 4] =
    [Language::Cm, Language::C, Language::Rust, Language::Zig];

impl Language {
    /// How its source files end.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Language::Cm => "cm",
            Language::C => "c",
            Language::Rust => "rs",
            Language::Zig => "zig",
        }
    }
}

/// Source files: names and texts.
pub(crate) type Files = BTreeMap<String, String>;

/// The line that the program writes to standard error, which nothing buffers, when it begins.
pub(super) const BEGINS: &str = "begins";

/// The files of the program.
pub(super) fn print(program: &Program, language: Language) -> Files {
    let printer = Printer { program, language };
    let mut files = Files::new();
    let mut add = |name: String, text: String| files.insert(name, text);
    let extension = language.extension();
    for module in 0..program.modules.len() {
        add(format!("m{module:03}.{extension}"), printer.module(module));
        if language == Language::C {
            add(format!("m{module:03}.h"), printer.header(module));
        }
    }
    add(format!("main.{extension}"), printer.main());
    files
}

struct Printer<'a> {
    program: &'a Program,
    language: Language,
}

/// Writing to a string cannot fail.
macro_rules! line {
    ($text:expr, $($format:tt)*) => {{
        let _infallible: fmt::Result = writeln!($text, $($format)*);
    }};
}

impl Printer<'_> {
    fn module(&self, number: usize) -> String {
        let mut text = String::new();
        let functions = &self.program.modules[number].functions;
        let calls = functions.iter().flat_map(|function| &function.body).filter_map(|s| match s {
            Statement::Call(callee, _) if callee.module != number => Some(*callee),
            _ => None,
        });
        self.imports(&mut text, calls.collect());
        for (index, function) in functions.iter().enumerate() {
            self.function(&mut text, Callee { module: number, function: index }, function);
        }
        text
    }

    fn header(&self, module: usize) -> String {
        let mut text = String::from("#pragma once\n");
        for (index, function) in self.program.modules[module].functions.iter().enumerate() {
            let callee = Callee { module, function: index };
            line!(text, "{};", self.signature(callee, function));
        }
        text
    }

    fn main(&self) -> String {
        let mut text = String::new();
        let called = self.program.called_by_main();
        match self.language {
            Language::Cm => line!(text, "import std::io::{{eprintln, println}};"),
            Language::C => line!(text, "#include <stdio.h>"),
            Language::Rust => {
                (0..self.program.modules.len()).for_each(|m| line!(text, "mod m{m:03};"));
            }
            Language::Zig => {
                line!(text, "extern \"c\" fn printf([*:0]const u8, ...) c_int;");
                line!(text, "extern \"c\" fn write(c_int, [*]const u8, usize) isize;");
            }
        }
        self.imports(&mut text, called.clone());
        let (head, begin, local, print) = match self.language {
            Language::Cm => {
                let begin = format!("eprintln(\"{BEGINS}\");");
                ("int main() {", begin, "int x = 1;", "println(\"{x}\");")
            }
            Language::C => {
                let begin = format!("fputs(\"{BEGINS}\\n\", stderr);");
                ("int main(void) {", begin, "int x = 1;", "printf(\"%d\\n\", x);")
            }
            Language::Rust => {
                let begin = format!("eprintln!(\"{BEGINS}\");");
                ("fn main() {", begin, "let mut x: i32 = 1;", "println!(\"{x}\");")
            }
            Language::Zig => {
                let begin = format!("_ = write(2, \"{BEGINS}\\n\", {});", BEGINS.len() + 1);
                ("pub fn main() void {", begin, "var x: i32 = 1;", "_ = printf(\"%d\\n\", x);")
            }
        };
        line!(text, "{head}\n    {begin}\n    {local}");
        for callee in called {
            self.statement(&mut text, 0, &Statement::Call(callee, 1));
        }
        line!(text, "    {print}");
        if matches!(self.language, Language::Cm | Language::C) {
            line!(text, "    return 0;");
        }
        line!(text, "}}");
        text
    }

    fn imports(&self, text: &mut String, mut callees: Vec<Callee>) {
        callees.sort();
        callees.dedup();
        for group in callees.chunk_by(|a, b| a.module == b.module) {
            let module = group[0].module;
            let names: Vec<_> = group.iter().map(|callee| name(*callee)).collect();
            let names = names.join(", ");
            match self.language {
                Language::Cm => line!(text, "import ./m{module:03}::{{{names}}};"),
                Language::C => line!(text, "#include \"m{module:03}.h\""),
                Language::Rust => line!(text, "use crate::m{module:03}::{{{names}}};"),
                Language::Zig => group.iter().map(|callee| name(*callee)).for_each(|name| {
                    line!(text, "const {name} = @import(\"m{module:03}.zig\").{name};");
                }),
            }
        }
        text.push('\n');
    }

    fn signature(&self, callee: Callee, function: &Function) -> String {
        let name = name(callee);
        let third = function.third_parameter;
        match self.language {
            Language::Cm | Language::C => {
                let export = if self.language == Language::Cm { "export " } else { "" };
                let third = if third { ", int c" } else { "" };
                format!("{export}int {name}(int a, int b{third})")
            }
            Language::Rust => {
                let third = if third { ", c: i32" } else { "" };
                format!("pub fn {name}(a: i32, b: i32{third}) -> i32")
            }
            Language::Zig => {
                let third = if third { ", c: i32" } else { "" };
                format!("pub fn {name}(a: i32, b: i32{third}) i32")
            }
        }
    }

    fn function(&self, text: &mut String, callee: Callee, function: &Function) {
        line!(text, "{} {{", self.signature(callee, function));
        let (local, result) = match self.language {
            Language::Cm | Language::C => ("int x = a;", "return x"),
            Language::Rust => ("let mut x: i32 = a;", "return x"),
            // What is not used, or never changed, is an error.
            Language::Zig => ("var x: i32 = a;\n    _ = .{ &x, &b };", "return x"),
        };
        if let Some(comment) = &function.comment {
            line!(text, "    // {comment}");
        }
        line!(text, "    {local}");
        for (number, statement) in function.body.iter().enumerate() {
            self.statement(text, number, statement);
        }
        let third = if function.third_parameter { " + c" } else { "" };
        line!(text, "    {result}{third};\n}}\n");
    }

    fn statement(&self, text: &mut String, number: usize, statement: &Statement) {
        let remainder = |value: &str| match self.language {
            Language::Zig => format!("@rem({value}, {MODULUS})"),
            _ => format!("({value}) % {MODULUS}"),
        };
        let set = |value: &str| format!("x = {};", remainder(value));
        match statement {
            Statement::Linear(k, l) => line!(text, "    {}", set(&format!("x * {k} + {l}"))),
            Statement::Loop(k, l) => {
                let head = match self.language {
                    Language::Cm | Language::C => format!("for (int i = 0; i < {k}; i++) {{"),
                    Language::Rust => format!("for i in 0..{k} {{"),
                    Language::Zig => {
                        format!("for (0..{k}) |n| {{\n        const i: i32 = @intCast(n);")
                    }
                };
                line!(text, "    {head}\n        {}", set(&format!("x + i * b + {l}")));
                line!(text, "    }}");
            }
            Statement::Branch(k, l) => {
                let rust = self.language == Language::Rust;
                let condition = if rust { format!("x > {k}") } else { format!("(x > {k})") };
                line!(text, "    if {condition} {{\n        x = x - {k};");
                line!(text, "    }} else {{\n        x = x + {l};\n    }}");
            }
            Statement::Local(k) => {
                let local = match self.language {
                    Language::Cm | Language::C => "int",
                    Language::Rust => "let",
                    Language::Zig => "const",
                };
                line!(text, "    {local} y{number} = {};", remainder(&format!("x + b * {k}")));
                line!(text, "    {}", set(&format!("x + y{number}")));
            }
            Statement::Call(callee, k) => {
                let third = self.program.function(*callee).third_parameter;
                let third = if third { ", 1" } else { "" };
                line!(text, "    {}", set(&format!("x + {}(x, {k}{third})", name(*callee))));
            }
        }
    }
}

fn name(callee: Callee) -> String {
    format!("f{:03}_{}", callee.module, callee.function)
}
