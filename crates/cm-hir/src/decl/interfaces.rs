//! Who implements which interface.

use super::{
    FnType, GenericParam, Method, builtin, derives,
    impls::{self, Candidate, Head, ImplKey, InterfaceId},
    interface_impls, interface_info,
    item_tree::operator_name,
    members, subst,
    types::identity,
};
use crate::{
    thir::Instance,
    ty::{GenericArg, IntTy, Ty, TyKind},
};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_syntax::ast;

/// The methods that make a type satisfy an interface, in the interface's slot order. `None`: it
/// does not. Built-in interfaces satisfied by built-in types give an empty list.
pub fn implements(db: &dyn Db, ty: Ty, interface: Ty) -> Option<Vec<Instance>> {
    match &*interface {
        TyKind::BuiltinInterface(name) => builtin_methods(db, ty, interface, *name),
        TyKind::Interface(def, _) => {
            let found = explicit(db, ty, interface)?;
            let methods = &interface_info(db, *def).as_ref()?.methods;
            methods.iter().map(|method| slot(db, ty, &found, method.name)).collect()
        }
        _ => None,
    }
}

/// Whether an impl says that a type satisfies an interface, even if it lacks something.
pub fn is_declared(db: &dyn Db, ty: Ty, interface: Ty) -> bool {
    explicit(db, ty, interface).is_some()
}

fn builtin_methods(db: &dyn Db, ty: Ty, interface: Ty, name: Name) -> Option<Vec<Instance>> {
    let names = builtin::method_names(&name)?;
    let all = || names.iter().map(|name| member(db, ty, *name)).collect();
    if builtin::satisfied(ty, &name) || (name == "Copy" && is_derived(db, ty, name)) {
        return Some(Vec::new());
    }
    let by_operator = names.first().is_some_and(|first| first.starts_with("operator"));
    if by_operator || is_derived(db, ty, name) || explicit(db, ty, interface).is_some() {
        return all();
    }
    None
}

fn is_derived(db: &dyn Db, ty: Ty, interface: Name) -> bool {
    match &*ty {
        TyKind::Struct(def, _) => derives(db, *def).contains(&interface),
        _ => false,
    }
}

fn member(db: &dyn Db, ty: Ty, name: Name) -> Option<Instance> {
    let found = match name.strip_prefix("operator ") {
        Some(_) => binary(db, ty, name),
        None => impls::method(db, ty, name),
    };
    found.map(Method::instance)
}

/// The operator with one parameter: `-` may have a form without.
fn binary(db: &dyn Db, ty: Ty, name: Name) -> Option<Method> {
    let head = Head::of(ty)?;
    let candidates = members(db, impls::MemberKey { head, name });
    let written = candidates.iter().filter(|candidate| candidate.params == 1).find_map(|found| {
        let args = impls::matching(found, ty)?;
        Some(Method { def: found.def, derived: None, args })
    });
    written.or_else(|| impls::method(db, ty, name).filter(|method| method.derived.is_some()))
}

/// The impl of an interface for a type, with the arguments for its parameters. A declared interface
/// without arguments stands for any.
fn explicit(db: &dyn Db, ty: Ty, interface: Ty) -> Option<(&Candidate, Vec<GenericArg>)> {
    let key = ImplKey { head: Head::of(ty)?, interface: InterfaceId::of(interface)? };
    interface_impls(db, key).iter().find_map(|candidate| {
        let args = impls::matching(candidate, ty)?;
        let bound: Vec<_> = identity(&candidate.generics)
            .iter()
            .zip(&args)
            .map(|((name, _), arg)| (*name, *arg))
            .collect();
        let implemented = subst::substitute(candidate.interface?, &bound);
        let any = matches!(&*interface, TyKind::Interface(_, args) if args.is_empty());
        (any || implemented == interface).then_some((candidate, args))
    })
}

/// A method of the impl itself, or else of another impl of the type.
fn slot(
    db: &dyn Db,
    ty: Ty,
    found: &(&Candidate, Vec<GenericArg>),
    name: Name,
) -> Option<Instance> {
    let head = Head::of(ty)?;
    let own = members(db, impls::MemberKey { head, name }).iter().find(|candidate| {
        candidate.interface == found.0.interface && candidate.target == found.0.target
    });
    match own {
        Some(own) => Some(Method { def: own.def, derived: None, args: found.1.clone() }.instance()),
        None => member(db, ty, name),
    }
}

/// Slot and types of an operator of an interface type with this number of parameters.
pub fn interface_operator(
    db: &dyn Db,
    interface: Ty,
    operator: ast::Operator,
    params: usize,
) -> Option<(u32, FnType)> {
    let found = interface_method(db, interface, operator_name(operator))?;
    (found.1.params.len() == params).then_some(found)
}

/// How many arguments a call of a method must give; `None`: as many as it has parameters.
pub fn required(db: &dyn Db, interface: Ty, slot: u32) -> Option<usize> {
    let TyKind::Interface(def, _) = &*interface else { return None };
    let method = interface_info(db, *def).as_ref()?.methods.get(slot as usize)?;
    Some(method.required())
}

/// Slot and types of a method of an interface type.
pub fn interface_method(db: &dyn Db, interface: Ty, name: Name) -> Option<(u32, FnType)> {
    match &*interface {
        TyKind::Interface(def, args) => {
            let methods = &interface_info(db, *def).as_ref()?.methods;
            let slot = methods.iter().position(|method| method.name == name)?;
            let generics = bindings(db, *def, args);
            let method = &methods[slot];
            let params = method.params.iter();
            let params = params.map(|param| subst::substitute(param.ty, &generics)).collect();
            let ret = subst::substitute(method.ret, &generics);
            let ty = FnType { has_self: true, params, ret, variadic: false, symbol: None };
            Some((slot as u32, ty))
        }
        TyKind::BuiltinInterface(interface) => {
            let names = builtin::method_names(interface)?;
            let slot = names.iter().position(|known| *known == name)?;
            let ret = match name.as_str() {
                "hash" => TyKind::Int(IntTy::Int),
                "debug" | "toString" | "css" | "to_css" => TyKind::Str,
                "isCss" => TyKind::Bool,
                _ => return None,
            };
            let (params, ret) = (Vec::new(), ret.intern());
            let ty = FnType { has_self: true, params, ret, variadic: false, symbol: None };
            Some((slot as u32, ty))
        }
        _ => None,
    }
}

/// The parameters of a struct, enum or interface with their arguments.
pub(super) fn bindings(db: &dyn Db, def: DefId, args: &[GenericArg]) -> Vec<(Name, GenericArg)> {
    let params: &[GenericParam] = super::generics_of(db, def);
    params.iter().map(|param| param.name).zip(args.iter().copied()).collect()
}
