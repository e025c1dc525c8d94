//! Bounds checks out of loops.
//!
//! An innermost loop that counts, and whose checks compare linear functions of its counter with
//! lengths that do not change, is made twice. A guard before the loop evaluates the checks for the
//! first and the last round; if they hold, and no arithmetic in between wraps, all rounds pass, and
//! the copy without checks runs, with a counter and indices of 64 bits. Else the loop runs as it was.

mod clone;
mod facts;
mod guard;
mod loops;

use crate::mir::*;

/// Makes copies without bounds checks of the loops where that is possible.
pub(super) fn version_loops(function: &mut Function) {
    let loops = loops::innermost(&function.blocks);
    if loops.is_empty() {
        return;
    }
    let facts = facts::Facts::of(function);
    for inner in loops {
        let plan = guard::plan(function, &facts, &inner);
        if let Some(plan) = plan {
            clone::apply(function, &inner, plan);
        }
    }
}
