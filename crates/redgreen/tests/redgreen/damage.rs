//! Damaged and foreign images are misses.

use crate::toy::*;
use redgreen::{Database, Db, Group, Identity, Options, Registry};
use std::{fs, path::Path};

fn saved() -> (Project, Vec<u8>) {
    let project = Project::new();
    project.files.write("a", "fn f(int) x\n");
    let image = project.build().snapshot.image().to_vec();
    (project, image)
}

fn opens(project: &Project, path: &Path, identity: Identity, groups: &[&Group]) -> bool {
    let world = project.files.clone();
    let options = Options::new(Registry::new(groups), world);
    let db = Database::open(Options { image: Some(path.into()), identity, ..options });
    db.graph().has_image()
}

#[test]
fn every_flipped_bit_and_every_truncation_is_a_miss() {
    let (project, good) = saved();
    let path = project.directory.path().join("damaged");
    let miss = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        !opens(&project, &path, IDENTITY, GROUPS)
    };
    assert!(!miss(&good));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(miss(&bad), "flip in byte {at}");
    }
    for length in 0..good.len() {
        assert!(miss(&good[..length]), "truncation to {length}");
    }
    assert!(miss(&[&good[..], &[0; 16]].concat()));
    assert!(miss(&[]));
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
    built.record.write(&path).unwrap();
    assert_eq!(redgreen::BuildRecord::load(&path), Some(built.record));
    built.snapshot.root_record(vec![1, 2, 3]).write(&path).unwrap();
    assert_eq!(redgreen::BuildRecord::load(&path), None);
    let good = fs::read(&path).unwrap();
    assert!(redgreen::RootRecord::load(&path).is_some());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        assert_eq!(redgreen::RootRecord::load(&path), None, "flip in byte {at}");
        fs::write(&path, &good[..at]).unwrap();
        assert_eq!(redgreen::RootRecord::load(&path), None, "truncation to {at}");
    }
}
