//! Programs in MIR, compiled and run: in memory and as executables, not optimized and optimized.
//!
//! A C file of the same name is linked to it. Lines `//> text` of a fixture are what it prints; a line `//! status` is its exit status.

use cm_backend::Llvm;
use cm_backend_api::{Backend, Target};
use cm_link::Library;
use cm_mir::{
    interp::{self, Captured, Program},
    text::parse_unit,
    unit::Unit,
    verify::verify_unit,
};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");

fn main() -> ExitCode {
    // A program that runs in memory gets a process of its own: this one.
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some("--run-objects") {
        let objects: Vec<_> = args.map(|path| fs::read(path).expect("an object")).collect();
        let objects: Vec<_> = objects.iter().map(|object| ("object", &object[..])).collect();
        let status = cm_jit::run(&objects);
        return match status {
            Ok(status) => ExitCode::from(status as u8),
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(99)
            }
        };
    }
    let mut paths: Vec<PathBuf> =
        fs::read_dir(FIXTURES).expect("fixtures").map(|entry| entry.expect("one").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mir"));
    paths.sort();
    let trials = paths.iter().flat_map(|path| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let levels = [0, 1, 2, 3].map(|level| {
            let path = path.clone();
            Trial::test(format!("{name} O{level}"), move || check(&path, level))
        });
        let path = path.clone();
        // The interpreter is what says what MIR means, as far as it goes.
        let text = fs::read_to_string(&path).expect("a fixture");
        let name = format!("{name} interpreted");
        let interpreted = (!text.starts_with("// not interpreted: "))
            .then(|| Trial::test(name, move || interpret(&path)));
        levels.into_iter().chain(interpreted)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// What a fixture prints, and its exit status.
fn expectation(text: &str) -> (String, i32) {
    let lines = |mark| text.lines().filter_map(move |line| line.strip_prefix(mark));
    let printed = lines("//> ").map(|line| format!("{line}\n")).collect();
    let status = lines("//! ").next().map_or(0, |status| status.parse().expect("a status"));
    (printed, status)
}

/// The units of a fixture, verified.
fn units(text: &str) -> Result<Vec<Unit>, Failed> {
    let starts = text.match_indices("unit \"").map(|(start, _)| start);
    let starts: Vec<_> = starts.chain([text.len()]).collect();
    let unit = |bounds: &[usize]| {
        let unit = parse_unit(&text[bounds[0]..bounds[1]]);
        let mut unit = unit.map_err(|error| format!("{error:?}"))?;
        unit.functions.sort_by_key(|function| function.decl.symbol);
        unit.globals.sort_by_key(|global| global.decl.symbol);
        verify_unit(&unit).map_err(|errors| format!("{errors:?}"))?;
        Ok(unit)
    };
    starts.windows(2).map(unit).collect()
}

fn interpret(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let units = units(&text)?;
    let functions = units.iter().flat_map(|unit| &unit.functions);
    let program = Program::new(functions, units.iter().flat_map(|unit| &unit.globals));
    let mut host = Captured::default();
    let outcome = interp::run(&program, "main", &mut host);
    let printed = [host.stdout, host.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let status = outcome.status().map(i32::from);
    let (expected, expected_status) = expectation(&text);
    if (&printed, status) != (&expected, Some(expected_status)) {
        return Err(
            format!("{outcome:?}\n{printed}\nexpected {expected_status}\n{expected}").into()
        );
    }
    Ok(())
}

fn check(path: &Path, opt_level: u8) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let (expected, status) = expectation(&text);
    let dir = tempfile::tempdir()?;
    let mut objects = compile(&text, opt_level, dir.path())?;
    let foreign = path.with_extension("c");
    if foreign.exists() {
        let object = dir.path().join("foreign.o");
        let args = ["-O1", "-fPIC", "-fno-asynchronous-unwind-tables", "-c", "-o"];
        cc(Command::new("cc").args(args).arg(&object).arg(&foreign))?;
        objects.push(object);
    }
    let program = dir.path().join("program");
    link(&objects, &program)?;
    let own = dir.path().join("own");
    link_own(&objects, &own)?;
    let mut in_memory = Command::new(env::current_exe()?);
    in_memory.arg("--run-objects").args(&objects);
    let ways = [
        ("in memory", in_memory),
        ("executable", Command::new(&own)),
        ("executable of the system's linker", Command::new(&program)),
    ];
    for (how, mut command) in ways {
        let output = cm_test::process::output(&mut command)?;
        let printed =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if (printed.as_ref(), output.status.code()) != (&expected, Some(status)) {
            let message =
                format!("{how}: {:?}\n{printed}\nexpected {status}\n{expected}", output.status);
            return Err(message.into());
        }
    }
    Ok(())
}

/// Compiles every unit of a text into a file of its own.
fn compile(text: &str, opt_level: u8, dir: &Path) -> Result<Vec<PathBuf>, Failed> {
    let target = Target::host();
    let mut paths = Vec::new();
    for unit in units(text)? {
        let unit = unit.encode();
        let bitcode = Llvm.bitcode(&unit, &target, opt_level)?;
        let object = Llvm.object(&bitcode, &target, opt_level)?;
        if Llvm.both(&unit, &target, opt_level)? != (bitcode, object.clone()) {
            return Err("the same unit gave two objects".into());
        }
        let path = dir.join(format!("{}.o", paths.len()));
        fs::write(&path, object)?;
        paths.push(path);
    }
    Ok(paths)
}

fn link(objects: &[PathBuf], program: &Path) -> Result<(), Failed> {
    let runtime = program.with_extension("runtime.o");
    fs::write(&runtime, cm_runtime::OBJECT)?;
    let args = ["-lm", "-Wl,--gc-sections", "-o"];
    cc(Command::new("cc").args(objects).arg(&runtime).args(args).arg(program))
}

/// The same without the system's linker.
fn link_own(objects: &[PathBuf], program: &Path) -> Result<(), Failed> {
    let objects = objects.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let objects = objects.iter().map(|object| ("object", &object[..]));
    let objects: Vec<_> = objects.chain([("runtime", cm_runtime::OBJECT)]).collect();
    let dir = PathBuf::from(format!("/lib/{}-linux-gnu", env::consts::ARCH));
    let read = |name| Ok((name, fs::read(dir.join(name))?));
    let libraries = ["libc.so.6", "libm.so.6"].map(read);
    let libraries = libraries.into_iter().collect::<Result<Vec<_>, std::io::Error>>()?;
    let libraries = libraries.iter().map(|(name, bytes)| Library::parse(name, bytes));
    let libraries = libraries.collect::<Result<Vec<_>, _>>()?;
    fs::write(program, cm_link::executable(&objects, &libraries)?)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn cc(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(())
}
