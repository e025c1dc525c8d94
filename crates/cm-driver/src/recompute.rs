//! `cm cache verify --recompute`: stages run again, and what they make is compared with what the
//! store says they made.

use crate::{CacheSettings, Error, link::Foreign, tools::Tools};
use castore::{Digest, Name, Store};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Recomputed {
    /// Results that were made again.
    pub recomputed: u64,
    /// Those that came out differently, and have been replaced.
    pub different: u64,
}

/// Makes about so many of 100 units again that this build of the compiler has compiled. That a
/// result depends on more than its key says, or that somebody has forged it, shows here.
///
/// # Errors
/// If the store cannot be read or written, or a stage fails.
pub fn recompute(settings: &CacheSettings, percent: u8) -> Result<Recomputed, Error> {
    let store = Arc::new(settings.store());
    let chance = RandomState::new();
    let chosen = |digest: &Digest| {
        let mut hasher = chance.build_hasher();
        hasher.write(&digest.0);
        hasher.finish() % 100 < u64::from(percent)
    };
    let mir = name("mir");
    let mut units = store.entries().map_err(|e| e.to_string())?;
    units.retain(|entry| entry.is_blob && entry.name == mir && chosen(&entry.key));
    let mut result = Recomputed::default();
    for level in 0..4 {
        let tools = Tools::new(Some(store.clone()), level, Foreign::default());
        for unit in &units {
            check_unit(&store, &tools, &unit.key, &mut result)?;
        }
    }
    store.commit().map_err(|e| e.to_string())?;
    Ok(result)
}

/// Bitcode and object of a unit, if it was compiled at the level of `tools`.
fn check_unit(
    store: &Store,
    tools: &Tools,
    unit: &Digest,
    result: &mut Recomputed,
) -> Result<(), Error> {
    let (bitcode, object) = (name("unit_bitcode"), name("unit_object"));
    let key = tools.key(unit);
    if store.lookup(bitcode, &key).is_none() {
        return Ok(());
    }
    let Some(mir) = store.get(unit) else { return Ok(()) };
    let (target, level) = (&tools.target, tools.opt_level);
    let made = tools.backend().both(&mir, target, level).map_err(|e| e.to_string())?;
    let digest = check(store, bitcode, &key, made.0, result);
    let key = tools.key(&digest);
    if store.lookup(object, &key).is_some() {
        check(store, object, &key, made.1, result);
    }
    Ok(())
}

/// Compares what was made with what is known, and replaces that if need be.
fn check(store: &Store, name: Name, key: &[u8], made: Vec<u8>, result: &mut Recomputed) -> Digest {
    let digest = Digest::of(&made);
    result.recomputed += 1;
    if store.lookup(name, key).is_none_or(|known| known != [digest]) {
        result.different += 1;
        store.put(name, made);
        store.bind(name, key, &[digest]);
    }
    digest
}

fn name(text: &str) -> Name {
    Name::new(text).expect("invariant: a short name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cm_mir::{
        mir::{Function, Global},
        unit::Unit,
    };

    #[test]
    fn a_forged_result_is_found_and_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = camino::Utf8Path::from_path(dir.path()).expect("UTF-8").join("cache");
        let settings = CacheSettings::new(path);
        assert_eq!(recompute(&settings, 100).expect("nothing is there"), Recomputed::default());
        let store = Arc::new(settings.store());
        let tools = Tools::new(Some(store.clone()), 1, Foreign::default());
        let mir = Unit::<Function, Global>::new(cm_base::Name::new("unit")).encode();
        let unit = store.put(name("mir"), mir.clone());
        let (bitcode, object) =
            tools.backend().both(&mir, &tools.target, 1).expect("an empty unit");
        let bitcode = store.put(name("unit_bitcode"), bitcode);
        let object = store.put(name("unit_object"), object);
        let forged = store.put(name("unit_object"), &b"forged"[..]);
        store.bind(name("unit_bitcode"), &tools.key(&unit), &[bitcode]);
        store.bind(name("unit_object"), &tools.key(&bitcode), &[forged]);
        store.commit().expect("written");
        for different in [1, 0] {
            let expected = Recomputed { recomputed: 2, different };
            assert_eq!(recompute(&settings, 100).expect("the back end works"), expected);
        }
        let store = settings.store();
        assert_eq!(store.lookup(name("unit_object"), &tools.key(&bitcode)), Some(vec![object]));
        assert_eq!(recompute(&settings, 0).expect("nothing to do"), Recomputed::default());
    }
}
