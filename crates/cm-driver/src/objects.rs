//! The objects that a program consists of.

use crate::{queries, tools::Tools};
use castore::{Bytes, Digest};
use redgreen::{Db, Root};

/// An object.
pub(crate) struct Object {
    /// For messages.
    pub name: String,
    /// What the back end made.
    pub bytes: Bytes,
    /// Its digest.
    pub digest: Digest,
}

/// Names and digests of objects, in linking order.
pub(crate) type List = Vec<(String, Digest)>;

/// Of which objects the program consists.
pub(crate) fn list(db: &dyn Db) -> List {
    let objects = queries::objects(db, Root).iter();
    objects.map(|(unit, digest)| (unit.to_string(), *digest)).collect()
}

/// The objects of the program: from the store all at once, and what it has lost is made again. Which of
/// that happened must not show in the graph, so a query that asks has read their digests before.
pub(crate) fn of_program(db: &dyn Db) -> Vec<Object> {
    let objects = queries::objects(db, Root);
    let digests: Vec<Digest> = objects.iter().map(|(_, digest)| *digest).collect();
    let stored = Tools::of(db).blobs(&digests);
    let object = |((unit, digest), stored): (&(_, _), Option<Bytes>)| {
        let make = || redgreen::unrecorded(db, || queries::unit_object(db, *unit).bytes(db)).into();
        let bytes = stored.unwrap_or_else(make);
        Object { name: unit.to_string(), bytes, digest: *digest }
    };
    objects.iter().zip(stored).map(object).collect()
}

/// The objects of a list, if the store has all of them.
pub(crate) fn stored(tools: &Tools, list: &List) -> Option<Vec<Object>> {
    let digests: Vec<Digest> = list.iter().map(|(_, digest)| *digest).collect();
    let object = |((name, digest), bytes): (&(String, _), Option<Bytes>)| {
        Some(Object { name: name.clone(), bytes: bytes?, digest: *digest })
    };
    list.iter().zip(tools.blobs(&digests)).map(object).collect()
}

/// As linkers want them.
pub(crate) fn named(objects: &[Object]) -> Vec<(&str, &[u8])> {
    objects.iter().map(|object| (object.name.as_str(), &*object.bytes)).collect()
}

/// A file of objects, for another process: of each the lengths of its name and itself, in four bytes
/// each, and both.
pub(crate) fn pack(objects: &[Object]) -> Vec<u8> {
    let mut file = Vec::new();
    for Object { name, bytes, .. } in objects {
        file.extend((name.len() as u32).to_le_bytes());
        file.extend((bytes.len() as u32).to_le_bytes());
        file.extend(name.as_bytes());
        file.extend(&**bytes);
    }
    file
}

/// The objects of a file, as linkers want them. `None`: it is none of ours.
pub(crate) fn unpack(file: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let (mut objects, mut rest) = (Vec::new(), file);
    while !rest.is_empty() {
        let (name, after) = rest.split_first_chunk()?;
        let (bytes, after) = after.split_first_chunk()?;
        let (name, after) = after.split_at_checked(u32::from_le_bytes(*name) as usize)?;
        let (bytes, after) = after.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
        objects.push((std::str::from_utf8(name).ok()?, bytes));
        rest = after;
    }
    Some(objects)
}

#[cfg(test)]
mod tests {
    use super::{Object, pack, unpack};
    use castore::{Bytes, Digest};
    use std::sync::Arc;

    #[test]
    fn files_are_read_as_written_and_never_beyond_their_end() {
        let object = |(name, bytes): (&str, &[u8])| Object {
            name: name.to_owned(),
            bytes: Bytes::from(Arc::from(bytes)),
            digest: Digest::of(bytes),
        };
        let whole = pack(&[("a#0", &[1, 2, 3][..]), ("", &[])].map(object));
        let first = ("a#0", &[1u8, 2, 3][..]);
        assert_eq!(unpack(&whole), Some(vec![first, ("", &[])]));
        for end in 0..whole.len() {
            let expected = match end {
                0 => Some(vec![]),
                14 => Some(vec![first]),
                _ => None,
            };
            assert_eq!(unpack(&whole[..end]), expected, "{end}");
        }
    }
}
