//! `match` and `switch`: patterns, coverage, values.

use super::{
    common::{TY, base, int_of, is_error, is_numeric},
    consteval::limits,
    ctx::Ctx,
};
use crate::{
    decl::{self, Resolution},
    thir::{
        Arm, ArmBody, Block, ConstValue, ExprId, ExprKind, LocalKind, Match, Pattern, StmtKind,
    },
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::DefId;
use cm_syntax::ast::{self, PatternKind};

/// An arm with a value and no guard.
pub(crate) fn value_arm(pattern: Pattern, value: ExprId) -> Arm {
    Arm { patterns: vec![pattern], guard: None, body: ArmBody::Expr(value) }
}

/// What the arms without guard cover.
#[derive(Default)]
struct Coverage {
    all: bool,
    booleans: [bool; 2],
    /// The enum whose variants patterns name.
    of: Option<Ty>,
    variants: Vec<bool>,
}

impl<'a> Ctx<'a> {
    /// `match`.
    pub fn match_expr(&mut self, m: &'a ast::Match, at: At, expected: Option<Ty>) -> ExprId {
        let scrutinee = self.expr(m.scrutinee, None);
        let scrutinee = self.decay(scrutinee);
        let ty = self.ty(scrutinee);
        if m.arms.is_empty() {
            return self.error(at, "Match statement has no arms");
        }
        let mut cover = Coverage::default();
        let values = m.arms.iter().all(|arm| matches!(arm.body, ast::ArmBody::Expr(_)));
        let mut arms = Vec::with_capacity(m.arms.len());
        let mut hint = expected;
        let (fork, mut ends) = (self.fork(), None);
        for arm in &m.arms {
            self.enter();
            let checked = self.arm(arm, ty, values.then_some(hint).flatten(), &mut cover);
            self.leave();
            self.next_way(&fork, &mut ends);
            if let (true, ArmBody::Expr(value)) = (values && hint.is_none(), &checked.body) {
                hint = Some(self.ty(*value))
                    .filter(|ty| !matches!(**ty, TyKind::Null | TyKind::Error));
            }
            arms.push(checked);
        }
        self.meet(ends);
        self.check_coverage(&cover, ty, at);
        let ty = match values {
            true => self.unite(&mut arms, m, expected),
            false => TY.void,
        };
        let kind = ExprKind::Match(Box::new(Match { scrutinee, arms }));
        self.push(ty, at, kind)
    }

    fn arm(
        &mut self,
        arm: &'a ast::MatchArm,
        ty: Ty,
        hint: Option<Ty>,
        cover: &mut Coverage,
    ) -> Arm {
        let mut patterns = Vec::with_capacity(arm.patterns.len());
        let several = arm.patterns.len() > 1;
        for pattern in &arm.patterns {
            let covers = arm.guard.is_none();
            if let Some(pattern) = self.pattern(pattern, ty, several, covers, cover) {
                patterns.push(pattern);
            }
        }
        let guard = arm.guard.map(|guard| {
            let at = self.arena[guard].at;
            self.condition(guard, at, "Match guard must be a boolean expression")
        });
        let body = match &arm.body {
            ast::ArmBody::Expr(value) => ArmBody::Expr(self.expr(*value, hint)),
            ast::ArmBody::Block(block) => ArmBody::Block(self.block(block)),
        };
        Arm { patterns, guard, body }
    }

    /// Gives the arms of a match with a value one type, which is returned.
    fn unite(&mut self, arms: &mut [Arm], m: &ast::Match, expected: Option<Ty>) -> Ty {
        let types: Vec<Ty> = arms
            .iter()
            .filter_map(|arm| match arm.body {
                ArmBody::Expr(value) => Some(self.ty(value)),
                ArmBody::Block(_) => None,
            })
            .collect();
        if types.contains(&TY.void) {
            return TY.void;
        }
        let mut known = types.iter().copied().filter(|ty| !is_error(*ty));
        let Some(mut ty) = known.next() else { return TY.error };
        if matches!(*ty, TyKind::Null) {
            ty = expected.or_else(|| known.next()).unwrap_or(TY.void_ptr);
        }
        for (arm, syntax) in arms.iter_mut().zip(&m.arms) {
            let ArmBody::Expr(value) = &mut arm.body else { continue };
            match self.coerce(*value, ty, false) {
                Some(done) => *value = done,
                None => {
                    let from = self.ty(*value);
                    let message =
                        format!("Match arm has incompatible type: expected '{ty}', got '{from}'");
                    *value = self.error(syntax.at, message);
                }
            }
        }
        ty
    }

    // ---- patterns

    /// `None`: wrong, which was reported, or one that never matches.
    fn pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: Ty,
        several: bool,
        covers: bool,
        cover: &mut Coverage,
    ) -> Option<Pattern> {
        let at = pattern.at;
        match &pattern.kind {
            PatternKind::Error => {
                self.poisoned = true;
                cover.all = true;
                None
            }
            PatternKind::Wildcard => {
                cover.all |= covers;
                Some(Pattern::Wildcard)
            }
            PatternKind::Binding(name) => {
                cover.all |= covers;
                if several {
                    self.report(at, "Alternatives of a pattern must not bind names");
                }
                Some(Pattern::Binding(self.declare(*name, ty, LocalKind::Stack)))
            }
            PatternKind::Null => self.null_pattern(ty, at),
            PatternKind::Literal(value) => {
                let value = self.pattern_value(*value, ty, at)?;
                if let (true, ConstValue::Bool(value)) = (covers, &value) {
                    cover.booleans[usize::from(*value)] = true;
                }
                in_range(&value, ty).then_some(Pattern::Value(value))
            }
            PatternKind::Range(low, high) => {
                let low = self.pattern_value(*low, ty, at);
                let high = self.pattern_value(*high, ty, at);
                let ordered = is_numeric(base(ty)) || ty == TY.char || self.is_plain_enum(ty);
                if !ordered && !is_error(ty) {
                    return self.wrong_pattern(at, ty);
                }
                clamp(low?, high?, ty).map(|(low, high)| Pattern::Range(low, high))
            }
            PatternKind::Variant { path, binding } => {
                if several && binding.is_some() {
                    self.report(at, "Alternatives of a pattern must not bind names");
                }
                self.variant_pattern(path, *binding, ty, at, covers, cover)
            }
        }
    }

    fn wrong_pattern(&mut self, at: At, ty: Ty) -> Option<Pattern> {
        self.report(at, format!("Pattern type does not match scrutinee type '{ty}'"));
        self.poisoned = true;
        None
    }

    fn null_pattern(&mut self, ty: Ty, at: At) -> Option<Pattern> {
        match &*ty {
            TyKind::Union(members) => {
                let tag = members.iter().position(|member| matches!(**member, TyKind::Null));
                match tag {
                    Some(tag) => Some(Pattern::Member(tag as u32)),
                    None => self.wrong_pattern(at, ty),
                }
            }
            TyKind::Pointer { .. } | TyKind::Function(..) | TyKind::CStr => {
                Some(Pattern::Value(ConstValue::Zero))
            }
            TyKind::Error => None,
            _ => self.wrong_pattern(at, ty),
        }
    }

    /// A constant to compare the scrutinee with. `None`: reported.
    fn pattern_value(&mut self, id: ast::ExprId, ty: Ty, at: At) -> Option<ConstValue> {
        let value = self.expr(id, Some(ty));
        let value = self.decay(value);
        let from = self.ty(value);
        if is_error(from) || is_error(ty) {
            return None;
        }
        let wide = self.integer_like(from) && self.integer_like(ty);
        let fits = wide
            || (matches!(*base(ty), TyKind::Float(_)) && is_numeric(from))
            || Self::same_base(from, ty);
        if !fits {
            self.wrong_pattern(at, ty);
            return None;
        }
        // Integers are compared as they are: one that the type cannot hold matches nothing.
        let to = if wide { from } else { base(ty) };
        let value = self.coerce(value, to, false)?;
        match self.eval(value) {
            Ok(value) => Some(value),
            Err(_) => {
                self.report(at, "Pattern must be a constant expression");
                None
            }
        }
    }

    fn variant_pattern(
        &mut self,
        path: &ast::Path,
        binding: Option<ast::Ident>,
        ty: Ty,
        at: At,
        covers: bool,
        cover: &mut Coverage,
    ) -> Option<Pattern> {
        if is_error(ty) {
            if let Some(name) = binding {
                self.declare(name, TY.error, LocalKind::Stack);
            }
            cover.all = true;
            return None;
        }
        let Some((def, index)) = self.resolve_variant(path, ty) else {
            // What else it names is a constant, which `switch` takes and `match` does not.
            cover.all = true;
            return None;
        };
        let of = match *ty {
            TyKind::Enum(found, _) if found == def => ty,
            TyKind::Int(_) => TyKind::Enum(def, Vec::new()).intern(),
            _ => {
                cover.all = true;
                return self.wrong_pattern(at, ty);
            }
        };
        let info = self.enum_type(of)?;
        if cover.of.is_none() {
            cover.of = Some(of);
            cover.variants = vec![false; info.variants.len()];
        }
        if covers && cover.of == Some(of) {
            *cover.variants.get_mut(index as usize)? = true;
        }
        let (name, value, payload) = info.variants.get(index as usize)?;
        let local = match (binding, payload) {
            (Some(name), Some(payload)) => Some(self.declare(name, *payload, LocalKind::Stack)),
            (Some(ident), None) => {
                self.report(at, format!("Variant '{}::{name}' has no payload", info.name));
                self.declare(ident, TY.error, LocalKind::Stack);
                return None;
            }
            (None, _) => None,
        };
        Some(match info.payload {
            true if of == ty => Pattern::Variant(index, local),
            true => return self.wrong_pattern(at, ty),
            false => Pattern::Value(ConstValue::int(i128::from(*value))),
        })
    }

    /// The variant that a pattern names. `None`: reported.
    fn resolve_variant(&mut self, path: &ast::Path, ty: Ty) -> Option<(DefId, u32)> {
        let last = path.segments.last()?;
        match self.resolve_path(path) {
            Ok(Resolution::Variant(def, index)) => return Some((def, index)),
            Ok(Resolution::Member(..) | Resolution::TypeParam(_)) => {
                let owner = match self.resolve_path(path) {
                    Ok(Resolution::TypeParam(crate::ty::GenericArg::Type(owner))) => owner,
                    // A type without its arguments: those of the scrutinee.
                    _ => match self.prefix_def(path) {
                        Some(decl::TypeDef::Enum(_)) | None => ty,
                        Some(_) => self.path_prefix_type(path, &[]),
                    },
                };
                if let (TyKind::Enum(def, _), Some(index)) =
                    (&*owner, self.variant_index(owner, last.name))
                {
                    return Some((*def, index));
                }
                let meant = self.meant_variant(owner, last.name);
                self.report(last.at, format!("Unknown variant '{}'{meant}", last.name));
            }
            Ok(_) => self.report(last.at, format!("Unknown variant '{}'", last.name)),
            Err(problem) => self.problem(problem),
        }
        self.poisoned = true;
        None
    }

    fn prefix_def(&self, path: &ast::Path) -> Option<decl::TypeDef> {
        let count = path.segments.len() - 1;
        let prefix = ast::Path { segments: path.segments[..count].to_vec().into() };
        match decl::resolve_type(self.db, &self.scope, &prefix) {
            Ok(Resolution::Type(def)) => Some(def),
            _ => None,
        }
    }

    fn check_coverage(&mut self, cover: &Coverage, ty: Ty, at: At) {
        if cover.all || is_error(ty) || cover.booleans == [true; 2] {
            return;
        }
        let of = cover.of.or_else(|| matches!(*ty, TyKind::Enum(..)).then_some(ty));
        let Some(info) = of.and_then(|of| self.enum_type(of)) else {
            self.report(at, "Non-exhaustive match: add an arm '_'");
            return;
        };
        let covered = |index: usize| cover.variants.get(index).copied().unwrap_or(false);
        let missing = info.variants.iter().enumerate().find(|(index, _)| !covered(*index));
        if let Some((_, (name, ..))) = missing {
            let shown = enum_name(&info.name);
            self.report(at, format!("Non-exhaustive match: missing pattern for '{shown}::{name}'"));
        }
    }

    // ---- switch

    /// `switch`.
    pub fn switch(&mut self, scrutinee: ast::ExprId, cases: &'a [ast::SwitchCase]) -> StmtKind {
        let value = self.expr(scrutinee, None);
        let value = self.decay(value);
        let ty = self.ty(value);
        let usable = self.integer_like(ty)
            || matches!(*ty, TyKind::Error | TyKind::Enum(..) | TyKind::Float(_))
            || ty == TY.bool
            || ty == TY.char
            || ty == TY.str;
        if !usable {
            let at = self.at(value);
            self.report(at, format!("Cannot switch on a value of type '{ty}'"));
        }
        let mut out = Vec::with_capacity(cases.len());
        let mut otherwise: Option<Block> = None;
        let (fork, mut ends) = (self.fork(), None);
        for case in cases {
            match &case.patterns {
                Some(patterns) => {
                    let mut values = Vec::with_capacity(patterns.len());
                    for pattern in patterns {
                        values.extend(self.case(pattern, ty));
                    }
                    let body = self.block(&case.body);
                    out.push((values, body));
                }
                None => otherwise = Some(self.block(&case.body)),
            }
            self.next_way(&fork, &mut ends);
        }
        if otherwise.is_none() {
            self.next_way(&fork, &mut ends);
        }
        self.meet(ends);
        StmtKind::Switch { scrutinee: value, cases: out, otherwise }
    }

    fn case(
        &mut self,
        pattern: &ast::CasePattern,
        ty: Ty,
    ) -> Option<(ConstValue, Option<ConstValue>)> {
        let at = self.arena[pattern.low].at;
        if let Some(tag) = self.case_tag(pattern.low, ty) {
            return Some((ConstValue::Tag(tag), None));
        }
        let low = self.pattern_value(pattern.low, ty, at);
        match pattern.high {
            None => {
                let low = low?;
                in_range(&low, ty).then_some((low, None))
            }
            Some(high) => {
                let high = self.pattern_value(high, ty, at);
                clamp(low?, high?, ty).map(|(low, high)| (low, Some(high)))
            }
        }
    }

    /// The tag of a variant of the payload enum that is switched on.
    fn case_tag(&mut self, id: ast::ExprId, ty: Ty) -> Option<u32> {
        let info = self.enum_type(ty).filter(|info| info.payload)?;
        let _ = info;
        let ast::ExprKind::Path(path, _) = &self.arena[self.strip(id)].kind else { return None };
        match self.resolve(path) {
            Ok(Resolution::Variant(def, index)) => {
                matches!(*ty, TyKind::Enum(found, _) if found == def).then_some(index)
            }
            _ => None,
        }
    }
}

/// The name of an enum without its arguments.
fn enum_name(name: &Name) -> &str {
    let text = name.as_str();
    text.split('<').next().unwrap_or(text)
}

/// A value of this type can equal the constant.
fn in_range(value: &ConstValue, ty: Ty) -> bool {
    match (value, int_of(base(ty))) {
        (ConstValue::Int(n), Some(int)) => {
            let (min, max) = limits(int);
            (min..=max).contains(&i128::from(*n))
        }
        _ => true,
    }
}

/// The part of a range that the type holds. `None`: none of it.
fn clamp(low: ConstValue, high: ConstValue, ty: Ty) -> Option<(ConstValue, ConstValue)> {
    match (&low, &high, int_of(base(ty))) {
        (ConstValue::Int(l), ConstValue::Int(h), Some(int)) => {
            let (min, max) = limits(int);
            let (l, h) = (i128::from(*l).max(min), i128::from(*h).min(max));
            (l <= h).then_some((ConstValue::int(l), ConstValue::int(h)))
        }
        _ => Some((low, high)),
    }
}
