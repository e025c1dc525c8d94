//! Back ends that are dynamic libraries.

use crate::{
    Backend, BackendError, Target, TextKind,
    abi::{Buffer, Bytes, ENTRY, Entry, Options, Outcome, Table, VERSION},
};
use libloading::Library;
use std::path::Path;

/// Loads the back end at this path. It stays loaded until the process ends.
pub fn load(path: &Path) -> Result<Box<dyn Backend>, BackendError> {
    let fail = |what: &dyn std::fmt::Display| {
        BackendError(format!("cannot load the back end '{}': {what}", path.display()))
    };
    // SAFETY: a back end's initializers are those of LLVM, which has no demands.
    let library = unsafe { Library::new(path) }.map_err(|error| fail(&error))?;
    // SAFETY: a library that exports this name means this type.
    let entry = unsafe { library.get::<Entry>(ENTRY) }.map_err(|error| fail(&error))?;
    // SAFETY: the table is static in the library; its first word is the version in every version.
    let table = unsafe { entry().as_ref() }.ok_or_else(|| fail(&"it has no functions"))?;
    if table.version != VERSION {
        return Err(fail(&format_args!("it has version {} instead of {VERSION}", table.version)));
    }
    std::mem::forget(library);
    Ok(Box::new(Loaded { table }))
}

struct Loaded {
    table: &'static Table,
}

impl Loaded {
    fn take(&self, buffer: Buffer) -> Vec<u8> {
        // SAFETY: the buffer holds these bytes until it is freed.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.data, buffer.len) }.to_vec();
        (self.table.free)(buffer);
        bytes
    }

    fn outcome(&self, outcome: Outcome) -> Result<(Vec<u8>, usize), BackendError> {
        let bytes = self.take(outcome.buffer);
        match outcome.ok {
            0 => Err(BackendError(String::from_utf8_lossy(&bytes).into_owned())),
            _ => Ok((bytes, outcome.length)),
        }
    }
}

impl Backend for Loaded {
    fn identity(&self) -> String {
        String::from_utf8_lossy(&self.take((self.table.identity)())).into_owned()
    }

    fn bitcode(
        &self,
        unit: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<Vec<u8>, BackendError> {
        let options = Options::new(target, opt_level);
        Ok(self.outcome((self.table.bitcode)(Bytes::new(unit), &options))?.0)
    }

    fn both(
        &self,
        unit: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<(Vec<u8>, Vec<u8>), BackendError> {
        let options = Options::new(target, opt_level);
        let outcome = (self.table.both)(Bytes::new(unit), &options);
        let (mut bitcode, length) = self.outcome(outcome)?;
        let object = bitcode.split_off(length.min(bitcode.len()));
        Ok((bitcode, object))
    }

    fn object(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<Vec<u8>, BackendError> {
        let options = Options::new(target, opt_level);
        Ok(self.outcome((self.table.object)(Bytes::new(bitcode), &options))?.0)
    }

    fn text(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
        kind: TextKind,
    ) -> Result<String, BackendError> {
        let options = Options::new(target, opt_level);
        let kind = u8::from(kind == TextKind::Assembly);
        let text = self.outcome((self.table.text)(Bytes::new(bitcode), &options, kind))?.0;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
