//! Reading entries: where they are, and whether that is what they were.

use crate::{
    Bytes, Digest, Store,
    bytes::{UNSEEN, Unread, read_entry},
    index::{Entry, Kind, Latest, Trouble},
    mapped::Window,
    segment::{SegmentFile, key_start},
    transaction::Transaction,
};
use std::{
    io,
    ops::ControlFlow,
    slice,
    sync::{Arc, atomic::Ordering},
};

/// How an entry is read.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    /// It is used, so it becomes the one used last.
    pub counts: bool,
    /// It may stay in its file.
    pub mapped: bool,
}

/// An entry that the index knows.
struct Found {
    entry: Entry,
    /// Where it is; `None`: the file is gone or something else.
    segment: io::Result<Option<Arc<SegmentFile>>>,
    /// The start of it in memory, see `read_entry`.
    window: Option<Arc<Window>>,
}

/// So many entries are looked up in one step, so that others need not wait long.
const MOST_LOOKED_UP: usize = 500;

/// Entries that lie no further apart are brought into memory together.
const NEAR: u64 = 1 << 16;

impl Store {
    /// What the index says of an entry.
    pub(crate) fn find(&self, kind: Kind, key: &Digest) -> Option<Entry> {
        let found = self
            .look_up(|step| Ok(step.index.find(kind, &key_start(key))?.map(|(_, entry)| entry)));
        found.ok()??
    }

    /// The contents of an entry on disk, and nothing is counted.
    pub(crate) fn read_quietly(&self, kind: Kind, key: &Digest) -> Option<Bytes> {
        self.read_file(kind, key, Use { counts: false, mapped: true })
    }

    /// The contents of an entry on disk, verified.
    pub(crate) fn read_file(&self, kind: Kind, key: &Digest, how: Use) -> Option<Bytes> {
        // An entry may be moved while it is read, but not for ever.
        for _ in 0..3 {
            let found = self.find_all(kind, slice::from_ref(key), how).pop()??;
            if let ControlFlow::Break(read) = self.read_found((kind, key), &found, how) {
                return read;
            }
        }
        None
    }

    /// The same of several.
    pub(crate) fn read_files(&self, kind: Kind, keys: &[Digest], how: Use) -> Vec<Option<Bytes>> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_LOOKED_UP) {
            let found = self.find_all(kind, keys, how);
            all.extend(keys.iter().zip(found).map(|(key, found)| {
                match self.read_found((kind, key), &found?, how) {
                    ControlFlow::Break(read) => read,
                    ControlFlow::Continue(()) => self.read_file(kind, key, how),
                }
            }));
        }
        all
    }

    /// Where entries are, of which the use is noted. There is one for each key.
    fn find_all(&self, kind: Kind, keys: &[Digest], how: Use) -> Vec<Option<Found>> {
        let found = self.look_up(|step| {
            let all = keys.iter().map(|key| step.index.find(kind, &key_start(key)));
            let all = all.collect::<Result<Vec<_>, Trouble>>()?;
            if how.counts && !step.read_only {
                let uses = all.iter().flatten().map(|(number, entry)| (*number, self.hit(entry)));
                step.index.hit(&uses.collect::<Vec<_>>())?;
            }
            let mut found = |(_, entry)| self.found(step, entry);
            Ok(all.into_iter().map(|known| known.map(&mut found)).collect::<Vec<_>>())
        });
        let Ok(Some(mut found)) = found else { return keys.iter().map(|_| None).collect() };
        if how.mapped {
            bring(&mut found);
        }
        found
    }

    /// Counts that an entry was found. Gives all that happened so far.
    fn hit(&self, entry: &Entry) -> Latest {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.saved.fetch_add(u64::from(entry.cost), Ordering::Relaxed);
        self.latest()
    }

    fn found(&self, step: &mut Transaction, entry: Entry) -> Found {
        let segment = self.segment(step, entry.segment);
        Found { entry, segment, window: None }
    }

    /// What is where an entry should be. It goes on if that has been moved meanwhile.
    fn read_found(
        &self,
        (kind, key): (Kind, &Digest),
        Found { entry, segment, window }: &Found,
        how: Use,
    ) -> ControlFlow<Option<Bytes>> {
        let read = match segment {
            Ok(Some(segment)) => read_entry(segment, window.as_ref(), entry, kind, key),
            Ok(None) => Err(Unread::Bad(Vec::new())),
            Err(_) => Err(Unread::Unavailable),
        };
        match read {
            Ok(bytes) => ControlFlow::Break(Some(bytes)),
            Err(Unread::Bad(bytes)) if !self.discard((kind, key), entry, &bytes, how) => {
                ControlFlow::Continue(())
            }
            Err(_) => ControlFlow::Break(None),
        }
    }

    /// Removes a bad entry. `false`: it has been moved meanwhile.
    fn discard(&self, (kind, key): (Kind, &Digest), bad: &Entry, bytes: &[u8], how: Use) -> bool {
        let discarded = self.transact(false, |step| {
            let Some((number, entry)) = step.index.find(kind, &key_start(key))? else {
                return Ok(true);
            };
            if (entry.segment, entry.offset) != (bad.segment, bad.offset) {
                return Ok(false);
            }
            if !step.read_only {
                let segment = step.index.remove(number)?;
                step.index.header.totals.quarantined += 1;
                // It was counted when it was found.
                let hits = &mut step.index.header.totals.hits;
                *hits = hits.saturating_sub(u64::from(how.counts));
                self.reclaim(step, segment.id)?;
            }
            Ok::<bool, Trouble>(true)
        });
        let discarded = discarded.ok().flatten() != Some(false);
        if discarded {
            self.quarantined.fetch_add(1, Ordering::Relaxed);
            if !self.config.read_only {
                self.home.quarantine_bytes(&key.to_string()[..16], bytes);
            }
        }
        discarded
    }
}

/// Brings entries into memory, neighbours at once: that is a fraction of as many page faults.
fn bring(found: &mut [Option<Found>]) {
    let mut found: Vec<&mut Found> = found.iter_mut().flatten().collect();
    found.sort_by_key(|found| (found.entry.segment, found.entry.offset));
    let end = |found: &Found| found.entry.offset + found.entry.len.min(UNSEEN);
    let near = |a: &&mut Found, b: &&mut Found| {
        a.entry.segment == b.entry.segment && b.entry.offset <= end(a) + NEAR
    };
    for run in found.chunk_by_mut(near) {
        let last = run.last().map_or(0, |last| end(last));
        let [first, ..] = &*run else { continue };
        let Ok(Some(segment)) = &first.segment else { continue };
        let window = segment.window(last).filter(|window| {
            // Behind the last entry there may be no zeros.
            let len = last.min(window.len()).checked_sub(first.entry.offset);
            len.is_some_and(|len| window.bring(first.entry.offset, len))
        });
        run.iter_mut().for_each(|found| found.window = window.clone());
    }
}
