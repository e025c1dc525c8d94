//! Types.

use super::{Failed, Parse, Parser};
use crate::{
    ast::{ArrayLen, Ident, Path, Primitive, TypeArg, TypeId, TypeKind},
    token::TokenKind as T,
};

/// Where a type stands, which decides what its suffixes may be.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Anywhere.
    Plain,
    /// After `as`: `&` is an operator, and `<` only opens arguments if they are closed.
    Cast,
    /// After `operator`: a symbol that `(` follows is the operator.
    Operator,
}

/// `int*[3]*…`: what comes after works on types by recursion.
const MAX_SUFFIXES: usize = 256;

impl Parser<'_> {
    /// A type or a union of types.
    pub(super) fn ty(&mut self) -> Parse<TypeId> {
        let start = self.start();
        let first = self.plain_type()?;
        if self.kind() != T::Pipe {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.eat(T::Pipe) {
            members.push(self.plain_type()?);
        }
        Ok(self.type_from(start, TypeKind::Union(members)))
    }

    /// The type of a declaration, whose `const` belongs to what is declared (and, before a
    /// pointer, to its pointee too).
    pub(super) fn declared_type(&mut self) -> Parse<(bool, TypeId)> {
        let is_const = self.kind() == T::Const;
        Ok((is_const, self.ty()?))
    }

    pub(super) fn plain_type(&mut self) -> Parse<TypeId> {
        self.nested(|this| this.type_at(Place::Plain))
    }
    pub(super) fn cast_type(&mut self) -> Parse<TypeId> {
        self.nested(|this| this.type_at(Place::Cast))
    }
    pub(super) fn operator_type(&mut self) -> Parse<TypeId> {
        self.nested(|this| this.type_at(Place::Operator))
    }

    fn type_at(&mut self, place: Place) -> Parse<TypeId> {
        self.unsupported(place);
        let start = self.start();
        let is_const = self.eat(T::Const);
        self.unsupported(place);
        let base = self.base_type(place)?;
        let pointee = matches!(self.kind(), T::Star if !self.peek(1).is_lparen())
            || self.kind() == T::Amp && place != Place::Cast;
        let ty = match is_const && pointee {
            true => self.type_from(start, TypeKind::Const(base)),
            false => base,
        };
        self.suffixes(start, ty, place)
    }

    /// Reports what some compilers take before a type, and goes on behind it.
    fn unsupported(&mut self, place: Place) {
        loop {
            match self.kind() {
                kind if is_unsupported(kind) => {
                    self.error(format_args!("'{}' is not supported", kind.text()));
                }
                T::Star if place != Place::Operator => {
                    self.error("'*T' is not supported: write 'T*'");
                }
                _ => return,
            }
            self.bump();
        }
    }

    fn base_type(&mut self, place: Place) -> Parse<TypeId> {
        let start = self.start();
        let kind = match self.kind() {
            T::Ident => {
                let path = self.path()?;
                let open = match (place, self.kind()) {
                    (Place::Cast, T::Lt) => self.at_type_arguments(),
                    (Place::Operator, T::Lt) => !self.peek(1).is_lparen(),
                    (_, kind) => kind == T::Lt,
                };
                let args = if open { self.type_arguments()? } else { Vec::new() };
                TypeKind::Path(path, args)
            }
            T::Auto => {
                self.bump();
                TypeKind::Auto
            }
            T::Null => {
                self.bump();
                TypeKind::Null
            }
            T::Typeof | T::TypeofUnder => {
                self.bump();
                self.expect_lparen()?;
                let operand = self.expr_inside()?;
                self.expect(T::RParen)?;
                TypeKind::Typeof(operand)
            }
            kind => match primitive(kind) {
                Some(primitive) => {
                    self.bump();
                    TypeKind::Primitive(primitive)
                }
                None => return Err(self.error("Expected type")),
            },
        };
        Ok(self.type_from(start, kind))
    }

    fn suffixes(&mut self, start: u32, mut ty: TypeId, place: Place) -> Parse<TypeId> {
        for _ in 0..MAX_SUFFIXES {
            let before_paren = self.peek(1).is_lparen();
            let kind = match self.kind() {
                T::Star | T::Amp if place == Place::Operator && before_paren => return Ok(ty),
                T::Star if before_paren => {
                    self.bump();
                    let params = self.function_params()?;
                    TypeKind::Function { ret: ty, params }
                }
                T::Star => {
                    self.bump();
                    TypeKind::Pointer(ty)
                }
                T::Amp if place != Place::Cast => {
                    self.bump();
                    TypeKind::Reference(ty)
                }
                T::LBracket => self.array_suffix(ty)?,
                _ => return Ok(ty),
            };
            ty = self.type_from(start, kind);
        }
        self.too_deep();
        Err(Failed)
    }

    fn function_params(&mut self) -> Parse<Vec<TypeId>> {
        self.expect_lparen()?;
        let mut params = Vec::new();
        while self.kind() != T::RParen {
            params.push(self.ty()?);
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::RParen)?;
        Ok(params)
    }

    fn array_suffix(&mut self, ty: TypeId) -> Parse<TypeKind> {
        self.expect(T::LBracket)?;
        let kind = match self.kind() {
            T::RBracket => TypeKind::Slice(ty),
            T::Int => {
                let length = self.int_value();
                TypeKind::Array(ty, ArrayLen::Number(length))
            }
            _ => TypeKind::Array(ty, ArrayLen::Named(self.ident()?)),
        };
        self.expect(T::RBracket)?;
        Ok(kind)
    }

    /// `<T, 4>`.
    pub(super) fn type_arguments(&mut self) -> Parse<Vec<TypeArg>> {
        self.expect(T::Lt)?;
        let mut args = Vec::new();
        loop {
            let start = self.start();
            args.push(match self.kind() {
                T::Int => {
                    let number = self.int_value();
                    TypeArg::Number(number, self.span(start))
                }
                _ => TypeArg::Type(self.ty()?),
            });
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect_gt()?;
        Ok(args)
    }

    /// `a::b::c`.
    pub(super) fn path(&mut self) -> Parse<Path> {
        let mut path = Path::from(self.ident()?);
        while self.eat(T::ColonColon) {
            path.segments.push(self.ident()?);
        }
        Ok(path)
    }

    /// The value of the integer here, which is taken.
    pub(super) fn int_value(&mut self) -> u64 {
        let token = self.bump();
        let text = self.token_text(token);
        let value = match text.as_bytes() {
            [b'0', b'x' | b'X', ..] => u64::from_str_radix(&text[2..], 16),
            [b'0', b'o' | b'O', ..] => u64::from_str_radix(&text[2..], 8),
            [b'0', b'b' | b'B', ..] => u64::from_str_radix(&text[2..], 2),
            _ => text.parse(),
        };
        value.unwrap_or_else(|_| {
            let message = format!("Invalid number '{text}': it does not fit into 64 bits");
            self.error_at(token.range(), message);
            0
        })
    }

    /// A name where a type parameter, an interface and the like stand.
    pub(super) fn ident_list(&mut self, separator: fn(T) -> bool) -> Parse<Vec<Ident>> {
        let mut names = vec![self.ident()?];
        while separator(self.kind()) {
            self.bump();
            names.push(self.ident()?);
        }
        Ok(names)
    }
}

/// Words that are reserved and may stand before a type in other languages.
pub(super) fn is_unsupported(kind: T) -> bool {
    matches!(kind, T::Mutable | T::Pub | T::Typename | T::Volatile)
}

fn primitive(kind: T) -> Option<Primitive> {
    Some(match kind {
        T::Void => Primitive::Void,
        T::Bool => Primitive::Bool,
        T::CharKw => Primitive::Char,
        T::StringKw => Primitive::String,
        T::Cstring => Primitive::Cstring,
        T::Tiny => Primitive::Tiny,
        T::Short => Primitive::Short,
        T::IntKw => Primitive::Int,
        T::Long => Primitive::Long,
        T::Utiny => Primitive::Utiny,
        T::Ushort => Primitive::Ushort,
        T::Uint => Primitive::Uint,
        T::Ulong => Primitive::Ulong,
        T::Isize => Primitive::Isize,
        T::Usize => Primitive::Usize,
        T::FloatKw => Primitive::Float,
        T::Double => Primitive::Double,
        T::Ufloat => Primitive::Ufloat,
        T::Udouble => Primitive::Udouble,
        _ => return None,
    })
}
