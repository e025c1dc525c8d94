//! Readable dumps of tokens and trees. A tree is written like source text, with all parentheses.

mod exprs;
mod items;

use crate::{
    ast::{Arena, Block, File, Ident, Stmt, StmtKind, VarDecl, VarInit},
    lexer::lex_file,
};
use cm_base::Name;
use std::fmt::{Display, Write};

/// The tokens of a file, one a line: line, column, kind, text.
pub fn dump_tokens(text: &str, defines: &[Name]) -> String {
    let mut out = String::new();
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    for token in lex_file(text, defines).tokens {
        let (start, end) = (token.start as usize, token.end as usize);
        for (newline, _) in text[seen..start].match_indices('\n') {
            line += 1;
            line_start = seen + newline + 1;
        }
        seen = start;
        let column = start - line_start + 1;
        let _ = writeln!(out, "{line}:{column} {:?} {:?}", token.kind, &text[start..end]);
    }
    out
}

/// The tree of a file, then its errors.
pub fn dump_ast(file: &File) -> String {
    let mut dump = Dump::default();
    if let Some((platform, _)) = file.platform {
        dump.line(format_args!("platform {platform}"));
    }
    for item in &file.items {
        dump.item(item);
    }
    for error in &file.errors {
        let range = file.positions.0.get(error.at);
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        dump.line(format_args!("error {start}..{end}: {}", error.message));
    }
    dump.out
}

#[derive(Default)]
struct Dump {
    out: String,
    indent: usize,
}

impl Dump {
    /// Starts a line.
    fn start(&mut self) {
        self.out.extend(std::iter::repeat_n(' ', 2 * self.indent));
    }
    fn put(&mut self, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{text}");
    }
    fn line(&mut self, text: impl Display) {
        self.start();
        self.put(text);
        self.end();
    }
    fn end(&mut self) {
        self.out.push('\n');
    }
    /// Writes the elements with `separator` between them.
    fn list<T>(&mut self, elements: &[T], separator: &str, mut each: impl FnMut(&mut Self, &T)) {
        for (n, element) in elements.iter().enumerate() {
            if n > 0 {
                self.put(separator);
            }
            each(self, element);
        }
    }
    fn idents(&mut self, names: &[Ident], separator: &str) {
        self.list(names, separator, |dump, name| dump.put(name.name));
    }

    // ------------------------------------------------------------ statements

    /// `{`, the statements in lines of their own, `}`.
    fn block(&mut self, arena: &Arena, block: &Block) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            self.put("{\n");
            self.indent += 1;
            for stmt in &block.stmts {
                self.start();
                self.stmt(arena, stmt);
                self.end();
            }
            self.indent -= 1;
            self.start();
            self.put("}");
        });
    }

    fn stmt(&mut self, arena: &Arena, stmt: &Stmt) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.stmt_kind(arena, stmt));
    }

    fn stmt_kind(&mut self, arena: &Arena, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(value) => self.expr(arena, *value),
            StmtKind::Var(decl) => self.var(arena, decl),
            StmtKind::Block(block) => self.block(arena, block),
            StmtKind::Return(None) => self.put("return"),
            StmtKind::Return(Some(value)) => {
                self.put("return ");
                self.expr(arena, *value);
            }
            StmtKind::Break => self.put("break"),
            StmtKind::Continue => self.put("continue"),
            StmtKind::If { .. } => self.if_chain(arena, stmt),
            StmtKind::While { cond, body } => {
                self.put("while ");
                self.expr(arena, *cond);
                self.put(" ");
                self.block(arena, body);
            }
            StmtKind::For { init, cond, update, body } => {
                self.put("for (");
                if let Some(init) = init {
                    self.stmt(arena, init);
                }
                self.put("; ");
                self.optional_expr(arena, *cond);
                self.put("; ");
                self.optional_expr(arena, *update);
                self.put(") ");
                self.block(arena, body);
            }
            StmtKind::ForIn { ty, name, iterable, body } => {
                self.put("for (");
                if let Some(ty) = ty {
                    self.ty(arena, *ty);
                    self.put(" ");
                }
                self.put(format_args!("{} in ", name.name));
                self.expr(arena, *iterable);
                self.put(") ");
                self.block(arena, body);
            }
            StmtKind::Switch { scrutinee, cases } => {
                self.put("switch ");
                self.expr(arena, *scrutinee);
                for case in cases {
                    self.end();
                    self.start();
                    self.patterns(arena, case.patterns.as_deref());
                    self.block(arena, &case.body);
                }
            }
            StmtKind::Defer(stmt) => {
                self.put("defer ");
                self.stmt(arena, stmt);
            }
            StmtKind::Must(block) => {
                self.put("must ");
                self.block(arena, block);
            }
            StmtKind::Asm(text) => self.put(format_args!("asm {text:?}")),
        }
    }

    fn var(&mut self, arena: &Arena, decl: &VarDecl) {
        let VarDecl { is_static, is_const, ty, name, init } = decl;
        self.put("var ");
        self.put(if *is_static { "static " } else { "" });
        self.put(if *is_const { "const " } else { "" });
        self.ty(arena, *ty);
        self.put(format_args!(" {}", name.name));
        match init {
            VarInit::None => {}
            VarInit::Value(value) => {
                self.put(" = ");
                self.expr(arena, *value);
            }
            VarInit::Constructor(args) => {
                self.put("(");
                self.exprs(arena, args);
                self.put(")");
            }
        }
    }

    /// An `if` with its `else if`s, without recursion: there may be thousands.
    fn if_chain(&mut self, arena: &Arena, mut stmt: &Stmt) {
        while let StmtKind::If { cond, then, otherwise } = &stmt.kind {
            self.put("if ");
            self.expr(arena, *cond);
            self.put(" ");
            self.block(arena, then);
            let Some(otherwise) = otherwise else { return };
            self.put(" else ");
            stmt = otherwise;
        }
        self.stmt(arena, stmt);
    }
}
