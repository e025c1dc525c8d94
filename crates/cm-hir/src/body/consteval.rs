//! Evaluation of constant expressions on the typed tree, with exactly the rules of run time.

use super::{
    common::{TY, float_of, int_of},
    ctx::Ctx,
    text,
};
use crate::{
    thir::{ConstValue, Conversion, ExprId, ExprKind, TemplatePart},
    ty::{FloatTy, IntTy, Ty, TyKind},
};
use cm_base::Name;
use cm_syntax::ast::{BinaryOp, UnaryOp};
use std::cmp::Ordering;
use thin_vec::thin_vec;

/// Why an expression has no constant value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotConst {
    /// It is not a constant expression.
    NotConstant,
    /// It divides by zero.
    DivisionByZero,
    /// It is wrong in a way that has been reported.
    Reported,
}

type Eval = Result<ConstValue, NotConst>;

impl Ctx<'_> {
    /// The value of a constant expression.
    pub fn eval(&self, expr: ExprId) -> Eval {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.eval_kind(expr))
    }

    fn eval_kind(&self, expr: ExprId) -> Eval {
        let ty = self.ty(expr);
        Ok(match self.kind(expr) {
            ExprKind::Error => return Err(NotConst::Reported),
            ExprKind::Const(value) => normal(value, ty),
            ExprKind::Local(local) => {
                let value = self.vars[local.0 as usize].value.as_ref();
                normal(value.ok_or(NotConst::NotConstant)?, ty)
            }
            ExprKind::Global(def) => match crate::global_use(self.db, **def) {
                Some(global) => global.constant.clone().ok_or(NotConst::NotConstant)?,
                None => return Err(NotConst::Reported),
            },
            ExprKind::Function(instance) => ConstValue::Function(instance.clone()),
            ExprKind::Unary(op, operand) => unary(*op, self.eval(*operand)?, ty)?,
            ExprKind::Binary(op, left, right) => {
                let operand_ty = self.ty(*left);
                binary(*op, self.eval(*left)?, self.eval(*right)?, operand_ty)?
            }
            ExprKind::CompareMixed(op, left, right) => {
                compare_ints(*op, self.eval(*left)?, self.eval(*right)?)?
            }
            ExprKind::CompareStr(op, left, right) => {
                match (self.eval(*left)?, self.eval(*right)?) {
                    (ConstValue::Str(l), ConstValue::Str(r)) => {
                        ConstValue::Bool(holds(*op, Some(l.as_bytes().cmp(r.as_bytes()))))
                    }
                    _ => return Err(NotConst::NotConstant),
                }
            }
            ExprKind::And(left, right) => match self.truth(*left)? {
                true => ConstValue::Bool(self.truth(*right)?),
                false => ConstValue::Bool(false),
            },
            ExprKind::Or(left, right) => match self.truth(*left)? {
                true => ConstValue::Bool(true),
                false => ConstValue::Bool(self.truth(*right)?),
            },
            ExprKind::Ternary(cond, yes, no) => {
                let chosen = if self.truth(*cond)? { yes } else { no };
                self.eval(*chosen)?
            }
            ExprKind::Convert(conversion, operand) => {
                self.eval_convert(conversion, *operand, ty)?
            }
            ExprKind::Struct(fields) => self.eval_struct(fields, ty)?,
            ExprKind::Array(elements) => self.eval_array(elements, ty)?,
            ExprKind::Variant(tag, payload) => {
                let payload = payload.map(|payload| self.eval(payload)).transpose()?;
                ConstValue::variant(*tag, payload)
            }
            ExprKind::Field(base, index) => element(self.eval(*base)?, *index as usize, ty)?,
            ExprKind::Index(base, index) => {
                let TyKind::Array(_, len) = *self.ty(*base) else {
                    return Err(NotConst::NotConstant);
                };
                match self.eval(*index)? {
                    ConstValue::Int(at) if (0..i128::from(len)).contains(&at.into()) => {
                        element(self.eval(*base)?, i128::from(at) as usize, ty)?
                    }
                    _ => return Err(NotConst::NotConstant),
                }
            }
            ExprKind::Template(parts) => self.eval_template(parts)?,
            _ => return Err(NotConst::NotConstant),
        })
    }

    fn truth(&self, expr: ExprId) -> Result<bool, NotConst> {
        match self.eval(expr)? {
            ConstValue::Bool(value) => Ok(value),
            _ => Err(NotConst::NotConstant),
        }
    }

    fn eval_convert(&self, conversion: &Conversion, operand: ExprId, to: Ty) -> Eval {
        let from = self.ty(operand);
        let value = self.eval(operand)?;
        Ok(match conversion {
            Conversion::Identity => match (&*from, &*to) {
                (TyKind::Str, TyKind::Pointer { .. }) => return Err(NotConst::NotConstant),
                _ => value,
            },
            Conversion::ArrayToSlice => match (value, &*from) {
                (ConstValue::Zero, TyKind::Array(_, len)) => {
                    ConstValue::Aggregate(thin_vec![ConstValue::Zero; *len as usize])
                }
                (value, _) => value,
            },
            Conversion::Null => ConstValue::Zero,
            Conversion::Numeric => convert_number(&value, from, to).ok_or(NotConst::NotConstant)?,
            Conversion::Address => match value {
                ConstValue::Zero => ConstValue::Zero,
                _ => return Err(NotConst::NotConstant),
            },
            Conversion::ToUnion(tag) => ConstValue::variant(*tag, Some(value)),
            Conversion::FromUnion(tag) => match value {
                ConstValue::Variant(found) if found.0 == *tag => found.1,
                _ => return Err(NotConst::NotConstant),
            },
            Conversion::ToDefault(index) => {
                let mut fields = self.zero_fields(to)?;
                *fields.get_mut(*index as usize).ok_or(NotConst::Reported)? = value;
                ConstValue::Aggregate(fields.into())
            }
            Conversion::FromDefault(index) => element(value, *index as usize, to)?,
            Conversion::StrFromC | Conversion::ArrayToPointer | Conversion::ToInterface { .. } => {
                return Err(NotConst::NotConstant);
            }
        })
    }

    fn zero_fields(&self, ty: Ty) -> Result<Vec<ConstValue>, NotConst> {
        let info = crate::decl::struct_type(self.db, ty).ok_or(NotConst::Reported)?;
        Ok(vec![ConstValue::Zero; info.fields.len()])
    }

    fn eval_struct(&self, fields: &[(u32, ExprId)], ty: Ty) -> Eval {
        let mut values = self.zero_fields(ty)?;
        for (index, field) in fields {
            *values.get_mut(*index as usize).ok_or(NotConst::Reported)? = self.eval(*field)?;
        }
        Ok(ConstValue::Aggregate(values.into()))
    }

    fn eval_array(&self, elements: &[ExprId], ty: Ty) -> Eval {
        let mut values: Vec<ConstValue> = Vec::with_capacity(elements.len());
        for element in elements {
            values.push(self.eval(*element)?);
        }
        if let TyKind::Array(_, len) = *ty {
            values
                .resize(usize::try_from(len).unwrap_or(usize::MAX).min(1 << 24), ConstValue::Zero);
        }
        Ok(ConstValue::Aggregate(values.into()))
    }

    fn eval_template(&self, parts: &[TemplatePart]) -> Eval {
        let mut out = String::new();
        for part in parts {
            match part {
                TemplatePart::Text(text) => out.push_str(text.as_str()),
                TemplatePart::Value(expr, spec) => {
                    let value = self.eval(*expr)?;
                    let text = text::format(&value, self.ty(*expr), *spec);
                    out.push_str(&text.ok_or(NotConst::NotConstant)?);
                }
            }
        }
        Ok(ConstValue::Str(Name::new(&out)))
    }
}

/// A zero value in the form of its type.
fn normal(value: &ConstValue, ty: Ty) -> ConstValue {
    match (value, &*super::common::base(ty)) {
        (ConstValue::Zero, TyKind::Int(_) | TyKind::Enum(..)) => ConstValue::int(0),
        (ConstValue::Zero, TyKind::Float(_)) => ConstValue::Float(0),
        (ConstValue::Zero, TyKind::Bool) => ConstValue::Bool(false),
        (ConstValue::Zero, TyKind::Char) => ConstValue::Char(0),
        (ConstValue::Zero, TyKind::Str) => ConstValue::Str(Name::new("")),
        (value, _) => value.clone(),
    }
}

fn element(value: ConstValue, index: usize, ty: Ty) -> Eval {
    match value {
        ConstValue::Zero => Ok(normal(&ConstValue::Zero, ty)),
        ConstValue::Aggregate(mut values) if index < values.len() => {
            Ok(normal(&values.swap_remove(index), ty))
        }
        _ => Err(NotConst::NotConstant),
    }
}

/// Rounds to the precision of a floating type.
fn round(value: f64, ty: FloatTy) -> ConstValue {
    let value = if ty.bits() == 32 { f64::from(value as f32) } else { value };
    ConstValue::Float(value.to_bits())
}

/// A numeric conversion (`02-types.md` §2.17).
pub(crate) fn convert_number(value: &ConstValue, from: Ty, to: Ty) -> Option<ConstValue> {
    let number = match value {
        ConstValue::Zero => return Some(normal(&ConstValue::Zero, to)),
        ConstValue::Int(n) => (*n).into(),
        ConstValue::Bool(b) => i128::from(*b),
        ConstValue::Char(c) => i128::from(*c),
        ConstValue::Float(bits) => {
            let value = f64::from_bits(*bits);
            return Some(match *to {
                TyKind::Float(float) => round(value, float),
                TyKind::Int(int) => ConstValue::int(saturate(value, int)),
                _ => return None,
            });
        }
        _ => return None,
    };
    let _ = from;
    Some(match *to {
        TyKind::Int(int) => ConstValue::int(int.wrap(number)),
        TyKind::Enum(..) => ConstValue::int(IntTy::Int.wrap(number)),
        // Straight to the width: rounding twice would differ.
        TyKind::Float(float) if float.bits() == 32 => {
            ConstValue::Float(f64::from(number as f32).to_bits())
        }
        TyKind::Float(_) => ConstValue::Float((number as f64).to_bits()),
        TyKind::Bool => ConstValue::Bool(number != 0),
        TyKind::Char => ConstValue::Char(number as u8),
        _ => return None,
    })
}

fn saturate(value: f64, int: IntTy) -> i128 {
    let (min, max) = limits(int);
    if value.is_nan() { 0 } else { (value as i128).clamp(min, max) }
}

/// Smallest and largest value.
pub(crate) fn limits(int: IntTy) -> (i128, i128) {
    let bits = u32::from(int.bits());
    if int.signed() { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

fn unary(op: UnaryOp, value: ConstValue, ty: Ty) -> Eval {
    Ok(match (op, value) {
        (UnaryOp::Neg, ConstValue::Int(n)) => {
            ConstValue::int(int_of(ty).unwrap_or(IntTy::Int).wrap(-i128::from(n)))
        }
        (UnaryOp::Neg, ConstValue::Float(bits)) => {
            ConstValue::Float((-f64::from_bits(bits)).to_bits())
        }
        (UnaryOp::BitNot, ConstValue::Int(n)) => {
            ConstValue::int(int_of(ty).unwrap_or(IntTy::Int).wrap(!i128::from(n)))
        }
        (UnaryOp::Not, ConstValue::Bool(b)) => ConstValue::Bool(!b),
        _ => return Err(NotConst::NotConstant),
    })
}

fn binary(op: BinaryOp, left: ConstValue, right: ConstValue, ty: Ty) -> Eval {
    match (left, right) {
        (ConstValue::Int(l), ConstValue::Int(r)) => {
            let int = int_of(ty).unwrap_or(IntTy::Int);
            int_binary(op, l.into(), r.into(), int)
        }
        (ConstValue::Float(l), ConstValue::Float(r)) => {
            let float = float_of(ty).unwrap_or(FloatTy::Double);
            float_binary(op, f64::from_bits(l), f64::from_bits(r), float)
        }
        (ConstValue::Char(l), ConstValue::Char(r)) => {
            Ok(ConstValue::Bool(holds(op, Some(l.cmp(&r)))))
        }
        (ConstValue::Bool(l), ConstValue::Bool(r)) => {
            Ok(ConstValue::Bool(holds(op, Some(l.cmp(&r)))))
        }
        _ => Err(NotConst::NotConstant),
    }
}

fn compare_ints(op: BinaryOp, left: ConstValue, right: ConstValue) -> Eval {
    match (left, right) {
        (ConstValue::Int(l), ConstValue::Int(r)) => {
            Ok(ConstValue::Bool(holds(op, Some(i128::from(l).cmp(&r.into())))))
        }
        _ => Err(NotConst::NotConstant),
    }
}

/// Whether a comparison holds for an ordering; `None`: unordered.
fn holds(op: BinaryOp, order: Option<Ordering>) -> bool {
    match op {
        BinaryOp::Eq => order == Some(Ordering::Equal),
        BinaryOp::Ne => order != Some(Ordering::Equal),
        BinaryOp::Lt => order == Some(Ordering::Less),
        BinaryOp::Gt => order == Some(Ordering::Greater),
        BinaryOp::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        BinaryOp::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => false,
    }
}

fn int_binary(op: BinaryOp, l: i128, r: i128, int: IntTy) -> Eval {
    let count = (r as u128 % u128::from(int.bits())) as u32;
    let value = match op {
        BinaryOp::Add => l + r,
        BinaryOp::Sub => l - r,
        // The product of two 64-bit numbers may not fit in 128 signed bits; its low half is right.
        BinaryOp::Mul => l.wrapping_mul(r),
        BinaryOp::Div | BinaryOp::Rem if r == 0 => return Err(NotConst::DivisionByZero),
        BinaryOp::Div => l / r,
        BinaryOp::Rem => l % r,
        BinaryOp::Shl => l << count,
        BinaryOp::Shr => l >> count,
        BinaryOp::BitAnd => l & r,
        BinaryOp::BitOr => l | r,
        BinaryOp::BitXor => l ^ r,
        _ => return Ok(ConstValue::Bool(holds(op, Some(l.cmp(&r))))),
    };
    Ok(ConstValue::int(int.wrap(value)))
}

fn float_binary(op: BinaryOp, l: f64, r: f64, float: FloatTy) -> Eval {
    // A single operation on two `float`s in double precision and rounded is exactly rounded.
    let value = match op {
        BinaryOp::Add => l + r,
        BinaryOp::Sub => l - r,
        BinaryOp::Mul => l * r,
        BinaryOp::Div => l / r,
        BinaryOp::Rem => l % r,
        _ => return Ok(ConstValue::Bool(holds(op, l.partial_cmp(&r)))),
    };
    Ok(round(value, float))
}

/// The type of an integer literal.
pub(crate) fn literal_int(value: u64) -> Ty {
    if value <= i32::MAX as u64 {
        TY.int
    } else if value <= i64::MAX as u64 {
        TY.long
    } else {
        TY.ulong
    }
}
