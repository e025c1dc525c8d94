//! `run`.

use crate::{
    Error, Options, Report, commands, parallel, queries,
    session::{Finished, Purpose, Session, accepted, diagnose, warn},
};
use castore::Digest;
use cm_base::Diagnostic;
use cm_lower::UnitId;
use redgreen::{Database, Root};
use std::{fs, sync::Arc};

/// Compiles a program and executes it in this process. `found` is told the diagnostics before the
/// program starts and says whether to go on. `None`: it did not.
///
/// # Errors
/// If the file cannot be opened or the program cannot be linked.
pub fn run(
    options: &Options,
    args: &[String],
    interpret: bool,
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    if !args.is_empty() {
        // `main` takes no parameters and the library has no way to ask for them yet.
        warn("arguments for the program are ignored");
    }
    if interpret {
        return run_interpreted(options, found);
    }
    let session = Session::new(options, Purpose::Run)?;
    if let Some(earlier) = session.earlier::<Digest>()
        && earlier.current
        && let Some(bundle) = load(&session, &earlier.finished.result)
        && let Some(objects) = unpack(&bundle)
    {
        session.keep_unchanged()?;
        return execute(options, &session, &earlier.finished.diagnostics, &objects, found);
    }
    session.tools.preload();
    let mut database = session.open();
    let Prepared { diagnostics, objects, .. } = prepare(&session, &mut database)?;
    let Some(objects) = objects else {
        found(&session.report(&diagnostics));
        return Ok(None);
    };
    let objects: Vec<_> = objects.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    execute(options, &session, &diagnostics, &objects, found)
}

/// A program that could be executed now, and what was found in it.
pub struct Prepared {
    /// All that was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Names and bytes; `None`: there are errors.
    pub objects: Option<Vec<(String, Arc<[u8]>)>>,
    /// Some query ran.
    pub changed: bool,
}

/// Brings the objects of a program up to date and keeps them for the next process: this one may be
/// ended by the program.
///
/// # Errors
/// If the back end fails or the query log cannot be written.
pub fn prepare(session: &Session, database: &mut Database) -> Result<Prepared, Error> {
    let (diagnostics, objects) = session.attempt(database, |db| {
        parallel::front_end(db, &session.clock);
        let diagnostics = diagnose(db, Purpose::Run);
        session.clock.lap("diagnostics");
        let objects = accepted(&diagnostics).then(|| {
            parallel::units(db, &session.clock);
            let bytes = |(unit, _): &(UnitId, Digest)| {
                (unit.to_string(), queries::unit_object(db, *unit).bytes(db))
            };
            queries::objects(db, Root).iter().map(bytes).collect::<Vec<_>>()
        });
        (diagnostics, objects)
    })?;
    let Some(objects) = objects else {
        session.keep_record_of(database)?;
        return Ok(Prepared { diagnostics, objects: None, changed: session.ran() });
    };
    let roots = [
        cm_hir::queries::node::diagnostics(Root),
        cm_hir::queries::node::entry(Root),
        queries::node::objects(Root),
    ];
    session.keep(
        database,
        &roots,
        || Ok(()),
        || Finished {
            diagnostics: diagnostics.clone(),
            result: keep_bundle(session, &pack(&objects)),
        },
    )?;
    session.clock.lap("cache");
    Ok(Prepared { diagnostics, objects: Some(objects), changed: session.ran() })
}

/// Executes objects without the back end: linking in memory needs none.
fn execute(
    options: &Options,
    session: &Session,
    diagnostics: &[Diagnostic],
    objects: &[(&str, &[u8])],
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    // It may call a compiler, so that it is a part of what takes long.
    let loaded = session.tools.foreign.load(&session.tools);
    if !found(&session.report(diagnostics)) {
        return Ok(None);
    }
    if !loaded? {
        return execute_linked(options, session).map(Some);
    }
    let main = cm_jit::link(objects).map_err(|e| e.to_string())?;
    session.clock.lap("link");
    Ok(Some(cm_jit::start(main).map_err(|e| e.to_string())?))
}

/// Executes a program as a process of its own, linked with the foreign code that calls it by name.
fn execute_linked(options: &Options, session: &Session) -> Result<i32, Error> {
    let program = session.tools.scratch.path("program")?;
    let report = commands::compile(options, &program)?;
    if !report.ok() {
        return Err("the program has changed meanwhile".to_owned().into());
    }
    let directories: Vec<_> = options.foreign.absolute_directories().collect();
    commands::execute_with(&program, &directories)
}

/// The objects of the last run in one file behind their digest, which is read faster than hundreds of
/// the store. A file that cannot be written is missed by the next process, and costs it some time.
fn keep_bundle(session: &Session, bundle: &[u8]) -> Digest {
    let digest = Digest::of(bundle);
    if let Some(path) = session.bundle() {
        session.write_beside(&path, &[&digest.0, bundle].concat());
    }
    digest
}

/// What the last build left. Another one may have replaced the file, or not come to do so.
fn load(session: &Session, digest: &Digest) -> Option<Vec<u8>> {
    let path = session.bundle()?;
    let mut bundle = fs::read(&path).ok()?;
    let known = bundle.first_chunk().copied().map(Digest);
    let objects = bundle.split_off(bundle.len().min(size_of::<Digest>()));
    if known != Some(Digest::of(&objects)) {
        session.set_aside(&path);
        return None;
    }
    (known == Some(*digest)).then_some(objects)
}

/// For each object the lengths of its name and itself, in four bytes each, and both.
pub(crate) fn pack(objects: &[(String, Arc<[u8]>)]) -> Vec<u8> {
    let mut bundle = Vec::new();
    for (name, bytes) in objects {
        bundle.extend((name.len() as u32).to_le_bytes());
        bundle.extend((bytes.len() as u32).to_le_bytes());
        bundle.extend(name.as_bytes());
        bundle.extend(&**bytes);
    }
    bundle
}

pub(crate) fn unpack(bundle: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut objects = Vec::new();
    let mut rest = bundle;
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

/// The interpreter needs no back end, and the cache has nothing for it.
fn run_interpreted(
    options: &Options,
    found: &dyn Fn(&Report) -> bool,
) -> Result<Option<i32>, Error> {
    let options = Options { cache: None, ..options.clone() };
    let session = Session::new(&options, Purpose::Run)?;
    let mut database = session.open();
    let (diagnostics, units) = session.attempt(&mut database, |db| {
        let diagnostics = diagnose(db, Purpose::Run);
        let units = accepted(&diagnostics).then(|| {
            let units = cm_lower::units(db, Root).iter();
            units
                .filter_map(|unit| cm_mir::unit::Unit::decode(cm_lower::unit(db, *unit)))
                .collect::<Vec<_>>()
        });
        (diagnostics, units)
    })?;
    session.keep_record_of(&database)?;
    let go_on = found(&session.report(&diagnostics));
    let (true, Some(units)) = (go_on, units) else { return Ok(None) };
    cm_jit::end_on_broken_pipes();
    crate::interpret::interpret(&units).map(Some)
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn bundles_are_read_as_written_and_never_beyond_their_end() {
        let objects = [
            ("a#0".to_owned(), [1, 2, 3].as_slice().into()),
            (String::new(), [].as_slice().into()),
        ];
        let bundle = pack(&objects);
        assert_eq!(unpack(&bundle), Some(vec![("a#0", &[1u8, 2, 3][..]), ("", &[][..])]));
        assert_eq!(unpack(&[]), Some(Vec::new()));
        for end in (1..bundle.len()).filter(|end| *end != bundle.len() - 8) {
            assert_eq!(unpack(&bundle[..end]), None, "{end}");
        }
    }
}
