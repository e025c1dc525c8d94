//! The copy of a loop without its checks.

use super::{
    facts::whole,
    guard::{Byte, Plan, Wide, data_of},
    loops::Loop,
};
use crate::{
    mir::*,
    ty::{Known, TyKind},
    visit,
};

/// Puts the guard before a loop, and the copy beside it. The headers of both, and of the loops in the copy.
pub(super) fn apply(function: &mut Function, inner: &Loop, mut plan: Plan) -> Vec<usize> {
    function.locals.append(&mut plan.locals);
    let header = inner.body[0];
    // The loop as it was gets a new header: who comes from outside comes to the guard.
    let slow = BlockId(function.blocks.len() as u32);
    let fast = |position: usize| BlockId(slow.0 + 1 + position as u32);
    for block in &inner.body {
        let terminator = &mut function.blocks[*block].terminator;
        terminator.retarget(|target| if target.0 as usize == header { slow } else { target });
    }
    let original = function.blocks[header].clone();
    function.blocks.push(original);
    for position in 0..inner.body.len() {
        let source = if position == 0 { slow.0 as usize } else { inner.body[position] };
        let mut block = Copier { function, plan: &mut plan }.block(source, position);
        block.terminator.retarget(|target| match inner.position(target.0 as usize) {
            _ if target == slow => fast(0),
            Some(position) => fast(position),
            None => target,
        });
        function.blocks.push(block);
    }
    let mut at = header;
    for (stmts, cond) in plan.steps {
        let next = BlockId(function.blocks.len() as u32);
        let terminator = Terminator::Branch { cond, then: next, otherwise: slow };
        function.blocks[at] = Block { stmts, terminator };
        function.blocks.push(Block { stmts: Vec::new(), terminator: Terminator::Unreachable });
        at = next.0 as usize;
    }
    function.blocks[at] = Block { stmts: plan.entry, terminator: Terminator::Goto(fast(0)) };
    let copies = [0].iter().chain(&inner.headers).map(|position| fast(*position));
    copies.chain([slow]).map(|BlockId(header)| header as usize).collect()
}

struct Copier<'a> {
    function: &'a mut Function,
    plan: &'a mut Plan,
}

impl Copier<'_> {
    /// The copy of the block at a position, which still goes to the original blocks.
    fn block(&mut self, source: usize, position: usize) -> Block {
        let Block { stmts, terminator } = self.function.blocks[source].clone();
        let counter = self.plan.counter.local;
        let mut out = Vec::with_capacity(stmts.len() + 1);
        if position == 0 {
            let ty = self.function.locals[counter.0 as usize].ty;
            let wide = Operand::copy(self.plan.counter.wide);
            let same = ty == Known::get().i64;
            let value = if same { Rvalue::Use(wide) } else { Rvalue::Cast(wide, ty) };
            out.push(assign(counter, value));
        }
        for (index, mut stmt) in stmts.into_iter().enumerate() {
            visit::operands_mut(&mut stmt, &mut |operand| self.read_data(operand));
            let target = match &stmt {
                Stmt::Assign { place, .. } => whole(place),
                _ => None,
            };
            let copy = match target {
                Some(local) if local == counter => self.step(),
                Some(local) if local == self.plan.counter.condition => {
                    let counter = &self.plan.counter;
                    let wide = Operand::copy(counter.wide);
                    assign(local, Rvalue::Binary(counter.op, wide, counter.limit.clone()))
                }
                Some(local) => match self.plan.indices.get(&local).cloned() {
                    Some(wide) => {
                        let wide = self.wide(&wide, &mut out);
                        assign(local, Rvalue::Cast(wide, Known::get().u64))
                    }
                    None => stmt,
                },
                None => stmt,
            };
            let copy = match self.plan.bytes.remove(&(position, index)) {
                Some(byte) => self.read_byte(&byte, copy, &mut out),
                None => copy,
            };
            out.push(copy);
        }
        let terminator = match terminator {
            Terminator::Branch { then, .. } if self.plan.passed.contains(&position) => {
                Terminator::Goto(then)
            }
            other => other,
        };
        Block { stmts: out, terminator }
    }

    fn step(&self) -> Stmt {
        let counter = &self.plan.counter;
        let value = Rvalue::Binary(BinOp::Add, Operand::copy(counter.wide), counter.step.clone());
        assign(counter.wide, value)
    }

    /// What reads a byte without looking at the length, for a call that looks at it.
    fn read_byte(&mut self, byte: &Byte, call: Stmt, out: &mut Vec<Stmt>) -> Stmt {
        let Stmt::Call { dest: Some(dest), .. } = call else { return call };
        let (pointer, ty) = (Known::get().ptr, TyKind::unsigned(8));
        let index = self.wide(&byte.index, out);
        let address = LocalId(self.function.locals.len() as u32);
        self.function.locals.push(Local { ty: pointer, name: None });
        out.push(assign(address, Rvalue::PtrOffset(Operand::copy(byte.data), index, ty)));
        let value = Operand::copy(Place::from(address).project(Projection::Deref(ty)));
        Stmt::Assign { place: dest, value: Rvalue::Use(value), volatile: false }
    }

    fn read_data(&self, operand: &mut Operand) {
        if let Operand::Copy(place) = operand
            && let Some(slice) = data_of(place)
            && let Some(data) = self.plan.data.get(&slice)
        {
            *operand = Operand::copy(*data);
        }
    }

    /// Computes a linear function of the counter.
    fn wide(&mut self, wide: &Wide, out: &mut Vec<Stmt>) -> Operand {
        match wide {
            Wide::Invariant(value) => value.clone(),
            Wide::Counter => Operand::copy(self.plan.counter.wide),
            Wide::Binary(op, parts) => {
                let (left, right) = (self.wide(&parts.0, out), self.wide(&parts.1, out));
                let local = LocalId(self.function.locals.len() as u32);
                self.function.locals.push(Local { ty: Known::get().i64, name: None });
                out.push(assign(local, Rvalue::Binary(*op, left, right)));
                Operand::copy(local)
            }
        }
    }
}

fn assign(local: LocalId, value: Rvalue) -> Stmt {
    Stmt::Assign { place: local.into(), value, volatile: false }
}
