//! The types of Cm, interned.

use cm_base::{Interned, Name, interned};
use cm_db::DefId;
use serde::{Deserialize, Serialize};

/// An interned type. Aliases are resolved: equal types are the same type.
pub type Ty = Interned<TyKind>;

/// A type.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum TyKind {
    /// Of an expression with an error: compatible with everything.
    Error,
    /// No value.
    Void,
    /// Of `null` before it is converted.
    Null,
    /// Truth.
    Bool,
    /// A byte of text.
    Char,
    /// Integers.
    Int(IntTy),
    /// Floating types.
    Float(FloatTy),
    /// `string`.
    Str,
    /// `cstring`.
    CStr,
    /// `T*` and `const T*`.
    Pointer {
        /// T.
        to: Ty,
        /// The pointee is const.
        is_const: bool,
    },
    /// `T[N]`.
    Array(Ty, u64),
    /// `T[N]` with a value parameter N of the generic item being resolved. Never in a typed body.
    ArrayParam(Ty, Name),
    /// `T[]`.
    Slice(Ty),
    /// `R*(P…)`.
    Function(Vec<Ty>, Ty),
    /// A struct with its type arguments.
    Struct(DefId, Vec<GenericArg>),
    /// An enum with its type arguments; plain and payload enums alike.
    Enum(DefId, Vec<GenericArg>),
    /// An interface with its type arguments.
    Interface(DefId, Vec<GenericArg>),
    /// One of the built-in interfaces (`Eq`, `Ord` …), named.
    BuiltinInterface(Name),
    /// A union of distinct types in the order written; `Null` may be one.
    Union(Vec<Ty>),
    /// A literal type over `int`, `double` or `string`.
    Literal(Ty, Vec<LiteralValue>),
    /// A type parameter of the generic item being resolved. Never in a typed body: those are
    /// made per instance.
    Param(Name),
}

interned!(TyKind);

impl TyKind {
    /// Interns it.
    pub fn intern(self) -> Ty {
        Interned::new(self)
    }
}

/// An argument for a type parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum GenericArg {
    /// A type.
    Type(Ty),
    /// The value of a value parameter.
    Value(i128),
    /// A value parameter of the generic item being resolved.
    Param(Name),
}

/// A member of a literal type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum LiteralValue {
    /// `200`.
    Int(i128),
    /// Bits of a double.
    Float(u64),
    /// `"GET"`.
    Str(Name),
}

/// The integer types.
#[expect(missing_docs, reason = "they are the keywords")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum IntTy {
    Tiny,
    Short,
    Int,
    Long,
    Isize,
    Utiny,
    Ushort,
    Uint,
    Ulong,
    Usize,
}

impl IntTy {
    /// Width in bits, on a 64-bit target.
    pub fn bits(self) -> u8 {
        match self {
            IntTy::Tiny | IntTy::Utiny => 8,
            IntTy::Short | IntTy::Ushort => 16,
            IntTy::Int | IntTy::Uint => 32,
            IntTy::Long | IntTy::Ulong | IntTy::Isize | IntTy::Usize => 64,
        }
    }
    /// Two's complement.
    pub fn signed(self) -> bool {
        matches!(self, IntTy::Tiny | IntTy::Short | IntTy::Int | IntTy::Long | IntTy::Isize)
    }
    /// `value` modulo 2^bits, as a value of this type.
    pub fn wrap(self, value: i128) -> i128 {
        let shift = 128 - u32::from(self.bits());
        if self.signed() {
            value << shift >> shift
        } else {
            ((value as u128) << shift >> shift) as i128
        }
    }
}

/// The floating types.
#[expect(missing_docs, reason = "they are the keywords")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum FloatTy {
    Float,
    Double,
    Ufloat,
    Udouble,
}

impl FloatTy {
    /// Width in bits.
    pub fn bits(self) -> u8 {
        match self {
            FloatTy::Float | FloatTy::Ufloat => 32,
            FloatTy::Double | FloatTy::Udouble => 64,
        }
    }
}

/// Whether a type holds an erroneous one, about which something has been reported.
pub fn mentions_error(ty: Ty) -> bool {
    let mut pending = vec![ty];
    let mut budget = MAX_NODES;
    while let Some(ty) = pending.pop() {
        budget = budget.saturating_sub(1);
        match ty.get() {
            TyKind::Error => return true,
            _ if budget == 0 => return false,
            TyKind::Pointer { to, .. } => pending.push(*to),
            TyKind::Array(of, _) | TyKind::ArrayParam(of, _) | TyKind::Slice(of) => {
                pending.push(*of);
            }
            TyKind::Function(params, ret) => pending.extend(params.iter().chain([ret])),
            TyKind::Union(members) => pending.extend(members),
            TyKind::Struct(_, args) | TyKind::Enum(_, args) | TyKind::Interface(_, args) => {
                pending.extend(args.iter().filter_map(|arg| match arg {
                    GenericArg::Type(ty) => Some(*ty),
                    GenericArg::Value(_) | GenericArg::Param(_) => None,
                }));
            }
            _ => {}
        }
    }
    false
}

/// Type arguments nested more deeply than this mean that instantiation does not end.
const MAX_DEPTH: usize = 48;

/// The same for their size: shared parts make a type of moderate depth huge.
const MAX_NODES: usize = 4096;

/// Whether type arguments are so large that instantiation seems not to end.
pub fn seems_endless(args: &[GenericArg]) -> bool {
    !args_fit(args, &mut { MAX_NODES }, MAX_DEPTH)
}

fn args_fit(args: &[GenericArg], budget: &mut usize, depth: usize) -> bool {
    args.iter().all(|arg| match arg {
        GenericArg::Type(ty) => ty_fits(*ty, budget, depth),
        GenericArg::Value(_) | GenericArg::Param(_) => true,
    })
}

fn ty_fits(ty: Ty, budget: &mut usize, depth: usize) -> bool {
    if *budget == 0 || depth == 0 {
        return false;
    }
    *budget -= 1;
    let depth = depth - 1;
    match ty.get() {
        TyKind::Pointer { to, .. } => ty_fits(*to, budget, depth),
        TyKind::Array(elem, _) | TyKind::Slice(elem) => ty_fits(*elem, budget, depth),
        TyKind::Function(params, ret) => {
            params.iter().all(|ty| ty_fits(*ty, budget, depth)) && ty_fits(*ret, budget, depth)
        }
        TyKind::Struct(_, args) | TyKind::Enum(_, args) | TyKind::Interface(_, args) => {
            args_fit(args, budget, depth)
        }
        TyKind::Union(members) => members.iter().all(|ty| ty_fits(*ty, budget, depth)),
        _ => true,
    }
}
