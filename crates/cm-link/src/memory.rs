//! What is known of objects that were linked before.

use crate::{
    Result,
    elf::{Contents, Object},
    interner::Interner,
};
use rustc_hash::FxHashMap;
use std::{mem, sync::Arc};

/// An object to link.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// For messages.
    pub name: &'a str,
    /// The file.
    pub bytes: &'a [u8],
    /// Tells it from all others; `None`: nothing is to be remembered.
    pub digest: Option<[u8; 32]>,
}

/// For a process that links again and again: most objects are those of the last time.
#[derive(Default)]
pub struct Memory {
    /// All names of the objects.
    pub(crate) names: Interner,
    /// Of the last objects, by their digests.
    contents: FxHashMap<[u8; 32], Arc<Contents>>,
    /// How many names the first objects had.
    first: usize,
}

impl Memory {
    /// Names that nobody uses any more are forgotten when there may be this many times as many of them.
    const GROWTH: usize = 2;

    /// Reads objects, or remembers them; forgets all others.
    pub(crate) fn objects<'a>(&mut self, inputs: &[Input<'a>]) -> Result<Vec<Object<'a>>> {
        if self.names.len() > self.first.saturating_mul(Memory::GROWTH) {
            *self = Memory::default();
        }
        let known = mem::take(&mut self.contents);
        let mut objects = Vec::with_capacity(inputs.len());
        for &Input { name, bytes, digest } in inputs {
            let known = digest.and_then(|digest| known.get(&digest).cloned());
            let object = match known.and_then(|known| Object::new(name, bytes, known)) {
                Some(object) => object,
                None => Object::parse(name, bytes, &mut self.names)?,
            };
            if let Some(digest) = digest {
                self.contents.insert(digest, object.contents.clone());
            }
            objects.push(object);
        }
        if self.first == 0 {
            self.first = self.names.len();
        }
        Ok(objects)
    }
}
