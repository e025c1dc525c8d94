//! How fast a store is: `cargo run --release -p castore --example bench [ENTRIES]`.

use castore::{Config, Digest, Name, Store};
use rustix::time::{ClockId, clock_gettime};
use std::{path::Path, time::Duration};

/// Small enough that the system's calls count.
const SMALL: usize = 200;
/// Large enough that only reading and hashing count.
const LARGE: usize = 64 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let entries: u64 = match std::env::args().nth(1) {
        Some(entries) => entries.parse()?,
        None => 1_000_000,
    };
    let dir = tempfile::tempdir()?;
    let config = Config { max_size: 8 << 30, ..Config::default() };
    let time = fill(dir.path(), config, entries)?;
    row(&format!("put, {SMALL} bytes"), time / entries as u32, None);

    let open = |round: u64| {
        let start = Time::now();
        let store = Store::with(dir.path(), config);
        let found = store.get(&Digest::of(&small(round * 7919 % entries)));
        (start.elapsed(), found.is_some())
    };
    let opened: Vec<_> = (0..21).map(open).collect();
    assert!(opened.iter().all(|(_, found)| *found), "every entry is there");
    let what = format!("open with {entries} entries, first hit");
    row(&what, median(opened.iter().map(|o| o.0)), Some(5000.0));

    let store = Store::with(dir.path(), config);
    let hits: Vec<Duration> = (0..20_000)
        .map(|round: u64| {
            let digest = Digest::of(&small(round * 104_729 % entries));
            let start = Time::now();
            let found = store.get(&digest);
            let time = start.elapsed();
            assert!(found.is_some(), "every entry is there");
            time
        })
        .collect();
    // Some hits also put those noted before into the order of use.
    let mean = hits.iter().sum::<Duration>() / hits.len() as u32;
    row(&format!("hit, {SMALL} bytes"), median(hits.into_iter()), Some(20.0));
    row("the same, average", mean, None);
    let misses = (0..20_000_u64).map(|round| {
        let digest = Digest::of(&round.to_le_bytes());
        let start = Time::now();
        assert!(store.get(&digest).is_none(), "nobody has put it");
        start.elapsed()
    });
    row("miss", median(misses.collect::<Vec<_>>().into_iter()), None);

    let large: Vec<u8> = (0..LARGE).map(|at| ((at * at) >> 3) as u8).collect();
    let start = Time::now();
    let digest = Digest::of(&large);
    std::hint::black_box(digest);
    rate("BLAKE3", start.elapsed(), "");
    let start = Time::now();
    store.put(Name::OTHER, large);
    store.commit()?;
    rate("put, large", start.elapsed(), "");
    // Another handle: what was put is in the memory of this one still.
    let store = Store::with(dir.path(), config);
    let hits: Vec<_> = (0..7)
        .map(|_| {
            let start = Time::now();
            assert!(store.view(&digest).is_some(), "it is there");
            start.elapsed()
        })
        .collect();
    rate("hit, large, verified", median(hits.into_iter()), "   (at least 2)");
    Ok(())
}

/// Time of the processor, so that what else the machine does counts little.
struct Time(Duration);

impl Time {
    fn now() -> Time {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Time(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }
    fn elapsed(&self) -> Duration {
        Time::now().0 - self.0
    }
}

fn small(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(SMALL / 8)
}

fn fill(dir: &Path, config: Config, entries: u64) -> Result<Duration, castore::Error> {
    let store = Store::with(dir, config);
    let start = Time::now();
    for number in 0..entries {
        store.put(Name::OTHER, small(number));
        if number % 10_000 == 0 {
            store.commit()?;
        }
    }
    store.commit()?;
    Ok(start.elapsed())
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn row(what: &str, time: Duration, most: Option<f64>) {
    let most = most.map_or(String::new(), |most| format!("   (at most {most})"));
    println!("{what:<44}{:>12.1} us{most}", time.as_secs_f64() * 1e6);
}

fn rate(what: &str, time: Duration, least: &str) {
    println!("{what:<44}{:>12.2} GB/s{least}", LARGE as f64 / time.as_secs_f64() / 1e9);
}
