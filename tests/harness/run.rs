//! Running one program in one mode, and comparing.

use crate::{
    case::{Case, Kind, Mode},
    process::{self, Ran},
};
use std::{
    env,
    fs::{self, File},
    io,
    path::Path,
    process::Command,
};

/// Nothing, or how it differs from what is expected.
type Outcome = Result<(), String>;

/// Runs a program. Nothing of an earlier run is seen: each has a cache directory of its own.
pub(crate) fn run(case: &Case, mode: Mode, cm: &Path) -> Outcome {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let _alone = alone(case).map_err(|error| error.to_string())?;
    let context = Context { case, cm, place: place.path() };
    match case.kind {
        Kind::Output => context.output(mode),
        Kind::Error => context.error(),
        Kind::Format => context.format(),
        Kind::Lint => context.lint(),
    }
}

/// What a program uses that its other runs use too: ports, and files at fixed places.
const SHARED: [&[u8]; 3] = [b"native::net", b"native::http", b"/tmp/"];

/// Waits until no other run, of whatever process, of such a program goes on.
fn alone(case: &Case) -> io::Result<Option<File>> {
    let text = case.beside("cm").unwrap_or_default();
    let uses = |what: &&[u8]| text.windows(what.len()).any(|part| part == *what);
    if !SHARED.iter().any(uses) {
        return Ok(None);
    }
    let lock = File::create(env::temp_dir().join("cm-conformance.lock"))?;
    lock.lock()?;
    Ok(Some(lock))
}

struct Context<'a> {
    case: &'a Case,
    cm: &'a Path,
    /// An empty directory.
    place: &'a Path,
}

impl Context<'_> {
    /// `cm COMMAND … FILE`, in the directory of the program.
    fn compiler(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.cm);
        command.args(arguments).arg("--cache-dir").arg(self.place.join("cache"));
        // Wherever the build directory is.
        command.env("CM_STD_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../libs"));
        // Each program is compiled as if it were the first.
        command.env("CM_SHARED_CACHE", "");
        command.args(self.case.file.file_name());
        command.current_dir(self.case.file.parent().unwrap_or(Path::new(".")));
        command
    }

    /// `cm compile` at a level, and the path of the executable.
    fn compile(&self, level: &str) -> (Command, std::path::PathBuf) {
        let executable = self.place.join("program");
        let mut command = self.compiler(&["compile", "-q", level]);
        command.arg("-o").arg(&executable);
        (command, executable)
    }

    fn output(&self, mode: Mode) -> Outcome {
        let mut command = match mode {
            Mode::Interp => self.compiler(&["run", "--interpret"]),
            Mode::Exe | Mode::Optimized => {
                let level = if mode == Mode::Optimized { "-O3" } else { "-O0" };
                let (mut compile, executable) = self.compile(level);
                let ran = process::run(&mut compile, vec![])?;
                if !ran.status.success() || !ran.stdout.is_empty() {
                    return Err(format!("not compiled: {}", describe(&ran)));
                }
                let mut command = Command::new(executable);
                command.current_dir(self.case.file.parent().unwrap_or(Path::new(".")));
                command
            }
            Mode::Jit | Mode::Reject | Mode::Tool => self.compiler(&["run"]),
        };
        let ran = process::run(&mut command, self.case.beside("in").unwrap_or_default())?;
        if let Some(symbol) = self.text("foreign").filter(|_| mode == Mode::Interp) {
            return refused(symbol.trim(), &ran);
        }
        let status = self.text("exit").map_or(Ok(0), |text| text.trim().parse());
        let status: i32 = status.map_err(|_| "the file .exit is no number".to_owned())?;
        if ran.status.code() != Some(status) {
            return Err(format!("exit status {status} expected: {}", describe(&ran)));
        }
        same(&self.case.beside("out").unwrap_or_default(), &ran.stdout)
    }

    fn error(&self) -> Outcome {
        let text = self.text("err").unwrap_or_default();
        let main = self.case.file.file_name().unwrap_or_default().to_string_lossy();
        let (line, file, phrase) =
            parse_error(&text, &main).ok_or("the file .err is not `line N: PHRASE`")?;
        let (mut compile, executable) = self.compile("-O0");
        let ran = process::run(&mut compile, vec![])?;
        if ran.status.code() != Some(1) || !ran.stdout.is_empty() || executable.exists() {
            return Err(format!("`{text}` expected: {}", describe(&ran)));
        }
        let fits = |diagnostic: &str| {
            let rest = diagnostic.strip_prefix(file)?.strip_prefix(':')?;
            let (found, rest) = rest.split_once(':')?;
            let (_column, message) = rest.split_once(": error: ")?;
            (found == line && message.contains(phrase)).then_some(())
        };
        match ran.stderr.lines().any(|line| fits(line).is_some()) {
            true => Ok(()),
            false => Err(format!("`{}` expected: {}", text.trim(), describe(&ran))),
        }
    }

    fn format(&self) -> Outcome {
        let expected = self.case.beside("out").unwrap_or_default();
        for input in [self.case.beside("in").unwrap_or_default(), expected.clone()] {
            let file = self.place.join("input.cm");
            fs::write(&file, input).map_err(|error| error.to_string())?;
            let mut command = Command::new(self.cm);
            let ran = process::run(command.arg("fmt").arg(&file).current_dir(self.place), vec![])?;
            if !ran.status.success() {
                return Err(format!("not formatted: {}", describe(&ran)));
            }
            same(&expected, &fs::read(&file).unwrap_or_default())?;
        }
        Ok(())
    }

    fn lint(&self) -> Outcome {
        let copy = |extension: &str, name: &str| match self.case.beside(extension) {
            Some(text) => fs::write(self.place.join(name), text).map_err(|error| error.to_string()),
            None => Ok(()),
        };
        copy("cm", "input.cm")?;
        copy("yml", ".cmconfig.yml")?;
        let mut command = Command::new(self.cm);
        command.args(["lint", "input.cm"]).current_dir(self.place);
        let ran = process::run(&mut command, vec![])?;
        let status = self.text("exit").map_or(0, |text| text.trim().parse().unwrap_or(0));
        if ran.status.code() != Some(status) {
            return Err(format!("exit status {status} expected: {}", describe(&ran)));
        }
        let findings: Vec<String> = ran.stderr.lines().filter_map(finding).collect();
        let expected = self.text("expect").unwrap_or_default();
        let expected: Vec<&str> = expected.lines().collect();
        match findings == expected {
            true => Ok(()),
            false => Err(format!("{expected:?} expected, {findings:?} found: {}", describe(&ran))),
        }
    }

    fn text(&self, extension: &str) -> Option<String> {
        self.case.beside(extension).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Line, file and phrase of `line N: PHRASE` or `line N of FILE: PHRASE`.
fn parse_error<'a>(text: &'a str, main: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let (place, phrase) = text.trim().strip_prefix("line ")?.split_once(": ")?;
    let (line, file) = place.split_once(" of ").unwrap_or((place, main));
    Some((line, file, phrase))
}

/// `LINE CODE` of a diagnostic `FILE:LINE:COLUMN: SEVERITY: MESSAGE [CODE]`.
fn finding(diagnostic: &str) -> Option<String> {
    let (_, rest) = diagnostic.split_once(".cm:")?;
    let (line, rest) = rest.split_once(':')?;
    let (_, code) = rest.strip_suffix(']')?.rsplit_once('[')?;
    Some(format!("{line} {code}"))
}

/// Compares output, and shows the first line that differs.
fn same(expected: &[u8], found: &[u8]) -> Outcome {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let mut pairs = (1..).zip(expected.split('\n').zip(found.split('\n')));
    Err(match pairs.find(|(_, (expected, found))| expected != found) {
        Some((line, (expected, found))) => {
            format!("line {line}: {expected:?} expected, {found:?} found")
        }
        None => format!("{} bytes expected, {} found", expected.len(), found.len()),
    })
}

/// What a program did, in short.
fn describe(ran: &Ran) -> String {
    let shorten = |text: &str| {
        let lines: Vec<&str> = text.lines().take(12).collect();
        lines.join("\n")
    };
    let stdout = String::from_utf8_lossy(&ran.stdout);
    format!("{}\n{}\n{}", ran.status, shorten(&stdout), shorten(&ran.stderr))
}

/// Whether the interpreter has said that it cannot call a function.
fn refused(symbol: &str, ran: &Ran) -> Outcome {
    let phrase = format!("Undefined symbol '{symbol}': the interpreter");
    match ran.status.code() == Some(1) && ran.stderr.contains(&phrase) {
        true => Ok(()),
        false => Err(format!("`{phrase}` expected: {}", describe(ran))),
    }
}
