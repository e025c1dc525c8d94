//! Builds that end in the middle: killed, out of room, or with only a part of what they wrote on the
//! disk. The next build must be right, whatever was left.

use crate::{
    oracle::{Clean, Outcome, Place, TestSystem, build_clean, text},
    print,
    random::Random,
    walk::Walk,
};
use camino::Utf8Path;
use cm_test::{Files, process::wait_within};
use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a build may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files of a directory, by their paths in it.
type Tree = BTreeMap<String, Vec<u8>>;

/// Builds a program in `place` as a child process does, for [`Setting::start`].
pub fn build_here(main: &Utf8Path, cache: &Utf8Path, output: &Utf8Path) -> Result<bool, String> {
    let options = cm_driver::Options {
        file: main.to_owned(),
        cache: Some(cm_driver::CacheSettings::new(cache)),
        ..cm_driver::Options::default()
    };
    let purpose = cm_driver::session::Purpose::Compile;
    let system = Arc::new(TestSystem::calm());
    let session = cm_driver::session::Session::with_system(&options, purpose, system);
    let report = session.and_then(|session| cm_driver::compile_in(&session, output));
    let report = report.map_err(text)?;
    let errors = report.diagnostics.iter().filter(|shown| shown.severity == "error");
    errors.for_each(|error| eprintln!("{}:{}: {}", error.file, error.line, error.message));
    Ok(report.ok())
}

/// A program in three states: built in the first, on disk in the second, and to be edited to the third.
pub(crate) struct Setting {
    pub place: Place,
    /// The second and the third, and what they must give.
    states: [(Files, Clean); 2],
    /// The cache after the first.
    pub before: Tree,
    random: Random,
}

impl Setting {
    /// Different states of a walk, all of them right.
    pub fn new(seed: u64) -> Result<Setting, String> {
        let mut walk = Walk::new(seed);
        let mut next = || loop {
            walk.step();
            let program = &walk.state().program;
            if program.breakage.is_none() {
                break print::files(program);
            }
        };
        let mut states = vec![next()];
        while states.len() < 3 {
            let files = next();
            if states.last() != Some(&files) {
                states.push(files);
            }
        }
        let mut place = Place::new(&states[0], &[])?;
        build(&place, true)?;
        let before = tree(&place.cache())?;
        place.set_files(states[1].clone())?;
        let clean = |at: usize| -> Result<(Files, Clean), String> {
            Ok((states[at].clone(), build_clean(&states[at], &[], false)?))
        };
        let states = [clean(1)?, clean(2)?];
        Ok(Setting { place, states, before, random: Random::of(seed, 1) })
    }

    /// Puts the cache into a state.
    pub fn put(&self, tree: &Tree) -> Result<(), String> {
        let cache = self.place.cache();
        if cache.exists() {
            fs::remove_dir_all(&cache).map_err(text)?;
        }
        for (path, bytes) in tree {
            let path = cache.join(path);
            let parent = path.parent().unwrap_or(&cache);
            fs::create_dir_all(parent).map_err(text)?;
            fs::write(&path, bytes).map_err(text)?;
        }
        Ok(())
    }

    /// What a build of what is on disk makes.
    pub fn executable(&self) -> Option<Vec<u8>> {
        self.states[0].1.outcome.made.as_ref().map(|made| made.executable.clone())
    }

    /// The next build is right, and so is one after another edit, down to the graph that it leaves.
    pub fn check(&mut self) -> Result<(), String> {
        let [now, later] = &self.states;
        build(&self.place, false)
            .and_then(|outcome| outcome.compare(&now.1.outcome))
            .map_err(|message| format!("the next build: {message}"))?;
        self.place.set_files(later.0.clone())?;
        build(&self.place, true)
            .and_then(|outcome| outcome.compare(&later.1.outcome))
            .map_err(|message| format!("the build after an edit: {message}"))?;
        self.place.set_files(now.0.clone())
    }

    /// Starts a build as another process. `limit`: what a shell does before.
    pub fn start(&self, limit: Option<&str>) -> Result<Child, String> {
        let program = std::env::current_exe().map_err(text)?;
        let mut command = match limit {
            None => Command::new(program),
            Some(limit) => {
                let mut shell = Command::new("sh");
                shell
                    .arg("-c")
                    .arg(match limit.starts_with("exec") {
                        true => limit.to_owned(),
                        false => format!("{limit}; exec \"$0\" \"$@\""),
                    })
                    .arg(program);
                shell
            }
        };
        let main = self.place.main();
        command.args(["--build", main.as_str(), self.place.cache().as_str()]);
        command.arg(self.place.output()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map_err(text)
    }
}

/// `whole`: with the graph and the units.
pub(crate) fn build(place: &Place, whole: bool) -> Result<Outcome, String> {
    let session = place.session(Arc::new(TestSystem::calm()))?;
    let report = cm_driver::compile_in(&session, &place.output()).map_err(text)?;
    let executable = report.ok().then(|| fs::read(place.output()).map_err(text)).transpose()?;
    match whole {
        true => Outcome::take(&session, report, executable, true),
        false => Ok(Outcome::shown(report, executable)),
    }
}

/// Writes that were lost or torn when the machine went down: of every file that a build had changed the
/// old state, the new one, or some of it is there, in any combination.
pub fn lost_writes(seed: u64, trials: usize) -> Result<(), String> {
    let mut setting = Setting::new(seed)?;
    build(&setting.place, false)?;
    let after = tree(&setting.place.cache())?;
    let changed: Vec<&String> = after
        .iter()
        .filter(|(path, bytes)| setting.before.get(*path) != Some(*bytes))
        .map(|(path, _)| path)
        .collect();
    for trial in 0..trials {
        let random = &mut setting.random;
        let mut mixed = after.clone();
        // First each file alone, then all in any combination.
        let some: Vec<&String> = match changed.get(trial) {
            Some(one) => vec![*one],
            None => changed.iter().copied().filter(|_| random.one_in(2)).collect(),
        };
        for path in some {
            match (random.below(4), setting.before.get(path)) {
                (0, Some(old)) => _ = mixed.insert(path.clone(), old.clone()),
                (0, None) => _ = mixed.remove(path),
                (how, _) => {
                    let Some(bytes) = mixed.get_mut(path) else { continue };
                    damage(bytes, how, random);
                }
            }
        }
        setting.put(&mixed)?;
        if setting.random.one_in(2) {
            let _ = fs::write(setting.place.output(), b"torn");
        }
        setting.check().map_err(|message| format!("lost writes, trial {trial}: {message}"))?;
    }
    Ok(())
}

fn damage(bytes: &mut Vec<u8>, how: usize, random: &mut Random) {
    match how {
        1 => bytes.truncate(random.below(bytes.len())),
        2 => bytes.iter_mut().skip(random.below(64)).for_each(|byte| *byte = 0),
        _ => {
            let at = random.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Builds that are killed at some moment before their end.
pub fn kills(seed: u64, count: usize) -> Result<(), String> {
    let mut setting = Setting::new(seed)?;
    let whole = {
        let start = Instant::now();
        wait(setting.start(None)?)?;
        start.elapsed()
    };
    for round in 0..count {
        let mut moment = whole * setting.random.below(1000) as u32 / 1000;
        // A build that has ended by itself shows nothing of a kill: the next is killed earlier.
        while !killed(&mut setting, moment).map_err(|message| format!("kill {round}: {message}"))? {
            if moment.is_zero() {
                return Err(format!("kill {round}: a build has ended before it can be killed"));
            }
            moment /= 2;
        }
    }
    Ok(())
}

/// Whether a build still runs at this moment after its start, when it is killed.
fn killed(setting: &mut Setting, moment: Duration) -> Result<bool, String> {
    setting.put(&setting.before)?;
    let mut child = setting.start(None)?;
    std::thread::sleep(moment);
    let running = child.try_wait().map_err(text)?.is_none();
    child.kill().map_err(text)?;
    wait(child)?;
    setting.check().map(|()| running)
}

/// Builds that cannot write beyond some length of a file, so that a write is torn and then fails as on a
/// full disk, or that cannot open more than some files. Returns how many of them failed.
pub fn limits(seed: u64) -> Result<usize, String> {
    let mut setting = Setting::new(seed)?;
    let blocks = [0, 1, 2, 4, 8, 16, 32, 64, 128].map(|n| format!("trap '' XFSZ; ulimit -f {n}"));
    let files = [4, 8, 12, 16, 24, 32].map(|n| format!("ulimit -n {n}"));
    let mut failed = 0;
    for limit in blocks.iter().chain(&files) {
        setting.put(&setting.before)?;
        failed += usize::from(!wait(setting.start(Some(limit))?)?.success());
        setting.check().map_err(|message| format!("{limit}: {message}"))?;
    }
    Ok(failed)
}

/// A store that is lost altogether, and one that cannot be written at all.
pub fn no_store(seed: u64) -> Result<(), String> {
    let mut setting = Setting::new(seed)?;
    let store = setting.place.cache().join("cas");
    setting.before.retain(|path, _| !path.starts_with("cas/"));
    setting.put(&setting.before)?;
    setting.check().map_err(|message| format!("no store: {message}"))?;
    setting.put(&setting.before)?;
    fs::remove_dir_all(&store).or_else(|_| fs::remove_file(&store)).ok();
    fs::write(&store, b"not a directory").map_err(text)?;
    setting.check().map_err(|message| format!("no room for a store: {message}"))
}

fn wait(child: Child) -> Result<ExitStatus, String> {
    said(child).map(|(status, _)| status)
}

/// How a build ends, and what it says. `child`: its standard error is a pipe.
pub(crate) fn said(mut child: Child) -> Result<(ExitStatus, String), String> {
    let mut stderr = child.stderr.take().ok_or("no pipe")?;
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        stderr.read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned())
    });
    let status = wait_within(&mut child, PATIENCE).map_err(text)?;
    let status = status.ok_or("the build does not end")?;
    let said = reader.join().map_err(|_| "its errors cannot be read")?.map_err(text)?;
    Ok((status, said))
}

/// What is in a directory.
pub(crate) fn tree(directory: &Utf8Path) -> Result<Tree, String> {
    fn collect(directory: &Path, prefix: &str, tree: &mut Tree) -> std::io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type()?.is_dir() {
                true => collect(&entry.path(), &format!("{name}/"), tree)?,
                false => _ = tree.insert(name, fs::read(entry.path())?),
            }
        }
        Ok(())
    }
    let mut tree = Tree::new();
    collect(directory.as_std_path(), "", &mut tree).map_err(text)?;
    Ok(tree)
}
