//! What runs after an edit: exactly that.

use crate::toy::*;
use redgreen::{Database, Db as _, Edit, Options, QueryId, Root};
use std::sync::{Arc, Mutex};

fn project() -> Project {
    let project = Project::new();
    project.files.write("a", "fn f(int) x @b.g y\nfn k() z\n");
    project.files.write("b", "fn g(a) one\nfn h(b) two @a.f\n");
    project
}

/// After a build and the edit, what runs in a fresh process.
fn after(edit: impl Fn(&Files)) -> Vec<String> {
    let project = project();
    project.build();
    edit(&project.files);
    let built = project.build();
    let clean = build(&mut project.open_clean()).unwrap();
    assert_eq!(built.result, clean.result);
    assert_eq!(built.snapshot.image(), clean.snapshot.image());
    assert_eq!(built.record.counts.unstable, 0);
    ran(&built.record)
}

#[test]
fn nothing_changed() {
    let project = project();
    let first = project.build();
    assert_eq!(first.record.counts.executed, 21);
    let again = project.build();
    assert_eq!(ran(&again.record), [""; 0]);
    assert_eq!(again.result, first.result);
    assert_eq!(again.snapshot.image(), first.snapshot.image());
    assert!(project.open().graph().has_image());
}

#[test]
fn touched_file() {
    let project = project();
    let first = project.build();
    let roots = [node::link(Root)];
    assert!(!project.open().graph().needs_saving(&roots));
    assert!(project.open().graph().needs_saving(&[]));
    project.files.write("a", "fn f(int) x @b.g y\nfn k() z\n");
    let mut db = project.open();
    assert!(db.graph().needs_saving(&roots), "the stamp is new");
    let second = build(&mut db).unwrap();
    assert_eq!((ran(&second.record), &second.record.inputs_changed[..]), (vec![], &[][..]));
    let content = |built: &Built| redgreen::without_stamps(&built.snapshot.image()).unwrap();
    assert_eq!(content(&second), content(&first));
    assert_ne!(second.snapshot.image(), first.snapshot.image());
}

/// However much there is that it does not reach.
#[test]
fn an_edit_looks_at_what_it_reaches() {
    let looked_at = |others: u32| {
        let project = project();
        let others: String = (0..others).map(|n| format!("fn o{n}() {n}\n")).collect();
        project.files.write("c", &others);
        project.build();
        project.files.write("a", "# new\nfn f(int) x @b.g y\nfn k() z\n");
        let built = project.build();
        assert_eq!(built.record.counts.executed, 2);
        built.record.counts.green
    };
    assert_eq!(looked_at(1), looked_at(100));
}

#[test]
fn observers_are_told_of_what_runs() {
    let project = project();
    project.build();
    project.files.write("a", "# new\nfn f(int) x @b.g y\nfn k() z\n");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let options = project.options(Some(&project.image()), project.store.clone());
    let observer = {
        let seen = seen.clone();
        move |query| seen.lock().unwrap().push(query)
    };
    let options = Options { observer: Some(Arc::new(observer)), ..options };
    build(&mut Database::open(options)).unwrap();
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let mut expected = ["items", "parse"].map(QueryId::of);
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn comment() {
    let ran = after(|files| files.write("a", "# new\nfn f(int) x @b.g y\nfn k() z\n"));
    assert_eq!(ran, ["items(a)", "parse(a)"]);
}

#[test]
fn body() {
    let ran = after(|files| files.write("a", "fn f(int) x @b.g changed\nfn k() z\n"));
    let expected = [
        "body(a.f)",
        "body(a.k)",
        "exports(a)",
        "items(a)",
        "link()",
        "lower(a.f)",
        "lower(a.k)", // its value is needed, since the object has both
        "object(a)",
        "parse(a)",
        "signature(a.f)",
        "signature(a.k)",
    ];
    assert_eq!(ran, expected);
}

#[test]
fn signature_used_elsewhere() {
    let ran = after(|files| files.write("a", "fn f(long) x @b.g y\nfn k() z\n"));
    for reader in ["lower(b.h)", "object(b)", "object(a)", "link()"] {
        assert!(ran.contains(&reader.to_string()), "{reader} did not run: {ran:?}");
    }
    assert!(!ran.contains(&"signature(b.g)".to_string()), "{ran:?}");
}

#[test]
fn new_and_deleted_files() {
    let ran = after(|files| files.write("c", "fn n() new\n"));
    assert_eq!(
        ran,
        [
            "body(c.n)",
            "exports(c)",
            "items(c)",
            "link()",
            "lower(c.n)",
            "object(c)",
            "parse(c)",
            "signature(c.n)"
        ]
    );
    let ran = after(|files| drop(files.files.lock().remove("b")));
    assert!(ran.contains(&"signature(b.g)".to_string()), "{ran:?}");
    assert!(!ran.contains(&"object(b)".to_string()), "{ran:?}");
}

#[test]
fn resident_edits_take_the_changed_input_only() {
    let project = project();
    let mut db = project.open();
    build(&mut db).unwrap();
    project.files.write("a", "# new\nfn f(int) x @b.g y\nfn k() z\n");
    assert_eq!(ran(&build(&mut db).unwrap().record), [""; 0], "nobody has said so yet");
    db.edit(Edit::Inputs(&[node::source("a".into()), node::source("unknown".into())]));
    let built = build(&mut db).unwrap();
    assert_eq!(ran(&built.record), ["items(a)", "parse(a)"]);
    assert_eq!(built.record.inputs_changed.len(), 1);
    // The results of earlier revisions are still in memory, so nothing runs for its value alone.
    project.files.write("a", "# new\nfn f(int) x @b.g changed\nfn k() z\n");
    db.edit(Edit::All);
    let built = build(&mut db).unwrap();
    assert!(!ran(&built.record).contains(&"lower(a.k)".to_string()));
    assert_eq!(built.result, build(&mut project.open_clean()).unwrap().result);
    db.reset();
    let built = build(&mut db).unwrap();
    assert_eq!(ran(&built.record), [""; 0]);
    built.snapshot.write_image(&project.image()).unwrap();
    db.reopen();
    assert_eq!(ran(&build(&mut db).unwrap().record), [""; 0]);
}

/// What can be said at once: it may be too much, and is never too little.
#[test]
fn what_an_edit_may_reach_is_in_doubt_until_it_is_asked_for() {
    let project = project();
    let doubts = |db: &Database| {
        let doubt = |name: &str| redgreen::is_in_doubt::<provide::object>(db, &name.to_owned());
        let stale = |name: &str| redgreen::is_stale::<provide::object>(db, &name.to_owned());
        (["a", "b", "c"].map(doubt), ["a", "b", "c"].map(stale))
    };
    project.files.write("c", "fn n() no other\n");
    let mut db = project.open();
    assert_eq!(doubts(&db), ([true; 3], [true; 3]), "nothing is known");
    assert!(!db.has_run());
    db.attempt(|db| *link(db, Root)).unwrap();
    assert!(db.has_run());
    db.take_log();
    let image = build(&mut db).unwrap().snapshot;
    image.write_image(&project.image()).unwrap();
    for fresh in [false, true] {
        project.files.write("a", &format!("# {fresh}\nfn f(int) x @b.g y\nfn k() z\n"));
        if fresh {
            db.reopen();
        } else {
            db.prepare();
            db.edit(Edit::All);
        }
        assert_eq!(doubts(&db).0, [true, true, false], "a comment where b reads a signature");
        db.attempt(|db| *link(db, Root)).unwrap();
        assert_eq!(doubts(&db), ([false; 3], [false; 3]));
        assert!(db.has_run());
        assert!(db.take_log().counts.executed > 0 && !db.has_run());
    }
}

#[test]
fn a_snapshot_may_be_begun_before_its_last_root_is_there() {
    let project = project();
    let roots = [node::object("a".into()), node::object("b".into()), node::link(Root)];
    let make = |db: &mut Database, also_link: bool| {
        db.attempt(|db| {
            let _objects = ["a", "b"].map(|name| object(db, name.to_owned()).digest());
            also_link.then(|| *link(db, Root))
        })
        .unwrap()
    };
    let whole = |db: &mut Database| {
        make(db, true);
        db.snapshot(&roots).unwrap().image()
    };
    let mut db = project.open_clean();
    assert!(db.graph().draft(None, &roots).is_none(), "nothing was asked for");
    make(&mut db, false);
    assert!(db.graph().draft(None, &roots).is_none(), "the last one was not asked for");
    let draft = |db: &Database| db.graph().draft(None, &roots[..2]);
    let (first, of_others, outdated) = (draft(&db), draft(&db), draft(&db));
    assert!(first.is_some());
    let resumed = db.graph().draft(db.graph().draft(None, &roots[..1]), &roots[..2]);
    assert!(resumed.is_some());
    make(&mut db, true);
    let image = db.snapshot(&roots).unwrap().image();
    assert_eq!(db.graph().snapshot_on(first, &roots).unwrap().image(), image);
    assert_eq!(db.graph().snapshot_on(resumed, &roots).unwrap().image(), image);
    let elsewhere = Project::new();
    elsewhere.files.write("a", "");
    elsewhere.files.write("b", "");
    let mut other = elsewhere.open_clean();
    make(&mut other, true);
    let foreign = db.graph().snapshot_on(draft(&other), &roots).unwrap();
    assert_eq!(foreign.image(), image);
    let on_foreign = db.graph().draft(draft(&other), &roots[..2]);
    assert_eq!(db.graph().snapshot_on(on_foreign, &roots).unwrap().image(), image);
    let last = db.graph().snapshot_on(of_others, &roots[2..]).unwrap();
    assert_eq!(last.image(), db.snapshot(&roots[2..]).unwrap().image());

    project.files.write("a", "fn f(int) x @b.h y\nfn k() z\n");
    db.edit(Edit::All);
    make(&mut db, true);
    let edited = db.graph().snapshot_on(outdated, &roots).unwrap();
    assert_eq!(edited.image(), whole(&mut project.open_clean()));
    assert_ne!(edited.image(), image);

    // Nothing is laid out anew while every node stays where it is.
    edited.write_image(&project.image()).unwrap();
    project.files.write("a", "fn f(int) x @b.h y\nfn k() zz\n");
    let mut db = project.open();
    make(&mut db, false);
    assert!(draft(&db).is_none());
    assert_eq!(whole(&mut db), whole(&mut project.open_clean()));
}

/// Most edits leave all nodes and dependencies where they are.
#[test]
fn small_changes_are_written_beside_the_image() {
    let project = Project::new();
    let text = |file: u32, word: &str| {
        let line = |function| format!("fn f{function}(int{function}) {word} @m{file}.f0\n");
        (1..20).map(line).collect::<String>()
    };
    (0..30).for_each(|file| project.files.write(&format!("m{file}"), &text(file, "word")));
    project.build();
    let (image, patch) = (project.image(), redgreen::patch_path(&project.image()));
    let first = std::fs::read(&image).unwrap();
    let edits = [
        ("m3", format!("# comment\n{}", text(3, "word"))),
        ("m3", text(3, "other")),
        ("m4", text(4, "other")),
        ("m3", text(3, "word")),
    ];
    let mut len = 0;
    for (number, (file, text)) in edits.into_iter().enumerate() {
        project.files.write(file, &text);
        let built = project.build();
        assert!(!built.record.executed.is_empty());
        assert_eq!(std::fs::read(&image).unwrap(), first, "edit {number}");
        let kept = std::fs::metadata(&patch).unwrap().len();
        assert!(kept >= len && kept < first.len() as u64 / 8, "edit {number}: {kept} bytes");
        len = kept;
        assert_eq!(project.saved(), built.snapshot.image(), "edit {number}");
        let clean = build(&mut project.open_clean()).unwrap();
        assert_eq!(built.snapshot.image(), clean.snapshot.image(), "edit {number}");
        assert_eq!(ran(&project.build().record), [""; 0], "edit {number}");
    }
    // Without its image a patch is nothing, and so is the patch of another image.
    let outdated = std::fs::read(&patch).unwrap();
    project.files.write("m5", "fn f1(int) word\n");
    let built = project.build();
    assert_ne!(std::fs::read(&image).unwrap(), first);
    assert!(!patch.exists());
    std::fs::write(&patch, outdated).unwrap();
    assert_eq!(project.saved(), built.snapshot.image());
    assert_eq!(ran(&project.build().record), [""; 0]);
    std::fs::remove_file(&image).unwrap();
    assert!(!project.open().graph().has_image());
}

/// The image that was opened may be gone: replaced by this process, or by another one.
#[test]
fn only_the_image_that_was_opened_is_patched() {
    let project = Project::new();
    let text: String = (0..100).map(|name| format!("fn f{name}(int) word\n")).collect();
    let edits = [
        format!("# comment\n{text}"),
        format!("fn g(int) word @a.f1\n{text}"),
        format!("# another\n{text}"),
        text.replacen("word", "other", 1),
    ];
    project.files.write("a", &text);
    project.build();
    let mut db = project.open();
    for (number, text) in edits.iter().enumerate() {
        project.files.write("a", text);
        db.edit(Edit::All);
        let built = build(&mut db).unwrap();
        built.snapshot.file(&project.image(), true).unwrap().write().unwrap();
        assert_eq!(project.saved(), built.snapshot.image(), "edit {number}");
        let clean = build(&mut project.open_clean()).unwrap();
        assert_eq!(built.snapshot.image(), clean.snapshot.image(), "edit {number}");
    }
}

#[test]
fn who_wants_no_patches_does_without() {
    let project = Project::new();
    let text: String = (0..100).map(|name| format!("fn f{name}(int) word\n")).collect();
    project.files.write("a", &text);
    project.build();
    project.files.write("a", &format!("# comment\n{text}"));
    project.build();
    let patch = redgreen::patch_path(&project.image());
    assert!(patch.exists());
    let options = project.options(Some(&project.image()), project.store.clone());
    let mut db = Database::open(Options { patched: false, ..options });
    let built = build(&mut db).unwrap();
    assert_ne!(ran(&built.record), [""; 0]);
    built.snapshot.write_image(&project.image()).unwrap();
    assert!(!patch.exists());
    assert_eq!(ran(&project.build().record), [""; 0]);
}

#[test]
fn without_recording_results_are_the_same() {
    let project = project();
    let clean = build(&mut project.open_clean()).unwrap();
    let mut db = project.open_unrecorded();
    assert_eq!(db.attempt(|db| *link(db, Root)), Ok(clean.result));
    assert_eq!(db.take_record().counts.executed, clean.record.counts.executed);
    assert!(db.snapshot(&[node::link(Root)]).is_err());
    project.files.write("b", "fn g(b) one\n");
    db.edit(Edit::All);
    let changed = build(&mut project.open_clean()).unwrap();
    assert_eq!(db.attempt(|db| *link(db, Root)), Ok(changed.result));
}

#[test]
fn long_chains_need_no_long_stack() {
    let project = Project::new();
    let name = |n: usize| format!("n{n:05}");
    for n in 0..5_000 {
        project.files.write(&name(n), &name(n + 1));
    }
    project.files.write(&name(5_000), "");
    let mut db = project.open();
    let mut length = || db.attempt(|db| *walk(db, name(0))).unwrap();
    assert_eq!(length(), 5_001);
    let snapshot = db.snapshot(&[node::walk(name(0))]).unwrap();
    snapshot.write_image(&project.image()).unwrap();
    project.files.write(&name(5_000), "end");
    let mut db = project.open();
    let mut length = || db.attempt(|db| *walk(db, name(0))).unwrap();
    assert_eq!(length(), 5_002);
}
