//! Try-mark-green: bringing a node up to date with as little as possible.

use super::{Graph, Mark, State, run};
use crate::{
    Db, Provider,
    log::{Log, Why},
    query::AnyValue,
};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Chains of dependencies are as long as the user's program makes them, so the stack grows.
const RED_ZONE: usize = 256 * 1024;
const STACK_PART: usize = 2 * 1024 * 1024;

/// Runs `work` with enough stack.
pub(super) fn with_stack<R>(work: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, STACK_PART, work)
}

/// Brings a node up to date in this revision, if there is any doubt that it is. Returns the revision in
/// which its result last changed.
pub(super) fn ensure(db: &dyn Db, node: u32) -> u32 {
    let graph = db.graph();
    // Most of what a large node reads is as the image has it, and needs no state to say so.
    if graph.is_untouched(node) {
        return 0;
    }
    let state = graph.state(node);
    if graph.is_clear(node, state) {
        return state.changed.load(Relaxed);
    }
    with_stack(|| ensure_in(db, node, state));
    state.changed.load(Relaxed)
}

/// The same for a node that is going to be read, whose state is at hand. Gives the result if it ran for that.
pub(super) fn ensure_in<'db>(db: &'db dyn Db, node: u32, state: &State) -> Option<&'db AnyValue> {
    let graph = db.graph();
    if state.verified.load(Acquire) == graph.revision() {
        return None;
    }
    let why = judge(db, graph, node);
    if why.is_none() {
        graph.settle(node);
    }
    why.map(|why| run::execute(db, node, why))
}

/// Why the node must run; `None`: it is green.
fn judge(db: &dyn Db, graph: &Graph, node: u32) -> Option<Why> {
    match graph.mark(node) {
        Mark::Lost => return Some(Why::Lost),
        Mark::Clear if graph.recorded(node).is_some() => return None,
        Mark::Clear => return Some(Why::New),
        Mark::Suspect => {}
    }
    let _judging = db.frames().judge(node);
    // What matters is whether a dependency changed since this node was verified, which may be many
    // revisions ago, and not whether it changed in this one.
    let since = graph.state(node).verified.load(Relaxed);
    // In recorded order, and none after the first that changed: with other values before it, the
    // query might not ask for it at all.
    let Some(dependencies) = graph.dependencies(node) else { return Some(Why::New) };
    let changed = dependencies.iter().copied().find(|&read| ensure(db, read) > since);
    changed.map(Why::Changed)
}

/// Whether there is any doubt that the result of a query is up to date, as can be said at once: something
/// that has changed may reach it, or nothing is known of it.
pub fn is_in_doubt<Q: Provider>(db: &dyn Db, key: &Q::Key) -> bool {
    let graph = db.graph();
    let node = graph.node::<Q>(key);
    graph.mark(node) != Mark::Clear || graph.recorded(node).is_none()
}

/// Whether a query has to run before its result is known to be up to date, as far as can be said
/// without running anything: something below it may have to run as well, and turn out as before.
pub fn is_stale<Q: Provider>(db: &dyn Db, key: &Q::Key) -> bool {
    let graph = db.graph();
    stale(graph, graph.node::<Q>(key))
}

fn stale(graph: &Graph, node: u32) -> bool {
    if graph.is_untouched(node) {
        return false;
    }
    let since = graph.state(node).verified.load(Acquire);
    if since == graph.revision() {
        return false;
    }
    let changed = |&read: &u32| {
        let state = graph.states.peek(read);
        stale(graph, read) || state.is_some_and(|state| state.changed.load(Relaxed) > since)
    };
    match graph.mark(node) {
        Mark::Lost => true,
        Mark::Clear => graph.recorded(node).is_none(),
        Mark::Suspect => {
            let read = graph.dependencies(node);
            read.is_none_or(|read| with_stack(|| read.iter().any(changed)))
        }
    }
}

impl Graph {
    /// The node was verified, and nothing that it depends on has changed since. That it is older does no harm:
    /// it is asked whether something has changed since then.
    fn is_clear(&self, node: u32, state: &State) -> bool {
        state.verified.load(Acquire) != 0 && self.mark(node) == Mark::Clear
    }
    /// The node is green.
    fn settle(&self, node: u32) {
        let state = self.state(node);
        if state.verified.load(Acquire) == self.revision() {
            return; // by another thread
        }
        Log::count(&self.log.green);
        if self.mark(node) != Mark::Clear {
            self.set_mark(node, Mark::Clear);
        }
        state.verified.store(self.revision(), Release);
    }
}
