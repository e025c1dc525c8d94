//! Clean-up of the control-flow graph.

use crate::mir::*;

/// Decides branches on constants, threads jumps through empty blocks, merges straight lines and
/// removes what cannot be reached. Whether doing it again could find more.
pub fn simplify(function: &mut Function) -> bool {
    let blocks = &mut function.blocks;
    for block in blocks.iter_mut() {
        decide(&mut block.terminator);
    }
    let targets = final_targets(blocks);
    let mut more = false;
    for block in blocks.iter_mut() {
        block.terminator.retarget(|target| targets[target.0 as usize]);
        // The block may be empty now.
        more |= unify(&mut block.terminator);
    }
    merge(blocks);
    more
}

/// A terminator on a constant is a jump.
fn decide(terminator: &mut Terminator) {
    let constant = |operand: &Operand| match operand {
        Operand::Const(constant) => match constant.value {
            ConstValue::Int(value) => Some(value),
            ConstValue::Zero => Some(0),
            _ => None,
        },
        Operand::Copy(_) => None,
    };
    let target = match terminator {
        Terminator::Branch { cond, then, otherwise } => match constant(cond) {
            Some(0) => *otherwise,
            Some(_) => *then,
            None => return,
        },
        Terminator::Switch { value, cases, default } => match constant(value) {
            Some(value) => cases.iter().find(|(v, _)| *v == value).map_or(*default, |(_, b)| *b),
            None => return,
        },
        _ => return,
    };
    *terminator = Terminator::Goto(target);
}

/// A terminator with one target is a jump. Whether it was none.
fn unify(terminator: &mut Terminator) -> bool {
    let target = match terminator {
        Terminator::Branch { then, otherwise, .. } if then == otherwise => *then,
        Terminator::Switch { cases, default, .. } => {
            cases.retain(|(_, target)| target != default);
            if !cases.is_empty() {
                return false;
            }
            *default
        }
        _ => return false,
    };
    *terminator = Terminator::Goto(target);
    true
}

/// Where a jump to each block leads when empty blocks are skipped.
fn final_targets(blocks: &[Block]) -> Vec<BlockId> {
    let skip = |BlockId(id): BlockId| match &blocks[id as usize] {
        Block { stmts, terminator: Terminator::Goto(target) } if stmts.is_empty() => Some(*target),
        _ => None,
    };
    let mut known: Vec<Option<BlockId>> = vec![None; blocks.len()];
    let mut path = Vec::new();
    for start in 0..blocks.len() as u32 {
        let mut at = BlockId(start);
        let last = loop {
            if let Some(last) = known[at.0 as usize] {
                break last;
            }
            // In a circle of empty blocks, this makes the first one the target of all.
            known[at.0 as usize] = Some(at);
            path.push(at);
            match skip(at) {
                Some(next) => at = next,
                None => break at,
            }
        };
        for block in path.drain(..) {
            known[block.0 as usize] = Some(last);
        }
    }
    known.into_iter().zip(0..).map(|(last, id)| last.unwrap_or(BlockId(id))).collect()
}

/// Appends each block to its only predecessor if that jumps to it, and drops what is not reached.
fn merge(blocks: &mut Vec<Block>) {
    let reached = reachable(blocks);
    let mut predecessors = vec![0u32; blocks.len()];
    predecessors[0] = 1;
    let live = || blocks.iter().zip(&reached).filter(|(_, reached)| **reached);
    for (block, _) in live() {
        for target in block.terminator.successors() {
            predecessors[target.0 as usize] += 1;
        }
    }
    let mut absorbed = vec![false; blocks.len()];
    for (block, _) in live() {
        if let Terminator::Goto(target) = block.terminator {
            absorbed[target.0 as usize] = predecessors[target.0 as usize] == 1;
        }
    }
    if reached.iter().all(|reached| *reached) && !absorbed.contains(&true) {
        return;
    }
    let mut old: Vec<Option<Block>> = std::mem::take(blocks).into_iter().map(Some).collect();
    blocks.reserve_exact(old.len());
    let mut renumbered = vec![BlockId(0); old.len()];
    for head in (0..old.len()).filter(|id| reached[*id] && !absorbed[*id]) {
        let Some(mut block) = old[head].take() else { continue };
        while let Terminator::Goto(target) = block.terminator
            && absorbed[target.0 as usize]
            && let Some(next) = old[target.0 as usize].take()
        {
            block.stmts.extend(next.stmts);
            block.terminator = next.terminator;
        }
        renumbered[head] = BlockId(blocks.len() as u32);
        blocks.push(block);
    }
    for block in blocks {
        block.terminator.retarget(|target| renumbered[target.0 as usize]);
    }
}

fn reachable(blocks: &[Block]) -> Vec<bool> {
    let mut reached = vec![false; blocks.len()];
    let mut work = vec![BlockId(0)];
    while let Some(BlockId(id)) = work.pop() {
        if !std::mem::replace(&mut reached[id as usize], true) {
            work.extend(blocks[id as usize].terminator.successors());
        }
    }
    reached
}
