//! The types of places, operands and values, and whether they are well-formed.

use crate::{
    mir::*,
    text::type_text,
    ty::{Known, Ty, TyKind},
};

/// Knows the types of a function's locals. Errors say what is wrong, without a place.
#[derive(Clone, Copy)]
pub struct Typing<'a>(pub &'a [Local]);

type Result<T = Ty> = std::result::Result<T, String>;

fn check(ok: bool, message: impl FnOnce() -> String) -> Result<()> {
    if ok { Ok(()) } else { Err(message()) }
}

/// That `found` is `expected`, for a thing called `what`.
pub(crate) fn same(what: &str, expected: Ty, found: Ty) -> Result<()> {
    check(expected == found, || {
        format!("{what} should be {}, but is {}", type_text(expected), type_text(found))
    })
}

impl Typing<'_> {
    /// The type of a place.
    pub fn place(self, place: &Place) -> Result {
        let mut ty = match place.base {
            Base::Local(LocalId(id)) => match self.0.get(id as usize) {
                Some(local) => local.ty,
                None => return Err(format!("there is no local _{id}")),
            },
            Base::Global(global) => global.ty,
        };
        for projection in &place.projections {
            ty = self.project(ty, projection)?;
        }
        Ok(ty)
    }

    /// The type of what a projection leads to from a place of type `ty`.
    pub fn project(self, ty: Ty, projection: &Projection) -> Result {
        match (projection, ty.get()) {
            (Projection::Deref(_), kind) if !kind.is_pointer_like() => {}
            (Projection::Deref(to), _) if matches!(to.get(), TyKind::Void) => {}
            (Projection::Deref(to), _) => return Ok(*to),
            (Projection::Field(field), TyKind::Struct { fields, .. }) => {
                if let Some(ty) = fields.get(*field as usize) {
                    return Ok(*ty);
                }
            }
            (Projection::Index(index), TyKind::Array(elem, _)) => {
                let index = stacker::maybe_grow(64 << 10, 1 << 20, || self.operand(index))?;
                if matches!(index.get(), TyKind::Int { .. }) {
                    return Ok(*elem);
                }
            }
            (Projection::Variant(variant), TyKind::Tagged { variants, .. }) => {
                match variants.get(*variant as usize) {
                    Some(ty) if !matches!(ty.get(), TyKind::Void) => return Ok(*ty),
                    _ => {}
                }
            }
            _ => {}
        }
        let what = match projection {
            Projection::Deref(to) => format!("`.*{}`", type_text(*to)),
            Projection::Field(field) => format!("`.{field}`"),
            Projection::Index(_) => "an index".into(),
            Projection::Variant(variant) => format!("`!{variant}`"),
        };
        Err(format!("{what} does not apply to {}", type_text(ty)))
    }

    /// The type of an operand.
    pub fn operand(self, operand: &Operand) -> Result {
        let ty = match operand {
            Operand::Copy(place) => self.place(place)?,
            Operand::Const(value) => {
                constant(value, false)?;
                value.ty
            }
        };
        check(!matches!(ty.get(), TyKind::Void), || "an operand is void".into())?;
        Ok(ty)
    }

    /// The type of an rvalue.
    pub fn rvalue(self, rvalue: &Rvalue) -> Result {
        let known = Known::get();
        Ok(match rvalue {
            Rvalue::Use(a) => self.operand(a)?,
            Rvalue::Unary(op, a) => self.unary(*op, self.operand(a)?)?,
            Rvalue::Binary(op, a, b) => self.binary(*op, self.operand(a)?, self.operand(b)?)?,
            Rvalue::Cast(a, to) => {
                let from = self.operand(a)?;
                check(can_cast(&from, to), || {
                    format!("{} does not convert to {}", type_text(from), type_text(*to))
                })?;
                *to
            }
            Rvalue::AddrOf(place) => {
                self.place(place)?;
                known.ptr
            }
            Rvalue::PtrOffset(p, n, elem) => {
                same("the pointer", known.ptr, self.operand(p)?)?;
                same("the offset", known.i64, self.operand(n)?)?;
                sized(*elem)?;
                known.ptr
            }
            Rvalue::PtrDiff(p, q, elem) => {
                same("the left pointer", known.ptr, self.operand(p)?)?;
                same("the right pointer", known.ptr, self.operand(q)?)?;
                sized(*elem)?;
                known.i64
            }
            Rvalue::Aggregate(ty, parts) => {
                let found = parts.iter().map(|p| self.operand(p)).collect::<Result<Vec<_>>>()?;
                aggregate(*ty, found.into_iter())?;
                *ty
            }
            Rvalue::Tagged(ty, tag, payload) => {
                let found = payload.as_ref().map(|p| self.operand(p)).transpose()?;
                tagged(*ty, *tag, found)?;
                *ty
            }
            Rvalue::Tag(place) => {
                let ty = self.place(place)?;
                check(matches!(ty.get(), TyKind::Tagged { .. }), || {
                    format!("{} has no tag", type_text(ty))
                })?;
                known.u32
            }
            Rvalue::Closure(_, captures) => {
                for capture in captures {
                    self.operand(capture)?;
                }
                known.func
            }
            Rvalue::Iface(object, table) => {
                same("the object", known.ptr, self.operand(object)?)?;
                check(
                    matches!(table.ty.get(), TyKind::Array(elem, _) if *elem == known.ptr),
                    || format!("a method table should not be {}", type_text(table.ty)),
                )?;
                known.iface
            }
        })
    }

    fn unary(self, op: UnOp, ty: Ty) -> Result {
        let ok = match op {
            UnOp::Neg => matches!(ty.get(), TyKind::Int { .. } | TyKind::F32 | TyKind::F64),
            UnOp::Not => matches!(ty.get(), TyKind::Bool),
            UnOp::BitNot => matches!(ty.get(), TyKind::Int { .. }),
            UnOp::Len => matches!(ty.get(), TyKind::Slice | TyKind::Str),
        };
        check(ok, || format!("the operator does not apply to {}", type_text(ty)))?;
        Ok(if op == UnOp::Len { Known::get().u64 } else { ty })
    }

    fn binary(self, op: BinOp, left: Ty, right: Ty) -> Result {
        use BinOp::*;
        let int = |ty: Ty| matches!(ty.get(), TyKind::Int { .. });
        let float = matches!(left.get(), TyKind::F32 | TyKind::F64);
        let bool = matches!(left.get(), TyKind::Bool);
        let ok = match op {
            Add | Sub | Mul | Div | Rem => left == right && (int(left) || float),
            Shl | Shr => int(left) && int(right),
            And | Or | Xor => left == right && (int(left) || bool),
            Eq | Ne | Lt | Le | Gt | Ge => left == right && left.is_scalar(),
        };
        check(ok, || {
            let (left, right) = (type_text(left), type_text(right));
            format!("the operator does not apply to {left} and {right}")
        })?;
        Ok(if matches!(op, Eq | Ne | Lt | Le | Gt | Ge) { Known::get().bool } else { left })
    }
}

fn sized(ty: Ty) -> Result<()> {
    check(!matches!(ty.get(), TyKind::Void), || "an element is void".into())
}

fn can_cast(from: &TyKind, to: &TyKind) -> bool {
    let float = |kind: &TyKind| matches!(kind, TyKind::F32 | TyKind::F64);
    let clash = |a: &TyKind, b: &TyKind| float(a) && b.is_pointer_like();
    from.is_scalar() && to.is_scalar() && !clash(from, to) && !clash(to, from)
}

fn aggregate(ty: Ty, found: impl ExactSizeIterator<Item = Ty>) -> Result<()> {
    let count = found.len();
    let wrong = |expected: usize| format!("{} has {expected} parts, not {count}", type_text(ty));
    match ty.get() {
        TyKind::Struct { fields, .. } => {
            check(fields.len() == count, || wrong(fields.len()))?;
            fields.iter().zip(found).try_for_each(|(field, found)| same("a field", *field, found))
        }
        TyKind::Array(elem, len) => {
            check(*len == count as u64, || wrong(*len as usize))?;
            found.into_iter().try_for_each(|found| same("an element", *elem, found))
        }
        _ => Err(format!("{} is no aggregate", type_text(ty))),
    }
}

fn tagged(ty: Ty, tag: u32, found: Option<Ty>) -> Result<()> {
    let TyKind::Tagged { variants, .. } = ty.get() else {
        return Err(format!("{} has no tag", type_text(ty)));
    };
    match (variants.get(tag as usize), found) {
        (Some(ty), None) if matches!(ty.get(), TyKind::Void) => Ok(()),
        (Some(ty), Some(found)) => same("the payload", *ty, found),
        (Some(_), None) => Err(format!("variant {tag} has a payload")),
        (None, _) => Err(format!("{} has no variant {tag}", type_text(ty))),
    }
}

/// That a constant is what its type says. `in_static`: it is part of a global's initial value.
pub fn constant(value: &Const, in_static: bool) -> Result<()> {
    let parts = |parts: &[Const]| {
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            parts.iter().try_for_each(|part| constant(part, in_static))
        })
    };
    let ok = match (&value.value, value.ty.get()) {
        (ConstValue::Zero, kind) => !matches!(kind, TyKind::Void),
        (ConstValue::Int(n), TyKind::Bool) => *n <= 1,
        (ConstValue::Int(n), TyKind::Int { bits, .. }) => fits(*n, *bits),
        (ConstValue::Float(_), TyKind::F64) => true,
        (ConstValue::Float(bits), TyKind::F32) => fits(*bits, 32),
        (ConstValue::Str(text), TyKind::Str) => !text.contains('\0'),
        (ConstValue::Aggregate(fields), _) => {
            parts(fields)?;
            return aggregate(value.ty, fields.iter().map(|field| field.ty));
        }
        (ConstValue::Tagged(tag, payload), _) => {
            if let Some(payload) = payload {
                parts(std::slice::from_ref(payload))?;
            }
            return tagged(value.ty, *tag, payload.as_ref().map(|payload| payload.ty));
        }
        (ConstValue::Function(_), TyKind::Func) => true,
        (ConstValue::Code(_) | ConstValue::Address(_) | ConstValue::Glue(_), TyKind::Ptr) => true,
        (ConstValue::Slice(elems), TyKind::Slice) => {
            check(in_static, || "a slice constant outside of a global".into())?;
            parts(elems)?;
            elems.windows(2).all(|pair| pair[0].ty == pair[1].ty)
        }
        _ => false,
    };
    check(ok, || format!("a constant does not fit its type {}", type_text(value.ty)))
}

/// No bits are set beyond the first `bits`.
pub(crate) fn fits(n: u64, bits: u8) -> bool {
    bits >= 64 || n >> bits == 0
}
