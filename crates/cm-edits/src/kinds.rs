//! The kinds of edges that the graph has: which query reads which. They are written down in `kinds.txt`, so
//! that a test fails when one is not recorded any more, even if no edit shows it: what it leads to may
//! never change without something else that the reader has read.

use crate::{
    oracle::{EdgeKind, Graph, build_clean, front_graph},
    print,
    walk::Walk,
};
use cm_test::Files;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// The random programs looked at: so many walks of so many steps.
const WALKS: u64 = 12;
const STEPS: usize = 12;
/// Walks that come to a kind of edge that is rare, such as those of names that are written where few are, and
/// the step at which they do.
const RARE: [(u64, usize); 11] = [
    (55, 0),
    (71, 17),
    (122, 13),
    (151, 5),
    (163, 19),
    (218, 19),
    (322, 4),
    (330, 15),
    (350, 6),
    (542, 15),
    (617, 13),
];
/// The others. Those of its subdirectories that hold a `main.cm` are programs as a whole.
const CONFORMANCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");

/// A program with some kind of edge.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its texts.
    pub files: Files,
    /// It is to be built as a whole, not only up to its units.
    pub whole: bool,
}

impl Sample {
    /// Its graph, and whether it is right.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn graph(&self) -> Result<(Graph, bool), String> {
        match self.whole {
            true => build_clean(&self.files, &[], false)
                .map(|clean| (clean.graph, clean.outcome.made.is_some())),
            false => front_graph(&self.files),
        }
    }
}

/// The list.
pub fn list() -> BTreeSet<EdgeKind> {
    let pair = |line: &str| line.split_once(" -> ").map(|(a, b)| (a.to_owned(), b.to_owned()));
    include_str!("../kinds.txt").lines().filter_map(pair).collect()
}

/// The text of a list.
pub fn text<'a>(kinds: impl Iterator<Item = &'a EdgeKind>) -> String {
    kinds.map(|(reader, read)| format!("{reader} -> {read}\n")).collect()
}

/// The kinds of edges of the conformance programs, and of random programs that are always the same. With
/// each the first program that has it.
///
/// # Errors
/// If one cannot be built.
pub fn found() -> Result<BTreeMap<EdgeKind, Sample>, String> {
    let mut samples = Vec::new();
    conformance(Path::new(CONFORMANCE), &mut samples).map_err(|error| error.to_string())?;
    for (seed, steps) in (0..WALKS).map(|seed| (seed, STEPS)).chain(RARE) {
        let mut walk = Walk::new(seed);
        for step in 0..=steps {
            samples.push(Sample { files: print::files(&walk.state().program), whole: step == 0 });
            walk.step();
        }
    }
    let mut kinds = BTreeMap::new();
    for sample in samples {
        for kind in sample.graph()?.0.edge_kinds() {
            kinds.entry(kind).or_insert_with(|| sample.clone());
        }
    }
    Ok(kinds)
}

/// The programs below a directory.
fn conformance(directory: &Path, samples: &mut Vec<Sample>) -> io::Result<()> {
    let entries: io::Result<Vec<_>> = fs::read_dir(directory)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let mut files = Files::new();
        if path.join("main.cm").exists() {
            add_files(&path, "", &mut files)?;
        } else if path.is_dir() {
            conformance(&path, samples)?;
        } else if path.extension().is_some_and(|extension| extension == "cm") {
            files.insert("/main.cm".into(), fs::read_to_string(&path)?);
        }
        if !files.is_empty() {
            samples.push(Sample { files, whole: false });
        }
    }
    Ok(())
}

/// The source files below a directory.
///
/// # Errors
/// If one cannot be read.
pub fn add_files(directory: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = format!("{prefix}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            add_files(&path, &name, files)?;
        } else if path.extension().is_some_and(|extension| extension == "cm") {
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
