//! `cm init`.

use crate::{args, print::tell};
use camino::{Utf8Path, Utf8PathBuf};
use cm_driver::{Error, reason};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    process::ExitCode,
};

/// The files of a new project.
const FILES: [(&str, &str); 3] = [
    ("cm.toml", "# This file marks the root of the project: imports are looked for from here.\n"),
    (
        "src/main.cm",
        "import std::io::println;\n\nint main() {\n    println(\"Hello, world!\");\n    return 0;\n}\n",
    ),
    (".gitignore", "/.cm_cache/\n/a.out\n"),
];

/// Makes the files that are not there, and leaves those alone that are.
pub fn run(args: &args::Init) -> Result<ExitCode, Error> {
    let mut made = 0;
    for (name, text) in FILES {
        let path = if args.dir == "." { Utf8PathBuf::from(name) } else { args.dir.join(name) };
        match create(&path, text) {
            Ok(()) => {
                made += 1;
                tell(&format!("created {path}\n"));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                tell(&format!("{path} exists already; left as it is\n"));
            }
            Err(error) => return Err(format!("cannot create {path}: {}", reason(&error)).into()),
        }
    }
    if made > 0 {
        let main = if args.dir == "." { FILES[1].0.into() } else { args.dir.join(FILES[1].0) };
        tell(&format!("try: cm run {main}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that does not exist, not even as a link to nowhere.
fn create(path: &Utf8Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_str().is_empty()) {
        fs::create_dir_all(dir).map_err(|error| match error.kind() {
            // Something that is no directory is in the way.
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => error,
        })?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
