//! Writing down a graph.

use super::{Graph, Mark, Parts, Record};
use crate::{
    Fingerprint, Identity, Kind, Node, NodeName, Registry, Stamp, atomic_file,
    image::{Builder, Image, NONE, Row, Sizes},
    root_record::{RecordedInput, RootRecord},
};
use rustc_hash::FxHashMap;
use std::{
    fmt, io,
    path::Path,
    sync::{Arc, atomic::Ordering::Acquire},
};

/// Why a graph cannot be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaveError {
    /// A root has not been asked for in this revision, or not with recording on.
    NotBuilt,
    /// The graph does not fit into an image.
    TooLarge,
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SaveError::NotBuilt => "the graph to be saved is not up to date",
            SaveError::TooLarge => "the graph is too large for an image",
        })
    }
}

impl std::error::Error for SaveError {}

/// What some roots reach, in one revision. It may be written by another thread, while the program
/// goes on.
pub struct Snapshot {
    image: Vec<u8>,
    inputs: Vec<RecordedInput>,
    identity: Identity,
}

impl Snapshot {
    /// The bytes of the image.
    pub fn image(&self) -> &[u8] {
        &self.image
    }
    /// Replaces the image at `path`.
    pub fn write_image(&self, path: &Path) -> io::Result<()> {
        atomic_file::replace(path, &self.image)
    }
    /// The record by which a later process sees that nothing has changed and `result` still holds.
    pub fn root_record(&self, result: Vec<u8>) -> RootRecord {
        RootRecord::new(self.identity, self.inputs.clone(), result)
    }
}

/// A node of the graph as it was saved, for drawing and for tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeReport {
    /// Query and key.
    pub name: NodeName,
    /// What happens to its result.
    pub kind: Kind,
    /// Of its result.
    pub fingerprint: Fingerprint,
    /// What it has read, in order, as indices of earlier nodes in the report.
    pub dependencies: Vec<u32>,
}

impl Graph {
    /// Whether a snapshot for these roots differs from the image that was opened.
    pub fn needs_saving(&self, roots: &[Node]) -> bool {
        let image = self.image.as_ref();
        self.is_dirty() || image.is_none_or(|image| image.header.roots != roots_hash(roots))
    }

    /// What the roots reach.
    ///
    /// # Errors
    /// If a root is not up to date: it must have been asked for in this revision.
    pub fn snapshot(&self, roots: &[Node]) -> Result<Snapshot, SaveError> {
        match self.patched(roots) {
            Some(snapshot) => Ok(snapshot),
            None => self.laid_out(roots),
        }
    }

    /// The image that was opened with other results in it. Possible while no query has read other
    /// things than before: then every node is where it was.
    fn patched(&self, roots: &[Node]) -> Option<Snapshot> {
        let image = self.image.as_ref().filter(|image| image.header.roots == roots_hash(roots))?;
        let records: Vec<(u32, Arc<Record>)> = (0..self.base)
            .filter_map(|node| Some((node, self.state(node).record.read().clone()?)))
            .collect();
        let same = |(node, record): &(u32, Arc<Record>)| {
            *record.dependencies == *image.dependencies(*node)
        };
        if !records.iter().all(same) || !(0..self.base).all(|node| self.is_up_to_date(node)) {
            return None;
        }
        let changes = records
            .iter()
            .map(|(node, record)| (*node, record.fingerprint, record.kept.as_deref()));
        let bytes = image.patched(changes)?;
        let inputs = image.inputs().iter().map(|&node| self.recorded_input(node));
        let inputs = inputs.collect::<Option<Vec<_>>>()?;
        Some(Snapshot { image: bytes, inputs, identity: self.identity })
    }

    fn recorded_input(&self, node: u32) -> Option<RecordedInput> {
        let stamp = self.with_kept(node, Stamp::from_bytes).unwrap_or_default();
        let (query, key) = (self.query(node).id, self.key(node).to_vec());
        Some(RecordedInput { query, key, stamp, fingerprint: self.recorded(node)? })
    }

    fn laid_out(&self, roots: &[Node]) -> Result<Snapshot, SaveError> {
        let order = Order::of(self, roots)?;
        let mut keys = KeyTable::new(self);
        let key_indices: Vec<u32> = order.nodes.iter().map(|&node| keys.index(node)).collect();
        let sizes = self.measured(&order, &keys);
        let builder = Builder::new(self.identity, self.registry.hash(), roots_hash(roots), sizes);
        let mut builder = builder.ok_or(SaveError::TooLarge)?;
        keys.all.iter().for_each(|key| builder.key(key));
        let mut inputs = Vec::with_capacity(sizes.inputs as usize);
        for (at, (&node, &key_index)) in order.nodes.iter().zip(&key_indices).enumerate() {
            let (kind, key, is_input) = (self.kind(node), self.key(node), self.is_input(node));
            if is_input {
                inputs.extend(self.recorded_input(node));
            }
            let (fingerprint, kept, dependencies) = order.record(self, at);
            let dependencies = &mut order.renumber(dependencies);
            let row = Row { kind, is_input, key_index, key, fingerprint, dependencies, kept };
            builder.push(row);
        }
        Ok(Snapshot { image: builder.finish(), inputs, identity: self.identity })
    }

    /// How much an image of these nodes holds.
    fn measured(&self, order: &Order, keys: &KeyTable<'_>) -> Sizes {
        let mut sizes = Sizes {
            nodes: order.nodes.len() as u64,
            keys: keys.all.len() as u64,
            key_bytes: keys.all.iter().map(|key| key.len() as u64).sum(),
            ..Sizes::default()
        };
        for (at, &node) in order.nodes.iter().enumerate() {
            let (_, kept, dependencies) = order.record(self, at);
            sizes.inputs += u64::from(self.is_input(node));
            sizes.edges += dependencies.len() as u64;
            sizes.values += u64::from(kept.is_some());
            sizes.value_bytes += kept.map_or(0, <[u8]>::len) as u64;
        }
        sizes
    }

    /// What the roots reach, for people: in the order of the image.
    ///
    /// # Errors
    /// If a root is not up to date: it must have been asked for in this revision.
    pub fn report(&self, roots: &[Node]) -> Result<Vec<NodeReport>, SaveError> {
        let order = Order::of(self, roots)?;
        let report = |(at, &node): (usize, &u32)| {
            let (query, key) = self.show(node);
            let (fingerprint, _, dependencies) = order.record(self, at);
            NodeReport {
                name: NodeName { query: query.into(), key: key.into() },
                kind: self.query(node).kind,
                fingerprint,
                dependencies: order.renumber(dependencies).collect(),
            }
        };
        Ok(order.nodes.iter().enumerate().map(report).collect())
    }

    /// Whether the latest record of a node holds in this revision.
    fn is_up_to_date(&self, node: u32) -> bool {
        self.state(node).verified.load(Acquire) == self.revision()
            || self.mark(node) == Mark::Clear && self.recorded(node).is_some()
    }
}

/// The nodes of an image that this build of the program wrote, with whatever options: for drawing.
/// `None`: there is none.
pub fn image_report(path: &Path, build: u128, registry: &Registry) -> Option<Vec<NodeReport>> {
    let image = Image::open_if(path, registry, |identity| identity.build == build)?;
    let report = |node: u32| {
        let query = registry.query(image.kind(node));
        let key = (query.show)(image.key(node)).unwrap_or_else(|| "?".into());
        NodeReport {
            name: NodeName { query: query.name.into(), key: key.into() },
            kind: query.kind,
            fingerprint: image.fingerprint(node),
            dependencies: image.dependencies(node).to_vec(),
        }
    };
    Some((0..image.len()).map(report).collect())
}

fn roots_hash(roots: &[Node]) -> u64 {
    Fingerprint::of(roots).0 as u64
}

/// What some roots reach, in depth-first post-order, dependencies in recorded order.
struct Order {
    nodes: Vec<u32>,
    /// By place: the latest record; `None`: it is that of the image.
    records: Vec<Option<Arc<Record>>>,
    /// Node to place in `nodes`.
    places: Vec<u32>,
}

impl Order {
    fn of(graph: &Graph, roots: &[Node]) -> Result<Order, SaveError> {
        let places = vec![NONE; graph.node_count() as usize];
        let mut order = Order { nodes: Vec::new(), records: Vec::new(), places };
        for root in roots {
            let node = graph.find(root).filter(|_| graph.recording).ok_or(SaveError::NotBuilt)?;
            order.add(graph, node)?;
        }
        Ok(order)
    }
    fn add(&mut self, graph: &Graph, root: u32) -> Result<(), SaveError> {
        /// In `places`: on the way, below in the stack.
        const STARTED: u32 = NONE - 1;
        let mut next = Some(root);
        // With how many of its dependencies have been looked at.
        let mut stack: Vec<(u32, Option<Arc<Record>>, usize)> = Vec::new();
        loop {
            if let Some(node) = next.take() {
                if self.places[node as usize] != NONE {
                    return Ok(()); // an earlier root reached this one
                }
                if !graph.is_up_to_date(node) {
                    return Err(SaveError::NotBuilt);
                }
                self.places[node as usize] = STARTED;
                stack.push((node, graph.state(node).record.read().clone(), 0));
            }
            let Some((node, record, seen)) = stack.last_mut() else { return Ok(()) };
            let parts = graph.parts(*node, record.as_ref());
            let (_, _, read) = parts.ok_or(SaveError::NotBuilt)?;
            let new = |&at: &usize| self.places[read[at] as usize] == NONE;
            match (*seen..read.len()).find(new) {
                Some(at) => {
                    *seen = at + 1;
                    next = Some(read[at]);
                }
                None => {
                    self.places[*node as usize] = self.nodes.len() as u32;
                    self.nodes.push(*node);
                    self.records.extend(stack.pop().map(|(_, record, _)| record));
                }
            }
        }
    }
    /// The record of the node at a place: the fingerprint, what is kept of the result, and the
    /// dependencies.
    fn record<'a>(&'a self, graph: &'a Graph, at: usize) -> Parts<'a> {
        let parts = graph.parts(self.nodes[at], self.records[at].as_ref());
        parts.expect("invariant: what has a place has a record")
    }
    fn renumber(&self, nodes: &[u32]) -> impl Iterator<Item = u32> {
        nodes.iter().map(|&node| self.places[node as usize])
    }
}

/// The keys that are in the new image. Nodes of several queries share them.
struct KeyTable<'a> {
    graph: &'a Graph,
    all: Vec<&'a [u8]>,
    indices: FxHashMap<&'a [u8], u32>,
    /// Key in the old image to key in the new one: spares the hashing.
    old: Vec<u32>,
}

impl<'a> KeyTable<'a> {
    fn new(graph: &'a Graph) -> KeyTable<'a> {
        let old = graph.image.as_ref().map_or(0, |image| image.header.keys as usize);
        let (all, indices) = (Vec::new(), FxHashMap::default());
        KeyTable { graph, all, indices, old: vec![NONE; old] }
    }
    fn index(&mut self, node: u32) -> u32 {
        let Some(image) = self.graph.image_of(node) else { return self.find(node) };
        let old = image.key_index(node) as usize;
        if self.old[old] == NONE {
            self.old[old] = self.find(node);
        }
        self.old[old]
    }
    fn find(&mut self, node: u32) -> u32 {
        let key = self.graph.key(node);
        *self.indices.entry(key).or_insert_with(|| {
            self.all.push(key);
            self.all.len() as u32 - 1
        })
    }
}
