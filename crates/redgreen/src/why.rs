//! The record of a build: which inputs had changed, what ran, and because of what.

use crate::{
    Graph,
    log::{Entry, Why},
    packed,
    root_record::{read_checked, write_checked},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt, io,
    path::Path,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Also the version of the format.
const MAGIC: [u8; 8] = *b"RGWHY002";

/// A node as people name it. Copies share their texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeName {
    /// The query.
    pub query: Arc<str>,
    /// The `Display` form of its key.
    pub key: Arc<str>,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.query, self.key)
    }
}

/// Why a query ran.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// There was no record of it.
    New,
    /// This is the first thing it had read that changed.
    Changed(NodeName),
    /// It was up to date, but its result is not kept and somebody needed it.
    ValueNeeded,
    /// Its result was gone from the store.
    Lost,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::New => f.write_str("new"),
            Reason::Changed(node) => write!(f, "changed dependency: {node}"),
            Reason::ValueNeeded => f.write_str("value needed"),
            Reason::Lost => f.write_str("lost"),
        }
    }
}

/// One query that ran.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
    /// What ran.
    pub node: NodeName,
    /// Why.
    pub reason: Reason,
    /// The query that asked for it; `None`: the driver.
    pub reader: Option<NodeName>,
    /// Its result differs from the one before.
    pub changed: bool,
}

/// How much was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Queries that ran.
    pub executed: u64,
    /// Nodes that were looked at and had stayed valid.
    pub green: u64,
    /// Results that were taken from the image.
    pub loaded: u64,
    /// Queries that gave another result although nothing they read had changed: bugs in them, which cost a
    /// second attempt and no more.
    pub unstable: u64,
}

/// What happened in a build.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BuildRecord {
    /// Numbers.
    pub counts: Counts,
    /// Inputs that differ from those of the build before, sorted.
    pub inputs_changed: Vec<NodeName>,
    /// What ran, in the order in which it finished.
    pub executed: Vec<Execution>,
}

impl BuildRecord {
    /// What happened since the graph was opened or this was last called. It may be called in
    /// another thread than the one that builds, when that has ended.
    pub fn take(graph: &Graph) -> BuildRecord {
        let log = graph.log();
        let executed = std::mem::take(&mut *log.executed.lock());
        let inputs = std::mem::take(&mut *log.inputs_changed.lock());
        let mut names = Names { graph, known: FxHashMap::default() };
        let mut name = |node: u32| names.of(node);
        let mut inputs_changed: Vec<NodeName> = inputs.into_iter().map(&mut name).collect();
        inputs_changed.sort();
        inputs_changed.dedup();
        let mut execution = |entry: &Entry| Execution {
            node: name(entry.node),
            reason: match entry.why {
                Why::New => Reason::New,
                Why::Changed(dependency) => Reason::Changed(name(dependency)),
                Why::ValueNeeded => Reason::ValueNeeded,
                Why::Lost => Reason::Lost,
            },
            reader: entry.reader.map(&mut name),
            changed: entry.changed,
        };
        let executed: Vec<Execution> = executed.iter().map(&mut execution).collect();
        let counts = Counts {
            executed: executed.len() as u64,
            green: log.green.swap(0, Relaxed),
            loaded: log.loaded.swap(0, Relaxed),
            unstable: log.unstable.swap(0, Relaxed),
        };
        BuildRecord { counts, inputs_changed, executed }
    }

    /// How it came that a query ran: from the changed input, or from the query that asked for
    /// something new, to this one. `None`: it did not run.
    ///
    /// A step whose result has not changed ended its chain, so only the last may be one.
    pub fn chain(&self, query: &str, key: &str) -> Option<Vec<NodeName>> {
        // The first run of a node is the one that had a cause outside of it.
        let mut runs = BTreeMap::new();
        for run in self.executed.iter().rev() {
            runs.insert(&run.node, run);
        }
        let asked = NodeName { query: query.into(), key: key.into() };
        let mut next = Some(&runs.get(&asked)?.node);
        let mut chain = Vec::new();
        while let Some(node) = next {
            if chain.contains(node) {
                break;
            }
            chain.push(node.clone());
            next = runs.get(node).and_then(|run| match &run.reason {
                Reason::Changed(dependency) => Some(dependency),
                Reason::New | Reason::ValueNeeded => run.reader.as_ref(),
                Reason::Lost => None,
            });
        }
        chain.reverse();
        Some(chain)
    }

    /// Replaces the record at `path`.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_checked(path, MAGIC, &packed::Record::of(self))
    }
    /// Reads a record; `None` if there is none or it is damaged.
    pub fn load(path: &Path) -> Option<BuildRecord> {
        read_checked::<packed::Record>(path, MAGIC)?.unpack()
    }
}

/// The names of nodes, each made once.
struct Names<'a> {
    graph: &'a Graph,
    known: FxHashMap<u32, NodeName>,
}

impl Names<'_> {
    fn of(&mut self, node: u32) -> NodeName {
        let make = || {
            let (query, key) = self.graph.show(node);
            NodeName { query: query.into(), key: key.into() }
        };
        self.known.entry(node).or_insert_with(make).clone()
    }
}
