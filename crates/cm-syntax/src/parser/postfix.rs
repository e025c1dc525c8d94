//! Suffixes of expressions: calls, members, indices.

use super::{Parse, Parser};
use crate::{
    ast::{ExprId, ExprKind, PostfixOp},
    token::TokenKind as T,
};

impl Parser<'_> {
    /// A primary expression with its suffixes.
    pub(super) fn postfix(&mut self) -> Parse<ExprId> {
        let start = self.start();
        let mut expr = self.primary()?;
        loop {
            expr = match self.kind() {
                T::PlusPlus => self.step(start, expr, PostfixOp::Inc),
                T::MinusMinus => self.step(start, expr, PostfixOp::Dec),
                _ => match self.suffix(start, expr)? {
                    Some(expr) => expr,
                    None => return Ok(expr),
                },
            };
        }
    }

    /// A primary expression with `.`, call and index suffixes: what a `match` without parentheses
    /// can look at.
    pub(super) fn bare_scrutinee(&mut self) -> Parse<ExprId> {
        let outer = std::mem::replace(&mut self.no_struct, true);
        let start = self.start();
        let mut expr = self.nested(Parser::primary);
        while let Ok(base) = expr {
            expr = match self.suffix(start, base) {
                Ok(Some(next)) => Ok(next),
                Ok(None) => {
                    expr = Ok(base);
                    break;
                }
                Err(failed) => Err(failed),
            };
        }
        self.no_struct = outer;
        expr
    }

    fn step(&mut self, start: u32, expr: ExprId, op: PostfixOp) -> ExprId {
        self.bump();
        self.expr_from(start, ExprKind::Postfix(op, expr))
    }

    fn suffix(&mut self, start: u32, base: ExprId) -> Parse<Option<ExprId>> {
        let kind = match self.kind() {
            T::LParen | T::LParenArrow => {
                self.bump();
                ExprKind::Call(base, self.expr_list(T::RParen, false)?)
            }
            T::LBracket => self.index(base)?,
            T::Dot | T::Arrow => {
                let arrow = self.bump().kind == T::Arrow;
                let name = self.ident()?;
                if self.kind().is_lparen() {
                    self.bump();
                    let args = self.expr_list(T::RParen, false)?;
                    ExprKind::MethodCall { receiver: base, arrow, name, args: args.into() }
                } else {
                    ExprKind::Field { base, arrow, name }
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(self.expr_from(start, kind)))
    }

    /// `[i]`, `[i:j]`.
    fn index(&mut self, base: ExprId) -> Parse<ExprKind> {
        self.expect(T::LBracket)?;
        let low = match self.kind() {
            T::Colon => None,
            _ => Some(self.expr_inside()?),
        };
        if let Some(index) = low
            && self.eat(T::RBracket)
        {
            return Ok(ExprKind::Index(base, index));
        }
        if self.kind() != T::Colon {
            self.expect(T::RBracket)?;
        }
        self.bump();
        let high = match self.kind() {
            T::RBracket => None,
            _ => Some(self.expr_inside()?),
        };
        self.expect(T::RBracket)?;
        Ok(ExprKind::Slice(base, low, high))
    }
}
