//! The linker of the system, called itself with the C start files, since going through `cc` costs
//! more than the link.

use super::Objects;
use crate::tools::Scratch;
use camino::{Utf8Path, Utf8PathBuf};
use std::{fmt::Write, fs, process::Command, sync::Arc};

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

/// From about here on threads save a linker more time than starting them costs.
const MANY_OBJECTS: usize = 1000;

impl Linker {
    /// The best linker of this machine: lld 22, mold, any lld, cc. For 250 objects lld takes 35 ms of
    /// processor time and mold 95 (66 if it may not demangle names).
    pub fn find() -> Option<Linker> {
        let direct = [("ld.lld-22", Kind::Lld), ("mold", Kind::Mold), ("ld.lld", Kind::Lld)];
        if let Some(dir) = start_files() {
            for (name, kind) in direct {
                if let Some(program) = which(name) {
                    return Some(Linker { program, kind, start_files: Some(dir) });
                }
            }
        }
        let program = which("cc").or_else(|| which("gcc")).or_else(|| which("clang"))?;
        Some(Linker { program, kind: Kind::Cc, start_files: None })
    }

    /// Program and version.
    pub fn identity(&self) -> String {
        let stamp = fs::metadata(&self.program).map_or(0, |meta| meta.len());
        format!("{} {stamp}", self.program)
    }

    /// Links objects to an executable.
    pub fn link(&self, objects: &Objects, scratch: &Scratch) -> Result<Arc<[u8]>, String> {
        let objects = super::files(objects, scratch)?;
        let output = scratch.path("executable")?;
        let mut args = String::new();
        for arg in self.arguments(&objects, &output) {
            // In response files backslashes escape, so quoting needs both doubled.
            let quoted = arg.replace('\\', "\\\\").replace('"', "\\\"");
            writeln!(args, "\"{quoted}\"").expect("writing to a string cannot fail");
        }
        let response = scratch.write("executable.rsp", args.as_bytes())?;
        let result = Command::new(&self.program).arg(format!("@{response}")).output();
        let result = result.map_err(|e| format!("cannot run {}: {e}", self.program))?;
        if !result.status.success() {
            return Err(explain(&String::from_utf8_lossy(&result.stderr)));
        }
        fs::read(&output).map(Into::into).map_err(|e| format!("cannot read {output}: {e}"))
    }

    fn arguments(&self, objects: &[Utf8PathBuf], output: &Utf8Path) -> Vec<String> {
        let mut args: Vec<String> = vec!["-o".into(), output.to_string()];
        let Some(dir) = &self.start_files else {
            args.extend(objects.iter().map(ToString::to_string));
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
        if objects.len() < MANY_OBJECTS {
            args.push("--threads=1".into());
        }
        if self.kind == Kind::Mold {
            args.extend(["--no-fork", "--no-demangle"].map(Into::into));
        }
        args.extend([dir.join("Scrt1.o").into_string(), dir.join("crti.o").into_string()]);
        args.extend(objects.iter().map(ToString::to_string));
        args.extend([format!("-L{dir}"), "-lc".into(), "-lm".into()]);
        args.push(dir.join("crtn.o").into_string());
        args
    }
}

/// The linker's own words, made into a sentence of ours where that is possible.
pub fn explain(stderr: &str) -> String {
    let undefined = stderr.lines().find_map(|line| {
        let gnu = || line.split_once("undefined reference to ");
        line.split_once("undefined symbol: ").or_else(gnu)
    });
    if let Some((_, symbol)) = undefined {
        let symbol = symbol.trim_matches(['`', '\'']);
        let symbol = symbol.split_whitespace().next().unwrap_or(symbol);
        return format!("Undefined symbol '{symbol}'");
    }
    format!("the linker failed:\n{}", stderr.trim_end())
}

/// The linker that `CM_LINKER` names.
pub fn chosen() -> Option<Linker> {
    let program = std::env::var("CM_LINKER").ok().filter(|program| !program.is_empty())?;
    let kind = match &program {
        name if name.contains("mold") => Kind::Mold,
        name if name.contains("ld") => Kind::Lld,
        _ => Kind::Cc,
    };
    let start_files = if kind == Kind::Cc { None } else { start_files() };
    Some(Linker { program: program.into(), kind, start_files })
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
