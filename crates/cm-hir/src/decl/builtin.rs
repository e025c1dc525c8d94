//! The built-in interfaces and who satisfies them without an impl (`06` §6.3).

use super::{ItemKind, item, item_tree::member_name};
use crate::{
    thir::Derived,
    ty::{Ty, TyKind},
};
use cm_base::Name;
use cm_db::{Db, DefId};

/// The operators that give an interface, and those interfaces.
const OPERATORS: [(&str, &str); 12] = [
    ("Eq", "operator =="),
    ("Ord", "operator <"),
    ("Add", "operator +"),
    ("Sub", "operator -"),
    ("Mul", "operator *"),
    ("Div", "operator /"),
    ("Mod", "operator %"),
    ("BitAnd", "operator &"),
    ("BitOr", "operator |"),
    ("BitXor", "operator ^"),
    ("Shl", "operator <<"),
    ("Shr", "operator >>"),
];

/// The methods of the other built-in interfaces.
const METHODS: [(&str, &[&str]); 6] = [
    ("Clone", &["clone"]),
    ("Copy", &[]),
    ("Hash", &["hash"]),
    ("Debug", &["debug"]),
    ("Display", &["toString"]),
    ("Css", &["css", "to_css", "isCss"]),
];

/// Whether a name is a built-in interface.
pub(super) fn is_interface(name: Name) -> bool {
    method_names(&name).is_some()
}

/// Whether `with` can derive it.
pub(super) fn is_derivable(name: Name) -> bool {
    matches!(&*name, "Eq" | "Ord") || METHODS.iter().any(|(known, _)| name == *known)
}

/// The members of a built-in interface.
pub(super) fn method_names(interface: &str) -> Option<Vec<Name>> {
    let operator = OPERATORS.iter().find(|(name, _)| *name == interface);
    let methods = METHODS.iter().find(|(name, _)| *name == interface);
    operator
        .map(|(_, operator)| vec![Name::new(operator)])
        .or_else(|| methods.map(|(_, names)| names.iter().copied().map(Name::new).collect()))
}

/// The built-in interface that a declaration repeats with the same content.
pub(super) fn redeclared(db: &dyn Db, def: DefId) -> Option<Name> {
    let name = Name::new(crate::display::simple_name(def));
    let expected = method_names(&name)?;
    let item = item(db, def).as_ref()?;
    let ItemKind::Interface(interface) = &item.kind else { return None };
    let members = interface.members.iter();
    let members = members.map(|(name, signature)| member_name(signature.role, name.name));
    members.eq(expected).then_some(name)
}

/// Whether a type that is not a struct satisfies an interface by itself.
pub(super) fn satisfied(ty: Ty, interface: &str) -> bool {
    let numeric = matches!(*ty, TyKind::Int(_) | TyKind::Float(_));
    match interface {
        "Eq" | "Clone" => numeric || matches!(*ty, TyKind::Char | TyKind::Bool | TyKind::Str),
        "Ord" => numeric || *ty == TyKind::Char,
        "Add" | "Sub" | "Mul" | "Div" => numeric,
        "Mod" | "BitAnd" | "BitOr" | "BitXor" | "Shl" | "Shr" => matches!(*ty, TyKind::Int(_)),
        _ => false,
    }
}

/// What `with` an interface gives: methods by name.
pub(super) fn derived(interface: &str) -> &'static [(&'static str, Derived)] {
    match interface {
        "Eq" => &[("operator ==", Derived::Eq)],
        "Ord" => &[("operator <", Derived::Lt)],
        "Clone" => &[("clone", Derived::Clone)],
        "Hash" => &[("hash", Derived::Hash)],
        "Debug" => &[("debug", Derived::Debug)],
        "Display" => &[("toString", Derived::Display)],
        "Css" => &[("css", Derived::Css), ("to_css", Derived::Css), ("isCss", Derived::IsCss)],
        _ => &[],
    }
}
