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
        let node =
            |of: &NodeReport| Node { kind: of.kind, fingerprint: of.fingerprint, reads: reads(of) };
        Graph(report.iter().map(|of| (name(of), node(of))).collect())
    }

    /// The names of all nodes that are queries, not inputs.
    pub fn queries(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, node)| node.kind != Kind::Input).map(|(name, _)| name)
    }

    /// The kinds of edges: which query reads which.
    pub fn edge_kinds(&self) -> BTreeSet<EdgeKind> {
        let kind = |name: &String, read: &String| (query(name), query(read));
        let edges = self.0.iter().map(|(name, node)| node.reads.iter().map(move |r| kind(name, r)));
        edges.flatten().collect()
    }
}

/// A query, and one that it reads.
pub type EdgeKind = (String, String);

fn query(name: &str) -> String {
    name.split('(').next().unwrap_or(name).to_owned()
}

/// The kinds of edges without which something would stay as it was, wrongly: all that changed of
/// what it had read is of one kind. `true`: surely; else something it had read is not known of the
/// later state, or nobody may see the difference. `accepted`: the later state is a right program, of which
/// the graph is compared too.
pub fn decisive(before: &Graph, after: &Graph, accepted: bool) -> BTreeMap<EdgeKind, bool> {
    let fingerprint = |graph: &Graph, name: &String| graph.0.get(name).map(|node| node.fingerprint);
    let relays = Relays::new(before, after);
    let mut kinds = BTreeMap::new();
    for (name, node) in &after.0 {
        let Some(old) = before.0.get(name).filter(|old| *old != node) else { continue };
        let changed =
            old.reads.iter().filter(|read| fingerprint(before, read) != fingerprint(after, read));
        let (known, gone): (Vec<_>, Vec<_>) = changed.partition(|read| after.0.contains_key(*read));
        // Without edges of the kind there must be something left that is another now.
        let shows = |kind: &String| {
            let others = |node: &Node| -> Vec<String> {
                node.reads.iter().filter(|read| query(read) != *kind).cloned().collect()
            };
            old.fingerprint != node.fingerprint || accepted && others(old) != others(node)
        };
        let decide = |of: &[&String]| {
            let kinds: BTreeSet<String> = of.iter().map(|read| query(read)).collect();
            kinds.first().filter(|kind| kinds.len() == 1 && shows(kind)).cloned()
        };
        if let Some(read) = decide(&[&known[..], &gone[..]].concat()) {
            let surely = accepted && (node.kind != Kind::Relay || relays.decide(name));
            *kinds.entry((query(name), read)).or_insert(false) |= surely;
        } else if let Some(read) = decide(&known) {
            kinds.entry((query(name), read)).or_insert(false);
        }
    }
    kinds
}

/// What relays decide. The fingerprint of a relay is made of those of what it reads, so it tells of every
/// change; whether that matters is seen where something is made of what the relay says.
struct Relays<'a> {
    before: &'a Graph,
    after: &'a Graph,
    readers: BTreeMap<&'a String, Vec<&'a String>>,
}

impl<'a> Relays<'a> {
    fn new(before: &'a Graph, after: &'a Graph) -> Relays<'a> {
        let mut readers: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (name, node) in &before.0 {
            node.reads.iter().for_each(|read| readers.entry(read).or_default().push(name));
        }
        Relays { before, after, readers }
    }

    /// Whether something else is another now because of this relay alone.
    fn decide(&self, relay: &String) -> bool {
        let Relays { before: Graph(before), after: Graph(after), readers } = self;
        let is_same = |name: &String| {
            let fingerprint =
                |nodes: &BTreeMap<String, Node>| nodes.get(name).map(|n| n.fingerprint);
            fingerprint(before) == fingerprint(after)
        };
        let decides = |reader: &&String| {
            let (Some(old), Some(new)) = (before.get(*reader), after.get(*reader)) else {
                return false;
            };
            let mut others = old.reads.iter().filter(|read| *read != relay);
            let shows = match new.kind {
                Kind::Relay => self.decide(reader),
                _ => old.fingerprint != new.fingerprint,
            };
            shows && others.all(&is_same)
        };
        readers.get(relay).is_some_and(|readers| readers.iter().any(decides))
    }
}

/// What has to run to get from one state to the other: what is new, and what has read something
/// whose result is another now.
pub fn needed(before: &Graph, after: &Graph) -> BTreeSet<String> {
    let changed = |read: &String| {
        let fingerprint = |graph: &Graph| graph.0.get(read).map(|node| node.fingerprint);
        fingerprint(before) != fingerprint(after)
    };
    let must =
        |name: &&String| before.0.get(*name).is_none_or(|node| node.reads.iter().any(changed));
    after.queries().filter(must).cloned().collect()
}
