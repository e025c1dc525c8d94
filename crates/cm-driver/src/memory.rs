//! How the system gives memory to the process.
//!
//! It clears what it gives. An edit needs little, here and there: with huge pages the system would clear
//! megabytes, and under a hypervisor it may have to ask for each of them first. A build from nothing fills
//! what it gets, and is faster with huge ones.

use std::sync::atomic::{AtomicBool, Ordering};

/// Huge pages were on when the process began.
static WERE_ON: AtomicBool = AtomicBool::new(false);

/// For the process: small pages until there is much to do or a program runs.
pub fn begin_small() {
    if !off() {
        WERE_ON.store(true, Ordering::Relaxed);
        switch_off(true);
    }
}

/// From now on pages are given as they were when the process began.
pub fn end_small() {
    if WERE_ON.swap(false, Ordering::Relaxed) {
        switch_off(false);
    }
}

/// While it lives, memory is given by small pages: for what writes a little here and there, from several
/// threads, after a build from nothing.
pub struct SmallPages {
    /// Huge pages were off before.
    were: bool,
}

impl SmallPages {
    /// Begins it. A system without huge pages, or that refuses, is as good.
    pub fn begin() -> SmallPages {
        let were = off();
        switch_off(true);
        SmallPages { were }
    }
}

impl Drop for SmallPages {
    fn drop(&mut self) {
        switch_off(self.were);
    }
}

#[cfg(target_os = "linux")]
fn off() -> bool {
    rustix::thread::transparent_huge_pages_are_disabled().unwrap_or(false)
}

#[cfg(target_os = "linux")]
fn switch_off(off: bool) {
    let _ = rustix::thread::disable_transparent_huge_pages(off);
}

#[cfg(not(target_os = "linux"))]
fn off() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn switch_off(_: bool) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{SmallPages, begin_small, end_small, off};

    #[test]
    fn the_state_before_comes_back() {
        let before = off();
        let outer = SmallPages::begin();
        let inner = SmallPages::begin();
        drop(inner);
        assert!(off());
        drop(outer);
        assert_eq!(off(), before);
        begin_small();
        assert!(off());
        end_small();
        assert_eq!(off(), before);
    }
}
