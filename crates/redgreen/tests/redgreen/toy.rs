//! A toy compiler: files of functions, one in a line, that mention one another.
//!
//!     fn name(signature) words of the body, @other.name mentions a function
//!     # a comment

use parking_lot::Mutex;
use redgreen::{
    BuildLog, BuildRecord, Database, Db, Fingerprint, Group, Identity, Interrupted, MemoryStore,
    Options, Registry, Root, Snapshot, Stamp, Store,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

/// Files in memory.
#[derive(Default)]
pub struct Files {
    pub files: Mutex<BTreeMap<String, (u64, String)>>,
    /// Grows with every write, so that a file never gets an old stamp for new contents.
    clock: AtomicU64,
    /// Makes `noise` give something else at every run.
    pub noisy: AtomicBool,
}

impl Files {
    pub fn write(&self, name: &str, text: &str) {
        let tick = 1 + self.clock.fetch_add(1, Relaxed);
        self.files.lock().insert(name.into(), (tick, text.into()));
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FnKey(pub String, pub String);

impl fmt::Display for FnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    line: usize,
    name: String,
    signature: String,
    body: String,
}

type Items = BTreeMap<String, (String, String)>;

redgreen::queries! {
    /// The toy's queries.
    pub static QUERIES;

    input fn source(String) -> Option<String> = read_source, stamp_source;
    input fn listing(Root) -> Vec<String> = read_listing, stamp_listing;
    /// With positions.
    transient fn parse(String) -> Vec<Item> = compute_parse;
    /// Without positions.
    transient fn items(String) -> Items = compute_items;
    inline fn exports(String) -> Vec<String> = compute_exports;
    inline fn signature(FnKey) -> Option<String> = compute_signature;
    transient fn body(FnKey) -> Option<String> = compute_body;
    relay fn lower(FnKey) -> String = compute_lower;
    stored fn object(String) -> redgreen::Blob = compute_object;
    inline fn link(Root) -> Fingerprint = compute_link;
    /// The length of a chain: each file names the next one.
    transient fn walk(String) -> u64 = compute_walk;
    /// Impure on demand.
    transient fn noise(String) -> u64 = compute_noise;
    /// Reads `noise` after `source`.
    transient fn listener(String) -> u64 = compute_listener;
    inline fn listener_root(Root) -> u64 = compute_listener_root;
}

pub static GROUPS: &[&Group] = &[&QUERIES];

fn read_source(db: &dyn Db, name: &String) -> Option<String> {
    let files = db.graph().world::<Files>().files.lock();
    files.get(name).map(|file| file.1.clone())
}
fn stamp_source(db: &dyn Db, name: &String) -> Stamp {
    let files = db.graph().world::<Files>().files.lock();
    files.get(name).map_or(Stamp([7; 4]), |file| Stamp([file.0, file.1.len() as u64, 0, 0]))
}
fn read_listing(db: &dyn Db, _: &Root) -> Vec<String> {
    db.graph().world::<Files>().files.lock().keys().cloned().collect()
}
fn stamp_listing(_: &dyn Db, _: &Root) -> Stamp {
    Stamp::UNKNOWN
}
fn compute_parse(db: &dyn Db, name: &String) -> Vec<Item> {
    let text = source(db, name.clone()).as_deref().unwrap_or("");
    let item = |(line, text): (usize, &str)| {
        let (name, rest) = text.strip_prefix("fn ")?.split_once('(')?;
        let (signature, body) = rest.split_once(") ")?;
        Some(Item { line, name: name.into(), signature: signature.into(), body: body.into() })
    };
    text.lines().enumerate().filter_map(item).collect()
}
fn compute_items(db: &dyn Db, name: &String) -> Items {
    let items = parse(db, name.clone()).iter();
    items.map(|item| (item.name.clone(), (item.signature.clone(), item.body.clone()))).collect()
}
fn compute_exports(db: &dyn Db, name: &String) -> Vec<String> {
    items(db, name.clone()).keys().cloned().collect()
}
fn compute_signature(db: &dyn Db, key: &FnKey) -> Option<String> {
    items(db, key.0.clone()).get(&key.1).map(|item| item.0.clone())
}
fn compute_body(db: &dyn Db, key: &FnKey) -> Option<String> {
    items(db, key.0.clone()).get(&key.1).map(|item| item.1.clone())
}
fn compute_lower(db: &dyn Db, key: &FnKey) -> String {
    let Some(body) = body(db, key.clone()) else { return String::new() };
    let mut out = format!("{key} {:?}:", signature(db, key.clone()));
    for word in body.split(' ') {
        let callee = word.strip_prefix('@').and_then(|callee| callee.split_once('.'));
        match callee {
            Some((file, name)) => {
                let callee = FnKey(file.into(), name.into());
                out += &format!(" call {word} {:?}", signature(db, callee));
            }
            None => out += &format!(" {word}"),
        }
    }
    out
}
fn compute_object(db: &dyn Db, name: &String) -> redgreen::Blob {
    let functions = exports(db, name.clone()).iter();
    let lines = functions.map(|function| lower(db, FnKey(name.clone(), function.clone())).as_str());
    redgreen::Blob::new(lines.collect::<Vec<_>>().join("\n").into_bytes())
}
fn compute_link(db: &dyn Db, _: &Root) -> Fingerprint {
    let files = listing(db, Root).iter();
    Fingerprint::of(&files.map(|file| fp::object(db, file.clone())).collect::<Vec<_>>())
}
fn compute_walk(db: &dyn Db, name: &String) -> u64 {
    let next = source(db, name.clone()).clone().unwrap_or_default();
    if next.is_empty() { 1 } else { 1 + walk(db, next) }
}
fn compute_noise(db: &dyn Db, name: &String) -> u64 {
    let length = source(db, name.clone()).as_ref().map_or(0, String::len) as u64;
    let noisy = db.graph().world::<Files>().noisy.load(Relaxed);
    if noisy { length + 1000 } else { length }
}
fn compute_listener(db: &dyn Db, name: &String) -> u64 {
    source(db, format!("{name}'"));
    *noise(db, name.clone())
}
fn compute_listener_root(db: &dyn Db, _: &Root) -> u64 {
    *listener(db, "x".into())
}

/// The project on "disk": the world, the store and the image.
pub struct Project {
    pub files: Arc<Files>,
    pub store: Arc<MemoryStore>,
    pub directory: tempfile::TempDir,
}

pub const IDENTITY: Identity = Identity { build: 42, options: 0 };

impl Project {
    pub fn new() -> Project {
        Project {
            files: Arc::default(),
            store: Arc::default(),
            directory: tempfile::tempdir().unwrap(),
        }
    }
    pub fn image(&self) -> std::path::PathBuf {
        self.directory.path().join("image")
    }
    pub fn options(&self, image: Option<&Path>, store: Arc<dyn Store>) -> Options {
        Options {
            image: image.map(Path::to_owned),
            store,
            identity: IDENTITY,
            ..Options::new(Registry::new(GROUPS), self.files.clone())
        }
    }
    /// The image as it is on disk, with its patch.
    pub fn saved(&self) -> Vec<u8> {
        redgreen::image_bytes(&self.image(), &Registry::new(GROUPS)).unwrap()
    }
    /// A fresh process.
    pub fn open(&self) -> Database {
        Database::open(self.options(Some(&self.image()), self.store.clone()))
    }
    /// A fresh process with nothing kept from earlier.
    pub fn open_clean(&self) -> Database {
        Database::open(self.options(None, Arc::new(MemoryStore::default())))
    }
    pub fn open_unrecorded(&self) -> Database {
        let options = self.options(None, self.store.clone());
        Database::open(Options { recording: false, ..options })
    }
    /// Builds in a fresh process and saves.
    pub fn build(&self) -> Built {
        let mut db = self.open();
        let built = build(&mut db).unwrap();
        built.snapshot.file(&self.image(), true).unwrap().write().unwrap();
        built
    }
}

pub struct Built {
    pub result: Fingerprint,
    pub snapshot: Snapshot,
    pub log: BuildLog,
    pub record: BuildRecord,
    pub report: Vec<redgreen::NodeReport>,
}

/// Builds the root and everything to be kept of it.
pub fn build(db: &mut Database) -> Result<Built, Interrupted> {
    let result = db.attempt(|db| *link(db, Root))?;
    let roots = [node::link(Root)];
    let log = db.take_log();
    let record = log.record(db.graph().registry());
    Ok(Built {
        result,
        snapshot: db.snapshot(&roots).unwrap(),
        log,
        record,
        report: db.graph().report(&roots).unwrap(),
    })
}

/// `query(key)` of everything that ran, sorted.
pub fn ran(record: &BuildRecord) -> Vec<String> {
    let mut ran: Vec<String> = record.executed.iter().map(|run| run.node.to_string()).collect();
    ran.sort();
    ran
}
