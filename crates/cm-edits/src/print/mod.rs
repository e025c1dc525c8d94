//! The text of a model.

mod breakage;
mod items;
mod statements;
mod values;

use crate::model::{Breakage, Function, Id, Item, Kind, Link, Module, Param, Program, Ty};
use cm_test::Files;
use std::collections::{BTreeMap, BTreeSet};

/// The files of a program.
pub fn files(program: &Program) -> Files {
    let mut texts: Vec<Text> = Vec::new();
    for place in 0..program.modules.len() {
        texts.push(Printer::new(program, place).body());
    }
    // Hubs export what those after them use through them.
    let mut through: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    let mut exported: BTreeSet<Id> = BTreeSet::new();
    for (module, text) in program.modules.iter().zip(&texts) {
        for &id in &text.used {
            exported.insert(id);
            let of = program.item(id).map_or(0, |item| item.module);
            if let Some(Link::Through(hub)) = module.links.get(&of) {
                through.entry(*hub).or_default().insert(id);
            }
        }
    }
    let none = BTreeSet::new();
    let file = |(place, text): (usize, Text)| {
        let module = &program.modules[place];
        let through = through.get(&module.id).unwrap_or(&none);
        let mut whole = head(program, place, &text, through) + &text.of(&exported, program);
        if let Some(Breakage::Text(of, seed)) = program.breakage
            && of == module.id
        {
            whole = breakage::damage(&whole, seed);
        }
        (format!("{}.cm", module.path), whole)
    };
    texts.into_iter().enumerate().map(file).collect()
}

/// What stands before the declarations.
fn head(program: &Program, place: usize, text: &Text, through: &BTreeSet<Id>) -> String {
    let module = &program.modules[place];
    let mut out = String::new();
    if let Some(comment) = module.style.comment {
        out += &format!("// Notes on this file, {comment}.\n");
    }
    if module.style.header {
        out += &format!("module {};\n", stem(&module.path));
    }
    if program.library {
        out += "import std::io::println;\n";
    }
    let mut groups: BTreeMap<Id, Vec<&Item>> = BTreeMap::new();
    for item in text.used.iter().filter_map(|&id| program.item(id)) {
        groups.entry(item.module).or_default().push(item);
    }
    for (&of, items) in &groups {
        out += &import(program, module, of, items);
    }
    for item in text.words.iter().filter_map(|&id| program.item(id)) {
        let path = relative(&module.path, &program.modules[program.place(item.module)].path);
        out += &format!("import {path}::{};\n", item.name);
    }
    let mut hubs: BTreeMap<Id, Vec<&str>> = BTreeMap::new();
    for item in through.iter().filter_map(|&id| program.item(id)) {
        hubs.entry(item.module).or_default().push(&item.name);
    }
    for (of, names) in hubs {
        let path = relative(&module.path, &program.modules[program.place(of)].path);
        out += &match groups.contains_key(&of) || names.len() % 2 == 0 {
            true => format!("export {{ {} }} from {path};\n", names.join(", ")),
            false => format!("export import {path}::{{{}}};\n", names.join(", ")),
        };
    }
    if place == 0 {
        // Every module belongs to the program, be it for an implementation alone.
        for other in program.modules.iter().skip(1).filter(|other| !groups.contains_key(&other.id))
        {
            let path = relative(&module.path, &other.path);
            out += &format!("import {path} as keep_{};\n", other.id);
        }
    }
    out
}

fn import(program: &Program, module: &Module, of: Id, items: &[&Item]) -> String {
    let path = |to: Id| relative(&module.path, &program.modules[program.place(to)].path);
    let names = |rename: &dyn Fn(&str) -> String| {
        items.iter().map(|item| rename(&item.name)).collect::<Vec<_>>().join(", ")
    };
    match module.links.get(&of).unwrap_or(&Link::Names) {
        Link::Names => format!("import {}::{{{}}};\n", path(of), names(&str::to_owned)),
        Link::Renamed => {
            let renamed = names(&|name| format!("{name} as {name}_{of}"));
            format!("import {}::{{{renamed}}};\n", path(of))
        }
        Link::Space => format!("import {} as m_{of};\n", path(of)),
        Link::Whole => format!("import {};\n", path(of)),
        Link::Star => format!("import {}::*;\n", path(of)),
        Link::Through(hub) => format!("import {}::{{{}}};\n", path(*hub), names(&str::to_owned)),
    }
}

fn stem(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The path of one module as another one writes it.
fn relative(from: &str, to: &str) -> String {
    let depth = from.matches('/').count() - 1;
    match depth {
        0 => format!(".{to}"),
        _ => format!("{}{}", "../".repeat(depth), to.trim_start_matches('/')),
    }
}

/// The declarations of a module, printed before it is known what is exported.
struct Text {
    items: Vec<(Id, String)>,
    used: BTreeSet<Id>,
    words: BTreeSet<Id>,
    blank: bool,
    list: bool,
}

impl Text {
    fn of(&self, exported: &BTreeSet<Id>, program: &Program) -> String {
        let mut out = String::new();
        let mut listed = Vec::new();
        for (id, text) in &self.items {
            if self.blank {
                out.push('\n');
            }
            let Some(item) = program.item(*id) else { continue };
            if let Some(comment) = item.comment {
                out += &format!("// About this, {comment}.\n");
            }
            let is_broken = |how: fn(Id) -> Breakage| program.breakage == Some(how(*id));
            if is_broken(Breakage::Hidden) {
                continue;
            }
            let exported = item.exported || exported.contains(id);
            if !item.name.is_empty() && exported && !is_broken(Breakage::Private) {
                match self.list {
                    true => listed.push(item.name.as_str()),
                    false => out += "export ",
                }
            }
            match is_broken(Breakage::Misnamed) && !item.name.is_empty() {
                true => out += &text.replacen(&item.name, &format!("{}_not", item.name), 1),
                false => out += text,
            }
        }
        if !listed.is_empty() {
            out += &format!("export {{ {} }};\n", listed.join(", "));
        }
        out
    }
}

/// Prints one module.
struct Printer<'a> {
    program: &'a Program,
    module: &'a Module,
    used: BTreeSet<Id>,
    /// Those that must have a name of one word.
    words: BTreeSet<Id>,
    out: String,
    level: usize,
    /// What statements can use without asking.
    scope: Scope,
}

/// What is in scope in a function.
#[derive(Clone, Default)]
struct Scope {
    /// Integers.
    numbers: Vec<String>,
    /// Parameters.
    params: Vec<Param>,
    /// The argument for type parameters, where they are known.
    argument: Option<Ty>,
}

impl<'a> Printer<'a> {
    fn new(program: &'a Program, place: usize) -> Printer<'a> {
        let module = &program.modules[place];
        let (used, words, out) = (BTreeSet::new(), BTreeSet::new(), String::new());
        Printer { program, module, used, words, out, level: 0, scope: Scope::default() }
    }

    fn body(mut self) -> Text {
        let mut items = Vec::new();
        for item in self.program.items.iter().filter(|item| item.module == self.module.id) {
            self.item(item);
            items.push((item.id, std::mem::take(&mut self.out)));
        }
        let style = &self.module.style;
        let (blank, list) = (style.blank, style.list);
        Text { items, used: self.used, words: self.words, blank, list }
    }

    /// A line at the current level.
    fn line(&mut self, text: &str) {
        for _ in 0..self.level * self.module.style.indent {
            self.out.push(' ');
        }
        self.out += text;
        self.out.push('\n');
    }
    /// A line that opens a block.
    fn open(&mut self, text: &str) {
        self.line(&format!("{text} {{"));
        self.level += 1;
    }
    fn close(&mut self) {
        self.level -= 1;
        self.line("}");
    }

    /// How this module names a declaration.
    fn name(&mut self, id: Id) -> String {
        let Some(item) = self.program.item(id) else { return "missing".into() };
        if item.module == self.module.id {
            return item.name.clone();
        }
        self.used.insert(id);
        match self.module.links.get(&item.module).unwrap_or(&Link::Names) {
            Link::Renamed => format!("{}_{}", item.name, item.module),
            Link::Space => format!("m_{}::{}", item.module, item.name),
            Link::Whole if id.is_multiple_of(2) => {
                let path = &self.program.modules[self.program.place(item.module)].path;
                format!("{}::{}", stem(path), item.name)
            }
            _ => item.name.clone(),
        }
    }

    /// The same where only one word may stand.
    fn word(&mut self, id: Id) -> String {
        let name = self.name(id);
        if !name.contains("::") {
            return name;
        }
        self.words.insert(id);
        self.program.item(id).map_or(name, |item| item.name.clone())
    }

    /// The methods of an implementation with their signatures.
    fn methods(&self, of: &'a Item) -> Vec<(&'a Function, Option<&'a Function>)> {
        let Kind::Impl { interface, methods, .. } = &of.kind else { return Vec::new() };
        match interface.and_then(|id| self.program.item(id)).map(|item| &item.kind) {
            Some(Kind::Interface { methods: signatures }) => {
                let body = |id| methods.iter().find(|method| method.id == id);
                signatures.iter().map(|signature| (signature, body(signature.id))).collect()
            }
            _ => methods.iter().map(|method| (method, Some(method))).collect(),
        }
    }
}
