//! The queries of this crate.

use crate::{
    FileId,
    world::{self, Settings},
};
use cm_base::{FileText, Name, Positions, SpanTable, TextRange};
use cm_syntax::ast;
use redgreen::{Db, Root};
use std::sync::Arc;

redgreen::queries! {
    /// All queries of this crate.
    pub static QUERIES;

    /// The text of a file, or that there is none.
    input fn source(FileId) -> FileText = world::read_source, world::stamp_source;
    /// Whether there is such a file, whatever it holds.
    input fn exists(FileId) -> bool = world::read_exists, world::stamp_source;
    /// The file that a file is: another one if there are symbolic links on the way to it.
    input fn canonical(FileId) -> FileId = world::read_canonical, world::stamp_canonical;
    /// The `.cm` files at any depth under a directory, without the suffix, sorted.
    input fn listing(FileId) -> Option<Vec<Name>> = world::read_listing, world::stamp_listing;
    /// What was said on the command line and matters to the front end.
    input fn settings(Root) -> Settings = world::read_settings, world::stamp_settings;
    /// Where plain import paths are searched, which may depend on the working directory.
    input fn search(Root) -> Vec<Name> = world::read_search, world::stamp_settings;

    /// The syntax tree of a file. Its fingerprint sees no positions, so a comment stops here;
    /// only queries that read [`source`] too may look at the positions. A file that is absent is
    /// empty; one that is unreadable is an error.
    transient fn parse(FileId) -> Arc<ast::File> = compute_parse;
}

fn compute_parse(db: &dyn Db, file: &FileId) -> Arc<ast::File> {
    let defines = &settings(db, Root).defines;
    Arc::new(match source(db, *file) {
        FileText::Text(text) => cm_syntax::parse(text, defines),
        FileText::Absent => cm_syntax::parse("", defines),
        FileText::Unreadable(why) => unreadable(*file, why),
    })
}

fn unreadable(file: FileId, why: &str) -> ast::File {
    let mut positions = SpanTable::default();
    let at = positions.push(TextRange::default());
    let message = format!("cannot read {file}.cm: {why}");
    ast::File {
        items: Vec::new(),
        errors: vec![ast::SyntaxError { message, at }],
        positions: Positions(Arc::new(positions)),
        platform: None,
    }
}
