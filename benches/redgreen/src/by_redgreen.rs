//! The queries with redgreen.

use crate::model::{FILES, LINES, Line, Texts, add, parse};
use redgreen::{Database, Db, Identity, Options, Registry, Root, Stamp};
use std::{path::Path, sync::Arc};

redgreen::queries! {
    /// All of them.
    pub static QUERIES;
    /// A text.
    input fn text(u32) -> String = read, stamp;
    /// Its lines.
    transient fn lines(u32) -> Vec<Line> = of_text;
    /// The value of a line, by its number among all.
    inline fn value(u32) -> u64 = of_line;
    /// The sum of a file.
    inline fn sum(u32) -> u64 = of_file;
    /// The sum of all.
    inline fn total(Root) -> u64 = of_all;
}

fn read(db: &dyn Db, file: &u32) -> String {
    db.graph().world::<Texts>()[*file as usize].1.clone()
}
fn stamp(db: &dyn Db, file: &u32) -> Stamp {
    Stamp([1, db.graph().world::<Texts>()[*file as usize].0, 0, 0])
}
fn of_text(db: &dyn Db, file: &u32) -> Vec<Line> {
    parse(text(db, *file))
}
fn of_line(db: &dyn Db, number: &u32) -> u64 {
    let (adds, to) = lines(db, number / LINES)[(number % LINES) as usize];
    add(to.map_or(0, |(file, line)| *value(db, file * LINES + line)), adds)
}
fn of_file(db: &dyn Db, file: &u32) -> u64 {
    let lines = file * LINES..(file + 1) * LINES;
    lines.fold(0, |sum: u64, line| sum.wrapping_add(*value(db, line)))
}
fn of_all(db: &dyn Db, _: &Root) -> u64 {
    (0..FILES).fold(0, |total: u64, file| total.wrapping_add(*sum(db, file)))
}

/// Opens, computes, saves.
pub fn process(texts: &Texts, file: &Path) -> (usize, u64) {
    let options = Options {
        image: Some(file.to_owned()),
        identity: Identity { build: 1, options: 0 },
        ..Options::new(Registry::new(&[&QUERIES]), Arc::new(texts.clone()))
    };
    let mut db = Database::open(options);
    let result = db.attempt(|db| *total(db, Root)).expect("nothing interrupts it");
    let record = db.take_record();
    let computed = record.executed.iter().filter(|run| &*run.node.query == "value").count();
    if computed > 0 {
        let snapshot = db.snapshot(&[node::total(Root)]).expect("all of it was asked for");
        snapshot.write_image(file).expect("there is room");
    }
    (computed, result)
}
