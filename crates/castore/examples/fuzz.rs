//! Damages stores in random ways and uses them: nothing may panic, nothing wrong may come out, and
//! all must be well after it was put again. `cargo xtask fuzz-store` runs this.
//!
//! `fuzz [--seed N] [--time SECONDS] [--steps N] [--from N]`

use castore::{Config, Digest, Hasher, Name, Store};
use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = BTreeMap::from([("seed", 1), ("time", 60), ("steps", u64::MAX), ("from", 0)]);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let option = pair[0].strip_prefix("--").and_then(|name| options.get_mut(name));
        let (Some(option), Some(value)) = (option, pair.get(1)) else {
            return Err("options: --seed N, --time SECONDS, --steps N, --from N".into());
        };
        *option = value.parse()?;
    }
    let (seed, from) = (options["seed"], options["from"]);
    let end = Instant::now() + Duration::from_secs(options["time"]);
    let mut step = from;
    while Instant::now() < end && step - from < options["steps"] {
        let case = std::panic::catch_unwind(|| check(&mut Random::new(seed, step)));
        if !matches!(case, Ok(Ok(()))) {
            let message = case.map(|result| result.err().map(|error| error.to_string()));
            let message = message.ok().flatten().unwrap_or_else(|| "panicked".to_owned());
            return Err(format!("--seed {seed} --from {step} --steps 1: {message}").into());
        }
        step += 1;
    }
    println!("seed {seed}: {} damaged stores, 0 failed", step - from);
    Ok(())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn new(seed: u64, step: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ step.wrapping_mul(0xd134_2543_de82_ef95))
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

fn check(random: &mut Random) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let config = Config {
        max_size: [150_000, 400_000, 1 << 22, 1 << 30][random.below(4) as usize],
        compression: random.one_in(2).then_some(1),
        ..Config::default()
    };
    let model: Vec<Vec<u8>> = (0..1 + random.below(60)).map(|n| contents(random, n)).collect();
    fill(&Store::with(dir.path(), config), &model)?;
    if random.one_in(2) {
        // Some segments with waste in them.
        Store::with(dir.path(), config).remove(|entry| entry.name == kind(1))?;
        fill(&Store::with(dir.path(), config), &model[..model.len() / 2])?;
    }
    if random.one_in(2) {
        // Uses that are noted, and not in their order yet.
        look(&Store::with(dir.path(), config), &model, false)?;
    }
    let mut forged = false;
    for _ in 0..1 + random.below(4) {
        forged |= damage(random, dir.path())?;
    }
    let open = Store::with(dir.path(), config);
    for round in 0..2 {
        let fresh = Store::with(dir.path(), config);
        for store in [&open, &fresh] {
            look(store, &model, forged)?;
            match random.below(6) {
                0 => drop(store.verify()?),
                1 => drop(store.entries()?),
                2 => drop(store.evict_until(config.max_size / 2, 0)?),
                3 => drop(store.remove(|entry| entry.name == kind(0))?),
                4 => drop(store.summary()?),
                _ => {}
            }
        }
        // Whoever finds something missing makes it again.
        if round == 0 {
            fill(&fresh, &model)?;
        }
    }
    drop(open);
    let store = Store::with(dir.path(), config);
    store.verify()?;
    if store.verify()?.bad != 0 {
        return Err("what was bad is there still".into());
    }
    look(&Store::with(dir.path(), config), &model, forged)
}

fn kind(number: u64) -> Name {
    Name::new(["mir", "unit_object", "other"][number as usize % 3]).expect("a name")
}

fn contents(random: &mut Random, number: u64) -> Vec<u8> {
    let len = if random.one_in(10) { 60_000 } else { random.below(3000) };
    let noise = 1 << random.below(9);
    let bytes = (0..len).map(|_| (random.next() % noise) as u8);
    number.to_le_bytes().into_iter().chain(bytes).collect()
}

fn fill(store: &Store, model: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    for (number, bytes) in (0..).zip(model) {
        let digest = store.put(kind(number), &bytes[..]);
        store.bind(kind(number + 1), &number.to_le_bytes(), &[digest, digest]);
        if number % 7 == 0 {
            store.commit()?;
        }
    }
    Ok(store.commit()?)
}

/// A blob is what its digest says, always. A record is what was bound, unless somebody has written
/// one with all its checksums.
fn look(store: &Store, model: &[Vec<u8>], forged: bool) -> Result<(), Box<dyn Error>> {
    let digests: Vec<Digest> = model.iter().map(|bytes| Digest::of(bytes)).collect();
    // Some together, and the others one by one.
    let (together, apart) = digests.split_at(digests.len() / 2);
    let found = store.views(together).into_iter().map(|found| found.map(Into::into));
    let found = found.chain(apart.iter().map(|digest| store.get(digest)));
    for (number, ((bytes, found), digest)) in
        (0..).zip(model.iter().zip(found).zip(digests.clone()))
    {
        if found.is_some_and(|found: Arc<[u8]>| *found != bytes[..]) {
            return Err(format!("blob {number} is wrong").into());
        }
        let found = store.lookup(kind(number + 1), &u64::to_le_bytes(number));
        if !forged && found.is_some_and(|found| found != [digest, digest]) {
            return Err(format!("record {number} is wrong").into());
        }
    }
    Ok(())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => found.extend(files(&path)),
            _ => found.push(path),
        }
    }
    found.sort();
    found
}

/// Spoils a file. `true`: and made its checksums right again.
fn damage(random: &mut Random, dir: &Path) -> Result<bool, Box<dyn Error>> {
    let files = files(&dir.join("cas"));
    if files.is_empty() {
        return Ok(false);
    }
    let pick = |random: &mut Random| files[random.below(files.len() as u64) as usize].clone();
    // Half of the time the index, which is one file among many.
    let path = if random.one_in(2) { dir.join("cas/index") } else { pick(random) };
    let other = pick(random);
    if !path.is_file() || !other.is_file() {
        return Ok(false);
    }
    let mut bytes = fs::read(&path)?;
    match random.below(12) {
        0 => fs::remove_file(&path)?,
        1 => {
            fs::remove_file(&path)?;
            fs::create_dir(&path)?;
        }
        2 => {
            fs::rename(&path, dir.join("elsewhere"))?;
            std::os::unix::fs::symlink(dir.join("elsewhere"), &path)?;
        }
        3 if path != other => {
            fs::rename(&path, dir.join("spare"))?;
            fs::rename(&other, &path)?;
            fs::rename(dir.join("spare"), &other)?;
        }
        4 => {
            bytes.truncate(random.below(bytes.len() as u64 + 1) as usize);
            fs::write(&path, bytes)?;
        }
        5 => {
            bytes.extend((0..random.below(5000)).map(|_| random.next() as u8).collect::<Vec<_>>());
            fs::write(&path, bytes)?;
        }
        6 => fs::write(&path, fs::read(&other)?)?,
        _ => {
            let sealed = random.one_in(2);
            for _ in 0..1 + random.below(6) {
                spoil(random, &mut bytes);
            }
            let is_index = path.ends_with("index");
            match sealed {
                true if is_index => {
                    seal_pages(&mut bytes);
                    seal_uses(&mut bytes);
                }
                true => seal_entries(&mut bytes),
                false => {}
            }
            fs::write(&path, bytes)?;
            return Ok(sealed && !is_index);
        }
    }
    Ok(false)
}

/// Changes some bytes, most often those of a number.
fn spoil(random: &mut Random, bytes: &mut [u8]) {
    if bytes.is_empty() {
        return;
    }
    let near = if random.one_in(2) { bytes.len().min(2048) } else { bytes.len() };
    let at = random.below(near as u64) as usize;
    let len = [1, 1, 4, 8, 64, 512][random.below(6) as usize].min(bytes.len() - at);
    match random.below(5) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at..at + len].fill(0),
        2 => bytes[at..at + len].fill(0xff),
        3 => bytes[at..at + len].iter_mut().for_each(|byte| *byte = random.next() as u8),
        _ => {
            let from = random.below((bytes.len() - len) as u64 + 1) as usize;
            bytes.copy_within(from..from + len, at);
        }
    }
}

/// Makes the checksums of an index right: what is decoded then is wrong otherwise.
fn seal_pages(bytes: &mut [u8]) {
    for (number, page) in (0..).zip(bytes.chunks_exact_mut(512)) {
        if page.iter().any(|byte| *byte != 0) {
            let checksum = xxh3_64_with_seed(&page[..504], number).to_le_bytes();
            page[504..].copy_from_slice(&checksum);
        }
    }
}

/// The same for uses, of which some are made up.
fn seal_uses(bytes: &mut [u8]) {
    const LEN: usize = 44;
    let number = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).copied();
    let (Some(transaction), Some(epoch)) = (number(8), number(16)) else { return };
    let seed = u64::from_le_bytes(transaction) ^ u64::from_le_bytes(epoch);
    for note in
        bytes.chunks_exact_mut(512).skip(27).take(1).flat_map(|page| page.chunks_exact_mut(LEN))
    {
        if note.iter().any(|byte| *byte != 0) {
            let checksum = xxh3_64_with_seed(&note[..LEN - 8], seed).to_le_bytes();
            note[LEN - 8..].copy_from_slice(&checksum);
        }
    }
}

/// The same for the headers of a segment.
fn seal_entries(bytes: &mut [u8]) {
    let Some((nonce, _)) = bytes.get(24..).and_then(|rest| rest.split_first_chunk::<16>()) else {
        return;
    };
    let nonce = *nonce;
    for at in (64..bytes.len().saturating_sub(127)).step_by(64) {
        if bytes[at..at + 4] == *b"caE4" {
            let mut hasher = Hasher::default();
            hasher.update(&nonce);
            hasher.update(&bytes[at..at + 112]);
            bytes[at + 112..at + 128].copy_from_slice(&hasher.finish().0[..16]);
        }
    }
}
