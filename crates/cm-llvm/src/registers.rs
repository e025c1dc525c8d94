//! Which locals need no memory.
//!
//! LLVM finds out itself when it optimizes; without optimization every load and store that is not
//! emitted saves time here, and later when the program runs.

use crate::module::Cx;
use cm_mir::{
    mir::{Base, Function, LocalId, Place, Projection, RESULT, Stmt, Terminator},
    visit::{self, Access, Mention},
};

/// What is known of a local so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was seen of it yet.
    Unwritten,
    /// It is a parameter that no statement writes.
    Parameter,
    /// It is written once, in this block, and was read only after that and in this block.
    Written(usize),
    /// It needs memory.
    Memory,
}

/// For each local whether it is a register: a scalar whose address nobody takes, and either a
/// parameter that is never written, or written by one statement and read only after it in the
/// same block.
pub fn find(cx: &Cx<'_>, function: &Function) -> Vec<bool> {
    let parameters = function.decl.params.len() + usize::from(function.env.is_some());
    let initial = |(index, local): (usize, &cm_mir::mir::Local)| match index {
        _ if cx.scalar(local.ty).is_none() => State::Memory,
        1.. if index <= parameters => State::Parameter,
        _ => State::Unwritten,
    };
    let mut states: Vec<State> = function.locals.iter().enumerate().map(initial).collect();
    for (index, block) in function.blocks.iter().enumerate() {
        let mut see = |mention: Mention<'_>| {
            if let Mention::Place(place, access) = mention {
                note(&mut states, place, access, index);
            }
        };
        for stmt in &block.stmts {
            match stmt {
                // Accesses that must happen, and operands with constraints of their own.
                Stmt::Assign { volatile: true, .. } | Stmt::Asm { .. } => {
                    visit::stmt(stmt, &mut |mention| {
                        if let Mention::Place(place, _) = mention {
                            see(Mention::Place(place, Access::Address));
                        }
                    });
                }
                _ => visit::stmt(stmt, &mut see),
            }
        }
        visit::terminator(&block.terminator, &mut see);
        if let Terminator::Return = block.terminator {
            read(&mut states, RESULT, index);
        }
    }
    let used = |state: &State| matches!(state, State::Parameter | State::Written(_));
    states.iter().map(used).collect()
}

fn note(states: &mut [State], place: &Place, access: Access, block: usize) {
    let Base::Local(local) = place.base else { return };
    match (&place.projections[..], access) {
        ([], Access::Write) => {
            if let Some(state) = states.get_mut(local.0 as usize) {
                *state = match state {
                    State::Unwritten => State::Written(block),
                    _ => State::Memory,
                };
            }
        }
        // What the pointer leads to may be written, but the pointer is only read.
        ([], Access::Read) | ([Projection::Deref(_), ..], _) => read(states, local, block),
        _ => {
            if let Some(state) = states.get_mut(local.0 as usize) {
                *state = State::Memory;
            }
        }
    }
}

fn read(states: &mut [State], local: LocalId, block: usize) {
    if let Some(state) = states.get_mut(local.0 as usize)
        && *state != State::Parameter
        && *state != State::Written(block)
    {
        *state = State::Memory;
    }
}
