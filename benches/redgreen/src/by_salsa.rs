//! The queries with salsa alone. What was written is read as a whole, as salsa has it.

use crate::model::{FILES, LINES, Line, Texts, add, parse};
use salsa::{Setter as _, plumbing::ZalsaDatabase as _};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

static COMPUTED: AtomicUsize = AtomicUsize::new(0);

#[salsa::input(persist)]
struct File {
    #[returns(copy)]
    number: u32,
    #[returns(copy)]
    change: u64,
    #[returns(ref)]
    text: String,
}

/// All files, by their numbers.
#[salsa::input(persist, singleton)]
struct All {
    #[returns(ref)]
    files: Vec<File>,
}

#[salsa::tracked(returns(ref))]
fn lines(db: &dyn salsa::Database, file: File) -> Vec<Line> {
    parse(file.text(db))
}

#[salsa::tracked(returns(copy), persist)]
fn value(db: &dyn salsa::Database, file: File, line: u32) -> u64 {
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    let (adds, to) = lines(db, file)[line as usize];
    let other = |(file, line): (u32, u32)| value(db, All::get(db).files(db)[file as usize], line);
    add(to.map_or(0, other), adds)
}

#[salsa::tracked(returns(copy), persist)]
fn sum(db: &dyn salsa::Database, file: File) -> u64 {
    (0..LINES).fold(0, |sum: u64, line| sum.wrapping_add(value(db, file, line)))
}

#[salsa::tracked(returns(copy), persist)]
fn total(db: &dyn salsa::Database, all: All) -> u64 {
    let files = &all.files(db)[..FILES as usize];
    files.iter().fold(0, |total: u64, file| total.wrapping_add(sum(db, *file)))
}

/// Reads, computes, writes.
pub fn process(texts: &Texts, path: &Path) -> (usize, u64) {
    COMPUTED.store(0, Ordering::Relaxed);
    let mut db = salsa::DatabaseImpl::new();
    let mut changed = true;
    match fs::read(path) {
        Ok(bytes) => {
            let mut from = serde_json::Deserializer::from_slice(&bytes);
            <dyn salsa::Database>::deserialize(&mut db, &mut from).expect("it was written");
            changed = update(&mut db, texts);
        }
        Err(_) => {
            let new = |(number, (change, text)): (usize, &(u64, String))| {
                File::new(&db, number as u32, *change, text.clone())
            };
            let files = texts.iter().enumerate().map(new).collect();
            All::new(&db, files);
        }
    }
    let all = All::get(&db);
    // A function that was never called cannot be verified, and panics: from the leaves on.
    value(&db, all.files(&db)[0], 0);
    sum(&db, all.files(&db)[0]);
    let result = total(&db, all);
    if changed {
        let bytes = serde_json::to_vec(&<dyn salsa::Database>::as_serialize(&mut db));
        fs::write(path, bytes.expect("it is memory")).expect("there is room");
    }
    (COMPUTED.load(Ordering::Relaxed), result)
}

/// Sets the texts that are others. Whether there were any.
fn update(db: &mut salsa::DatabaseImpl, texts: &Texts) -> bool {
    let files: Vec<File> =
        File::ingredient(db).entries(db.zalsa()).map(|entry| entry.as_struct()).collect();
    let mut changed = false;
    for file in files {
        let (change, text) = &texts[file.number(db) as usize];
        if file.change(db) != *change {
            changed = true;
            file.set_change(db).to(*change);
            file.set_text(db).to(text.clone());
        }
    }
    changed
}
