//! What a program consists of for code generation: functions, drop glue, globals.

use crate::types;
use cm_base::Name;
use cm_db::{Db, DefId, FileId};
use cm_hir::{
    decl::fn_type,
    thir::{Instance, InstanceKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_mir::{
    mir::{Abi, Decl, FnDecl, GlobalDecl, GlobalRef},
    ty as mty,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that is compiled once and has a symbol.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Item {
    /// A function with a body, with its lambdas, static locals and method tables.
    Function(Instance),
    /// A global variable.
    Global(DefId),
    /// Destroys a value of this type, given its address.
    Drop(Ty),
    /// C's `main`, which calls the program's.
    Start,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Function(instance) => instance.fmt(f),
            Item::Global(def) => def.fmt(f),
            Item::Drop(ty) => write!(f, "drop({})", ty_symbol(*ty)),
            Item::Start => f.write_str("main"),
        }
    }
}

impl Item {
    /// Its linker symbol.
    pub fn symbol(&self, db: &dyn Db) -> Name {
        let exported = match self {
            Item::Function(instance) => fn_type(db, instance).and_then(|types| types.symbol),
            _ => None,
        };
        exported.unwrap_or_else(|| Name::shown(self))
    }

    /// The file whose units it belongs to; `None`: that of the program.
    pub fn file(&self) -> Option<FileId> {
        match self {
            Item::Function(instance) => Some(instance.def.file),
            Item::Global(def) => Some(def.file),
            Item::Drop(ty) => match types::innermost(*ty).get() {
                TyKind::Struct(def, _) => Some(def.file),
                _ => None,
            },
            Item::Start => None,
        }
    }

    /// Its type arguments are so large that instantiation seems not to end.
    pub(crate) fn is_endless(&self) -> bool {
        match self {
            Item::Function(instance) => cm_hir::ty::seems_endless(&instance.args),
            Item::Drop(ty) => cm_hir::ty::seems_endless(&[GenericArg::Type(*ty)]),
            Item::Global(_) | Item::Start => false,
        }
    }
}

/// The name of a type in symbols: unlike names in messages it tells namesakes of different files
/// apart.
pub(crate) fn ty_symbol(ty: Ty) -> String {
    match ty.get() {
        TyKind::Pointer { to, .. } => format!("{}*", ty_symbol(*to)),
        TyKind::Array(elem, len) => format!("{}[{len}]", ty_symbol(*elem)),
        TyKind::Slice(elem) => format!("{}[]", ty_symbol(*elem)),
        TyKind::Function(params, ret) => format!("{}*({})", ty_symbol(*ret), list(params)),
        TyKind::Struct(def, args) | TyKind::Enum(def, args) | TyKind::Interface(def, args) => {
            if args.is_empty() {
                return def.to_string();
            }
            let arg = |arg: &GenericArg| match arg {
                GenericArg::Type(ty) => ty_symbol(*ty),
                GenericArg::Value(value) => value.to_string(),
                GenericArg::Param(name) => name.to_string(),
            };
            format!("{def}<{}>", args.iter().map(arg).collect::<Vec<_>>().join(", "))
        }
        TyKind::Union(members) => {
            members.iter().map(|m| ty_symbol(*m)).collect::<Vec<_>>().join(" | ")
        }
        TyKind::Literal(ty, _) => ty_symbol(*ty),
        _ => ty.to_string(),
    }
}

fn list(types: &[Ty]) -> String {
    types.iter().map(|ty| ty_symbol(*ty)).collect::<Vec<_>>().join(", ")
}

/// What callers need to know of an instance. Foreign functions take strings and function values
/// as plain pointers. `None`: there is no such function, or it is wrong.
pub(crate) fn decl(db: &dyn Db, instance: &Instance) -> Option<Decl> {
    let types = fn_type(db, instance)?;
    let foreign = instance.kind == InstanceKind::Foreign;
    let lower = |ty: Ty| if foreign { types::foreign(db, ty) } else { types::lower(db, ty) };
    let mut params: Vec<mty::Ty> = types.params.iter().map(|ty| lower(*ty)).collect();
    // A parameter of a type that is wrong: the program will not be made.
    if params.iter().any(|ty| *ty.get() == mty::TyKind::Void) {
        return None;
    }
    if types.has_self {
        params.insert(0, mty::TyKind::Ptr.intern());
    }
    let abi = match (foreign || types.symbol.is_some(), types.variadic) {
        (true, true) => Abi::CVariadic,
        (true, false) => Abi::C,
        (false, _) => Abi::Cm,
    };
    let symbol = types.symbol.unwrap_or_else(|| Name::shown(instance));
    Some(Decl::new(FnDecl { symbol, params, ret: lower(types.ret), abi }))
}

/// What users need to know of the drop glue of a type.
pub(crate) fn drop_decl(ty: Ty) -> Decl {
    let symbol = Name::shown(&Item::Drop(ty));
    let params = vec![mty::TyKind::Ptr.intern()];
    Decl::new(FnDecl { symbol, params, ret: mty::TyKind::Void.intern(), abi: Abi::Cm })
}

/// What users need to know of a global of type `ty`.
pub(crate) fn global_ref(db: &dyn Db, def: DefId, ty: Ty) -> GlobalRef {
    let symbol = Name::shown(&Item::Global(def));
    GlobalRef::new(GlobalDecl { symbol, ty: types::lower(db, ty) })
}
