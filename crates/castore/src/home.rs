//! The directory of a store, where anything may lie in the way.

use crate::{
    Error,
    place::{self, Found, Owners, create_private_dir, look},
};
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// <https://bford.info/cachedir/>
const CACHEDIR_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a cache. It can be deleted at any time.\n";

/// In the order in which they lie in each other.
const DIRS: [&str; 3] = ["cas", "cas/segments", "cas/holds"];

/// As many things are kept in quarantine, and as much of each: it must not grow.
const QUARANTINED: usize = 16;
const QUARANTINED_LEN: u64 = 1 << 16;

/// Names of files, and the care for directories.
#[derive(Debug)]
pub(crate) struct Home {
    root: PathBuf,
    /// What is bad is deleted: there is no room to keep it.
    discards: bool,
    owners: OnceLock<Owners>,
    /// How many things were moved away.
    moved: AtomicU64,
}

impl Home {
    pub fn new(root: PathBuf, max_size: u64) -> Home {
        let most = QUARANTINED as u64 * QUARANTINED_LEN;
        Home {
            root,
            discards: max_size < 64 * most,
            owners: OnceLock::new(),
            moved: AtomicU64::new(0),
        }
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn index(&self) -> PathBuf {
        self.root.join("cas/index")
    }
    pub fn segments(&self) -> PathBuf {
        self.root.join("cas/segments")
    }
    pub fn segment(&self, id: u32) -> PathBuf {
        self.segments().join(format!("{id:08x}"))
    }
    pub fn hold(&self, number: usize) -> PathBuf {
        self.root.join(format!("cas/holds/{number:02}"))
    }

    /// Who may own the files. Asked for when there is one, so there is a directory.
    pub fn owners(&self) -> &Owners {
        self.owners.get_or_init(|| Owners::of(&self.root.join("cas")))
    }

    /// The numbers of all files of segments, ascending. What else lies there is moved away.
    pub fn segment_ids(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(self.segments()) else { return Vec::new() };
        let mut ids = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| u32::from_str_radix(name, 16).ok());
            let is_file = matches!(look(&entry.path()), Found::File(_));
            match id.filter(|id| is_file && *id < 1 << 31 && entry.path() == self.segment(*id)) {
                Some(id) => ids.push(id),
                None => self.quarantine(&entry.path()),
            }
        }
        ids.sort_unstable();
        ids
    }

    /// Sees to it that all directories are there.
    pub fn create(&self) -> Result<(), Error> {
        self.create_root()?;
        self.admit_dirs(true);
        DIRS.iter().map(|dir| self.root.join(dir)).try_for_each(|dir| match look(&dir) {
            Found::Dir => Ok(()),
            _ => create_private_dir(&dir, false).map_err(Error::io("create", &dir)),
        })
    }

    /// Whether none of the directories is anything else: a link would lead out of the store. What is is
    /// replaced, if anything may be.
    pub fn admit_dirs(&self, mends: bool) -> bool {
        DIRS.iter().map(|dir| self.root.join(dir)).all(|dir| self.admit_dir(&dir, mends))
    }

    /// The same of one.
    pub fn admit_dir(&self, dir: &Path, mends: bool) -> bool {
        let found = look(dir);
        let sound = matches!(found, Found::Dir | Found::Nothing);
        if !sound && mends && found != Found::Hidden {
            self.quarantine(dir);
            // Who cannot create it finds nothing there.
            let _ = create_private_dir(dir, false);
        }
        sound || mends
    }

    /// The root may be a link to a directory; anything else in its place belongs to someone else.
    fn create_root(&self) -> Result<(), Error> {
        match self.root.metadata() {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(Error::NotADirectory(self.root.clone())),
            Err(_) => {
                create_private_dir(&self.root, true).map_err(Error::io("create", &self.root))?;
            }
        }
        let tag = self.root.join("CACHEDIR.TAG");
        if look(&tag) == Found::Nothing {
            fs::write(&tag, CACHEDIR_TAG).map_err(Error::io("write", &tag))?;
        }
        Ok(())
    }

    /// Deletes all that is the store's. What cannot be deleted does no harm.
    pub fn delete(&self) {
        // The index first: whoever waits for its lock sees that it is gone.
        let _ = fs::remove_file(self.index());
        for dir in ["cas", "quarantine"] {
            let _ = fs::remove_dir_all(self.root.join(dir));
        }
        let _ = fs::remove_file(self.root.join("CACHEDIR.TAG"));
        // Files of others may be there.
        let _ = fs::remove_dir(&self.root);
    }

    /// How many things were moved away so far.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Counts damage to what is made anew where it is, if it is any.
    pub fn note_damage(&self, is_any: bool) {
        self.moved.fetch_add(u64::from(is_any), Ordering::Relaxed);
    }

    /// Moves away what lies at `path`. That it may fail is no matter: whoever comes there again
    /// finds it bad again.
    pub fn quarantine(&self, path: &Path) {
        self.moved.fetch_add(1, Ordering::Relaxed);
        if let Found::File(len) = look(path)
            && len > QUARANTINED_LEN
        {
            // It is not made shorter: somebody may have it mapped.
            let mut start = Vec::new();
            let _ = place::open_any_file(path)
                .and_then(|file| file.take(QUARANTINED_LEN).read_to_end(&mut start));
            self.quarantine_bytes(&path.file_name().unwrap_or_default().to_string_lossy(), &start);
        } else if !self.discards
            && let Some(place) = self.quarantine_place(path)
            && fs::rename(path, &place).is_ok()
        {
            return;
        }
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
    }

    /// Keeps some of what was found where an entry should be.
    pub fn quarantine_bytes(&self, name: &str, bytes: &[u8]) {
        if !self.discards
            && let Some(place) = self.quarantine_place(Path::new(name))
        {
            let _ = fs::write(place, &bytes[..bytes.len().min(QUARANTINED_LEN as usize)]);
        }
    }

    /// A name that is free, in a directory of its own, so that it is unique among all processes.
    fn quarantine_place(&self, path: &Path) -> Option<PathBuf> {
        let dir = self.root.join("quarantine");
        if look(&dir) != Found::Dir {
            create_private_dir(&dir, false).ok()?;
        }
        let mut cells: Vec<_> = fs::read_dir(&dir).ok()?.flatten().collect();
        cells.sort_by_key(|cell| cell.metadata().and_then(|meta| meta.modified()).ok());
        for cell in cells.iter().rev().skip(QUARANTINED - 1) {
            let _ = fs::remove_dir_all(cell.path()).or_else(|_| fs::remove_file(cell.path()));
        }
        let prefix = format!("{}-", path.file_name()?.to_string_lossy());
        let cell = tempfile::Builder::new().prefix(&prefix).tempdir_in(&dir).ok()?;
        Some(cell.keep().join("entry"))
    }
}

/// Whether a file that could not be opened is simply not there.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
