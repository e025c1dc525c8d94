//! Planted bugs, to see that tests find them: edges of one kind are not recorded. Only with the feature
//! `mutation`, which no program has.

use parking_lot::RwLock;

static DROPPED: RwLock<Option<(String, String)>> = RwLock::new(None);

/// From now on the query `reader` does not record that it reads the query `read`, in the whole
/// process.
pub fn drop_edges(reader: &str, read: &str) {
    *DROPPED.write() = Some((reader.to_owned(), read.to_owned()));
}

/// All edges are recorded again.
pub fn drop_no_edges() {
    *DROPPED.write() = None;
}

pub(crate) fn is_dropped(reader: &str, read: &str) -> bool {
    DROPPED.read().as_ref().is_some_and(|dropped| dropped.0 == reader && dropped.1 == read)
}
