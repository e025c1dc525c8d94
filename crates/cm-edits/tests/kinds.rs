//! The kinds of edges that the graph has are those that are written down.

use cm_edits::kinds;
use std::collections::BTreeSet;

/// `UPDATE=1` writes the list anew.
#[test]
fn the_graph_has_the_kinds_of_edges_that_it_should_have() {
    let found = kinds::found().expect("the programs can be built");
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/kinds.txt");
        std::fs::write(path, kinds::text(found.keys())).expect("the list can be written");
        return;
    }
    let (found, listed) = (found.into_keys().collect::<BTreeSet<_>>(), kinds::list());
    assert!(listed.len() > 150, "the list has {} kinds only", listed.len());
    let gone: Vec<_> = listed.difference(&found).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "not recorded any more: {gone:?}; new, for UPDATE=1 to write down: {new:?}"
    );
}
