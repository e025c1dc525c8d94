//! Calls of functions, function values and constructors.

use super::{
    common::{TY, float_of, int_of, is_error, pointer},
    ctx::Ctx,
    generics::{Bindings, in_order, is_open, unify},
};
use crate::{
    decl::{self, ItemKind, Method, Resolution, Scope, Signature},
    queries::GlobalUse,
    thir::{ConstValue, Conversion, ExprId, ExprKind, Instance, InstanceKind},
    ty::{GenericArg, Ty, TyKind, mentions_error},
};
use cm_base::{At, Name};
use cm_syntax::ast;
use thin_vec::ThinVec;

/// What is called, for messages.
#[derive(Clone, Copy)]
pub(crate) enum Callee {
    /// A function.
    Function(Name),
    /// A method.
    Method(Name),
}

impl Callee {
    fn name(self) -> Name {
        match self {
            Callee::Function(name) | Callee::Method(name) => name,
        }
    }

    /// The message for an argument of the wrong type.
    pub fn mismatch(self, to: Ty, from: Ty) -> String {
        match self {
            Callee::Function(name) => {
                format!("Argument type mismatch in call to '{name}': expected {to}, got {from}")
            }
            Callee::Method(name) => {
                format!("Argument type mismatch in method call '{name}': expected {to}, got {from}")
            }
        }
    }

    /// The message for the wrong number of arguments.
    pub fn count(self, least: usize, most: usize, got: usize) -> String {
        let what = match self {
            Callee::Function(name) => format!("Function '{name}'"),
            Callee::Method(name) => format!("Method '{name}'"),
        };
        match least == most {
            true => format!("{what} expects {most} arguments, got {got}"),
            false => format!("{what} expects {least} to {most} arguments, got {got}"),
        }
    }
}

/// Arguments of a call: some are checked already.
#[derive(Clone, Copy)]
pub(crate) enum Arg {
    /// Yet to be checked.
    Ast(ast::ExprId),
    /// Checked, not converted.
    Done(ExprId),
}

/// A call that has been checked: type arguments, converted arguments, result type.
pub(crate) struct Checked {
    pub generics: Vec<GenericArg>,
    pub args: Vec<ExprId>,
    pub ret: Ty,
}

impl<'a> Ctx<'a> {
    /// `f(args)`.
    pub fn call(
        &mut self,
        callee: ast::ExprId,
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let arena = self.arena;
        match &arena[self.strip(callee)].kind {
            ast::ExprKind::Path(path, type_args) => {
                self.call_path(path, type_args, args, at, expected)
            }
            ast::ExprKind::TypePath { ty, member } => {
                let ty = self.lower(*ty);
                self.member_call(ty, *member, args, at)
            }
            _ => {
                let value = self.expr(callee, None);
                self.call_value(value, None, args, at)
            }
        }
    }

    fn call_path(
        &mut self,
        path: &'a ast::Path,
        type_args: &[ast::TypeArg],
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let last = *path.segments.last().expect("a path has a segment");
        if path.segments.len() == 1
            && let Some(local) = self.lookup(last.name)
        {
            let value = self.local(local, last.at, super::ownership::Use::Read);
            return self.call_value(value, Some(last.name), args, at);
        }
        if self.is_intrinsic(path) {
            return self.intrinsic(last.name, args, at);
        }
        let found = match self.resolve_path(path) {
            Ok(found) => found,
            Err(problem) => {
                self.check_all(args);
                let unknown = problem.message.starts_with("Undefined variable");
                return match unknown {
                    true => {
                        let meant = self.meant_value(last.name);
                        self.error(at, format!("'{}' is not a function{meant}", last.name))
                    }
                    false => {
                        self.problem(problem);
                        self.poison(at)
                    }
                };
            }
        };
        match found {
            Resolution::Functions(defs) => {
                let name = last.name;
                let candidates =
                    defs.into_iter().map(|def| Method { def, derived: None, args: Vec::new() });
                self.call_functions(candidates.collect(), name, type_args, args, at, expected)
            }
            Resolution::Global(def) => {
                let value = match crate::global_use(self.db, def).as_deref() {
                    Some(GlobalUse { ty, constant: Some(value) }) => {
                        self.constant(*ty, at, value.clone())
                    }
                    Some(global) => self.push(global.ty, at, ExprKind::Global(Box::new(def))),
                    None => self.poison(at),
                };
                self.call_value(value, Some(last.name), args, at)
            }
            Resolution::Variant(def, index) => {
                self.variant_call((def, index), path, type_args, args, at, expected)
            }
            Resolution::Prelude(name) => self.print(name, args, at),
            Resolution::TypeParam(GenericArg::Type(ty)) if path.segments.len() == 1 => {
                self.construct_value(ty, args, at)
            }
            Resolution::TypeParam(GenericArg::Type(ty)) => self.member_call(ty, last, args, at),
            Resolution::Member(_, member) => {
                let ty = self.path_prefix_type(path, type_args);
                self.member_call(ty, member, args, at)
            }
            Resolution::Type(def) => {
                let ty = match expected {
                    Some(wanted) if type_args.is_empty() && self.is_generic_type(def) => wanted,
                    _ => self.path_type(path, type_args),
                };
                self.construct_value(ty, args, at)
            }
            Resolution::TypeParam(_) => {
                self.error(at, format!("'{}' is not a function", last.name))
            }
        }
    }

    /// Checks arguments for their own sake, after an error.
    pub fn check_all(&mut self, args: &[ast::ExprId]) {
        for arg in args {
            self.expr(*arg, None);
        }
    }

    /// A call of a function value.
    pub fn call_value(
        &mut self,
        value: ExprId,
        name: Option<Name>,
        args: &[ast::ExprId],
        at: At,
    ) -> ExprId {
        let ty = self.ty(value);
        let shown = name.unwrap_or_else(|| Name::new("expression"));
        let TyKind::Function(params, ret) = &*ty else {
            self.check_all(args);
            return match is_error(ty) {
                true => self.poison(at),
                false => self.error(at, format!("'{shown}' is not a function")),
            };
        };
        let callee = Callee::Function(shown);
        if params.len() != args.len() {
            self.check_all(args);
            return self.error(at, callee.count(params.len(), params.len(), args.len()));
        }
        let borrows: Vec<_> = args.iter().map(|arg| self.borrow_state(*arg)).collect();
        let mut done = Vec::with_capacity(args.len());
        for (arg, param) in args.iter().zip(params) {
            let value = self.expr(*arg, Some(*param));
            done.push(self.argument(value, *param, callee, at));
        }
        borrows.into_iter().for_each(|borrow| self.end_borrow(borrow));
        self.push(*ret, at, ExprKind::CallValue(value, done.into()))
    }

    /// An argument converted to its parameter's type.
    fn argument(&mut self, value: ExprId, param: Ty, callee: Callee, at: At) -> ExprId {
        match self.coerce(value, param, true) {
            Some(done) => done,
            None => {
                let from = self.ty(value);
                self.error(at, callee.mismatch(param, from))
            }
        }
    }

    /// A call of one of several functions of a name.
    pub fn call_functions(
        &mut self,
        candidates: Vec<Method>,
        name: Name,
        type_args: &[ast::TypeArg],
        args: &[ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let callee = Callee::Function(name);
        let explicit = self.lower_args(type_args);
        let args: Vec<Arg> = args.iter().map(|arg| Arg::Ast(*arg)).collect();
        let Some((method, args)) = self.choose(candidates, args, callee, at) else {
            return self.poison(at);
        };
        let Some(signature) = self.signature_of(method.def) else { return self.poison(at) };
        let Some(checked) =
            self.arguments(&method, signature, &explicit, &args, callee, at, expected)
        else {
            return self.poison(at);
        };
        let kind = if signature.foreign { InstanceKind::Foreign } else { InstanceKind::Source };
        let instance = Instance { def: method.def, kind, args: checked.generics };
        self.poisoned |= is_error(checked.ret);
        self.push(checked.ret, at, ExprKind::Call(Box::new(instance), checked.args.into()))
    }

    /// Picks the overload that fits best. `None`: reported.
    pub fn choose(
        &mut self,
        mut candidates: Vec<Method>,
        mut args: Vec<Arg>,
        callee: Callee,
        at: At,
    ) -> Option<(Method, Vec<Arg>)> {
        if candidates.len() <= 1 {
            return candidates.pop().map(|only| (only, args));
        }
        let got = args.len();
        let mut fitting = Vec::new();
        for method in &candidates {
            let Some(signature) = self.signature_of(method.def) else { continue };
            if (signature.required()..=signature.params.len()).contains(&got) {
                fitting.push((method.clone(), signature));
            }
        }
        match fitting.as_slice() {
            [] => {
                self.done(&mut args, &[]);
                self.report(
                    at,
                    format!(
                        "No overload of '{}' fits: expects other arguments, got {got}",
                        callee.name()
                    ),
                );
                return None;
            }
            [(only, _)] => return Some((only.clone(), args)),
            _ => {}
        }
        let params: Vec<&Signature> = fitting.iter().map(|(_, signature)| *signature).collect();
        let hints: Vec<Option<Ty>> =
            (0..got).map(|index| self.hint(args[index], &params, index)).collect();
        for (arg, hint) in args.iter_mut().zip(hints) {
            // What has no type of its own gets it from the function that is chosen.
            if !matches!(*arg, Arg::Ast(id) if self.is_open_literal(id)) {
                self.done(std::slice::from_mut(arg), &[hint]);
            }
        }
        let mut best: Option<((bool, usize), Method)> = None;
        let mut tie = false;
        for (method, signature) in fitting {
            let Some(cost) = self.cost(&method, signature, &args) else { continue };
            // Constructors are first told apart by the number of arguments.
            let others = &*signature.name == "self" && signature.params.len() != got;
            let cost = (others, cost);
            match &best {
                Some((least, _)) if cost > *least => {}
                Some((least, _)) if cost == *least => tie = true,
                _ => (best, tie) = (Some((cost, method)), false),
            }
        }
        let message = match best {
            Some((_, method)) if !tie => return Some((method, args)),
            Some(_) => "is ambiguous",
            None => "fits no overload: Argument type mismatch",
        };
        if !args.iter().any(|arg| matches!(arg, Arg::Done(arg) if self.bad(*arg))) {
            self.report(at, format!("Call to '{}' {message}", callee.name()));
        }
        self.poisoned = true;
        None
    }

    /// Checks arguments before the callee is known.
    fn done(&mut self, args: &mut [Arg], hints: &[Option<Ty>]) {
        for (index, arg) in args.iter_mut().enumerate() {
            if let Arg::Ast(id) = *arg {
                let hint = hints.get(index).copied().flatten().filter(|hint| !is_open(*hint));
                let untyped = matches!(
                    self.arena[self.strip(id)].kind,
                    ast::ExprKind::Struct { ty: None, .. } | ast::ExprKind::Array(_)
                );
                *arg = Arg::Done(self.expr(id, hint.filter(|_| untyped)));
            }
        }
    }

    /// What a literal among the arguments may be expected to be: an array literal an array, if all candidates
    /// agree on the elements; other literals what the first candidate wants.
    fn hint(&self, arg: Arg, candidates: &[&Signature], index: usize) -> Option<Ty> {
        let first = candidates[0].params[index].ty;
        let Arg::Ast(id) = arg else { return Some(first) };
        if !matches!(self.arena[self.strip(id)].kind, ast::ExprKind::Array(_)) {
            return Some(first);
        }
        let wanted = |signature: &&Signature| signature.params[index].ty;
        let mut wanted: Vec<Ty> =
            candidates.iter().map(wanted).filter(|ty| element(*ty).is_some()).collect();
        wanted.dedup();
        match wanted[..] {
            [] => Some(first),
            [only] => Some(only),
            [one, ..] => {
                let same = wanted.iter().all(|other| element(*other) == element(one));
                element(one).filter(|_| same).map(|element| pointer(element, false))
            }
        }
    }

    /// How many implicit conversions a candidate needs. An array literal is a slice where one is
    /// expected. `None`: it does not fit.
    fn cost(&mut self, method: &Method, signature: &Signature, args: &[Arg]) -> Option<usize> {
        let mut cost = 0;
        for (arg, param) in args.iter().zip(&signature.params) {
            let generics = super::generics::bindings(signature, &method.args);
            let to = decl::substitute(param.ty, &generics);
            let value = match arg {
                Arg::Ast(literal) if !self.may_be(*literal, to) => return None,
                Arg::Ast(_) => {
                    cost += usize::from(is_open(to) || matches!(*to, TyKind::Union(_)));
                    continue;
                }
                Arg::Done(value) => value,
            };
            let from = self.ty(*value);
            if is_open(to) {
                cost += 1;
            } else if from != to && !self.is_slice_literal(*value, to) {
                if !self.assignable(from, to) {
                    return None;
                }
                cost += 1;
            }
        }
        Some(cost)
    }

    fn is_slice_literal(&self, value: ExprId, to: Ty) -> bool {
        let literal = matches!(self.exprs[value.0 as usize].kind, ExprKind::Array(_));
        literal && matches!(*to, TyKind::Slice(_)) && element(self.ty(value)) == element(to)
    }

    /// Whether this is `[]`, or begins with it at some depth: a literal that needs an expected type.
    fn is_open_literal(&self, id: ast::ExprId) -> bool {
        match &self.arena[self.strip(id)].kind {
            ast::ExprKind::Array(elements) => {
                elements.first().is_none_or(|first| self.is_open_literal(*first))
            }
            _ => false,
        }
    }

    /// Whether the arrays in a literal may be of this type, whatever else is in it.
    fn may_be(&self, id: ast::ExprId, to: Ty) -> bool {
        let ast::ExprKind::Array(elements) = &self.arena[self.strip(id)].kind else { return true };
        match &*to {
            TyKind::Array(_, len) if elements.len() as u64 > *len => false,
            TyKind::Array(of, _) | TyKind::Slice(of) => {
                elements.iter().all(|element| self.may_be(*element, *of))
            }
            TyKind::Union(members) => members.iter().any(|member| self.may_be(id, *member)),
            _ => false,
        }
    }

    /// Checks the arguments of a call, infers type arguments, fills in defaults. `None`: reported.
    #[expect(clippy::too_many_arguments, reason = "they are the parts of a call")]
    pub fn arguments(
        &mut self,
        method: &Method,
        signature: &'a Signature,
        explicit: &[GenericArg],
        args: &[Arg],
        callee: Callee,
        at: At,
        expected: Option<Ty>,
    ) -> Option<Checked> {
        let (least, most) = (signature.required(), signature.params.len());
        if args.len() < least || (args.len() > most && !signature.variadic) {
            let mut args = args.to_vec();
            self.done(&mut args, &[]);
            self.report(at, callee.count(least, most, args.len()));
            self.explain_def(method.def, "declared here");
            return None;
        }
        let own = signature.generics.len() > method.args.len();
        let mut bound = super::generics::bindings(signature, &method.args);
        for (param, arg) in signature.generics.iter().skip(method.args.len()).zip(explicit) {
            bound.push((param.name, *arg));
        }
        let borrows: Vec<_> = args
            .iter()
            .map(|arg| match arg {
                Arg::Ast(id) => self.borrow_state(*id),
                Arg::Done(_) => None,
            })
            .collect();
        let mut values = Vec::with_capacity(most.max(args.len()));
        for (index, arg) in args.iter().enumerate() {
            let param = signature.params.get(index).map(|param| param.ty);
            values.push(self.infer_argument(*arg, param, &mut bound, own));
        }
        borrows.into_iter().for_each(|borrow| self.end_borrow(borrow));
        let generics = self.settle(signature, &mut bound, &values, expected, callee, at)?;
        for (value, param) in values.iter_mut().zip(&signature.params) {
            let to = if bound.is_empty() { param.ty } else { decl::substitute(param.ty, &bound) };
            let before = self.problems.len();
            *value = self.argument(*value, to, callee, at);
            if self.problems.len() > before {
                self.explain_def(method.def, "declared here");
            }
        }
        for value in values.iter_mut().skip(most) {
            *value = self.promote(*value);
        }
        for index in values.len()..most {
            let instance =
                Instance { def: method.def, kind: InstanceKind::Source, args: generics.clone() };
            values.push(self.default_argument(&instance, signature, index, at));
        }
        let ret = match bound.is_empty() {
            true => signature.ret,
            false => decl::substitute(signature.ret, &bound),
        };
        Some(Checked { generics, args: values, ret })
    }

    fn infer_argument(
        &mut self,
        arg: Arg,
        param: Option<Ty>,
        bound: &mut Bindings,
        own: bool,
    ) -> ExprId {
        let wanted = match param {
            Some(param) if !bound.is_empty() => Some(decl::substitute(param, bound)),
            param => param,
        };
        let value = match arg {
            Arg::Ast(id) => self.expr(id, wanted.filter(|ty| !own || !is_open(*ty))),
            Arg::Done(value) => value,
        };
        if let (Some(wanted), true) = (wanted, own) {
            unify(wanted, self.ty(value), bound);
        }
        value
    }

    /// The type arguments of a call, all of them; constraints are checked.
    fn settle(
        &mut self,
        signature: &Signature,
        bound: &mut Bindings,
        values: &[ExprId],
        expected: Option<Ty>,
        callee: Callee,
        at: At,
    ) -> Option<Vec<GenericArg>> {
        if signature.generics.is_empty() {
            return Some(Vec::new());
        }
        if bound.len() < signature.generics.len()
            && let Some(expected) = expected
        {
            let ret = decl::substitute(signature.ret, bound);
            unify(ret, expected, bound);
        }
        match in_order(signature, bound) {
            Ok(generics) => {
                // An instance that violates them would only repeat the mistake.
                self.check_bounds(signature, bound, callee.name(), at).then_some(generics)
            }
            Err(name) => {
                if !values.iter().any(|value| mentions_error(self.ty(*value))) {
                    self.report(at, format!("Cannot infer type parameter '{name}'"));
                }
                self.poisoned = true;
                None
            }
        }
    }

    /// The default argument promotions of C.
    fn promote(&mut self, value: ExprId) -> ExprId {
        let value = self.decay(value);
        let ty = self.ty(value);
        if float_of(ty).is_some_and(|float| float.bits() < 64) {
            return self.convert(value, Conversion::Numeric, TY.double);
        }
        let small = int_of(ty).is_some_and(|int| int.bits() < 32);
        if small || matches!(*ty, TyKind::Bool | TyKind::Char) {
            return self.convert(value, Conversion::Numeric, TY.int);
        }
        value
    }

    /// The value of a parameter's default argument, converted to its type.
    fn default_argument(
        &mut self,
        instance: &Instance,
        signature: &Signature,
        index: usize,
        at: At,
    ) -> ExprId {
        if self.in_default {
            return self.error(at, "A default argument must be a constant expression");
        }
        let Some(item) = decl::item(self.db, instance.def) else { return self.poison(at) };
        let ItemKind::Function { signature: syntax, .. } = &item.kind else {
            return self.poison(at);
        };
        let param = &signature.params[index];
        let ty = self.subst(param.ty, signature, &instance.args);
        let Some(default) = syntax.params.get(index).and_then(|param| param.default) else {
            return self.poison(at);
        };
        let scope = decl::body_scope(instance, item, signature);
        match self.default_value(scope, &syntax.arena, default, ty) {
            Some(value) => self.constant(ty, at, value),
            // The function itself reports it.
            None => self.poison(at),
        }
    }

    /// The value of a default argument that is declared in this scope.
    pub fn default_value(
        &self,
        scope: Scope,
        arena: &ast::Arena,
        default: ast::ExprId,
        to: Ty,
    ) -> Option<ConstValue> {
        let mut inner = Ctx::new(self.db, scope, arena, None);
        inner.in_default = true;
        let value = inner.expr(default, Some(to));
        let value = inner.coerce(value, to, false)?;
        inner.eval(value).ok()
    }

    // ---- constructors

    /// `T(args)`.
    pub fn construct_value(&mut self, ty: Ty, args: &[ast::ExprId], at: At) -> ExprId {
        if !matches!(*ty, TyKind::Struct(..)) {
            self.check_all(args);
            return match is_error(ty) {
                true => self.poison(at),
                false => self.error(at, format!("'{ty}' is not a function")),
            };
        }
        match self.constructor(ty, args, at) {
            Some(Some((instance, args))) => {
                self.push(ty, at, ExprKind::Construct(Box::new(instance), args.into()))
            }
            Some(None) => self.push(ty, at, ExprKind::Struct(ThinVec::new())),
            None => self.poison(at),
        }
    }

    /// The constructor for these arguments. `Some(None)`: there is none and none is needed.
    pub fn constructor(
        &mut self,
        ty: Ty,
        args: &[ast::ExprId],
        at: At,
    ) -> Option<Option<(Instance, Vec<ExprId>)>> {
        let candidates = decl::constructors(self.db, ty);
        let callee = Callee::Function(Name::new(&ty.to_string()));
        if candidates.is_empty() || args.is_empty() {
            let fits = |ctx: &mut Self, method: &Method| {
                ctx.signature_of(method.def).is_some_and(|signature| signature.required() == 0)
            };
            if args.is_empty() && !candidates.iter().any(|method| fits(self, method)) {
                return Some(None);
            }
            if candidates.is_empty() {
                self.check_all(args);
                self.report(at, callee.count(0, 0, args.len()));
                return None;
            }
        }
        let args = args.iter().map(|arg| Arg::Ast(*arg)).collect();
        let (method, args) = self.choose(candidates, args, callee, at)?;
        let signature = self.signature_of(method.def)?;
        let checked = self.arguments(&method, signature, &[], &args, callee, at, None)?;
        let instance =
            Instance { def: method.def, kind: InstanceKind::Source, args: checked.generics };
        Some(Some((instance, checked.args)))
    }
}

/// What an array literal of a type has as elements.
fn element(ty: Ty) -> Option<Ty> {
    match *ty {
        TyKind::Array(element, _)
        | TyKind::Slice(element)
        | TyKind::Pointer { to: element, .. } => Some(element),
        _ => None,
    }
}
