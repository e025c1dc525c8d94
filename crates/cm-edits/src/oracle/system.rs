//! The file system with a clock of its own, in which something can happen between two looks at it.

use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{FileText, OsSystem, Stamp, System};
use std::sync::Mutex;

/// What happens at a look.
type Event = Box<dyn FnOnce() + Send>;

/// Reads files as the compiler does. Stamps hold no more than the length and the modification time,
/// which tests set: no two states of a file have the same, however fast they follow each other.
#[derive(Default)]
pub struct TestSystem(Mutex<Option<(usize, Event)>>);

impl TestSystem {
    /// Files that nobody changes while they are read.
    pub fn calm() -> TestSystem {
        TestSystem::default()
    }
    /// `event` happens before look number `look`, from 0.
    pub fn with_event(look: usize, event: impl FnOnce() + Send + 'static) -> TestSystem {
        TestSystem(Mutex::new(Some((look, Box::new(event)))))
    }
    /// Whether what was to happen has not.
    pub fn is_waiting(&self) -> bool {
        self.0.lock().is_ok_and(|event| event.is_some())
    }

    fn look(&self) {
        let mut waiting = self.0.lock().expect("no event panics");
        match waiting.take() {
            Some((0, event)) => event(),
            Some((left, event)) => *waiting = Some((left - 1, event)),
            None => {}
        }
    }
}

impl System for TestSystem {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        self.look();
        let stamp = OsSystem.stamp(path);
        match [Stamp::default(), Stamp::UNKNOWN].contains(&stamp) {
            true => stamp,
            false => Stamp { ctime: 0, inode: 1, ..stamp },
        }
    }
    fn is_settled(&self, stamp: &Stamp) -> bool {
        *stamp != Stamp::UNKNOWN
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        self.look();
        OsSystem.read(path)
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        self.look();
        OsSystem.list(path)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        OsSystem.canonical(path)
    }
}
