//! Types, values of them, and numbers made of values.

use super::Printer;
use crate::{
    model::{Field, Id, Kind, Len, Ty, Variant},
    random::Random,
};

/// Types that `acc` can be computed with.
const INTEGERS: [&str; 10] =
    ["int", "long", "short", "tiny", "uint", "ulong", "ushort", "utiny", "isize", "usize"];

/// Whether a type is one of the integer types.
pub(super) fn is_integer(ty: &Ty) -> bool {
    matches!(ty, Ty::Prim(name) if INTEGERS.contains(name))
}

impl Printer<'_> {
    /// The name of a type.
    pub(super) fn ty(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Prim(name) => (*name).to_owned(),
            Ty::Named(id) => self.name(*id),
            Ty::Instance(id, argument) => {
                let argument = self.ty(argument);
                format!("{}<{argument}>", self.name(*id))
            }
            Ty::Array(element, length) => {
                let element = self.ty(element);
                match length {
                    Len::Number(length) => format!("{element}[{length}]"),
                    Len::Const(id) => format!("{element}[{}]", self.word(*id)),
                }
            }
            Ty::Slice(element) => format!("{}[]", self.ty(element)),
            Ty::Param(_) => match self.scope.argument.clone() {
                Some(argument) => self.ty(&argument),
                None => "T".to_owned(),
            },
        }
    }

    /// The argument in the place of the parameter.
    fn substituted(ty: &Ty, argument: &Ty) -> Ty {
        match ty {
            Ty::Param(_) => argument.clone(),
            Ty::Array(element, length) => {
                Ty::Array(Box::new(Self::substituted(element, argument)), *length)
            }
            Ty::Slice(element) => Ty::Slice(Box::new(Self::substituted(element, argument))),
            other => other.clone(),
        }
    }

    fn fields(&self, id: Id, argument: Option<&Ty>) -> Vec<Field> {
        let Some(Kind::Struct { fields, .. }) = self.program.item(id).map(|item| &item.kind) else {
            return Vec::new();
        };
        let mut fields = fields.clone();
        if let Some(argument) = argument {
            for field in &mut fields {
                field.ty = Self::substituted(&field.ty, argument);
            }
        }
        fields
    }

    pub(super) fn variants(&self, id: Id) -> Vec<Variant> {
        match self.program.item(id).map(|item| &item.kind) {
            Some(Kind::Enum { variants }) => variants.clone(),
            _ => Vec::new(),
        }
    }

    /// An expression of a type. `constant`: it names nothing that is not constant.
    pub(super) fn value(&mut self, ty: &Ty, random: &mut Random, constant: bool) -> String {
        match ty {
            Ty::Prim(name) => self.primitive(name, random, constant),
            Ty::Named(id) => match self.program.item(*id).map(|item| &item.kind) {
                Some(Kind::Alias { ty }) => self.value(&ty.clone(), random, constant),
                Some(Kind::Enum { .. }) => self.variant(*id, random, constant),
                _ => self.literal(*id, None, random, constant),
            },
            Ty::Instance(id, argument) => self.literal(*id, Some(argument), random, constant),
            Ty::Array(element, _) => format!("[{}]", self.value(element, random, constant)),
            Ty::Slice(element) => {
                let count = 1 + random.below(3);
                let elements: Vec<_> =
                    (0..count).map(|_| self.value(element, random, constant)).collect();
                format!("[{}]", elements.join(", "))
            }
            Ty::Param(_) => match self.scope.argument.clone() {
                Some(argument) => self.value(&argument, random, constant),
                None => {
                    let of = self.scope.params.iter().find(|param| param.ty == *ty);
                    of.map_or("missing".to_owned(), |param| param.name.clone())
                }
            },
        }
    }

    fn primitive(&mut self, name: &str, random: &mut Random, constant: bool) -> String {
        let n = random.below(90) as u64;
        match name {
            "bool" => ["true", "false"][random.below(2)].to_owned(),
            "char" => format!("'{}'", char::from(b'a' + (n % 26) as u8)),
            "double" | "float" => format!("{n}.{}", ["5", "25", "125"][random.below(3)]),
            "string" if random.one_in(3) && !constant => format!("\"t{n} {{acc}}\""),
            "string" => format!("\"t{n}\""),
            _ if !constant && random.one_in(2) && !self.scope.numbers.is_empty() => {
                self.scope.numbers[random.below(self.scope.numbers.len())].clone()
            }
            _ => n.to_string(),
        }
    }

    fn literal(
        &mut self,
        id: Id,
        argument: Option<&Ty>,
        random: &mut Random,
        constant: bool,
    ) -> String {
        let mut parts = Vec::new();
        for field in self.fields(id, argument) {
            // The choices for a field depend on it alone, so a new one changes no other.
            let random = &mut Random::of(random.clone().any(), field.id.into());
            if !random.one_in(5) {
                parts.push(format!("{}: {}", field.name, self.value(&field.ty, random, constant)));
            }
        }
        let name = match argument {
            Some(argument) => self.ty(&Ty::Instance(id, Box::new(argument.clone()))),
            None => self.name(id),
        };
        format!("{name}{{{}}}", parts.join(", "))
    }

    fn variant(&mut self, id: Id, random: &mut Random, constant: bool) -> String {
        let variants = self.variants(id);
        let Some(variant) = random.pick(&variants) else { return "missing".into() };
        let name = self.name(id);
        match &variant.payload {
            None => format!("{name}::{}", variant.name),
            Some(ty) => {
                format!("{name}::{}({})", variant.name, self.value(ty, random, constant))
            }
        }
    }

    /// A number made of a value, which is a place.
    pub(super) fn number(&mut self, place: &str, ty: &Ty) -> String {
        match ty {
            Ty::Prim("bool") => format!("({place} ? 1 : 0)"),
            Ty::Prim("string") => format!("({place}.len() as long)"),
            Ty::Prim(_) => format!("({place} as long)"),
            Ty::Named(id) => match self.program.item(*id).map(|item| &item.kind) {
                Some(Kind::Alias { ty }) => self.number(place, &ty.clone()),
                Some(Kind::Enum { variants }) if variants.iter().any(|v| v.payload.is_some()) => {
                    let name = self.name(*id);
                    format!("({place} == {name}::{} ? 7 : 8)", variants[0].name)
                }
                Some(Kind::Enum { .. }) => format!("({place} as long)"),
                _ => self.sum(place, *id, None),
            },
            Ty::Instance(id, argument) => self.sum(place, *id, Some(argument)),
            Ty::Array(element, _) => self.number(&format!("{place}[0]"), element),
            Ty::Slice(_) => format!("({place}.len() as long)"),
            Ty::Param(_) => match self.scope.argument.clone() {
                Some(argument) => self.number(place, &argument),
                None => format!("(typeof({place}).len() as long)"),
            },
        }
    }

    fn sum(&mut self, place: &str, id: Id, argument: Option<&Ty>) -> String {
        let mut parts = vec!["1".to_owned()];
        for field in self.fields(id, argument) {
            parts.push(self.number(&format!("{place}.{}", field.name), &field.ty));
        }
        format!("({})", parts.join(" + "))
    }
}
