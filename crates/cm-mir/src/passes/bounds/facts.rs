//! What is known of a function's locals and of the statements of a loop.

use super::loops::Loop;
use crate::{
    mir::*,
    passes::locals::{self, Usage},
    runtime::Rt,
    ty::{self, Ty, TyKind},
    typing::Typing,
    visit::{self, Access, Mention},
};
use rustc_hash::FxHashSet;

/// Where the only assignment of a local is: block and statement.
type Definition = (usize, usize);

/// What is known of a function.
pub(super) struct Facts {
    usage: Vec<Usage>,
    /// The assignments of whole locals, by local.
    definitions: Vec<(LocalId, Definition)>,
    fixed: usize,
}

impl Facts {
    pub fn of(function: &Function) -> Facts {
        let mut definitions = Vec::new();
        for (id, block) in function.blocks.iter().enumerate() {
            for (index, stmt) in block.stmts.iter().enumerate() {
                if let Stmt::Assign { place, .. } = stmt
                    && let Some(local) = whole(place)
                {
                    definitions.push((local, (id, index)));
                }
            }
        }
        definitions.sort_unstable();
        Facts { usage: locals::usage(function), definitions, fixed: locals::fixed_locals(function) }
    }

    /// Only statements that name it can change it.
    pub fn is_register(&self, LocalId(local): LocalId) -> bool {
        self.usage.get(local as usize).is_none_or(|usage| usage.is_register())
    }

    /// The only assignment of a register. What reads it comes after, since it is undefined before.
    pub fn definition(&self, local: LocalId) -> Option<Definition> {
        let usage = self.usage.get(local.0 as usize)?;
        let once = usage.writes == 1 && self.is_own(local);
        self.assignments(local).first().map(|(_, definition)| *definition).filter(|_| once)
    }

    /// All values that a register ever has. `None`: it gets some otherwise than by assignments.
    pub fn values<'a>(
        &self,
        function: &'a Function,
        local: LocalId,
    ) -> Option<impl Iterator<Item = &'a Rvalue>> {
        let usage = self.usage.get(local.0 as usize)?;
        let assignments = self.assignments(local);
        let all = usage.writes as usize == assignments.len() && self.is_own(local);
        let value = |(_, (block, index)): &(LocalId, Definition)| match &function.blocks[*block]
            .stmts[*index]
        {
            Stmt::Assign { value, .. } => Some(value),
            _ => None,
        };
        all.then(|| assignments.iter().filter_map(value))
    }

    fn assignments(&self, local: LocalId) -> &[(LocalId, Definition)] {
        let start = self.definitions.partition_point(|(other, _)| *other < local);
        let len = self.definitions[start..].partition_point(|(other, _)| *other == local);
        &self.definitions[start..start + len]
    }

    /// A register to which the signature gives no value.
    fn is_own(&self, local: LocalId) -> bool {
        self.is_register(local) && (local == RESULT || local.0 as usize >= self.fixed)
    }
}

/// What the statements of a loop do.
#[derive(Default)]
pub(super) struct Effects {
    /// Locals that are written, or parts of them.
    pub assigned: FxHashSet<LocalId>,
    /// Memory that pointers may lead to is written.
    pub writes: bool,
    /// Slice handles among it.
    pub writes_handles: bool,
}

impl Effects {
    /// `None` if the loop may change the header of a slice, or do what is not understood.
    pub fn of(function: &Function, facts: &Facts, inner: &Loop) -> Option<Effects> {
        let mut effects = Effects::default();
        let typing = Typing(&function.locals);
        for stmt in inner.body.iter().flat_map(|block| &function.blocks[*block].stmts) {
            match stmt {
                // What a place that stays as it is refers to is not freed.
                Stmt::Assign { volatile: false, .. } | Stmt::Count { .. } => {}
                Stmt::Call { callee: Callee::Runtime(rt), .. } if spares_slices(*rt) => {}
                _ => return None,
            }
            let mut places = Vec::new();
            visit::stmt(stmt, &mut |mention| {
                if let Mention::Place(place, Access::Write) = mention {
                    places.push(place);
                }
            });
            for place in places {
                effects.write(facts, place, typing.place(place).ok()?)?;
            }
        }
        Some(effects)
    }

    fn write(&mut self, facts: &Facts, place: &Place, ty: Ty) -> Option<()> {
        let last = place.projections.iter().rev().find_map(|step| match step {
            Projection::Deref(object) => Some(*object),
            _ => None,
        });
        if last == Some(ty::slice_header()) {
            return None;
        }
        if let (Base::Local(local), None) = (place.base, last) {
            self.assigned.insert(local);
            if facts.is_register(local) {
                return Some(());
            }
        }
        self.writes = true;
        self.writes_handles |= holds_handles(ty);
        Some(())
    }
}

fn holds_handles(ty: Ty) -> bool {
    match ty.get() {
        TyKind::Slice => true,
        TyKind::Array(elem, _) => holds_handles(*elem),
        TyKind::Struct { fields, .. } => fields.iter().any(|field| holds_handles(*field)),
        TyKind::Tagged { variants, .. } => variants.iter().any(|variant| holds_handles(*variant)),
        _ => false,
    }
}

/// It changes no slice that there is.
fn spares_slices(rt: Rt) -> bool {
    !matches!(rt, Rt::SlicePush | Rt::SliceRemove)
}

/// The local that a place is.
pub(super) fn whole(place: &Place) -> Option<LocalId> {
    match place.base {
        Base::Local(local) if place.projections.is_empty() => Some(local),
        _ => None,
    }
}
