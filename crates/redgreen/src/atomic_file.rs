//! Replacing files.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

/// Parts that are smaller are written together.
const BUFFER: usize = 64 << 10;

/// Replaces a file as a whole, with these parts: who has the old one mapped keeps it, and nobody sees
/// half of the new one.
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Path, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    let mut out = BufWriter::with_capacity(BUFFER, &mut file);
    parts.iter().try_for_each(|part| out.write_all(part.as_ref()))?;
    out.flush()?;
    drop(out);
    if path.is_dir() {
        // Nobody keeps anything there; one that is not empty stays, and is an error.
        std::fs::remove_dir(path)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
