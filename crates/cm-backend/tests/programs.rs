//! Programs in MIR, compiled and run: in memory and as executables, not optimized and optimized.
//!
//! A C file of the same name is linked to it. Lines `//> text` of a fixture are what it prints; a line `//! status` is its exit status.

use cm_backend::Llvm;
use cm_backend_api::{Backend, Target};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    env, fs,
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
        let status = Llvm.run(&objects);
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
        [0, 1, 2, 3].map(|level| {
            let path = path.clone();
            Trial::test(format!("{name} O{level}"), move || check(&path, level))
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn check(path: &Path, opt_level: u8) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let lines = |mark| text.lines().filter_map(move |line| line.strip_prefix(mark));
    let expected: String = lines("//> ").map(|line| format!("{line}\n")).collect();
    let status = lines("//! ").next().map_or(0, |status| status.parse().expect("a status"));
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
    let mut in_memory = Command::new(env::current_exe()?);
    in_memory.arg("--run-objects").args(&objects);
    for (how, mut command) in [("in memory", in_memory), ("executable", Command::new(&program))] {
        let output = command.output()?;
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
    let starts = text.match_indices("unit \"").map(|(start, _)| start);
    let starts: Vec<_> = starts.chain([text.len()]).collect();
    let target = Target::host();
    let mut paths = Vec::new();
    for bounds in starts.windows(2) {
        let unit = cm_mir::text::parse_unit(&text[bounds[0]..bounds[1]])
            .map_err(|error| format!("{error:?}"))?
            .encode();
        let object = || Llvm.object(&Llvm.bitcode(&unit, &target, opt_level)?, &target, opt_level);
        let first = object()?;
        if first != object()? {
            return Err("the same unit gave two objects".into());
        }
        let path = dir.join(format!("{}.o", paths.len()));
        fs::write(&path, first)?;
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

fn cc(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(())
}
