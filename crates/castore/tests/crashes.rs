//! Processes that write at once and are killed at any moment.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{Config, Digest, Name, Store};
use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// Where the children write; the same test program, called with this set, is a child.
const PLACE: &str = "CASTORE_TEST_PLACE";
/// Small enough that entries are evicted and moved all the time.
const CONFIG: Config = Config { max_size: 400_000, read_only: false, compression: Some(1) };
const KEYS: u64 = 400;

fn contents(key: u64) -> Vec<u8> {
    key.to_string().repeat(1 + (key * key % 900) as usize).into_bytes()
}

/// What a child does until it is killed.
fn write_for_ever(dir: &Path, seed: u64) {
    let name = Name::new("obj").unwrap();
    let mut state = seed;
    loop {
        let store = Store::with(dir, CONFIG);
        for _ in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (state >> 33) % KEYS;
            check(&store, key);
            let digest = store.put(name, contents(key));
            store.bind(name, &key.to_le_bytes(), &[digest]);
        }
        store.commit().unwrap();
        assert!(store.stats().quarantined == 0, "a process found damage");
    }
}

/// What is there is right.
fn check(store: &Store, key: u64) -> bool {
    let digest = Digest::of(&contents(key));
    let record = store.lookup(Name::new("obj").unwrap(), &key.to_le_bytes());
    assert!(record.as_ref().is_none_or(|found| *found == [digest]));
    let blob = store.get(&digest);
    assert!(blob.as_ref().is_none_or(|found| **found == contents(key)));
    record.is_some() && blob.is_some()
}

#[test]
fn child() {
    if let Ok(place) = env::var(PLACE) {
        let (seed, dir) = place.split_once(' ').unwrap();
        write_for_ever(Path::new(dir), seed.parse().unwrap());
    }
}

fn spawn(dir: &Path, seed: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]);
    command.env(PLACE, format!("{seed} {}", dir.display()));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn size(dir: &Path) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        sum += match entry.path().symlink_metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
    }
    sum
}

#[test]
fn killed_processes_leave_a_sound_store_within_its_cap() {
    let dir = tempfile::tempdir().unwrap();
    let mut evicted = 0;
    for round in 1..16_u64 {
        let mut children: Vec<Child> = (0..3).map(|n| spawn(dir.path(), 10 * round + n)).collect();
        for child in &mut children {
            for _ in 0..5 + round * 7 % 20 {
                sleep(Duration::from_millis(2));
                assert!(size(dir.path()) <= CONFIG.max_size);
            }
            assert_eq!(child.try_wait().unwrap(), None, "a child found something wrong");
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let store = Store::with(dir.path(), CONFIG);
        let found = (0..KEYS).filter(|key| check(&store, *key)).count();
        assert!(round < 3 || found > 10, "round {round}: {found}");
        assert_eq!(store.stats().quarantined, 0, "round {round}");
        evicted += store.summary().unwrap().unwrap().totals.evicted;
        if round % 5 == 0 {
            // What was written and what was left half written is read without an index.
            fs::remove_file(dir.path().join("cas/index")).unwrap();
            let store = Store::with(dir.path(), CONFIG);
            let again = (0..KEYS).filter(|key| check(&store, *key)).count();
            assert!(again >= found, "round {round}: {again} of {found}");
        }
    }
    assert!(evicted > 0);
}
