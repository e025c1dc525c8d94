//! The door to the file system. Queries never touch it: files enter the database as inputs.

use camino::{Utf8Path, Utf8PathBuf};
use parking_lot::RwLock;
use std::{collections::BTreeMap, io, sync::Arc};

/// Contents of a file as the compiler sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum FileText {
    /// There is no file of this name (nor can one be read there because it is a directory).
    Absent,
    /// UTF-8 text.
    Text(Arc<str>),
    /// It exists but cannot be used: permission denied, not UTF-8, too large. Says why.
    Unreadable(Arc<str>),
}

impl FileText {
    /// The contents of a file that holds these bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> FileText {
        if bytes.len() > u32::MAX as usize / 2 {
            return FileText::Unreadable("the file is too large".into());
        }
        match String::from_utf8(bytes) {
            Ok(text) => FileText::Text(text.into()),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                FileText::Unreadable(format!("it is not valid UTF-8 (byte {at})").into())
            }
        }
    }
}

/// What tells whether a file may have changed without reading it. All zero: no such file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime: u64,
    /// Change time in nanoseconds since 1970.
    pub ctime: u64,
    /// File number.
    pub inode: u64,
}

impl Stamp {
    /// There may be such a file, but nothing can be known of it.
    pub const UNKNOWN: Stamp =
        Stamp { size: u64::MAX, mtime: u64::MAX, ctime: u64::MAX, inode: u64::MAX };
}

/// What one look at a path tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Of the file that it leads to.
    pub stamp: Stamp,
    /// It is a symbolic link.
    pub is_link: bool,
}

/// Reads files. Paths are absolute or relative to the working directory.
pub trait System: Send + Sync {
    /// The stamp of a file; all zero if there is none, or a directory. [`Stamp::UNKNOWN`], which is
    /// never settled, if that cannot be found out: who takes it for absent would take another file.
    fn stamp(&self, path: &Utf8Path) -> Stamp;
    /// Whether a stamp just taken is sure to differ from that of any later state of the file. It is
    /// not while the file may be modified once more in the same tick of the file system's clock.
    fn is_settled(&self, _: &Stamp) -> bool {
        true
    }
    /// The text of a file.
    fn read(&self, path: &Utf8Path) -> FileText;
    /// Names of the `.cm` files at any depth under a directory, relative to it, sorted.
    /// `None`: there is no such directory.
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>>;
    /// The path with symbolic links and `..` resolved, if it exists.
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf>;
    /// Whether a path is a symbolic link.
    fn is_link(&self, _: &Utf8Path) -> bool {
        false
    }
    /// Stamp and kind together.
    fn look(&self, path: &Utf8Path) -> Look {
        Look { stamp: self.stamp(path), is_link: self.is_link(path) }
    }
}

/// The file system of the operating system.
#[derive(Clone, Copy, Default, Debug)]
pub struct OsSystem;

/// Longer than the ticks of the clocks of the usual file systems, in nanoseconds.
const TICK: u64 = 20_000_000;

impl System for OsSystem {
    fn is_settled(&self, stamp: &Stamp) -> bool {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos() as u64);
        stamp.mtime.max(stamp.ctime).saturating_add(TICK) < now
    }
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        stamp_of(std::fs::metadata(path))
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if absent(&error) => return FileText::Absent,
            Err(error) => return FileText::Unreadable(error.to_string().into()),
        };
        FileText::from_bytes(bytes)
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        fn walk(root: &Utf8Path, dir: &Utf8Path, out: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
            for entry in dir.read_dir_utf8()? {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    walk(root, path, out)?;
                } else if path.extension() == Some("cm")
                    && let Ok(relative) = path.strip_prefix(root)
                {
                    out.push(relative.to_owned());
                }
            }
            Ok(())
        }
        let mut files = Vec::new();
        walk(path, path, &mut files).ok()?;
        files.sort();
        Some(files)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        path.canonicalize_utf8().ok()
    }

    fn is_link(&self, path: &Utf8Path) -> bool {
        path.is_symlink()
    }
    fn look(&self, path: &Utf8Path) -> Look {
        // Most files are no links, and one system call says all of them.
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.is_symlink() => Look { stamp: self.stamp(path), is_link: true },
            found => Look { stamp: stamp_of(found), is_link: false },
        }
    }
}

fn stamp_of(found: io::Result<std::fs::Metadata>) -> Stamp {
    let meta = match found {
        Ok(meta) if !meta.is_dir() => meta,
        Err(error) if !absent(&error) => return Stamp::UNKNOWN,
        _ => return Stamp::default(),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let nanos = |secs: i64, nanos: i64| (secs as u64) * 1_000_000_000 + nanos as u64;
        Stamp {
            size: meta.size(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }
    #[cfg(not(unix))]
    {
        let mtime = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let mtime = mtime.map_or(0, |t| t.as_nanos() as u64);
        Stamp { size: meta.len(), mtime, ctime: 0, inode: 1 }
    }
}

fn absent(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    // No file has a name that is too long, or has a zero in it.
    let nameless = matches!(error.kind(), InvalidFilename | InvalidInput);
    nameless || matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

/// The tick of the last write, and the text.
type MemoryFiles = BTreeMap<Utf8PathBuf, (u64, Arc<str>)>;

/// Files in memory, for tests. Clones share the files.
#[derive(Clone, Default)]
pub struct MemorySystem {
    files: Arc<RwLock<MemoryFiles>>,
    clock: Arc<std::sync::atomic::AtomicU64>,
}

impl MemorySystem {
    /// Creates or replaces a file.
    pub fn write(&self, path: impl Into<Utf8PathBuf>, text: &str) {
        let tick = 1 + self.clock.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.files.write().insert(path.into(), (tick, text.into()));
    }
    /// Deletes a file; does nothing if there is none.
    pub fn remove(&self, path: &Utf8Path) {
        self.files.write().remove(path);
    }
    /// All files with their texts, by path.
    pub fn files(&self) -> Vec<(Utf8PathBuf, Arc<str>)> {
        self.files.read().iter().map(|(path, (_, text))| (path.clone(), text.clone())).collect()
    }
}

impl System for MemorySystem {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        self.files.read().get(path).map_or(Stamp::default(), |(tick, text)| Stamp {
            size: text.len() as u64,
            mtime: *tick,
            ctime: *tick,
            inode: 1,
        })
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        let files = self.files.read();
        files.get(path).map_or(FileText::Absent, |(_, text)| FileText::Text(text.clone()))
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        let files = self.files.read();
        let below = files.keys().filter_map(|file| file.strip_prefix(path).ok());
        let list: Vec<_> =
            below.filter(|file| file.extension() == Some("cm")).map(ToOwned::to_owned).collect();
        (!list.is_empty()).then_some(list)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        self.files.read().contains_key(path).then(|| path.to_owned())
    }
}
