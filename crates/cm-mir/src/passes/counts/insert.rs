//! Writes the operations down.

use super::{
    Types,
    classes::{Class, Facts},
    edges,
    live::{Cursor, Effect, Live},
    parts, result_ty, whole,
};
use crate::{
    mir::*,
    ty::{Ty, TyKind},
    typing::Typing,
    visit::{self, Mention},
};

/// Inserts all operations.
pub(super) fn insert(function: &mut Function, facts: &Facts, live: &Live, types: &mut Types) {
    let first = first_writes(function, facts);
    let leaving = edges::leaving(function, facts, live);
    let mut inserter = Inserter { facts, types, locals: &mut function.locals, out: Vec::new() };
    let mut cursor = Cursor::new(facts.class.len());
    for (index, block) in function.blocks.iter_mut().enumerate() {
        cursor.start(&live.at_end[index]);
        cursor.step(&Effect::of_end(&block.terminator, facts));
        let mut ends: Vec<Ends> =
            block.stmts.iter().rev().map(|stmt| Ends::of(stmt, &mut cursor, facts)).collect();
        ends.reverse();
        let fresh = if index == 0 { &first[..] } else { &[] };
        inserter.block(std::mem::take(&mut block.stmts), ends, fresh);
        block.stmts = std::mem::take(&mut inserter.out);
    }
    edges::release(function, &leaving, live);
    exit(function, facts);
    entry(function, facts, live, &first);
}

/// What ends with a statement.
struct Ends {
    /// Locals that own a value which is not needed after the statement.
    dies: Vec<LocalId>,
    /// The statement gives this one a value that nobody needs.
    unused: Option<LocalId>,
}

impl Ends {
    /// Goes back over the statement.
    fn of(stmt: &Stmt, cursor: &mut Cursor, facts: &Facts) -> Ends {
        let effect = Effect::of(stmt, facts);
        let owned = |local: &LocalId| facts.class(*local) == Class::Owned;
        let gone = |local: &LocalId| !cursor.has(*local) || effect.def == Some(*local);
        let dies = effect.uses.iter().copied().filter(owned).filter(gone).collect();
        let unused = effect.def.filter(owned).filter(|local| !cursor.has(*local));
        cursor.step(&effect);
        Ends { dies, unused }
    }

    /// The value of this local is handed over, if it ends here.
    fn hand_over(&mut self, operand: &Operand) -> bool {
        let Operand::Copy(place) = operand else { return false };
        let at = whole(place).and_then(|local| self.dies.iter().position(|dying| *dying == local));
        at.map(|at| self.dies.swap_remove(at)).is_some()
    }
}

struct Inserter<'a> {
    facts: &'a Facts,
    types: &'a mut Types,
    locals: &'a mut Vec<Local>,
    out: Vec<Stmt>,
}

impl Inserter<'_> {
    /// The statements of a block. Those in `fresh` are first writes to their place.
    fn block(&mut self, stmts: Vec<Stmt>, ends: Vec<Ends>, fresh: &[Fresh]) {
        let mut forgotten: Option<Place> = None;
        let mut stmts = stmts.into_iter().zip(ends).enumerate().peekable();
        while let Some((index, (stmt, mut ends))) = stmts.next() {
            let is_first = |place: &Place| {
                forgotten.as_ref() == Some(place) || fresh.iter().any(|first| first.at == index)
            };
            match stmt {
                Stmt::Count { op: CountOp::Forget, place } => {
                    self.ends(ends);
                    forgotten = Some(place);
                    continue;
                }
                Stmt::Assign { place, value, volatile } => {
                    let first = is_first(&place);
                    // What is moved out of a place that is released next needs no counting.
                    let borrows = whole(&place).is_some_and(|l| self.class(l) == Class::Borrowed);
                    let moves = |next: &Stmt| !borrows && is_release_of(next, &value);
                    let moved = stmts.next_if(|(_, (next, _))| moves(next));
                    if let Some((_, (_, more))) = moved {
                        self.assign(place, value, volatile, &mut ends, (first, true));
                        ends.dies.extend(more.dies);
                    } else {
                        self.assign(place, value, volatile, &mut ends, (first, false));
                    }
                }
                Stmt::Call { dest, callee, args } => {
                    let stored = stmts.next_if(|(_, (next, more))| {
                        self.is_growth((dest.as_ref(), &callee, &args), next, more)
                    });
                    match (stored, callee) {
                        (Some((_, (store, more))), Callee::Runtime(rt)) => {
                            let callee = Callee::Runtime(rt.consuming().unwrap_or(rt));
                            self.out.push(Stmt::Call { dest: dest.clone(), callee, args });
                            self.out.push(store);
                            let moved = dest.as_ref().and_then(whole);
                            let more = more.dies.into_iter().filter(|it| Some(*it) != moved);
                            ends.dies.extend(more);
                        }
                        (_, callee) => self.call(dest, callee, args, &mut ends),
                    }
                }
                stmt => self.out.push(stmt),
            }
            self.ends(ends);
            forgotten = None;
        }
    }

    /// What the call makes of the string in a place, and of others, is only stored there again by
    /// the statement that follows: so the string can grow where it is.
    fn is_growth(
        &self,
        (dest, callee, args): (Option<&Place>, &Callee, &[Operand]),
        next: &Stmt,
        ends: &Ends,
    ) -> bool {
        let Some(made) = dest.and_then(whole) else { return false };
        let Stmt::Assign { place, value: Rvalue::Use(Operand::Copy(from)), volatile: false } = next
        else {
            return false;
        };
        let tracked = |local| matches!(self.class(local), Class::Owned | Class::Borrowed);
        let consuming = matches!(callee, Callee::Runtime(rt) if rt.consuming().is_some());
        consuming
            && whole(from) == Some(made)
            && ends.dies.contains(&made)
            && !whole(place).is_some_and(tracked)
            && matches!(args.first(), Some(Operand::Copy(first)) if first == place)
    }

    fn ends(&mut self, ends: Ends) {
        for local in ends.dies.into_iter().chain(ends.unused) {
            self.count(CountOp::Release, local.into());
        }
    }

    fn count(&mut self, op: CountOp, place: Place) {
        self.out.push(Stmt::Count { op, place });
    }

    fn temp(&mut self, ty: Ty) -> LocalId {
        self.locals.push(Local { ty, name: None });
        LocalId(self.locals.len() as u32 - 1)
    }

    fn store(&mut self, place: Place, from: LocalId) {
        let value = Rvalue::Use(Operand::copy(from));
        self.out.push(Stmt::Assign { place, value, volatile: false });
    }

    fn class(&self, local: LocalId) -> Class {
        self.facts.class.get(local.0 as usize).copied().unwrap_or(Class::Plain)
    }

    /// `first`: there is nothing to release. `moved`: the value needs no counting.
    fn assign(
        &mut self,
        mut place: Place,
        value: Rvalue,
        volatile: bool,
        ends: &mut Ends,
        (first, moved): (bool, bool),
    ) {
        let Some(ty) = self.types.counted_place(self.locals, &place) else {
            self.keep_for_ever(&place, &value);
            return self.out.push(Stmt::Assign { place, value, volatile });
        };
        let class = whole(&place).map(|local| self.class(local));
        if class == Some(Class::Borrowed) {
            return self.out.push(Stmt::Assign { place, value, volatile });
        }
        for part in parts(&value).iter().filter(|_| !moved) {
            if let Operand::Copy(from) = part
                && self.types.counted_place(self.locals, from).is_some()
                && !ends.hand_over(part)
            {
                self.count(CountOp::Retain, from.clone());
            }
        }
        let later = self.detour(&mut place, ty, ends);
        let old = match class {
            Some(Class::Owned) => None,
            _ if first => None,
            _ => Some(self.old(&place, ty)),
        };
        self.out.push(Stmt::Assign { place, value, volatile });
        self.finish(later, old);
    }

    /// The address of a string's bytes that is put where it cannot be followed stays valid: nothing
    /// in a program says that the bytes of a value go away. So the string is never freed.
    fn keep_for_ever(&mut self, place: &Place, value: &Rvalue) {
        let Rvalue::Cast(Operand::Copy(string), _) = value else { return };
        let leaks = |local: LocalId| self.facts.leaks.get(local.0 as usize) != Some(&false);
        let is_string = |ty: Ty| *ty.get() == TyKind::Str;
        if whole(place).is_none_or(leaks) && Typing(self.locals).place(string).is_ok_and(is_string)
        {
            self.count(CountOp::Retain, string.clone());
        }
    }

    /// Remembers what a place holds.
    fn old(&mut self, place: &Place, ty: Ty) -> LocalId {
        let old = self.temp(ty);
        let value = Rvalue::Use(Operand::copy(place.clone()));
        self.out.push(Stmt::Assign { place: old.into(), value, volatile: false });
        old
    }

    /// A local whose old value ends with the statement that gives it the new one gets that by way of
    /// a temporary.
    fn detour(&mut self, place: &mut Place, ty: Ty, ends: &mut Ends) -> Option<(LocalId, Place)> {
        let local = whole(place)?;
        let at = ends.dies.iter().position(|dying| *dying == local)?;
        ends.dies.swap_remove(at);
        let temp = self.temp(ty);
        Some((temp, std::mem::replace(place, temp.into())))
    }

    fn finish(&mut self, later: Option<(LocalId, Place)>, old: Option<LocalId>) {
        if let Some((temp, place)) = later {
            self.count(CountOp::Release, place.clone());
            self.store(place, temp);
        }
        if let Some(old) = old {
            self.count(CountOp::Release, old.into());
        }
    }

    fn call(
        &mut self,
        mut dest: Option<Place>,
        mut callee: Callee,
        args: Vec<Operand>,
        ends: &mut Ends,
    ) {
        if let Callee::Runtime(rt) = &mut callee
            && let Some(consuming) = rt.consuming()
            && args.first().is_some_and(|first| ends.hand_over(first))
        {
            *rt = consuming;
        }
        let ty = result_ty(&callee);
        if !self.types.is_counted(ty) {
            return self.out.push(Stmt::Call { dest, callee, args });
        }
        let Some(place) = &mut dest else {
            let temp = self.temp(ty);
            self.out.push(Stmt::Call { dest: Some(temp.into()), callee, args });
            return self.count(CountOp::Release, temp.into());
        };
        let later = self.detour(place, ty, ends);
        if later.is_none() && whole(place).is_none_or(|local| self.class(local) != Class::Owned) {
            let (temp, place) = (self.temp(ty), place.clone());
            self.out.push(Stmt::Call { dest: Some(temp.into()), callee, args });
            let old = self.old(&place, ty);
            self.store(place, temp);
            return self.finish(None, Some(old));
        }
        self.out.push(Stmt::Call { dest, callee, args });
        self.finish(later, None);
    }
}

/// The statement releases the place that the value is a copy of.
fn is_release_of(stmt: &Stmt, value: &Rvalue) -> bool {
    matches!((stmt, value), (
        Stmt::Count { op: CountOp::Release, place },
        Rvalue::Use(Operand::Copy(from)),
    ) if place == from)
}

/// The first thing that happens to a local.
struct Fresh {
    local: LocalId,
    /// The statement of the entry that writes it.
    at: usize,
}

/// The writes to memory locals before which these hold nothing.
fn first_writes(function: &Function, facts: &Facts) -> Vec<Fresh> {
    let mut seen = vec![false; facts.class.len()];
    let mut first = Vec::new();
    if edges::is_entered(function) {
        return first;
    }
    for (at, stmt) in function.blocks[0].stmts.iter().enumerate() {
        if let Stmt::Assign { place, .. } = stmt
            && let Some(local) = whole(place)
            && facts.class(local) == Class::Memory
            && !facts.is_parameter(local)
            && !seen[local.0 as usize]
            && !reads(stmt, local)
        {
            first.push(Fresh { local, at });
        }
        visit::stmt(stmt, &mut |mention| {
            if let Mention::Place(Place { base: Base::Local(local), .. }, _) = mention {
                seen[local.0 as usize] = true;
            }
        });
    }
    first
}

fn reads(stmt: &Stmt, local: LocalId) -> bool {
    let mut mentions = 0;
    visit::stmt(stmt, &mut |mention| {
        if let Mention::Place(place, _) = mention
            && place.base == Base::Local(local)
        {
            mentions += 1;
        }
    });
    mentions > 1
}

/// Makes the values that locals have at the entry.
fn entry(function: &mut Function, facts: &Facts, live: &Live, first: &[Fresh]) {
    let foreign = function.decl.abi != Abi::Cm;
    let mut stmts = Vec::new();
    for (index, class) in facts.class.iter().enumerate() {
        let local = LocalId(index as u32);
        let ty = function.locals[index].ty;
        let is_live = live.at_start[0].binary_search(&local).is_ok();
        // Strings from C were copied for this function.
        let owned = foreign && *ty.get() == TyKind::Str;
        let mut count = |op| stmts.push(Stmt::Count { op, place: local.into() });
        match class {
            Class::Memory | Class::Owned if facts.is_parameter(local) => {
                let needed = *class == Class::Memory || is_live;
                match (owned, needed) {
                    (false, true) => count(CountOp::Retain),
                    (true, false) => count(CountOp::Release),
                    _ => {}
                }
            }
            Class::Memory if first.iter().any(|first| first.local == local) => {}
            Class::Owned if !is_live => {}
            Class::Memory | Class::Owned => {
                let value = Rvalue::Use(Operand::constant(ty, ConstValue::Zero));
                stmts.push(Stmt::Assign { place: local.into(), value, volatile: false });
            }
            Class::Plain | Class::Borrowed => {}
        }
    }
    if stmts.is_empty() {
        return;
    }
    if edges::is_entered(function) {
        edges::move_entry(function);
    }
    stmts.append(&mut function.blocks[0].stmts);
    function.blocks[0].stmts = stmts;
}

/// So many releases are repeated at every return.
const FEW: usize = 4;

/// Releases what memory locals hold where the function returns.
fn exit(function: &mut Function, facts: &Facts) {
    let memory = |local: &LocalId| facts.class(*local) == Class::Memory && *local != RESULT;
    let locals: Vec<LocalId> =
        (0..facts.class.len() as u32).rev().map(LocalId).filter(memory).collect();
    let release = |local: &LocalId| Stmt::Count { op: CountOp::Release, place: (*local).into() };
    let returns = |block: &&mut Block| block.terminator == Terminator::Return;
    if locals.is_empty() {
        return;
    }
    let target = BlockId(function.blocks.len() as u32);
    if locals.len() <= FEW || function.blocks.iter_mut().filter(returns).count() == 1 {
        for block in function.blocks.iter_mut().filter(returns) {
            let moved = returned(&mut block.stmts, &memory);
            block.stmts.extend(locals.iter().filter(|local| moved != Some(**local)).map(release));
        }
        return;
    }
    for block in function.blocks.iter_mut().filter(returns) {
        block.terminator = Terminator::Goto(target);
    }
    let stmts = locals.iter().map(release).collect();
    function.blocks.push(Block { stmts, terminator: Terminator::Return });
}

/// The memory local whose copy is returned by a block that does nothing after that but release
/// others: its value moves.
fn returned(stmts: &mut Vec<Stmt>, memory: &impl Fn(&LocalId) -> bool) -> Option<LocalId> {
    let released = |stmt: &Stmt| matches!(stmt, Stmt::Count { op: CountOp::Release, .. });
    let last = stmts.iter().rposition(|stmt| !released(stmt))?;
    let Stmt::Assign { place, value: Rvalue::Use(Operand::Copy(from)), .. } = &stmts[last] else {
        return None;
    };
    let local = whole(from).filter(memory)?;
    let retain = last.checked_sub(1)?;
    let retained = Stmt::Count { op: CountOp::Retain, place: local.into() };
    if whole(place) != Some(RESULT) || stmts[retain] != retained {
        return None;
    }
    stmts.remove(retain);
    Some(local)
}
