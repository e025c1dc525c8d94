//! `run`.

use crate::{
    Error, Options, Report, commands, memory,
    objects::{self, List, Object},
    parallel, queries,
    session::{Finished, Purpose, Session, accepted, diagnose, warn},
};
use cm_base::Diagnostic;
use cm_jit::Main;
use redgreen::{Database, Root};

/// Compiles a program and executes it in this process. `found` is told the diagnostics before the
/// program starts and says whether to go on. `None`: it did not.
///
/// # Errors
/// If the file cannot be opened or the program cannot be linked.
pub fn run(
    options: &Options,
    args: &[String],
    interpret: bool,
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    if !args.is_empty() {
        // `main` takes no parameters and the library has no way to ask for them yet.
        warn("arguments for the program are ignored");
    }
    if interpret {
        return run_interpreted(options, found);
    }
    let session = Session::new(options, Purpose::Run)?;
    if let Some(earlier) = session.earlier::<List>()
        && earlier.current
        && let Some(objects) = objects::stored(&session.tools, &earlier.finished.result)
    {
        session.keep_unchanged()?;
        let main = link(&session, &objects);
        return execute(options, &session, &earlier.finished.diagnostics, main, found);
    }
    let mut database = session.open();
    let mut main = None;
    let ready = |objects: &[Object]| main = Some(link(&session, objects));
    let prepared = prepare(&session, &mut database, ready)?;
    let Some(main) = main else {
        found(&session.report(&prepared.diagnostics));
        return Ok(None);
    };
    execute(options, &session, &prepared.diagnostics, main, found)
}

/// What was found in a program.
pub struct Prepared {
    /// All of it.
    pub diagnostics: Vec<Diagnostic>,
    /// Some query ran.
    pub changed: bool,
}

/// Brings the objects of a program up to date and keeps them for the next process: this one may be
/// ended by the program. Meanwhile they are given to `ready`, with their names; if there are errors,
/// there are none.
///
/// # Errors
/// If the back end fails or the query log cannot be written.
pub(crate) fn prepare(
    session: &Session,
    database: &mut Database,
    ready: impl FnOnce(&[Object]),
) -> Result<Prepared, Error> {
    let (diagnostics, objects) = session.attempt(database, |db| {
        parallel::front_end(db, &session.clock);
        let diagnostics = diagnose(db, Purpose::Run);
        session.clock.lap("diagnostics");
        let objects = accepted(&diagnostics).then(|| {
            parallel::units(db, session);
            (objects::list(db), objects::of_program(db))
        });
        (diagnostics, objects)
    })?;
    session.clock.lap("objects");
    let changed = database.has_run();
    let Some((list, objects)) = objects else {
        session.keep_record_of(database)?;
        return Ok(Prepared { diagnostics, changed });
    };
    let roots = [
        cm_hir::queries::node::diagnostics(Root),
        cm_hir::queries::node::entry(Root),
        queries::node::objects(Root),
    ];
    let meanwhile = || {
        ready(&objects);
        Ok(())
    };
    let finished = || Finished { diagnostics: diagnostics.clone(), result: list };
    session.keep(database, &roots, meanwhile, finished)?;
    session.clock.lap("cache");
    Ok(Prepared { diagnostics, changed })
}

/// A program in memory; `None`: foreign code calls it by name, so that it must be a process of its own.
/// No back end is needed.
fn link(session: &Session, objects: &[Object]) -> Result<Option<Main>, Error> {
    // It may call a compiler, so that it is a part of what takes long.
    if !session.tools.foreign.load(&session.tools)? {
        return Ok(None);
    }
    let main = cm_jit::link(&objects::named(objects)).map_err(|e| e.to_string())?;
    Ok(Some(main))
}

fn execute(
    options: &Options,
    session: &Session,
    diagnostics: &[Diagnostic],
    main: Result<Option<Main>, Error>,
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    if !found(&session.report(diagnostics)) {
        return Ok(None);
    }
    match main? {
        Some(main) => {
            memory::end_small();
            // The program may end the process.
            session.tools.settle();
            Ok(Some(cm_jit::start(main).map_err(|e| e.to_string())?))
        }
        None => execute_linked(options, session).map(Some),
    }
}

/// Executes a program as a process of its own, linked with the foreign code that calls it by name.
fn execute_linked(options: &Options, session: &Session) -> Result<i32, Error> {
    let program = session.tools.scratch.path("program")?;
    let report = commands::compile(options, &program)?;
    if !report.ok() {
        return Err("the program has changed meanwhile".to_owned().into());
    }
    let directories: Vec<_> = options.foreign.absolute_directories().collect();
    commands::execute_with(&program, &directories)
}

/// The interpreter needs no back end, and the cache has nothing for it.
fn run_interpreted(
    options: &Options,
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    let options = Options { cache: None, ..options.clone() };
    let session = Session::new(&options, Purpose::Run)?;
    let mut database = session.open();
    let (diagnostics, units) = session.attempt(&mut database, |db| {
        let diagnostics = diagnose(db, Purpose::Run);
        let units = accepted(&diagnostics).then(|| {
            let units = cm_lower::units(db, Root).iter();
            units
                .filter_map(|unit| cm_mir::unit::Unit::decode(cm_lower::unit(db, *unit)))
                .collect::<Vec<_>>()
        });
        (diagnostics, units)
    })?;
    session.keep_record_of(&database)?;
    let go_on = found(&session.report(&diagnostics));
    let (true, Some(units)) = (go_on, units) else { return Ok(None) };
    cm_jit::end_on_broken_pipes();
    crate::interpret::interpret(&units).map(Some)
}
