//! Files and directories at places where anything may lie: a directory where a file should be, a
//! symbolic link, a named pipe, nothing.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// What lies at a path, not following a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// A regular file of this many bytes.
    File(u64),
    /// A directory.
    Dir,
    /// A link, a device, a pipe, or something that cannot be asked.
    Other,
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
        Err(_) => Found::Other,
    }
}

/// Opens a regular file, with its length. A link is not followed and a pipe does not block.
pub(crate) fn open_file(path: &Path, writable: bool) -> io::Result<(File, u64)> {
    let file = options(OpenOptions::new().read(true).write(writable)).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((file, meta.len()))
}

/// Opens a regular file for writing, or creates it; it is made empty.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    let file = open_or_create_file(path)?;
    file.set_len(0)?;
    Ok(file)
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
