//! Bodies of the functions that `with` derives (`06-generics-interfaces.md` §6.7).

use super::{
    common::{TY, base, pointer},
    ctx::Ctx,
};
use crate::{
    decl::{self, Problem, Scope},
    thir::{
        Block, Body, ConstValue, Derived, ExprId, ExprKind, Instance, LocalId, LocalKind, Stmt,
        StmtKind, TemplatePart,
    },
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::Db;
use cm_mir::runtime::FormatSpec;
use cm_syntax::ast::{Arena, BinaryOp, UnaryOp};

/// Derived functions stand at the struct; what is wrong with a field, at the field.
const AT: At = At(0);

/// The body of a derived function. `None`: the instance is of no struct.
pub(crate) fn body(
    db: &dyn Db,
    instance: &Instance,
    derived: Derived,
) -> (Option<Body>, Vec<Problem>) {
    let this = TyKind::Struct(instance.def, instance.args.clone()).intern();
    let Some(info) = decl::struct_type(db, this) else { return (None, Vec::new()) };
    let scope = Scope {
        file: instance.def.file,
        namespace: Vec::new(),
        generics: Vec::new(),
        self_ty: Some(this),
    };
    let arena = Arena::default();
    let mut ctx = Ctx::new(db, scope, &arena, None);
    let mut maker = Maker { this, interface: interface(derived), ctx: &mut ctx };
    maker.ctx.new_local(Name::new("self"), pointer(this, false), LocalKind::Param);
    let binary = matches!(derived, Derived::Eq | Derived::Lt);
    if binary {
        maker.ctx.new_local(Name::new("other"), this, LocalKind::Param);
    }
    let mut stmts = Vec::new();
    let value = match derived {
        Derived::Eq => maker.equal(&info.fields),
        Derived::Lt => maker.less(&info.fields),
        Derived::Clone => maker.this(),
        Derived::Hash => maker.hash(&info.fields, &mut stmts),
        Derived::Debug => maker.debug(instance.def.path, &info.fields),
        Derived::Display => maker.display(&info.fields),
        Derived::Css => maker.css(&info.fields),
        Derived::IsCss => maker.truth(true),
    };
    let ret = ctx.ty(value);
    let problems = std::mem::take(&mut ctx.problems);
    let ok = !ctx.poisoned && problems.is_empty();
    stmts.push(Stmt { at: AT, kind: StmtKind::Return(Some(value)) });
    let block = Block { stmts };
    (Some(super::finish(ctx, 1 + u32::from(binary), true, ret, block, ok)), problems)
}

/// What a function is derived for.
fn interface(derived: Derived) -> Name {
    Name::new(match derived {
        Derived::Eq => "Eq",
        Derived::Lt => "Ord",
        Derived::Clone => "Clone",
        Derived::Hash => "Hash",
        Derived::Debug => "Debug",
        Derived::Display => "Display",
        Derived::Css | Derived::IsCss => "Css",
    })
}

struct Maker<'m, 'a> {
    this: Ty,
    interface: Name,
    ctx: &'m mut Ctx<'a>,
}

type Fields = [(Name, Ty)];

impl Maker<'_, '_> {
    /// Makes what is done with a field. What is wrong with it is said at the field, if nothing has been
    /// said where the struct is declared.
    fn at_field<R>(&mut self, field: usize, ty: Ty, make: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.ctx.problems.len();
        let said = self.is_reported(ty);
        let made = make(self);
        if self.ctx.problems.len() > before {
            self.ctx.poisoned = true;
            if said {
                self.ctx.problems.truncate(before);
            } else if let Some(at) = self.field_at(field) {
                self.ctx.problems.truncate(before + 1);
                self.ctx.problems[before].at = at;
            }
        }
        made
    }

    fn is_reported(&self, ty: Ty) -> bool {
        let TyKind::Struct(_, args) = &*self.this else { return false };
        args.is_empty() && !decl::supports(self.ctx.db, ty, self.interface)
    }

    fn field_at(&self, field: usize) -> Option<At> {
        let TyKind::Struct(def, _) = *self.this else { return None };
        let item = decl::item(self.ctx.db, def).as_ref()?;
        let decl::ItemKind::Struct(node) = &item.kind else { return None };
        node.fields.get(field).map(|field| field.name.at)
    }

    /// `*self`.
    fn this(&mut self) -> ExprId {
        let pointer = pointer(self.this, false);
        let local = self.ctx.push(pointer, AT, ExprKind::Local(LocalId(0)));
        self.ctx.push(self.this, AT, ExprKind::Deref(local))
    }

    fn own(&mut self, index: usize, ty: Ty) -> ExprId {
        let this = self.this();
        self.ctx.push(ty, AT, ExprKind::Field(this, index as u32))
    }

    fn other(&mut self, index: usize, ty: Ty) -> ExprId {
        let other = self.ctx.push(self.this, AT, ExprKind::Local(LocalId(1)));
        self.ctx.push(ty, AT, ExprKind::Field(other, index as u32))
    }

    fn truth(&mut self, value: bool) -> ExprId {
        self.ctx.constant(TY.bool, AT, ConstValue::Bool(value))
    }

    fn equal(&mut self, fields: &Fields) -> ExprId {
        let mut all = None;
        for (index, (_, ty)) in fields.iter().enumerate() {
            let same = self.at_field(index, *ty, |this| {
                let (l, r) = (this.own(index, *ty), this.other(index, *ty));
                this.ctx.binary_values(BinaryOp::Eq, l, r, AT, false)
            });
            all = Some(match all {
                None => same,
                Some(before) => self.ctx.push(TY.bool, AT, ExprKind::And(before, same)),
            });
        }
        all.unwrap_or_else(|| self.truth(true))
    }

    /// `a0 < b0 || !(b0 < a0) && (…)`: only `<` is needed of a field.
    fn less(&mut self, fields: &Fields) -> ExprId {
        let mut rest = None;
        for (index, (_, ty)) in fields.iter().enumerate().rev() {
            let all = self.at_field(index, *ty, |this| {
                let (l, r) = (this.own(index, *ty), this.other(index, *ty));
                let below = this.ctx.binary_values(BinaryOp::Lt, l, r, AT, false);
                let Some(rest) = rest else { return below };
                let (l, r) = (this.own(index, *ty), this.other(index, *ty));
                let above = this.ctx.binary_values(BinaryOp::Lt, r, l, AT, false);
                let not = this.ctx.push(TY.bool, AT, ExprKind::Unary(UnaryOp::Not, above));
                let then = this.ctx.push(TY.bool, AT, ExprKind::And(not, rest));
                this.ctx.push(TY.bool, AT, ExprKind::Or(below, then))
            });
            rest = Some(all);
        }
        rest.unwrap_or_else(|| self.truth(false))
    }

    /// The sum of the fields' hashes. Statements before it add up those of elements.
    fn hash(&mut self, fields: &Fields, stmts: &mut Vec<Stmt>) -> ExprId {
        let mut sum = self.ctx.constant(TY.int, AT, ConstValue::int(0));
        for (index, (_, ty)) in fields.iter().enumerate() {
            let hash = self.at_field(index, *ty, |this| {
                let field = this.own(index, *ty);
                this.ctx.hash_with_elements(field, stmts, AT)
            });
            sum = self.ctx.push(TY.int, AT, ExprKind::Binary(BinaryOp::Add, sum, hash));
        }
        sum
    }

    /// `S { x: 1, p: P { … } }`.
    fn debug(&mut self, path: Name, fields: &Fields) -> ExprId {
        let name = path.rsplit("::").next().unwrap_or_default();
        if fields.is_empty() {
            let text = Name::new(&format!("{name} {{}}"));
            return self.ctx.constant(TY.str, AT, ConstValue::Str(text));
        }
        let mut parts = Vec::new();
        for (index, (field, ty)) in fields.iter().enumerate() {
            let before = if index == 0 { format!("{name} {{ ") } else { ", ".to_owned() };
            parts.push(TemplatePart::Text(Name::new(&format!("{before}{field}: "))));
            self.at_field(index, *ty, |this| {
                let value = this.own(index, *ty);
                this.show(value, "debug", &mut parts);
            });
        }
        parts.push(TemplatePart::Text(Name::new(" }")));
        self.ctx.push(TY.str, AT, ExprKind::Template(parts.into()))
    }

    /// `(1, 2)`.
    fn display(&mut self, fields: &Fields) -> ExprId {
        let mut parts = vec![TemplatePart::Text(Name::new("("))];
        for (index, (_, ty)) in fields.iter().enumerate() {
            if index > 0 {
                parts.push(TemplatePart::Text(Name::new(", ")));
            }
            self.at_field(index, *ty, |this| {
                let value = this.own(index, *ty);
                this.show(value, "toString", &mut parts);
            });
        }
        parts.push(TemplatePart::Text(Name::new(")")));
        self.ctx.push(TY.str, AT, ExprKind::Template(parts.into()))
    }

    fn show(&mut self, value: ExprId, method: &str, parts: &mut Vec<TemplatePart>) {
        let ty = self.ctx.ty(value);
        let value = match *base(ty) {
            TyKind::Struct(..) => self.ctx.call_derived_method(value, method, AT),
            _ => match self.ctx.textual(value, AT) {
                Some(value) => value,
                None => return,
            },
        };
        parts.push(TemplatePart::Value(value, FormatSpec::default()));
    }

    /// `color: red; border-width: 2; `, without the fields that are empty (`15-ffi-targets.md` §15.5).
    fn css(&mut self, fields: &Fields) -> ExprId {
        let mut sorted: Vec<(usize, &(Name, Ty))> = fields.iter().enumerate().collect();
        sorted.sort_by_key(|(_, (name, _))| name.as_str());
        let mut parts = Vec::new();
        for (index, (name, ty)) in sorted {
            let property = name.replace('_', "-");
            let nested = matches!(*base(*ty), TyKind::Struct(..));
            let mut declaration = Vec::new();
            let text = |text: &str| TemplatePart::Text(Name::new(text));
            let (before, after) = if nested { (" { ", "} ") } else { (": ", "; ") };
            declaration.push(text(&format!("{property}{before}")));
            let value = self.own(index, *ty);
            self.show(value, "css", &mut declaration);
            declaration.push(text(after));
            let shown = self.ctx.push(TY.str, AT, ExprKind::Template(declaration.into()));
            let empty =
                |maker: &mut Self| maker.ctx.constant(TY.str, AT, ConstValue::Str(Name::new("")));
            let shown = if matches!(*base(*ty), TyKind::Str) {
                let (value, nothing, none) = (self.own(index, *ty), empty(self), empty(self));
                let is_set = ExprKind::CompareStr(BinaryOp::Ne, value, nothing);
                let is_set = self.ctx.push(TY.bool, AT, is_set);
                self.ctx.push(TY.str, AT, ExprKind::Ternary(is_set, shown, none))
            } else {
                shown
            };
            parts.push(TemplatePart::Value(shown, FormatSpec::default()));
        }
        self.ctx.push(TY.str, AT, ExprKind::Template(parts.into()))
    }
}
