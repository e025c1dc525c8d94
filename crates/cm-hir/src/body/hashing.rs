//! Hashes of values (`06-generics-interfaces.md` §6.7), for `with Hash` and for the bundled library.

use super::{
    common::{TY, base, pointer},
    ctx::Ctx,
};
use crate::{
    thir::{Block, Builtin, ConstValue, Conversion, ExprId, ExprKind, LocalId, Stmt, StmtKind},
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

    /// The same, also of arrays and slices: the sum of the hashes of their elements, which loops in `stmts`
    /// find first.
    pub(super) fn hash_with_elements(
        &mut self,
        value: ExprId,
        stmts: &mut Vec<Stmt>,
        at: At,
    ) -> ExprId {
        let (element, len) = match *base(self.ty(value)) {
            TyKind::Array(element, len) => {
                (element, self.constant(TY.uint, at, ConstValue::int(i128::from(len))))
            }
            TyKind::Slice(element) => {
                (element, self.push(TY.uint, at, ExprKind::builtin(Builtin::SliceLen, vec![value])))
            }
            _ => return self.hash_of(value, at),
        };
        let (sum, index) = (self.hidden("sum", TY.int), self.hidden("index", TY.uint));
        let read_index = self.push(TY.uint, at, ExprKind::Local(index));
        let item = self.push(element, at, ExprKind::Index(value, read_index));
        let mut body = Vec::new();
        let hash = self.hash_with_elements(item, &mut body, at);
        let more = self.added(sum, TY.int, hash, at);
        body.push(Stmt { at, kind: StmtKind::Expr(more) });
        let below = ExprKind::Binary(BinaryOp::Lt, read_index, len);
        let cond = Some(self.push(TY.bool, at, below));
        let one = self.constant(TY.uint, at, ConstValue::int(1));
        let update = Some(self.added(index, TY.uint, one, at));
        let zero = |ty| self.constant(ty, at, ConstValue::int(0));
        let [sum_zero, index_zero] = [TY.int, TY.uint].map(zero);
        stmts.push(Stmt { at, kind: StmtKind::Let(sum, Some(sum_zero)) });
        let init = vec![Stmt { at, kind: StmtKind::Let(index, Some(index_zero)) }];
        let body = Block { stmts: body };
        stmts.push(Stmt { at, kind: StmtKind::Loop { init, cond, update, body } });
        self.push(TY.int, at, ExprKind::Local(sum))
    }

    /// `local = local + value`.
    fn added(&mut self, local: LocalId, ty: Ty, value: ExprId, at: At) -> ExprId {
        let [place, old] = [(); 2].map(|()| self.push(ty, at, ExprKind::Local(local)));
        let sum = self.push(ty, at, ExprKind::Binary(BinaryOp::Add, old, value));
        self.push(ty, at, ExprKind::Assign(place, sum))
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

    /// Integers, `bool`, `char`, pointers and enums without payloads.
    fn is_discrete(&mut self, ty: Ty) -> bool {
        match *ty {
            TyKind::Int(_) | TyKind::Bool | TyKind::Char | TyKind::Pointer { .. } => true,
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
            TyKind::Pointer { .. } => self.convert(value, Conversion::Address, to),
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
