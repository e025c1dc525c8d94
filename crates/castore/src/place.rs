//! Files and directories at places where anything may lie: a directory where a file should be, a
//! symbolic link, a named pipe, nothing.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// What lies at a path, not following a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// A regular file of this many bytes.
    File(u64),
    /// A directory.
    Dir,
    /// A link, a device or a pipe.
    Other,
    /// Something that cannot be looked at, so it can be neither used nor damaged.
    Hidden,
    /// Nothing.
    Nothing,
}

/// What lies at `path`.
pub(crate) fn look(path: &Path) -> Found {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_file() => Found::File(meta.len()),
        Ok(meta) if meta.is_dir() => Found::Dir,
        Ok(_) => Found::Other,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(_) => Found::Hidden,
    }
}

/// Opens a regular file that belongs to one of some users and that nobody else can write. A link is
/// not followed and a pipe does not block. `InvalidData`: it is something else.
pub(crate) fn open_file(path: &Path, writable: bool, owners: &Owners) -> io::Result<File> {
    let file = options(OpenOptions::new().read(true).write(writable)).open(path)?;
    if !owners.own(&file.metadata()?) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file of this store"));
    }
    Ok(file)
}

/// Opens a file of anybody, for looking at. A link is not followed and a pipe does not block.
pub(crate) fn open_any_file(path: &Path) -> io::Result<File> {
    options(OpenOptions::new().read(true)).open(path)
}

/// Whose files are trusted: this user's, those of who owns the directory, and root's, who can do
/// everything anyway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owners([u32; 3]);

impl Owners {
    /// For the files in a directory, which nobody else can write from now on.
    pub fn of(dir: &Path) -> Owners {
        let us = rustix::process::geteuid().as_raw();
        let Ok(meta) = dir.symlink_metadata() else { return Owners([us, us, 0]) };
        if meta.is_dir() && meta.mode() & 0o022 != 0 {
            // What others have put there is found by its owner.
            let _ = fs::set_permissions(dir, Permissions::from_mode(0o700));
        }
        Owners([us, meta.uid(), 0])
    }

    fn has(&self, user: u32) -> bool {
        self.0.contains(&user)
    }

    /// Whether a file is a regular one of theirs that nobody else can write.
    pub fn own(&self, meta: &Metadata) -> bool {
        meta.is_file() && meta.mode() & 0o022 == 0 && self.has(meta.uid())
    }
}

/// Whether a file belongs to the user who runs this process.
pub(crate) fn is_own(meta: &Metadata) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw()
}

/// A new file for writing, in place of one that may be there.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    if look(path) != Found::Nothing {
        fs::remove_file(path)?;
    }
    options(OpenOptions::new().read(true).write(true).create_new(true)).open(path)
}

/// Opens a regular file for locking and writing, or creates it.
pub(crate) fn open_or_create_file(path: &Path) -> io::Result<File> {
    let mut all = OpenOptions::new();
    let file = options(all.read(true).write(true).create(true).truncate(false)).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

fn options(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).mode(0o600)
}

/// Creates a directory that its owner alone can use. Its parent must exist, unless `parents`.
pub(crate) fn create_private_dir(path: &Path, parents: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(parents);
    builder.mode(0o700);
    match builder.create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && look(path) == Found::Dir => {
            Ok(())
        }
        result => result,
    }
}
