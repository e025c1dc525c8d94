//! Innermost loops of a control-flow graph.

use crate::mir::*;

/// A loop that holds no other and is entered at its header only.
pub(super) struct Loop {
    /// Its blocks; the header is the first, the latch the last, and every block follows those it is
    /// reached from.
    pub body: Vec<usize>,
    /// For each block of the body, which of them are on every way to it from the header.
    dominators: Vec<u64>,
}

/// No loop with more blocks is looked at: their sets are words.
const MAX_BLOCKS: usize = 64;
/// Nor one with more edges.
const MAX_EDGES: usize = 256;

impl Loop {
    /// The only block that goes back to the header.
    pub fn latch(&self) -> usize {
        self.body[self.body.len() - 1]
    }
    /// The position of a block in the body.
    pub fn position(&self, block: usize) -> Option<usize> {
        self.body.iter().position(|inside| *inside == block)
    }
    /// Every way from the header to the second block leads over the first; both are positions.
    pub fn dominates(&self, first: usize, second: usize) -> bool {
        self.dominators[second] >> first & 1 == 1
    }
}

/// The innermost loops, each with one latch.
pub(super) fn innermost(blocks: &[Block]) -> Vec<Loop> {
    let order = order(blocks);
    let mut predecessors: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
    let mut latches: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
    for (id, block) in blocks.iter().enumerate() {
        for BlockId(target) in block.terminator.successors() {
            let target = target as usize;
            predecessors[target].push(id);
            if order[target] <= order[id] {
                latches[target].push(id);
            }
        }
    }
    let headers = (0..blocks.len()).filter(|id| latches[*id].len() == 1);
    headers
        .filter_map(|header| find(header, latches[header][0], &order, &predecessors, &latches))
        .collect()
}

/// For each block its number in reverse postorder.
fn order(blocks: &[Block]) -> Vec<usize> {
    let mut order = vec![usize::MAX; blocks.len()];
    let mut seen = vec![false; blocks.len()];
    let mut next = blocks.len();
    let mut path = vec![(0, blocks[0].terminator.successors().collect::<Vec<_>>())];
    seen[0] = true;
    while let Some((block, left)) = path.last_mut() {
        match left.pop() {
            Some(BlockId(target)) => {
                let target = target as usize;
                if !std::mem::replace(&mut seen[target], true) {
                    path.push((target, blocks[target].terminator.successors().collect()));
                }
            }
            None => {
                next -= 1;
                order[*block] = next;
                path.pop();
            }
        }
    }
    order
}

fn find(
    header: usize,
    latch: usize,
    order: &[usize],
    predecessors: &[Vec<usize>],
    latches: &[Vec<usize>],
) -> Option<Loop> {
    let mut body = vec![header];
    let mut work = vec![latch];
    let mut edges = 0;
    while let Some(block) = work.pop() {
        if body.contains(&block) {
            continue;
        }
        edges += predecessors[block].len();
        // What is before the header is no part of a loop that is entered there.
        let outside = order[block] < order[header] || order[block] == usize::MAX;
        if outside || !latches[block].is_empty() || body.len() == MAX_BLOCKS || edges > MAX_EDGES {
            return None;
        }
        body.push(block);
        work.extend(&predecessors[block]);
    }
    body.sort_by_key(|block| order[*block]);
    if body[body.len() - 1] != latch {
        return None;
    }
    let mut dominators: Vec<u64> = vec![1];
    for (position, block) in body.iter().enumerate().skip(1) {
        let before = predecessors[*block]
            .iter()
            .filter_map(|p| body[..position].iter().position(|b| b == p));
        let common = before.fold(u64::MAX, |common, before| common & dominators[before]);
        dominators.push(common | 1 << position);
    }
    Some(Loop { body, dominators })
}
