//! Tests of the tests: for every kind of edge of the graph, is it noticed when it is not recorded?

use crate::{
    kinds::{self, Sample},
    oracle::{EdgeKind, Graph, decisive},
    print,
    walk::{Replay, State, Statistics, Walk},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How many edits are tried for a kind of edge.
const WITNESSES: usize = 3;
/// How often it is said how far it is.
const PROGRESS: Duration = Duration::from_secs(20);

/// What became of the kinds of edges.
#[derive(Clone, Debug, Default)]
pub struct Mutants {
    /// Without them, a build after an edit is wrong, and that is noticed.
    pub found: BTreeSet<EdgeKind>,
    /// It is only noticed that they are not in the graph: see [`crate::kinds`]. Whatever changes what
    /// they lead to seems to change something else that is read too.
    pub listed: BTreeSet<EdgeKind>,
    /// Those whose absence nobody notices.
    pub survived: BTreeSet<EdgeKind>,
}

/// Edits that depend on a kind of edge alone, surely or perhaps.
type Witnesses = BTreeMap<EdgeKind, [Vec<[State; 2]>; 2]>;

/// Looks for edits that depend on one kind of edge, for some time, and then makes each of them
/// without that kind.
pub fn mutants(seed: u64, limit: Duration) -> Result<Mutants, String> {
    let (kinds, witnesses) = collect(seed, limit)?;
    println!("{} kinds of edges, {} with edits", kinds.len(), witnesses.len());
    let listed = kinds::list();
    // A panic is as good as any other failure.
    std::panic::set_hook(Box::new(|_| {}));
    let mut mutants = Mutants::default();
    let mut progress = Progress::new();
    for (number, (kind, sample)) in kinds.iter().enumerate() {
        let [perhaps, surely] = witnesses.get(kind).cloned().unwrap_or_default();
        redgreen::mutation::drop_edges(&kind.0, &kind.1);
        let noticed = surely.iter().chain(&perhaps).find_map(noticed);
        let is_absent = noticed.is_some() || !sample.graph()?.0.edge_kinds().contains(kind);
        redgreen::mutation::drop_no_edges();
        match noticed {
            Some(message) => {
                println!("{} -> {}: {}", kind.0, kind.1, message.lines().next().unwrap_or(""));
                mutants.found.insert(kind.clone());
            }
            None if surely.is_empty() && is_absent && listed.contains(kind) => {
                mutants.listed.insert(kind.clone());
            }
            None => {
                let edits = surely.len();
                println!(
                    "{} -> {}: not noticed by {edits} edits that depend on it",
                    kind.0, kind.1
                );
                mutants.survived.insert(kind.clone());
            }
        }
        progress.say(|| format!("{} of {} kinds", number + 1, kinds.len()));
    }
    Ok(mutants)
}

fn noticed(edit: &[State; 2]) -> Option<String> {
    let mut replay = Replay::default();
    let mut statistics = Statistics::default();
    edit.iter().find_map(|state| replay.step(state, &mut statistics).err())
}

/// The kinds of edges there are, each with a program that has it, and edits for them.
fn collect(seed: u64, limit: Duration) -> Result<(BTreeMap<EdgeKind, Sample>, Witnesses), String> {
    let start = Instant::now();
    let mut kinds = kinds::found()?;
    println!("{} kinds of edges in the programs that are always looked at", kinds.len());
    let mut witnesses = Witnesses::new();
    let mut progress = Progress::new();
    for number in 0.. {
        let mut walk = Walk::new(seed.wrapping_add(number));
        let mut last: Option<(State, Graph)> = None;
        for _ in 0..20 {
            if start.elapsed() > limit {
                return Ok((kinds, witnesses));
            }
            let mut state = walk.state().clone();
            state.program.arguments.clear();
            // Most edges need no code.
            let whole = !witnesses.contains_key(&("executable".into(), "objects".into()));
            let sample = Sample { files: print::files(&state.program), whole };
            let (graph, accepted) = sample.graph()?;
            for kind in graph.edge_kinds() {
                kinds.entry(kind).or_insert_with(|| sample.clone());
            }
            if let Some((before, old)) = &last {
                for (kind, surely) in decisive(old, &graph, accepted) {
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
        progress.say(|| format!("{number} walks, {} kinds with edits", witnesses.len()));
    }
    Ok((kinds, witnesses))
}

/// Says now and then how far it is.
struct Progress(Instant, Instant);

impl Progress {
    fn new() -> Progress {
        Progress(Instant::now(), Instant::now())
    }
    fn say(&mut self, what: impl FnOnce() -> String) {
        let Progress(start, last) = self;
        if last.elapsed() > PROGRESS {
            println!("[{} s] {}", start.elapsed().as_secs(), what());
            *last = Instant::now();
        }
    }
}
