//! What inputs are read from.

use crate::FileId;
use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{FileText, Name, System};
use redgreen::{Db, Fingerprint, Root, Stamp};
use std::{
    any::Any,
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The outside world of a compilation: a file system, and where the program and the library are.
pub struct World {
    /// The file system.
    pub system: Arc<dyn System>,
    /// The directory that file ids are relative to.
    pub base: Utf8PathBuf,
    /// The root file if its name does not end in `.cm`; its id is its whole name.
    pub root_path: Option<(FileId, Utf8PathBuf)>,
    /// The root file of the program.
    pub root: FileId,
    /// The bundled library, `libs/`; files in it have ids that begin with `@`.
    pub library: Utf8PathBuf,
    /// Further search roots for plain import paths, in order (`10-modules.md` §10.2), relative to
    /// `base` or absolute.
    pub search: Vec<Utf8PathBuf>,
    /// Names defined for conditional compilation, sorted.
    pub defines: Vec<Name>,
    /// The platform name for `#[target(…)]`: `native`.
    pub platform: Name,
    /// Units of code are made for an optimizer: they know what only they use, and hold small
    /// functions of others.
    pub optimize: bool,
    /// What the driver's own queries reach outside: its store, back end and linker.
    pub tools: Arc<dyn Any + Send + Sync>,
    /// Files that could not be read.
    pub unreadable: Unreadable,
}

/// Files whose stamps vouch for nothing: they could not be read, which may end without a change of the file.
#[derive(Default, Debug)]
pub struct Unreadable(Mutex<BTreeSet<FileId>>);

impl Unreadable {
    fn files(&self) -> MutexGuard<'_, BTreeSet<FileId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// A program for Linux on x86-64 in `base`, with the library in `library` and nothing else asked for.
    pub fn new(
        system: impl System + 'static,
        base: impl Into<Utf8PathBuf>,
        root: &str,
        library: impl Into<Utf8PathBuf>,
    ) -> World {
        World {
            system: Arc::new(system),
            base: base.into(),
            root_path: None,
            root: FileId(Name::new(root)),
            library: library.into(),
            search: Vec::new(),
            defines: ["__64BIT__", "__CM__", "__linux__", "__unix__", "__x86_64__", "__x86__"]
                .map(Name::new)
                .to_vec(),
            platform: Name::new("native"),
            optimize: false,
            tools: Arc::new(()),
            unreadable: Unreadable::default(),
        }
    }

    /// The file of the project that a file of the project is, whatever links lead to it.
    fn canonical(&self, file: FileId) -> FileId {
        // Names in the library and outside the project stay as they are.
        if file.0.starts_with(['@', '/', '.']) {
            return file;
        }
        let path = self.path(file);
        // Most files have no link on their way from the base, which is cheaper to see.
        let way = path.ancestors().take(file.0.split('/').count());
        if !way.into_iter().any(|path| self.system.is_link(path)) {
            return file;
        }
        let name = self.system.canonical(&path).and_then(|found| {
            let base = self.system.canonical(&self.base)?;
            let inside = found.strip_prefix(base).ok()?.as_str().strip_suffix(".cm")?;
            Some(FileId(Name::new(inside)))
        });
        name.unwrap_or(file)
    }

    /// Where a file is.
    pub fn path(&self, file: FileId) -> Utf8PathBuf {
        if let Some((root, path)) = &self.root_path
            && *root == file
        {
            return path.clone();
        }
        match file.0.strip_prefix('@') {
            Some(rest) => self.library.join(format!("{rest}.cm")),
            None => self.base.join(format!("{}.cm", file.0)),
        }
    }
}

pub(crate) fn world(db: &dyn Db) -> &World {
    db.graph().world()
}

pub(crate) fn read_source(db: &dyn Db, file: &FileId) -> FileText {
    let world = world(db);
    let text = world.system.read(&world.path(*file));
    let mut unreadable = world.unreadable.files();
    match text {
        FileText::Unreadable(_) => _ = unreadable.insert(*file),
        FileText::Absent | FileText::Text(_) => _ = unreadable.remove(file),
    }
    text
}

pub(crate) fn stamp_source(db: &dyn Db, file: &FileId) -> Stamp {
    let world = world(db);
    let stamp = world.system.stamp(&world.path(*file));
    if !world.system.is_settled(&stamp) || world.unreadable.files().contains(file) {
        return Stamp::UNKNOWN;
    }
    let cm_base::Stamp { size, mtime, ctime, inode } = stamp;
    match [size, mtime, ctime, inode] {
        // "There is no such file" is known as well as any contents.
        [0, 0, 0, 0] => ABSENT,
        words => Stamp(words),
    }
}

/// No file is that large.
const ABSENT: Stamp = Stamp([u64::MAX; 4]);

pub(crate) fn read_exists(db: &dyn Db, file: &FileId) -> bool {
    let world = world(db);
    world.system.stamp(&world.path(*file)) != cm_base::Stamp::default()
}

pub(crate) fn read_canonical(db: &dyn Db, file: &FileId) -> FileId {
    world(db).canonical(*file)
}

/// What is read is small enough to be looked at again each time.
pub(crate) fn stamp_canonical(db: &dyn Db, file: &FileId) -> Stamp {
    let Fingerprint(bits) = Fingerprint::of(&world(db).canonical(*file).0);
    Stamp([bits as u64, (bits >> 64) as u64, 0, 0])
}

pub(crate) fn read_listing(db: &dyn Db, dir: &FileId) -> Option<Vec<Name>> {
    let world = world(db);
    let files = world.system.list(&directory(world, *dir))?;
    let stem = |path: Utf8PathBuf| Name::new(path.as_str().trim_end_matches(".cm"));
    Some(files.into_iter().map(stem).collect())
}

/// A listing is read anew at every opening: no stamp covers a tree of directories.
pub(crate) fn stamp_listing(_: &dyn Db, _: &FileId) -> Stamp {
    Stamp::UNKNOWN
}

fn directory(world: &World, dir: FileId) -> Utf8PathBuf {
    match dir.0.strip_prefix('@') {
        Some(rest) => world.library.join(rest),
        None => world.base.join(Utf8Path::new(dir.0.as_str())),
    }
}

/// The settings that front-end results depend on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// The root file.
    pub root: FileId,
    /// See [`World::defines`].
    pub defines: Vec<Name>,
    /// See [`World::platform`].
    pub platform: Name,
    /// See [`World::optimize`].
    pub optimize: bool,
}

pub(crate) fn read_settings(db: &dyn Db, _: &Root) -> Settings {
    let world = world(db);
    Settings {
        root: world.root,
        defines: world.defines.clone(),
        platform: world.platform,
        optimize: world.optimize,
    }
}

pub(crate) fn read_search(db: &dyn Db, _: &Root) -> Vec<Name> {
    world(db).search.iter().map(|path| Name::new(path.as_str())).collect()
}

pub(crate) fn stamp_settings(_: &dyn Db, _: &Root) -> Stamp {
    Stamp::UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::World;
    use crate::{FileId, node, parse};
    use camino::{Utf8Path, Utf8PathBuf};
    use cm_base::{FileText, MemorySystem, Name, OsSystem, System};
    use redgreen::{Database, Edit, Identity, Options, RecordedInput, Registry, RootRecord};
    use std::{
        sync::{Arc, Mutex},
        thread::sleep,
        time::Duration,
    };

    fn options(system: impl System + 'static, base: &str) -> Options {
        let world = World { defines: Vec::new(), ..World::new(system, base, "main", "library") };
        Options::new(Registry::new(&[&crate::QUERIES]), Arc::new(world))
    }

    #[test]
    fn a_comment_leaves_the_tree_as_it_was() {
        let system = MemorySystem::default();
        let main = FileId(Name::new("main"));
        system.write("main.cm", "int main() { return 0; }\n");
        let mut db = Database::open(options(system.clone(), ""));
        assert_eq!(db.attempt(|db| parse(db, main).items.len()), Ok(1));
        assert_eq!(db.take_record().counts.executed, 1);
        system.write("main.cm", "// a comment\nint main() { return 0; }\n");
        db.edit(Edit::All);
        assert_eq!(db.attempt(|db| parse(db, main).items.len()), Ok(1));
        let record = db.take_record();
        assert_eq!(record.inputs_changed[0].to_string(), "source(main)");
        assert!(record.executed.len() == 1 && !record.executed[0].changed);
    }

    /// Files that cannot be read as long as the list has a name.
    #[derive(Clone, Default)]
    struct Failing(MemorySystem, Arc<Mutex<Option<&'static str>>>);

    impl System for Failing {
        fn stamp(&self, path: &Utf8Path) -> cm_base::Stamp {
            self.0.stamp(path)
        }
        fn read(&self, path: &Utf8Path) -> FileText {
            match *self.1.lock().expect("nobody panics") {
                Some(name) if name == path => FileText::Unreadable("a bad disk".into()),
                _ => self.0.read(path),
            }
        }
        fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
            self.0.list(path)
        }
        fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
            self.0.canonical(path)
        }
    }

    /// A file that could not be read for a moment is read again, though it is as it was.
    #[test]
    fn what_could_not_be_read_is_read_again() {
        let system = Failing::default();
        let main = FileId(Name::new("main"));
        system.0.write("main.cm", "int main() { return 0; }\n");
        let fail = |name| *system.1.lock().expect("nobody panics") = name;
        fail(Some("main.cm"));
        let mut db = Database::open(options(system.clone(), ""));
        let mut errors = || {
            db.edit(Edit::All);
            db.attempt(|db| parse(db, main).errors.len())
        };
        assert_eq!(errors(), Ok(1));
        assert_eq!(errors(), Ok(1));
        fail(None);
        assert_eq!(errors(), Ok(0));
    }

    /// What a stamp vouches for is not read again; what was written a moment ago is.
    #[test]
    fn files_written_a_moment_ago_are_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let base = directory.path().to_str().expect("a UTF-8 path");
        let main = FileId(Name::new("main"));
        let write = |text| std::fs::write(directory.path().join("main.cm"), text).expect("written");
        let inputs = || {
            let mut db = Database::open(options(OsSystem, base));
            db.attempt(|db| parse(db, main).items.len()).expect("parsed");
            db.snapshot(&[node::parse(main)]).expect("up to date").root_record(Vec::new())
        };
        write("int main() { return 0; }");
        let known = |record: &RootRecord| {
            record.inputs().iter().any(|input| input.stamp != redgreen::Stamp::UNKNOWN)
        };
        assert!(!known(&inputs()));
        sleep(Duration::from_millis(40));
        let record = inputs();
        assert!(known(&record));
        let path = directory.path().join("root");
        record.write(&path).expect("written");
        let unchanged = || {
            let db = Database::open(options(OsSystem, base));
            let is_current = |input: &RecordedInput| input.is_current(&db);
            RootRecord::check(&path, Identity::default(), is_current).is_some()
        };
        assert!(unchanged());
        write("int main() { return 1; }");
        assert!(!unchanged());
        std::fs::remove_file(directory.path().join("main.cm")).expect("removed");
        assert!(!unchanged());
    }
}
