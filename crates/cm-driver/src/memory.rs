//! How the system gives memory to the process.

/// While it lives, memory is given by small pages. The system clears a page when it is first touched;
/// huge ones suit the stages that fill them, but what writes a little here and there, from several
/// threads, would have tens of megabytes cleared for nothing.
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
    use super::{SmallPages, off};

    #[test]
    fn the_state_before_comes_back() {
        let before = off();
        let outer = SmallPages::begin();
        let inner = SmallPages::begin();
        drop(inner);
        assert!(off());
        drop(outer);
        assert_eq!(off(), before);
    }
}
