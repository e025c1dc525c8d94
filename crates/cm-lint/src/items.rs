//! Declarations: their names, and whether anybody needs them.

use crate::{
    Finding, Rule, imports, naming,
    scopes::{Walker, rename},
    uses::Uses,
};
use cm_base::{Name, SpanTable, TextRange, diagnostic::Range};
use cm_db::{Db, FileId};
use cm_syntax::ast::{
    Arena, Bound, Enum, ExportEntry, File, Function, GenericKind, Generics, Ident, Item, ItemKind,
    Role, Signature, TypedefKind,
};
use std::collections::BTreeSet;

/// Everything suspicious in a file that parses.
pub fn findings(db: &dyn Db, file: FileId, text: &str, tree: &File) -> Vec<Finding> {
    let mut linter = Linter { text, uses: Uses::default(), found: Vec::new() };
    linter.walk(&tree.items);
    // Now all names that occur are known.
    let mut exported = BTreeSet::new();
    exports(&tree.items, &mut exported);
    // Without an entry nobody can say what is used.
    let entered = |item: &Item| item.exported || item.name.name == "main";
    let has_entry = !exported.is_empty() || tree.items.iter().any(entered);
    linter.items(&tree.items, &Place { exported: &exported, inside: false, has_entry });
    let Linter { uses, mut found, .. } = linter;
    found.extend(imports::unused(db, file, text, &uses, &exported));
    found
}

struct Linter<'a> {
    text: &'a str,
    uses: Uses,
    found: Vec<Finding>,
}

/// What matters of where an item stands.
struct Place<'a> {
    /// The names that the file exports.
    exported: &'a BTreeSet<Name>,
    /// In a namespace.
    inside: bool,
    /// The file has a `main`, or exports something.
    has_entry: bool,
}

/// The names in export lists.
fn exports(items: &[Item], found: &mut BTreeSet<Name>) {
    for item in items {
        if let ItemKind::ExportList(list) = &item.kind {
            for entry in list.entries.iter().flatten() {
                match entry {
                    ExportEntry::Name(name) => drop(found.insert(name.name.name)),
                    ExportEntry::Nested(path, _) => {
                        found.extend(path.segments.iter().map(|segment| segment.name));
                    }
                }
            }
        }
    }
}

impl Linter<'_> {
    // ------------------------------------------------------------ what occurs

    fn walk(&mut self, items: &[Item]) {
        for item in items {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.walk_item(item));
        }
    }

    fn walk_item(&mut self, item: &Item) {
        let at = &*item.positions.0;
        match &item.kind {
            ItemKind::Module(_) | ItemKind::Import(_) | ItemKind::ExportList(_) => {}
            ItemKind::UsePath(path) => self.names(at, &path.segments),
            ItemKind::Namespace(items) => self.walk(items),
            ItemKind::Foreign(foreign) => self.walk(&foreign.functions),
            ItemKind::Function(function) => self.function(function, at, item),
            ItemKind::Struct(info) => {
                self.generics(&info.generics, &info.arena, at);
                self.names(at, &info.derives);
                let mut walker = self.walker(&info.arena, at);
                info.fields.iter().for_each(|field| walker.ty(field.ty));
            }
            ItemKind::Enum(info) => {
                self.generics(&info.generics, &info.arena, at);
                let mut walker = self.walker(&info.arena, at);
                info.variants.iter().filter_map(|v| v.payload).for_each(|ty| walker.ty(ty));
            }
            ItemKind::Interface(info) => {
                self.generics(&info.generics, &info.arena, at);
                for (_, signature) in &info.members {
                    self.signature(signature, at);
                }
            }
            ItemKind::Impl(block) => {
                let header = &block.header;
                self.generics(&header.generics, &header.arena, at);
                if let Some((path, _)) = &header.interface {
                    self.names(at, &path.segments);
                }
                let mut walker = self.walker(&header.arena, at);
                walker.ty(header.target);
                for arg in header.interface.iter().flat_map(|(_, args)| args) {
                    if let cm_syntax::ast::TypeArg::Type(ty) = arg {
                        walker.ty(*ty);
                    }
                }
                self.walk(&block.members);
            }
            ItemKind::Typedef(info) => {
                if let TypedefKind::Type(ty) = info.kind {
                    self.walker(&info.arena, at).ty(ty);
                }
            }
            ItemKind::Global(info) => {
                let mut walker = self.walker(&info.arena, at);
                walker.ty(info.ty);
                info.value.iter().for_each(|value| walker.value(*value));
            }
        }
    }

    fn walker<'w>(&'w mut self, arena: &'w Arena, positions: &'w SpanTable) -> Walker<'w> {
        Walker::new(self.text, &mut self.uses, &mut self.found, positions, arena)
    }

    fn names(&mut self, positions: &SpanTable, names: &[Ident]) {
        for (n, name) in names.iter().enumerate() {
            self.uses.add(name.name, positions.get(name.at), n > 0);
        }
    }

    fn generics(&mut self, generics: &Generics, arena: &Arena, positions: &SpanTable) {
        let bound = |bound: &Bound| bound.interfaces.clone();
        for param in &generics.params {
            match &param.kind {
                GenericKind::Type(Some(found)) => self.names(positions, &bound(found)),
                GenericKind::Type(None) => {}
                GenericKind::Value(ty) => self.walker(arena, positions).ty(*ty),
            }
        }
        for (name, found) in &generics.wheres {
            self.names(positions, &[*name]);
            bound(found).iter().for_each(|name| self.names(positions, &[*name]));
        }
    }

    fn signature(&mut self, signature: &Signature, positions: &SpanTable) {
        self.generics(&signature.generics, &signature.arena, positions);
        let mut walker = self.walker(&signature.arena, positions);
        signature.ret.iter().for_each(|ret| walker.ty(*ret));
        for param in &signature.params {
            walker.ty(param.ty);
            param.default.iter().for_each(|value| walker.value(*value));
        }
    }

    fn function(&mut self, function: &Function, positions: &SpanTable, item: &Item) {
        let signature = &*function.signature;
        self.signature(signature, positions);
        let Some(body) = &function.body else { return };
        // Operators and function macros take what they are given.
        let own = signature.role == Role::Plain && !signature.is_macro && !item.exported;
        self.walker(&body.arena, positions).function(&signature.params, own, &body.block);
    }

    // ------------------------------------------------------------ rules

    fn find(&mut self, rule: Rule, range: TextRange, name: Name, fix: Vec<(Range, String)>) {
        self.found.push(Finding { range: range.into(), rule, name, fix });
    }

    fn items(&mut self, items: &[Item], place: &Place) {
        for item in items {
            self.attributes(item);
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.item(item, place));
        }
    }

    fn attributes(&mut self, item: &Item) {
        for attribute in &item.attributes {
            let name = attribute.name.name;
            if !["target", "cfg", "test"].contains(&name.as_str()) {
                let range = item.positions.0.get(attribute.name.at);
                self.find(Rule::W010, range, name, Vec::new());
            }
        }
    }

    fn item(&mut self, item: &Item, place: &Place) {
        let seen = item.exported || place.exported.contains(&item.name.name);
        let pascal = |name: Name| (!naming::is_pascal(&name)).then(|| naming::to_pascal(&name));
        match &item.kind {
            ItemKind::Namespace(items) => {
                self.items(items, &Place { inside: true, ..*place });
            }
            ItemKind::Function(function) => self.function_item(item, function, seen, place),
            ItemKind::Struct(info) => {
                self.named(Rule::L103, item, seen, pascal(item.name.name));
                self.type_params(&info.generics, item);
            }
            ItemKind::Enum(info) => {
                self.named(Rule::L104, item, seen, pascal(item.name.name));
                self.type_params(&info.generics, item);
                if !seen && !place.inside {
                    self.variants(info, item);
                }
            }
            ItemKind::Interface(info) => {
                self.named(Rule::L104, item, seen, pascal(item.name.name));
                self.type_params(&info.generics, item);
            }
            ItemKind::Typedef(_) => self.named(Rule::L104, item, seen, pascal(item.name.name)),
            ItemKind::Impl(block) => {
                for member in &block.members {
                    self.attributes(member);
                    if let ItemKind::Function(function) = &member.kind {
                        self.type_params(&function.signature.generics, member);
                    }
                }
            }
            _ => {}
        }
    }

    fn function_item(&mut self, item: &Item, function: &Function, seen: bool, place: &Place) {
        let (name, signature) = (item.name.name, &*function.signature);
        self.type_params(&signature.generics, item);
        if signature.is_macro || place.inside || name == "main" || function.body.is_none() {
            return;
        }
        let range = item.positions.0.get(item.at);
        let snake = (!naming::is_snake(&name)).then(|| naming::to_snake(&name));
        self.named(Rule::L100, item, seen || signature.extern_c, snake);
        let called = !place.has_entry || seen || signature.extern_c || !item.attributes.is_empty();
        if !called && !name.starts_with('_') && !self.uses.outside(name, range) {
            self.find(Rule::W007, item.positions.0.get(item.name.at), name, Vec::new());
        }
    }

    /// An item whose name should be another one, if there is one. It can be renamed if nobody else
    /// sees it and every use of it is one.
    fn named(&mut self, rule: Rule, item: &Item, seen: bool, better: Option<String>) {
        let Some(better) = better else { return };
        let name = item.name.name;
        let range = item.positions.0.get(item.name.at);
        let uses = self.uses.of(name);
        let fix = (!seen && uses.iter().all(|found| !found.member)).then(|| {
            let places = std::iter::once(range).chain(uses.iter().map(|found| found.range));
            rename(self.text, name, &better, places.collect())
        });
        self.find(rule, range, name, fix.flatten().unwrap_or_default());
    }

    fn type_params(&mut self, generics: &Generics, item: &Item) {
        let whole = item.positions.0.get(item.at);
        for param in &generics.params {
            let name = param.name.name;
            if !name.starts_with('_') && !self.uses.within(name, whole) {
                self.find(Rule::W200, item.positions.0.get(param.name.at), name, Vec::new());
            }
        }
    }

    fn variants(&mut self, info: &Enum, item: &Item) {
        for variant in &info.variants {
            let name = variant.name.name;
            if !name.starts_with('_') && self.uses.of(name).is_empty() {
                self.find(Rule::W301, item.positions.0.get(variant.name.at), name, Vec::new());
            }
        }
    }
}

/// The item with the blanks before it on its line and the end of the line, if nothing else is on it.
pub fn line_of(text: &str, item: TextRange) -> Range {
    let (start, end) = (usize::from(item.start()), usize::from(item.end()));
    let before = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let after = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let alone = text[before..start].trim().is_empty() && text[end..after].trim().is_empty();
    let (start, end) = if alone { (before, after) } else { (start, end) };
    Range { start: start as u32, end: end as u32 }
}
