//! Interpolated strings and everything that turns values into text.

use super::{
    common::{TY, is_error},
    ctx::Ctx,
    text,
};
use crate::{
    decl,
    thir::{Builtin, ConstValue, Conversion, ExprId, ExprKind, TemplatePart},
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_mir::runtime::FormatSpec;
use cm_syntax::ast;
use thin_vec::{ThinVec, thin_vec};

impl Ctx<'_> {
    /// A string with interpolations.
    pub fn template(&mut self, parts: &[ast::TemplatePart], at: At) -> ExprId {
        let mut out = Vec::with_capacity(parts.len());
        let mut bad = false;
        for part in parts {
            match part {
                ast::TemplatePart::Text(text) => out.push(TemplatePart::Text(*text)),
                ast::TemplatePart::Hole { expr, spec } => match self.hole(*expr, *spec, at) {
                    Some(part) => out.push(part),
                    None => bad = true,
                },
            }
        }
        if bad {
            return self.poison(at);
        }
        self.push(TY.str, at, ExprKind::Template(out.into()))
    }

    fn hole(&mut self, id: ast::ExprId, spec: Option<ast::Ident>, at: At) -> Option<TemplatePart> {
        let borrow = self.borrow_state(id);
        let expr = self.expr(id, None);
        self.end_borrow(borrow);
        let Some(written) = spec.filter(|spec| !spec.name.is_empty()) else {
            return self.text_part(expr, FormatSpec::default(), at);
        };
        let value = self.textual(expr, at)?;
        let ty = self.ty(value);
        match text::parse_spec(&written.name) {
            Some(spec) if text::spec_fits(spec, ty) => Some(TemplatePart::Value(value, spec)),
            Some(_) => {
                let name = written.name;
                self.report(written.at, format!("Format spec '{name}' does not fit type '{ty}'"));
                None
            }
            None => {
                self.report(written.at, format!("Invalid format spec '{}'", written.name));
                None
            }
        }
    }

    /// An expression as one whose type has a textual form. `None`: it has none, which was reported.
    pub fn textual(&mut self, expr: ExprId, at: At) -> Option<ExprId> {
        let expr = self.decay(expr);
        let ty = self.ty(expr);
        if is_error(ty) {
            return None;
        }
        match *ty {
            TyKind::Int(_)
            | TyKind::Float(_)
            | TyKind::Bool
            | TyKind::Char
            | TyKind::Str
            | TyKind::Pointer { .. } => Some(expr),
            TyKind::CStr => Some(self.convert(expr, Conversion::StrFromC, TY.str)),
            TyKind::Enum(..) if self.is_plain_enum(ty) => Some(expr),
            TyKind::Struct(..) | TyKind::Enum(..) => {
                let text = self.display(expr, ty, at);
                if text.is_none() {
                    self.no_text(ty, at);
                }
                text
            }
            _ => {
                self.no_text(ty, at);
                None
            }
        }
    }

    fn no_text(&mut self, ty: Ty, at: At) {
        self.report(at, format!("Type '{ty}' cannot be converted to text"));
        self.poisoned = true;
    }

    /// `x.toString()` of a type with `Display`.
    fn display(&mut self, expr: ExprId, ty: Ty, at: At) -> Option<ExprId> {
        let display = TyKind::BuiltinInterface(Name::new("Display")).intern();
        decl::implements(self.db, ty, display)?;
        let method = decl::method(self.db, ty, Name::new("toString"))?;
        let instance = self.instance(&method, &[]);
        let kind = ExprKind::MethodCall {
            method: Box::new(instance),
            receiver: expr,
            args: ThinVec::new(),
        };
        Some(self.push(TY.str, at, kind))
    }

    /// A call of `print` or `println`.
    pub fn print(&mut self, name: Name, args: &[ast::ExprId], at: At) -> ExprId {
        let builtin = if name == "println" { Builtin::Println } else { Builtin::Print };
        let argument = match args {
            [] if builtin == Builtin::Println => {
                self.constant(TY.str, at, ConstValue::Str(Name::new("")))
            }
            [] => return self.error(at, "'print' requires at least 1 argument"),
            [only] => {
                let borrow = self.borrow_state(*only);
                let value = self.expr(*only, None);
                self.end_borrow(borrow);
                let Some(value) = self.textual(value, at) else { return self.poison(at) };
                match self.ty(value) == TY.str {
                    true => value,
                    false => {
                        let part = TemplatePart::Value(value, FormatSpec::default());
                        self.push(TY.str, at, ExprKind::Template(thin_vec![part]))
                    }
                }
            }
            many => {
                for arg in many {
                    self.expr(*arg, None);
                }
                let got = many.len();
                return self.error(at, format!("'{name}' takes only 1 argument, got {got}"));
            }
        };
        self.push(TY.void, at, ExprKind::builtin(builtin, vec![argument]))
    }
}
