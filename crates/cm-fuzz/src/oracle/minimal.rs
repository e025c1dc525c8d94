//! The least that an incremental build must run, found by brute force: both states are built from
//! nothing, and their graphs compared node by node.

use redgreen::{Kind, NodeReport};
use std::collections::{BTreeMap, BTreeSet};

/// What a node is compared by.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Node {
    kind: Kind,
    fingerprint: redgreen::Fingerprint,
    reads: Vec<String>,
}

/// The graph of a build from nothing, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Graph(BTreeMap<String, Node>);

impl Graph {
    /// From the report of a database.
    pub fn new(report: &[NodeReport]) -> Graph {
        let name = |node: &NodeReport| node.name.to_string();
        let reads = |node: &NodeReport| {
            node.dependencies.iter().map(|&read| name(&report[read as usize])).collect()
        };
        let node = |of: &NodeReport| Node {
            kind: of.kind,
            fingerprint: of.fingerprint,
            reads: reads(of),
        };
        Graph(report.iter().map(|of| (name(of), node(of))).collect())
    }

    /// The names of all nodes that are queries, not inputs.
    pub fn queries(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, node)| node.kind != Kind::Input).map(|(name, _)| name)
    }

    /// The kinds of edges: which query reads which.
    pub fn edge_kinds(&self) -> BTreeSet<(&str, &str)> {
        let query = |name: &'_ str| name.split('(').next().map_or(0, str::len);
        let edges = self.0.iter().flat_map(|(name, node)| {
            node.reads.iter().map(move |read| (&name[..query(name)], &read[..query(read)]))
        });
        edges.collect()
    }
}

/// What has to run to get from one state to the other: what is new, and what has read something
/// whose result is another now.
pub fn needed(before: &Graph, after: &Graph) -> BTreeSet<String> {
    let changed = |read: &String| {
        let fingerprint = |graph: &Graph| graph.0.get(read).map(|node| node.fingerprint);
        fingerprint(before) != fingerprint(after)
    };
    let must = |name: &&String| {
        before.0.get(*name).is_none_or(|node| node.reads.iter().any(changed))
    };
    after.queries().filter(must).cloned().collect()
}
