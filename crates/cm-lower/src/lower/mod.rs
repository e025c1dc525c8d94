//! Typed bodies to MIR.
//!
//! [`Cx`] is what a function shares with its lambdas; [`Lower`] is one function being built.

mod asm;
mod builtin;
mod call;
mod convert;
mod equality;
mod expr;
mod matching;
mod ops;
mod place;
mod scope;
mod stmt;
mod template;
mod zero;

use crate::{
    Lowered,
    builder::{Builder, pointer},
    consts,
    item::{self, Item},
    types,
};
use cm_base::Name;
use cm_db::Db;
use cm_hir::{
    thir::{
        Body, ConstValue, ExprId, ExprKind, Instance, InstanceKind, Lambda, LocalId, LocalKind,
    },
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{
        self, Abi, Const, Decl, FnDecl, Global, GlobalDecl, GlobalRef, Operand, Place, Projection,
    },
    ty::{self as mty, closure_object},
};
use rustc_hash::FxHashMap;
use scope::{Loop, Scope};
use std::collections::BTreeSet;

/// Runs `f` with enough stack.
pub(crate) fn guard<R>(f: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(128 << 10, 1 << 20, f)
}

/// Lowers the body of an instance. `None`: it has none, or it is wrong.
pub(crate) fn function(db: &dyn Db, instance: &Instance) -> Option<Lowered> {
    let body = cm_hir::body::body(db, instance).filter(|body| body.ok)?;
    let decl = item::decl(db, instance)?;
    let mut cx = Cx::new(db, body, decl.symbol);
    let mut lower = Lower::new(&mut cx, body.ret);
    let params: Vec<LocalId> = (0..body.params).map(LocalId).collect();
    lower.params(&params);
    lower.body(&body.block);
    let function = lower.builder.finish(decl, None);
    cx.functions.insert(0, function);
    Some(Lowered {
        functions: cx.functions,
        globals: cx.globals,
        refs: cx.refs.into_iter().collect(),
    })
}

/// What a function and its lambdas share.
pub(crate) struct Cx<'a> {
    db: &'a dyn Db,
    body: &'a Body,
    symbol: Name,
    /// Where variables live. A local belongs to one function, so lambdas add to the same table.
    vars: Vec<Option<Place>>,
    /// Where the flag is that tells whether a variable still has its value.
    flags: Vec<Option<mir::LocalId>>,
    /// Which expressions may write to memory, as far as it was asked for.
    writes: Vec<Option<bool>>,
    types: FxHashMap<Ty, mty::Ty>,
    drops: FxHashMap<Ty, bool>,
    decls: FxHashMap<Instance, Option<Decl>>,
    equalities: FxHashMap<Ty, Decl>,
    /// Method tables by type and interface, and whether the object is borrowed.
    tables: FxHashMap<(Ty, Ty, bool), GlobalRef>,
    /// How many namesakes a static local has before it, and how many parts have a number.
    statics: FxHashMap<Name, u32>,
    parts: u32,
    functions: Vec<mir::Function>,
    globals: Vec<Global>,
    refs: BTreeSet<Item>,
}

impl<'a> Cx<'a> {
    fn new(db: &'a dyn Db, body: &'a Body, symbol: Name) -> Cx<'a> {
        let mut cx = Cx {
            db,
            body,
            symbol,
            vars: vec![None; body.locals.len()],
            flags: vec![None; body.locals.len()],
            writes: vec![None; body.exprs.len()],
            types: FxHashMap::default(),
            drops: FxHashMap::default(),
            decls: FxHashMap::default(),
            equalities: FxHashMap::default(),
            tables: FxHashMap::default(),
            statics: FxHashMap::default(),
            parts: 0,
            functions: Vec::new(),
            globals: Vec::new(),
            refs: BTreeSet::new(),
        };
        for (index, local) in body.locals.iter().enumerate() {
            if let LocalKind::Static(init) = &local.kind {
                let place = cx.static_local(local.name, local.ty, init);
                cx.vars[index] = Some(place);
            }
        }
        cx
    }

    fn static_local(&mut self, name: Name, ty: Ty, init: &ConstValue) -> Place {
        let seen = self.statics.entry(name).or_insert(0);
        let symbol = match *seen {
            0 => format!("{}{{{name}}}", self.symbol),
            n => format!("{}{{{name}#{n}}}", self.symbol),
        };
        *seen += 1;
        let init = self.constant(ty, init);
        self.global(Name::new(&symbol), init, false)
    }

    /// A symbol for a part of this function: a lambda or a constant.
    fn part(&mut self) -> Name {
        self.parts += 1;
        Name::new(&format!("{}{{{}}}", self.symbol, self.parts - 1))
    }

    /// Adds static data.
    fn global(&mut self, symbol: Name, init: Const, constant: bool) -> Place {
        let decl = GlobalRef::new(GlobalDecl { symbol, ty: init.ty });
        self.globals.push(Global { decl, init, constant });
        Place { base: mir::Base::Global(decl), projections: Default::default() }
    }

    fn ty(&mut self, ty: Ty) -> mty::Ty {
        let db = self.db;
        match ty.get() {
            TyKind::Array(..) | TyKind::Struct(..) | TyKind::Enum(..) | TyKind::Union(_) => {
                *self.types.entry(ty).or_insert_with(|| types::lower(db, ty))
            }
            _ => types::lower(db, ty),
        }
    }

    fn needs_drop(&mut self, ty: Ty) -> bool {
        let db = self.db;
        match ty.get() {
            TyKind::Array(..) | TyKind::Struct(..) => {
                *self.drops.entry(ty).or_insert_with(|| types::needs_drop(db, ty))
            }
            _ => false,
        }
    }

    fn constant(&mut self, ty: Ty, value: &ConstValue) -> Const {
        let db = self.db;
        let refs = &mut self.refs;
        consts::lower(db, ty, value, &mut |instance| note(refs, instance))
    }

    /// How to call an instance; notes that it is needed.
    fn decl(&mut self, instance: &Instance) -> Option<Decl> {
        if let Some(known) = self.decls.get(instance) {
            return *known;
        }
        note(&mut self.refs, instance);
        let decl = item::decl(self.db, instance);
        self.decls.insert(instance.clone(), decl);
        decl
    }

    fn writes(&mut self, expr: ExprId) -> bool {
        let body = self.body;
        if let ExprKind::Const(_) | ExprKind::Local(_) = body[expr].kind {
            return false;
        }
        if let Some(known) = self.writes[expr.0 as usize] {
            return known;
        }
        let writes = guard(|| expr::writes(&body[expr].kind, &mut |child| self.writes(child)));
        self.writes[expr.0 as usize] = Some(writes);
        writes
    }
}

fn note(refs: &mut BTreeSet<Item>, instance: &Instance) {
    if instance.kind != InstanceKind::Foreign {
        refs.insert(Item::Function(instance.clone()));
    }
}

/// One function being built.
pub(crate) struct Lower<'c, 'a> {
    cx: &'c mut Cx<'a>,
    builder: Builder,
    scopes: Vec<Scope<'a>>,
    loops: Vec<Loop>,
    ret: Ty,
}

impl<'c, 'a> Lower<'c, 'a> {
    fn new(cx: &'c mut Cx<'a>, ret: Ty) -> Lower<'c, 'a> {
        let builder = Builder::new(cx.ty(ret));
        Lower { cx, builder, scopes: Vec::new(), loops: Vec::new(), ret }
    }

    fn params(&mut self, params: &[LocalId]) {
        for param in params {
            self.declare(*param);
        }
    }

    /// Makes a MIR local for a variable.
    fn declare(&mut self, local: LocalId) -> Place {
        let var = &self.cx.body.locals[local.0 as usize];
        let ty = self.cx.ty(var.ty);
        let place: Place = self.builder.variable(ty, var.name).into();
        self.cx.vars[local.0 as usize] = Some(place.clone());
        place
    }

    /// Lowers the outermost block. Its end returns the zero value.
    fn body(&mut self, block: &'a cm_hir::thir::Block) {
        self.block(block);
        if !self.builder.ended() {
            self.zero(mir::RESULT.into(), self.ret);
        }
    }

    /// The MIR type of an expression.
    fn ty_of(&mut self, expr: ExprId) -> mty::Ty {
        let ty = self.cx.body[expr].ty;
        self.cx.ty(ty)
    }

    /// A lambda as a value.
    fn lambda(&mut self, lambda: &'a Lambda) -> mir::Rvalue {
        let body = self.cx.body;
        let symbol = self.cx.part();
        let tys = |list: &mut dyn Iterator<Item = LocalId>, cx: &mut Cx<'a>| {
            list.map(|local| cx.ty(body.locals[local.0 as usize].ty)).collect::<Vec<_>>()
        };
        let params = tys(&mut lambda.params.iter().copied(), self.cx);
        let captured = tys(&mut lambda.captures.iter().map(|(_, inner)| *inner), self.cx);
        let ret = self.cx.ty(lambda.ret);
        let decl = Decl::new(FnDecl { symbol, params, ret, abi: Abi::Cm });
        let values = lambda.captures.iter().map(|(outer, _)| Operand::copy(self.local(*outer)));
        let values: Vec<Operand> = values.collect();

        let mut inner = Lower::new(self.cx, lambda.ret);
        inner.params(&lambda.params);
        let env = (!captured.is_empty()).then(|| inner.environment(lambda, &captured));
        inner.body(&lambda.block);
        let function = inner.builder.finish(decl, env);
        self.cx.functions.push(function);
        if values.is_empty() {
            let ty = mty::TyKind::Func.intern();
            return mir::Rvalue::Use(Operand::constant(ty, mir::ConstValue::Function(decl)));
        }
        mir::Rvalue::Closure(decl, values)
    }

    /// Declares the environment of a lambda and finds its captures in it.
    fn environment(&mut self, lambda: &Lambda, captured: &[mty::Ty]) -> mir::LocalId {
        let env = self.builder.variable(pointer(), Name::new("env"));
        let object = Place::from(env).project(Projection::Deref(closure_object(captured)));
        for (index, (_, inner)) in lambda.captures.iter().enumerate() {
            let place = object.clone().project(Projection::Field(index as u32 + 1));
            self.cx.vars[inner.0 as usize] = Some(place);
        }
        env
    }

    /// Where a variable lives.
    fn local(&mut self, local: LocalId) -> Place {
        match &self.cx.vars[local.0 as usize] {
            Some(place) => place.clone(),
            // A hidden local that is read before it is written.
            None => self.declare(local),
        }
    }
}
