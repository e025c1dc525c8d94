//! How values get into and out of functions (`docs/abi.md`).

use crate::{
    classify::{self, Registers},
    module::Cx,
};
use cm_mir::{
    mir::Abi,
    ty::{Ty, TyKind},
};
use inkwell::{
    attributes::{Attribute, AttributeLoc},
    context::Context,
    types::{BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FunctionType},
};

/// Bytes before those of a string: length and reference count.
pub const STRING_HEADER: u64 = 16;
/// Bytes of the reference count, before any counted object.
pub const COUNT: u64 = 8;
/// Count of objects that are never freed.
pub const IMMORTAL: u64 = i64::MIN as u64;

/// The attributes that declarations and calls use.
pub struct Attributes {
    pub nounwind: Attribute,
    pub noreturn: Attribute,
    pub cold: Attribute,
    pub noalias: Attribute,
    pub nonnull: Attribute,
    pub nest: Attribute,
    noundef: Attribute,
    zeroext: Attribute,
    signext: Attribute,
    pub dereferenceable_kind: u32,
}

impl Attributes {
    pub fn new(context: &Context) -> Self {
        let flag = |name| context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), 0);
        Attributes {
            nounwind: flag("nounwind"),
            noreturn: flag("noreturn"),
            cold: flag("cold"),
            noalias: flag("noalias"),
            nonnull: flag("nonnull"),
            nest: flag("nest"),
            noundef: flag("noundef"),
            zeroext: flag("zeroext"),
            signext: flag("signext"),
            dereferenceable_kind: Attribute::get_named_enum_kind_id("dereferenceable"),
        }
    }

    /// What the callee may assume of the upper bits of a value.
    fn extension(&self, ty: Ty) -> Option<Attribute> {
        match ty.get() {
            TyKind::Bool => Some(self.zeroext),
            TyKind::Int { bits: 8 | 16, signed } => {
                Some(if *signed { self.signext } else { self.zeroext })
            }
            _ => None,
        }
    }
}

/// How one value gets into or out of a function.
#[derive(Clone, Debug)]
pub enum Pass<'ctx> {
    /// There is none.
    Nothing,
    /// A scalar, as it is.
    Direct(BasicTypeEnum<'ctx>),
    /// Cm's aggregates: a pointer to the value, which the callee copies, or to the place of the result.
    Pointer,
    /// C's aggregates in registers: the contents of each, and where they are in the aggregate.
    Pieces(Vec<(BasicTypeEnum<'ctx>, u64)>),
    /// C's aggregates in the argument area of the stack.
    ByVal,
    /// C's aggregates behind a pointer to a copy that belongs to the callee.
    Copy,
    /// C's aggregate results, written through a pointer.
    Sret,
}

/// How a function is called: an aggregate result is written through a pointer that is the first
/// parameter, aggregate parameters are pointers to values that the callee copies, and the
/// environment is the last. With C's convention aggregates go as C has it.
#[derive(Clone)]
pub struct Signature<'ctx> {
    /// As in MIR.
    pub params: Vec<Ty>,
    /// As in MIR.
    pub ret: Ty,
    /// As in MIR.
    pub abi: Abi,
    /// How each parameter is passed.
    pub passes: Vec<Pass<'ctx>>,
    /// How the result is.
    pub result: Pass<'ctx>,
}

impl<'ctx> Signature<'ctx> {
    pub fn new(cx: &Cx<'ctx>, params: &[Ty], ret: Ty, abi: Abi) -> Self {
        let foreign = abi != Abi::Cm;
        let result = match cx.scalar(ret) {
            Some(scalar) => Pass::Direct(scalar),
            None if *ret.get() == TyKind::Void => Pass::Nothing,
            None if foreign => classify::result(cx, ret),
            None => Pass::Pointer,
        };
        let mut registers = Registers::new();
        if let Pass::Sret = result {
            registers.take(false);
        }
        let pass = |ty: &Ty| match cx.scalar(*ty) {
            Some(scalar) => {
                registers.take(classify::is_float(*ty));
                Pass::Direct(scalar)
            }
            None if foreign => classify::parameter(cx, *ty, &mut registers),
            None => Pass::Pointer,
        };
        let passes = params.iter().map(pass).collect();
        Signature { params: params.to_vec(), ret, abi, passes, result }
    }

    /// It is called by C's convention.
    pub fn is_foreign(&self) -> bool {
        self.abi != Abi::Cm
    }

    /// The result is written through the first parameter.
    pub fn returns_by_pointer(&self) -> bool {
        matches!(self.result, Pass::Pointer | Pass::Sret)
    }

    pub fn function_type(&self, cx: &Cx<'ctx>, env: bool) -> FunctionType<'ctx> {
        let mut types: Vec<BasicMetadataTypeEnum> = Vec::with_capacity(self.passes.len() + 2);
        types.extend(self.returns_by_pointer().then(|| BasicMetadataTypeEnum::from(cx.ptr())));
        for pass in &self.passes {
            match pass {
                Pass::Direct(scalar) => types.push((*scalar).into()),
                Pass::Pieces(pieces) => {
                    types.extend(pieces.iter().map(|(ty, _)| BasicMetadataTypeEnum::from(*ty)))
                }
                _ => types.push(cx.ptr().into()),
            }
        }
        types.extend(env.then(|| BasicMetadataTypeEnum::from(cx.ptr())));
        let variadic = self.abi == Abi::CVariadic;
        match &self.result {
            Pass::Direct(scalar) => scalar.fn_type(&types, variadic),
            Pass::Pieces(pieces) => pieces_type(cx, pieces).fn_type(&types, variadic),
            _ => cx.context.void_type().fn_type(&types, variadic),
        }
    }

    /// The attributes of result and parameters, the same at the definition and at calls.
    pub fn attributes(&self, cx: &Cx<'ctx>, env: bool) -> Vec<(AttributeLoc, Attribute)> {
        let mut attributes = Vec::new();
        // Every value of ours is defined; of foreign functions we know nothing.
        let defined = cx.opt_level > 0 && !self.is_foreign();
        let mut index = 0;
        if self.returns_by_pointer() {
            index = 1;
            let first = AttributeLoc::Param(0);
            if let Pass::Sret = self.result {
                attributes.push((first, cx.typed_attribute("sret", self.ret)));
            } else if cx.opt_level > 0 {
                attributes.push((first, cx.attributes.noalias));
                attributes.push((first, cx.dereferenceable(self.ret)));
            }
        } else if let Some(extension) = cx.attributes.extension(self.ret) {
            attributes.push((AttributeLoc::Return, extension));
        }
        if let (Pass::Direct(_), true) = (&self.result, defined) {
            attributes.push((AttributeLoc::Return, cx.attributes.noundef));
        }
        for (pass, ty) in self.passes.iter().zip(&self.params) {
            let loc = AttributeLoc::Param(index);
            index += 1;
            match pass {
                Pass::Direct(_) => {
                    attributes.extend(defined.then_some((loc, cx.attributes.noundef)));
                    attributes
                        .extend(cx.attributes.extension(*ty).map(|attribute| (loc, attribute)));
                }
                Pass::Pointer if cx.opt_level > 0 => {
                    attributes.push((loc, cx.dereferenceable(*ty)));
                }
                Pass::ByVal => attributes.push((loc, cx.typed_attribute("byval", *ty))),
                Pass::Pieces(pieces) => index += pieces.len() as u32 - 1,
                _ => {}
            }
        }
        attributes.extend(env.then_some((AttributeLoc::Param(index), cx.attributes.nest)));
        attributes
    }
}

/// The type that holds all pieces of a result.
fn pieces_type<'ctx>(cx: &Cx<'ctx>, pieces: &[(BasicTypeEnum<'ctx>, u64)]) -> BasicTypeEnum<'ctx> {
    match pieces {
        [(piece, _)] => *piece,
        _ => {
            let types: Vec<_> = pieces.iter().map(|(piece, _)| *piece).collect();
            cx.context.struct_type(&types, false).into()
        }
    }
}
