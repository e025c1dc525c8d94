//! How types and instances are written: in messages (`08-diagnostics.md` §8.3), and, with whole
//! paths, as keys and symbols.

use crate::{
    thir::{Instance, InstanceKind},
    ty::{FloatTy, GenericArg, IntTy, Ty, TyKind},
};
use cm_base::Name;
use cm_db::DefId;
use std::fmt::{Display, Formatter, Result};

/// How named types are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// By their own names.
    Message,
    /// By their paths from the root, so that no two types are written alike.
    Unique,
}

impl Display for TyKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || kind(f, self, Style::Message))
    }
}

impl Display for GenericArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        argument(f, self, Style::Message)
    }
}

/// Unique among all instances of a program: `geo::area`, `geo::pick<int>`.
impl Display for Instance {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.def)?;
        match self.kind {
            InstanceKind::Source => {}
            InstanceKind::Derived(derived) => write!(f, "::with {derived:?}")?,
            InstanceKind::Foreign => f.write_str("::extern")?,
        }
        arguments(f, &self.args, Style::Unique)
    }
}

fn kind(f: &mut Formatter<'_>, kind: &TyKind, style: Style) -> Result {
    match kind {
        TyKind::Error => f.write_str("<error>"),
        TyKind::Void => f.write_str("void"),
        TyKind::Null => f.write_str("null"),
        TyKind::Bool => f.write_str("bool"),
        TyKind::Char => f.write_str("char"),
        TyKind::Int(int) => f.write_str(int.name()),
        TyKind::Float(float) => f.write_str(float.name()),
        TyKind::Str => f.write_str("string"),
        TyKind::CStr => f.write_str("cstring"),
        TyKind::Pointer { to, is_const } => {
            f.write_str(if *is_const { "*const " } else { "*" })?;
            operand(f, *to, style)
        }
        TyKind::Array(of, len) => {
            operand(f, *of, style)?;
            write!(f, "[{len}]")
        }
        TyKind::ArrayParam(of, len) => {
            operand(f, *of, style)?;
            write!(f, "[{len}]")
        }
        TyKind::Slice(of) => {
            operand(f, *of, style)?;
            f.write_str("[]")
        }
        TyKind::Function(params, ret) => {
            operand(f, *ret, style)?;
            f.write_str("(*)(")?;
            list(f, params, ", ", |f, ty| self::ty(f, *ty, style))?;
            f.write_str(")")
        }
        TyKind::Struct(def, args) | TyKind::Enum(def, args) | TyKind::Interface(def, args) => {
            named(f, *def, style)?;
            arguments(f, args, style)
        }
        TyKind::BuiltinInterface(name) | TyKind::Param(name) => write!(f, "{name}"),
        TyKind::Union(members) => list(f, members, " | ", |f, ty| operand(f, *ty, style)),
        TyKind::Literal(base, values) => match style {
            Style::Message => ty(f, *base, style),
            Style::Unique => write!(f, "{values:?}"),
        },
    }
}

fn ty(f: &mut Formatter<'_>, ty: Ty, style: Style) -> Result {
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || kind(f, &ty, style))
}

/// A union inside another type is written in parentheses where keys must differ.
fn operand(f: &mut Formatter<'_>, ty: Ty, style: Style) -> Result {
    if style == Style::Unique && matches!(*ty, TyKind::Union(_) | TyKind::Function(..)) {
        f.write_str("(")?;
        self::ty(f, ty, style)?;
        return f.write_str(")");
    }
    self::ty(f, ty, style)
}

fn named(f: &mut Formatter<'_>, def: DefId, style: Style) -> Result {
    match style {
        Style::Message => f.write_str(simple_name(def)),
        Style::Unique => write!(f, "{def}"),
    }
}

fn arguments(f: &mut Formatter<'_>, args: &[GenericArg], style: Style) -> Result {
    if args.is_empty() {
        return Ok(());
    }
    f.write_str("<")?;
    list(f, args, ", ", |f, arg| argument(f, arg, style))?;
    f.write_str(">")
}

fn argument(f: &mut Formatter<'_>, arg: &GenericArg, style: Style) -> Result {
    match arg {
        GenericArg::Type(ty) => self::ty(f, *ty, style),
        GenericArg::Value(value) => write!(f, "{value}"),
        GenericArg::Param(name) => write!(f, "{name}"),
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    separator: &str,
    each: impl Fn(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        each(f, item)?;
    }
    Ok(())
}

/// The name of a struct, enum or interface without its namespaces.
pub(crate) fn simple_name(def: DefId) -> &'static str {
    last_segment(def.path)
}

/// What follows the last `::`.
pub(crate) fn last_segment(path: Name) -> &'static str {
    let path = path.as_str();
    path.rsplit_once("::").map_or(path, |(_, last)| last)
}

impl IntTy {
    /// The keyword.
    pub fn name(self) -> &'static str {
        match self {
            IntTy::Tiny => "tiny",
            IntTy::Short => "short",
            IntTy::Int => "int",
            IntTy::Long => "long",
            IntTy::Isize => "isize",
            IntTy::Utiny => "utiny",
            IntTy::Ushort => "ushort",
            IntTy::Uint => "uint",
            IntTy::Ulong => "ulong",
            IntTy::Usize => "usize",
        }
    }
}

impl FloatTy {
    /// The keyword.
    pub fn name(self) -> &'static str {
        match self {
            FloatTy::Float => "float",
            FloatTy::Double => "double",
            FloatTy::Ufloat => "ufloat",
            FloatTy::Udouble => "udouble",
        }
    }
}
