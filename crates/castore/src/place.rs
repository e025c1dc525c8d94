//! Files and directories at places where anything may lie: a directory where a file should be, a
//! symbolic link, a named pipe, nothing.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
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

/// Opens a regular file for reading, with its length. A link is not followed and a pipe does not
/// block.
pub(crate) fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((file, meta.len()))
}

/// Creates a directory that its owner alone can use. Its parent must exist, unless `parents`.
pub(crate) fn create_private_dir(path: &Path, parents: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(parents);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && look(path) == Found::Dir => {
            Ok(())
        }
        result => result,
    }
}
