//! The queries of this crate: from units to an executable.

use crate::{
    link::{self, Linker},
    objects::{self, Object},
    tools::{Tools, fatal},
};
use castore::Digest;
use cm_db::DefId;
use cm_hir::thir::{Instance, InstanceKind};
use cm_link::Input;
use cm_lower::{Item, UnitId};
use redgreen::{Blob, Db, NodeName, Root};
use std::{cell::LazyCell, fmt::Display, sync::LazyLock};

redgreen::queries! {
    /// All queries of this crate.
    pub static QUERIES;

    /// Optimized LLVM bitcode of a unit.
    stored fn unit_bitcode(UnitId) -> Blob = compute_bitcode;
    /// The relocatable object of a unit.
    stored fn unit_object(UnitId) -> Blob = compute_object;
    /// The units of the program with the digests of their objects, in linking order.
    inline fn objects(Root) -> Vec<(UnitId, Digest)> = compute_objects;
    /// What a test and all that it calls consist of.
    inline fn test_digest(DefId) -> Digest = compute_test_digest;
    /// The linked program.
    stored fn executable(Root) -> Blob = compute_executable;
}

fn name(query: &str, key: &dyn Display) -> NodeName {
    NodeName { query: query.into(), key: key.to_string().into() }
}

fn compute_bitcode(db: &dyn Db, unit: &UnitId) -> Blob {
    let tools = Tools::of(db);
    let bytes = cm_lower::unit(db, *unit);
    let digest = tools.keep_mir(unit.to_string(), bytes);
    let mut made = None;
    let bitcode = tools.cached(name("unit_bitcode", unit), &digest, |backend| {
        let both = backend.both(bytes, &tools.target, tools.opt_level);
        both.map(|(bitcode, object)| {
            made = Some(object);
            bitcode
        })
    });
    if let Some(object) = made {
        tools.set_aside(tools.digest(db, &bitcode), object);
    }
    bitcode
}

fn compute_object(db: &dyn Db, unit: &UnitId) -> Blob {
    let tools = Tools::of(db);
    let bitcode = unit_bitcode(db, *unit);
    let digest = tools.digest(db, bitcode);
    tools.cached(name("unit_object", unit), &digest, |backend| match tools.take_object(&digest) {
        Some(object) => Ok(object),
        None => backend.object(&bitcode.bytes(db), &tools.target, tools.opt_level),
    })
}

fn compute_test_digest(db: &dyn Db, test: &DefId) -> Digest {
    let test = Instance { def: *test, kind: InstanceKind::Source, args: Vec::new() };
    Digest::of(&cm_lower::closure(db, Item::Function(test)).encode())
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
    let digests = objects.iter().map(|(_, digest)| digest).chain([&*RUNTIME]);
    let digests: Vec<u8> = digests.flat_map(|digest| digest.0).collect();
    let inputs = LazyCell::new(|| objects::of_program(db));
    if !tools.foreign.is_empty() {
        let key = Digest::of(&[tools.foreign.identity().as_bytes(), &digests].concat());
        let linked = tools.cached_or(name("executable", &Root), &key, || {
            tools.foreign.link(&with_runtime(&inputs), &tools.scratch)
        });
        return linked.unwrap_or_else(|message| fatal(message));
    }
    let linked = link::first(Linker::all(), |linker| {
        let key = Digest::of(&[linker.identity().as_bytes(), &digests].concat());
        tools.cached_or(name("executable", &Root), &key, || {
            linker.link(&with_runtime(&inputs), &tools.scratch)
        })
    });
    linked.unwrap_or_else(|message| fatal(message))
}

/// The objects of a program, and the run-time library.
fn with_runtime<'a>(objects: &'a [Object]) -> Vec<Input<'a>> {
    let input = |object: &'a Object| Input {
        name: &object.name,
        bytes: &object.bytes,
        digest: Some(object.digest.0),
    };
    let name = "the run-time library";
    let runtime = Input { name, bytes: cm_runtime::OBJECT, digest: Some(RUNTIME.0) };
    objects.iter().map(input).chain([runtime]).collect()
}

/// The digest of the run-time library.
static RUNTIME: LazyLock<Digest> = LazyLock::new(|| Digest::of(cm_runtime::OBJECT));
