//! Running queries, through salsa.

use super::{
    Cause, Graph, Interruption, Mark, Record,
    mark::{ensure, ensure_in, with_stack},
};
use crate::{
    Db, Fingerprint, Kind, Provider, Query, buffer,
    frames::Dependencies,
    image::Row,
    log::{Entry, Log, Why},
    query::{AnyValue, Seal},
};
use salsa::plumbing::{AsId, FromId};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A node, and the revision that computed the result. A memo reads no salsa input, so salsa
/// finds it valid for ever, in constant time; that it is the right one is the graph's affair.
#[salsa::interned(revisions = usize::MAX)]
struct Slot<'db> {
    #[returns(copy)]
    node: u32,
    #[returns(copy)]
    version: u32,
}

/// All queries share one salsa function: a function for each would give every slot room for the
/// memos of all of them.
#[salsa::tracked(returns(ref), no_eq)]
fn memo<'db>(db: &'db dyn Db, slot: Slot<'db>) -> AnyValue {
    with_stack(|| compute(db, slot))
}

/// The function behind every query.
pub fn get<'db, Q: Provider>(db: &'db dyn Db, key: &Q::Key) -> &'db Q::Value {
    let value = read(db, db.graph().node::<Q>(key));
    (**value).downcast_ref().expect("invariant: the memo of a node has its query's type")
}

/// The fingerprint of a result: records the edge and brings the node up to date, but does not
/// load or make a result that is valid.
pub fn fingerprint_of<Q: Provider>(db: &dyn Db, key: &Q::Key) -> Fingerprint {
    let graph = db.graph();
    let node = graph.node::<Q>(key);
    if !graph.recording {
        return (graph.query(node).fingerprint)(read(db, node));
    }
    note_edge(db, node);
    ensure(db, node);
    graph.recorded(node).expect("invariant: a node that is up to date has a record")
}

/// Reads without recording it: for a query that has read before what determines the results, such as
/// their digests, and asks for them only if it happens to lack them. So the graph does not show
/// whether it did.
pub fn unrecorded<R>(db: &dyn Db, read: impl FnOnce() -> R) -> R {
    let _aside = db.frames().aside();
    read()
}

fn read(db: &dyn Db, node: u32) -> &AnyValue {
    let graph = db.graph();
    let state = graph.state(node);
    if graph.recording {
        // Before salsa is entered, so that hitting a memo counts.
        note_edge(db, node);
        if let Some(value) = ensure_in(db, node, state) {
            return value;
        }
    }
    // Up to date, but maybe never in the memory of this process.
    let known = state.slot.load(Acquire);
    let slot = if known == 0 {
        refuse_cycle(db, node);
        Slot::new(db, node, graph.revision())
    } else {
        Slot::from_id(salsa::Id::from_bits(known))
    };
    memo(db, slot)
}

/// The query that runs reads a node.
fn note_edge(db: &dyn Db, node: u32) {
    #[cfg(feature = "mutation")]
    if let Some(reader) = db.frames().innermost() {
        let graph = db.graph();
        if crate::mutation::is_dropped(graph.query(reader).name, graph.query(node).name) {
            return;
        }
    }
    db.frames().edge(node);
}

/// Runs a node that is not green.
pub(super) fn execute(db: &dyn Db, node: u32, why: Why) -> &AnyValue {
    refuse_cycle(db, node);
    db.frames().announce(node, why);
    memo(db, Slot::new(db, node, db.graph().revision()))
}

/// salsa would find it too, but knows nothing of names.
fn refuse_cycle(db: &dyn Db, node: u32) {
    let Some(mut cycle) = db.frames().cycle(node) else { return };
    cycle.push(node);
    let name = |node: &u32| {
        let (query, key) = db.graph().show(*node);
        format!("{query}({key})")
    };
    panic!(
        "a query depends on itself: {}",
        cycle.iter().map(name).collect::<Vec<_>>().join(" -> ")
    );
}

/// The body of the memo function.
fn compute<'db>(db: &'db dyn Db, slot: Slot<'db>) -> AnyValue {
    let (graph, node) = (db.graph(), slot.node(db));
    let (state, query) = (graph.state(node), graph.query(node));
    if !graph.recording {
        let value = run_unrecorded(db, graph, node);
        state.slot.store(slot.as_id().as_bits(), Release);
        return value;
    }
    let why = db.frames().announced(node);
    let green = state.verified.load(Acquire) == graph.revision();
    let value = match (query.kind, graph.recorded(node)) {
        (Kind::Input, recorded) => read_input(db, graph, node, recorded),
        (_, Some(recorded)) if green => materialise(db, graph, node, recorded),
        (_, recorded) => run_red(db, graph, node, recorded, why.unwrap_or(Why::New)),
    };
    state.slot.store(slot.as_id().as_bits(), Release);
    if !green {
        // Last of all: who sees it relies on the rest.
        graph.set_mark(node, Mark::Clear);
        state.verified.store(graph.revision(), Release);
    }
    value
}

/// Runs a node of which nothing is recorded.
fn run_unrecorded(db: &dyn Db, graph: &Graph, node: u32) -> AnyValue {
    let (query, start) = (graph.query(node), graph.log.now());
    graph.announce_run(query);
    let running = db.frames().enter(node);
    let value = (query.run)(db, graph.key_ref(node));
    drop(running);
    let mut value = value.expect("invariant: without an image, keys are our own");
    if query.kind == Kind::Stored {
        (query.seal)(&mut value, graph.store()); // so that it has a digest
    }
    if query.kind != Kind::Input {
        graph.note_execution(db, node, Why::New, true, start);
    }
    value
}

/// What came of running a provider.
struct Outcome {
    value: AnyValue,
    seal: Seal,
    dependencies: Dependencies,
    /// When it began.
    start: u32,
}

/// Runs the provider.
fn run(db: &dyn Db, graph: &Graph, node: u32) -> Outcome {
    let (query, start) = (graph.query(node), graph.log.now());
    graph.announce_run(query);
    let running = db.frames().enter(node);
    let value = (query.run)(db, graph.key_ref(node));
    let dependencies = running.end();
    let Some(mut value) = value else { graph.interrupt(Cause::Damaged) };
    let seal = match query.kind {
        Kind::Relay => Seal { fingerprint: graph.relayed(&dependencies), kept: None },
        _ => (query.seal)(&mut value, graph.store()),
    };
    Outcome { value, seal, dependencies, start }
}

/// The result of a green node, from what is kept of it or by running it again.
fn materialise(db: &dyn Db, graph: &Graph, node: u32, recorded: Fingerprint) -> AnyValue {
    let query: &Query = graph.query(node);
    if let Some(value) = graph.kept(node).and_then(query.load) {
        graph.log.loaded.lock().push(node);
        return value;
    }
    let outcome = run(db, graph, node);
    graph.note_execution(db, node, Why::ValueNeeded, false, outcome.start);
    if outcome.seal.fingerprint != recorded {
        // Its readers were found green by a fingerprint that it no longer gives.
        Log::count(&graph.log.unstable);
        graph.interrupt(Cause::Unstable(node));
    }
    outcome.value
}

fn run_red(
    db: &dyn Db,
    graph: &Graph,
    node: u32,
    recorded: Option<Fingerprint>,
    why: Why,
) -> AnyValue {
    let Outcome { value, seal, dependencies, start } = run(db, graph, node);
    let changed = recorded != Some(seal.fingerprint);
    graph.note_execution(db, node, why, changed, start);
    graph.replace_record(node, seal.fingerprint, &dependencies, seal.kept.as_deref());
    value
}

/// Reads an input from the world.
fn read_input(db: &dyn Db, graph: &Graph, node: u32, recorded: Option<Fingerprint>) -> AnyValue {
    let query = graph.query(node);
    // The stamp first: if the input changes in between, the stamp is too old, and it will be read
    // again next time.
    let Some(stamp) = (query.stamp)(db, graph.key_ref(node)) else {
        graph.interrupt(Cause::Damaged)
    };
    let Outcome { value, seal, dependencies, .. } = run(db, graph, node);
    debug_assert!(dependencies.is_empty(), "an input calls no queries");
    let changed = recorded != Some(seal.fingerprint);
    if recorded.is_some() && graph.mark(node) == Mark::Clear {
        // It was vouched for by its stamp in this revision, so others may rely on the old contents.
        if changed {
            graph.interrupt(Cause::InputMoved(node));
        }
        return value;
    }
    graph.replace_record(node, seal.fingerprint, &[], Some(&stamp.to_bytes()));
    value
}

/// Reads an input anew, whatever is known of it. Returns whether it has changed.
///
/// The caller has exclusive access, and marks the readers.
pub(super) fn reread(db: &dyn Db, node: u32) -> bool {
    let graph = db.graph();
    graph.set_mark(node, Mark::Suspect);
    memo(db, Slot::new(db, node, graph.revision()));
    graph.state(node).changed.load(Relaxed) == graph.revision()
}

impl Graph {
    fn announce_run(&self, query: &Query) {
        if let Some(observer) = &self.observer
            && query.kind != Kind::Input
        {
            observer(query.id);
        }
    }
    fn note_execution(&self, db: &dyn Db, node: u32, why: Why, changed: bool, start: u32) {
        let (reader, span) = (db.frames().innermost(), self.log.span(start));
        let entry = Entry { node, why, reader, changed, span };
        self.log.executed.lock().push(entry);
    }
    /// The fingerprint of a result that is not looked at.
    fn relayed(&self, dependencies: &[u32]) -> Fingerprint {
        let read = dependencies.iter().map(|&read| self.recorded(read));
        Fingerprint::of(&read.collect::<Vec<_>>())
    }
    fn replace_record(
        &self,
        node: u32,
        fingerprint: Fingerprint,
        dependencies: &[u32],
        kept: Option<&[u8]>,
    ) {
        let (state, image) = (self.state(node), self.image_of(node));
        let replaced = self.records.at(&state.record);
        let before = replaced.map(Record::row).or_else(|| Some(image?.row(node)));
        let changed = before.is_none_or(|before| before.fingerprint != fingerprint);
        let same = |before: Row<'_>| before.kept == kept && before.dependencies == dependencies;
        // Written once: other threads read what lies beside it all the time.
        if !self.is_dirty() && (changed || !before.is_some_and(same)) {
            self.dirty.store(true, Relaxed);
        }
        if image.is_some() && replaced.is_none() {
            self.replaced.lock().push(node);
        }
        let record = buffer::with(|key| {
            if image.is_none() {
                self.encode_key(node, key);
            }
            Record::new(Row { kind: self.kind(node), key, fingerprint, dependencies, kept })
        });
        self.records.put(&state.record, record);
        self.dependents.note(node);
        if changed {
            state.changed.store(self.revision(), Relaxed);
        }
    }
}

/// Whether a panic is the graph's own.
pub(crate) fn is_interruption(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.is::<Interruption>()
}
