//! `cm cache`: looking at the cache directory as a whole.

use crate::error::Error;
use camino::Utf8Path;
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::Metadata,
    time::{SystemTime, UNIX_EPOCH},
};

/// Deletes the cache directory. `false`: there was none.
///
/// Refuses to delete a directory that is not a cache: one without `CACHEDIR.TAG`.
pub fn clean(dir: &Utf8Path) -> Result<bool, Error> {
    if !dir.exists() {
        return Ok(false);
    }
    let empty = dir.read_dir_utf8().map_err(|e| Error::open(dir, &e))?.next().is_none();
    if !empty && !dir.join("CACHEDIR.TAG").exists() {
        return Err(format!("{dir} is not a Cm cache (it has no CACHEDIR.TAG); not deleted").into());
    }
    std::fs::remove_dir_all(dir).map_err(|e| format!("cannot delete {dir}: {e}"))?;
    Ok(true)
}

#[derive(Default)]
struct Kind {
    entries: u64,
    bytes: u64,
}

/// A table of what is in the cache.
pub fn stats(dir: &Utf8Path) -> Result<String, Error> {
    if !dir.exists() {
        return Ok(format!("there is no cache at {dir}\n"));
    }
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let mut times: Option<(SystemTime, SystemTime)> = None;
    walk(dir, &mut |path, meta| {
        let relative = path.strip_prefix(dir).unwrap_or(path);
        let mut parts = relative.components();
        let name = parts.next().map_or(String::new(), |part| part.to_string());
        if parts.next().is_none() {
            return;
        }
        let kind = kinds.entry(name).or_default();
        kind.entries += 1;
        kind.bytes += meta.len();
        if let Ok(time) = meta.modified() {
            times = Some(times.map_or((time, time), |(old, new)| (old.min(time), new.max(time))));
        }
    });
    let total: u64 = kinds.values().map(|kind| kind.bytes).sum();
    let entries: u64 = kinds.values().map(|kind| kind.entries).sum();
    let mut out =
        format!("directory: {dir}\nentries: {entries}\nsize: {} KB\n", total.div_ceil(1024));
    for (name, kind) in &kinds {
        writeln!(out, "  {name}: {} entries, {} KB", kind.entries, kind.bytes.div_ceil(1024))
            .expect("writing to a string cannot fail");
    }
    if let Some((oldest, newest)) = times {
        writeln!(out, "oldest: {}\nnewest: {}", ago(oldest), ago(newest))
            .expect("writing to a string cannot fail");
    }
    Ok(out)
}

fn ago(time: SystemTime) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.saturating_sub(time).as_secs();
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

/// Visits every file below a directory; what cannot be read is skipped.
fn walk(dir: &Utf8Path, visit: &mut dyn FnMut(&Utf8Path, &Metadata)) {
    let Ok(entries) = dir.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => walk(entry.path(), visit),
            Ok(meta) => visit(entry.path(), &meta),
            Err(_) => {}
        }
    }
}
