//! Uses that are noted, and not a part of the order of use yet.
//!
//! To make an entry the one used last changes pages all over the index. So a hit only notes its use:
//! one short write behind those noted before. The next transaction puts all of them into the order
//! before it does anything else, or a hit when there is no room for another note. With that they are
//! done: the checksum of a note is that of the transaction after which it was made. One that was
//! damaged, or that nobody could finish, is as if that use had not been, and those after it.

use super::{
    Latest,
    layout::{MOST, Reader, USES_AT, USES_PAGES, Writer},
    pages::{SIZE, Source, Trouble},
};
use crate::sync::step;
use std::{io, os::unix::fs::FileExt};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A use of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Use {
    /// The number of the entry.
    pub number: u32,
    /// When, by the clock of the header.
    pub used: u64,
    /// What had happened through this store by then.
    pub latest: Latest,
}

const LEN: usize = 44;
const CHECKED: usize = LEN - 8;
const START: u64 = USES_AT as u64 * SIZE as u64;

/// So many can be noted.
pub(super) const MOST_USES: usize = USES_PAGES as usize * SIZE / LEN;

impl Use {
    fn encode(&self, seed: u64) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let mut writer = Writer(&mut bytes);
        let Latest { hits, misses, saved } = self.latest;
        writer.u64s([self.used, hits, misses, saved]);
        writer.u32s([self.number]);
        let checksum = xxh3_64_with_seed(&bytes[..CHECKED], seed).to_le_bytes();
        bytes[CHECKED..].copy_from_slice(&checksum);
        bytes
    }

    /// `None`: nothing was noted there since.
    fn decode(bytes: &[u8; LEN], seed: u64) -> Option<Use> {
        let checksum = xxh3_64_with_seed(&bytes[..CHECKED], seed).to_le_bytes();
        if bytes[CHECKED..] != checksum {
            return None;
        }
        let mut reader = Reader(bytes);
        let used = reader.u64();
        let latest = Latest { hits: reader.u64(), misses: reader.u64(), saved: reader.u64() };
        Some(Use { number: reader.u32(), used, latest })
    }
}

/// All that are noted since the transaction that `seed` tells, the clock of which stood at `clock`.
pub(super) fn read(source: Source, seed: u64, clock: u64) -> Result<Vec<Use>, Trouble> {
    let mut uses = Vec::new();
    let mut last = clock;
    let mut bytes = [0; LEN];
    while uses.len() < MOST_USES {
        source.read(&mut bytes, START + (uses.len() * LEN) as u64)?;
        let Some(noted) = Use::decode(&bytes, seed) else { break };
        if noted.used <= last || noted.used.max(noted.latest.saved) >= MOST {
            return Err(Trouble::Damaged);
        }
        last = noted.used;
        uses.push(noted);
    }
    Ok(uses)
}

/// Notes some uses behind so many others.
pub(super) fn write(source: Source, seed: u64, behind: usize, noted: &[Use]) -> io::Result<()> {
    step();
    let bytes: Vec<u8> = noted.iter().flat_map(|noted| noted.encode(seed)).collect();
    source.file.write_all_at(&bytes, START + (behind * LEN) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn source(file: &File) -> Source<'_> {
        Source { file, window: None }
    }

    fn noted(number: u32) -> Use {
        let latest = Latest { hits: u64::from(number), misses: 1, saved: 2 };
        Use { number, used: 100 + u64::from(number), latest }
    }

    #[test]
    fn uses_are_those_noted_after_a_transaction() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(START + (SIZE as u64) * u64::from(USES_PAGES)).unwrap();
        assert_eq!(read(source(&file), 7, 1).unwrap(), []);
        let all: Vec<Use> = (0..MOST_USES as u32).map(noted).collect();
        for (behind, one) in all.iter().enumerate() {
            assert_eq!(read(source(&file), 7, 1).unwrap(), all[..behind]);
            write(source(&file), 7, behind, &[*one]).unwrap();
        }
        assert_eq!(read(source(&file), 7, 1).unwrap(), all);
        assert_eq!(read(source(&file), 8, 1).unwrap(), [], "they are in the order by then");
        assert!(matches!(read(source(&file), 7, 100), Err(Trouble::Damaged)), "from the past");
        // Fewer after another transaction, before those of an earlier one.
        write(source(&file), 8, 0, &all[3..4]).unwrap();
        assert_eq!(read(source(&file), 8, 1).unwrap(), [all[3]]);
        write(source(&file), 8, 1, &all[4..20]).unwrap();
        assert_eq!(read(source(&file), 8, 1).unwrap(), all[3..20], "some at once");
    }

    /// As if the process had been killed after any number of bytes, and any damaged byte.
    #[test]
    fn an_unfinished_use_is_none() {
        let bytes = noted(3).encode(9);
        for len in 0..LEN {
            let mut torn = noted(1).encode(8);
            torn[..len].copy_from_slice(&bytes[..len]);
            assert_eq!(Use::decode(&torn, 9), None, "{len}");
            let mut bad = bytes;
            bad[len] ^= 1;
            assert_eq!(Use::decode(&bad, 9), None, "{len}");
        }
        assert_eq!(Use::decode(&bytes, 9), Some(noted(3)));
    }
}
