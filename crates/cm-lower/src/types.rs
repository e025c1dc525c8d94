//! Types of the language as types of MIR, and what follows from them.

use cm_base::Name;
use cm_db::Db;
use cm_hir::{
    enum_type, struct_type,
    ty::{FloatTy, IntTy, Ty, TyKind},
};
use cm_mir::ty::{self as mty, TyKind as MirKind};

/// Types nested by value more deeply than this are treated as void: only erroneous programs have them.
const DEPTH: usize = 256;

/// The MIR type of a type.
pub(crate) fn lower(db: &dyn Db, ty: Ty) -> mty::Ty {
    match ty.get() {
        TyKind::Bool => MirKind::Bool.intern(),
        TyKind::Char => MirKind::unsigned(8),
        TyKind::Int(int) => integer(*int),
        TyKind::Float(FloatTy::Float | FloatTy::Ufloat) => MirKind::F32.intern(),
        TyKind::Float(FloatTy::Double | FloatTy::Udouble) => MirKind::F64.intern(),
        TyKind::Str => MirKind::Str.intern(),
        TyKind::Null | TyKind::CStr | TyKind::Pointer { .. } => MirKind::Ptr.intern(),
        TyKind::Slice(_) => MirKind::Slice.intern(),
        TyKind::Function(..) => MirKind::Func.intern(),
        TyKind::Interface(..) | TyKind::BuiltinInterface(_) => MirKind::Iface.intern(),
        TyKind::Literal(ty, _) => lower(db, *ty),
        TyKind::Array(elem, len) => MirKind::Array(lower(db, *elem), *len).intern(),
        TyKind::Struct(..) | TyKind::Enum(..) | TyKind::Union(_) => *crate::mir_ty(db, ty),
        // Only in erroneous bodies and in signatures of generic items, but for void itself.
        _ => MirKind::Void.intern(),
    }
}

/// The MIR type of an integer type.
pub(crate) fn integer(int: IntTy) -> mty::Ty {
    if int.signed() { MirKind::signed(int.bits()) } else { MirKind::unsigned(int.bits()) }
}

/// The MIR type of a parameter or result of a foreign function.
pub(crate) fn foreign(db: &dyn Db, ty: Ty) -> mty::Ty {
    match ty.get() {
        TyKind::Str | TyKind::Function(..) => MirKind::Ptr.intern(),
        TyKind::Literal(ty, _) => foreign(db, *ty),
        _ => lower(db, ty),
    }
}

/// Computes [`crate::mir_ty`]. It does not ask for the types of its parts as queries: a struct that
/// contains itself, which is reported elsewhere, would make them a cycle.
pub(crate) fn compute(db: &dyn Db, ty: &Ty) -> mty::Ty {
    nested(db, *ty, 0)
}

fn nested(db: &dyn Db, ty: Ty, depth: usize) -> mty::Ty {
    if depth > DEPTH {
        return MirKind::Void.intern();
    }
    match ty.get() {
        TyKind::Array(elem, len) => MirKind::Array(nested(db, *elem, depth + 1), *len).intern(),
        TyKind::Literal(ty, _) => nested(db, *ty, depth + 1),
        TyKind::Struct(..) => {
            let Some(def) = struct_type(db, ty) else { return MirKind::Void.intern() };
            let fields = def.fields.iter().map(|(_, ty)| nested(db, *ty, depth + 1)).collect();
            MirKind::Struct { name: def.name, fields }.intern()
        }
        TyKind::Enum(..) => match enum_type(db, ty).as_deref() {
            Some(def) if def.payload => {
                let payload = |ty: &Option<Ty>| match ty {
                    Some(ty) => nested(db, *ty, depth + 1),
                    None => MirKind::Void.intern(),
                };
                let variants = def.variants.iter().map(|(_, _, ty)| payload(ty)).collect();
                MirKind::Tagged { name: def.name, variants }.intern()
            }
            _ => MirKind::signed(32),
        },
        TyKind::Union(members) => {
            let mut variants = vec![MirKind::Void.intern(); members.len()];
            for (index, member) in members.iter().enumerate() {
                if *member.get() != TyKind::Null {
                    variants[union_tag(members, index as u32) as usize] =
                        nested(db, *member, depth + 1);
                }
            }
            MirKind::Tagged { name: Name::new(&crate::item::ty_symbol(ty)), variants }.intern()
        }
        _ => lower(db, ty),
    }
}

/// The tag of a union's member. The null member gets tag 0, wherever it stands: so the zero value of a
/// union is all zeros.
pub(crate) fn union_tag(members: &[Ty], index: u32) -> u32 {
    match members.iter().position(|ty| *ty.get() == TyKind::Null) {
        Some(null) if index == null as u32 => 0,
        Some(null) if index < null as u32 => index + 1,
        _ => index,
    }
}

/// Without the literals of a literal type.
pub(crate) fn underlying(ty: Ty) -> Ty {
    match ty.get() {
        TyKind::Literal(ty, _) => underlying(*ty),
        _ => ty,
    }
}

/// The element type of (arrays of arrays of …) `ty`.
pub(crate) fn innermost(ty: Ty) -> Ty {
    match ty.get() {
        TyKind::Array(elem, _) => innermost(*elem),
        _ => ty,
    }
}

/// Destroying a value of this type does something.
pub(crate) fn needs_drop(db: &dyn Db, ty: Ty) -> bool {
    fn nested(db: &dyn Db, ty: Ty, depth: usize) -> bool {
        match innermost(ty).get() {
            TyKind::Struct(..) if depth < DEPTH => {
                struct_type(db, innermost(ty)).as_deref().is_some_and(|def| {
                    def.destructor.is_some()
                        || def.fields.iter().any(|(_, ty)| nested(db, *ty, depth + 1))
                })
            }
            _ => false,
        }
    }
    nested(db, ty, 0)
}

/// The zero value of this type holds slices, each with a buffer of its own.
pub(crate) fn zero_has_slices(db: &dyn Db, ty: Ty) -> bool {
    fn nested(db: &dyn Db, ty: Ty, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match ty.get() {
            TyKind::Slice(_) => true,
            TyKind::Array(elem, _) => nested(db, *elem, depth + 1),
            TyKind::Struct(..) => struct_type(db, ty)
                .as_deref()
                .is_some_and(|def| def.fields.iter().any(|(_, ty)| nested(db, *ty, depth + 1))),
            TyKind::Enum(..) | TyKind::Union(_) => {
                first_payload(db, ty).is_some_and(|ty| nested(db, ty, depth + 1))
            }
            _ => false,
        }
    }
    nested(db, ty, 0)
}

/// The type of what the zero value of an enum or union holds.
pub(crate) fn first_payload(db: &dyn Db, ty: Ty) -> Option<Ty> {
    match ty.get() {
        TyKind::Enum(..) => {
            let def = enum_type(db, ty).as_deref().filter(|def| def.payload)?;
            def.variants.first()?.2
        }
        TyKind::Union(members) if !members.iter().any(|ty| *ty.get() == TyKind::Null) => {
            members.first().copied()
        }
        _ => None,
    }
}

/// The type of the payload of an enum's variant or a union's member.
pub(crate) fn payload(db: &dyn Db, ty: Ty, variant: u32) -> Option<Ty> {
    match ty.get() {
        TyKind::Enum(..) => enum_type(db, ty).as_deref()?.variants.get(variant as usize)?.2,
        TyKind::Union(members) => {
            members.get(variant as usize).copied().filter(|ty| *ty.get() != TyKind::Null)
        }
        _ => None,
    }
}
