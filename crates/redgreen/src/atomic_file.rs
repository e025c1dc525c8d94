//! Replacing files.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};
use tempfile::NamedTempFile;

/// Parts that are smaller are written together.
const BUFFER: usize = 64 << 10;

/// Replaces a file as a whole, with these parts, and makes its directory if there is none: who has the old
/// one mapped keeps it, and nobody sees half of the new one. It is not written to the disk at once, so that
/// it may be empty after a loss of power: it is for what can be made again and is looked at closely when it
/// is read.
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Path, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let file = write(path, parts).or_else(|error| match path.parent() {
        Some(directory) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(directory)?;
            write(path, parts)
        }
        _ => Err(error),
    })?;
    put(file, path)
}

/// The same for a file that may be executed, in a directory that is there.
///
/// # Errors
/// If it cannot be written.
pub fn replace_executable(path: &Path, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let file = write(path, parts)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
    }
    put(file, path)
}

/// Writes a file beside a path.
fn write(path: &Path, parts: &[impl AsRef<[u8]>]) -> io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(directory)?;
    let mut out = BufWriter::with_capacity(BUFFER, &mut file);
    parts.iter().try_for_each(|part| out.write_all(part.as_ref()))?;
    out.flush()?;
    drop(out);
    Ok(file)
}

/// Puts a file in the place of what is at a path.
fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    let old = path.symlink_metadata().map(|old| old.file_type());
    if old.as_ref().is_ok_and(fs::FileType::is_file) && exchange(file.path(), path) {
        // The name is that of the old one now, which goes.
        return Ok(());
    }
    if old.is_ok_and(|old| old.is_dir()) {
        // Nobody keeps anything there; one that is not empty stays, and is an error.
        fs::remove_dir(path)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Exchanges what two names stand for. `false`: it cannot be done.
///
/// Where a file is renamed to the name of another, ext4 writes it to the disk at once, in case nobody
/// else sees to it (`auto_da_alloc` in ext4(5)): some milliseconds for a megabyte.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::{replace, replace_executable};
    use std::fs;

    #[test]
    fn whatever_is_there_is_replaced_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/file");
        for text in ["first", "second", ""] {
            replace(&path, &[text]).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mapped = fs::File::open(&path).unwrap();
        replace_executable(&path, &["a", "b"]).unwrap();
        assert_eq!(mapped.metadata().unwrap().len(), 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "ab");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        replace(&path, &["in place of a directory"]).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1);
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(replace(&path, &["no"]).is_err());
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_replaced_and_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        replace_executable(&link, &["new"]).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        let meta = link.symlink_metadata().unwrap();
        assert!(meta.is_file() && meta.permissions().mode() & 0o777 == 0o755);
    }
}
