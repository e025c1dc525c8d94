//! How each local takes part in counting, and what pointers in locals may point into.

use super::{Types, goes_through_pointer, inside, parts, whole};
use crate::{
    mir::*,
    passes::locals::{Usage, fixed_locals, usage},
    runtime::Rt,
    ty::{Ty, TyKind, any_part},
    visit::{self, Access, Mention},
};

/// How a local takes part in counting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// It holds no references.
    Plain,
    /// Somebody else keeps alive what it refers to.
    Borrowed,
    /// It owns its value from a write to the last use.
    Owned,
    /// It owns what it holds at any time, from the entry to the return.
    Memory,
}

/// What a local that may borrow repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// A local of class `Memory` that nobody else can see.
    Local(LocalId),
    /// Any other memory.
    Anywhere,
}

/// More owners than these are not told apart.
const MAX_OWNERS: usize = 8;

/// What is known of the locals of a function.
pub(super) struct Facts {
    /// Of each local.
    pub(super) class: Vec<Class>,
    /// The local's memory can be reached through a pointer, other than by a push to a slice.
    pub(super) exposed: Vec<bool>,
    /// What a local's value may point into: tracked locals that have to live as long.
    pub(super) owners: Vec<Vec<LocalId>>,
    /// The memory that a borrowing local repeats.
    pub(super) sources: Vec<Vec<Source>>,
    /// The local's value, or what is computed from it, is put where it is not followed, in memory that
    /// may outlive the function, or is returned.
    pub(super) leaks: Vec<bool>,
    /// The result, parameters and environment come first.
    pub(super) fixed: usize,
}

impl Facts {
    pub(super) fn class(&self, local: LocalId) -> Class {
        self.class[local.0 as usize]
    }
    /// Liveness of this local matters.
    pub(super) fn is_tracked(&self, local: LocalId) -> bool {
        match self.class(local) {
            Class::Owned => true,
            Class::Borrowed => !self.is_parameter(local),
            Class::Plain => !self.owners[local.0 as usize].is_empty(),
            Class::Memory => false,
        }
    }
    pub(super) fn is_parameter(&self, local: LocalId) -> bool {
        local != RESULT && (local.0 as usize) < self.fixed
    }
    /// Makes a local keep what it refers to until the function returns.
    pub(super) fn pin(&mut self, local: LocalId) {
        if !(self.is_parameter(local) && self.class(local) == Class::Borrowed) {
            self.class[local.0 as usize] = Class::Memory;
        }
    }
}

/// Locals whose memory can be reached through a pointer. Pushing to a slice takes the address of the
/// variable, but does not keep it.
pub(super) fn exposed_locals(function: &Function) -> Vec<bool> {
    let mut to_runtime = vec![0u32; function.locals.len()];
    let stmts = || function.blocks.iter().flat_map(|block| &block.stmts);
    for stmt in stmts() {
        if let Stmt::Call { callee: Callee::Runtime(_), args, .. } = stmt {
            for arg in args {
                if let Operand::Copy(place) = arg
                    && let Some(local) = whole(place)
                {
                    to_runtime[local.0 as usize] += 1;
                }
            }
        }
    }
    let usage = usage(function);
    let mut exposed = vec![false; function.locals.len()];
    for stmt in stmts() {
        if let Stmt::Assign { place, value: Rvalue::AddrOf(of), .. } = stmt {
            let forgotten = whole(place).is_some_and(|pointer| {
                let Usage { reads, address, .. } = usage[pointer.0 as usize];
                !address && reads == to_runtime[pointer.0 as usize] && pointer != RESULT
            });
            if let Some(local) = inside(of).filter(|_| !forgotten) {
                exposed[local.0 as usize] = true;
            }
        }
        if let Stmt::Asm { .. } = stmt {
            visit::stmt(stmt, &mut |mention| {
                if let Mention::Place(place, Access::Address) = mention
                    && let Some(local) = inside(place)
                {
                    exposed[local.0 as usize] = true;
                }
            });
        }
    }
    exposed
}

/// Finds the class of every local. Locals that may borrow are `Borrowed` until it turns out that
/// they cannot.
pub(super) fn classify(function: &Function, types: &mut Types) -> Facts {
    let count = function.locals.len();
    let usage = usage(function);
    let fixed = fixed_locals(function);
    let foreign = function.decl.abi != Abi::Cm;
    let class = |(index, local): (usize, &Local)| {
        let usage = usage[index];
        let parameter = (1..fixed).contains(&index);
        match () {
            () if !types.is_counted(local.ty) => Class::Plain,
            () if !usage.is_register() => Class::Memory,
            // Strings from C are copies that are made for the callee.
            () if parameter && foreign && *local.ty.get() == TyKind::Str => Class::Owned,
            () if parameter && usage.writes > 0 => Class::Owned,
            () if index == RESULT.0 as usize => Class::Owned,
            () => Class::Borrowed,
        }
    };
    let class = function.locals.iter().enumerate().map(class).collect();
    let facts = Facts {
        class,
        exposed: exposed_locals(function),
        owners: vec![Vec::new(); count],
        sources: vec![Vec::new(); count],
        leaks: vec![false; count],
        fixed,
    };
    let mut flow = Flow {
        function,
        usage: &usage,
        facts,
        edges: vec![Vec::new(); count],
        escapes: Vec::new(),
    };
    for stmt in function.blocks.iter().flat_map(|block| &block.stmts) {
        flow.stmt(stmt);
    }
    flow.leaks();
    flow.close();
    flow.facts
}

/// How values flow between locals.
struct Flow<'a> {
    function: &'a Function,
    usage: &'a [Usage],
    facts: Facts,
    /// From each local to those that may point into what it points into, or repeat it.
    edges: Vec<Vec<LocalId>>,
    /// Locals whose value is put where it is not followed.
    escapes: Vec<LocalId>,
}

impl Flow<'_> {
    fn ty(&self, local: LocalId) -> Ty {
        self.function.locals[local.0 as usize].ty
    }

    /// A register that may hold an address.
    fn is_carrier(&self, local: LocalId) -> bool {
        self.usage[local.0 as usize].is_register() && is_address(self.ty(local))
    }

    /// The local that keeps alive what a value read from a place points into.
    fn root(&self, place: &Place) -> Option<LocalId> {
        let Base::Local(local) = place.base else { return None };
        let counted = matches!(self.facts.class(local), Class::Borrowed | Class::Owned);
        let whole = place.projections.is_empty();
        // Pointers that lie in memory behind a pointer do not point into what that points into.
        (counted || whole && self.is_carrier(local)).then_some(local)
    }

    fn edge(&mut self, from: LocalId, to: LocalId) {
        if from != to && to != RESULT {
            self.edges[from.0 as usize].push(to);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Assign { place, value, .. } => match whole(place) {
                Some(local) if self.facts.class(local) == Class::Borrowed => {
                    self.counted(local, value);
                    self.stored(value);
                }
                Some(local) if self.is_carrier(local) => self.address(local, value),
                _ => self.stored(value),
            },
            Stmt::Call { dest, callee, args } => self.call(dest.as_ref(), callee, args),
            Stmt::Asm { operands, .. } => {
                for operand in operands {
                    if let Operand::Copy(place) = &operand.value
                        && let Some(local) = whole(place)
                    {
                        self.own(local);
                        self.escapes.push(local);
                    }
                }
            }
            Stmt::Count { .. } => {}
        }
    }

    fn own(&mut self, local: LocalId) {
        if self.facts.class(local) == Class::Borrowed {
            self.facts.class[local.0 as usize] = Class::Owned;
        }
    }

    /// A local that may borrow gets a value.
    fn counted(&mut self, local: LocalId, value: &Rvalue) {
        let place = match value {
            Rvalue::Use(Operand::Const(_)) => return,
            Rvalue::Use(Operand::Copy(place)) => place,
            _ => return self.own(local),
        };
        let Some(base) = inside(place) else {
            self.facts.sources[local.0 as usize].push(Source::Anywhere);
            if let Base::Local(base) = place.base {
                self.edge(base, local);
            }
            return;
        };
        match self.facts.class(base) {
            Class::Memory if self.facts.exposed[base.0 as usize] => {
                self.facts.sources[local.0 as usize].push(Source::Anywhere);
            }
            Class::Memory => self.facts.sources[local.0 as usize].push(Source::Local(base)),
            _ if self.is_last_use(place) => self.own(local),
            _ => self.edge(base, local),
        }
    }

    /// Reading the place moves the only reference out of a local.
    fn is_last_use(&self, place: &Place) -> bool {
        whole(place).is_some_and(|local| {
            self.usage[local.0 as usize].reads == 1
                && !self.facts.is_parameter(local)
                && local != RESULT
        })
    }

    /// A register that may hold an address gets a value.
    fn address(&mut self, local: LocalId, value: &Rvalue) {
        let from = |this: &mut Self, operand: &Operand| {
            if let Operand::Copy(place) = operand
                && let Some(root) = this.root(place)
            {
                this.edge(root, local);
            }
        };
        match value {
            // Numbers in objects are no addresses.
            Rvalue::Use(Operand::Copy(place))
                if !place.projections.is_empty() && *self.ty(local).get() != TyKind::Ptr => {}
            Rvalue::Use(a) | Rvalue::Cast(a, _) => from(self, a),
            Rvalue::Binary(op, a, b) if !is_comparison(*op) => {
                from(self, a);
                from(self, b);
            }
            Rvalue::PtrOffset(a, _, _) => from(self, a),
            Rvalue::AddrOf(place) if goes_through_pointer(place) => {
                if let Base::Local(base) = place.base {
                    self.edge(base, local);
                }
            }
            _ => {}
        }
    }

    /// Addresses in a value are put where they are not followed.
    fn stored(&mut self, value: &Rvalue) {
        let object = match value {
            Rvalue::Iface(object, _) => std::slice::from_ref(object),
            value => parts(value),
        };
        for part in object {
            if let Operand::Copy(place) = part
                && let Some(local) = whole(place)
                && self.facts.class(local) == Class::Plain
                && self.is_carrier(local)
            {
                self.escapes.push(local);
            }
        }
        if let Rvalue::AddrOf(place) = value
            && goes_through_pointer(place)
            && let Base::Local(base) = place.base
        {
            self.escapes.push(base);
        }
    }

    /// Goes back from what escapes or is returned to what it is computed from.
    fn leaks(&mut self) {
        let mut sources: Vec<Vec<LocalId>> = vec![Vec::new(); self.edges.len()];
        for stmt in self.function.blocks.iter().flat_map(|block| &block.stmts) {
            if let Stmt::Assign { place, value, .. } = stmt
                && let Some(local) = whole(place).filter(|local| self.is_carrier(*local))
            {
                let operands = match value {
                    Rvalue::Use(a) | Rvalue::Cast(a, _) | Rvalue::PtrOffset(a, ..) => vec![a],
                    Rvalue::Binary(op, a, b) if !is_comparison(*op) => vec![a, b],
                    _ => continue,
                };
                let from = operands.iter().filter_map(|operand| copied(operand));
                sources[local.0 as usize].extend(from);
            }
        }
        let mut work = self.escapes.clone();
        work.push(RESULT);
        while let Some(local) = work.pop() {
            if !std::mem::replace(&mut self.facts.leaks[local.0 as usize], true) {
                work.extend(&sources[local.0 as usize]);
            }
        }
    }

    /// The result of a call may point into its arguments.
    fn call(&mut self, dest: Option<&Place>, callee: &Callee, args: &[Operand]) {
        let Some(dest) = dest else { return };
        let object = match callee {
            Callee::Runtime(Rt::SlicePush) | Callee::Function(_) | Callee::Value { .. } => None,
            Callee::Runtime(_) => {
                if let Some(local) = whole(dest) {
                    self.own(local);
                }
                return;
            }
            Callee::Method { object, .. } => Some(object),
        };
        let whole_dest = whole(dest);
        if let Some(local) = whole_dest {
            self.own(local);
        }
        if !any_part(super::result_ty(callee), &|kind| *kind == TyKind::Ptr) {
            return;
        }
        let to = whole_dest.filter(|local| self.is_carrier(*local));
        for arg in args.iter().chain(object) {
            let Operand::Copy(place) = arg else { continue };
            let Some(root) = self.root(place) else { continue };
            match to {
                Some(to) => self.edge(root, to),
                // Strings that a callee keeps, it retains.
                None if *self.ty(root).get() != TyKind::Str => self.escapes.push(root),
                None => {}
            }
        }
    }

    /// Follows the flow to the end.
    fn close(&mut self) {
        let mut work: Vec<(LocalId, LocalId)> = Vec::new();
        for (index, targets) in self.edges.iter().enumerate() {
            let from = LocalId(index as u32);
            let owner = matches!(self.facts.class(from), Class::Owned | Class::Borrowed)
                && !(self.facts.is_parameter(from) && self.facts.class(from) == Class::Borrowed);
            if owner {
                work.extend(targets.iter().map(|to| (from, *to)));
            }
        }
        let mut pinned = Vec::new();
        while let Some((owner, local)) = work.pop() {
            let owners = &mut self.facts.owners[local.0 as usize];
            if owner == local || owners.contains(&owner) {
                continue;
            }
            if owners.len() == MAX_OWNERS {
                pinned.push(owner);
                continue;
            }
            owners.push(owner);
            work.extend(self.edges[local.0 as usize].iter().map(|to| (owner, *to)));
        }
        for local in std::mem::take(&mut self.escapes) {
            if self.facts.class(local) != Class::Plain {
                pinned.push(local);
            }
            pinned.extend(self.facts.owners[local.0 as usize].iter().copied());
        }
        for local in pinned {
            self.facts.pin(local);
        }
        for owners in &mut self.facts.owners {
            owners.sort_unstable();
        }
    }
}

/// Values of the type may be addresses.
fn is_address(ty: Ty) -> bool {
    matches!(ty.get(), TyKind::Ptr | TyKind::Int { bits: 64, .. })
}

/// The local that an operand is a copy of.
fn copied(operand: &Operand) -> Option<LocalId> {
    match operand {
        Operand::Copy(place) => whole(place),
        Operand::Const(_) => None,
    }
}

fn is_comparison(op: BinOp) -> bool {
    matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
}
