//! Pages for browsers, complete in one file: the graph of the last build, and where its time went.

use crate::{Error, reason, session::registry, tools::BUILD_ID, why::last_log};
use camino::Utf8Path;
use redgreen::{BuildRecord, NodeName, NodeReport, image_report};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Draws the graph of the last build: what ran, what was loaded, what stayed valid.
///
/// # Errors
/// If there is no graph, or the page cannot be written.
pub fn write_graph(cache_dir: &Utf8Path, page: &Utf8Path) -> Result<(), Error> {
    let log = last_log(cache_dir)?;
    let image = cache_dir.join("graph").join(&log.label);
    let nodes = image_report(image.as_std_path(), build(), &registry()).ok_or_else(|| {
        format!(
            "there is no graph of the last build in {cache_dir}; build something without errors"
        )
    })?;
    let record = log.record(&registry());
    write(page, include_str!("html/graph.html"), &graph(&log.label, &nodes, &record))
}

fn build() -> u128 {
    u128::from_str_radix(BUILD_ID, 16).expect("the build script writes 32 hex digits")
}

fn graph(program: &str, nodes: &[NodeReport], record: &BuildRecord) -> Value {
    let mut queries = Queries::default();
    let numbers: BTreeMap<&NodeName, usize> =
        nodes.iter().enumerate().map(|(number, node)| (&node.name, number)).collect();
    let runs: BTreeMap<&NodeName, _> = record.executed.iter().map(|run| (&run.node, run)).collect();
    let loaded: BTreeSet<&NodeName> = record.loaded.iter().collect();
    let inputs: BTreeSet<&NodeName> = record.inputs_changed.iter().collect();
    let node = |node: &NodeReport| {
        let run = runs.get(&node.name);
        let is_changed_input = inputs.contains(&node.name);
        let state = match run.is_some() || is_changed_input {
            true => 1,
            false => 2 * u8::from(loaded.contains(&node.name)),
        };
        let cause = run.and_then(|run| match &run.reason {
            redgreen::Reason::Changed(cause) => numbers.get(cause).copied(),
            _ => None,
        });
        let reason = match run {
            Some(run) => run.reason.to_string(),
            None if is_changed_input => "changed input".to_owned(),
            None => String::new(),
        };
        let cause = cause.map_or(-1, |number| number as i64);
        json!([queries.number(&node.name.query), &*node.name.key, state, reason, cause])
    };
    let rows: Vec<Value> = nodes.iter().map(node).collect();
    let reads: Vec<&[u32]> = nodes.iter().map(|node| &*node.dependencies).collect();
    json!({ "program": program, "queries": queries.names, "nodes": rows, "reads": reads })
}

/// Writes when each query of a build ran, if that was measured.
///
/// # Errors
/// If the page cannot be written.
pub fn write_timings(record: &BuildRecord, program: &str, page: &Utf8Path) -> Result<(), Error> {
    let mut queries = Queries::default();
    let measured = record.executed.iter().filter_map(|run| Some((&run.node, run.span?)));
    let runs: Vec<Value> = measured
        .map(|(node, span)| {
            let query = queries.number(&node.query);
            json!([query, &*node.key, span.start, span.end, span.thread])
        })
        .collect();
    let data = json!({ "program": program, "queries": queries.names, "runs": runs });
    write(page, include_str!("html/timings.html"), &data)
}

/// Numbers for the names of queries, which are written once.
#[derive(Default)]
struct Queries {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Queries {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }
}

fn write(page: &Utf8Path, template: &str, data: &Value) -> Result<(), Error> {
    // No text may end the script that it stands in.
    let data = data.to_string().replace("</", "<\\/");
    let text = template.replacen("/*DATA*/", &data, 1);
    Ok(fs::write(page, text).map_err(|e| format!("cannot write {page}: {}", reason(&e)))?)
}
