//! The syntax tree.
//!
//! Every item has two arenas of expressions and types: one for its signature and one for its body,
//! so that an edit in a body leaves the signature equal. Nodes hold [`At`]s, never positions: the
//! tree of an item depends on its tokens alone. Names of nodes follow `grammar.ebnf`.

mod body;
mod items;

pub use body::*;
pub use items::*;

use cm_base::{At, Name};
use std::ops::Deref;
use thin_vec::{ThinVec, thin_vec};

/// Index of an expression in its [`Arena`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);
/// Index of a type in its [`Arena`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeId(pub u32);

/// Expressions and types of a signature or of a body.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Arena {
    /// By [`ExprId`]; operands come before the expressions that hold them.
    pub exprs: Vec<Expr>,
    /// By [`TypeId`].
    pub types: Vec<Type>,
}

impl std::ops::Index<ExprId> for Arena {
    type Output = Expr;
    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}
impl std::ops::Index<TypeId> for Arena {
    type Output = Type;
    fn index(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}

/// A name and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ident {
    /// The name; empty after a syntax error.
    pub name: Name,
    /// Where.
    pub at: At,
}

/// `a::b::c`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    /// At least one.
    pub segments: Segments,
}

/// The segments of a path: most often one, which needs no memory of its own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Segments {
    /// One.
    One(Ident),
    /// Any number of them.
    Many(ThinVec<Ident>),
}

impl Segments {
    /// All of them.
    pub fn as_slice(&self) -> &[Ident] {
        match self {
            Segments::One(only) => std::slice::from_ref(only),
            Segments::Many(all) => all,
        }
    }
    /// Adds one at the end.
    pub fn push(&mut self, last: Ident) {
        match self {
            Segments::One(first) => *self = Segments::Many(thin_vec![*first, last]),
            Segments::Many(all) => all.push(last),
        }
    }
}

impl Deref for Segments {
    type Target = [Ident];
    fn deref(&self) -> &[Ident] {
        self.as_slice()
    }
}

impl From<Vec<Ident>> for Segments {
    fn from(all: Vec<Ident>) -> Segments {
        match all[..] {
            [only] => Segments::One(only),
            _ => Segments::Many(all.into()),
        }
    }
}

impl From<Ident> for Path {
    fn from(only: Ident) -> Path {
        Path { segments: Segments::One(only) }
    }
}

// ---------------------------------------------------------------- types

/// A type as written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: TypeKind,
}

/// The forms of types.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypeKind {
    /// After a syntax error.
    Error,
    /// `int`, `string`, `void` …
    Primitive(Primitive),
    /// `auto`.
    Auto,
    /// `null`, in a union.
    Null,
    /// `typeof(e)`.
    Typeof(ExprId),
    /// A named type.
    Path(Path, Vec<TypeArg>),
    /// The `const T` of `const T*` and `const T&`; occurs nowhere else.
    Const(TypeId),
    /// `T*`.
    Pointer(TypeId),
    /// `R*(P, Q)`.
    Function {
        /// R.
        ret: TypeId,
        /// P, Q.
        params: Vec<TypeId>,
    },
    /// `T[n]`.
    Array(TypeId, ArrayLen),
    /// `T[]`.
    Slice(TypeId),
    /// `T&`.
    Reference(TypeId),
    /// `A | B`.
    Union(Vec<TypeId>),
}

/// The length of a fixed array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayLen {
    /// `[5]`.
    Number(u64),
    /// `[N]`.
    Named(Ident),
}

/// An argument for a type parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeArg {
    /// A type (or the name of a constant: resolution tells).
    Type(TypeId),
    /// A number, for a value parameter.
    Number(u64, At),
}

/// Primitive types.
#[expect(missing_docs, reason = "they are the keywords")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Primitive {
    Void,
    Bool,
    Char,
    String,
    Cstring,
    Tiny,
    Short,
    Int,
    Long,
    Utiny,
    Ushort,
    Uint,
    Ulong,
    Isize,
    Usize,
    Float,
    Double,
    Ufloat,
    Udouble,
}
