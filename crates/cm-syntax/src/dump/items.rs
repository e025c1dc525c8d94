//! Items.

use super::Dump;
use crate::ast::{
    Arena, Attribute, Bound, Enum, ExportEntry, ExportList, Foreign, Function, GenericKind,
    GenericParam, Generics, Global, Impl, Import, ImportName, ImportNames, ImportPath, Interface,
    Item, ItemKind, Role, Signature, Struct, Typedef, TypedefKind,
};

impl Dump {
    pub(super) fn item(&mut self, item: &Item) {
        for line in item.doc.0.iter().flat_map(|doc| doc.lines()) {
            self.line(format_args!("/// {line}"));
        }
        for attribute in &item.attributes {
            self.attribute(attribute);
        }
        self.start();
        self.put(if item.exported { "export " } else { "" });
        self.item_kind(item);
        self.end();
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.start();
        self.put(format_args!("#[{}", attribute.name.name));
        for arg in &attribute.args {
            let not = if arg.negated { "!" } else { "" };
            self.put(format_args!(" {not}{:?}", arg.value.name));
        }
        self.put("]\n");
    }

    fn item_kind(&mut self, item: &Item) {
        let name = item.name.name;
        match &item.kind {
            ItemKind::Module(path) => {
                self.put("module ");
                self.path(path);
            }
            ItemKind::UsePath(path) => {
                self.put("use ");
                self.path(path);
            }
            ItemKind::Import(import) => self.import(import),
            ItemKind::ExportList(list) => self.export_list(list),
            ItemKind::Namespace(items) => {
                self.put(format_args!("namespace {name} "));
                self.items(items);
            }
            ItemKind::Foreign(foreign) => self.foreign(foreign),
            ItemKind::Function(function) => self.function(&name, function),
            ItemKind::Struct(value) => {
                self.put(format_args!("struct {name}"));
                self.struct_item(value);
            }
            ItemKind::Enum(value) => {
                self.put(format_args!("enum {name}"));
                self.enum_item(value);
            }
            ItemKind::Interface(value) => {
                self.put(format_args!("interface {name}"));
                self.interface(value);
            }
            ItemKind::Impl(value) => self.impl_item(value),
            ItemKind::Typedef(typedef) => {
                self.put(format_args!("typedef {name} = "));
                self.typedef(typedef);
            }
            ItemKind::Global(global) => self.global(&name, global),
        }
    }

    fn items(&mut self, items: &[Item]) {
        self.put("{\n");
        self.indent += 1;
        for item in items {
            self.item(item);
        }
        self.indent -= 1;
        self.start();
        self.put("}");
    }

    // ------------------------------------------------------------ modules

    fn import_path(&mut self, path: &ImportPath) {
        if let Some(file) = path.file {
            self.put(format_args!("file {file:?} "));
        }
        self.idents(&path.segments, "::");
    }

    fn import_names(&mut self, names: &[ImportName]) {
        self.put("{");
        self.list(names, ", ", |dump, name| {
            dump.put(name.name.name);
            if let Some(alias) = name.alias {
                dump.put(format_args!(" as {}", alias.name));
            }
        });
        self.put("}");
    }

    fn import(&mut self, import: &Import) {
        self.put("import ");
        self.import_path(&import.path);
        match &import.names {
            ImportNames::Plain => {}
            ImportNames::Alias(name) => self.put(format_args!(" as {}", name.name)),
            ImportNames::List(names) => {
                self.put(" list ");
                self.import_names(names);
            }
            ImportNames::Wildcard => self.put(" wildcard"),
            ImportNames::Directory(None) => self.put(" directory"),
            ImportNames::Directory(Some(names)) => {
                self.put(" directory ");
                self.import_names(names);
            }
        }
    }

    fn export_list(&mut self, list: &ExportList) {
        self.put("list ");
        match &list.entries {
            None => self.put("*"),
            Some(entries) => self.list(entries, " ", |dump, entry| match entry {
                ExportEntry::Name(name) => dump.import_names(std::slice::from_ref(name)),
                ExportEntry::Nested(path, names) => {
                    dump.path(path);
                    dump.put("::");
                    dump.import_names(names);
                }
            }),
        }
        if let Some(path) = &list.from {
            self.put(" from ");
            self.import_path(path);
        }
    }

    fn foreign(&mut self, foreign: &Foreign) {
        self.put(if foreign.from_use { "use " } else { "extern " });
        self.put(if foreign.package { "package " } else { "" });
        if let Some(abi) = foreign.abi {
            self.put(format_args!("{} ", abi.name));
        }
        if let Some(alias) = foreign.alias {
            self.put(format_args!("as {} ", alias.name));
        }
        self.items(&foreign.functions);
    }

    // ------------------------------------------------------------ functions

    fn function(&mut self, name: &str, function: &Function) {
        self.signature(name, &function.signature);
        if let Some(body) = &function.body {
            self.put(" ");
            self.block(&body.arena, &body.block);
        }
    }

    fn signature(&mut self, name: &str, signature: &Signature) {
        let arena = &signature.arena;
        let words = [
            (signature.overload, "overload "),
            (signature.is_static, "static "),
            (signature.inline, "inline "),
            (signature.is_async, "async "),
            (signature.private, "private "),
            (signature.extern_c, "extern_c "),
            (signature.is_macro, "macro "),
        ];
        for (_, word) in words.into_iter().filter(|(set, _)| *set) {
            self.put(word);
        }
        self.put(match signature.role {
            Role::Plain => "function ",
            Role::Constructor => "constructor ",
            Role::Destructor => "destructor ",
            Role::Operator(_) => "operator ",
        });
        self.put(name);
        self.generics(arena, &signature.generics);
        self.put("(");
        self.list(&signature.params, ", ", |dump, param| {
            dump.put(if param.is_const { "const " } else { "" });
            dump.ty(arena, param.ty);
            dump.put(format_args!(" {}", param.name.name));
            if let Some(default) = param.default {
                dump.put(" = ");
                dump.expr(arena, default);
            }
        });
        self.put(if signature.variadic { ", ...)" } else { ")" });
        if let Some(ret) = signature.ret {
            self.put(" -> ");
            self.ty(arena, ret);
        }
        self.wheres(&signature.generics);
    }

    fn generics(&mut self, arena: &Arena, generics: &Generics) {
        if generics.params.is_empty() {
            return;
        }
        self.put("<");
        self.list(&generics.params, ", ", |dump, GenericParam { name, kind }| {
            dump.put(name.name);
            match kind {
                GenericKind::Type(None) => {}
                GenericKind::Type(Some(bound)) => dump.bound(bound),
                GenericKind::Value(ty) => {
                    dump.put(": const ");
                    dump.ty(arena, *ty);
                }
            }
        });
        self.put(">");
    }

    fn bound(&mut self, bound: &Bound) {
        self.put(": ");
        self.idents(&bound.interfaces, if bound.any { " | " } else { " + " });
    }

    fn wheres(&mut self, generics: &Generics) {
        for (name, bound) in &generics.wheres {
            self.put(format_args!(" where {}", name.name));
            self.bound(bound);
        }
    }

    // ------------------------------------------------------------ types and data

    fn struct_item(&mut self, value: &Struct) {
        self.generics(&value.arena, &value.generics);
        if !value.derives.is_empty() {
            self.put(" with ");
            self.idents(&value.derives, ", ");
        }
        self.wheres(&value.generics);
        self.put(" {\n");
        self.indent += 1;
        for field in &value.fields {
            self.start();
            self.put(if field.private { "private " } else { "" });
            self.put(if field.default { "default " } else { "" });
            self.put(if field.is_const { "const " } else { "" });
            self.ty(&value.arena, field.ty);
            self.put(format_args!(" {}\n", field.name.name));
        }
        self.indent -= 1;
        self.start();
        self.put("}");
    }

    fn enum_item(&mut self, value: &Enum) {
        self.generics(&value.arena, &value.generics);
        self.put(" {");
        for variant in &value.variants {
            self.put(format_args!(" {}", variant.name.name));
            if let Some(number) = variant.value {
                self.put(format_args!("={number}"));
            }
            if let Some(payload) = variant.payload {
                self.put("(");
                self.ty(&value.arena, payload);
                self.put(")");
            }
        }
        self.put(" }");
    }

    fn interface(&mut self, value: &Interface) {
        self.generics(&value.arena, &value.generics);
        self.put(" {\n");
        self.indent += 1;
        for (name, signature) in &value.members {
            self.start();
            self.signature(&name.name, signature);
            self.end();
        }
        self.indent -= 1;
        self.start();
        self.put("}");
    }

    fn impl_item(&mut self, value: &Impl) {
        let header = &value.header;
        self.put("impl");
        self.generics(&header.arena, &header.generics);
        self.put(" ");
        self.ty(&header.arena, header.target);
        if let Some((path, args)) = &header.interface {
            self.put(" for ");
            self.path(path);
            self.type_args(&header.arena, args);
        }
        self.wheres(&header.generics);
        self.put(" ");
        self.items(&value.members);
    }

    fn typedef(&mut self, typedef: &Typedef) {
        match &typedef.kind {
            TypedefKind::Type(ty) => self.ty(&typedef.arena, *ty),
            TypedefKind::Literals(literals) => {
                self.list(literals, " | ", |dump, (literal, _)| dump.literal(literal));
            }
        }
    }

    fn global(&mut self, name: &str, global: &Global) {
        self.put(format!("{:?} ", global.kind).to_ascii_lowercase());
        self.ty(&global.arena, global.ty);
        self.put(format_args!(" {name}"));
        if let Some(value) = global.value {
            self.put(" = ");
            self.expr(&global.arena, value);
        }
    }
}
