//! Global variables, constants and constant macros: their initial values.

use super::{common::is_error, ctx::Ctx};
use crate::{
    decl::{self, Problem},
    queries::{GlobalType, GlobalUse},
    thir::ConstValue,
};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_syntax::ast;
use std::sync::Arc;

pub(crate) fn compute(db: &dyn Db, def: &DefId) -> Option<Arc<GlobalType>> {
    let (value, _) = evaluate(db, *def)?;
    let syntax = decl::global_ast(db, *def)?;
    let constant = syntax.kind != ast::GlobalKind::Variable;
    Some(Arc::new(GlobalType { ty: decl::global_ty(db, *def), init: value?, constant }))
}

pub(crate) fn compute_use(db: &dyn Db, def: &DefId) -> Option<Arc<GlobalUse>> {
    let global = crate::global(db, *def).as_ref()?;
    let constant = global.constant.then(|| global.init.clone());
    Some(Arc::new(GlobalUse { ty: global.ty, constant }))
}

/// What is wrong with the initializer of a global.
pub(crate) fn compute_global_problems(db: &dyn Db, def: &DefId) -> Vec<Problem> {
    evaluate(db, *def).map(|(_, problems)| problems).unwrap_or_default()
}

/// The value of a global, and what is wrong with its initializer. `None`: there is no such global.
fn evaluate(db: &dyn Db, def: DefId) -> Option<(Option<ConstValue>, Vec<Problem>)> {
    let syntax = decl::global_ast(db, def)?;
    let ty = decl::global_ty(db, def);
    let Some(init) = syntax.value else { return Some((None, Vec::new())) };
    let name = Name::new(def.path.rsplit("::").next().unwrap_or_default());
    // The place of the declaration.
    let at = syntax.arena[syntax.ty].at;
    if decl::global_cycle(db, def) {
        let message =
            format!("Initializer of '{name}' must be a constant expression: it needs itself");
        return Some((None, vec![Problem::new(at, message)]));
    }
    let scope = decl::def_scope(db, def);
    let mut ctx = Ctx::new(db, scope, &syntax.arena, None);
    let value = ctx.expr_as(init, ty, at, |from| {
        format!("Type mismatch in variable declaration '{name}': expected '{ty}', got '{from}'")
    });
    let value = match ctx.eval(value) {
        Ok(value) => Some(value),
        Err(why) => {
            ctx.report_not_const(why, name, at);
            None
        }
    };
    let wrong = ctx.poisoned || is_error(ty) || !ctx.problems.is_empty();
    Some((value.filter(|_| !wrong), ctx.problems))
}
