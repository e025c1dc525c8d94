//! `test`: the functions that are marked `#[test]`, each in a process of its own, so that a panic of one is
//! nothing to the others.
//!
//! What passed is kept in the store under all that the test consists of, down to the last function of the
//! library. As long as that stays as it is, the test is not run again, wherever it is.

use crate::{
    Error, Options, Report, memory,
    objects::{self, Object},
    parallel, queries, reason,
    session::{Finished, Purpose, Session, accepted, diagnose},
    tools::Tools,
};
use camino::Utf8Path;
use castore::{Digest, Name};
use cm_db::DefId;
use redgreen::{Database, Root};
use std::{
    fs,
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The variable that tells a process its test.
const NUMBER: &str = "CM_TEST_NUMBER";

/// What the records of tests that passed are filed under.
fn passed() -> Name {
    Name::new("test").expect("invariant: a short name")
}

/// How a test ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It passed before, and nothing that it consists of has changed.
    Unchanged,
    /// It failed: how, and what it printed.
    Failed(String, String),
}

/// What came of the tests of a program.
#[derive(Clone, Default, Debug)]
pub struct Tests {
    /// If there are errors, nothing was run.
    pub report: Report,
    /// By name, in the order of the modules and of their text.
    pub outcomes: Vec<(String, Outcome)>,
}

/// Runs the tests of a program whose names contain one of the filters, all of them if there is none.
///
/// # Errors
/// If the file cannot be opened, or the tests cannot be linked or started.
pub fn test(options: &Options, filters: &[String]) -> Result<Tests, Error> {
    let mut options = options.clone();
    options.defines.push("__TEST__".to_owned());
    let session = Session::new(&options, Purpose::Check)?;
    let mut database = session.open();
    let plan = session.attempt(&mut database, |db| plan(db, &session, &options, filters))?;
    let report = session.report(&plan.diagnostics);
    if !report.ok() {
        session.keep_record_of(&database)?;
        return Ok(Tests { report, outcomes: Vec::new() });
    }
    let mut roots = vec![cm_hir::queries::node::diagnostics(Root), cm_hir::decl::node::tests(Root)];
    roots.extend(plan.tests.iter().map(|test| queries::node::test_digest(test.def)));
    if plan.objects.is_some() {
        roots.push(queries::node::objects(Root));
    }
    let diagnostics = plan.diagnostics.clone();
    session.keep(&database, &roots, || Ok(()), || Finished { diagnostics, result: () })?;
    let outcomes = run_all(&session, &options, &plan)?;
    Ok(Tests { report, outcomes })
}

/// A test, and whether it is known to pass.
struct Test {
    def: DefId,
    /// Its number among all tests of the program.
    number: usize,
    key: Vec<u8>,
    known: bool,
}

struct Plan {
    diagnostics: Vec<cm_base::Diagnostic>,
    tests: Vec<Test>,
    /// Of the program, if some test has to be run.
    objects: Option<Vec<Object>>,
}

fn plan(db: &Database, session: &Session, options: &Options, filters: &[String]) -> Plan {
    parallel::front_end(db, &session.clock);
    let diagnostics = diagnose(db, Purpose::Check);
    if !accepted(&diagnostics) {
        return Plan { diagnostics, tests: Vec::new(), objects: None };
    }
    let store = session.tools.store.as_deref();
    let foreign = options.foreign.identity();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|part| name.contains(part));
    let all = cm_hir::decl::tests(db, Root).iter().enumerate();
    let tests = all.filter(|(_, def)| wanted(&def.to_string())).map(|(number, def)| {
        let digest = queries::test_digest(db, *def);
        let digest = Digest::of_parts([&digest.0[..], foreign.as_bytes()]);
        let key = session.tools.key(&digest);
        let known = store.is_some_and(|store| store.lookup(passed(), &key).is_some());
        Test { def: *def, number, key, known }
    });
    let tests: Vec<Test> = tests.collect();
    let objects = tests.iter().any(|test| !test.known).then(|| {
        parallel::units(db, session);
        objects::of_program(db)
    });
    Plan { diagnostics, tests, objects }
}

/// Runs what is not known, on all processors.
fn run_all(
    session: &Session,
    options: &Options,
    plan: &Plan,
) -> Result<Vec<(String, Outcome)>, Error> {
    let mut outcomes: Vec<_> =
        plan.tests.iter().map(|test| (test.def.to_string(), Outcome::Unchanged)).collect();
    let Some(objects) = &plan.objects else { return Ok(outcomes) };
    let bundle = session.tools.scratch.write("tests", &objects::pack(objects))?;
    let exe = std::env::current_exe()
        .map_err(|e| Error::Message(format!("cannot find the compiler: {}", reason(&e))))?;
    let pending: Vec<usize> = (0..plan.tests.len()).filter(|i| !plan.tests[*i].known).collect();
    // Processes have what the one has that starts them.
    memory::end_small();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(index) = pending.get(next.fetch_add(1, Ordering::Relaxed)) {
            let test = &plan.tests[*index];
            let mut command = Command::new(&exe);
            command.args(["test", "--child", bundle.as_str()]);
            command.args(foreign_arguments(options)).env(NUMBER, test.number.to_string());
            let outcome = command.stdin(std::process::Stdio::null()).output().map(judge);
            done.lock().expect("no thread panics").push((*index, outcome));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(pending.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    for (index, outcome) in done.into_inner().expect("no thread panics") {
        let outcome =
            outcome.map_err(|e| Error::Message(format!("cannot start a test: {}", reason(&e))))?;
        if outcome == Outcome::Passed
            && let Some(store) = &session.tools.store
        {
            store.bind(passed(), &plan.tests[index].key, &[]);
        }
        outcomes[index].1 = outcome;
    }
    if let Some(store) = &session.tools.store {
        // A store that cannot be written costs another run of the tests.
        let _ = store.commit();
    }
    Ok(outcomes)
}

fn foreign_arguments(options: &Options) -> Vec<String> {
    let foreign = &options.foreign;
    let libraries = foreign.libraries.iter().map(|name| format!("-l{name}"));
    let directories = foreign.directories.iter().map(|dir| format!("-L{dir}"));
    let files = foreign.files.iter().map(ToString::to_string);
    let arguments = foreign.arguments.iter().map(|argument| format!("--link-arg={argument}"));
    libraries.chain(directories).chain(files).chain(arguments).collect()
}

fn judge(output: Output) -> Outcome {
    if output.status.success() {
        return Outcome::Passed;
    }
    let how = match output.status.code() {
        Some(1) => "the result is not good".to_owned(),
        Some(101) => "it panicked".to_owned(),
        _ => output.status.to_string(),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome::Failed(how, text(&output.stdout) + &text(&output.stderr))
}

/// The process of one test: executes objects that another process has made.
///
/// # Errors
/// If they cannot be read or linked.
pub fn test_child(options: &Options, bundle: &Utf8Path) -> Result<i32, Error> {
    let bytes = fs::read(bundle).map_err(|e| Error::open(bundle, &e))?;
    let objects = objects::unpack(&bytes).ok_or_else(|| format!("{bundle} is damaged"))?;
    let tools = Tools::new(None, options.opt_level, options.foreign.clone());
    if !options.foreign.load(&tools)? {
        return Err("foreign code that calls the program by name cannot be tested"
            .to_owned()
            .into());
    }
    let main = cm_jit::link(&objects).map_err(|e| e.to_string())?;
    memory::end_small();
    Ok(cm_jit::start(main).map_err(|e| e.to_string())?)
}
