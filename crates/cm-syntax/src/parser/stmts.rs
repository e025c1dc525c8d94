//! Statements.

use super::{Failed, Parse, Parser};
use crate::{
    ast::{Block, ExprId, ExprKind, Stmt, StmtKind, VarDecl, VarInit},
    token::TokenKind as T,
};
use cm_base::list::take_from;

impl Parser<'_> {
    /// `{ … }`.
    pub(super) fn block(&mut self) -> Parse<Block> {
        self.nested(Parser::block_body)
    }

    fn block_body(&mut self) -> Parse<Block> {
        let start = self.start();
        self.expect(T::LBrace)?;
        let outer = self.out.stmts.len();
        while !matches!(self.kind(), T::RBrace | T::Eof) {
            let first = self.mark();
            if self.at_item() {
                if self.at_first_column() {
                    break;
                }
                self.error("A declaration like this stands at top level only");
                self.skip_item(first);
                continue;
            }
            match self.stmt() {
                Ok(stmt) => self.out.stmts.push(stmt),
                Err(_) => self.skip_stmt(first),
            }
        }
        if !self.eat(T::RBrace) {
            self.error("Expected '}'");
        }
        let stmts = take_from(&mut self.out.stmts, outer);
        Ok(Block { at: self.span(start), stmts })
    }

    fn at_first_column(&self) -> bool {
        let before = self.text[..self.start() as usize].bytes().next_back();
        matches!(before, None | Some(b'\n'))
    }

    fn stmt(&mut self) -> Parse<Stmt> {
        let start = self.start();
        let kind = self.stmt_kind()?;
        Ok(Stmt { at: self.span(start), kind })
    }

    fn stmt_kind(&mut self) -> Parse<StmtKind> {
        match self.kind() {
            T::LBrace => Ok(StmtKind::Block(self.block()?)),
            T::Return => {
                self.bump();
                let value = match self.kind() {
                    T::Semi => None,
                    _ => Some(self.expr_inside()?),
                };
                self.end_stmt(StmtKind::Return(value))
            }
            T::Break => {
                self.bump();
                self.end_stmt(StmtKind::Break)
            }
            T::Continue => {
                self.bump();
                self.end_stmt(StmtKind::Continue)
            }
            T::If => self.if_stmt(),
            T::While => {
                self.bump();
                Ok(StmtKind::While { cond: self.condition()?, body: self.block()? })
            }
            T::For => self.for_stmt(),
            T::Switch => self.switch_stmt(),
            T::Match => {
                let start = self.start();
                let kind = self.nested(Parser::match_expr)?;
                let expr = self.expr_from(start, kind);
                self.eat(T::Semi);
                Ok(StmtKind::Expr(expr))
            }
            T::Defer => {
                self.bump();
                Ok(StmtKind::Defer(Box::new(self.nested(Parser::stmt)?)))
            }
            T::Must => {
                self.bump();
                Ok(StmtKind::Must(self.block()?))
            }
            T::Hash => Err(self.directive()),
            T::Ident if self.at_asm() => self.asm_stmt(),
            _ if self.at_var_decl() => Ok(StmtKind::Var(Box::new(self.var_decl()?))),
            _ => {
                let expr = self.expr_inside()?;
                self.end_stmt(StmtKind::Expr(expr))
            }
        }
    }

    /// Takes the `;` of a statement. If it is missing, the statement stands all the same.
    fn end_stmt(&mut self, kind: StmtKind) -> Parse<StmtKind> {
        self.semicolon();
        Ok(kind)
    }

    pub(super) fn semicolon(&mut self) {
        if self.eat(T::Semi) {
            return;
        }
        self.error("Expected ';'");
        if !self.starts_line(self.pos) {
            // Keep what follows on this line out of the next statement.
            self.skip_stmt(self.mark_behind());
        }
    }

    /// `(e)` after `if`, `while` and `switch`.
    pub(super) fn condition(&mut self) -> Parse<ExprId> {
        self.expect_lparen()?;
        let cond = self.expr_inside()?;
        self.expect(T::RParen)?;
        Ok(cond)
    }

    /// `if` with all its `else if`s, which are collected first, for there may be thousands.
    fn if_stmt(&mut self) -> Parse<StmtKind> {
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let start = self.start();
            self.expect(T::If)?;
            let cond = self.condition()?;
            arms.push((start, cond, self.block()?));
            if !self.eat(T::Else) {
                break;
            }
            if self.kind() != T::If {
                let start = self.start();
                let kind = StmtKind::Block(self.block()?);
                otherwise = Some(Box::new(Stmt { at: self.span(start), kind }));
                break;
            }
        }
        let mut arms = arms.into_iter().rev().peekable();
        while let Some((start, cond, then)) = arms.next() {
            let kind = StmtKind::If { cond, then, otherwise };
            if arms.peek().is_none() {
                return Ok(kind);
            }
            otherwise = Some(Box::new(Stmt { at: self.span(start), kind }));
        }
        Err(Failed)
    }

    /// `for` in both forms. If its head is wrong, only the body is left.
    fn for_stmt(&mut self) -> Parse<StmtKind> {
        self.expect(T::For)?;
        self.expect_lparen()?;
        let inside = self.mark_behind();
        let found = self.for_rest();
        if found.is_err() && self.skip_head(inside) {
            return Ok(StmtKind::Block(self.block()?));
        }
        found
    }

    fn for_rest(&mut self) -> Parse<StmtKind> {
        if let Some(name) = self.for_in_name() {
            let ty = match name == self.pos {
                true => None,
                false => Some(self.ty()?),
            };
            let name = self.ident()?;
            self.expect(T::In)?;
            let iterable = self.expr_inside()?;
            self.expect(T::RParen)?;
            return Ok(StmtKind::ForIn { ty, name, iterable, body: self.block()? });
        }
        let init = match self.kind() {
            T::Semi => {
                self.bump();
                None
            }
            _ => Some(Box::new(self.for_init()?)),
        };
        let cond = match self.kind() {
            T::Semi => None,
            _ => Some(self.expr_inside()?),
        };
        self.expect(T::Semi)?;
        let update = match self.kind() {
            T::RParen => None,
            _ => Some(self.expr_inside()?),
        };
        self.expect(T::RParen)?;
        Ok(StmtKind::For { init, cond, update, body: self.block()? })
    }

    fn for_init(&mut self) -> Parse<Stmt> {
        let start = self.start();
        let kind = if self.at_var_decl() {
            StmtKind::Var(Box::new(self.var_head()?))
        } else {
            StmtKind::Expr(self.expr_inside()?)
        };
        let at = self.span(start);
        self.expect(T::Semi)?;
        Ok(Stmt { at, kind })
    }

    fn var_decl(&mut self) -> Parse<VarDecl> {
        let first = self.mark();
        let decl = self.var_head()?;
        match decl.init {
            VarInit::Value(value) if matches!(self.out.arena[value].kind, ExprKind::Error) => {
                if !self.eat(T::Semi) {
                    self.error("Expected ';'");
                    self.skip_stmt(first);
                }
            }
            _ => self.semicolon(),
        }
        Ok(decl)
    }

    /// A declaration without its `;`. A wrong initializer leaves the variable declared.
    fn var_head(&mut self) -> Parse<VarDecl> {
        let is_static = self.eat(T::Static);
        let constexpr = self.eat(T::Constexpr);
        let (is_const, ty) = self.declared_type()?;
        let is_const = is_const || constexpr;
        let name = self.ident()?;
        let init = match self.kind() {
            T::Assign => {
                self.bump();
                let start = self.start();
                VarInit::Value(match self.expr_inside() {
                    Ok(value) => value,
                    Err(_) => self.expr_from(start, ExprKind::Error),
                })
            }
            T::LParen | T::LParenArrow => {
                self.bump();
                VarInit::Constructor(self.expr_list(T::RParen, false)?)
            }
            _ => VarInit::None,
        };
        Ok(VarDecl { is_static, is_const, ty, name, init })
    }

    fn at_asm(&self) -> bool {
        self.peek(1).is_lparen() && matches!(self.token_text(self.token()), "__asm__" | "__llvm__")
    }

    fn asm_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        self.expect_lparen()?;
        if !self.kind().is_string() {
            return Err(self.error("Expected string"));
        }
        let text = self.plain_string();
        self.expect(T::RParen)?;
        self.end_stmt(StmtKind::Asm(text))
    }
}
