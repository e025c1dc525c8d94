//! The store from outside: what it keeps, and what it does about everything that can lie in its way.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{Config, Digest, Error, Name, Stats, Store};
use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join(".cache"));
    (dir, store)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn put(store: &Store, bytes: &[u8]) -> Digest {
    let digest = store.put(Name::OTHER, bytes);
    commit(store);
    digest
}

/// Writes everything, and forgets what is in memory.
fn commit(store: &Store) {
    (0..2).for_each(|_| store.commit().unwrap());
}

fn get(store: &Store, digest: &Digest) -> Option<Vec<u8>> {
    store.get(digest).map(|bytes| bytes.to_vec())
}

/// Every file below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn segments(store: &Store) -> Vec<PathBuf> {
    files(&store.root().join("cas/segments"))
}

/// The bytes of all files.
fn size(store: &Store) -> u64 {
    files(store.root()).iter().map(|path| path.metadata().unwrap().len()).sum()
}

fn quarantined(store: &Store) -> usize {
    fs::read_dir(store.root().join("quarantine")).map_or(0, Iterator::count)
}

#[test]
fn nothing_is_created_before_the_first_commit() {
    let (dir, store) = fresh();
    let digest = store.put(Name::OTHER, &b"x"[..]);
    assert_eq!(get(&store, &digest).unwrap(), b"x");
    let digest = Digest::of(b"y");
    assert_eq!(store.get(&digest), None);
    assert_eq!(store.lookup(name("obj"), b"key"), None);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_eq!(store.stats(), Stats { hits: 1, misses: 2, ..Stats::default() });
    assert_eq!(store.summary().unwrap(), None);
}

#[test]
fn what_is_put_can_be_got() {
    let (_dir, store) = fresh();
    for bytes in [&b""[..], b"a", &[7; 100_000], &[8; 5_000_000]] {
        let digest = put(&store, bytes);
        assert_eq!(digest, Digest::of(bytes));
        for store in [&store, &Store::open(store.root())] {
            assert!(store.contains(&digest));
            assert_eq!(get(store, &digest).as_deref(), Some(bytes));
        }
    }
    assert_eq!(store.stats(), Stats { hits: 4, written: 4, ..Stats::default() });
    let before = size(&store);
    put(&store, b"a");
    assert_eq!(store.stats().written, 4, "a blob that is there is not written again");
    assert_eq!(size(&store), before);
    assert!(
        fs::read_to_string(store.root().join("CACHEDIR.TAG"))
            .unwrap()
            .starts_with("Signature: 8a477f597d28d172789f06886806bc55")
    );
}

#[test]
fn the_directory_is_private() {
    let (_dir, store) = fresh();
    put(&store, b"a");
    for dir in ["", "cas", "cas/segments"] {
        let dir = store.root().join(dir);
        assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    for file in files(&store.root().join("cas")) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn names_stand_for_digests() {
    let (_dir, store) = fresh();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    store.bind(name("obj"), b"key", &[one, two]);
    store.bind(name("bc"), b"key", &[two]);
    for _ in 0..2 {
        assert_eq!(store.lookup(name("obj"), b"key"), Some(vec![one, two]));
        assert_eq!(store.lookup(name("bc"), b"key"), Some(vec![two]));
        assert_eq!(store.lookup(name("obj"), b"other"), None);
        store.commit().unwrap();
    }
    store.bind(name("obj"), b"key", &[two]);
    store.commit().unwrap();
    assert_eq!(store.lookup(name("obj"), b"key"), Some(vec![two]));
    assert_eq!(Store::open(store.root()).lookup(name("obj"), b"key"), Some(vec![two]));
    assert!(matches!(Name::new("a/b"), Err(Error::BadName(_))));
    let usages = store.summary().unwrap().unwrap().usages;
    let counts: Vec<_> = usages.iter().map(|u| (u.name.as_str(), u.entries)).collect();
    assert_eq!(counts, [("obj", 1), ("bc", 1)]);
}

/// Puts entries, spoils the segment, and checks that each loss is noticed once and mended by the
/// next `put`, in the same process and in another one.
fn check_heals(what: &str, spoil: impl Fn(&Path)) {
    for reopen in [false, true] {
        let (_dir, mut store) = fresh();
        let entry = |n: usize| n.to_string().repeat(1000);
        let digests: Vec<_> = (0..5).map(|n| store.put(Name::OTHER, entry(n).as_bytes())).collect();
        store.bind(name("obj"), b"key", &digests);
        commit(&store);
        spoil(&segments(&store)[0]);
        if reopen {
            store = Store::open(store.root());
        }
        for round in 0..2 {
            let mut lost = 0;
            for (n, digest) in digests.iter().enumerate() {
                match get(&store, digest) {
                    Some(bytes) => assert_eq!(bytes, entry(n).as_bytes(), "{what}"),
                    None => lost += 1,
                }
            }
            // What is open is not looked at again.
            assert!(lost > 0 || !reopen, "{what}");
            let record = store.lookup(name("obj"), b"key");
            assert!(record.is_none_or(|found| found == digests), "{what}");
            if round == 0 {
                assert!(store.stats().quarantined <= 6, "{what}");
            }
        }
        let bad = store.stats().quarantined;
        for (n, digest) in digests.iter().enumerate() {
            assert_eq!(put(&store, entry(n).as_bytes()), *digest);
            assert_eq!(get(&store, digest).unwrap(), entry(n).as_bytes(), "{what}");
        }
        assert_eq!(store.stats().quarantined, bad, "{what}: found once");
        assert!(quarantined(&store) <= 16);
    }
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 16], at).unwrap();
}

#[test]
fn bad_entries_are_found_and_mended() {
    check_heals("contents", |path| flip(path, 1500));
    check_heals("header of an entry", |path| flip(path, 70));
    check_heals("header of the file", |path| flip(path, 30));
    check_heals("truncated", |path| fs::write(path, &fs::read(path).unwrap()[..3000]).unwrap());
    check_heals("empty", |path| fs::write(path, b"").unwrap());
    check_heals("garbage", |path| fs::write(path, b"garbage".repeat(1000)).unwrap());
    check_heals("gone", |path| fs::remove_file(path).unwrap());
    check_heals("a directory", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join("inside"), b"x").unwrap();
    });
    check_heals("a socket", |path| {
        fs::remove_file(path).unwrap();
        std::os::unix::net::UnixListener::bind(path).unwrap();
    });
    check_heals("others can write it", |path| set_mode(path, 0o622));
    check_heals("a link", |path| {
        fs::rename(path, path.with_extension("elsewhere")).unwrap();
        symlink(path.with_extension("elsewhere"), path).unwrap();
    });
    // Root alone can give files away.
    if path_is_ours_to_give_away() {
        check_heals("of another user", |path| chown(path, Some(54321), None).unwrap());
    }
    check_heals("a terabyte of nothing", |path| {
        fs::remove_file(path).unwrap();
        fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    });
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn path_is_ours_to_give_away() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    chown(file.path(), Some(54321), None).is_ok()
}

/// A directory that others could write is closed to them, and what they have put there is not used.
#[test]
fn directories_are_made_private_again() {
    let (_dir, store) = fresh();
    let digest = put(&store, b"a");
    set_mode(&store.root().join("cas"), 0o777);
    assert_eq!(get(&Store::open(store.root()), &digest).unwrap(), b"a");
    assert_eq!(store.root().join("cas").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

/// Two segments in each other's place, and one of another store.
#[test]
fn entries_of_others_are_not_taken_for_ours() {
    let (_dir, store) = fresh();
    let store = Store::with(store.root(), Config { max_size: 1 << 20, ..Config::default() });
    let entry = |n: u8| [n; 6000];
    let digests: Vec<_> = (0..4).map(|n| put(&store, &entry(n))).collect();
    let files = segments(&store);
    assert!(files.len() > 1);
    let spare = store.root().join("spare");
    for (from, to) in [(&files[0], &spare), (&files[1], &files[0]), (&spare, &files[1])] {
        fs::rename(from, to).unwrap();
    }
    let store = Store::open(store.root());
    for (n, digest) in digests.iter().enumerate() {
        let found = get(&store, digest);
        assert!(found.is_none_or(|found| found == entry(n as u8)), "{n}");
        assert_eq!(put(&store, &entry(n as u8)), *digest);
        assert_eq!(get(&store, digest).unwrap(), entry(n as u8));
    }
    let bad = store.stats().quarantined;
    assert!(bad > 0);
    assert_eq!(store.verify().unwrap().bad, 0);
    assert_eq!(store.stats().quarantined, bad, "found once");
}

/// The index is spoilt in every way, and nothing is lost.
#[test]
fn an_index_is_made_anew() {
    type Spoil<'a> = (&'a str, &'a dyn Fn(&Path));
    let spoil: &[Spoil] = &[
        ("gone", &|path| fs::remove_file(path).unwrap()),
        ("empty", &|path| fs::write(path, b"").unwrap()),
        ("zeros", &|path| fs::write(path, vec![0; fs::read(path).unwrap().len()]).unwrap()),
        ("garbage", &|path| fs::write(path, b"garbage".repeat(10_000)).unwrap()),
        ("truncated", &|path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        }),
        ("a directory", &|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("a link", &|path| {
            fs::rename(path, path.with_extension("elsewhere")).unwrap();
            symlink("index.elsewhere", path).unwrap();
        }),
        ("others can write it", &|path| set_mode(path, 0o666)),
        ("header", &|path| flip(path, 40)),
        ("a page of the table", &|path| {
            (0..50).for_each(|page| flip(path, 512 * page + 99));
        }),
    ];
    for (what, spoil) in spoil {
        for reopen in [false, true] {
            let (_dir, mut store) = fresh();
            let digests: Vec<_> =
                (0..300).map(|n: u32| store.put(Name::OTHER, &n.to_le_bytes()[..])).collect();
            digests.iter().for_each(|d| store.bind(name("obj"), &d.0, &[*d]));
            commit(&store);
            spoil(&store.root().join("cas/index"));
            if reopen {
                store = Store::open(store.root());
            }
            for (n, digest) in digests.iter().enumerate() {
                assert_eq!(get(&store, digest).unwrap(), (n as u32).to_le_bytes(), "{what}");
                assert_eq!(store.lookup(name("obj"), &digest.0), Some(vec![*digest]), "{what}");
            }
            put(&store, b"more");
            assert_eq!(store.summary().unwrap().unwrap().entries, 601, "{what}");
        }
    }
}

/// The newest of several records of a key is found again without an index.
#[test]
fn what_was_replaced_does_not_come_back() {
    let (_dir, store) = fresh();
    for n in 0..50_u32 {
        store.bind(name("obj"), b"key", &[Digest::of(&n.to_le_bytes())]);
        store.commit().unwrap();
    }
    fs::remove_file(store.root().join("cas/index")).unwrap();
    let last = Digest::of(&49_u32.to_le_bytes());
    assert_eq!(store.lookup(name("obj"), b"key"), Some(vec![last]));
}

#[test]
fn segments_of_other_stores_are_not_taken_for_ours() {
    let ((_a, one), (_b, two)) = (fresh(), fresh());
    let (a, b) = (put(&one, b"one"), put(&two, b"two"));
    fs::copy(&segments(&one)[0], &segments(&two)[0]).unwrap();
    assert_eq!(get(&two, &b), None);
    assert_eq!(get(&two, &a), None, "it is in no index");
    assert_eq!(get(&Store::open(two.root()), &b), None);
}

#[test]
fn files_in_place_of_directories_are_moved_away() {
    for place in ["cas", "cas/segments", "cas/holds"] {
        let (_dir, store) = fresh();
        let path = store.root().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"in the way").unwrap();
        assert_eq!(store.get(&Digest::of(b"a")), None);
        let digest = put(&store, b"a");
        assert_eq!(get(&Store::open(store.root()), &digest).unwrap(), b"a", "{place}");
        assert_eq!(quarantined(&store), 1, "{place}");
    }
}

#[test]
fn links_do_not_lead_out_of_the_store() {
    for place in ["cas", "cas/segments"] {
        let (dir, store) = fresh();
        let outside = dir.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        let link = store.root().join(place);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&outside, link).unwrap();
        let digest = put(&store, b"a");
        assert_eq!(files(&outside), Vec::<PathBuf>::new());
        assert_eq!(get(&Store::open(store.root()), &digest).unwrap(), b"a");
    }
}

#[test]
fn a_file_in_place_of_the_store_is_an_error_and_stays() {
    let (_dir, store) = fresh();
    fs::write(store.root(), b"someone else's").unwrap();
    let digest = store.put(Name::OTHER, &b"a"[..]);
    assert!(matches!(store.commit(), Err(Error::NotADirectory(_))));
    assert_eq!(get(&store, &digest).unwrap(), b"a", "it is kept in memory");
    assert_eq!(Store::open(store.root()).get(&digest), None);
    assert_eq!(fs::read(store.root()).unwrap(), b"someone else's");
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_cannot_be_written_says_so() {
    // Not even root can write there.
    let store = Store::open("/proc/self/castore");
    let digest = store.put(Name::OTHER, &b"a"[..]);
    let error = store.commit().unwrap_err();
    assert!(error.to_string().starts_with("cannot create /proc/self/castore: "), "{error}");
    assert_eq!(get(&store, &digest).unwrap(), b"a");
    let store = Store::open("/proc/self");
    store.put(Name::OTHER, &b"a"[..]);
    assert!(matches!(store.commit(), Err(Error::Io { .. })));
}

#[test]
fn a_store_deleted_under_its_user_starts_anew() {
    let (_dir, store) = fresh();
    for _ in 0..3 {
        let digest = put(&store, b"a");
        assert_eq!(get(&store, &digest).unwrap(), b"a");
        fs::remove_dir_all(store.root()).unwrap();
        assert_eq!(store.get(&digest), None);
    }
}

#[test]
fn a_store_that_is_only_read_stays_as_it_is() {
    let (_dir, store) = fresh();
    let digest = put(&store, b"a");
    let state = |store: &Store| -> Vec<_> {
        files(store.root()).iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    };
    let before = state(&store);
    let reader = Store::with(store.root(), Config { read_only: true, ..Config::default() });
    assert_eq!(get(&reader, &digest).unwrap(), b"a");
    assert_eq!(reader.get(&Digest::of(b"b")), None);
    let more = reader.put(Name::OTHER, &b"b"[..]);
    reader.commit().unwrap();
    assert_eq!(get(&reader, &more).unwrap(), b"b");
    flip(&segments(&store)[0], 64 + 128);
    assert_eq!(reader.get(&digest), None);
    flip(&segments(&store)[0], 64 + 128);
    assert_eq!(state(&store), before);
    let absent = Store::with(store.root().join("absent"), reader_config());
    assert_eq!(absent.get(&digest), None);
    assert!(!absent.root().exists());
}

fn reader_config() -> Config {
    Config { read_only: true, ..Config::default() }
}

#[test]
fn handles_and_threads_share_a_directory() {
    let (_dir, one) = fresh();
    let two = Store::open(one.root());
    let blob = |n: usize| n.to_string().repeat(100 + n);
    thread::scope(|scope| {
        for store in [&one, &one, &two, &two] {
            scope.spawn(move || {
                for n in 0..200 {
                    let digest = put(store, blob(n).as_bytes());
                    store.bind(name("obj"), &n.to_le_bytes(), &[digest]);
                    store.commit().unwrap();
                    assert_eq!(store.lookup(name("obj"), &n.to_le_bytes()), Some(vec![digest]));
                    assert_eq!(get(store, &digest).unwrap(), blob(n).into_bytes());
                }
            });
        }
    });
    assert_eq!(one.summary().unwrap().unwrap().entries, 400);
    assert_eq!(one.stats().quarantined + two.stats().quarantined, 0);
}

#[test]
fn everything_can_be_looked_at_verified_and_removed() {
    let (_dir, store) = fresh();
    let (obj, bc) = (name("obj"), name("bc"));
    let blobs: Vec<Digest> = (0..40)
        .map(|n: u32| {
            let name = if n.is_multiple_of(2) { obj } else { bc };
            store.put(name, n.to_le_bytes().repeat(100))
        })
        .collect();
    store.bind(obj, b"key", &blobs);
    commit(&store);
    let entries = store.entries().unwrap();
    assert_eq!(entries.len(), 41);
    assert!(entries.is_sorted_by_key(|entry| entry.used));
    assert_eq!(entries[..40].iter().map(|entry| entry.key).collect::<Vec<_>>(), blobs);
    assert!(entries[..40].iter().all(|entry| entry.is_blob && entry.bytes == 400));
    assert!(!entries[40].is_blob && entries[40].name == obj);
    let sound = store.verify().unwrap();
    assert_eq!((sound.good, sound.bytes, sound.bad), (41, 40 * 400 + 40 * 32, 0));
    assert_eq!(store.entries().unwrap(), entries, "looking is not using");
    flip(&segments(&store)[0], 64 + 128 + 7);
    flip(&segments(&store)[0], 64 + 576 + 7);
    let found = store.verify().unwrap();
    assert_eq!((found.good, found.bad), (39, 2));
    assert_eq!(store.verify().unwrap().bad, 0, "what was bad is gone");
    assert_eq!(store.remove(|entry| entry.name == bc).unwrap(), 19);
    assert_eq!(store.entries().unwrap().len(), 20);
    assert!(store.entries().unwrap().iter().all(|entry| entry.name == obj));
    assert_eq!(store.remove(|_| true).unwrap(), 20);
    assert_eq!(segments(&store), Vec::<PathBuf>::new());
}

#[test]
fn what_is_compressed_comes_back_and_is_verified() {
    let (_dir, plain) = fresh();
    let config = Config { compression: Some(1), ..Config::default() };
    let store = Store::with(plain.root(), config);
    let text: Vec<u8> = (0..60_000_u32).flat_map(|n| [((n * n) >> 7) as u8, 0, 0, 0]).collect();
    let digest = put(&store, &text);
    assert!(size(&store) < 200_000, "{}", size(&store));
    for reader in [&store, &plain, &Store::open(plain.root())] {
        assert_eq!(get(reader, &digest).unwrap(), text);
    }
    put(&plain, &text);
    assert_eq!(plain.stats().written, 0, "it is the same blob");
    fs::remove_file(store.root().join("cas/index")).unwrap();
    assert_eq!(get(&store, &digest).unwrap(), text);
    for at in [64, 64 + 128, 64 + 128 + 12, 64 + 128 + 9999] {
        flip(&segments(&store)[0], at);
        let found = get(&Store::open(store.root()), &digest);
        // Not every bit of a frame matters.
        assert!(found.is_none_or(|found| found == text && at > 200), "{at}");
        store.remove(|_| true).unwrap();
        put(&store, &text);
    }
}

#[test]
fn what_was_saved_is_known() {
    let (_dir, store) = fresh();
    let digest = put(&store, b"value");
    let time = std::time::Duration::from_millis(5);
    store.bind_made(name("obj"), b"key", &[digest], time);
    store.bind(name("obj"), b"other", &[digest]);
    commit(&store);
    fs::remove_file(store.root().join("cas/index")).unwrap();
    let reader = Store::open(store.root());
    for _ in 0..2 {
        reader.lookup(name("obj"), b"key").unwrap();
        reader.lookup(name("obj"), b"other").unwrap();
        assert!(reader.lookup(name("obj"), b"absent").is_none());
        reader.get(&digest).unwrap();
    }
    let summary = store.summary().unwrap().unwrap();
    assert_eq!((summary.totals.hits, summary.totals.saved), (6, 10_000));
    let castore::Latest { hits, misses, saved } = summary.latest;
    assert_eq!((hits, misses, saved), (6, 2, 10_000));
    let last = Store::open(store.root());
    last.get(&digest).unwrap();
    assert_eq!(store.summary().unwrap().unwrap().latest.hits, 1);
}

/// Large blobs are lent from the file, and are verified there.
#[test]
fn a_view_is_verified_and_outlives_its_entry() {
    let dir = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let store = Store::open(dir.path());
    let [kept, damaged] = [large.clone(), large[4..].to_vec()].map(|b| store.put(Name::OTHER, b));
    store.commit().unwrap();
    let store = Store::open(dir.path());
    let view = store.view(&kept).expect("it is there");
    assert!(format!("{view:?}").contains("mapped"), "{view:?}");
    assert_eq!(view[..], large[..]);
    assert_eq!(store.get(&kept).as_deref(), Some(&large[..]));
    let segment = largest_segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.len();
    bytes[end - 1000] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert!(store.view(&damaged).is_none(), "one bit has changed");
    assert_eq!(store.stats().quarantined, 1);
    // Whatever becomes of the entry, nobody pulls the bytes away.
    store.remove(|_| true).unwrap();
    assert_eq!(view[..], large[..]);
    assert!(store.view(&kept).is_none());
}

fn largest_segment(root: &Path) -> PathBuf {
    let files = fs::read_dir(root.join("cas/segments")).unwrap().map(|file| file.unwrap().path());
    files.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

/// What is set aside may be in use.
#[test]
fn a_damaged_segment_is_not_made_shorter() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path());
    let digest = store.put(Name::OTHER, vec![7; 1 << 20]);
    store.commit().unwrap();
    let store = Store::open(dir.path());
    let view = store.view(&digest).expect("it is there");
    let segment = largest_segment(dir.path());
    let file = fs::File::options().write(true).open(&segment).unwrap();
    file.write_all_at(b"x", 0).unwrap();
    fs::remove_file(dir.path().join("cas/index")).unwrap();
    let store = Store::open(dir.path());
    assert!(store.get(&digest).is_none(), "the segment is bad");
    assert!(!segment.exists());
    assert_eq!(file.metadata().unwrap().len() >> 20, 1, "the file is as long as before");
    assert!(view.iter().all(|byte| *byte == 7));
}

/// Files of others in the directory are held to the same rules.
#[test]
fn what_lies_beside_the_store_is_its_owners_or_is_not_used() {
    let (_dir, store) = fresh();
    put(&store, b"makes the directory");
    let folder = store.root().join("graph");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.join("image");
    assert!(store.admits(&file), "nothing is there");
    let write = || fs::write(&file, "contents").unwrap();
    let cases: [(&str, &dyn Fn()); 5] = [
        ("writable", &|| {
            write();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("a link", &|| symlink("/etc/passwd", &file).unwrap()),
        ("a directory", &|| fs::create_dir_all(file.join("inner")).unwrap()),
        ("dangling", &|| symlink("nowhere", &file).unwrap()),
        ("of another", &|| {
            write();
            // Where this user may not give files away there is nothing to be found out.
            if chown(&file, Some(12345), None).is_err() {
                fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).unwrap();
            }
        }),
    ];
    for (number, (what, make)) in (1..).zip(cases) {
        make();
        assert!(!store.admits(&file), "{what}");
        assert!(file.symlink_metadata().is_err(), "{what} is set aside");
        assert_eq!(store.stats().quarantined, number, "{what}");
        assert_eq!(store.summary().unwrap().unwrap().totals.quarantined, number, "{what}");
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    write();
    assert!(store.admits(&file) && file.exists());
    // The folder itself.
    let away = store.root().join("away");
    fs::rename(&folder, &away).unwrap();
    for make in [&|| symlink(&away, &folder).unwrap() as _, &|| fs::write(&folder, "").unwrap()]
        as [&dyn Fn(); 2]
    {
        make();
        let before = store.stats().quarantined;
        assert!(!store.admits(&file) && folder.symlink_metadata().is_err());
        assert_eq!(store.stats().quarantined, before + 1);
        assert!(away.join("image").exists());
    }
    fs::rename(&away, &folder).unwrap();
    let config = Config { read_only: true, ..Config::default() };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!Store::with(store.root(), config).admits(&file));
    assert!(file.exists(), "a store that is only read leaves it");
}

/// What is put again after damage was seen is written, though the index knows an equal blob: that
/// may be damaged, too, and nobody has read it.
#[test]
fn what_nobody_has_read_is_healed_with_the_rest() {
    let (_dir, store) = fresh();
    let digests = [b"first".as_slice(), b"second"].map(|bytes| put(&store, bytes));
    let segment = largest_segment(store.root());
    fs::remove_file(&segment).unwrap();
    fs::create_dir(&segment).unwrap();
    let store = Store::open(store.root());
    assert!(store.get(&digests[0]).is_none());
    for bytes in [b"first".as_slice(), b"second"] {
        put(&store, bytes);
    }
    let store = Store::open(store.root());
    assert!(digests.iter().all(|digest| store.get(digest).is_some()));
    assert_eq!(store.stats().quarantined, 0);
}

/// Whoever verifies finds all damage, tells it in the statistics, and changes no others.
#[test]
fn damage_that_nobody_has_read_is_found_and_counted() {
    let (_dir, store) = fresh();
    let digests: Vec<Digest> = (0..20_u8).map(|n| put(&store, &[n; 200])).collect();
    assert!(digests.iter().all(|digest| Store::open(store.root()).get(digest).is_some()));
    let segment = largest_segment(store.root());
    let mut bytes = fs::read(&segment).unwrap();
    // The contents of one, and the header of another.
    let entry = 384;
    bytes[64 + 3 * entry + 128 + 7] ^= 1;
    bytes[64 + 5 * entry + 9] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let totals = || Store::open(store.root()).summary().unwrap().unwrap().totals;
    let hits = totals().hits;
    let config = Config { read_only: true, ..Config::default() };
    let found = Store::with(store.root(), config).verify().unwrap();
    assert_eq!((found.good, found.bad), (18, 2));
    assert_eq!(totals().quarantined, 0, "who only reads leaves it all");
    assert_eq!(Store::with(store.root(), config).evict_until(0, u64::MAX).unwrap(), 0);
    let found = Store::open(store.root()).verify().unwrap();
    assert_eq!((found.good, found.bad), (18, 2));
    assert_eq!((totals().quarantined, totals().hits), (2, hits));
    assert_eq!(Store::open(store.root()).verify().unwrap().bad, 0);
    assert_eq!(totals().quarantined, 2);
}

/// Links in place of the directories are not followed, neither by who reads nor by who writes.
#[test]
fn directories_that_are_links_are_not_followed() {
    for dir in ["cas", "cas/segments", "cas/holds"] {
        let (_dir, store) = fresh();
        let digest = put(&store, b"something");
        drop(store.summary());
        let (dir, away) = (store.root().join(dir), store.root().join("away"));
        fs::rename(&dir, &away).unwrap();
        symlink(&away, &dir).unwrap();
        let config = Config { read_only: true, ..Config::default() };
        assert!(Store::with(store.root(), config).get(&digest).is_none());
        let other = Store::open(store.root());
        let found = other.get(&digest);
        assert!(found.is_none() || dir.ends_with("holds"), "{dir:?}");
        assert_eq!(other.stats().quarantined.min(1), 1);
        put(&other, b"else");
        assert!(dir.symlink_metadata().unwrap().is_dir());
        assert!(Store::open(store.root()).get(&Digest::of(b"else")).is_some());
    }
}
