//! Interface values.
//!
//! One that is made for a parameter refers to the argument, which may be gone when the function has
//! returned. So a parameter is passed on and called as it is, and wherever else its value goes,
//! that is a value with a copy of the object ([`Lower::variable`]).

use super::Lower;
use crate::{builder::pointer, item::ty_symbol};
use cm_hir::{
    thir::{ExprId, ExprKind, Instance, LocalId, LocalKind},
    ty::Ty,
};
use cm_mir::{
    mir::{
        Abi, BinOp, Callee, Const, ConstValue, CountOp, Decl, FnDecl, GlobalDecl, GlobalRef,
        Operand, Place, RESULT, Rvalue, Stmt,
    },
    runtime::Rt,
    ty as mty,
};

/// The slot of a method table with the function that makes a value with a copy of the object, which it gets
/// the address of. Null in the table of values that have their own.
const OWN: u32 = 1;
/// The slot of the first method.
pub(super) const FIRST_METHOD: u32 = 2;

impl Lower<'_, '_> {
    /// The variable is an interface value that perhaps only refers to an argument.
    fn is_borrowed(&self, local: LocalId) -> bool {
        let local = &self.cx.body.locals[local.0 as usize];
        let param = matches!(local.kind, LocalKind::Param | LocalKind::InterfaceParam);
        param && *crate::types::lower(self.cx.db, local.ty).get() == mty::TyKind::Iface
    }

    /// The value of a variable, to be put anywhere.
    pub(super) fn variable(&mut self, local: LocalId) -> Operand {
        let place = self.local(local);
        if self.is_borrowed(local) { self.owned(place) } else { Operand::copy(place) }
    }

    /// An operand that is used at once: a parameter that is an interface value may stay what it is.
    pub(super) fn argument(&mut self, expr: ExprId) -> Operand {
        match self.kind(expr) {
            ExprKind::Local(local) => Operand::copy(self.local(*local)),
            _ => self.operand(expr),
        }
    }

    /// The same, when it does not change any more.
    pub(super) fn used(&mut self, expr: ExprId) -> Operand {
        let operand = self.argument(expr);
        let ty = self.ty_of(expr);
        self.builder.stable(operand, ty)
    }

    /// An interface value, or one with a copy of the object if it does not own that.
    fn owned(&mut self, value: Place) -> Operand {
        let iface = mty::TyKind::Iface.intern();
        let result = self.builder.variable(iface, "".into());
        self.builder.store(result, Operand::copy(value));
        let [some, borrowed, after] = std::array::from_fn(|_| self.builder.block());
        let address = self.builder.address(result.into());
        let second = Rvalue::PtrOffset(address, crate::builder::signed(1), pointer());
        let second = self.builder.compute(pointer(), second);
        let table = Operand::copy(self.builder.deref(second, pointer()));
        let table = self.builder.stable(table, pointer());
        let null = || Operand::constant(pointer(), ConstValue::Zero);
        let none = self.builder.binary(BinOp::Eq, pointer(), table.clone(), null());
        self.builder.branch(none, after, some);
        self.builder.at(some);
        let glue = Operand::copy(self.builder.deref(table, pointer()));
        let borrows = self.builder.binary(BinOp::Eq, pointer(), glue, null());
        self.builder.branch(borrows, borrowed, after);
        self.builder.at(borrowed);
        let object = Operand::copy(result);
        let callee = Callee::Method { object, slot: OWN, params: Vec::new(), ret: iface };
        let copy = self.builder.temp(iface);
        self.builder.push(Stmt::Call { dest: Some(copy.into()), callee, args: Vec::new() });
        self.builder.store(result, Operand::copy(copy));
        self.builder.goto(after);
        self.builder.at(after);
        Operand::copy(result)
    }

    /// A value as one of an interface.
    pub(super) fn interface_value(
        &mut self,
        value: ExprId,
        to: Ty,
        borrow: bool,
        methods: &[Instance],
    ) -> Operand {
        let borrow = borrow && self.is_place(value);
        let table = self.method_table(self.hir_ty(value), to, borrow, methods);
        let object = if borrow {
            self.address_of(value)
        } else {
            let ty = self.hir_ty(value);
            let operand = self.operand(value);
            self.boxed(operand, ty)
        };
        let ty = self.cx.ty(to);
        self.builder.compute(ty, Rvalue::Iface(object, table))
    }

    /// The address of a new object with a value.
    fn boxed(&mut self, value: Operand, ty: Ty) -> Operand {
        let lowered = self.cx.ty(ty);
        let value = self.builder.stable(value, lowered);
        let (size, glue) = (self.size(ty), self.glue(ty));
        let object = self.builder.runtime(Rt::Alloc, vec![size, glue]);
        let place = self.builder.deref(object.clone(), lowered);
        self.builder.count(CountOp::Forget, place.clone());
        self.builder.store(place, value);
        object
    }

    /// A function that makes an interface value with a copy of the object at an address.
    fn own(&mut self, ty: Ty, interface: Ty, methods: &[Instance]) -> Decl {
        let table = self.method_table(ty, interface, false, methods);
        let symbol = self.cx.part();
        let (iface, object) = (self.cx.ty(interface), self.cx.ty(ty));
        let decl = FnDecl { symbol, params: vec![pointer()], ret: iface, abi: Abi::Cm };
        let decl = Decl::new(decl);
        let mut inner = Lower::new(self.cx, interface);
        let from = inner.builder.variable(pointer(), "self".into());
        let value = inner.builder.deref(Operand::copy(from), object);
        let copy = inner.boxed(Operand::copy(value), ty);
        inner.builder.assign(RESULT, Rvalue::Iface(copy, table));
        let function = inner.builder.finish(decl, None);
        self.cx.functions.push(function);
        decl
    }

    /// The table of the code addresses of the methods, one for each type, interface, way of holding the
    /// object, and function that converts: nothing compares them. Before the methods stand the glue
    /// of the object, or null if it is borrowed, and what [`OWN`] says.
    fn method_table(
        &mut self,
        ty: Ty,
        interface: Ty,
        borrow: bool,
        methods: &[Instance],
    ) -> GlobalRef {
        if let Some(table) = self.cx.tables.get(&(ty, interface, borrow)) {
            return *table;
        }
        let (way, lowered) = (if borrow { "&" } else { "" }, self.cx.ty(ty));
        let types = format!("{way}{} as {}", ty_symbol(ty), ty_symbol(interface));
        let name = format!("{}{{{types}}}", self.cx.symbol);
        let array =
            mty::TyKind::Array(pointer(), u64::from(FIRST_METHOD) + methods.len() as u64).intern();
        let symbol = name.as_str().into();
        let decl = GlobalRef::new(GlobalDecl { symbol, ty: array });
        let own = match borrow {
            true => ConstValue::Code(self.own(ty, interface, methods)),
            false => ConstValue::Zero,
        };
        let code = methods.iter().map(|method| {
            let value = self.cx.decl(method).map_or(ConstValue::Zero, ConstValue::Code);
            Const { ty: pointer(), value }
        });
        let glue = if borrow { ConstValue::Zero } else { ConstValue::Glue(lowered) };
        let first = [glue, own].map(|value| Const { ty: pointer(), value });
        let entries = first.into_iter().chain(code);
        let init = Const { ty: array, value: ConstValue::Aggregate(entries.collect()) };
        self.cx.global(symbol, init, true);
        self.cx.tables.insert((ty, interface, borrow), decl);
        decl
    }
}
