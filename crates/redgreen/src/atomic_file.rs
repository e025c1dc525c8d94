//! Replacing files.

use std::{io, io::Write, path::Path};

/// Replaces a file as a whole, with these parts: who has the old one mapped keeps it, and nobody sees
/// half of the new one.
pub(crate) fn replace(path: &Path, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    parts.iter().try_for_each(|part| file.write_all(part.as_ref()))?;
    if path.is_dir() {
        // Nobody keeps anything there; one that is not empty stays, and is an error.
        std::fs::remove_dir(path)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
