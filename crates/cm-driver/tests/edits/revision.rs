//! Going through a script, revision by revision.

use crate::lists::{Queries, compare, queries};
use cm_driver::{Report, session::Session};
use cm_edits::oracle::{Behaviour, Clean, Outcome, Place, TestSystem, clean, text};
use cm_test::{Action, Expect, Files, Fixture, Revision};
use redgreen::{BuildRecord, Database};
use std::{fs, sync::Arc};

/// What happened in a revision.
pub struct Step {
    /// Everything that ran.
    pub ran: Queries,
    /// The same, if it belongs into the script: not where all queries are new, and not where it
    /// depends on when exactly the build was disturbed.
    pub listed: Option<Queries>,
    /// What came from the store without the graph; `None` as above.
    pub fetched: Option<Queries>,
    /// There are no errors.
    pub accepted: bool,
}

/// Builds every revision as a new process would.
pub fn fresh(fixture: &Fixture, update: bool) -> Result<Vec<Step>, String> {
    let mut place = Place::new(&fixture.files, &[])?;
    let mut steps = Vec::new();
    let mut stdout = None;
    for revision in &fixture.revisions {
        let step = fresh_step(&mut place, revision, &mut stdout, update);
        steps.push(step.map_err(|message| located(revision, "new process", &message))?);
    }
    Ok(steps)
}

fn located(revision: &Revision, mode: &str, message: &str) -> String {
    format!("revision {} (line {}, {mode}): {message}", revision.number, revision.line)
}

fn fresh_step(
    place: &mut Place,
    revision: &Revision,
    stdout: &mut Option<String>,
    update: bool,
) -> Result<Step, String> {
    let after = prepare(place, revision)?;
    if let Some(after) = after {
        disturbed(place, &after)?;
    }
    let session = place.session(Arc::new(TestSystem::calm()))?;
    let had_image = session.image().is_some_and(|image| image.exists());
    let expected = clean(&place.files, &place.arguments)?;
    let (outcome, ran) = build_fresh(place, &session)?;
    outcome.compare(&expected.outcome)?;
    check_expectations(&revision.expect, &expected, stdout)?;
    let step = Step {
        listed: had_image.then(|| ran.clone()),
        fetched: Some(queries(&session.tools.take_fetched())),
        ran,
        accepted: outcome.made.is_some(),
    };
    if !update {
        if let (Some(expected), Some(found)) = (&revision.expect.rerun, &step.listed) {
            compare("rerun", &expected.iter().cloned().collect(), found)?;
        } else if revision.expect.rerun.is_some() != step.listed.is_some() {
            return Err("a list of the queries that ran is missing, or has no place here".into());
        }
        let expected = revision.expect.fetched.iter().flatten().cloned().collect();
        compare("fetched", &expected, &queries_or_none(&step.fetched))?;
    }
    Ok(step)
}

fn queries_or_none(queries: &Option<Queries>) -> Queries {
    queries.clone().unwrap_or_default()
}

/// Does what stands before the build. Returns the files as they are after what happens meanwhile.
fn prepare(place: &mut Place, revision: &Revision) -> Result<Option<Files>, String> {
    for action in &revision.actions {
        if !matches!(action, Action::Meanwhile(_)) {
            place.apply(action)?;
        }
    }
    let mut files = place.files.clone();
    for action in &revision.actions {
        if let Action::Meanwhile(action) = action {
            action.apply(&mut files).map_err(text)?;
        }
    }
    Ok((files != place.files).then_some(files))
}

/// As `cm compile` does it.
fn build_fresh(place: &Place, session: &Session) -> Result<(Outcome, Queries), String> {
    let before = session.image().and_then(|image| fs::read(image).ok());
    let report = cm_driver::compile_in(session, &place.output()).map_err(text)?;
    let outcome = take(place, session, report, true)?;
    if outcome.made.is_none() && before != session.image().and_then(|image| fs::read(image).ok()) {
        return Err("a build with errors has replaced the image".into());
    }
    Ok((outcome, queries(last_record(place)?.executed.iter().map(|run| &run.node))))
}

fn take(place: &Place, session: &Session, report: Report, units: bool) -> Result<Outcome, String> {
    let executable = report.ok().then(|| fs::read(place.output()).map_err(text)).transpose()?;
    Outcome::take(session, report, executable, units)
}

fn last_record(place: &Place) -> Result<BuildRecord, String> {
    cm_driver::last_record(&place.cache()).map_err(text)
}

/// Changes the files while they are built, before each look at one of them in turn. What comes out
/// must be what one of the two states gives, and the next build must see that they have changed.
/// At last, leaves the place in the second state, not yet built.
fn disturbed(place: &mut Place, after: &Files) -> Result<(), String> {
    let saved = place.save()?;
    let states = [clean(&place.files, &place.arguments)?, clean(after, &place.arguments)?];
    for look in 0.. {
        let system = Arc::new(TestSystem::with_event(look, place.event(after)));
        let session = place.session(system.clone())?;
        let report = cm_driver::compile_in(&session, &place.output()).map_err(text)?;
        let waiting = system.is_waiting();
        let outcome = take(place, &session, report, false)?;
        let fits = |state: &Arc<Clean>| outcome.compare(&state.outcome);
        fits(&states[0]).or_else(|_| fits(&states[1])).map_err(|message| {
            format!("changed before look {look}: a result of neither state: {message}")
        })?;
        place.set_files(after.clone())?;
        if waiting {
            return Ok(());
        }
        let session = place.session(Arc::new(TestSystem::calm()))?;
        let (outcome, _) = build_fresh(place, &session)?;
        outcome
            .compare(&states[1].outcome)
            .map_err(|message| format!("changed before look {look}: the next build: {message}"))?;
        place.restore(&saved)?;
    }
    Ok(())
}

fn check_expectations(
    expect: &Expect,
    clean: &Clean,
    stdout: &mut Option<String>,
) -> Result<(), String> {
    let found = &clean.outcome.diagnostics;
    for expected in expect.errors.iter().flatten() {
        let file = expected.path.as_deref().unwrap_or("main.cm").trim_start_matches('/');
        let is_it = found.iter().any(|diagnostic| {
            diagnostic.file == file
                && diagnostic.line == expected.line
                && diagnostic.message.contains(&expected.phrase)
        });
        if !is_it {
            return Err(format!("no error `{expected}` among {found:#?}"));
        }
    }
    let errors = expect.errors.as_ref().is_some_and(|errors| !errors.is_empty());
    let Some(Behaviour { stdout: printed, exit }) = &clean.behaviour else {
        return match errors {
            true => Ok(()),
            false => Err(format!("unexpected errors: {found:#?}")),
        };
    };
    if errors {
        return Err("errors were expected, but it was accepted".into());
    }
    // A program goes on printing the same until a revision says otherwise.
    if expect.stdout.is_some() {
        stdout.clone_from(&expect.stdout);
    }
    if stdout.as_ref().is_some_and(|stdout| stdout != printed) {
        return Err(format!("it prints {printed:?}"));
    }
    match expect.exit.unwrap_or(0) == exit.unwrap_or(-1) {
        true => Ok(()),
        false => Err(format!("it ends with {exit:?}")),
    }
}

/// Builds all revisions in one process that keeps its database.
pub fn resident(fixture: &Fixture, fresh: &[Step]) -> Result<(), String> {
    let mut place = Place::new(&fixture.files, &[])?;
    let mut session = place.session(Arc::new(TestSystem::calm()))?;
    let mut database = session.open();
    let mut comparable = true;
    for (revision, step) in fixture.revisions.iter().zip(fresh) {
        let located = |message: String| located(revision, "resident", &message);
        let after = prepare(&mut place, revision).map_err(located)?;
        if let Some(after) = after {
            place.set_files(after).map_err(located)?;
            comparable = false;
        }
        if revision.actions.iter().any(opens_anew) {
            session = place.session(Arc::new(TestSystem::calm())).map_err(located)?;
            database = session.open();
        } else {
            session.edit(&mut database);
        }
        let ran = resident_step(&place, &session, &mut database).map_err(located)?;
        if comparable {
            let more: Vec<_> =
                ran.difference(&step.ran).map(|query| format!("\n  {query}")).collect();
            if !more.is_empty() {
                return Err(located(format!(
                    "ran here, but not in a new process:{}",
                    more.concat()
                )));
            }
        }
        // Other processes compare with the last program without errors, this one with the last.
        comparable = step.accepted;
    }
    Ok(())
}

fn opens_anew(action: &Action) -> bool {
    matches!(action, Action::Reopen | Action::Options(_) | Action::Elsewhere)
}

fn resident_step(
    place: &Place,
    session: &Session,
    database: &mut Database,
) -> Result<Queries, String> {
    let program = cm_driver::build(session, database, None).map_err(text)?;
    let report = session.report(&program.diagnostics);
    let executable =
        program.executable.as_ref().and_then(|(_, bytes)| Some(bytes.as_ref()?.to_vec()));
    cm_driver::keep(session, database, program, &place.output()).map_err(text)?;
    let outcome = Outcome::take(session, report, executable, false)?;
    outcome.compare(&clean(&place.files, &place.arguments)?.outcome)?;
    Ok(queries(last_record(place)?.executed.iter().map(|run| &run.node)))
}
