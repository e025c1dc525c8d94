//! Declarations.

use super::{Printer, Scope, values::is_integer};
use crate::{
    model::{Bound, Derive, Function, Item, Kind, Operator, Param, Ty, Value},
    random::Random,
};

impl<'a> Printer<'a> {
    pub(super) fn item(&mut self, item: &'a Item) {
        self.scope = Scope::default();
        let name = &item.name;
        match &item.kind {
            Kind::Const { ty, value, is_macro } => {
                let (value, ty) = (self.constant(ty, value), self.ty(ty));
                let word = if *is_macro { "macro" } else { "const" };
                self.line(&format!("{word} {ty} {name} = {value};"));
            }
            Kind::Global { ty, seed } => {
                let value = self.value(ty, &mut Random::new(*seed), true);
                let ty = self.ty(ty);
                self.line(&format!("{ty} {name} = {value};"));
            }
            Kind::Function { function, is_macro: true } => self.function_macro(name, function),
            Kind::Function { function, .. } => self.function(name, function, &function.body),
            Kind::Struct { .. } => self.structure(item),
            Kind::Enum { variants } => {
                self.open(&format!("enum {name}"));
                for variant in variants {
                    match &variant.payload {
                        Some(ty) => {
                            let ty = self.ty(ty);
                            self.line(&format!("{}({ty}),", variant.name));
                        }
                        None => self.line(&format!("{},", variant.name)),
                    }
                }
                self.close();
            }
            Kind::Interface { methods } => {
                self.open(&format!("interface {name}"));
                for method in methods {
                    let signature = self.signature(&method.name, method);
                    self.line(&format!("{signature};"));
                }
                self.close();
            }
            Kind::Impl { .. } => self.implementation(item),
            Kind::Alias { ty } => {
                let ty = self.ty(ty);
                self.line(&format!("typedef {name} = {ty};"));
            }
        }
    }

    fn constant(&mut self, ty: &Ty, value: &Value) -> String {
        match (value, ty) {
            (Value::Literal(seed), Ty::Prim("int")) => (1 + seed % 7).to_string(),
            (Value::Literal(seed), _) => self.value(ty, &mut Random::new(*seed), true),
            (Value::More(id, seed), _) => format!("{} + {}", self.name(*id), seed % 3),
        }
    }

    fn structure(&mut self, item: &Item) {
        let Kind::Struct { fields, generic, derives, drops } = &item.kind else { return };
        let name = &item.name;
        let generics = if *generic { "<T>" } else { "" };
        let derive = |derive: &Derive| format!("{derive:?}");
        let with = match derives.is_empty() {
            true => String::new(),
            false => {
                format!(" with {}", derives.iter().map(derive).collect::<Vec<_>>().join(", "))
            }
        };
        self.open(&format!("struct {name}{generics}{with}"));
        for field in fields {
            let ty = self.ty(&field.ty);
            self.line(&format!("{ty} {};", field.name));
        }
        self.close();
        if *drops {
            self.open(&format!("impl {name}"));
            self.line(&format!("~self() {{ println(\"~{}\"); }}", item.id));
            self.close();
        }
    }

    fn implementation(&mut self, item: &'a Item) {
        let Kind::Impl { of, interface, operator, .. } = &item.kind else { return };
        let of_item = self.program.item(*of);
        let generic =
            matches!(of_item.map(|of| &of.kind), Some(Kind::Struct { generic: true, .. }));
        let name = self.name(*of);
        let head = match (interface, generic) {
            (Some(interface), _) => format!("impl {name} for {}", self.name(*interface)),
            (None, true) => format!("impl<T> {name}<T>"),
            (None, false) => format!("impl {name}"),
        };
        self.open(&head);
        let fields = match of_item.map(|of| &of.kind) {
            Some(Kind::Struct { fields, .. }) => fields.clone(),
            _ => Vec::new(),
        };
        for (signature, body) in self.methods(item) {
            self.scope = Scope::default();
            if !signature.is_static {
                let numbers = fields.iter().filter(|field| is_integer(&field.ty));
                self.scope.numbers.extend(numbers.map(|field| format!("self.{}", field.name)));
            }
            self.function(&signature.name, signature, body.map_or(&[], |body| &body.body));
        }
        if let Some(operator) = operator {
            self.operator(operator, *of);
        }
        self.close();
    }

    fn operator(&mut self, operator: &Operator, of: u32) {
        let name = self.name(of);
        let token = operator.token;
        if token == "==" || token == "<" {
            let other = self.number("other", &Ty::Named(of));
            let own = self.number("self", &Ty::Named(of));
            self.line(&format!(
                "operator bool {token}({name} other) {{ return {own} {token} {other}; }}"
            ));
            return;
        }
        let value = self.value(&Ty::Named(of), &mut Random::new(operator.seed), true);
        self.open(&format!("operator {name} {token}({name} other)"));
        self.line(&format!("{name} result = {value};"));
        match operator.seed % 3 {
            0 => self.line("result = other;"),
            1 => self.line("result = self;"),
            _ => {}
        }
        self.line("return result;");
        self.close();
    }

    /// What stands before the body of a function.
    fn signature(&mut self, name: &str, function: &Function) -> String {
        let params = self.params(&function.params);
        let ret = self.ret(function);
        let prefix = if function.is_static { "static " } else { "" };
        format!("{}{prefix}{ret} {name}({params})", generics(&function.generics))
    }

    pub(super) fn ret(&mut self, function: &Function) -> String {
        function.ret.as_ref().map_or("void".to_owned(), |ty| self.ty(ty))
    }

    fn params(&mut self, params: &[Param]) -> String {
        let mut texts = Vec::new();
        for param in params {
            let ty = self.ty(&param.ty);
            let default = match param.default {
                Some(seed) => format!(" = {}", self.value(&param.ty, &mut Random::new(seed), true)),
                None => String::new(),
            };
            texts.push(format!("{ty} {}{default}", param.name));
        }
        texts.join(", ")
    }

    fn function(&mut self, name: &str, function: &Function, body: &[crate::model::Statement]) {
        if name == "main" {
            self.open("int main()");
        } else {
            let signature = self.signature(name, function);
            self.open(&signature);
        }
        self.enter(function);
        self.line(&format!("long acc = {};", function.id % 50));
        for param in &function.params {
            let number = self.number(&param.name, &param.ty);
            self.line(&format!("acc += {number};"));
        }
        if let Some(line) = bounded(function) {
            self.line(&line);
        }
        body.iter().for_each(|statement| self.statement(statement));
        if name == "main" {
            self.line("println(\"{acc}\");");
            self.line("return 0;");
        } else if let Some(ty) = &function.ret {
            let value = self.result(ty, function.id);
            self.line(&format!("return {value};"));
        } else {
            self.line(&format!("println(\"{name} {{acc}}\");"));
        }
        self.close();
    }

    fn enter(&mut self, function: &Function) {
        self.scope.params.clone_from(&function.params);
        let numbers = function.params.iter().filter(|param| is_integer(&param.ty));
        self.scope.numbers.extend(numbers.map(|param| param.name.clone()));
        self.scope.numbers.push("acc".to_owned());
    }

    /// What a function makes of `acc`.
    fn result(&mut self, ty: &Ty, seed: u32) -> String {
        match self.program.resolved(ty).clone() {
            Ty::Prim("bool") => "acc % 2 == 0".to_owned(),
            Ty::Prim("string") => "\"r{acc}\"".to_owned(),
            Ty::Prim("char") => "(97 + (acc % 26 + 26) % 26) as char".to_owned(),
            Ty::Prim("double") => "(acc % 1000) as double".to_owned(),
            Ty::Prim(_) => "acc".to_owned(),
            other => self.value(&other, &mut Random::new(seed.into()), false),
        }
    }

    fn function_macro(&mut self, name: &str, function: &Function) {
        let ret = self.ret(function);
        let types: Vec<_> = function.params.iter().map(|param| self.ty(&param.ty)).collect();
        let params: Vec<_> = function
            .params
            .iter()
            .zip(&types)
            .map(|(param, ty)| format!("{ty} {}", param.name))
            .collect();
        let numbers = function.params.iter().map(|param| self.number(&param.name, &param.ty));
        let sum = numbers.chain(["3".to_owned()]).collect::<Vec<_>>().join(" + ");
        self.line(&format!(
            "macro {ret}*({}) {name} = ({}) => {sum};",
            types.join(", "),
            params.join(", ")
        ));
    }
}

/// `<T: Ord> `.
fn generics(bounds: &[Bound]) -> String {
    match bounds.first() {
        None => String::new(),
        Some(Bound::None) => "<T> ".to_owned(),
        Some(bound) => format!("<T: {bound:?}> "),
    }
}

/// What a bound makes possible.
fn bounded(function: &Function) -> Option<String> {
    let of_t: Vec<_> = function.params.iter().filter(|param| param.ty == Ty::Param(0)).collect();
    let (first, last) = (of_t.first()?, of_t.last()?);
    match function.generics.first()? {
        Bound::None => None,
        Bound::Eq => Some(format!("if ({} == {}) {{ acc += 5; }}", first.name, last.name)),
        Bound::Ord => Some(format!("if ({} < {}) {{ acc += 6; }}", first.name, last.name)),
    }
}
