//! The kinds of edges that the graph has: which query reads which. They are written down in `kinds.txt`, so
//! that a test fails when one is not recorded any more, even if no edit shows it: what it leads to may
//! never change without something else that the reader has read.

use crate::{
    oracle::{EdgeKind, Graph, build_clean, front_graph},
    print,
    walk::Walk,
};
use cm_test::Files;
use std::collections::BTreeSet;

/// The programs looked at: so many walks of so many steps.
const WALKS: u64 = 12;
const STEPS: usize = 12;

/// The edit of a state that is to be built as a whole, not only up to its units.
pub const WHOLE: &str = "whole";

/// The list.
pub fn list() -> BTreeSet<EdgeKind> {
    let pair = |line: &str| line.split_once(" -> ").map(|(a, b)| (a.to_owned(), b.to_owned()));
    include_str!("../kinds.txt").lines().filter_map(pair).collect()
}

/// The text of a list.
pub fn text(kinds: &BTreeSet<EdgeKind>) -> String {
    kinds.iter().map(|(reader, read)| format!("{reader} -> {read}\n")).collect()
}

/// The graph of a program, and whether it is right. `whole`: with the generated code.
///
/// # Errors
/// If it cannot be built.
pub fn graph(files: &Files, whole: bool) -> Result<(Graph, bool), String> {
    match whole {
        true => {
            build_clean(files, &[], false).map(|clean| (clean.graph, clean.outcome.made.is_some()))
        }
        false => front_graph(files),
    }
}

/// The kinds of edges of programs that are always the same.
///
/// # Errors
/// If one cannot be built.
pub fn found() -> Result<BTreeSet<EdgeKind>, String> {
    let mut kinds = BTreeSet::new();
    for seed in 0..WALKS {
        let mut walk = Walk::new(seed);
        for step in 0..=STEPS {
            let files = print::files(&walk.state().program);
            kinds.extend(graph(&files, step == 0)?.0.edge_kinds());
            walk.step();
        }
    }
    Ok(kinds)
}
