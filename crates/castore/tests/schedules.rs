//! The locking of a store under schedules that a test chooses. Every thread has a store of its own,
//! as a process has, and all use one directory; or they share a store. `shuttle` decides at every
//! access to a file which of them goes on, and some are killed there.
//!
//! `cargo test -p castore --features shuttle --test schedules`

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{
    Config, Digest, Name, Store,
    sync::{Killed, kill_after},
};
use shuttle::{check_random, rand::Rng, thread};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::Arc,
};
use tempfile::TempDir;

const ROOMY: Config = Config { max_size: 1 << 20, read_only: false, compression: None };
/// Less than what is put.
const TIGHT: Config = Config { max_size: 120_000, read_only: false, compression: None };

fn contents(key: u8) -> Vec<u8> {
    vec![key; 100 + 90 * usize::from(key)]
}

fn put(store: &Store, key: u8) {
    let digest = store.put(Name::OTHER, contents(key));
    store.bind(Name::OTHER, &[key], &[digest]);
}

/// What is there is right. `false`: it is not there.
fn check(store: &Store, key: u8) -> bool {
    let digest = Digest::of(&contents(key));
    let record = store.lookup(Name::OTHER, &[key]);
    assert!(record.as_ref().is_none_or(|found| *found == [digest]));
    let blob = store.get(&digest);
    assert!(blob.as_ref().is_none_or(|found| **found == contents(key)));
    record.is_some() && blob.is_some()
}

/// Bytes of all files.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// The store is in order, and an index that is made anew says the same.
fn check_whole(dir: &Path, config: Config) {
    let verify = || Store::with(dir, config).verify().unwrap();
    let first = verify();
    assert_eq!(first.bad, 0, "no entry is bad");
    assert_eq!(Store::with(dir, config).stats().quarantined, 0);
    fs::remove_file(dir.join("cas/index")).unwrap();
    let second = verify();
    assert!(second.good >= first.good, "{second:?}, {first:?}");
    assert_eq!(second.bad, 0);
}

/// The keys of blobs, that used longest ago first.
fn order(dir: &Path) -> Vec<Digest> {
    let entries = Store::with(dir, ROOMY).entries().unwrap();
    assert!(entries.is_sorted_by(|a, b| a.used < b.used), "never two at the same time");
    entries.iter().filter(|entry| entry.is_blob).map(|entry| entry.key).collect()
}

/// A process that puts some keys, and looks for others.
fn process(dir: Arc<TempDir>, config: Config, keys: std::ops::Range<u8>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let store = Store::with(dir.path(), config);
        for key in keys {
            put(&store, key);
            store.commit().unwrap();
            check(&store, 7 - key % 8);
            assert!(check(&store, key), "what a process has put stays with it");
            assert!(size(dir.path()) <= config.max_size, "{}", size(dir.path()));
        }
        assert_eq!(store.stats().quarantined, 0, "nobody sees a part of what another does");
    })
}

#[test]
fn processes_write_at_once_and_nothing_is_lost() {
    let run = || {
        let dir = Arc::new(TempDir::new().unwrap());
        let all = [0..3, 2..5, 4..7].map(|keys| process(dir.clone(), ROOMY, keys));
        all.into_iter().for_each(|thread| thread.join().unwrap());
        let store = Store::with(dir.path(), ROOMY);
        assert!((0..7).all(|key| check(&store, key)), "there was room for everything");
        let summary = store.summary().unwrap().unwrap();
        assert_eq!(summary.entries, 14, "none of them is there twice");
        assert_eq!(summary.usages.iter().map(|usage| usage.entries).sum::<u64>(), 14);
        drop(store);
        check_whole(dir.path(), ROOMY);
    };
    check_random(run, 60);
}

#[test]
fn the_cap_holds_while_processes_evict_and_move() {
    let run = || {
        let dir = Arc::new(TempDir::new().unwrap());
        let all = [100..130, 115..145].map(|keys: std::ops::Range<u8>| {
            process(dir.clone(), TIGHT, keys.start..keys.start + 8)
        });
        // What others are about to write to may be moved together under them.
        let place = dir.clone();
        let collector = thread::spawn(move || {
            for most in [90_000, 80_000, 90_000] {
                Store::with(place.path(), TIGHT).evict_until(most, 0).unwrap();
            }
        });
        all.into_iter().chain([collector]).for_each(|thread| thread.join().unwrap());
        check_whole(dir.path(), TIGHT);
    };
    check_random(run, 40);
}

/// One of two processes is killed at any step; what the other does is whole, and so is the store.
#[test]
fn a_process_is_killed_at_any_step() {
    let run = || {
        let dir = Arc::new(TempDir::new().unwrap());
        let place = dir.clone();
        let victim = thread::spawn(move || {
            let steps = shuttle::rand::thread_rng().gen_range(0..120);
            let result = catch_unwind(AssertUnwindSafe(|| {
                kill_after(Some(steps));
                let store = Store::with(place.path(), ROOMY);
                for key in 0..4 {
                    put(&store, key);
                    store.commit().unwrap();
                    check(&store, 6);
                }
            }));
            kill_after(None);
            if let Err(payload) = result
                && !payload.is::<Killed>()
            {
                resume_unwind(payload);
            }
        });
        let other = process(dir.clone(), ROOMY, 4..7);
        victim.join().unwrap();
        other.join().unwrap();
        let store = Store::with(dir.path(), ROOMY);
        assert!((4..7).all(|key| check(&store, key)), "the other process was done");
        drop(store);
        check_whole(dir.path(), ROOMY);
    };
    check_random(run, 100);
}

/// Processes find entries, each some of its own, one or several at once, more than can be noted; one of
/// them is killed at any step. Their uses are in the order as they were made, those of the one that was killed as far
/// as it came, and nothing else is.
#[test]
fn uses_are_noted_in_their_order() {
    let run = || {
        let dir = Arc::new(TempDir::new().unwrap());
        let store = Store::with(dir.path(), ROOMY);
        (0..12).for_each(|key| put(&store, key));
        store.commit().unwrap();
        drop(store);
        let user = |keys: std::ops::Range<u8>, steps: Option<u32>| {
            let dir = dir.clone();
            thread::spawn(move || {
                let (mut used, mut last) = (Vec::new(), 0);
                let result = catch_unwind(AssertUnwindSafe(|| {
                    kill_after(steps);
                    let store = Store::with(dir.path(), ROOMY);
                    for _ in 0..40 {
                        let mut random = shuttle::rand::thread_rng();
                        last = random.gen_range(1..4);
                        let now: Vec<u8> =
                            (0..last).map(|_| random.gen_range(keys.clone())).collect();
                        // If it is killed there, it may have used all of them or none.
                        used.extend(&now);
                        let digests: Vec<Digest> =
                            now.iter().map(|key| Digest::of(&contents(*key))).collect();
                        assert!(store.views(&digests).iter().all(Option::is_some));
                    }
                }));
                kill_after(None);
                let killed = result.is_err();
                if let Err(payload) = result
                    && !payload.is::<Killed>()
                {
                    resume_unwind(payload);
                }
                (used, last, killed)
            })
        };
        let steps = shuttle::rand::thread_rng().gen_range(0..200);
        let all = [user(0..4, None), user(4..8, Some(steps)), user(8..12, None)];
        let all = all.map(|thread| thread.join().unwrap());
        let order = order(dir.path());
        for ((used, last, killed), keys) in all.iter().zip([0..4_u8, 4..8, 8..12]) {
            let key_of =
                |found: &Digest| keys.clone().find(|key| Digest::of(&contents(*key)) == *found);
            let found: Vec<u8> = order.iter().filter_map(key_of).collect();
            let expected = |used: &[u8]| {
                let mut expected: Vec<u8> = keys.clone().collect();
                for key in used {
                    expected.retain(|other| other != key);
                    expected.push(*key);
                }
                expected
            };
            let without_last = &used[..used.len() - last];
            let is_exact = found == expected(used);
            assert!(is_exact || *killed && found == expected(without_last), "{found:?}");
        }
        check_whole(dir.path(), ROOMY);
    };
    check_random(run, 60);
}

#[test]
fn threads_share_a_store() {
    let run = || {
        let dir = TempDir::new().unwrap();
        let store = Arc::new(Store::with(dir.path(), ROOMY));
        let work = |keys: [u8; 3]| {
            let store = store.clone();
            thread::spawn(move || {
                for key in keys {
                    put(&store, key);
                    if key % 2 == 0 {
                        store.commit().unwrap();
                    }
                    assert!(check(&store, key), "it is in memory or on disk");
                }
            })
        };
        let all = [[0, 1, 2], [2, 3, 4], [4, 5, 0]].map(work);
        all.into_iter().for_each(|thread| thread.join().unwrap());
        store.commit().unwrap();
        let other = Store::with(dir.path(), ROOMY);
        assert!((0..6).all(|key| check(&other, key)));
        drop((store, other));
        check_whole(dir.path(), ROOMY);
    };
    check_random(run, 60);
}

/// Whoever comes second does not use anything either before it is found out whether it stays.
#[test]
fn threads_share_a_store_with_a_lowered_cap() {
    let run = || {
        let dir = TempDir::new().unwrap();
        let before = Store::with(dir.path(), ROOMY);
        (0..60).for_each(|key| put(&before, key));
        before.commit().unwrap();
        drop(before);
        assert!(size(dir.path()) > TIGHT.max_size);
        let store = Arc::new(Store::with(dir.path(), TIGHT));
        let work = |key: u8| {
            let store = store.clone();
            thread::spawn(move || {
                check(&store, key);
                assert!(size(store.root()) <= TIGHT.max_size, "{}", size(store.root()));
            })
        };
        let all = [0, 40].map(work);
        all.into_iter().for_each(|thread| thread.join().unwrap());
    };
    check_random(run, 60);
}
