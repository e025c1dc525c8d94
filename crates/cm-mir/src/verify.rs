//! The verifier: what lowering and passes must hand on, and the back end and the interpreter may
//! rely on.

use crate::{
    mir::*,
    text::{stmt_text, terminator_text, type_text},
    ty::{Known, Ty, TyKind, layout},
    typing::{Typing, constant, fits, same},
    unit::Unit,
    visit::{self, Mention},
};
use cm_base::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

/// A breach of MIR's rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// Symbol of the function or global; the unit's name for what concerns none.
    pub symbol: Name,
    /// Where in it: a block and a statement, as text. May be empty.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.place.is_empty() { "" } else { ": " };
        write!(f, "{}: {}{separator}{}", self.symbol, self.place, self.message)
    }
}

impl std::error::Error for VerifyError {}

/// The largest type there may be, in bytes.
const MAX_SIZE: u64 = 1 << 40;
/// How deep types may be nested.
const MAX_DEPTH: u32 = 256;

type Check = Result<(), String>;

/// Checks a function by itself. In a function that passes, all ids are in range, all types agree,
/// and all layouts can be computed.
pub fn verify(function: &Function) -> Result<(), Vec<VerifyError>> {
    let mut errors = Vec::new();
    let mut report = |place: String, result: Check| {
        if let Err(message) = result {
            errors.push(VerifyError { symbol: function.decl.symbol, place, message });
        }
    };
    report(String::new(), signature(function));
    let mut types = Types::default();
    for (id, local) in function.locals.iter().enumerate() {
        let void_result = id == 0 && matches!(local.ty.get(), TyKind::Void);
        report(format!("_{id}"), if void_result { Ok(()) } else { types.value(local.ty) });
    }
    let typing = Typing(&function.locals);
    for (id, block) in function.blocks.iter().enumerate() {
        for stmt in &block.stmts {
            let result = written_types(stmt, &mut types)
                .and_then(|()| mentioned_types(|see| visit::stmt(stmt, see), &mut types))
                .and_then(|()| self::stmt(typing, stmt));
            if result.is_err() {
                report(format!("b{id}: `{}`", stmt_text(stmt)), result);
            }
        }
        let walk = |see: &mut dyn FnMut(_)| visit::terminator(&block.terminator, see);
        let result = mentioned_types(walk, &mut types)
            .and_then(|()| terminator(typing, &block.terminator, function.blocks.len()));
        if result.is_err() {
            report(format!("b{id}: `{}`", terminator_text(&block.terminator)), result);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn signature(function: &Function) -> Check {
    let FnDecl { params, ret, .. } = function.decl.get();
    if function.blocks.is_empty() {
        return Err("there are no blocks".into());
    }
    let expected: Vec<Ty> = std::iter::once(*ret).chain(params.iter().copied()).collect();
    if function.locals.len() < expected.len() {
        return Err("there are fewer locals than result and parameters".into());
    }
    for (id, (ty, local)) in expected.iter().zip(&function.locals).enumerate() {
        same(&format!("_{id}"), *ty, local.ty)?;
    }
    let Some(LocalId(env)) = function.env else { return Ok(()) };
    match function.locals.get(env as usize) {
        Some(local) if env as usize == expected.len() && local.ty.is_pointer_like() => Ok(()),
        _ => Err("the environment should be a pointer and follow the parameters".into()),
    }
}

/// Types that were found to be well-formed.
#[derive(Default)]
struct Types(FxHashSet<Ty>);

impl Types {
    /// That values can have this type.
    fn value(&mut self, ty: Ty) -> Check {
        match ty.get() {
            TyKind::Void => Err("no value can be void".into()),
            _ => self.check(ty, 0),
        }
    }
    fn result(&mut self, ty: Ty) -> Check {
        if matches!(ty.get(), TyKind::Void) { Ok(()) } else { self.value(ty) }
    }
    fn check(&mut self, ty: Ty, depth: u32) -> Check {
        if self.0.contains(&ty) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err("a type is nested too deeply".into());
        }
        let part = |this: &mut Types, part: Ty| match part.get() {
            TyKind::Void => Err(format!("{} has a void part", type_text(ty))),
            _ => this.check(part, depth + 1),
        };
        match ty.get() {
            TyKind::Int { bits, .. } if !matches!(bits, 8 | 16 | 32 | 64) => {
                return Err(format!("{} is no type", type_text(ty)));
            }
            TyKind::Array(elem, _) => part(self, *elem)?,
            TyKind::Struct { fields, .. } => fields.iter().try_for_each(|f| part(self, *f))?,
            TyKind::Tagged { variants, .. } => variants
                .iter()
                .filter(|v| !matches!(v.get(), TyKind::Void))
                .try_for_each(|v| part(self, *v))?,
            _ => {}
        }
        if layout(ty).size > MAX_SIZE {
            return Err(format!("{} is too large", type_text(ty)));
        }
        self.0.insert(ty);
        Ok(())
    }
}

/// The types that a statement writes down itself.
fn written_types(stmt: &Stmt, types: &mut Types) -> Check {
    match stmt {
        Stmt::Assign { value, .. } => match value {
            Rvalue::Cast(_, ty)
            | Rvalue::PtrOffset(_, _, ty)
            | Rvalue::PtrDiff(_, _, ty)
            | Rvalue::Aggregate(ty, _)
            | Rvalue::Tagged(ty, ..) => types.value(*ty),
            _ => Ok(()),
        },
        Stmt::Call { callee, .. } => {
            let (params, ret) = match callee {
                Callee::Function(decl) => (&decl.params, decl.ret),
                Callee::Value { params, ret, .. } | Callee::Method { params, ret, .. } => {
                    (params, *ret)
                }
                Callee::Runtime(_) => return Ok(()),
            };
            params.iter().try_for_each(|ty| types.value(*ty))?;
            types.result(ret)
        }
        Stmt::Asm { .. } | Stmt::Count { .. } => Ok(()),
    }
}

/// The types written in places and constants.
fn mentioned_types<'a>(walk: impl FnOnce(&mut dyn FnMut(Mention<'a>)), types: &mut Types) -> Check {
    let mut result = Ok(());
    walk(&mut |mention| {
        let found = match mention {
            Mention::Place(place, _) => place_types(place, types),
            Mention::Const(constant) => types.value(constant.ty),
            Mention::Function(_) | Mention::Global(_) => Ok(()),
        };
        if result.is_ok() {
            result = found;
        }
    });
    result
}

fn place_types(place: &Place, types: &mut Types) -> Check {
    if let Base::Global(global) = place.base {
        types.value(global.ty)?;
    }
    place.projections.iter().try_for_each(|projection| match projection {
        Projection::Deref(ty) => types.value(*ty),
        _ => Ok(()),
    })
}

fn stmt(typing: Typing<'_>, stmt: &Stmt) -> Check {
    match stmt {
        Stmt::Assign { place, value, .. } => {
            same("the value", typing.place(place)?, typing.rvalue(value)?)
        }
        Stmt::Call { dest, callee, args } => call(typing, dest.as_ref(), callee, args),
        Stmt::Count { place, .. } => typing.place(place).map(|_| ()),
        Stmt::Asm { operands, .. } => operands.iter().try_for_each(|operand| {
            let ty = typing.operand(&operand.value)?;
            let constant = matches!(operand.value, Operand::Const(_));
            match operand.class {
                AsmClass::Immediate if !constant || operand.output => {
                    Err("an immediate should be a constant".into())
                }
                AsmClass::Register | AsmClass::Memory if constant => {
                    Err("an operand in a register or in memory should be a place".into())
                }
                AsmClass::Register if !ty.is_scalar() => {
                    Err(format!("{} does not fit a register", type_text(ty)))
                }
                _ => Ok(()),
            }
        }),
    }
}

fn call(typing: Typing<'_>, dest: Option<&Place>, callee: &Callee, args: &[Operand]) -> Check {
    let known = Known::get();
    let runtime;
    let (params, ret, variadic) = match callee {
        Callee::Function(decl) => (&decl.params, decl.ret, decl.abi == Abi::CVariadic),
        Callee::Runtime(rt) => {
            runtime = rt.operands(args.len());
            (&runtime, rt.ret(), false)
        }
        Callee::Value { value, params, ret } => {
            same("the callee", known.func, typing.operand(value)?)?;
            (params, *ret, false)
        }
        Callee::Method { object, params, ret, .. } => {
            same("the object", known.iface, typing.operand(object)?)?;
            (params, *ret, false)
        }
    };
    if args.len() < params.len() || (args.len() > params.len() && !variadic) {
        return Err(format!("{} arguments for {} parameters", args.len(), params.len()));
    }
    for (i, arg) in args.iter().enumerate() {
        let found = typing.operand(arg)?;
        match params.get(i) {
            Some(param) => same(&format!("argument {i}"), *param, found)?,
            None if is_promoted(&found) => {}
            None => return Err(format!("argument {i} is not promoted: {}", type_text(found))),
        }
    }
    match dest {
        Some(dest) => same("the destination", ret, typing.place(dest)?)
            .and_then(|()| if ret == known.void { Err("nothing to store".into()) } else { Ok(()) }),
        None => Ok(()),
    }
}

/// May be a variable argument of C.
fn is_promoted(kind: &TyKind) -> bool {
    match kind {
        TyKind::Bool | TyKind::F32 | TyKind::Void => false,
        TyKind::Int { bits, .. } => *bits >= 32,
        _ => true,
    }
}

fn terminator(typing: Typing<'_>, terminator: &Terminator, blocks: usize) -> Check {
    if let Some(BlockId(id)) = terminator.successors().find(|b| b.0 as usize >= blocks) {
        return Err(format!("there is no block b{id}"));
    }
    let known = Known::get();
    match terminator {
        Terminator::Branch { cond, .. } => same("the condition", known.bool, typing.operand(cond)?),
        Terminator::Switch { value, cases, .. } => {
            let ty = typing.operand(value)?;
            let TyKind::Int { bits, .. } = ty.get() else {
                return Err(format!("no switch on {}", type_text(ty)));
            };
            let mut values: Vec<u64> = cases.iter().map(|(value, _)| *value).collect();
            values.sort_unstable();
            if let Some(pair) = values.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(format!("case {} stands twice", pair[0]));
            }
            match values.last() {
                Some(value) if !fits(*value, *bits) => {
                    Err(format!("case {value} does not fit {}", type_text(ty)))
                }
                _ => Ok(()),
            }
        }
        Terminator::Panic(message) => same("the message", known.str, typing.operand(message)?),
        Terminator::Goto(_) | Terminator::Return | Terminator::Unreachable => Ok(()),
    }
}

/// Checks a unit and all that is in it.
pub fn verify_unit(unit: &Unit) -> Result<(), Vec<VerifyError>> {
    let mut errors = Vec::new();
    let mut report = |symbol: Name, result: Check| {
        if let Err(message) = result {
            errors.push(VerifyError { symbol, place: String::new(), message });
        }
    };
    let functions: Vec<Name> = unit.functions.iter().map(|f| f.decl.symbol).collect();
    let globals: Vec<Name> = unit.globals.iter().map(|g| g.decl.symbol).collect();
    for symbols in [&functions, &globals] {
        for pair in symbols.windows(2).filter(|pair| pair[0] >= pair[1]) {
            let twice = pair[0] == pair[1];
            report(pair[1], Err(if twice { "defined twice" } else { "not sorted" }.into()));
        }
    }
    let names: FxHashSet<Name> = functions.iter().copied().collect();
    for symbol in globals.iter().filter(|symbol| names.contains(*symbol)) {
        report(*symbol, Err("both a function and a global".into()));
    }
    let mut types = Types::default();
    for global in &unit.globals {
        let ok = types.value(global.decl.ty).and_then(|()| constant(&global.init, true));
        let same = same("the initial value", global.decl.ty, global.init.ty);
        report(global.decl.symbol, ok.and(same));
    }
    let own: FxHashMap<Name, Decl> =
        unit.functions.iter().map(|f| (f.decl.symbol, f.decl)).collect();
    for function in &unit.functions {
        visit::function(function, &mut |mention| {
            if let Mention::Function(decl) = mention
                && own.get(&decl.symbol).is_some_and(|own| *own != decl)
            {
                let message = format!("uses `{}` with another signature", decl.symbol);
                report(function.decl.symbol, Err(message));
            }
        });
    }
    for function in &unit.functions {
        errors.extend(verify(function).err().unwrap_or_default());
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
