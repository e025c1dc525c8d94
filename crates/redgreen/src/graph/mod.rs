//! The red-green graph: which nodes there are, what is known of each, and which results are valid.

mod dependents;
mod mark;
mod nodes;
mod opening;
mod records;
mod run;
mod save;

pub use mark::{is_in_doubt, is_stale};
pub(crate) use run::is_interruption;
pub use run::{fingerprint_of, get, unrecorded};
pub use save::{Draft, NodeReport, SaveError, Snapshot, SnapshotFile, image_bytes, image_report};

use crate::{
    Digest, Fingerprint, Identity, Kind, Observer, Query, Registry, Store, World,
    image::{Image, Row},
    log::Log,
    paged::Paged,
};
use dependents::Dependents;
pub(crate) use nodes::NewNodes;
use parking_lot::Mutex;
use records::{Place, Record, Records};
use std::{
    any::Any,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::*},
    },
};

/// What is known of a node by this process.
///
/// All-default is the state of a node of the image that nobody has looked at.
#[derive(Default)]
struct State {
    /// The salsa id under which the result is memoized; 0: it is not in memory.
    slot: AtomicU64,
    /// The revision in which the record was last known to be valid. 0: the image's.
    verified: AtomicU32,
    /// The revision in which the result was first seen to differ from the one before.
    changed: AtomicU32,
    mark: AtomicU8,
    /// Replaces the record of the image.
    record: Place,
}

/// Whether the record of a node may be invalid.
///
/// Invariant: if a node is `Suspect` or `Lost`, so are all nodes whose records mention it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Mark {
    // 0: none yet; `Graph::reached` tells.
    /// It can be reached from a changed input.
    Suspect = 1,
    /// Nothing it depends on has changed since it was verified.
    Clear = 2,
    /// It must run whatever its dependencies say.
    Lost = 3,
}

/// Why a build was interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// A stored result is gone.
    Lost(Digest),
    /// A query gave another result although nothing it read had changed.
    Unstable(u32),
    /// An input has changed since it was stamped.
    InputMoved(u32),
    /// A node of the image cannot be read after all.
    Damaged,
}

/// The payload of the unwinding by which a build is interrupted. The causes are in the graph, since
/// the thread that catches it may be told of another one's panic only.
pub(crate) struct Interruption;

/// The graph.
pub struct Graph {
    registry: Registry,
    world: World,
    store: Arc<dyn Store>,
    identity: Identity,
    observer: Option<Arc<Observer>>,
    recording: bool,
    /// Tells this graph from all others.
    token: Arc<()>,
    image: Option<Arc<Image>>,
    /// Nodes with smaller numbers are those of the image.
    base: u32,
    new_nodes: NewNodes,
    states: Paged<State>,
    records: Records,
    /// Per node of the image, what the changed inputs reach; absent if none has changed.
    reached: OnceLock<Vec<bool>>,
    /// Raised, with exclusive access, whenever inputs change. The image is the state of revision 0.
    revision: AtomicU32,
    dependents: Dependents,
    /// Nodes of the image that have other records, each once.
    replaced: Mutex<Vec<u32>>,
    /// Some record differs from the image.
    dirty: AtomicBool,
    causes: Mutex<Vec<Cause>>,
    log: Log,
}

impl Graph {
    pub(crate) fn new(options: &crate::Options, image: Option<Image>) -> Graph {
        let base = image.as_ref().map_or(0, Image::len);
        Graph {
            registry: options.registry.clone(),
            world: options.world.clone(),
            store: options.store.clone(),
            identity: options.identity,
            observer: options.observer.clone(),
            recording: options.recording,
            token: Arc::default(),
            dirty: AtomicBool::new(image.is_none()),
            image: image.map(Arc::new),
            base,
            new_nodes: NewNodes::new(base),
            states: Paged::default(),
            records: Records::default(),
            reached: OnceLock::new(),
            revision: AtomicU32::new(1),
            dependents: Dependents::default(),
            replaced: Mutex::default(),
            causes: Mutex::default(),
            log: Log::default(),
        }
    }

    /// The world that inputs are read from.
    ///
    /// # Panics
    /// If it is not a `W`.
    pub fn world<W: Any>(&self) -> &W {
        self.world.downcast_ref().expect("the world has the type the inputs were written for")
    }
    /// Where stored results are.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }
    /// The queries of the program.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
    /// Whether an image was found and used.
    pub fn has_image(&self) -> bool {
        self.image.is_some()
    }
    /// Whether a [`Snapshot`] would differ from the image, the same roots given.
    pub fn is_dirty(&self) -> bool {
        self.dirty.load(Relaxed)
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
    fn revision(&self) -> u32 {
        self.revision.load(Relaxed)
    }
    fn state(&self, node: u32) -> &State {
        self.states.get(node)
    }
    fn query(&self, node: u32) -> &Query {
        self.registry.query(self.kind(node))
    }
    fn is_input(&self, node: u32) -> bool {
        self.query(node).kind == Kind::Input
    }
    /// The image, if the node is one of its.
    fn image_of(&self, node: u32) -> Option<&Image> {
        self.image.as_deref().filter(|_| node < self.base)
    }
    /// What replaces the record of the image. Most nodes have no state, and need none to say so.
    fn replacement(&self, node: u32) -> Option<&Record> {
        self.records.at(&self.states.peek(node)?.record)
    }
    /// What the latest record says; `None`: there is none.
    fn row(&self, node: u32) -> Option<Row<'_>> {
        let image = self.image_of(node);
        let Some(record) = self.replacement(node) else { return Some(image?.row(node)) };
        let key = image.map_or(record.key(), |image| image.key(node));
        Some(Row { key, ..record.row() })
    }
    /// The same for nodes that have records.
    fn rows(&self, nodes: &[u32]) -> Vec<Row<'_>> {
        nodes.iter().filter_map(|&node| self.row(node)).collect()
    }
    /// The fingerprint in the latest record; `None`: there is no record.
    fn recorded(&self, node: u32) -> Option<Fingerprint> {
        match self.replacement(node) {
            Some(record) => Some(record.fingerprint),
            None => Some(self.image_of(node)?.fingerprint(node)),
        }
    }
    /// What the latest record keeps of the result.
    fn kept(&self, node: u32) -> Option<&[u8]> {
        match self.replacement(node) {
            Some(record) => record.kept(),
            None => self.image_of(node)?.kept(node),
        }
    }
    /// The dependencies in the latest record. Another one may take its place meanwhile.
    fn dependencies(&self, node: u32) -> Option<&[u32]> {
        match self.replacement(node) {
            Some(record) => Some(record.dependencies()),
            None => Some(self.image_of(node)?.dependencies(node)),
        }
    }
    /// Frees the records that others have replaced.
    pub(crate) fn forget_outdated(&mut self) {
        self.records.forget_outdated();
    }
    fn mark(&self, node: u32) -> Mark {
        match self.states.peek(node).map_or(0, |state| state.mark.load(Acquire)) {
            1 => Mark::Suspect,
            2 => Mark::Clear,
            3 => Mark::Lost,
            _ if self.is_reached(node) => Mark::Suspect,
            _ => Mark::Clear,
        }
    }
    /// A changed input reaches this node of the image.
    fn is_reached(&self, node: u32) -> bool {
        let reached = self.reached.get().and_then(|reached| reached.get(node as usize));
        reached == Some(&true)
    }
    /// No changed input reaches this node of the image, and nobody has looked at it.
    fn is_untouched(&self, node: u32) -> bool {
        let untouched =
            |state: &State| state.mark.load(Acquire) == 0 && state.verified.load(Acquire) == 0;
        node < self.base && !self.is_reached(node) && self.states.peek(node).is_none_or(untouched)
    }
    fn set_mark(&self, node: u32, mark: Mark) {
        self.state(node).mark.store(mark as u8, Release);
    }

    /// Ends the build by unwinding to [`Database::attempt`](crate::Database::attempt).
    pub(crate) fn interrupt(&self, cause: Cause) -> ! {
        self.causes.lock().push(cause);
        // Not `panic_any`: no hook runs, so nothing is printed.
        std::panic::resume_unwind(Box::new(Interruption))
    }
    pub(crate) fn has_causes(&self) -> bool {
        !self.causes.lock().is_empty()
    }
    /// Why builds were interrupted since this was last asked.
    pub(crate) fn take_causes(&self) -> Vec<Cause> {
        std::mem::take(&mut self.causes.lock())
    }
    /// Forgets where results are in memory. The caller has exclusive access.
    pub(crate) fn forget_memos(&self) {
        self.states.touched().for_each(|state| state.slot.store(0, Relaxed));
    }
    /// The nodes whose results are the stored bytes of `digest`.
    fn holders(&self, digest: &Digest) -> Vec<u32> {
        let holds =
            |&node: &u32| self.query(node).kind == Kind::Stored && self.kept(node) == Some(digest);
        (0..self.node_count()).filter(holds).collect()
    }
}
