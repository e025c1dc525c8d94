//! `--emit`: what a stage makes of a program, in readable form or as bytes.

use crate::{
    Error, Options, Report,
    session::{Purpose, Session, accepted, diagnose},
};
use cm_backend_api::TextKind;
use cm_base::{FileText, Name};
use cm_db::Db;
use cm_mir::unit::Unit;
use redgreen::Root;
use std::fmt::Write as _;

/// A stage that can be shown.
#[expect(missing_docs, reason = "they are what the command line calls them")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Tokens,
    Ast,
    Hir,
    Mir,
    LlvmIr,
    Bitcode,
    Obj,
    Asm,
}

/// What a stage makes of a program: of the root file up to `Ast`, of the whole program after it.
///
/// # Errors
/// If the file cannot be opened or the back end gives up.
pub fn emit(options: &Options, stage: Stage) -> Result<(Report, Vec<u8>), Error> {
    let session = Session::new(options, Purpose::Compile)?;
    let mut database = session.open();
    let (diagnostics, shown) = session.attempt(&mut database, |db| {
        if let Stage::Tokens | Stage::Ast = stage {
            return (Vec::new(), Ok(show_syntax(db, stage)));
        }
        let diagnostics = diagnose(db, Purpose::Check);
        let shown = if accepted(&diagnostics) { show(db, &session, stage) } else { Ok(Vec::new()) };
        (diagnostics, shown)
    })?;
    session.keep_record_of(&database)?;
    Ok((session.report(&diagnostics), shown?))
}

fn show_syntax(db: &dyn Db, stage: Stage) -> Vec<u8> {
    let settings = cm_db::settings(db, Root);
    let root = settings.root;
    let dump = if stage == Stage::Tokens {
        let FileText::Text(text) = cm_db::source(db, root) else { return Vec::new() };
        cm_syntax::dump_tokens(text, &settings.defines)
    } else {
        cm_syntax::dump_ast(cm_db::parse(db, root))
    };
    dump.into_bytes()
}

fn show(db: &dyn Db, session: &Session, stage: Stage) -> Result<Vec<u8>, Error> {
    if stage == Stage::Hir {
        return Ok(dump_bodies(db).into_bytes());
    }
    let units = cm_lower::units(db, Root).iter();
    let units = units.map(|unit| cm_lower::assemble(db, *unit).to_owned());
    let unit = merge(cm_db::settings(db, Root).root.0, units);
    let tools = &session.tools;
    let encoded = unit.encode();
    let (target, level) = (&tools.target, tools.opt_level);
    let bitcode = || tools.backend().bitcode(&encoded, target, level);
    let bytes = match stage {
        Stage::LlvmIr => tools.text(&encoded, TextKind::Ir).map(String::into_bytes),
        Stage::Asm => tools.text(&encoded, TextKind::Assembly).map(String::into_bytes),
        Stage::Bitcode => bitcode(),
        Stage::Obj => bitcode().and_then(|bitcode| tools.backend().object(&bitcode, target, level)),
        _ => Ok(cm_mir::text::dump_unit(&unit).into_bytes()),
    };
    bytes.map_err(|e| e.to_string().into())
}

fn dump_bodies(db: &dyn Db) -> String {
    let mut out = String::new();
    for item in &cm_lower::reachable(db, Root).items {
        let cm_lower::Item::Function(instance) = item else { continue };
        if let Some(body) = cm_hir::body::body(db, instance) {
            writeln!(out, "{instance}\n{}", cm_hir::body::dump(body))
                .expect("writing to a string cannot fail");
        }
    }
    out
}

/// The whole program as one unit.
fn merge(name: Name, units: impl IntoIterator<Item = Unit>) -> Unit {
    let mut all = Unit::new(name);
    for unit in units {
        all.functions.extend(unit.functions);
        all.globals.extend(unit.globals);
        all.private.extend(unit.private);
    }
    all.functions.sort_by_key(|function| function.decl.symbol);
    all.globals.sort_by_key(|global| global.decl.symbol);
    all.private.sort();
    all
}
