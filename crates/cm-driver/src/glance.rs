//! One look at each file while it is found out which have changed: the record of the last build and the
//! graph ask about the same ones, and whether a file is a link is told with its stamp.

use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{FileText, Look, Stamp, System};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A file system, and what has been seen of it.
pub struct Glances {
    system: Arc<dyn System>,
    /// `None`: it is looked at each time.
    seen: Mutex<Option<FxHashMap<Utf8PathBuf, Look>>>,
}

impl Glances {
    /// Remembers what it sees until it is to [`forget`](Self::forget).
    pub fn over(system: Arc<dyn System>) -> Glances {
        Glances { system, seen: Mutex::new(Some(FxHashMap::default())) }
    }
    /// Remembers what it sees from now on.
    pub fn begin(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(FxHashMap::default());
    }
    /// From now on everything is looked at as it is. Stamps are taken before the files are read, so one that
    /// was too old has its file read once more.
    pub fn forget(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    fn seen(&self, path: &Utf8Path) -> Option<Look> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.as_mut()?;
        if let Some(known) = seen.get(path) {
            return Some(*known);
        }
        let look = self.system.look(path);
        seen.insert(path.to_owned(), look);
        Some(look)
    }
}

impl System for Glances {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        self.seen(path).map_or_else(|| self.system.stamp(path), |look| look.stamp)
    }
    fn is_settled(&self, stamp: &Stamp) -> bool {
        self.system.is_settled(stamp)
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        self.system.read(path)
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        self.system.list(path)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        self.system.canonical(path)
    }
    fn is_link(&self, path: &Utf8Path) -> bool {
        self.seen(path).map_or_else(|| self.system.is_link(path), |look| look.is_link)
    }
}

#[cfg(test)]
mod tests {
    use super::Glances;
    use camino::Utf8Path;
    use cm_base::{MemorySystem, Stamp, System};
    use std::sync::Arc;

    #[test]
    fn what_was_seen_holds_until_it_is_forgotten() {
        let files = MemorySystem::default();
        files.write("a", "one");
        let glances = Glances::over(Arc::new(files.clone()));
        let path = Utf8Path::new("a");
        let first = glances.stamp(path);
        assert_eq!((first, glances.is_link(path)), (files.stamp(path), false));
        files.write("a", "another");
        assert_eq!(glances.stamp(path), first);
        assert_eq!(glances.stamp(Utf8Path::new("b")), Stamp::default());
        glances.forget();
        assert_eq!(glances.stamp(path), files.stamp(path));
        assert_ne!(glances.stamp(path), first);
        glances.begin();
        let second = glances.stamp(path);
        files.write("a", "a third");
        assert_eq!(glances.stamp(path), second);
    }
}
