//! The instances of generic functions that a body names.

use crate::thir::{Body, Conversion, ExprKind, Instance, StmtKind};
use std::collections::BTreeSet;

/// Every instance with type arguments that a body names, once.
pub(crate) fn generic_instances(body: &Body) -> Vec<Instance> {
    let mut found = BTreeSet::new();
    let mut add = |instance: &Instance| {
        if !instance.args.is_empty() {
            found.insert(instance.clone());
        }
    };
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Function(instance)
            | ExprKind::Call(instance, _)
            | ExprKind::Construct(instance, _) => add(instance),
            ExprKind::MethodCall { method, .. } => add(method),
            ExprKind::CompareDeep { eqs, .. } => eqs.iter().for_each(|(_, eq)| add(eq)),
            ExprKind::Convert(Conversion::ToInterface { methods, .. }, _) => {
                methods.iter().for_each(&mut add);
            }
            ExprKind::Lambda(lambda) => block(&lambda.block.stmts, &mut add),
            ExprKind::Match(m) => {
                for arm in &m.arms {
                    if let crate::thir::ArmBody::Block(inner) = &arm.body {
                        block(&inner.stmts, &mut add);
                    }
                }
            }
            _ => {}
        }
    }
    block(&body.block.stmts, &mut add);
    found.into_iter().collect()
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
