//! Statements.

use super::{
    common::{TY, is_error},
    ctx::Ctx,
};
use crate::{
    decl,
    thir::{Block, ConstValue, ExprId, ExprKind, LocalId, LocalKind, Stmt, StmtKind},
    ty::{Ty, TyKind},
};
use cm_base::At;
use cm_syntax::ast::{self, StmtKind as Ast};

impl<'a> Ctx<'a> {
    /// Checks a statement and appends what it becomes.
    pub fn stmt(&mut self, stmt: &'a ast::Stmt, out: &mut Vec<Stmt>) {
        match stmt.kind {
            // No statements are in it.
            Ast::Expr(_) | Ast::Var(_) | Ast::Return(_) => self.stmt_kind(stmt, out),
            _ => stacker::maybe_grow(96 << 10, 2 << 20, || self.stmt_kind(stmt, out)),
        }
    }

    fn stmt_kind(&mut self, stmt: &'a ast::Stmt, out: &mut Vec<Stmt>) {
        let at = stmt.at;
        let kind = match &stmt.kind {
            Ast::Expr(expr) => StmtKind::Expr(self.expr(*expr, None)),
            Ast::Var(var) => match self.variable(var, at) {
                Some(kind) => kind,
                None => return,
            },
            Ast::Block(block) => StmtKind::Block(self.block(block)),
            Ast::Return(value) => {
                let kind = self.return_stmt(*value, at);
                self.path_ends();
                kind
            }
            Ast::Break => {
                self.leave_loop("break", at);
                self.path_leaves(false);
                StmtKind::Break
            }
            Ast::Continue => {
                self.leave_loop("continue", at);
                self.path_leaves(true);
                StmtKind::Continue
            }
            Ast::If { cond, then, otherwise } => {
                let cond = self.condition(*cond, at, "If condition must be bool");
                let (fork, mut ends) = (self.fork(), None);
                let then = self.block(then);
                self.next_way(&fork, &mut ends);
                let otherwise = otherwise.as_ref().map(|stmt| Box::new(self.one(stmt)));
                self.next_way(&fork, &mut ends);
                self.meet(ends);
                StmtKind::If(cond, then, otherwise)
            }
            Ast::While { cond, body } => {
                self.enter_round();
                let cond = self.condition(*cond, at, "While condition must be bool");
                let body = self.loop_body(body);
                self.leave_round();
                StmtKind::Loop { init: Vec::new(), cond: Some(cond), update: None, body }
            }
            Ast::For { init, cond, update, body } => {
                self.enter();
                let mut first = Vec::new();
                if let Some(init) = init {
                    self.stmt(init, &mut first);
                }
                self.enter_round();
                let cond = cond.map(|cond| self.condition(cond, at, "For condition must be bool"));
                let update = update.map(|update| self.expr(update, None));
                let body = self.loop_body(body);
                self.leave_round();
                self.leave();
                StmtKind::Loop { init: first, cond, update, body }
            }
            Ast::ForIn { ty, name, iterable, body } => self.for_in(*ty, *name, *iterable, body, at),
            Ast::Switch { scrutinee, cases } => self.switch(*scrutinee, cases),
            Ast::Defer(inner) => StmtKind::Defer(Box::new(self.defer(inner, at))),
            Ast::Must(block) => StmtKind::Must(self.block(block)),
            Ast::Asm(text) => self.asm(*text, at),
        };
        out.push(Stmt { at, kind });
    }

    /// A statement by itself, as after `else` and `defer`.
    fn one(&mut self, stmt: &'a ast::Stmt) -> Stmt {
        let mut out = Vec::new();
        self.stmt(stmt, &mut out);
        match out.pop() {
            Some(only) if out.is_empty() => only,
            last => {
                out.extend(last);
                Stmt { at: stmt.at, kind: StmtKind::Block(Block { stmts: out }) }
            }
        }
    }

    fn loop_body(&mut self, body: &'a ast::Block) -> Block {
        self.top().loops += 1;
        let body = self.block(body);
        self.top().loops -= 1;
        body
    }

    fn leave_loop(&mut self, word: &str, at: At) {
        let frame = self.top();
        if frame.loops == 0 {
            self.report(at, format!("'{word}' outside of a loop"));
        } else if frame.deferred && frame.loops <= frame.defer_loops {
            self.report(
                at,
                format!("'{word}' out of a deferred statement, outside of a loop in it"),
            );
        }
    }

    fn defer(&mut self, inner: &'a ast::Stmt, at: At) -> Stmt {
        let frame = self.top();
        let before = (frame.deferred, frame.defer_loops);
        if frame.deferred {
            self.report(at, "'defer' inside a deferred statement");
        }
        let frame = self.top();
        (frame.deferred, frame.defer_loops) = (true, frame.loops);
        self.enter();
        let stmt = self.one(inner);
        self.leave();
        let frame = self.top();
        (frame.deferred, frame.defer_loops) = before;
        stmt
    }

    fn return_stmt(&mut self, value: Option<ast::ExprId>, at: At) -> StmtKind {
        if self.top().deferred {
            self.report(at, "'return' inside a deferred statement");
        }
        let (declared, wanted) = (self.top().ret, self.top().wanted);
        let Some(id) = value else {
            match declared {
                Some(ret) if ret != TY.void && !is_error(ret) => {
                    self.report(at, "Missing return value");
                }
                Some(_) => {}
                None => self.top().ret = Some(TY.void),
            }
            return StmtKind::Return(None);
        };
        let Some(ret) = declared else {
            let value = self.expr(id, wanted);
            self.check_returned(id, at);
            let ty = self.ty(value);
            self.top().ret = Some(ty);
            return StmtKind::Return(Some(value));
        };
        let value = self.expr(id, Some(ret));
        self.check_returned(id, at);
        let from = self.ty(value);
        if ret == TY.void && from == TY.void {
            return StmtKind::Return(Some(value));
        }
        let value = match self.coerce(value, ret, false) {
            Some(value) => value,
            None => self.error(at, format!("Return type mismatch: expected '{ret}', got '{from}'")),
        };
        StmtKind::Return(Some(value))
    }

    // ---- variables

    fn variable(&mut self, var: &'a ast::VarDecl, at: At) -> Option<StmtKind> {
        let is_auto = self.is_auto(var.ty);
        let ty = match is_auto {
            true => TY.error,
            false => self.lower(var.ty),
        };
        if ty == TY.void && !is_auto {
            self.report(at, format!("Variable '{}' cannot have type 'void'", var.name.name));
            self.poisoned = true;
        }
        if let (ast::VarInit::Constructor(args), false) = (&var.init, is_auto) {
            return self.constructed(var, ty, args, at);
        }
        let value = match &var.init {
            ast::VarInit::Value(id) => Some(*id),
            _ => None,
        };
        let (ty, init) = match value {
            Some(id) if is_auto => {
                let init = self.expr(id, None);
                let mut ty = self.ty(init);
                if matches!(*ty, TyKind::Null) || ty == TY.void {
                    let name = var.name.name;
                    self.report(at, format!("Cannot infer type for 'auto' variable '{name}'"));
                    ty = TY.error;
                }
                (ty, Some(init))
            }
            Some(id) => {
                let name = var.name.name;
                let init = self.expr_as(id, ty, at, |from| {
                    format!(
                        "Type mismatch in variable declaration '{name}': expected '{ty}', got '{from}'"
                    )
                });
                (ty, Some(init))
            }
            None if is_auto => {
                let name = var.name.name;
                self.report(at, format!("Cannot infer type for 'auto' variable '{name}'"));
                self.poisoned = true;
                (TY.error, None)
            }
            None if matches!(*ty, TyKind::Struct(..)) => {
                return self.constructed(var, ty, &[], at);
            }
            None => (ty, None),
        };
        if var.is_static {
            self.static_variable(var, ty, init, at);
            return None;
        }
        let local = self.declare_variable(var, ty, LocalKind::Stack);
        if let (true, Some(init)) = (var.is_const, init) {
            self.vars[local.0 as usize].value = self.eval(init).ok();
        }
        Some(StmtKind::Let(local, init))
    }

    fn declare_variable(&mut self, var: &ast::VarDecl, ty: Ty, kind: LocalKind) -> LocalId {
        let local = self.declare(var.name, ty, kind);
        self.vars[local.0 as usize].is_const = var.is_const;
        local
    }

    fn static_variable(&mut self, var: &ast::VarDecl, ty: Ty, init: Option<ExprId>, at: At) {
        let value = match init.map(|init| self.eval(init)) {
            None => ConstValue::Zero,
            Some(Ok(value)) => value,
            Some(Err(why)) => {
                self.report_not_const(why, var.name.name, at);
                ConstValue::Zero
            }
        };
        let constant = var.is_const.then(|| value.clone());
        let local = self.declare_variable(var, ty, LocalKind::Static(value));
        self.vars[local.0 as usize].value = constant;
    }

    /// Reports an initializer that is no constant.
    pub fn report_not_const(
        &mut self,
        why: super::consteval::NotConst,
        name: cm_base::Name,
        at: At,
    ) {
        use super::consteval::NotConst;
        self.poisoned = true;
        match why {
            NotConst::NotConstant => {
                self.report(at, format!("Initializer of '{name}' must be a constant expression"));
            }
            NotConst::DivisionByZero => {
                self.report(at, format!("division by zero in the constant expression of '{name}'"))
            }
            NotConst::Reported => {}
        }
    }

    /// `T x;`, `T x(args);` of a struct type.
    fn constructed(
        &mut self,
        var: &'a ast::VarDecl,
        ty: Ty,
        args: &'a [ast::ExprId],
        at: At,
    ) -> Option<StmtKind> {
        if !matches!(*ty, TyKind::Struct(..)) {
            self.check_all(args);
            if !is_error(ty) && !args.is_empty() {
                self.report(
                    at,
                    format!(
                        "Type '{ty}' has no constructor: expects 0 arguments, got {}",
                        args.len()
                    ),
                );
            }
            let local = self.declare_variable(var, ty, LocalKind::Stack);
            return Some(StmtKind::Let(local, None));
        }
        if var.is_static {
            let found = self.constructor(ty, args, at);
            if !matches!(found, Some(None)) {
                let name = var.name.name;
                self.report(at, format!("Initializer of '{name}' must be a constant expression"));
            }
            self.static_variable(var, ty, None, at);
            return None;
        }
        let found = self.constructor(ty, args, at);
        self.poisoned |= found.is_none();
        let local = self.declare_variable(var, ty, LocalKind::Stack);
        Some(match found.flatten() {
            Some((instance, args)) => StmtKind::Construct(local, Box::new(instance), args),
            None => StmtKind::Let(local, None),
        })
    }

    fn is_auto(&self, ty: ast::TypeId) -> bool {
        match self.arena[ty].kind {
            ast::TypeKind::Auto => true,
            ast::TypeKind::Const(inner) => self.is_auto(inner),
            _ => false,
        }
    }

    // ---- for-in

    fn for_in(
        &mut self,
        ty: Option<ast::TypeId>,
        name: ast::Ident,
        iterable: ast::ExprId,
        body: &'a ast::Block,
        at: At,
    ) -> StmtKind {
        let over = self.expr(iterable, None);
        let over = self.decay(over);
        let over_ty = self.ty(over);
        let declared = ty.filter(|ty| !self.is_auto(*ty)).map(|ty| self.lower(ty));
        let element = match *over_ty {
            TyKind::Array(element, _) | TyKind::Slice(element) => element,
            TyKind::Struct(..) | TyKind::Enum(..) => {
                return self.for_iterator(declared, name, over, body, at);
            }
            _ => {
                if !is_error(over_ty) {
                    self.report(at, format!("For-in requires an iterable type, got '{over_ty}'"));
                }
                self.poisoned = true;
                TY.error
            }
        };
        self.enter();
        self.enter_round();
        let hidden = self.hidden("element", element);
        let read = self.push(element, at, ExprKind::Local(hidden));
        let (ty, value) = self.loop_variable(declared, read, at);
        let var = self.declare(name, ty, LocalKind::Stack);
        let body = self.round(body);
        self.leave();
        StmtKind::ForIn { var, iterable: over, value, element: hidden, body }
    }

    /// The statements of a round, which began with the declaration of its variable.
    fn round(&mut self, body: &'a ast::Block) -> Block {
        self.top().loops += 1;
        let body = self.open_block(body);
        self.leave_round();
        self.top().loops -= 1;
        body
    }

    /// The type of the loop variable, and the element converted to it.
    fn loop_variable(&mut self, declared: Option<Ty>, value: ExprId, at: At) -> (Ty, ExprId) {
        let from = self.ty(value);
        let Some(ty) = declared else { return (from, value) };
        match self.coerce(value, ty, false) {
            Some(value) => (ty, value),
            None => {
                let message =
                    format!("For-in variable type mismatch: expected '{ty}', got '{from}'");
                (ty, self.error(at, message))
            }
        }
    }

    fn for_iterator(
        &mut self,
        declared: Option<Ty>,
        name: ast::Ident,
        over: ExprId,
        body: &'a ast::Block,
        at: At,
    ) -> StmtKind {
        let over_ty = self.ty(over);
        self.enter();
        let started = self.call_plain(over, "iter", at);
        let parts = started.and_then(|iter| {
            let ty = self.ty(iter);
            let it = self.hidden("iterator", ty);
            let place = self.push(ty, at, ExprKind::Local(it));
            let more = self.call_plain(place, "has_next", at)?;
            let place = self.push(ty, at, ExprKind::Local(it));
            let next = self.call_plain(place, "next", at)?;
            (self.ty(more) == TY.bool).then_some((it, iter, more, next))
        });
        let Some((it, iter, more, next)) = parts else {
            self.report(at, format!("For-in requires an iterable type, got '{over_ty}'"));
            self.poisoned = true;
            let ty = declared.unwrap_or(TY.error);
            self.enter_round();
            self.declare(name, ty, LocalKind::Stack);
            let body = self.round(body);
            self.leave();
            return StmtKind::Block(body);
        };
        self.enter();
        self.enter_round();
        let (ty, value) = self.loop_variable(declared, next, at);
        let var = self.declare(name, ty, LocalKind::Stack);
        let mut round = self.round(body);
        self.leave();
        self.leave();
        round.stmts.insert(0, Stmt { at, kind: StmtKind::Let(var, Some(value)) });
        let init = vec![Stmt { at, kind: StmtKind::Let(it, Some(iter)) }];
        StmtKind::Loop { init, cond: Some(more), update: None, body: round }
    }

    // ---- inline assembly

    fn asm(&mut self, text: cm_base::Name, at: At) -> StmtKind {
        let mut operands = Vec::new();
        for name in super::asm::operands(&text) {
            let name = cm_base::Name::new(name);
            if operands.iter().any(|(found, _)| *found == name) {
                continue;
            }
            match self.asm_operand(name, at) {
                Some(value) => operands.push((name, value)),
                None => {
                    // It is whatever stands between the braces.
                    self.report(at, format!("Undefined variable '{}'", name.escape_debug()));
                    self.poisoned = true;
                }
            }
        }
        StmtKind::Asm(text, operands)
    }

    fn asm_operand(&mut self, name: cm_base::Name, at: At) -> Option<crate::thir::AsmValue> {
        use crate::thir::AsmValue;
        if let Some(local) = self.lookup(name) {
            return Some(match self.vars[local.0 as usize].value {
                Some(ConstValue::Int(value)) => AsmValue::Const(value.into(), Some(local)),
                _ => AsmValue::Local(local),
            });
        }
        let path = ast::Path::from(ast::Ident { name, at });
        let Ok(decl::Resolution::Global(def)) = self.resolve(&path) else { return None };
        match crate::global_use(self.db, def).as_ref()?.constant {
            Some(ConstValue::Int(value)) => Some(AsmValue::Const(value.into(), None)),
            _ => None,
        }
    }
}
