//! The lists of queries in scripts.

use crate::revision::Step;
use cm_test::Fixture;
use redgreen::NodeName;
use std::collections::{BTreeMap, BTreeSet};

/// Queries as they are compared: `query(key)`.
pub type Queries = BTreeSet<String>;

/// Puts names into a list.
pub fn queries<'a>(names: impl IntoIterator<Item = &'a NodeName>) -> Queries {
    names.into_iter().map(ToString::to_string).collect()
}

/// Compares what ran with what was to run.
pub fn compare(what: &str, expected: &Queries, found: &Queries) -> Result<(), String> {
    let more = found.difference(expected).map(|query| format!("\n  + {query}"));
    let less = expected.difference(found).map(|query| format!("\n  - {query}"));
    let difference: String = more.chain(less).collect();
    match difference.is_empty() {
        true => Ok(()),
        false => Err(format!("{what} (+ unexpected, - missing):{difference}")),
    }
}

/// The text of a script with the lists as they were found.
pub fn update(text: &str, fixture: &Fixture, steps: &[Step]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let starts = fixture.revisions.iter().map(|revision| revision.line - 1);
    let starts: Vec<usize> = starts.chain([lines.len()]).collect();
    let mut out: Vec<String> = lines[..starts[0]].iter().map(ToString::to_string).collect();
    for (step, range) in steps.iter().zip(starts.windows(2)) {
        let mut in_list = false;
        for line in &lines[range[0]..range[1]] {
            in_list = line.starts_with("rerun:")
                || line.starts_with("fetched:")
                || in_list && line.starts_with(' ');
            if !in_list {
                out.push(line.to_string());
            }
        }
        // The blank lines before the next revision stay there.
        let blank = out.iter().rev().take_while(|line| line.is_empty()).count();
        let at = out.len() - blank;
        let lists = list("rerun:", step.listed.as_ref());
        let fetched = step.fetched.as_ref().filter(|fetched| !fetched.is_empty());
        out.splice(at..at, lists.into_iter().chain(list("fetched:", fetched)));
    }
    out.join("\n") + "\n"
}

fn list(title: &str, queries: Option<&Queries>) -> Vec<String> {
    let Some(queries) = queries else { return Vec::new() };
    if queries.is_empty() {
        return vec![format!("{title} none")];
    }
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for query in queries {
        let parts = query.strip_suffix(')').and_then(|query| query.split_once('('));
        let (name, key) = parts.unwrap_or((query, ""));
        groups.entry(name).or_default().push(key);
    }
    let mut lines = vec![title.to_owned()];
    lines.extend(groups.into_iter().map(|(name, keys)| format!("    {name}({})", keys.join("; "))));
    lines
}
