//! A unit as an LLVM module.

use crate::{Result, abi, abi::Signature, alias::Tags, body, classify::Arch, constant};
use cm_base::Name;
use cm_mir::{
    glue,
    mir::{Abi, CountOp, Decl, Function, Global, GlobalRef},
    runtime::Rt,
    ty::{self, Ty, TyKind},
    unit::Unit,
};
use inkwell::{
    GlobalVisibility,
    attributes::{Attribute, AttributeLoc},
    context::Context,
    intrinsics::Intrinsic,
    module::{Linkage, Module},
    targets::TargetMachine,
    types::{AnyType, AnyTypeEnum, ArrayType, BasicTypeEnum, IntType, PointerType},
    values::{BasicValue, FunctionValue, GlobalValue, IntValue, PointerValue},
};
use rustc_hash::FxHashMap;

/// Compiles a unit, without optimizing it.
pub fn lower<'ctx>(
    context: &'ctx Context,
    unit: &Unit,
    machine: &TargetMachine,
    opt_level: u8,
) -> Result<Module<'ctx>> {
    let mut cx = Cx::new(context, &unit.name, machine, opt_level);
    let private = |symbol| unit.private.binary_search(&symbol).is_ok();
    for global in &unit.globals {
        cx.define_global(global, private(global.decl.symbol))?;
    }
    for function in &unit.functions {
        let value = cx.function(function.decl, function.env.is_some());
        if private(function.decl.symbol) {
            // Local symbols have default visibility.
            value.as_global_value().set_visibility(GlobalVisibility::Default);
            value.set_linkage(Linkage::Internal);
        }
    }
    for function in &unit.functions {
        body::lower(&mut cx, function)?;
    }
    for function in &unit.imports {
        body::lower(&mut cx, function)?.set_linkage(Linkage::AvailableExternally);
    }
    while let Some(function) = cx.pending.pop() {
        body::lower(&mut cx, &function)?;
    }
    Ok(cx.module)
}

/// A module in the making.
pub struct Cx<'ctx> {
    pub context: &'ctx Context,
    pub module: Module<'ctx>,
    pub opt_level: u8,
    pub arch: Arch,
    pub attributes: abi::Attributes,
    pub tags: Tags<'ctx>,
    functions: FxHashMap<Name, FunctionValue<'ctx>>,
    signatures: FxHashMap<Decl, Signature<'ctx>>,
    runtime: FxHashMap<Rt, FunctionValue<'ctx>>,
    globals: FxHashMap<Name, GlobalValue<'ctx>>,
    strings: FxHashMap<Name, PointerValue<'ctx>>,
    zeros: Option<PointerValue<'ctx>>,
    intrinsics: FxHashMap<(&'static str, Ty, Ty), FunctionValue<'ctx>>,
    glue: FxHashMap<(CountOp, Ty), FunctionValue<'ctx>>,
    /// Glue that is declared and not yet defined.
    pending: Vec<Function>,
}

impl<'ctx> Cx<'ctx> {
    fn new(context: &'ctx Context, name: &str, machine: &TargetMachine, opt_level: u8) -> Self {
        let module = context.create_module(name);
        let arch = match machine.get_triple().as_str().to_bytes().starts_with(b"aarch64") {
            true => Arch::Aarch64,
            false => Arch::X86_64,
        };
        module.set_triple(&machine.get_triple());
        module.set_data_layout(&machine.get_target_data().get_data_layout());
        Cx {
            context,
            module,
            opt_level,
            arch,
            attributes: abi::Attributes::new(context),
            tags: Tags::new(context),
            functions: FxHashMap::default(),
            signatures: FxHashMap::default(),
            runtime: FxHashMap::default(),
            globals: FxHashMap::default(),
            strings: FxHashMap::default(),
            zeros: None,
            intrinsics: FxHashMap::default(),
            glue: FxHashMap::default(),
            pending: Vec::new(),
        }
    }

    pub fn ptr(&self) -> PointerType<'ctx> {
        self.context.ptr_type(Default::default())
    }
    pub fn word(&self) -> IntType<'ctx> {
        self.context.i64_type()
    }
    /// Memory without structure.
    pub fn bytes(&self, size: u64) -> ArrayType<'ctx> {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.context.i8_type().array_type(size)
    }

    /// The type of a value in a register; `None` for `Void` and aggregates.
    pub fn scalar(&self, ty: Ty) -> Option<BasicTypeEnum<'ctx>> {
        Some(match ty.get() {
            TyKind::Bool => self.context.bool_type().into(),
            TyKind::Int { bits, .. } => self.int(*bits).into(),
            TyKind::F32 => self.context.f32_type().into(),
            TyKind::F64 => self.context.f64_type().into(),
            TyKind::Ptr | TyKind::Str | TyKind::Slice | TyKind::Func => self.ptr().into(),
            TyKind::Void
            | TyKind::Iface
            | TyKind::Array(..)
            | TyKind::Struct { .. }
            | TyKind::Tagged { .. } => return None,
        })
    }

    /// The type of a value in memory, of the size that [`ty::layout`] gives.
    pub fn memory(&self, ty: Ty) -> BasicTypeEnum<'ctx> {
        match ty.get() {
            TyKind::Bool => self.context.i8_type().into(),
            _ => self.scalar(ty).unwrap_or_else(|| self.bytes(ty::layout(ty).size).into()),
        }
    }

    pub fn int(&self, bits: u8) -> IntType<'ctx> {
        match bits {
            8 => self.context.i8_type(),
            16 => self.context.i16_type(),
            32 => self.context.i32_type(),
            _ => self.context.i64_type(),
        }
    }

    /// How a declared function is called; `env` adds the hidden parameter.
    pub fn signature(&mut self, decl: Decl) -> Signature<'ctx> {
        if let Some(signature) = self.signatures.get(&decl) {
            return signature.clone();
        }
        let signature = Signature::new(self, &decl.params, decl.ret, decl.abi);
        self.signatures.insert(decl, signature.clone());
        signature
    }

    /// The function of a declaration, declared if need be.
    pub fn function(&mut self, decl: Decl, env: bool) -> FunctionValue<'ctx> {
        if let Some(function) = self.functions.get(&decl.symbol) {
            return *function;
        }
        let signature = self.signature(decl);
        let function = self.declare(&decl.symbol, &signature, env);
        if decl.abi == Abi::Cm && decl.symbol != "main" {
            function.as_global_value().set_visibility(GlobalVisibility::Hidden);
        }
        self.functions.insert(decl.symbol, function);
        function
    }

    fn declare(&self, symbol: &str, signature: &Signature<'ctx>, env: bool) -> FunctionValue<'ctx> {
        let ty = signature.function_type(self, env);
        let function = self.module.add_function(symbol, ty, Some(Linkage::External));
        for (loc, attribute) in signature.attributes(self, env) {
            function.add_attribute(loc, attribute);
        }
        function.add_attribute(AttributeLoc::Function, self.attributes.nounwind);
        function
    }

    /// A function of the run-time library.
    pub fn runtime(&mut self, rt: Rt) -> FunctionValue<'ctx> {
        if let Some(function) = self.runtime.get(&rt) {
            return *function;
        }
        let signature = Signature::new(self, &rt.params(), rt.ret(), Abi::Cm);
        let function = self.declare(rt.symbol(), &signature, false);
        match rt {
            Rt::Panic => {
                function.add_attribute(AttributeLoc::Function, self.attributes.noreturn);
                function.add_attribute(AttributeLoc::Function, self.attributes.cold);
            }
            Rt::SliceGrow => {
                function.add_attribute(AttributeLoc::Function, self.attributes.cold);
                function.add_attribute(AttributeLoc::Return, self.attributes.nonnull);
            }
            Rt::Alloc | Rt::SliceNew | Rt::SliceSub => {
                function.add_attribute(AttributeLoc::Return, self.attributes.noalias);
                function.add_attribute(AttributeLoc::Return, self.attributes.nonnull);
            }
            Rt::Malloc | Rt::Realloc => {
                function.add_attribute(AttributeLoc::Return, self.attributes.noalias);
            }
            _ => {}
        }
        self.runtime.insert(rt, function);
        function
    }

    /// The function that counts references in values of a type. Each unit has its own.
    pub fn glue(&mut self, op: CountOp, ty: Ty) -> FunctionValue<'ctx> {
        if let Some(function) = self.glue.get(&(op, ty)) {
            return *function;
        }
        let verb = if op == CountOp::Retain { "retain" } else { "release" };
        let symbol = Name::new(&format!("cm.{verb}.{}", self.glue.len()));
        let definition = glue::function(symbol, op, ty);
        let function = self.function(definition.decl, false);
        function.as_global_value().set_visibility(GlobalVisibility::Default);
        function.set_linkage(Linkage::Internal);
        self.glue.insert((op, ty), function);
        self.pending.push(definition);
        function
    }

    /// An overloaded intrinsic; `key` are the types that tell its instances apart.
    pub fn intrinsic(
        &mut self,
        name: &'static str,
        key: (Ty, Ty),
        types: &[BasicTypeEnum<'ctx>],
    ) -> FunctionValue<'ctx> {
        let module = &self.module;
        *self.intrinsics.entry((name, key.0, key.1)).or_insert_with(|| {
            Intrinsic::find(name)
                .and_then(|intrinsic| intrinsic.get_declaration(module, types))
                .expect("invariant: LLVM 22 has this intrinsic")
        })
    }

    /// The address of a global, declared if need be.
    pub fn global(&mut self, decl: GlobalRef) -> PointerValue<'ctx> {
        self.declare_global(decl).as_pointer_value()
    }

    fn declare_global(&mut self, decl: GlobalRef) -> GlobalValue<'ctx> {
        if let Some(global) = self.globals.get(&decl.symbol) {
            return *global;
        }
        let global = self.module.add_global(self.memory(decl.ty), None, &decl.symbol);
        global.set_visibility(GlobalVisibility::Hidden);
        global.set_alignment(ty::layout(decl.ty).align as u32);
        self.globals.insert(decl.symbol, global);
        global
    }

    fn define_global(&mut self, global: &Global, private: bool) -> Result<()> {
        let init = constant::memory(self, &global.init)?;
        // The initializer's type has the size but not the shape of the declared one.
        let value = self.module.add_global(init.get_type(), None, &global.decl.symbol);
        if let Some(declared) = self.globals.insert(global.decl.symbol, value) {
            value.set_name("");
            declared.as_pointer_value().replace_all_uses_with(value.as_pointer_value());
            // SAFETY: nothing refers to it any more: its uses were replaced, and the table has the
            // definition now.
            unsafe { declared.delete() };
            value.set_name(&global.decl.symbol);
        }
        match private {
            true => value.set_linkage(Linkage::Internal),
            false => value.set_visibility(GlobalVisibility::Hidden),
        }
        value.set_alignment(ty::layout(global.decl.ty).align as u32);
        value.set_constant(global.constant);
        value.set_initializer(&init);
        Ok(())
    }

    /// The bytes of a string literal: a static string (`docs/abi.md`).
    pub fn string(&mut self, text: Name) -> PointerValue<'ctx> {
        if text.is_empty() {
            return self.ptr().const_null();
        }
        if let Some(bytes) = self.strings.get(&text) {
            return *bytes;
        }
        let length = self.word().const_int(text.len() as u64, false);
        let bytes = self.context.const_string(text.as_bytes(), true);
        let fields = [length.into(), self.immortal().into(), bytes.into()];
        let object = self.private(&self.context.const_struct(&fields, false), true);
        let address = self.offset_const(object.as_pointer_value(), abi::STRING_HEADER);
        self.strings.insert(text, address);
        address
    }

    /// Some words of zeros: what foreign functions see of an empty string, and where the length of
    /// null is read.
    pub fn zeros(&mut self) -> PointerValue<'ctx> {
        if let Some(zeros) = self.zeros {
            return zeros;
        }
        let words = self.word().array_type(3).const_zero();
        let zeros = self.private(&words, true).as_pointer_value();
        *self.zeros.insert(zeros)
    }

    /// The reference count of what is never freed.
    pub fn immortal(&self) -> IntValue<'ctx> {
        self.word().const_int(abi::IMMORTAL, true)
    }

    /// The function value of a function without captures. Every unit that uses it defines it; the
    /// linker keeps one.
    pub fn function_value(&mut self, decl: Decl) -> PointerValue<'ctx> {
        let symbol = Name::new(&format!("{}.fn", decl.symbol));
        let object = match self.globals.get(&symbol) {
            Some(object) => *object,
            None => {
                let code = self.function(decl, false).as_global_value().as_pointer_value();
                let init = self.context.const_struct(&[self.immortal().into(), code.into()], false);
                let object = self.module.add_global(init.get_type(), None, &symbol);
                object.set_linkage(Linkage::LinkOnceODR);
                object.set_visibility(GlobalVisibility::Hidden);
                object.set_alignment(8);
                object.set_constant(true);
                object.set_initializer(&init);
                self.globals.insert(symbol, object);
                object
            }
        };
        self.offset_const(object.as_pointer_value(), abi::COUNT)
    }

    /// A nameless static object. Constants of equal contents may be merged.
    pub fn private(&self, init: &dyn BasicValue<'ctx>, constant: bool) -> GlobalValue<'ctx> {
        let init = init.as_basic_value_enum();
        let object = self.module.add_global(init.get_type(), None, "");
        object.set_linkage(Linkage::Private);
        object.set_unnamed_addr(constant);
        object.set_constant(constant);
        object.set_alignment(8);
        object.set_initializer(&init);
        object
    }

    /// The constant address `bytes` after another.
    pub fn offset_const(&self, address: PointerValue<'ctx>, bytes: u64) -> PointerValue<'ctx> {
        let offset = self.word().const_int(bytes, false);
        // SAFETY: the offset stays inside the object.
        unsafe { address.const_in_bounds_gep(self.context.i8_type(), &[offset]) }
    }

    /// An attribute of parameters that says what memory they point to.
    pub fn typed_attribute(&self, name: &str, ty: Ty) -> Attribute {
        self.type_attribute(name, self.memory(ty).as_any_type_enum())
    }

    /// An attribute with a type.
    pub fn type_attribute(&self, name: &str, ty: AnyTypeEnum<'ctx>) -> Attribute {
        let kind = Attribute::get_named_enum_kind_id(name);
        self.context.create_type_attribute(kind, ty)
    }

    /// An attribute of parameters that says how many bytes behind a pointer are readable.
    pub fn dereferenceable(&self, ty: Ty) -> Attribute {
        let size = ty::layout(ty).size;
        self.context.create_enum_attribute(self.attributes.dereferenceable_kind, size)
    }
}
