//! `switch` and `match`.

use super::{Lower, ops::operator};
use crate::types;
use cm_hir::{
    thir::{Arm, ArmBody, Block, ConstValue, ExprId, LocalId, Match, Pattern},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, BlockId, Operand, Place, Projection, Rvalue, Terminator},
    runtime::Rt,
    ty as mty,
};
use cm_syntax::ast::BinaryOp;
use rustc_hash::FxHashSet;

/// Ranges with no more values than this become single values.
const SMALL_RANGE: u64 = 64;

/// A case of a `switch`: values and ranges, and what runs.
type Case = (Vec<(ConstValue, Option<ConstValue>)>, Block);

/// What a value is compared with.
enum Test<'a> {
    /// The bits of an integer or tag.
    Bits(u64),
    /// A constant that cannot be switched on.
    Equal(&'a ConstValue),
    /// Both ends belong to it.
    Range(&'a ConstValue, &'a ConstValue),
    /// Everything.
    Always,
}

/// The value that tests look at.
#[derive(Clone)]
struct Scrutinee {
    place: Place,
    hir: Ty,
    /// The place itself if it can be switched on or compared, or the tag.
    key: Operand,
    key_ty: mty::Ty,
}

impl<'a> Lower<'_, 'a> {
    /// `switch`.
    pub(super) fn switch(
        &mut self,
        scrutinee: ExprId,
        cases: &'a [Case],
        otherwise: Option<&'a Block>,
    ) {
        let scrutinee = self.scrutinee(scrutinee);
        let [default, after] = std::array::from_fn(|_| self.builder.block());
        let mut tests = Vec::new();
        let mut bodies = Vec::new();
        for (values, body) in cases {
            let target = self.builder.block();
            bodies.push((target, body));
            for (low, high) in values {
                match high {
                    None => tests.push((self.test(&scrutinee, low), target)),
                    Some(high) => self.range(&scrutinee, low, high, target, &mut tests),
                }
            }
        }
        self.dispatch(&scrutinee, tests, default);
        bodies.extend(otherwise.map(|body| (default, body)));
        for (target, body) in bodies {
            self.builder.at(target);
            self.block(body);
            self.builder.goto(after);
        }
        if otherwise.is_none() {
            self.builder.at(default);
            self.builder.goto(after);
        }
        self.builder.at(after);
    }

    /// `match`. Without `dest` the value is dropped.
    pub(super) fn match_(&mut self, of: &'a Match, dest: Option<Place>, ty: Ty) {
        let scrutinee = self.scrutinee(of.scrutinee);
        let after = self.builder.block();
        let mut tests = Vec::new();
        let mut arms = Vec::new();
        for arm in &of.arms {
            let target = self.builder.block();
            for pattern in &arm.patterns {
                self.pattern(&scrutinee, pattern, target, &mut tests);
            }
            // If the guard fails, the tests go on behind this arm.
            let next = arm.guard.map(|_| {
                let next = self.builder.block();
                self.dispatch(&scrutinee, std::mem::take(&mut tests), next);
                self.builder.at(next);
                next
            });
            arms.push((arm, target, next));
        }
        let default = self.builder.block();
        self.dispatch(&scrutinee, tests, default);
        for (arm, target, next) in arms {
            self.builder.at(target);
            self.scoped(|this| this.arm(arm, &scrutinee, next, dest.as_ref()));
            self.builder.goto(after);
        }
        self.builder.at(default);
        if let Some(dest) = dest {
            self.zero(dest, ty);
        }
        self.builder.goto(after);
        self.builder.at(after);
    }

    fn arm(
        &mut self,
        arm: &'a Arm,
        scrutinee: &Scrutinee,
        next: Option<BlockId>,
        dest: Option<&Place>,
    ) {
        let bound = arm.patterns.iter().find_map(|pattern| match pattern {
            Pattern::Binding(local) => Some((*local, scrutinee.place.clone())),
            Pattern::Variant(tag, Some(local)) => {
                Some((*local, scrutinee.place.clone().project(Projection::Variant(*tag))))
            }
            _ => None,
        });
        if let Some((local, from)) = bound {
            let place = self.declare(local);
            self.builder.store(place, Operand::copy(from));
        }
        if let (Some(guard), Some(next)) = (arm.guard, next) {
            let body = self.builder.block();
            self.condition(guard, body, next);
            self.builder.at(body);
        }
        if let Some(local) = bound_local(arm) {
            self.owns(local);
        }
        match (&arm.body, dest) {
            (ArmBody::Expr(value), Some(dest)) => self.into(dest.clone(), *value),
            (ArmBody::Expr(value), None) => self.discard(*value),
            (ArmBody::Block(block), _) => self.block(block),
        }
    }

    /// Evaluates what is matched into a temporary.
    fn scrutinee(&mut self, expr: ExprId) -> Scrutinee {
        let hir = types::underlying(self.hir_ty(expr));
        let ty = self.cx.ty(hir);
        let temp = self.builder.temp(ty);
        self.into(temp.into(), expr);
        let place = Place::from(temp);
        if let mty::TyKind::Tagged { .. } = ty.get() {
            let key_ty = mty::TyKind::unsigned(32);
            let key = self.builder.compute(key_ty, Rvalue::Tag(place.clone()));
            return Scrutinee { place, hir, key, key_ty };
        }
        Scrutinee { key: Operand::copy(place.clone()), place, hir, key_ty: ty }
    }

    fn pattern(
        &mut self,
        scrutinee: &Scrutinee,
        pattern: &'a Pattern,
        target: BlockId,
        tests: &mut Vec<(Test<'a>, BlockId)>,
    ) {
        let test = match pattern {
            Pattern::Wildcard | Pattern::Binding(_) => Test::Always,
            Pattern::Value(value) => self.test(scrutinee, value),
            Pattern::Range(low, high) => return self.range(scrutinee, low, high, target, tests),
            Pattern::Variant(tag, _) => Test::Bits(u64::from(*tag)),
            Pattern::Member(member) => match scrutinee.hir.get() {
                TyKind::Union(members) => Test::Bits(u64::from(types::union_tag(members, *member))),
                // `null` and a pointer.
                _ => Test::Equal(&ConstValue::Zero),
            },
        };
        tests.push((test, target));
    }

    fn test(&mut self, scrutinee: &Scrutinee, value: &'a ConstValue) -> Test<'a> {
        match self.bits(scrutinee, value) {
            Some(bits) => Test::Bits(bits),
            None => Test::Equal(value),
        }
    }

    /// The bits of a constant if the scrutinee can be switched on.
    fn bits(&mut self, scrutinee: &Scrutinee, value: &ConstValue) -> Option<u64> {
        let width = match scrutinee.key_ty.get() {
            mty::TyKind::Bool => 1,
            mty::TyKind::Int { bits, .. } => u32::from(*bits),
            _ => return None,
        };
        let value = match value {
            ConstValue::Zero => 0,
            ConstValue::Int(value) => i128::from(*value) as u64,
            ConstValue::Bool(value) => u64::from(*value),
            ConstValue::Char(value) => u64::from(*value),
            ConstValue::Tag(tag) => u64::from(*tag),
            ConstValue::Variant(variant) => u64::from(variant.0),
            _ => return None,
        };
        Some(value & (u64::MAX >> (64 - width)))
    }

    fn range(
        &mut self,
        scrutinee: &Scrutinee,
        low: &'a ConstValue,
        high: &'a ConstValue,
        target: BlockId,
        tests: &mut Vec<(Test<'a>, BlockId)>,
    ) {
        let ends = (self.bits(scrutinee, low), self.bits(scrutinee, high));
        if let (Some(low), Some(high)) = ends
            && low <= high
            && high - low < SMALL_RANGE
        {
            tests.extend((low..=high).map(|bits| (Test::Bits(bits), target)));
            return;
        }
        tests.push((Test::Range(low, high), target));
    }

    /// Goes to the target of the first test that holds. Runs of constants are one jump.
    fn dispatch(&mut self, of: &Scrutinee, tests: Vec<(Test<'a>, BlockId)>, default: BlockId) {
        let mut tests = tests.into_iter().peekable();
        while let Some((test, target)) = tests.next() {
            match test {
                Test::Bits(bits) => {
                    let mut cases = vec![(bits, target)];
                    let mut seen = FxHashSet::from_iter([bits]);
                    while let Some((Test::Bits(bits), target)) = tests.peek() {
                        if seen.insert(*bits) {
                            cases.push((*bits, *target));
                        }
                        tests.next();
                    }
                    let next = self.builder.block();
                    self.jump_table(of, cases, next);
                    self.builder.at(next);
                }
                Test::Always => {
                    self.builder.goto(target);
                    return;
                }
                test => {
                    let holds = self.holds(of, &test);
                    let next = self.builder.block();
                    self.builder.branch(holds, target, next);
                    self.builder.at(next);
                }
            }
        }
        self.builder.goto(default);
    }

    fn jump_table(&mut self, of: &Scrutinee, cases: Vec<(u64, BlockId)>, default: BlockId) {
        let mut value = of.key.clone();
        if let mty::TyKind::Bool = of.key_ty.get() {
            value = self.builder.cast(value, of.key_ty, mty::TyKind::unsigned(8));
        }
        self.builder.end(Terminator::Switch { value, cases, default });
    }

    fn holds(&mut self, of: &Scrutinee, test: &Test<'a>) -> Operand {
        match test {
            Test::Range(low, high) => {
                let low = self.compare(of, BinaryOp::Ge, low);
                let high = self.compare(of, BinaryOp::Le, high);
                let ty = crate::builder::boolean();
                self.builder.binary(mir::BinOp::And, ty, low, high)
            }
            Test::Equal(value) => self.compare(of, BinaryOp::Eq, value),
            Test::Bits(_) | Test::Always => crate::builder::truth(true),
        }
    }

    fn compare(&mut self, of: &Scrutinee, op: BinaryOp, value: &ConstValue) -> Operand {
        let constant = self.constant(of.hir, value);
        if let mty::TyKind::Str = of.key_ty.get() {
            return self.builder.runtime(Rt::StrEq, vec![of.key.clone(), constant]);
        }
        self.builder.binary(operator(op), of.key_ty, of.key.clone(), constant)
    }
}

fn bound_local(arm: &Arm) -> Option<LocalId> {
    arm.patterns.iter().find_map(|pattern| match pattern {
        Pattern::Binding(local) | Pattern::Variant(_, Some(local)) => Some(*local),
        _ => None,
    })
}
