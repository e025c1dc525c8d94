//! Holds: what a process has used since it began is not evicted while it runs.
//!
//! A holder locks a file for as long as it lives, and says in the index since when it uses entries.
//! What was used later than that stays. That a process has died is seen by its lock.

use crate::{
    home::Home,
    index::{HOLDS, Index},
    place,
};
use std::{
    fs::File,
    sync::atomic::{AtomicU64, Ordering},
};

/// The hold of this process.
#[derive(Debug)]
pub(crate) struct Hold {
    _locked: File,
    number: usize,
    /// 0: not announced yet.
    since: AtomicU64,
}

impl Hold {
    /// `None`: there are too many, or locks cannot be had. Then nothing is held.
    pub fn take(home: &Home) -> Option<Hold> {
        (0..HOLDS).find_map(|number| {
            let file = place::open_or_create_file(&home.hold(number)).ok()?;
            file.try_lock().ok()?;
            Some(Hold { _locked: file, number, since: AtomicU64::new(0) })
        })
    }

    /// From now on: what was used before may be evicted.
    pub fn renew(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Sees to it that the index knows of the hold.
    pub fn announce(&self, index: &mut Index) {
        let mut since = self.since.load(Ordering::Relaxed);
        if since == 0 {
            since = index.tick();
            self.since.store(since, Ordering::Relaxed);
        }
        index.header.holds[self.number] = since;
    }
}

/// Since when entries are held by anybody.
pub(crate) fn held_since(home: &Home, own: Option<&Hold>, index: &mut Index) -> u64 {
    let mut earliest = u64::MAX;
    for number in 0..HOLDS {
        let since = index.header.holds[number];
        if since == 0 || since >= earliest {
            continue;
        }
        let is_own = own.is_some_and(|own| own.number == number);
        if !is_own && is_abandoned(home, number) {
            index.header.holds[number] = 0;
        } else {
            earliest = since;
        }
    }
    earliest
}

/// Whether nobody else holds anything.
pub(crate) fn is_alone(home: &Home, own: Option<&Hold>, index: &mut Index) -> bool {
    (0..HOLDS).all(|number| {
        let is_own = own.is_some_and(|own| own.number == number);
        index.header.holds[number] == 0 || is_own || is_abandoned(home, number)
    })
}

/// Whether nobody has the lock. Giving it back at once may make another process pass over this
/// number, which is no matter.
fn is_abandoned(home: &Home, number: usize) -> bool {
    match place::open_file(&home.hold(number), true, home.owners()) {
        Ok(file) => file.try_lock().is_ok(),
        Err(_) => true,
    }
}
