//! Bounds checks out of loops.
//!
//! A loop that counts, and whose checks compare linear functions of its counter with
//! lengths that do not change, is made twice. A guard before the loop evaluates the checks for the
//! first and the last round; if they hold, and no arithmetic in between wraps, all rounds pass, and
//! the copy without checks runs, with a counter and indices of 64 bits. Else the loop runs as it was.
//! This is done to innermost loops, and then to those that hold no others than these.

mod clone;
mod facts;
mod guard;
mod loops;
mod masks;

use crate::mir::*;
use rustc_hash::FxHashSet;

/// How deep loops may be inside of one another: each time the copy holds twice what it did.
const DEPTH: u32 = 2;

/// Makes copies without bounds checks of the loops where that is possible.
pub(super) fn version_loops(function: &mut Function) {
    let mut done = FxHashSet::default();
    for _ in 0..DEPTH {
        let loops = loops::next(&function.blocks, &mut done);
        if loops.is_empty() {
            return;
        }
        let facts = facts::Facts::of(function);
        for found in loops {
            match guard::plan(function, &facts, &found) {
                Some(plan) => done.extend(clone::apply(function, &found, plan)),
                None => {
                    done.insert(found.body[0]);
                }
            }
        }
    }
}

/// Makes the checks of masked indices cheaper.
pub(super) fn relax_masked(function: &mut Function) {
    masks::relax_checks(function);
}
