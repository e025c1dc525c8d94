//! Files and items.

use super::{Failed, Parse, Parser};
use crate::{
    ast::{
        Arena, Attribute, AttributeArg, Doc, Enum, Field, GlobalKind, Ident, Impl, ImplHeader,
        Interface, Item, ItemKind, Literal, Struct, Typedef, TypedefKind, Variant,
    },
    token::TokenKind as T,
};
use cm_base::{At, Name, Positions, SpanTable, TextRange, list::take_from};
use std::{collections::BTreeMap, sync::Arc};

/// The positions of the item around the one that is being parsed.
pub(super) struct Outer(SpanTable);

impl Parser<'_> {
    pub(super) fn file(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while self.kind() != T::Eof {
            match self.kind() {
                T::RBrace => {
                    self.error("Unexpected '}'");
                    self.bump();
                }
                T::Error => {
                    self.bump();
                }
                _ => {
                    let start = self.tokens[self.pos];
                    items.extend(self.item());
                    if let [_, .., Item { kind: ItemKind::Module(_), .. }] = items[..] {
                        let message = "'module' must be the first declaration of a file";
                        self.error_at(start.range(), message);
                    }
                }
            }
        }
        items
    }

    // ------------------------------------------------------------ positions

    /// Starts the positions of an item; its own is the first.
    pub(super) fn begin_item(&mut self) -> Outer {
        let mut spans = self.out.spare_spans.pop().unwrap_or_default();
        spans.push(self.tokens[self.pos].range());
        Outer(std::mem::replace(&mut self.out.spans, spans))
    }

    /// Returns to the item around this one.
    pub(super) fn end_item(&mut self, outer: Outer) {
        let mut spans = std::mem::replace(&mut self.out.spans, outer.0);
        spans.ranges.clear();
        self.out.spare_spans.push(spans);
        self.out.arena.exprs.clear();
        self.out.arena.types.clear();
    }

    /// The arena of what has been parsed. The one that is filled keeps its memory, and the result
    /// is as small as can be.
    pub(super) fn take_arena(&mut self) -> Arena {
        let Arena { exprs, types } = &mut self.out.arena;
        Arena { exprs: take_from(exprs, 0), types: take_from(types, 0) }
    }

    pub(super) fn finish_item(
        &mut self,
        outer: Outer,
        start: u32,
        name: Ident,
        kind: ItemKind,
    ) -> Item {
        let end = self.prev_end.max(start);
        let mut ranges = self.out.spans.ranges.as_slice().to_vec();
        ranges[0] = TextRange::new(start.into(), end.into());
        self.end_item(outer);
        let (attributes, exported) = (Vec::new(), false);
        let positions = Positions(SpanTable { ranges }.into());
        Item { attributes, exported, name, at: At(0), kind, positions, doc: Doc::default() }
    }

    /// The comment lines directly before byte `start`.
    fn doc(&self, start: u32) -> Doc {
        let before = &self.text[..start as usize];
        // Only the first item of a line is looked at: its line may be long.
        let blank = before.trim_end_matches([' ', '\t', '\r']);
        if !blank.ends_with('\n') {
            return Doc::default();
        }
        let lines = blank[..blank.len() - 1].rsplit('\n');
        let comment = |line: &&str| line.starts_with("//") && !line.starts_with("//!");
        let lines = lines.map(str::trim).take_while(comment);
        let lines = lines.map(|line| line.trim_start_matches('/').trim_start());
        let mut lines: Vec<&str> = lines.collect();
        lines.reverse();
        Doc((!lines.is_empty()).then(|| lines.join("\n").into()))
    }

    // ------------------------------------------------------------ items

    fn item(&mut self) -> Option<Item> {
        let first = self.mark();
        let start = self.start();
        let doc = self.doc(start);
        let outer = self.begin_item();
        match self.item_parts() {
            Ok((attributes, exported, name, kind)) => {
                let name = name.unwrap_or(Ident { name: Name::new(""), at: At(0) });
                let item = self.finish_item(outer, start, name, kind);
                Some(Item { attributes, exported, doc, ..item })
            }
            Err(_) => {
                self.end_item(outer);
                self.skip_item(first);
                None
            }
        }
    }

    fn item_parts(&mut self) -> Parse<(Vec<Attribute>, bool, Option<Ident>, ItemKind)> {
        let before = self.token();
        let attributes = self.attributes()?;
        if self.kind() == T::Hash {
            self.bump(); // `#macro`
        }
        let exported = self.eat(T::Export);
        if exported && self.at_export_list() {
            if !attributes.is_empty() {
                let message = "Attributes are not supported on export lists";
                self.error_at(before.range(), message);
            }
            return Ok((attributes, exported, None, self.export_list()?));
        }
        let (name, kind) = self.declaration(exported)?;
        Ok((attributes, exported, name, kind))
    }

    fn declaration(&mut self, exported: bool) -> Parse<(Option<Ident>, ItemKind)> {
        let named = |(name, kind)| (Some(name), kind);
        Ok(match self.kind() {
            T::Module => (None, self.module_decl()?),
            T::Import => (None, self.import()?),
            T::From => (None, self.import_from()?),
            T::Use => (None, self.use_item()?),
            T::Extern => self.extern_item()?,
            T::Struct => named(self.struct_item()?),
            T::Enum => named(self.enum_item()?),
            T::Interface => named(self.interface_item()?),
            T::Impl => (None, self.impl_item()?),
            T::Typedef => named(self.typedef_item()?),
            T::Macro => named(self.macro_item()?),
            T::Namespace => {
                self.bump();
                named(self.nested(Parser::namespace)?)
            }
            T::Ident if exported && self.peek(1) == T::LBrace => {
                named(self.nested(Parser::namespace)?)
            }
            T::Template => return Err(self.error("'template' is not supported: write <T>")),
            _ => named(self.function_or_global(false)?),
        })
    }

    fn namespace(&mut self) -> Parse<(Ident, ItemKind)> {
        let name = self.ident()?;
        self.expect(T::LBrace)?;
        let mut items = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) {
            if matches!(self.kind(), T::Import | T::Module | T::From) {
                let word = self.kind().text();
                self.error(format_args!("'{word}' cannot stand in a namespace"));
            }
            match self.kind() {
                T::Error => {
                    self.bump();
                }
                _ => items.extend(self.item()),
            }
        }
        self.expect(T::RBrace)?;
        Ok((name, ItemKind::Namespace(items)))
    }

    // ------------------------------------------------------------ attributes

    /// `#[…]` and `@[…]`; reports other directives and skips them. Leaves `#macro`.
    pub(super) fn attributes(&mut self) -> Parse<Vec<Attribute>> {
        let mut attributes = Vec::new();
        loop {
            match (self.kind(), self.peek(1)) {
                (T::Hash | T::At, T::LBracket) => attributes.push(self.attribute()?),
                (T::Hash, T::Macro) => return Ok(attributes),
                (T::Hash, _) => {
                    self.directive();
                }
                _ => return Ok(attributes),
            }
        }
    }

    fn attribute(&mut self) -> Parse<Attribute> {
        self.bump();
        self.expect(T::LBracket)?;
        let name = self.word_ident()?;
        let mut args = Vec::new();
        if self.kind().is_lparen() {
            self.bump();
            while self.kind() != T::RParen {
                args.push(self.attribute_arg()?);
                if !self.eat(T::Comma) {
                    break;
                }
            }
            self.expect(T::RParen)?;
        }
        self.expect(T::RBracket)?;
        Ok(Attribute { name, args })
    }

    fn attribute_arg(&mut self) -> Parse<AttributeArg> {
        let negated = self.eat(T::Bang);
        let start = self.start();
        let value = if self.kind().is_string() {
            let name = self.plain_string();
            Ident { name, at: self.span(start) }
        } else {
            self.word_ident()?
        };
        Ok(AttributeArg { negated, value })
    }

    /// An identifier or a reserved word.
    pub(super) fn word_ident(&mut self) -> Parse<Ident> {
        if self.kind().is_keyword() { Ok(self.take_word()) } else { self.ident() }
    }

    /// Reports `#word`, and skips it with what is in parentheses behind it.
    pub(super) fn directive(&mut self) -> Failed {
        let hash = self.bump();
        let word = self.token();
        let range = hash.range().cover(word.range());
        match self.token_text(word) {
            text @ ("test" | "bench" | "deprecated" | "inline" | "optimize") => {
                let message = format_args!("Directive '#{text}' is not yet implemented");
                self.error_at(range, message);
            }
            _ => self.error_at(hash.range(), "Unknown or invalid directive after '#'"),
        }
        if (word.kind == T::Ident || word.kind.is_keyword()) && !self.starts_line(self.pos) {
            self.bump();
        }
        if self.kind().is_lparen() {
            self.skip_group();
        }
        self.last_error = Some(self.pos);
        Failed
    }

    // ------------------------------------------------------------ structs and enums

    fn struct_item(&mut self) -> Parse<(Ident, ItemKind)> {
        self.expect(T::Struct)?;
        let name = self.ident()?;
        let mut generics = self.generics()?;
        let mut derives = Vec::new();
        if self.eat(T::With) {
            derives = self.ident_list(|kind| matches!(kind, T::Comma | T::Plus))?;
        }
        generics.wheres = self.wheres()?;
        self.expect(T::LBrace)?;
        let mut fields = Vec::new();
        let mut has_default = false;
        while !matches!(self.kind(), T::RBrace | T::Eof) && !self.at_item() {
            let token = self.token();
            let Ok(field) = self.field() else {
                self.skip_entry(T::Semi);
                continue;
            };
            if field.default && std::mem::replace(&mut has_default, true) {
                self.error_at(token.range(), "Only one default member allowed in a struct");
            }
            fields.push(field);
        }
        self.expect(T::RBrace)?;
        let arena = self.take_arena();
        Ok((name, ItemKind::Struct(Arc::new(Struct { generics, derives, fields, arena }))))
    }

    fn field(&mut self) -> Parse<Field> {
        let private = self.eat(T::Private);
        let default = self.eat(T::Default);
        let (is_const, ty) = self.declared_type()?;
        let name = self.ident()?;
        if !self.eat(T::Semi) {
            self.error("Expected ';'");
            if !self.starts_line(self.pos) {
                self.skip_entry(T::Semi);
            }
        }
        Ok(Field { private, default, is_const, ty, name })
    }

    fn enum_item(&mut self) -> Parse<(Ident, ItemKind)> {
        self.expect(T::Enum)?;
        let name = self.ident()?;
        let generics = self.generics()?;
        self.expect(T::LBrace)?;
        let mut variants = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) && !self.at_item() {
            match self.variant() {
                Ok(variant) => variants.push(variant),
                Err(_) => self.skip_entry(T::Comma),
            }
        }
        self.expect(T::RBrace)?;
        self.check_variants(&variants);
        let arena = self.take_arena();
        Ok((name, ItemKind::Enum(Arc::new(Enum { generics, variants, arena }))))
    }

    fn variant(&mut self) -> Parse<Variant> {
        let name = self.ident()?;
        let (mut value, mut payload) = (None, None);
        if self.eat(T::Assign) {
            let negative = self.eat(T::Minus);
            if self.kind() != T::Int {
                return Err(self.error("Expected integer"));
            }
            let number = i128::from(self.int_value());
            value = Some(if negative { -number } else { number });
        } else if self.kind().is_lparen() {
            self.bump();
            payload = Some(self.ty()?);
            if self.kind() == T::Ident {
                self.bump(); // a name without effect
            }
            self.expect(T::RParen)?;
        }
        if !self.eat(T::Comma) && !matches!(self.kind(), T::RBrace | T::Ident) {
            return Err(self.error("Expected ',' or '}'"));
        }
        Ok(Variant { name, value, payload })
    }

    fn check_variants(&mut self, variants: &[Variant]) {
        let payloads = variants.iter().any(|variant| variant.payload.is_some());
        let mut values: BTreeMap<i128, Name> = BTreeMap::new();
        let mut next = 0;
        for variant in variants {
            let range = self.out.spans.get(variant.name.at);
            if payloads && variant.value.is_some() {
                let message = "Payloads and explicit values cannot be mixed in an enum";
                self.error_at(range, message);
            }
            let value = variant.value.unwrap_or(next);
            if let Some(other) = values.insert(value, variant.name.name) {
                self.error_at(
                    range,
                    format_args!("Enum value {value} is already used by '{other}'"),
                );
            }
            next = value + 1;
        }
    }

    // ------------------------------------------------------------ interfaces and impls

    fn interface_item(&mut self) -> Parse<(Ident, ItemKind)> {
        self.expect(T::Interface)?;
        let name = self.ident()?;
        let mut generics = self.generics()?;
        generics.wheres = self.wheres()?;
        let arena = self.take_arena();
        self.expect(T::LBrace)?;
        let mut members = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) && !self.at_item() {
            let first = self.mark();
            match self.interface_member() {
                Ok(member) => members.push(member),
                Err(_) => self.skip_item(first),
            }
        }
        self.expect(T::RBrace)?;
        Ok((name, ItemKind::Interface(Arc::new(Interface { generics, members, arena }))))
    }

    fn impl_item(&mut self) -> Parse<ItemKind> {
        self.expect(T::Impl)?;
        let mut generics = self.generics()?;
        let target = self.ty()?;
        let mut interface = None;
        if self.eat(T::For) {
            let path = self.path()?;
            let args = if self.kind() == T::Lt { self.type_arguments()? } else { Vec::new() };
            interface = Some((path, args));
        }
        generics.wheres = self.wheres()?;
        let arena = self.take_arena();
        let header = Arc::new(ImplHeader { generics, target, interface, arena });
        self.expect(T::LBrace)?;
        let mut members = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) && !self.at_item() {
            members.extend(self.impl_member());
        }
        self.expect(T::RBrace)?;
        Ok(ItemKind::Impl(Impl { header, members }))
    }

    fn impl_member(&mut self) -> Option<Item> {
        let first = self.mark();
        let start = self.start();
        let doc = self.doc(start);
        let outer = self.begin_item();
        let result = self.attributes().and_then(|attributes| {
            let (name, kind) = self.member()?;
            Ok((attributes, name, kind))
        });
        match result {
            Ok((attributes, name, kind)) => {
                let item = self.finish_item(outer, start, name, kind);
                Some(Item { attributes, doc, ..item })
            }
            Err(_) => {
                self.end_item(outer);
                self.skip_item(first);
                None
            }
        }
    }

    // ------------------------------------------------------------ typedefs

    fn typedef_item(&mut self) -> Parse<(Ident, ItemKind)> {
        self.expect(T::Typedef)?;
        let name = self.ident()?;
        self.expect(T::Assign)?;
        let literal = |kind: T| kind.is_string() || matches!(kind, T::Int | T::Float);
        let kind = if literal(self.kind()) {
            let mut literals = vec![self.type_literal()?];
            while self.eat(T::Pipe) {
                literals.push(self.type_literal()?);
            }
            TypedefKind::Literals(literals)
        } else {
            TypedefKind::Type(self.ty()?)
        };
        self.semicolon();
        let arena = self.take_arena();
        Ok((name, ItemKind::Typedef(Arc::new(Typedef { kind, arena }))))
    }

    fn type_literal(&mut self) -> Parse<(Literal, At)> {
        let start = self.start();
        let literal = match self.kind() {
            kind if kind.is_string() => Literal::Str(self.plain_string()),
            T::Int => Literal::Int(self.int_value()),
            T::Float => {
                let token = self.bump();
                let value: f64 = self.token_text(token).parse().unwrap_or_default();
                Literal::Float(value.to_bits())
            }
            _ => return Err(self.error("Expected literal")),
        };
        Ok((literal, self.span(start)))
    }
}

/// Which kind of global data a declaration with these words is.
pub(super) fn global_kind(is_const: bool) -> GlobalKind {
    if is_const { GlobalKind::Const } else { GlobalKind::Variable }
}
