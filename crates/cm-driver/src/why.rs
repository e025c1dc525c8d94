//! The record of the last build: `cm why` and `--query-log`.

use crate::{Error, session::registry};
use camino::Utf8Path;
use redgreen::{BuildLog, BuildRecord, Execution, NodeName};
use serde_json::{Value, json};
use std::fmt::Write;

/// What `cm why` prints.
///
/// # Errors
/// If there is no record, or the query asked for did not run.
pub fn why(cache_dir: &Utf8Path, query: Option<&str>, key: Option<&str>) -> Result<String, Error> {
    let record = last_record(cache_dir)?;
    match query {
        None => Ok(overview(&record)),
        Some(_) => chain(&record, &asked(&record, query, key)?),
    }
}

/// What ran of what was asked for: everything, a query, or a query with a key.
fn asked<'r>(
    record: &'r BuildRecord,
    query: Option<&str>,
    key: Option<&str>,
) -> Result<Vec<&'r Execution>, Error> {
    let is_asked = |run: &&Execution| {
        query.is_none_or(|query| *run.node.query == *query)
            && key.is_none_or(|key| *run.node.key == *key)
    };
    let runs: Vec<_> = record.executed.iter().filter(is_asked).collect();
    match query {
        Some(query) if runs.is_empty() => {
            let name = key.map_or(query.to_owned(), |key| format!("{query}({key})"));
            Err(format!("{name} did not run in the last build").into())
        }
        _ => Ok(runs),
    }
}

/// What happened in the last build.
///
/// # Errors
/// If there is no record of one.
pub fn last_record(cache_dir: &Utf8Path) -> Result<BuildRecord, Error> {
    Ok(last_log(cache_dir)?.record(&registry()))
}

pub(crate) fn last_log(cache_dir: &Utf8Path) -> Result<BuildLog, Error> {
    let log = BuildLog::load(cache_dir.join("graph/last.why").as_std_path());
    Ok(log.ok_or_else(|| {
        format!("there is no record of a build in {cache_dir}; build something first")
    })?)
}

fn overview(record: &BuildRecord) -> String {
    let mut out = String::new();
    let mut line = |text: String| out.push_str(&(text + "\n"));
    if record.inputs_changed.is_empty() {
        line("no input had changed".into());
    } else {
        line("changed inputs:".into());
        record.inputs_changed.iter().for_each(|input| line(format!("  {input}")));
    }
    if record.executed.is_empty() {
        line("no query ran".into());
    } else {
        line(format!("queries that ran: {}", record.executed.len()));
        for run in &record.executed {
            let same = if run.changed { "" } else { " (same result)" };
            line(format!("  {}: {}{same}", run.node, run.reason));
        }
    }
    out
}

fn chain(record: &BuildRecord, runs: &[&Execution]) -> Result<String, Error> {
    let mut out = String::new();
    for run in runs {
        let steps = record.chain(&run.node.query, &run.node.key).unwrap_or_default();
        writeln!(out, "{}: {}", run.node, run.reason).expect("writing to a string cannot fail");
        for (depth, step) in steps.iter().enumerate() {
            writeln!(out, "{}{step}", "  ".repeat(depth + 1))
                .expect("writing to a string cannot fail");
        }
    }
    Ok(out)
}

/// The same, one JSON line for each query.
///
/// # Errors
/// As [`why`].
pub fn why_json(
    cache_dir: &Utf8Path,
    query: Option<&str>,
    key: Option<&str>,
) -> Result<String, Error> {
    let record = last_record(cache_dir)?;
    let mut out = String::new();
    for run in asked(&record, query, key)? {
        let mut line = describe(run);
        line["changed"] = run.changed.into();
        if query.is_some() {
            let steps = record.chain(&run.node.query, &run.node.key).unwrap_or_default();
            line["chain"] = steps.iter().map(ToString::to_string).collect();
        }
        writeln!(out, "{line}").expect("writing to a string cannot fail");
    }
    Ok(out)
}

fn describe(run: &Execution) -> Value {
    json!({
        "query": &*run.node.query, "key": &*run.node.key, "reason": run.reason.to_string(),
    })
}

/// Writes one JSON line for each query that ran, then the summary. Results that were in a store
/// under their content are `fetched`, a sorted list.
pub fn write_log(record: &BuildRecord, fetched: &[NodeName], path: &Utf8Path) -> Result<(), Error> {
    let mut out = String::new();
    for run in &record.executed {
        let mut line = describe(run);
        if fetched.binary_search(&run.node).is_ok() {
            line["fetched"] = true.into();
        }
        writeln!(out, "{line}").expect("writing to a string cannot fail");
    }
    let counts = record.counts;
    let inputs: Vec<_> = record.inputs_changed.iter().map(ToString::to_string).collect();
    let summary = json!({
        "executed": counts.executed, "green": counts.green, "loaded": counts.loaded,
        "inputs_changed": inputs,
    });
    writeln!(out, "{summary}").expect("writing to a string cannot fail");
    Ok(std::fs::write(path, out)
        .map_err(|e| format!("cannot write {path}: {}", crate::reason(&e)))?)
}
