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
}

impl Language {
    /// How its source files end.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Language::Cm => "cm",
            Language::C => "c",
            Language::Rust => "rs",
        }
    }
}

/// Source files: names and texts.
pub(super) type Files = BTreeMap<String, String>;

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
            Language::Cm => line!(text, "import std::io::println;"),
            Language::C => line!(text, "#include <stdio.h>"),
            Language::Rust => {
                (0..self.program.modules.len()).for_each(|m| line!(text, "mod m{m:03};"));
            }
        }
        self.imports(&mut text, called.clone());
        let (head, local, print) = match self.language {
            Language::Cm => ("int main() {", "int x = 1;", "println(\"{x}\");"),
            Language::C => ("int main(void) {", "int x = 1;", "printf(\"%d\\n\", x);"),
            Language::Rust => ("fn main() {", "let mut x: i32 = 1;", "println!(\"{x}\");"),
        };
        line!(text, "{head}\n    {local}");
        for callee in called {
            self.statement(&mut text, 0, &Statement::Call(callee, 1));
        }
        line!(text, "    {print}");
        if self.language != Language::Rust {
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
        }
    }

    fn function(&self, text: &mut String, callee: Callee, function: &Function) {
        line!(text, "{} {{", self.signature(callee, function));
        let (local, result) = match self.language {
            Language::Cm | Language::C => ("int x = a;", "return x"),
            Language::Rust => ("let mut x: i32 = a;", "return x"),
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
        let rust = self.language == Language::Rust;
        match statement {
            Statement::Linear(k, l) => line!(text, "    x = (x * {k} + {l}) % {MODULUS};"),
            Statement::Loop(k, l) => {
                let head = if rust {
                    format!("for i in 0..{k}")
                } else {
                    format!("for (int i = 0; i < {k}; i++)")
                };
                line!(text, "    {head} {{");
                line!(text, "        x = (x + i * b + {l}) % {MODULUS};");
                line!(text, "    }}");
            }
            Statement::Branch(k, l) => {
                let condition = if rust { format!("x > {k}") } else { format!("(x > {k})") };
                line!(text, "    if {condition} {{\n        x = x - {k};");
                line!(text, "    }} else {{\n        x = x + {l};\n    }}");
            }
            Statement::Local(k) => {
                let int = if rust { "let" } else { "int" };
                line!(text, "    {int} y{number} = (x + b * {k}) % {MODULUS};");
                line!(text, "    x = (x + y{number}) % {MODULUS};");
            }
            Statement::Call(callee, k) => {
                let third = self.program.function(*callee).third_parameter;
                let third = if third { ", 1" } else { "" };
                line!(text, "    x = (x + {}(x, {k}{third})) % {MODULUS};", name(*callee));
            }
        }
    }
}

fn name(callee: Callee) -> String {
    format!("f{:03}_{}", callee.module, callee.function)
}
