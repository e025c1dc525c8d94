//! The impls of the program: who has which methods.

use super::{
    FnType, GenericParam, ImplInfo, ItemKind, Method, derives, impl_index, impl_info, impls,
    info::arguments, item, item_tree, item_tree::operator_name, members, struct_info, subst::unify,
    type_impls,
};
use crate::{
    files,
    thir::{Derived, Instance, InstanceKind},
    ty::{FloatTy, GenericArg, IntTy, Ty, TyKind},
};
use cm_base::Name;
use cm_db::{Db, DefId, FileId};
use cm_syntax::ast;
use redgreen::Root;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What impls are filed under: the outermost constructor of their target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Head {
    /// A struct or enum.
    Def(DefId),
    /// An integer type.
    Int(IntTy),
    /// A floating type.
    Float(FloatTy),
    /// `bool`, `string` …, by keyword; `[]` for slices and fixed arrays.
    Builtin(Name),
}

impl Head {
    /// Of a type that can have impls.
    pub fn of(ty: Ty) -> Option<Head> {
        let builtin = |name| Some(Head::Builtin(Name::new(name)));
        match &*ty {
            TyKind::Struct(def, _) | TyKind::Enum(def, _) => Some(Head::Def(*def)),
            TyKind::Int(int) => Some(Head::Int(*int)),
            TyKind::Float(float) => Some(Head::Float(*float)),
            TyKind::Bool => builtin("bool"),
            TyKind::Char => builtin("char"),
            TyKind::Str => builtin("string"),
            TyKind::CStr => builtin("cstring"),
            TyKind::Slice(_) | TyKind::Array(..) | TyKind::ArrayParam(..) => builtin("[]"),
            TyKind::Union(_) => builtin("|"),
            TyKind::Function(..) => builtin("*()"),
            TyKind::Literal(base, _) => Head::of(*base),
            TyKind::Error
            | TyKind::Void
            | TyKind::Null
            | TyKind::Pointer { .. }
            | TyKind::Interface(..)
            | TyKind::BuiltinInterface(_)
            | TyKind::Param(_) => None,
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Head::Def(def) => def.fmt(f),
            Head::Int(int) => f.write_str(int.name()),
            Head::Float(float) => f.write_str(float.name()),
            Head::Builtin(name) => name.fmt(f),
        }
    }
}

/// An interface, without arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum InterfaceId {
    /// A declared one.
    Def(DefId),
    /// A built-in one.
    Builtin(Name),
}

impl InterfaceId {
    /// Of an interface type.
    pub fn of(ty: Ty) -> Option<InterfaceId> {
        match &*ty {
            TyKind::Interface(def, _) => Some(InterfaceId::Def(*def)),
            TyKind::BuiltinInterface(name) => Some(InterfaceId::Builtin(*name)),
            _ => None,
        }
    }
}

/// A member name on a type: the key of [`super::members`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct MemberKey {
    /// The type.
    pub head: Head,
    /// The member: `sum`, `self`, `operator +`.
    pub name: Name,
}

impl fmt::Display for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.head, self.name)
    }
}

/// An interface on a type: the key of [`super::interface_impls`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ImplKey {
    /// The type.
    pub head: Head,
    /// The interface.
    pub interface: InterfaceId,
}

impl fmt::Display for ImplKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interface {
            InterfaceId::Def(def) => write!(f, "{} for {def}", self.head),
            InterfaceId::Builtin(name) => write!(f, "{} for {name}", self.head),
        }
    }
}

/// A function of an impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Member {
    /// `sum`, `self`, `~self`, `operator +`.
    pub name: Name,
    /// The function.
    pub def: DefId,
    /// Number of parameters.
    pub params: u32,
}

/// An impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Impl {
    /// Its identity.
    pub def: DefId,
    /// What its target is filed under.
    pub head: Head,
    /// Its header.
    pub info: Arc<ImplInfo>,
    /// Its functions.
    pub members: Vec<Member>,
}

/// A member with the header of its impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The function; in [`super::interface_impls`] the impl.
    pub def: DefId,
    /// Number of parameters.
    pub params: u32,
    /// The impl's type parameters.
    pub generics: Vec<GenericParam>,
    /// The impl's target.
    pub target: Ty,
    /// The impl's interface.
    pub interface: Option<Ty>,
}

/// All impls of the program.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct ImplIndex(BTreeMap<Head, Arc<TypeImpls>>);

/// The impls for the types under one head.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct TypeImpls {
    members: BTreeMap<Name, Vec<Candidate>>,
    interfaces: BTreeMap<InterfaceId, Vec<Candidate>>,
}

pub(super) fn compute(db: &dyn Db, file: &FileId) -> Vec<Impl> {
    let mut found = Vec::new();
    for entry in &item_tree(db, *file).entries {
        let ItemKind::Impl { members, .. } = &entry.item.kind else { continue };
        let Some(info) = impl_info(db, entry.def) else { continue };
        let Some(head) = Head::of(info.target) else { continue };
        let members = members.iter().filter_map(|def| member(db, *def)).collect();
        found.push(Impl { def: entry.def, head, info: info.clone(), members });
    }
    found
}

fn member(db: &dyn Db, def: DefId) -> Option<Member> {
    let item = item(db, def).as_ref()?;
    let ItemKind::Function { signature, .. } = &item.kind else { return None };
    let name = item_tree::member_name(signature.role, item.name.name);
    Some(Member { name, def, params: signature.params.len() as u32 })
}

pub(super) fn compute_index(db: &dyn Db, _: &Root) -> Arc<ImplIndex> {
    let mut index: BTreeMap<Head, TypeImpls> = BTreeMap::new();
    for file in files(db, Root) {
        for found in impls(db, *file) {
            let candidate = |def, params| Candidate {
                def,
                params,
                generics: found.info.generics.clone(),
                target: found.info.target,
                interface: found.info.interface,
            };
            let of_type = index.entry(found.head).or_default();
            for member in &found.members {
                let candidates = of_type.members.entry(member.name).or_default();
                candidates.push(candidate(member.def, member.params));
            }
            if let Some(interface) = found.info.interface.and_then(InterfaceId::of) {
                let impls = of_type.interfaces.entry(interface).or_default();
                impls.push(candidate(found.def, 0));
            }
        }
    }
    Arc::new(ImplIndex(index.into_iter().map(|(head, impls)| (head, Arc::new(impls))).collect()))
}

pub(super) fn compute_type_impls(db: &dyn Db, head: &Head) -> Arc<TypeImpls> {
    impl_index(db, Root).0.get(head).cloned().unwrap_or_default()
}

pub(super) fn compute_members(db: &dyn Db, key: &MemberKey) -> Vec<Candidate> {
    type_impls(db, key.head).members.get(&key.name).cloned().unwrap_or_default()
}

pub(super) fn compute_interface_impls(db: &dyn Db, key: &ImplKey) -> Vec<Candidate> {
    type_impls(db, key.head).interfaces.get(&key.interface).cloned().unwrap_or_default()
}

/// The arguments for the impl's parameters if its target is this type. A method of slices is one
/// of fixed arrays too.
pub(super) fn matching(candidate: &Candidate, ty: Ty) -> Option<Vec<GenericArg>> {
    let ty = match &*ty {
        TyKind::Literal(base, _) => *base,
        TyKind::Array(of, _) if matches!(*candidate.target, TyKind::Slice(_)) => {
            TyKind::Slice(*of).intern()
        }
        _ => ty,
    };
    let mut found = Vec::new();
    unify(candidate.target, ty, &mut found).then(|| arguments(&candidate.generics, &found))
}

fn find(db: &dyn Db, ty: Ty, name: Name) -> impl Iterator<Item = (u32, Method)> {
    let candidates = match Head::of(ty) {
        Some(head) => members(db, MemberKey { head, name }).as_slice(),
        None => &[],
    };
    candidates.iter().filter_map(move |candidate| {
        let args = matching(candidate, ty)?;
        Some((candidate.params, Method { def: candidate.def, derived: None, args }))
    })
}

/// The method of this name that some impl of the program gives a type.
pub fn method(db: &dyn Db, ty: Ty, name: Name) -> Option<Method> {
    let written = find(db, ty, name).next().map(|(_, method)| method);
    written.or_else(|| derived(db, ty, name))
}

/// The operator function of a type with this number of parameters (0: unary, 1: binary).
pub fn operator(db: &dyn Db, ty: Ty, operator: ast::Operator, params: usize) -> Option<Method> {
    let name = operator_name(operator);
    let written = find(db, ty, name).find(|(count, _)| *count as usize == params);
    match written {
        Some((_, method)) => Some(method),
        None if params == 1 => derived(db, ty, name),
        None => None,
    }
}

/// The names of the methods of a type, for suggestions.
pub fn method_names(db: &dyn Db, ty: Ty) -> Vec<Name> {
    let Some(head) = Head::of(ty) else { return Vec::new() };
    let names = type_impls(db, head).members.keys().copied();
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

/// The constructors of a type.
pub fn constructors(db: &dyn Db, ty: Ty) -> Vec<Method> {
    find(db, ty, Name::new("self")).map(|(_, method)| method).collect()
}

/// The destructor of a type.
pub(super) fn destructor(db: &dyn Db, ty: Ty) -> Option<Instance> {
    find(db, ty, Name::new("~self")).next().map(|(_, method)| method.instance())
}

/// The method that `with` gives a struct.
fn derived(db: &dyn Db, ty: Ty, name: Name) -> Option<Method> {
    let TyKind::Struct(def, args) = &*ty else { return None };
    let found = derives(db, *def).iter().flat_map(|interface| super::builtin::derived(interface));
    let found = found.copied().find(|(method, _)| name == *method)?.1;
    Some(Method { def: *def, derived: Some(found), args: args.clone() })
}

impl Method {
    /// The instance, if the method has no type parameters of its own.
    pub fn instance(self) -> Instance {
        let kind = self.derived.map_or(InstanceKind::Source, InstanceKind::Derived);
        Instance { def: self.def, kind, args: self.args }
    }
}

/// The types of a derived function of a struct.
pub(super) fn derived_type(db: &dyn Db, instance: &Instance, derived: Derived) -> Option<FnType> {
    struct_info(db, instance.def).as_ref()?;
    let this = TyKind::Struct(instance.def, instance.args.clone()).intern();
    let (params, ret) = match derived {
        Derived::Eq | Derived::Lt => (vec![this], TyKind::Bool.intern()),
        Derived::Clone => (Vec::new(), this),
        Derived::Hash => (Vec::new(), TyKind::Int(IntTy::Int).intern()),
        Derived::Debug | Derived::Display | Derived::Css => (Vec::new(), TyKind::Str.intern()),
        Derived::IsCss => (Vec::new(), TyKind::Bool.intern()),
    };
    Some(FnType { has_self: true, params, ret, variadic: false, symbol: None })
}
