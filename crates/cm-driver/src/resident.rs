//! Commands that stay (`--watch`): the database lives on between builds, and the file system tells
//! when to build again.

use crate::{
    Error, Options, Report,
    check::{self, Found, Lint},
    commands::{self, Program},
    run,
    session::{Opened, Purpose, Session},
};
use camino::{Utf8Path, Utf8PathBuf};
use std::{collections::BTreeSet, rc::Rc};

/// What is done again and again.
#[derive(Clone, Debug)]
pub enum Task {
    /// Diagnostics.
    Check(Rc<Lint>),
    /// An executable with this name.
    Compile(Utf8PathBuf),
    /// Objects for another process to execute.
    Run,
}

/// A program in a process that stays.
pub struct Resident {
    session: Session,
    database: Opened,
    task: Task,
    rounds: u32,
    /// Of the last round, and not kept yet.
    made: Option<Made>,
    /// What is shown is different, whatever the program is.
    stale: bool,
}

/// What is kept for the next process.
enum Made {
    Found(Found),
    Program(Program),
}

/// What came of a build.
#[derive(Debug)]
pub struct Round {
    /// What was found.
    pub report: Report,
    /// Something is different from the round before.
    pub changed: bool,
}

/// After so many rounds the results of all of them are freed; they are kept on disk.
const ROUNDS: u32 = 64;

impl Resident {
    /// Opens a program; nothing is built yet.
    ///
    /// # Errors
    /// If the file cannot be opened, or is standard input.
    pub fn new(options: &Options, task: Task) -> Result<Resident, Error> {
        if options.file == crate::input::NAME {
            return Err("standard input cannot be watched".to_owned().into());
        }
        let purpose = match task {
            Task::Check(_) => Purpose::Check,
            Task::Compile(_) => Purpose::Compile,
            Task::Run => Purpose::Run,
        };
        let options = Options { process_ends: false, stays: true, ..options.clone() };
        let session = Session::new(&options, purpose)?;
        let task = match task {
            Task::Compile(output) => Task::Compile(session.project.cwd.join(output)),
            task => task,
        };
        let database = session.open();
        Ok(Resident { session, database, task, rounds: 0, made: None, stale: true })
    }

    /// From now on shows these findings.
    pub fn set_lint(&mut self, lint: &Rc<Lint>) {
        if let Task::Check(old) = &mut self.task
            && old != lint
        {
            *old = lint.clone();
            self.stale = true;
        }
    }

    /// Brings the program up to date: whoever waits has all they want. What the next process and the next
    /// edit want is left to [`rest`](Self::rest), but for the objects of a task that runs in a process of
    /// its own.
    ///
    /// # Errors
    /// If the back end, linking or writing fails.
    pub fn build(&mut self) -> Result<Round, Error> {
        if let Some(store) = &self.session.tools.store {
            store.release();
        }
        self.made = None;
        self.session.clock.begin();
        if self.rounds > 0 {
            self.session.edit(&mut self.database);
        }
        self.rounds += 1;
        if self.rounds.is_multiple_of(ROUNDS) {
            self.database.reset();
        }
        let (session, database) = (&self.session, &mut *self.database);
        let (report, changed) = match &self.task {
            Task::Check(lint) => {
                let found = check::look(session, database)?;
                let report = check::show(session, &found, lint);
                self.made = Some(Made::Found(found));
                (report, database.has_run())
            }
            Task::Compile(output) => {
                let program = commands::compile_again(session, database, output)?;
                let report = session.report(&program.diagnostics);
                self.made = Some(Made::Program(program));
                (report, database.has_run())
            }
            Task::Run => {
                let prepared = run::prepare(session, database, |_| ())?;
                (session.report(&prepared.diagnostics), prepared.changed)
            }
        };
        if self.session.tells_what_ran() {
            self.rest()?;
        }
        Ok(Round { report, changed: std::mem::take(&mut self.stale) || changed })
    }

    /// Does what nobody waits for: keeps what was made, and gets ready for the next edit.
    ///
    /// # Errors
    /// If the query log cannot be written.
    pub fn rest(&mut self) -> Result<(), Error> {
        let (session, database) = (&self.session, &mut *self.database);
        match (self.made.take(), &self.task) {
            (Some(Made::Found(found)), _) => check::keep(session, database, found)?,
            (Some(Made::Program(program)), Task::Compile(output)) => {
                commands::keep(session, database, program, output)?;
            }
            _ => {}
        }
        session.prepare(database);
        Ok(())
    }

    /// The directories in which a change can matter.
    pub fn directories(&self) -> BTreeSet<Utf8PathBuf> {
        let project = &self.session.project;
        let files = self.session.paths(&self.database);
        let parents = files.iter().filter_map(|file| file.parent().map(ToOwned::to_owned));
        let mut found: BTreeSet<Utf8PathBuf> = parents.collect();
        found.insert(project.cwd.clone());
        if let Task::Check(lint) = &self.task {
            let config = lint.path.as_ref().and_then(|path| path.parent());
            found.extend(config.map(ToOwned::to_owned));
        }
        if project.is_marked() {
            // A module that is missing may appear anywhere.
            below(&project.base, &mut found);
        }
        found.retain(|dir| dir.is_dir());
        found
    }
}

/// So many directories of a project are watched.
const MOST: usize = 2_000;

fn below(dir: &Utf8Path, found: &mut BTreeSet<Utf8PathBuf>) {
    if found.len() >= MOST {
        return;
    }
    found.insert(dir.to_owned());
    for entry in dir.read_dir_utf8().into_iter().flatten().flatten() {
        let hidden = entry.file_name().starts_with('.');
        if !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(entry.path(), found);
        }
    }
}
