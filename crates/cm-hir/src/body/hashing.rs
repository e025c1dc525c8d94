//! Hashes of values (`06-generics-interfaces.md` §6.7), for `with Hash` and for the bundled library.

use super::{
    common::{TY, pointer},
    ctx::Ctx,
};
use crate::{
    thir::{Builtin, ConstValue, Conversion, ExprId, ExprKind},
    ty::{Ty, TyKind},
};
use cm_base::At;
use cm_syntax::ast::BinaryOp;

impl Ctx<'_> {
    /// The hash of a value, an `int`: what a derived `hash()` adds up. Of a floating-point number it
    /// must be a place.
    pub(super) fn hash_of(&mut self, value: ExprId, at: At) -> ExprId {
        let value = self.decay(value);
        let ty = self.ty(value);
        match *ty {
            _ if ty == TY.int => value,
            _ if self.is_discrete(ty) => self.discrete_as(value, TY.int),
            TyKind::Str => self.push(TY.int, at, ExprKind::builtin(Builtin::StrHash, vec![value])),
            TyKind::Float(float) => self.hash_float(value, float.bits() == 64, at),
            TyKind::Struct(..) => self.call_derived_method(value, "hash", at),
            _ if self.bad(value) => self.poison(at),
            _ => self.error(at, format!("Type '{ty}' cannot be hashed")),
        }
    }

    /// The same as a `ulong` that tells all values of an integer type apart.
    pub(super) fn wide_hash_of(&mut self, value: ExprId, at: At) -> ExprId {
        let value = self.decay(value);
        match self.is_discrete(self.ty(value)) {
            true => self.discrete_as(value, TY.ulong),
            false => {
                let hash = self.hash_of(value, at);
                match self.bad(hash) {
                    true => hash,
                    false => self.convert(hash, Conversion::Numeric, TY.ulong),
                }
            }
        }
    }

    /// Integers, `bool`, `char` and enums without payloads.
    fn is_discrete(&mut self, ty: Ty) -> bool {
        match *ty {
            TyKind::Int(_) | TyKind::Bool | TyKind::Char => true,
            TyKind::Enum(..) => self.is_plain_enum(ty),
            _ => false,
        }
    }

    fn discrete_as(&mut self, value: ExprId, to: Ty) -> ExprId {
        match *self.ty(value) {
            TyKind::Enum(..) => {
                let number = self.convert(value, Conversion::Identity, TY.int);
                if to == TY.int { number } else { self.convert(number, Conversion::Numeric, to) }
            }
            _ if self.ty(value) == to => value,
            _ => self.convert(value, Conversion::Numeric, to),
        }
    }

    /// The bits, folded to 32.
    fn hash_float(&mut self, value: ExprId, wide: bool, at: At) -> ExprId {
        let bits = if wide { TY.ulong } else { TY.int };
        let from = pointer(self.ty(value), false);
        let address = self.push(from, at, ExprKind::AddrOf(value));
        let address = self.convert(address, Conversion::Identity, pointer(bits, false));
        let value = self.push(bits, at, ExprKind::Deref(address));
        if !wide {
            return value;
        }
        self.let_in(value, at, |ctx, low| {
            let count = ctx.constant(TY.int, at, ConstValue::int(32));
            let high = ctx.push(TY.ulong, at, ExprKind::Binary(BinaryOp::Shr, low, count));
            let low = ctx.push(TY.ulong, at, ctx.kind(low).clone());
            let folded = ctx.push(TY.ulong, at, ExprKind::Binary(BinaryOp::BitXor, low, high));
            ctx.convert(folded, Conversion::Numeric, TY.int)
        })
    }

    /// A call of a method that `with` can derive.
    pub(super) fn call_derived_method(&mut self, value: ExprId, name: &str, at: At) -> ExprId {
        match self.call_plain(value, name, at) {
            Some(call) => call,
            None => {
                let ty = self.ty(value);
                self.error(at, format!("Unknown method '{name}' for type '{ty}'"))
            }
        }
    }
}
