//! The instances of generic functions that a body names, and the derived functions.

use crate::thir::{Body, Conversion, ExprKind, Instance, InstanceKind, StmtKind};
use std::collections::BTreeSet;

/// Every instance with type arguments, and every derived function, that a body names, once.
pub(crate) fn generic_instances(body: &Body) -> Vec<Instance> {
    let generic = |instance: &Instance| {
        !instance.args.is_empty() || matches!(instance.kind, InstanceKind::Derived(_))
    };
    let mut found = BTreeSet::new();
    each_instance(body, &mut |instance| {
        if generic(instance) {
            found.insert(instance.clone());
        }
    });
    found.into_iter().collect()
}

/// Every instance that a body names, once, in order.
pub fn all_instances(body: &Body) -> BTreeSet<Instance> {
    let mut found = BTreeSet::new();
    each_instance(body, &mut |instance| {
        found.insert(instance.clone());
    });
    found
}

fn each_instance(body: &Body, add: &mut impl FnMut(&Instance)) {
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Function(instance)
            | ExprKind::Call(instance, _)
            | ExprKind::Construct(instance, _) => add(instance),
            ExprKind::MethodCall { method, .. } => add(method),
            ExprKind::CompareDeep { eqs, .. } => eqs.iter().for_each(|(_, eq)| add(eq)),
            ExprKind::Convert(Conversion::ToInterface { methods, .. }, _) => {
                methods.iter().for_each(&mut *add);
            }
            ExprKind::Lambda(lambda) => block(&lambda.block.stmts, add),
            ExprKind::Match(m) => {
                for arm in &m.arms {
                    if let crate::thir::ArmBody::Block(inner) = &arm.body {
                        block(&inner.stmts, add);
                    }
                }
            }
            _ => {}
        }
    }
    block(&body.block.stmts, add);
}

/// Constructors, which alone are named by statements.
fn block(stmts: &[crate::thir::Stmt], add: &mut impl FnMut(&Instance)) {
    for stmt in stmts {
        visit(stmt, add);
    }
}

fn visit(stmt: &crate::thir::Stmt, add: &mut impl FnMut(&Instance)) {
    stacker::maybe_grow(64 << 10, 1 << 20, || match &stmt.kind {
        StmtKind::Construct(_, instance, _) => add(instance),
        StmtKind::Block(inner) | StmtKind::Must(inner) => block(&inner.stmts, add),
        StmtKind::If(_, then, otherwise) => {
            block(&then.stmts, add);
            if let Some(otherwise) = otherwise {
                visit(otherwise, add);
            }
        }
        StmtKind::Loop { init, body, .. } => {
            block(init, add);
            block(&body.stmts, add);
        }
        StmtKind::ForIn { body, .. } => block(&body.stmts, add),
        StmtKind::Switch { cases, otherwise, .. } => {
            cases.iter().for_each(|(_, body)| block(&body.stmts, add));
            if let Some(otherwise) = otherwise {
                block(&otherwise.stmts, add);
            }
        }
        StmtKind::Defer(inner) => visit(inner, add),
        _ => {}
    });
}
