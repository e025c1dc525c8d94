//! A file of checksummed pages that is changed by transactions.
//!
//! Behind the pages lies a journal: before a transaction writes its pages, it writes them all
//! there. Page 0 holds the number of the last transaction and is written last. Whoever finds a
//! whole journal of the next number takes the pages from it; so a process that is killed leaves
//! either all of a transaction or nothing. A page that was never written is all zeros.

use crate::{mapped::Window, sync::step};
use rustc_hash::FxHashMap;
use std::{collections::hash_map::Entry, fs::File, io, os::unix::fs::FileExt};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes of a page in the file.
pub(crate) const SIZE: usize = 512;
/// Bytes of a page that are for use; the rest is a checksum.
pub(crate) const DATA: usize = SIZE - 8;

const JOURNAL: &[u8; 8] = b"casjrnl\x01";
const JOURNAL_HEADER: usize = 32;

/// Why a transaction ended early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The pages do not make sense: they must be made anew.
    Damaged,
    /// The system refused.
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        // Pages that are missing at the end.
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Trouble::Damaged,
            _ => Trouble::Io(error),
        }
    }
}

struct Page {
    bytes: Box<[u8; SIZE]>,
    changed: bool,
}

/// Where pages come from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'f> {
    pub file: &'f File,
    /// As much of the file as is there, in memory.
    pub window: Option<&'f Window>,
}

impl Source<'_> {
    pub fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        match self.window.filter(|window| offset + bytes.len() as u64 <= window.len()) {
            Some(window) => {
                window.copy(offset, bytes);
                Ok(())
            }
            None => self.file.read_exact_at(bytes, offset),
        }
    }
}

/// The pages that a transaction has seen. They are read when first asked for.
pub(crate) struct Pages<'f> {
    /// `None`: a file that is yet to be written, of zeros.
    source: Option<Source<'f>>,
    pages: FxHashMap<u32, Page>,
}

impl<'f> Pages<'f> {
    /// The pages of a file.
    pub fn of(source: Source<'f>) -> Pages<'f> {
        Pages { source: Some(source), pages: FxHashMap::default() }
    }
    /// Pages of zeros.
    pub fn blank() -> Pages<'f> {
        Pages { source: None, pages: FxHashMap::default() }
    }

    fn page(&mut self, number: u32) -> Result<&mut Page, Trouble> {
        let absent = match self.pages.entry(number) {
            Entry::Occupied(page) => return Ok(page.into_mut()),
            Entry::Vacant(absent) => absent,
        };
        let mut bytes = Box::new([0; SIZE]);
        if let Some(source) = self.source {
            step();
            source.read(&mut *bytes, u64::from(number) * SIZE as u64)?;
            if *bytes != [0; SIZE] && !is_sound(number, &bytes) {
                return Err(Trouble::Damaged);
            }
        }
        Ok(absent.insert(Page { bytes, changed: false }))
    }

    /// The contents of a page.
    pub fn read(&mut self, number: u32) -> Result<&[u8], Trouble> {
        Ok(&self.page(number)?.bytes[..DATA])
    }

    /// The contents of a page, to be changed.
    pub fn write(&mut self, number: u32) -> Result<&mut [u8], Trouble> {
        let page = self.page(number)?;
        page.changed = true;
        Ok(&mut page.bytes[..DATA])
    }

    /// Where the pages come from; `None`: from nowhere yet.
    pub fn source(&self) -> Option<Source<'f>> {
        self.source
    }

    /// Whether a transaction would write anything.
    pub fn is_changed(&self) -> bool {
        self.pages.values().any(|page| page.changed)
    }

    /// Takes the pages of transaction `number` from the journal behind `count` pages, if it was
    /// left unfinished. `seed` tells the journals of different files apart.
    pub fn recover(&mut self, count: u32, number: u64, seed: u64) -> Result<bool, Trouble> {
        let Some(source) = self.source else { return Ok(false) };
        let at = u64::from(count) * SIZE as u64;
        let mut header = [0; JOURNAL_HEADER];
        if source.read(&mut header, at).is_err() {
            return Ok(false);
        }
        let (fields, _) = header.as_chunks::<8>();
        let pages = u64::from_le_bytes(fields[2]);
        if fields[0] != *JOURNAL || fields[1] != number.to_le_bytes() || pages > u64::from(count) {
            return Ok(false);
        }
        let mut body = vec![0; pages as usize * (8 + SIZE)];
        if source.read(&mut body, at + JOURNAL_HEADER as u64).is_err()
            || xxh3_64_with_seed(&body, seed ^ number).to_le_bytes() != fields[3]
        {
            return Ok(false);
        }
        for entry in body.chunks_exact(8 + SIZE) {
            let (number, bytes) = entry.split_first_chunk::<8>().expect("invariant: 8 + SIZE");
            let bytes = Box::new(bytes.try_into().expect("invariant: 8 + SIZE"));
            self.pages.insert(u64::from_le_bytes(*number) as u32, Page { bytes, changed: true });
        }
        Ok(true)
    }

    /// Writes what has changed, with the journal behind `count` pages. It is as if everything was
    /// written at once; an error may come before or after.
    pub fn commit(mut self, count: u32, number: u64, seed: u64) -> io::Result<()> {
        let Some(Source { file, .. }) = self.source else { return Ok(()) };
        self.pages.retain(|_, page| page.changed);
        let pages = self.sealed();
        let mut body = Vec::with_capacity(pages.len() * (8 + SIZE));
        for (number, bytes) in &pages {
            body.extend(u64::from(*number).to_le_bytes());
            body.extend(&**bytes);
        }
        let mut journal = Vec::with_capacity(JOURNAL_HEADER + body.len());
        journal.extend(JOURNAL);
        journal.extend(number.to_le_bytes());
        journal.extend((pages.len() as u64).to_le_bytes());
        journal.extend(xxh3_64_with_seed(&body, seed ^ number).to_le_bytes());
        journal.append(&mut body);
        step();
        file.write_all_at(&journal, u64::from(count) * SIZE as u64)?;
        write_runs(&pages, file)
    }

    /// Writes all pages into an empty file.
    pub fn write_anew(self, file: &File) -> io::Result<()> {
        write_runs(&self.sealed(), file)
    }

    /// The pages in the order of their numbers, with their checksums.
    fn sealed(self) -> Vec<(u32, Box<[u8; SIZE]>)> {
        let mut pages: Vec<_> =
            self.pages.into_iter().map(|(number, page)| (number, page.bytes)).collect();
        pages.sort_unstable_by_key(|(number, _)| *number);
        pages.iter_mut().for_each(|(number, bytes)| seal(*number, bytes));
        pages
    }
}

/// Neighbours go together, and page 0 comes last.
fn write_runs(pages: &[(u32, Box<[u8; SIZE]>)], file: &File) -> io::Result<()> {
    let (first, pages) = match pages {
        [(0, first), rest @ ..] => (Some(first), rest),
        all => (None, all),
    };
    for run in pages.chunk_by(|(one, _), (next, _)| one + 1 == *next) {
        let bytes = run.iter().map(|(_, bytes)| &bytes[..]).collect::<Vec<_>>().concat();
        step();
        file.write_all_at(&bytes, u64::from(run[0].0) * SIZE as u64)?;
    }
    step();
    first.map_or(Ok(()), |bytes| file.write_all_at(&**bytes, 0))
}

fn checksum(number: u32, bytes: &[u8; SIZE]) -> [u8; 8] {
    xxh3_64_with_seed(&bytes[..DATA], u64::from(number)).to_le_bytes()
}

fn is_sound(number: u32, bytes: &[u8; SIZE]) -> bool {
    bytes[DATA..] == checksum(number, bytes)
}

fn seal(number: u32, bytes: &mut [u8; SIZE]) {
    let checksum = checksum(number, bytes);
    bytes[DATA..].copy_from_slice(&checksum);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: u32 = 8;

    fn source(file: &File) -> Source<'_> {
        Source { file, window: None }
    }

    fn blank() -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(u64::from(COUNT) * SIZE as u64).unwrap();
        file
    }

    fn first_bytes(file: &File) -> Vec<u8> {
        let mut pages = Pages::of(source(file));
        (0..COUNT).map(|number| pages.read(number).unwrap()[0]).collect()
    }

    fn change(file: &File, values: &[(u32, u8)], number: u64) -> io::Result<()> {
        let mut pages = Pages::of(source(file));
        for (page, value) in values {
            pages.write(*page).unwrap()[0] = *value;
        }
        pages.commit(COUNT, number, 7)
    }

    #[test]
    fn what_is_committed_is_read() {
        let file = blank();
        assert_eq!(first_bytes(&file), [0; 8]);
        change(&file, &[(0, 1), (3, 2), (4, 3), (7, 4)], 1).unwrap();
        assert_eq!(first_bytes(&file), [1, 0, 0, 2, 3, 0, 0, 4]);
    }

    /// As if the process had been killed after any number of bytes, in the order of writing.
    #[test]
    fn a_transaction_happens_as_a_whole_or_not_at_all() {
        let old = [(0, 1), (2, 1), (5, 1)];
        let new = [(0, 2), (2, 2), (3, 2), (5, 2)];
        let journal = u64::from(COUNT) * SIZE as u64;
        let read = |file: &File| {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut { file }, &mut bytes).unwrap();
            bytes
        };
        let seek = |mut file: &File| io::Seek::rewind(&mut file).unwrap();
        let whole = blank();
        change(&whole, &old, 1).unwrap();
        seek(&whole);
        let before = read(&whole);
        change(&whole, &new, 2).unwrap();
        seek(&whole);
        let after = read(&whole);
        // The journal goes first, then pages 2 and 3, 5, 0.
        let order: Vec<usize> = (journal as usize..after.len())
            .chain(2 * SIZE..4 * SIZE)
            .chain(5 * SIZE..6 * SIZE)
            .chain(0..SIZE)
            .collect();
        for killed in (0..=order.len()).step_by(41).chain([order.len()]) {
            let mut bytes = before.clone();
            bytes.resize(after.len(), 0);
            order[..killed].iter().for_each(|&at| bytes[at] = after[at]);
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            let mut pages = Pages::of(source(&file));
            let recovered = pages.recover(COUNT, 2, 7).unwrap();
            assert_eq!(recovered, killed >= after.len() - journal as usize, "{killed}");
            if !recovered {
                pages = Pages::of(source(&file));
            }
            let value = if recovered { 2 } else { 1 };
            assert_eq!(pages.read(0).unwrap()[0], value);
            assert_eq!(pages.read(2).unwrap()[0], value);
            assert_eq!(pages.read(3).unwrap()[0], value & 2);
        }
        assert!(!Pages::of(source(&whole)).recover(COUNT, 3, 7).unwrap(), "it is done");
        assert!(!Pages::of(source(&whole)).recover(COUNT, 2, 8).unwrap(), "of another file");
    }

    #[test]
    fn damage_is_noticed() {
        let file = blank();
        change(&file, &[(1, 1), (2, 2)], 1).unwrap();
        for at in [SIZE, SIZE + 100, 2 * SIZE - 1] {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at as u64).unwrap();
            file.write_all_at(&[byte[0] ^ 4], at as u64).unwrap();
            assert!(matches!(Pages::of(source(&file)).read(1), Err(Trouble::Damaged)));
            file.write_all_at(&byte, at as u64).unwrap();
        }
        // A page in the place of another.
        let mut bytes = [0; SIZE];
        file.read_exact_at(&mut bytes, SIZE as u64).unwrap();
        file.write_all_at(&bytes, 2 * SIZE as u64).unwrap();
        assert!(matches!(Pages::of(source(&file)).read(2), Err(Trouble::Damaged)));
        file.set_len(2 * SIZE as u64 - 1).unwrap();
        assert!(matches!(Pages::of(source(&file)).read(1), Err(Trouble::Damaged)));
    }
}
