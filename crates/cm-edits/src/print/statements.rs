//! Statements. Each changes `acc`; its own variables have its number in their names.

use super::Printer;
use crate::{
    model::{Act, Derive, Function, Id, Kind, Param, Statement, Ty},
    random::Random,
};

impl Printer<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) {
        let v = format!("v{}", statement.id);
        let random = &mut Random::new(statement.seed);
        let k = random.below(40) as u64 + 2;
        match &statement.act {
            Act::If | Act::For | Act::While | Act::ForIn | Act::Defer | Act::Block => {
                self.nested(statement, &v, k);
            }
            Act::Conditional(name) => self.conditional(name, k),
            Act::Const(id) | Act::Global(id) => {
                let ty = self.type_of(*id);
                let name = self.name(*id);
                let number = self.number(&name, &ty);
                self.line(&format!("acc += {number};"));
            }
            Act::SetGlobal(id) => {
                let ty = self.type_of(*id);
                let value = self.value(&ty, random, false);
                let name = self.name(*id);
                self.line(&format!("{name} = {value};"));
            }
            Act::Call(id) => self.call(*id, &v, random),
            Act::Instance(id, ty) => self.instance(*id, ty, &v, random),
            Act::FunctionValue(id) => self.function_value(*id, &v, random),
            Act::Make(ty) => self.make(ty, &v, random),
            Act::Method(id, method) => self.method(*id, *method, &v, random),
            Act::Operate(id) => self.operate(*id, &v, random),
            Act::Match(id) => self.matching(*id, &v, random),
            Act::Dynamic(id) => self.dynamic(*id, &v, random),
            Act::Move(ty) => {
                let (value, name) = (self.value(ty, random, false), self.ty(ty));
                let number = self.number(&format!("{v}_b"), ty);
                self.open("");
                self.line(&format!("{name} {v} = {value};"));
                self.line(&format!("{name} {v}_b = move {v};"));
                self.line(&format!("acc += {number};"));
                self.close();
            }
            Act::Measure(ty) => {
                let name = self.ty(ty);
                self.line(&format!("acc += sizeof({name}) + typeof({name}).len();"));
            }
            act => {
                for line in plain(act, &v, k, &self.some_number(random)) {
                    self.line(&line);
                }
            }
        }
    }

    fn some_number(&self, random: &mut Random) -> String {
        random.pick(&self.scope.numbers).map_or("acc".to_owned(), Clone::clone)
    }

    fn inner(&mut self, statement: &Statement) {
        statement.inner.iter().for_each(|inner| self.statement(inner));
    }

    fn nested(&mut self, statement: &Statement, v: &str, k: u64) {
        let rounds = 1 + k % 3;
        match statement.act {
            Act::If => {
                self.open(&format!("if (acc % {k} > {})", k / 2));
                self.inner(statement);
                self.line("acc += 1;");
                self.level -= 1;
                self.open("} else");
                self.line(&format!("acc -= {k};"));
            }
            Act::For => {
                self.open(&format!("for (int {v} = 0; {v} < {rounds}; {v}++)"));
                self.inner(statement);
                self.line(&format!("acc += {v};"));
            }
            Act::While => {
                self.line(&format!("int {v} = 0;"));
                self.open(&format!("while ({v} < {rounds})"));
                self.line(&format!("{v} += 1;"));
                self.line(&format!("if ({v} == 2) {{ continue; }}"));
                self.inner(statement);
                self.line(&format!("if (acc == {k}) {{ break; }}"));
            }
            Act::ForIn => {
                self.open(&format!("for (auto {v} in [{k}, 2])"));
                self.inner(statement);
                self.line(&format!("acc += {v};"));
            }
            Act::Defer => {
                self.open("");
                self.line(&format!("defer acc += {k};"));
                self.line("defer { println(\"d{acc}\"); }");
                self.inner(statement);
            }
            _ => {
                self.open("");
                self.line(&format!("long {v} = acc;"));
                self.inner(statement);
                self.line(&format!("acc += {v} / {k};"));
            }
        }
        self.close();
    }

    fn conditional(&mut self, name: &str, k: u64) {
        self.out += &format!("#ifdef {name}\n");
        self.line(&format!("acc += {k};"));
        self.out += "#else\n";
        self.line(&format!("acc -= {k};"));
        self.out += "#end\n";
    }

    fn type_of(&self, id: Id) -> Ty {
        match self.program.item(id).map(|item| &item.kind) {
            Some(Kind::Const { ty, .. } | Kind::Global { ty, .. }) => ty.clone(),
            _ => Ty::Prim("int"),
        }
    }

    /// Arguments for parameters; the choices for one depend on it alone.
    fn arguments(&mut self, params: &[Param], random: &mut Random) -> String {
        let seed = random.any();
        let mut given = params.len();
        // The last ones may be left to their defaults.
        while given > 0
            && params[given - 1].default.is_some()
            && Random::of(seed, u64::from(params[given - 1].id) + 7).one_in(2)
        {
            given -= 1;
        }
        let arguments = params[..given]
            .iter()
            .map(|param| self.value(&param.ty, &mut Random::of(seed, param.id.into()), false));
        arguments.collect::<Vec<_>>().join(", ")
    }

    fn call(&mut self, id: Id, v: &str, random: &mut Random) {
        let Some(function) = self.program.function(id) else { return };
        let arguments = self.arguments(&function.params, random);
        let call = format!("{}({arguments})", self.name(id));
        self.taken(&call, function, v);
    }

    /// Adds the result of a call.
    fn taken(&mut self, call: &str, function: &Function, v: &str) {
        let Some(ty) = &function.ret else { return self.line(&format!("{call};")) };
        let name = self.ty(ty);
        let number = self.number(v, ty);
        self.line(&format!("{name} {v} = {call};"));
        self.line(&format!("acc += {number};"));
    }

    fn instance(&mut self, id: Id, ty: &Ty, v: &str, random: &mut Random) {
        let Some(function) = self.program.function(id) else { return };
        let argument = self.ty(ty);
        let name = self.name(id);
        let outer = self.scope.argument.replace(ty.clone());
        // A literal alone says too little of its type.
        let mut arguments = Vec::new();
        let seed = random.any();
        for param in &function.params {
            let value = self.value(&param.ty, &mut Random::of(seed, param.id.into()), false);
            let of = self.ty(&param.ty);
            self.line(&format!("{of} {v}_{} = {value};", param.id));
            arguments.push(format!("{v}_{}", param.id));
        }
        let explicit = if seed.is_multiple_of(2) { format!("<{argument}>") } else { String::new() };
        let call = format!("{name}{explicit}({})", arguments.join(", "));
        self.taken(&call, function, v);
        self.scope.argument = outer;
    }

    fn function_value(&mut self, id: Id, v: &str, random: &mut Random) {
        let Some(function) = self.program.function(id) else { return };
        let types: Vec<_> = function.params.iter().map(|param| self.ty(&param.ty)).collect();
        let (ret, name) = (self.ret(function), self.name(id));
        self.line(&format!("{ret}*({}) {v}_f = &{name};", types.join(", ")));
        let mut all = function.params.clone();
        all.iter_mut().for_each(|param| param.default = None);
        let arguments = self.arguments(&all, random);
        self.taken(&format!("{v}_f({arguments})"), function, v);
    }

    fn make(&mut self, ty: &Ty, v: &str, random: &mut Random) {
        let (value, name) = (self.value(ty, random, false), self.ty(ty));
        let number = self.number(v, ty);
        self.open("");
        self.line(&format!("{name} {v} = {value};"));
        self.line(&format!("acc += {number};"));
        let of = match self.program.resolved(ty) {
            Ty::Named(id) | Ty::Instance(id, _) => self.program.item(*id),
            _ => None,
        };
        if let Some(Kind::Struct { derives, drops: false, .. }) = of.map(|item| &item.kind) {
            for derive in derives {
                let line = match derive {
                    Derive::Eq => format!("if ({v} == {v}) {{ acc += 1; }}"),
                    Derive::Ord => format!("if ({v} <= {v}) {{ acc += 2; }}"),
                    Derive::Clone => format!("{name} {v}_c = {v}.clone();"),
                    Derive::Hash => format!("acc += {v}.hash();"),
                    Derive::Debug => format!("acc += {v}.debug().len();"),
                    Derive::Display => format!("acc += \"{{{v}}}\".len() + {v}.toString().len();"),
                };
                self.line(&line);
            }
        }
        self.close();
    }

    /// The receiver for an implementation: its type, and an argument if that is generic.
    fn receiver(&self, id: Id) -> Option<(Ty, Option<Ty>)> {
        let Kind::Impl { of, .. } = &self.program.item(id)?.kind else { return None };
        match &self.program.item(*of)?.kind {
            Kind::Struct { generic: true, .. } => {
                let argument = Ty::Prim("int");
                Some((Ty::Instance(*of, Box::new(argument.clone())), Some(argument)))
            }
            _ => Some((Ty::Named(*of), None)),
        }
    }

    fn method(&mut self, id: Id, method: Id, v: &str, random: &mut Random) {
        let Some((ty, argument)) = self.receiver(id) else { return };
        let Some(item) = self.program.item(id) else { return };
        let methods = self.methods(item);
        let Some((signature, _)) = methods.iter().find(|(of, _)| of.id == method) else { return };
        let name = self.ty(&ty);
        let outer = std::mem::replace(&mut self.scope.argument, argument);
        let value = self.value(&ty, random, false);
        let arguments = self.arguments(&signature.params, random);
        self.open("");
        if signature.is_static {
            self.taken(&format!("{name}::{}({arguments})", signature.name), signature, v);
        } else {
            self.line(&format!("{name} {v}_o = {value};"));
            self.taken(&format!("{v}_o.{}({arguments})", signature.name), signature, v);
        }
        self.close();
        self.scope.argument = outer;
    }

    fn operate(&mut self, id: Id, v: &str, random: &mut Random) {
        let Some((ty, None)) = self.receiver(id) else { return };
        let Some(Kind::Impl { operator: Some(operator), .. }) =
            self.program.item(id).map(|item| &item.kind)
        else {
            return;
        };
        let name = self.ty(&ty);
        let token = operator.token;
        let values = [self.value(&ty, random, false), self.value(&ty, random, false)];
        self.open("");
        self.line(&format!("{name} {v} = {};", values[0]));
        self.line(&format!("{name} {v}_b = {};", values[1]));
        if token == "==" || token == "<" {
            self.line(&format!("if ({v} {token} {v}_b) {{ acc += 9; }}"));
        } else {
            let number = self.number(&format!("{v}_c"), &ty);
            self.line(&format!("{name} {v}_c = {v} {token} {v}_b;"));
            self.line(&format!("acc += {number};"));
        }
        self.close();
    }

    fn matching(&mut self, id: Id, v: &str, random: &mut Random) {
        let ty = Ty::Named(id);
        let (value, name) = (self.value(&ty, random, false), self.name(id));
        let variants = self.variants(id);
        self.line(&format!("{name} {v} = {value};"));
        let wildcard = random.one_in(3);
        let as_statement = random.one_in(2);
        let seed = random.any();
        let head = if as_statement { "match" } else { "acc += match" };
        self.open(&format!("{head} ({v})"));
        for (at, variant) in variants.iter().enumerate() {
            if wildcard && at > 0 {
                break;
            }
            let n = Random::of(seed, variant.id.into()).below(100);
            let (pattern, number) = match &variant.payload {
                Some(ty) if n.is_multiple_of(2) => {
                    let number = self.number(&format!("{v}_x"), ty);
                    (format!("{name}::{}({v}_x)", variant.name), number)
                }
                _ => (format!("{name}::{}", variant.name), format!("({n} as long)")),
            };
            match as_statement {
                true => self.line(&format!("{pattern} => {{ acc += {number}; }}")),
                false => self.line(&format!("{pattern} => {number} + (0 as long),")),
            }
        }
        if wildcard {
            match as_statement {
                true => self.line("_ => { acc -= 1; }"),
                false => self.line("_ => (3 as long),"),
            }
        }
        match as_statement {
            true => self.close(),
            false => {
                self.level -= 1;
                self.line("};");
            }
        }
    }

    fn dynamic(&mut self, id: Id, v: &str, random: &mut Random) {
        let Some(item) = self.program.item(id) else { return };
        let Kind::Impl { of, interface: Some(interface), .. } = &item.kind else { return };
        let value = self.value(&Ty::Named(*of), random, false);
        let (of, interface) = (self.name(*of), self.name(*interface));
        self.open("");
        // A literal has no place, so its copy is destroyed by nobody.
        self.line(&format!("{of} {v}_s = {value};"));
        self.line(&format!("{interface} {v}_i = {v}_s;"));
        let seed = random.any();
        for (signature, _) in self.methods(item) {
            let arguments =
                self.arguments(&signature.params, &mut Random::of(seed, signature.id.into()));
            let call = format!("{v}_i.{}({arguments})", signature.name);
            self.taken(&call, signature, &format!("{v}_{}", signature.id));
        }
        self.close();
    }
}

/// Statements that refer to no declaration.
fn plain(act: &Act, v: &str, k: u64, n: &str) -> Vec<String> {
    let lines: &[&str] = match act {
        Act::Arithmetic => match k % 6 {
            0 => &["acc = acc * K + N;"],
            1 => &["acc ^= (N as long) << (K % 7);"],
            2 => &["tiny V = (N % 100) as tiny;", "V += 120;", "acc += V;"],
            3 => &["uint V = N as uint;", "acc += (V >> 3) as long;", "acc %= 1000003;"],
            4 => &["acc = (acc | K) - (acc & N);"],
            _ => &["short V = N;", "acc += V * K - ~V;", "acc -= acc / K;"],
        },
        Act::Floating => match k % 2 {
            0 => &["double V = (N % 1000) as double;", "V = V / 3.0 + 0.25;", "acc += V as long;"],
            _ => &["float V = 1.5;", "V *= K;", "acc += (V > 9.0 ? 1 : 2);"],
        },
        Act::Text => match k % 3 {
            0 => &["string V = \"k\" + N + \"-\";", "acc += V.repeat(2).len();"],
            1 => &["string V = \"Ab{N}c\".toUpperCase();", "acc += V.indexOf(\"C\");"],
            _ => &["string V = \"wxyz{K}\";", "acc += V[1:3].len() + (V[0] as int);"],
        },
        Act::Format => &["string V = \"{acc:x}|{N:>8}|{1.5:.2}\";", "acc += V.len();"],
        Act::Print => &["println(\"V {acc}\");"],
        Act::Lambda => match k % 2 {
            0 => &["long V_k = N;", "long*(long) V = (long x) => x + V_k * K;", "acc = V(acc);"],
            _ => &["auto V = (int a, int b) => { return a * b; };", "acc += V(K, 3);"],
        },
        Act::Slice => match k % 2 {
            0 => &[
                "int[] V = [1, 2, K];",
                "V.push(N as int);",
                "acc += V.map((int x) => x * 2).reduce((int a, int b) => a + b, 0);",
            ],
            _ => &[
                "string[] V;",
                "V.push(\"a{N}\");",
                "V.push(\"b\");",
                "acc += V.pop().len() + V[0].len() + V.len();",
            ],
        },
        Act::Sort => &[
            "int[4] V = [K, 3, 9];",
            "auto V_s = V.sortBy((int a, int b) => b - a);",
            "acc += V_s[0] + V.sort()[1] + V[1:].len();",
        ],
        Act::Pointer => &["long V = N;", "long* V_p = &V;", "*V_p += K;", "acc += V + *V_p;"],
        Act::Static => &["static int V = K;", "V += 1;", "acc += V;"],
        Act::Must => &["must {", "int V = K;", "V = V + 1;", "acc += V;", "}"],
        Act::Union => match k % 2 {
            0 => &["int | string V = \"xK\";", "acc += (V as string).len();"],
            _ => &["int | null V = null;", "if (V == null) { V = K; }", "acc += V as int;"],
        },
        Act::Switch => &[
            "switch ((acc % 9) as int) {",
            "case (0) { acc += K; }",
            "case (1 | 3...5) { acc -= 2; }",
            "else { acc += 1; }",
            "}",
        ],
        Act::MatchNumber => &[
            "acc += match ((N % 50) as int) {",
            "0 => K,",
            "1 | 2 => 3,",
            "5...9 => 4,",
            "x if x > 40 => x,",
            "_ => 6,",
            "};",
        ],
        Act::MatchText => {
            &["match (\"s{N}\") {", "\"s1\" => { acc += K; }", "_ => { acc += 2; }", "}"]
        }
        Act::Ternary => &["acc += acc % 2 == 0 ? K : N;"],
        _ => &["acc += 0xK0 + 'a' as int;", "acc += `raw {x} ${acc}`.len();"],
    };
    let k = k.to_string();
    let fill = |line: &&str| line.replace('V', v).replace('K', &k).replace('N', n);
    lines.iter().map(fill).collect()
}
