//! Where locals are live: where what they own may still be needed, be it through another local.
//!
//! Computed for one local after the other, by walking from its uses back to its writes. So the time is
//! that of the live ranges, which for temporaries are short, not blocks times locals.

use super::classes::Facts;
use crate::{
    mir::*,
    visit::{self, Access, Mention},
};

/// So many blocks that a local is live in are afforded for each block and local; the others of a huge
/// function keep what they hold until it returns.
const BUDGET: usize = 64;

/// The tracked locals that are live where blocks begin and end.
pub(super) struct Live {
    pub(super) at_start: Vec<Vec<LocalId>>,
    pub(super) at_end: Vec<Vec<LocalId>>,
}

/// What a statement does to tracked locals, reads before the write.
#[derive(Default)]
pub(super) struct Effect {
    /// They have to be alive; no local twice.
    pub(super) uses: Vec<LocalId>,
    /// It gets a new value.
    pub(super) def: Option<LocalId>,
}

impl Effect {
    /// Of a statement.
    pub(super) fn of(stmt: &Stmt, facts: &Facts) -> Effect {
        let mut effect = Effect::default();
        visit::stmt(stmt, &mut |mention| effect.see(mention, facts));
        effect
    }

    /// Of a terminator.
    pub(super) fn of_end(terminator: &Terminator, facts: &Facts) -> Effect {
        let mut effect = Effect::default();
        visit::terminator(terminator, &mut |mention| effect.see(mention, facts));
        if *terminator == Terminator::Return {
            effect.reads(RESULT, facts);
        }
        effect
    }

    fn see(&mut self, mention: Mention<'_>, facts: &Facts) {
        let Mention::Place(place, access) = mention else { return };
        let Base::Local(local) = place.base else { return };
        if access == Access::Write && place.projections.is_empty() {
            self.def = Some(local).filter(|local| facts.is_tracked(*local));
        } else {
            self.reads(local, facts);
        }
    }

    fn reads(&mut self, local: LocalId, facts: &Facts) {
        for used in std::iter::once(&local).chain(&facts.owners[local.0 as usize]) {
            if facts.is_tracked(*used) && !self.uses.contains(used) {
                self.uses.push(*used);
            }
        }
    }
}

/// Computes liveness. Locals for which it would take too long become memory.
pub(super) fn compute(function: &Function, facts: &mut Facts) -> Live {
    let blocks = function.blocks.len();
    let locals = function.locals.len();
    let events = Events::collect(function, facts);
    let mut predecessors: Vec<Vec<u32>> = vec![Vec::new(); blocks];
    for (index, block) in (0..).zip(&function.blocks) {
        for BlockId(target) in block.terminator.successors() {
            let list = &mut predecessors[target as usize];
            if list.last() != Some(&index) {
                list.push(index);
            }
        }
    }
    let mut live = Live { at_start: vec![Vec::new(); blocks], at_end: vec![Vec::new(); blocks] };
    let mut budget = BUDGET * (blocks + locals) + (1 << 16);
    // The number of the local, plus one, that a block was marked for.
    let mut defined = vec![0u32; blocks];
    let mut entered = vec![0u32; blocks];
    let mut left = vec![0u32; blocks];
    for index in 0..locals as u32 {
        let local = LocalId(index);
        if !facts.is_tracked(local) {
            continue;
        }
        if budget == 0 {
            facts.pin(local);
            continue;
        }
        let mark = index + 1;
        events.defs[index as usize].iter().for_each(|block| defined[*block as usize] = mark);
        let mut work = events.exposed[index as usize].clone();
        while let Some(block) = work.pop() {
            if std::mem::replace(&mut entered[block as usize], mark) == mark {
                continue;
            }
            budget = budget.saturating_sub(1);
            live.at_start[block as usize].push(local);
            for before in &predecessors[block as usize] {
                if std::mem::replace(&mut left[*before as usize], mark) != mark {
                    live.at_end[*before as usize].push(local);
                    if defined[*before as usize] != mark {
                        work.push(*before);
                    }
                }
            }
        }
    }
    live
}

/// The blocks in which locals are used before they are written, and those in which they are written.
struct Events {
    exposed: Vec<Vec<u32>>,
    defs: Vec<Vec<u32>>,
}

impl Events {
    fn collect(function: &Function, facts: &Facts) -> Events {
        let count = function.locals.len();
        let mut events = Events { exposed: vec![Vec::new(); count], defs: vec![Vec::new(); count] };
        for (index, block) in (0..).zip(&function.blocks) {
            for stmt in &block.stmts {
                let effect = Effect::of(stmt, facts);
                events.uses(index, &effect);
                if let Some(LocalId(local)) = effect.def {
                    push_once(&mut events.defs[local as usize], index);
                }
            }
            events.uses(index, &Effect::of_end(&block.terminator, facts));
        }
        events
    }

    fn uses(&mut self, block: u32, effect: &Effect) {
        for LocalId(local) in &effect.uses {
            if self.defs[*local as usize].last() != Some(&block) {
                push_once(&mut self.exposed[*local as usize], block);
            }
        }
    }
}

fn push_once(list: &mut Vec<u32>, block: u32) {
    if list.last() != Some(&block) {
        list.push(block);
    }
}

/// The tracked locals that are live at a point that moves backwards through a block.
pub(super) struct Cursor {
    is_live: Vec<bool>,
    pub(super) live: Vec<LocalId>,
}

impl Cursor {
    pub(super) fn new(locals: usize) -> Cursor {
        Cursor { is_live: vec![false; locals], live: Vec::new() }
    }

    /// Goes to the end of a block, before which its terminator is.
    pub(super) fn start(&mut self, at_end: &[LocalId]) {
        for local in self.live.drain(..) {
            self.is_live[local.0 as usize] = false;
        }
        at_end.iter().for_each(|local| self.add(*local));
    }

    pub(super) fn has(&self, local: LocalId) -> bool {
        self.is_live[local.0 as usize]
    }

    fn add(&mut self, local: LocalId) {
        if !std::mem::replace(&mut self.is_live[local.0 as usize], true) {
            self.live.push(local);
        }
    }

    /// Goes back over a statement.
    pub(super) fn step(&mut self, effect: &Effect) {
        if let Some(def) = effect.def
            && std::mem::replace(&mut self.is_live[def.0 as usize], false)
            && let Some(at) = self.live.iter().position(|local| *local == def)
        {
            self.live.swap_remove(at);
        }
        effect.uses.iter().for_each(|local| self.add(*local));
    }
}
