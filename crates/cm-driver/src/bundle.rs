//! The objects of a program in one file, which is read faster than hundreds of the store.

use crate::session::Session;
use castore::Digest;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The digest of all that follows; then for each object the lengths of its name and itself, in four
/// bytes each, and both.
pub(crate) struct Bundle(Vec<u8>);

/// Of the digest.
const HEADER: usize = size_of::<Digest>();

impl Bundle {
    /// Puts objects together.
    pub fn pack(objects: &[(String, Arc<[u8]>)]) -> Bundle {
        let len: usize = objects.iter().map(|(name, bytes)| 8 + name.len() + bytes.len()).sum();
        let mut bundle = Vec::with_capacity(HEADER + len);
        bundle.extend([0; HEADER]);
        for (name, bytes) in objects {
            bundle.extend((name.len() as u32).to_le_bytes());
            bundle.extend((bytes.len() as u32).to_le_bytes());
            bundle.extend(name.as_bytes());
            bundle.extend(&**bytes);
        }
        let digest = Digest::of(&bundle[HEADER..]);
        bundle[..HEADER].copy_from_slice(&digest.0);
        Bundle(bundle)
    }

    /// What a file holds, without a look at it.
    pub fn from_bytes(bytes: Vec<u8>) -> Bundle {
        Bundle(bytes)
    }

    /// What a file of it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The digest that it names.
    pub fn digest(&self) -> Option<Digest> {
        self.0.first_chunk().copied().map(Digest)
    }

    /// Whether the digest that it names is its own.
    pub fn is_sound(&self) -> bool {
        self.digest().is_some_and(|digest| digest == Digest::of(&self.0[HEADER..]))
    }

    /// Names and bytes; `None`: it is damaged.
    pub fn objects(&self) -> Option<Vec<(&str, &[u8])>> {
        let mut objects = Vec::new();
        let mut rest = self.0.get(HEADER..)?;
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
}

/// The objects of the last run, by their digests.
#[derive(Default)]
pub(crate) struct LastRun {
    digest: Option<Digest>,
    objects: FxHashMap<Digest, Arc<[u8]>>,
}

impl LastRun {
    /// What it left.
    pub fn of(session: &Session) -> LastRun {
        let Some(bundle) = read(session) else { return LastRun::default() };
        let objects = bundle.objects().unwrap_or_default().into_iter();
        let objects = objects.map(|(_, bytes)| (Digest::of(bytes), bytes.into())).collect();
        LastRun { digest: bundle.digest(), objects }
    }

    /// An object that it had.
    pub fn object(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.objects.get(digest).cloned()
    }

    /// Keeps the objects of this run instead, and returns their digest. A file that cannot be written
    /// is missed by the next process, and costs it some time.
    pub fn replace(&self, session: &Session, objects: &[(String, Arc<[u8]>)]) -> Digest {
        let bundle = Bundle::pack(objects);
        let digest = bundle.digest().expect("invariant: a bundle begins with its digest");
        if let Some(path) = session.bundle()
            && self.digest != Some(digest)
        {
            session.write_beside(&path, bundle.bytes());
        }
        digest
    }
}

fn read(session: &Session) -> Option<Bundle> {
    session.read_beside(&session.bundle()?).map(Bundle::from_bytes)
}

/// The bundle of this digest, if the last run left it. Another one may have replaced the file, or not come to do so.
pub(crate) fn load(session: &Session, digest: &Digest) -> Option<Bundle> {
    let bundle = read(session)?;
    if !bundle.is_sound() {
        session.set_aside(&session.bundle()?);
        return None;
    }
    (bundle.digest() == Some(*digest)).then_some(bundle)
}

#[cfg(test)]
mod tests {
    use super::{Bundle, HEADER};

    #[test]
    fn bundles_are_read_as_written_and_never_beyond_their_end() {
        let objects = [
            ("a#0".to_owned(), [1, 2, 3].as_slice().into()),
            (String::new(), [].as_slice().into()),
        ];
        let bundle = Bundle::pack(&objects);
        assert!(bundle.is_sound());
        assert_eq!(bundle.objects(), Some(vec![("a#0", &[1u8, 2, 3][..]), ("", &[][..])]));
        assert_eq!(Bundle::pack(&[]).objects(), Some(Vec::new()));
        let whole = bundle.bytes();
        for end in 0..whole.len() {
            let part = Bundle::from_bytes(whole[..end].to_vec());
            assert!(!part.is_sound(), "{end}");
            // Nothing, or the first object alone.
            let some = part.objects();
            assert_eq!(some.is_some(), end == HEADER || end == whole.len() - 8, "{end}");
        }
    }
}
