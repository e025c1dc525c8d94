//! Imports, export lists and foreign blocks.

use super::{Parse, Parser};
use crate::{
    ast::{
        ExportEntry, ExportList, Foreign, Ident, Import, ImportName, ImportNames, ImportPath, Item,
        ItemKind, Path,
    },
    token::TokenKind as T,
};
use cm_base::Name;

impl Parser<'_> {
    /// `module a::b;`
    pub(super) fn module_decl(&mut self) -> Parse<ItemKind> {
        self.bump();
        let segments = self.ident_list(|kind| matches!(kind, T::ColonColon | T::Dot))?;
        self.semicolon();
        Ok(ItemKind::Module(Path { segments: segments.into() }))
    }

    /// `import …;`
    pub(super) fn import(&mut self) -> Parse<ItemKind> {
        self.expect(T::Import)?;
        let import = if self.kind() == T::LBrace {
            let names = self.import_names()?;
            self.expect(T::From)?;
            Import { path: self.import_path()?, names: ImportNames::List(names) }
        } else if self.eat(T::Star) {
            self.expect(T::From)?;
            Import { path: self.import_path()?, names: ImportNames::Wildcard }
        } else {
            let path = self.import_path()?;
            Import { path, names: self.imported()? }
        };
        self.semicolon();
        Ok(ItemKind::Import(import))
    }

    /// `from P import { … };`
    pub(super) fn import_from(&mut self) -> Parse<ItemKind> {
        self.expect(T::From)?;
        let path = self.import_path()?;
        self.expect(T::Import)?;
        let names = ImportNames::List(self.import_names()?);
        self.semicolon();
        Ok(ItemKind::Import(Import { path, names }))
    }

    /// What follows the path of an import. [`Parser::import_path`] has left a `::` before `{` and `*`.
    fn imported(&mut self) -> Parse<ImportNames> {
        Ok(match self.kind() {
            T::As => {
                self.bump();
                ImportNames::Alias(self.ident()?)
            }
            T::SlashStar => {
                self.bump();
                let selected = self.eat(T::ColonColon);
                ImportNames::Directory(if selected { Some(self.import_names()?) } else { None })
            }
            T::ColonColon | T::Dot => {
                self.bump();
                if self.eat(T::Star) {
                    ImportNames::Wildcard
                } else if self.peek(1) == T::Star {
                    self.expect(T::LBrace)?;
                    self.bump();
                    self.expect(T::RBrace)?;
                    ImportNames::Wildcard
                } else {
                    ImportNames::List(self.import_names()?)
                }
            }
            _ => ImportNames::Plain,
        })
    }

    fn import_path(&mut self) -> Parse<ImportPath> {
        let start = self.start();
        let mut file = None;
        let mut segments = Vec::new();
        match self.kind() {
            T::FilePath => {
                let token = self.bump();
                file = Some(self.name_of(token));
            }
            kind if kind.is_string() => (file, segments) = self.quoted_path(),
            _ => segments.push(self.ident()?),
        }
        let separator = |kind| kind == T::ColonColon || kind == T::Dot && file.is_none();
        while separator(self.kind()) && !matches!(self.peek(1), T::LBrace | T::Star) {
            self.bump();
            // A module may be called like a word of the language: `std::core::string`.
            segments.push(self.word_ident()?);
        }
        Ok(ImportPath { file, segments, at: self.span(start) })
    }

    /// A path in quotes: a file, unless it is made of identifiers.
    fn quoted_path(&mut self) -> (Option<Name>, Vec<Ident>) {
        let start = self.start();
        let text = self.plain_string();
        let is_word = |word: &str| {
            word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && word.starts_with(|c: char| !c.is_ascii_digit())
        };
        let words: Vec<&str> = text.as_str().split("::").collect();
        if !words.iter().all(|word| is_word(word)) {
            return (Some(text), Vec::new());
        }
        let at = self.span(start);
        (None, words.into_iter().map(|word| Ident { name: Name::new(word), at }).collect())
    }

    /// `{ a, b as c }`.
    fn import_names(&mut self) -> Parse<Vec<ImportName>> {
        self.expect(T::LBrace)?;
        let mut names = vec![self.import_name()?];
        while self.eat(T::Comma) && self.kind() != T::RBrace {
            names.push(self.import_name()?);
        }
        self.expect(T::RBrace)?;
        Ok(names)
    }

    fn import_name(&mut self) -> Parse<ImportName> {
        let name = self.ident()?;
        let alias = if self.eat(T::As) { Some(self.ident()?) } else { None };
        Ok(ImportName { name, alias })
    }

    // ------------------------------------------------------------ exports

    /// Whether an export list follows `export`.
    pub(super) fn at_export_list(&self) -> bool {
        match self.kind() {
            T::LBrace | T::Star => true,
            T::Ident => matches!(self.peek(1), T::Comma | T::Semi | T::As | T::Eof),
            _ => false,
        }
    }

    pub(super) fn export_list(&mut self) -> Parse<ItemKind> {
        let mut list = ExportList { entries: None, from: None };
        if self.eat(T::Star) {
            self.expect(T::From)?;
            list.from = Some(self.import_path()?);
        } else if self.eat(T::LBrace) {
            let mut entries = vec![self.export_entry()?];
            while self.eat(T::Comma) && self.kind() != T::RBrace {
                entries.push(self.export_entry()?);
            }
            self.expect(T::RBrace)?;
            list.entries = Some(entries);
            if self.eat(T::From) {
                list.from = Some(self.import_path()?);
            }
        } else {
            let mut entries = vec![ExportEntry::Name(self.import_name()?)];
            while self.eat(T::Comma) {
                entries.push(ExportEntry::Name(self.import_name()?));
            }
            list.entries = Some(entries);
        }
        self.semicolon();
        Ok(ItemKind::ExportList(list))
    }

    fn export_entry(&mut self) -> Parse<ExportEntry> {
        if self.peek(1) != T::ColonColon {
            return Ok(ExportEntry::Name(self.import_name()?));
        }
        let mut path = Path::from(self.ident()?);
        loop {
            self.expect(T::ColonColon)?;
            if self.kind() == T::LBrace {
                return Ok(ExportEntry::Nested(path, self.import_names()?));
            }
            path.segments.push(self.ident()?);
        }
    }

    // ------------------------------------------------------------ foreign functions

    /// `use …`.
    pub(super) fn use_item(&mut self) -> Parse<ItemKind> {
        self.expect(T::Use)?;
        let start = self.start();
        let package = self.kind().is_string();
        let abi = if package {
            let name = self.plain_string();
            Ident { name, at: self.span(start) }
        } else {
            self.ident()?
        };
        if !package && matches!(self.kind(), T::ColonColon | T::Semi) {
            let mut path = Path::from(abi);
            while self.eat(T::ColonColon) {
                path.segments.push(self.ident()?);
            }
            self.semicolon();
            return Ok(ItemKind::UsePath(path));
        }
        let alias = if self.eat(T::As) { Some(self.ident()?) } else { None };
        let functions = match self.kind() {
            T::Semi if package => {
                self.bump();
                Vec::new()
            }
            _ => self.prototypes()?,
        };
        let abi = Some(abi);
        Ok(ItemKind::Foreign(Foreign { abi, from_use: true, package, alias, functions }))
    }

    /// `extern "C" …`, and the name of the function if it is one with a body.
    pub(super) fn extern_item(&mut self) -> Parse<(Option<Ident>, ItemKind)> {
        self.expect(T::Extern)?;
        let start = self.start();
        let mut abi = None;
        if self.kind().is_string() {
            let name = self.plain_string();
            abi = Some(Ident { name, at: self.span(start) });
        }
        if self.kind() == T::LBrace {
            let functions = self.prototypes()?;
            return Ok((None, self.foreign(abi, functions)));
        }
        if self.extern_has_body() {
            let (name, kind) = self.function_or_global(true)?;
            return Ok((Some(name), kind));
        }
        let outer = self.begin_item();
        let start = self.start();
        match self.prototype() {
            Ok((name, kind)) => {
                let item = self.finish_item(outer, start, name, kind);
                Ok((None, self.foreign(abi, vec![item])))
            }
            Err(failed) => {
                self.end_item(outer);
                Err(failed)
            }
        }
    }

    /// Whether `{` comes before `;`.
    fn extern_has_body(&self) -> bool {
        let rest = self.tokens[self.pos..].iter().map(|token| token.kind);
        let end = |kind: &T| matches!(kind, T::Semi | T::LBrace | T::RBrace | T::Eof);
        rest.into_iter().find(end) == Some(T::LBrace)
    }

    fn foreign(&self, abi: Option<Ident>, functions: Vec<Item>) -> ItemKind {
        ItemKind::Foreign(Foreign { abi, from_use: false, package: false, alias: None, functions })
    }

    fn prototypes(&mut self) -> Parse<Vec<Item>> {
        self.expect(T::LBrace)?;
        let mut functions = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) && !self.at_item() {
            let first = self.mark();
            let start = self.start();
            let outer = self.begin_item();
            match self.prototype() {
                Ok((name, kind)) => functions.push(self.finish_item(outer, start, name, kind)),
                Err(_) => {
                    self.end_item(outer);
                    self.skip_item(first);
                }
            }
        }
        self.expect(T::RBrace)?;
        Ok(functions)
    }
}
