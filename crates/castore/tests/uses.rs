//! The order of use, as hits note it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{Config, Digest, Name, Store};
use std::{fs, path::Path};
use tempfile::TempDir;

/// Where hits are noted in the index, and how long each note is.
const NOTES: std::ops::Range<usize> = 27 * 512..35 * 512;
const NOTE: usize = 44;

fn handle(dir: &Path) -> Store {
    Store::open(dir)
}

fn filled(entries: u32) -> (TempDir, Vec<Digest>) {
    let dir = TempDir::new().unwrap();
    let store = handle(dir.path());
    let digests = (0..entries).map(|n| store.put(Name::OTHER, &n.to_le_bytes()[..])).collect();
    store.commit().unwrap();
    (dir, digests)
}

/// The keys, that used longest ago first.
fn order(store: &Store) -> Vec<Digest> {
    store.entries().unwrap().iter().map(|entry| entry.key).collect()
}

fn use_in(model: &mut Vec<Digest>, digest: Digest) {
    model.retain(|other| *other != digest);
    model.push(digest);
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
        (self.0 >> 33) as usize % limit
    }
}

/// Several processes find entries, and some look whether there are others, put some or remove some.
#[test]
fn the_order_is_that_of_all_uses_by_all_processes() {
    let (dir, mut digests) = filled(100);
    let mut model = digests.clone();
    let mut random = Random(1);
    let mut processes: Vec<Store> = (0..4).map(|_| handle(dir.path())).collect();
    let mut hits = 0;
    for step in 0..5000_u32 {
        let process = random.below(4);
        let digest = digests[random.below(digests.len())];
        match random.below(300) {
            0 => assert_eq!(order(&processes[process]), model, "step {step}"),
            1 => processes[process] = handle(dir.path()),
            2 => {
                // Another process still, since this one would find it in its memory.
                let another = handle(dir.path());
                let new = another.put(Name::OTHER, &(step + 1000).to_le_bytes()[..]);
                another.commit().unwrap();
                digests.push(new);
                model.push(new);
            }
            3 => drop(processes[process].summary().unwrap()),
            4..50 => assert!(processes[process].get(&Digest::of(b"nobody's")).is_none()),
            _ => {
                assert!(processes[process].get(&digest).is_some());
                use_in(&mut model, digest);
                hits += 1;
            }
        }
    }
    assert_eq!(order(&processes[0]), model);
    let entries = processes[0].entries().unwrap();
    assert!(entries.is_sorted_by(|a, b| a.used < b.used), "never two at the same time");
    let summary = processes[0].summary().unwrap().unwrap();
    assert_eq!(summary.totals.hits, hits);
}

/// What a process has found is held by it, however little of that is written.
#[test]
fn what_was_only_noted_is_held_and_evicted_last() {
    const MAX: u64 = 400_000;
    let config = Config { max_size: MAX, ..Config::default() };
    let dir = TempDir::new().unwrap();
    let process = || Store::with(dir.path(), config);
    let put = |store: &Store, n: u64| {
        let digest = store.put(Name::OTHER, n.to_le_bytes().repeat(600));
        store.commit().unwrap();
        digest
    };
    let digests: Vec<Digest> = (0..40).map(|n| put(&process(), n)).collect();
    let (user, other) = (process(), process());
    assert!(user.get(&digests[30]).is_some(), "says that it holds what it uses");
    for digest in &digests[..3] {
        assert!(user.get(digest).is_some());
    }
    for n in 100..200 {
        put(&other, n);
        other.release();
    }
    let there = |n: usize| process().contains(&digests[n]);
    assert!(there(0) && there(1) && there(2) && there(30) && !there(3) && !there(31));
    drop(user);
    for n in 200..300 {
        put(&other, n);
        other.release();
    }
    assert!(!there(0) && !there(30));
}

/// A hit writes a note and nothing else, and a process that only reads writes nothing.
#[test]
fn a_hit_changes_a_few_bytes() {
    let (dir, digests) = filled(500);
    let read = || fs::read(dir.path().join("cas/index")).unwrap();
    let store = handle(dir.path());
    assert!(store.get(&digests[7]).is_some());
    for (n, digest) in digests.iter().step_by(10).enumerate() {
        let before = read();
        assert!(store.get(digest).is_some());
        let after = read();
        assert_eq!(before.len(), after.len());
        let changed = (0..after.len()).filter(|at| before[*at] != after[*at]);
        let changed: Vec<usize> = changed.collect();
        assert!(changed.len() <= NOTE && changed.iter().all(|at| NOTES.contains(at)), "{n}");
    }
    let before = read();
    let reader = Store::with(dir.path(), Config { read_only: true, ..Config::default() });
    assert_eq!(order(&reader).last(), Some(&digests[490]));
    assert!(reader.get(&digests[3]).is_some());
    assert_eq!(order(&reader).last(), Some(&digests[490]), "what only reads is no use");
    assert_eq!(read(), before);
}

/// A process was killed while it noted a use, or a note was damaged: those before it count.
#[test]
fn unfinished_notes_are_passed_over() {
    let (dir, digests) = filled(30);
    let index = dir.path().join("cas/index");
    let store = handle(dir.path());
    assert!(store.get(&digests[0]).is_some());
    let mut expected = order(&store);
    for digest in &digests[5..15] {
        assert!(store.get(digest).is_some());
    }
    drop(store);
    let bytes = fs::read(&index).unwrap();
    for noted in 0..10 {
        for damaged in [0, 20, NOTE - 1] {
            let mut bytes = bytes.clone();
            bytes[NOTES.start + noted * NOTE + damaged] ^= 1;
            fs::write(&index, &bytes).unwrap();
            let store = handle(dir.path());
            assert_eq!(order(&store), expected, "{noted}");
            assert!(store.get(&digests[20]).is_some());
            use_in(&mut expected.clone(), digests[20]);
            assert_eq!(order(&store).last(), Some(&digests[20]), "notes go on after it");
            assert_eq!(store.stats().quarantined, 0);
        }
        use_in(&mut expected, digests[5 + noted]);
    }
}

/// The first build asks for all it needs, in vain: nobody looks at the disk each time.
#[test]
fn a_store_that_is_not_there_is_looked_for_once_in_a_build() {
    let dir = TempDir::new().unwrap();
    let (first, second) = (handle(dir.path()), handle(dir.path()));
    let digest = Digest::of(b"something");
    assert!(first.get(&digest).is_none());
    second.put(Name::OTHER, &b"something"[..]);
    second.commit().unwrap();
    assert!(first.get(&digest).is_none() && !first.contains(&digest));
    assert_eq!(first.stats().misses, 2);
    first.release();
    assert!(first.get(&digest).is_some(), "a new build looks again");
    // And so does one that has written something.
    let dir = TempDir::new().unwrap();
    let (first, second) = (handle(dir.path()), handle(dir.path()));
    assert!(first.get(&digest).is_none());
    second.put(Name::OTHER, &b"something"[..]);
    second.commit().unwrap();
    first.put(Name::OTHER, &b"else"[..]);
    first.commit().unwrap();
    assert!(first.get(&digest).is_some());
}
