//! The store: what it offers.

use crate::{
    Bytes, Digest, Error, Latest, Name, Totals, Usage,
    beside::Beside,
    collected::{Collected, Item},
    home::Home,
    index::Kind,
    read::Use,
    sign::{self, Seal, Signing},
    sync::{Mutex, MutexGuard, Once},
    transaction::Opened,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How a store is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// What all files of the store take at most.
    pub max_size: u64,
    /// Nothing is written, not even what was used when.
    pub read_only: bool,
    /// Blobs are compressed at this level of Zstandard, where that makes them smaller (feature
    /// `zstd`).
    pub compression: Option<i32>,
}

impl Default for Config {
    fn default() -> Config {
        Config { max_size: 2 << 30, read_only: false, compression: None }
    }
}

/// A directory of blobs and records. See the crate's documentation.
#[derive(Debug)]
pub struct Store {
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) opened: Mutex<Opened>,
    pub(crate) committing: Mutex<()>,
    collected: Mutex<Collected>,
    signing: Option<Signing>,
    pub(crate) beside: Beside,
    /// See [`Store::fit`].
    pub(crate) fitted: Once,
    /// How many this process has.
    pub(crate) reservations: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Those that are not counted in the index yet.
    pub(crate) misses_untold: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    untrusted: AtomicU64,
    /// What `latest` says.
    pub(crate) found: AtomicU64,
    missed: AtomicU64,
    pub(crate) saved: AtomicU64,
}

/// What happened through one [`Store`] since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Blobs and records that were found and sound.
    pub hits: u64,
    /// Blobs and records that were not found, or not sound.
    pub misses: u64,
    /// Blobs and records written.
    pub written: u64,
    /// Blobs and records for which there was no room.
    pub refused: u64,
    /// Entries that were found to be bad, and other things that should not be there.
    pub quarantined: u64,
    /// Records that were not used, for want of a good signature.
    pub untrusted: u64,
}

/// What a store holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// By kind, in the order in which they came up.
    pub usages: Vec<Usage>,
    /// What happened since the store was made.
    pub totals: Totals,
    /// What happened last.
    pub latest: Latest,
    /// Blobs and records.
    pub entries: u64,
    /// What all files take at most.
    pub bytes: u64,
    /// When the entry was last used that was used longest ago, in nanoseconds since 1970.
    pub oldest: Option<u64>,
    /// When any entry was last used.
    pub newest: Option<u64>,
}

impl Store {
    /// A store in the directory `root`. Touches nothing: the directory is created by the first
    /// commit.
    pub fn open(root: impl Into<PathBuf>) -> Store {
        Store::with(root, Config::default())
    }

    /// A store that is used in a certain way.
    pub fn with(root: impl Into<PathBuf>, config: Config) -> Store {
        Store {
            home: Home::new(root.into(), config.max_size),
            config,
            opened: Mutex::default(),
            committing: Mutex::default(),
            collected: Mutex::default(),
            signing: None,
            beside: Beside::default(),
            fitted: Once::new(),
            reservations: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            misses_untold: AtomicU64::new(0),
            written: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            quarantined: AtomicU64::new(0),
            untrusted: AtomicU64::new(0),
            found: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            saved: AtomicU64::new(0),
        }
    }

    /// The same store, whose cap is for other files in its directory as well. `measure` gives their
    /// bytes; it is called when the store alone takes more than half of the cap.
    pub fn beside(self, measure: impl Fn() -> u64 + Send + Sync + 'static) -> Store {
        Store { beside: Beside::new(Box::new(measure)), ..self }
    }

    /// The same store, whose records are signed.
    pub fn signed(self, signing: Signing) -> Store {
        Store { signing: Some(signing), ..self }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        self.home.root()
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            quarantined: self.quarantined.load(Ordering::Relaxed) + self.home.moved(),
            untrusted: self.untrusted.load(Ordering::Relaxed),
        }
    }

    /// Where something was damaged, more may be: what is there is not taken to be good unread.
    pub(crate) fn has_seen_damage(&self) -> bool {
        self.stats().quarantined > 0
    }

    pub(crate) fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `bytes` and returns their digest. They are written by the next [`commit`](Self::commit).
    pub fn put(&self, name: Name, bytes: impl Into<Arc<[u8]>>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.collected().add((Kind::Blob, digest), Item::new(name, digest, bytes));
        digest
    }

    /// The bytes of that digest, if the store has them. They have been verified.
    pub fn get(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.read(Kind::Blob, digest, false).map(Into::into)
    }

    /// The same without a copy: the blob stays in its file, which is mapped. That must be the
    /// user's own, since whoever can write there can change what has been verified.
    pub fn view(&self, digest: &Digest) -> Option<Bytes> {
        self.read(Kind::Blob, digest, true)
    }

    /// The same of several blobs, for less: they are looked up together.
    pub fn views(&self, digests: &[Digest]) -> Vec<Option<Bytes>> {
        let mut views: Vec<_> =
            digests.iter().map(|digest| self.known(Kind::Blob, digest)).collect();
        let missing = || views.iter().zip(digests).filter(|(view, _)| view.is_none());
        let missing: Vec<Digest> = missing().map(|(_, digest)| *digest).collect();
        let how = Use { counts: true, mapped: true };
        let mut read = self.read_files(Kind::Blob, &missing, how).into_iter();
        for view in views.iter_mut().filter(|view| view.is_none()) {
            *view = read.next().flatten();
        }
        let hits = views.iter().flatten().count();
        self.count(hits as u64, (views.len() - hits) as u64);
        views
    }

    /// Whether there is an entry for that digest. It is not verified, and does not count as used.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.collected().items.contains_key(&(Kind::Blob, *digest))
            || self.find(Kind::Blob, digest).is_some()
    }

    /// Records that `key` stands for `values`, among the records called `name`; replaces what it
    /// stood for before. The values need not be in the store. Written by the next
    /// [`commit`](Self::commit).
    pub fn bind(&self, name: Name, key: &[u8], values: &[Digest]) {
        self.bind_made(name, key, values, Duration::ZERO);
    }

    /// The same, and notes how long it took to make the values: so long is saved when they are found.
    pub fn bind_made(&self, name: Name, key: &[u8], values: &[Digest], time: Duration) {
        let key = record_key(name, key);
        let mut bytes: Vec<u8> = values.iter().flat_map(|value| value.0).collect();
        let signing = self.signing.as_ref();
        signing.inspect(|signing| signing.seal(&key, &mut bytes));
        let cost = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let mut item = Item::new(name, Digest::of(&bytes), bytes.into());
        item.cost = cost;
        if signing.is_some_and(|signing| signing.required && signing.signer.is_none()) {
            self.collected().remember((Kind::Record, key), item);
        } else {
            self.collected().add((Kind::Record, key), item);
        }
    }

    /// What `key` was bound to, among the records called `name`.
    pub fn lookup(&self, name: Name, key: &[u8]) -> Option<Vec<Digest>> {
        Some(digests(&self.read(Kind::Record, &record_key(name, key), false)?))
    }

    /// How many bytes the next commit writes, if none of them are there.
    pub fn collected_bytes(&self) -> u64 {
        let collected = self.collected();
        let items = collected.queue.iter().filter_map(|key| collected.items.get(key));
        items.map(|item| item.bytes.len() as u64).sum()
    }

    /// What a record holds that has this key in the store.
    pub fn record(&self, key: &Digest) -> Option<Vec<Digest>> {
        Some(digests(&self.read_quietly(Kind::Record, key)?))
    }

    /// The seal of a record that has this key in the store, and whether it is good; `None`: it has
    /// none.
    pub fn seal(&self, key: &Digest) -> Option<(Seal, bool)> {
        let bytes = self.read_quietly(Kind::Record, key)?;
        let (digests, seal) = sign::split(&bytes);
        let good = |seal: &Seal| {
            self.signing.as_ref().is_some_and(|signing| signing.is_good(key, digests, seal))
        };
        seal.map(|seal| (seal, good(&seal)))
    }

    /// A new build begins: what this store has used so far may be evicted again.
    pub fn release(&self) {
        self.opened().release();
        for count in [&self.found, &self.missed, &self.saved] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// What the store holds; `None`: there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn summary(&self) -> Result<Option<Summary>, Error> {
        self.transact(false, |step| {
            let oldest = step.index.oldest()?.map(|(_, entry)| entry.used);
            Ok(Summary {
                usages: step.index.usages()?,
                totals: step.index.header.totals,
                latest: step.index.header.latest,
                entries: u64::from(step.index.header.entries),
                bytes: step.index.size() + step.index.header.stored,
                oldest,
                newest: oldest.and(Some(step.index.header.clock)),
            })
        })
    }

    /// Evicts what was used before a time, in nanoseconds since 1970, and what was used longest ago
    /// until the store takes no more than a size. Gives the number of entries.
    ///
    /// # Errors
    /// If the store cannot be changed.
    pub fn evict_until(&self, max_size: u64, before: u64) -> Result<u64, Error> {
        let mut evicted = 0;
        loop {
            let mut now = 0;
            let done = self.transact(false, |step| {
                now = 0;
                self.evict(step, max_size, before, &mut now)
            })?;
            evicted += now;
            if done != Some(false) {
                return Ok(evicted);
            }
        }
    }

    pub(crate) fn latest(&self) -> Latest {
        Latest {
            hits: self.found.load(Ordering::Relaxed),
            misses: self.missed.load(Ordering::Relaxed),
            saved: self.saved.load(Ordering::Relaxed),
        }
    }

    /// The contents of an entry, verified.
    fn read(&self, kind: Kind, key: &Digest, mapped: bool) -> Option<Bytes> {
        let found = self.known(kind, key).or_else(|| {
            let found = self.read_file(kind, key, Use { counts: true, mapped })?;
            (kind == Kind::Blob || self.accepts(key, &found)).then_some(found)
        });
        self.count(u64::from(found.is_some()), u64::from(found.is_none()));
        found
    }

    /// What is in memory still.
    fn known(&self, kind: Kind, key: &Digest) -> Option<Bytes> {
        self.collected().items.get(&(kind, *key)).map(|item| item.bytes.clone().into())
    }

    fn count(&self, hits: u64, misses: u64) {
        self.hits.fetch_add(hits, Ordering::Relaxed);
        for count in [&self.misses, &self.misses_untold, &self.missed] {
            count.fetch_add(misses, Ordering::Relaxed);
        }
    }

    /// Whether a record may be used. One that may not is left to those who trust its signer.
    fn accepts(&self, key: &Digest, record: &[u8]) -> bool {
        let accepted = self.signing.as_ref().is_none_or(|signing| signing.accepts(key, record));
        if !accepted {
            self.untrusted.fetch_add(1, Ordering::Relaxed);
            // It was counted when it was found.
            let _ = self.transact(false, |step| {
                let hits = &mut step.index.header.totals.hits;
                *hits = hits.saturating_sub(1);
                Ok(())
            });
        }
        accepted
    }
}

/// What a record holds.
fn digests(record: &[u8]) -> Vec<Digest> {
    let (digests, _) = sign::split(record);
    let (values, _) = digests.as_chunks::<32>();
    values.iter().copied().map(Digest).collect()
}

/// Records of different names have different keys.
fn record_key(name: Name, key: &[u8]) -> Digest {
    Digest::of_parts([name.as_str().as_bytes(), key])
}
