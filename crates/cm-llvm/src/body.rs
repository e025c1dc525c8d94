//! The body of a function.

use crate::{
    EmitError, Result,
    abi::{Pass, Signature},
    alias::Memory,
    module::Cx,
    registers,
};
use cm_mir::{
    mir::{Base, Function, LocalId, Operand, Place, Projection, RESULT, Rvalue, Stmt, Terminator},
    runtime::Rt,
    ty::{self, Ty},
};
use inkwell::{
    attributes::AttributeLoc,
    basic_block::BasicBlock,
    builder::Builder,
    values::{
        BasicValue, BasicValueEnum, FunctionValue, InstructionValue, IntValue, PointerValue,
        ValueKind,
    },
};
use rustc_hash::FxHashMap;

/// Statements of a block that is not optimized: at every call, LLVM's fast register allocator looks at all
/// values that the block has had so far.
const LONGEST: usize = 128;

/// Defines a function.
pub fn lower<'ctx>(cx: &mut Cx<'ctx>, function: &Function) -> Result<FunctionValue<'ctx>> {
    let value = cx.function(function.decl, function.env.is_some());
    let signature = cx.signature(function.decl);
    if cx.opt_level > 0 {
        // A section of its own lets the linker drop it if nobody calls it.
        value.set_section(Some(&format!(".text.{}", function.decl.symbol)));
    }
    let entry = cx.context.append_basic_block(value, "");
    let blocks: Vec<_> =
        function.blocks.iter().map(|_| cx.context.append_basic_block(value, "")).collect();
    let first = *blocks.first().ok_or_else(|| unfit("a function without blocks"))?;
    let (allocas, builder) = (cx.context.create_builder(), cx.context.create_builder());
    allocas.position_at_end(entry);
    builder.position_at_end(entry);
    let mut body = Body {
        cx,
        function,
        value,
        allocas,
        builder,
        locals: Vec::new(),
        exposed: exposed_locals(function),
        temporaries: FxHashMap::default(),
        blocks,
        volatile: false,
    };
    body.enter(&signature)?;
    let jump = body.builder.build_unconditional_branch(first)?;
    // Temporaries that the blocks need are allocated before this jump.
    body.allocas.position_before(&jump);
    body.statements()?;
    Ok(value)
}

/// A function in the making.
pub struct Body<'a, 'ctx> {
    pub cx: &'a mut Cx<'ctx>,
    pub function: &'a Function,
    value: FunctionValue<'ctx>,
    /// Stays in the entry block.
    allocas: Builder<'ctx>,
    pub builder: Builder<'ctx>,
    locals: Vec<Home<'ctx>>,
    exposed: Vec<bool>,
    temporaries: FxHashMap<Ty, PointerValue<'ctx>>,
    blocks: Vec<BasicBlock<'ctx>>,
    /// The accesses of the current statement are volatile.
    pub volatile: bool,
}

/// Where a local is.
#[derive(Clone, Copy)]
enum Home<'ctx> {
    /// In the frame, or where the caller wants the result.
    Memory(PointerValue<'ctx>),
    /// It is this value, once it has one.
    Register(Option<BasicValueEnum<'ctx>>),
}

/// Which locals are reachable through pointers.
fn exposed_locals(function: &Function) -> Vec<bool> {
    let mut exposed = vec![false; function.locals.len()];
    for stmt in function.blocks.iter().flat_map(|block| &block.stmts) {
        if let Stmt::Assign { value: Rvalue::AddrOf(place), .. } = stmt
            && let Some(local) = inside_local(place)
            && let Some(exposed) = exposed.get_mut(local.0 as usize)
        {
            *exposed = true;
        }
    }
    exposed
}

/// The local that a place is a part of.
pub fn inside_local(place: &Place) -> Option<LocalId> {
    let through = place.projections.iter().any(|p| matches!(p, Projection::Deref(_)));
    match place.base {
        Base::Local(local) if !through => Some(local),
        _ => None,
    }
}

impl<'ctx> Body<'_, 'ctx> {
    /// Gives every local its memory and stores the parameters there.
    fn enter(&mut self, signature: &Signature<'ctx>) -> Result<()> {
        let by_pointer = signature.returns_by_pointer();
        let mut params = self.value.get_params().into_iter();
        let result = by_pointer.then(|| params.next()).flatten();
        let registers = registers::find(self.cx, self.function);
        for (index, (local, in_register)) in self.function.locals.iter().zip(registers).enumerate()
        {
            let home = match result {
                Some(result) if index == RESULT.0 as usize => {
                    Home::Memory(result.into_pointer_value())
                }
                _ if in_register => Home::Register(None),
                _ => Home::Memory(self.alloca(local.ty)?),
            };
            self.locals.push(home);
        }
        let env = self.function.env.map(|env| (env, self.local_ty(env)));
        let locals = (1..).map(LocalId).zip(signature.params.iter().copied()).chain(env);
        let env_pass = Pass::Direct(self.cx.ptr().into());
        for ((local, ty), pass) in locals.zip(signature.passes.iter().chain([&env_pass])) {
            let mut next = || params.next().ok_or_else(|| unfit("a parameter too few"));
            match pass {
                Pass::Pieces(pieces) => {
                    let values = pieces.iter().map(|_| next()).collect::<Result<Vec<_>>>()?;
                    self.join_pieces(self.local(local)?, pieces, &values, ty)?;
                }
                Pass::Direct(_) => {
                    let value = next()?;
                    let value = self.own_value(value, ty, signature)?;
                    self.set_local(local, value, ty)?;
                }
                _ => {
                    let from = next()?.into_pointer_value();
                    self.copy(self.local(local)?, from, ty)?;
                }
            }
        }
        Ok(())
    }

    fn statements(&mut self) -> Result<()> {
        let function = self.function;
        for (index, block) in function.blocks.iter().enumerate() {
            self.builder.position_at_end(self.blocks[index]);
            for (number, stmt) in block.stmts.iter().enumerate() {
                if number % LONGEST == LONGEST - 1 && self.cx.opt_level == 0 {
                    self.go_on_in_another_block()?;
                }
                self.statement(stmt)?;
            }
            self.terminator(&block.terminator)?;
        }
        Ok(())
    }

    fn go_on_in_another_block(&mut self) -> Result<()> {
        let current = self.builder.get_insert_block();
        let current = current.expect("invariant: statements are written in a block");
        let next = self.cx.context.insert_basic_block_after(current, "");
        self.builder.build_unconditional_branch(next)?;
        self.builder.position_at_end(next);
        Ok(())
    }

    fn statement(&mut self, stmt: &Stmt) -> Result<()> {
        match stmt {
            Stmt::Assign { place, value, volatile } => {
                self.volatile = *volatile;
                let assigned = self.assign(place, value);
                self.volatile = false;
                assigned
            }
            Stmt::Call { dest, callee, args } => self.call(dest.as_ref(), callee, args),
            Stmt::Asm { template, operands } => self.asm(template, operands),
            Stmt::Count { op, place } => self.count(*op, place),
        }
    }

    fn terminator(&mut self, terminator: &Terminator) -> Result<()> {
        match terminator {
            Terminator::Goto(target) => {
                self.builder.build_unconditional_branch(self.block(target.0)?)?;
            }
            Terminator::Branch { cond, then, otherwise } => {
                let cond = self.int_operand(cond)?;
                let (then, otherwise) = (self.block(then.0)?, self.block(otherwise.0)?);
                self.builder.build_conditional_branch(cond, then, otherwise)?;
            }
            Terminator::Switch { value, cases, default } => {
                let value = self.int_operand(value)?;
                let ty = value.get_type();
                let mask = u64::MAX >> (64 - ty.get_bit_width());
                let cases = cases
                    .iter()
                    .map(|(bits, block)| {
                        Ok((ty.const_int(bits & mask, false), self.block(block.0)?))
                    })
                    .collect::<Result<Vec<_>>>()?;
                self.builder.build_switch(value, self.block(default.0)?, &cases)?;
            }
            Terminator::Return => self.return_result()?,
            Terminator::Panic(message) => {
                let message = self.scalar(message)?;
                let panic = self.cx.runtime(Rt::Panic);
                self.builder.build_direct_call(panic, &[message.into()], "")?;
                self.builder.build_unreachable()?;
            }
            Terminator::Unreachable => {
                self.builder.build_unreachable()?;
            }
        }
        Ok(())
    }

    fn return_result(&mut self) -> Result<()> {
        let decl = self.function.decl;
        let signature = self.cx.signature(decl);
        match &signature.result {
            Pass::Direct(_) => {
                let value = match self.local_value(RESULT) {
                    Some(value) => value,
                    None => self.load(self.local(RESULT)?, decl.ret)?,
                };
                let value = self.foreign_value(value, decl.ret, decl.abi)?;
                self.builder.build_return(Some(&value))?;
            }
            Pass::Pieces(pieces) => {
                let values = self.split_pieces(self.local(RESULT)?, pieces, decl.ret)?;
                match &values[..] {
                    [value] => self.builder.build_return(Some(value))?,
                    _ => self.builder.build_aggregate_return(&values)?,
                };
            }
            _ => {
                self.builder.build_return(None)?;
            }
        }
        Ok(())
    }

    /// A block in the middle of a statement.
    pub fn new_block(&self) -> BasicBlock<'ctx> {
        self.cx.context.append_basic_block(self.value, "")
    }

    fn block(&self, index: u32) -> Result<BasicBlock<'ctx>> {
        self.blocks.get(index as usize).copied().ok_or_else(|| unfit("a jump to no block"))
    }

    /// The memory of a local.
    pub fn local(&self, local: LocalId) -> Result<PointerValue<'ctx>> {
        match self.locals.get(local.0 as usize) {
            Some(Home::Memory(cell)) => Ok(*cell),
            Some(Home::Register(_)) => Err(unfit("the address of a register")),
            None => Err(unfit("an unknown local")),
        }
    }

    /// The value of a local that is in a register.
    pub fn local_value(&self, local: LocalId) -> Option<BasicValueEnum<'ctx>> {
        match self.locals.get(local.0 as usize) {
            Some(Home::Register(value)) => *value,
            _ => None,
        }
    }

    /// Writes a scalar local.
    fn set_local(&mut self, local: LocalId, value: BasicValueEnum<'ctx>, ty: Ty) -> Result<()> {
        match self.locals.get_mut(local.0 as usize) {
            Some(Home::Register(register)) => {
                *register = Some(value);
                Ok(())
            }
            _ => self.store(self.local(local)?, value, ty),
        }
    }

    /// Writes a scalar.
    pub fn set(&mut self, place: &Place, value: BasicValueEnum<'ctx>) -> Result<()> {
        if let (Base::Local(local), []) = (place.base, &place.projections[..]) {
            return self.set_local(local, value, self.local_ty(local));
        }
        let (to, ty) = self.place(place)?;
        self.store_as(to, value, ty, Memory::of_place(place, ty))
    }

    /// The type of a local.
    pub fn local_ty(&self, local: LocalId) -> Ty {
        self.function.locals[local.0 as usize].ty
    }

    /// Whether a pointer may point into the local.
    pub fn is_exposed(&self, local: LocalId) -> bool {
        self.exposed.get(local.0 as usize).copied().unwrap_or(true)
    }

    /// New memory in the frame.
    pub fn alloca(&self, ty: Ty) -> Result<PointerValue<'ctx>> {
        let cell = self.allocas.build_alloca(self.cx.memory(ty), "")?;
        if self.cx.scalar(ty).is_none()
            && let Some(instruction) = cell.as_instruction()
        {
            let align = ty::layout(ty).align as u32;
            instruction.set_alignment(align).map_err(|e| EmitError::Llvm(e.to_string()))?;
        }
        Ok(cell)
    }

    /// Memory that holds a value during one statement. There is one for each type.
    pub fn temporary(&mut self, ty: Ty) -> Result<PointerValue<'ctx>> {
        if let Some(cell) = self.temporaries.get(&ty) {
            return Ok(*cell);
        }
        let cell = self.alloca(ty)?;
        self.temporaries.insert(ty, cell);
        Ok(cell)
    }

    /// Reads a scalar.
    pub fn load(&self, from: PointerValue<'ctx>, ty: Ty) -> Result<BasicValueEnum<'ctx>> {
        self.load_as(from, ty, Memory::of_type(ty))
    }

    /// Reads a scalar from memory of some kind.
    pub fn load_as(
        &self,
        from: PointerValue<'ctx>,
        ty: Ty,
        memory: Memory,
    ) -> Result<BasicValueEnum<'ctx>> {
        let value = self.builder.build_load(self.cx.memory(ty), from, "")?;
        self.mark(value.as_instruction_value(), memory)?;
        if self.is_bool(ty) {
            let bool = self.cx.context.bool_type();
            return Ok(self.builder.build_int_truncate(value.into_int_value(), bool, "")?.into());
        }
        Ok(value)
    }

    /// Writes a scalar.
    pub fn store(&self, to: PointerValue<'ctx>, value: BasicValueEnum<'ctx>, ty: Ty) -> Result<()> {
        self.store_as(to, value, ty, Memory::of_type(ty))
    }

    /// Writes a scalar to memory of some kind.
    pub fn store_as(
        &self,
        to: PointerValue<'ctx>,
        mut value: BasicValueEnum<'ctx>,
        ty: Ty,
        memory: Memory,
    ) -> Result<()> {
        if self.is_bool(ty) {
            let byte = self.cx.context.i8_type();
            value = self.builder.build_int_z_extend(value.into_int_value(), byte, "")?.into();
        }
        let store = self.builder.build_store(to, value)?;
        self.mark(Some(store), memory)
    }

    /// Says of an access what it accesses, and whether it must happen.
    fn mark(&self, access: Option<InstructionValue<'ctx>>, memory: Memory) -> Result<()> {
        let Some(access) = access else { return Ok(()) };
        if self.cx.opt_level > 0 {
            self.cx.tags.set(access, memory)?;
        }
        if self.volatile {
            access.set_volatile(true).map_err(|e| EmitError::Llvm(e.to_string()))?;
        }
        Ok(())
    }

    fn is_bool(&self, ty: Ty) -> bool {
        matches!(ty.get(), ty::TyKind::Bool)
    }

    /// Copies a value of any type from place to place, which are the same or apart.
    pub fn copy(&mut self, to: PointerValue<'ctx>, from: PointerValue<'ctx>, ty: Ty) -> Result<()> {
        if self.cx.scalar(ty).is_some() {
            let value = self.load(from, ty)?;
            return self.store(to, value, ty);
        }
        if to == from && !self.volatile {
            return Ok(());
        }
        let (ptr, word) = (self.cx.ptr().into(), self.cx.word());
        let key = (ty::TyKind::Void.intern(), ty::TyKind::Void.intern());
        let memcpy = self.cx.intrinsic("llvm.memcpy", key, &[ptr, ptr, word.into()]);
        let size = word.const_int(ty::layout(ty).size, false);
        self.memory_call(memcpy, [to.into(), from.into(), size.into()], ty, 2)
    }

    /// Writes zeros over a value of any type.
    pub fn clear(&mut self, to: PointerValue<'ctx>, ty: Ty) -> Result<()> {
        if let Some(scalar) = self.cx.scalar(ty) {
            return self.store(to, scalar.const_zero(), ty);
        }
        let (ptr, word) = (self.cx.ptr().into(), self.cx.word());
        let key = (ty::TyKind::Void.intern(), ty::TyKind::Void.intern());
        let memset = self.cx.intrinsic("llvm.memset", key, &[ptr, word.into()]);
        let zero = self.cx.context.i8_type().const_zero();
        let size = word.const_int(ty::layout(ty).size, false);
        self.memory_call(memset, [to.into(), zero.into(), size.into()], ty, 1)
    }

    fn memory_call(
        &self,
        function: FunctionValue<'ctx>,
        [a, b, c]: [BasicValueEnum<'ctx>; 3],
        ty: Ty,
        pointers: u32,
    ) -> Result<()> {
        let volatile = self.cx.context.bool_type().const_int(u64::from(self.volatile), false);
        let args = [a.into(), b.into(), c.into(), volatile.into()];
        let call = self.builder.build_direct_call(function, &args, "")?;
        for index in 0..pointers {
            let loc = AttributeLoc::Param(index);
            call.set_alignment_attribute(loc, ty::layout(ty).align as u32);
        }
        match call.try_as_basic_value() {
            ValueKind::Instruction(call) if self.cx.opt_level > 0 => {
                self.cx.tags.set(call, Memory::of_type(ty))
            }
            _ => Ok(()),
        }
    }

    /// The value of a scalar operand.
    pub fn scalar(&mut self, operand: &Operand) -> Result<BasicValueEnum<'ctx>> {
        match operand {
            Operand::Const(constant) => crate::constant::scalar(self.cx, constant),
            Operand::Copy(place) => {
                if let (Base::Local(local), []) = (place.base, &place.projections[..])
                    && let Some(value) = self.local_value(local)
                {
                    return Ok(value);
                }
                let (address, ty) = self.place(place)?;
                if self.cx.scalar(ty).is_none() {
                    return Err(unfit("an aggregate in a register"));
                }
                self.load_as(address, ty, Memory::of_place(place, ty))
            }
        }
    }

    /// The value of an integer or `Bool` operand.
    pub fn int_operand(&mut self, operand: &Operand) -> Result<IntValue<'ctx>> {
        match self.scalar(operand)? {
            BasicValueEnum::IntValue(value) => Ok(value),
            _ => Err(unfit("an operand that is no integer")),
        }
    }

    /// The value of a pointer-like operand.
    pub fn pointer_operand(&mut self, operand: &Operand) -> Result<PointerValue<'ctx>> {
        match self.scalar(operand)? {
            BasicValueEnum::PointerValue(value) => Ok(value),
            _ => Err(unfit("an operand that is no pointer")),
        }
    }

    /// The type of an operand.
    pub fn operand_ty(&self, operand: &Operand) -> Result<Ty> {
        match operand {
            Operand::Const(constant) => Ok(constant.ty),
            Operand::Copy(place) => self.place_ty(place),
        }
    }

    /// Memory that holds the value of an aggregate operand; only to be read.
    pub fn aggregate(&mut self, operand: &Operand) -> Result<PointerValue<'ctx>> {
        match operand {
            Operand::Copy(place) => Ok(self.place(place)?.0),
            Operand::Const(constant) => {
                let value = crate::constant::memory(self.cx, constant)?;
                Ok(self.cx.private(&value, true).as_pointer_value())
            }
        }
    }

    /// Writes an operand of any type.
    pub fn store_operand(&mut self, to: PointerValue<'ctx>, operand: &Operand) -> Result<()> {
        let ty = self.operand_ty(operand)?;
        self.store_operand_as(to, operand, Memory::of_type(ty))
    }

    /// Writes an operand of any type to memory of some kind.
    pub fn store_operand_as(
        &mut self,
        to: PointerValue<'ctx>,
        operand: &Operand,
        memory: Memory,
    ) -> Result<()> {
        let ty = self.operand_ty(operand)?;
        if self.cx.scalar(ty).is_some() {
            let value = self.scalar(operand)?;
            return self.store_as(to, value, ty, memory);
        }
        match operand {
            Operand::Const(c) if c.value == cm_mir::mir::ConstValue::Zero => self.clear(to, ty),
            _ => {
                let from = self.aggregate(operand)?;
                self.copy(to, from, ty)
            }
        }
    }
}

/// MIR that its verifier would have refused.
pub fn unfit(what: &str) -> EmitError {
    EmitError::Unsupported(what.to_owned())
}
