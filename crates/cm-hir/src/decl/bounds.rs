//! Checks of declared types that need the impls of the program: constraints on the arguments of
//! generic types, and what `with` asks of fields.
//!
//! They are apart from the types themselves, since the impls are found by their types.

use super::{
    Item, ItemKind, Problem, Signature, TypeDef, builtin, enum_info, global_info, implements,
    is_closed, method, struct_info, type_generics,
};
use crate::ty::{GenericArg, Ty, TyKind};
use cm_base::{At, Name};
use cm_db::{Db, DefId};

/// Why the arguments of a type, or of one in it, do not meet the constraints of its parameters.
pub fn unsatisfied(db: &dyn Db, ty: Ty) -> Option<String> {
    let find = |types: &[Ty]| types.iter().find_map(|ty| unsatisfied(db, *ty));
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match &*ty {
        TyKind::Struct(def, args) => arguments(db, TypeDef::Struct(*def), "struct", args),
        TyKind::Enum(def, args) => arguments(db, TypeDef::Enum(*def), "enum", args),
        TyKind::Interface(def, args) => arguments(db, TypeDef::Interface(*def), "interface", args),
        TyKind::Pointer { to, .. }
        | TyKind::Array(to, _)
        | TyKind::ArrayParam(to, _)
        | TyKind::Slice(to) => unsatisfied(db, *to),
        TyKind::Function(params, ret) => find(params).or_else(|| unsatisfied(db, *ret)),
        TyKind::Union(members) => find(members),
        _ => None,
    })
}

fn arguments(db: &dyn Db, def: TypeDef, word: &str, args: &[GenericArg]) -> Option<String> {
    if args.is_empty() {
        return None;
    }
    let (TypeDef::Struct(id) | TypeDef::Enum(id) | TypeDef::Interface(id)) = def else {
        return None;
    };
    for (param, arg) in type_generics(db, def).iter().zip(args) {
        let GenericArg::Type(ty) = *arg else { continue };
        if let Some(message) = unsatisfied(db, ty) {
            return Some(message);
        }
        if !is_closed(ty) || *ty == TyKind::Error {
            continue;
        }
        let holds = |bound: &Ty| *ty == **bound || implements(db, ty, *bound).is_some();
        let failed = match param.any {
            true if param.bounds.iter().any(holds) => None,
            true => param.bounds.first(),
            false => param.bounds.iter().find(|bound| !holds(bound)),
        };
        if let Some(failed) = failed {
            let (param, name) = (param.name, crate::display::simple_name(id));
            return Some(format!(
                "Type '{ty}' does not satisfy constraint '{failed}' for type parameter '{param}' \
                 in {word} '{name}'"
            ));
        }
    }
    None
}

/// The types that a definition names outside bodies.
pub(super) fn check(db: &dyn Db, def: DefId, item: &Item, problems: &mut Vec<Problem>) {
    let mut ty = |at: At, ty: Ty| {
        problems.extend(unsatisfied(db, ty).map(|message| Problem::new(at, message)));
    };
    match &item.kind {
        ItemKind::Struct(node) => {
            let Some(info) = struct_info(db, def) else { return };
            for (field, node) in info.fields.iter().zip(&node.fields) {
                ty(node.name.at, field.ty);
            }
            if node.generics.params.is_empty() {
                derives(db, def, item.name.name, problems);
            }
        }
        ItemKind::Enum(node) => {
            let Some(info) = enum_info(db, def) else { return };
            for (variant, node) in info.variants.iter().zip(&node.variants) {
                variant.payload.into_iter().for_each(|payload| ty(node.name.at, payload));
            }
        }
        ItemKind::Global(_) => {
            let Some(info) = global_info(db, def) else { return };
            ty(item.name.at, info.ty);
        }
        _ => {}
    }
}

/// The same for the types of a function's signature.
pub(super) fn check_signature(
    db: &dyn Db,
    item: &Item,
    signature: &Signature,
    problems: &mut Vec<Problem>,
) {
    let ItemKind::Function { signature: node, .. } = &item.kind else { return };
    let params = signature.params.iter().zip(&node.params);
    let params = params.map(|(param, node)| (node.name.at, param.ty));
    for (at, ty) in params.chain([(item.name.at, signature.ret)]) {
        problems.extend(unsatisfied(db, ty).map(|message| Problem::new(at, message)));
    }
}

/// What `with` asks of the fields of a struct.
fn derives(db: &dyn Db, def: DefId, name: Name, problems: &mut Vec<Problem>) {
    let Some(item) = super::item(db, def) else { return };
    let (ItemKind::Struct(node), Some(info)) = (&item.kind, struct_info(db, def)) else { return };
    for interface in super::derives(db, def) {
        for (field, node) in info.fields.iter().zip(&node.fields) {
            if !supports(db, field.ty, *interface) {
                let message = format!(
                    "Field '{}' of '{name}' does not implement '{interface}', which 'with' needs",
                    field.name
                );
                problems.push(Problem::new(node.name.at, message));
            }
        }
    }
}

/// Whether fields of a type can be in a struct for which the interface is derived. If not, that is reported
/// where a struct without type parameters is declared.
pub(crate) fn supports(db: &dyn Db, ty: Ty, interface: Name) -> bool {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match (&*ty, interface.as_str()) {
        (TyKind::Error, _) => true,
        (TyKind::Literal(base, _), _) => supports(db, *base, interface),
        (TyKind::Struct(..), "Eq" | "Ord") => {
            implements(db, ty, TyKind::BuiltinInterface(interface).intern()).is_some()
        }
        (TyKind::Struct(..), "Hash" | "Debug" | "Display") => {
            let names = builtin::method_names(&interface).unwrap_or_default();
            names.iter().all(|name| method(db, ty, *name).is_some())
        }
        (TyKind::Array(of, _) | TyKind::Slice(of), "Eq") => supports(db, *of, interface),
        (TyKind::Union(_) | TyKind::Interface(..) | TyKind::BuiltinInterface(_), "Eq" | "Ord") => {
            false
        }
        (TyKind::Bool | TyKind::Array(..) | TyKind::Slice(_) | TyKind::Function(..), "Ord") => {
            false
        }
        _ => true,
    })
}
