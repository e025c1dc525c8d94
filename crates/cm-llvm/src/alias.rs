//! What LLVM is told of accesses that never meet: those of the headers of slices and strings, of reference
//! counts, of slice handles (the pointers to headers) and of all other data. Data of different types may meet: programs
//! may look at it through pointers of any type. But headers and counts are out of their reach.

use crate::{EmitError, Result};
use cm_mir::{
    mir::{Place, Projection},
    ty::{self, Ty, TyKind},
};
use inkwell::{
    context::Context,
    values::{InstructionValue, MetadataValue},
};

/// What is accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// Data pointer, length and capacity of a slice; the length of a string.
    Header,
    /// The reference count of an object.
    Count,
    /// A pointer to a slice header.
    Handle,
    /// What holds no handle.
    Data,
    /// Handles or data.
    Value,
}

impl Memory {
    /// What a value of this type is.
    pub fn of_type(ty: Ty) -> Memory {
        match ty.get() {
            TyKind::Slice => Memory::Handle,
            TyKind::Array(..) | TyKind::Struct { .. } | TyKind::Tagged { .. } => Memory::Value,
            _ => Memory::Data,
        }
    }

    /// What a value of this type is at a place. Variants of tagged values share their memory.
    pub fn of_place(place: &Place, ty: Ty) -> Memory {
        let through = |step: &Projection| matches!(step, Projection::Deref(_));
        let last = place.projections.iter().rposition(through);
        let inside = &place.projections[last.map_or(0, |last| last + 1)..];
        if let Some(Projection::Deref(object)) = last.map(|last| &place.projections[last])
            && *object == ty::slice_header()
        {
            return Memory::Header;
        }
        if inside.iter().any(|step| matches!(step, Projection::Variant(_))) {
            return Memory::Value;
        }
        Memory::of_type(ty)
    }
}

/// The tags of accesses (LLVM's type-based alias analysis).
pub struct Tags<'ctx> {
    kind: u32,
    header: MetadataValue<'ctx>,
    count: MetadataValue<'ctx>,
    handle: MetadataValue<'ctx>,
    data: MetadataValue<'ctx>,
    value: MetadataValue<'ctx>,
}

impl<'ctx> Tags<'ctx> {
    pub fn new(context: &'ctx Context) -> Self {
        let zero = context.i64_type().const_zero();
        let ty = |name, parent: MetadataValue<'ctx>| {
            let name = context.metadata_string(name);
            context.metadata_node(&[name.into(), parent.into(), zero.into()])
        };
        let tag =
            |ty: MetadataValue<'ctx>| context.metadata_node(&[ty.into(), ty.into(), zero.into()]);
        let root = context.metadata_node(&[context.metadata_string("Cm").into()]);
        let value = ty("value", root);
        Tags {
            kind: context.get_kind_id("tbaa"),
            header: tag(ty("header", root)),
            count: tag(ty("count", root)),
            handle: tag(ty("handle", value)),
            data: tag(ty("data", value)),
            value: tag(value),
        }
    }

    /// Says what an instruction accesses.
    pub fn set(&self, access: InstructionValue<'ctx>, memory: Memory) -> Result<()> {
        let tag = match memory {
            Memory::Header => self.header,
            Memory::Count => self.count,
            Memory::Handle => self.handle,
            Memory::Data => self.data,
            Memory::Value => self.value,
        };
        access.set_metadata(tag, self.kind).map_err(|e| EmitError::Llvm(e.to_string()))
    }
}
