//! The cap, and what makes room.

use castore::{Config, Digest, Name, Store};
use std::{collections::BTreeMap, fs, path::Path};
use tempfile::TempDir;

fn size(dir: &Path) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let meta = entry.path().symlink_metadata();
        sum += match meta {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
    }
    sum
}

/// A handle, as every process has one.
fn handle(dir: &TempDir, max_size: u64) -> Store {
    Store::with(dir.path(), Config { max_size, ..Config::default() })
}

/// Not compressible, and different for every number.
fn bytes(n: u64, len: usize) -> Vec<u8> {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    const MAX: u64 = 1 << 20;
    let dir = TempDir::new().unwrap();
    let put = |n: u64| {
        let store = handle(&dir, MAX);
        let digest = store.put(Name::OTHER, bytes(n, 10_000));
        store.commit().unwrap();
        assert_eq!(store.stats().refused, 0);
        digest
    };
    let digests: Vec<Digest> = (0..50).map(put).collect();
    // The order of use from here on: 10 to 49, then 9 down to 0.
    for digest in digests[..10].iter().rev() {
        assert!(handle(&dir, MAX).get(digest).is_some());
    }
    let expected: Vec<usize> = (10..50).chain((0..10).rev()).collect();
    let looker = handle(&dir, MAX);
    let mut gone = 0;
    for n in 100.. {
        put(n);
        assert!(size(dir.path()) <= MAX);
        let there: Vec<usize> =
            expected.iter().copied().filter(|n| looker.contains(&digests[*n])).collect();
        assert_eq!(there, expected[expected.len() - there.len()..], "in exactly that order");
        gone = expected.len() - there.len();
        if there.is_empty() {
            break;
        }
    }
    assert_eq!(gone, 50);
    let summary = looker.summary().unwrap().unwrap();
    assert!(summary.entries > 60, "most of the room is used: {summary:?}");
    assert!(summary.totals.evicted >= 50);
}

/// Random uses of entries of all sizes, next to a model of the order of use.
#[test]
fn the_order_of_use_is_exact() {
    for seed in 0..4 {
        let max: u64 = [150_000, 300_000, 500_000, 1 << 20][seed as usize];
        let dir = TempDir::new().unwrap();
        let mut used: BTreeMap<Digest, (u64, u64)> = BTreeMap::new();
        let mut state: u64 = 77 + seed;
        for step in 0..500 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
            let n = (state >> 33) % 300;
            let store = handle(&dir, max);
            let len = if n.is_multiple_of(29) { max / 64 } else { n * n % 9000 } as usize;
            let contents = bytes(n, len);
            let digest = Digest::of(&contents);
            let found = store.get(&digest);
            assert!(found.is_none_or(|found| *found == contents));
            store.put(Name::OTHER, contents);
            store.commit().unwrap();
            assert_eq!(store.stats().refused, 0, "seed {seed}, step {step}");
            used.insert(digest, (step, n));
            assert!(size(dir.path()) <= max, "seed {seed}, step {step}");
            if step % 8 != 0 {
                continue;
            }
            let mut newest_gone = None;
            for (digest, (step, _)) in &used {
                if !store.contains(digest) {
                    newest_gone = newest_gone.max(Some(*step));
                }
            }
            for (digest, (when, n)) in &used {
                assert!(
                    Some(*when) <= newest_gone || store.contains(digest),
                    "seed {seed}, step {step}: {n} went before its time"
                );
            }
        }
        let summary = handle(&dir, max).summary().unwrap().unwrap();
        assert!(summary.totals.evicted > 50, "{summary:?}");
    }
}

#[test]
fn a_store_smaller_than_a_build_keeps_what_fits_and_holds_it() {
    for max in [0, 1, 1000, 60_000, 100_000, 300_000] {
        let dir = TempDir::new().unwrap();
        let store = handle(&dir, max);
        let digests: Vec<Digest> =
            (0..100).map(|n| store.put(Name::OTHER, bytes(n, 5000))).collect();
        store.commit().unwrap();
        assert!(size(dir.path()) <= max, "{max}");
        let stats = store.stats();
        assert_eq!(stats.written + stats.refused, 100);
        for (n, digest) in digests.iter().enumerate() {
            assert_eq!(*store.get(digest).unwrap(), bytes(n as u64, 5000));
        }
        let other = handle(&dir, max);
        let kept = digests.iter().filter(|digest| other.get(digest).is_some()).count() as u64;
        assert_eq!(kept, stats.written, "what the first one holds is not evicted");
        assert!(max < 200_000 || kept > 20, "{max}: {kept}");
        // Another build finds everything held, and makes do without.
        other.put(Name::OTHER, bytes(1000, 5000));
        other.commit().unwrap();
        assert_eq!(other.stats().refused, u64::from(stats.refused > 0));
        // When the first has ended there is room.
        drop((store, other));
        if kept > 0 {
            let next = handle(&dir, max);
            next.put(Name::OTHER, bytes(1000, 5000));
            next.commit().unwrap();
            assert_eq!((next.stats().written, next.stats().refused), (1, 0), "{max}");
        }
    }
}

#[test]
fn a_smaller_cap_takes_effect_at_the_next_write() {
    let dir = TempDir::new().unwrap();
    let large = handle(&dir, 100 << 20);
    for n in 0..2000 {
        large.put(Name::OTHER, bytes(n, 2000));
    }
    large.commit().unwrap();
    drop(large);
    let before = size(dir.path());
    let small = handle(&dir, 1 << 20);
    small.put(Name::OTHER, bytes(5000, 2000));
    small.commit().unwrap();
    assert_eq!(small.stats().refused, 0);
    assert!(before > 4_000_000 && size(dir.path()) <= 1 << 20, "{}", size(dir.path()));
    let newest = Digest::of(&bytes(1999, 2000));
    assert!(small.get(&newest).is_some());
    drop(small);
    let store = handle(&dir, 1 << 20);
    assert!(store.evict_until(500_000, 0).unwrap() > 10);
    assert!(size(dir.path()) <= 500_000);
    store.evict_until(u64::MAX, u64::MAX).unwrap();
    assert_eq!(store.summary().unwrap().unwrap().entries, 0);
}

/// Whatever the new cap, the next build is within it from its first look-up on, and what it keeps is what
/// was used last.
#[test]
fn a_lowered_cap_holds_before_anything_is_used() {
    for cap in [0, 1, 104, 1000, 20_000, 32_000, 50_000, 70_000, 100_000, 200_000, 400_000, 1 << 20]
    {
        let dir = TempDir::new().unwrap();
        let large = handle(&dir, 2 << 30);
        let digests: Vec<Digest> =
            (0..400).map(|n| large.put(Name::OTHER, bytes(n, 1000))).collect();
        large.commit().unwrap();
        // Somebody uses it still.
        let small = handle(&dir, cap);
        small.get(&digests[7]);
        assert_eq!(handle(&dir, 2 << 30).summary().unwrap().unwrap().entries, 400, "{cap}");
        drop((small, large));
        let before = size(dir.path());
        let small = handle(&dir, cap);
        let found: Vec<bool> = digests.iter().map(|digest| small.get(digest).is_some()).collect();
        assert!(found.is_sorted(), "{cap}: those used last stay");
        assert!(size(dir.path()) <= cap.max(before.min(cap)), "{cap}: {}", size(dir.path()));
        assert!(cap < 1 << 20 || found.iter().all(|found| *found), "{cap}: there is room for all");
        small.put(Name::OTHER, bytes(1000, 1000));
        small.commit().unwrap();
        assert!(size(dir.path()) <= cap, "{cap}: {}", size(dir.path()));
        assert_eq!(small.stats().refused, u64::from(cap <= 50_000), "{cap}");
        assert_eq!(small.stats().quarantined, 0);
        drop(small);
        // And the cap may be raised again.
        let large = handle(&dir, 2 << 30);
        let digest = large.put(Name::OTHER, bytes(2000, 1000));
        large.commit().unwrap();
        assert!(handle(&dir, 2 << 30).get(&digest).is_some());
    }
}

/// What is asked to be evicted goes, and not much more, though all of it is in one file.
#[test]
fn as_much_is_evicted_as_is_asked_for() {
    let dir = TempDir::new().unwrap();
    let store = handle(&dir, 2 << 30);
    let digests: Vec<Digest> = (0..400).map(|n| store.put(Name::OTHER, bytes(n, 1000))).collect();
    store.commit().unwrap();
    drop(store);
    let store = handle(&dir, 2 << 30);
    store.evict_until(300_000, 0).unwrap();
    assert!(size(dir.path()) <= 300_000 && size(dir.path()) > 150_000, "{}", size(dir.path()));
    assert!(store.contains(&digests[399]) && !store.contains(&digests[0]));
    store.remove(|_| true).unwrap();
    assert!(size(dir.path()) < 100_000, "{}", size(dir.path()));
}

#[test]
fn many_entries() {
    let dir = TempDir::new().unwrap();
    let store = handle(&dir, 1 << 30);
    for n in 0..30_000_u32 {
        store.put(Name::OTHER, &n.to_le_bytes()[..]);
    }
    store.commit().unwrap();
    let store = handle(&dir, 1 << 30);
    for n in (0..30_000_u32).step_by(7) {
        assert_eq!(*store.get(&Digest::of(&n.to_le_bytes())).unwrap(), n.to_le_bytes());
    }
    assert_eq!(store.summary().unwrap().unwrap().entries, 30_000);
}

/// An index that was made for many entries is made smaller when they are gone, and when the cap is.
#[test]
fn the_index_shrinks() {
    let dir = TempDir::new().unwrap();
    let fill = || {
        let store = handle(&dir, 1 << 26);
        for n in 0..5000_u64 {
            store.put(Name::OTHER, n.to_le_bytes().repeat(2));
        }
        store.commit().unwrap();
        assert!(store.summary().unwrap().unwrap().entries >= 5000);
    };
    let index = || fs::metadata(dir.path().join("cas/index")).unwrap().len();
    fill();
    let large = index();
    assert!(handle(&dir, 1 << 26).evict_until(0, 0).unwrap() >= 5000);
    assert!(index() < large / 8, "{} of {large}", index());
    fill();
    assert!(handle(&dir, 1 << 26).remove(|_| true).unwrap() >= 5000);
    assert!(index() < large / 8, "{} of {large}", index());
    fill();
    let small = handle(&dir, 300_000);
    let digest = small.put(Name::OTHER, bytes(1, 10_000));
    small.commit().unwrap();
    assert_eq!(small.stats().refused, 0);
    assert!(handle(&dir, 300_000).get(&digest).is_some());
    assert!(size(dir.path()) <= 300_000, "{}", size(dir.path()));
}

/// What lies beside the store counts.
#[test]
fn the_cap_is_for_other_files_too() {
    const MAX: u64 = 1 << 20;
    let dir = TempDir::new().unwrap();
    let other = dir.path().join("other");
    let path = other.clone();
    let measure = move || fs::metadata(&path).map_or(0, |meta| meta.len());
    let store = handle(&dir, MAX).beside(measure);
    let fill = |from: u64| {
        for n in from..from + 100 {
            store.put(Name::OTHER, bytes(n, 10_000));
            store.commit().unwrap();
            store.release();
            assert!(size(dir.path()) <= MAX, "{n}: {}", size(dir.path()));
        }
    };
    fill(0);
    let before = size(dir.path());
    assert!(before > MAX * 3 / 4, "{before}");
    store.evict_until(MAX / 4, 0).unwrap();
    fs::write(&other, vec![1; MAX as usize / 2]).unwrap();
    fill(100);
    fs::write(&other, b"").unwrap();
    fill(200);
    assert!(size(dir.path()) > MAX * 3 / 4);
    fs::write(&other, vec![1; MAX as usize / 8]).unwrap();
    store.evict_until(MAX / 2, 0).unwrap();
    assert!(size(dir.path()) <= MAX / 2);
}

/// Who writes beside the store asks for room, and the store makes it.
#[test]
fn room_is_reserved_before_a_file_is_written_beside_the_store() {
    const MAX: u64 = 400_000;
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("graph");
    fs::create_dir(&folder).unwrap();
    let open = || {
        let folder = folder.clone();
        handle(&dir, MAX).beside(move || size(&folder))
    };
    let store = open();
    for n in 0..60 {
        store.put(Name::OTHER, bytes(n, 5000));
    }
    store.commit().unwrap();
    assert!(size(dir.path()) > MAX * 2 / 3, "the store is full");
    drop(store);
    for n in 0..4 {
        let store = open();
        let reserved = store.reserve(60_000).expect("entries go for it");
        assert!(size(dir.path()) + 60_000 <= MAX, "{}", size(dir.path()));
        // Others see that it is reserved.
        let other = open();
        for m in 0..60 {
            other.put(Name::OTHER, bytes(1000 + 60 * n + m, 5000));
        }
        other.commit().unwrap();
        assert!(size(dir.path()) + 60_000 <= MAX, "{}", size(dir.path()));
        fs::write(folder.join(n.to_string()), bytes(n, 60_000)).unwrap();
        assert!(size(dir.path()) <= MAX);
        drop(reserved);
    }
    assert!(open().reserve(200_000).is_none(), "files are not the store's to delete");
    assert!(open().reserve(u64::MAX).is_none());
    assert!(open().reserve(1000).is_some());
}

/// What a process had reserved that was killed is free for others.
#[test]
fn what_was_reserved_and_never_given_back_is_forgotten() {
    let dir = TempDir::new().unwrap();
    let open = || handle(&dir, 400_000).beside(|| 0);
    let store = open();
    std::mem::forget(store.reserve(300_000).expect("there is room"));
    assert!(open().reserve(300_000).is_none());
    drop(store);
    assert!(open().reserve(300_000).is_some());
}
