//! Damaged and foreign images are misses.

use crate::{random::Random, toy::*};
use redgreen::{Database, Db, Group, Identity, Options, Registry};
use std::{fs, path::Path};

fn saved() -> (Project, Vec<u8>) {
    let project = Project::new();
    project.files.write("a", "fn f(int) x\n");
    let image = project.build().snapshot.image();
    (project, image)
}

fn open(project: &Project, path: &Path, identity: Identity, groups: &[&Group]) -> Database {
    let world = project.files.clone();
    let options = Options::new(Registry::new(groups), world);
    Database::open(Options { image: Some(path.into()), identity, ..options })
}

/// Whether an image is used. One that is not is that of somebody else here, and not damaged.
fn opens(project: &Project, path: &Path, identity: Identity, groups: &[&Group]) -> bool {
    let db = open(project, path, identity, groups);
    assert!(!db.image_was_damaged());
    db.graph().has_image()
}

fn is_found_damaged(project: &Project, path: &Path, bytes: &[u8]) -> bool {
    fs::write(path, bytes).unwrap();
    let db = open(project, path, IDENTITY, GROUPS);
    assert!(!(db.graph().has_image() && db.image_was_damaged()));
    db.image_was_damaged()
}

#[test]
fn every_flipped_bit_and_every_truncation_is_a_miss() {
    let (project, good) = saved();
    let path = project.directory.path().join("damaged");
    let miss = |bytes: &[u8]| is_found_damaged(&project, &path, bytes);
    assert!(!miss(&good));
    for at in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[at / 8] ^= 1 << (at % 8);
        // An image of another format is not damaged, for all that this one can tell.
        assert!(miss(&bad) != FORMAT.contains(&(at / 8)), "flip of bit {at}");
        assert!(!open(&project, &path, IDENTITY, GROUPS).graph().has_image());
    }
    for length in 0..good.len() {
        assert!(miss(&good[..length]), "truncation to {length}");
    }
    assert!(miss(&[&good[..], &[0; 16]].concat()));
    assert!(miss(&[]));
}

#[test]
fn flipped_bits_of_a_large_image_are_misses() {
    let project = Project::new();
    for file in 0..60 {
        let line = |function| format!("fn f{function}(int{function}) w{file} @m{file}.f0\n");
        project.files.write(&format!("m{file}"), &(1..40).map(line).collect::<String>());
    }
    let good = project.build().snapshot.image();
    assert!(good.len() > 100_000, "{} bytes", good.len());
    let path = project.directory.path().join("damaged");
    let random = &mut Random(11);
    for _ in 0..300 {
        let mut bad = good.clone();
        let at = random.below(good.len());
        bad[at] ^= 1 << random.below(8);
        if !FORMAT.contains(&at) {
            assert!(is_found_damaged(&project, &path, &bad), "flip in byte {at}");
        }
    }
}

/// With a damaged patch there is no image, or that without the patch; what is built is right either way.
#[test]
fn damaged_patches_are_misses() {
    let project = Project::new();
    let text = |word| (0..40).map(|name| format!("fn f{name}(int) {word}\n")).collect::<String>();
    ["a", "b"].iter().for_each(|file| project.files.write(file, &text("word")));
    project.build();
    project.files.write("a", &text("word").replacen("word", "other", 1));
    let expected = project.build();
    let path = redgreen::patch_path(&project.image());
    let good = fs::read(&path).unwrap();
    let check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let mut db = project.open();
        assert!(db.image_was_damaged() != db.graph().has_image(), "{what}");
        let is_ignored = db.graph().has_image();
        if is_ignored {
            let built = build(&mut db).unwrap();
            assert_eq!(built.result, expected.result, "{what}");
            assert_eq!(built.snapshot.image(), expected.snapshot.image(), "{what}");
        }
        is_ignored
    };
    let mut ignored = 0;
    for at in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[at / 8] ^= 1 << (at % 8);
        ignored += u32::from(check(&bad, &format!("flip of bit {at}")));
    }
    for length in 0..good.len() {
        assert!(!check(&good[..length], &format!("truncation to {length}")));
    }
    // Two letters of the magic are the version.
    assert_eq!(ignored, 16);
    assert!(check(&good, "the good one"));
}

/// The word of the format in the header of an image.
const FORMAT: std::ops::Range<usize> = 8..16;

#[test]
fn images_of_the_future_are_misses() {
    let (project, good) = saved();
    let path = project.directory.path().join("future");
    for format in [0, 1, 3, 255, u64::MAX] {
        let mut other = good.clone();
        other[FORMAT].copy_from_slice(&format.to_ne_bytes());
        seal(&mut other);
        fs::write(&path, &other).unwrap();
        assert!(!opens(&project, &path, IDENTITY, GROUPS), "format {format}");
    }
    let mut same = good;
    seal(&mut same);
    fs::write(&path, &same).unwrap();
    assert!(opens(&project, &path, IDENTITY, GROUPS), "the checksum is computed as it should be");
}

/// Images that somebody made to do harm, with a right checksum: numbers, lengths and offsets of all kinds.
/// Whoever can write there can have a wrong result, but no panic, and no more memory than the file
/// has.
#[test]
fn hostile_images_do_no_harm() {
    let (project, good) = saved();
    let path = project.directory.path().join("hostile");
    let seeds = std::env::var("REDGREEN_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let random = &mut Random(99);
    let numbers = [0, 1, 2, 0x7f, 0xff, 0x7fff_ffff, u32::MAX, u32::MAX - 1, 1 << 20];
    let mut built = 0;
    for _ in 0..seeds.unwrap_or(12) * 250 {
        let mut bad = good.clone();
        for _ in 0..=random.below(4) {
            // The header's magic and identity stay: without them nothing is looked at.
            let at = 48 + random.below(bad.len() - 48);
            match random.below(4) {
                0 => bad[at] ^= 1 << random.below(8),
                1 => bad.truncate(at.max(200)),
                2 => bad.extend_from_within(at.min(good.len() - 1).min(bad.len() - 1)..),
                _ => {
                    let number = numbers[random.below(numbers.len())];
                    let at = (at & !3).min(bad.len() - 4);
                    bad[at..at + 4].copy_from_slice(&u32::to_ne_bytes(number));
                }
            }
        }
        if random.below(2) == 0 {
            let length = bad.len() as u64;
            bad[64..72].copy_from_slice(&length.to_ne_bytes());
        }
        seal(&mut bad);
        fs::write(&path, &bad).unwrap();
        let world = project.files.clone();
        let options = Options::new(Registry::new(GROUPS), world);
        let mut db =
            Database::open(Options { image: Some(path.clone()), identity: IDENTITY, ..options });
        built += usize::from(db.graph().has_image());
        let _ = db.attempt(|db| *link(db, redgreen::Root));
    }
    assert!(built > 10, "{built} of them were good enough to be opened");
}

mod more {
    redgreen::queries! {
        /// One query more.
        pub static QUERIES;
        transient fn more(redgreen::Root) -> u32 = zero;
    }
    fn zero(_: &dyn redgreen::Db, _: &redgreen::Root) -> u32 {
        0
    }
}

#[test]
fn images_of_others_are_misses() {
    let (project, _) = saved();
    let path = project.image();
    let identity = Identity { build: 43, ..IDENTITY };
    assert!(!opens(&project, &path, identity, GROUPS));
    assert!(!opens(&project, &path, Identity { options: 1, ..IDENTITY }, GROUPS));
    assert!(!opens(&project, &path, IDENTITY, &[GROUPS[0], &more::QUERIES]));
    assert!(!opens(&project, Path::new("/nowhere/image"), IDENTITY, GROUPS));
    assert!(!opens(&project, project.directory.path(), IDENTITY, GROUPS));
    assert!(opens(&project, &path, IDENTITY, GROUPS));
}

/// Whoever can compute the checksum can write anything: still no panic and no reading out of bounds.
#[test]
fn forged_images_do_no_harm() {
    let (project, good) = saved();
    let path = project.directory.path().join("forged");
    let mut built = 0;
    for at in (80..good.len()).step_by(2) {
        for value in [0, 1, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            seal(&mut bad);
            fs::write(&path, &bad).unwrap();
            let world = project.files.clone();
            let options = Options::new(Registry::new(GROUPS), world);
            let identity = IDENTITY;
            let options = Options { image: Some(path.clone()), identity, ..options };
            let mut db = Database::open(options);
            built += usize::from(db.graph().has_image());
            // A blob of a forged digest cannot be found, and that may be all we learn.
            let _ = db.attempt(|db| *link(db, redgreen::Root));
        }
    }
    assert!(built > 0, "no forgery was good enough to be opened");
}

/// Computes the checksum as the format has it: of all bytes, with its own counted as zero.
fn seal(image: &mut [u8]) {
    image[72..80].fill(0);
    let checksum = xxhash_rust::xxh3::xxh3_64(image);
    image[72..80].copy_from_slice(&checksum.to_ne_bytes());
}

#[test]
fn records_that_are_damaged_are_misses() {
    let (project, _) = saved();
    let built = project.build();
    let path = project.directory.path().join("record");
    built.log.write(&path).unwrap();
    assert_eq!(redgreen::BuildLog::load(&path), Some(built.log.clone()));
    // A program that knows none of these queries.
    let strange = built.log.record(&Registry::new(&[]));
    assert_eq!(strange.counts, built.record.counts);
    assert!(strange.executed.iter().all(|run| run.node.to_string() == "?(?)"));
    built.snapshot.root_record(vec![1, 2, 3]).write(&path).unwrap();
    assert_eq!(redgreen::BuildLog::load(&path), None);
    let good = fs::read(&path).unwrap();
    let load = || redgreen::RootRecord::load(&path);
    assert!(load().unwrap().is_some());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        // The digits of the version are not there to tell damage.
        let expected = if (6..8).contains(&at) { Ok(None) } else { Err(redgreen::Damaged) };
        assert_eq!(load(), expected, "flip in byte {at}");
        fs::write(&path, &good[..at]).unwrap();
        assert_eq!(load(), Err(redgreen::Damaged), "truncation to {at}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(load(), Ok(None));
}
