//! Inference of type arguments, and types of instances.

use super::{
    common::{TY, is_error},
    ctx::Ctx,
};
use crate::{
    decl::{self, Signature},
    thir::{Derived, Instance, InstanceKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::DefId;
use cm_syntax::ast;

/// Type parameters with what they stand for.
pub(crate) type Bindings = Vec<(Name, GenericArg)>;

/// Binds the parameters in a pattern so that it matches a type, as far as it does.
pub(crate) fn unify(pattern: Ty, ty: Ty, bound: &mut Bindings) {
    if pattern == ty || is_error(ty) {
        return;
    }
    match (&*pattern, &*ty) {
        (TyKind::Param(name), _) => {
            if matches!(*ty, TyKind::Null | TyKind::Void) {
                return;
            }
            if bound.iter().all(|(found, _)| found != name) {
                bound.push((*name, GenericArg::Type(super::common::base(ty))));
            }
        }
        (TyKind::Pointer { to: a, .. }, TyKind::Pointer { to: b, .. }) => unify(*a, *b, bound),
        (
            TyKind::Array(a, _) | TyKind::Slice(a) | TyKind::Pointer { to: a, .. },
            TyKind::Array(b, _),
        )
        | (TyKind::Slice(a), TyKind::Slice(b)) => unify(*a, *b, bound),
        (TyKind::ArrayParam(a, name), TyKind::Array(b, len)) => {
            unify(*a, *b, bound);
            unify_arg(&GenericArg::Param(*name), &GenericArg::Value(i128::from(*len)), bound);
        }
        (TyKind::Function(a, x), TyKind::Function(b, y)) => {
            for (a, b) in a.iter().zip(b) {
                unify(*a, *b, bound);
            }
            unify(*x, *y, bound);
        }
        (TyKind::Struct(a, x), TyKind::Struct(b, y))
        | (TyKind::Enum(a, x), TyKind::Enum(b, y))
        | (TyKind::Interface(a, x), TyKind::Interface(b, y))
            if a == b =>
        {
            for (x, y) in x.iter().zip(y) {
                unify_arg(x, y, bound);
            }
        }
        (TyKind::Union(a), TyKind::Union(b)) => {
            for (a, b) in a.iter().zip(b) {
                unify(*a, *b, bound);
            }
        }
        _ => {}
    }
}

fn unify_arg(pattern: &GenericArg, arg: &GenericArg, bound: &mut Bindings) {
    match (pattern, arg) {
        (GenericArg::Type(pattern), GenericArg::Type(ty)) => unify(*pattern, *ty, bound),
        (GenericArg::Param(name), value) if bound.iter().all(|(found, _)| found != name) => {
            bound.push((*name, *value));
        }
        _ => {}
    }
}

/// Some type parameter is left in a type.
pub(crate) fn is_open(ty: Ty) -> bool {
    let args_open = |args: &[GenericArg]| {
        args.iter().any(|arg| match arg {
            GenericArg::Type(ty) => is_open(*ty),
            GenericArg::Param(_) => true,
            GenericArg::Value(_) => false,
        })
    };
    match &*ty {
        TyKind::Param(_) | TyKind::ArrayParam(..) => true,
        TyKind::Pointer { to, .. } => is_open(*to),
        TyKind::Array(element, _) | TyKind::Slice(element) => is_open(*element),
        TyKind::Function(params, ret) => is_open(*ret) || params.iter().any(|ty| is_open(*ty)),
        TyKind::Struct(_, args) | TyKind::Enum(_, args) | TyKind::Interface(_, args) => {
            args_open(args)
        }
        TyKind::Union(members) => members.iter().any(|ty| is_open(*ty)),
        _ => false,
    }
}

/// The signature's parameters with these arguments.
pub(crate) fn bindings(signature: &Signature, args: &[GenericArg]) -> Bindings {
    signature.generics.iter().zip(args).map(|(param, arg)| (param.name, *arg)).collect()
}

impl<'a> Ctx<'a> {
    /// Written type arguments.
    pub fn lower_args(&mut self, args: &[ast::TypeArg]) -> Vec<GenericArg> {
        args.iter()
            .map(|arg| match *arg {
                ast::TypeArg::Type(id) => self.lower_arg(id),
                ast::TypeArg::Number(value, _) => GenericArg::Value(i128::from(value)),
            })
            .collect()
    }

    /// A type, or the name of a constant.
    fn lower_arg(&mut self, id: ast::TypeId) -> GenericArg {
        if let ast::TypeKind::Path(path, args) = &self.arena[id].kind
            && args.is_empty()
        {
            if let [only] = path.segments.as_slice()
                && let Some(local) = self.lookup_outer(only.name)
                && let Some(crate::thir::ConstValue::Int(value)) = self.vars[local.0 as usize].value
            {
                return GenericArg::Value(value.into());
            }
            match self.resolve(path) {
                Ok(decl::Resolution::TypeParam(arg)) => return arg,
                Ok(decl::Resolution::Global(def)) => {
                    if let Some(global) = crate::global_use(self.db, def)
                        && let Some(crate::thir::ConstValue::Int(value)) = global.constant
                    {
                        return GenericArg::Value(value.into());
                    }
                }
                _ => {}
            }
        }
        GenericArg::Type(self.lower(id))
    }

    /// The type of a function as a value, and its type arguments: the written ones, or those that
    /// the expected type determines. `None`: they are not determined.
    pub fn function_type(
        &mut self,
        def: DefId,
        signature: &'a Signature,
        args: &[ast::TypeArg],
        expected: Option<Ty>,
    ) -> Option<(Ty, Vec<GenericArg>)> {
        let _ = def;
        let params = signature.params.iter().map(|param| param.ty).collect();
        let ty = TyKind::Function(params, signature.ret).intern();
        if signature.generics.is_empty() {
            return Some((ty, Vec::new()));
        }
        let mut bound = Bindings::new();
        if args.is_empty() {
            unify(ty, expected?, &mut bound);
        } else {
            let args = self.lower_args(args);
            bound = bindings(signature, &args);
        }
        let args = in_order(signature, &bound).ok()?;
        Some((decl::substitute(ty, &bound), args))
    }

    /// A type of a signature with type arguments put in.
    pub fn subst(&self, ty: Ty, signature: &Signature, args: &[GenericArg]) -> Ty {
        match signature.generics.is_empty() {
            true => ty,
            false => decl::substitute(ty, &bindings(signature, args)),
        }
    }

    /// The result type of an instance.
    pub fn instance_ret(&mut self, instance: &Instance) -> Ty {
        match instance.kind {
            InstanceKind::Derived(derived) => derived_ret(derived, instance),
            _ => match self.signature_of(instance.def) {
                Some(signature) => self.subst(signature.ret, signature, &instance.args),
                None => TY.error,
            },
        }
    }

    /// The type of a parameter of an instance.
    pub fn instance_param(&mut self, instance: &Instance, index: usize) -> Ty {
        match self.signature_of(instance.def) {
            Some(signature) => match signature.params.get(index) {
                Some(param) => self.subst(param.ty, signature, &instance.args),
                None => TY.error,
            },
            None => TY.error,
        }
    }

    /// The type of an instance as a function value.
    pub fn instance_type(&mut self, instance: &Instance) -> Ty {
        let Some(signature) = self.signature_of(instance.def) else { return TY.error };
        let params = signature.params.iter();
        let params = params.map(|param| self.subst(param.ty, signature, &instance.args)).collect();
        let ret = self.subst(signature.ret, signature, &instance.args);
        TyKind::Function(params, ret).intern()
    }

    /// Reports type arguments that violate the constraints of a function. True if none does.
    pub fn check_bounds(
        &mut self,
        signature: &Signature,
        bound: &Bindings,
        name: Name,
        at: At,
    ) -> bool {
        let before = self.problems.len();
        for param in &signature.generics {
            let Some((_, GenericArg::Type(ty))) = bound.iter().find(|(n, _)| *n == param.name)
            else {
                continue;
            };
            if param.bounds.is_empty() || is_error(*ty) {
                continue;
            }
            let holds = |bound_ty: &Ty| {
                let interface = decl::substitute(*bound_ty, bound);
                decl::implements(self.db, *ty, interface).is_some()
            };
            let failed = match param.any {
                true if param.bounds.iter().any(holds) => None,
                true => param.bounds.first(),
                false => param.bounds.iter().find(|bound| !holds(bound)),
            };
            if let Some(failed) = failed {
                let t = param.name;
                self.report(
                    at,
                    format!(
                        "Type '{ty}' does not satisfy constraint '{failed}' for type parameter '{t}' in function '{name}'"
                    ),
                );
                self.poisoned = true;
            }
        }
        self.problems.len() == before
    }
}

/// The arguments for all parameters of a signature, or the name of one that is open.
pub(crate) fn in_order(signature: &Signature, bound: &Bindings) -> Result<Vec<GenericArg>, Name> {
    let find = |param: &decl::GenericParam| {
        let found = bound.iter().find(|(name, _)| *name == param.name);
        found.map(|(_, arg)| *arg).ok_or(param.name)
    };
    signature.generics.iter().map(find).collect()
}

/// The result type of a derived function.
pub(crate) fn derived_ret(derived: Derived, instance: &Instance) -> Ty {
    match derived {
        Derived::Eq | Derived::Lt | Derived::IsCss => TY.bool,
        Derived::Clone => TyKind::Struct(instance.def, instance.args.clone()).intern(),
        Derived::Hash => TY.int,
        Derived::Debug | Derived::Display | Derived::Css => TY.str,
    }
}
