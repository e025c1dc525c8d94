//! Linking: objects to an executable, by calling the linker itself with the C start files, since
//! going through `cc` costs more than the link.

use camino::{Utf8Path, Utf8PathBuf};
use std::{process::Command, sync::OnceLock};

/// A linker that was found on this machine.
#[derive(Clone, Debug)]
pub struct Linker {
    program: Utf8PathBuf,
    kind: Kind,
    /// Where `crt1.o` is; `None` with [`Kind::Cc`].
    start_files: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Lld,
    Mold,
    Cc,
}

/// Objects in one file, as `ar` would make it, without a table of symbols.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    members: usize,
}

impl Archive {
    /// Adds an object.
    pub fn add(&mut self, object: &[u8]) {
        let name = format!("{}.o/", self.members);
        let header =
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, object.len());
        if self.members == 0 {
            self.bytes.extend(b"!<arch>\n");
        }
        self.members += 1;
        self.bytes.extend(header.as_bytes());
        self.bytes.extend(object);
        self.bytes.resize(self.bytes.len().next_multiple_of(2), b'\n');
    }
    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Linker {
    /// The best linker of this machine: `CM_LINKER` if set, else lld 22, mold, any lld, cc. For 250
    /// objects lld takes 35 ms of processor time and mold 95 (66 if it may not demangle names).
    pub fn find() -> Result<&'static Linker, String> {
        static FOUND: OnceLock<Result<Linker, String>> = OnceLock::new();
        FOUND.get_or_init(search).as_ref().map_err(Clone::clone)
    }

    /// Tells linkers apart in cache keys: the same objects linked by another linker are another
    /// executable.
    pub fn identity(&self) -> String {
        let stamp = std::fs::metadata(&self.program).map_or(0, |meta| meta.len());
        format!("{} {stamp}", self.program)
    }

    /// Links the objects of an archive into an executable.
    pub fn link(&self, objects: &Utf8Path, output: &Utf8Path) -> Result<(), String> {
        let result = Command::new(&self.program).args(self.arguments(objects, output)).output();
        let result = result.map_err(|e| format!("cannot run {}: {e}", self.program))?;
        if result.status.success() {
            return Ok(());
        }
        Err(explain(&String::from_utf8_lossy(&result.stderr)))
    }

    fn arguments(&self, objects: &Utf8Path, output: &Utf8Path) -> Vec<String> {
        let mut args: Vec<String> = vec!["-o".into(), output.to_string()];
        let Some(dir) = &self.start_files else {
            args.push("-Wl,--whole-archive".into());
            args.push(objects.to_string());
            args.push("-Wl,--no-whole-archive".into());
            args.extend(
                ["-lm", "-lpthread", "-Wl,--gc-sections", "-Wl,--build-id=none"].map(Into::into),
            );
            return args;
        };
        args.extend(
            ["--gc-sections", "--build-id=none", "--hash-style=gnu", "-z", "noexecstack"]
                .map(Into::into),
        );
        args.extend(["-pie", "--dynamic-linker", dynamic_linker()].map(Into::into));
        // Threads save a linker less time than starting them costs, up to a million lines.
        args.push("--threads=1".into());
        if self.kind == Kind::Mold {
            args.extend(["--no-fork", "--no-demangle"].map(Into::into));
        }
        args.extend([dir.join("Scrt1.o").into_string(), dir.join("crti.o").into_string()]);
        args.extend(["--whole-archive", objects.as_str(), "--no-whole-archive"].map(Into::into));
        args.extend([format!("-L{dir}"), "-lc".into(), "-lm".into()]);
        args.push(dir.join("crtn.o").into_string());
        args
    }
}

/// The linker's own words, made into a sentence of ours where that is possible.
fn explain(stderr: &str) -> String {
    let undefined = stderr.lines().find_map(|line| line.split_once("undefined symbol: "));
    if let Some((_, symbol)) = undefined {
        let symbol = symbol.split_whitespace().next().unwrap_or(symbol);
        return format!("Undefined symbol '{symbol}'");
    }
    format!("the linker failed:\n{}", stderr.trim_end())
}

fn search() -> Result<Linker, String> {
    if let Ok(program) = std::env::var("CM_LINKER")
        && !program.is_empty()
    {
        let kind = match &program {
            name if name.contains("mold") => Kind::Mold,
            name if name.contains("ld") => Kind::Lld,
            _ => Kind::Cc,
        };
        let start_files = if kind == Kind::Cc { None } else { start_files() };
        return Ok(Linker { program: program.into(), kind, start_files });
    }
    let direct = [("ld.lld-22", Kind::Lld), ("mold", Kind::Mold), ("ld.lld", Kind::Lld)];
    if let Some(dir) = start_files() {
        for (name, kind) in direct {
            if let Some(program) = which(name) {
                return Ok(Linker { program, kind, start_files: Some(dir) });
            }
        }
    }
    match which("cc").or_else(|| which("gcc")).or_else(|| which("clang")) {
        Some(program) => Ok(Linker { program, kind: Kind::Cc, start_files: None }),
        None => Err("no linker found; install one: apt-get install lld-22 libc6-dev".into()),
    }
}

fn which(name: &str) -> Option<Utf8PathBuf> {
    let path = std::env::var("PATH").ok()?;
    path.split(':').map(|dir| Utf8Path::new(dir).join(name)).find(|path| path.is_file())
}

fn start_files() -> Option<Utf8PathBuf> {
    let triple = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let dirs = [triple.as_str(), "/usr/lib64", "/usr/lib"];
    dirs.iter()
        .map(Utf8PathBuf::from)
        .find(|dir| dir.join("Scrt1.o").exists() && dir.join("crti.o").exists())
}

fn dynamic_linker() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "/lib/ld-linux-aarch64.so.1",
        _ => "/lib64/ld-linux-x86-64.so.2",
    }
}
