//! Substitution of type parameters and its inverse, matching.

use crate::ty::{GenericArg, Ty, TyKind};
use cm_base::Name;

/// Replaces type parameters in a type.
pub fn substitute(ty: Ty, generics: &[(Name, GenericArg)]) -> Ty {
    if generics.is_empty() {
        return ty;
    }
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || replace(ty, generics))
}

fn replace(ty: Ty, generics: &[(Name, GenericArg)]) -> Ty {
    let list = |types: &[Ty]| types.iter().map(|ty| substitute(*ty, generics)).collect();
    let args = |args: &[GenericArg]| substitute_args(args, generics);
    match &*ty {
        TyKind::Pointer { to, is_const } => {
            TyKind::Pointer { to: substitute(*to, generics), is_const: *is_const }.intern()
        }
        TyKind::Array(of, len) => TyKind::Array(substitute(*of, generics), *len).intern(),
        TyKind::ArrayParam(of, len) => array(substitute(*of, generics), *len, generics),
        TyKind::Slice(of) => TyKind::Slice(substitute(*of, generics)).intern(),
        TyKind::Function(params, ret) => {
            TyKind::Function(list(params), substitute(*ret, generics)).intern()
        }
        TyKind::Struct(def, list) if !list.is_empty() => TyKind::Struct(*def, args(list)).intern(),
        TyKind::Enum(def, list) if !list.is_empty() => TyKind::Enum(*def, args(list)).intern(),
        TyKind::Interface(def, list) if !list.is_empty() => {
            TyKind::Interface(*def, args(list)).intern()
        }
        TyKind::Union(members) => TyKind::Union(list(members)).intern(),
        TyKind::Param(name) => match find(*name, generics) {
            Some(GenericArg::Type(ty)) => ty,
            _ => ty,
        },
        _ => ty,
    }
}

fn array(of: Ty, len: Name, generics: &[(Name, GenericArg)]) -> Ty {
    match find(len, generics) {
        Some(GenericArg::Value(value)) => match u64::try_from(value) {
            Ok(len) if len > 0 => TyKind::Array(of, len).intern(),
            _ => TyKind::Error.intern(),
        },
        Some(GenericArg::Param(name)) => TyKind::ArrayParam(of, name).intern(),
        Some(GenericArg::Type(_)) => TyKind::Error.intern(),
        None => TyKind::ArrayParam(of, len).intern(),
    }
}

/// Replaces type parameters in arguments.
pub fn substitute_args(args: &[GenericArg], generics: &[(Name, GenericArg)]) -> Vec<GenericArg> {
    let replace = |arg: &GenericArg| match arg {
        GenericArg::Type(ty) => GenericArg::Type(substitute(*ty, generics)),
        GenericArg::Value(_) => *arg,
        GenericArg::Param(name) => find(*name, generics).unwrap_or(*arg),
    };
    args.iter().map(replace).collect()
}

fn find(name: Name, generics: &[(Name, GenericArg)]) -> Option<GenericArg> {
    generics.iter().rev().find(|(param, _)| *param == name).map(|(_, arg)| *arg)
}

/// Whether `ty` is `pattern` with its type parameters replaced. Extends `found`, in which
/// parameters that stand there already must keep their arguments.
pub fn unify(pattern: Ty, ty: Ty, found: &mut Vec<(Name, GenericArg)>) -> bool {
    if pattern == ty && !matches!(*pattern, TyKind::Param(_)) && is_closed(pattern) {
        return true;
    }
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || matches(pattern, ty, found))
}

fn matches(pattern: Ty, ty: Ty, found: &mut Vec<(Name, GenericArg)>) -> bool {
    match (&*pattern, &*ty) {
        (TyKind::Param(name), _) => bind(*name, GenericArg::Type(ty), found),
        (TyKind::Pointer { to: a, is_const: ca }, TyKind::Pointer { to: b, is_const: cb }) => {
            ca == cb && unify(*a, *b, found)
        }
        (TyKind::Array(a, m), TyKind::Array(b, n)) => m == n && unify(*a, *b, found),
        (TyKind::ArrayParam(a, name), TyKind::Array(b, n)) => {
            unify(*a, *b, found) && bind(*name, GenericArg::Value((*n).into()), found)
        }
        (TyKind::Slice(a), TyKind::Slice(b)) => unify(*a, *b, found),
        (TyKind::Function(a, r), TyKind::Function(b, s)) => {
            all(a, b, found) && unify(*r, *s, found)
        }
        (TyKind::Struct(a, x), TyKind::Struct(b, y))
        | (TyKind::Enum(a, x), TyKind::Enum(b, y))
        | (TyKind::Interface(a, x), TyKind::Interface(b, y)) => a == b && unify_args(x, y, found),
        (TyKind::Union(a), TyKind::Union(b)) => all(a, b, found),
        (a, b) => a == b,
    }
}

fn all(a: &[Ty], b: &[Ty], found: &mut Vec<(Name, GenericArg)>) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| unify(*a, *b, found))
}

/// [`unify`] for arguments.
pub fn unify_args(
    patterns: &[GenericArg],
    args: &[GenericArg],
    found: &mut Vec<(Name, GenericArg)>,
) -> bool {
    patterns.len() == args.len()
        && patterns.iter().zip(args).all(|(pattern, arg)| match (pattern, arg) {
            (GenericArg::Type(a), GenericArg::Type(b)) => unify(*a, *b, found),
            (GenericArg::Param(name), GenericArg::Value(_) | GenericArg::Param(_)) => {
                bind(*name, *arg, found)
            }
            (a, b) => a == b,
        })
}

fn bind(name: Name, arg: GenericArg, found: &mut Vec<(Name, GenericArg)>) -> bool {
    match find(name, found) {
        Some(known) => known == arg,
        None => {
            found.push((name, arg));
            true
        }
    }
}

/// Holds no type parameter.
pub fn is_closed(ty: Ty) -> bool {
    let closed_args = |args: &[GenericArg]| {
        args.iter().all(|arg| match arg {
            GenericArg::Type(ty) => is_closed(*ty),
            GenericArg::Value(_) => true,
            GenericArg::Param(_) => false,
        })
    };
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || match &*ty {
        TyKind::Param(_) | TyKind::ArrayParam(..) => false,
        TyKind::Pointer { to, .. } | TyKind::Array(to, _) | TyKind::Slice(to) => is_closed(*to),
        TyKind::Function(params, ret) => {
            is_closed(*ret) && params.iter().all(|param| is_closed(*param))
        }
        TyKind::Struct(_, args) | TyKind::Enum(_, args) | TyKind::Interface(_, args) => {
            closed_args(args)
        }
        TyKind::Union(members) => members.iter().all(|member| is_closed(*member)),
        _ => true,
    })
}
