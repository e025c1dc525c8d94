//! Scopes and what happens when they are left: deferred statements, then destructors.

use super::Lower;
use crate::{
    builder::truth,
    item::{self, Item},
};
use cm_hir::{
    struct_type,
    thir::{LocalId, Stmt},
    ty::{Ty, TyKind},
};
use cm_mir::mir::{BlockId, Operand, Place};

/// A block of the source that is open.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    defers: Vec<&'a Stmt>,
    drops: Vec<LocalId>,
}

/// A loop that is open.
pub(crate) struct Loop {
    pub(crate) on_break: BlockId,
    pub(crate) on_continue: BlockId,
    /// How many scopes are around it.
    pub(crate) depth: usize,
}

impl<'a> Lower<'_, 'a> {
    /// Opens a scope.
    pub(super) fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Leaves the innermost scope by its end.
    pub(super) fn close(&mut self) {
        if !self.builder.ended() {
            self.leave(self.scopes.len() - 1, None);
        }
        self.scopes.pop();
    }

    /// Runs `f` in a scope of its own.
    pub(super) fn scoped(&mut self, f: impl FnOnce(&mut Self)) {
        self.open();
        f(self);
        self.close();
    }

    /// Registers a deferred statement.
    pub(super) fn defer(&mut self, stmt: &'a Stmt) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.defers.push(stmt);
        }
    }

    /// Registers a variable that has just got its value for destruction.
    pub(super) fn owns(&mut self, local: LocalId) {
        let var = &self.cx.body.locals[local.0 as usize];
        if !self.cx.needs_drop(var.ty) {
            return;
        }
        if var.moved {
            let flag = self.flag(local);
            self.builder.store(flag, truth(true));
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.drops.push(local);
        }
    }

    /// The flag that tells whether a variable still has its value. It is named, since unlike a
    /// temporary it is written twice.
    fn flag(&mut self, local: LocalId) -> cm_mir::mir::LocalId {
        if let Some(flag) = self.cx.flags[local.0 as usize] {
            return flag;
        }
        let name = format!("{} is alive", self.cx.body.locals[local.0 as usize].name);
        let flag = self.builder.variable(crate::builder::boolean(), name.into());
        self.cx.flags[local.0 as usize] = Some(flag);
        flag
    }

    /// Notes that a variable has lost its value.
    pub(super) fn moved(&mut self, local: LocalId) {
        if let Some(flag) = self.cx.flags[local.0 as usize] {
            self.builder.store(flag, truth(false));
        }
    }

    /// The variable is destroyed when some open scope of this function is left.
    pub(super) fn is_owned(&self, local: LocalId) -> bool {
        self.scopes.iter().any(|scope| scope.drops.contains(&local))
    }

    /// Runs what is registered with all scopes from the innermost to that at `depth`, without
    /// closing them: each way out has its own copy of this code. `keep` has been moved from.
    pub(super) fn leave(&mut self, depth: usize, keep: Option<LocalId>) {
        let volatile = std::mem::take(&mut self.builder.volatile);
        for scope in (depth..self.scopes.len()).rev() {
            for index in (0..self.scopes[scope].defers.len()).rev() {
                let stmt = self.scopes[scope].defers[index];
                self.scoped(|this| this.stmt(stmt));
            }
            for index in (0..self.scopes[scope].drops.len()).rev() {
                let local = self.scopes[scope].drops[index];
                if Some(local) != keep {
                    self.drop_variable(local);
                }
            }
        }
        self.builder.volatile = volatile;
    }

    fn drop_variable(&mut self, local: LocalId) {
        let place = self.local(local);
        let ty = self.cx.body.locals[local.0 as usize].ty;
        let Some(flag) = self.cx.flags[local.0 as usize] else {
            return self.drop_place(place, ty);
        };
        let (alive, after) = (self.builder.block(), self.builder.block());
        self.builder.branch(Operand::copy(flag), alive, after);
        self.builder.at(alive);
        self.drop_place(place, ty);
        self.builder.goto(after);
        self.builder.at(after);
    }

    /// Destroys a value.
    pub(super) fn drop_place(&mut self, place: Place, ty: Ty) {
        if !self.cx.needs_drop(ty) {
            return;
        }
        let address = self.builder.address(place);
        let decl = match self.sole_destructor(ty) {
            Some(destructor) => self.cx.decl(&destructor),
            None => {
                self.cx.refs.insert(Item::Drop(ty));
                Some(item::drop_decl(ty))
            }
        };
        if let Some(decl) = decl {
            self.builder.call(decl, vec![address], None);
        }
    }

    /// The destructor, if calling it is all that destroying means.
    fn sole_destructor(&mut self, ty: Ty) -> Option<cm_hir::thir::Instance> {
        if !matches!(ty.get(), TyKind::Struct(..)) {
            return None;
        }
        let def = struct_type(self.cx.db, ty).as_deref()?;
        let destructor = def.destructor.as_ref()?;
        let plain = !def.fields.iter().any(|(_, ty)| self.cx.needs_drop(*ty));
        plain.then(|| destructor.clone())
    }
}
