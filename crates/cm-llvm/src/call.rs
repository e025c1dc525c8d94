//! Calls.

use crate::{
    Result,
    abi::{Pass, Signature},
    body::{Body, inside_local, unfit},
};
use cm_mir::{
    mir::{Abi, Callee, Operand, Place, Projection},
    runtime::Rt,
    ty::{Ty, TyKind},
};
use inkwell::{
    attributes::AttributeLoc,
    types::BasicTypeEnum,
    values::{BasicMetadataValueEnum, BasicValueEnum, CallSiteValue, FunctionValue, PointerValue},
};

/// What the call instruction names.
enum Target<'ctx> {
    Function(FunctionValue<'ctx>),
    /// A code address and what is passed beside the arguments.
    Address(PointerValue<'ctx>, Option<PointerValue<'ctx>>),
}

/// Where a result goes.
enum Destination<'ctx> {
    Ignored,
    /// Straight to its place.
    Direct(PointerValue<'ctx>),
    /// First to a temporary: the place may be seen during the call.
    Copied(PointerValue<'ctx>),
}

impl<'ctx> Body<'_, 'ctx> {
    /// `[dest =] callee(args)`.
    pub fn call(&mut self, dest: Option<&Place>, callee: &Callee, args: &[Operand]) -> Result<()> {
        if let Callee::Runtime(rt) = callee
            && rt.is_variadic()
        {
            return self.call_with_strings(*rt, dest, args);
        }
        if let (Callee::Runtime(rt), Some(dest), true) = (callee, dest, self.cx.opt_level > 0)
            && let Some(value) = self.inline(*rt, args)?
        {
            return self.set(dest, value);
        }
        let (target, signature, receiver) = self.callee(callee)?;
        let mut values: Vec<BasicMetadataValueEnum<'ctx>> = Vec::with_capacity(args.len() + 2);
        let result = self.result_place(dest, &signature, args)?;
        if let Destination::Direct(cell) | Destination::Copied(cell) = result {
            values.push(cell.into());
        }
        values.extend(receiver.map(BasicMetadataValueEnum::from));
        let own_params = usize::from(receiver.is_some());
        for (index, arg) in (own_params..).zip(args) {
            self.argument(arg, signature.passes.get(index), signature.abi, &mut values)?;
        }
        let call = self.call_instruction(target, &signature, &mut values)?;
        match (dest, result) {
            (Some(dest), Destination::Copied(cell)) => {
                let (to, ty) = self.place(dest)?;
                self.copy(to, cell, ty)
            }
            (Some(dest), Destination::Ignored) if *signature.ret.get() != TyKind::Void => {
                let value = call.try_as_basic_value().basic();
                let value = value.ok_or_else(|| unfit("a call without result"))?;
                self.store_result(dest, value, &signature)
            }
            _ => Ok(()),
        }
    }

    /// Calls a function of the run-time library that takes an array of strings.
    fn call_with_strings(&mut self, rt: Rt, dest: Option<&Place>, args: &[Operand]) -> Result<()> {
        let str = TyKind::Str.intern();
        let array = self.temporary(TyKind::Array(str, args.len() as u64).intern())?;
        for (index, arg) in (0..).zip(args) {
            let value = self.scalar(arg)?;
            self.store(self.offset(array, index * 8)?, value, str)?;
        }
        let count = self.cx.word().const_int(args.len() as u64, false);
        let function = self.cx.runtime(rt);
        let call = self.builder.build_direct_call(function, &[array.into(), count.into()], "")?;
        let value = call.try_as_basic_value().basic();
        match (dest, value) {
            (Some(dest), Some(value)) => self.set(dest, value),
            _ => Ok(()),
        }
    }

    fn callee(
        &mut self,
        callee: &Callee,
    ) -> Result<(Target<'ctx>, Signature<'ctx>, Option<PointerValue<'ctx>>)> {
        Ok(match callee {
            Callee::Function(decl) => {
                let function = self.cx.function(*decl, false);
                (Target::Function(function), self.cx.signature(*decl), None)
            }
            Callee::Runtime(rt) => {
                let function = self.cx.runtime(*rt);
                let signature = Signature::new(self.cx, &rt.params(), rt.ret(), Abi::Cm);
                (Target::Function(function), signature, None)
            }
            Callee::Value { value, params, ret } => {
                let object = self.pointer_operand(value)?;
                let code = self.load(object, ptr_ty())?.into_pointer_value();
                let signature = Signature::new(self.cx, params, *ret, Abi::Cm);
                (Target::Address(code, Some(object)), signature, None)
            }
            Callee::Method { object, slot, params, ret } => {
                let value = self.aggregate(object)?;
                let receiver = self.load(value, ptr_ty())?.into_pointer_value();
                let table = self.offset(value, 8)?;
                let table = self.load(table, ptr_ty())?.into_pointer_value();
                let entry = self.offset(table, u64::from(*slot) * 8)?;
                let code = self.load(entry, ptr_ty())?.into_pointer_value();
                let params: Vec<Ty> =
                    std::iter::once(ptr_ty()).chain(params.iter().copied()).collect();
                let signature = Signature::new(self.cx, &params, *ret, Abi::Cm);
                (Target::Address(code, None), signature, Some(receiver))
            }
        })
    }

    /// The callee writes an aggregate result while it runs. It may do so in the place itself only
    /// if nobody can see it there before the call is over.
    fn result_place(
        &mut self,
        dest: Option<&Place>,
        signature: &Signature<'ctx>,
        args: &[Operand],
    ) -> Result<Destination<'ctx>> {
        if !signature.returns_by_pointer() {
            return Ok(Destination::Ignored);
        }
        // An index may be changed by the call.
        let is_fixed = |place: &&Place| {
            let moves = |p: &Projection| matches!(p, Projection::Index(Operand::Copy(_)));
            !place.projections.iter().any(moves)
        };
        let local = dest.filter(is_fixed).and_then(inside_local);
        let local = local.filter(|local| !self.is_exposed(*local));
        let is_argument = args.iter().any(|arg| match arg {
            Operand::Copy(place) => inside_local(place) == local,
            Operand::Const(_) => false,
        });
        match (dest, local) {
            (Some(dest), Some(_)) if !is_argument => Ok(Destination::Direct(self.place(dest)?.0)),
            _ => Ok(Destination::Copied(self.temporary(signature.ret)?)),
        }
    }

    /// Adds what is passed for an argument. Variable arguments have no way of their own.
    fn argument(
        &mut self,
        arg: &Operand,
        pass: Option<&Pass<'ctx>>,
        abi: Abi,
        values: &mut Vec<BasicMetadataValueEnum<'ctx>>,
    ) -> Result<()> {
        let ty = self.operand_ty(arg)?;
        if self.cx.scalar(ty).is_some() {
            let value = self.scalar(arg)?;
            values.push(self.foreign_value(value, ty, abi)?.into());
            return Ok(());
        }
        let from = self.aggregate(arg)?;
        match pass {
            Some(Pass::Pieces(pieces)) => {
                let pieces = self.split_pieces(from, pieces, ty)?;
                values.extend(pieces.into_iter().map(BasicMetadataValueEnum::from));
            }
            Some(Pass::Copy) => {
                let copy = self.alloca(ty)?;
                self.copy(copy, from, ty)?;
                values.push(copy.into());
            }
            _ => values.push(from.into()),
        }
        Ok(())
    }

    fn store_result(
        &mut self,
        dest: &Place,
        value: BasicValueEnum<'ctx>,
        signature: &Signature<'ctx>,
    ) -> Result<()> {
        let Pass::Pieces(pieces) = &signature.result else {
            let value = self.own_value(value, signature.ret, signature)?;
            return self.set(dest, value);
        };
        let (to, ty) = self.place(dest)?;
        let BasicValueEnum::StructValue(whole) = value else {
            return self.join_pieces(to, pieces, &[value], ty);
        };
        let values = (0..pieces.len() as u32)
            .map(|index| Ok(self.builder.build_extract_value(whole, index, "")?))
            .collect::<Result<Vec<_>>>()?;
        self.join_pieces(to, pieces, &values, ty)
    }

    /// The contents of the registers for an aggregate.
    pub fn split_pieces(
        &mut self,
        from: PointerValue<'ctx>,
        pieces: &[(BasicTypeEnum<'ctx>, u64)],
        ty: Ty,
    ) -> Result<Vec<BasicValueEnum<'ctx>>> {
        // Registers may be wider than what is left of the aggregate.
        let words = self.temporary(register_area())?;
        self.copy(words, from, ty)?;
        let load = |(piece, offset): &(BasicTypeEnum<'ctx>, u64)| {
            Ok(self.builder.build_load(*piece, self.offset(words, *offset)?, "")?)
        };
        pieces.iter().map(load).collect()
    }

    /// Writes an aggregate that came in registers.
    pub fn join_pieces(
        &mut self,
        to: PointerValue<'ctx>,
        pieces: &[(BasicTypeEnum<'ctx>, u64)],
        values: &[BasicValueEnum<'ctx>],
        ty: Ty,
    ) -> Result<()> {
        let words = self.temporary(register_area())?;
        for ((_, offset), value) in pieces.iter().zip(values) {
            self.builder.build_store(self.offset(words, *offset)?, *value)?;
        }
        self.copy(to, words, ty)
    }

    /// A scalar as foreign functions see it.
    pub fn foreign_value(
        &mut self,
        value: BasicValueEnum<'ctx>,
        ty: Ty,
        abi: Abi,
    ) -> Result<BasicValueEnum<'ctx>> {
        Ok(match ty.get() {
            TyKind::Str if abi != Abi::Cm => {
                self.foreign_string(value.into_pointer_value())?.into()
            }
            TyKind::Func if abi != Abi::Cm => self.code_address(value.into_pointer_value())?.into(),
            _ => value,
        })
    }

    /// A scalar that came from a foreign function. A function pointer stays what it is.
    pub fn own_value(
        &mut self,
        value: BasicValueEnum<'ctx>,
        ty: Ty,
        signature: &Signature<'ctx>,
    ) -> Result<BasicValueEnum<'ctx>> {
        if !signature.is_foreign() || *ty.get() != TyKind::Str {
            return Ok(value);
        }
        self.copy_foreign_string(value.into_pointer_value())
    }

    fn call_instruction(
        &mut self,
        target: Target<'ctx>,
        signature: &Signature<'ctx>,
        values: &mut Vec<BasicMetadataValueEnum<'ctx>>,
    ) -> Result<CallSiteValue<'ctx>> {
        let (call, env) = match target {
            Target::Function(function) => {
                (self.builder.build_direct_call(function, values, "")?, false)
            }
            Target::Address(code, env) => {
                values.extend(env.map(BasicMetadataValueEnum::from));
                let ty = signature.function_type(self.cx, env.is_some());
                (self.builder.build_indirect_call(ty, code, values, "")?, env.is_some())
            }
        };
        for (loc, attribute) in signature.attributes(self.cx, env) {
            call.add_attribute(loc, attribute);
        }
        call.add_attribute(AttributeLoc::Function, self.cx.attributes.nounwind);
        Ok(call)
    }
}

/// Room for the registers that an aggregate is passed in.
fn register_area() -> Ty {
    TyKind::Array(TyKind::unsigned(64), 4).intern()
}

fn ptr_ty() -> Ty {
    TyKind::Ptr.intern()
}
