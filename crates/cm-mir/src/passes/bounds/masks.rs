//! Bounds checks of indices that are masked.
//!
//! `x & (n - 1)` is below `n` unless `n` is 0, whatever `x` is. So where every value that an index ever
//! has is masked with the length less one, as in a hash table, a check `i < len` asks no more than
//! `len != 0`, if the length is still the one that the mask was made of. Both are asked for, in a
//! form that is the old check where that does not hold: `(i < len | len == n) & len != 0`. What
//! optimizes further sees that the length is the same, and takes what is left out of the loop.

use super::{
    facts::{Facts, whole},
    loops,
};
use crate::{
    mir::*,
    ty::{Known, Ty, TyKind},
};

/// How many assignments in a row are looked through.
const MAX_STEPS: u32 = 8;

/// A check whose index is masked: its block, the position of the comparison, and the length that
/// the mask is made of.
struct Masked {
    block: usize,
    stmt: usize,
    length: LocalId,
}

/// Lets checks of masked indices ask for lengths.
pub(super) fn relax_checks(function: &mut Function) {
    let facts = Facts::of(function);
    let masks = Masks { function, facts: &facts, once: loops::outside(&function.blocks) };
    let found: Vec<Masked> =
        (0..function.blocks.len()).filter_map(|block| masks.check(block)).collect();
    // The last of a block first: positions stay what they are.
    for masked in found.into_iter().rev() {
        relax(function, &masked);
    }
}

fn relax(function: &mut Function, masked: &Masked) {
    let Stmt::Assign { place, value, .. } = &function.blocks[masked.block].stmts[masked.stmt]
    else {
        return;
    };
    let (passes, check) = (place.clone(), value.clone());
    let Rvalue::Binary(_, _, len) = &check else { return };
    let (bool, word) = (Known::get().bool, Known::get().u64);
    let zero = Operand::constant(word, ConstValue::Zero);
    let first = function.locals.len() as u32;
    let [inside, same, either, some] = [0, 1, 2, 3].map(|n| LocalId(first + n));
    function.locals.extend([(); 4].map(|()| Local { ty: bool, name: None }));
    let assign = |place: Place, value| Stmt::Assign { place, value, volatile: false };
    let binary =
        |op, a: LocalId, b: LocalId| Rvalue::Binary(op, Operand::copy(a), Operand::copy(b));
    let length = Operand::copy(masked.length);
    let stmts = [
        assign(same.into(), Rvalue::Binary(BinOp::Eq, len.clone(), length)),
        assign(some.into(), Rvalue::Binary(BinOp::Ne, len.clone(), zero)),
        assign(inside.into(), check),
        assign(either.into(), binary(BinOp::Or, inside, same)),
        assign(passes, binary(BinOp::And, either, some)),
    ];
    function.blocks[masked.block].stmts.splice(masked.stmt..=masked.stmt, stmts);
}

struct Masks<'a> {
    function: &'a Function,
    facts: &'a Facts,
    /// The blocks that run once at most.
    once: Vec<bool>,
}

impl<'a> Masks<'a> {
    /// The check that a block ends with, if its index is masked.
    fn check(&self, block: usize) -> Option<Masked> {
        let blocks = &self.function.blocks;
        let Terminator::Branch { cond: Operand::Copy(cond), otherwise, .. } =
            &blocks[block].terminator
        else {
            return None;
        };
        if !matches!(blocks[otherwise.0 as usize].terminator, Terminator::Panic(_)) {
            return None;
        }
        let (at, stmt) = self.facts.definition(whole(cond)?)?;
        let Stmt::Assign { value: Rvalue::Binary(BinOp::Lt, index, Operand::Copy(len)), .. } =
            &blocks[at].stmts[stmt]
        else {
            return None;
        };
        if at != block || self.function.locals[whole(len)?.0 as usize].ty != Known::get().u64 {
            return None;
        }
        let index = self.root(index)?;
        let length = self.masked(index)?;
        Some(Masked { block, stmt, length })
    }

    /// The local whose value this is, perhaps as a wider unsigned integer.
    fn root(&self, operand: &Operand) -> Option<LocalId> {
        let mut local = local_of(operand)?;
        for _ in 0..MAX_STEPS {
            let from = match self.definition(local) {
                Some(Rvalue::Use(from)) => from,
                Some(Rvalue::Cast(from, _)) if self.bits(from)? <= bits(self.ty(local))? => from,
                _ => return Some(local),
            };
            match local_of(from) {
                Some(next) => local = next,
                None => return Some(local),
            }
        }
        None
    }

    /// The length that every value of a local is below, if it is not 0.
    fn masked(&self, index: LocalId) -> Option<LocalId> {
        bits(self.ty(index))?;
        let mut length = None;
        for value in self.facts.values(self.function, index)? {
            let Rvalue::Binary(BinOp::And, left, right) = self.through_uses(value)? else {
                return None;
            };
            let found = self.less_one(left).or_else(|| self.less_one(right))?;
            if length.is_some_and(|length| length != found) {
                return None;
            }
            length = Some(found);
        }
        length
    }

    fn through_uses(&self, value: &'a Rvalue) -> Option<&'a Rvalue> {
        let mut value = value;
        for _ in 0..MAX_STEPS {
            match value {
                Rvalue::Use(from) => value = self.definition(local_of(from)?)?,
                _ => return Some(value),
            }
        }
        None
    }

    /// The length that this is less than, if that is not 0: it is made of it by taking 1, and by conversions
    /// between unsigned types, which at most make it smaller. The length is computed once, so that it is the one
    /// that all values were made of.
    fn less_one(&self, operand: &Operand) -> Option<LocalId> {
        let mut local = local_of(operand)?;
        let mut taken = false;
        for _ in 0..MAX_STEPS {
            let width = bits(self.ty(local))?;
            let (block, _) = self.facts.definition(local)?;
            local = match self.definition(local)? {
                Rvalue::Use(from) => local_of(from)?,
                // Of a part of the length, 1 is taken in that part's own width: 0 - 1 is less than
                // the length if that has more bits.
                Rvalue::Cast(from, _) if !taken || width <= self.bits(from)? => local_of(from)?,
                Rvalue::Binary(BinOp::Sub, from, Operand::Const(one))
                    if !taken && one.value == ConstValue::Int(1) =>
                {
                    taken = true;
                    local_of(from)?
                }
                Rvalue::Unary(UnOp::Len, _) if taken && self.once[block] => return Some(local),
                _ => return None,
            };
        }
        None
    }

    fn definition(&self, local: LocalId) -> Option<&'a Rvalue> {
        let (block, index) = self.facts.definition(local)?;
        match &self.function.blocks[block].stmts[index] {
            Stmt::Assign { value, .. } => Some(value),
            _ => None,
        }
    }

    fn ty(&self, local: LocalId) -> Ty {
        self.function.locals[local.0 as usize].ty
    }

    fn bits(&self, operand: &Operand) -> Option<u8> {
        bits(self.ty(local_of(operand)?))
    }
}

fn local_of(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Copy(place) => whole(place),
        Operand::Const(_) => None,
    }
}

/// How wide an unsigned integer type is.
fn bits(ty: Ty) -> Option<u8> {
    match ty.get() {
        TyKind::Int { bits, signed: false } => Some(*bits),
        _ => None,
    }
}
