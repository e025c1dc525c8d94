//! Calls.

use super::{Lower, interface::FIRST_METHOD};
use crate::{builder::pointer, types};
use cm_hir::{
    thir::{ExprId, ExprKind, Instance, InstanceKind},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{Abi, Callee, ConstValue, Decl, Operand, Place, Projection, Rvalue, Stmt},
    runtime::Rt,
    ty::{self as mty, closure_object},
};

impl Lower<'_, '_> {
    /// A call of any form. Without `dest` the result is dropped.
    pub(super) fn call(&mut self, expr: ExprId, dest: Option<Place>) {
        let ret = self.hir_ty(expr);
        match self.kind(expr) {
            ExprKind::Call(instance, args) if instance.kind == InstanceKind::Foreign => {
                self.call_foreign(instance, args, ret, dest);
            }
            ExprKind::Call(instance, args) => {
                let Some(decl) = self.cx.decl(instance) else { return };
                let args = self.operands(args);
                self.emit(Callee::Function(decl), args, decl.ret, dest);
            }
            ExprKind::MethodCall { method, receiver, args } => {
                let Some(decl) = self.cx.decl(method) else { return };
                let mut operands = vec![self.address_of(*receiver)];
                operands.extend(self.operands(args));
                self.emit(Callee::Function(decl), operands, decl.ret, dest);
            }
            ExprKind::CallValue(callee, args) => self.call_value(*callee, args, dest),
            ExprKind::CallInterface { object, slot, args } => {
                let object = self.used(*object);
                let params = args.iter().map(|arg| self.ty_of(*arg)).collect();
                let args = self.operands(args);
                let ret = self.cx.ty(ret);
                let callee = Callee::Method { object, slot: *slot + FIRST_METHOD, params, ret };
                self.emit(callee, args, ret, dest);
            }
            _ => {}
        }
    }

    fn emit(&mut self, callee: Callee, args: Vec<Operand>, ret: mty::Ty, dest: Option<Place>) {
        let dest = dest.filter(|_| !matches!(ret.get(), mty::TyKind::Void));
        self.builder.push(Stmt::Call { dest, callee, args });
    }

    fn call_value(&mut self, callee: ExprId, args: &[ExprId], dest: Option<Place>) {
        let TyKind::Function(params, ret) = types::underlying(self.hir_ty(callee)).get() else {
            return;
        };
        let value = if args.iter().any(|arg| self.cx.writes(*arg)) {
            self.value(callee)
        } else {
            self.operand(callee)
        };
        let params = params.iter().map(|ty| self.cx.ty(*ty)).collect();
        let ret = self.cx.ty(*ret);
        let args = self.operands(args);
        self.emit(Callee::Value { value, params, ret }, args, ret, dest);
    }

    /// `T(args)`.
    pub(super) fn construct(
        &mut self,
        dest: Place,
        ty: Ty,
        constructor: &Instance,
        args: &[ExprId],
    ) {
        self.zero(dest.clone(), ty);
        let Some(decl) = self.cx.decl(constructor) else { return };
        let args = self.operands(args);
        let mut operands = vec![self.builder.address(dest)];
        operands.extend(args);
        self.builder.call(decl, operands, None);
    }

    fn call_foreign(&mut self, instance: &Instance, args: &[ExprId], ret: Ty, dest: Option<Place>) {
        let Some(decl) = self.cx.decl(instance) else { return };
        let operands = self.operands(args);
        let mut converted = Vec::with_capacity(args.len());
        for (index, (operand, arg)) in operands.into_iter().zip(args).enumerate() {
            converted.push(self.foreign_argument(decl, index, operand, self.hir_ty(*arg)));
        }
        if let (Some(rt), Some(dest)) = (allocator(decl), &dest) {
            let params = rt.params();
            let types: Vec<mty::Ty> = args.iter().map(|arg| self.ty_of(*arg)).collect();
            for ((operand, from), to) in converted.iter_mut().zip(types).zip(params) {
                *operand = self.builder.cast(operand.clone(), from, to);
            }
            let result = self.builder.runtime(rt, converted);
            return self.builder.store(dest.clone(), result);
        }
        if *types::underlying(ret).get() != TyKind::Str {
            return self.emit(Callee::Function(decl), converted, decl.ret, dest);
        }
        let temp = self.builder.temp(pointer());
        self.builder.call(decl, converted, Some(temp.into()));
        let copy = self.builder.runtime(Rt::StrFromC, vec![Operand::copy(temp)]);
        if let Some(dest) = dest {
            self.builder.store(dest, copy);
        }
    }

    /// An argument as C wants it: strings and functions as plain pointers, variable arguments promoted.
    fn foreign_argument(&mut self, decl: Decl, index: usize, operand: Operand, ty: Ty) -> Operand {
        let from = self.cx.ty(ty);
        let variable = decl.abi == Abi::CVariadic && index >= decl.params.len();
        match from.get() {
            mty::TyKind::Str => self.bytes(operand),
            mty::TyKind::Func => self.code(operand),
            mty::TyKind::F32 if variable => {
                self.builder.cast(operand, from, mty::TyKind::F64.intern())
            }
            mty::TyKind::Int { bits: 8 | 16, .. } | mty::TyKind::Bool if variable => {
                self.builder.cast(operand, from, mty::TyKind::signed(32))
            }
            _ => operand,
        }
    }

    /// The address of a string's bytes, which is not null.
    pub(super) fn bytes(&mut self, operand: Operand) -> Operand {
        let str = mty::TyKind::Str.intern();
        if let Operand::Const(constant) = &operand
            && let ConstValue::Str(text) = constant.value
            && !text.is_empty()
        {
            return self.builder.cast(operand, str, pointer());
        }
        let operand = self.builder.stable(operand, str);
        let bytes = self.builder.variable(str, "".into());
        self.builder.store(bytes, operand.clone());
        let (null, after) = (self.builder.block(), self.builder.block());
        let is_null = self.builder.is_null(operand, str);
        self.builder.branch(is_null, null, after);
        self.builder.at(null);
        self.builder.store(bytes, crate::builder::text(""));
        self.builder.goto(after);
        self.builder.at(after);
        self.builder.cast(Operand::copy(bytes), str, pointer())
    }

    /// The code address of a function value; null of null.
    pub(super) fn code(&mut self, operand: Operand) -> Operand {
        let func = mty::TyKind::Func.intern();
        if let Operand::Const(constant) = &operand
            && let ConstValue::Function(decl) = constant.value
        {
            return Operand::constant(pointer(), ConstValue::Code(decl));
        }
        let operand = self.builder.stable(operand, func);
        let code = self.builder.variable(pointer(), "".into());
        self.builder.store(code, Operand::constant(pointer(), ConstValue::Zero));
        let (value, after) = (self.builder.block(), self.builder.block());
        let is_null = self.builder.is_null(operand.clone(), func);
        self.builder.branch(is_null, after, value);
        self.builder.at(value);
        let object = self.builder.place_of(operand, func);
        let first =
            object.project(Projection::Deref(closure_object(&[]))).project(Projection::Field(0));
        self.builder.assign(code, Rvalue::Use(Operand::copy(first)));
        self.builder.goto(after);
        self.builder.at(after);
        Operand::copy(code)
    }
}

/// What stands for a function of C that allocates memory: a pointer to it may be used for values
/// that hold references at once, so it has to be zero.
fn allocator(decl: Decl) -> Option<Rt> {
    let rt = match decl.symbol.as_str() {
        "malloc" => Rt::Malloc,
        "realloc" => Rt::Realloc,
        _ => return None,
    };
    let fits = |(param, own): (&mty::Ty, mty::Ty)| match own.get() {
        mty::TyKind::Ptr => *param == own,
        _ => matches!(param.get(), mty::TyKind::Int { .. }),
    };
    let own = rt.params();
    let same = decl.params.len() == own.len() && decl.params.iter().zip(own).all(fits);
    (same && decl.ret == rt.ret()).then_some(rt)
}
