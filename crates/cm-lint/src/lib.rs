//! What is suspicious in a program that is accepted.
//!
//! The rules look at the syntax tree of one file, and at what its imports bind. What they find does
//! not depend on the configuration, which is applied when findings are shown.

mod config;
mod imports;
mod items;
mod naming;
mod rules;
mod scopes;
mod suppress;
mod uses;

pub use config::Config;
pub use rules::{Level, Rule};
pub use suppress::Suppressions;

use cm_base::{FileText, Name, diagnostic::Range};
use cm_db::{Db, FileId, parse, source};
use serde::{Deserialize, Serialize};

/// Something suspicious.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Where, in bytes.
    pub range: Range,
    /// Which rule found it.
    pub rule: Rule,
    /// What it is about; empty for rules that are not about a name.
    pub name: Name,
    /// What to replace to mend it; empty if it cannot be mended without risk.
    pub fix: Vec<(Range, String)>,
}

redgreen::queries! {
    /// The queries of this crate.
    pub static QUERIES;

    /// What is suspicious in a file, by position. Nothing in one that does not parse.
    inline fn findings(FileId) -> Vec<Finding> = compute;
}

fn compute(db: &dyn Db, file: &FileId) -> Vec<Finding> {
    // The tree's fingerprint sees no positions: only with the text is the answer current.
    let FileText::Text(text) = source(db, *file) else { return Vec::new() };
    let tree = parse(db, *file);
    if !tree.errors.is_empty() {
        return Vec::new();
    }
    let mut found = items::findings(db, *file, text, tree);
    found.sort_by_key(|finding| (finding.range, finding.rule));
    found.dedup();
    found
}
