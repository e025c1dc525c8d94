//! Zero values and constants of any type, written to memory.

use super::Lower;
use crate::{
    builder::{number, pointer, word},
    consts, types,
};
use cm_hir::{
    struct_type,
    thir::ConstValue,
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, Operand, Place, Projection, Rvalue},
    runtime::Rt,
    ty::{is_counted, layout},
};

/// Capacity of a slice without elements.
const CAPACITY: u64 = 4;

impl Lower<'_, '_> {
    /// Writes the zero value. Each slice in it gets a buffer of its own, so that copies of the
    /// handle share it.
    pub(super) fn zero(&mut self, place: Place, ty: Ty) {
        let lowered = self.cx.ty(ty);
        if matches!(lowered.get(), cm_mir::ty::TyKind::Void) {
            return;
        }
        if !types::zero_has_slices(self.cx.db, ty) {
            return self.builder.store(place, Operand::constant(lowered, mir::ConstValue::Zero));
        }
        match ty.get() {
            TyKind::Slice(elem) => {
                let slice = self.new_slice(*elem, 0, CAPACITY);
                self.builder.store(place, slice);
            }
            TyKind::Array(elem, len) => self.zero_array(place, *elem, *len),
            TyKind::Struct(..) => {
                let fields = struct_type(self.cx.db, ty).as_deref().map_or(&[][..], |d| &d.fields);
                for (index, (_, ty)) in fields.iter().enumerate() {
                    self.zero(place.clone().project(Projection::Field(index as u32)), *ty);
                }
            }
            _ => {
                let payload = types::first_payload(self.cx.db, ty).map(|ty| {
                    let lowered = self.cx.ty(ty);
                    let temp = self.builder.temp(lowered);
                    self.zero(temp.into(), ty);
                    Operand::copy(temp)
                });
                self.builder.assign(place, Rvalue::Tagged(lowered, 0, payload));
            }
        }
    }

    fn zero_array(&mut self, place: Place, elem: Ty, len: u64) {
        let index = self.builder.variable(word(), cm_base::Name::new(""));
        self.builder.store(index, number(0));
        let (head, after) = (self.builder.block(), self.builder.block());
        self.builder.goto(head);
        self.builder.at(head);
        self.zero(place.project(Projection::Index(Operand::copy(index))), elem);
        let next = Rvalue::Binary(mir::BinOp::Add, Operand::copy(index), number(1));
        self.builder.assign(index, next);
        let more = self.builder.binary(mir::BinOp::Lt, word(), Operand::copy(index), number(len));
        self.builder.branch(more, head, after);
        self.builder.at(after);
    }

    /// A new slice with zeroed elements.
    pub(super) fn new_slice(&mut self, elem: Ty, len: u64, capacity: u64) -> Operand {
        let (size, glue) = (self.size(elem), self.glue(elem));
        self.builder.runtime(Rt::SliceNew, vec![size, number(len), number(capacity), glue])
    }

    /// What releases the elements of a slice; null if they hold no references.
    pub(super) fn glue(&mut self, elem: Ty) -> Operand {
        let lowered = self.cx.ty(elem);
        let glue = match is_counted(lowered) {
            true => mir::ConstValue::Glue(lowered),
            false => mir::ConstValue::Zero,
        };
        Operand::constant(pointer(), glue)
    }

    /// The size of a type in bytes.
    pub(super) fn size(&mut self, ty: Ty) -> Operand {
        number(layout(self.cx.ty(ty)).size)
    }

    /// Writes a constant. Slices in it are new ones.
    pub(super) fn constant_into(&mut self, place: Place, ty: Ty, value: &ConstValue) {
        if matches!(value, ConstValue::Zero) {
            return self.zero(place, ty);
        }
        let ty = types::underlying(ty);
        if !types::zero_has_slices(self.cx.db, ty) {
            let operand = self.constant(ty, value);
            return self.builder.store(place, operand);
        }
        match (value, ty.get()) {
            (ConstValue::Aggregate(values), TyKind::Slice(elem)) => {
                let len = values.len() as u64;
                let slice = self.new_slice(*elem, len, len.max(1));
                let data = self.slice_elements(slice.clone(), *elem, len);
                for (index, value) in values.iter().enumerate() {
                    let element = data.clone().project(Projection::Index(number(index as u64)));
                    self.constant_into(element, *elem, value);
                }
                self.builder.store(place, slice);
            }
            (ConstValue::Aggregate(values), TyKind::Array(elem, len)) => {
                for index in 0..*len {
                    let value = values.get(index as usize).unwrap_or(&ConstValue::Zero);
                    let element = place.clone().project(Projection::Index(number(index)));
                    self.constant_into(element, *elem, value);
                }
            }
            (ConstValue::Aggregate(values), _) => {
                let fields = struct_type(self.cx.db, ty).as_deref().map_or(&[][..], |d| &d.fields);
                for (index, (_, ty)) in fields.iter().enumerate() {
                    let value = values.get(index).unwrap_or(&ConstValue::Zero);
                    let field = place.clone().project(Projection::Field(index as u32));
                    self.constant_into(field, *ty, value);
                }
            }
            _ => {
                let operand = self.constant(ty, value);
                self.builder.store(place, operand);
            }
        }
    }

    /// A constant as an operand. Slices in it are static.
    pub(super) fn constant(&mut self, ty: Ty, value: &ConstValue) -> Operand {
        let constant = self.cx.constant(ty, value);
        if consts::holds_slice(&constant) {
            let symbol = self.cx.part();
            return Operand::copy(self.cx.global(symbol, constant, false));
        }
        Operand::Const(Box::new(constant))
    }

    /// The elements of a slice of at least this length as a fixed array.
    pub(super) fn slice_elements(&mut self, slice: Operand, elem: Ty, len: u64) -> Place {
        let array = cm_mir::ty::TyKind::Array(self.cx.ty(elem), len).intern();
        let data = self.builder.slice_field(slice, 0);
        let data = self.builder.stable(Operand::copy(data), pointer());
        self.builder.deref(data, array)
    }
}
