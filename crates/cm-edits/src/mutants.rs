//! Tests of the tests: for every kind of edge of the graph, is it noticed when it is not recorded?

use crate::{
    oracle::{EdgeKind, Graph, build_clean, decisive, front_graph},
    print,
    walk::{Replay, State, Statistics, Walk},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How many edits are tried for a kind of edge.
const WITNESSES: usize = 3;

/// What became of the kinds of edges.
#[derive(Clone, Debug, Default)]
pub struct Mutants {
    /// Those that were missed by a test.
    pub found: BTreeSet<EdgeKind>,
    /// Those without which all was as it should be, although an edit depended on them.
    pub survived: BTreeSet<EdgeKind>,
    /// Those on which no edit depended alone.
    pub undecided: BTreeSet<EdgeKind>,
}

/// Edits that depend on a kind of edge alone, surely or perhaps.
type Witnesses = BTreeMap<EdgeKind, [Vec<[State; 2]>; 2]>;

/// Looks for edits that depend on one kind of edge, for some time, and then makes each of them
/// without that kind.
pub fn mutants(seed: u64, limit: Duration) -> Result<Mutants, String> {
    let (kinds, witnesses) = collect(seed, limit)?;
    println!("{} kinds of edges, {} with edits", kinds.len(), witnesses.len());
    // A panic is as good as any other failure.
    std::panic::set_hook(Box::new(|_| {}));
    let mut mutants = Mutants::default();
    for kind in kinds {
        let [perhaps, surely] = witnesses.get(&kind).cloned().unwrap_or_default();
        redgreen::mutation::drop_edges(&kind.0, &kind.1);
        let noticed = surely.iter().chain(&perhaps).find_map(noticed);
        redgreen::mutation::drop_no_edges();
        match noticed {
            Some(message) => {
                println!("{} -> {}: {}", kind.0, kind.1, message.lines().next().unwrap_or(""));
                mutants.found.insert(kind);
            }
            None if surely.is_empty() => _ = mutants.undecided.insert(kind),
            None => _ = mutants.survived.insert(kind),
        }
    }
    Ok(mutants)
}

fn noticed(edit: &[State; 2]) -> Option<String> {
    let mut replay = Replay::default();
    let mut statistics = Statistics::default();
    edit.iter().find_map(|state| replay.step(state, &mut statistics).err())
}

fn collect(seed: u64, limit: Duration) -> Result<(BTreeSet<EdgeKind>, Witnesses), String> {
    let start = Instant::now();
    let mut kinds = BTreeSet::new();
    let mut witnesses = Witnesses::new();
    for number in 0.. {
        let mut walk = Walk::new(seed.wrapping_add(number));
        let mut last: Option<(State, Graph)> = None;
        for _ in 0..20 {
            if start.elapsed() > limit {
                return Ok((kinds, witnesses));
            }
            let mut state = walk.state().clone();
            state.program.arguments.clear();
            let whole = !witnesses.contains_key(&("executable".into(), "objects".into()));
            let files = print::files(&state.program);
            let (graph, accepted) = match whole {
                true => {
                    let clean = build_clean(&files, &[], false)?;
                    (clean.graph, clean.outcome.made.is_some())
                }
                false => front_graph(&files)?,
            };
            kinds.extend(graph.edge_kinds());
            if let Some((before, old)) = &last {
                for (kind, surely) in decisive(old, &graph) {
                    let edits = &mut witnesses.entry(kind).or_default()[usize::from(surely)];
                    if edits.len() < WITNESSES {
                        edits.push([before.clone(), state.clone()]);
                    }
                }
            }
            if accepted {
                last = Some((state, graph));
            }
            walk.step();
        }
    }
    Ok((kinds, witnesses))
}
