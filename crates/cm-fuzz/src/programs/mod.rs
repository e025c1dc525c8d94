//! Random programs that are right: they make, copy, change and let go strings, slices, closures, structs, enums and
//! interface values in every kind of statement, and print what becomes of them. What they do is limited, so that each
//! ends soon.

mod grammar;

use cm_test::random::Random;
use grammar::{Grammar, Part, Template};
use std::fmt::Write;

/// The program of a step of a run.
pub fn program(seed: u64, step: u64) -> String {
    let random = Random::new(seed, step);
    let mut grower = Grower { random, ..Grower::new() };
    let count = 2 + grower.random.below(5);
    let mut text = include_str!("prelude.cm").to_owned();
    for _ in 0..count {
        text += &grower.function();
    }
    text += &grower.main();
    text
}

/// What a function calls ends at this depth of expressions.
const DEEP: usize = 3;
/// Statements in statements.
const NESTED: usize = 3;

#[derive(Clone)]
struct Variable {
    name: String,
    ty: &'static str,
    /// It may be assigned.
    mutable: bool,
    /// How many blocks are around the declaration; of what is not declared in a block 0.
    block: usize,
}

struct Function {
    returns: &'static str,
    params: Vec<&'static str>,
}

struct Grower {
    random: Random,
    grammar: Grammar,
    functions: Vec<Function>,
    variables: Vec<Variable>,
    /// The number of the next variable.
    next: usize,
    /// What the function returns.
    returns: &'static str,
    block: usize,
    in_loop: bool,
}

/// What the parts of a template share.
#[derive(Default)]
struct Frame {
    /// Variables in the order in which they are named.
    named: Vec<String>,
    /// Those that will be known inside.
    binding: Vec<Variable>,
    /// Those that are.
    bound: Vec<String>,
    /// Those that are known after it.
    declared: Vec<Variable>,
}

impl Grower {
    fn new() -> Grower {
        let globals = [
            ("string", "g_string"),
            ("strings", "g_strings"),
            ("ints", "g_ints"),
            ("int", "g_int"),
            ("rec", "g_rec"),
        ];
        let global = |(ty, name): (&'static str, &str)| Variable {
            name: name.to_owned(),
            ty,
            mutable: true,
            block: 0,
        };
        Grower {
            random: Random::new(0, 0),
            grammar: Grammar::read(),
            functions: Vec::new(),
            variables: globals.map(global).to_vec(),
            next: 0,
            returns: "int",
            block: 0,
            in_loop: false,
        }
    }

    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("v{}", self.next)
    }

    fn ty(&mut self) -> &'static str {
        let at = self.random.below(self.grammar.types.len());
        self.grammar.types[at].0
    }

    // Functions.

    fn function(&mut self) -> String {
        let globals = self.variables.len();
        self.returns = self.ty();
        let params: Vec<_> = (0..self.random.below(4)).map(|_| self.ty()).collect();
        let mut list = Vec::new();
        for ty in &params {
            let name = self.fresh();
            list.push(format!("{} {name}", self.grammar.spelled(ty)));
            self.variables.push(Variable { name, ty, mutable: true, block: 0 });
        }
        let head = format!("f{}({})", self.functions.len(), list.join(", "));
        let early = self.expression(self.returns, DEEP);
        let count = 4 + self.random.below(8);
        let body = self.statements(count, 0, false, true);
        self.variables.truncate(globals);
        let returns = self.grammar.spelled(self.returns);
        self.functions.push(Function { returns: self.returns, params });
        format!("{returns} {head} {{\n    if (tired()) {{ return {early}; }}\n{body}}}\n")
    }

    fn main(&mut self) -> String {
        // What a constant slice has got at the end is not released: it is static.
        let mut text = "int main() {\n    g_strings = list(\"g\", \"h\");\n    g_rec = rec(\"g\", list(\"i\", \"j\"), 1);\n".to_owned();
        for at in 0..self.functions.len() {
            for _ in 0..3 {
                let value = self.call(at, 1);
                let Some(shown) = self.shown(self.functions[at].returns, &value) else { continue };
                let _infallible = writeln!(text, "    fuel = 60;\n    note({shown});");
            }
        }
        text + "    println(g_string[:99] + joined(g_strings) + total(g_ints) + g_int + g_rec.a[:99]);\n    println(sum);\n    return (sum % 7) as int;\n}\n"
    }

    /// A string made of a value. `None`: there is no way.
    fn shown(&self, ty: &str, value: &str) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Hole(..) => value.to_owned(),
        };
        let templates = self.grammar.templates(&format!("show_{ty}"));
        templates.first().map(|template| template.iter().map(part).collect())
    }

    fn call(&mut self, function: usize, depth: usize) -> String {
        let params = self.functions[function].params.clone();
        let args: Vec<String> = params.iter().map(|ty| self.expression(ty, depth + 1)).collect();
        format!("f{function}({})", args.join(", "))
    }

    // Statements.

    /// Statements, each on lines of its own; `all`: with a return at the end.
    fn statements(&mut self, count: usize, indent: usize, in_loop: bool, all: bool) -> String {
        let known = self.variables.len();
        let before = self.in_loop;
        self.in_loop |= in_loop;
        self.block += 1;
        let mut text = String::new();
        let margin = "    ".repeat(indent + 1);
        for _ in 0..count {
            let _infallible = writeln!(text, "{margin}{}", self.statement(indent + 1));
        }
        if all {
            // Not all, so that others end with their last use.
            let shown: Vec<String> = self
                .variables
                .iter()
                .filter_map(|variable| self.shown(variable.ty, &variable.name))
                .collect();
            for shown in shown.into_iter().filter(|_| self.random.one_in(2)) {
                let _infallible = writeln!(text, "{margin}note({shown});");
            }
            let _infallible = writeln!(text, "{margin}return {};", self.result());
        }
        self.block -= 1;
        self.in_loop = before;
        self.variables.truncate(known);
        text
    }

    fn statement(&mut self, indent: usize) -> String {
        for _ in 0..20 {
            let name = if self.in_loop && self.random.one_in(15) { "jump" } else { "stmt" };
            let template = self.template(name);
            let contains = |part: &Part| matches!(part, Part::Hole('$', "stmts" | "loop"));
            if indent > NESTED && template.iter().any(contains) {
                continue;
            }
            if let Some(text) = self.expand(&template, 0, indent) {
                return text;
            }
        }
        "note(\"nothing\");".to_owned()
    }

    fn result(&mut self) -> String {
        let value = self.expression(self.returns, 0);
        if self.returns == "string" { format!("({value})[:80]") } else { value }
    }

    // Expressions.

    fn template(&mut self, name: &str) -> Template {
        let templates = self.grammar.templates(name);
        templates[self.random.below(templates.len())].clone()
    }

    fn expression(&mut self, ty: &str, depth: usize) -> String {
        if (depth >= DEEP || self.random.one_in(2))
            && let Some(variable) = self.variable(ty, |_| true)
        {
            return variable.name;
        }
        let callable: Vec<usize> =
            (0..self.functions.len()).filter(|at| self.functions[*at].returns == ty).collect();
        if depth < DEEP && !callable.is_empty() && self.random.one_in(6) {
            let chosen = callable[self.random.below(callable.len())];
            return self.call(chosen, depth);
        }
        for _ in 0..20 {
            let template = match depth < DEEP {
                true => self.template(ty),
                false => self.grammar.templates(ty)[0].clone(),
            };
            if let Some(text) = self.expand(&template, depth, 0) {
                return text;
            }
        }
        unreachable!("invariant: the first template of a type needs no variable")
    }

    fn variable(&mut self, ty: &str, fits: impl Fn(&Variable) -> bool) -> Option<Variable> {
        let fitting: Vec<&Variable> =
            self.variables.iter().filter(|variable| variable.ty == ty && fits(variable)).collect();
        // Late ones rather, so that not all happens to globals and parameters.
        let [a, b] = [(); 2].map(|()| self.random.below(fitting.len()));
        fitting.get(a.max(b)).copied().cloned()
    }

    // Templates.

    /// What a template becomes. `None`: there is no variable for it.
    fn expand(&mut self, template: &Template, depth: usize, indent: usize) -> Option<String> {
        let mut frame = Frame::default();
        let mut text = String::new();
        let mut fits = true;
        for part in template {
            match part {
                Part::Text(part) => {
                    text += part;
                    if part.contains('{') || part.contains("=>") {
                        self.bind(&mut frame);
                    }
                }
                Part::Hole(sign, name) => match self.fill(*sign, name, depth, indent, &mut frame) {
                    Some(part) => text += &part,
                    None => {
                        fits = false;
                        break;
                    }
                },
            }
        }
        self.unbind(&mut frame);
        self.variables.extend(frame.declared.into_iter().filter(|_| fits));
        fits.then_some(text)
    }

    fn fill(
        &mut self,
        sign: char,
        name: &'static str,
        depth: usize,
        indent: usize,
        frame: &mut Frame,
    ) -> Option<String> {
        if let Ok(number) = name.parse::<usize>() {
            return frame.named.get(number - 1).cloned();
        }
        let found = match (sign, name) {
            ('%', ".") => {
                self.unbind(frame);
                return Some(String::new());
            }
            ('$', "num") => return Some(self.random.below(10).to_string()),
            ('$', "return") => return Some(self.result()),
            ('$', "stmts" | "loop") => {
                let count = 1 + self.random.below(3);
                let inside = self.statements(count, indent, name == "loop", false);
                return Some(format!("\n{inside}{}", "    ".repeat(indent)));
            }
            ('$', ty) => return Some(self.expression(ty, depth + 1)),
            ('?', ty) => self.variable(ty, |_| true)?.name,
            ('@', ty) => self.variable(ty, |variable| variable.mutable)?.name,
            ('!', ty) => {
                let block = self.block;
                let moved =
                    self.variable(ty, |variable| variable.mutable && variable.block == block);
                let name = moved.filter(|_| block > 0)?.name;
                self.variables.retain(|variable| variable.name != name);
                name
            }
            (_, ty) => {
                let variable =
                    Variable { name: self.fresh(), ty, mutable: sign == '#', block: self.block };
                let name = variable.name.clone();
                if sign == '#' { &mut frame.declared } else { &mut frame.binding }.push(variable);
                name
            }
        };
        frame.named.push(found.clone());
        Some(found)
    }

    /// Begins the variables that a template has named for what is inside.
    fn bind(&mut self, frame: &mut Frame) {
        frame.bound.extend(frame.binding.iter().map(|variable| variable.name.clone()));
        self.variables.append(&mut frame.binding);
    }

    /// Ends the variables that a template has bound so far.
    fn unbind(&mut self, frame: &mut Frame) {
        self.variables.retain(|variable| !frame.bound.contains(&variable.name));
        frame.bound.clear();
    }
}
