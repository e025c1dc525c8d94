//! Who reads a node. Only a resident process needs to know: an opening finds what the changed
//! inputs reach in one sweep.

use super::{Graph, Mark};
use parking_lot::{Mutex, MutexGuard};
use rustc_hash::FxHashMap;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

/// Reverse edges, made at the first edit. They only grow, so they are a superset of the true ones:
/// marking too much costs a visit, marking too little would be a wrong result.
#[derive(Default)]
pub(super) struct Dependents {
    /// Somebody has asked for them.
    wanted: AtomicBool,
    edges: Mutex<Edges>,
}

#[derive(Default)]
struct Edges {
    table: Option<Table>,
    /// Nodes whose records were replaced since the table was brought up to date.
    fresh: Vec<u32>,
}

/// `readers[offsets[n]..offsets[n + 1]]` read `n`, and so do those in `more`.
struct Table {
    offsets: Vec<u32>,
    readers: Vec<u32>,
    more: FxHashMap<u32, Vec<u32>>,
    additions: usize,
}

impl Dependents {
    /// The record of a node has been replaced.
    pub fn note(&self, node: u32) {
        // A build from nothing need not wait for a lock.
        if self.wanted.load(Acquire) {
            self.edges.lock().fresh.push(node);
        }
    }
    fn lock(&self) -> MutexGuard<'_, Edges> {
        self.wanted.store(true, Release);
        self.edges.lock()
    }
}

impl Edges {
    fn up_to_date(&mut self, graph: &Graph) -> &Table {
        let fresh = std::mem::take(&mut self.fresh);
        match self.table.take() {
            // Built anew when outgrown, which also drops the edges that are no more.
            Some(mut table) if table.additions <= table.readers.len() => {
                fresh.into_iter().for_each(|node| table.add(graph, node));
                self.table.insert(table)
            }
            _ => self.table.insert(Table::build(graph)),
        }
    }
}

impl Table {
    fn build(graph: &Graph) -> Table {
        let count = graph.node_count();
        let mut offsets = vec![0u32; count as usize + 2];
        let edges = |with: &mut dyn FnMut(u32, u32)| {
            for node in 0..count {
                graph.dependencies(node).into_iter().flatten().for_each(|&read| with(read, node));
            }
        };
        // Counting sort. Shifted by two while counting and by one while placing.
        edges(&mut |read, _| offsets[read as usize + 2] += 1);
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        let mut readers = vec![0; offsets.last().map_or(0, |&end| end as usize)];
        edges(&mut |read, node| {
            let place = &mut offsets[read as usize + 1];
            readers[*place as usize] = node;
            *place += 1;
        });
        Table { offsets, readers, more: FxHashMap::default(), additions: 0 }
    }
    fn add(&mut self, graph: &Graph, node: u32) {
        let dependencies = graph.dependencies(node).unwrap_or_default();
        for &read in dependencies {
            self.more.entry(read).or_default().push(node);
        }
        self.additions += dependencies.len();
    }
    fn readers(&self, node: u32) -> impl Iterator<Item = u32> {
        let node_at = node as usize;
        let built = match self.offsets.get(node_at..node_at + 2) {
            Some(&[from, to]) => &self.readers[from as usize..to as usize],
            _ => &[],
        };
        let more = self.more.get(&node).map_or(&[][..], Vec::as_slice);
        built.iter().chain(more).copied()
    }
}

impl Graph {
    /// Looks up who reads what, if that is recorded.
    pub(crate) fn prepare(&self) {
        if self.recording {
            self.dependents.lock().up_to_date(self);
        }
    }
    /// Marks everything that reads one of these nodes, directly or not.
    pub(super) fn suspect_readers(&self, mut changed: Vec<u32>) {
        let mut dependents = self.dependents.lock();
        let table = dependents.up_to_date(self);
        while let Some(node) = changed.pop() {
            for reader in table.readers(node) {
                // By the invariant of `Mark` the readers of a marked node are marked.
                if self.mark(reader) == Mark::Clear {
                    self.set_mark(reader, Mark::Suspect);
                    changed.push(reader);
                }
            }
        }
    }
}
