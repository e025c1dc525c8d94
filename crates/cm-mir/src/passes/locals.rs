//! What is known of locals, and the removal of those that are not needed.

use crate::{
    mir::*,
    visit::{self, Access, Mention},
};

/// How a local is used.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// Reads of it or of a part, also to go through it as a pointer.
    pub reads: u32,
    /// Writes of the whole of it.
    pub writes: u32,
    /// Writes of a part.
    pub part_writes: u32,
    /// Its address, or that of a part, is taken.
    pub address: bool,
}

impl Usage {
    /// Only the statements that mention it can change it, and all of it at once.
    pub fn is_register(self) -> bool {
        !self.address && self.part_writes == 0
    }
}

/// The use of every local.
pub fn usage(function: &Function) -> Vec<Usage> {
    let mut usage = vec![Usage::default(); function.locals.len()];
    visit::function(function, &mut |mention| {
        if let Mention::Place(place, access) = mention
            && let Base::Local(local) = place.base
        {
            let usage = &mut usage[local.0 as usize];
            match access {
                _ if goes_through_pointer(place) => usage.reads += 1,
                Access::Read => usage.reads += 1,
                Access::Address => usage.address = true,
                Access::Write if place.projections.is_empty() => usage.writes += 1,
                Access::Write => usage.part_writes += 1,
            }
        }
    });
    usage
}

fn goes_through_pointer(place: &Place) -> bool {
    place.projections.iter().any(|projection| matches!(projection, Projection::Deref(_)))
}

/// How many locals are given by the signature.
pub fn fixed_locals(function: &Function) -> usize {
    1 + function.decl.params.len() + usize::from(function.env.is_some())
}

/// Removes assignments to locals that are never read; calls stay, without destination.
pub fn remove_dead_stores(function: &mut Function) {
    let usage = usage(function);
    let dead = |place: &Place| match place.base {
        Base::Local(local) => {
            let usage = usage[local.0 as usize];
            local != RESULT && usage.reads == 0 && !usage.address
        }
        Base::Global(_) => false,
    };
    for block in &mut function.blocks {
        block.stmts.retain_mut(|stmt| match stmt {
            Stmt::Assign { place, volatile, .. } => *volatile || !dead(place),
            Stmt::Call { dest, .. } => {
                if dest.as_ref().is_some_and(dead) {
                    *dest = None;
                }
                true
            }
            Stmt::Asm { .. } | Stmt::Count { .. } => true,
        });
    }
}

/// Removes locals that are not mentioned, and numbers the others anew.
pub fn remove_unused(function: &mut Function) {
    let fixed = fixed_locals(function);
    let mut used: Vec<bool> = (0..function.locals.len()).map(|id| id < fixed).collect();
    visit::function(function, &mut |mention| {
        if let Mention::Place(Place { base: Base::Local(local), .. }, _) = mention {
            used[local.0 as usize] = true;
        }
    });
    if used.iter().all(|used| *used) {
        return;
    }
    let mut next = 0;
    let renumbered: Vec<LocalId> = used
        .iter()
        .map(|used| {
            let id = LocalId(next);
            next += u32::from(*used);
            id
        })
        .collect();
    let mut keep = used.iter().copied();
    function.locals.retain(|_| keep.next().unwrap_or(true));
    visit::places_mut(function, &mut |place| {
        if let Base::Local(local) = &mut place.base {
            *local = renumbered[local.0 as usize];
        }
    });
}
