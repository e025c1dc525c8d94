//! Builds in which a system call fails, by `strace`: none may panic or make something wrong, and the
//! build after each must be right.

use crate::crashes::{Setting, said};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    process::ExitStatus,
    str::FromStr,
};

/// System calls by which a build leaves something behind, in whatever file.
const WRITING: [&str; 12] = [
    "write",
    "pwrite64",
    "writev",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "fsync",
    "fdatasync",
    "openat",
    "ftruncate",
];
/// What they end with: an error, or the process does.
const WRITE_FAULTS: [&str; 5] =
    ["error=ENOSPC", "error=EIO", "error=EACCES", "error=EMFILE", "signal=KILL"];

/// System calls by which a build learns something of a file, and the errors that they may end with. A
/// call that was interrupted is to be made again.
const READING: [(&str, &[&str]); 8] = [
    ("openat", &["EIO", "EACCES", "EMFILE", "EINTR"]),
    ("read", &["EIO", "EINTR"]),
    ("pread64", &["EIO", "EINTR"]),
    ("mmap", &["ENOMEM", "ENODEV"]),
    ("statx", &["EIO", "EACCES"]),
    ("getdents64", &["EIO"]),
    ("readlink", &["EIO"]),
    ("flock", &["EIO", "ENOLCK", "EINTR"]),
];

/// A system call that does not end as it should.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Fault {
    /// Of which file in the place, if it is about one.
    file: Option<String>,
    /// For `strace`: the call, how it ends, and which of them.
    inject: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map_or(String::new(), |file| format!(" {file}"));
        write!(f, "{}{file}", self.inject)
    }
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(text: &str) -> Result<Fault, String> {
        let mut words = text.split(' ').map(str::to_owned);
        let inject = words.next().ok_or("no fault")?;
        Ok(Fault { file: words.next(), inject })
    }
}

/// Builds with faults: of every kind, up to so many. Returns how many there were, and how many of the
/// builds failed. `only`: that one alone, as a failure shows it.
pub fn faults(seed: u64, count: usize, only: Option<&str>) -> Result<(usize, usize), String> {
    let mut traced = Traced(Setting::new(seed)?);
    let all = match only {
        Some(only) => vec![only.parse()?],
        None => traced.possible()?,
    };
    let tried = count.min(all.len());
    println!("{tried} of {} faults", all.len());
    let (mut failed, mut wrong) = (0, 0);
    for number in 0..tried {
        // All of them if there is time, else some of each kind.
        let fault = &all[number * all.len() / tried];
        match traced.build(fault) {
            Ok(succeeded) => failed += usize::from(!succeeded),
            Err(message) => {
                println!("--fault '{fault}': {message}");
                wrong += 1;
            }
        }
    }
    if wrong == 0 { Ok((tried, failed)) } else { Err(format!("{wrong} of {tried} went wrong")) }
}

/// Builds a program under `strace`.
struct Traced(Setting);

impl Traced {
    /// Starts a build with these arguments of `strace`; says how it ended, what it said, and which calls
    /// there were.
    fn start(&self, arguments: &str) -> Result<(ExitStatus, String, String), String> {
        let log = self.0.place.root().join("calls");
        let shell = format!("exec strace -f -y -qq -o {log} {arguments} \"$0\" \"$@\"");
        self.0.put(&self.0.before)?;
        let _ = fs::remove_file(self.0.place.output());
        let (status, said) = said(self.0.start(Some(&shell))?)?;
        let calls = fs::read(&log).map_err(|_| "strace is not here, or may not trace")?;
        Ok((status, said, String::from_utf8_lossy(&calls).into_owned()))
    }

    /// What a build could meet: every call that it makes now, with every fault.
    fn possible(&self) -> Result<Vec<Fault>, String> {
        let names: BTreeSet<&str> =
            WRITING.into_iter().chain(READING.map(|(call, _)| call)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let (status, said, calls) = self.start(&format!("-e trace={}", names.join(",")))?;
        if !status.success() {
            return Err(format!("without a fault: {said}"));
        }
        let mut all = Vec::new();
        for call in WRITING {
            let made = calls.lines().filter(|line| line.contains(&format!(" {call}("))).count();
            for fault in WRITE_FAULTS {
                let fault = |at| Fault { file: None, inject: format!("{call}:{fault}:when={at}") };
                all.extend((1..=made).map(fault));
            }
        }
        let mut made: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in calls.lines() {
            let call = READING.iter().find(|(call, _)| line.contains(&format!(" {call}(")));
            if let Some(((call, _), file)) = call.zip(self.file_of(line)) {
                *made.entry((call, file)).or_default() += 1;
            }
        }
        for ((call, file), count) in made {
            let errors = READING.iter().find(|(of, _)| *of == call).map_or(&[][..], |(_, e)| e);
            for error in errors {
                let fault = |when| Fault {
                    file: Some(file.to_owned()),
                    inject: format!("{call}:error={error}:when={when}"),
                };
                all.extend((1..=count).map(|at| fault(at.to_string())));
                // What is interrupted for ever never ends.
                all.extend((*error != "EINTR").then(|| fault("1+".into())));
            }
        }
        Ok(all)
    }

    /// The file in the place that a call is about, by a name that it has each time.
    fn file_of<'a>(&self, line: &'a str) -> Option<&'a str> {
        let root = format!("{}/", self.0.place.root());
        let (_, rest) = line.split_once(&root)?;
        let file = &rest[..rest.find(['"', '>'])?];
        (!file.contains("/.tmp")).then_some(file)
    }

    /// Builds with a fault, and looks what comes of it. Whether it succeeded.
    fn build(&mut self, fault: &Fault) -> Result<bool, String> {
        let (call, _) = fault.inject.split_once(':').unwrap_or_default();
        let path = fault.file.as_ref().map(|file| self.0.place.root().join(file));
        let path = path.map_or(String::new(), |path| format!("-P {path}"));
        let arguments = format!("-e trace={call} {path} -e inject={}", fault.inject);
        let (status, said, _) = self.start(&arguments)?;
        if said.contains("panicked") || status.code().is_some_and(|code| code > 1) {
            return Err(format!("{status}: {said}"));
        }
        if status.success() && fs::read(self.0.place.output()).ok() != self.0.executable() {
            return Err("the build made something else, and did not say so".into());
        }
        if let (Some(file), false) = (&fault.file, status.success()) {
            is_excused(file, &fault.inject, &said)?;
        }
        self.0.check()?;
        Ok(status.success())
    }
}

/// Whether a build may fail because a file could not be read: not one of the cache, and not without saying which.
fn is_excused(file: &str, inject: &str, said: &str) -> Result<(), String> {
    let (_, name) = file.rsplit_once('/').unwrap_or(("", file));
    if file.starts_with("cache") || inject.contains("EINTR") {
        return Err(format!("the build failed: {said}"));
    }
    match said.contains(name) {
        true => Ok(()),
        false => Err(format!("the build failed, and did not name {name}: {said}")),
    }
}
