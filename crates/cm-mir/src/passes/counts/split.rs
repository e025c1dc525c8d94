//! Takes statements apart so that every object that one goes through, and every argument that a
//! callee might lose, is held by a local.

use super::{Types, classes::exposed_locals, inside, result_ty, whole};
use crate::{
    mir::*,
    passes::locals::{Usage, usage},
    ty::Ty,
    typing::Typing,
    visit,
};

/// Takes all statements of a function apart.
pub(super) fn split(function: &mut Function, types: &mut Types) {
    let (exposed, usage) = (exposed_locals(function), usage(function));
    let Function { locals, blocks, .. } = function;
    let mut splitter = Splitter { exposed, usage, types, out: Vec::new(), locals };
    for block in blocks {
        for mut stmt in std::mem::take(&mut block.stmts) {
            visit::stmt_places_mut(&mut stmt, &mut |place| splitter.place(place));
            let mut store = None;
            if let Stmt::Call { dest, callee, args } = &mut stmt {
                splitter.arguments(callee, args);
                store = splitter.result(dest, callee);
            }
            splitter.out.push(stmt);
            splitter.out.extend(store);
        }
        visit::terminator_places_mut(&mut block.terminator, &mut |place| splitter.place(place));
        block.stmts = std::mem::take(&mut splitter.out);
    }
}

struct Splitter<'a> {
    exposed: Vec<bool>,
    usage: Vec<Usage>,
    types: &'a mut Types,
    out: Vec<Stmt>,
    locals: &'a mut Vec<Local>,
}

impl Splitter<'_> {
    /// Loads an object that a place goes through and that is not itself in a local.
    fn place(&mut self, place: &mut Place) {
        let mut at = usize::from(matches!(place.base, Base::Local(_)));
        while at < place.projections.len() {
            if let Projection::Deref(_) = place.projections[at] {
                let prefix =
                    Place { base: place.base, projections: place.projections[..at].into() };
                let ty = Typing(self.locals).place(&prefix).ok();
                if let Some(ty) = ty.filter(|ty| ty.is_reference()) {
                    let temp = self.load(prefix, ty);
                    place.base = Base::Local(temp);
                    place.projections.drain(..at);
                    at = 0;
                }
            }
            at += 1;
        }
    }

    fn load(&mut self, place: Place, ty: Ty) -> LocalId {
        let temp = self.local(ty);
        let value = Rvalue::Use(Operand::copy(place));
        self.out.push(Stmt::Assign { place: temp.into(), value, volatile: false });
        temp
    }

    /// Lets a counted result go to a local first; how it comes to where it belongs.
    fn result(&mut self, dest: &mut Option<Place>, callee: &Callee) -> Option<Stmt> {
        let ty = result_ty(callee);
        let register = |place: &Place| {
            whole(place).is_some_and(|local| self.usage[local.0 as usize].is_register())
        };
        if !self.types.is_counted(ty) || dest.as_ref().is_some_and(register) {
            return None;
        }
        let temp = self.local(ty);
        let place = dest.replace(temp.into())?;
        let value = Rvalue::Use(Operand::copy(temp));
        Some(Stmt::Assign { place, value, volatile: false })
    }

    fn local(&mut self, ty: Ty) -> LocalId {
        self.locals.push(Local { ty, name: None });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// Loads arguments from memory that the callee can write to.
    fn arguments(&mut self, callee: &mut Callee, args: &mut [Operand]) {
        let called = match callee {
            Callee::Runtime(_) => return,
            Callee::Function(_) => None,
            Callee::Value { value, .. } => Some(value),
            Callee::Method { object, .. } => Some(object),
        };
        for arg in called.into_iter().chain(args) {
            let Operand::Copy(place) = arg else { continue };
            let hidden = |local: LocalId| self.exposed.get(local.0 as usize) != Some(&true);
            let private = inside(place).is_some_and(hidden);
            if private {
                continue;
            }
            if let Some(ty) = self.types.counted_place(self.locals, place) {
                let temp = self.load(place.clone(), ty);
                *arg = Operand::copy(temp);
            }
        }
    }
}
