//! Imports that nobody needs.

use crate::{Finding, Rule, items::line_of, uses::Uses};
use cm_base::{Name, SpanTable, TextRange, diagnostic::Range};
use cm_db::{Db, DefId, FileId};
use cm_hir::decl::{self, Head, ImportSource, ItemKind, NamedImport};
use cm_syntax::ast::{Import, ImportName, ImportNames, ImportPath};
use std::collections::BTreeSet;

/// The imports of a file that bind nothing which occurs in it. `exported`: what its export lists name.
pub fn unused(
    db: &dyn Db,
    file: FileId,
    text: &str,
    uses: &Uses,
    exported: &BTreeSet<Name>,
) -> Vec<Finding> {
    let mut search = Search { db, file, text, uses, exported, found: Vec::new() };
    for entry in &decl::item_tree(db, file).entries {
        if let (ItemKind::Import(import), Some(positions)) =
            (&entry.item.kind, decl::positions(db, entry.def))
            && !entry.item.exported
        {
            search.import(entry.def, import, &positions, positions.get(entry.item.at));
        }
    }
    search.found
}

struct Search<'a> {
    db: &'a dyn Db,
    file: FileId,
    text: &'a str,
    uses: &'a Uses,
    exported: &'a BTreeSet<Name>,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn import(&mut self, def: DefId, import: &Import, positions: &SpanTable, whole: TextRange) {
        let imports = decl::imports(self.db, self.file);
        let named = imports.named.iter().filter(|one| one.def == def && !self.is_wrong(one));
        let named: Vec<Name> = named.map(|one| one.bound).collect();
        if let ImportNames::List(list) = &import.names {
            return self.list(list, &named, positions, whole);
        }
        let groups = imports.groups.iter();
        let groups = groups.filter(|(_, sources)| sources.iter().any(|source| source.def == def));
        let spaces = groups.map(|(name, _)| first_segment(name));
        let bulk: Vec<&ImportSource> =
            imports.bulk.iter().filter(|source| source.def == def).collect();
        let has_items = !named.is_empty();
        let bound: Vec<Name> = spaces.chain(named).collect();
        if bound.iter().any(|name| self.occurs(*name)) {
            return;
        }
        let offered: BTreeSet<Name> =
            bulk.iter().flat_map(|source| decl::offered(self.db, &source.place)).collect();
        // An import that failed binds nothing, and one of an empty module is for its own sake.
        let empty = offered.is_empty() && !bulk.is_empty();
        let nothing = !has_items && (empty || bound.is_empty() && bulk.is_empty());
        if nothing || self.any_occurs(&offered) {
            return;
        }
        if imports.edges.iter().filter(|edge| edge.def == def).any(|edge| self.acts(edge.file)) {
            return;
        }
        let (at, name) = match &import.names {
            ImportNames::Alias(alias) => (alias.at, alias.name),
            _ => import.path.segments.last().map_or_else(
                || (import.path.at, file_name(&import.path)),
                |last| (last.at, last.name),
            ),
        };
        self.find(positions.get(at), name, Some((line_of(self.text, whole), String::new())));
    }

    /// Whether a name that does not occur is not there at all, which is reported elsewhere.
    fn is_wrong(&self, import: &NamedImport) -> bool {
        !self.occurs(import.bound) && !decl::offered(self.db, &import.place).contains(&import.name)
    }

    fn occurs(&self, name: Name) -> bool {
        self.exported.contains(&name) || !self.uses.of(name).is_empty()
    }

    /// Whether some of the names that came in bulk occurs, and is not one of the file's own.
    fn any_occurs(&self, names: &BTreeSet<Name>) -> bool {
        let own = decl::names(self.db, self.file).scopes.get(&Name::new(""));
        let here = |name: &Name| own.is_some_and(|own| own.contains_key(name));
        let plain = |name: &Name| self.uses.of(*name).iter().any(|found| !found.member);
        names.iter().any(|name| plain(name) && !here(name))
    }

    /// Whether a module does something to the program that needs no name: it, or one that it imports,
    /// gives methods to types of others, is called by foreign code, or has tests.
    fn acts(&self, file: FileId) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![file]);
        while let Some(file) = open.pop() {
            if !seen.insert(file) {
                continue;
            }
            let own = |head: Head| matches!(head, Head::Def(def) if def.file == file);
            let names = decl::names(self.db, file);
            if !names.c_functions.is_empty()
                || !names.tests.is_empty()
                || decl::impls(self.db, file).iter().any(|found| !own(found.head))
            {
                return true;
            }
            open.extend(decl::imports(self.db, file).edges.iter().map(|edge| edge.file));
        }
        false
    }

    fn list(
        &mut self,
        list: &[ImportName],
        named: &[Name],
        positions: &SpanTable,
        whole: TextRange,
    ) {
        let bound = |entry: &ImportName| entry.alias.unwrap_or(entry.name).name;
        let idle: Vec<bool> = list
            .iter()
            .map(|entry| named.contains(&bound(entry)) && !self.occurs(bound(entry)))
            .collect();
        let all = idle.iter().all(|idle| *idle);
        for (n, entry) in list.iter().enumerate().filter(|(n, _)| idle[*n]) {
            let fix = match all {
                true => Some((line_of(self.text, whole), String::new())),
                false => self.entry(list, n, positions).map(|range| (range, String::new())),
            };
            self.find(positions.get(entry.name.at), bound(entry), fix);
        }
    }

    /// What is to go with an entry of a list, so that it is as if it had never been there.
    fn entry(&self, list: &[ImportName], n: usize, positions: &SpanTable) -> Option<Range> {
        let start = |entry: &ImportName| positions.get(entry.name.at).start();
        let end = |entry: &ImportName| positions.get(entry.alias.unwrap_or(entry.name).at).end();
        let range = match (list.get(n + 1), n.checked_sub(1)) {
            (Some(next), _) => TextRange::new(start(&list[n]), start(next)),
            (None, Some(before)) => TextRange::new(end(&list[before]), end(&list[n])),
            (None, None) => return None,
        };
        let gone = &self.text[usize::from(range.start())..usize::from(range.end())];
        let comments = gone.contains("//") || gone.contains("/*") || gone.contains('#');
        (!comments).then(|| range.into())
    }

    fn find(&mut self, range: TextRange, name: Name, fix: Option<(Range, String)>) {
        let fix = fix.into_iter().collect();
        self.found.push(Finding { range: range.into(), rule: Rule::W004, name, fix });
    }
}

fn first_segment(path: &Name) -> Name {
    path.split_once("::").map_or(*path, |(first, _)| Name::new(first))
}

/// The last component of the file part of a path.
fn file_name(path: &ImportPath) -> Name {
    let part = path.file.unwrap_or(Name::new(""));
    part.rsplit('/').next().map_or(part, Name::new)
}
