//! The `cm` command as its users meet it: what it prints and its exit status, for good and for bad
//! input, with a cache in whatever state.

#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/conditions.rs"]
mod conditions;
#[path = "cli/crashes.rs"]
mod crashes;
#[path = "cli/everywhere.rs"]
mod everywhere;
#[path = "cli/foreign.rs"]
mod foreign;
#[path = "cli/formatting.rs"]
mod formatting;
#[path = "cli/languages.rs"]
mod languages;
#[path = "cli/library.rs"]
mod library;
#[path = "cli/linting.rs"]
mod linting;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/programs.rs"]
mod programs;
#[path = "cli/projects.rs"]
mod projects;
#[path = "cli/signing.rs"]
mod signing;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/terminals.rs"]
mod terminals;
#[path = "cli/testing.rs"]
mod testing;
#[path = "cli/tls.rs"]
mod tls;
#[path = "cli/together.rs"]
mod together;
#[path = "cli/tour.rs"]
mod tour;
#[path = "cli/watching.rs"]
mod watching;

use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs,
    io::Write,
    process::{Child, Command, Stdio},
};

/// A directory of its own in which `cm` is called.
struct Place {
    _dir: tempfile::TempDir,
    path: Utf8PathBuf,
}

/// What a command did.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Place {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("a UTF-8 path");
        // The base of file ids: nothing above it is looked at.
        fs::write(path.join("cm.toml"), "").expect("a marker");
        let place = Place { _dir: dir, path };
        files.iter().for_each(|(name, text)| place.write(name, text));
        place
    }
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a file in a directory")).expect("a directory");
        fs::write(path, bytes).expect("a file");
    }
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).expect("a file")
    }
    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cm"));
        command.args(args.split_whitespace()).current_dir(&self.path);
        command.env("CM_STD_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs"));
        command.env("CM_SHARED_CACHE", "");
        command.env_remove("CM_CACHE_DIR").env_remove("CM_MODULE_PATH").env("LC_ALL", "C");
        command.env("CM_KEY_DIR", self.path.join("keys"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
    fn cm(&self, args: &str) -> Outcome {
        outcome(self.command(args).spawn().expect("cm starts"))
    }
    fn cm_with_input(&self, args: &str, input: &str) -> Outcome {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().expect("cm starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that fails before it reads breaks the pipe.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        outcome(child)
    }
}

fn outcome(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("cm ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Outcome {
        exit: exit_status(output.status),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Whether a text is a pattern, in which `…` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, mut rest)) = pattern.split_once('…') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    while let Some((part, next)) = rest.split_once('…') {
        let Some((_, after)) = text.split_once(part) else { return false };
        (text, rest) = (after, next);
    }
    text.ends_with(rest)
}

/// A call and what must come of it: arguments, exit status, standard output, standard error.
type Case<'a> = (&'a str, i32, &'a str, &'a str);

/// Calls `cm` for each case, in order, in one place.
fn check(place: &Place, cases: &[Case]) {
    let mut wrong = String::new();
    for (args, exit, stdout, stderr) in cases {
        let found = place.cm(args);
        if found.exit != *exit || !fits(stdout, &found.stdout) || !fits(stderr, &found.stderr) {
            wrong += &format!(
                "cm {args}\n-- exit {} for {exit}\n-- stdout:\n{}-- stderr:\n{}\n",
                found.exit, found.stdout, found.stderr
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// All files below a directory.
fn files_below(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for entry in dir.read_dir_utf8().expect("a directory").flatten() {
        match entry.file_type().expect("a type") {
            kind if kind.is_dir() => files.extend(files_below(entry.path())),
            _ => files.push(entry.path().to_owned()),
        }
    }
    files.sort();
    files
}
