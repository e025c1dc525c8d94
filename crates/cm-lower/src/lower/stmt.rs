//! Statements.

use super::{Lower, guard, scope::Loop};
use crate::builder::{number, word};
use cm_hir::{
    thir::{Block, ExprId, ExprKind, LocalId, LocalKind, Stmt, StmtKind},
    ty::TyKind,
};
use cm_mir::mir::{self, BinOp, Operand, Place, Projection, Rvalue, Terminator};

impl<'a> Lower<'_, 'a> {
    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &'a Block) {
        self.scoped(|this| this.stmts(&block.stmts));
    }

    fn stmts(&mut self, stmts: &'a [Stmt]) {
        for stmt in stmts {
            if self.builder.ended() {
                return;
            }
            self.stmt(stmt);
        }
    }

    /// One statement, in the innermost scope.
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt.kind {
            // No statements are in it.
            StmtKind::Expr(_) | StmtKind::Let(..) => self.stmt_inner(stmt),
            _ => guard(|| self.stmt_inner(stmt)),
        }
    }

    fn stmt_inner(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.discard(*expr),
            StmtKind::Let(local, init) => self.let_(*local, *init),
            StmtKind::Construct(local, constructor, args) => {
                let place = self.declare(*local);
                let ty = self.cx.body.locals[local.0 as usize].ty;
                self.construct(place, ty, constructor, args);
                self.owns(*local);
            }
            StmtKind::Block(block) => self.block(block),
            StmtKind::Return(value) => self.return_(*value),
            StmtKind::Break => self.jump(|it| it.on_break),
            StmtKind::Continue => self.jump(|it| it.on_continue),
            StmtKind::If(cond, then, otherwise) => self.if_(*cond, then, otherwise.as_deref()),
            StmtKind::Loop { init, cond, update, body } => self.scoped(|this| {
                this.stmts(init);
                this.loop_(*cond, *update, body);
            }),
            StmtKind::ForIn { var, iterable, value, element, body } => {
                self.for_in((*var, *element), *iterable, *value, body);
            }
            StmtKind::Switch { scrutinee, cases, otherwise } => {
                self.switch(*scrutinee, cases, otherwise.as_ref());
            }
            StmtKind::Defer(stmt) => self.defer(stmt),
            StmtKind::Must(block) => {
                let outer = std::mem::replace(&mut self.builder.volatile, true);
                self.block(block);
                self.builder.volatile = outer;
            }
            StmtKind::Asm(text, operands) => self.asm(*text, operands),
        }
    }

    fn let_(&mut self, local: LocalId, init: Option<ExprId>) {
        let var = &self.cx.body.locals[local.0 as usize];
        if matches!(var.kind, LocalKind::Static(_)) {
            return;
        }
        let ty = var.ty;
        let place = self.declare(local);
        match init {
            Some(init) => self.into(place, init),
            None => self.zero(place, ty),
        }
        self.owns(local);
    }

    fn return_(&mut self, value: Option<ExprId>) {
        let mut keep = None;
        match value {
            Some(value) if matches!(self.ret.get(), TyKind::Void) => self.discard(value),
            Some(value) => {
                self.into(mir::RESULT.into(), value);
                if let ExprKind::Local(local) = self.kind(value) {
                    // A variable that is returned is moved into the result.
                    keep = Some(*local).filter(|local| self.is_owned(*local));
                }
            }
            // Also `return;` in a lambda whose type is not void, which is reported elsewhere.
            None => self.zero(mir::RESULT.into(), self.ret),
        }
        self.leave(0, keep);
        self.builder.end(Terminator::Return);
    }

    fn jump(&mut self, target: impl Fn(&Loop) -> mir::BlockId) {
        let Some(innermost) = self.loops.last() else { return };
        let (block, depth) = (target(innermost), innermost.depth);
        self.leave(depth, None);
        self.builder.goto(block);
    }

    fn if_(&mut self, cond: ExprId, then: &'a Block, otherwise: Option<&'a Stmt>) {
        let [yes, no, after] = std::array::from_fn(|_| self.builder.block());
        self.condition(cond, yes, no);
        self.builder.at(yes);
        self.block(then);
        self.builder.goto(after);
        self.builder.at(no);
        if let Some(otherwise) = otherwise {
            self.stmt(otherwise);
        }
        self.builder.goto(after);
        self.builder.at(after);
    }

    fn loop_(&mut self, cond: Option<ExprId>, update: Option<ExprId>, body: &'a Block) {
        let [head, inside, next, after] = std::array::from_fn(|_| self.builder.block());
        self.builder.goto(head);
        self.builder.at(head);
        match cond {
            Some(cond) => self.condition(cond, inside, after),
            None => self.builder.goto(inside),
        }
        self.builder.at(inside);
        self.rounds(next, after, |this| this.block(body));
        self.builder.at(next);
        if let Some(update) = update {
            self.discard(update);
        }
        self.builder.goto(head);
        self.builder.at(after);
    }

    /// The body of a loop, which goes on at `next`.
    fn rounds(&mut self, next: mir::BlockId, after: mir::BlockId, body: impl FnOnce(&mut Self)) {
        let depth = self.scopes.len();
        self.loops.push(Loop { on_break: after, on_continue: next, depth });
        body(self);
        self.loops.pop();
        self.builder.goto(next);
    }

    fn for_in(
        &mut self,
        (var, element): (LocalId, LocalId),
        iterable: ExprId,
        value: ExprId,
        body: &'a Block,
    ) {
        let ty = crate::types::underlying(self.hir_ty(iterable));
        let lowered = self.cx.ty(ty);
        let source = match ty.get() {
            TyKind::Array(..) => self.place(iterable),
            _ => {
                let slice = self.value(iterable);
                self.builder.place_of(slice, lowered)
            }
        };
        // Through the address, so that indices in the place are evaluated once.
        let source = match ty.get() {
            TyKind::Array(..) => {
                let address = self.builder.address(source);
                let address = self.builder.stable(address, crate::builder::pointer());
                self.builder.deref(address, lowered)
            }
            _ => source,
        };
        let index = self.builder.variable(word(), "".into());
        self.builder.store(index, number(0));
        let [head, inside, next, after] = std::array::from_fn(|_| self.builder.block());
        self.builder.goto(head);
        self.builder.at(head);
        let len = match ty.get() {
            TyKind::Array(_, len) => number(*len),
            _ => self.builder.len(Operand::copy(source.clone())),
        };
        let more = self.builder.binary(BinOp::Lt, word(), Operand::copy(index), len);
        self.builder.branch(more, inside, after);
        self.builder.at(inside);
        let from = match ty.get() {
            TyKind::Slice(elem) => {
                self.slice_element(Operand::copy(source), *elem, Operand::copy(index))
            }
            _ => source.project(Projection::Index(Operand::copy(index))),
        };
        self.rounds(next, after, |this| {
            this.scoped(|this| {
                this.element_var((var, element), from, value);
                this.block(body);
            });
        });
        self.builder.at(next);
        self.builder.assign(index, Rvalue::Binary(BinOp::Add, Operand::copy(index), number(1)));
        self.builder.goto(head);
        self.builder.at(after);
    }

    /// Gives the variable of a `for`-in its value.
    fn element_var(&mut self, (var, element): (LocalId, LocalId), from: Place, value: ExprId) {
        let copy = self.declare(element);
        self.builder.store(copy.clone(), Operand::copy(from));
        if var == element {
            return self.owns(var);
        }
        let place = self.declare(var);
        self.into(place, value);
        self.owns(var);
    }
}
