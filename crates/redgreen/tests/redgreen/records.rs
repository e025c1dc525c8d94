//! What a build leaves behind: the root record, and the answer to `why`.

use crate::toy::*;
use redgreen::{Db, Identity, RecordedInput, RootRecord, image_report};

#[test]
fn a_root_record_holds_until_an_input_changes() {
    let project = Project::new();
    project.files.write("a", "fn f(int) x @b.g\n");
    project.files.write("b", "fn g(int) x\n");
    let path = project.directory.path().join("root");
    project.build().snapshot.root_record(b"executable".to_vec()).write(&path).unwrap();
    let check = |identity: Identity| {
        let db = project.open_clean();
        RootRecord::check(&path, identity, |input: &RecordedInput| input.is_current(&db))
    };
    assert_eq!(check(IDENTITY).as_deref(), Some(&b"executable"[..]));
    assert_eq!(check(Identity { build: 1, ..IDENTITY }), None);
    let a = project.files.files.lock()["a"].clone();
    project.files.write("a", "fn f(long) x\n");
    assert_eq!(check(IDENTITY), None);
    project.files.files.lock().insert("a".into(), a);
    assert!(check(IDENTITY).is_some());
    // The listing has no stamp and is compared by its contents.
    project.files.write("c", "");
    assert_eq!(check(IDENTITY), None);
}

#[test]
fn why_leads_from_the_edit_to_what_ran() {
    let project = Project::new();
    project.files.write("a", "fn f(int) x @b.g\nfn k() z\n");
    project.files.write("b", "fn g(a) one\n");
    let first = project.build().record;
    let chain = |record: &redgreen::BuildRecord, query, key| {
        let chain = record.chain(query, key)?;
        Some(chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    let from_nothing = chain(&first, "parse", "a");
    assert_eq!(from_nothing.as_deref(), Some("link() object(a) exports(a) items(a) parse(a)"));

    project.files.write("b", "fn g(changed) one\n");
    let record = project.build().record;
    assert_eq!(record.inputs_changed.len(), 1);
    assert_eq!(record.inputs_changed[0].to_string(), "source(b)");
    let to_link = "source(b) parse(b) items(b) signature(b.g) lower(a.f) object(a) link()";
    assert_eq!(chain(&record, "link", "").as_deref(), Some(to_link));
    assert_eq!(chain(&record, "signature", "a.k"), None);
    let reason = |node: &str| {
        let run = record.executed.iter().find(|run| run.node.to_string() == node);
        run.map(|run| (run.reason.to_string(), run.changed))
    };
    let changed = |node: &str| Some((format!("changed dependency: {node}"), true));
    assert_eq!(reason("lower(a.f)"), changed("signature(b.g)"));
    assert_eq!(reason("lower(a.k)"), Some(("value needed".into(), false)));
    assert_eq!(reason("exports(b)"), Some(("changed dependency: items(b)".into(), false)));
}

#[test]
fn an_image_tells_what_is_in_it() {
    let project = Project::new();
    project.files.write("a", "fn f(int) x @b.g\n");
    project.files.write("b", "fn g(int) x\n");
    let built = project.build();
    let (image, registry) = (project.image(), project.open_clean().graph().registry().clone());
    assert_eq!(image_report(&image, IDENTITY.build, &registry), Some(built.report));
    assert_eq!(image_report(&image, 1, &registry), None);
}

#[test]
fn time_is_measured_if_somebody_asks() {
    let project = Project::new();
    project.files.write("a", "fn f(int) x\n");
    let mut db = project.open_clean();
    db.measure_time();
    let record = build(&mut db).unwrap().record;
    let span = |query: &str| {
        let run = record.executed.iter().find(|run| *run.node.query == *query).unwrap();
        run.span.unwrap()
    };
    let (outer, inner) = (span("link"), span("parse"));
    assert!(outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end);
    let unmeasured = build(&mut project.open_clean()).unwrap().record;
    assert!(unmeasured.executed.iter().all(|run| run.span.is_none()));
}
