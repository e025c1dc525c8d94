//! The database: salsa's storage, the graph, and what the driver does with them.

use crate::{
    BuildLog, BuildRecord, Digest, Frames, Graph, Identity, MemoryStore, Node, QueryId, Registry,
    SaveError, Snapshot, Store, World,
    graph::{Cause, is_interruption},
    image::Image,
};
use salsa::Database as _;
use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::Arc,
};

/// What queries see of the database.
#[salsa::db]
pub trait Db: salsa::Database {
    /// The graph.
    fn graph(&self) -> &Graph;
    /// The queries that run on this handle.
    fn frames(&self) -> &Frames;
}

/// Is told what runs.
pub type Observer = dyn Fn(QueryId) + Send + Sync;

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// All queries.
    pub registry: Registry,
    /// What inputs are read from.
    pub world: World,
    /// Where stored results are.
    pub store: Arc<dyn Store>,
    /// The image of an earlier process; it need not exist.
    pub image: Option<PathBuf>,
    /// Whether a patch of the image counts that lies beside it; see [`Snapshot::file`].
    pub patched: bool,
    /// For whom images are.
    pub identity: Identity,
    /// Is told of each query but the inputs, before it runs and on its thread.
    pub observer: Option<Arc<Observer>>,
    /// Whether dependencies and fingerprints are recorded. Without it results are memoized until the
    /// next edit, and there is nothing to save.
    pub recording: bool,
}

impl Options {
    /// Nothing kept from earlier and nothing kept on disk.
    pub fn new(registry: Registry, world: World) -> Options {
        Options {
            registry,
            world,
            store: Arc::new(MemoryStore::default()),
            image: None,
            patched: true,
            identity: Identity::default(),
            observer: None,
            recording: true,
        }
    }
}

/// Which inputs may have changed.
#[derive(Clone, Copy, Debug)]
pub enum Edit<'a> {
    /// Those whose stamps differ.
    All,
    /// At most these. Inputs that no query has read are passed over.
    Inputs(&'a [Node]),
}

/// Why an attempt gave no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupted {
    /// The owner of the database wants to edit it, or a query that this one waited for panicked in
    /// another thread. The handle must be dropped.
    Cancelled,
    /// Something was found that only the owner of the database can mend, at its next
    /// [`Database::attempt`].
    Unhealed,
    /// A blob is gone that is the result of no query known to the graph.
    Lost(Digest),
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Interrupted::Cancelled => f.write_str("cancelled by an edit"),
            Interrupted::Unhealed => f.write_str("the graph must be mended first"),
            Interrupted::Lost(_) => f.write_str("a stored result that no query made is gone"),
        }
    }
}

impl std::error::Error for Interrupted {}

/// What a panic means; goes on with it if it is not of our making.
fn interruption(payload: Box<dyn Any + Send>) -> Interrupted {
    if payload.is::<salsa::Cancelled>() {
        Interrupted::Cancelled
    } else if is_interruption(&*payload) {
        Interrupted::Unhealed
    } else {
        resume_unwind(payload)
    }
}

/// A handle to the database. A clone is another handle to the same one, for another thread.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    graph: Arc<Graph>,
    frames: Frames,
    options: Arc<Options>,
    image_was_damaged: bool,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn graph(&self) -> &Graph {
        &self.graph
    }
    fn frames(&self) -> &Frames {
        &self.frames
    }
}

impl Database {
    /// A database with nothing kept from earlier.
    pub fn new(registry: Registry, world: World) -> Database {
        Database::open(Options::new(registry, world))
    }

    /// Opens a database: maps the image, if there is one that fits, and finds out what the inputs that
    /// have changed since may reach.
    pub fn open(options: Options) -> Database {
        let image = options.image.as_deref().filter(|_| options.recording);
        let image = image
            .map(|path| Image::open(path, options.patched, options.identity, &options.registry));
        let image_was_damaged = matches!(image, Some(Err(_)));
        let image = image.and_then(|opened| opened.ok().flatten());
        let mut database = Database {
            storage: salsa::Storage::new(None),
            graph: Arc::new(Graph::new(&options, image)),
            frames: Frames::default(),
            options: Arc::new(options),
            image_was_damaged,
        };
        let check = || database.graph.check_inputs(&database);
        match catch_unwind(AssertUnwindSafe(check)) {
            Ok(()) => {}
            Err(payload) if is_interruption(&*payload) => database.discard_image(),
            Err(payload) => resume_unwind(payload),
        }
        database
    }

    /// Whether the image could not be used, being damaged. Whoever keeps it may want to say so.
    pub fn image_was_damaged(&self) -> bool {
        self.image_was_damaged
    }

    /// The graph, for another thread to save.
    pub fn shared_graph(&self) -> Arc<Graph> {
        self.graph.clone()
    }

    /// Runs a build. When the graph interrupts it, since a stored result is gone or an input changed
    /// while it was read, the cause is removed and the build runs again.
    ///
    /// For the handle that owns the database: removing a cause waits for all other handles to be
    /// dropped, so those that `build` clones must be when it ends. Its own panics pass through.
    ///
    /// # Errors
    /// If it was cancelled by another handle's edit, or cannot be healed.
    pub fn attempt<R>(&mut self, mut build: impl FnMut(&Database) -> R) -> Result<R, Interrupted> {
        loop {
            // What interrupted other handles since.
            self.heal()?;
            let payload = match catch_unwind(AssertUnwindSafe(|| build(self))) {
                Ok(result) => return Ok(result),
                Err(payload) => payload,
            };
            // A cause may have arisen in another thread, and arrive here as any panic.
            if !self.graph.has_causes() {
                return Err(interruption(payload));
            }
        }
    }

    /// Runs something that asks queries, on a handle that does not own the database.
    ///
    /// # Errors
    /// If it was interrupted. This handle should be dropped, and what was asked be asked again
    /// when the owner has come to its next [`attempt`](Self::attempt).
    pub fn read<R>(&self, read: impl FnOnce(&Database) -> R) -> Result<R, Interrupted> {
        catch_unwind(AssertUnwindSafe(|| read(self))).map_err(interruption)
    }

    /// Removes the causes of interruptions.
    fn heal(&mut self) -> Result<(), Interrupted> {
        if !self.graph.has_causes() {
            return Ok(());
        }
        self.cancel_others();
        let causes = self.graph.take_causes();
        if causes.contains(&Cause::Damaged) {
            self.discard_image();
            return Ok(());
        }
        self.graph.heal(self, &causes).map_err(Interrupted::Lost)
    }

    /// Starts over with nothing.
    fn discard_image(&mut self) {
        self.storage = salsa::Storage::new(None);
        self.graph = Arc::new(Graph::new(&self.options, None));
    }

    /// Tells the database that inputs may have changed. Queries that run on other handles are
    /// cancelled, and this waits until those handles are dropped; so a handle of the same thread
    /// would wait for ever.
    ///
    /// Whoever changes the world in steps should call [`cancel_others`](Self::cancel_others) before.
    pub fn edit(&mut self, edit: Edit<'_>) {
        self.cancel_others();
        // Unless another thread still saves it.
        if let Some(graph) = Arc::get_mut(&mut self.graph) {
            graph.forget_outdated();
        }
        let inputs = match edit {
            Edit::All => None,
            Edit::Inputs(nodes) => Some(nodes),
        };
        self.graph.edit(self, inputs);
    }

    /// Cancels what runs on other handles and waits until they are dropped.
    pub fn cancel_others(&mut self) {
        self.synthetic_write(salsa::Durability::LOW);
    }

    /// Frees all results in memory. salsa never frees the results of earlier revisions, so a resident
    /// process does this now and then; what is needed again is loaded or computed. Cancels like an edit.
    pub fn reset(&mut self) {
        self.cancel_others();
        self.storage = salsa::Storage::new(None);
        self.graph.forget_memos();
    }

    /// Does now what the next edit would have to wait for.
    pub fn prepare(&self) {
        self.graph.prepare();
    }

    /// Whether any query ran, the inputs aside, since the database was opened or the log was last taken.
    pub fn has_run(&self) -> bool {
        !self.graph.log().executed.lock().is_empty()
    }

    /// Opens anew, as the next process would: what the image at [`Options::image`] does not hold is
    /// forgotten, the names of deleted things among it. Cancels like an edit.
    pub fn reopen(&mut self) {
        self.cancel_others();
        *self = Database::open((*self.options).clone());
    }

    /// What the roots reach, to be written down; see [`Graph::snapshot`].
    ///
    /// # Errors
    /// If a root is not up to date.
    pub fn snapshot(&self, roots: &[Node]) -> Result<Snapshot, SaveError> {
        self.graph.snapshot(roots)
    }

    /// Measures how long each query runs from now on.
    pub fn measure_time(&self) {
        self.graph.log().measure();
    }
    /// What happened since the database was opened or this was last called.
    pub fn take_log(&self) -> BuildLog {
        BuildLog::take(&self.graph)
    }
    /// The same with names.
    pub fn take_record(&self) -> BuildRecord {
        self.take_log().record(self.graph.registry())
    }
}
