//! What happened in a build as it is written down: numbers and the bytes of keys. Names are made of
//! them when somebody wants to read them; a build that runs thousands of queries has no time to.

use crate::{
    BuildRecord, Counts, Execution, Graph, NodeName, QueryId, Reason, Registry, atomic_file,
    log::{Entry, Span, Why},
    query::KeyRef,
    root_record::{encode_checked, read_checked},
};
use serde::{Deserialize, Serialize};
use std::{io, path::Path, sync::Arc, sync::atomic::Ordering::Relaxed};

/// Also the version of the format.
const MAGIC: [u8; 8] = *b"RGWHY005";

/// What happened in a build. Cheap to take and to write; [`BuildLog::record`] is what to read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BuildLog {
    /// Numbers.
    pub counts: Counts,
    /// All queries, in the order of the registry.
    queries: Vec<QueryId>,
    /// The keys of the nodes one after the other. Nodes of several queries may share one, but to find that
    /// out costs more than to write it again.
    #[serde(with = "serde_bytes")]
    keys: Vec<u8>,
    /// The query, and where the key ends.
    nodes: Vec<(u16, u32)>,
    inputs_changed: Vec<u32>,
    executed: Vec<Run>,
    /// Results that were taken from the image.
    loaded: Vec<u32>,
    /// When what was executed ran; empty unless time was measured.
    spans: Vec<Span>,
    /// What the driver wants to know of the build later.
    pub label: String,
}

/// An [`Execution`], with numbers of nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Run {
    node: u32,
    why: Why,
    reader: Option<u32>,
    changed: bool,
}

impl BuildLog {
    /// What happened since the graph was opened or this was last called. It may be called in
    /// another thread than the one that builds, when that has ended.
    pub fn take(graph: &Graph) -> BuildLog {
        let log = graph.log();
        let executed = std::mem::take(&mut *log.executed.lock());
        let inputs = std::mem::take(&mut *log.inputs_changed.lock());
        let loaded = std::mem::take(&mut *log.loaded.lock());
        let counts = Counts {
            executed: executed.len() as u64,
            green: log.green.swap(0, Relaxed),
            loaded: loaded.len() as u64,
            unstable: log.unstable.swap(0, Relaxed),
        };
        if executed.is_empty() && inputs.is_empty() && loaded.is_empty() {
            return BuildLog { counts, ..BuildLog::default() };
        }
        let mut table = Table::new(graph, executed.len());
        let inputs_changed = inputs.into_iter().map(|node| table.number(node)).collect();
        let loaded = loaded.into_iter().map(|node| table.number(node)).collect();
        let spans = match log.is_measured() {
            true => executed.iter().map(|entry| entry.span).collect(),
            false => Vec::new(),
        };
        let executed = executed.iter().map(|entry| table.run(entry)).collect();
        BuildLog { counts, inputs_changed, executed, loaded, spans, ..table.log }
    }

    /// The same with names, which the registry of the program gives.
    pub fn record(&self, registry: &Registry) -> BuildRecord {
        let names: Vec<NodeName> =
            (0..self.nodes.len() as u32).map(|node| self.name(node, registry)).collect();
        let name = |node: u32| names.get(node as usize).cloned().unwrap_or_else(unknown);
        let mut inputs_changed: Vec<_> = self.inputs_changed.iter().map(|at| name(*at)).collect();
        inputs_changed.sort();
        inputs_changed.dedup();
        let execution = |(at, run): (usize, &Run)| Execution {
            node: name(run.node),
            reason: match run.why {
                Why::New => Reason::New,
                Why::Changed(dependency) => Reason::Changed(name(dependency)),
                Why::ValueNeeded => Reason::ValueNeeded,
                Why::Lost => Reason::Lost,
            },
            reader: run.reader.map(name),
            changed: run.changed,
            span: self.spans.get(at).copied(),
        };
        let executed = self.executed.iter().enumerate().map(execution).collect();
        let loaded = self.loaded.iter().map(|node| name(*node)).collect();
        BuildRecord { counts: self.counts, inputs_changed, executed, loaded }
    }

    /// The keys, as people read them, for which each of these queries ran, in the order of running.
    pub fn ran<const N: usize>(
        &self,
        queries: [&str; N],
        registry: &Registry,
    ) -> [Vec<Arc<str>>; N] {
        let ids = queries.map(QueryId::of);
        let which = |known: &QueryId| ids.iter().position(|id| id == known);
        let which: Vec<Option<usize>> = self.queries.iter().map(which).collect();
        let mut keys = [const { Vec::new() }; N];
        for run in &self.executed {
            let kind = self.nodes.get(run.node as usize).map(|(kind, _)| usize::from(*kind));
            if let Some(at) = kind.and_then(|kind| *which.get(kind)?) {
                keys[at].push(self.name(run.node, registry).key);
            }
        }
        keys
    }

    fn name(&self, node: u32, registry: &Registry) -> NodeName {
        let name = || {
            let (kind, _) = self.nodes.get(node as usize)?;
            let query = registry.named(*self.queries.get(usize::from(*kind))?)?;
            let show = || (query.show)(KeyRef::Bytes(self.key(node)?));
            let key = show().unwrap_or_else(|| "?".into());
            Some(NodeName { query: query.name.into(), key: key.into() })
        };
        name().unwrap_or_else(unknown)
    }

    /// The key of a node.
    fn key(&self, node: u32) -> Option<&[u8]> {
        let end = |node: u32| Some(self.nodes.get(node as usize)?.1 as usize);
        let start = node.checked_sub(1).map_or(Some(0), end)?;
        self.keys.get(start..end(node)?)
    }

    /// Replaces the log at `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        atomic_file::replace(path, &[self.encode()?])
    }
    /// The bytes of the file.
    ///
    /// # Errors
    /// None that is known of.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        encode_checked(MAGIC, self, self.keys.len() + self.nodes.len() * 24)
    }
    /// Reads a log; `None` if there is none or it is damaged.
    pub fn load(path: &Path) -> Option<BuildLog> {
        read_checked(path, MAGIC).ok().flatten()
    }
}

/// A node of a log that another program wrote.
fn unknown() -> NodeName {
    NodeName { query: "?".into(), key: "?".into() }
}

/// Gives numbers to the nodes of a log.
struct Table<'a> {
    graph: &'a Graph,
    /// By node of the graph: one more than its number; 0: it has none yet.
    numbers: Vec<u32>,
    log: BuildLog,
}

impl<'a> Table<'a> {
    /// With room for so many nodes.
    fn new(graph: &'a Graph, nodes: usize) -> Table<'a> {
        let log = BuildLog {
            queries: graph.registry().ids(),
            nodes: Vec::with_capacity(nodes),
            // What is usual of keys.
            keys: Vec::with_capacity(nodes * 16),
            ..BuildLog::default()
        };
        let numbers = vec![0; graph.node_count() as usize];
        Table { graph, numbers, log }
    }
    fn number(&mut self, node: u32) -> u32 {
        if let Some(known) = self.numbers[node as usize].checked_sub(1) {
            return known;
        }
        let (kind, key) = self.graph.name(node);
        let log = &mut self.log;
        log.keys.extend_from_slice(&key);
        let number = log.nodes.len() as u32;
        log.nodes.push((kind, log.keys.len() as u32));
        self.numbers[node as usize] = number + 1;
        number
    }
    fn run(&mut self, entry: &Entry) -> Run {
        let why = match entry.why {
            Why::Changed(node) => Why::Changed(self.number(node)),
            other => other,
        };
        let reader = entry.reader.map(|reader| self.number(reader));
        Run { node: self.number(entry.node), why, reader, changed: entry.changed }
    }
}
