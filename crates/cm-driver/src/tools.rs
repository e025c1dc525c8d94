//! What queries of the driver need of the outside: the store, the back end and the linker.

use crate::{link::Foreign, sandbox::Sandboxed, store::Writer, vouched::Vouched};
use camino::Utf8PathBuf;
use castore::{Bytes, Digest, Name};
use cm_backend_api::{Backend, BackendError, Target, TextKind};
use parking_lot::Mutex;
use redgreen::{Blob, Db, NodeName};
use rustc_hash::FxHashMap;
use std::{
    collections::BTreeMap,
    iter,
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

/// Identity of this build of the compiler; part of every key.
pub const BUILD_ID: &str = env!("CM_BUILD_ID");

/// What the queries of this crate reach through [`cm_db::World::tools`].
pub struct Tools {
    /// `None` with `--no-cache`.
    pub store: Option<Arc<castore::Store>>,
    /// What was compiled of the standard library by any project; like the other, it finds by content.
    pub shared: Option<castore::Store>,
    /// What code is made for.
    pub target: Target,
    /// 0 to 3.
    pub opt_level: u8,
    /// The digest of the execution profile that guides the back end; `None`: there is none.
    pub profile: Option<Digest>,
    /// What the program is linked with.
    pub foreign: Foreign,
    /// Files that are needed only while this process runs.
    pub scratch: Scratch,
    /// The files beside the store, if they are signed.
    pub vouched: Vouched,
    /// Writes to the store while other work goes on.
    pub writer: Writer,
    /// The encoded units that were compiled, by name.
    mir: Mutex<BTreeMap<String, Digest>>,
    backend: OnceLock<Result<Box<dyn Backend>, String>>,
    /// Locked while something is compiled for nobody; `true`: nothing will be any more.
    settled: Mutex<bool>,
    fetched: Mutex<Vec<NodeName>>,
    blobs_at_hand: Mutex<FxHashMap<Digest, Bytes>>,
    /// Objects that were made together with bitcode, by its digest.
    objects: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

/// What [`warm_up`] compiles: a little of what most functions have.
const LITTLE: &str = "unit \"\"
fn @f(i32, i32) -> i32 {
    let _0: i32
    let _1: i32
    let _2: i32
    let _3: i32
    let _4: bool
b0:
    _0 = mul _1, 3i32
    _3 = rem _0, 7i32
    goto b1
b1:
    _4 = lt _3, _2
    br _4 ? b2 : b3
b2:
    _3 = add _3, 1i32
    goto b1
b3:
    _0 = call @f(_3, 1i32)
    return
}
";

/// Compiles for nobody: the system brings in most pages of the back end when they are first used, and that
/// takes as long as to compile a unit.
fn warm_up(backend: &dyn Backend, target: &Target) {
    if let Ok(unit) = cm_mir::text::parse_unit(LITTLE) {
        // What is wrong shows when the back end is used in earnest.
        let _ = backend.both(&unit.encode(), target, 0);
    }
}

/// Unwinds to the driver: the build cannot go on, and what ran last has no result.
pub struct Fatal(pub String);

/// Ends the build with a message.
pub fn fatal(message: impl Into<String>) -> ! {
    std::panic::resume_unwind(Box::new(Fatal(message.into())))
}

impl Tools {
    /// Tools over a store.
    pub fn new(store: Option<Arc<castore::Store>>, opt_level: u8, foreign: Foreign) -> Tools {
        let target = Target::host();
        Tools {
            store,
            shared: None,
            target,
            opt_level,
            profile: None,
            foreign,
            scratch: Scratch::default(),
            vouched: Vouched::default(),
            backend: OnceLock::new(),
            settled: Mutex::default(),
            objects: Mutex::default(),
            writer: Writer::default(),
            mir: Mutex::default(),
            fetched: Mutex::default(),
            blobs_at_hand: Mutex::default(),
        }
    }

    /// The queries whose results were in the store under their content since this was last asked,
    /// sorted.
    pub fn take_fetched(&self) -> Vec<NodeName> {
        let mut fetched = std::mem::take(&mut *self.fetched.lock());
        fetched.sort();
        fetched
    }

    /// The tools behind a database.
    pub fn of(db: &dyn Db) -> &Tools {
        let world: &cm_db::World = db.graph().world();
        world.tools.downcast_ref().expect("the driver makes the world with its own tools")
    }

    /// The back end, loaded when it is first needed.
    pub fn backend(&self) -> &dyn Backend {
        match self.backend.get_or_init(load_backend) {
            Ok(backend) => backend.as_ref(),
            Err(message) => fatal(message.clone()),
        }
    }

    /// Begins to load the back end, which takes as long as to find out what changed.
    pub fn preload(self: &Arc<Self>) {
        let tools = self.clone();
        // Without the thread it is loaded when it is asked for.
        let _ = thread::Builder::new().spawn(move || {
            let backend = tools.backend.get_or_init(load_backend);
            let settled = tools.settled.lock();
            if let Ok(backend) = backend
                && tools.opt_level == 0
                && !*settled
            {
                warm_up(&**backend, &tools.target);
            }
        });
    }

    /// Sees to it that no thread is in the back end, or will be, for [`preload`](Self::preload): when a process
    /// ends, what the back end uses is gone before its threads are.
    pub fn settle(&self) {
        *self.settled.lock() = true;
    }

    /// Begins to get ready for linking: brings blobs of the store into memory, and gets memory for an
    /// executable of this length.
    pub fn fetch(self: &Arc<Self>, digests: Vec<Digest>, executable: usize) {
        let tools = self.clone();
        rayon::spawn(move || {
            // Whoever comes for them waits.
            tools.bring(&digests, &mut tools.blobs_at_hand.lock());
            tools.scratch.make_room(executable);
        });
    }

    /// Whether blobs are at hand.
    pub fn has_blobs(&self) -> bool {
        !self.blobs_at_hand.lock().is_empty()
    }

    /// Blobs of the store. They stay at hand until others are asked for.
    pub fn blobs(&self, digests: &[Digest]) -> Vec<Option<Bytes>> {
        let mut at_hand = self.blobs_at_hand.lock();
        self.bring(digests, &mut at_hand);
        let blobs: Vec<_> = digests.iter().map(|digest| at_hand.get(digest).cloned()).collect();
        let found = digests.iter().zip(&blobs);
        *at_hand = found.filter_map(|(digest, blob)| Some((*digest, blob.clone()?))).collect();
        blobs
    }

    /// Adds what the store has of these blobs.
    fn bring(&self, digests: &[Digest], at_hand: &mut FxHashMap<Digest, Bytes>) {
        let is_missing = |digest: &&Digest| !at_hand.contains_key(digest);
        let missing: Vec<Digest> = digests.iter().filter(is_missing).copied().collect();
        let found = self.store.iter().flat_map(|store| store.views(&missing));
        at_hand
            .extend(missing.iter().zip(found).filter_map(|(digest, blob)| Some((*digest, blob?))));
    }

    /// What the query `node` made from the bytes of this digest before, in any process and under
    /// any name, or what `make` makes of them now. The key is everything that a stage gets.
    pub fn cached(
        &self,
        node: NodeName,
        input: &Digest,
        make: impl FnOnce(&dyn Backend) -> Result<Vec<u8>, BackendError>,
    ) -> Blob {
        let make = || make(self.backend());
        self.cached_or(node, input, make).unwrap_or_else(|error| fatal(error.to_string()))
    }

    /// The same for what needs no back end, and may fail.
    pub fn cached_or<B: Into<Arc<[u8]>>, E>(
        &self,
        node: NodeName,
        input: &Digest,
        make: impl FnOnce() -> Result<B, E>,
    ) -> Result<Blob, E> {
        let Some(store) = &self.store else { return make().map(Blob::new) };
        let name = Name::new(&node.query).expect("invariant: queries have short names");
        let key = self.key(input);
        let known = store.lookup(name, &key).and_then(|digests| {
            let digest = *digests.first()?;
            Some(Blob::kept(digest.0, store.get(&digest)?))
        });
        if let Some(blob) = known {
            self.fetched.lock().push(node);
            return Ok(blob);
        }
        let keep = |store: &castore::Store, bytes: &Arc<[u8]>, time| {
            let digest = store.put(name, bytes.clone());
            store.bind_made(name, &key, &[digest], time);
            digest
        };
        let shared = self.shared.as_ref().filter(|_| node.key.starts_with('@'));
        let found = shared.and_then(|shared| {
            let digests = shared.lookup(name, &key)?;
            shared.get(digests.first()?)
        });
        let start = Instant::now();
        let bytes = match found {
            Some(bytes) => {
                self.fetched.lock().push(node);
                bytes
            }
            None => {
                let bytes = make()?.into();
                if let Some(shared) = shared {
                    keep(shared, &bytes, start.elapsed());
                }
                bytes
            }
        };
        Ok(Blob::kept(keep(store, &bytes, start.elapsed()).0, bytes))
    }

    /// Keeps an encoded unit in the store, so that other tools find it. Gives its digest.
    pub fn keep_mir(&self, unit: String, bytes: &Arc<[u8]>) -> Digest {
        let Some(store) = &self.store else { return Digest::of(bytes) };
        let name = Name::new("mir").expect("invariant: a short name");
        let digest = store.put(name, bytes.clone());
        self.mir.lock().insert(unit, digest);
        digest
    }

    /// The digest of what [`cached`](Self::cached) gave.
    pub fn digest(&self, db: &dyn Db, blob: &Blob) -> Digest {
        match (&self.store, blob.digest()) {
            (Some(_), Some(digest)) => Digest(digest),
            // Without a store, the graph has digests of its own.
            _ => Digest::of(&blob.bytes(db)),
        }
    }

    /// The digest of an encoded unit that was kept.
    pub fn mir(&self, unit: &str) -> Option<Digest> {
        self.mir.lock().get(unit).copied()
    }

    /// Begins to write what was put into the store.
    pub fn begin_writing(&self) {
        if let Some(store) = &self.store {
            self.writer.begin(store);
        }
    }

    /// Writes the rest of it.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn finish_writing(&self) -> Result<(), castore::Error> {
        if let Some(shared) = self.shared.as_ref().filter(|shared| shared.collected_bytes() > 0) {
            // Other projects do without what cannot be written.
            let _ = shared.commit();
        }
        self.store.as_ref().map_or(Ok(()), |store| self.writer.finish(store))
    }

    /// Keeps the object of the bitcode of this digest for who will ask for it soon.
    pub fn set_aside(&self, bitcode: Digest, object: Vec<u8>) {
        self.objects.lock().insert(bitcode, object);
    }

    /// The object of the bitcode of this digest, if it was set aside.
    pub fn take_object(&self, bitcode: &Digest) -> Option<Vec<u8>> {
        self.objects.lock().remove(bitcode)
    }

    /// What stands in the store for what a stage makes of the bytes of this digest: all that the
    /// stage gets besides.
    pub fn key(&self, input: &Digest) -> Vec<u8> {
        key(BUILD_ID, &self.target, self.opt_level, self.profile.as_ref(), input)
    }

    /// A readable form of an encoded unit.
    pub fn text(&self, unit: &[u8], kind: TextKind) -> Result<String, BackendError> {
        let bitcode = self.backend().bitcode(unit, &self.target, self.opt_level)?;
        self.backend().text(&bitcode, &self.target, self.opt_level, kind)
    }
}

fn key(
    build: &str,
    target: &Target,
    opt_level: u8,
    profile: Option<&Digest>,
    input: &Digest,
) -> Vec<u8> {
    let Target { triple, cpu, features } = target;
    let level = ["0", "1", "2", "3"][usize::from(opt_level.min(3))];
    let mut key = [build, triple, cpu, features, level].join("\n").into_bytes();
    key.push(0);
    key.extend_from_slice(&input.0);
    key.extend(profile.iter().flat_map(|profile| profile.0));
    key
}

/// What is needed only while this process runs.
#[derive(Default)]
pub struct Scratch {
    /// A directory for files, made when first used.
    dir: OnceLock<Result<tempfile::TempDir, String>>,
    /// Zeros.
    room: Mutex<Option<Arc<[u8]>>>,
    /// What is known of the objects that were linked last.
    pub linked: Mutex<cm_link::Memory>,
}

impl Scratch {
    /// More memory than this is not asked for before it is needed.
    const MOST: usize = 1 << 26;

    /// Gets memory for a result of this length. What is new costs more than to fill it.
    pub fn make_room(&self, len: usize) {
        if (1..=Scratch::MOST).contains(&len) {
            let room = iter::repeat_n(0, len).collect();
            *self.room.lock() = Some(room);
        }
    }
    /// The memory that is ready.
    pub fn take_room(&self) -> Option<Arc<[u8]>> {
        self.room.lock().take()
    }
    /// The path of a file.
    pub fn path(&self, name: &str) -> Result<Utf8PathBuf, String> {
        let dir = self.dir.get_or_init(|| tempfile::tempdir().map_err(|e| e.to_string()));
        let dir = dir.as_ref().map_err(|e| format!("cannot make a temporary directory: {e}"))?;
        Utf8PathBuf::from_path_buf(dir.path().join(name))
            .map_err(|path| format!("{} is not valid UTF-8", path.display()))
    }
    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<Utf8PathBuf, String> {
        let path = self.path(name)?;
        std::fs::write(&path, bytes).map_err(|e| format!("cannot write {path}: {e}"))?;
        Ok(path)
    }
}

#[cfg(feature = "linked")]
fn load_backend() -> Result<Box<dyn Backend>, String> {
    Ok(Box::new(Sandboxed(Box::new(cm_backend::Llvm))))
}

/// In a release the back end lies beside the executable.
#[cfg(not(feature = "linked"))]
fn load_backend() -> Result<Box<dyn Backend>, String> {
    let exe = std::env::current_exe().map_err(|e| format!("cannot find the back end: {e}"))?;
    let path = exe.with_file_name("libcm_backend.so");
    let backend = cm_backend_api::load(&path)
        .map_err(|e| format!("cannot load the back end {}: {e}", path.display()))?;
    Ok(Box::new(Sandboxed(backend)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Each ingredient in turn is another one.
    #[test]
    fn keys_tell_all_ingredients_apart() {
        let host = Target::host();
        let text = |text: &str| text.to_owned();
        let targets = [
            host.clone(),
            Target { triple: text("riscv64-unknown-linux-gnu"), ..host.clone() },
            Target { cpu: text("znver5"), ..host.clone() },
            Target { features: text("+avx2"), ..host },
        ];
        let mut keys = BTreeSet::new();
        for build in ["1", "2"] {
            for target in &targets {
                for level in 0..4 {
                    for profile in [None, Some(Digest::of(b"a")), Some(Digest::of(b"c"))] {
                        for input in [b"a", b"b"] {
                            let input = Digest::of(input);
                            keys.insert(key(build, target, level, profile.as_ref(), &input));
                        }
                    }
                }
            }
        }
        assert_eq!(keys.len(), 2 * targets.len() * 4 * 3 * 2);
    }

    /// Otherwise it would be for nothing, and nobody would see.
    #[test]
    fn what_warms_up_is_a_good_unit() {
        let unit = cm_mir::text::parse_unit(LITTLE).expect("MIR");
        cm_mir::verify::verify_unit(&unit).expect("good MIR");
        assert_eq!(cm_mir::unit::Unit::decode(&unit.encode()), Some(unit));
    }
}
