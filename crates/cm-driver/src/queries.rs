//! The queries of this crate: from units to an executable.

use crate::{
    link::{Archive, Linker},
    tools::{Tools, fatal},
};
use castore::Digest;
use cm_backend_api::BackendError;
use cm_lower::UnitId;
use redgreen::{Blob, Db, NodeName, Root};
use std::fmt::Display;

redgreen::queries! {
    /// All queries of this crate.
    pub static QUERIES;

    /// Optimized LLVM bitcode of a unit.
    stored fn unit_bitcode(UnitId) -> Blob = compute_bitcode;
    /// The relocatable object of a unit.
    stored fn unit_object(UnitId) -> Blob = compute_object;
    /// The units of the program with the digests of their objects, in linking order.
    inline fn objects(Root) -> Vec<(UnitId, Digest)> = compute_objects;
    /// The linked program.
    stored fn executable(Root) -> Blob = compute_executable;
}

fn name(query: &str, key: &dyn Display) -> NodeName {
    NodeName { query: query.into(), key: key.to_string().into() }
}

fn compute_bitcode(db: &dyn Db, unit: &UnitId) -> Blob {
    let tools = Tools::of(db);
    let bytes = cm_lower::unit(db, *unit);
    tools.keep_mir(unit.to_string(), bytes);
    tools.cached(name("unit_bitcode", unit), bytes, |backend| {
        let both = backend.both(bytes, &tools.target, tools.opt_level);
        both.map(|(bitcode, object)| tools.set_aside(bitcode, object))
    })
}

fn compute_object(db: &dyn Db, unit: &UnitId) -> Blob {
    let tools = Tools::of(db);
    let bitcode = unit_bitcode(db, *unit).bytes(db);
    tools.cached(name("unit_object", unit), &bitcode, |backend| match tools.take_object(&bitcode) {
        Some(object) => Ok(object),
        None => backend.object(&bitcode, &tools.target, tools.opt_level),
    })
}

fn compute_objects(db: &dyn Db, _: &Root) -> Vec<(UnitId, Digest)> {
    let units = cm_lower::units(db, Root);
    units
        .iter()
        .map(|unit| {
            (
                *unit,
                Digest(
                    unit_object(db, *unit).digest().expect("a result of a query has been stored"),
                ),
            )
        })
        .collect()
}

fn compute_executable(db: &dyn Db, _: &Root) -> Blob {
    let tools = Tools::of(db);
    let objects = objects(db, Root);
    let linker = Linker::find().unwrap_or_else(|message| fatal(message));
    let runtime = Digest::of(cm_runtime::OBJECT);
    let mut key = linker.identity().into_bytes();
    for digest in objects.iter().map(|(_, digest)| digest).chain([&runtime]) {
        key.extend_from_slice(&digest.0);
    }
    tools.cached(name("executable", &Root), &key, |_| {
        let mut archive = Archive::default();
        for (unit, _) in objects {
            archive.add(&unit_object(db, *unit).bytes(db));
        }
        archive.add(cm_runtime::OBJECT);
        let archive = tools.scratch.write("objects.a", archive.bytes()).map_err(BackendError)?;
        let output = tools.scratch.path("executable").map_err(BackendError)?;
        linker.link(&archive, &output).map_err(BackendError)?;
        std::fs::read(&output).map_err(|e| BackendError(format!("cannot read {output}: {e}")))
    })
}
