//! Commands that stay (`--watch`): the database lives on between builds, and the file system tells
//! when to build again.

use crate::{
    Error, Options, Report,
    check::{self, Lint},
    commands, reason, run,
    session::{Opened, Purpose, Session},
};
use camino::{Utf8Path, Utf8PathBuf};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use redgreen::Edit;
use std::{
    collections::BTreeSet,
    rc::Rc,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

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
    /// What is shown is different, whatever the program is.
    stale: bool,
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
        let options = Options { process_ends: false, ..options.clone() };
        let session = Session::new(&options, purpose)?;
        let database = session.open();
        Ok(Resident { session, database, task, rounds: 0, stale: true })
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

    /// Brings the program up to date.
    ///
    /// # Errors
    /// If the back end, linking or writing fails.
    pub fn build(&mut self) -> Result<Round, Error> {
        if let Some(store) = &self.session.tools.store {
            store.release();
        }
        if self.rounds > 0 {
            self.database.edit(Edit::All);
        }
        self.rounds += 1;
        if self.rounds.is_multiple_of(ROUNDS) {
            self.database.reset();
        }
        let (session, database) = (&self.session, &mut *self.database);
        let (report, changed) = match &self.task {
            Task::Check(lint) => {
                let (found, changed) = check::look(session, database)?;
                (check::show(session, &found, lint), changed)
            }
            Task::Compile(output) => commands::compile_again(session, database, output)?,
            Task::Run => {
                let prepared = run::prepare(session, database, |_| ())?;
                (session.report(&prepared.diagnostics), prepared.changed)
            }
        };
        Ok(Round { report, changed: std::mem::take(&mut self.stale) || changed })
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

/// Tells when something happens in directories.
pub struct Watcher {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    watched: BTreeSet<Utf8PathBuf>,
}

/// An editor writes a file in several steps: only when it is quiet for so long it is done.
const QUIET: Duration = Duration::from_millis(40);
/// Something that never is quiet is not waited for any longer.
const LONGEST: Duration = Duration::from_millis(400);

impl Watcher {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// If the system has no way to watch.
    pub fn new() -> Result<Watcher, Error> {
        let (sender, events) = channel();
        let watcher = notify::recommended_watcher(sender)
            .map_err(|error| format!("cannot watch files: {error}"))?;
        Ok(Watcher { watcher, events, watched: BTreeSet::new() })
    }

    /// From now on watches these directories, without those in them. `true`: some are new, so that
    /// something may have changed there unseen.
    ///
    /// # Errors
    /// If one cannot be watched.
    pub fn watch(&mut self, directories: BTreeSet<Utf8PathBuf>) -> Result<bool, Error> {
        for gone in self.watched.difference(&directories) {
            // A directory that was deleted is watched no more.
            let _ = self.watcher.unwatch(gone.as_std_path());
        }
        let mut added = false;
        for new in directories.difference(&self.watched) {
            added = true;
            let watch = self.watcher.watch(new.as_std_path(), RecursiveMode::NonRecursive);
            watch.map_err(|error| match error.kind {
                notify::ErrorKind::Io(error) => format!("cannot watch {new}: {}", reason(&error)),
                _ => format!("cannot watch {new}: {error}"),
            })?;
        }
        self.watched = directories;
        Ok(added)
    }

    /// Waits for a change that may matter, and until it is over. `false`: `limit` came first.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        let start = Instant::now();
        loop {
            let event = match limit {
                Some(limit) => self.events.recv_timeout(limit.saturating_sub(start.elapsed())),
                None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(event) if matters(&event) => break,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        let start = Instant::now();
        while start.elapsed() < LONGEST && self.events.recv_timeout(QUIET).is_ok() {}
        true
    }
}

/// Whether an event is about a source file or a directory. Our own cache is neither.
fn matters(event: &notify::Result<Event>) -> bool {
    let Ok(event) = event else { return true };
    let source = |path: &std::path::PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let config = path.file_name().is_some_and(|name| name == ".cmconfig.yml");
        let file = path.extension().is_some_and(|extension| extension == "cm");
        config || (!hidden && (file || path.is_dir()))
    };
    !matches!(event.kind, notify::EventKind::Access(_)) && event.paths.iter().any(source)
}
