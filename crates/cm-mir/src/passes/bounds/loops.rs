//! Loops of a control-flow graph.

use crate::mir::*;
use rustc_hash::FxHashSet;

/// A loop that is entered at its header only, and so are those inside it.
pub(super) struct Loop {
    /// Its blocks; the header is the first, the latch the last, and every block follows those it is
    /// reached from, but for the jumps back of loops inside.
    pub body: Vec<usize>,
    /// For each block of the body, which of them are on every way to it from the header.
    dominators: Vec<u64>,
    /// The positions of the headers of loops inside.
    pub headers: Vec<usize>,
    /// Which blocks are in such loops.
    nested: u64,
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
    /// The block at a position runs once in each round, if that is not left.
    pub fn in_every_round(&self, position: usize) -> bool {
        self.nested >> position & 1 == 0 && self.dominates(position, self.body.len() - 1)
    }
    /// Some loop inside may run before the block at a position.
    pub fn loops_before(&self, position: usize) -> bool {
        self.nested & ((1 << position) - 1) != 0
    }
}

/// Who goes where.
struct Graph {
    /// The number of each block in reverse postorder.
    order: Vec<usize>,
    predecessors: Vec<Vec<usize>>,
    /// For each block, which of its predecessors come later: it is the header of a loop if there are any.
    latches: Vec<Vec<usize>>,
}

impl Graph {
    fn of(blocks: &[Block]) -> Graph {
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
        Graph { order, predecessors, latches }
    }
}

/// The loops, each with one latch, that are not `done` and hold none that is not: of an untouched
/// function, the innermost ones. Headers of other loops that nothing can be done with are `done` then.
pub(super) fn next(blocks: &[Block], done: &mut FxHashSet<usize>) -> Vec<Loop> {
    let graph = Graph::of(blocks);
    let headers = || (0..blocks.len()).filter(|id| !graph.latches[*id].is_empty());
    done.extend(headers().filter(|header| graph.latches[*header].len() > 1));
    let left: Vec<usize> = headers().filter(|header| !done.contains(header)).collect();
    left.into_iter().filter_map(|header| find(header, &graph, done)).collect()
}

/// The blocks that run once at most.
pub(super) fn outside(blocks: &[Block]) -> Vec<bool> {
    let Graph { order, latches, .. } = Graph::of(blocks);
    // A block that runs again lies, in the order, between the ends of a jump back.
    let mut jumps = vec![0_i64; blocks.len() + 1];
    for (header, latches) in latches.iter().enumerate() {
        for latch in latches.iter().filter(|latch| order[**latch] < blocks.len()) {
            jumps[order[header]] += 1;
            jumps[order[*latch] + 1] -= 1;
        }
    }
    let mut over = 0;
    for jumps in &mut jumps {
        over += *jumps;
        *jumps = over;
    }
    order.iter().map(|at| jumps.get(*at) == Some(&0)).collect()
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

fn find(header: usize, graph: &Graph, done: &FxHashSet<usize>) -> Option<Loop> {
    let Graph { order, predecessors, latches } = graph;
    let latch = latches[header][0];
    let mut body = natural(header, &[latch], graph)?;
    if body[1..].iter().any(|block| !latches[*block].is_empty() && !done.contains(block)) {
        return None;
    }
    body.sort_by_key(|block| order[*block]);
    if body[body.len() - 1] != latch {
        return None;
    }
    let position = |block: usize| body.iter().position(|b| *b == block);
    let mut dominators: Vec<u64> = vec![1];
    for (at, block) in body.iter().enumerate().skip(1) {
        let before = predecessors[*block].iter().filter_map(|p| position(*p)).filter(|p| *p < at);
        let common = before.fold(u64::MAX, |common, before| common & dominators[before]);
        dominators.push(common | 1 << at);
    }
    let mut found = Loop { dominators, headers: Vec::new(), nested: 0, body: Vec::new() };
    for (at, block) in body.iter().enumerate().skip(1).filter(|(_, b)| !latches[**b].is_empty()) {
        // What goes back to a block that it can be reached without makes no loop.
        if !latches[*block]
            .iter()
            .all(|latch| position(*latch).is_some_and(|l| found.dominates(at, l)))
        {
            return None;
        }
        let inside = natural(*block, &latches[*block], graph)?;
        found.nested |= inside.into_iter().filter_map(position).fold(0, |set, at| set | 1 << at);
        found.headers.push(at);
    }
    found.body = body;
    Some(found)
}

/// The blocks that lead to one of the latches without the header, and the header, which is the first.
/// `None`: there are too many, or some are before the header: it is no loop that is entered there.
fn natural(header: usize, latches: &[usize], graph: &Graph) -> Option<Vec<usize>> {
    let Graph { order, predecessors, .. } = graph;
    let mut body = vec![header];
    let mut work = latches.to_vec();
    let mut edges = 0;
    while let Some(block) = work.pop() {
        if body.contains(&block) {
            continue;
        }
        edges += predecessors[block].len();
        let outside = order[block] < order[header] || order[block] == usize::MAX;
        if outside || body.len() == MAX_BLOCKS || edges > MAX_EDGES {
            return None;
        }
        body.push(block);
        work.extend(&predecessors[block]);
    }
    Some(body)
}
