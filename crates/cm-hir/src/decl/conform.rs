//! Checks of impls: against their interfaces, and against all other impls of the program.

use super::{
    ImplInfo, Item, Problem, Signature, derives, impl_info,
    impls::{Candidate, Head, ImplKey, InterfaceId, MemberKey},
    interface_impls, interface_info,
    interfaces::bindings,
    members,
    subst::{substitute, unify},
};
use crate::ty::{Ty, TyKind};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_syntax::ast;

/// An impl: that it is the only one, and defines what its interface asks for.
pub(super) fn block(
    db: &dyn Db,
    def: DefId,
    item: &Item,
    own: &[DefId],
    problems: &mut Vec<Problem>,
) {
    let Some(info) = impl_info(db, def) else { return };
    let Some(interface) = info.interface else { return };
    let (Some(head), Some(id)) = (Head::of(info.target), InterfaceId::of(interface)) else {
        return;
    };
    let derived = match (id, &*info.target) {
        (InterfaceId::Builtin(name), TyKind::Struct(def, _)) => derives(db, *def).contains(&name),
        _ => false,
    };
    if derived || is_second(db, def, head, info) {
        let message = format!("Duplicate impl: {} already implements {interface}", info.target);
        let problem = Problem::new(item.at, message);
        problems.push(match (derived, info.target.get()) {
            (true, TyKind::Struct(by, _)) => problem.note_def(db, *by, "derived here"),
            _ => problem,
        });
        return;
    }
    for required in required(db, interface) {
        let found = own.iter().filter_map(|def| super::signature(db, *def));
        if !found.clone().any(|method| method.name == required.name) {
            let name = required.name;
            let target = info.target;
            let message =
                format!("impl of {target} for {interface} does not implement method '{name}'");
            problems.push(Problem::new(item.at, message));
        }
    }
}

/// Another impl of the same interface for the type comes before this one.
fn is_second(db: &dyn Db, def: DefId, head: Head, info: &ImplInfo) -> bool {
    let Some(interface) = info.interface.and_then(InterfaceId::of) else { return false };
    let impls = interface_impls(db, ImplKey { head, interface });
    earlier(impls, def, info.target).any(|other| other.interface == info.interface)
}

/// What an impl of an interface must define.
fn required(db: &dyn Db, interface: Ty) -> Vec<Signature> {
    match &*interface {
        TyKind::Interface(def, args) => {
            let Some(info) = interface_info(db, *def) else { return Vec::new() };
            let generics = bindings(db, *def, args);
            let method = |method: &Signature| {
                let mut method = method.clone();
                method.ret = substitute(method.ret, &generics);
                for param in &mut method.params {
                    param.ty = substitute(param.ty, &generics);
                }
                method
            };
            info.methods.iter().map(method).collect()
        }
        _ => Vec::new(),
    }
}

/// A function of an impl: that its name is new for the type, and its signature is the interface's.
pub(super) fn member(db: &dyn Db, def: DefId, own: &Item, problems: &mut Vec<Problem>) {
    let Some(parent) = own.parent else { return };
    let (Some(info), Some(signature)) = (impl_info(db, parent), super::signature(db, def)) else {
        return;
    };
    let super::ItemKind::Function { signature: node, .. } = &own.kind else { return };
    let at = if own.name.name.is_empty() { own.at } else { own.name.at };
    let structor = super::info::is_structor(own);
    if structor && info.interface.is_some() {
        let message = "Constructors and destructors belong in an impl without 'for'".to_owned();
        problems.push(Problem::new(at, message));
    }
    if let Some(head) = Head::of(info.target) {
        let key = MemberKey { head, name: signature.name };
        let mut others = earlier(members(db, key), def, info.target)
            .filter(|other| other.params as usize == signature.params.len() || !is_operator(node));
        let clash = match node.role {
            ast::Role::Constructor => others.find(|other| {
                super::signature(db, other.def).is_some_and(|other| {
                    other.params.iter().map(|p| p.ty).eq(signature.params.iter().map(|p| p.ty))
                        || !other.overload && !signature.overload
                })
            }),
            // The methods of a second impl are as superfluous as the whole of it.
            _ => others.next().filter(|_| !is_second(db, parent, head, info)),
        };
        let clash = clash.map(|other| other.def);
        if let Some(first) = clash {
            let message = duplicate(node.role, info.target, signature.name);
            problems.push(Problem::new(at, message).note_def(db, first, "first defined here"));
        }
    }
    let Some(interface) = info.interface else { return };
    let required = required(db, interface);
    let Some(required) = required.iter().find(|method| method.name == signature.name) else {
        return;
    };
    if !same_types(required, signature) {
        let name = signature.name;
        let message = format!(
            "'{name}' does not match interface method '{name}' of '{interface}': expected '{}', got '{}'",
            shape(required),
            shape(signature)
        );
        problems.push(Problem::new(at, message));
    }
}

fn is_operator(node: &ast::Signature) -> bool {
    matches!(node.role, ast::Role::Operator(_))
}

fn duplicate(role: ast::Role, target: Ty, name: Name) -> String {
    match role {
        ast::Role::Destructor => format!("Only one destructor allowed for '{target}'"),
        ast::Role::Operator(_) => format!(
            "Duplicate method: {target} already has method '{name}'; overloads by the right operand are not supported"
        ),
        _ => format!("Duplicate method: {target} already has method '{name}'"),
    }
}

/// The types of a method.
fn shape(signature: &Signature) -> String {
    let params: Vec<_> = signature.params.iter().map(|param| param.ty.to_string()).collect();
    format!("{}({})", signature.ret, params.join(", "))
}

fn same_types(a: &Signature, b: &Signature) -> bool {
    let same = |a: Ty, b: Ty| a == b || *a == TyKind::Error || *b == TyKind::Error;
    a.params.len() == b.params.len()
        && same(a.ret, b.ret)
        && a.params.iter().zip(&b.params).all(|(a, b)| same(a.ty, b.ty))
        && b.has_self
}

/// Candidates before `def` whose targets overlap with `target`.
fn earlier(candidates: &[Candidate], def: DefId, target: Ty) -> impl Iterator<Item = &Candidate> {
    candidates.iter().take_while(move |candidate| candidate.def != def).filter(move |candidate| {
        unify(candidate.target, target, &mut Vec::new())
            || unify(target, candidate.target, &mut Vec::new())
    })
}
