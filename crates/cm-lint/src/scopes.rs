//! Bodies: locals and what is done with them.

use crate::{Finding, Rule, naming, uses::Uses};
use cm_base::{Name, SpanTable, TextRange};
use cm_syntax::ast::{
    Arena, ArmBody, ArrayLen, Block, ExprId, ExprKind, Ident, Literal, Match, Param, Pattern,
    PatternKind, Stmt, StmtKind, TemplatePart, TypeArg, TypeId, TypeKind, UnaryOp, VarDecl,
    VarInit,
};

/// What a local was declared as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Variable,
    Constant,
    Static,
    Parameter,
    /// By a pattern, a `for … in` or a lambda.
    Bound,
}

struct Local {
    name: Name,
    kind: Kind,
    declared: TextRange,
    /// Where else it occurs.
    others: Vec<TextRange>,
    read: bool,
    modified: bool,
    /// It has a value, as far as one can tell.
    given: bool,
    /// It is of a type whose values are what is assigned: no struct.
    plain: bool,
    /// The local that it was made to point to.
    points_to: Option<Name>,
}

/// What is found in a body, and what occurs in it.
pub struct Walker<'a> {
    pub text: &'a str,
    pub uses: &'a mut Uses,
    pub found: &'a mut Vec<Finding>,
    pub positions: &'a SpanTable,
    pub arena: &'a Arena,
    locals: Vec<Local>,
    /// Where in `locals` each open scope begins.
    scopes: Vec<usize>,
    /// In an operand whose type alone matters.
    type_only: bool,
    /// For each loop around, whether something leaves it with `break`.
    left: Vec<bool>,
}

/// Functions that machines without a system do not have.
const HOSTED: &[&str] = &[
    "println",
    "print",
    "printf",
    "puts",
    "putchar",
    "malloc",
    "free",
    "calloc",
    "realloc",
    "exit",
    "fopen",
    "fclose",
    "fread",
    "fwrite",
    "socket",
    "connect",
    "bind",
    "pthread_create",
    "pthread_join",
];

impl<'a> Walker<'a> {
    pub fn new(
        text: &'a str,
        uses: &'a mut Uses,
        found: &'a mut Vec<Finding>,
        positions: &'a SpanTable,
        arena: &'a Arena,
    ) -> Walker<'a> {
        Walker {
            text,
            uses,
            found,
            positions,
            arena,
            locals: Vec::new(),
            scopes: Vec::new(),
            type_only: false,
            left: Vec::new(),
        }
    }

    /// The body of a function. Parameters are reported if `own`: if nobody else says what they are.
    pub fn function(&mut self, params: &[Param], own: bool, body: &Block) {
        self.scopes.push(0);
        for param in params {
            let kind = if own { Kind::Parameter } else { Kind::Bound };
            self.declare(param.name, kind, true);
            if !own && let Some(local) = self.locals.last_mut() {
                local.read = true;
            }
        }
        self.block(body);
        self.leave();
    }

    fn range(&self, ident: Ident) -> TextRange {
        self.positions.get(ident.at)
    }

    fn find(&mut self, rule: Rule, range: TextRange, name: Name) {
        self.found.push(Finding { range: range.into(), rule, name, fix: Vec::new() });
    }

    // ------------------------------------------------------------ locals

    fn declare(&mut self, ident: Ident, kind: Kind, given: bool) {
        let range = self.range(ident);
        let name = ident.name;
        if name.is_empty() || name == "_" {
            return;
        }
        // One of the same scope is an error that others report.
        let scope = self.scopes.last().copied().unwrap_or(0);
        let hidden = self.locals[..scope].iter().any(|local| local.name == name);
        if hidden && !name.starts_with('_') && kind != Kind::Parameter {
            self.find(Rule::W006, range, name);
        }
        self.locals.push(Local {
            name,
            kind,
            declared: range,
            others: Vec::new(),
            read: false,
            modified: false,
            given,
            plain: false,
            points_to: None,
        });
    }

    fn enter(&mut self) {
        self.scopes.push(self.locals.len());
    }

    fn leave(&mut self) {
        let start = self.scopes.pop().unwrap_or(0);
        for local in self.locals.split_off(start) {
            self.report(&local);
        }
    }

    fn report(&mut self, local: &Local) {
        let name = local.name;
        if name.starts_with('_') || name == "self" {
            return;
        }
        let mut find = |rule, new_name: Option<String>| {
            let fix = new_name.and_then(|new| {
                rename(self.text, name, &new, [&[local.declared], &local.others[..]].concat())
            });
            let fix = fix.unwrap_or_default();
            self.found.push(Finding { range: local.declared.into(), rule, name, fix });
        };
        let prefixed = Some(format!("_{name}"));
        match local.kind {
            Kind::Parameter if !local.read => find(Rule::W005, prefixed),
            Kind::Parameter => {}
            _ if !local.read => find(Rule::W001, prefixed),
            Kind::Variable if !local.modified && local.given => find(Rule::L002, None),
            _ => {}
        }
        match local.kind {
            Kind::Variable | Kind::Static if !naming::is_snake(&name) => {
                find(Rule::L101, Some(naming::to_snake(&name)));
            }
            Kind::Constant if !naming::is_snake(&name) && !naming::is_upper_snake(&name) => {
                find(Rule::L102, Some(naming::to_upper_snake(&name)));
            }
            _ => {}
        }
    }

    /// The innermost local of a name, after noting where it occurs. A name that is no local is
    /// something of the file.
    fn occurs(&mut self, ident: Ident) -> Option<&mut Local> {
        let range = self.range(ident);
        match self.locals.iter().rposition(|local| local.name == ident.name) {
            Some(n) => {
                self.locals[n].others.push(range);
                Some(&mut self.locals[n])
            }
            None => {
                self.uses.add(ident.name, range, false);
                None
            }
        }
    }

    fn read(&mut self, ident: Ident) {
        let type_only = self.type_only;
        let Some(local) = self.occurs(ident) else { return };
        local.read = true;
        let early = !local.given && local.plain && !type_only;
        // Once is enough.
        local.given |= early;
        local.modified |= early;
        if early {
            self.find(Rule::W008, self.range(ident), ident.name);
        }
    }

    // ------------------------------------------------------------ statements

    /// Whether the end of the block is never reached; so are the functions for statements.
    fn block(&mut self, block: &Block) -> bool {
        self.enter();
        let ended = self.stmts(&block.stmts);
        self.leave();
        ended
    }

    fn stmts(&mut self, stmts: &[Stmt]) -> bool {
        let mut ended = false;
        for stmt in stmts {
            if std::mem::take(&mut ended) {
                self.find(Rule::W002, self.positions.get(stmt.at), Name::new(""));
            }
            ended = self.stmt(stmt);
        }
        ended
    }

    fn stmt(&mut self, stmt: &Stmt) -> bool {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.stmt_kind(stmt))
    }

    fn stmt_kind(&mut self, stmt: &Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.effect(*expr),
            StmtKind::Var(var) => self.var(var),
            StmtKind::Block(block) | StmtKind::Must(block) => return self.block(block),
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(*value);
                    self.returned(*value);
                }
                return true;
            }
            StmtKind::Break => {
                self.left.last_mut().into_iter().for_each(|left| *left = true);
                return true;
            }
            StmtKind::Continue => return true,
            StmtKind::Asm(_) => {}
            StmtKind::If { cond, then, otherwise } => {
                self.expr(*cond);
                let ended = self.block(then);
                return otherwise.as_ref().is_some_and(|otherwise| self.stmt(otherwise)) && ended;
            }
            StmtKind::While { cond, body } => {
                self.expr(*cond);
                return self.round(body) && self.is_true(*cond);
            }
            StmtKind::For { init, cond, update, body } => {
                self.enter();
                if let Some(init) = init {
                    self.stmt(init);
                }
                cond.iter().for_each(|cond| self.expr(*cond));
                let stays = self.round(body);
                update.iter().for_each(|update| self.effect(*update));
                self.leave();
                return stays && cond.is_none_or(|cond| self.is_true(cond));
            }
            StmtKind::ForIn { ty, name, iterable, body } => {
                ty.iter().for_each(|ty| self.ty(*ty));
                self.expr(*iterable);
                self.enter();
                self.declare(*name, Kind::Bound, true);
                self.round(body);
                self.leave();
            }
            StmtKind::Switch { scrutinee, cases } => {
                self.expr(*scrutinee);
                for case in cases {
                    for pattern in case.patterns.iter().flatten() {
                        self.expr(pattern.low);
                        pattern.high.iter().for_each(|high| self.expr(*high));
                    }
                    self.block(&case.body);
                }
            }
            StmtKind::Defer(stmt) => {
                self.stmt(stmt);
            }
        }
        false
    }

    /// The body of a loop. Whether nothing leaves it with `break`.
    fn round(&mut self, body: &Block) -> bool {
        self.left.push(false);
        self.block(body);
        self.left.pop() == Some(false)
    }

    fn is_true(&self, cond: ExprId) -> bool {
        match &self.arena[cond].kind {
            ExprKind::Paren(inner) => self.is_true(*inner),
            ExprKind::Literal(value) => *value == Literal::Bool(true),
            _ => false,
        }
    }

    fn var(&mut self, var: &VarDecl) {
        self.ty(var.ty);
        match &var.init {
            VarInit::None => {}
            VarInit::Value(value) => self.expr(*value),
            VarInit::Constructor(args) => args.iter().for_each(|arg| self.expr(*arg)),
        }
        let points_to = match var.init {
            VarInit::Value(value) => self.address_of_local(value),
            _ => None,
        };
        let kind = match var {
            VarDecl { is_const: true, .. } => Kind::Constant,
            VarDecl { is_static: true, .. } => Kind::Static,
            _ => Kind::Variable,
        };
        let given = var.init != VarInit::None || var.is_static;
        self.declare(var.name, kind, given);
        if let Some(local) = self.locals.last_mut().filter(|local| local.name == var.name.name) {
            local.points_to = points_to;
            local.plain = matches!(
                self.arena[var.ty].kind,
                TypeKind::Primitive(_) | TypeKind::Pointer(_) | TypeKind::Array(..)
            );
        }
    }

    /// An expression whose value nobody sees.
    fn effect(&mut self, expr: ExprId) {
        match &self.arena[expr].kind {
            ExprKind::Paren(inner) => self.effect(*inner),
            ExprKind::Postfix(_, target)
            | ExprKind::Unary(UnaryOp::PreInc | UnaryOp::PreDec, target) => {
                self.assigned(*target, true);
            }
            ExprKind::Match(found) => {
                let idle = |body: &ArmBody| matches!(body, ArmBody::Expr(e) if self.is_idle(*e));
                if found.arms.iter().all(|arm| idle(&arm.body)) {
                    self.find(Rule::W302, self.positions.get(self.arena[expr].at), Name::new(""));
                }
                self.expr(expr);
            }
            _ => self.expr(expr),
        }
    }

    /// Whether evaluating an expression does nothing.
    fn is_idle(&self, expr: ExprId) -> bool {
        match &self.arena[expr].kind {
            ExprKind::Paren(inner) => self.is_idle(*inner),
            ExprKind::Literal(_) | ExprKind::Path(..) | ExprKind::Null | ExprKind::SelfValue => {
                true
            }
            ExprKind::Field { base, .. } => self.is_idle(*base),
            _ => false,
        }
    }

    /// `return p;` where `p` points to another local. (`return &x;` is an error.)
    fn returned(&mut self, value: ExprId) {
        if let Some(ident) = self.simple_path(value)
            && let Some(local) = self.locals.iter().rev().find(|local| local.name == ident.name)
            && let Some(target) = local.points_to
        {
            self.find(Rule::W102, self.range(ident), target);
        }
    }

    /// The local whose address an expression is.
    fn address_of_local(&self, value: ExprId) -> Option<Name> {
        let ExprKind::Unary(UnaryOp::AddrOf, place) = self.arena[value].kind else { return None };
        let name = self.simple_path(place)?.name;
        let local = self.locals.iter().rev().find(|local| local.name == name)?;
        (local.kind != Kind::Static).then_some(name)
    }

    // ------------------------------------------------------------ expressions

    /// The name that an expression is.
    fn simple_path(&self, expr: ExprId) -> Option<Ident> {
        match &self.arena[expr].kind {
            ExprKind::Paren(inner) => self.simple_path(*inner),
            ExprKind::Path(path, _) => match path.segments[..] {
                [name] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// A place gets a value. `reads`: the old one matters for the new one.
    fn assigned(&mut self, target: ExprId, reads: bool) {
        if let Some(ident) = self.simple_path(target) {
            let Some(local) = self.occurs(ident) else { return };
            local.modified = true;
            local.points_to = None;
            let early = reads && !local.given && local.plain;
            local.given = true;
            if early {
                self.find(Rule::W008, self.range(ident), ident.name);
            }
            return;
        }
        match &self.arena[target].kind {
            ExprKind::Paren(inner) => self.assigned(*inner, reads),
            ExprKind::Field { base, .. } => self.part(*base),
            ExprKind::Index(base, index) => {
                self.expr(*index);
                self.part(*base);
            }
            _ => self.expr(target),
        }
    }

    /// A part of a place gets a value, or may. What it is part of has been used then: it may be seen
    /// through other names.
    fn part(&mut self, base: ExprId) {
        if let Some(ident) = self.simple_path(base) {
            if let Some(local) = self.occurs(ident) {
                local.modified = true;
                local.given = true;
                local.read = true;
            }
            return;
        }
        match &self.arena[base].kind {
            ExprKind::Paren(inner) => self.part(*inner),
            ExprKind::Field { base, .. } => self.part(*base),
            ExprKind::Index(base, index) => {
                self.expr(*index);
                self.part(*base);
            }
            _ => self.expr(base),
        }
    }

    fn expr(&mut self, expr: ExprId) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.expr_kind(expr));
    }

    /// Visits what is not evaluated.
    fn of_type(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.type_only, true);
        visit(self);
        self.type_only = outer;
    }

    fn exprs(&mut self, exprs: &[ExprId]) {
        exprs.iter().for_each(|expr| self.expr(*expr));
    }

    fn expr_kind(&mut self, expr: ExprId) {
        let arena = self.arena;
        match &arena[expr].kind {
            ExprKind::Error | ExprKind::Literal(_) | ExprKind::Null | ExprKind::SelfValue => {}
            ExprKind::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Hole { expr, .. } = part {
                        self.expr(*expr);
                    }
                }
            }
            ExprKind::Path(path, args) => {
                match path.segments[..] {
                    [name] => self.read(name),
                    _ => self.path(&path.segments),
                }
                self.type_args(args);
            }
            ExprKind::TypePath { ty, member } => {
                self.ty(*ty);
                self.uses.add(member.name, self.range(*member), true);
            }
            ExprKind::Struct { ty, fields } => {
                ty.iter().for_each(|ty| self.ty(*ty));
                for (name, value) in fields {
                    self.uses.add(name.name, self.range(*name), true);
                    self.expr(*value);
                }
            }
            ExprKind::Array(items) => self.exprs(items),
            ExprKind::Paren(inner) => self.expr(*inner),
            ExprKind::SizeofExpr(inner) | ExprKind::TypeofExpr(inner) => {
                self.of_type(|this| this.expr(*inner));
            }
            ExprKind::Lambda(lambda) => {
                self.enter();
                for (ty, name) in &lambda.params {
                    ty.iter().for_each(|ty| self.ty(*ty));
                    self.declare(*name, Kind::Bound, true);
                    if let Some(local) = self.locals.last_mut() {
                        // As with parameters, it is not for the function to choose.
                        local.read = true;
                    }
                }
                self.arm(&lambda.body);
                self.leave();
            }
            ExprKind::Match(found) => self.match_expr(found),
            ExprKind::SizeofType(ty) | ExprKind::AlignofType(ty) | ExprKind::TypeofType(ty) => {
                self.of_type(|this| this.ty(*ty));
            }
            ExprKind::Unary(UnaryOp::AddrOf, place) => match self.simple_path(*place) {
                Some(_) => self.part(*place),
                None => self.expr(*place),
            },
            ExprKind::Unary(UnaryOp::PreInc | UnaryOp::PreDec, target)
            | ExprKind::Postfix(_, target) => {
                self.assigned(*target, true);
                self.expr(*target);
            }
            ExprKind::Unary(_, operand) => self.expr(*operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(*left);
                self.expr(*right);
            }
            ExprKind::Assign(op, target, value) => {
                self.expr(*value);
                self.assigned(*target, op.is_some());
            }
            ExprKind::Ternary(cond, then, otherwise) => {
                self.exprs(&[*cond, *then, *otherwise]);
            }
            ExprKind::Cast(value, ty) => {
                self.expr(*value);
                self.ty(*ty);
            }
            ExprKind::Call(callee, args) => {
                self.call(*callee);
                self.exprs(args);
            }
            ExprKind::MethodCall { receiver, name, args, .. } => {
                // It may give the receiver its value.
                self.part(*receiver);
                self.uses.add(name.name, self.range(*name), true);
                self.exprs(args);
            }
            ExprKind::Field { base, name, .. } => {
                self.field(*base);
                self.uses.add(name.name, self.range(*name), true);
            }
            ExprKind::Index(base, index) => self.exprs(&[*base, *index]),
            ExprKind::Slice(base, from, to) => {
                self.expr(*base);
                from.iter().chain(to).for_each(|end| self.expr(*end));
            }
        }
    }

    /// The base of a field that is read: here structs need a value too.
    fn field(&mut self, base: ExprId) {
        if let Some(ident) = self.simple_path(base)
            && let Some(local) = self.locals.iter_mut().rev().find(|l| l.name == ident.name)
        {
            local.plain = true;
        }
        self.expr(base);
    }

    fn call(&mut self, callee: ExprId) {
        if let Some(ident) = self.simple_path(callee)
            && HOSTED.contains(&ident.name.as_str())
            && !self.locals.iter().any(|local| local.name == ident.name)
        {
            self.find(Rule::B001, self.range(ident), ident.name);
        }
        self.expr(callee);
    }

    fn match_expr(&mut self, found: &Match) {
        self.expr(found.scrutinee);
        for arm in &found.arms {
            self.enter();
            arm.patterns.iter().for_each(|pattern| self.pattern(pattern));
            arm.guard.iter().for_each(|guard| self.expr(*guard));
            self.arm(&arm.body);
            self.leave();
        }
    }

    fn arm(&mut self, body: &ArmBody) {
        match body {
            ArmBody::Block(block) => {
                self.block(block);
            }
            ArmBody::Expr(expr) => self.expr(*expr),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Error | PatternKind::Wildcard | PatternKind::Null => {}
            PatternKind::Literal(value) => self.expr(*value),
            PatternKind::Range(low, high) => self.exprs(&[*low, *high]),
            PatternKind::Binding(name) => self.declare(*name, Kind::Bound, true),
            PatternKind::Variant { path, binding } => {
                self.path(&path.segments);
                binding.iter().for_each(|name| self.declare(*name, Kind::Bound, true));
            }
        }
    }

    // ------------------------------------------------------------ paths and types

    fn path(&mut self, segments: &[Ident]) {
        for (n, segment) in segments.iter().enumerate() {
            self.uses.add(segment.name, self.range(*segment), n > 0);
        }
    }

    fn type_args(&mut self, args: &[TypeArg]) {
        for arg in args {
            if let TypeArg::Type(ty) = arg {
                self.ty(*ty);
            }
        }
    }

    /// The names in a type. One that is a local is an array length, or what `sizeof` is of.
    pub fn ty(&mut self, ty: TypeId) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.type_kind(ty));
    }

    fn type_kind(&mut self, ty: TypeId) {
        match &self.arena[ty].kind {
            TypeKind::Error | TypeKind::Primitive(_) | TypeKind::Auto | TypeKind::Null => {}
            TypeKind::Typeof(expr) => self.expr(*expr),
            TypeKind::Path(path, args) => {
                match path.segments[..] {
                    [name] => self.read(name),
                    _ => self.path(&path.segments),
                }
                self.type_args(args);
            }
            TypeKind::Const(inner)
            | TypeKind::Pointer(inner)
            | TypeKind::Slice(inner)
            | TypeKind::Reference(inner) => self.ty(*inner),
            TypeKind::Function { ret, params } => {
                self.ty(*ret);
                params.iter().for_each(|param| self.ty(*param));
            }
            TypeKind::Array(inner, len) => {
                self.ty(*inner);
                if let ArrayLen::Named(name) = len {
                    self.read(*name);
                }
            }
            TypeKind::Union(types) => types.iter().for_each(|ty| self.ty(*ty)),
        }
    }

    /// An expression outside of a body.
    pub fn value(&mut self, expr: ExprId) {
        self.expr(expr);
    }
}

/// What gives a name that stands at these places another one. `None`: it does not stand there as it
/// is (in an interpolation with escapes, say), or the other one occurs in the file.
pub fn rename(
    text: &str,
    old: Name,
    new: &str,
    places: Vec<TextRange>,
) -> Option<Vec<(cm_base::diagnostic::Range, String)>> {
    let stands = |range: &TextRange| text.get(std::ops::Range::from(*range)) == Some(old.as_str());
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let taken = text.split(|c: char| !word(c)).any(|found| found == new);
    let legal = new.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let allowed = legal && !taken && !cm_syntax::is_keyword(new) && places.iter().all(stands);
    allowed.then(|| places.into_iter().map(|range| (range.into(), new.to_owned())).collect())
}
