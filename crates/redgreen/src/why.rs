//! The record of a build: which inputs had changed, what ran, and because of what.

use crate::log::Span;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

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
    /// When it ran, if that was measured; what it asked for ran meanwhile.
    pub span: Option<Span>,
}

/// How much was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Queries that ran.
    pub executed: u64,
    /// Nodes that were in doubt, or whose results were asked for, and had stayed valid.
    pub green: u64,
    /// Results that were taken from the image.
    pub loaded: u64,
    /// Queries that gave another result although nothing they read had changed: bugs in them, which cost a
    /// second attempt and no more.
    pub unstable: u64,
}

/// What happened in a build, with names: what a [`BuildLog`](crate::BuildLog) says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BuildRecord {
    /// Numbers.
    pub counts: Counts,
    /// Inputs that differ from those of the build before, sorted.
    pub inputs_changed: Vec<NodeName>,
    /// What ran, in the order in which it finished.
    pub executed: Vec<Execution>,
    /// What was taken from the image, in the order in which it was.
    pub loaded: Vec<NodeName>,
}

impl BuildRecord {
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
}
