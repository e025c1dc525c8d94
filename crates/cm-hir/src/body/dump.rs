//! The text of a typed body, for `--emit=hir` and tests: readable, and the same on every machine.

use crate::thir::{
    Arm, ArmBody, Block, Body, ConstValue, Conversion, ExprId, ExprKind, LocalId, Pattern, Stmt,
    StmtKind, TemplatePart,
};
use cm_syntax::ast::UnaryOp;
use std::fmt::Write;

/// The body as text: its locals, then its statements.
pub fn dump(body: &Body) -> String {
    let mut out = Dump { body, text: String::new(), depth: 0 };
    for (index, local) in body.locals.iter().enumerate() {
        let role = if (index as u32) < body.params { "param" } else { "local" };
        let moved = if local.moved { " moved" } else { "" };
        out.line(&format!("{role} {index} {}: {}{moved}", local.name, local.ty));
    }
    out.line(&format!("-> {}", body.ret));
    out.block(&body.block);
    out.text
}

struct Dump<'a> {
    body: &'a Body,
    text: String,
    depth: usize,
}

impl Dump<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "  ".repeat(self.depth));
    }

    fn block(&mut self, block: &Block) {
        self.depth += 1;
        for stmt in &block.stmts {
            stacker::maybe_grow(64 << 10, 1 << 20, || self.stmt(stmt));
        }
        self.depth -= 1;
    }

    fn local(&self, local: LocalId) -> String {
        match self.body.locals.get(local.0 as usize) {
            Some(info) => format!("{}#{}", info.name, local.0),
            None => format!("#{}", local.0),
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.leaf("", Some(*expr)),
            StmtKind::Let(local, init) => {
                let head = format!("let {} = ", self.local(*local));
                let init = init.map_or_else(|| "zero".to_owned(), |init| self.expr(init));
                self.line(&(head + &init));
            }
            StmtKind::Construct(local, instance, args) => {
                let text =
                    format!("let {} = new {instance}{}", self.local(*local), self.list(args));
                self.line(&text);
            }
            StmtKind::Block(block) => self.titled("block", block),
            StmtKind::Return(value) => self.leaf("return ", *value),
            StmtKind::Break => self.line("break"),
            StmtKind::Continue => self.line("continue"),
            StmtKind::If(cond, then, otherwise) => {
                let cond = self.expr(*cond);
                self.titled(&format!("if {cond}"), then);
                if let Some(otherwise) = otherwise {
                    self.line("else");
                    self.depth += 1;
                    self.stmt(otherwise);
                    self.depth -= 1;
                }
            }
            StmtKind::Loop { init, cond, update, body } => {
                self.line("loop");
                self.depth += 1;
                for stmt in init {
                    self.stmt(stmt);
                }
                self.leaf("while ", *cond);
                self.leaf("then ", *update);
                self.depth -= 1;
                self.block(body);
            }
            StmtKind::ForIn { var, iterable, value, element, body } => {
                let (var, element) = (self.local(*var), self.local(*element));
                let (iterable, value) = (self.expr(*iterable), self.expr(*value));
                self.titled(&format!("for {element} in {iterable}, {var} = {value}"), body);
            }
            StmtKind::Switch { scrutinee, cases, otherwise } => {
                let scrutinee = self.expr(*scrutinee);
                self.line(&format!("switch {scrutinee}"));
                for (values, body) in cases {
                    let shown: Vec<String> = values
                        .iter()
                        .map(|(low, high)| match high {
                            Some(high) => format!("{}...{}", value(low), value(high)),
                            None => value(low),
                        })
                        .collect();
                    self.titled(&format!("case {}", shown.join(" | ")), body);
                }
                if let Some(otherwise) = otherwise {
                    self.titled("else", otherwise);
                }
            }
            StmtKind::Defer(inner) => {
                self.line("defer");
                self.depth += 1;
                self.stmt(inner);
                self.depth -= 1;
            }
            StmtKind::Must(block) => self.titled("must", block),
            StmtKind::Asm(text, operands) => {
                self.line(&format!("asm {:?} {operands:?}", text.as_str()));
            }
        }
    }

    fn titled(&mut self, title: &str, block: &Block) {
        self.line(title);
        self.block(block);
    }

    fn leaf(&mut self, head: &str, expr: Option<ExprId>) {
        let text = expr.map(|expr| self.expr(expr)).unwrap_or_default();
        self.line(format!("{head}{text}").trim_end());
    }

    fn list(&mut self, exprs: &[ExprId]) -> String {
        let shown: Vec<String> = exprs.iter().map(|expr| self.expr(*expr)).collect();
        format!("({})", shown.join(", "))
    }

    fn expr(&mut self, id: ExprId) -> String {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.expr_kind(id))
    }

    fn expr_kind(&mut self, id: ExprId) -> String {
        let expr = &self.body[id];
        let ty = expr.ty;
        match &expr.kind {
            ExprKind::Error => "error".to_owned(),
            ExprKind::Const(constant) => format!("{}:{ty}", value(constant)),
            ExprKind::Local(local) => self.local(*local),
            ExprKind::Global(def) => def.to_string(),
            ExprKind::Function(instance) => format!("fn {instance}"),
            ExprKind::Unary(op, operand) => {
                let sign = match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::Not => "!",
                    _ => "~",
                };
                format!("{sign}{}", self.expr(*operand))
            }
            ExprKind::Binary(op, l, r) => self.infix("", op.symbol(), *l, *r),
            ExprKind::CompareMixed(op, l, r) => self.infix("mixed ", op.symbol(), *l, *r),
            ExprKind::CompareStr(op, l, r) => self.infix("str ", op.symbol(), *l, *r),
            ExprKind::CompareDeep { op, left, right, tags, .. } => {
                let head = if *tags { "tags " } else { "deep " };
                self.infix(head, op.symbol(), *left, *right)
            }
            ExprKind::PointerOffset { pointer, offset, negative } => {
                let sign = if *negative { "-" } else { "+" };
                self.infix("ptr ", sign, *pointer, *offset)
            }
            ExprKind::PointerDiff(l, r) => self.infix("ptr ", "-", *l, *r),
            ExprKind::And(l, r) => self.infix("", "&&", *l, *r),
            ExprKind::Or(l, r) => self.infix("", "||", *l, *r),
            ExprKind::Ternary(c, a, b) => {
                format!("({} ? {} : {})", self.expr(*c), self.expr(*a), self.expr(*b))
            }
            ExprKind::Assign(place, value) => self.infix("", "=", *place, *value),
            ExprKind::AssignOp { place, value, old, operand, result } => format!(
                "update {} by {} with ({}, {}) -> {}",
                self.expr(*place),
                self.expr(*value),
                self.local(*old),
                self.local(*operand),
                self.expr(*result)
            ),
            ExprKind::IncDec { place, decrement, postfix } => {
                let sign = if *decrement { "--" } else { "++" };
                let place = self.expr(*place);
                if *postfix { format!("{place}{sign}") } else { format!("{sign}{place}") }
            }
            ExprKind::Call(instance, args) => format!("{instance}{}", self.list(args)),
            ExprKind::MethodCall { method, receiver, args } => {
                format!("{}.{method}{}", self.expr(*receiver), self.list(args))
            }
            ExprKind::CallValue(callee, args) => {
                format!("call {}{}", self.expr(*callee), self.list(args))
            }
            ExprKind::CallInterface { object, slot, args } => {
                format!("{}.slot{slot}{}", self.expr(*object), self.list(args))
            }
            ExprKind::Construct(instance, args) => format!("new {instance}{}", self.list(args)),
            ExprKind::Builtin(call) => format!("@{:?}{}", call.builtin, self.list(&call.args)),
            ExprKind::Struct(fields) => {
                let shown: Vec<String> = fields
                    .iter()
                    .map(|(index, field)| format!("{index}: {}", self.expr(*field)))
                    .collect();
                format!("{ty} {{{}}}", shown.join(", "))
            }
            ExprKind::Array(elements) => {
                let list = self.list(elements);
                format!("{ty} {list}")
            }
            ExprKind::Variant(tag, payload) => {
                let payload = payload.map(|payload| self.expr(payload)).unwrap_or_default();
                format!("{ty}#{tag}({payload})")
            }
            ExprKind::Field(base, index) => format!("{}.{index}", self.expr(*base)),
            ExprKind::Index(base, index) => format!("{}[{}]", self.expr(*base), self.expr(*index)),
            ExprKind::Deref(pointer) => format!("*{}", self.expr(*pointer)),
            ExprKind::AddrOf(place) => format!("&{}", self.expr(*place)),
            ExprKind::Move(local) => format!("move {}", self.local(*local)),
            ExprKind::Convert(conversion, operand) => {
                format!("{}({} as {ty})", conversion_name(conversion), self.expr(*operand))
            }
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Lambda(lambda) => {
                let params: Vec<_> = lambda.params.iter().map(|local| self.local(*local)).collect();
                let captures: Vec<String> = lambda
                    .captures
                    .iter()
                    .map(|(outer, inner)| format!("{}={}", self.local(*inner), self.local(*outer)))
                    .collect();
                let (params, captures) = (params.join(", "), captures.join(", "));
                let body = self.nested(|dump| dump.block(&lambda.block));
                format!("lambda [{captures}]({params}) -> {} {{\n{body}}}", lambda.ret)
            }
            ExprKind::Match(m) => {
                let scrutinee = self.expr(m.scrutinee);
                let arms = self.nested(|dump| {
                    dump.depth += 1;
                    m.arms.iter().for_each(|arm| dump.arm(arm));
                    dump.depth -= 1;
                });
                format!("match {scrutinee} {{\n{arms}}}")
            }
        }
    }

    fn infix(&mut self, head: &str, sign: &str, l: ExprId, r: ExprId) -> String {
        format!("({head}{} {sign} {})", self.expr(l), self.expr(r))
    }

    fn template(&mut self, parts: &[TemplatePart]) -> String {
        let mut out = "text(".to_owned();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out += ", ";
            }
            match part {
                TemplatePart::Text(text) => {
                    let _ = write!(out, "{:?}", text.as_str());
                }
                TemplatePart::Value(value, spec) => {
                    out += &self.expr(*value);
                    if spec.pack() != 0 {
                        let _ = write!(out, " spec {:#x}", spec.pack());
                    }
                }
            }
        }
        out + ")"
    }

    fn arm(&mut self, arm: &Arm) {
        let shown: Vec<String> = arm.patterns.iter().map(|pattern| self.pattern(pattern)).collect();
        let mut head = shown.join(" | ");
        if let Some(guard) = arm.guard {
            let _ = write!(head, " if {}", self.expr(guard));
        }
        match &arm.body {
            ArmBody::Expr(value) => {
                let value = self.expr(*value);
                self.line(&format!("{head} => {value}"));
            }
            ArmBody::Block(block) => self.titled(&format!("{head} =>"), block),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        match pattern {
            Pattern::Wildcard => "_".to_owned(),
            Pattern::Binding(local) => self.local(*local),
            Pattern::Value(constant) => value(constant),
            Pattern::Range(low, high) => format!("{}...{}", value(low), value(high)),
            Pattern::Variant(tag, None) => format!("#{tag}"),
            Pattern::Variant(tag, Some(local)) => format!("#{tag}({})", self.local(*local)),
            Pattern::Member(tag) => format!("member {tag}"),
        }
    }

    /// What is written as lines, as a text of its own.
    fn nested(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.text);
        write(self);
        let mut text = std::mem::replace(&mut self.text, before);
        text.push_str(&"  ".repeat(self.depth));
        text
    }
}

fn conversion_name(conversion: &Conversion) -> String {
    match conversion {
        Conversion::ToInterface { borrow, .. } => {
            if *borrow {
                "borrow".to_owned()
            } else {
                "own".to_owned()
            }
        }
        Conversion::ToUnion(tag) => format!("to_union#{tag}"),
        Conversion::FromUnion(tag) => format!("from_union#{tag}"),
        Conversion::ToDefault(index) => format!("to_default.{index}"),
        Conversion::FromDefault(index) => format!("from_default.{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn value(constant: &ConstValue) -> String {
    match constant {
        ConstValue::Zero => "zero".to_owned(),
        ConstValue::Int(n) => i128::from(*n).to_string(),
        ConstValue::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
        ConstValue::Bool(b) => b.to_string(),
        ConstValue::Char(c) => format!("'{}'", c.escape_ascii()),
        ConstValue::Str(text) => format!("{:?}", text.as_str()),
        ConstValue::Aggregate(values) => {
            let shown: Vec<String> = values.iter().map(value).collect();
            format!("[{}]", shown.join(", "))
        }
        ConstValue::Tag(tag) => format!("#{tag}()"),
        ConstValue::Variant(variant) => format!("#{}({})", variant.0, value(&variant.1)),
        ConstValue::Function(instance) => format!("fn {instance}"),
    }
}
