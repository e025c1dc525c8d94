//! What can happen in the middle of a build.

use crate::toy::*;
use redgreen::{Edit, Interrupted, Root};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};

fn project(files: usize) -> Project {
    let project = Project::new();
    for file in 0..files {
        let line = |n: usize| format!("fn f{n}(int) body @m{}.f{n}\n", (file + 1) % files);
        project.files.write(&format!("m{file}"), &(0..5).map(line).collect::<String>());
    }
    project
}

#[test]
fn lost_blobs_are_made_again() {
    let project = project(3);
    let first = project.build();
    let read_all = |db: &redgreen::Database| -> usize {
        let files = listing(db, Root).iter();
        files.map(|file| object(db, file.clone()).bytes(db).len()).sum()
    };
    let mut db = project.open();
    let size = db.attempt(read_all).unwrap();
    assert_eq!(db.take_record().counts.executed, 0);
    for digest in &project.store.digests()[..2] {
        project.store.remove(digest);
    }
    let mut db = project.open();
    assert_eq!(db.attempt(read_all), Ok(size));
    let record = db.take_record();
    let lost = record.executed.iter().filter(|run| run.reason.to_string() == "lost");
    assert_eq!(lost.map(|run| run.node.query.to_string()).collect::<Vec<_>>(), ["object"; 2]);
    assert!(record.executed.iter().all(|run| !run.changed));
    assert_eq!(project.store.digests().len(), 3);
    assert_eq!(build(&mut db).unwrap().snapshot.image(), first.snapshot.image());
}

#[test]
fn lost_blobs_interrupt_other_threads_too() {
    let project = project(8);
    project.build();
    for digest in project.store.digests() {
        project.store.remove(&digest);
    }
    let mut db = project.open();
    let sizes = db.attempt(|db| {
        let read = |half: usize| {
            let db = db.clone();
            move || -> usize {
                let files = listing(&db, Root).iter().skip(half * 4).take(4);
                files.map(|file| object(&db, file.clone()).bytes(&db).len()).sum()
            }
        };
        std::thread::scope(|scope| {
            let workers = [read(0), read(1)].map(|read| scope.spawn(read));
            let results = workers.map(std::thread::ScopedJoinHandle::join);
            results
                .map(|result| result.unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
        })
    });
    let sizes = sizes.unwrap();
    assert!(sizes[0] > 0 && sizes[1] > 0);
    assert_eq!(project.store.digests().len(), 8);
}

#[test]
fn readers_leave_healing_to_the_owner() {
    let project = project(2);
    project.build();
    project.store.remove(&project.store.digests()[0]);
    let mut db = project.open();
    let read_all = |db: &redgreen::Database| -> usize {
        let files = listing(db, Root).iter();
        files.map(|file| object(db, file.clone()).bytes(db).len()).sum()
    };
    let reader = db.clone();
    let read = std::thread::spawn(move || reader.read(read_all)).join().unwrap();
    assert_eq!(read, Err(Interrupted::Unhealed));
    let built = build(&mut db).unwrap();
    assert_eq!(ran(&built.record).iter().filter(|run| run.starts_with("object")).count(), 1);
    let reader = db.clone();
    assert!(std::thread::spawn(move || reader.read(read_all)).join().unwrap().is_ok());
}

#[test]
fn an_input_that_changes_after_its_stamp_was_taken_is_noticed() {
    let project = project(3);
    project.build();
    project.files.write("m0", "fn f0(int) body @m1.new\n");
    let mut db = project.open();
    // After the stamps were compared, and before the contents are asked for.
    project.files.write("m1", "fn f0(short) body @m2.f0\n");
    let built = build(&mut db).unwrap();
    let clean = build(&mut project.open_clean()).unwrap();
    assert_eq!(built.result, clean.result);
    assert_eq!(built.snapshot.image(), clean.snapshot.image());
}

#[test]
fn unstable_queries_cost_a_second_attempt() {
    let project = Project::new();
    project.files.write("x", "three");
    let build = |db: &mut redgreen::Database| db.attempt(|db| *listener_root(db, Root)).unwrap();
    let mut db = project.open();
    assert_eq!(build(&mut db), 5);
    let snapshot = db.snapshot(&[node::listener_root(Root)]).unwrap();
    snapshot.write_image(&project.image()).unwrap();
    // `listener` is red, and needs the value of `noise`, which is green but not the same.
    project.files.write("x'", "now there is one");
    project.files.noisy.store(true, Relaxed);
    let mut db = project.open();
    assert_eq!(build(&mut db), 1005);
    assert_eq!(db.take_record().counts.unstable, 1);
}

#[test]
fn cycles_panic_with_their_names() {
    let project = Project::new();
    project.files.write("p", "q");
    project.files.write("q", "r");
    project.files.write("r", "");
    let mut db = project.open();
    assert_eq!(db.attempt(|db| *walk(db, "p".into())), Ok(3));
    project.files.write("r", "p");
    for attempt in 0..2 {
        if attempt == 0 {
            db.edit(Edit::All);
        }
        let panic = catch_unwind(AssertUnwindSafe(|| db.attempt(|db| *walk(db, "p".into()))));
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        let expected = "a query depends on itself: walk(r) -> walk(p) -> walk(q) -> walk(r)";
        assert_eq!(message, expected);
    }
    // Mended, in the other direction: what was recorded is p -> q -> r.
    project.files.write("q", "");
    project.files.write("r", "q");
    db.edit(Edit::All);
    let len = db.attempt(|db| (*walk(db, "r".into()), *walk(db, "p".into())));
    assert_eq!(len, Ok((2, 2)));
}

#[test]
fn panics_pass_through_and_leave_the_database_usable() {
    let project = project(2);
    let mut db = project.open();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        db.attempt(|db| {
            link(db, Root);
            std::panic::resume_unwind(Box::new("the driver's own"))
        })
    }));
    let payload: Result<Result<(), _>, _> = panic;
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"the driver's own"));
    assert_eq!(ran(&build(&mut db).unwrap().record).len(), 2 * (5 * 3 + 4) + 1);
}

#[test]
fn edits_cancel_readers() {
    let project = project(40);
    let mut db = project.open();
    let mut outcomes = [0, 0];
    for round in 0..20u64 {
        let reader = db.clone();
        let handle = std::thread::spawn(move || reader.read(|db| *link(db, Root)));
        std::thread::sleep(Duration::from_micros(round * 300));
        db.cancel_others();
        let file = format!("m{}", round * 2);
        project.files.write(&file, &format!("fn f0(int{round}) other\n"));
        db.edit(Edit::Inputs(&[node::source(file)]));
        match handle.join().unwrap() {
            Ok(_) => outcomes[0] += 1,
            Err(Interrupted::Cancelled) => outcomes[1] += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(outcomes[0] + outcomes[1], 20);
    assert!(outcomes[1] > 0, "no reader was cancelled");
    let built = build(&mut db).unwrap();
    let clean = build(&mut project.open_clean()).unwrap();
    assert_eq!(built.result, clean.result);
    assert_eq!(built.snapshot.image(), clean.snapshot.image());
}
