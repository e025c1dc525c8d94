//! Bodies: from syntax to [`crate::thir`], one instance at a time, with the checks of
//! `08-diagnostics.md` that concern what is inside functions and initializers.

mod asm;
mod builtins;
mod calls;
mod coerce;
mod common;
mod consteval;
mod ctx;
mod derive;
mod dump;
mod exprs;
mod generics;
mod globals;
mod hashing;
mod hints;
mod intrinsics;
mod layout;
mod literals;
mod methods;
mod ops;
mod ownership;
mod patterns;
mod rounds;
mod stmts;
mod templates;
mod text;
mod uses;

#[cfg(test)]
mod tests;

pub use dump::dump;
pub(crate) use globals::compute_global_problems;
pub use uses::all_instances;

use crate::{
    decl::{self, Problem, Signature},
    thir::{Block, Body, Instance, InstanceKind, LocalKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_syntax::ast;
use common::{TY, is_error};
use ctx::Ctx;
use serde::{Deserialize, Serialize};

/// A checked body with what is wrong with it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CheckedBody {
    /// `None`: there is no such function, or it has no body.
    pub body: Option<Body>,
    /// The rest, found with the body, while that is in the processor's cache.
    pub findings: BodyFindings,
}

/// What there is to know of a body beside its code.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct BodyFindings {
    /// What is wrong with it, default arguments included, in source order.
    pub problems: Vec<Problem>,
    /// The instances of generic functions that it names: their problems are found by asking for them.
    pub instances: Vec<Instance>,
}

/// The typed body of an instance. `None`: there is no such function, or it has no body.
pub fn body<'db>(db: &'db dyn Db, instance: &Instance) -> Option<&'db Body> {
    crate::checked_body(db, instance.clone()).body.as_ref()
}

pub(crate) fn compute_checked(db: &dyn Db, instance: &Instance) -> CheckedBody {
    let (body, problems) = check_body(db, instance);
    let instances = body.as_ref().map_or(Vec::new(), uses::generic_instances);
    CheckedBody { body, findings: BodyFindings { problems, instances } }
}

pub(crate) fn compute_findings(db: &dyn Db, instance: &Instance) -> BodyFindings {
    crate::checked_body(db, instance.clone()).findings.clone()
}

pub(crate) use globals::{compute as compute_global, compute_use as compute_global_use};

/// Checks the body of an instance.
pub fn check_body(db: &dyn Db, instance: &Instance) -> (Option<Body>, Vec<Problem>) {
    match instance.kind {
        InstanceKind::Source => source_body(db, instance),
        InstanceKind::Derived(derived) => derive::body(db, instance, derived),
        InstanceKind::Foreign => (None, Vec::new()),
    }
}

fn source_body(db: &dyn Db, instance: &Instance) -> (Option<Body>, Vec<Problem>) {
    let found = (decl::signature(db, instance.def), decl::function_body(db, instance.def));
    let (Some(signature), Some(syntax)) = found else { return (None, Vec::new()) };
    let Some(item) = decl::item(db, instance.def) else { return (None, Vec::new()) };
    let decl::ItemKind::Function { signature: header, .. } = &item.kind else {
        return (None, Vec::new());
    };
    let scope = decl::body_scope(instance, item, signature);
    let ret = concrete(signature.ret, signature, &instance.args);
    let mut ctx = Ctx::new(db, scope.clone(), &syntax.arena, Some(ret));
    ctx.signature = Some(signature);
    ctx.enter();
    let params = parameters(&mut ctx, signature, header, instance);
    ctx.poisoned |= is_error(ret);
    let block = ctx.block(&syntax.block);
    ctx.leave();
    let mut problems = std::mem::take(&mut ctx.problems);
    problems.extend(default_problems(db, instance, scope, signature, header));
    let ok = problems.is_empty() && !ctx.poisoned;
    sort_out(&mut problems, instance);
    let body = finish(ctx, params, signature.has_self, ret, block, ok);
    (Some(body), problems)
}

fn concrete(ty: Ty, signature: &Signature, args: &[GenericArg]) -> Ty {
    match signature.generics.is_empty() {
        true => ty,
        false => decl::substitute(ty, &generics::bindings(signature, args)),
    }
}

/// Declares `self` and the parameters; their number.
fn parameters(
    ctx: &mut Ctx<'_>,
    signature: &Signature,
    header: &ast::Signature,
    instance: &Instance,
) -> u32 {
    if signature.has_self {
        let this = ctx.scope.self_ty.unwrap_or(TY.error);
        ctx.new_local(Name::new("self"), common::pointer(this, false), LocalKind::Param);
        ctx.has_self = true;
    }
    for (index, param) in signature.params.iter().enumerate() {
        let ty = concrete(param.ty, signature, &instance.args);
        ctx.poisoned |= is_error(ty);
        let kind = match *ty {
            TyKind::Interface(..) => LocalKind::InterfaceParam,
            _ => LocalKind::Param,
        };
        let local = ctx.new_local(param.name, ty, kind);
        ctx.vars[local.0 as usize].is_const = param.is_const;
        let at = header.params.get(index).map(|param| param.name.at);
        // Namesakes are reported with the signature.
        if let Some(at) = at
            && ctx.lookup_outer(param.name).is_none()
        {
            ctx.bind(local, ast::Ident { name: param.name, at });
        }
    }
    ctx.locals.len() as u32
}

/// What is wrong with the default arguments.
fn default_problems(
    db: &dyn Db,
    instance: &Instance,
    scope: decl::Scope,
    signature: &Signature,
    header: &ast::Signature,
) -> Vec<Problem> {
    if header.params.iter().all(|param| param.default.is_none()) {
        return Vec::new();
    }
    let mut ctx = Ctx::new(db, scope, &header.arena, None);
    ctx.in_default = true;
    for (param, syntax) in signature.params.iter().zip(&header.params) {
        let Some(default) = syntax.default else { continue };
        let to = concrete(param.ty, signature, &instance.args);
        let (name, at) = (param.name, header.arena[default].at);
        let value = ctx.expr_as(default, to, at, |from| {
            format!("Type mismatch in default argument '{name}': expected '{to}', got '{from}'")
        });
        if let Err(why) = ctx.eval(value) {
            ctx.report_not_const(why, name, at);
        }
    }
    ctx.problems
}

/// A generic function with erroneous types for its type parameters: in it, what depends on them is
/// not checked, and what names mean is. `None`: the function has no
/// parameters that stand for types.
pub fn opaque_instance(signature: &Signature, def: DefId) -> Option<Instance> {
    signature.generics.iter().find(|param| param.value.is_none())?;
    let arg = |param: &decl::GenericParam| match param.value {
        Some(_) => GenericArg::Value(1),
        None => GenericArg::Type(TY.error),
    };
    let args = signature.generics.iter().map(arg).collect();
    Some(Instance { def, kind: InstanceKind::Source, args })
}

/// Of an opaque instance, keeps the problems with names; of others, those that remain, and says
/// which instance has them.
fn sort_out(problems: &mut Vec<Problem>, instance: &Instance) {
    if instance.args.is_empty() {
        return;
    }
    let opaque = instance.args.iter().all(|arg| match arg {
        GenericArg::Type(ty) => is_error(*ty),
        GenericArg::Value(_) | GenericArg::Param(_) => true,
    });
    let values_only = instance.args.iter().all(|arg| matches!(arg, GenericArg::Value(_)));
    if opaque && !values_only {
        problems.retain(|problem| concerns_names(&problem.message));
        return;
    }
    if !values_only {
        problems.retain(|problem| !concerns_names(&problem.message));
    }
    let args: Vec<String> = instance.args.iter().map(GenericArg::to_string).collect();
    let note = format!(" (in the instance '{}' with <{}>)", instance.def.path, args.join(", "));
    for problem in problems {
        problem.message.push_str(&note);
    }
}

/// Whether a message is about what a name stands for.
pub(crate) fn concerns_names(message: &str) -> bool {
    let begins = ["Undefined variable", "Unknown type", "Unknown struct type"];
    let inside = ["is not a function", "already defined", "outside of a loop"];
    begins.iter().any(|text| message.starts_with(text))
        || inside.iter().any(|text| message.contains(text))
}

fn finish(ctx: Ctx<'_>, params: u32, has_self: bool, ret: Ty, block: Block, ok: bool) -> Body {
    Body { locals: ctx.locals, params, has_self, ret, exprs: ctx.exprs, block, ok }
}
