//! How values get into and out of functions (`docs/abi.md`).

use crate::module::Cx;
use cm_mir::{
    mir::Abi,
    ty::{Ty, TyKind},
};
use inkwell::{
    attributes::{Attribute, AttributeLoc},
    context::Context,
    types::{BasicMetadataTypeEnum, BasicType, FunctionType},
};

/// Changes when objects of the old convention and of the new one do not fit together.
pub const VERSION: u32 = 1;
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
    pub nest: Attribute,
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
            nest: flag("nest"),
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

/// How a function is called: an aggregate result is written through a pointer that is the first
/// parameter, aggregate parameters are pointers to values that the callee copies, and the
/// environment is the last.
#[derive(Clone)]
pub struct Signature<'ctx> {
    /// As in MIR.
    pub params: Vec<Ty>,
    /// As in MIR.
    pub ret: Ty,
    /// As in MIR.
    pub abi: Abi,
    types: Vec<BasicMetadataTypeEnum<'ctx>>,
}

impl<'ctx> Signature<'ctx> {
    pub fn new(cx: &Cx<'ctx>, params: &[Ty], ret: Ty, abi: Abi) -> Self {
        let result = returns_by_pointer(ret).then(|| cx.ptr().into());
        let types = result
            .into_iter()
            .chain(params.iter().map(|ty| cx.scalar(*ty).unwrap_or(cx.ptr().into()).into()))
            .collect();
        Signature { params: params.to_vec(), ret, abi, types }
    }

    /// The result is written through the first parameter.
    pub fn returns_by_pointer(&self) -> bool {
        returns_by_pointer(self.ret)
    }

    pub fn function_type(&self, cx: &Cx<'ctx>, env: bool) -> FunctionType<'ctx> {
        let mut types = self.types.clone();
        types.extend(env.then(|| BasicMetadataTypeEnum::from(cx.ptr())));
        let variadic = self.abi == Abi::CVariadic;
        match cx.scalar(self.ret) {
            Some(ret) => ret.fn_type(&types, variadic),
            None => cx.context.void_type().fn_type(&types, variadic),
        }
    }

    /// The attributes of result and parameters, the same at the definition and at calls.
    pub fn attributes(&self, cx: &Cx<'ctx>, env: bool) -> Vec<(AttributeLoc, Attribute)> {
        let first = u32::from(self.returns_by_pointer());
        let mut attributes = Vec::new();
        if first == 1 {
            if cx.opt_level > 0 {
                attributes.push((AttributeLoc::Param(0), cx.attributes.noalias));
                attributes.push((AttributeLoc::Param(0), cx.dereferenceable(self.ret)));
            }
        } else if let Some(extension) = cx.attributes.extension(self.ret) {
            attributes.push((AttributeLoc::Return, extension));
        }
        for (index, ty) in (first..).zip(&self.params) {
            if cx.scalar(*ty).is_none() {
                if cx.opt_level == 0 {
                    continue;
                }
                attributes.push((AttributeLoc::Param(index), cx.dereferenceable(*ty)));
            } else if let Some(extension) = cx.attributes.extension(*ty) {
                attributes.push((AttributeLoc::Param(index), extension));
            }
        }
        if env {
            let index = first + self.params.len() as u32;
            attributes.push((AttributeLoc::Param(index), cx.attributes.nest));
        }
        attributes
    }
}

fn returns_by_pointer(ret: Ty) -> bool {
    !ret.is_scalar() && *ret.get() != TyKind::Void
}
