//! What is evaluated before a loop to know that its checks pass.

mod strings;

pub(super) use strings::Byte;

use super::{
    facts::{Effects, Facts, whole},
    loops::Loop,
};
use crate::{
    mir::*,
    ty::{Known, Ty, TyKind, slice_header},
    typing::Typing,
    visit::{self, Mention},
};
use rustc_hash::FxHashMap;

/// How a loop without checks is made, and when it is right.
pub(super) struct Plan {
    /// More locals of the function.
    pub locals: Vec<Local>,
    /// Statements, and what must hold after them; one after the other.
    pub steps: Vec<(Vec<Stmt>, Operand)>,
    /// What is done between guard and loop.
    pub entry: Vec<Stmt>,
    /// Positions of the blocks that end with a check that passes.
    pub passed: Vec<usize>,
    /// The counter.
    pub counter: Counter,
    /// Locals that are indices, and how they are computed from the wide counter.
    pub indices: FxHashMap<LocalId, Wide>,
    /// Slices whose data pointer is known, and where it is.
    pub data: FxHashMap<LocalId, LocalId>,
    /// Where bytes of strings are read whose indices are in range: positions of block and statement.
    pub bytes: FxHashMap<(usize, usize), Byte>,
}

/// What a loop counts with.
pub(super) struct Counter {
    /// The variable.
    pub local: LocalId,
    /// Its value as a signed 64-bit integer.
    pub wide: LocalId,
    /// What is added in each round.
    pub step: Operand,
    /// The condition of the loop, which compares the counter …
    pub condition: LocalId,
    /// … in this way …
    pub op: BinOp,
    /// … with this.
    pub limit: Operand,
}

/// A linear function of the counter, in signed 64-bit arithmetic.
#[derive(Clone)]
pub(super) enum Wide {
    Invariant(Operand),
    Counter,
    Binary(BinOp, Box<(Wide, Wide)>),
}

/// A linear function with its values in the first and in the last round.
struct Linear {
    first: Operand,
    last: Operand,
    wide: Wide,
    /// Invariants and counters in it.
    leaves: u32,
}

/// Loops with more statements are left alone: each recursion here is over them.
const MAX_STMTS: usize = 512;
/// 64-bit invariants and factors must be smaller, so that products and sums of [`MAX_LEAVES`] are exact.
const LIMIT: i64 = 1 << 30;
const MAX_LEAVES: u32 = 8;
const MAX_DEPTH: u32 = 32;

/// The plan for a loop, if some check can be moved out of it.
pub(super) fn plan(function: &Function, facts: &Facts, inner: &Loop) -> Option<Plan> {
    let stmts: usize = inner.body.iter().map(|block| function.blocks[*block].stmts.len()).sum();
    if inner.body.len() < 2 || stmts > MAX_STMTS {
        return None;
    }
    let mut guard = Guard {
        function,
        facts,
        inner,
        effects: Effects::of(function, facts, inner)?,
        leaves_early: leaves_early(function, inner),
        locals: Vec::new(),
        known: FxHashMap::default(),
        stmts: Vec::new(),
        pending: Vec::new(),
        steps: Vec::new(),
        unguarded: unguarded(function, inner),
        counter: None,
        indices: FxHashMap::default(),
        slices: Vec::new(),
        depth: 0,
    };
    let counter = guard.count()?;
    let passed = guard.checks();
    let bytes = guard.bytes();
    if passed.is_empty() && bytes.is_empty() {
        return None;
    }
    let data = guard.data_pointers();
    let wide = LocalId((function.locals.len() + guard.locals.len()) as u32);
    let word = Known::get().i64;
    guard.locals.push(Local { ty: word, name: None });
    let (_, first, _) = guard.counter.clone()?;
    guard.assign(wide, Rvalue::Use(first));
    Some(Plan {
        locals: guard.locals,
        steps: guard.steps,
        entry: guard.stmts,
        passed,
        counter: Counter { wide, ..counter },
        indices: guard.indices,
        data,
        bytes,
    })
}

/// Some block other than the header leads out of the loop without a panic.
fn leaves_early(function: &Function, inner: &Loop) -> bool {
    let leaves = |block: &usize| {
        let mut targets = function.blocks[*block].terminator.successors();
        targets
            .any(|target| inner.position(target.0 as usize).is_none() && !panics(function, target))
    };
    inner.body[1..].iter().any(leaves)
}

/// The positions of the blocks from which a panic comes.
fn unguarded(function: &Function, inner: &Loop) -> u64 {
    let checks = |block: &usize| {
        let mut targets = function.blocks[*block].terminator.successors();
        targets.any(|target| panics(function, target))
    };
    let positions = inner.body.iter().enumerate().filter(|(_, block)| checks(block));
    positions.fold(0, |all, (position, _)| all | 1 << position)
}

fn panics(function: &Function, BlockId(block): BlockId) -> bool {
    let block = &function.blocks[block as usize];
    block.stmts.is_empty() && matches!(block.terminator, Terminator::Panic(_))
}

struct Guard<'a> {
    function: &'a Function,
    facts: &'a Facts,
    inner: &'a Loop,
    effects: Effects,
    leaves_early: bool,
    locals: Vec<Local>,
    /// For locals that the loop assigns: their value before it, if that is the same in every round.
    known: FxHashMap<LocalId, Option<Operand>>,
    stmts: Vec<Stmt>,
    /// What must hold, but is not yet asked for.
    pending: Vec<Operand>,
    steps: Vec<(Vec<Stmt>, Operand)>,
    /// The positions of blocks with checks that may fail, as far as is known.
    unguarded: u64,
    /// The counter with its first and last value.
    counter: Option<(LocalId, Operand, Operand)>,
    indices: FxHashMap<LocalId, Wide>,
    /// Slices that are known not to be empty.
    slices: Vec<LocalId>,
    depth: u32,
}

impl<'a> Guard<'a> {
    // Statements.

    fn assign(&mut self, local: LocalId, value: Rvalue) {
        self.stmts.push(Stmt::Assign { place: local.into(), value, volatile: false });
    }

    fn emit(&mut self, ty: Ty, value: Rvalue) -> Operand {
        let local = LocalId((self.function.locals.len() + self.locals.len()) as u32);
        self.locals.push(Local { ty, name: None });
        self.assign(local, value);
        Operand::copy(local)
    }

    /// An operation on signed 64-bit integers.
    fn wide(&mut self, op: BinOp, left: Operand, right: Operand) -> Operand {
        if let (Some(left), Some(right)) = (constant(&left), constant(&right)) {
            let folded = match op {
                BinOp::Add => left.checked_add(right),
                BinOp::Sub => left.checked_sub(right),
                BinOp::Mul => left.checked_mul(right),
                _ => None,
            };
            if let Some(value) = folded {
                return number(value);
            }
        }
        self.emit(Known::get().i64, Rvalue::Binary(op, left, right))
    }

    fn require(&mut self, op: BinOp, left: Operand, right: Operand) {
        let condition = self.emit(Known::get().bool, Rvalue::Binary(op, left, right));
        self.pending.push(condition);
    }

    /// Asks for all that is pending: what follows may rely on it.
    fn flush(&mut self) {
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        let Some(mut all) = pending.next() else { return };
        for condition in pending {
            all = self.emit(Known::get().bool, Rvalue::Binary(BinOp::And, all, condition));
        }
        self.steps.push((std::mem::take(&mut self.stmts), all));
    }

    /// Requires that a signed 64-bit integer is a value of an integer type of at most 32 bits. Of
    /// others only the bits matter.
    fn require_fit(&mut self, value: &Operand, ty: Ty) {
        let TyKind::Int { bits: bits @ ..=32, signed } = *ty.get() else { return };
        let mut value = value.clone();
        if signed {
            value = self.wide(BinOp::Add, value, number(1 << (bits - 1)));
        }
        let word = Known::get().u64;
        let value = self.emit(word, Rvalue::Cast(value, word));
        let bound = Operand::constant(word, ConstValue::Int(1 << bits));
        self.require(BinOp::Lt, value, bound);
    }

    /// Requires that a signed 64-bit integer is not negative, if it stands for an unsigned one of as many bits:
    /// that is compared as a large number.
    fn require_natural(&mut self, value: &Operand, ty: Ty) {
        let wide = matches!(ty.get(), TyKind::Int { bits: 64, signed: false });
        if wide && constant(value).is_none_or(|value| value < 0) {
            self.require(BinOp::Ge, value.clone(), number(0));
        }
    }

    /// An invariant of integer type as a signed 64-bit integer.
    fn widen(&mut self, operand: Operand) -> Option<Operand> {
        let ty = self.operand_ty(&operand)?;
        let TyKind::Int { bits, signed } = *ty.get() else { return None };
        if let Operand::Const(value) = &operand {
            let bits_of = match value.value {
                ConstValue::Int(bits) => bits,
                ConstValue::Zero => 0,
                _ => return None,
            };
            let shift = 64 - u32::from(bits);
            let value = if signed { (bits_of << shift) as i64 >> shift } else { bits_of as i64 };
            return (-LIMIT..LIMIT).contains(&value).then(|| number(value));
        }
        let word = Known::get().i64;
        let wide = if ty == word { operand } else { self.emit(word, Rvalue::Cast(operand, word)) };
        if bits == 64 {
            self.require_small(&wide);
        }
        Some(wide)
    }

    /// Requires that a signed 64-bit integer is smaller than [`LIMIT`].
    fn require_small(&mut self, value: &Operand) {
        if constant(value).is_none() {
            let word = Known::get().u64;
            let shifted = self.wide(BinOp::Add, value.clone(), number(LIMIT));
            let shifted = self.emit(word, Rvalue::Cast(shifted, word));
            let bound = Operand::constant(word, ConstValue::Int(2 * LIMIT as u64));
            self.require(BinOp::Lt, shifted, bound);
        }
    }

    fn operand_ty(&self, operand: &Operand) -> Option<Ty> {
        match operand {
            Operand::Const(constant) => Some(constant.ty),
            Operand::Copy(place) => match whole(place) {
                Some(LocalId(local)) => {
                    let mut all = self.function.locals.iter().chain(&self.locals);
                    all.nth(local as usize).map(|local| local.ty)
                }
                None => Typing(&self.function.locals).place(place).ok(),
            },
        }
    }

    // The counter.

    /// Finds the counter and requires that it reaches its limit without wrapping.
    fn count(&mut self) -> Option<Counter> {
        let header = self.inner.body[0];
        let Terminator::Branch { cond, then, otherwise } = &self.function.blocks[header].terminator
        else {
            return None;
        };
        let inside = |block: &BlockId| self.inner.position(block.0 as usize).is_some();
        if !inside(then) || inside(otherwise) {
            return None;
        }
        let condition = local_of(cond)?;
        let (at, Rvalue::Binary(op, left, right)) = self.definition(condition)? else {
            return None;
        };
        if at != 0 {
            return None;
        }
        let Stmt::Assign { place, value: Rvalue::Binary(change, from, by), .. } =
            self.function.blocks[self.inner.latch()].stmts.last()?
        else {
            return None;
        };
        let local = whole(place).filter(|local| local_of(from) == Some(*local))?;
        if !self.is_counter(local) {
            return None;
        }
        let (op, limit) = match self.leads_to(left, local) {
            true => (*op, right),
            false if self.leads_to(right, local) => (mirrored(*op)?, left),
            false => return None,
        };
        let ty = self.function.locals[local.0 as usize].ty;
        let first = self.widen(Operand::copy(local))?;
        let limit = self.invariant(limit, 0)?;
        let limit_ty = self.operand_ty(&limit)?;
        let limit = self.widen(limit)?;
        // There is a first round, which comes to the step.
        self.require(op, first.clone(), limit.clone());
        let step = self.invariant(by, self.inner.body.len() - 1)?;
        let mut step = self.widen(step)?;
        match change {
            BinOp::Add => {}
            BinOp::Sub => step = self.wide(BinOp::Sub, number(0), step),
            _ => return None,
        }
        let (last, forward) = match op {
            BinOp::Lt => (self.wide(BinOp::Sub, limit.clone(), number(1)), BinOp::Gt),
            BinOp::Le => (limit.clone(), BinOp::Gt),
            BinOp::Gt => (self.wide(BinOp::Add, limit.clone(), number(1)), BinOp::Lt),
            BinOp::Ge => (limit.clone(), BinOp::Lt),
            _ => return None,
        };
        match constant(&step) {
            Some(step) if (step > 0) != (forward == BinOp::Gt) || step == 0 => return None,
            Some(_) => {}
            None => self.require(forward, step.clone(), number(0)),
        }
        // After the last round the counter does not wrap.
        let after = self.wide(BinOp::Add, last.clone(), step.clone());
        self.require_fit(&after, ty);
        self.require_natural(&first, ty);
        self.require_natural(&limit, limit_ty);
        self.require_natural(&after, ty);
        self.counter = Some((local, first, last));
        Some(Counter { local, wide: local, step, condition, op, limit })
    }

    /// A register that only one statement of the loop assigns.
    fn is_counter(&self, local: LocalId) -> bool {
        let stmts = self.inner.body.iter().flat_map(|block| &self.function.blocks[*block].stmts);
        let mut writes = 0;
        for stmt in stmts {
            visit::stmt(stmt, &mut |mention| {
                if let Mention::Place(place, visit::Access::Write) = mention {
                    writes += u32::from(whole(place) == Some(local));
                }
            });
        }
        writes == 1 && self.facts.is_register(local)
    }

    /// The operand is the local, perhaps converted to a type that has all its values.
    fn leads_to(&self, operand: &Operand, counter: LocalId) -> bool {
        let mut operand = operand;
        for _ in 0..4 {
            let Some(local) = local_of(operand) else { return false };
            if local == counter {
                return true;
            }
            let ty = self.function.locals[local.0 as usize].ty;
            match self.definition(local) {
                Some((_, Rvalue::Use(from))) => operand = from,
                Some((_, Rvalue::Cast(from, _)))
                    if self.operand_ty(from).is_some_and(|from| keeps_values(from, ty)) =>
                {
                    operand = from;
                }
                _ => return false,
            }
        }
        false
    }

    // Values.

    /// The only assignment of a local, if it is in the loop: the position of its block and the value.
    fn definition(&self, local: LocalId) -> Option<(usize, &'a Rvalue)> {
        let (block, index) = self.facts.definition(local)?;
        let position = self.inner.position(block)?;
        match &self.function.blocks[block].stmts[index] {
            Stmt::Assign { value, .. } => Some((position, value)),
            _ => None,
        }
    }

    /// What an operand that the block at this position reads is before the loop, if it is the same
    /// in every round.
    fn invariant(&mut self, operand: &Operand, at: usize) -> Option<Operand> {
        match operand {
            Operand::Const(_) => Some(operand.clone()),
            Operand::Copy(place) => match whole(place) {
                Some(local) => self.invariant_local(local),
                None => self.invariant_load(place, at),
            },
        }
    }

    fn invariant_local(&mut self, local: LocalId) -> Option<Operand> {
        if !self.effects.assigned.contains(&local) {
            return match self.facts.is_register(local) {
                true => Some(Operand::copy(local)),
                false => self.invariant_load(&local.into(), 0),
            };
        }
        if let Some(known) = self.known.get(&local) {
            return known.clone();
        }
        // Until it is known: nothing is computed from itself.
        self.known.insert(local, None);
        let value = self.replay(local);
        self.known.insert(local, value.clone());
        value
    }

    fn replay(&mut self, local: LocalId) -> Option<Operand> {
        let (at, value) = self.definition(local)?;
        let ty = self.function.locals[local.0 as usize].ty;
        let value = match value {
            Rvalue::Use(a) => return self.invariant(a, at),
            Rvalue::Unary(op, a) => Rvalue::Unary(*op, self.invariant(a, at)?),
            Rvalue::Binary(BinOp::Div | BinOp::Rem, ..) => return None,
            Rvalue::Binary(op, a, b) => {
                Rvalue::Binary(*op, self.invariant(a, at)?, self.invariant(b, at)?)
            }
            Rvalue::Cast(a, to) if matches!(to.get(), TyKind::Int { .. }) => {
                let from = self.operand_ty(a)?;
                if !matches!(from.get(), TyKind::Int { .. }) {
                    return None;
                }
                Rvalue::Cast(self.invariant(a, at)?, *to)
            }
            Rvalue::PtrOffset(p, n, elem) => {
                Rvalue::PtrOffset(self.invariant(p, at)?, self.invariant(n, at)?, *elem)
            }
            _ => return None,
        };
        Some(self.emit(ty, value))
    }

    /// Reads memory before the loop that the loop reads in every round, and does not change.
    fn invariant_load(&mut self, place: &Place, at: usize) -> Option<Operand> {
        let ty = Typing(&self.function.locals).place(place).ok()?;
        if !ty.is_scalar() {
            return None;
        }
        let header =
            matches!(&place.projections[..], [Projection::Deref(to), _] if *to == slice_header());
        let changes = match ty.get() {
            // Nothing else than assignments of handles changes handles, and no assignment headers.
            _ if header => false,
            TyKind::Slice => self.effects.writes_handles,
            _ => self.effects.writes,
        };
        if changes {
            return None;
        }
        let mut place = place.clone();
        for step in &mut place.projections {
            if let Projection::Index(index) = step {
                *index = self.invariant(index, at)?;
            }
        }
        let trusts =
            |step: &Projection| matches!(step, Projection::Deref(_) | Projection::Variant(_));
        if place.projections.iter().any(trusts) && !self.is_certain(at) {
            return None;
        }
        if let Base::Local(local) = place.base {
            if self.facts.is_register(local) {
                let pointer = self.invariant_local(local)?;
                place.base = Base::Local(local_of(&pointer)?);
            } else if self.effects.assigned.contains(&local) {
                return None;
            }
        }
        self.flush();
        Some(self.emit(ty, Rvalue::Use(Operand::Copy(place))))
    }

    /// The first round comes to the block at this position: before it the loop neither panics, as far as
    /// is asked for, nor is left. Pointers that it goes through are good then, and payloads are those that
    /// it takes them for. (A loop before it may never end.)
    fn is_certain(&self, at: usize) -> bool {
        let reached = self.inner.dominates(at, self.inner.body.len() - 1);
        // It is on every way, so what has a lower position comes before it.
        let checked = self.unguarded & ((1 << at) - 1) == 0;
        reached && checked && !self.leaves_early && !self.inner.loops_before(at)
    }

    /// An operand as a linear function of the counter.
    fn linear(&mut self, operand: &Operand, at: usize) -> Option<Linear> {
        let (counter, first, last) = self.counter.clone()?;
        let local = local_of(operand);
        if local == Some(counter) {
            return Some(Linear { first, last, wide: Wide::Counter, leaves: 1 });
        }
        if let Some(value) = self.invariant(operand, at) {
            let value = self.widen(value)?;
            let wide = Wide::Invariant(value.clone());
            return Some(Linear { first: value.clone(), last: value, wide, leaves: 1 });
        }
        let local = local?;
        let ty = self.function.locals[local.0 as usize].ty;
        let (at, value) = self.definition(local)?;
        self.depth += 1;
        let linear = if self.depth < MAX_DEPTH { self.linear_value(value, ty, at) } else { None };
        self.depth -= 1;
        linear
    }

    fn linear_value(&mut self, value: &Rvalue, ty: Ty, at: usize) -> Option<Linear> {
        match value {
            Rvalue::Use(a) => self.linear(a, at),
            Rvalue::Cast(a, _) => {
                let from = self.operand_ty(a)?;
                if !matches!((from.get(), ty.get()), (TyKind::Int { .. }, TyKind::Int { .. })) {
                    return None;
                }
                let value = self.linear(a, at)?;
                if !keeps_values(from, ty) {
                    self.require_fit(&value.first, ty);
                    self.require_fit(&value.last, ty);
                }
                Some(value)
            }
            Rvalue::Binary(op @ (BinOp::Add | BinOp::Sub | BinOp::Mul), a, b) => {
                let (a, b) = (self.linear(a, at)?, self.linear(b, at)?);
                self.combine(*op, a, b, ty)
            }
            _ => None,
        }
    }

    fn combine(&mut self, op: BinOp, a: Linear, b: Linear, ty: Ty) -> Option<Linear> {
        let changes = |linear: &Linear| !matches!(linear.wide, Wide::Invariant(_));
        let leaves = a.leaves + b.leaves;
        if leaves > MAX_LEAVES || op == BinOp::Mul && changes(&a) && changes(&b) {
            return None;
        }
        if op == BinOp::Mul && ty_bits(ty) > 32 {
            [&a.first, &a.last, &b.first, &b.last].into_iter().for_each(|f| self.require_small(f));
        }
        let first = self.wide(op, a.first, b.first);
        let last = self.wide(op, a.last, b.last);
        self.require_fit(&first, ty);
        self.require_fit(&last, ty);
        let wide = Wide::Binary(op, Box::new((a.wide, b.wide)));
        Some(Linear { first, last, wide, leaves })
    }

    // Checks.

    /// Requires that the checks of the loop pass; the positions of those for which that is possible.
    fn checks(&mut self) -> Vec<usize> {
        let mut passed = Vec::new();
        for (position, block) in self.inner.body.iter().enumerate() {
            let Terminator::Branch { cond, then, otherwise } =
                &self.function.blocks[*block].terminator
            else {
                continue;
            };
            if panics(self.function, *otherwise)
                && self.inner.position(then.0 as usize).is_some()
                && self.looks_at(position)
                && self.check(cond).is_some()
            {
                passed.push(position);
                self.unguarded &= !(1 << position);
            }
        }
        passed
    }

    /// A loop around others is not made twice for what may never be reached.
    fn looks_at(&self, position: usize) -> bool {
        self.inner.headers.is_empty() || self.inner.in_every_round(position)
    }

    fn check(&mut self, cond: &Operand) -> Option<()> {
        let cond = local_of(cond)?;
        let word = Known::get().u64;
        if let Some((at, Rvalue::Binary(BinOp::Lt, index, len))) = self.definition(cond)
            && self.operand_ty(len) == Some(word)
        {
            let slice = local_of(len).and_then(|len| match self.definition(len) {
                Some((at, Rvalue::Unary(UnOp::Len, slice))) => Some((slice, at)),
                _ => None,
            });
            let len = self.invariant(len, at)?;
            let value = self.linear(index, at)?;
            for end in [&value.first, &value.last] {
                let end = self.emit(word, Rvalue::Cast(end.clone(), word));
                self.require(BinOp::Lt, end, len.clone());
            }
            if let Some(index) = local_of(index)
                && !matches!(value.wide, Wide::Invariant(_))
                && self.definition(index).is_some()
            {
                self.indices.insert(index, value.wide);
            }
            if let Some((slice, at)) = slice
                && let Some(slice) = self.invariant(slice, at)
            {
                self.slices.extend(local_of(&slice));
            }
            return Some(());
        }
        let holds = self.invariant_local(cond)?;
        self.pending.push(holds);
        Some(())
    }

    /// Reads the data pointers of the slices that are not empty.
    fn data_pointers(&mut self) -> FxHashMap<LocalId, LocalId> {
        let mut slices = Vec::new();
        for stmt in self.inner.body.iter().flat_map(|block| &self.function.blocks[*block].stmts) {
            visit::stmt(stmt, &mut |mention| {
                if let Mention::Place(place, visit::Access::Read) = mention {
                    slices.extend(data_of(place));
                }
            });
        }
        let mut read: FxHashMap<LocalId, LocalId> = FxHashMap::default();
        let mut data = FxHashMap::default();
        for slice in slices {
            let known = match self.effects.assigned.contains(&slice) {
                true => self.known.get(&slice).cloned().flatten().and_then(|o| local_of(&o)),
                false => Some(slice).filter(|slice| self.facts.is_register(*slice)),
            };
            let Some(known) = known.filter(|known| self.slices.contains(known)) else { continue };
            let pointer = match read.get(&known) {
                Some(pointer) => *pointer,
                None => {
                    let place = Place::from(known)
                        .project(Projection::Deref(slice_header()))
                        .project(Projection::Field(0));
                    let pointer = self.emit(Known::get().ptr, Rvalue::Use(Operand::copy(place)));
                    let Some(pointer) = local_of(&pointer) else { continue };
                    read.insert(known, pointer);
                    pointer
                }
            };
            data.insert(slice, pointer);
        }
        data
    }
}

/// The slice whose data pointer a place is.
pub(super) fn data_of(place: &Place) -> Option<LocalId> {
    match (place.base, &place.projections[..]) {
        (Base::Local(slice), [Projection::Deref(to), Projection::Field(0)])
            if *to == slice_header() =>
        {
            Some(slice)
        }
        _ => None,
    }
}

fn local_of(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Copy(place) => whole(place),
        Operand::Const(_) => None,
    }
}

fn ty_bits(ty: Ty) -> u8 {
    match ty.get() {
        TyKind::Int { bits, .. } => *bits,
        _ => 0,
    }
}

/// Every value of the first integer type is one of the second.
fn keeps_values(from: Ty, to: Ty) -> bool {
    match (from.get(), to.get()) {
        (TyKind::Int { bits: a, signed: from }, TyKind::Int { bits: b, signed: to }) => {
            from == to && a <= b || !from && *to && a < b
        }
        _ => false,
    }
}

fn mirrored(op: BinOp) -> Option<BinOp> {
    Some(match op {
        BinOp::Lt => BinOp::Gt,
        BinOp::Le => BinOp::Ge,
        BinOp::Gt => BinOp::Lt,
        BinOp::Ge => BinOp::Le,
        _ => return None,
    })
}

fn number(value: i64) -> Operand {
    Operand::constant(Known::get().i64, ConstValue::Int(value as u64))
}

fn constant(operand: &Operand) -> Option<i64> {
    match operand {
        Operand::Const(constant) => match constant.value {
            ConstValue::Int(value) => Some(value as i64),
            _ => None,
        },
        Operand::Copy(_) => None,
    }
}
