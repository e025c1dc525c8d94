//! Files of others in the directory of a store, which count for its cap.

use crate::{
    Store,
    hold::is_alone,
    index::Trouble,
    place::{Found, Owners, look},
    room::Room,
    transaction::Transaction,
};
use std::{
    fmt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// How much lies beside the store. It is asked for only where it may matter.
pub(crate) struct Beside {
    measure: Option<Box<dyn Fn() -> u64 + Send + Sync>>,
    bytes: AtomicU64,
}

/// No cap is larger.
const MOST_RESERVED: u64 = 1 << 60;

/// What nobody has measured yet.
const UNKNOWN: u64 = u64::MAX;

impl Default for Beside {
    fn default() -> Beside {
        Beside { measure: None, bytes: AtomicU64::new(0) }
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Beside {
    pub fn new(measure: Box<dyn Fn() -> u64 + Send + Sync>) -> Beside {
        Beside { measure: Some(measure), bytes: AtomicU64::new(UNKNOWN) }
    }

    /// Measures, if all together took more than half of the cap when it was last known.
    pub fn look(&self, stored: u64, max_size: u64) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes == UNKNOWN || stored.saturating_add(bytes) > max_size / 2 {
            self.measure();
        }
    }

    /// So many bytes were added, at most.
    fn grew(&self, added: u64) {
        // What is unknown stays so.
        let grown = |bytes: u64| (bytes != UNKNOWN).then(|| bytes.saturating_add(added));
        let _ = self.bytes.try_update(Ordering::Relaxed, Ordering::Relaxed, grown);
    }

    fn measure(&self) {
        if let Some(measure) = &self.measure {
            self.bytes.store(measure(), Ordering::Relaxed);
        }
    }

    /// What was measured last.
    pub fn bytes(&self) -> u64 {
        match self.bytes.load(Ordering::Relaxed) {
            UNKNOWN => 0,
            bytes => bytes,
        }
    }
}

/// Room for a file beside the store, for as long as this lives: the file is written meanwhile, and
/// counted from then on.
#[derive(Debug)]
pub struct Reserved<'s> {
    store: &'s Store,
    bytes: u64,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        // What cannot be given back is, when nobody else uses the store.
        let _ = self.store.transact(false, |step| {
            let reserved = &mut step.index.header.reserved;
            *reserved = reserved.saturating_sub(self.bytes);
            Ok(())
        });
        self.store.reservations.fetch_sub(1, Ordering::Relaxed);
        self.store.beside.grew(self.bytes);
    }
}

impl Store {
    /// Makes room for a file beside the store before it is written; one that it replaces is there
    /// until then. `None`: there is no room.
    pub fn reserve(&self, bytes: u64) -> Option<Reserved<'_>> {
        while self.has_room_for_any() {
            let made = self.transact(true, |step| self.reserve_step(step, bytes)).ok()??;
            match made {
                Room::Made => return Some(Reserved { store: self, bytes }),
                Room::Again => {}
                Room::None => return None,
            }
        }
        None
    }

    fn reserve_step(&self, step: &mut Transaction, bytes: u64) -> Result<Room, Trouble> {
        if step.read_only {
            return Ok(Room::None);
        }
        let first = self.reservations.load(Ordering::Relaxed) == 0;
        if first && is_alone(&self.home, step.opened.hold, &mut step.index) {
            // Whoever reserved this was killed.
            step.index.header.reserved = 0;
        }
        let room = self.make_room(step, bytes, 0)?;
        if room == Room::Made {
            let reserved = &mut step.index.header.reserved;
            *reserved = reserved.saturating_add(bytes).min(MOST_RESERVED);
            self.reservations.fetch_add(1, Ordering::Relaxed);
        }
        Ok(room)
    }

    /// Whether a file beside the store may be used: it is a regular file that belongs to whom files
    /// of the store may belong, nobody else can write it, and no link leads to where it lies. Anything
    /// else that lies there is set aside and counted like a bad entry. What is not there does no harm.
    pub fn admits(&self, path: &Path) -> bool {
        if let Some(dir) = path.parent().filter(|dir| *dir != self.root()) {
            if !self.home.admit_dir(dir, false) {
                if look(dir) != Found::Hidden {
                    self.set_aside(dir);
                }
                return false;
            }
            // Nobody else can put anything there from now on.
            let _ = Owners::of(dir);
        }
        match path.symlink_metadata() {
            Ok(meta) if self.home.owners().own(&meta) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return true,
            // It cannot be looked at, so it can be neither used nor damaged.
            Err(_) => return false,
        }
        self.set_aside(path);
        false
    }

    /// Sets a file beside the store aside that was found to be damaged, and counts it like a bad entry.
    pub fn set_aside(&self, path: &Path) {
        if self.config.read_only {
            self.home.note_damage(true);
            return;
        }
        self.home.quarantine(path);
        // Nobody waits for the number.
        let _ = self.transact(false, |step| {
            step.index.header.totals.quarantined += 1;
            Ok(())
        });
    }
}
