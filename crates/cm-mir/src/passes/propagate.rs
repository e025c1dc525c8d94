//! Propagation of constants and copies, where no analysis is needed to see that it is safe.

use super::locals::{Usage, fixed_locals, usage};
use crate::{interp::fold, mir::*, visit};

/// The local that an operand reads as a whole.
pub(super) fn whole_local(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Copy(place) => whole(place),
        Operand::Const(_) => None,
    }
}

/// The local that a place is, as a whole.
pub(super) fn whole(place: &Place) -> Option<LocalId> {
    match place.base {
        Base::Local(local) if place.projections.is_empty() => Some(local),
        _ => None,
    }
}

/// Puts constants in place of the locals whose only assignment they are, and computes what has
/// only constant operands. (A read before the assignment is undefined anyway.)
pub fn constants(function: &mut Function) {
    let usage = usage(function);
    let fixed = fixed_locals(function);
    let mut known: Vec<Option<Const>> = vec![None; function.locals.len()];
    for block in &mut function.blocks {
        for stmt in &mut block.stmts {
            visit::operands_mut(stmt, &mut |operand| substitute(operand, &known));
            let Stmt::Assign { place, value, volatile } = stmt else { continue };
            fold::rvalue(value);
            if let (Some(local), Rvalue::Use(Operand::Const(constant)), false) =
                (whole(place), value, *volatile)
                && local.0 as usize >= fixed
                && usage[local.0 as usize].is_register()
                && usage[local.0 as usize].writes == 1
                && constant.ty.is_scalar()
            {
                known[local.0 as usize] = Some((**constant).clone());
            }
        }
    }
    // Once more, for reads that come before the assignment in the order of blocks.
    for block in &mut function.blocks {
        for stmt in &mut block.stmts {
            visit::operands_mut(stmt, &mut |operand| substitute(operand, &known));
        }
        let terminator = &mut block.terminator;
        visit::terminator_operands_mut(terminator, &mut |operand| substitute(operand, &known));
    }
}

fn substitute(operand: &mut Operand, known: &[Option<Const>]) {
    if let Some(local) = whole_local(operand)
        && let Some(constant) = &known[local.0 as usize]
    {
        *operand = Operand::Const(Box::new(constant.clone()));
    }
}

/// Inside of each block, reads what a temporary is a copy of instead of the temporary.
pub fn copies(function: &mut Function) {
    let usage = usage(function);
    let mut copies = Copies {
        usage: &usage,
        versions: vec![0; function.locals.len()],
        sources: vec![None; function.locals.len()],
        known: Vec::new(),
    };
    for block in &mut function.blocks {
        for local in copies.known.drain(..) {
            copies.sources[local.0 as usize] = None;
        }
        for stmt in &mut block.stmts {
            visit::operands_mut(stmt, &mut |operand| copies.substitute(operand));
            copies.write(stmt);
        }
        let terminator = &mut block.terminator;
        visit::terminator_operands_mut(terminator, &mut |operand| copies.substitute(operand));
    }
}

struct Copies<'a> {
    usage: &'a [Usage],
    /// Counts the writes seen of each local.
    versions: Vec<u32>,
    /// What a local is a copy of, with its version at that time.
    sources: Vec<Option<(LocalId, u32)>>,
    /// The locals for which there is a source.
    known: Vec<LocalId>,
}

impl Copies<'_> {
    fn substitute(&self, operand: &mut Operand) {
        if let Some(local) = whole_local(operand)
            && let Some((source, version)) = self.sources[local.0 as usize]
            && self.versions[source.0 as usize] == version
        {
            *operand = Operand::copy(source);
        }
    }
    fn write(&mut self, stmt: &Stmt) {
        visit::stmt(stmt, &mut |mention| {
            if let visit::Mention::Place(place, visit::Access::Write) = mention
                && let Some(LocalId(local)) = whole(place)
            {
                self.versions[local as usize] += 1;
                self.sources[local as usize] = None;
            }
        });
        if let Stmt::Assign { place, value: Rvalue::Use(source), volatile: false } = stmt
            && let (Some(local), Some(source)) = (whole(place), whole_local(source))
            && local != source
            && [local, source].iter().all(|id| self.usage[id.0 as usize].is_register())
        {
            let version = self.versions[source.0 as usize];
            self.sources[local.0 as usize] = Some((source, version));
            self.known.push(local);
        }
    }
}

/// Makes `x = value` of `t = value; x = t` for a temporary `t` without other uses.
pub fn destinations(function: &mut Function) {
    let usage = usage(function);
    let fixed = fixed_locals(function);
    let once = |local: LocalId| {
        let Usage { reads, writes, .. } = usage[local.0 as usize];
        let register = usage[local.0 as usize].is_register();
        local.0 as usize >= fixed && register && reads == 1 && writes == 1
    };
    for block in &mut function.blocks {
        let mut kept: Vec<Stmt> = Vec::with_capacity(block.stmts.len());
        for stmt in std::mem::take(&mut block.stmts) {
            if let Stmt::Assign { place, value: Rvalue::Use(source), volatile } = &stmt
                && let Some(local) = whole_local(source).filter(|local| once(*local))
                && let Some(last) = kept.last_mut()
                && redirect(last, local, place, *volatile, &usage)
            {
                continue;
            }
            kept.push(stmt);
        }
        block.stmts = kept;
    }
}

/// Lets a statement that writes `from` write `to` instead.
fn redirect(stmt: &mut Stmt, from: LocalId, to: &Place, must: bool, usage: &[Usage]) -> bool {
    match stmt {
        Stmt::Assign { place, volatile, .. } if whole(place) == Some(from) => {
            *place = to.clone();
            *volatile |= must;
            true
        }
        // A callee could see a destination that has an address.
        Stmt::Call { dest: Some(place), .. } if whole(place) == Some(from) => {
            let hidden = whole(to).is_some_and(|to| !usage[to.0 as usize].address);
            if hidden && !must {
                *place = to.clone();
            }
            hidden && !must
        }
        _ => false,
    }
}
