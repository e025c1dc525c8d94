//! The state of checking one body: locals, scopes, the arena of typed expressions, problems.

use super::{
    common::{TY, is_error},
    rounds::{Path, Round},
};
use crate::{
    decl::{self, Problem, Resolution, Scope, Signature},
    queries::EnumType,
    thir::{Block, ConstValue, Expr, ExprId, ExprKind, Local, LocalId, LocalKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::{Db, DefId};
use cm_syntax::ast;
use rustc_hash::FxHashMap;

/// What is known about a local variable beside its [`Local`].
#[derive(Clone, Default)]
pub(crate) struct Var {
    /// Declared `const`.
    pub is_const: bool,
    /// How many scopes enclose its declaration.
    pub depth: u32,
    /// How many lambdas enclose its declaration.
    pub frame: u32,
    /// The value of a constant with a constant initializer.
    pub value: Option<ConstValue>,
    /// Its address was kept.
    pub borrowed: bool,
    /// A `move` of it came before, in the text.
    pub moved: bool,
    /// Where its name was declared.
    pub declared: Option<At>,
    /// Where its address was kept.
    pub borrowed_at: Option<At>,
    /// Where it was moved.
    pub moved_at: Option<At>,
}

/// A function or lambda whose body is being checked.
pub(crate) struct Frame {
    /// The declared result type; `None` in a lambda before its first `return`.
    pub ret: Option<Ty>,
    /// The type that the context wants a lambda to return.
    pub wanted: Option<Ty>,
    /// Enclosing loops; `break` needs one.
    pub loops: u32,
    /// Inside a deferred statement.
    pub deferred: bool,
    /// Locals of the enclosing frame with their copies in this one.
    pub captures: Vec<(LocalId, LocalId)>,
    /// Statements directly inside a loop or block of a deferred statement may `break` out of these.
    pub defer_loops: u32,
    /// The way to the place in the text.
    pub path: Path,
    /// Enclosing loops, for moves.
    pub rounds: Vec<Round>,
}

impl Frame {
    pub fn new(ret: Option<Ty>) -> Frame {
        Frame {
            ret,
            wanted: None,
            loops: 0,
            deferred: false,
            captures: Vec::new(),
            defer_loops: 0,
            path: Path::default(),
            rounds: Vec::new(),
        }
    }
}

/// Most functions have no more variables, nor scopes inside one another.
const VARIABLES: usize = 8;

/// The checker.
pub(crate) struct Ctx<'a> {
    pub db: &'a dyn Db,
    pub scope: Scope,
    pub arena: &'a ast::Arena,
    pub locals: Vec<Local>,
    pub vars: Vec<Var>,
    pub exprs: Vec<Expr>,
    pub problems: Vec<Problem>,
    pub frames: Vec<Frame>,
    /// The type parameters of the function, for value parameters' types.
    pub signature: Option<&'a Signature>,
    /// `self` is local 0.
    pub has_self: bool,
    /// Something is wrong that another item reports.
    pub poisoned: bool,
    /// A default argument is being checked: a constant, which takes no other default arguments.
    pub in_default: bool,
    names: FxHashMap<Name, LocalId>,
    undo: Vec<(Name, Option<LocalId>)>,
    marks: Vec<usize>,
    resolved: FxHashMap<Name, Result<Resolution, Problem>>,
    types: FxHashMap<Name, Ty>,
    signatures: FxHashMap<DefId, Option<&'a Signature>>,
}

impl<'a> Ctx<'a> {
    pub fn new(db: &'a dyn Db, scope: Scope, arena: &'a ast::Arena, ret: Option<Ty>) -> Ctx<'a> {
        Ctx {
            db,
            scope,
            arena,
            locals: Vec::with_capacity(VARIABLES),
            vars: Vec::with_capacity(VARIABLES),
            exprs: Vec::with_capacity(arena.exprs.len()),
            problems: Vec::new(),
            frames: vec![Frame::new(ret)],
            signature: None,
            has_self: false,
            poisoned: false,
            in_default: false,
            names: FxHashMap::with_capacity_and_hasher(VARIABLES, Default::default()),
            undo: Vec::with_capacity(VARIABLES),
            marks: Vec::with_capacity(VARIABLES),
            resolved: FxHashMap::default(),
            types: FxHashMap::default(),
            signatures: FxHashMap::default(),
        }
    }

    // ---- problems

    /// Reports an error.
    pub fn report(&mut self, at: At, message: impl Into<String>) {
        self.problems.push(Problem::new(at, message.into()));
    }

    /// Reports what another part of the compiler found. Empty: it is reported elsewhere.
    pub fn problem(&mut self, problem: Problem) {
        self.poisoned = true;
        if !problem.message.is_empty() {
            self.problems.push(problem);
        }
    }

    /// Reports an error and gives the expression that stands for what is wrong.
    pub fn error(&mut self, at: At, message: impl Into<String>) -> ExprId {
        self.report(at, message);
        self.poison(at)
    }

    /// The same for an error at a place of which only a part is to blame.
    pub fn error_in(&mut self, at: At, part: At, message: impl Into<String>) -> ExprId {
        let part = Some(part).filter(|part| *part != at);
        self.problems.push(Problem { part, ..Problem::new(at, message) });
        self.poison(at)
    }

    /// An expression about which an error has been reported.
    pub fn poison(&mut self, at: At) -> ExprId {
        self.poisoned = true;
        self.push(TY.error, at, ExprKind::Error)
    }

    // ---- expressions

    pub fn push(&mut self, ty: Ty, at: At, kind: ExprKind) -> ExprId {
        self.exprs.push(Expr { ty, at, kind });
        ExprId(self.exprs.len() as u32 - 1)
    }

    pub fn constant(&mut self, ty: Ty, at: At, value: ConstValue) -> ExprId {
        self.push(ty, at, ExprKind::Const(value))
    }

    pub fn ty(&self, expr: ExprId) -> Ty {
        self.exprs[expr.0 as usize].ty
    }

    pub fn at(&self, expr: ExprId) -> At {
        self.exprs[expr.0 as usize].at
    }

    pub fn kind(&self, expr: ExprId) -> &ExprKind {
        &self.exprs[expr.0 as usize].kind
    }

    /// Its type is erroneous.
    pub fn bad(&self, expr: ExprId) -> bool {
        is_error(self.ty(expr))
    }

    /// A place, which has an address.
    pub fn is_place(&self, expr: ExprId) -> bool {
        match *self.kind(expr) {
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Deref(_) => true,
            ExprKind::Field(base, _) => self.is_place(base),
            ExprKind::Index(base, _) => {
                !matches!(*self.ty(base), TyKind::Array(..)) || self.is_place(base)
            }
            _ => false,
        }
    }

    /// The syntax of an expression without parentheses around it.
    pub fn strip(&self, mut id: ast::ExprId) -> ast::ExprId {
        while let ast::ExprKind::Paren(inner) = self.arena[id].kind {
            id = inner;
        }
        id
    }

    // ---- scopes and locals

    pub fn enter(&mut self) {
        self.marks.push(self.undo.len());
    }

    pub fn leave(&mut self) {
        let mark = self.marks.pop().expect("scopes are entered before they are left");
        for (name, before) in self.undo.drain(mark..).rev() {
            match before {
                Some(local) => self.names.insert(name, local),
                None => self.names.remove(&name),
            };
        }
    }

    /// How many scopes are open.
    pub fn depth(&self) -> u32 {
        self.marks.len() as u32
    }

    /// Index of the innermost frame.
    pub fn frame(&self) -> u32 {
        self.frames.len() as u32 - 1
    }

    pub fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a body has a frame")
    }

    /// A local that no name leads to.
    pub fn hidden(&mut self, name: &str, ty: Ty) -> LocalId {
        self.new_local(Name::new(name), ty, LocalKind::Stack)
    }

    /// A local whose name is not yet visible.
    pub fn new_local(&mut self, name: Name, ty: Ty, kind: LocalKind) -> LocalId {
        let (depth, frame) = (self.depth(), self.frame());
        self.locals.push(Local { name, ty, kind, moved: false });
        self.vars.push(Var { depth, frame, ..Var::default() });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// Makes a local visible under its name until the scope is left.
    pub fn bind(&mut self, local: LocalId, name: ast::Ident) {
        if name.name.is_empty() {
            return;
        }
        let depth = self.depth();
        self.vars[local.0 as usize].depth = depth;
        self.vars[local.0 as usize].declared = Some(name.at);
        let before = self.names.insert(name.name, local);
        if let Some(before) = before
            && self.vars[before.0 as usize].depth == depth
        {
            self.report(name.at, format!("Variable '{}' is already defined", name.name));
            self.explain(self.vars[before.0 as usize].declared, "first defined here");
        }
        self.undo.push((name.name, before));
    }

    /// Declares a variable.
    pub fn declare(&mut self, name: ast::Ident, ty: Ty, kind: LocalKind) -> LocalId {
        let local = self.new_local(name.name, ty, kind);
        self.bind(local, name);
        local
    }

    /// The variable of this name as the innermost frame sees it: captured, if it is an outer one.
    pub fn lookup(&mut self, name: Name) -> Option<LocalId> {
        let local = *self.names.get(&name)?;
        Some(self.import(local))
    }

    /// The variable of this name where it was declared.
    pub fn lookup_outer(&self, name: Name) -> Option<LocalId> {
        self.names.get(&name).copied()
    }

    /// The copy of a local in the innermost frame.
    pub fn import(&mut self, mut local: LocalId) -> LocalId {
        let from = self.vars[local.0 as usize].frame;
        if matches!(self.locals[local.0 as usize].kind, LocalKind::Static(_)) {
            return local;
        }
        for frame in from + 1..=self.frame() {
            let captures = &self.frames[frame as usize].captures;
            local = match captures.iter().find(|(outer, _)| *outer == local) {
                Some((_, inner)) => *inner,
                None => self.capture(local, frame),
            };
        }
        local
    }

    fn capture(&mut self, outer: LocalId, frame: u32) -> LocalId {
        let Local { name, ty, .. } = self.locals[outer.0 as usize];
        let var = self.vars[outer.0 as usize].clone();
        self.locals.push(Local { name, ty, kind: LocalKind::Capture, moved: false });
        self.vars.push(Var { frame, borrowed: false, moved: false, ..var });
        let inner = LocalId(self.locals.len() as u32 - 1);
        self.frames[frame as usize].captures.push((outer, inner));
        inner
    }

    /// Checks the statements of a block in a scope of their own.
    pub fn block(&mut self, block: &'a ast::Block) -> Block {
        self.enter();
        let block = self.open_block(block);
        self.leave();
        block
    }

    /// Checks the statements of a block in the current scope.
    pub fn open_block(&mut self, block: &'a ast::Block) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for stmt in &block.stmts {
            self.stmt(stmt, &mut stmts);
        }
        Block { stmts }
    }

    /// The names of the variables that are visible.
    pub fn visible(&self) -> impl Iterator<Item = Name> {
        let vars = self.locals.iter().map(|local| local.name);
        vars.filter(|name| self.names.contains_key(name))
    }

    // ---- the world outside

    /// The signature of a function.
    pub fn signature_of(&mut self, def: DefId) -> Option<&'a Signature> {
        let db = self.db;
        *self.signatures.entry(def).or_insert_with(|| decl::signature(db, def))
    }

    /// What a path that is no local variable names.
    pub fn resolve(&mut self, path: &ast::Path) -> Result<Resolution, Problem> {
        let [only] = path.segments.as_slice() else {
            return decl::resolve_value(self.db, &self.scope, path);
        };
        if let Some(found) = self.resolved.get(&only.name) {
            return match found {
                Ok(found) => Ok(found.clone()),
                Err(problem) => Err(Problem::new(only.at, problem.message.clone())),
            };
        }
        let mut found = decl::resolve_value(self.db, &self.scope, path);
        if let Err(problem) = &mut found
            && problem.message.starts_with("Undefined variable")
        {
            problem.message.push_str(&self.meant_value(only.name));
        }
        self.resolved.insert(only.name, found.clone());
        found
    }

    /// The type that a written type denotes.
    pub fn lower(&mut self, id: ast::TypeId) -> Ty {
        match &self.arena[id].kind {
            ast::TypeKind::Primitive(ast::Primitive::Int) => TY.int,
            ast::TypeKind::Primitive(ast::Primitive::String) => TY.str,
            ast::TypeKind::Primitive(ast::Primitive::Bool) => TY.bool,
            ast::TypeKind::Path(path, args) if args.is_empty() && path.segments.len() == 1 => {
                let name = path.segments[0].name;
                if let Some(ty) = self.types.get(&name) {
                    return *ty;
                }
                let ty = self.lower_slow(id);
                if !is_error(ty) {
                    self.types.insert(name, ty);
                }
                ty
            }
            _ => self.lower_slow(id),
        }
    }

    fn lower_slow(&mut self, id: ast::TypeId) -> Ty {
        if let ast::TypeKind::Typeof(expr) = self.arena[id].kind {
            return self.type_of_operand(expr);
        }
        let mut consts = Vec::new();
        if self.local_lengths(id, &mut consts).is_err() {
            self.poisoned = true;
            return TY.error;
        }
        let before = self.scope.generics.len();
        self.scope.generics.extend(consts);
        let arena = self.arena;
        let before_problems = self.problems.len();
        let ty = decl::lower_type(self.db, &self.scope, arena, id, &mut self.problems);
        for problem in self.problems.split_off(before_problems) {
            self.problem(problem);
        }
        self.scope.generics.truncate(before);
        self.poisoned |= is_error(ty);
        ty
    }

    /// Local constants that a type uses as lengths, as if they were value parameters.
    fn local_lengths(
        &mut self,
        id: ast::TypeId,
        out: &mut Vec<(Name, GenericArg)>,
    ) -> Result<(), ()> {
        let arena = self.arena;
        match &arena[id].kind {
            ast::TypeKind::Array(element, len) => {
                self.local_lengths(*element, out)?;
                let ast::ArrayLen::Named(name) = len else { return Ok(()) };
                let Some(local) = self.lookup_outer(name.name) else { return Ok(()) };
                match self.vars[local.0 as usize].value {
                    Some(ConstValue::Int(value)) => {
                        out.push((name.name, GenericArg::Value(value.into())));
                        Ok(())
                    }
                    _ => {
                        self.report(name.at, "Array size must be a const variable");
                        Err(())
                    }
                }
            }
            ast::TypeKind::Const(inner)
            | ast::TypeKind::Pointer(inner)
            | ast::TypeKind::Slice(inner)
            | ast::TypeKind::Reference(inner) => self.local_lengths(*inner, out),
            ast::TypeKind::Path(_, args) => {
                for arg in args {
                    let ast::TypeArg::Type(ty) = *arg else { continue };
                    if let ast::TypeKind::Path(path, inner) = &arena[ty].kind
                        && let ([only], true) = (path.segments.as_slice(), inner.is_empty())
                        && let Some(local) = self.lookup_outer(only.name)
                        && let Some(ConstValue::Int(value)) = self.vars[local.0 as usize].value
                    {
                        out.push((only.name, GenericArg::Value(value.into())));
                    } else {
                        self.local_lengths(ty, out)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The variants of an enum type.
    pub fn enum_type(&self, ty: Ty) -> Option<&'a EnumType> {
        match *ty {
            TyKind::Enum(..) => crate::enum_type(self.db, ty).as_deref(),
            _ => None,
        }
    }

    /// An enum without payloads.
    pub fn is_plain_enum(&self, ty: Ty) -> bool {
        self.enum_type(ty).is_some_and(|info| !info.payload)
    }

    /// An integer type, or a plain enum, which counts as `int`.
    pub fn integer_like(&self, ty: Ty) -> bool {
        matches!(*ty, TyKind::Int(_)) || self.is_plain_enum(ty)
    }
}
