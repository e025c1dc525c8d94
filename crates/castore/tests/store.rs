//! The store from outside: what it keeps, and what it does about everything that can lie in its way.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{Digest, Error, Stats, Store};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join(".cache"));
    (dir, store)
}

fn blob_path(store: &Store, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    store.root().join("cas").join(&name[..1]).join(&name[1..])
}

/// Every file below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn quarantined(store: &Store) -> usize {
    fs::read_dir(store.root().join("quarantine")).map_or(0, Iterator::count)
}

#[test]
fn nothing_is_created_before_the_first_write() {
    let (dir, store) = fresh();
    let digest = Digest::of(b"x");
    assert_eq!(store.get(&digest), None);
    assert_eq!(store.path(&digest), None);
    assert_eq!(store.lookup("obj", b"key"), None);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_eq!(store.stats(), Stats { misses: 3, ..Stats::default() });
}

#[test]
fn what_is_put_can_be_got() {
    let (_dir, store) = fresh();
    for bytes in [&b""[..], b"a", &[7; 100_000]] {
        let digest = store.put(bytes).unwrap();
        assert_eq!(digest, Digest::of(bytes));
        assert!(store.contains(&digest));
        assert_eq!(store.get(&digest).as_deref(), Some(bytes));
        assert_eq!(fs::read(store.path(&digest).unwrap()).unwrap(), bytes);
    }
    assert_eq!(store.stats(), Stats { hits: 6, written: 3, ..Stats::default() });
    store.put(b"a").unwrap();
    assert_eq!(store.stats().written, 3, "a blob that is there is not written again");
    assert!(
        fs::read_to_string(store.root().join("CACHEDIR.TAG"))
            .unwrap()
            .starts_with("Signature: 8a477f597d28d172789f06886806bc55")
    );
    assert_eq!(files(&store.root().join("tmp")), Vec::<PathBuf>::new());
}

#[cfg(unix)]
#[test]
fn the_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, store) = fresh();
    store.put(b"a").unwrap();
    for dir in [store.root().to_owned(), store.root().join("cas")] {
        assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn names_stand_for_digests() {
    let (_dir, store) = fresh();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    store.bind("obj", b"key", &[one, two]).unwrap();
    store.bind("bc", b"key", &[two]).unwrap();
    assert_eq!(store.lookup("obj", b"key"), Some(vec![one, two]));
    assert_eq!(store.lookup("bc", b"key"), Some(vec![two]));
    assert_eq!(store.lookup("obj", b"other"), None);
    store.bind("obj", b"key", &[two]).unwrap();
    assert_eq!(store.lookup("obj", b"key"), Some(vec![two]));
    for name in ["", "..", "a/b", "Obj", "ä"] {
        assert!(matches!(store.bind(name, b"key", &[]), Err(Error::BadName(_))), "{name}");
        assert_eq!(store.lookup(name, b"key"), None);
    }
}

/// Puts a blob, spoils it, and checks that the loss is noticed once, by either way of reading, and
/// mended by the next `put`.
fn check_heals(spoil: impl Fn(&Path)) {
    let read_back: [fn(&Store, &Digest) -> bool; 2] =
        [|store, digest| store.get(digest).is_some(), |store, digest| store.path(digest).is_some()];
    for read in read_back {
        let (_dir, store) = fresh();
        let digest = store.put(b"precious").unwrap();
        spoil(&blob_path(&store, &digest));
        assert!(!read(&store, &digest));
        assert_eq!((store.stats().quarantined, quarantined(&store)), (1, 1));
        assert!(!read(&store, &digest));
        assert_eq!(store.stats(), Stats { misses: 2, written: 1, quarantined: 1, hits: 0 });
        store.put(b"precious").unwrap();
        assert!(read(&store, &digest));
    }
}

#[test]
fn bad_entries_are_moved_away_and_mended() {
    check_heals(|path| fs::write(path, b"PRECIOUS").unwrap());
    check_heals(|path| fs::write(path, b"prec").unwrap());
    check_heals(|path| fs::write(path, b"").unwrap());
    check_heals(|path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join("inside"), b"x").unwrap();
    });
    #[cfg(unix)]
    check_heals(|path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, path).unwrap();
    });
    #[cfg(unix)]
    check_heals(|path| {
        fs::remove_file(path).unwrap();
        std::os::unix::net::UnixListener::bind(path).unwrap();
    });
    // No blob is that large, so it must not even be read.
    check_heals(|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
}

#[test]
fn a_put_mends_what_has_the_wrong_size_or_kind() {
    let (_dir, store) = fresh();
    let digest = store.put(b"precious").unwrap();
    let path = blob_path(&store, &digest);
    fs::write(&path, b"short").unwrap();
    store.put(b"precious").unwrap();
    assert_eq!(store.get(&digest).as_deref(), Some(&b"precious"[..]));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    store.put(b"precious").unwrap();
    assert_eq!(store.get(&digest).as_deref(), Some(&b"precious"[..]));
    assert_eq!(store.stats().quarantined, 1);
}

#[test]
fn bad_records_are_moved_away() {
    let (_dir, store) = fresh();
    let one = Digest::of(b"one");
    store.bind("obj", b"key", &[one]).unwrap();
    store.bind("obj", b"other", &[one]).unwrap();
    let records = files(&store.root().join("refs"));
    assert_eq!(records.len(), 2);
    // Each in the place of the other.
    let swap = store.root().join("swap");
    fs::rename(&records[0], &swap).unwrap();
    fs::rename(&records[1], &records[0]).unwrap();
    fs::rename(&swap, &records[1]).unwrap();
    assert_eq!(store.lookup("obj", b"key"), None);
    assert_eq!(store.lookup("obj", b"other"), None);
    assert_eq!(store.stats().quarantined, 2);
    store.bind("obj", b"key", &[one]).unwrap();
    assert_eq!(store.lookup("obj", b"key"), Some(vec![one]));
    for garbage in [&b""[..], b"garbage", &[0; 200], &[0xff; 2_000_000]] {
        fs::write(&files(&store.root().join("refs"))[0], garbage).unwrap();
        assert_eq!(store.lookup("obj", b"key"), None);
        store.bind("obj", b"key", &[one]).unwrap();
    }
    assert_eq!(store.stats().quarantined, 6);
}

#[test]
fn files_in_place_of_directories_are_moved_away() {
    for place in ["cas", "tmp", "refs", "refs/obj"] {
        let (_dir, store) = fresh();
        let path = store.root().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"in the way").unwrap();
        let digest = Digest::of(b"a");
        assert_eq!(store.get(&digest), None);
        assert_eq!(store.lookup("obj", b"key"), None);
        store.put(b"a").unwrap();
        store.bind("obj", b"key", &[digest]).unwrap();
        assert_eq!(store.get(&digest).as_deref(), Some(&b"a"[..]), "{place}");
        assert_eq!(store.lookup("obj", b"key"), Some(vec![digest]), "{place}");
        assert_eq!(quarantined(&store), 1, "{place}");
    }
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_store() {
    let (dir, store) = fresh();
    let outside = dir.path().join("outside");
    let digest = Digest::of(b"a");
    fs::create_dir_all(outside.join(&digest.to_string()[..2])).unwrap();
    fs::create_dir(store.root()).unwrap();
    std::os::unix::fs::symlink(&outside, store.root().join("cas")).unwrap();
    store.put(b"a").unwrap();
    assert_eq!(files(&outside), Vec::<PathBuf>::new());
    assert_eq!(store.get(&digest).as_deref(), Some(&b"a"[..]));
}

#[test]
fn a_file_in_place_of_the_store_is_an_error_and_stays() {
    let (_dir, store) = fresh();
    fs::write(store.root(), b"someone else's").unwrap();
    assert!(matches!(store.put(b"a"), Err(Error::NotADirectory(_))));
    assert!(matches!(store.bind("obj", b"k", &[]), Err(Error::NotADirectory(_))));
    assert_eq!(store.get(&Digest::of(b"a")), None);
    assert_eq!(fs::read(store.root()).unwrap(), b"someone else's");
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_cannot_be_written_says_so() {
    // Not even root can write there.
    let store = Store::open("/proc/self/castore");
    let error = store.put(b"a").unwrap_err();
    assert!(error.to_string().starts_with("cannot create /proc/self/castore: "), "{error}");
    assert_eq!(store.get(&Digest::of(b"a")), None);
    let store = Store::open("/proc/self");
    assert!(matches!(store.put(b"a"), Err(Error::Io { .. })));
}

#[test]
fn a_store_deleted_under_its_user_starts_anew() {
    let (_dir, store) = fresh();
    let digest = store.put(b"a").unwrap();
    fs::remove_dir_all(store.root()).unwrap();
    assert_eq!(store.get(&digest), None);
    store.put(b"a").unwrap();
    assert_eq!(store.get(&digest).as_deref(), Some(&b"a"[..]));
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
                    let digest = store.put(blob(n).as_bytes()).unwrap();
                    store.bind("obj", &n.to_le_bytes(), &[digest]).unwrap();
                    assert_eq!(store.lookup("obj", &n.to_le_bytes()), Some(vec![digest]));
                    assert_eq!(store.get(&digest), Some(blob(n).into_bytes()));
                }
            });
        }
    });
    assert_eq!(files(&one.root().join("cas")).len(), 200);
    assert_eq!(one.stats().quarantined + two.stats().quarantined, 0);
}
