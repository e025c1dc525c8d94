//! Walks over what statements and terminators mention.

use crate::mir::*;

/// What a place is mentioned for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Its contents are read.
    Read,
    /// It is written.
    Write,
    /// Its address is taken.
    Address,
}

/// Something that is mentioned.
#[derive(Clone, Copy, Debug)]
pub enum Mention<'a> {
    /// A place. The operands in its projections are mentioned too.
    Place(&'a Place, Access),
    /// A constant, itself; not those inside it.
    Const(&'a Const),
    /// A function that is called or made a closure of.
    Function(Decl),
    /// A method table.
    Global(GlobalRef),
}

/// All that a function's blocks mention, in order.
pub fn function<'a>(function: &'a Function, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    for block in &function.blocks {
        for stmt in &block.stmts {
            self::stmt(stmt, see);
        }
        terminator(&block.terminator, see);
    }
}

/// All that a statement mentions, reads first.
pub fn stmt<'a>(stmt: &'a Stmt, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    match stmt {
        Stmt::Assign { place: to, value, .. } => {
            rvalue(value, see);
            place(to, Access::Write, see);
        }
        Stmt::Call { dest, callee, args } => {
            match callee {
                Callee::Function(decl) => see(Mention::Function(*decl)),
                Callee::Runtime(_) => {}
                Callee::Value { value, .. } => operand(value, see),
                Callee::Method { object, .. } => operand(object, see),
            }
            args.iter().for_each(|arg| operand(arg, see));
            if let Some(dest) = dest {
                place(dest, Access::Write, see);
            }
        }
        Stmt::Asm { operands, .. } => {
            for AsmOperand { class, input, output, value } in operands {
                match value {
                    Operand::Copy(p) if *class == AsmClass::Memory => {
                        place(p, Access::Address, see)
                    }
                    Operand::Copy(p) if !*input && *output => place(p, Access::Write, see),
                    _ => operand(value, see),
                }
                if let (true, true, Operand::Copy(p)) = (*input, *output, value) {
                    place(p, Access::Write, see);
                }
            }
        }
        Stmt::Count { place: counted, .. } => place(counted, Access::Read, see),
    }
}

/// All that a terminator mentions, but for local 0 in `Return`.
pub fn terminator<'a>(terminator: &'a Terminator, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    match terminator {
        Terminator::Branch { cond: value, .. }
        | Terminator::Switch { value, .. }
        | Terminator::Panic(value) => operand(value, see),
        Terminator::Goto(_) | Terminator::Return | Terminator::Unreachable => {}
    }
}

fn rvalue<'a>(value: &'a Rvalue, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    match value {
        Rvalue::Use(a) | Rvalue::Unary(_, a) | Rvalue::Cast(a, _) => operand(a, see),
        Rvalue::Binary(_, a, b) | Rvalue::PtrOffset(a, b, _) | Rvalue::PtrDiff(a, b, _) => {
            operand(a, see);
            operand(b, see);
        }
        Rvalue::AddrOf(p) => place(p, Access::Address, see),
        Rvalue::Aggregate(_, parts) => parts.iter().for_each(|part| operand(part, see)),
        Rvalue::Tagged(_, _, payload) => payload.iter().for_each(|part| operand(part, see)),
        Rvalue::Tag(p) => place(p, Access::Read, see),
        Rvalue::Closure(decl, captures) => {
            see(Mention::Function(*decl));
            captures.iter().for_each(|part| operand(part, see));
        }
        Rvalue::Iface(object, table) => {
            operand(object, see);
            see(Mention::Global(*table));
        }
    }
}

fn operand<'a>(operand: &'a Operand, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    match operand {
        Operand::Copy(p) => place(p, Access::Read, see),
        Operand::Const(constant) => see(Mention::Const(constant)),
    }
}

fn place<'a>(place: &'a Place, access: Access, see: &mut (impl FnMut(Mention<'a>) + ?Sized)) {
    for projection in &place.projections {
        if let Projection::Index(index) = projection {
            stacker::maybe_grow(64 << 10, 1 << 20, || operand(index, see));
        }
    }
    see(Mention::Place(place, access));
}

/// What [`operands_mut`] and [`places_mut`] go through.
pub enum Part<'a> {
    /// A value that is read.
    Operand(&'a mut Operand),
    /// A place that is written, or whose tag or address is taken.
    Place(&'a mut Place),
}

/// Calls `change` for every operand of a statement, those inside of places before the others.
pub fn operands_mut(stmt: &mut Stmt, change: &mut dyn FnMut(&mut Operand)) {
    parts_mut(stmt, &mut |part| match part {
        Part::Operand(operand) => operand_mut(operand, change),
        Part::Place(place) => indices_mut(place, change),
    });
}

/// Calls `change` for every operand of a terminator, those inside of places before the others.
pub fn terminator_operands_mut(terminator: &mut Terminator, change: &mut dyn FnMut(&mut Operand)) {
    match terminator {
        Terminator::Branch { cond: value, .. }
        | Terminator::Switch { value, .. }
        | Terminator::Panic(value) => operand_mut(value, change),
        Terminator::Goto(_) | Terminator::Return | Terminator::Unreachable => {}
    }
}

/// Calls `change` for every place of a function.
pub fn places_mut(function: &mut Function, change: &mut dyn FnMut(&mut Place)) {
    for block in &mut function.blocks {
        block.stmts.iter_mut().for_each(|stmt| stmt_places_mut(stmt, change));
        terminator_places_mut(&mut block.terminator, change);
    }
}

/// Calls `change` for every place of a statement.
pub fn stmt_places_mut(stmt: &mut Stmt, change: &mut dyn FnMut(&mut Place)) {
    parts_mut(stmt, &mut |part| {
        if let Part::Place(place) = part {
            change(place);
        }
    });
    operands_mut(stmt, &mut |operand| change_copied(operand, change));
}

/// Calls `change` for every place of a terminator.
pub fn terminator_places_mut(terminator: &mut Terminator, change: &mut dyn FnMut(&mut Place)) {
    terminator_operands_mut(terminator, &mut |operand| change_copied(operand, change));
}

fn change_copied(operand: &mut Operand, change: &mut dyn FnMut(&mut Place)) {
    if let Operand::Copy(place) = operand {
        change(place);
    }
}

fn operand_mut(operand: &mut Operand, change: &mut dyn FnMut(&mut Operand)) {
    if let Operand::Copy(place) = operand {
        indices_mut(place, change);
    }
    change(operand);
}

fn indices_mut(place: &mut Place, change: &mut dyn FnMut(&mut Operand)) {
    for projection in &mut place.projections {
        if let Projection::Index(index) = projection {
            stacker::maybe_grow(64 << 10, 1 << 20, || operand_mut(index, change));
        }
    }
}

fn parts_mut(stmt: &mut Stmt, see: &mut dyn FnMut(Part<'_>)) {
    match stmt {
        Stmt::Assign { place, value, .. } => {
            rvalue_parts_mut(value, see);
            see(Part::Place(place));
        }
        Stmt::Call { dest, callee, args } => {
            match callee {
                Callee::Function(_) | Callee::Runtime(_) => {}
                Callee::Value { value, .. } => see(Part::Operand(value)),
                Callee::Method { object, .. } => see(Part::Operand(object)),
            }
            args.iter_mut().for_each(|arg| see(Part::Operand(arg)));
            if let Some(dest) = dest {
                see(Part::Place(dest));
            }
        }
        Stmt::Asm { operands, .. } => {
            for operand in operands {
                match &mut operand.value {
                    Operand::Copy(place) => see(Part::Place(place)),
                    constant => see(Part::Operand(constant)),
                }
            }
        }
        Stmt::Count { place, .. } => see(Part::Place(place)),
    }
}

fn rvalue_parts_mut(value: &mut Rvalue, see: &mut dyn FnMut(Part<'_>)) {
    match value {
        Rvalue::Use(a) | Rvalue::Unary(_, a) | Rvalue::Cast(a, _) | Rvalue::Iface(a, _) => {
            see(Part::Operand(a));
        }
        Rvalue::Binary(_, a, b) | Rvalue::PtrOffset(a, b, _) | Rvalue::PtrDiff(a, b, _) => {
            see(Part::Operand(a));
            see(Part::Operand(b));
        }
        Rvalue::AddrOf(place) | Rvalue::Tag(place) => see(Part::Place(place)),
        Rvalue::Aggregate(_, parts) | Rvalue::Closure(_, parts) => {
            parts.iter_mut().for_each(|part| see(Part::Operand(part)));
        }
        Rvalue::Tagged(_, _, payload) => {
            payload.iter_mut().for_each(|part| see(Part::Operand(part)));
        }
    }
}

impl Terminator {
    /// The blocks it may go to, repetitions included.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + '_ {
        let (cases, rest): (&[(u64, BlockId)], [Option<BlockId>; 2]) = match self {
            Terminator::Goto(target) => (&[], [Some(*target), None]),
            Terminator::Branch { then, otherwise, .. } => (&[], [Some(*then), Some(*otherwise)]),
            Terminator::Switch { cases, default, .. } => (cases, [Some(*default), None]),
            Terminator::Return | Terminator::Panic(_) | Terminator::Unreachable => {
                (&[], [None, None])
            }
        };
        cases.iter().map(|(_, target)| *target).chain(rest.into_iter().flatten())
    }
    /// Changes the blocks it may go to.
    pub fn retarget(&mut self, mut change: impl FnMut(BlockId) -> BlockId) {
        match self {
            Terminator::Goto(target) => *target = change(*target),
            Terminator::Branch { then, otherwise, .. } => {
                *then = change(*then);
                *otherwise = change(*otherwise);
            }
            Terminator::Switch { cases, default, .. } => {
                cases.iter_mut().for_each(|(_, target)| *target = change(*target));
                *default = change(*default);
            }
            Terminator::Return | Terminator::Panic(_) | Terminator::Unreachable => {}
        }
    }
}
