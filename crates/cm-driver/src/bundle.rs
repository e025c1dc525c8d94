//! The objects of a program in one file, which is read faster than hundreds of the store.

use crate::session::Session;
use castore::{Bytes, Digest};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// An object of a program.
pub(crate) struct Object {
    /// For messages.
    pub name: String,
    /// Of the bytes.
    pub digest: Digest,
    /// What the back end made.
    pub bytes: Bytes,
}

/// As linkers want them.
pub(crate) fn named(objects: &[Object]) -> Vec<(&str, &[u8])> {
    objects.iter().map(|object| (object.name.as_str(), &*object.bytes)).collect()
}

/// The whole file of a bundle.
pub(crate) fn file(objects: &[Object]) -> Vec<u8> {
    parts(&Bundle::head(objects), objects).concat()
}

fn parts<'a>(head: &'a [u8], objects: &'a [Object]) -> Vec<&'a [u8]> {
    let bytes = objects.iter().map(|object| &*object.bytes);
    [head].into_iter().chain(bytes).collect()
}

/// A file of objects: the digest of the directory and its length; the directory, which has for each object
/// the digest, the lengths of name and bytes, and the name; then the bytes of all. Numbers have four bytes.
pub(crate) struct Bundle(Bytes);

/// Of digest and length.
const HEADER: usize = size_of::<Digest>() + 4;

/// What the directory says of an object, and where it is.
struct Entry<'a> {
    name: &'a str,
    digest: Digest,
    range: Range<usize>,
}

impl Bundle {
    /// A file of objects, but for their bytes, which follow.
    pub fn head(objects: &[Object]) -> Vec<u8> {
        let mut file = vec![0; HEADER];
        for Object { name, digest, bytes } in objects {
            file.extend(digest.0);
            file.extend((name.len() as u32).to_le_bytes());
            file.extend((bytes.len() as u32).to_le_bytes());
            file.extend(name.as_bytes());
        }
        let (header, directory) = file.split_at_mut(HEADER);
        let length = (directory.len() as u32).to_le_bytes();
        header.copy_from_slice(&[&Digest::of(directory).0[..], &length].concat());
        file
    }

    /// What a file holds, without a look at it.
    pub fn from_bytes(bytes: Bytes) -> Bundle {
        Bundle(bytes)
    }

    /// The digest of the directory, which holds those of all objects.
    pub fn digest(&self) -> Option<Digest> {
        self.0.first_chunk().copied().map(Digest)
    }

    /// What it has. `None`: it is damaged.
    fn entries(&self) -> Option<Vec<Entry<'_>>> {
        let (digest, rest) = self.0.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (mut directory, _) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        if Digest::of(directory).0 != *digest {
            return None;
        }
        let (mut entries, mut start) = (Vec::new(), HEADER + directory.len());
        while !directory.is_empty() {
            let (digest, after) = directory.split_first_chunk()?;
            let (name, after) = after.split_first_chunk()?;
            let (bytes, after) = after.split_first_chunk()?;
            let (name, after) = after.split_at_checked(u32::from_le_bytes(*name) as usize)?;
            let range = start..start.checked_add(u32::from_le_bytes(*bytes) as usize)?;
            start = range.end;
            let name = std::str::from_utf8(name).ok()?;
            entries.push(Entry { name, digest: Digest(*digest), range });
            directory = after;
        }
        (start == self.0.len()).then_some(entries)
    }

    /// All objects. `None`: it is damaged.
    pub fn objects(&self) -> Option<Vec<Object>> {
        let object = |Entry { name, digest, range }| {
            let bytes = self.0.slice(range);
            let is_sound = Digest::of(&bytes) == digest;
            is_sound.then(|| Object { name: String::from(name), digest, bytes })
        };
        self.entries()?.into_iter().map(object).collect()
    }
}

/// The objects of the last run, by their digests.
#[derive(Default)]
pub(crate) struct LastRun {
    digest: Option<Digest>,
    objects: FxHashMap<Digest, Bytes>,
}

impl LastRun {
    /// What it left.
    pub fn of(session: &Session) -> LastRun {
        let Some(bundle) = read(session) else { return LastRun::default() };
        let objects = bundle.entries().unwrap_or_default().into_iter();
        let objects = objects.map(|entry| (entry.digest, bundle.0.slice(entry.range))).collect();
        LastRun { digest: bundle.digest(), objects }
    }

    /// An object that it had.
    pub fn object(&self, digest: &Digest) -> Option<Bytes> {
        self.objects.get(digest).filter(|bytes| Digest::of(bytes) == *digest).cloned()
    }

    /// Keeps the objects of this run instead, and returns the digest of the file. One that cannot be
    /// written is missed by the next process, and costs it some time.
    pub fn replace(&self, session: &Session, objects: &[Object]) -> Digest {
        let head = Bundle::head(objects);
        let digest = Digest::of(&head[HEADER..]);
        if let Some(path) = session.bundle()
            && self.digest != Some(digest)
        {
            session.replace_beside(&path, &parts(&head, objects));
        }
        digest
    }
}

fn read(session: &Session) -> Option<Bundle> {
    session.view_beside(&session.bundle()?).map(Bundle::from_bytes)
}

/// The objects in the bundle of this digest, if the last run left it. Another one may have replaced the
/// file, or not come to do so.
pub(crate) fn load(session: &Session, digest: &Digest) -> Option<Vec<Object>> {
    let bundle = read(session)?;
    let Some(objects) = bundle.objects() else {
        session.set_aside(&session.bundle()?);
        return None;
    };
    (bundle.digest() == Some(*digest)).then_some(objects)
}

#[cfg(test)]
mod tests {
    use super::{Bundle, Object, file};
    use castore::{Bytes, Digest};

    fn objects() -> Vec<Object> {
        let object = |(name, bytes): (&str, &[u8])| Object {
            name: name.to_owned(),
            digest: Digest::of(bytes),
            bytes: Bytes::from(std::sync::Arc::from(bytes)),
        };
        [("a#0", &[1, 2, 3][..]), ("", &[])].map(object).into()
    }

    fn read(file: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        let objects = Bundle::from_bytes(Bytes::from(std::sync::Arc::from(file))).objects()?;
        Some(objects.into_iter().map(|object| (object.name, object.bytes.to_vec())).collect())
    }

    #[test]
    fn bundles_are_read_as_written_and_never_when_damaged() {
        let whole = file(&objects());
        let expected = vec![("a#0".to_owned(), vec![1, 2, 3]), (String::new(), vec![])];
        assert_eq!(read(&whole), Some(expected));
        assert_eq!(read(&file(&[])), Some(Vec::new()));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        for at in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert_eq!(read(&flipped), None, "{at}");
        }
    }
}
