//! The record by which a process sees that nothing has changed.

use crate::{Db, Fingerprint, Identity, QueryId, Stamp, atomic_file, query::KeyRef};
use serde::{Deserialize, Serialize};
use std::{io, path::Path};
use xxhash_rust::xxh3::xxh3_64;

/// Also the version of the format.
const MAGIC: [u8; 8] = *b"RGROOT01";

/// An input as a finished build saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordedInput {
    /// Which query.
    pub query: QueryId,
    /// The bytes of its key; see [`Key`](crate::Key).
    pub key: Vec<u8>,
    /// Its stamp.
    pub stamp: Stamp,
    /// The fingerprint of its contents.
    pub fingerprint: Fingerprint,
}

impl RecordedInput {
    /// Whether the input still is as it was: by its stamp, or if that does not vouch for it, by
    /// reading it.
    pub fn is_current(&self, db: &dyn Db) -> bool {
        let current = || {
            let query = db.graph().query_named(self.query)?;
            if self.stamp.vouches_for((query.stamp)(db, KeyRef::Bytes(&self.key))?) {
                return Some(true);
            }
            let mut value = (query.run)(db, KeyRef::Bytes(&self.key))?;
            let seal = (query.seal)(&mut value, db.graph().store());
            Some(seal.fingerprint == self.fingerprint)
        };
        current().unwrap_or(false)
    }
}

/// All inputs of a finished build, and what the driver wants to know when none has changed: a file
/// apart from the image, so that a build without work needs neither graph nor memos.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RootRecord {
    identity: Identity,
    inputs: Vec<RecordedInput>,
    result: Vec<u8>,
}

impl RootRecord {
    pub(crate) fn new(
        identity: Identity,
        inputs: Vec<RecordedInput>,
        result: Vec<u8>,
    ) -> RootRecord {
        RootRecord { identity, inputs, result }
    }
    /// What the driver kept.
    pub fn result(&self) -> &[u8] {
        &self.result
    }
    /// The inputs, in the order of the image.
    pub fn inputs(&self) -> &[RecordedInput] {
        &self.inputs
    }
    /// For whom it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }
    /// The same record with something else kept for the driver.
    pub fn with_result(self, result: Vec<u8>) -> RootRecord {
        RootRecord { result, ..self }
    }
    /// The result of the last build, if `is_current` holds for all its inputs. Whatever is wrong
    /// with the file is a miss: `None`.
    ///
    /// [`RecordedInput::is_current`] is the usual answer, with a database that has opened no image.
    pub fn check(
        path: &Path,
        identity: Identity,
        is_current: impl FnMut(&RecordedInput) -> bool,
    ) -> Option<Vec<u8>> {
        let record = RootRecord::load(path).ok()??;
        let holds = record.identity == identity && record.inputs.iter().all(is_current);
        holds.then_some(record.result)
    }
    /// Replaces the record at `path`.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        atomic_file::replace(path, &[self.encode()?])
    }
    /// The bytes of the file.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        encode_checked(MAGIC, self, self.result.len() + self.inputs.len() * 128)
    }
    /// Reads a record; `None` if there is none of this version.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn load(path: &Path) -> Result<Option<RootRecord>, Damaged> {
        read_checked(path, MAGIC)
    }
}

/// `magic`, a checksum and the serialised value, which has about so many bytes.
pub(crate) fn encode_checked<T: Serialize>(
    magic: [u8; 8],
    value: &T,
    bytes: usize,
) -> io::Result<Vec<u8>> {
    const START: usize = 16;
    let mut file = Vec::with_capacity(START + bytes);
    file.extend(magic);
    file.resize(START, 0);
    bincode::serde::encode_into_std_write(value, &mut file, bincode::config::standard())
        .map_err(io::Error::other)?;
    let checksum = xxh3_64(&file[START..]);
    file[magic.len()..START].copy_from_slice(&checksum.to_le_bytes());
    Ok(file)
}

/// A file is there and is none that anybody wrote, neither this version nor another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged;

/// Reads what [`encode_checked`] made. `magic` ends in two digits of a version; what another one wrote
/// is as good as absent, and so is what cannot be read.
pub(crate) fn read_checked<T: for<'a> Deserialize<'a>>(
    path: &Path,
    magic: [u8; 8],
) -> Result<Option<T>, Damaged> {
    // Nobody waits for a pipe.
    if !path.is_file() {
        return Ok(None);
    }
    let Ok(file) = std::fs::read(path) else { return Ok(None) };
    let Some(body) = file.strip_prefix(&magic) else {
        let is_of_another_version = file.len() > magic.len() && file.starts_with(&magic[..6]);
        return if is_of_another_version { Ok(None) } else { Err(Damaged) };
    };
    let (checksum, body) = body.split_first_chunk::<8>().ok_or(Damaged)?;
    if xxh3_64(body).to_le_bytes() != *checksum {
        return Err(Damaged);
    }
    let config = bincode::config::standard();
    match bincode::serde::decode_from_slice(body, config) {
        Ok((value, read)) if read == body.len() => Ok(Some(value)),
        _ => Err(Damaged),
    }
}
