//! Writing down a graph.

use super::{Graph, Mark, Record};
use crate::{
    Fingerprint, Identity, Kind, Node, NodeName, Registry, Stamp, atomic_file,
    image::{Builder, Image, NONE, Patch, Row, patch_path},
    query::KeyRef,
    root_record::{RecordedInput, RootRecord},
};
use std::{
    fmt,
    fs::{self, File},
    io,
    path::Path,
    sync::{Arc, atomic::Ordering::Acquire},
    time::SystemTime,
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
    image: Content,
    inputs: Vec<RecordedInput>,
    identity: Identity,
}

/// What an image consists of.
enum Content {
    /// Its parts, one after the other.
    Made(Vec<Vec<u8>>),
    /// The image that was opened, and where it differs from its file.
    Patched(Arc<Image>, Patch),
}

impl Snapshot {
    /// The bytes of the image.
    pub fn image(&self) -> Vec<u8> {
        self.with_parts(|parts| parts.concat())
    }
    fn with_parts<R>(&self, with: impl FnOnce(&[&[u8]]) -> R) -> R {
        match &self.image {
            Content::Made(parts) => with(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            Content::Patched(image, patch) => image.with_parts(patch, with),
        }
    }
    /// Replaces the image at `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_image(&self, path: &Path) -> io::Result<()> {
        self.file(path, false)?.write()
    }
    /// What is to be written to have the image at `path`: all of it, or a `patch` if that will do and the one
    /// that was opened is still there.
    ///
    /// # Errors
    /// None that is known of.
    pub fn file<'s>(&'s self, path: &'s Path, patch: bool) -> io::Result<SnapshotFile<'s>> {
        let patched = match &self.image {
            Content::Patched(image, changes) if patch && image.is_at(path) => {
                changes.encode(image.file_len())
            }
            _ => None,
        };
        Ok(SnapshotFile { snapshot: self, path, patch: patched.transpose()? })
    }
    /// The record by which a later process sees that nothing has changed and `result` still holds.
    pub fn root_record(&self, result: Vec<u8>) -> RootRecord {
        RootRecord::new(self.identity, self.inputs.clone(), result)
    }
}

/// What is to be written of a snapshot.
pub struct SnapshotFile<'s> {
    snapshot: &'s Snapshot,
    path: &'s Path,
    patch: Option<Vec<u8>>,
}

impl SnapshotFile<'_> {
    /// The image stays, and a patch is written beside it.
    pub fn is_patch(&self) -> bool {
        self.patch.is_some()
    }
    /// In bytes.
    pub fn size(&self) -> usize {
        match (&self.patch, &self.snapshot.image) {
            (Some(patch), _) => patch.len(),
            (None, Content::Made(parts)) => parts.iter().map(Vec::len).sum(),
            (None, Content::Patched(image, _)) => image.file_len(),
        }
    }
    /// Replaces the image, or its patch beside it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let (path, beside) = (self.path, patch_path(self.path));
        if let Some(patch) = &self.patch {
            atomic_file::replace(&beside, &[patch])?;
            // Both are as new as the patch. Whoever makes room takes what is old first.
            let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(());
        }
        self.snapshot.with_parts(|parts| atomic_file::replace(path, parts))?;
        // It is for the image that was replaced, so nobody would use it.
        let _ = fs::remove_file(beside);
        Ok(())
    }
}

/// The bytes of an image with its patch, if it has one. `None`: there is none that is sound.
pub fn image_bytes(path: &Path, registry: &Registry) -> Option<Vec<u8>> {
    let image = Image::open_if(path, true, registry, |_| true).ok()??;
    Some(image.with_parts(&Patch::of(image.header.checksum), |parts| parts.concat()))
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
        self.snapshot_on(None, roots)
    }

    /// The same, where a draft for the first of these roots may have been made. One that is for
    /// others, of another graph, or that an edit has made outdated, is of no use and does no harm.
    ///
    /// # Errors
    /// As those of [`snapshot`](Self::snapshot).
    pub fn snapshot_on(&self, draft: Option<Draft>, roots: &[Node]) -> Result<Snapshot, SaveError> {
        let draft = match draft.filter(|draft| draft.fits(self, roots)) {
            Some(draft) => draft,
            None => match self.patched(roots) {
                Some(snapshot) => return Ok(snapshot),
                None => Draft::new(self),
            },
        };
        draft.with(self, roots)?.finish(self)
    }

    /// Begins a snapshot whose first roots these are, in another thread than the one that brings the
    /// others up to date; or goes on with one that was begun for fewer. `None`: a root is not up to date,
    /// or the image that was opened will most likely do with other results in it.
    pub fn draft(&self, begun: Option<Draft>, roots: &[Node]) -> Option<Draft> {
        let draft = match begun.filter(|draft| draft.fits(self, roots)) {
            Some(draft) => draft,
            None if self.image.as_ref().is_some_and(|image| self.same_edges(image).is_some()) => {
                return None;
            }
            None => Draft::new(self),
        };
        draft.with(self, roots).ok()
    }

    /// The image that was opened with other results in it. Possible while no query has read other
    /// things than before: then every node is where it was.
    fn patched(&self, roots: &[Node]) -> Option<Snapshot> {
        let image = self.image.as_ref().filter(|image| image.header.roots == roots_hash(roots))?;
        let records = self.same_edges(image)?;
        if !self.image_is_up_to_date() {
            return None;
        }
        let changes =
            records.iter().map(|(node, record)| (*node, record.fingerprint, record.kept()));
        let patch = image.patched(changes)?;
        let inputs = image.inputs().iter().map(|&node| self.recorded_input(node));
        let inputs = inputs.collect::<Option<Vec<_>>>()?;
        let image = Content::Patched(image.clone(), patch);
        Some(Snapshot { image, inputs, identity: self.identity })
    }

    /// The records that replace those of the image, if all of them have the same dependencies.
    fn same_edges(&self, image: &Image) -> Option<Vec<(u32, &Record)>> {
        let record = |node: &u32| Some((*node, self.replacement(*node)?));
        let records: Vec<(u32, &Record)> = self.replaced.lock().iter().filter_map(record).collect();
        let same =
            |(node, record): &(u32, &Record)| record.dependencies() == image.dependencies(*node);
        records.iter().all(same).then_some(records)
    }

    fn recorded_input(&self, node: u32) -> Option<RecordedInput> {
        let Row { kind, key, fingerprint, kept, .. } = self.row(node)?;
        let stamp = kept.map(Stamp::from_bytes).unwrap_or_default();
        let (query, key) = (self.registry.query(kind).id, key.to_vec());
        Some(RecordedInput { query, key, stamp, fingerprint })
    }

    /// What the roots reach, for people: in the order of the image.
    ///
    /// # Errors
    /// If a root is not up to date: it must have been asked for in this revision.
    pub fn report(&self, roots: &[Node]) -> Result<Vec<NodeReport>, SaveError> {
        let (mut order, mut report) = (Order::default(), Vec::new());
        for root in roots {
            order.add(self, root, &mut |nodes, places| {
                for (&node, row) in nodes.iter().zip(self.rows(nodes)) {
                    let (query, key) = self.show(node);
                    let place = |read: &u32| places[*read as usize];
                    report.push(NodeReport {
                        name: NodeName { query: query.into(), key: key.into() },
                        kind: self.query(node).kind,
                        fingerprint: row.fingerprint,
                        dependencies: row.dependencies.iter().map(place).collect(),
                    });
                }
            })?;
        }
        Ok(report)
    }

    /// Whether the latest records of all nodes of the image hold in this revision.
    fn image_is_up_to_date(&self) -> bool {
        if self.revision() > 1 {
            return (0..self.base).all(|node| self.is_up_to_date(node));
        }
        // Before the first edit nothing is in doubt but what the changed inputs reach.
        let reached = self.reached.get().into_iter().flatten().zip(0..);
        reached.filter(|(reached, _)| **reached).all(|(_, node)| self.is_up_to_date(node))
    }
    /// Whether the latest record of a node holds in this revision.
    fn is_up_to_date(&self, node: u32) -> bool {
        let Some(state) = self.states.peek(node) else {
            return node < self.base && !self.is_reached(node);
        };
        state.verified.load(Acquire) == self.revision()
            || self.mark(node) == Mark::Clear && self.recorded(node).is_some()
    }
}

/// The nodes of an image that this build of the program wrote, with whatever options: for drawing.
/// `None`: there is none.
pub fn image_report(path: &Path, build: u128, registry: &Registry) -> Option<Vec<NodeReport>> {
    let image = Image::open_if(path, true, registry, |identity| identity.build == build).ok()??;
    let report = |node: u32| {
        let query = registry.query(image.kind(node));
        let key = (query.show)(KeyRef::Bytes(image.key(node))).unwrap_or_else(|| "?".into());
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

/// A snapshot in the making.
pub struct Draft {
    order: Order,
    builder: Builder,
    inputs: Vec<RecordedInput>,
    roots: Vec<Node>,
    /// Which graph it is of.
    graph: Arc<()>,
    /// Records of nodes that are up to date do not change in a revision.
    revision: u32,
}

impl Draft {
    fn new(graph: &Graph) -> Draft {
        Draft {
            order: Order::default(),
            // While it is made, others may come.
            builder: Builder::new(graph.node_count() as usize * 9 / 8),
            inputs: Vec::new(),
            roots: Vec::new(),
            graph: graph.token.clone(),
            revision: graph.revision(),
        }
    }

    /// Whether it is of this graph as it is now, for the first of these roots.
    fn fits(&self, graph: &Graph, roots: &[Node]) -> bool {
        Arc::ptr_eq(&self.graph, &graph.token)
            && self.revision == graph.revision()
            && roots.starts_with(&self.roots)
    }

    /// The same with the roots that it lacks of these.
    fn with(mut self, graph: &Graph, roots: &[Node]) -> Result<Draft, SaveError> {
        let Draft { order, builder, inputs, roots: known, .. } = &mut self;
        for root in &roots[known.len()..] {
            order.add(graph, root, &mut |nodes, places| {
                let rows = graph.rows(nodes);
                builder.extend(&rows, places);
                for (&node, row) in nodes.iter().zip(&rows) {
                    if graph.registry.query(row.kind).kind == Kind::Input {
                        inputs.extend(graph.recorded_input(node));
                        builder.input(places[node as usize]);
                    }
                }
            })?;
        }
        self.roots = roots.to_vec();
        Ok(self)
    }

    fn finish(self, graph: &Graph) -> Result<Snapshot, SaveError> {
        let (identity, registry) = (graph.identity, graph.registry.hash());
        let image = self.builder.finish(identity, registry, roots_hash(&self.roots));
        let image = Content::Made(image.ok_or(SaveError::TooLarge)?);
        Ok(Snapshot { image, inputs: self.inputs, identity })
    }
}

/// What some roots reach, in depth-first post-order, dependencies in recorded order.
#[derive(Default)]
struct Order {
    /// Node to place.
    places: Vec<u32>,
    /// So many have a place.
    count: u32,
}

/// Is given nodes that have got their places, in that order, and the places of all that they depend on.
type Visit<'a> = dyn FnMut(&[u32], &[u32]) + 'a;

impl Order {
    /// Adds what a root reaches and has no place yet.
    fn add(&mut self, graph: &Graph, root: &Node, visit: &mut Visit<'_>) -> Result<(), SaveError> {
        /// In `places`: on the way, below in the stack.
        const STARTED: u32 = NONE - 1;
        /// So many are visited together.
        const MANY: usize = 128;
        let root = graph.find(root).filter(|_| graph.recording).ok_or(SaveError::NotBuilt)?;
        // There may be more than when the last root was added.
        self.places.resize(graph.node_count() as usize, NONE);
        let mut next = Some(root).filter(|root| self.places[*root as usize] == NONE);
        // With how many of its dependencies have been looked at.
        let mut stack: Vec<(u32, &[u32], usize)> = Vec::new();
        let mut done = Vec::with_capacity(MANY);
        loop {
            if let Some(node) = next.take() {
                if !graph.is_up_to_date(node) {
                    return Err(SaveError::NotBuilt);
                }
                self.places[node as usize] = STARTED;
                stack.push((node, graph.dependencies(node).ok_or(SaveError::NotBuilt)?, 0));
            }
            let Some((node, read, seen)) = stack.last_mut() else { break };
            match (*seen..read.len()).find(|&at| self.places[read[at] as usize] == NONE) {
                Some(at) => {
                    *seen = at + 1;
                    next = Some(read[at]);
                }
                None => {
                    self.places[*node as usize] = self.count;
                    self.count += 1;
                    done.push(*node);
                    stack.pop();
                }
            }
            if done.len() == MANY {
                visit(&done, &self.places);
                done.clear();
            }
        }
        visit(&done, &self.places);
        Ok(())
    }
}
