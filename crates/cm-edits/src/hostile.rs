//! Images of real programs that somebody has changed, with a right checksum. Whoever can write there can
//! have a wrong result, but no panic, no endless build, and no more memory than there is.

use crate::{
    crashes::{Setting, said},
    oracle::text,
    random::Random,
};
use camino::Utf8PathBuf;
use std::{
    fs,
    process::{Command, Stdio},
};

/// Kilobytes of address space that a build may take.
const MEMORY: u32 = 8 << 20;
/// Where the header says which program the image is for: without that, nothing is looked at.
const IDENTITY: usize = 48;
const LENGTH: std::ops::Range<usize> = 64..72;
const CHECKSUM: std::ops::Range<usize> = 72..80;

/// Builds with so many changed images. Returns how many of them the builds had no errors with.
/// `only`: that one alone.
pub fn hostile(seed: u64, count: usize, only: Option<usize>) -> Result<usize, String> {
    let setting = Setting::new(seed)?;
    let graph = setting.place.cache().join("graph");
    let mut images = graph.read_dir_utf8().map_err(text)?.flatten().map(|entry| entry.into_path());
    let image = images.find(|path| path.extension() == Some("image"));
    let image = image.ok_or("there is no image")?;
    let good = fs::read(&image).map_err(text)?;
    let mut succeeded = 0;
    for trial in only.map_or(0..count, |only| only..only + 1) {
        setting.put(&setting.before)?;
        fs::write(&image, changed(&good, &mut Random::of(seed, trial as u64))).map_err(text)?;
        let built = build(&setting).map_err(|message| {
            format!("--seed {seed} --hostile {count} --trial {trial}: {message}")
        });
        succeeded += usize::from(built?);
    }
    Ok(succeeded)
}

/// Some bytes are others, and the length and the checksum are right.
fn changed(good: &[u8], random: &mut Random) -> Vec<u8> {
    const NUMBERS: [u32; 9] = [0, 1, 2, 0x7f, 0xff, 0x7fff_ffff, u32::MAX, u32::MAX - 1, 1 << 20];
    let mut bad = good.to_vec();
    for _ in 0..=random.below(4) {
        let at = IDENTITY + random.below(bad.len() - IDENTITY);
        match random.below(6) {
            0 => bad[at] ^= 1 << random.below(8),
            1 => bad[at] = random.any() as u8,
            2 => {
                // A part of another place.
                let (from, most) = (random.below(good.len()), 1 + random.below(64));
                let length = most.min(good.len() - from).min(bad.len() - at);
                bad[at..at + length].copy_from_slice(&good[from..from + length]);
            }
            3 if random.one_in(8) => bad.truncate(at.max(CHECKSUM.end)),
            _ => {
                let at = (at & !3).min(bad.len() - 4);
                let number = NUMBERS[random.below(NUMBERS.len())];
                bad[at..at + 4].copy_from_slice(&number.to_ne_bytes());
            }
        }
    }
    if random.one_in(2) {
        let length = bad.len() as u64;
        bad[LENGTH].copy_from_slice(&length.to_ne_bytes());
    }
    bad[CHECKSUM].fill(0);
    let checksum = xxhash_rust::xxh3::xxh3_64(&bad);
    bad[CHECKSUM].copy_from_slice(&checksum.to_ne_bytes());
    bad
}

/// A build as a process with limits. Whether it found no errors; or what must not be.
fn build(setting: &Setting) -> Result<bool, String> {
    let place = &setting.place;
    let paths: [Utf8PathBuf; 3] = [place.main(), place.cache(), place.output()];
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\""));
    command.arg(std::env::current_exe().map_err(text)?).arg("--build").args(&paths);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let (status, said) = said(command.spawn().map_err(text)?)?;
    match status.code() {
        Some(code @ (0 | 1)) if !said.contains("panicked") => Ok(code == 0),
        _ => Err(format!("{status}: {said}")),
    }
}
