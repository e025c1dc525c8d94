//! Statements and expressions.

use super::{Arena, ExprId, Ident, Path, TypeArg, TypeId};
use cm_base::{At, Name};
use std::hash::{Hash, Hasher};
use thin_vec::ThinVec;

// ---------------------------------------------------------------- statements

/// The body of a function, or of a function macro.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    /// Its statements.
    pub block: Block,
    /// Expressions and types.
    pub arena: Arena,
}

/// `{ … }`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    /// From brace to brace.
    pub at: At,
    /// In order.
    pub stmts: Vec<Stmt>,
}

impl Drop for Block {
    fn drop(&mut self) {
        let stmts = std::mem::take(&mut self.stmts);
        if !stmts.is_empty() {
            stacker::maybe_grow(64 << 10, 1 << 20, || drop(stmts));
        }
    }
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stmt {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: StmtKind,
}

impl Hash for Stmt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Statements are nested as deeply as the parser allows.
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            self.at.hash(state);
            self.kind.hash(state);
        });
    }
}

/// The forms of statements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StmtKind {
    /// `e;`, also a `match` that stands alone.
    Expr(ExprId),
    /// A local variable.
    Var(Box<VarDecl>),
    /// A block.
    Block(Block),
    /// `return [e];`
    Return(Option<ExprId>),
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `if`.
    If {
        /// Condition.
        cond: ExprId,
        /// Then.
        then: Block,
        /// `else`: a block, or another `if`.
        otherwise: Option<Box<Stmt>>,
    },
    /// `while`.
    While {
        /// Condition.
        cond: ExprId,
        /// Body.
        body: Block,
    },
    /// `for (init; cond; update)`.
    For {
        /// A declaration or an expression.
        init: Option<Box<Stmt>>,
        /// Condition.
        cond: Option<ExprId>,
        /// After each round.
        update: Option<ExprId>,
        /// Body.
        body: Block,
    },
    /// `for (T x in e)`.
    ForIn {
        /// `None`: inferred, as is `auto`.
        ty: Option<TypeId>,
        /// The variable.
        name: Ident,
        /// What is iterated over.
        iterable: ExprId,
        /// Body.
        body: Block,
    },
    /// `switch`.
    Switch {
        /// What is compared.
        scrutinee: ExprId,
        /// From top to bottom.
        cases: Vec<SwitchCase>,
    },
    /// `defer S`.
    Defer(Box<Stmt>),
    /// `must { … }`.
    Must(Block),
    /// `__asm__("…");`
    Asm(Name),
}

/// A local variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VarDecl {
    /// `static`.
    pub is_static: bool,
    /// `const`.
    pub is_const: bool,
    /// Its type (`auto` included).
    pub ty: TypeId,
    /// Its name.
    pub name: Ident,
    /// Its initializer.
    pub init: VarInit,
}

/// The initializer of a local variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum VarInit {
    /// None.
    None,
    /// `= e`.
    Value(ExprId),
    /// `(args)`.
    Constructor(Vec<ExprId>),
}

/// `case (…) { … }`, `else { … }`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SwitchCase {
    /// Where.
    pub at: At,
    /// Values and inclusive ranges; `None` for `else`.
    pub patterns: Option<Vec<CasePattern>>,
    /// Its block.
    pub body: Block,
}

/// A value or an inclusive range. The expressions are literals, negated numbers or paths.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CasePattern {
    /// The value, or the lower end.
    pub low: ExprId,
    /// The upper end.
    pub high: Option<ExprId>,
}

// ---------------------------------------------------------------- expressions

/// An expression.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expr {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: ExprKind,
}

// Most of what a program takes in memory is its expressions.
const _: () = assert!(size_of::<Expr>() == 40);

/// The forms of expressions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprKind {
    /// After a syntax error.
    Error,
    /// A literal without interpolation.
    Literal(Literal),
    /// A string with interpolations.
    Template(Vec<TemplatePart>),
    /// `null`.
    Null,
    /// `self`.
    SelfValue,
    /// A name, with type arguments if any (`identity<int>`).
    Path(Path, ThinVec<TypeArg>),
    /// `Box<int>::of`: a static method or a variant of a generic type.
    TypePath {
        /// The type.
        ty: TypeId,
        /// The member.
        member: Ident,
    },
    /// `P { x: 1 }`, `{ x: 1 }`.
    Struct {
        /// The type, if named.
        ty: Option<TypeId>,
        /// Fields.
        fields: ThinVec<(Ident, ExprId)>,
    },
    /// `[a, b]`.
    Array(Vec<ExprId>),
    /// `(e)`. Kept, since `(a)` and `a` differ for the formatter alone; skip it.
    Paren(ExprId),
    /// A lambda.
    Lambda(Box<Lambda>),
    /// `match`.
    Match(Box<Match>),
    /// `sizeof(T)`: whatever reads as a type; a bare path or `a[n]` may turn out to be a variable
    /// if it names no type.
    SizeofType(TypeId),
    /// `sizeof(e)`.
    SizeofExpr(ExprId),
    /// `__alignof__(T)`.
    AlignofType(TypeId),
    /// `typeof(T)`, as for `sizeof`.
    TypeofType(TypeId),
    /// `typeof(e)`.
    TypeofExpr(ExprId),
    /// A prefix operator.
    Unary(UnaryOp, ExprId),
    /// `x++`, `x--`.
    Postfix(PostfixOp, ExprId),
    /// A binary operator; `&&` and `||` included.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a = b`, `a op= b`.
    Assign(Option<BinaryOp>, ExprId, ExprId),
    /// `c ? a : b`.
    Ternary(ExprId, ExprId, ExprId),
    /// `e as T`.
    Cast(ExprId, TypeId),
    /// `f(args)`.
    Call(ExprId, Vec<ExprId>),
    /// `e.m(args)`, `e->m(args)`.
    MethodCall {
        /// The receiver.
        receiver: ExprId,
        /// `->`.
        arrow: bool,
        /// The method.
        name: Ident,
        /// Arguments.
        args: ThinVec<ExprId>,
    },
    /// `e.f`, `e->f`.
    Field {
        /// The struct or pointer.
        base: ExprId,
        /// `->`.
        arrow: bool,
        /// The field.
        name: Ident,
    },
    /// `a[i]`.
    Index(ExprId, ExprId),
    /// `a[i:j]`.
    Slice(ExprId, Option<ExprId>, Option<ExprId>),
}

/// A literal.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// Its value; the type follows from it.
    Int(u64),
    /// The bits of the double.
    Float(u64),
    /// One byte.
    Char(u8),
    /// After escapes; may hold any text.
    Str(Name),
    /// `true`, `false`.
    Bool(bool),
}

/// A piece of an interpolated string.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    /// Text, after escapes.
    Text(Name),
    /// `{e:spec}`.
    Hole {
        /// What is shown.
        expr: ExprId,
        /// How; the text after the colon.
        spec: Option<Ident>,
    },
}

/// `(int a) => …`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lambda {
    /// Parameters; a missing type (an error that is reported by the checker) is `None`.
    pub params: Vec<(Option<TypeId>, Ident)>,
    /// Body.
    pub body: ArmBody,
}

/// A block or an expression, after `=>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ArmBody {
    /// `{ … }`.
    Block(Block),
    /// An expression.
    Expr(ExprId),
}

/// `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Match {
    /// What is matched.
    pub scrutinee: ExprId,
    /// In order.
    pub arms: Vec<MatchArm>,
}

/// An arm of a `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MatchArm {
    /// Where.
    pub at: At,
    /// Alternatives; at least one.
    pub patterns: Vec<Pattern>,
    /// `if guard`.
    pub guard: Option<ExprId>,
    /// After `=>`.
    pub body: ArmBody,
}

/// A pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pattern {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: PatternKind,
}

/// The forms of patterns.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PatternKind {
    /// After a syntax error.
    Error,
    /// `_`.
    Wildcard,
    /// A literal or negated number.
    Literal(ExprId),
    /// `lo...hi`.
    Range(ExprId, ExprId),
    /// `null`.
    Null,
    /// A bare name.
    Binding(Ident),
    /// `E::V`, `E::V(name)`, `E::V(_)`.
    Variant {
        /// At least two segments.
        path: Path,
        /// The binding; `None` also for `_`.
        binding: Option<Ident>,
    },
}

/// Prefix operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Neg,
    Not,
    BitNot,
    AddrOf,
    Deref,
    PreInc,
    PreDec,
    Move,
    Await,
}

/// Postfix operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PostfixOp {
    Inc,
    Dec,
}

/// Binary operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum BinaryOp {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    Lt,
    Gt,
    Le,
    Ge,
    Eq,
    Ne,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Lt => "<",
            BinaryOp::Gt => ">",
            BinaryOp::Le => "<=",
            BinaryOp::Ge => ">=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitXor => "^",
            BinaryOp::BitOr => "|",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        }
    }
}

/// Operators that an `operator` function can define.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum Operator {
    /// A binary operator, or unary `-` when the function has no parameter.
    Binary(BinaryOp),
    /// `~`.
    BitNot,
    /// `!`.
    Not,
}
