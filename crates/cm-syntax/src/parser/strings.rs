//! String literals and the expressions inside them.

use super::{Parse, Parser};
use crate::{
    ast::{ExprId, ExprKind, Ident, Literal, TemplatePart},
    lexer::lex_hole,
    strings::{Piece, literal, template, unescape},
    token::{Token, TokenKind as T},
};
use cm_base::{Name, TextRange};

/// The bytes between the quotes.
fn inside(token: Token) -> (usize, usize) {
    (token.start as usize + 1, token.end as usize - 1)
}

impl Parser<'_> {
    /// The text of the string literal here, without interpolation.
    pub(super) fn plain_string(&mut self) -> Name {
        let token = self.bump();
        let (start, end) = inside(token);
        match token.kind {
            T::PlainStr => Name::new(&self.text[start..end]),
            kind => Name::new(&literal(self.text, start, end, kind == T::RawStr)),
        }
    }

    /// The string literal here, with its interpolations.
    pub(super) fn string(&mut self) -> ExprId {
        let token = self.bump();
        let (start, end) = inside(token);
        if token.kind == T::PlainStr {
            let text = Name::new(&self.text[start..end]);
            return self.expr_from(token.start, ExprKind::Literal(Literal::Str(text)));
        }
        let Some(pieces) = template(self.text, start, end, token.kind == T::RawStr) else {
            self.error_at(token.range(), "too many '{' without '}' in a string");
            return self.expr_from(token.start, ExprKind::Error);
        };
        let kind = match &pieces[..] {
            [] => ExprKind::Literal(Literal::Str(Name::new(""))),
            [Piece::Text(text)] => ExprKind::Literal(Literal::Str(Name::new(text))),
            _ => {
                let part = |piece| match piece {
                    Piece::Text(text) => TemplatePart::Text(Name::new(&text)),
                    Piece::Hole { start, end, spec } => {
                        let expr = self.hole(token, start, end);
                        let spec = spec.map(|(start, end)| self.format_spec(token, start, end));
                        TemplatePart::Hole { expr, spec }
                    }
                };
                ExprKind::Template(pieces.into_iter().map(part).collect())
            }
        };
        self.expr_from(token.start, kind)
    }

    fn format_spec(&mut self, literal: Token, start: usize, end: usize) -> Ident {
        let range = TextRange::new((start as u32).into(), (end as u32).into());
        let range = self.place_in(literal, end).unwrap_or(range);
        let at = self.out.spans.push(range);
        Ident { name: Name::new(&unescape(&self.text[start..end])), at }
    }

    /// Where something inside a literal is said to stand: in the literal as a whole if it is in
    /// another line than the start of the literal. `None`: where it does stand.
    fn place_in(&self, literal: Token, end: usize) -> Option<TextRange> {
        let same_line = !self.text[literal.start as usize..end].contains('\n');
        self.fixed.or((!same_line).then(|| literal.range()))
    }

    /// Parses the interpolation at `start..end` inside a literal.
    fn hole(&mut self, literal: Token, start: usize, end: usize) -> ExprId {
        let fixed = self.place_in(literal, end);
        if !self.text[start..end].contains('\\') {
            return self.hole_in(self.text, start, end, fixed);
        }
        let text = unescape(&self.text[start..end]);
        self.hole_in(&text, 0, text.len(), Some(fixed.unwrap_or(literal.range())))
    }

    fn hole_in(
        &mut self,
        text: &str,
        start: usize,
        end: usize,
        fixed: Option<TextRange>,
    ) -> ExprId {
        let mut lexed = lex_hole(text, start, end);
        let errors = std::mem::take(&mut lexed.errors);
        let mut parser = Parser::new(text, lexed, std::mem::take(&mut self.out));
        parser.add_lexical_errors(errors, fixed);
        parser.fixed = fixed;
        parser.prev_end = start as u32;
        let expr = parser.hole_expr();
        let expr = match expr {
            Ok(expr) => expr,
            Err(_) => parser.expr_from(start as u32, ExprKind::Error),
        };
        self.out = std::mem::take(&mut parser.out);
        expr
    }

    fn hole_expr(&mut self) -> Parse<ExprId> {
        let expr = self.nested(Parser::expr_inside)?;
        if self.kind() != T::Eof {
            self.error("Expected '}'");
        }
        Ok(expr)
    }
}
