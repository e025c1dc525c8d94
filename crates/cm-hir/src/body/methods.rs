//! Calls of methods.

use super::{
    calls::{Arg, Callee},
    common::{TY, base, is_error},
    ctx::Ctx,
    generics::derived_ret,
};
use crate::{
    decl::{self, Method},
    thir::{Conversion, Derived, ExprId, ExprKind, Instance, InstanceKind},
    ty::{Ty, TyKind},
};
use cm_base::At;
use cm_syntax::ast;
use thin_vec::ThinVec;

impl<'a> Ctx<'a> {
    /// `e.m(args)`, `e->m(args)`.
    pub fn method_call(
        &mut self,
        receiver: ast::ExprId,
        arrow: bool,
        name: ast::Ident,
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let value = self.expr(receiver, None);
        let wrong = "Pointer type does not support method calls";
        let Some(value) = self.receiver(value, arrow, at, wrong) else {
            self.check_all(args);
            return self.poison(at);
        };
        let value = self.decay(value);
        let ty = self.ty(value);
        match *ty {
            TyKind::Str => {
                if let Some(call) = self.string_method(value, name.name, args, at) {
                    return call;
                }
            }
            TyKind::Array(..) | TyKind::Slice(_) => {
                if let Some(call) = self.array_method(value, name.name, args, at, expected) {
                    return call;
                }
            }
            _ => {}
        }
        if let Some(method) = decl::method(self.db, ty, name.name) {
            let value = self.as_slice(value, &method);
            return self.call_method(value, &method, name, args, at, expected);
        }
        match *ty {
            TyKind::Interface(..) => self.interface_call(value, ty, name, args, at),
            TyKind::Struct(..) => match decl::field(self.db, ty, name.name) {
                Some(field) if matches!(*field.ty, TyKind::Function(..)) => {
                    let function = self.field_of(value, name.name, at);
                    self.call_value(function, Some(name.name), args, at)
                }
                _ => self.unknown_method(ty, name, args, at),
            },
            _ => self.unknown_method(ty, name, args, at),
        }
    }

    /// An array as the receiver of a method of slices.
    fn as_slice(&mut self, value: ExprId, method: &Method) -> ExprId {
        let own = self.signature_of(method.def).and_then(|signature| signature.self_ty);
        match (self.ty(value).get(), own.as_deref()) {
            (TyKind::Array(element, _), Some(TyKind::Slice(_))) if method.derived.is_none() => {
                let slice = TyKind::Slice(*element).intern();
                self.convert(value, Conversion::ArrayToSlice, slice)
            }
            _ => value,
        }
    }

    fn unknown_method(&mut self, ty: Ty, name: ast::Ident, args: &[ast::ExprId], at: At) -> ExprId {
        self.check_all(args);
        let name = name.name;
        let meant = self.meant_method(base(ty), name);
        let message = match *base(ty) {
            TyKind::Str => format!("Unknown string method '{name}'{meant}"),
            TyKind::Array(..) if ["push", "pop", "remove", "delete", "clear"].contains(&&*name) => {
                format!("Unknown array method '{name}': the length of '{ty}' is fixed")
            }
            TyKind::Array(..) | TyKind::Slice(_) => format!("Unknown array method '{name}'{meant}"),
            _ => format!("Unknown method '{name}' for type '{ty}'{meant}"),
        };
        self.error(at, message)
    }

    /// A method that an impl, or `with`, defines.
    fn call_method(
        &mut self,
        receiver: ExprId,
        method: &Method,
        name: ast::Ident,
        args: &[ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let callee = Callee::Method(name.name);
        if let Some(derived) = method.derived {
            if !args.is_empty() {
                self.check_all(args);
                return self.error(at, callee.count(0, 0, args.len()));
            }
            return self.call_derived(receiver, method, derived, at);
        }
        let Some(signature) = self.signature_of(method.def) else { return self.poison(at) };
        let ty = self.ty(receiver);
        if signature.private && !self.inside_impl_of(ty) {
            let name = name.name;
            let message =
                format!("Cannot call private method '{name}' from outside impl block of '{ty}'");
            return self.error(at, message);
        }
        let args: Vec<Arg> = args.iter().map(|arg| Arg::Ast(*arg)).collect();
        let Some(checked) = self.arguments(method, signature, &[], &args, callee, at, expected)
        else {
            return self.poison(at);
        };
        self.poisoned |= is_error(checked.ret);
        let instance =
            Instance { def: method.def, kind: InstanceKind::Source, args: checked.generics };
        if !signature.has_self {
            let message = format!(
                "Static method '{}' has no receiver: call it as '{ty}::{}'",
                name.name, name.name
            );
            return self.error(at, message);
        }
        let args = checked.args;
        self.push(
            checked.ret,
            at,
            ExprKind::MethodCall { method: Box::new(instance), receiver, args: args.into() },
        )
    }

    /// A method without arguments that `with` derives.
    pub fn call_derived(
        &mut self,
        receiver: ExprId,
        method: &Method,
        derived: Derived,
        at: At,
    ) -> ExprId {
        let instance = self.instance(method, &[]);
        let ret = derived_ret(derived, &instance);
        let kind =
            ExprKind::MethodCall { method: Box::new(instance), receiver, args: ThinVec::new() };
        self.push(ret, at, kind)
    }

    fn interface_call(
        &mut self,
        object: ExprId,
        ty: Ty,
        name: ast::Ident,
        args: &[ast::ExprId],
        at: At,
    ) -> ExprId {
        let Some((slot, types)) = decl::interface_method(self.db, ty, name.name) else {
            return self.unknown_method(ty, name, args, at);
        };
        let callee = Callee::Method(name.name);
        let most = types.params.len();
        let least = decl::required(self.db, ty, slot).unwrap_or(most);
        if !(least..=most).contains(&args.len()) {
            self.check_all(args);
            return self.error(at, callee.count(least, most, args.len()));
        }
        let borrows: Vec<_> = args.iter().map(|arg| self.borrow_state(*arg)).collect();
        let mut done = Vec::with_capacity(args.len());
        for (arg, param) in args.iter().zip(&types.params) {
            let value = self.expr(*arg, Some(*param));
            done.push(match self.coerce(value, *param, true) {
                Some(value) => value,
                None => {
                    let from = self.ty(value);
                    self.error(at, callee.mismatch(*param, from))
                }
            });
        }
        borrows.into_iter().for_each(|borrow| self.end_borrow(borrow));
        for index in args.len()..most {
            done.push(self.interface_default(ty, slot, index, types.params[index], at));
        }
        self.push(types.ret, at, ExprKind::CallInterface { object, slot, args: done.into() })
    }

    /// The value of a default argument, as the interface declares it: which method is called is not
    /// known.
    fn interface_default(&mut self, ty: Ty, slot: u32, index: usize, to: Ty, at: At) -> ExprId {
        let TyKind::Interface(def, _) = ty.get() else { return self.poison(at) };
        let Some(item) = decl::item(self.db, *def) else { return self.poison(at) };
        let decl::ItemKind::Interface(node) = &item.kind else { return self.poison(at) };
        let (_, syntax) = &node.members[slot as usize];
        let Some(default) = syntax.params[index].default else { return self.poison(at) };
        let scope = decl::def_scope(self.db, *def);
        match self.default_value(scope, &syntax.arena, default, to) {
            Some(value) => self.constant(to, at, value),
            // The interface itself does not report it.
            None => self.error(at, "A default argument must be a constant expression"),
        }
    }

    /// `T::m(args)`: a static method, or a variant.
    pub fn member_call(
        &mut self,
        ty: Ty,
        member: ast::Ident,
        args: &'a [ast::ExprId],
        at: At,
    ) -> ExprId {
        if is_error(ty) {
            self.check_all(args);
            return self.poison(at);
        }
        if let Some(index) = self.variant_index(ty, member.name) {
            return self.variant_with(ty, index, args, at);
        }
        let Some(method) = decl::method(self.db, ty, member.name) else {
            self.check_all(args);
            let name = member.name;
            return match *ty {
                TyKind::Enum(..) => {
                    let meant = self.meant_variant(ty, name);
                    self.error(at, format!("Unknown variant '{name}' of enum '{ty}'{meant}"))
                }
                _ => {
                    let meant = self.meant_method(ty, name);
                    self.error(at, format!("Unknown method '{name}' for type '{ty}'{meant}"))
                }
            };
        };
        let signature = if method.derived.is_none() { self.signature_of(method.def) } else { None };
        let Some(signature) = signature.filter(|signature| !signature.has_self) else {
            self.check_all(args);
            let name = member.name;
            return self.error(at, format!("Method '{name}' of '{ty}' is not a static method"));
        };
        if signature.private && !self.inside_impl_of(ty) {
            let name = member.name;
            let message =
                format!("Cannot call private method '{name}' from outside impl block of '{ty}'");
            return self.error(at, message);
        }
        let callee = Callee::Function(member.name);
        let args: Vec<Arg> = args.iter().map(|arg| Arg::Ast(*arg)).collect();
        let checked = self.arguments(&method, signature, &[], &args, callee, at, None);
        let Some(checked) = checked else { return self.poison(at) };
        let instance =
            Instance { def: method.def, kind: InstanceKind::Source, args: checked.generics };
        self.push(checked.ret, at, ExprKind::Call(Box::new(instance), checked.args.into()))
    }

    /// A method without arguments by name, for iteration: its call and result type.
    pub fn call_plain(&mut self, receiver: ExprId, name: &str, at: At) -> Option<ExprId> {
        let ty = self.ty(receiver);
        let method = decl::method(self.db, ty, cm_base::Name::new(name))?;
        if let Some(derived) = method.derived {
            return Some(self.call_derived(receiver, &method, derived, at));
        }
        let signature = self.signature_of(method.def)?;
        if !signature.params.is_empty() || !signature.has_self {
            return None;
        }
        let instance = self.instance(&method, &[]);
        let ret = self.instance_ret(&instance);
        let kind =
            ExprKind::MethodCall { method: Box::new(instance), receiver, args: ThinVec::new() };
        Some(self.push(ret, at, kind))
    }

    /// Whether two types are the same up to literal types.
    pub fn same_base(a: Ty, b: Ty) -> bool {
        base(a) == base(b) || a == TY.error || b == TY.error
    }
}
