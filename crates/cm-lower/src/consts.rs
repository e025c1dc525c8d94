//! Constants as static data.

use crate::{item, types};
use cm_db::Db;
use cm_hir::{
    struct_type,
    thir::{ConstValue, Instance},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, Const},
    ty::TyKind as MirKind,
};

/// Zero values with slices in arrays longer than this stay null slices.
const EXPAND: u64 = 1 << 16;

/// A constant as static data: slices become static ones, shared by all who read it. `used` is told
/// the functions it refers to.
pub(crate) fn lower(
    db: &dyn Db,
    ty: Ty,
    value: &ConstValue,
    used: &mut dyn FnMut(&Instance),
) -> Const {
    let ty = types::underlying(ty);
    let elements = |elem: Ty, values: &[ConstValue], used: &mut dyn FnMut(&Instance)| {
        values.iter().map(|value| lower(db, elem, value, used)).collect::<Vec<_>>()
    };
    let lowered = match (value, ty.get()) {
        (ConstValue::Zero, _) => zero(db, ty, used),
        (ConstValue::Int(value), TyKind::Float(_)) => float(db, ty, i128::from(*value) as f64),
        (ConstValue::Int(value), _) => int(db, ty, (*value).into()),
        (ConstValue::Float(bits), _) => float(db, ty, f64::from_bits(*bits)),
        (ConstValue::Bool(value), _) => mir::ConstValue::Int(u64::from(*value)),
        (ConstValue::Char(value), _) => mir::ConstValue::Int(u64::from(*value)),
        (ConstValue::Str(text), _) => mir::ConstValue::Str(until_nul(text).into()),
        (ConstValue::Aggregate(values), TyKind::Slice(elem)) => {
            mir::ConstValue::Slice(elements(*elem, values, used))
        }
        (ConstValue::Aggregate(values), TyKind::Array(elem, len)) => {
            let mut parts = elements(*elem, values, used);
            let len = usize::try_from(*len).unwrap_or(parts.len());
            if parts.len() < len {
                parts.resize(len, lower(db, *elem, &ConstValue::Zero, used));
            }
            mir::ConstValue::Aggregate(parts)
        }
        (ConstValue::Aggregate(values), _) => {
            let fields = struct_type(db, ty).as_deref().map_or(&[][..], |def| &def.fields);
            let mut parts = Vec::new();
            for (index, (_, ty)) in fields.iter().enumerate() {
                parts.push(lower(db, *ty, values.get(index).unwrap_or(&ConstValue::Zero), used));
            }
            mir::ConstValue::Aggregate(parts)
        }
        // In a comparison of tags a variant stands without its payload.
        (ConstValue::Tag(tag), _) => tagged(db, ty, *tag, &ConstValue::Zero, used),
        (ConstValue::Variant(variant), _) => tagged(db, ty, variant.0, &variant.1, used),
        (ConstValue::Function(instance), _) => {
            used(instance);
            match item::decl(db, instance) {
                Some(decl) => mir::ConstValue::Function(decl),
                None => mir::ConstValue::Zero,
            }
        }
    };
    Const { ty: types::lower(db, ty), value: lowered }
}

/// A number of an integer type, which most constants are.
pub(crate) fn number(ty: Ty, value: &ConstValue) -> Option<Const> {
    let (ConstValue::Int(value), TyKind::Int(int)) = (value, ty.get()) else { return None };
    let bits = i128::from(*value) as u64 & (u64::MAX >> (64 - u32::from(int.bits())));
    Some(Const { ty: types::integer(*int), value: mir::ConstValue::Int(bits) })
}

/// A NUL in a string ends it.
pub(crate) fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or(text)
}

/// Some part of it is a slice, which only statics can hold.
pub(crate) fn holds_slice(value: &Const) -> bool {
    match &value.value {
        mir::ConstValue::Slice(_) => true,
        mir::ConstValue::Aggregate(parts) => parts.iter().any(holds_slice),
        mir::ConstValue::Tagged(_, Some(payload)) => holds_slice(payload),
        _ => false,
    }
}

fn int(db: &dyn Db, ty: Ty, value: i128) -> mir::ConstValue {
    match types::lower(db, ty).get() {
        MirKind::Int { bits, .. } => {
            mir::ConstValue::Int(value as u64 & (u64::MAX >> (64 - u32::from(*bits))))
        }
        MirKind::Bool => mir::ConstValue::Int(u64::from(value != 0)),
        MirKind::Tagged { .. } => mir::ConstValue::Tagged(value as u32, None),
        _ => mir::ConstValue::Zero,
    }
}

fn tagged(
    db: &dyn Db,
    ty: Ty,
    variant: u32,
    value: &ConstValue,
    used: &mut dyn FnMut(&Instance),
) -> mir::ConstValue {
    let tag = match ty.get() {
        TyKind::Union(members) => types::union_tag(members, variant),
        _ => variant,
    };
    let payload = types::payload(db, ty, variant);
    mir::ConstValue::Tagged(tag, payload.map(|ty| Box::new(lower(db, ty, value, used))))
}

fn float(db: &dyn Db, ty: Ty, value: f64) -> mir::ConstValue {
    mir::ConstValue::Float(match types::lower(db, ty).get() {
        MirKind::F32 => u64::from((value as f32).to_bits()),
        _ => value.to_bits(),
    })
}

/// The zero value of a static: zeros, but for slices, which must be able to be shared.
fn zero(db: &dyn Db, ty: Ty, used: &mut dyn FnMut(&Instance)) -> mir::ConstValue {
    if !types::zero_has_slices(db, ty) {
        return mir::ConstValue::Zero;
    }
    let mut part = |ty: Ty| lower(db, ty, &ConstValue::Zero, used);
    match ty.get() {
        TyKind::Slice(_) => mir::ConstValue::Slice(Vec::new()),
        TyKind::Array(elem, len) if *len <= EXPAND => {
            mir::ConstValue::Aggregate(vec![part(*elem); *len as usize])
        }
        TyKind::Struct(..) => {
            let fields = struct_type(db, ty).as_deref().map_or(&[][..], |def| &def.fields);
            mir::ConstValue::Aggregate(fields.iter().map(|(_, ty)| part(*ty)).collect())
        }
        TyKind::Enum(..) | TyKind::Union(_) => {
            let payload = types::first_payload(db, ty).map(|ty| Box::new(part(ty)));
            mir::ConstValue::Tagged(0, payload)
        }
        _ => mir::ConstValue::Zero,
    }
}
