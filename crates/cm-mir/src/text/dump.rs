//! MIR to text.

use super::{BINARY, COUNT, UNARY, plain_len};
use crate::{
    mir::*,
    ty::{Ty, TyKind},
    unit::Unit,
};
use cm_base::Name;
use rustc_hash::FxHashMap;

/// The text of a function, with declarations of all it uses.
pub fn dump(function: &Function) -> String {
    let mut out = Dumper::default();
    out.symbol(Symbol::Function(function.decl), true);
    let body = out.function(function);
    out.header.push(body);
    out.header.concat()
}

/// The text of a unit.
pub fn dump_unit(unit: &Unit) -> String {
    let mut out = Dumper::default();
    for function in &unit.functions {
        out.symbol(Symbol::Function(function.decl), true);
    }
    for global in &unit.globals {
        out.symbol(Symbol::Global(global.decl), true);
    }
    let globals: Vec<_> = unit.globals.iter().map(|g| out.global(g)).collect();
    let functions: Vec<_> = unit.functions.iter().map(|f| out.function(f)).collect();
    format!(
        "unit {:?}\n{}{}{}",
        unit.name.as_str(),
        out.header.concat(),
        globals.concat(),
        functions.concat()
    )
}

/// A type in messages: as in dumps, but different types of one name look alike.
pub fn type_text(ty: Ty) -> String {
    Dumper::default().ty(ty)
}

/// A statement in messages.
pub fn stmt_text(stmt: &Stmt) -> String {
    Dumper::default().stmt(stmt)
}

/// A terminator in messages.
pub fn terminator_text(terminator: &Terminator) -> String {
    Dumper::default().terminator(terminator)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Symbol {
    Function(Decl),
    Global(GlobalRef),
}

#[derive(Default)]
struct Dumper {
    /// Declarations, in order of first use.
    header: Vec<String>,
    types: FxHashMap<Ty, String>,
    symbols: FxHashMap<Symbol, String>,
    /// How many entities have a name so far.
    taken: FxHashMap<(char, Name), u32>,
}

fn list<T>(items: &[T], each: impl FnMut(&T) -> String) -> String {
    items.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn quoted(name: Name) -> String {
    if plain_len(name.as_str()) == name.len() && !name.is_empty() {
        name.as_str().to_owned()
    } else {
        format!("{:?}", name.as_str())
    }
}

impl Dumper {
    fn unique(&mut self, sigil: char, name: Name) -> String {
        let taken = self.taken.entry((sigil, name)).or_default();
        *taken += 1;
        match *taken {
            1 => format!("{sigil}{}", quoted(name)),
            n => format!("{sigil}{}#{}", quoted(name), n - 1),
        }
    }

    fn ty(&mut self, ty: Ty) -> String {
        match ty.get() {
            TyKind::Void => "void".into(),
            TyKind::Bool => "bool".into(),
            TyKind::Int { bits, signed } => format!("{}{bits}", if *signed { 'i' } else { 'u' }),
            TyKind::F32 => "f32".into(),
            TyKind::F64 => "f64".into(),
            TyKind::Ptr => "ptr".into(),
            TyKind::Str => "str".into(),
            TyKind::Slice => "slice".into(),
            TyKind::Func => "func".into(),
            TyKind::Iface => "iface".into(),
            TyKind::Array(elem, len) => {
                stacker::maybe_grow(64 << 10, 1 << 20, || format!("[{}; {len}]", self.ty(*elem)))
            }
            TyKind::Struct { name, fields } => self.named_ty(ty, "struct", *name, fields),
            TyKind::Tagged { name, variants } => self.named_ty(ty, "tagged", *name, variants),
        }
    }

    fn named_ty(&mut self, ty: Ty, what: &str, name: Name, parts: &[Ty]) -> String {
        if let Some(known) = self.types.get(&ty) {
            return known.clone();
        }
        let parts = stacker::maybe_grow(64 << 10, 1 << 20, || list(parts, |t| self.ty(*t)));
        let unique = self.unique('%', name);
        self.header.push(match parts.as_str() {
            "" => format!("type {unique} = {what} {{ }}\n"),
            _ => format!("type {unique} = {what} {{ {parts} }}\n"),
        });
        self.types.insert(ty, unique.clone());
        unique
    }

    fn symbol(&mut self, symbol: Symbol, defined: bool) -> String {
        if let Some(known) = self.symbols.get(&symbol) {
            return known.clone();
        }
        let name = match symbol {
            Symbol::Function(decl) => decl.symbol,
            Symbol::Global(global) => global.symbol,
        };
        let unique = self.unique('@', name);
        self.symbols.insert(symbol, unique.clone());
        if !defined {
            let declaration = match symbol {
                Symbol::Function(decl) => format!("extern {}\n", self.signature(decl)),
                Symbol::Global(global) => {
                    format!("extern global {unique}: {}\n", self.ty(global.ty))
                }
            };
            self.header.push(declaration);
        }
        unique
    }

    fn signature(&mut self, decl: Decl) -> String {
        let name = self.symbol(Symbol::Function(decl), true);
        let abi = match decl.abi {
            Abi::Cm => "",
            Abi::C => " c",
            Abi::CVariadic => " c...",
        };
        format!("fn {name}{}{abi}", self.types_of_call(&decl.params, decl.ret))
    }

    fn types_of_call(&mut self, params: &[Ty], ret: Ty) -> String {
        let params = list(params, |t| self.ty(*t));
        match ret.get() {
            TyKind::Void => format!("({params})"),
            _ => format!("({params}) -> {}", self.ty(ret)),
        }
    }

    fn global(&mut self, global: &Global) -> String {
        let constant = if global.constant { "const " } else { "" };
        let name = self.symbol(Symbol::Global(global.decl), true);
        let (ty, init) = (self.ty(global.decl.ty), self.constant(&global.init));
        format!("{constant}global {name}: {ty} = {init}\n")
    }

    fn function(&mut self, function: &Function) -> String {
        let mut out = format!("{} {{\n", self.signature(function.decl));
        if let Some(env) = function.env {
            out += &format!("    env {}\n", local(env));
        }
        for (i, local) in function.locals.iter().enumerate() {
            let name = local.name.map_or(String::new(), |name| format!(" {:?}", name.as_str()));
            out += &format!("    let _{i}: {}{name}\n", self.ty(local.ty));
        }
        for (i, block) in function.blocks.iter().enumerate() {
            out += &format!("b{i}:\n");
            for stmt in &block.stmts {
                out += &format!("    {}\n", self.stmt(stmt));
            }
            out += &format!("    {}\n", self.terminator(&block.terminator));
        }
        out + "}\n"
    }

    fn stmt(&mut self, stmt: &Stmt) -> String {
        match stmt {
            Stmt::Assign { place, value, volatile } => {
                let volatile = if *volatile { "volatile " } else { "" };
                format!("{volatile}{} = {}", self.place(place), self.rvalue(value))
            }
            Stmt::Call { dest, callee, args } => {
                let call = self.call(callee, args);
                match dest {
                    Some(dest) => format!("{} = {call}", self.place(dest)),
                    None => call,
                }
            }
            Stmt::Asm { template, operands } => {
                let operands = list(operands, |operand| self.asm_operand(operand));
                format!("asm {:?}({operands})", template.as_str())
            }
            Stmt::Count { op, place } => format!("{} {}", word(&COUNT, op), self.place(place)),
        }
    }

    fn asm_operand(&mut self, operand: &AsmOperand) -> String {
        let mode = match (operand.input, operand.output) {
            (true, true) => "inout",
            (true, false) => "in",
            (false, true) => "out",
            (false, false) => "none",
        };
        let class = match operand.class {
            AsmClass::Register => 'r',
            AsmClass::Memory => 'm',
            AsmClass::Immediate => 'i',
        };
        format!("{mode} {class} {}", self.operand(&operand.value))
    }

    fn call(&mut self, callee: &Callee, args: &[Operand]) -> String {
        let args = list(args, |arg| self.operand(arg));
        match callee {
            Callee::Function(decl) => {
                format!("call {}({args})", self.symbol(Symbol::Function(*decl), false))
            }
            Callee::Runtime(rt) => format!("rt {}({args})", rt.symbol()),
            Callee::Value { value, params, ret } => {
                let types = self.types_of_call(params, *ret);
                format!("callval {}({args}): {types}", self.operand(value))
            }
            Callee::Method { object, slot, params, ret } => {
                let types = self.types_of_call(params, *ret);
                format!("callmethod {}, {slot}({args}): {types}", self.operand(object))
            }
        }
    }

    fn terminator(&mut self, terminator: &Terminator) -> String {
        match terminator {
            Terminator::Goto(target) => format!("goto {}", block(*target)),
            Terminator::Branch { cond, then, otherwise } => {
                format!("br {} ? {} : {}", self.operand(cond), block(*then), block(*otherwise))
            }
            Terminator::Switch { value, cases, default } => {
                let arms: String =
                    cases.iter().map(|(n, b)| format!("{n} -> {}, ", block(*b))).collect();
                format!("switch {} {{ {arms}else {} }}", self.operand(value), block(*default))
            }
            Terminator::Return => "return".into(),
            Terminator::Panic(message) => format!("panic {}", self.operand(message)),
            Terminator::Unreachable => "unreachable".into(),
        }
    }

    fn place(&mut self, place: &Place) -> String {
        let mut out = match place.base {
            Base::Local(id) => local(id),
            Base::Global(global) => self.symbol(Symbol::Global(global), false),
        };
        for projection in &place.projections {
            out += &match projection {
                Projection::Deref(ty) => format!(".*{}", self.ty(*ty)),
                Projection::Field(field) => format!(".{field}"),
                Projection::Index(index) => format!("[{}]", self.operand(index)),
                Projection::Variant(variant) => format!("!{variant}"),
            };
        }
        out
    }

    fn operand(&mut self, operand: &Operand) -> String {
        stacker::maybe_grow(64 << 10, 1 << 20, || match operand {
            Operand::Copy(place) => self.place(place),
            Operand::Const(constant) => self.constant(constant),
        })
    }

    fn constant(&mut self, constant: &Const) -> String {
        let ty = self.ty(constant.ty);
        let (text, looks_like) = match (&constant.value, constant.ty.get()) {
            (ConstValue::Zero, _) => return format!("zero {ty}"),
            (ConstValue::Int(0), TyKind::Bool) => return "false".into(),
            (ConstValue::Int(1), TyKind::Bool) => return "true".into(),
            (ConstValue::Int(n), TyKind::Int { bits, signed }) => {
                let unused = 64 - u32::from(*bits).clamp(1, 64);
                if n << unused >> unused != *n {
                    (format!("int {n}"), String::new())
                } else if *signed {
                    (format!("{}{ty}", (*n as i64) << unused >> unused), ty.clone())
                } else {
                    (format!("{n}{ty}"), ty.clone())
                }
            }
            (ConstValue::Int(n), _) => (format!("int {n}"), String::new()),
            (ConstValue::Float(bits), TyKind::F64) if f64::from_bits(*bits).is_finite() => {
                return format!("{:?}f64", f64::from_bits(*bits));
            }
            (ConstValue::Float(bits), TyKind::F32) if finite_f32(*bits).is_some() => {
                return format!("{:?}f32", finite_f32(*bits).unwrap_or_default());
            }
            (ConstValue::Float(bits), _) => (format!("float {bits}"), String::new()),
            (ConstValue::Str(text), _) => (format!("{:?}", text.as_str()), "str".into()),
            (ConstValue::Aggregate(parts), _) => {
                return format!("{ty}{{{}}}", self.constants(parts));
            }
            (ConstValue::Tagged(tag, None), _) => return format!("{ty}!{tag}"),
            (ConstValue::Tagged(tag, Some(payload)), _) => {
                let payload = self.constants(std::slice::from_ref(payload));
                return format!("{ty}!{tag}({payload})");
            }
            (ConstValue::Function(decl), _) => {
                (format!("fn {}", self.symbol(Symbol::Function(*decl), false)), "func".into())
            }
            (ConstValue::Code(decl), _) => {
                (format!("code {}", self.symbol(Symbol::Function(*decl), false)), "ptr".into())
            }
            (ConstValue::Glue(ty), _) => (format!("glue {}", self.ty(*ty)), "ptr".into()),
            (ConstValue::Address(global), _) => {
                (format!("&{}", self.symbol(Symbol::Global(*global), false)), "ptr".into())
            }
            (ConstValue::Slice(parts), _) => {
                (format!("slice{{{}}}", self.constants(parts)), "slice".into())
            }
        };
        if looks_like == ty { text } else { format!("({ty}){text}") }
    }

    fn constants(&mut self, parts: &[impl std::borrow::Borrow<Const>]) -> String {
        stacker::maybe_grow(64 << 10, 1 << 20, || list(parts, |c| self.constant(c.borrow())))
    }

    fn rvalue(&mut self, rvalue: &Rvalue) -> String {
        match rvalue {
            Rvalue::Use(operand) => self.operand(operand),
            Rvalue::Unary(op, a) => format!("{} {}", word(&UNARY, op), self.operand(a)),
            Rvalue::Binary(op, a, b) => {
                format!("{} {}, {}", word(&BINARY, op), self.operand(a), self.operand(b))
            }
            Rvalue::Cast(a, ty) => format!("cast {} {}", self.ty(*ty), self.operand(a)),
            Rvalue::AddrOf(place) => format!("addr {}", self.place(place)),
            Rvalue::PtrOffset(p, n, ty) => {
                format!("offset {} {}, {}", self.ty(*ty), self.operand(p), self.operand(n))
            }
            Rvalue::PtrDiff(p, q, ty) => {
                format!("diff {} {}, {}", self.ty(*ty), self.operand(p), self.operand(q))
            }
            Rvalue::Aggregate(ty, parts) => {
                format!("new {}{{{}}}", self.ty(*ty), list(parts, |p| self.operand(p)))
            }
            Rvalue::Tagged(ty, tag, None) => format!("new {}!{tag}", self.ty(*ty)),
            Rvalue::Tagged(ty, tag, Some(payload)) => {
                format!("new {}!{tag}({})", self.ty(*ty), self.operand(payload))
            }
            Rvalue::Tag(place) => format!("tag {}", self.place(place)),
            Rvalue::Closure(decl, captures) => {
                let name = self.symbol(Symbol::Function(*decl), false);
                format!("closure {name}({})", list(captures, |c| self.operand(c)))
            }
            Rvalue::Iface(object, table) => {
                let object = self.operand(object);
                format!("iface {object}, {}", self.symbol(Symbol::Global(*table), false))
            }
        }
    }
}

fn local(id: LocalId) -> String {
    format!("_{}", id.0)
}

fn block(id: BlockId) -> String {
    format!("b{}", id.0)
}

fn finite_f32(bits: u64) -> Option<f32> {
    u32::try_from(bits).ok().map(f32::from_bits).filter(|value| value.is_finite())
}

fn word<T: PartialEq>(table: &[(T, &'static str)], op: &T) -> &'static str {
    table.iter().find(|(o, _)| o == op).map_or("?", |(_, word)| word)
}
