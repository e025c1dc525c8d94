//! The queries of this crate.

use crate::{
    body::{BodyFindings, CheckedBody},
    decl::{NameIndex, Problem},
    thir::{ConstValue, Instance},
    ty::Ty,
};
use cm_base::{Diagnostic, Name};
use cm_db::{DefId, FileId};
use redgreen::Root;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The types of a function instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FnType {
    /// The receiver is passed by address before the parameters.
    pub has_self: bool,
    /// Parameter types, without the receiver.
    pub params: Vec<Ty>,
    /// Result type (`void` for constructors and destructors).
    pub ret: Ty,
    /// A foreign function with variable arguments.
    pub variadic: bool,
    /// The C symbol, of foreign functions and of `export extern "C"` ones.
    pub symbol: Option<Name>,
}

/// A struct type, with type arguments substituted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct StructType {
    /// The type's name as messages show it.
    pub name: Name,
    /// Names and types, in declaration order.
    pub fields: Vec<(Name, Ty)>,
    /// The destructor `~self()`, if there is one.
    pub destructor: Option<Instance>,
}

/// An enum type, with type arguments substituted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct EnumType {
    /// The type's name as messages show it.
    pub name: Name,
    /// Some variant has a payload. Otherwise it is represented as an `int`.
    pub payload: bool,
    /// Name, value (the tag, for payload enums), payload.
    pub variants: Vec<(Name, i64, Option<Ty>)>,
    /// Where they are.
    #[serde(skip)]
    pub index: NameIndex,
}

/// A global variable or constant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct GlobalType {
    /// Its type.
    pub ty: Ty,
    /// Its initial value.
    pub init: ConstValue,
    /// `const` or `macro`.
    pub constant: bool,
}

/// A global as the bodies that mention it see it: the initial value of a variable is not theirs to know.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct GlobalUse {
    /// Its type.
    pub ty: Ty,
    /// The value, if it is `const` or `macro`.
    pub constant: Option<ConstValue>,
}

redgreen::queries! {
    /// All queries of this crate.
    pub static QUERIES;

    /// The typed body of an instance with what is wrong with it.
    relay fn checked_body(Instance) -> CheckedBody = crate::body::compute_checked;
    /// What there is to know of the body of an instance beside its code.
    inline fn body_findings(Instance) -> BodyFindings = crate::body::compute_findings;
    /// What is wrong with the initializer of a global.
    inline fn global_problems(DefId) -> Vec<Problem> = crate::body::compute_global_problems;
    /// The fields of a struct type. `None`: it is no struct.
    inline fn struct_type(Ty) -> Option<Arc<StructType>> = crate::decl::compute_struct_type;
    /// The variants of an enum type. `None`: it is no enum.
    inline fn enum_type(Ty) -> Option<Arc<EnumType>> = crate::decl::compute_enum_type;
    /// A global with its value. `None`: there is no such global, or it is wrong.
    inline fn global(DefId) -> Option<Arc<GlobalType>> = crate::body::compute_global;
    /// A global as a mention of it. `None`: there is no such global, or it is wrong.
    inline fn global_use(DefId) -> Option<Arc<GlobalUse>> = crate::body::compute_global_use;
    /// `main`, if the root file has one.
    inline fn entry(Root) -> Option<Instance> = crate::decl::compute_entry;
    /// All diagnostics of the program, sorted as they are shown: by file, dependencies first, then by position.
    inline fn diagnostics(Root) -> Vec<Diagnostic> = crate::decl::compute_diagnostics;
    /// The files of the program, dependencies first, the root last.
    inline fn files(Root) -> Vec<FileId> = crate::decl::compute_files;
}
