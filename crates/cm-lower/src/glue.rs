//! Functions without source: drop glue and C's `main`.

use crate::{
    Lowered,
    builder::{Builder, number, pointer, word},
    consts,
    item::{self, Item},
    types,
};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_hir::{
    entry, struct_type,
    thir::{Instance, InstanceKind},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{
        Abi, BinOp, ConstValue, Decl, FnDecl, Function, Global, Operand, Place, Projection, RESULT,
        Rvalue,
    },
    ty as mty,
};
use redgreen::Root;
use std::collections::BTreeSet;

/// Destroys a value of this type, whose address is the only parameter.
pub(crate) fn drop_glue(db: &dyn Db, ty: Ty) -> Lowered {
    let mut builder = Builder::new(mty::TyKind::Void.intern());
    let mut refs = BTreeSet::new();
    let this = builder.variable(pointer(), "self".into());
    let value = Place::from(this).project(Projection::Deref(types::lower(db, ty)));
    match ty.get() {
        TyKind::Array(elem, len) => drop_elements(db, &mut builder, &mut refs, value, *elem, *len),
        _ => {
            let Some(def) = struct_type(db, ty) else { return lowered(builder, ty, refs) };
            if let Some(destructor) = &def.destructor
                && let Some(decl) = item::decl(db, destructor)
            {
                refs.insert(Item::Function(destructor.clone()));
                builder.call(decl, vec![Operand::copy(this)], None);
            }
            for (index, (_, ty)) in def.fields.iter().enumerate().rev() {
                let field = value.clone().project(Projection::Field(index as u32));
                drop_value(db, &mut builder, &mut refs, field, *ty);
            }
        }
    }
    lowered(builder, ty, refs)
}

fn lowered(builder: Builder, ty: Ty, refs: BTreeSet<Item>) -> Lowered {
    Lowered {
        functions: vec![builder.finish(item::drop_decl(ty), None)],
        globals: Vec::new(),
        refs: refs.into_iter().collect(),
    }
}

fn drop_value(db: &dyn Db, builder: &mut Builder, refs: &mut BTreeSet<Item>, place: Place, ty: Ty) {
    if types::needs_drop(db, ty) {
        refs.insert(Item::Drop(ty));
        let address = builder.address(place);
        builder.call(item::drop_decl(ty), vec![address], None);
    }
}

/// From the last to the first.
fn drop_elements(
    db: &dyn Db,
    builder: &mut Builder,
    refs: &mut BTreeSet<Item>,
    array: Place,
    elem: Ty,
    len: u64,
) {
    builder.count_up(number(len), |builder, index| {
        let index = builder.binary(BinOp::Sub, word(), number(len - 1), index);
        drop_value(db, builder, refs, array.project(Projection::Index(index)), elem);
    });
}

/// A global variable.
pub(crate) fn global(db: &dyn Db, def: DefId) -> Option<Lowered> {
    let global = cm_hir::global(db, def).as_deref()?;
    let mut refs = BTreeSet::new();
    let init = consts::lower(db, global.ty, &global.init, &mut |instance| {
        if instance.kind != InstanceKind::Foreign {
            refs.insert(Item::Function(instance.clone()));
        }
    });
    let decl = item::global_ref(db, def, global.ty);
    Some(Lowered {
        functions: Vec::new(),
        globals: vec![Global { decl, init, constant: global.constant }],
        refs: refs.into_iter().collect(),
    })
}

/// C's `main` for tests: runs the one whose number the run-time library gives, and returns 0 if it passes.
fn start_tests(db: &dyn Db, tests: &[DefId]) -> Lowered {
    let int = mty::TyKind::signed(32);
    let mut builder = Builder::new(int);
    let mut refs = BTreeSet::new();
    builder.store(RESULT, Operand::constant(int, ConstValue::Int(0)));
    let choose =
        FnDecl { symbol: Name::new("cm_test_number"), params: Vec::new(), ret: int, abi: Abi::C };
    let chosen = builder.temp(int);
    builder.call(Decl::new(choose), Vec::new(), Some(chosen.into()));
    for (number, def) in tests.iter().enumerate() {
        let test = Instance { def: *def, kind: InstanceKind::Source, args: Vec::new() };
        let Some(callee) = item::decl(db, &test) else { continue };
        refs.insert(Item::Function(test));
        let number = Operand::constant(int, ConstValue::Int(number as u64));
        let is_it = builder.binary(BinOp::Eq, int, Operand::copy(chosen), number);
        let [call, next] = std::array::from_fn(|_| builder.block());
        builder.branch(is_it, call, next);
        builder.at(call);
        let ret = callee.ret;
        if let mty::TyKind::Void = ret.get() {
            builder.call(callee, Vec::new(), None);
        } else {
            let value = builder.temp(ret);
            builder.call(callee, Vec::new(), Some(value.into()));
            // `true` and 0 are good.
            let op = if let mty::TyKind::Bool = ret.get() { BinOp::Eq } else { BinOp::Ne };
            let zero = Operand::constant(ret, ConstValue::Zero);
            let failed = builder.binary(op, ret, Operand::copy(value), zero);
            builder.assign(RESULT, Rvalue::Cast(failed, int));
        }
        builder.goto(next);
        builder.at(next);
    }
    let decl =
        Decl::new(FnDecl { symbol: Name::new("main"), params: Vec::new(), ret: int, abi: Abi::C });
    Lowered {
        functions: vec![builder.finish(decl, None)],
        globals: Vec::new(),
        refs: refs.into_iter().collect(),
    }
}

/// C's `main`: calls the program's and returns its value, or 0.
pub(crate) fn start(db: &dyn Db) -> Option<Lowered> {
    let tests = cm_hir::decl::tests(db, Root);
    if !tests.is_empty() {
        return Some(start_tests(db, tests));
    }
    let main = entry(db, Root).as_ref()?;
    let callee = item::decl(db, main)?;
    let int = mty::TyKind::signed(32);
    let mut builder = Builder::new(int);
    builder.store(RESULT, Operand::constant(int, ConstValue::Int(0)));
    match callee.ret.get() {
        mty::TyKind::Void => builder.call(callee, Vec::new(), None),
        _ => {
            let status = builder.temp(callee.ret);
            builder.call(callee, Vec::new(), Some(status.into()));
            builder.assign(RESULT, Rvalue::Cast(Operand::copy(status), int));
        }
    }
    let decl =
        Decl::new(FnDecl { symbol: Name::new("main"), params: Vec::new(), ret: int, abi: Abi::C });
    let function: Function = builder.finish(decl, None);
    // Foreign code may call these, nobody knows which.
    let exported = cm_hir::decl::c_functions(db, Root).iter().map(|def| {
        Item::Function(Instance { def: *def, kind: InstanceKind::Source, args: Vec::new() })
    });
    let refs: BTreeSet<Item> = exported.chain([Item::Function(main.clone())]).collect();
    Some(Lowered {
        functions: vec![function],
        globals: Vec::new(),
        refs: refs.into_iter().collect(),
    })
}
