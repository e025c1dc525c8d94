//! The record of a build as it is written: each text once, everything else as numbers.

use crate::{BuildRecord, Counts, Execution, NodeName, Reason};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A [`BuildRecord`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    counts: Counts,
    texts: Vec<Arc<str>>,
    /// Query and key, as texts.
    names: Vec<(u32, u32)>,
    inputs_changed: Vec<u32>,
    executed: Vec<Run>,
}

/// An [`Execution`], with nodes as names.
#[derive(Serialize, Deserialize)]
struct Run {
    node: u32,
    reason: Cause,
    reader: Option<u32>,
    changed: bool,
}

/// A [`Reason`].
#[derive(Serialize, Deserialize)]
enum Cause {
    New,
    Changed(u32),
    ValueNeeded,
    Lost,
}

/// Gives numbers to texts and names.
#[derive(Default)]
struct Packer<'a> {
    texts: Vec<Arc<str>>,
    text_numbers: FxHashMap<&'a str, u32>,
    names: Vec<(u32, u32)>,
    name_numbers: FxHashMap<(u32, u32), u32>,
}

impl<'a> Packer<'a> {
    fn text(&mut self, text: &'a Arc<str>) -> u32 {
        *self.text_numbers.entry(text).or_insert_with(|| {
            self.texts.push(text.clone());
            self.texts.len() as u32 - 1
        })
    }
    fn name(&mut self, name: &'a NodeName) -> u32 {
        let pair = (self.text(&name.query), self.text(&name.key));
        *self.name_numbers.entry(pair).or_insert_with(|| {
            self.names.push(pair);
            self.names.len() as u32 - 1
        })
    }
    fn run(&mut self, run: &'a Execution) -> Run {
        let reason = match &run.reason {
            Reason::New => Cause::New,
            Reason::Changed(node) => Cause::Changed(self.name(node)),
            Reason::ValueNeeded => Cause::ValueNeeded,
            Reason::Lost => Cause::Lost,
        };
        let reader = run.reader.as_ref().map(|reader| self.name(reader));
        Run { node: self.name(&run.node), reason, reader, changed: run.changed }
    }
}

impl Record {
    pub fn of(record: &BuildRecord) -> Record {
        let mut packer = Packer::default();
        let inputs_changed = record.inputs_changed.iter().map(|name| packer.name(name)).collect();
        let executed = record.executed.iter().map(|run| packer.run(run)).collect();
        let Packer { texts, names, .. } = packer;
        Record { counts: record.counts, texts, names, inputs_changed, executed }
    }

    /// `None`: it is damaged.
    pub fn unpack(self) -> Option<BuildRecord> {
        let text = |number: u32| self.texts.get(number as usize).cloned();
        let name = |(query, key)| Some(NodeName { query: text(query)?, key: text(key)? });
        let names = self.names.iter().copied().map(name).collect::<Option<Vec<_>>>()?;
        let name = |number: u32| names.get(number as usize).cloned();
        let execution = |run: Run| {
            let reason = match run.reason {
                Cause::New => Reason::New,
                Cause::Changed(node) => Reason::Changed(name(node)?),
                Cause::ValueNeeded => Reason::ValueNeeded,
                Cause::Lost => Reason::Lost,
            };
            let reader = match run.reader {
                Some(reader) => Some(name(reader)?),
                None => None,
            };
            Some(Execution { node: name(run.node)?, reason, reader, changed: run.changed })
        };
        Some(BuildRecord {
            counts: self.counts,
            inputs_changed: self.inputs_changed.iter().map(|n| name(*n)).collect::<Option<_>>()?,
            executed: self.executed.into_iter().map(execution).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_written() {
        let name = |query: &str, key: &str| NodeName { query: query.into(), key: key.into() };
        let run = |node, reason, reader| Execution { node, reason, reader, changed: true };
        let (parse, body) = (name("parse", "a"), name("body", "a"));
        let record = BuildRecord {
            counts: Counts { executed: 3, green: 4, loaded: 5, unstable: 6 },
            inputs_changed: vec![name("source", "a")],
            executed: vec![
                run(parse.clone(), Reason::Changed(name("source", "a")), Some(body.clone())),
                run(body.clone(), Reason::Changed(parse), None),
                run(body, Reason::Lost, None),
            ],
        };
        let mut packed = Record::of(&record);
        assert_eq!((packed.texts.len(), packed.names.len()), (4, 3));
        packed.executed[0].node = 3;
        assert_eq!(packed.unpack(), None);
        assert_eq!(Record::of(&record).unpack(), Some(record));
    }
}
