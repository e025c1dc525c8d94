//! Waiting for others. With the feature `shuttle`, tests decide at every step which thread goes on
//! next, each with a store of its own that stands for a process, and when one is killed.

#[cfg(not(feature = "shuttle"))]
mod real {
    pub(crate) use std::sync::{Mutex, MutexGuard, Once};
    pub(crate) use std::thread::sleep as pause;

    /// Before something that other processes can see, or that others may have changed.
    pub(crate) fn step() {}
}

#[cfg(feature = "shuttle")]
mod real {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard, Once};
    use std::{cell::Cell, panic::resume_unwind, time::Duration};

    /// What a thread unwinds with that is killed.
    #[derive(Clone, Copy, Debug)]
    pub struct Killed;

    shuttle::thread_local! {
        static STEPS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// After so many steps this thread is killed. Nothing but its locks is given back then.
    pub fn kill_after(steps: Option<u32>) {
        STEPS_LEFT.with(|left| left.set(steps));
    }

    pub(crate) fn step() {
        shuttle::thread::yield_now();
        if std::thread::panicking() {
            return;
        }
        let left = STEPS_LEFT.with(Cell::get);
        STEPS_LEFT.with(|cell| cell.set(left.map(|left| left.saturating_sub(1))));
        if left == Some(0) {
            resume_unwind(Box::new(Killed));
        }
    }

    pub(crate) fn pause(_: Duration) {
        shuttle::thread::yield_now();
    }
}

#[cfg(feature = "shuttle")]
pub use real::{Killed, kill_after};
pub(crate) use real::{Mutex, MutexGuard, Once, pause, step};
