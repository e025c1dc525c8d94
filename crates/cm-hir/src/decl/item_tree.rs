//! The declarations of a file, without bodies, positions and what `#[target(…)]` drops.

use super::{Problem, target, type_text};
use cm_base::{At, Hashed, Name};
use cm_db::{Db, DefId, FileId, parse, settings};
use cm_syntax::ast;
use redgreen::Root;
use rustc_hash::FxHashMap;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// What a file declares, namespaces and impls flattened.
#[derive(Clone, Default, Debug)]
pub struct ItemTree {
    /// In source order; the members of an impl after it.
    pub entries: Vec<Entry>,
    /// Misuse of attributes.
    pub problems: Vec<(DefId, Problem)>,
    index: FxHashMap<DefId, u32>,
}

impl ItemTree {
    /// The entry of a definition.
    pub fn get(&self, def: DefId) -> Option<&Entry> {
        self.entries.get(*self.index.get(&def)? as usize)
    }
}

impl PartialEq for ItemTree {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.problems == other.problems
    }
}
impl Eq for ItemTree {}
/// The index follows from the entries.
impl Hash for ItemTree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entries.hash(state);
        self.problems.hash(state);
    }
}

/// A declaration and where the syntax tree has it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Its identity.
    pub def: DefId,
    /// Indices of items, from the file inwards.
    pub location: Vec<u32>,
    /// The declaration.
    pub item: Hashed<Item>,
}

/// A declaration.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    /// Its name; empty for imports, export lists and impls.
    pub name: ast::Ident,
    /// The whole declaration.
    pub at: At,
    /// The enclosing namespaces, joined by `::`.
    pub namespace: Name,
    /// It, or a namespace around it, has `export`.
    pub exported: bool,
    /// Of a member: the impl.
    pub parent: Option<DefId>,
    /// It is marked `#[test]`.
    pub is_test: bool,
    /// Which.
    pub kind: ItemKind,
}

/// The forms of declarations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ItemKind {
    /// `module`.
    Module,
    /// A `use` that declares nothing.
    Use,
    /// `import`.
    Import(ast::Import),
    /// `export { … }`, `export … from`.
    ExportList(ast::ExportList),
    /// `namespace`. Its members are entries of their own.
    Namespace,
    /// A function or method.
    Function {
        /// What callers see.
        signature: Hashed<ast::Signature>,
        /// It is no prototype.
        has_body: bool,
        /// A prototype of `use` or `extern`.
        foreign: bool,
    },
    /// `struct`.
    Struct(Arc<ast::Struct>),
    /// `enum`.
    Enum(Arc<ast::Enum>),
    /// `interface`.
    Interface(Arc<ast::Interface>),
    /// `impl`.
    Impl {
        /// The header.
        header: Arc<ast::ImplHeader>,
        /// Its functions.
        members: Vec<DefId>,
    },
    /// `typedef`.
    Typedef(Arc<ast::Typedef>),
    /// A global.
    Global(Arc<ast::Global>),
}

pub(super) fn compute(db: &dyn Db, file: &FileId) -> Arc<ItemTree> {
    let tree = parse(db, *file);
    let platform = settings(db, Root).platform;
    let mut builder =
        Builder { file: *file, platform, tree: ItemTree::default(), counts: FxHashMap::default() };
    let top = Place { namespace: Name::new(""), exported: false };
    builder.items(&tree.items, &top, &mut Vec::new());
    Arc::new(builder.tree)
}

pub(super) fn compute_item(db: &dyn Db, def: &DefId) -> Option<Hashed<Item>> {
    super::item_tree(db, def.file).get(*def).map(|entry| entry.item.clone())
}

pub(super) fn compute_body(db: &dyn Db, def: &DefId) -> Option<Hashed<ast::Body>> {
    let entry = super::item_tree(db, def.file).get(*def)?;
    match &find(parse(db, def.file), &entry.location)?.kind {
        ast::ItemKind::Function(function) => function.body.clone(),
        _ => None,
    }
}

/// The item at a location.
pub(super) fn find<'a>(file: &'a ast::File, location: &[u32]) -> Option<&'a ast::Item> {
    let (first, rest) = location.split_first()?;
    let mut item = file.items.get(*first as usize)?;
    for index in rest {
        let inner = match &item.kind {
            ast::ItemKind::Namespace(items) => items,
            ast::ItemKind::Foreign(foreign) => &foreign.functions,
            ast::ItemKind::Impl(block) => &block.members,
            _ => return None,
        };
        item = inner.get(*index as usize)?;
    }
    Some(item)
}

/// Joins two paths; either may be empty.
pub(super) fn join(namespace: Name, name: &str) -> Name {
    match (namespace.is_empty(), name.is_empty()) {
        (true, _) => Name::new(name),
        (_, true) => namespace,
        _ => Name::from(format!("{namespace}::{name}")),
    }
}

struct Builder {
    file: FileId,
    platform: Name,
    tree: ItemTree,
    counts: FxHashMap<Name, u32>,
}

/// Where items are.
struct Place {
    namespace: Name,
    exported: bool,
}

impl Builder {
    fn items(&mut self, items: &[ast::Item], place: &Place, location: &mut Vec<u32>) {
        for (index, item) in items.iter().enumerate() {
            location.push(index as u32);
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.item(item, place, location));
            location.pop();
        }
    }

    fn item(&mut self, item: &ast::Item, place: &Place, location: &mut Vec<u32>) {
        let exported = place.exported || item.exported;
        let mut problems = Vec::new();
        if !target::holds(&item.attributes, self.platform, &mut problems) && problems.is_empty() {
            return;
        }
        let def = match &item.kind {
            ast::ItemKind::Namespace(items) => {
                let inside = Place { namespace: join(place.namespace, &item.name.name), exported };
                let def = self.push(item, place, exported, None, location, ItemKind::Namespace);
                self.items(items, &inside, location);
                def
            }
            ast::ItemKind::Foreign(foreign) => {
                let message = target::unavailable_foreign(foreign, self.platform);
                let Some(message) = message else {
                    self.foreign(item, foreign, place, location);
                    return;
                };
                problems.push(Problem::new(item.at, message));
                self.push(item, place, exported, None, location, ItemKind::Use)
            }
            ast::ItemKind::UsePath(_) => {
                let message = "use a::b; has no effect, write import";
                problems.push(Problem::warning(item.at, message));
                self.push(item, place, exported, None, location, ItemKind::Use)
            }
            ast::ItemKind::Impl(block) => self.block(item, block, place, location),
            kind => match plain(kind) {
                Some(kind) => self.push(item, place, exported, None, location, kind),
                None => return,
            },
        };
        if matches!(item.kind, ast::ItemKind::ExportList(_)) && !item.attributes.is_empty() {
            let message = "Attributes are not supported on export lists".to_owned();
            problems = vec![Problem::new(item.at, message)];
        }
        self.tree.problems.extend(problems.into_iter().map(|problem| (def, problem)));
    }

    fn foreign(
        &mut self,
        item: &ast::Item,
        foreign: &ast::Foreign,
        place: &Place,
        location: &mut Vec<u32>,
    ) {
        let exported = place.exported || item.exported;
        let alias = foreign.alias.map_or("", |alias| alias.name.as_str());
        let inside = Place { namespace: join(place.namespace, alias), exported };
        for (index, function) in foreign.functions.iter().enumerate() {
            if let ast::ItemKind::Function(kind) = &function.kind {
                location.push(index as u32);
                let kind = function_kind(kind, true);
                self.push(function, &inside, exported, None, location, kind);
                location.pop();
            }
        }
    }

    fn block(
        &mut self,
        item: &ast::Item,
        block: &ast::Impl,
        place: &Place,
        location: &mut Vec<u32>,
    ) -> DefId {
        let header = &block.header;
        let target = type_text::of(&header.arena, header.target);
        let path = match &header.interface {
            Some((interface, _)) => format!("impl {target} for {}", type_text::path(interface)),
            None => format!("impl {target}"),
        };
        let def = self.define(join(place.namespace, &path));
        let position = self.tree.entries.len();
        let kind = ItemKind::Impl { header: header.clone(), members: Vec::new() };
        self.enter(def, item, place, item.exported, None, location, kind);
        let inside = Place { namespace: place.namespace, exported: false };
        let mut members = Vec::new();
        for (index, member) in block.members.iter().enumerate() {
            let mut problems = Vec::new();
            if !target::holds(&member.attributes, self.platform, &mut problems) {
                self.tree.problems.extend(problems.into_iter().map(|problem| (def, problem)));
                continue;
            }
            let ast::ItemKind::Function(function) = &member.kind else { continue };
            location.push(index as u32);
            let name = member_name(function.signature.role, member.name.name);
            let path = join(place.namespace, &format!("{target}::{name}"));
            let id = self.define(path);
            let kind = function_kind(function, false);
            self.enter(id, member, &inside, false, Some(def), location, kind);
            location.pop();
            members.push(id);
        }
        let kind = ItemKind::Impl { header: header.clone(), members };
        let entry = &mut self.tree.entries[position];
        entry.item = Hashed::new(Item { kind, ..(*entry.item).clone() });
        def
    }

    fn push(
        &mut self,
        item: &ast::Item,
        place: &Place,
        exported: bool,
        parent: Option<DefId>,
        location: &[u32],
        kind: ItemKind,
    ) -> DefId {
        let name = match kind {
            ItemKind::Module => "module",
            ItemKind::Use => "use",
            ItemKind::Import(_) => "import",
            ItemKind::ExportList(_) => "export",
            _ => item.name.name.as_str(),
        };
        // A namespace may have the name of a function; the space cannot stand in an identifier.
        let path = match kind {
            ItemKind::Namespace => format!("namespace {name}"),
            _ => name.to_owned(),
        };
        let def = self.define(join(place.namespace, &path));
        self.enter(def, item, place, exported, parent, location, kind);
        def
    }

    fn define(&mut self, path: Name) -> DefId {
        let count = self.counts.entry(path).or_default();
        let index = *count;
        *count += 1;
        DefId { file: self.file, path, index }
    }

    #[expect(clippy::too_many_arguments, reason = "all fields of an entry")]
    fn enter(
        &mut self,
        def: DefId,
        item: &ast::Item,
        place: &Place,
        exported: bool,
        parent: Option<DefId>,
        location: &[u32],
        kind: ItemKind,
    ) {
        let (namespace, name, at) = (place.namespace, item.name, item.at);
        let is_test = item.attributes.iter().any(|attribute| attribute.name.name == "test");
        let item = Hashed::new(Item { name, at, namespace, exported, parent, is_test, kind });
        self.tree.index.insert(def, self.tree.entries.len() as u32);
        self.tree.entries.push(Entry { def, location: location.to_vec(), item });
    }
}

fn plain(kind: &ast::ItemKind) -> Option<ItemKind> {
    Some(match kind {
        ast::ItemKind::Module(_) => ItemKind::Module,
        ast::ItemKind::Import(import) => ItemKind::Import(import.clone()),
        ast::ItemKind::ExportList(list) => ItemKind::ExportList(list.clone()),
        ast::ItemKind::Function(function) => function_kind(function, false),
        ast::ItemKind::Struct(node) => ItemKind::Struct(node.clone()),
        ast::ItemKind::Enum(node) => ItemKind::Enum(node.clone()),
        ast::ItemKind::Interface(node) => ItemKind::Interface(node.clone()),
        ast::ItemKind::Typedef(node) => ItemKind::Typedef(node.clone()),
        ast::ItemKind::Global(node) => ItemKind::Global(node.clone()),
        ast::ItemKind::UsePath(_)
        | ast::ItemKind::Namespace(_)
        | ast::ItemKind::Foreign(_)
        | ast::ItemKind::Impl(_) => return None,
    })
}

fn function_kind(function: &ast::Function, foreign: bool) -> ItemKind {
    let signature = function.signature.clone();
    ItemKind::Function { signature, has_body: function.body.is_some(), foreign }
}

/// The last part of a member's path: `sum`, `self`, `~self`, `operator +`.
pub(super) fn member_name(role: ast::Role, name: Name) -> Name {
    match role {
        ast::Role::Plain => name,
        ast::Role::Constructor => Name::new("self"),
        ast::Role::Destructor => Name::new("~self"),
        ast::Role::Operator(operator) => operator_name(operator),
    }
}

/// `operator +`.
pub(super) fn operator_name(operator: ast::Operator) -> Name {
    Name::from(format!("operator {}", operator_symbol(operator)))
}

/// `+`.
pub(super) fn operator_symbol(operator: ast::Operator) -> &'static str {
    use ast::BinaryOp::*;
    match operator {
        ast::Operator::BitNot => "~",
        ast::Operator::Not => "!",
        ast::Operator::Binary(binary) => match binary {
            Mul => "*",
            Div => "/",
            Rem => "%",
            Add => "+",
            Sub => "-",
            Shl => "<<",
            Shr => ">>",
            Lt => "<",
            Gt => ">",
            Le => "<=",
            Ge => ">=",
            Eq => "==",
            Ne => "!=",
            BitAnd => "&",
            BitXor => "^",
            BitOr => "|",
            And => "&&",
            Or => "||",
        },
    }
}
