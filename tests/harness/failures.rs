//! The list of expected failures.

use crate::case::Mode;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

/// A program in a mode.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    /// The mode.
    pub(crate) mode: Mode,
    /// The name of the program.
    pub(crate) name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode.name(), self.name)
    }
}

/// The lines of the list.
#[derive(Default, Debug)]
pub(crate) struct Failures {
    lines: Vec<Line>,
}

/// Programs that fail in a mode, or in all.
#[derive(Debug)]
struct Line {
    mode: Option<Mode>,
    pattern: String,
}

impl Line {
    fn fits(&self, key: &Key) -> bool {
        let directory = self.pattern.ends_with('/') && key.name.starts_with(&self.pattern);
        (directory || key.name == self.pattern) && self.mode.is_none_or(|mode| mode == key.mode)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Some(mode) => write!(f, "{} {}", mode.name(), self.pattern),
            None => f.write_str(&self.pattern),
        }
    }
}

const HEADER: &str =
    "# Programs that do not work yet; README.md says how to read and to update this.\n";

impl Failures {
    /// Reads the list.
    pub(crate) fn parse(text: &str) -> Result<Failures, String> {
        let mut list = Failures::default();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (mode, pattern) = match line.split_once(' ') {
                Some((mode, pattern)) => {
                    let found = Mode::ALL.into_iter().find(|known| known.name() == mode);
                    (Some(found.ok_or_else(|| format!("{mode} is not a mode"))?), pattern)
                }
                None => (None, line),
            };
            list.lines.push(Line { mode, pattern: pattern.trim().to_owned() });
        }
        Ok(list)
    }

    /// Whether a program is expected to fail.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.lines.iter().any(|line| line.fits(key))
    }

    /// The lines that fit none of the programs.
    pub(crate) fn stale(&self, keys: &[Key]) -> Vec<String> {
        let stale = self.lines.iter().filter(|line| !keys.iter().any(|key| line.fits(key)));
        stale.map(Line::to_string).collect()
    }

    /// The shortest list for programs that fail, out of all.
    pub(crate) fn print(failing: &BTreeSet<Key>, all: &[Key]) -> String {
        let mut by_name = BTreeMap::<&str, bool>::new();
        for key in all {
            *by_name.entry(&key.name).or_insert(true) &= failing.contains(key);
        }
        let mut text = HEADER.to_owned();
        let mut line = |line: Line| {
            let _infallible: fmt::Result = writeln!(text, "{line}");
        };
        for pattern in patterns(&by_name) {
            line(Line { mode: None, pattern });
        }
        for mode in Mode::ALL {
            let in_mode: BTreeMap<&str, bool> = all
                .iter()
                .filter(|key| key.mode == mode && !by_name[key.name.as_str()])
                .map(|key| (key.name.as_str(), failing.contains(key)))
                .collect();
            for pattern in patterns(&in_mode) {
                line(Line { mode: Some(mode), pattern });
            }
        }
        text
    }
}

/// Patterns that fit exactly the names that fail: directories where everything in them does.
fn patterns(fails: &BTreeMap<&str, bool>) -> BTreeSet<String> {
    let all_fail =
        |dir: &str| fails.iter().filter(|(name, _)| name.starts_with(dir)).all(|(_, fails)| *fails);
    let pattern = |name: &str| {
        let directories = name.match_indices('/').map(|(at, _)| &name[..=at]);
        directories.clone().find(|dir| all_fail(dir)).unwrap_or(name).to_owned()
    };
    fails.iter().filter(|(_, fails)| **fails).map(|(name, _)| pattern(name)).collect()
}
