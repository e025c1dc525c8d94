//! Lists of expressions.

use super::{Parse, Parser};
use crate::{ast::ExprId, token::TokenKind as T};

impl Parser<'_> {
    /// Expressions between commas, up to and including `close`; a comma may end the list if
    /// `trailing`.
    pub(super) fn expr_list(&mut self, close: T, trailing: bool) -> Parse<Vec<ExprId>> {
        let mut list = Vec::new();
        if self.eat(close) {
            return Ok(list);
        }
        loop {
            list.push(self.expr_inside()?);
            if !self.eat(T::Comma) || trailing && self.kind() == close {
                break;
            }
        }
        self.expect(close)?;
        Ok(list)
    }
}
