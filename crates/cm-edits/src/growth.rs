//! What piles up in a cache over many edits, and what housekeeping leaves of it.

use crate::{
    crashes::{build, tree},
    oracle::{Place, text},
    print,
    walk::Walk,
};
use cm_driver::{CacheSettings, cache};

/// Bytes of a cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Growth {
    /// After all edits.
    pub before: u64,
    /// When housekeeping is done.
    pub after: u64,
    /// Of a cache that knows only the last state.
    pub clean: u64,
}

/// Builds a random program after each of so many edits that leave it right, and then sweeps the cache.
///
/// # Errors
/// If a build fails, or the program must be built again after the sweeping.
pub fn growth(seed: u64, edits: usize) -> Result<Growth, String> {
    let mut walk = Walk::new(seed);
    let mut place = Place::new(&print::files(&walk.state().program), &[])?;
    for _ in 0..edits {
        walk.step();
        while walk.state().program.breakage.is_some() {
            walk.step();
        }
        place.set_files(print::files(&walk.state().program))?;
        build(&place, false)?;
    }
    let before = bytes(&place)?;
    cache::gc(&CacheSettings::new(place.cache()), None, None, true).map_err(text)?;
    let after = bytes(&place)?;
    let clean = Place::new(&place.files, &[])?;
    let fresh = build(&clean, true)?;
    build(&place, true)?.compare(&fresh)?;
    Ok(Growth { before, after, clean: bytes(&clean)? })
}

fn bytes(place: &Place) -> Result<u64, String> {
    Ok(tree(&place.cache())?.values().map(|file| file.len() as u64).sum())
}
