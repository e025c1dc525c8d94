//! Waits until source files change.

use crate::{Error, reason};
use camino::Utf8PathBuf;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// Tells when something happens in directories.
pub struct Watcher {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    watched: BTreeSet<Utf8PathBuf>,
}

/// An editor may write a file in several steps, or delete it first: while one is unfinished, it is waited
/// until nothing happens for so long.
const QUIET: Duration = Duration::from_millis(40);
/// The same for each file that was written to its end: whoever changes many goes on at once.
const BRIEF: Duration = Duration::from_millis(1);
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
        let mut changes = Changes::default();
        while changes.are_none() {
            let event = match limit {
                Some(limit) => self.events.recv_timeout(limit.saturating_sub(start.elapsed())),
                None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let Ok(event) = event else { return false };
            changes.note(&event);
        }
        let (start, mut last) = (Instant::now(), Instant::now());
        while start.elapsed() < LONGEST {
            let left = changes.quiet().saturating_sub(last.elapsed());
            let Ok(event) = self.events.recv_timeout(left) else { break };
            if changes.note(&event) {
                last = Instant::now();
            }
        }
        true
    }
}

/// What has happened to files that matter.
#[derive(Default)]
struct Changes {
    /// These were written to their end, or put in their places as a whole.
    finished: BTreeSet<PathBuf>,
    /// More is to be expected of these.
    unfinished: BTreeSet<PathBuf>,
    /// Something happened, and nobody knows where.
    unknown: bool,
}

impl Changes {
    fn are_none(&self) -> bool {
        self.finished.is_empty() && self.unfinished.is_empty() && !self.unknown
    }

    /// How long nothing must happen until it is over.
    fn quiet(&self) -> Duration {
        let finished = u32::try_from(self.finished.len()).unwrap_or(u32::MAX);
        let all = self.unfinished.is_empty() && !self.unknown;
        if all { BRIEF.saturating_mul(finished).min(QUIET) } else { QUIET }
    }

    /// Notes an event. `false`: it is of no matter.
    fn note(&mut self, event: &notify::Result<Event>) -> bool {
        let Some(event) = event.as_ref().ok().filter(|event| !event.need_rescan()) else {
            self.unknown = true;
            return true;
        };
        let mut noted = false;
        for path in event.paths.iter().filter(|path| matters(path)) {
            match event.kind {
                EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                    self.unfinished.remove(path);
                    self.finished.insert(path.clone());
                }
                EventKind::Modify(ModifyKind::Metadata(_)) => {
                    self.finished.insert(path.clone());
                }
                // The halves of a rename are told as well.
                EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
                    continue;
                }
                _ => _ = self.unfinished.insert(path.clone()),
            }
            noted = true;
        }
        noted
    }
}

/// Whether a path is that of a source file or a directory. Our own cache is neither.
fn matters(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return path.is_dir() };
    let hidden = name.as_encoded_bytes().starts_with(b".");
    let source = path.extension().is_some_and(|extension| extension == "cm");
    name == ".cmconfig.yml" || (!hidden && (source || path.is_dir()))
}

#[cfg(test)]
mod tests {
    use super::{BRIEF, Changes, QUIET};
    use notify::{
        Event, EventKind,
        event::{
            AccessKind, AccessMode, CreateKind, DataChange, Flag, MetadataKind, ModifyKind,
            RemoveKind, RenameMode,
        },
    };
    use std::time::Duration;

    const OPENED: EventKind = EventKind::Access(AccessKind::Open(AccessMode::Any));
    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const CREATED: EventKind = EventKind::Create(CreateKind::File);
    const DELETED: EventKind = EventKind::Remove(RemoveKind::File);
    const TOUCHED: EventKind = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
    const FROM: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::From));
    const TO: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));

    /// How long it is waited after these; `None`: for ever.
    fn quiet(events: &[(EventKind, &str)]) -> Option<Duration> {
        let mut changes = Changes::default();
        for (kind, path) in events {
            changes.note(&Ok(Event::new(*kind).add_path(path.into())));
        }
        (!changes.are_none()).then(|| changes.quiet())
    }

    #[test]
    fn what_is_written_to_its_end_is_waited_for_briefly() {
        let written = [(OPENED, "a.cm"), (WRITTEN, "a.cm"), (CLOSED, "a.cm")];
        assert_eq!(quiet(&written[..1]), None);
        assert_eq!(quiet(&written[..2]), Some(QUIET));
        assert_eq!(quiet(&written), Some(BRIEF));
        assert_eq!(quiet(&[written.as_slice(), &[(TOUCHED, "a.cm")]].concat()), Some(BRIEF));
        let again = [written, written].concat();
        assert_eq!(quiet(&again[..5]), Some(QUIET));
        assert_eq!(quiet(&again), Some(BRIEF));
        // Many are waited for longer, but not for ever.
        assert_eq!(quiet(&[(CLOSED, "a.cm"), (CLOSED, "b.cm")]), Some(2 * BRIEF));
        let many: Vec<String> = (0..1000).map(|n| format!("{n}.cm")).collect();
        let many: Vec<_> = many.iter().map(|path| (CLOSED, path.as_str())).collect();
        assert_eq!(quiet(&many), Some(QUIET));
    }

    #[test]
    fn what_comes_in_place_of_another_is_waited_for() {
        assert_eq!(quiet(&[(FROM, "a.tmp"), (TO, "a.cm")]), Some(BRIEF));
        assert_eq!(quiet(&[(FROM, "a.cm")]), Some(QUIET));
        assert_eq!(quiet(&[(DELETED, "a.cm"), (CREATED, "a.cm")]), Some(QUIET));
        let replaced = [(FROM, "a.cm"), (TO, "a.cm~"), (CREATED, "a.cm"), (CLOSED, "a.cm")];
        assert_eq!(quiet(&replaced), Some(BRIEF));
        assert_eq!(quiet(&[(CLOSED, "b.cm"), (DELETED, "a.cm")]), Some(QUIET));
    }

    #[test]
    fn what_is_no_source_is_of_no_matter() {
        for path in ["main.out", ".hidden.cm", ".cm-cache", "a.txt", "/no/such/directory"] {
            assert_eq!(quiet(&[(WRITTEN, path), (CLOSED, path)]), None, "{path}");
        }
        assert_eq!(quiet(&[(CLOSED, ".cmconfig.yml")]), Some(BRIEF));
    }

    /// The system has forgotten what it had to tell.
    #[test]
    fn lost_events_may_have_been_any() {
        let mut changes = Changes::default();
        assert!(changes.note(&Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))));
        assert_eq!(changes.quiet(), QUIET);
    }
}
