//! Which pieces are binary operators. Only the parser knows: `*` and `<` mean other things too.

use super::pieces::{Kind, Piece};
use crate::{
    ast::{Arena, ExprId, ExprKind, Item, ItemKind},
    parse,
    token::TokenKind as T,
};
use cm_base::{Name, Positions};

/// For each piece, whether it is a binary operator (the two of `? :` included) that gets blanks on
/// both sides. Two programs that a file can be are looked at, that with no name defined and that with
/// all, so that the answer does not depend on the machine.
pub fn find(text: &str, pieces: &[Piece]) -> Vec<bool> {
    let names: Vec<Name> = pieces
        .iter()
        .filter(|piece| piece.kind == Kind::If)
        .filter_map(|piece| piece.text(text).split_whitespace().nth(1).map(Name::new))
        .collect();
    let mut finder = Finder { text, pieces, found: vec![false; pieces.len()] };
    finder.program(&[]);
    if !names.is_empty() {
        finder.program(&names);
    }
    finder.found
}

struct Finder<'a> {
    text: &'a str,
    pieces: &'a [Piece],
    found: Vec<bool>,
}

impl Finder<'_> {
    fn program(&mut self, defines: &[Name]) {
        self.items(&parse(self.text, defines).items);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            let at = &item.positions;
            match &item.kind {
                ItemKind::Function(function) => {
                    self.arena(&function.signature.arena, at);
                    if let Some(body) = &function.body {
                        self.arena(&body.arena, at);
                    }
                }
                ItemKind::Global(global) => self.arena(&global.arena, at),
                ItemKind::Impl(block) => self.items(&block.members),
                ItemKind::Namespace(inner) => self.items(inner),
                _ => {}
            }
        }
    }

    fn arena(&mut self, arena: &Arena, positions: &Positions) {
        let end = |id: ExprId| usize::from(positions.0.get(arena[id].at).end());
        for expr in &arena.exprs {
            match &expr.kind {
                // `||` is left alone.
                ExprKind::Binary(op, left, _) if op.symbol() != "||" => {
                    self.mark(end(*left), op.symbol());
                }
                ExprKind::Ternary(condition, then, _) => {
                    self.mark(end(*condition), "?");
                    self.mark(end(*then), ":");
                }
                _ => {}
            }
        }
    }

    /// Marks the first piece after an operand, if it is this operator: operands in interpolations
    /// have none.
    fn mark(&mut self, operand_end: usize, symbol: &str) {
        let first = self.pieces.partition_point(|piece| piece.start < operand_end);
        let mut after = (first..self.pieces.len())
            .filter(|n| !self.pieces[*n].is_comment() && !self.pieces[*n].is(T::RParen));
        if let Some(n) = after.next()
            && self.pieces[n].text(self.text) == symbol
        {
            self.found[n] = true;
        }
    }
}
