//! Releases on the edges between blocks: of locals that one successor needs and another does not.

use super::{
    classes::{Class, Facts},
    live::{Effect, Live},
};
use crate::mir::*;

/// For each block the locals that own a value at its end.
pub(super) fn leaving(function: &Function, facts: &Facts, live: &Live) -> Vec<Vec<LocalId>> {
    let owned = |local: &LocalId| facts.class(*local) == Class::Owned;
    let of_block = |(block, at_end): (&Block, &Vec<LocalId>)| {
        let mut leaving: Vec<LocalId> = at_end.iter().copied().filter(owned).collect();
        let used = Effect::of_end(&block.terminator, facts).uses;
        leaving.extend(used.into_iter().filter(owned));
        leaving.sort_unstable();
        leaving.dedup();
        leaving
    };
    function.blocks.iter().zip(&live.at_end).map(of_block).collect()
}

/// Releases what a block leaves behind and its successor does not take.
pub(super) fn release(function: &mut Function, leaving: &[Vec<LocalId>], live: &Live) {
    let count = function.blocks.len();
    // From each block, what is released on the way into it.
    let mut incoming: Vec<Vec<(u32, Vec<LocalId>)>> = vec![Vec::new(); count];
    for (from, block) in (0..).zip(&function.blocks) {
        for BlockId(to) in block.terminator.successors() {
            let list = &mut incoming[to as usize];
            if list.last().is_some_and(|(last, _)| *last == from) {
                continue;
            }
            let needed = &live.at_start[to as usize];
            let dead = leaving[from as usize].iter().copied();
            list.push((from, dead.filter(|local| needed.binary_search(local).is_err()).collect()));
        }
    }
    for (to, edges) in incoming.into_iter().enumerate() {
        let block = &function.blocks[to];
        let ends = matches!(block.terminator, Terminator::Panic(_) | Terminator::Unreachable);
        if ends && block.stmts.is_empty() {
            continue;
        }
        let Some((_, dead)) = edges.first() else { continue };
        if to != 0 && edges.iter().all(|(_, other)| other == dead) {
            let mut stmts = releases(dead);
            stmts.append(&mut function.blocks[to].stmts);
            function.blocks[to].stmts = stmts;
            continue;
        }
        for (from, dead) in edges.iter().filter(|(_, dead)| !dead.is_empty()) {
            let between = BlockId(function.blocks.len() as u32);
            let target = BlockId(to as u32);
            let terminator = Terminator::Goto(target);
            function.blocks.push(Block { stmts: releases(dead), terminator });
            let from = &mut function.blocks[*from as usize].terminator;
            from.retarget(|block| if block == target { between } else { block });
        }
    }
}

fn releases(locals: &[LocalId]) -> Vec<Stmt> {
    let release = |local: &LocalId| Stmt::Count { op: CountOp::Release, place: (*local).into() };
    locals.iter().map(release).collect()
}

/// Something jumps to the entry.
pub(super) fn is_entered(function: &Function) -> bool {
    let mut targets = function.blocks.iter().flat_map(|block| block.terminator.successors());
    targets.any(|target| target == BlockId(0))
}

/// Makes an entry that nothing jumps to.
pub(super) fn move_entry(function: &mut Function) {
    let moved = BlockId(function.blocks.len() as u32);
    for block in &mut function.blocks {
        block.terminator.retarget(|target| if target == BlockId(0) { moved } else { target });
    }
    let entry = Block { stmts: Vec::new(), terminator: Terminator::Goto(moved) };
    let body = std::mem::replace(&mut function.blocks[0], entry);
    function.blocks.push(body);
}
