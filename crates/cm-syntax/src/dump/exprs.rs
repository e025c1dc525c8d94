//! Types, expressions and patterns.

use super::Dump;
use crate::ast::{
    Arena, ArmBody, ArrayLen, BinaryOp, CasePattern, ExprId, ExprKind, Ident, Lambda, Literal,
    Match, Path, Pattern, PatternKind, PostfixOp, TemplatePart, TypeArg, TypeId, TypeKind, UnaryOp,
};

impl Dump {
    pub(super) fn path(&mut self, path: &Path) {
        self.idents(&path.segments, "::");
    }

    pub(super) fn ty(&mut self, arena: &Arena, ty: TypeId) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.type_kind(arena, &arena[ty].kind));
    }

    fn type_kind(&mut self, arena: &Arena, kind: &TypeKind) {
        let mut suffixed = |base: TypeId, suffix: &str| {
            self.ty(arena, base);
            self.put(suffix);
        };
        match kind {
            TypeKind::Error => self.put("<error>"),
            TypeKind::Primitive(primitive) => {
                self.put(format!("{primitive:?}").to_ascii_lowercase());
            }
            TypeKind::Auto => self.put("auto"),
            TypeKind::Null => self.put("null"),
            TypeKind::Typeof(operand) => {
                self.put("typeof(");
                self.expr(arena, *operand);
                self.put(")");
            }
            TypeKind::Path(path, args) => {
                self.path(path);
                self.type_args(arena, args);
            }
            TypeKind::Const(inner) => {
                self.put("(const ");
                self.ty(arena, *inner);
                self.put(")");
            }
            TypeKind::Pointer(pointee) => suffixed(*pointee, "*"),
            TypeKind::Slice(element) => suffixed(*element, "[]"),
            TypeKind::Reference(referent) => suffixed(*referent, "&"),
            TypeKind::Array(element, ArrayLen::Number(n)) => suffixed(*element, &format!("[{n}]")),
            TypeKind::Array(element, ArrayLen::Named(name)) => {
                suffixed(*element, &format!("[{}]", name.name));
            }
            TypeKind::Function { ret, params } => {
                suffixed(*ret, "*(");
                self.list(params, ", ", |dump, param| dump.ty(arena, *param));
                self.put(")");
            }
            TypeKind::Union(members) => {
                self.put("(");
                self.list(members, " | ", |dump, member| dump.ty(arena, *member));
                self.put(")");
            }
        }
    }

    pub(super) fn type_args(&mut self, arena: &Arena, args: &[TypeArg]) {
        if args.is_empty() {
            return;
        }
        self.put("<");
        self.list(args, ", ", |dump, arg| match arg {
            TypeArg::Type(ty) => dump.ty(arena, *ty),
            TypeArg::Number(number, _) => dump.put(number),
        });
        self.put(">");
    }

    pub(super) fn exprs(&mut self, arena: &Arena, exprs: &[ExprId]) {
        self.list(exprs, ", ", |dump, expr| dump.expr(arena, *expr));
    }

    pub(super) fn optional_expr(&mut self, arena: &Arena, expr: Option<ExprId>) {
        if let Some(expr) = expr {
            self.expr(arena, expr);
        }
    }

    pub(super) fn expr(&mut self, arena: &Arena, expr: ExprId) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.expr_kind(arena, &arena[expr].kind));
    }

    fn expr_kind(&mut self, arena: &Arena, kind: &ExprKind) {
        match kind {
            ExprKind::Error => self.put("<error>"),
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Template(parts) => self.template(arena, parts),
            ExprKind::Null => self.put("null"),
            ExprKind::SelfValue => self.put("self"),
            ExprKind::Path(path, args) => {
                self.path(path);
                self.type_args(arena, args);
            }
            ExprKind::TypePath { ty, member } => {
                self.ty(arena, *ty);
                self.put(format_args!("::{}", member.name));
            }
            ExprKind::Struct { ty, fields } => self.struct_literal(arena, *ty, fields),
            ExprKind::Array(elements) => self.wrapped(arena, "[", elements, "]"),
            ExprKind::Paren(inner) => self.wrapped(arena, "paren(", &[*inner], ")"),
            ExprKind::Lambda(lambda) => self.lambda(arena, lambda),
            ExprKind::Match(value) => self.match_expr(arena, value),
            ExprKind::SizeofType(ty) => self.query(arena, "sizeof type ", *ty),
            ExprKind::AlignofType(ty) => self.query(arena, "alignof type ", *ty),
            ExprKind::TypeofType(ty) => self.query(arena, "typeof type ", *ty),
            ExprKind::SizeofExpr(value) => self.wrapped(arena, "(sizeof ", &[*value], ")"),
            ExprKind::TypeofExpr(value) => self.wrapped(arena, "(typeof ", &[*value], ")"),
            ExprKind::Unary(op, value) => {
                self.wrapped(arena, &format!("({}", unary_text(*op)), &[*value], ")");
            }
            ExprKind::Postfix(PostfixOp::Inc, value) => self.wrapped(arena, "(", &[*value], "++)"),
            ExprKind::Postfix(PostfixOp::Dec, value) => self.wrapped(arena, "(", &[*value], "--)"),
            ExprKind::Binary(op, left, right) => {
                self.infix(arena, *left, op.symbol(), *right);
            }
            ExprKind::Assign(op, left, right) => {
                let op = op.map_or("", BinaryOp::symbol);
                self.infix(arena, *left, &format!("{op}="), *right);
            }
            ExprKind::Ternary(cond, yes, no) => {
                self.wrapped(arena, "(", &[*cond], " ? ");
                self.wrapped(arena, "", &[*yes], " : ");
                self.wrapped(arena, "", &[*no], ")");
            }
            ExprKind::Cast(value, ty) => {
                self.wrapped(arena, "(", &[*value], " as ");
                self.ty(arena, *ty);
                self.put(")");
            }
            ExprKind::Call(callee, args) => {
                self.expr(arena, *callee);
                self.wrapped(arena, "(", args, ")");
            }
            ExprKind::MethodCall { receiver, arrow, name, args } => {
                self.member(arena, *receiver, *arrow, name);
                self.wrapped(arena, "(", args, ")");
            }
            ExprKind::Field { base, arrow, name } => self.member(arena, *base, *arrow, name),
            ExprKind::Index(base, index) => {
                self.expr(arena, *base);
                self.wrapped(arena, "[", &[*index], "]");
            }
            ExprKind::Slice(base, low, high) => {
                self.expr(arena, *base);
                self.put("[");
                self.optional_expr(arena, *low);
                self.put(":");
                self.optional_expr(arena, *high);
                self.put("]");
            }
        }
    }

    fn wrapped(&mut self, arena: &Arena, open: &str, exprs: &[ExprId], close: &str) {
        self.put(open);
        self.exprs(arena, exprs);
        self.put(close);
    }

    fn infix(&mut self, arena: &Arena, left: ExprId, op: &str, right: ExprId) {
        self.wrapped(arena, "(", &[left], &format!(" {op} "));
        self.wrapped(arena, "", &[right], ")");
    }

    fn query(&mut self, arena: &Arena, word: &str, ty: TypeId) {
        self.put(format_args!("({word}"));
        self.ty(arena, ty);
        self.put(")");
    }

    fn member(&mut self, arena: &Arena, base: ExprId, arrow: bool, name: &Ident) {
        self.expr(arena, base);
        self.put(if arrow { "->" } else { "." });
        self.put(name.name);
    }

    pub(super) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Int(value) => self.put(value),
            Literal::Float(bits) => self.put(format_args!("{:?}", f64::from_bits(*bits))),
            Literal::Char(byte) => self.put(format_args!("{:?}", char::from(*byte))),
            Literal::Str(text) => self.put(format_args!("{text:?}")),
            Literal::Bool(value) => self.put(value),
        }
    }

    fn template(&mut self, arena: &Arena, parts: &[TemplatePart]) {
        self.put("template[");
        self.list(parts, " ", |dump, part| match part {
            TemplatePart::Text(text) => dump.put(format_args!("{text:?}")),
            TemplatePart::Hole { expr, spec } => {
                dump.wrapped(arena, "{", &[*expr], "");
                if let Some(spec) = spec {
                    dump.put(format_args!(" : {:?}", spec.name));
                }
                dump.put("}");
            }
        });
        self.put("]");
    }

    fn struct_literal(&mut self, arena: &Arena, ty: Option<TypeId>, fields: &[(Ident, ExprId)]) {
        if let Some(ty) = ty {
            self.ty(arena, ty);
        }
        self.put("{");
        self.list(fields, ", ", |dump, (name, value)| {
            dump.put(format_args!("{}: ", name.name));
            dump.expr(arena, *value);
        });
        self.put("}");
    }

    fn lambda(&mut self, arena: &Arena, lambda: &Lambda) {
        self.put("lambda(");
        self.list(&lambda.params, ", ", |dump, (ty, name)| {
            if let Some(ty) = ty {
                dump.ty(arena, *ty);
                dump.put(" ");
            }
            dump.put(name.name);
        });
        self.put(") ");
        self.body(arena, &lambda.body);
    }

    fn body(&mut self, arena: &Arena, body: &ArmBody) {
        match body {
            ArmBody::Block(block) => self.block(arena, block),
            ArmBody::Expr(value) => self.wrapped(arena, "=> ", &[*value], ""),
        }
    }

    fn match_expr(&mut self, arena: &Arena, value: &Match) {
        self.wrapped(arena, "match ", &[value.scrutinee], " {\n");
        self.indent += 1;
        for arm in &value.arms {
            self.start();
            self.list(&arm.patterns, " | ", |dump, pattern| dump.pattern(arena, pattern));
            if let Some(guard) = arm.guard {
                self.wrapped(arena, " if ", &[guard], "");
            }
            self.put(" ");
            self.body(arena, &arm.body);
            self.end();
        }
        self.indent -= 1;
        self.start();
        self.put("}");
    }

    fn pattern(&mut self, arena: &Arena, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Error => self.put("<error>"),
            PatternKind::Wildcard => self.put("_"),
            PatternKind::Literal(value) => self.expr(arena, *value),
            PatternKind::Range(low, high) => {
                self.expr(arena, *low);
                self.put("...");
                self.expr(arena, *high);
            }
            PatternKind::Null => self.put("null"),
            PatternKind::Binding(name) => self.put(format_args!("bind {}", name.name)),
            PatternKind::Variant { path, binding } => {
                self.path(path);
                if let Some(name) = binding {
                    self.put(format_args!("({})", name.name));
                }
            }
        }
    }

    /// The patterns of a `case`; `None` is `else`.
    pub(super) fn patterns(&mut self, arena: &Arena, patterns: Option<&[CasePattern]>) {
        let Some(patterns) = patterns else { return self.put("else ") };
        self.put("case ");
        self.list(patterns, " | ", |dump, pattern| {
            dump.expr(arena, pattern.low);
            if let Some(high) = pattern.high {
                dump.put("...");
                dump.expr(arena, high);
            }
        });
        self.put(" ");
    }
}

fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Neg => "-",
        UnaryOp::Not => "!",
        UnaryOp::BitNot => "~",
        UnaryOp::AddrOf => "&",
        UnaryOp::Deref => "*",
        UnaryOp::PreInc => "++",
        UnaryOp::PreDec => "--",
        UnaryOp::Move => "move ",
        UnaryOp::Await => "await ",
    }
}
