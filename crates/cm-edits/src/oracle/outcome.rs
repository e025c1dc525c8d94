//! What a build makes, and what it must make: the same as a build from nothing.

use super::{Graph, Place, TestSystem, text};
use camino::Utf8Path;
use cm_driver::{
    Rendered, Report, queries,
    session::{Purpose, Session, accepted, diagnose, registry},
};
use cm_test::{Files, process};
use redgreen::{Db as _, Root};
use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

/// Everything that a build makes.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    /// With names of files in place of paths.
    pub diagnostics: Vec<Rendered>,
    /// `None`: there are errors.
    pub made: Option<Made>,
}

/// What is made of a program without errors.
#[derive(Clone, Default, Debug)]
pub struct Made {
    /// The bytes of the executable.
    pub executable: Vec<u8>,
    /// The graph, without the stamps of the inputs. Empty: not looked at.
    pub image: Vec<u8>,
    /// By unit: MIR, bitcode, object. Empty: not looked at.
    pub units: BTreeMap<String, [Vec<u8>; 3]>,
}

/// What the executable does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// What it prints.
    pub stdout: String,
    /// How it ends.
    pub exit: Option<i32>,
}

impl Outcome {
    /// Takes the products of a build that has kept its graph. `units`: those too.
    pub fn take(
        session: &Session,
        report: Report,
        executable: Option<Vec<u8>>,
        units: bool,
    ) -> Result<Outcome, String> {
        let mut outcome = Outcome::shown(report, executable);
        let Some(made) = &mut outcome.made else { return Ok(outcome) };
        let image = session.image().ok_or("no image")?;
        let image = redgreen::image_bytes(image.as_std_path(), &registry())
            .ok_or("the image is damaged")?;
        let image = redgreen::without_stamps(&image);
        made.image = image.ok_or("the image is damaged")?;
        if units {
            made.units = products(session)?;
        }
        Ok(outcome)
    }

    /// What a user sees: no more than diagnostics and the executable.
    pub fn shown(report: Report, executable: Option<Vec<u8>>) -> Outcome {
        let mut diagnostics = report.diagnostics;
        for diagnostic in &mut diagnostics {
            shorten(&mut diagnostic.file);
            diagnostic.notes.iter_mut().for_each(|note| shorten(&mut note.file));
        }
        let made = executable.map(|executable| Made { executable, ..Made::default() });
        Outcome { diagnostics, made }
    }

    /// Says how it differs from what it should be.
    pub fn compare(&self, expected: &Outcome) -> Result<(), String> {
        if self.diagnostics != expected.diagnostics {
            let (found, expected) = (&self.diagnostics, &expected.diagnostics);
            return Err(format!("other diagnostics: {found:#?}\nexpected: {expected:#?}"));
        }
        let (Some(found), Some(expected)) = (&self.made, &expected.made) else {
            return match self.made.is_some() == expected.made.is_some() {
                true => Ok(()),
                false => Err("accepted in one of the builds only".into()),
            };
        };
        if !found.units.is_empty() {
            for (name, [mir, bitcode, object]) in &expected.units {
                let found = found.units.get(name).ok_or_else(|| format!("no unit {name}"))?;
                let stages = [("MIR", mir), ("bitcode", bitcode), ("object", object)];
                for ((stage, expected), found) in stages.into_iter().zip(found) {
                    if found != expected {
                        return Err(format!("the {stage} of {name} differs"));
                    }
                }
            }
            if found.units.len() != expected.units.len() {
                return Err("other units".into());
            }
        }
        if found.executable != expected.executable {
            return Err("the executable differs".into());
        }
        if !found.image.is_empty() && found.image != expected.image {
            return Err("the image differs".into());
        }
        Ok(())
    }
}

fn shorten(path: &mut String) {
    if let Some((_, rest)) = path.rsplit_once("/files") {
        *path = rest.split_once('/').map_or(rest, |(_, rest)| rest).to_owned();
    }
}

fn products(session: &Session) -> Result<BTreeMap<String, [Vec<u8>; 3]>, String> {
    let mut database = session.open();
    let products = session.attempt(&mut database, |db| {
        let units = cm_lower::units(db, Root).iter().map(|unit| {
            let mir = cm_lower::unit(db, *unit).to_vec();
            let bitcode = queries::unit_bitcode(db, *unit).bytes(db).to_vec();
            let object = queries::unit_object(db, *unit).bytes(db).to_vec();
            (unit.to_string(), [mir, bitcode, object])
        });
        units.collect()
    });
    products.map_err(text)
}

/// What a build from nothing makes of a program, and what the program does.
pub struct Clean {
    /// What is made.
    pub outcome: Outcome,
    /// `None`: there are errors, or it was not to be executed.
    pub behaviour: Option<Behaviour>,
    /// Every node that the build has.
    pub graph: Graph,
}

type Shared = Arc<OnceLock<Result<Arc<Clean>, String>>>;
static CLEAN: Mutex<BTreeMap<(Files, Vec<String>), Shared>> = Mutex::new(BTreeMap::new());

/// Builds files from nothing, in a directory of their own. Scripts share what they have in common.
pub fn clean(files: &Files, arguments: &[String]) -> Result<Arc<Clean>, String> {
    let key = (files.clone(), arguments.to_vec());
    let shared = CLEAN.lock().map_err(text)?.entry(key).or_default().clone();
    shared.get_or_init(|| build_clean(files, arguments, true).map(Arc::new)).clone()
}

/// The same, not shared. `run`: the program is executed, if there are no errors.
pub fn build_clean(files: &Files, arguments: &[String], run: bool) -> Result<Clean, String> {
    build_new(&Place::new(files, arguments)?, run)
}

/// A build from nothing, but for a store that stays: where the bytes of a unit's MIR are those of an
/// earlier build, its code is found there. `place`: where it is; made at the first build.
pub fn build_with_store(
    place: &mut Option<Place>,
    files: &Files,
    arguments: &[String],
    run: bool,
) -> Result<Clean, String> {
    let place = match place {
        Some(place) => {
            place.arguments = arguments.to_vec();
            place.set_files(files.clone())?;
            place.forget_graphs()?;
            place
        }
        none => none.insert(Place::new(files, arguments)?),
    };
    build_new(place, run)
}

/// Builds where there is no graph.
fn build_new(place: &Place, run: bool) -> Result<Clean, String> {
    let session = place.session(Arc::new(TestSystem::calm()))?;
    let mut database = session.open();
    let program = cm_driver::build(&session, &mut database, None).map_err(text)?;
    let report = session.report(&program.diagnostics);
    let executable = program.executable.clone().and_then(|(_, bytes)| Some(bytes?.to_vec()));
    let diagnostics = cm_hir::queries::node::diagnostics(Root);
    let entry = cm_hir::queries::node::entry(Root);
    let roots = match executable {
        Some(_) => vec![diagnostics, entry, queries::node::executable(Root)],
        None => vec![diagnostics],
    };
    let graph = Graph::new(&database.graph().report(&roots).map_err(text)?);
    cm_driver::keep(&session, &database, program, &place.output()).map_err(text)?;
    let behaviour = match executable.as_ref().filter(|_| run) {
        Some(bytes) => Some(execute(&place.output(), bytes)?),
        None => None,
    };
    Ok(Clean { outcome: Outcome::take(&session, report, executable, true)?, behaviour, graph })
}

/// The graph of a build from nothing up to the units, without code generation, and whether there are
/// no errors.
pub fn front_graph(files: &Files) -> Result<(Graph, bool), String> {
    let place = Place::new(files, &[])?;
    let session = place.session(Arc::new(TestSystem::calm()))?;
    let mut database = session.open();
    let accepted = session.attempt(&mut database, |db| {
        // Of a program for another machine nothing would be asked at all.
        cm_hir::diagnostics(db, Root);
        let diagnostics = diagnose(db, Purpose::Compile);
        let accepted = accepted(&diagnostics);
        let units = if accepted { cm_lower::units(db, Root) } else { &Vec::new() };
        units.iter().for_each(|unit| _ = cm_lower::unit(db, *unit));
        accepted
    });
    let accepted = accepted.map_err(text)?;
    let mut roots = vec![cm_hir::queries::node::diagnostics(Root)];
    if accepted {
        roots.push(cm_hir::queries::node::entry(Root));
        let units = cm_lower::units(&*database, Root);
        roots.extend(units.iter().map(|unit| cm_lower::node::unit(*unit)));
    }
    Ok((Graph::new(&database.graph().report(&roots).map_err(text)?), accepted))
}

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Executes a program, which is written to `path` before.
pub fn execute(path: &Utf8Path, bytes: &[u8]) -> Result<Behaviour, String> {
    fs::write(path, bytes).map_err(text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(text)?;
    let mut child = process::start(Command::new(path).stdout(Stdio::piped())).map_err(text)?;
    let mut stdout = child.stdout.take().ok_or("no output")?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let status = process::wait_within(&mut child, PATIENCE).map_err(text)?;
    let status = status.ok_or("the program does not end")?;
    let bytes = reader.join().map_err(|_| "the output cannot be read")?.map_err(text)?;
    Ok(Behaviour { stdout: String::from_utf8(bytes).map_err(text)?, exit: status.code() })
}
