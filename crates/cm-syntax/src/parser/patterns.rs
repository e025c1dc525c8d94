//! `match`, `switch` and their patterns.

use super::{Parse, Parser};
use crate::{
    ast::{
        ArmBody, CasePattern, ExprId, ExprKind, Match, MatchArm, Path, Pattern, PatternKind,
        StmtKind, SwitchCase, UnaryOp,
    },
    token::TokenKind as T,
};

impl Parser<'_> {
    pub(super) fn match_expr(&mut self) -> Parse<ExprKind> {
        self.expect(T::Match)?;
        let scrutinee = self.bare_scrutinee()?;
        self.expect(T::LBrace)?;
        let mut arms = Vec::new();
        while !matches!(self.kind(), T::RBrace | T::Eof) {
            let start = self.mark();
            match self.match_arm() {
                Ok(arm) => arms.push(arm),
                Err(_) => {
                    self.skip_arm(start);
                    if self.at_item() {
                        break;
                    }
                }
            }
        }
        self.expect(T::RBrace)?;
        Ok(ExprKind::Match(Box::new(Match { scrutinee, arms })))
    }

    fn match_arm(&mut self) -> Parse<MatchArm> {
        let start = self.start();
        let mut patterns = vec![self.pattern()?];
        while self.eat(T::Pipe) {
            patterns.push(self.pattern()?);
        }
        let guard = match self.eat(T::If) {
            true => Some(self.guard()?),
            false => None,
        };
        self.expect(T::FatArrow)?;
        let no_struct = std::mem::replace(&mut self.no_struct, false);
        let in_guard = std::mem::replace(&mut self.in_guard, false);
        let body = self.arm_body();
        self.no_struct = no_struct;
        self.in_guard = in_guard;
        let body = body?;
        let at = self.span(start);
        let block = matches!(body, ArmBody::Block(_));
        if !self.eat(T::Comma) && !block && self.kind() != T::RBrace {
            return Err(self.error("Expected ','"));
        }
        Ok(MatchArm { at, patterns, guard, body })
    }

    fn guard(&mut self) -> Parse<ExprId> {
        let no_struct = std::mem::replace(&mut self.no_struct, false);
        let in_guard = std::mem::replace(&mut self.in_guard, true);
        let guard = self.expr();
        self.no_struct = no_struct;
        self.in_guard = in_guard;
        guard
    }

    fn pattern(&mut self) -> Parse<Pattern> {
        let start = self.start();
        let kind = match self.kind() {
            T::Ident if self.token_text(self.token()) == "_" => {
                self.bump();
                PatternKind::Wildcard
            }
            T::Ident => self.path_pattern()?,
            T::Null => {
                self.bump();
                PatternKind::Null
            }
            _ => {
                let low = self.pattern_literal()?;
                match self.eat(T::Ellipsis) {
                    true => PatternKind::Range(low, self.pattern_literal()?),
                    false => PatternKind::Literal(low),
                }
            }
        };
        Ok(Pattern { at: self.span(start), kind })
    }

    fn path_pattern(&mut self) -> Parse<PatternKind> {
        let path = self.path()?;
        if path.segments.len() == 1 && !self.kind().is_lparen() {
            return Ok(PatternKind::Binding(path.segments[0]));
        }
        let mut binding = None;
        if self.kind().is_lparen() {
            self.bump();
            let name = self.ident()?;
            binding = (name.name != "_").then_some(name);
            self.expect(T::RParen)?;
        }
        Ok(PatternKind::Variant { path, binding })
    }

    /// A literal, or a number after `-`.
    fn pattern_literal(&mut self) -> Parse<ExprId> {
        let start = self.start();
        match (self.kind(), self.peek(1)) {
            (T::Minus, T::Int | T::Float) => {
                self.bump();
                let number = self.primary()?;
                Ok(self.expr_from(start, ExprKind::Unary(UnaryOp::Neg, number)))
            }
            (T::Int | T::Float | T::Char | T::True | T::False | T::Error, _) => self.primary(),
            (kind, _) if kind.is_string() => self.primary(),
            _ => Err(self.error("Expected pattern")),
        }
    }

    // ------------------------------------------------------------ switch

    pub(super) fn switch_stmt(&mut self) -> Parse<StmtKind> {
        self.expect(T::Switch)?;
        let scrutinee = self.condition()?;
        self.expect(T::LBrace)?;
        let mut cases = Vec::new();
        let mut has_else = false;
        while matches!(self.kind(), T::Case | T::Else) {
            let token = self.token();
            let case = self.switch_case()?;
            if case.patterns.is_none() && std::mem::replace(&mut has_else, true) {
                self.error_at(token.range(), "Duplicate else in switch");
            }
            cases.push(case);
        }
        if self.kind() != T::RBrace {
            return Err(self.error("Expected 'case', 'else' or '}'"));
        }
        self.bump();
        Ok(StmtKind::Switch { scrutinee, cases })
    }

    fn switch_case(&mut self) -> Parse<SwitchCase> {
        let start = self.start();
        let patterns = match self.bump().kind {
            T::Case => {
                self.expect_lparen()?;
                let mut patterns = vec![self.case_pattern()?];
                while self.eat(T::Pipe) {
                    patterns.push(self.case_pattern()?);
                }
                self.expect(T::RParen)?;
                Some(patterns)
            }
            _ => None,
        };
        let body = self.block()?;
        Ok(SwitchCase { at: self.span(start), patterns, body })
    }

    fn case_pattern(&mut self) -> Parse<CasePattern> {
        let low = self.case_value()?;
        let high = match self.eat(T::Ellipsis) {
            true => Some(self.case_value()?),
            false => None,
        };
        Ok(CasePattern { low, high })
    }

    fn case_value(&mut self) -> Parse<ExprId> {
        if self.kind() != T::Ident {
            return self.pattern_literal();
        }
        let start = self.start();
        let path: Path = self.path()?;
        Ok(self.expr_from(start, ExprKind::Path(path, Default::default())))
    }
}
