//! What syntax errors may hide, so that nothing is reported that only follows from them.

use super::{ItemKind, item_tree, item_tree::Entry, positions};
use cm_base::{FileText, TextRange, TextSize};
use cm_db::{Db, DefId, FileId, parse, source};
use cm_syntax::ast;
use std::collections::BTreeSet;

/// What the syntax errors of a program have damaged.
#[derive(Default)]
pub(super) struct Wounds {
    /// Functions whose bodies do not parse.
    bodies: BTreeSet<DefId>,
    /// Names that are declared where something does not parse outside bodies.
    names: BTreeSet<String>,
}

impl Wounds {
    pub(super) fn find(db: &dyn Db, broken: &BTreeSet<FileId>) -> Wounds {
        let mut wounds = Wounds::default();
        for file in broken {
            wounds.add_file(db, *file);
        }
        wounds
    }

    /// What is wrong with a definition may follow from a syntax error.
    pub(super) fn concern(&self, db: &dyn Db, def: DefId) -> bool {
        if self.bodies.contains(&def) {
            return true;
        }
        if self.names.is_empty() {
            return false;
        }
        let FileText::Text(text) = source(db, def.file) else { return true };
        let entry = item_tree(db, def.file).get(def);
        let range = entry.zip(positions(db, def)).map(|(entry, at)| at.get(entry.item.at));
        let Some(own) =
            range.and_then(|range| text.get(usize::from(range.start())..range.end().into()))
        else {
            return true;
        };
        words(own).any(|(_, word)| self.names.contains(word))
    }

    fn add_file(&mut self, db: &dyn Db, file: FileId) {
        let FileText::Text(text) = source(db, file) else { return };
        let tree = parse(db, file);
        let bodies = bodies(db, file, text);
        let all = TextRange::up_to(TextSize::of(&**text));
        let mut seen = BTreeSet::new();
        for error in &tree.errors {
            let range = tree.positions.0.get(error.at);
            let after = bodies.partition_point(|(body, _)| body.start() <= range.start());
            let body = after.checked_sub(1).map(|at| bodies[at]);
            match body.filter(|(body, _)| body.contains_range(range)) {
                Some((_, def)) => drop(self.bodies.insert(def)),
                None => hide(&mut self.names, &mut seen, text, &tree.items, (all, range)),
            }
        }
    }
}

/// The bodies of a file's functions, in order.
fn bodies(db: &dyn Db, file: FileId, text: &str) -> Vec<(TextRange, DefId)> {
    let body = |entry: &Entry| {
        let ItemKind::Function { has_body: true, .. } = entry.item.kind else { return None };
        let positions = positions(db, entry.def)?;
        let (whole, name) = (positions.get(entry.item.at), positions.get(entry.item.name.at));
        let rest = text.get(name.end().into()..whole.end().into())?;
        let brace = TextSize::try_from(rest.find('{')?).ok()?;
        Some((TextRange::new(name.end() + brace, whole.end()), entry.def))
    };
    let mut bodies: Vec<_> = item_tree(db, file).entries.iter().filter_map(body).collect();
    bodies.sort_by_key(|(range, _)| range.start());
    bodies
}

/// Adds the names that an error outside bodies may hide or change: those that the item declares that
/// it is in, or all that stand between the items around it. A place is `seen` once.
fn hide(
    names: &mut BTreeSet<String>,
    seen: &mut BTreeSet<(TextSize, TextSize)>,
    text: &str,
    items: &[ast::Item],
    (all, error): (TextRange, TextRange),
) {
    let whole = |item: &ast::Item| item.positions.0.get(item.at);
    let after = items.partition_point(|item| whole(item).start() <= error.start());
    let (before, after) = items.split_at(after);
    let item = before.last().filter(|item| whole(item).contains_range(error));
    if let Some(ast::ItemKind::Namespace(inner)) = item.map(|item| &item.kind) {
        let all = item.map_or(all, whole);
        return hide(names, seen, text, inner, (all, error));
    }
    let place = match item {
        Some(item) => whole(item),
        None => {
            let start = before.last().map_or(all.start(), |item| whole(item).end());
            let end = after.first().map_or(all.end(), |item| whole(item).start());
            TextRange::new(start.min(end), end)
        }
    };
    if !seen.insert((place.start(), place.end())) {
        return;
    }
    let own = &text[place];
    match item {
        Some(ast::Item { kind: ast::ItemKind::Impl(_), .. }) => {
            names.extend(declared(&own[..own.find('{').unwrap_or(own.len())]));
        }
        Some(item) if !item.name.name.is_empty() => {
            names.insert(item.name.name.to_string());
        }
        _ => names.extend(declared(own)),
    }
}

/// The names that a piece of text may declare: those outside parentheses and inner blocks that are
/// not the types of others.
fn declared(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut parens, mut braces, mut seen) = (0_i32, 0_i32, 0);
    for (start, word) in words(text) {
        for byte in text[seen..start].bytes() {
            match byte {
                b'(' => parens += 1,
                b')' => parens -= 1,
                b'{' => braces += 1,
                b'}' => braces -= 1,
                _ => {}
            }
        }
        seen = start + word.len();
        let next = text[seen..].trim_start().bytes().next().unwrap_or(b';');
        let is_type = next.is_ascii_alphabetic() || b"_*[&".contains(&next);
        if parens <= 0 && braces <= 1 && !is_type {
            names.push(word.to_owned());
        }
    }
    names
}

/// The identifiers and reserved words of a text, with the bytes where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(inside)?;
        let len = text[start..].find(|c| !inside(c)).unwrap_or(text.len() - start);
        rest = start + len;
        Some((start, &text[start..rest]))
    })
}
