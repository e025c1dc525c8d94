//! Looking at all entries, for people and for housekeeping. Nothing here counts as use.

use crate::{
    Digest, Error, Name, Store,
    index::{Entry, Index, KeyStart, Kind, Trouble},
    segment::EntryHeader,
    transaction::Transaction,
};
use std::{
    collections::BTreeSet,
    fs::{File, Metadata},
    os::unix::fs::MetadataExt as _,
};

/// What is known of an entry without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryInfo {
    /// A blob, or else a record.
    pub is_blob: bool,
    /// What kind of blob, or of record.
    pub name: Name,
    /// The digest of a blob's bytes, or of a record's name and key.
    pub key: Digest,
    /// The length of the contents.
    pub bytes: u64,
    /// When it was last used, in nanoseconds since 1970.
    pub used: u64,
}

/// What [`Store::verify`] found.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Verified {
    /// Entries that are as they were written.
    pub good: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Entries that were not, and are gone now.
    pub bad: u64,
}

/// So many entries are removed in one step, so that others need not wait long.
const MOST_REMOVED: usize = 500;

impl Store {
    /// All entries, in the order of use, that used longest ago first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn entries(&self) -> Result<Vec<EntryInfo>, Error> {
        let all = self.all()?.into_iter();
        let info = |(entry, header): (Entry, Option<EntryHeader>)| {
            let header = header?;
            Some(EntryInfo {
                is_blob: header.kind == Kind::Blob,
                name: header.name,
                key: header.key,
                bytes: header.len,
                used: entry.used,
            })
        };
        Ok(all.filter_map(info).collect())
    }

    /// Reads every entry, and removes those that are bad.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn verify(&self) -> Result<Verified, Error> {
        /// Damage that hides behind damage is found sooner.
        const MOST_ROUNDS: usize = 20;
        let mut seen = BTreeSet::new();
        let mut verified = Verified::default();
        for _ in 0..MOST_ROUNDS {
            let mut bad = Vec::new();
            let held = File::open(self.home.index());
            (verified.good, verified.bytes) = (0, 0);
            for (entry, header) in self.all()? {
                let found = header.and_then(|header| self.read_quietly(header.kind, &header.key));
                match found {
                    Some(bytes) => {
                        verified.good += 1;
                        verified.bytes += bytes.len() as u64;
                    }
                    None => bad.push(entry),
                }
            }
            if bad.is_empty() {
                break;
            }
            if !held.as_ref().is_ok_and(|index| self.is_at_its_place(index)) {
                // Somebody has deleted the whole store meanwhile: that is no damage.
                continue;
            }
            // An index that turns out to be damaged is made anew, with what could not be seen before.
            seen.extend(bad.iter().map(|entry| (entry.kind, entry.key)));
            // Those that could be read were removed, and counted, when they were.
            let removed = self.remove_all(&bad)?;
            self.transact(false, |step| {
                step.index.header.totals.quarantined += removed;
                Ok(())
            })?;
        }
        verified.bad = seen.len() as u64;
        Ok(verified)
    }

    /// Whether this is the index still.
    fn is_at_its_place(&self, index: &File) -> bool {
        let which = |meta: Metadata| (meta.dev(), meta.ino());
        let (opened, there) = (index.metadata(), self.home.index().symlink_metadata());
        opened.is_ok_and(|opened| there.is_ok_and(|there| which(opened) == which(there)))
    }

    /// Removes the entries that are selected. Gives their number.
    ///
    /// # Errors
    /// If the store cannot be changed.
    pub fn remove(&self, select: impl Fn(Name) -> bool) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let all = self.all()?.into_iter();
            let chosen = |(_, header): &(Entry, Option<EntryHeader>)| {
                header.is_some_and(|header| select(header.name))
            };
            let chosen: Vec<Entry> = all.filter(chosen).map(|(entry, _)| entry).collect();
            // What is left together is moved, and then is no longer where it was seen.
            match self.remove_all(&chosen)? {
                0 => break,
                some => removed += some,
            }
        }
        self.transact(false, |step| {
            step.resize = step.index.smaller_capacity();
            Ok(())
        })?;
        Ok(removed)
    }

    fn remove_all(&self, entries: &[Entry]) -> Result<u64, Error> {
        let mut removed = 0;
        for some in entries.chunks(MOST_REMOVED) {
            let count = self.transact(false, |step| self.remove_some(step, some))?;
            removed += count.unwrap_or(0);
        }
        Ok(removed)
    }

    /// Removes entries that are still where they were.
    fn remove_some(&self, step: &mut Transaction, entries: &[Entry]) -> Result<u64, Trouble> {
        let mut removed = 0;
        if step.read_only {
            return Ok(0);
        }
        let mut missing = BTreeSet::new();
        for old in entries {
            let found = step.index.find(old.kind, &old.key)?;
            let Some((number, _)) = found.filter(|(_, entry)| place(entry) == place(old)) else {
                missing.insert(place(old));
                continue;
            };
            let segment = step.index.remove(number)?;
            self.reclaim_any(step, segment.id)?;
            removed += 1;
        }
        // Somebody else has removed it or moved it; or it is listed, but cannot be found.
        if !missing.is_empty() && lists_any(&mut step.index, &missing)? {
            return Err(Trouble::Damaged);
        }
        Ok(removed)
    }

    /// All entries with what describes them in their segments; `None`: it is bad.
    fn all(&self) -> Result<Vec<(Entry, Option<EntryHeader>)>, Error> {
        let all = self.transact(false, |step| {
            let mut all = Vec::new();
            let mut next = step.index.oldest()?;
            while let Some((_, entry)) = next {
                let segment = self.segment(step, entry.segment)?;
                let header = match segment {
                    Some(segment) => segment.header(entry.offset)?,
                    None => None,
                };
                let header = header.filter(|header| {
                    (header.kind, header.key_start(), header.total())
                        == (entry.kind, entry.key, entry.len)
                });
                next = step.index.newer(&entry)?;
                all.push((entry, header));
                if all.len() > step.index.header.entries as usize {
                    return Err(Trouble::Damaged);
                }
            }
            Ok(all)
        })?;
        Ok(all.unwrap_or_default())
    }
}

/// What tells entries apart, and where they are.
type Place = (Kind, KeyStart, u32, u64);

fn place(entry: &Entry) -> Place {
    (entry.kind, entry.key, entry.segment, entry.offset)
}

fn lists_any(index: &mut Index<'_>, wanted: &BTreeSet<Place>) -> Result<bool, Trouble> {
    let mut next = index.oldest()?;
    for _ in 0..=index.header.entries {
        let Some((_, entry)) = next else { return Ok(false) };
        if wanted.contains(&place(&entry)) {
            return Ok(true);
        }
        next = index.newer(&entry)?;
    }
    Err(Trouble::Damaged)
}
