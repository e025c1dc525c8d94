//! Moves, borrows, `const`, and assignment. Checked in source order while the body is typed.

use super::{
    common::{base, is_error},
    ctx::Ctx,
};
use crate::{
    decl::{self, Resolution},
    thir::{ExprId, ExprKind, LocalId, LocalKind},
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_syntax::ast::{self, BinaryOp, UnaryOp};

/// What happens to a variable where it is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// It is read, or its address is taken.
    Read,
    /// It is the target of an assignment.
    Assign,
    /// It is the operand of `++` or `--`.
    Modify,
}

/// Why a place cannot be written.
pub(crate) enum Const {
    /// It belongs to this constant, or const field.
    Variable(Name),
    /// It belongs to this macro.
    Macro(Name),
    /// It is behind a pointer to const.
    Pointer,
}

impl<'a> Ctx<'a> {
    /// The local variable that an expression is the plain name of.
    pub fn plain_local(&self, id: ast::ExprId) -> Option<LocalId> {
        match &self.arena[self.strip(id)].kind {
            ast::ExprKind::Path(path, args) if args.is_empty() && path.segments.len() == 1 => {
                self.lookup_outer(path.segments[0].name)
            }
            _ => None,
        }
    }

    /// `&x` of a plain local variable.
    fn plain_address(&self, id: ast::ExprId) -> Option<LocalId> {
        match self.arena[self.strip(id)].kind {
            ast::ExprKind::Unary(UnaryOp::AddrOf, operand) => self.plain_local(operand),
            _ => None,
        }
    }

    /// Marks a variable as borrowed from here on.
    pub fn borrow(&mut self, local: LocalId, at: At) {
        self.vars[local.0 as usize].borrowed = true;
        self.vars[local.0 as usize].borrowed_at = Some(at);
    }

    /// To be called before an expression where `&x` lasts only as long as the expression around it,
    /// whose end is [`Ctx::end_borrow`].
    pub fn borrow_state(&self, id: ast::ExprId) -> Option<LocalId> {
        self.plain_address(id).filter(|local| !self.vars[local.0 as usize].borrowed)
    }

    /// Ends a short borrow.
    pub fn end_borrow(&mut self, state: Option<LocalId>) {
        if let Some(local) = state {
            self.vars[local.0 as usize].borrowed = false;
        }
    }

    /// Reports a use of a variable that its state forbids.
    pub fn check_use(&mut self, local: LocalId, at: At, how: Use) {
        let var = &self.vars[local.0 as usize];
        let name = self.locals[local.0 as usize].name;
        let moved = (var.moved_at, "moved here");
        let borrowed = (var.borrowed_at, "borrowed here");
        let (message, note) = match how {
            Use::Assign if var.moved => {
                (format!("Cannot assign to moved variable '{name}'"), moved)
            }
            _ if var.moved => (format!("Variable '{name}' used after move"), moved),
            Use::Assign if var.is_const => {
                let note = (var.declared, "declared here");
                (format!("Cannot assign to const variable '{name}'"), note)
            }
            Use::Modify if var.is_const => return,
            Use::Assign if var.borrowed => {
                (format!("Cannot assign to '{name}' while it is borrowed"), borrowed)
            }
            Use::Modify if var.borrowed => {
                (format!("Cannot modify '{name}' while it is borrowed"), borrowed)
            }
            _ => return,
        };
        self.report(at, message);
        self.explain(note.0, note.1);
        self.poisoned = true;
    }

    /// `move e`.
    pub fn move_value(&mut self, id: ast::ExprId, at: At, expected: Option<Ty>) -> ExprId {
        let Some(local) = self.plain_local(id) else { return self.expr(id, expected) };
        let expr = self.expr(id, expected);
        let own = self.vars[local.0 as usize].frame == self.frame();
        let fixed = matches!(self.locals[local.0 as usize].kind, LocalKind::Static(_));
        if !own || fixed {
            return expr;
        }
        let var = &mut self.vars[local.0 as usize];
        if var.borrowed {
            let (name, borrowed) = (self.locals[local.0 as usize].name, var.borrowed_at);
            let moved = self.error(at, format!("Cannot move '{name}' while it is borrowed"));
            self.explain(borrowed, "borrowed here");
            return moved;
        }
        var.moved = true;
        var.moved_at = Some(at);
        self.locals[local.0 as usize].moved = true;
        self.moved_here(local, at);
        let ty = self.ty(expr);
        self.push(ty, at, ExprKind::Move(local))
    }

    /// An expression that is to be written.
    pub fn place(&mut self, id: ast::ExprId, how: Use) -> ExprId {
        let stripped = self.strip(id);
        if let ast::ExprKind::Path(path, args) = &self.arena[stripped].kind
            && let ([only], true) = (path.segments.as_slice(), args.is_empty())
            && let Some(local) = self.lookup(only.name)
        {
            return self.local(local, self.arena[stripped].at, how);
        }
        self.expr(id, None)
    }

    /// Why the place that an expression is cannot be written.
    pub fn const_place(&self, expr: ExprId) -> Option<Const> {
        match *self.kind(expr) {
            ExprKind::Local(local) => {
                let is_const = self.vars[local.0 as usize].is_const;
                is_const.then(|| Const::Variable(self.locals[local.0 as usize].name))
            }
            ExprKind::Global(ref def) => match crate::global_use(self.db, **def) {
                Some(global) if global.constant.is_some() => {
                    let name = def.path.rsplit("::").next().unwrap_or_default();
                    Some(Const::Variable(Name::new(name)))
                }
                _ => None,
            },
            ExprKind::Deref(pointer) => {
                if self.is_const_pointer(pointer) {
                    Some(Const::Pointer)
                } else {
                    None
                }
            }
            ExprKind::Index(base, _) => match *self.ty(base) {
                TyKind::Pointer { .. } => self.is_const_pointer(base).then_some(Const::Pointer),
                _ => self.const_place(base),
            },
            ExprKind::Field(base, index) => {
                let ty = self.ty(base);
                let info = decl::struct_type(self.db, ty)?;
                let (name, _) = info.fields.get(index as usize)?;
                match decl::field(self.db, ty, *name) {
                    Some(field) if field.is_const => Some(Const::Variable(*name)),
                    _ => self.const_place(base),
                }
            }
            _ => None,
        }
    }

    fn is_const_pointer(&self, expr: ExprId) -> bool {
        matches!(*self.ty(expr), TyKind::Pointer { is_const: true, .. })
    }

    /// The constant that a place belongs to, also if its value stands for it.
    pub fn constant_behind(&mut self, place: ExprId, id: ast::ExprId) -> Option<Const> {
        match self.const_place(place) {
            Some(Const::Pointer) => None,
            Some(constant) => Some(constant),
            None if self.is_place(place) => None,
            None => self.const_root(id),
        }
    }

    /// The constant at the root of a chain of members and elements.
    fn const_root(&mut self, id: ast::ExprId) -> Option<Const> {
        match &self.arena[id].kind {
            ast::ExprKind::Paren(inner)
            | ast::ExprKind::Field { base: inner, .. }
            | ast::ExprKind::Index(inner, _) => self.const_root(*inner),
            ast::ExprKind::Path(path, _) => match self.resolve(path) {
                Ok(Resolution::Global(def)) => {
                    let name = path.segments.last()?.name;
                    let item = decl::item(self.db, def).as_ref()?;
                    Some(match &item.kind {
                        decl::ItemKind::Global(node) if node.kind == ast::GlobalKind::Macro => {
                            Const::Macro(name)
                        }
                        _ => Const::Variable(name),
                    })
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Reports what cannot be assigned to. True if nothing was reported.
    pub fn check_place(&mut self, place: ExprId, id: ast::ExprId, at: At) -> bool {
        if is_error(self.ty(place)) {
            return true;
        }
        let plain = matches!(self.kind(place), ExprKind::Local(_));
        let constant = match self.const_place(place) {
            // The variable's own state was checked where it was named.
            Some(Const::Variable(_)) if plain => return true,
            None if self.is_place(place) => return true,
            None => self.const_root(id),
            constant => constant,
        };
        let message = match constant {
            Some(Const::Variable(name)) => format!("Cannot assign to const variable '{name}'"),
            Some(Const::Macro(name)) => format!("Cannot assign to macro '{name}'"),
            Some(Const::Pointer) => "Cannot assign through pointer to const".to_owned(),
            None => "Cannot assign to this expression".to_owned(),
        };
        self.report(at, message);
        self.poisoned = true;
        false
    }

    /// `a = b`.
    pub fn assign(&mut self, left: ast::ExprId, right: ast::ExprId, at: At) -> ExprId {
        let place = self.place(left, Use::Assign);
        let ty = self.ty(place);
        let fits = self.check_place(place, left, at);
        let value = self.expr_as(right, ty, at, |from| {
            format!("Assignment type mismatch: expected '{ty}', got '{from}'")
        });
        if !fits || is_error(ty) {
            return self.poison(at);
        }
        self.check_escape(left, right, at);
        self.push(ty, at, ExprKind::Assign(place, value))
    }

    /// `p = &x` where `p` outlives `x`.
    fn check_escape(&mut self, left: ast::ExprId, right: ast::ExprId, at: At) {
        let (Some(p), Some(x)) = (self.plain_local(left), self.plain_address(right)) else {
            return;
        };
        let depth = |local: LocalId| self.vars[local.0 as usize].depth;
        let fixed = matches!(self.locals[x.0 as usize].kind, LocalKind::Static(_));
        if depth(p) < depth(x) && !fixed {
            let (x, p) = (self.locals[x.0 as usize].name, self.locals[p.0 as usize].name);
            self.report(
                at,
                format!(
                    "Cannot store reference to '{x}' in '{p}': '{x}' may be dropped while '{p}' is still alive"
                ),
            );
        }
    }

    /// `return &x` of a variable of the function.
    pub fn check_returned(&mut self, id: ast::ExprId, at: At) {
        let Some(x) = self.plain_address(id) else { return };
        let Some(local) = self.locals.get(x.0 as usize) else { return };
        if !matches!(local.kind, LocalKind::Static(_)) {
            let name = local.name;
            self.report(
                at,
                format!(
                    "Cannot return reference to local variable '{name}': variable will be dropped when function returns"
                ),
            );
        }
    }

    /// `a op= b`.
    pub fn assign_op(
        &mut self,
        op: BinaryOp,
        left: ast::ExprId,
        right: ast::ExprId,
        at: At,
    ) -> ExprId {
        let place = self.place(left, Use::Assign);
        let ty = self.ty(place);
        let fits = self.check_place(place, left, at);
        let value = self.expr(right, self.operand_hint(ty));
        let operand_ty = self.ty(value);
        if !fits || is_error(ty) || is_error(operand_ty) {
            return self.poison(at);
        }
        let old = self.hidden("old", ty);
        // The operand may be a constant, whose type alone matters here.
        let operand = self.hidden("operand", operand_ty);
        let left = self.push(ty, at, ExprKind::Local(old));
        let right = self.push(operand_ty, at, ExprKind::Local(operand));
        let is_struct = matches!(*base(ty), TyKind::Struct(..));
        if is_struct && self.binary_method(ty, op).is_none() {
            let symbol = op.symbol();
            return self.error(at, format!("Type '{ty}' does not implement operator '{symbol}'"));
        }
        let result = self.binary_values(op, left, right, at, false);
        let Some(result) = self.coerce(result, ty, false) else {
            let from = self.ty(result);
            return self
                .error(at, format!("Assignment type mismatch: expected '{ty}', got '{from}'"));
        };
        if self.bad(result) {
            return self.poison(at);
        }
        self.push(ty, at, ExprKind::AssignOp { place, value, old, operand, result })
    }

    /// Untyped literals on the right of `op=` take the type of the left side.
    fn operand_hint(&self, ty: Ty) -> Option<Ty> {
        matches!(*ty, TyKind::Struct(..) | TyKind::Array(..) | TyKind::Slice(_)).then_some(ty)
    }
}
