//! `cm cache`: looking at the cache directory, and keeping it small and sound.

use crate::{
    CacheSettings,
    beside::{self, Beside, FOLDERS, walk},
    commands,
    error::Error,
    keys::PublicKey,
    recompute::{Recomputed, recompute},
    views,
};
use camino::Utf8Path;
use castore::{Digest, EntryInfo, Latest, Store, Summary};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Deletes the cache directory. `false`: there was none.
///
/// # Errors
/// If it is not a cache, having no `CACHEDIR.TAG`, or cannot be deleted.
pub fn clean(dir: &Utf8Path) -> Result<bool, Error> {
    let is_cache = match is_cache(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other.map_err(|error| Error::open(dir, &error))?,
    };
    if !is_cache {
        return Err(format!("{dir} is not a Cm cache (it has no CACHEDIR.TAG); not deleted").into());
    }
    delete(dir).map_err(|error| format!("cannot delete {dir}: {error}"))?;
    Ok(true)
}

/// Whether a directory may be deleted. A build that ends after the cache was deleted leaves its graph,
/// or what it stored last, without a tag.
fn is_cache(dir: &Utf8Path) -> io::Result<bool> {
    let names: io::Result<Vec<_>> = dir.read_dir_utf8()?.collect();
    let names: Vec<_> = names?.iter().map(|entry| entry.file_name().to_owned()).collect();
    let ours = |name: &String| {
        let name = name.as_str();
        FOLDERS.contains(&name) || ["cas", "module_hash.json"].contains(&name)
    };
    let has = |name: &str| names.iter().any(|other| other == name);
    let is_remnant = (has("graph") || has("cas")) && names.iter().all(ours);
    Ok(names.is_empty() || has("CACHEDIR.TAG") || is_remnant)
}

/// Deletes the directory. Other processes may be at work there: it goes away as a whole, the store with
/// its index, and what they make after that stays.
fn delete(dir: &Utf8Path) -> io::Result<()> {
    static DELETIONS: AtomicU32 = AtomicU32::new(0);
    if dir.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        return remove_all(dir);
    }
    let prefix = format!("{}.deleted-", dir.file_name().unwrap_or("cache"));
    let unique = (std::process::id(), DELETIONS.fetch_add(1, Ordering::Relaxed));
    let deleted = dir.with_file_name(format!("{prefix}{}-{}", unique.0, unique.1));
    match fs::rename(dir, &deleted) {
        Ok(()) => {}
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // It may be a mount, or what it is in may not be changed.
        Err(_) => return remove_all(dir),
    }
    // Others of that name are of processes that were killed, or are being deleted anyway.
    let beside = dir.parent().filter(|parent| !parent.as_str().is_empty());
    for entry in beside.unwrap_or(Utf8Path::new(".")).read_dir_utf8()?.flatten() {
        if entry.file_name().starts_with(&prefix) {
            remove_all(entry.path())?;
        }
    }
    Ok(())
}

/// Deletes a directory, of which somebody else may delete some. Whoever was writing there as it got its
/// name goes on for a moment: then it is not empty when all that was in it is gone.
fn remove_all(dir: &Utf8Path) -> io::Result<()> {
    const TRIES: u32 = 100;
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tries < TRIES => {
                tries += 1;
                thread::sleep(Duration::from_millis(tries.into()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => return other,
        }
    }
}

fn check_writable(settings: &CacheSettings) -> Result<(), Error> {
    if settings.read_only {
        return Err("the cache is only read, by `read-only` in cm.toml".to_owned().into());
    }
    Ok(())
}

/// Removes the entries of some kinds from the store. Gives their number.
///
/// # Errors
/// If there is no such kind, or the store cannot be changed.
pub fn clean_kinds(settings: &CacheSettings, kinds: &[String]) -> Result<u64, Error> {
    check_writable(settings)?;
    let store = settings.store();
    let known = summary(&store)?.map(|summary| summary.usages).unwrap_or_default();
    let known: Vec<&str> = known.iter().map(|usage| usage.name.as_str()).collect();
    if let Some(kind) = kinds.iter().find(|kind| !known.contains(&kind.as_str())) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(format!("there are no entries of kind '{kind}'; there are: {known}").into());
    }
    let removed = store.remove(|entry| kinds.iter().any(|kind| kind == entry.name.as_str()));
    Ok(removed.map_err(|e| e.to_string())?)
}

/// Removes what the last build of no program has made or used: what piled up from edit to edit. Gives
/// the number of entries. A build that goes on meanwhile makes what it misses again.
///
/// # Errors
/// If the store cannot be changed.
fn remove_unused(settings: &CacheSettings, store: &Arc<Store>) -> Result<u64, castore::Error> {
    /// Results of tests, for example, are of use whenever the program is like that again.
    const MADE: [&str; 4] = ["mir", "unit_bitcode", "unit_object", "executable"];
    let kept = used(&Beside::new(settings, store.clone()));
    let is_used = |entry: &EntryInfo| match entry.is_blob {
        true => kept.contains(&entry.key),
        false => store
            .record(&entry.key)
            .is_some_and(|digests| digests.iter().all(|digest| kept.contains(digest))),
    };
    store.remove(|entry| MADE.contains(&entry.name.as_str()) && !is_used(entry))
}

/// What the files beside the store say of the last build of each program.
fn used(cache: &Beside) -> BTreeSet<Digest> {
    let mut used = views::digests(cache);
    walk(&cache.dir.join("graph"), &mut |path, meta| {
        used.extend(meta.is_file().then(|| commands::executable_of(path)).flatten());
    });
    used
}

/// Evicts what was used longest ago until the cache is no larger than a size, and what was not used
/// for a time, files of programs that were not built for that time among it; and what is `unused`, see
/// [`remove_unused`], if that is wanted.
///
/// # Errors
/// If the store cannot be changed.
pub fn gc(
    settings: &CacheSettings,
    max_size: Option<u64>,
    max_age: Option<Duration>,
    unused: bool,
) -> Result<String, Error> {
    check_writable(settings)?;
    let before = max_age.and_then(|age| SystemTime::now().checked_sub(age));
    let since = before.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let since = since.map_or(0, |since| since.as_nanos() as u64);
    let store = Arc::new(settings.store());
    // By itself: what the settings allow.
    let max_size = max_size.unwrap_or(settings.max_size);
    let mut files = beside::trim(&settings.dir, max_size);
    let swept = if unused { remove_unused(settings, &store) } else { Ok(0) };
    let evicted = swept.and_then(|swept| Ok(swept + store.evict_until(max_size, since)?));
    let evicted = evicted.map_err(|e| e.to_string())?;
    if let Some(before) = before {
        for folder in FOLDERS {
            walk(&settings.dir.join(folder), &mut |path, meta| {
                let old = meta.modified().is_ok_and(|time| time < before);
                files += u64::from(old && fs::remove_file(path).is_ok());
            });
        }
    }
    drop(store);
    // Where no store is small enough there is to be none, and what is beside it goes last.
    CacheSettings { max_size: max_size.min(settings.max_size), ..settings.clone() }.store().fit();
    let mut stored = 0;
    walk(&settings.dir.join("cas"), &mut |_, meta| stored += meta.len());
    files += beside::trim(&settings.dir, max_size.saturating_sub(stored));
    Ok(format!("removed {evicted} entries and {files} files\n"))
}

/// Reads everything, removes what is bad, makes some of it again if asked to, and says how much there
/// was, and whether all was good.
///
/// # Errors
/// If the store cannot be read.
pub fn verify(
    settings: &CacheSettings,
    percent: Option<u8>,
    as_json: bool,
) -> Result<(String, bool), Error> {
    let found = settings.store().verify().map_err(|e| e.to_string())?;
    let again = percent.map(|percent| recompute(settings, percent)).transpose()?;
    let sound = found.bad == 0 && again.is_none_or(|again| again.different == 0);
    if as_json {
        let mut value = json!({"good": found.good, "bytes": found.bytes, "bad": found.bad});
        if let Some(Recomputed { recomputed, different }) = again {
            value["recomputed"] = recomputed.into();
            value["different"] = different.into();
        }
        return Ok((format!("{value}\n"), sound));
    }
    let (good, kilobytes) = (found.good, found.bytes.div_ceil(1024));
    let mut text = format!("good: {good} entries, {kilobytes} KB\nbad, removed: {}\n", found.bad);
    if let Some(Recomputed { recomputed, different }) = again {
        line(&mut text, &format!("recomputed: {recomputed}\ndifferent, replaced: {different}"));
    }
    Ok((text, sound))
}

/// All entries, that used last first.
///
/// # Errors
/// If the store cannot be read.
pub fn list(settings: &CacheSettings, as_json: bool) -> Result<String, Error> {
    let mut out = String::new();
    for entry in settings.store().entries().map_err(|e| e.to_string())?.iter().rev() {
        if as_json {
            line(&mut out, &describe(entry).to_string());
        } else {
            let kind = if entry.is_blob { "blob" } else { "record" };
            let EntryInfo { key, name, bytes, .. } = entry;
            line(&mut out, &format!("{key} {kind:<6} {name:<16} {bytes:>10}  {}", ago(entry.used)));
        }
    }
    Ok(out)
}

/// The entry whose key begins so.
///
/// # Errors
/// If there is none or more than one.
pub fn show(settings: &CacheSettings, key: &str, as_json: bool) -> Result<String, Error> {
    let store = settings.store();
    let entries = store.entries().map_err(|e| e.to_string())?;
    let key = key.strip_prefix("blake3:").unwrap_or(key);
    let found: Vec<_> =
        entries.iter().filter(|entry| entry.key.to_string().starts_with(key)).collect();
    let entry = match found[..] {
        [entry] => entry,
        [] => return Err(format!("there is no entry {key}").into()),
        _ => return Err(format!("there are {} entries that begin with {key}", found.len()).into()),
    };
    let mut value = describe(entry);
    if !entry.is_blob {
        let digests = store.record(&entry.key).unwrap_or_default();
        let digests: Vec<String> = digests.iter().map(Digest::to_string).collect();
        value["digests"] = digests.into();
        if let Some((seal, trusted)) = store.seal(&entry.key) {
            value["signer"] = PublicKey { key: seal.signer, since: 0 }.to_string().into();
            value["epoch"] = seal.epoch.into();
            value["trusted"] = trusted.into();
        }
    }
    if as_json {
        return Ok(format!("{value}\n"));
    }
    let mut out = String::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => line(&mut out, &format!("{name}: {text}")),
            Value::Array(items) => items.iter().for_each(|item| {
                line(&mut out, &format!("{name}: {}", item.as_str().unwrap_or_default()));
            }),
            value => line(&mut out, &format!("{name}: {value}")),
        }
    }
    Ok(out)
}

fn describe(entry: &EntryInfo) -> Value {
    json!({
        "key": entry.key.to_string(),
        "type": if entry.is_blob { "blob" } else { "record" },
        "kind": entry.name.as_str(),
        "bytes": entry.bytes,
        "used": entry.used / 1_000_000_000,
    })
}

/// What is in a folder beside the store.
#[derive(Default)]
struct Folder {
    files: u64,
    bytes: u64,
}

/// What is in the cache.
///
/// # Errors
/// If the store cannot be read.
pub fn stats(settings: &CacheSettings, as_json: bool) -> Result<String, Error> {
    let dir = &settings.dir;
    if !dir.exists() {
        return Ok(match as_json {
            true => format!("{}\n", json!({"directory": dir.as_str(), "entries": 0, "bytes": 0})),
            false => format!("there is no cache at {dir}\n"),
        });
    }
    let summary = summary(&settings.store())?;
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for folder in FOLDERS {
        walk(&dir.join(folder), &mut |_, meta| {
            let sum = folders.entry(folder).or_default();
            sum.files += 1;
            sum.bytes += meta.len();
        });
    }
    let total: u64 = folders.values().map(|folder| folder.bytes).sum();
    let total = total + summary.as_ref().map_or(0, |summary| summary.bytes);
    let entries = summary.as_ref().map_or(0, |summary| summary.entries);
    if as_json {
        let value = stats_json(settings, summary.as_ref(), &folders, (entries, total));
        return Ok(format!("{value}\n"));
    }
    let mut out = String::new();
    line(&mut out, &format!("directory: {dir}"));
    line(&mut out, &format!("entries: {entries}"));
    line(&mut out, &format!("size: {} KB", total.div_ceil(1024)));
    for (name, Folder { files, bytes }) in &folders {
        line(&mut out, &format!("  {name}: {files} files, {} KB", bytes.div_ceil(1024)));
    }
    if let Some(summary) = summary {
        let kilobytes = summary.bytes.div_ceil(1024);
        let most = settings.max_size.div_ceil(1024);
        line(&mut out, &format!("  cas: {kilobytes} KB of at most {most} KB"));
        for usage in summary.usages.iter().filter(|usage| usage.entries > 0) {
            let (name, entries) = (usage.name, usage.entries);
            let kilobytes = usage.bytes.div_ceil(1024);
            line(&mut out, &format!("    {name}: {entries} entries, {kilobytes} KB"));
        }
        let totals = summary.totals;
        let saved = seconds(totals.saved);
        line(
            &mut out,
            &format!("hits: {}, misses: {}, saved: {saved}", totals.hits, totals.misses),
        );
        let Latest { hits, misses, saved } = summary.latest;
        let saved = seconds(saved);
        line(&mut out, &format!("last build: hits: {hits}, misses: {misses}, saved: {saved}"));
        let (evicted, bad) = (totals.evicted, totals.quarantined);
        line(&mut out, &format!("evicted: {evicted}, found damaged: {bad}"));
        if let (Some(oldest), Some(newest)) = (summary.oldest, summary.newest) {
            line(&mut out, &format!("oldest: {}\nnewest: {}", ago(oldest), ago(newest)));
        }
    }
    Ok(out)
}

fn stats_json(
    settings: &CacheSettings,
    summary: Option<&Summary>,
    folders: &BTreeMap<&str, Folder>,
    (entries, bytes): (u64, u64),
) -> Value {
    let folder = |(name, folder): (&&str, &Folder)| json!({"folder": name, "files": folder.files, "bytes": folder.bytes});
    let mut value = json!({
        "directory": settings.dir.as_str(), "entries": entries, "bytes": bytes,
        "max_bytes": settings.max_size,
        "folders": folders.iter().map(folder).collect::<Vec<_>>(),
    });
    let Some(Summary { usages, totals, latest, bytes, oldest, newest, .. }) = summary else {
        return value;
    };
    let usage = |usage: &castore::Usage| json!({"kind": usage.name.as_str(), "entries": usage.entries, "bytes": usage.bytes});
    value["store"] = json!({
        "bytes": bytes,
        "kinds": usages.iter().map(usage).collect::<Vec<_>>(),
        "hits": totals.hits, "misses": totals.misses, "written": totals.written,
        "saved_microseconds": totals.saved,
        "last_build": {
            "hits": latest.hits, "misses": latest.misses, "saved_microseconds": latest.saved,
        },
        "evicted": totals.evicted, "quarantined": totals.quarantined, "refused": totals.refused,
        "oldest": oldest.map(|time| time / 1_000_000_000),
        "newest": newest.map(|time| time / 1_000_000_000),
    });
    value
}

fn summary(store: &Store) -> Result<Option<Summary>, Error> {
    Ok(store.summary().map_err(|e| e.to_string())?)
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

fn seconds(microseconds: u64) -> String {
    format!("{:.1} s", microseconds as f64 / 1e6)
}

/// How long a time is ago, in nanoseconds since 1970.
fn ago(time: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.saturating_sub(Duration::from_nanos(time)).as_secs();
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    /// Builds go on while the cache is deleted, and it may be deleted by two at once.
    #[test]
    fn a_cache_that_others_fill_is_deleted() {
        let place = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(place.path()).unwrap().join("cache");
        let done = AtomicBool::new(false);
        let fill = || {
            while !done.load(SeqCst) {
                let _ = fs::create_dir_all(dir.join("graph"));
                let _ = fs::write(dir.join("CACHEDIR.TAG"), "");
                for n in 0..20 {
                    let _ = fs::write(dir.join(format!("graph/{n}")), "");
                }
            }
        };
        let delete = || {
            let mut deleted = 0;
            while deleted < 200 {
                deleted += u32::from(clean(&dir)?);
            }
            Ok::<_, Error>(())
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(fill);
            }
            let deleters = [(); 2].map(|()| scope.spawn(delete));
            let results = deleters.map(|deleter| deleter.join().unwrap());
            done.store(true, SeqCst);
            assert!(results.iter().all(Result::is_ok), "{results:?}");
        });
    }
}
