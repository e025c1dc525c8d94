//! Text from values.

use super::{Lower, guard};
use crate::{
    builder::{number, pointer, string, text},
    consts::until_nul,
    types,
};
use cm_hir::{
    thir::{ExprId, ExprKind, TemplatePart},
    ty as hir,
};
use cm_mir::{
    mir::{ConstValue, Operand},
    runtime::{FormatSpec, Rt},
    ty::{self as mty, TyKind},
};

/// A piece of a flattened template.
enum Piece {
    Text(String),
    Value(ExprId, FormatSpec),
}

impl Lower<'_, '_> {
    /// A template; templates inside it become part of it.
    pub(super) fn template(&mut self, parts: &[TemplatePart]) -> Operand {
        let mut pieces = Vec::new();
        self.flatten(parts, &mut pieces);
        match pieces.as_slice() {
            [] => text(""),
            [piece] => self.piece(piece),
            pieces => self.concat(pieces),
        }
    }

    fn flatten(&self, parts: &[TemplatePart], pieces: &mut Vec<Piece>) {
        guard(|| {
            for part in parts {
                match part {
                    TemplatePart::Text(more) => match pieces.last_mut() {
                        Some(Piece::Text(text)) => text.push_str(more),
                        _ if more.is_empty() => {}
                        _ => pieces.push(Piece::Text(more.to_string())),
                    },
                    TemplatePart::Value(value, spec) => match self.kind(*value) {
                        ExprKind::Template(inner) if *spec == FormatSpec::default() => {
                            self.flatten(inner, pieces);
                        }
                        _ => pieces.push(Piece::Value(*value, *spec)),
                    },
                }
            }
        });
    }

    fn concat(&mut self, pieces: &[Piece]) -> Operand {
        let writes = |this: &mut Self, piece: &Piece| match piece {
            Piece::Text(_) => false,
            Piece::Value(value, _) => this.cx.writes(*value),
        };
        let last = pieces.iter().rposition(|piece| writes(self, piece)).unwrap_or(0);
        let mut operands = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            let operand = self.piece(piece);
            let stable = index < last;
            operands.push(if stable { self.builder.stable(operand, string()) } else { operand });
        }
        let rt = if pieces.len() == 2 { Rt::StrConcat } else { Rt::StrConcatN };
        self.builder.runtime(rt, operands)
    }

    fn piece(&mut self, piece: &Piece) -> Operand {
        match piece {
            Piece::Text(piece) => text(until_nul(piece)),
            Piece::Value(value, spec) => {
                let operand = self.operand(*value);
                let ty = self.hir_ty(*value);
                match types::underlying(ty).get() {
                    hir::TyKind::Char => {
                        let packed = number(spec.pack());
                        self.builder.runtime(Rt::FmtChar, vec![operand, packed])
                    }
                    hir::TyKind::CStr => {
                        let copy = self.builder.runtime(Rt::StrFromC, vec![operand]);
                        self.format(copy, string(), *spec)
                    }
                    _ => {
                        let ty = self.cx.ty(ty);
                        self.format(operand, ty, *spec)
                    }
                }
            }
        }
    }

    fn format(&mut self, operand: Operand, ty: mty::Ty, spec: FormatSpec) -> Operand {
        let packed = number(spec.pack());
        let width = |bits: u8| Operand::constant(TyKind::signed(32), ConstValue::Int(bits.into()));
        match ty.get() {
            TyKind::Int { bits, signed: true } => {
                let value = self.builder.cast(operand, ty, TyKind::signed(64));
                self.builder.runtime(Rt::FmtSigned, vec![value, width(*bits), packed])
            }
            TyKind::Int { bits, signed: false } => {
                let value = self.builder.cast(operand, ty, TyKind::unsigned(64));
                self.builder.runtime(Rt::FmtUnsigned, vec![value, width(*bits), packed])
            }
            TyKind::F32 | TyKind::F64 => {
                let value = self.builder.cast(operand, ty, TyKind::F64.intern());
                self.builder.runtime(Rt::FmtFloat, vec![value, packed])
            }
            TyKind::Bool => self.builder.runtime(Rt::FmtBool, vec![operand, packed]),
            TyKind::Str if spec == FormatSpec::default() => operand,
            TyKind::Str => self.builder.runtime(Rt::FmtStr, vec![operand, packed]),
            TyKind::Func => {
                let code = self.code(operand);
                self.format(code, pointer(), spec)
            }
            _ => {
                let value = self.builder.cast(operand, ty, TyKind::unsigned(64));
                self.builder.runtime(Rt::FmtUnsigned, vec![value, width(64), packed])
            }
        }
    }
}
