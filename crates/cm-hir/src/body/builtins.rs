//! Built-in methods of strings, arrays and slices (`02-types.md` §2.5 and §2.6).

use super::{
    calls::{Arg, Callee},
    common::{TY, base, is_error},
    ctx::Ctx,
};
use crate::{
    decl::Method,
    thir::{Builtin, ConstValue, Conversion, ExprId, ExprKind, Instance, InstanceKind},
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::{DefId, FileId};
use cm_syntax::ast;

/// What a string method wants as an argument.
#[derive(Clone, Copy, PartialEq)]
enum Wants {
    Text,
    Number,
}

/// The file of the bundled library with the methods that are written in Cm.
const ARRAY_LIBRARY: &str = "@core/array";

impl<'a> Ctx<'a> {
    /// A built-in method of strings. `None`: it is none.
    pub fn string_method(
        &mut self,
        receiver: ExprId,
        name: Name,
        args: &[ast::ExprId],
        at: At,
    ) -> Option<ExprId> {
        use Wants::{Number, Text};
        let (builtin, wants, optional, ret): (_, &[Wants], usize, Ty) = match name.as_str() {
            "len" | "size" | "length" => (Builtin::StrLen, &[], 0, TY.uint),
            "charAt" | "at" => (Builtin::StrAt, &[Number], 0, TY.char),
            "first" => (Builtin::StrFirst, &[], 0, TY.char),
            "last" => (Builtin::StrLast, &[], 0, TY.char),
            "substring" | "slice" => (Builtin::StrSlice, &[Number, Number], 1, TY.str),
            "indexOf" => (Builtin::StrIndexOf, &[Text], 0, TY.int),
            "includes" | "contains" => (Builtin::StrIncludes, &[Text], 0, TY.bool),
            "startsWith" => (Builtin::StrStartsWith, &[Text], 0, TY.bool),
            "endsWith" => (Builtin::StrEndsWith, &[Text], 0, TY.bool),
            "toUpperCase" => (Builtin::StrUpper, &[], 0, TY.str),
            "toLowerCase" => (Builtin::StrLower, &[], 0, TY.str),
            "trim" => (Builtin::StrTrim, &[], 0, TY.str),
            "repeat" => (Builtin::StrRepeat, &[Number], 0, TY.str),
            "replace" => (Builtin::StrReplace, &[Text, Text], 0, TY.str),
            _ => return None,
        };
        let (least, most) = (wants.len() - optional, wants.len());
        if !(least..=most).contains(&args.len()) {
            self.check_all(args);
            return Some(self.error(at, string_count(name, least, most, args.len())));
        }
        let mut done = vec![receiver];
        for (arg, wants) in args.iter().zip(wants) {
            let value = self.expr(*arg, None);
            done.push(self.string_argument(value, *wants, name, at));
        }
        Some(self.push(ret, at, ExprKind::Builtin(builtin, done)))
    }

    fn string_argument(&mut self, value: ExprId, wants: Wants, name: Name, at: At) -> ExprId {
        let value = self.decay(value);
        let ty = self.ty(value);
        if is_error(ty) {
            return value;
        }
        match wants {
            Wants::Text => match self.coerce(value, TY.str, false) {
                Some(value) => value,
                None => self.error(at, format!("String {name}() argument must be string")),
            },
            Wants::Number if self.integer_like(ty) => {
                self.coerce(value, TY.long, false).unwrap_or(value)
            }
            Wants::Number => self.error(at, format!("String {name}() index must be integer")),
        }
    }

    /// A built-in method of arrays and slices. `None`: it is none.
    pub fn array_method(
        &mut self,
        receiver: ExprId,
        name: Name,
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> Option<ExprId> {
        let ty = self.ty(receiver);
        let (element, is_slice) = match *ty {
            TyKind::Array(element, _) => (element, false),
            TyKind::Slice(element) => (element, true),
            _ => return None,
        };
        let slice = TyKind::Slice(element).intern();
        let (builtin, params, ret): (_, &[Ty], Ty) = match name.as_str() {
            "len" | "size" | "length" => (Builtin::SliceLen, &[], TY.uint),
            "dim" => (Builtin::SliceLen, &[], TY.int),
            "first" => (Builtin::First, &[], element),
            "last" => (Builtin::Last, &[], element),
            "push" if is_slice => (Builtin::SlicePush, &[element], TY.void),
            "pop" if is_slice => (Builtin::SlicePop, &[], element),
            "remove" | "delete" if is_slice => (Builtin::SliceRemove, &[TY.long], TY.void),
            "clear" if is_slice => (Builtin::SliceClear, &[], TY.void),
            "cap" | "capacity" if is_slice => (Builtin::SliceCap, &[], TY.usize),
            "indexOf" | "includes" | "contains" | "some" | "every" | "find" | "findIndex"
            | "map" | "filter" | "reduce" | "forEach" | "sort" | "sortBy" | "reverse" => {
                return Some(self.library_method(receiver, slice, name, args, at, expected));
            }
            _ => return None,
        };
        if params.len() != args.len() {
            self.check_all(args);
            let count = params.len();
            return Some(self.error(at, Callee::Method(name).count(count, count, args.len())));
        }
        let mut done = Vec::with_capacity(args.len());
        for (arg, param) in args.iter().zip(params) {
            done.push(
                self.expr_as(*arg, *param, at, |from| Callee::Method(name).mismatch(*param, from)),
            );
        }
        if name == "dim" {
            return Some(self.constant(TY.int, at, ConstValue::Int(dimensions(ty))));
        }
        if let (TyKind::Array(_, len), Builtin::SliceLen) = (&*ty, &builtin) {
            let value = ConstValue::Int(i128::from(*len));
            let len = self.push(TY.uint, at, ExprKind::Const(value));
            return Some(match self.is_place(receiver) {
                true => len,
                false => self.let_in(receiver, at, |_, _| len),
            });
        }
        let changes = matches!(
            builtin,
            Builtin::SlicePush | Builtin::SlicePop | Builtin::SliceRemove | Builtin::SliceClear
        );
        if changes && let Some(super::ownership::Const::Variable(name)) = self.const_place(receiver)
        {
            return Some(self.error(at, format!("Cannot modify const variable '{name}'")));
        }
        let push = |ctx: &mut Self, receiver| {
            let mut all = vec![receiver];
            all.append(&mut done);
            ctx.push(ret, at, ExprKind::Builtin(builtin, all))
        };
        Some(match changes && !self.is_place(receiver) {
            true => self.let_in(receiver, at, push),
            false => push(self, receiver),
        })
    }

    /// A method that the bundled library writes in Cm, over slices.
    fn library_method(
        &mut self,
        receiver: ExprId,
        slice: Ty,
        name: Name,
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let function = match (name.as_str(), args.len()) {
            ("contains", _) => "includes",
            ("reduce", 1) => "reduceZero",
            (name, _) => name,
        };
        let receiver = match self.ty(receiver) == slice {
            true => receiver,
            false => self.convert(receiver, Conversion::ArrayToSlice, slice),
        };
        let def =
            DefId { file: FileId(Name::new(ARRAY_LIBRARY)), path: Name::new(function), index: 0 };
        let method = Method { def, derived: None, args: Vec::new() };
        let Some(signature) = self.signature_of(def) else {
            self.check_all(args);
            return self.error(at, format!("Array method '{name}' is missing from the library"));
        };
        let callee = Callee::Method(name);
        if signature.params.len() != args.len() + 1 {
            self.check_all(args);
            let count = signature.params.len() - 1;
            return self.error(at, callee.count(count, count, args.len()));
        }
        let mut all = vec![Arg::Done(receiver)];
        all.extend(args.iter().map(|arg| Arg::Ast(*arg)));
        let Some(checked) = self.arguments(&method, signature, &[], &all, callee, at, expected)
        else {
            return self.poison(at);
        };
        let instance = Instance { def, kind: InstanceKind::Source, args: checked.generics };
        self.push(checked.ret, at, ExprKind::Call(Box::new(instance), checked.args))
    }
}

/// How many dimensions an array type has.
fn dimensions(ty: Ty) -> i128 {
    match *base(ty) {
        TyKind::Array(element, _) | TyKind::Slice(element) => 1 + dimensions(element),
        _ => 0,
    }
}

/// The message for the wrong number of arguments of a method of strings.
fn string_count(name: Name, least: usize, most: usize, got: usize) -> String {
    match (least, most) {
        (1, 1) => format!("String {name}() takes 1 argument, got {got}"),
        _ if least == most => format!("String {name}() takes {most} arguments, got {got}"),
        _ => format!("String {name}() takes {least} to {most} arguments, got {got}"),
    }
}
