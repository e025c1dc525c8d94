//! What must hold of a program that is right: it does the same wherever it runs, at every level, leaves nothing
//! behind, and uses nothing that is freed.

use crate::{check, seeds::repository};
use cm_mir::{
    interp::{Captured, Limits, Outcome},
    passes::optimize,
};
use cm_test::process;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Programs that do more are left alone.
const LIMITS: Limits = Limits { steps: 3_000_000, stack: 8 << 20, memory: 64 << 20 };
/// How long a program may take that is not interpreted.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a program did.
#[derive(PartialEq, Eq)]
struct Ran {
    status: i32,
    printed: Vec<u8>,
}

/// Checks a program. What is wrong starts with a word that says of which kind it is.
///
/// # Errors
/// If something is wrong.
pub fn compare(text: &str) -> Result<(), String> {
    let Some(wanted) = interpret(text)? else { return Ok(()) };
    for level in ["-O0", "-O3"] {
        let found = run(text, level).map_err(|error| format!("{level}-fails: {error}"))?;
        same(level, &wanted, &found)?;
    }
    Ok(())
}

/// Interprets a program, as it is and as the passes make it, and checks it. `false`: it does too much.
///
/// # Errors
/// If something is wrong.
pub fn interpreted(text: &str) -> Result<bool, String> {
    interpret(text).map(|ran| ran.is_some())
}

fn interpret(text: &str) -> Result<Option<Ran>, String> {
    let mut units = check::compile(text)?;
    let Some(wanted) = sound("interpreted", check::interpret(&units, LIMITS))? else {
        return Ok(None);
    };
    let functions = units.iter_mut().flat_map(|unit| &mut unit.functions);
    functions.for_each(|function| optimize(function, 3));
    if let Some(found) = sound("passes", check::interpret(&units, LIMITS))? {
        same("passes", &wanted, &found)?;
    }
    Ok(Some(wanted))
}

/// The program ends, and what it made is gone then, unless it panics. `None`: it does too much.
fn sound(name: &str, (outcome, host): (Outcome, Captured)) -> Result<Option<Ran>, String> {
    match outcome {
        Outcome::Trap(why) if why == "too many steps" || why == "out of memory" => Ok(None),
        Outcome::Trap(why) => Err(format!("{name}-trap: {}", why.replace('\n', " "))),
        Outcome::Exit(_) if host.leaked > 0 => {
            Err(format!("{name}-leak: {} objects are never freed", host.leaked))
        }
        Outcome::Exit(status) => Ok(Some(Ran { status: status.into(), printed: host.stdout })),
        Outcome::Panic => Ok(Some(Ran { status: 101, printed: host.stdout })),
    }
}

/// Names the first line that differs, and the status.
fn same(name: &str, wanted: &Ran, found: &Ran) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    let [lines, other] =
        [wanted, found].map(|ran| String::from_utf8_lossy(&ran.printed).into_owned());
    let differs = lines.lines().zip(other.lines()).enumerate().find(|(_, (a, b))| a != b);
    let line = differs.map(|(line, (a, b))| format!("line {}: {b:?}, not {a:?}; ", line + 1));
    let (line, found, wanted) = (line.unwrap_or_default(), found.status, wanted.status);
    Err(format!("{name}-differs: {line}status {found}, not {wanted}"))
}

/// Runs a program with the compiler.
fn run(text: &str, level: &str) -> io::Result<Ran> {
    let directory = env::temp_dir().join(format!("cm-programs-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let (file, output) = (directory.join("main.cm"), directory.join("printed"));
    fs::write(&file, text)?;
    let mut command = Command::new(compiler()?);
    command.args(["run", "--no-cache", level]).arg(&file).current_dir(&directory);
    command.env("CM_STD_PATH", repository().join("libs"));
    command.stdin(Stdio::null()).stdout(fs::File::create(&output)?).stderr(Stdio::null());
    let status = process::wait_within(&mut process::start(&mut command)?, PATIENCE)?
        .ok_or(io::ErrorKind::TimedOut)?;
    let printed = fs::read(&output)?;
    fs::remove_dir_all(&directory)?;
    match status.code() {
        Some(status) => Ok(Ran { status, printed }),
        None => Err(io::Error::other(status.to_string())),
    }
}

/// The command `cm`, which is built beside this program.
fn compiler() -> io::Result<PathBuf> {
    let this = env::current_exe()?;
    let beside = this.ancestors().skip(1).take(2).map(|directory| directory.join("cm"));
    let found = beside.into_iter().find(|path: &PathBuf| Path::is_file(path));
    found.ok_or_else(|| io::Error::other("there is no cm: cargo build -p cm"))
}
