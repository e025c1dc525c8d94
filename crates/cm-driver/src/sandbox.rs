//! Where the kernel has Landlock, the threads that work for the back end may write nothing but the
//! cache: what LLVM makes of a program, it can say by bytes alone. Threads of the pool are
//! restricted, one by one, before they compile; the thread that began everything writes the
//! executable and starts linkers, and is not.

use crate::CacheSettings;
use camino::{Utf8Path, Utf8PathBuf};
use cm_backend_api::{Backend, BackendError, Target, TextKind};
use std::{cell::Cell, fs::DirBuilder, os::unix::fs::DirBuilderExt as _, sync::OnceLock};

/// What may be written to; unset: anything.
static WRITABLE: OnceLock<Vec<Utf8PathBuf>> = OnceLock::new();

thread_local! {
    static IS_RESTRICTED: Cell<bool> = const { Cell::new(false) };
}

/// From now on the back end may write nothing but this cache. It is for a process that works on one
/// cache alone: what a thread may no longer do it may never do again.
pub fn restrict_to(cache: Option<&CacheSettings>) {
    let cache = cache.filter(|cache| !cache.read_only);
    let directories = |cache: &CacheSettings| {
        let shared = cache.shared.iter();
        [&cache.dir].into_iter().chain(shared).cloned().collect()
    };
    // One who asks again gets what there is.
    let _ = WRITABLE.set(cache.map(directories).unwrap_or_default());
}

/// Works on a thread of the pool that is restricted, if any is to be.
fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let Some(directories) = WRITABLE.get() else { return work() };
    let restricted = || {
        if !IS_RESTRICTED.replace(true) {
            for directory in directories {
                // It cannot be made later. What is made now will be used.
                let _ = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            }
            kernel::restrict(directories);
        }
        work()
    };
    // Outside of the pool, this goes there.
    if rayon::current_thread_index().is_some() {
        restricted()
    } else {
        rayon::scope(|_| restricted())
    }
}

/// A back end whose work is done in the sandbox.
pub struct Sandboxed(pub Box<dyn Backend>);

impl Backend for Sandboxed {
    fn identity(&self) -> String {
        self.0.identity()
    }
    fn bitcode(&self, unit: &[u8], target: &Target, level: u8) -> Result<Vec<u8>, BackendError> {
        inside(|| self.0.bitcode(unit, target, level))
    }
    fn both(
        &self,
        unit: &[u8],
        target: &Target,
        level: u8,
    ) -> Result<(Vec<u8>, Vec<u8>), BackendError> {
        inside(|| self.0.both(unit, target, level))
    }
    fn object(&self, bitcode: &[u8], target: &Target, level: u8) -> Result<Vec<u8>, BackendError> {
        inside(|| self.0.object(bitcode, target, level))
    }
    fn text(
        &self,
        bitcode: &[u8],
        target: &Target,
        level: u8,
        kind: TextKind,
    ) -> Result<String, BackendError> {
        inside(|| self.0.text(bitcode, target, level, kind))
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use super::{Utf8Path, Utf8PathBuf};
    use landlock::{
        ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, RulesetStatus,
    };

    /// Takes from this thread the right to write elsewhere. `false`: the kernel cannot, or not
    /// wholly; then it is left at that.
    pub fn restrict(directories: &[Utf8PathBuf]) -> bool {
        attempt(directories).is_ok_and(|status| status != RulesetStatus::NotEnforced)
    }

    fn attempt(directories: &[Utf8PathBuf]) -> Result<RulesetStatus, RulesetError> {
        // What later versions know of is used if the kernel knows of it as well.
        let writing = AccessFs::from_write(ABI::V5);
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(writing)?
            .create()?;
        for directory in
            directories.iter().map(Utf8PathBuf::as_path).chain([Utf8Path::new("/dev/null")])
        {
            // What is not there cannot be written to.
            let Ok(place) = PathFd::new(directory) else { continue };
            let allowed =
                if directory.is_dir() { writing } else { writing & AccessFs::from_file(ABI::V5) };
            rules = rules.add_rule(PathBeneath::new(place, allowed))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use super::Utf8PathBuf;

    pub fn restrict(_: &[Utf8PathBuf]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, thread};

    #[test]
    fn a_restricted_thread_writes_in_the_given_directories_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(dir.path()).expect("UTF-8").to_owned();
        let cache = root.join("cache");
        fs::create_dir_all(cache.join("a")).expect("created");
        fs::create_dir_all(cache.join("b")).expect("created");
        fs::write(root.join("there"), "1").expect("written");
        let allowed = vec![cache.clone()];
        let (place, inner) = (root.clone(), cache.clone());
        let worker = move || {
            if !kernel::restrict(&allowed) {
                // The kernel has no Landlock: nothing is forbidden.
                return fs::write(place.join("new"), "2").is_ok();
            }
            fs::write(inner.join("a/file"), "2").expect("the cache may be written");
            fs::rename(inner.join("a/file"), inner.join("b/file")).expect("and rearranged");
            fs::remove_file(inner.join("b/file")).expect("and cleaned");
            fs::write("/dev/null", "x").expect("nothing comes of it");
            assert_eq!(fs::read_to_string(place.join("there")).expect("it is read"), "1");
            fs::write(place.join("new"), "2").is_err()
                && fs::write(place.join("there"), "2").is_err()
                && fs::File::options().append(true).open(place.join("there")).is_err()
                && fs::remove_file(place.join("there")).is_err()
                && fs::create_dir(place.join("dir")).is_err()
                && fs::rename(place.join("there"), inner.join("there")).is_err()
        };
        assert!(thread::spawn(worker).join().expect("it does not panic"));
        fs::write(root.join("new"), "3").expect("other threads go on as before");
    }
}
