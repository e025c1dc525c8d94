//! The file of the index, and its lock.

use crate::{
    Error,
    home::{Home, is_absent},
    place::{self, Found, look},
    sync,
};
use std::{
    cell::Cell,
    fs::{File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The index of a store, open.
#[derive(Debug)]
pub(crate) struct IndexFile {
    pub file: File,
    /// It may be changed.
    pub writable: bool,
    path: PathBuf,
    /// Device and number, to see whether it is the one at its path.
    identity: (u64, u64),
    /// The last time that it was to be locked, somebody else had it all the time.
    in_vain: Cell<bool>,
}

/// Unlocks.
pub(crate) struct Guard<'f>(&'f File);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// So long another process may take over what it does with the index. It takes microseconds, or a
/// second if everything must be made anew; only one that has been stopped takes longer.
const PATIENCE: Duration =
    if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(5) };
/// The same when that was in vain: a build takes tens of steps, and does without the store.
const LITTLE: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_millis(20) };

impl IndexFile {
    /// Opens the index. `None`: there is none, and `create` does not ask for one.
    pub fn open(home: &Home, create: bool, read_only: bool) -> Result<Option<IndexFile>, Error> {
        let path = home.index();
        if !home.admit_dirs(!read_only) {
            return Ok(None);
        }
        match place::open_file(&path, !read_only, home.owners()) {
            Ok(file) => return Ok(Some(IndexFile::new(file, path, !read_only)?)),
            Err(error) if is_refused(&error) => {
                return match place::open_file(&path, false, home.owners()) {
                    Ok(file) => Ok(Some(IndexFile::new(file, path, false)?)),
                    Err(_) if !create => Ok(None),
                    Err(_) => Err(Error::io("open", path)(error)),
                };
            }
            Err(_) if read_only => return Ok(None),
            Err(error) if is_absent(&error) => {
                // Segments without an index are as good as with one.
                if !create && look(&home.segments()) != Found::Dir {
                    return Ok(None);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => home.quarantine(&path),
            Err(error) => match look(&path) {
                Found::Dir | Found::Other => home.quarantine(&path),
                Found::File(_) | Found::Nothing | Found::Hidden => {
                    return Err(Error::io("open", path)(error));
                }
            },
        }
        let created = home.create().and_then(|()| {
            place::open_or_create_file(&path).map_err(Error::io("create", path.clone()))
        });
        match created {
            Ok(file) => Ok(Some(IndexFile::new(file, path, true)?)),
            Err(_) if !create => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new(file: File, path: PathBuf, writable: bool) -> Result<IndexFile, Error> {
        let meta = file.metadata().map_err(Error::io("look at", &path))?;
        Ok(IndexFile {
            file,
            writable,
            path,
            identity: (meta.dev(), meta.ino()),
            in_vain: Cell::new(false),
        })
    }

    /// Its length if it still is the index: somebody may have deleted the store, or made it anew.
    pub fn current_len(&self) -> Option<u64> {
        let meta = self.path.symlink_metadata().ok()?;
        ((meta.dev(), meta.ino()) == self.identity).then_some(meta.len())
    }

    /// So long it waits for others.
    fn patience(&self) -> Duration {
        if self.in_vain.get() { LITTLE } else { PATIENCE }
    }

    /// Waits for other processes. Those that only read do not wait for each other.
    pub fn lock(&self) -> Result<Guard<'_>, Error> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(5);
        loop {
            sync::step();
            let tried =
                if self.writable { self.file.try_lock() } else { self.file.try_lock_shared() };
            match tried {
                Ok(()) => {
                    self.in_vain.set(false);
                    return Ok(Guard(&self.file));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io("lock", &self.path)(error));
                }
                Err(TryLockError::WouldBlock) if start.elapsed() > self.patience() => {
                    self.in_vain.set(true);
                    let error = io::Error::from(io::ErrorKind::TimedOut);
                    return Err(Error::io("lock", &self.path)(error));
                }
                Err(TryLockError::WouldBlock) => {
                    sync::pause(pause);
                    pause = (2 * pause).min(Duration::from_millis(1));
                }
            }
        }
    }
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::{IndexFile, LITTLE, PATIENCE};
    use crate::home::Home;

    /// Otherwise a process that is stopped at the wrong moment would cost others minutes.
    #[test]
    fn who_has_waited_in_vain_waits_no_more() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Home::new(dir.path().join("store"), 1 << 30);
        let open = || IndexFile::open(&home, true, false).expect("opened").expect("made");
        let (ours, theirs) = (open(), open());
        assert_eq!(ours.patience(), PATIENCE);
        let held = theirs.lock().expect("nobody has it");
        for _ in 0..3 {
            assert!(ours.lock().is_err());
            assert_eq!(ours.patience(), LITTLE);
        }
        drop(held);
        drop(ours.lock().expect("nobody has it"));
        assert_eq!(ours.patience(), PATIENCE);
    }
}
