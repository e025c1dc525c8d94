//! Decides which of the locals that may borrow do so: those whose source surely stays as it is while
//! they are needed. The others own their value.

use super::{
    Types,
    classes::{Class, Facts, Source},
    holds_only_strings, holds_strings, inside,
    live::{Cursor, Effect, Live},
    whole,
};
use crate::{mir::*, ty::Ty};

/// Memory from which a reference may vanish.
enum Clobber {
    Nothing,
    /// A local that nobody else can see.
    Local(LocalId),
    /// Some place that holds nothing but strings.
    Strings,
    Everything,
}

/// Makes the locals that cannot borrow own their values.
pub(super) fn validate(function: &Function, facts: &mut Facts, live: &Live, types: &mut Types) {
    let mut cursor = Cursor::new(function.locals.len());
    for (block, at_end) in function.blocks.iter().zip(&live.at_end) {
        cursor.start(at_end);
        cursor.step(&Effect::of_end(&block.terminator, facts));
        for (index, stmt) in block.stmts.iter().enumerate().rev() {
            let effect = Effect::of(stmt, facts);
            let previous = index.checked_sub(1).map(|index| &block.stmts[index]);
            let clobber = clobber(function, facts, types, stmt, previous);
            // A callee may write anywhere while it still uses its arguments.
            let during: &[LocalId] = match stmt {
                Stmt::Call { callee: Callee::Runtime(_), .. } => &[],
                Stmt::Call { .. } => &effect.uses,
                _ => &[],
            };
            if !matches!(clobber, Clobber::Nothing) {
                let after = cursor.live.iter().filter(|local| Some(**local) != effect.def);
                let lost: Vec<LocalId> = after
                    .chain(during)
                    .copied()
                    .filter(|local| facts.class(*local) == Class::Borrowed)
                    .filter(|local| {
                        let ty = function.locals[local.0 as usize].ty;
                        is_lost(&facts.sources[local.0 as usize], ty, &clobber)
                    })
                    .collect();
                for local in lost {
                    facts.class[local.0 as usize] = Class::Owned;
                }
            }
            if let Some(written) = written(stmt) {
                overwritten(written, &cursor, &effect, facts);
            }
            cursor.step(&effect);
        }
    }
}

/// The local that a statement gives a new value.
fn written(stmt: &Stmt) -> Option<LocalId> {
    match stmt {
        Stmt::Assign { place, .. } => inside(place),
        Stmt::Call { dest, .. } => dest.as_ref().and_then(inside),
        Stmt::Asm { .. } | Stmt::Count { .. } => None,
    }
}

/// A local gets a new value while others still depend on the old one.
fn overwritten(written: LocalId, cursor: &Cursor, effect: &Effect, facts: &mut Facts) {
    let depends = |local: &LocalId| {
        Some(*local) != effect.def
            && *local != written
            && facts.owners[local.0 as usize].contains(&written)
    };
    let dependent: Vec<LocalId> = cursor.live.iter().copied().filter(depends).collect();
    for local in dependent {
        match facts.class(local) {
            Class::Borrowed => facts.class[local.0 as usize] = Class::Owned,
            // A pointer into the object: it must not be freed too early.
            Class::Plain => facts.pin(written),
            Class::Owned | Class::Memory => {}
        }
    }
}

fn is_lost(sources: &[Source], ty: Ty, clobber: &Clobber) -> bool {
    sources.iter().any(|source| match (clobber, source) {
        (Clobber::Nothing, _) => false,
        (Clobber::Local(written), Source::Local(source)) => written == source,
        (Clobber::Local(_), Source::Anywhere) | (_, Source::Local(_)) => false,
        (Clobber::Strings, Source::Anywhere) => holds_strings(ty),
        (Clobber::Everything, Source::Anywhere) => true,
    })
}

fn clobber(
    function: &Function,
    facts: &Facts,
    types: &mut Types,
    stmt: &Stmt,
    previous: Option<&Stmt>,
) -> Clobber {
    let place = match stmt {
        Stmt::Call { callee: Callee::Runtime(_), dest, .. } => dest.as_ref(),
        Stmt::Call { .. } | Stmt::Asm { .. } => return Clobber::Everything,
        Stmt::Count { op: CountOp::Release, place } => Some(place),
        Stmt::Count { .. } => None,
        Stmt::Assign { place, .. } => Some(place),
    };
    let Some(place) = place else { return Clobber::Nothing };
    if let Some(Stmt::Count { op: CountOp::Forget, place: forgotten }) = previous
        && forgotten == place
    {
        return Clobber::Nothing;
    }
    if whole(place).is_some_and(|local| facts.class(local) != Class::Memory) {
        return Clobber::Nothing;
    }
    let Some(ty) = types.counted_place(&function.locals, place) else { return Clobber::Nothing };
    match inside(place) {
        Some(local) if !facts.exposed[local.0 as usize] => Clobber::Local(local),
        _ if holds_only_strings(ty) => Clobber::Strings,
        _ => Clobber::Everything,
    }
}
