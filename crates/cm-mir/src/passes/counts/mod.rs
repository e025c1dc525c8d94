//! Reference counts: where strings, slices, function objects and interface values are retained and
//! released.
//!
//! Lowering writes MIR in which values are simply copied. This pass makes it count. The rules:
//!
//! * Arguments are borrowed: the caller keeps them alive during the call. Results are owned.
//! * A place that others can see owns what it holds: a write releases what was there before.
//! * A local that only statements of its function change is tracked through the control flow
//!   ([`live`]): it is released after its last use, or its reference moves to where it is used last.
//! * A local that only repeats what another place holds borrows it ([`borrow`]) if that place
//!   surely stays as it is for so long: then nothing is counted. Most locals are such.
//! * Pointers into objects (a slice's elements, a string's bytes) are followed through locals
//!   ([`classes`]): what they point into lives as long as they do. If one is stored away, the local
//!   that owns the object keeps it until the function returns; a string is never freed then.
//!
//! Releasing runs no code of the program, so its order is free.

mod borrow;
mod classes;
mod edges;
mod insert;
mod live;
mod split;

use crate::{
    mir::*,
    ty::{Ty, TyKind, any_part, is_counted},
    typing::Typing,
};
use rustc_hash::FxHashMap;

/// Makes a function count references. It runs once, on what lowering made.
///
/// Whether there was anything to do.
pub fn count_references(function: &mut Function) -> bool {
    let mut types = Types::default();
    if !is_concerned(function, &mut types) {
        return false;
    }
    split::split(function, &mut types);
    let mut facts = classes::classify(function, &mut types);
    let live = live::compute(function, &mut facts);
    borrow::validate(function, &mut facts, &live, &mut types);
    insert::insert(function, &facts, &live, &mut types);
    true
}

/// What is known of types, computed once for each.
#[derive(Default)]
struct Types {
    counted: FxHashMap<Ty, bool>,
}

impl Types {
    fn is_counted(&mut self, ty: Ty) -> bool {
        match ty.get() {
            TyKind::Array(..) | TyKind::Struct { .. } | TyKind::Tagged { .. } => {
                *self.counted.entry(ty).or_insert_with(|| is_counted(ty))
            }
            kind => kind.is_reference(),
        }
    }
    /// The type of a place if its values are counted.
    fn counted_place(&mut self, locals: &[Local], place: &Place) -> Option<Ty> {
        Typing(locals).place(place).ok().filter(|ty| self.is_counted(*ty))
    }
}

/// A statement handles values that are counted.
fn is_concerned(function: &Function, types: &mut Types) -> bool {
    if function.locals.iter().any(|local| types.is_counted(local.ty)) {
        return true;
    }
    // What is in locals is not counted, so types need be found only of what is elsewhere.
    let locals = &function.locals;
    let mut counts =
        |place: &Place| inside(place).is_none() && types.counted_place(locals, place).is_some();
    function.blocks.iter().flat_map(|block| &block.stmts).any(|stmt| match stmt {
        Stmt::Assign { place, .. } => counts(place),
        Stmt::Call { dest, callee, args } => {
            dest.is_none() && is_counted(result_ty(callee))
                || dest.as_ref().is_some_and(&mut counts)
                || args.iter().any(|arg| matches!(arg, Operand::Copy(place) if counts(place)))
        }
        Stmt::Count { .. } => true,
        Stmt::Asm { .. } => false,
    })
}

/// The type of a call's result.
fn result_ty(callee: &Callee) -> Ty {
    match callee {
        Callee::Function(decl) => decl.ret,
        Callee::Runtime(rt) => rt.ret(),
        Callee::Value { ret, .. } | Callee::Method { ret, .. } => *ret,
    }
}

/// The operands of which an assignment makes its value.
fn parts(value: &Rvalue) -> &[Operand] {
    match value {
        Rvalue::Use(part) => std::slice::from_ref(part),
        Rvalue::Aggregate(_, parts) | Rvalue::Closure(_, parts) => parts,
        Rvalue::Tagged(_, _, Some(payload)) => std::slice::from_ref(payload),
        _ => &[],
    }
}

/// The local that a place is.
fn whole(place: &Place) -> Option<LocalId> {
    match place.base {
        Base::Local(local) if place.projections.is_empty() => Some(local),
        _ => None,
    }
}

/// The local that a place is a part of, in its own memory.
fn inside(place: &Place) -> Option<LocalId> {
    match place.base {
        Base::Local(local) if !goes_through_pointer(place) => Some(local),
        _ => None,
    }
}

fn goes_through_pointer(place: &Place) -> bool {
    place.projections.iter().any(|step| matches!(step, Projection::Deref(_)))
}

/// Values of the type hold references to strings, and to nothing else.
fn holds_only_strings(ty: Ty) -> bool {
    !any_part(ty, &|kind| kind.is_reference() && *kind != TyKind::Str)
}

fn holds_strings(ty: Ty) -> bool {
    any_part(ty, &|kind| *kind == TyKind::Str)
}
