//! Random walks through the states of a program. After every step the incremental build is compared
//! with a build from nothing, and what ran with what had to.

use crate::{
    edits::{EDITS, WRITING, break_it, change_options},
    grow,
    model::{Breakage, Program},
    oracle::{
        Clean, Graph, Outcome, Place, TestSystem, build_clean, build_with_store, needed, text,
    },
    print,
    random::Random,
};
use cm_driver::session::{Opened, Session};
use cm_test::Files;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
};

/// One of so many builds from nothing generates all code itself; the others take it from a store of
/// their own where the MIR is the same.
const PURE: usize = 8;

/// A state of a program, and what led to it.
#[derive(Clone, Debug)]
pub struct State {
    /// The program.
    pub program: Program,
    /// The kind of edit.
    pub edit: &'static str,
    /// Whether the resident database is brought up to date too.
    pub resident: bool,
}

/// What went wrong, after which states.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What.
    pub message: String,
    /// The last one is where.
    pub states: Vec<State>,
}

/// How much ran, by kind of edit.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Steps, queries that had to run, queries that ran.
    pub by_edit: BTreeMap<String, [u64; 3]>,
    /// Which queries ran without need, and how often.
    pub excess: BTreeMap<String, u64>,
    /// Steps whose program was accepted.
    pub accepted: u64,
}

impl Statistics {
    /// Takes in those of another walk.
    pub fn add(&mut self, other: &Statistics) {
        for (kind, counts) in &other.by_edit {
            let all = self.by_edit.entry(kind.clone()).or_default();
            all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        for (query, count) in &other.excess {
            *self.excess.entry(query.clone()).or_default() += count;
        }
        self.accepted += other.accepted;
    }
}

/// The states of a walk.
pub struct Walk {
    random: Random,
    states: Vec<State>,
}

impl Walk {
    /// The walk of a seed, at its first state.
    pub fn new(seed: u64) -> Walk {
        let mut random = Random::new(seed);
        let items = 8 + random.below(30);
        let program = grow::program(&mut random, items);
        Walk { random, states: vec![State { program, edit: "start", resident: false }] }
    }
    /// Where it is.
    pub fn state(&self) -> &State {
        &self.states[self.states.len() - 1]
    }
    /// Goes on.
    pub fn step(&mut self) {
        let resident = self.random.one_in(3);
        let state = loop {
            let mut program = self.state().program.clone();
            if let Some(edit) = change(&mut program, &self.states, &mut self.random)
                && (program.is_right() || program.breakage == Some(Breakage::Rules))
            {
                break State { program, edit, resident };
            }
        };
        self.states.push(state);
    }
}

/// Walks some steps from the program of a seed.
pub fn walk(seed: u64, steps: usize) -> Result<Statistics, Box<Failure>> {
    let mut walk = Walk::new(seed);
    let mut replay = Replay::default();
    let mut statistics = Statistics::default();
    for step in 0..=steps {
        if step > 0 {
            walk.step();
        }
        if let Err(message) = replay.step(walk.state(), &mut statistics) {
            return Err(Box::new(Failure { message, states: walk.states }));
        }
    }
    Ok(statistics)
}

fn change(program: &mut Program, states: &[State], random: &mut Random) -> Option<&'static str> {
    if program.breakage == Some(Breakage::Rules) || program.breakage.is_some() && random.one_in(2) {
        let right = states.iter().rev().find(|state| state.program.breakage.is_none());
        match right.filter(|_| program.breakage == Some(Breakage::Rules) || random.one_in(2)) {
            Some(right) => program.clone_from(&right.program),
            None => program.breakage = None,
        }
        return Some("mended");
    }
    let (kind, edit) = match random.below(24) {
        0 | 1 => WRITING[random.below(WRITING.len())],
        2 => ("options", change_options as crate::edits::Edit),
        3 => ("broken", break_it as crate::edits::Edit),
        4 => {
            *program = states[random.below(states.len())].program.clone();
            return Some("reverted");
        }
        5 => return Some("nothing"),
        6 => {
            for _ in 0..2 + random.below(4) {
                let before = program.clone();
                let (_, edit) = EDITS[random.below(EDITS.len())];
                if !edit(program, random) || !program.is_right() {
                    *program = before;
                }
            }
            return Some("several");
        }
        _ => EDITS[random.below(EDITS.len())],
    };
    edit(program, random).then_some(kind)
}

/// Goes through states, building each.
#[derive(Default)]
pub struct Replay {
    place: Option<Place>,
    /// How many states there were.
    count: usize,
    /// Where builds from nothing find code that others of them have generated.
    nothing: Option<Place>,
    /// What builds from nothing have given: states come again.
    clean: BTreeMap<(Files, Vec<String>), Rc<Clean>>,
    /// For the options of each, the last program without errors.
    graphs: BTreeMap<Vec<String>, Graph>,
    resident: Option<(Vec<String>, Session, Box<Opened>)>,
}

impl Replay {
    /// Builds a state incrementally and from nothing, and compares. A panic is a failure.
    pub fn step(&mut self, state: &State, statistics: &mut Statistics) -> Result<(), String> {
        let step = AssertUnwindSafe(|| self.unguarded_step(state, statistics));
        catch_unwind(step).unwrap_or_else(|payload| {
            let message = payload.downcast_ref::<String>().cloned();
            let message =
                message.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("panicked: {}", message.unwrap_or_default()))
        })
    }

    fn unguarded_step(&mut self, state: &State, statistics: &mut Statistics) -> Result<(), String> {
        let program = &state.program;
        let files = print::files(program);
        let arguments = &program.arguments;
        let place = match &mut self.place {
            Some(place) => place,
            none => none.insert(Place::new(&files, arguments)?),
        };
        place.arguments.clone_from(arguments);
        place.set_files(files.clone())?;
        let right = program.breakage.is_none();
        let key = (files, arguments.clone());
        let clean = match self.clean.get(&key) {
            Some(clean) if clean.behaviour.is_some() || !right => clean.clone(),
            // Now and then without a store too.
            _ if self.count.is_multiple_of(PURE) => Rc::new(build_clean(&key.0, arguments, right)?),
            _ => Rc::new(build_with_store(&mut self.nothing, &key.0, arguments, right)?),
        };
        self.count += 1;
        self.clean.insert(key, clean.clone());
        if right {
            is_accepted(&clean)?;
        }
        let ran = build(place, &clean)?;
        let before = self.graphs.get(arguments);
        let must = needed(before.unwrap_or(&Graph::default()), &clean.graph);
        if let Some(missed) = must.difference(&ran).next() {
            return Err(format!("did not run: {missed}"));
        }
        if before.is_some() {
            note(statistics, state, &must, &ran);
        }
        if clean.outcome.made.is_some() {
            statistics.accepted += 1;
            self.graphs.insert(arguments.clone(), clean.graph.clone());
        }
        if state.resident {
            self.resident(arguments, &clean).map_err(|message| format!("resident: {message}"))?;
        }
        Ok(())
    }

    fn resident(&mut self, arguments: &[String], clean: &Clean) -> Result<(), String> {
        let place = self.place.as_ref().ok_or("nothing was built")?;
        let (session, mut database) = match self.resident.take() {
            Some((of, session, mut database)) if of == arguments => {
                session.edit(&mut database);
                (session, database)
            }
            _ => {
                let session = place.session(Arc::new(TestSystem::calm()))?;
                let database = Box::new(session.open());
                (session, database)
            }
        };
        let program = cm_driver::build(&session, &mut database, None).map_err(text)?;
        let report = session.report(&program.diagnostics);
        let bytes = program.executable.clone().and_then(|(_, bytes)| Some(bytes?.to_vec()));
        cm_driver::keep(&session, &database, program, &place.output()).map_err(text)?;
        Outcome::take(&session, report, bytes, false)?.compare(&clean.outcome)?;
        session.prepare(&mut database);
        self.resident = Some((arguments.to_vec(), session, database));
        Ok(())
    }
}

/// A program that is right by construction is accepted, and ends well.
fn is_accepted(clean: &Clean) -> Result<(), String> {
    match &clean.behaviour {
        None => {
            let errors = clean.outcome.diagnostics.iter().filter(|d| d.severity == "error");
            let shown: Vec<_> =
                errors.map(|d| format!("{}:{}: {}", d.file, d.line, d.message)).collect();
            Err(format!("rejected: {}", shown.join("\n")))
        }
        Some(behaviour) if behaviour.exit != Some(0) => {
            Err(format!("ended badly: with {:?}", behaviour.exit))
        }
        Some(_) => Ok(()),
    }
}

/// As a new process would. Returns what ran.
fn build(place: &Place, clean: &Clean) -> Result<BTreeSet<String>, String> {
    let session = place.session(Arc::new(TestSystem::calm()))?;
    let report = cm_driver::compile_in(&session, &place.output()).map_err(text)?;
    let executable = report.ok().then(|| fs::read(place.output()).map_err(text)).transpose()?;
    Outcome::take(&session, report, executable, true)?.compare(&clean.outcome)?;
    let record = cm_driver::last_record(&place.cache()).map_err(text)?;
    if record.counts.unstable > 0 {
        return Err("unstable: a query gave another result for the same".into());
    }
    Ok(record.executed.iter().map(|run| run.node.to_string()).collect())
}

fn note(
    statistics: &mut Statistics,
    state: &State,
    must: &BTreeSet<String>,
    ran: &BTreeSet<String>,
) {
    let counts = statistics.by_edit.entry(state.edit.to_owned()).or_default();
    counts[0] += 1;
    counts[1] += must.len() as u64;
    counts[2] += ran.len() as u64;
    for query in ran.difference(must) {
        let name = query.split('(').next().unwrap_or(query);
        *statistics.excess.entry(name.to_owned()).or_default() += 1;
    }
}
