//! One command over one program: opening the database, building, and keeping what was found out.

use crate::{
    CacheSettings, Error, Options, Report,
    beside::Beside,
    glance::Glances,
    memory::{self, SmallPages},
    parallel,
    project::Project,
    render::{Source, resolve},
    tools::{BUILD_ID, Fatal, Tools},
    views,
    vouched::Vouched,
};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use cm_base::{Diagnostic, FileText, Name, OsSystem, Severity, System};
use cm_db::{FileId, World};
use redgreen::{
    BuildLog, Damaged, Database, Draft, Edit, Fingerprint, Graph, Identity, Node, Provider,
    QueryId, Registry, Root, RootRecord, Snapshot, Stamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    cell::Cell,
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    sync::{
        Arc, Once,
        mpsc::{self, Receiver},
    },
    time::Instant,
};

/// Which kind of command has its own records: they hold what it needs when nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Diagnostics alone.
    Check,
    /// An executable.
    Compile,
    /// Objects for this process.
    Run,
}

/// A program being compiled.
pub struct Session {
    /// Where the program is.
    pub project: Project,
    /// What queries reach outside.
    pub tools: Arc<Tools>,
    /// Measures the stages.
    pub clock: Clock,
    world: Arc<World>,
    /// Its files, as they are found when it is opened.
    glances: Arc<Glances>,
    files: Option<Files>,
    options: redgreen::Options,
    query_log: Option<Utf8PathBuf>,
    timings: Option<Utf8PathBuf>,
    trace: bool,
    /// Another image lies where the one was that is open.
    replaced: Cell<bool>,
    /// Gives what has been written down of the graph already. The thread that does it was asked before
    /// any that may wait for it.
    draft: Cell<Option<Receiver<Draft>>>,
    /// As much damage of the cache has been reported.
    told: Cell<u64>,
    /// An executable with more bytes is not written.
    pub max_output: Option<u64>,
    /// The length that the executable most likely has.
    expected: Cell<usize>,
    process_ends: bool,
    stays: bool,
}

use crate::messages::say;
pub(crate) use crate::messages::warn;

/// Prints how long stages take, if asked to.
pub struct Clock {
    verbose: bool,
    last: Cell<Instant>,
}

impl Clock {
    fn new(verbose: bool) -> Clock {
        Clock { verbose, last: Cell::new(Instant::now()) }
    }

    /// The first stage begins.
    pub fn begin(&self) {
        self.last.set(Instant::now());
    }

    /// A stage has ended.
    pub fn lap(&self, stage: &str) {
        let now = Instant::now();
        let time = now - self.last.replace(now);
        if self.verbose {
            say(&format!("{stage:<20}{:>9.2} ms\n", time.as_secs_f64() * 1e3));
        }
    }
}

/// The files that outlive the process.
struct Files {
    /// The cache directory.
    cache: Beside,
    /// They are only read.
    read_only: bool,
    /// Tells the views of programs that share the directory apart.
    program: String,
    image: Utf8PathBuf,
    why: Utf8PathBuf,
    root: Utf8PathBuf,
}

/// What a build that succeeded leaves for the next process, should nothing change.
#[derive(Serialize, Deserialize)]
pub struct Finished<T> {
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What the command made.
    pub result: T,
}

/// What the last build left.
pub struct Earlier<T> {
    /// What it made.
    pub finished: Finished<T>,
    /// No input has changed since.
    pub current: bool,
    record: RootRecord,
}

impl Session {
    /// Finds the program and opens the cache; nothing is read yet.
    pub fn new(options: &Options, purpose: Purpose) -> Result<Session, Error> {
        let project = Project::discover(&options.file)?;
        let system =
            crate::input::with_input(Arc::new(OsSystem), &options.file, &project.root_path)?;
        Ok(Session::over(options, purpose, project, system))
    }

    /// The same with another way to read the files of the program.
    pub fn with_system(
        options: &Options,
        purpose: Purpose,
        system: Arc<dyn System>,
    ) -> Result<Session, Error> {
        Ok(Session::over(options, purpose, Project::discover(&options.file)?, system))
    }

    fn over(
        options: &Options,
        purpose: Purpose,
        project: Project,
        system: Arc<dyn System>,
    ) -> Session {
        let clock = Clock::new(options.verbose);
        let store = options.cache.as_ref().map(|cache| Arc::new(cache.store()));
        let vouched = Vouched::new(options.cache.as_ref(), store.clone());
        let mut tools = Tools::new(store.clone(), options.opt_level, options.foreign.clone());
        tools.vouched = vouched;
        tools.shared = options.cache.as_ref().and_then(CacheSettings::shared_store);
        let tools = Arc::new(tools);
        let glances = Arc::new(Glances::over(system));
        let world = Arc::new(world(&project, options, glances.clone(), tools.clone()));
        let identity = identity(&world, options);
        let cache = options.cache.as_ref().zip(store.clone());
        let files = cache.map(|(cache, store)| files(cache, store, &project, options, purpose));
        let mut database = redgreen::Options::new(registry(), world.clone());
        database.identity = identity;
        let image = files.as_ref().map(|files| &files.image);
        let image = image.filter(|image| tools.vouched.accepts(image));
        database.image = image.map(|image| image.clone().into_std_path_buf());
        database.patched = image.is_some_and(|image| tools.vouched.accepts_patch(image));
        database.recording = files.is_some();
        if purpose != Purpose::Check {
            database.observer = Some(Arc::new(preloading(tools.clone())));
        }
        if let Some(store) = store {
            database.store = Arc::new(crate::store::Durable::new(store));
        }
        let (query_log, timings) = (options.query_log.clone(), options.timings.clone());
        let Options { trace, max_output, process_ends, stays, .. } = *options;
        Session {
            project,
            tools,
            clock,
            world,
            glances,
            files,
            options: database,
            query_log,
            timings,
            trace,
            replaced: Cell::new(false),
            draft: Cell::new(None),
            told: Cell::new(0),
            max_output,
            expected: Cell::new(0),
            process_ends,
            stays,
        }
    }

    /// What the last build made. Opens no graph.
    pub fn earlier<T: DeserializeOwned>(&self) -> Option<Earlier<T>> {
        let files = self.files.as_ref()?;
        let accepted = self.tools.vouched.accepts(&files.root);
        let record = accepted.then(|| RootRecord::load(files.root.as_std_path()))?;
        let record = record.unwrap_or_else(|Damaged| {
            self.set_aside(&files.root);
            None
        })?;
        let finished = finished(&record)?;
        if record.identity() != self.options.identity {
            return None;
        }
        let mut options = self.options.clone();
        options.image = None;
        let database = Database::open(options);
        let current = record.inputs().iter().all(|input| input.is_current(&database));
        Some(Earlier { finished, current, record })
    }

    /// The executable will most likely be as long as what is at `output`.
    pub fn expect(&self, output: &Utf8Path) {
        let len = output.metadata().map_or(0, |meta| meta.len());
        self.expected.set(usize::try_from(len).unwrap_or(0));
    }

    /// How long it most likely is; 0: nobody knows.
    pub fn expected(&self) -> usize {
        self.expected.get()
    }

    /// Notes that a build had nothing to do.
    pub fn keep_unchanged(&self) -> Result<(), Error> {
        self.keep_log(BuildLog::default())
    }

    /// Where the graph is kept; `None`: nowhere.
    pub fn image(&self) -> Option<&Utf8Path> {
        self.files.as_ref().map(|files| files.image.as_path())
    }

    /// The same, and what was made must be described anew.
    pub fn keep_described<T: Serialize>(&self, earlier: Earlier<T>) -> Result<(), Error> {
        if let Some(files) = self.files_to_write()
            && let Ok(result) = encode(&earlier.finished)
        {
            // Without it the next process looks as closely as this one did.
            let record = earlier.record.with_result(result).encode();
            let _ = record.and_then(|record| files.cache.write(&files.root, &record));
            self.tools.vouched.vouch(&[&files.root]);
        }
        self.keep_unchanged()
    }

    /// Opens the graph.
    pub fn open(&self) -> Opened {
        if let Some(files) = self.files_to_write() {
            files.cache.keep_small();
        }
        let database = Database::open(self.options.clone());
        self.glances.forget();
        if !database.shared_graph().has_image() {
            memory::end_small();
        }
        self.opened(&database);
        self.clock.lap("opening");
        Opened { database: Some(database), process_ends: self.process_ends }
    }

    fn opened(&self, database: &Database) {
        if let Some(files) = self.files.as_ref().filter(|_| database.image_was_damaged()) {
            self.set_aside(&files.image);
        }
        if self.timings.is_some() {
            database.measure_time();
        }
    }

    /// Finds out what has changed, in a process that stays.
    pub fn edit(&self, database: &mut Database) {
        self.glances.begin();
        database.edit(Edit::All);
        self.glances.forget();
        self.clock.lap("files");
    }

    /// Gets ready for an edit in a process that stays. Where another image was kept than the one that is
    /// open, that one is opened: what follows from an edit is small beside it.
    pub fn prepare(&self, database: &mut Database) {
        if self.replaced.take() && self.options.patched {
            database.reopen();
            self.opened(database);
        }
        database.prepare();
        // What ran to keep something, or was not wanted, belongs to no build.
        database.take_log();
        self.clock.lap("for the next edit");
    }

    /// The files, if they may be written.
    fn files_to_write(&self) -> Option<&Files> {
        self.files.as_ref().filter(|files| !files.read_only)
    }

    /// A file beside the store is damaged: it is told and counted with the entries that are.
    pub fn set_aside(&self, path: &Utf8Path) {
        if let Some(store) = &self.tools.store {
            store.set_aside(path.as_std_path());
        }
    }

    /// Runs a build, again if the graph interrupts it.
    pub fn attempt<R>(
        &self,
        database: &mut Database,
        build: impl FnMut(&Database) -> R,
    ) -> Result<R, Error> {
        let outcome = catch_fatal(|| database.attempt(build)).inspect_err(|_| {
            // What was compiled before linking failed need not be compiled again.
            let _ = self.tools.finish_writing();
        })?;
        Ok(outcome.map_err(|interrupted| interrupted.to_string())?)
    }

    /// Begins to write what was put into the store.
    pub fn begin_writing(&self) {
        if !self.stays {
            self.tools.begin_writing();
        }
    }

    /// Begins to write down the graph below the first of the roots that will be kept, while the others are
    /// brought up to date. It goes on where it was when it was last called.
    pub fn begin_keeping(&self, db: &Database, roots: &[Node]) {
        // On a thread of the pool it could come to wait for what it has itself put off.
        let is_outside = rayon::current_thread_index().is_none();
        if self.files_to_write().is_some() && is_outside && !self.stays {
            let (sender, receiver) = mpsc::sync_channel(1);
            let (graph, roots, begun) = (db.shared_graph(), roots.to_vec(), self.draft.take());
            rayon::spawn(move || {
                // Who was asked first begins first, and waits for nobody.
                let begun = begun.and_then(|begun| begun.recv().ok());
                if let Some(draft) = graph.draft(begun, &roots) {
                    // Nobody waits for it if the build has failed.
                    let _ = sender.send(draft);
                }
            });
            self.draft.set(Some(receiver));
        }
    }

    /// Keeps the graph below `roots`, what was made, described when the graph has been written and
    /// `meanwhile` is done, and the record of the build, all at once. A cache that cannot be written
    /// costs time later, but this build is done: it is a warning.
    ///
    /// # Errors
    /// That of `meanwhile`; or if the query log cannot be written.
    pub fn keep<T: Serialize>(
        &self,
        database: &Database,
        roots: &[Node],
        meanwhile: impl FnOnce() -> Result<(), Error>,
        finished: impl FnOnce() -> Finished<T>,
    ) -> Result<(), Error> {
        let Some(files) = self.files_to_write() else {
            meanwhile()?;
            return self.keep_record_of(database);
        };
        let _small = SmallPages::begin();
        let (graph, tools, handle) = (database.shared_graph(), &*self.tools, database.clone());
        let (draft, patched) = (self.draft.take(), self.options.patched);
        let stays = self.stays;
        let keep_graph = move || keep_graph(&graph, draft, roots, files, (patched, stays), tools);
        let keep_log = move || files.keep_log_and_views(&handle, stays);
        let ((log, viewed), snapshot) = if stays {
            meanwhile()?;
            (keep_log(), keep_graph())
        } else {
            // The graph comes second: it may wait for the draft, on a thread that would do nothing else.
            beside(keep_log, keep_graph, meanwhile)?
        };
        let written = snapshot.and_then(|(snapshot, replaced)| {
            self.replaced.set(self.replaced.get() || replaced);
            let record = snapshot.root_record(encode(&finished())?);
            let write = |record: Vec<u8>| files.cache.write(&files.root, &record);
            record.encode().and_then(write).map_err(|e| e.to_string())
        });
        if let Err(message) = written.and(viewed.map_err(|e| e.to_string())) {
            warn(&format!("the cache was not updated: {message}"));
        }
        files.cache.keep_small();
        self.tools.vouched.vouch(&[&files.image, &files.root]);
        self.tools.vouched.warn();
        self.log_queries(&log)
    }

    /// Keeps what ran in a build that has no graph to be kept.
    pub fn keep_record_of(&self, database: &Database) -> Result<(), Error> {
        if self.files_to_write().is_none() && !self.tells_what_ran() {
            self.tell_damage();
            return Ok(());
        }
        self.keep_log(database.take_log())
    }

    /// Keeps what ran, for `cm why`, and writes the query log.
    fn keep_log(&self, log: BuildLog) -> Result<(), Error> {
        let log = match self.files_to_write() {
            Some(files) => files.keep_log(log),
            None => log,
        };
        self.log_queries(&log)
    }

    /// Says once what was found to be damaged. It has been made again, so the build is right.
    fn tell_damage(&self) {
        let shared = self.tools.shared.iter();
        let stores = self.tools.store.iter().map(|store| &**store).chain(shared);
        let found = stores.map(|store| store.stats().quarantined).sum();
        let told = self.told.replace(found);
        if found > told {
            warn(&format!("damaged entries of the cache were set aside: {}", found - told));
        }
    }

    fn log_queries(&self, log: &BuildLog) -> Result<(), Error> {
        self.tell_damage();
        if !self.tells_what_ran() {
            return Ok(());
        }
        let record = log.record(&self.options.registry);
        if let Some(page) = &self.timings {
            let program = self.project.root_path.file_name().unwrap_or_default();
            crate::pages::write_timings(&record, program, page)?;
        }
        for run in record.executed.iter().filter(|_| self.trace) {
            say(&format!("ran {}({})\n", run.node.query, run.node.key));
        }
        match &self.query_log {
            Some(path) => crate::why::write_log(&record, &self.tools.take_fetched(), path),
            None => Ok(()),
        }
    }

    /// A blob of the store.
    pub fn stored(&self, digest: &Digest) -> Option<castore::Bytes> {
        self.tools.store.as_ref()?.view(digest)
    }

    /// Diagnostics ready to be shown.
    pub fn report(&self, diagnostics: &[Diagnostic]) -> Report {
        let mut sources = Sources::default();
        let show = |found: &Diagnostic| resolve(found, &mut |file| sources.get(self, file));
        Report { diagnostics: diagnostics.iter().map(show).collect() }
    }

    /// Whether somebody wants to read what ran.
    pub fn tells_what_ran(&self) -> bool {
        self.trace || self.query_log.is_some() || self.timings.is_some()
    }

    /// Where the files of the program are.
    pub fn paths(&self, database: &Database) -> Vec<Utf8PathBuf> {
        let files = cm_hir::files(database, Root).iter();
        files.map(|file| self.world.path(*file)).collect()
    }

    /// The text of a file of the program; empty if it cannot be read.
    pub fn text(&self, file: FileId) -> Arc<str> {
        match self.world.system.read(&self.world.path(file)) {
            FileText::Text(text) => text,
            FileText::Absent | FileText::Unreadable(_) => Arc::from(""),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tools.settle();
    }
}

/// A database, which is freed in the end unless the process ends too.
pub struct Opened {
    database: Option<Database>,
    process_ends: bool,
}

/// Why there is one.
const OPEN: &str = "invariant: a database is there until it is dropped";

impl Deref for Opened {
    type Target = Database;
    fn deref(&self) -> &Database {
        self.database.as_ref().expect(OPEN)
    }
}

impl DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut Database {
        self.database.as_mut().expect(OPEN)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.process_ends {
            std::mem::forget(self.database.take());
        }
    }
}

/// Begins to load the back end when there may be work for it: after an edit of comments files are parsed,
/// with the same results, and that is all.
fn preloading(tools: Arc<Tools>) -> impl Fn(QueryId) {
    const PARSE: QueryId = <cm_db::provide::parse as Provider>::ID;
    let begun = Once::new();
    move |query| {
        if query != PARSE {
            begun.call_once(|| tools.preload());
        }
    }
}

/// What a record says that a command made.
pub(crate) fn finished<T: DeserializeOwned>(record: &RootRecord) -> Option<Finished<T>> {
    let config = bincode::config::standard();
    Some(bincode::serde::decode_from_slice(record.result(), config).ok()?.0)
}

/// The files that diagnostics are about.
#[derive(Default)]
pub struct Sources(BTreeMap<Name, Rc<Source>>);

impl Sources {
    /// A file, read when it is first asked for.
    pub fn get(&mut self, session: &Session, file: Name) -> Rc<Source> {
        let read = || {
            let path = session.project.display(FileId(file));
            Rc::new(Source::new(path, session.text(FileId(file))))
        };
        self.0.entry(file).or_insert_with(read).clone()
    }
}

/// Does two things on threads of the pool, and a third here: those may write nothing but the cache.
///
/// # Errors
/// That of the third.
fn beside<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
    here: impl FnOnce() -> Result<(), Error>,
) -> Result<(A, B), Error> {
    let (mut first, mut second) = (None, None);
    let (first_done, second_done) = (&mut first, &mut second);
    rayon::in_place_scope(|scope| {
        scope.spawn(move |_| *first_done = Some(one()));
        scope.spawn(move |_| *second_done = Some(other()));
        here()
    })?;
    Ok(first.zip(second).expect("invariant: the scope has ended without a panic"))
}

/// Writes what is stored, then the graph, which refers to it, on this thread alone if `here`. Gives what it
/// holds, and whether the image was replaced as a whole.
fn keep_graph(
    graph: &Graph,
    draft: Option<Receiver<Draft>>,
    roots: &[Node],
    files: &Files,
    (patched, here): (bool, bool),
    tools: &Tools,
) -> Result<(Snapshot, bool), String> {
    let draft = || draft.and_then(|draft| draft.recv().ok());
    let snapshot = || graph.snapshot_on(draft(), roots);
    let store = || tools.finish_writing();
    let (stored, snapshot) = parallel::both(here, store, snapshot);
    stored.map_err(|e| e.to_string())?;
    let snapshot = snapshot.map_err(|e| e.to_string())?;
    if !graph.needs_saving(roots) {
        return Ok((snapshot, false));
    }
    let mut replaced = false;
    let file = snapshot.file(files.image.as_std_path(), patched).map_err(|e| e.to_string())?;
    let write = || file.write().map(|()| replaced = !file.is_patch());
    files.cache.in_room(file.size(), write).map_err(|e| e.to_string())?;
    drop(file);
    Ok((snapshot, replaced))
}

impl Files {
    /// Writes what ran, with the name of the graph that it ran in. Without it `cm why` has less to say.
    fn keep_log(&self, mut log: BuildLog) -> BuildLog {
        log.label = self.image.file_name().unwrap_or_default().to_owned();
        let _ = log.encode().and_then(|bytes| self.cache.write(&self.why, &bytes));
        log
    }

    /// The same, and what people read, on this thread alone if `here`.
    fn keep_log_and_views(
        &self,
        database: &Database,
        here: bool,
    ) -> (BuildLog, std::io::Result<()>) {
        let log = self.keep_log(database.take_log());
        let update = |db: &Database| views::update(db, &log, &self.cache, &self.program, here);
        // Interrupted: a file has changed since, or what was stored is gone. The next build sees to it.
        let viewed = database.read(update).unwrap_or(Ok(()));
        (log, viewed)
    }
}

/// All queries.
pub fn registry() -> Registry {
    Registry::new(&[
        &cm_db::QUERIES,
        &cm_hir::QUERIES,
        &cm_hir::decl::QUERIES,
        &cm_lint::QUERIES,
        &cm_lower::QUERIES,
        &crate::queries::QUERIES,
    ])
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|e| e.to_string())
}

/// What vouches for a file; nothing does for one that has just been written.
pub fn stamp(path: &Utf8Path) -> Stamp {
    let stamp = OsSystem.stamp(path);
    if stamp == cm_base::Stamp::default() || !OsSystem.is_settled(&stamp) {
        return Stamp::UNKNOWN;
    }
    Stamp([stamp.size, stamp.mtime, stamp.ctime, stamp.inode])
}

fn catch_fatal<R>(run: impl FnOnce() -> R) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| match payload.downcast::<Fatal>() {
        Ok(fatal) => fatal.0.into(),
        Err(payload) => resume_unwind(payload),
    })
}

/// Whether a program with these diagnostics may be compiled.
pub fn accepted(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
}

/// All diagnostics, and the missing `main`, which only matters where the program is executed.
pub fn diagnose(db: &Database, purpose: Purpose) -> Vec<Diagnostic> {
    if purpose != Purpose::Check
        && let Some(wrong) = cm_hir::decl::wrong_platform(db)
    {
        return vec![wrong];
    }
    let mut diagnostics = cm_hir::diagnostics(db, Root).clone();
    if purpose != Purpose::Check && accepted(&diagnostics) {
        diagnostics.extend(cm_hir::decl::missing_entry(db));
    }
    diagnostics
}

fn world(
    project: &Project,
    options: &Options,
    system: Arc<dyn System>,
    tools: Arc<Tools>,
) -> World {
    let mut defines = defined_names(options.opt_level);
    defines.extend(options.defines.iter().map(|name| Name::new(name)));
    defines.sort();
    defines.dedup();
    World {
        system,
        base: project.base.clone(),
        root_path: (project.root_path.extension() != Some("cm"))
            .then(|| (project.root, project.root_path.clone())),
        root: project.root,
        library: project.library.clone(),
        search: project.search.clone(),
        defines,
        platform: Name::new("native"),
        optimize: options.opt_level > 1,
        tools,
        unreadable: cm_db::Unreadable::default(),
    }
}

/// `12-macros-preprocessor.md` §12.3.
pub fn defined_names(opt_level: u8) -> Vec<Name> {
    let machine: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &["__x86_64__", "__x86__"],
        "aarch64" => &["__arm64__", "__aarch64__"],
        "riscv64" => &["__riscv__"],
        _ => &[],
    };
    let system: &[&str] = match std::env::consts::OS {
        "linux" => &["__linux__", "__unix__"],
        "macos" => &["__macos__", "__apple__", "__unix__"],
        "freebsd" => &["__freebsd__", "__unix__"],
        _ => &[],
    };
    let debug: &[&str] = if opt_level == 0 { &["__DEBUG__"] } else { &[] };
    let all = [&["__CM__", "__64BIT__"], machine, system, debug].concat();
    all.into_iter().map(Name::new).collect()
}

fn identity(world: &World, options: &Options) -> Identity {
    let foreign = (!options.foreign.is_empty()).then(|| options.foreign.identity());
    Identity {
        build: u128::from_str_radix(BUILD_ID, 16).expect("the build script writes 32 hex digits"),
        options: Fingerprint::of(&(options.opt_level, &world.defines, foreign)).0,
    }
}

/// The names of the files hold where the program is: two programs may share a cache directory.
fn files(
    cache: &CacheSettings,
    store: Arc<castore::Store>,
    project: &Project,
    options: &Options,
    purpose: Purpose,
) -> Files {
    let CacheSettings { dir, read_only, .. } = cache;
    let image_purpose = if purpose == Purpose::Check { "check" } else { "build" };
    let place = format!("{} {:?}", project.root_path, options.defines);
    let digest = Digest::of(place.as_bytes()).to_string();
    let level =
        if purpose == Purpose::Check { String::new() } else { format!("-O{}", options.opt_level) };
    let stem: String =
        project.root_path.file_stem().unwrap_or("program").chars().take(40).collect();
    let name = |kind: &str, suffix: &str| {
        dir.join("graph").join(format!("{stem}-{}-{kind}{level}.{suffix}", &digest[..16]))
    };
    let kind = format!("{purpose:?}").to_lowercase();
    let program = format!("{stem}-{}{level}", &digest[..16]);
    Files {
        cache: Beside::new(cache, store),
        read_only: *read_only,
        program,
        image: name(image_purpose, "image"),
        root: name(&kind, "root"),
        why: dir.join("graph/last.why"),
    }
}
