//! Intrinsics: `__name__(…)`, which only the bundled library can call (`11-standard-library.md`).
//! They are what Cm itself cannot say, memory without a value in it above all.

use super::{
    calls::Callee,
    common::{TY, pointer},
    ctx::Ctx,
};
use crate::{
    thir::{Builtin, ExprId, ExprKind},
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_syntax::ast;

impl Ctx<'_> {
    /// Whether a name means an intrinsic here.
    pub(super) fn is_intrinsic(&self, path: &ast::Path) -> bool {
        let [only] = path.segments.as_slice() else { return false };
        self.scope.file.0.starts_with('@')
            && only.name.starts_with("__")
            && only.name.ends_with("__")
    }

    /// A call of an intrinsic.
    pub(super) fn intrinsic(&mut self, name: Name, args: &[ast::ExprId], at: At) -> ExprId {
        match (name.as_str(), args) {
            ("__destroy__", [place]) => self.on_place(name, *place, None, at),
            ("__take__", [place]) => self.on_place(name, *place, None, at),
            ("__write__", [place, value]) => self.on_place(name, *place, Some(*value), at),
            ("__hash__", [value]) => {
                let value = self.expr(*value, None);
                self.wide_hash_of(value, at)
            }
            ("__eprint__" | "__panic__", [_]) => self.plain(name, args, &[TY.str], TY.void, at),
            ("__string__", [_, _]) => {
                let bytes = pointer(TY.char, true);
                self.plain(name, args, &[bytes, TY.long], TY.str, at)
            }
            _ => self.error(at, format!("'{name}' is no intrinsic with {} arguments", args.len())),
        }
    }

    /// An intrinsic whose first argument points to the place it is about.
    fn on_place(
        &mut self,
        name: Name,
        place: ast::ExprId,
        value: Option<ast::ExprId>,
        at: At,
    ) -> ExprId {
        let borrow = self.borrow_state(place);
        let place = self.expr(place, None);
        self.end_borrow(borrow);
        let TyKind::Pointer { to, .. } = *self.ty(place) else {
            return match self.bad(place) {
                true => self.poison(at),
                false => self.error(at, format!("'{name}' wants a pointer")),
            };
        };
        let mut args = vec![place];
        if let Some(value) = value {
            let callee = Callee::Function(name);
            args.push(self.expr_as(value, to, at, |from| callee.mismatch(to, from)));
        }
        let ret = if name == "__take__" { to } else { TY.void };
        let builtin = Builtin::Intrinsic(name, Some(to));
        self.push(ret, at, ExprKind::builtin(builtin, args))
    }

    fn plain(
        &mut self,
        name: Name,
        args: &[ast::ExprId],
        params: &[Ty],
        ret: Ty,
        at: At,
    ) -> ExprId {
        let callee = Callee::Function(name);
        let args = args.iter().zip(params);
        let args = args.map(|(arg, param)| {
            self.expr_as(*arg, *param, at, |from| callee.mismatch(*param, from))
        });
        let args = args.collect();
        self.push(ret, at, ExprKind::builtin(Builtin::Intrinsic(name, None), args))
    }
}
