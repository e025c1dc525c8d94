//! Concatenations of concatenations.

use super::{
    locals::{Usage, fixed_locals, usage},
    propagate::{whole, whole_local},
};
use crate::{
    mir::*,
    runtime::Rt,
    visit::{self, Access, Mention},
};

/// So many statements are looked at for where a part of a string comes from.
const NEAR: usize = 32;
/// No concatenation gets more parts.
const MAX_PARTS: usize = 64;

/// Makes `a + b + c` of `t = b + c; a + t`, for a temporary `t` without other uses: one string less is
/// made, and `a` may grow in place.
pub fn join(function: &mut Function) {
    let mut stmts = function.blocks.iter().flat_map(|block| &block.stmts);
    if !stmts.any(|stmt| parts(stmt).is_some()) {
        return;
    }
    let joiner = Joiner { usage: usage(function), fixed: fixed_locals(function) };
    for block in &mut function.blocks {
        let mut kept = Vec::with_capacity(block.stmts.len());
        for stmt in std::mem::take(&mut block.stmts) {
            let stmt = joiner.joined(stmt, &mut kept);
            kept.push(stmt);
        }
        block.stmts = kept;
    }
}

/// The parts of a concatenation.
fn parts(stmt: &Stmt) -> Option<&Vec<Operand>> {
    match stmt {
        Stmt::Call { callee: Callee::Runtime(Rt::StrConcat | Rt::StrConcatN), args, .. } => {
            Some(args)
        }
        _ => None,
    }
}

struct Joiner {
    usage: Vec<Usage>,
    fixed: usize,
}

impl Joiner {
    /// The statement with the parts of its parts, whose concatenations before it are removed.
    fn joined(&self, mut stmt: Stmt, before: &mut Vec<Stmt>) -> Stmt {
        let Some(args) = parts(&stmt) else { return stmt };
        let mut all = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let left = MAX_PARTS.saturating_sub(all.len() + args.len() - index - 1);
            match self.inner(arg, before, left) {
                Some(inner) => all.extend(inner),
                None => all.push(arg.clone()),
            }
        }
        let joined = all.len() > args.len();
        if let (Stmt::Call { callee, args, .. }, true) = (&mut stmt, joined) {
            (*callee, *args) = (Callee::Runtime(Rt::StrConcatN), all);
        }
        stmt
    }

    /// The parts of a temporary that is a concatenation, which is removed. They have the same values now
    /// as there.
    fn inner(&self, arg: &Operand, before: &mut Vec<Stmt>, most: usize) -> Option<Vec<Operand>> {
        let mut temporary = whole_local(arg).filter(|local| self.is_temporary(*local))?;
        let mut written = Vec::new();
        let mut remove = Vec::new();
        for index in (0..before.len()).rev().take(NEAR) {
            let stmt = &before[index];
            let writes = writes(stmt);
            if !writes.contains(&temporary) {
                written.extend(writes);
                continue;
            }
            remove.push(index);
            if let Stmt::Assign { value: Rvalue::Use(from), volatile: false, .. } = stmt {
                temporary = whole_local(from).filter(|local| self.is_temporary(*local))?;
                continue;
            }
            let parts = parts(stmt)?.clone();
            let same = |part: &Operand| match part {
                Operand::Const(_) => true,
                Operand::Copy(_) => whole_local(part).is_some_and(|local| {
                    self.usage[local.0 as usize].is_register() && !written.contains(&local)
                }),
            };
            if parts.len() > most || !parts.iter().all(same) {
                return None;
            }
            for index in remove {
                before.remove(index);
            }
            return Some(parts);
        }
        None
    }

    fn is_temporary(&self, local: LocalId) -> bool {
        let usage = self.usage[local.0 as usize];
        let once = usage.reads == 1 && usage.writes == 1;
        local.0 as usize >= self.fixed && usage.is_register() && once
    }
}

fn writes(stmt: &Stmt) -> Vec<LocalId> {
    let mut writes = Vec::new();
    visit::stmt(stmt, &mut |mention| {
        if let Mention::Place(place, Access::Write) = mention {
            writes.extend(whole(place));
        }
    });
    writes
}
