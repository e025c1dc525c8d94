//! Expressions.

use super::{Parse, Parser};
use crate::{
    ast::{ArmBody, BinaryOp, ExprId, ExprKind, Ident, Lambda, Literal, TypeId, TypeKind, UnaryOp},
    strings::char_value,
    token::TokenKind as T,
};
use thin_vec::ThinVec;

/// A binary operator and how tightly it binds.
fn binary_op(kind: T) -> Option<(BinaryOp, u8)> {
    Some(match kind {
        T::OrOr => (BinaryOp::Or, 1),
        T::AndAnd => (BinaryOp::And, 2),
        T::Pipe => (BinaryOp::BitOr, 3),
        T::Caret => (BinaryOp::BitXor, 4),
        T::Amp => (BinaryOp::BitAnd, 5),
        T::EqEq => (BinaryOp::Eq, 6),
        T::NotEq => (BinaryOp::Ne, 6),
        T::Lt => (BinaryOp::Lt, 7),
        T::Gt => (BinaryOp::Gt, 7),
        T::Le => (BinaryOp::Le, 7),
        T::Ge => (BinaryOp::Ge, 7),
        T::Shl => (BinaryOp::Shl, 8),
        T::Shr => (BinaryOp::Shr, 8),
        T::Plus => (BinaryOp::Add, 9),
        T::Minus => (BinaryOp::Sub, 9),
        T::Star => (BinaryOp::Mul, 10),
        T::Slash => (BinaryOp::Div, 10),
        T::Percent => (BinaryOp::Rem, 10),
        _ => return None,
    })
}

/// `=` and `op=`.
fn assign_op(kind: T) -> Option<Option<BinaryOp>> {
    Some(match kind {
        T::Assign => None,
        T::PlusAssign => Some(BinaryOp::Add),
        T::MinusAssign => Some(BinaryOp::Sub),
        T::StarAssign => Some(BinaryOp::Mul),
        T::SlashAssign => Some(BinaryOp::Div),
        T::PercentAssign => Some(BinaryOp::Rem),
        T::AmpAssign => Some(BinaryOp::BitAnd),
        T::PipeAssign => Some(BinaryOp::BitOr),
        T::CaretAssign => Some(BinaryOp::BitXor),
        T::ShlAssign => Some(BinaryOp::Shl),
        T::ShrAssign => Some(BinaryOp::Shr),
        _ => return None,
    })
}

fn unary_op(kind: T) -> Option<UnaryOp> {
    Some(match kind {
        T::Minus => UnaryOp::Neg,
        T::Bang => UnaryOp::Not,
        T::Tilde => UnaryOp::BitNot,
        T::Amp => UnaryOp::AddrOf,
        T::Star => UnaryOp::Deref,
        T::PlusPlus => UnaryOp::PreInc,
        T::MinusMinus => UnaryOp::PreDec,
        T::Move => UnaryOp::Move,
        T::Await => UnaryOp::Await,
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression between brackets or in a statement, where no outer restriction holds.
    pub(super) fn expr_inside(&mut self) -> Parse<ExprId> {
        let no_struct = std::mem::replace(&mut self.no_struct, false);
        let in_guard = std::mem::replace(&mut self.in_guard, false);
        let result = self.expr();
        self.no_struct = no_struct;
        self.in_guard = in_guard;
        result
    }

    pub(super) fn expr(&mut self) -> Parse<ExprId> {
        self.nested(|this| {
            let start = this.start();
            let left = this.conditional()?;
            let Some(op) = assign_op(this.kind()) else { return Ok(left) };
            this.bump();
            let right = this.expr()?;
            Ok(this.expr_from(start, ExprKind::Assign(op, left, right)))
        })
    }

    fn conditional(&mut self) -> Parse<ExprId> {
        let start = self.start();
        let cond = self.binary(1)?;
        if !self.eat(T::Question) {
            return Ok(cond);
        }
        let yes = self.expr()?;
        self.expect(T::Colon)?;
        let no = self.nested(Parser::conditional)?;
        Ok(self.expr_from(start, ExprKind::Ternary(cond, yes, no)))
    }

    /// Operators of at least this level.
    fn binary(&mut self, level: u8) -> Parse<ExprId> {
        let start = self.start();
        let mut left = self.cast()?;
        while let Some((op, own)) = binary_op(self.kind()).filter(|(_, own)| *own >= level) {
            self.bump();
            let right = self.binary(own + 1)?;
            left = self.expr_from(start, ExprKind::Binary(op, left, right));
        }
        Ok(left)
    }

    fn cast(&mut self) -> Parse<ExprId> {
        let start = self.start();
        let mut expr = self.unary()?;
        while self.eat(T::As) {
            let ty = self.cast_type()?;
            expr = self.expr_from(start, ExprKind::Cast(expr, ty));
        }
        Ok(expr)
    }

    pub(super) fn unary(&mut self) -> Parse<ExprId> {
        let Some(op) = unary_op(self.kind()) else { return self.postfix() };
        self.nested(|this| {
            let start = this.start();
            this.bump();
            let operand = this.unary()?;
            Ok(this.expr_from(start, ExprKind::Unary(op, operand)))
        })
    }

    pub(super) fn primary(&mut self) -> Parse<ExprId> {
        let start = self.start();
        let kind = match self.kind() {
            T::Ident => return self.path_expr(),
            T::Int => ExprKind::Literal(Literal::Int(self.int_value())),
            T::Float => {
                let token = self.bump();
                let value: f64 = self.token_text(token).parse().unwrap_or_default();
                ExprKind::Literal(Literal::Float(value.to_bits()))
            }
            T::Char => {
                let token = self.bump();
                ExprKind::Literal(Literal::Char(char_value(self.token_text(token))))
            }
            kind if kind.is_string() => return Ok(self.string()),
            T::True | T::False => ExprKind::Literal(Literal::Bool(self.bump().kind == T::True)),
            T::Null => self.word(ExprKind::Null),
            T::SelfKw => self.word(ExprKind::SelfValue),
            // The lexer has reported it.
            T::Error => self.word(ExprKind::Error),
            T::LBracket => {
                self.bump();
                ExprKind::Array(self.expr_list(T::RBracket, true)?)
            }
            T::LBrace if !self.no_struct => return self.struct_literal(start, None),
            T::LParenArrow if self.at_lambda() => {
                let params = self.lambda_params()?;
                self.expect(T::FatArrow)?;
                let body = self.arm_body()?;
                ExprKind::Lambda(Box::new(Lambda { params, body }))
            }
            T::LParen | T::LParenArrow => {
                self.bump();
                let inner = self.expr_inside()?;
                self.expect(T::RParen)?;
                ExprKind::Paren(inner)
            }
            T::Match => self.match_expr()?,
            T::Sizeof | T::SizeofUnder => self.query(ExprKind::SizeofType, ExprKind::SizeofExpr)?,
            T::Typeof | T::TypeofUnder | T::TypenameUnder => {
                self.query(ExprKind::TypeofType, ExprKind::TypeofExpr)?
            }
            T::AlignofUnder => {
                self.bump();
                self.expect_lparen()?;
                let ty = self.ty()?;
                self.expect(T::RParen)?;
                ExprKind::AlignofType(ty)
            }
            _ => return Err(self.error("Expected expression")),
        };
        Ok(self.expr_from(start, kind))
    }

    fn word(&mut self, kind: ExprKind) -> ExprKind {
        self.bump();
        kind
    }

    /// `sizeof(T)`, `sizeof(e)`.
    fn query(
        &mut self,
        of_type: fn(TypeId) -> ExprKind,
        of_expr: fn(ExprId) -> ExprKind,
    ) -> Parse<ExprKind> {
        self.bump();
        self.expect_lparen()?;
        let kind = match self.at_type_in_parens() {
            true => of_type(self.ty()?),
            false => of_expr(self.expr_inside()?),
        };
        self.expect(T::RParen)?;
        Ok(kind)
    }

    /// A name, with type arguments, as a member of a generic type, or with a struct literal.
    fn path_expr(&mut self) -> Parse<ExprId> {
        let start = self.start();
        let path = self.path()?;
        let args = match self.kind() {
            T::Lt if self.at_generic() => self.type_arguments()?,
            _ => Vec::new(),
        };
        if self.kind() == T::LBrace && !self.no_struct {
            let ty = self.type_from(start, TypeKind::Path(path, args));
            return self.struct_literal(start, Some(ty));
        }
        if !args.is_empty() && self.kind() == T::ColonColon {
            let ty = self.type_from(start, TypeKind::Path(path, args));
            self.bump();
            let member = self.ident()?;
            return Ok(self.expr_from(start, ExprKind::TypePath { ty, member }));
        }
        let at = match &path.segments[..] {
            [only] if args.is_empty() => only.at,
            _ => self.span(start),
        };
        Ok(self.expr_node(at, ExprKind::Path(path, args.into())))
    }

    /// The braces of a struct literal.
    fn struct_literal(&mut self, start: u32, ty: Option<TypeId>) -> Parse<ExprId> {
        let positional = match self.peek(1) {
            T::RBrace | T::Eof | T::Error => false,
            kind => !(kind == T::Ident || kind.is_keyword()) || self.peek(2) != T::Colon,
        };
        if positional {
            self.skip_group();
            let expr = self.expr_from(start, ExprKind::Error);
            let range = self.out.spans.get(self.out.arena[expr].at);
            self.error_at(range, "named initialization required in a struct literal");
            return Ok(expr);
        }
        self.expect(T::LBrace)?;
        let mut fields = ThinVec::new();
        while self.kind() != T::RBrace {
            let name = self.ident()?;
            self.expect(T::Colon)?;
            fields.push((name, self.expr_inside()?));
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::RBrace)?;
        Ok(self.expr_from(start, ExprKind::Struct { ty, fields }))
    }

    /// `(int a, string b)`.
    pub(super) fn lambda_params(&mut self) -> Parse<Vec<(Option<TypeId>, Ident)>> {
        self.expect_lparen()?;
        let mut params = Vec::new();
        while self.kind() != T::RParen {
            let bare = self.kind() == T::Ident && matches!(self.peek(1), T::Comma | T::RParen);
            let ty = if bare { None } else { Some(self.ty()?) };
            params.push((ty, self.ident()?));
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::RParen)?;
        Ok(params)
    }

    /// What follows `=>`.
    pub(super) fn arm_body(&mut self) -> Parse<ArmBody> {
        Ok(match self.kind() {
            T::LBrace => ArmBody::Block(self.block()?),
            _ => ArmBody::Expr(self.expr()?),
        })
    }
}
