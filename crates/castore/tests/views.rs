//! Blobs that are lent from their files.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{Bytes, Config, Digest, Name, Store};
use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn contents(n: u32) -> Vec<u8> {
    n.to_le_bytes().repeat(500 + 100 * n as usize)
}

fn digest(n: u32) -> Digest {
    Digest::of(&contents(n))
}

/// A process puts entries.
fn put(dir: &Path, entries: std::ops::Range<u32>) {
    let store = Store::open(dir);
    for n in entries {
        store.put(Name::OTHER, contents(n));
    }
    store.commit().unwrap();
}

fn filled(entries: u32) -> (TempDir, Vec<Digest>) {
    let dir = TempDir::new().unwrap();
    put(dir.path(), 0..entries);
    (dir, (0..entries).map(digest).collect())
}

fn segment(dir: &Path) -> PathBuf {
    let mut all = fs::read_dir(dir.join("cas/segments")).unwrap();
    let path = all.next().unwrap().unwrap().path();
    assert!(all.next().is_none(), "there is one");
    path
}

fn check(view: &Option<Bytes>, n: u32) {
    let view = view.as_ref().unwrap();
    assert!(format!("{view:?}").contains("mapped"), "{view:?}");
    assert_eq!(view[..], contents(n));
}

/// Flips a bit in an entry.
fn damage(dir: &Path, n: u32) {
    let path = segment(dir);
    let (bytes, contents) = (fs::read(&path).unwrap(), contents(n));
    let at = bytes.windows(contents.len()).position(|part| part == contents).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&[contents[9] ^ 4], at as u64 + 9).unwrap();
}

#[test]
fn what_was_written_after_a_segment_was_mapped_is_lent() {
    let (dir, _) = filled(3);
    let store = Store::open(dir.path());
    let before = store.view(&digest(1));
    check(&before, 1);
    let len = segment(dir.path()).metadata().unwrap().len();
    put(dir.path(), 3..40);
    assert!(segment(dir.path()).metadata().unwrap().len() > len + 2 * 4096);
    check(&store.view(&digest(39)), 39);
    check(&store.view(&digest(3)), 3);
    put(dir.path(), 40..60);
    let all: Vec<Digest> = (0..60).map(digest).collect();
    for (n, view) in (0..).zip(store.views(&all)) {
        check(&view, n);
    }
    check(&before, 1);
}

/// Somebody has cut a segment off, before it was mapped or afterwards.
#[test]
fn what_is_missing_at_the_end_of_a_segment_is_absent() {
    for (mapped, together) in [(false, false), (false, true), (true, false), (true, true)] {
        let (dir, all) = filled(40);
        let store = Store::open(dir.path());
        if mapped {
            check(&store.view(&all[39]), 39);
        }
        let file = fs::File::options().write(true).open(segment(dir.path())).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2 + 1000).unwrap();
        let views: Vec<Option<Bytes>> = match together {
            true => store.views(&all),
            false => all.iter().map(|digest| store.view(digest)).collect(),
        };
        let there = views.iter().flatten().count();
        assert!((20..35).contains(&there), "{there}");
        assert!(
            views[..there]
                .iter()
                .zip(0..)
                .all(|(view, n)| { view.as_deref() == Some(&contents(n)[..]) })
        );
        assert_eq!(store.stats().quarantined, 40 - there as u64);
        assert_eq!(Store::open(dir.path()).views(&all).iter().flatten().count(), there);
    }
}

#[test]
fn a_damaged_entry_among_others_is_set_aside() {
    let (dir, mut all) = filled(30);
    damage(dir.path(), 17);
    all.push(Digest::of(b"nobody's"));
    let store = Store::open(dir.path());
    let views = store.views(&all);
    for (n, view) in (0..30).zip(&views).filter(|(n, _)| *n != 17) {
        check(view, n);
    }
    assert!(views[17].is_none() && views[30].is_none());
    let stats = store.stats();
    assert_eq!((stats.hits, stats.misses, stats.quarantined), (29, 2, 1));
    let summary = store.summary().unwrap().unwrap();
    assert_eq!((summary.totals.hits, summary.totals.quarantined), (29, 1));
    assert_eq!(summary.entries, 29);
    put(dir.path(), 17..18);
    check(&Store::open(dir.path()).view(&all[17]), 17);
}

/// However many there are, and whether there is room for all of the notes or not.
#[test]
fn the_uses_of_several_are_counted_in_their_order() {
    let (dir, mut model) = filled(150);
    let mut hits = 0;
    let store = Store::open(dir.path());
    for step in [1, 2, 3, 5, 70, 5, 2] {
        let used: Vec<Digest> = model.iter().rev().step_by(step).copied().collect();
        assert!(store.views(&used).iter().all(Option::is_some));
        model.retain(|digest| !used.contains(digest));
        model.extend(&used);
        hits += used.len() as u64;
        // Another process may come between.
        assert!(Store::open(dir.path()).view(&model[0]).is_some());
        model.rotate_left(1);
    }
    let other = Store::open(dir.path());
    let order: Vec<Digest> = other.entries().unwrap().iter().map(|entry| entry.key).collect();
    assert_eq!(order, model);
    let summary = other.summary().unwrap().unwrap();
    assert_eq!((store.stats().hits, summary.totals.hits), (hits, hits + 7));
    let reader = Store::with(dir.path(), Config { read_only: true, ..Config::default() });
    assert!(reader.views(&model).iter().all(Option::is_some));
    assert_eq!(other.summary().unwrap().unwrap(), summary, "what only reads is no use");
}

#[test]
fn what_is_in_memory_still_is_found_there() {
    let (dir, mut all) = filled(3);
    let store = Store::open(dir.path());
    all.insert(1, store.put(Name::OTHER, &b"not written yet"[..]));
    all.push(all[0]);
    let views = store.views(&all);
    assert_eq!(views[1].as_deref(), Some(&b"not written yet"[..]));
    for (view, n) in [(0, 0), (2, 1), (3, 2), (4, 0)] {
        check(&views[view], n);
    }
    assert_eq!(store.stats().hits, 5);
    assert_eq!(store.summary().unwrap().unwrap().totals.hits, 4, "of what is on disk");
    assert!(store.views(&[]).is_empty());
    assert!(Store::open(dir.path().join("nowhere")).views(&all).iter().all(Option::is_none));
}
