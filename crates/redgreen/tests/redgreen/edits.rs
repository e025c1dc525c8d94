//! What runs after an edit, in a fresh process and in a resident one.

use crate::toy::*;
use redgreen::{Edit, Root, Stamp};
use std::sync::atomic::Ordering::Relaxed;

fn project() -> Project {
    let project = Project::new();
    project.files.write("a", "fn f(int) x @b.g y\nfn k() z\n");
    project.files.write("b", "fn g(a) one\nfn h(b) two @a.f\n");
    project
}

#[test]
fn nothing_changed_runs_nothing() {
    let project = project();
    let first = project.build();
    assert_eq!(first.record.counts.executed as usize, ran(&first.record).len());
    let again = project.build();
    assert_eq!(ran(&again.record), [""; 0]);
    assert_eq!(again.result, first.result);
    assert_eq!(again.snapshot.image(), first.snapshot.image());
    let db = project.open();
    assert!(redgreen::Db::graph(&db).has_image());
}
