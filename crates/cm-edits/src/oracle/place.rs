//! A program on disk, and its cache.

use super::{TestSystem, text};
use camino::{Utf8Path, Utf8PathBuf};
use cm_driver::{
    CacheSettings, Options,
    session::{Purpose, Session},
};
use cm_test::{Action, Files};
use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use tempfile::TempDir;

/// A directory with a program and a cache.
pub struct Place {
    directory: Arc<TempDir>,
    /// How many places there are in the directory.
    number: usize,
    /// The texts of the files.
    pub files: Files,
    /// As on the command line.
    pub arguments: Vec<String>,
    /// The time of the last change.
    clock: u64,
    /// The times of the files.
    times: BTreeMap<String, u64>,
}

/// What is needed to go back to a state of a place.
pub struct Saved {
    cache: TempDir,
    files: Files,
    clock: u64,
    times: BTreeMap<String, u64>,
}

impl Place {
    /// The files in a new directory, with an empty cache.
    pub fn new(files: &Files, arguments: &[String]) -> Result<Place, String> {
        let directory = Arc::new(tempfile::tempdir().map_err(text)?);
        Place::in_directory(directory, 0, files, arguments)
    }

    fn in_directory(
        directory: Arc<TempDir>,
        number: usize,
        files: &Files,
        arguments: &[String],
    ) -> Result<Place, String> {
        let (arguments, times) = (arguments.to_vec(), BTreeMap::new());
        let mut place =
            Place { directory, number, files: Files::new(), arguments, clock: 0, times };
        place.set_files(files.clone())?;
        Ok(place)
    }

    /// A copy of the files in another directory, with the same cache.
    fn elsewhere(&self) -> Result<Place, String> {
        Place::in_directory(self.directory.clone(), self.number + 1, &self.files, &self.arguments)
    }

    /// Deletes all of the cache but its store.
    pub fn forget_graphs(&self) -> Result<(), String> {
        let cache = self.cache();
        let entries =
            if cache.exists() { cache.read_dir_utf8().map_err(text)? } else { return Ok(()) };
        for entry in entries {
            let entry = entry.map_err(text)?;
            match entry.file_type().map_err(text)?.is_dir() {
                true if entry.file_name() == "cas" => {}
                true => fs::remove_dir_all(entry.path()).map_err(text)?,
                false => fs::remove_file(entry.path()).map_err(text)?,
            }
        }
        Ok(())
    }

    /// Does what stands before a build. `meanwhile` is left out, and what concerns the process.
    pub fn apply(&mut self, action: &Action) -> Result<(), String> {
        let mut files = self.files.clone();
        action.apply(&mut files).map_err(text)?;
        match action {
            Action::Options(arguments) => self.arguments.clone_from(arguments),
            Action::Elsewhere => *self = self.elsewhere()?,
            Action::Touch(path) => {
                self.clock += 1;
                self.times.insert(path.clone(), self.clock);
                set_time(&self.path(path), self.clock)?;
            }
            _ => {}
        }
        self.set_files(files)
    }

    /// Writes the files that differ, and deletes those that are gone.
    pub fn set_files(&mut self, files: Files) -> Result<(), String> {
        for path in self.files.keys().filter(|path| !files.contains_key(*path)) {
            fs::remove_file(self.path(path)).map_err(text)?;
        }
        for (path, contents) in &files {
            if self.files.get(path) != Some(contents) {
                self.clock += 1;
                self.times.insert(path.clone(), self.clock);
                write(&self.path(path), contents, self.clock)?;
            }
        }
        self.files = files;
        Ok(())
    }

    /// What makes the files these, at once, from another thread.
    pub fn event(&self, files: &Files) -> impl FnOnce() + Send + 'static {
        let changed = files.iter().filter(|(path, text)| self.files.get(*path) != Some(*text));
        let changed: Vec<_> = changed.map(|(path, text)| (self.path(path), text.clone())).collect();
        let clock = self.clock + 1;
        move || changed.iter().for_each(|(path, text)| write(path, text, clock).expect("written"))
    }

    /// Keeps the state.
    pub fn save(&self) -> Result<Saved, String> {
        let cache = tempfile::tempdir().map_err(text)?;
        let to = Utf8Path::from_path(cache.path()).ok_or("a path that is not UTF-8")?;
        copy(&self.cache(), to)?;
        let (files, times) = (self.files.clone(), self.times.clone());
        Ok(Saved { cache, files, clock: self.clock, times })
    }

    /// Goes back to a state.
    pub fn restore(&mut self, saved: &Saved) -> Result<(), String> {
        if self.cache().exists() {
            fs::remove_dir_all(self.cache()).map_err(text)?;
        }
        let from = Utf8Path::from_path(saved.cache.path()).ok_or("a path that is not UTF-8")?;
        copy(from, &self.cache())?;
        for (path, contents) in &saved.files {
            write(&self.path(path), contents, saved.times[path])?;
        }
        self.files.clone_from(&saved.files);
        self.times.clone_from(&saved.times);
        self.clock = saved.clock;
        Ok(())
    }

    /// A command here.
    pub fn session(&self, system: Arc<TestSystem>) -> Result<Session, String> {
        let level = self.arguments.iter().find_map(|argument| argument.strip_prefix("-O"));
        let defines = self.arguments.iter().filter_map(|argument| argument.strip_prefix("-D"));
        let options = Options {
            file: self.main(),
            opt_level: level.and_then(|level| level.parse().ok()).unwrap_or(0),
            defines: defines.map(str::to_owned).collect(),
            cache: Some(CacheSettings::new(self.cache())),
            ..Options::default()
        };
        Session::with_system(&options, Purpose::Compile, system).map_err(text)
    }

    /// The root file.
    pub fn main(&self) -> Utf8PathBuf {
        self.path("/main.cm")
    }
    /// The cache directory.
    pub fn cache(&self) -> Utf8PathBuf {
        self.root().join("cache")
    }
    /// Where the executable goes.
    pub fn output(&self) -> Utf8PathBuf {
        self.root().join(format!("program{}", self.number))
    }
    /// Where all of that is.
    pub fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).expect("temporary directories have UTF-8 names")
    }
    fn path(&self, path: &str) -> Utf8PathBuf {
        self.root().join(format!("files{}{path}", self.number))
    }
}

fn write(path: &Utf8Path, contents: &str, time: u64) -> Result<(), String> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(text)?;
    }
    fs::write(path, contents).map_err(text)?;
    set_time(path, time)
}

fn set_time(path: &Utf8Path, time: u64) -> Result<(), String> {
    let file = fs::File::options().write(true).open(path).map_err(text)?;
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000 + time)).map_err(text)
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(text)?;
    if !from.exists() {
        return Ok(()); // no cache yet
    }
    for entry in from.read_dir_utf8().map_err(text)? {
        let entry = entry.map_err(text)?;
        let to = to.join(entry.file_name());
        if entry.file_type().map_err(text)?.is_dir() {
            copy(entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to).map_err(text)?;
        }
    }
    Ok(())
}
