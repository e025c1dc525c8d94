//! Random edits: every build must equal a clean one, result and image, bit for bit, and run exactly
//! what it must.

use crate::toy::*;
use redgreen::{Database, Edit, Kind, NodeReport};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers by a seed, which is not 0.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}

const FILES: usize = 5;
const FUNCTIONS: usize = 6;

fn line(random: &mut Random) -> String {
    let mut line =
        format!("fn f{}(int{}) w{}", random.below(FUNCTIONS), random.below(3), random.below(9));
    for _ in 0..random.below(3) {
        line += &format!(" @m{}.f{}", random.below(FILES), random.below(FUNCTIONS));
    }
    line
}

/// Changes one file in one way.
fn edit(random: &mut Random, project: &Project) {
    let name = format!("m{}", random.below(FILES));
    let old = project.files.files.lock().get(&name).map(|file| file.1.clone());
    let old = old.unwrap_or_default();
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    let at = random.below(lines.len() + 1);
    match random.below(9) {
        0 => drop(project.files.files.lock().remove(&name)),
        1 => project.files.write(&name, &old), // a touch
        2 => {
            lines.insert(at, format!("# {}", random.below(100)));
            project.files.write(&name, &lines.join("\n"));
        }
        3 | 4 => {
            lines.insert(at, line(random));
            project.files.write(&name, &lines.join("\n"));
        }
        5 if at < lines.len() => {
            lines.remove(at);
            project.files.write(&name, &lines.join("\n"));
        }
        6 if at < lines.len() => {
            let to = random.below(lines.len());
            lines.swap(at, to);
            project.files.write(&name, &lines.join("\n"));
        }
        _ if at < lines.len() => {
            lines[at] = line(random);
            project.files.write(&name, &lines.join("\n"));
        }
        _ => {}
    }
}

/// What a fresh process must run, found by comparing two clean builds.
fn expected(before: &[NodeReport], after: &[NodeReport]) -> Vec<String> {
    fn index(report: &[NodeReport]) -> BTreeMap<String, (&NodeReport, Vec<String>)> {
        let name = |node: &NodeReport| node.name.to_string();
        let reads = |node: &NodeReport| {
            node.dependencies.iter().map(|&read| name(&report[read as usize])).collect()
        };
        report.iter().map(|node| (name(node), (node, reads(node)))).collect()
    }
    let (before, after) = (index(before), index(after));
    let differs = |node: &String| {
        let fingerprint = |of: &(&NodeReport, Vec<String>)| of.0.fingerprint;
        after.get(node).map(fingerprint) != before.get(node).map(fingerprint)
    };
    let mut run = BTreeSet::new();
    let mut work = Vec::new();
    for (name, (node, _)) in &after {
        let red = before.get(name).is_none_or(|(_, reads)| reads.iter().any(differs));
        if node.kind != Kind::Input && red {
            work.push(name.clone());
        }
    }
    // What runs needs the values of what it reads, and those that are not kept are made again.
    while let Some(name) = work.pop() {
        if run.insert(name.clone()) {
            let (node, reads) = &after[&name];
            let by_value = reads.iter().filter(|_| &*node.name.query != "link");
            let kept = |node: &str| !matches!(after[node].0.kind, Kind::Transient | Kind::Relay);
            work.extend(by_value.filter(|read| !kept(read)).cloned());
        }
    }
    run.into_iter().collect()
}

fn agrees(seed: u64, step: usize, built: &Built, clean: &Built) {
    assert_eq!(built.result, clean.result, "seed {seed} step {step}: result");
    let same = built.snapshot.image() == clean.snapshot.image();
    assert!(same, "seed {seed} step {step}: image");
    assert_eq!(built.record.counts.unstable, 0, "seed {seed} step {step}: unstable");
}

/// A build that starts with both halves of the objects on two threads.
fn build_in_parallel(db: &mut Database) -> Built {
    db.attempt(|db| {
        let files = listing(db, redgreen::Root);
        let halves = files.split_at(files.len() / 2);
        std::thread::scope(|scope| {
            for half in [halves.0, halves.1] {
                let db = db.clone();
                scope.spawn(move || half.iter().for_each(|file| _ = object(&db, file.clone())));
            }
        });
    })
    .unwrap();
    build(db).unwrap()
}

fn walk(seed: u64, steps: usize) {
    let random = &mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let project = Project::new();
    for _ in 0..20 {
        edit(random, &project);
    }
    let mut last = project.build().report;
    let mut resident = project.open();
    for step in 0..steps {
        for _ in 0..=random.below(3) {
            edit(random, &project);
        }
        let clean = build(&mut project.open_clean()).unwrap();

        let fresh = project.build();
        agrees(seed, step, &fresh, &clean);
        let must = expected(&last, &clean.report);
        assert_eq!(ran(&fresh.record), must, "seed {seed} step {step}: what ran");
        last = fresh.report;

        // Whatever a resident process has seen in between, it must come to the same.
        if random.below(3) > 0 {
            resident.edit(Edit::All);
            if random.below(4) == 0 {
                resident.reset();
            }
            let built = match random.below(2) {
                0 => build(&mut resident).unwrap(),
                _ => build_in_parallel(&mut resident),
            };
            agrees(seed, step, &built, &clean);
        }
        if random.below(20) == 0 {
            resident = project.open();
        }
    }
}

#[test]
fn incremental_builds_equal_clean_builds() {
    // More than a push should wait for: REDGREEN_SEEDS=500 cargo test -p redgreen
    let seeds = std::env::var("REDGREEN_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(12) {
        walk(seed, 25);
    }
}
