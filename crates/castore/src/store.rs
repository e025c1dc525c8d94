//! The store.

use crate::{
    Digest, Error, Hasher,
    place::{Found, create_private_dir, look, open_file},
    record,
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// <https://bford.info/cachedir/>
const CACHEDIR_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a cache. It can be deleted at any time.\n";

/// No blob is larger; a larger file in place of one is not read.
const MAX_BLOB: u64 = 1 << 32;

/// A directory of blobs and records. See the crate's documentation.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Directories that this store has seen to; should one have gone since, a write fails and
    /// sees to it anew.
    dirs: RwLock<BTreeSet<PathBuf>>,
    hits: AtomicU64,
    misses: AtomicU64,
    written: AtomicU64,
    quarantined: AtomicU64,
}

/// What happened through one [`Store`] since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Blobs and records that were found and sound.
    pub hits: u64,
    /// Blobs and records that were not found, or not sound.
    pub misses: u64,
    /// Blobs and records written.
    pub written: u64,
    /// Entries that were found to be bad.
    pub quarantined: u64,
}

/// Why an entry could not be read.
enum Unread {
    Absent,
    Bad,
}

impl Store {
    /// A store in the directory `root`. Touches nothing: the directory is created by the first write.
    pub fn open(root: impl Into<PathBuf>) -> Store {
        Store {
            root: root.into(),
            dirs: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            written: AtomicU64::new(0),
            quarantined: AtomicU64::new(0),
        }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            quarantined: self.quarantined.load(Ordering::Relaxed),
        }
    }

    /// Keeps `bytes` and returns their digest. Writes nothing if there already is a file of that
    /// name and length; should its contents be bad, the next read finds out.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        if look(&path) != Found::File(bytes.len() as u64) {
            self.write(&path, bytes)?;
        }
        Ok(digest)
    }

    /// The bytes of that digest, if the store has them.
    pub fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.blob_path(digest);
        let bytes = read_file(&path, MAX_BLOB);
        self.sound(&path, bytes, |bytes| (Digest::of(&bytes) == *digest).then_some(bytes))
    }

    /// The file that holds the bytes of that digest, for programs that want a file name, such as
    /// linkers. The contents were verified just now. The file must not be written to.
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.blob_path(digest);
        let found = hash_file(&path);
        self.sound(&path, found, |found| (found == *digest).then(|| path.clone()))
    }

    /// The same without verification, for bytes that this process has just put.
    pub fn fresh_path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.blob_path(digest);
        matches!(look(&path), Found::File(_)).then_some(path)
    }

    /// Whether there is a file for that digest. It has not been verified.
    pub fn contains(&self, digest: &Digest) -> bool {
        matches!(look(&self.blob_path(digest)), Found::File(_))
    }

    /// Records that `key` stands for `values`, among the records called `name`; replaces what it
    /// stood for before. The values need not be in the store.
    pub fn bind(&self, name: &str, key: &[u8], values: &[Digest]) -> Result<(), Error> {
        let key = Digest::of(key);
        let path = self.record_path(name, &key).ok_or_else(|| Error::BadName(name.to_owned()))?;
        self.write(&path, &record::encode(&key, values))
    }

    /// What `key` was bound to, among the records called `name`.
    pub fn lookup(&self, name: &str, key: &[u8]) -> Option<Vec<Digest>> {
        let key = Digest::of(key);
        let path = self.record_path(name, &key)?;
        let bytes = read_file(&path, record::MAX_LEN);
        self.sound(&path, bytes, |bytes| record::decode(&key, &bytes))
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        fan_out(self.root.join("cas"), digest)
    }

    fn record_path(&self, name: &str, key: &Digest) -> Option<PathBuf> {
        let plain = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let good = !name.is_empty() && name.bytes().all(plain);
        good.then(|| fan_out(self.root.join("refs").join(name), key))
    }

    /// Counts a read and moves a bad entry away. `check` gives what to return if the entry is sound.
    fn sound<T, R>(
        &self,
        path: &Path,
        read: Result<T, Unread>,
        check: impl FnOnce(T) -> Option<R>,
    ) -> Option<R> {
        let result = match read {
            Ok(found) => check(found).ok_or(Unread::Bad),
            Err(unread) => Err(unread),
        };
        match result {
            Ok(value) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Some(value)
            }
            Err(unread) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                if matches!(unread, Unread::Bad) {
                    self.quarantine(path);
                }
                None
            }
        }
    }

    /// Makes `bytes` the contents of `path`, for other processes at once or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let written = self.try_write(path, bytes).or_else(|_| {
            // A directory has gone, or something else lies there.
            self.dirs.write().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
            if !matches!(look(path), Found::File(_) | Found::Nothing) {
                self.quarantine(path);
            }
            self.try_write(path, bytes)
        });
        self.written.fetch_add(u64::from(written.is_ok()), Ordering::Relaxed);
        written
    }

    fn try_write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let dir = path.parent().expect("invariant: entries lie below the root");
        self.ensure_dir_once(dir)?;
        let tmp = self.root.join("tmp");
        self.ensure_dir_once(&tmp)?;
        let mut file = tempfile::NamedTempFile::new_in(&tmp)
            .map_err(Error::io("create a temporary file in", &tmp))?;
        file.write_all(bytes).map_err(Error::io("write", file.path()))?;
        file.persist(path).map_err(|error| Error::io("replace", path)(error.error))?;
        Ok(())
    }

    fn ensure_dir_once(&self, dir: &Path) -> Result<(), Error> {
        if self.dirs.read().unwrap_or_else(|poisoned| poisoned.into_inner()).contains(dir) {
            return Ok(());
        }
        self.ensure_dir(dir)?;
        let mut dirs = self.dirs.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        dirs.insert(dir.to_owned());
        Ok(())
    }

    /// Sees to it that `dir`, which lies below the root, and the directories between are real
    /// directories. What else lies there is moved away: a link could lead out of the store.
    fn ensure_dir(&self, dir: &Path) -> Result<(), Error> {
        if dir == self.root {
            return self.ensure_root();
        }
        self.ensure_dir(dir.parent().expect("invariant: only directories below the root"))?;
        match look(dir) {
            Found::Dir => return Ok(()),
            Found::Nothing => {}
            Found::File(_) | Found::Other => self.quarantine(dir),
        }
        create_private_dir(dir, false).map_err(Error::io("create", dir))
    }

    /// The root may be a link to a directory; anything else in its place belongs to someone else.
    fn ensure_root(&self) -> Result<(), Error> {
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

    /// Moves away what lies at `path`. That it may fail is no matter: whoever reads the entry again
    /// finds it bad again.
    fn quarantine(&self, path: &Path) {
        self.quarantined.fetch_add(1, Ordering::Relaxed);
        let dir = self.root.join("quarantine");
        if look(&dir) != Found::Dir && create_private_dir(&dir, false).is_err() {
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A fresh directory makes the name unique among all processes.
        let prefix = format!("{name}-");
        if let Ok(cell) = tempfile::Builder::new().prefix(&prefix).tempdir_in(&dir)
            && fs::rename(path, cell.path().join("entry")).is_ok()
        {
            let _kept: PathBuf = cell.keep();
        }
    }
}

/// `dir/a/bcdef…`: few directories, since making one costs as much as making several files, and
/// file systems of today find a name among a hundred thousand as fast as among ten.
fn fan_out(dir: PathBuf, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    let (first, rest) = name.split_at(1);
    dir.join(first).join(rest)
}

/// All bytes of a regular file of at most `max` bytes.
fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, Unread> {
    let (file, len) = open(path, max)?;
    let mut bytes = Vec::new();
    // The reservation can fail, the limit keeps a file that grows from growing here.
    bytes.try_reserve_exact(len as usize).map_err(|_| Unread::Bad)?;
    file.take(len).read_to_end(&mut bytes).map_err(|_| Unread::Bad)?;
    Ok(bytes)
}

/// The digest of a regular file.
fn hash_file(path: &Path) -> Result<Digest, Unread> {
    let mut file = open(path, MAX_BLOB)?.0;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(len) => hasher.update(&buffer[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Unread::Bad),
        }
    }
}

/// A regular file of at most `max` bytes, and how many they are.
fn open(path: &Path, max: u64) -> Result<(File, u64), Unread> {
    let (file, len) = open_file(path).map_err(|error| match (error.kind(), look(path)) {
        (io::ErrorKind::PermissionDenied, Found::File(_)) => Unread::Bad,
        // A good file that cannot be opened now (too many are open, say), or none at all. A file
        // in place of a directory further up is dealt with by the next write.
        (_, Found::File(_) | Found::Nothing) => Unread::Absent,
        (io::ErrorKind::NotADirectory, _) => Unread::Absent,
        _ => Unread::Bad,
    })?;
    if len > max { Err(Unread::Bad) } else { Ok((file, len)) }
}
