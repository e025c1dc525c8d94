//! Text to MIR, line by line.

use super::{BINARY, COUNT, UNARY, plain_len};
use crate::{
    mir::*,
    runtime::Rt,
    ty::{Ty, TyKind},
    unit::Unit,
};
use cm_base::Name;
use rustc_hash::FxHashMap;
use std::fmt;

/// Why a text is not MIR.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// What was expected, and what stands there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

type Result<T, E = String> = std::result::Result<T, E>;

/// Reads a text with one function.
pub fn parse_function(text: &str) -> Result<Function, ParseError> {
    let mut unit = parse_unit(text)?;
    match unit.functions.pop() {
        Some(function) if unit.functions.is_empty() => Ok(function),
        _ => Err(ParseError { line: 1, message: "expected exactly one function".into() }),
    }
}

/// Reads a unit. Functions and globals stay in the order of the text.
pub fn parse_unit(text: &str) -> Result<Unit, ParseError> {
    let lines: Vec<(usize, &str)> = (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
        .collect();
    let mut parser = Parser::new();
    for pass in [Parser::declare, Parser::define] {
        for (number, line) in &lines {
            let mut cursor = Cursor { rest: line };
            pass(&mut parser, &mut cursor)
                .and_then(|()| {
                    if cursor.rest.is_empty() { Ok(()) } else { cursor.fail("the end of the line") }
                })
                .map_err(|message| ParseError { line: *number, message })?;
        }
        if parser.body.is_some() {
            let line = lines.last().map_or(1, |(number, _)| *number);
            return Err(ParseError {
                line,
                message: "expected `}` at the end of a function".into(),
            });
        }
    }
    Ok(parser.unit)
}

struct Parser {
    types: FxHashMap<String, Ty>,
    functions: FxHashMap<String, Decl>,
    globals: FxHashMap<String, GlobalRef>,
    unit: Unit,
    /// The function whose lines are being read.
    body: Option<Function>,
    /// The statements of the block whose lines are being read.
    block: Option<Vec<Stmt>>,
}

impl Parser {
    fn new() -> Parser {
        Parser {
            types: FxHashMap::default(),
            functions: FxHashMap::default(),
            globals: FxHashMap::default(),
            unit: Unit::new(Name::new("text")),
            body: None,
            block: None,
        }
    }
}

/// A position in a line.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn fail<T>(&self, expected: &str) -> Result<T> {
        match self.rest.is_empty() {
            true => Err(format!("expected {expected} at the end of the line")),
            false => Err(format!("expected {expected} at `{}`", self.rest)),
        }
    }
    fn advance(&mut self, len: usize) -> &'a str {
        let (head, tail) = self.rest.split_at(len);
        self.rest = tail.trim_start();
        head
    }
    /// Skips a punctuation mark if it comes next.
    fn eat(&mut self, mark: &str) -> bool {
        let found = self.rest.starts_with(mark);
        if found {
            self.advance(mark.len());
        }
        found
    }
    fn expect(&mut self, mark: &str) -> Result<()> {
        if self.eat(mark) { Ok(()) } else { self.fail(&format!("`{mark}`")) }
    }
    /// The word that comes next.
    fn peek_word(&self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &self.rest[..end.unwrap_or(self.rest.len())]
    }
    fn word(&mut self) -> &'a str {
        self.advance(self.peek_word().len())
    }
    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.word();
        }
        found
    }
    fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        match self.rest[..len].parse() {
            Ok(number) => {
                self.advance(len);
                Ok(number)
            }
            Err(_) => self.fail("a number"),
        }
    }
    /// A number behind a letter: `b0`, `_1`.
    fn id(&mut self, letter: &str) -> Result<u32> {
        match self.rest.strip_prefix(letter) {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                self.rest = rest;
                self.number()
            }
            _ => self.fail(if letter == "b" { "a block" } else { "a local" }),
        }
    }
    fn block(&mut self) -> Result<BlockId> {
        self.id("b").map(BlockId)
    }
    fn local(&mut self) -> Result<LocalId> {
        self.id("_").map(LocalId)
    }

    /// A quoted string.
    fn string(&mut self) -> Result<String> {
        let mut chars = self.rest.char_indices();
        let mut text = String::new();
        if !matches!(chars.next(), Some((_, '"'))) {
            return self.fail("a string");
        }
        loop {
            match chars.next() {
                Some((end, '"')) => {
                    self.advance(end + 1);
                    return Ok(text);
                }
                Some((_, '\\')) => text.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, '0')) => '\0',
                    Some((_, 'u')) => {
                        let code: String = chars
                            .by_ref()
                            .map(|(_, c)| c)
                            .skip(1)
                            .take_while(|c| *c != '}')
                            .collect();
                        match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                            Some(c) => c,
                            None => return self.fail("valid escapes"),
                        }
                    }
                    Some((_, c @ ('"' | '\'' | '\\'))) => c,
                    _ => return self.fail("valid escapes"),
                }),
                Some((_, c)) => text.push(c),
                None => return self.fail("a closed string"),
            }
        }
    }

    /// A name behind a sigil: as it is written (to look it up), and without disambiguator.
    fn name(&mut self, sigil: &str) -> Result<(String, Name)> {
        let Some(rest) = self.rest.strip_prefix(sigil) else {
            return self.fail(&format!("`{sigil}` and a name"));
        };
        self.rest = rest;
        let name = match rest.starts_with('"') {
            true => self.string()?,
            false => match plain_len(rest) {
                0 => return self.fail("a name"),
                len => self.advance(len).to_owned(),
            },
        };
        let number = if self.eat("#") { self.number::<u32>()? } else { 0 };
        Ok((format!("{name}#{number}"), Name::new(&name)))
    }

    /// Items up to `end`, separated by commas.
    fn list<T>(
        &mut self,
        end: &str,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }
}

impl Parser {
    /// First pass: types and the signatures of everything.
    fn declare(&mut self, line: &mut Cursor<'_>) -> Result<()> {
        let external = line.eat_word("extern");
        let constant = line.eat_word("const");
        let what = line.peek_word();
        match what {
            "type" => {
                line.word();
                self.type_line(line)
            }
            "fn" => {
                line.word();
                let (key, decl) = self.signature(line)?;
                declare(&mut self.functions, key, decl)?;
                if external { Ok(()) } else { line.expect("{") }
            }
            "global" => {
                line.word();
                let (key, symbol) = line.name("@")?;
                line.expect(":")?;
                let ty = self.ty(line)?;
                declare(&mut self.globals, key, GlobalRef::new(GlobalDecl { symbol, ty }))?;
                line.rest = "";
                Ok(())
            }
            _ if external || constant => line.fail("`fn` or `global`"),
            _ => {
                line.rest = "";
                Ok(())
            }
        }
    }

    fn type_line(&mut self, line: &mut Cursor<'_>) -> Result<()> {
        let (key, name) = line.name("%")?;
        line.expect("=")?;
        let what = line.word();
        line.expect("{")?;
        let parts = line.list("}", |line| self.ty(line))?;
        let kind = match what {
            "struct" => TyKind::Struct { name, fields: parts },
            "tagged" => TyKind::Tagged { name, variants: parts },
            _ => return Err("expected `struct` or `tagged`".into()),
        };
        declare(&mut self.types, key, kind.intern())
    }

    fn signature(&mut self, line: &mut Cursor<'_>) -> Result<(String, Decl)> {
        let (key, symbol) = line.name("@")?;
        let (params, ret) = self.types_of_call(line)?;
        let abi = match (line.eat_word("c"), line.eat("...")) {
            (false, _) => Abi::Cm,
            (true, false) => Abi::C,
            (true, true) => Abi::CVariadic,
        };
        Ok((key, Decl::new(FnDecl { symbol, params, ret, abi })))
    }

    fn types_of_call(&self, line: &mut Cursor<'_>) -> Result<(Vec<Ty>, Ty)> {
        line.expect("(")?;
        let params = line.list(")", |line| self.ty(line))?;
        let ret = if line.eat("->") { self.ty(line)? } else { TyKind::Void.intern() };
        Ok((params, ret))
    }

    fn ty(&self, line: &mut Cursor<'_>) -> Result<Ty> {
        if line.rest.starts_with('%') {
            let at = line.rest;
            let (key, _) = line.name("%")?;
            return self.types.get(&key).copied().ok_or_else(|| format!("unknown type at `{at}`"));
        }
        if line.eat("[") {
            let elem = stacker::maybe_grow(64 << 10, 1 << 20, || self.ty(line))?;
            line.expect(";")?;
            let len = line.number()?;
            line.expect("]")?;
            return Ok(TyKind::Array(elem, len).intern());
        }
        match simple_type(line.peek_word()) {
            Some(kind) => {
                line.word();
                Ok(kind.intern())
            }
            None => line.fail("a type"),
        }
    }

    /// Second pass: everything else.
    fn define(&mut self, line: &mut Cursor<'_>) -> Result<()> {
        if self.body.is_some() {
            return self.body_line(line);
        }
        match line.peek_word() {
            "type" | "extern" => line.rest = "",
            "unit" => {
                line.word();
                self.unit.name = Name::new(&line.string()?);
            }
            "fn" => {
                line.word();
                let (_, decl) = self.signature(line)?;
                line.expect("{")?;
                self.body = Some(Function { decl, env: None, locals: vec![], blocks: vec![] });
            }
            _ => {
                let constant = line.eat_word("const");
                if !line.eat_word("global") {
                    return line.fail("an item");
                }
                let (key, _) = line.name("@")?;
                line.expect(":")?;
                self.ty(line)?;
                line.expect("=")?;
                let init = self.constant(line)?;
                let decl = self.globals[&key];
                self.unit.globals.push(Global { decl, init, constant });
            }
        }
        Ok(())
    }

    fn body_line(&mut self, line: &mut Cursor<'_>) -> Result<()> {
        let function = self.body.as_mut().expect("only called inside a function");
        if let Some(mut stmts) = self.block.take() {
            return match self.terminator(line)? {
                Some(terminator) => {
                    let function = self.body.as_mut().expect("only called inside a function");
                    function.blocks.push(Block { stmts, terminator });
                    Ok(())
                }
                None => {
                    stmts.push(self.stmt(line)?);
                    self.block = Some(stmts);
                    Ok(())
                }
            };
        }
        if line.eat("}") {
            self.unit.functions.extend(self.body.take());
        } else if line.eat_word("env") {
            function.env = Some(line.local()?);
        } else if line.eat_word("let") {
            if line.local()?.0 as usize != function.locals.len() {
                return Err(format!("expected `let _{}`", function.locals.len()));
            }
            line.expect(":")?;
            let ty = self.ty(line)?;
            let name = match line.rest {
                "" => None,
                _ => Some(Name::new(&line.string()?)),
            };
            let function = self.body.as_mut().expect("only called inside a function");
            function.locals.push(Local { ty, name });
        } else {
            if line.block()?.0 as usize != function.blocks.len() {
                return Err(format!("expected `b{}`", function.blocks.len()));
            }
            line.expect(":")?;
            self.block = Some(Vec::new());
        }
        Ok(())
    }

    fn terminator(&self, line: &mut Cursor<'_>) -> Result<Option<Terminator>> {
        let word = line.peek_word();
        if !["goto", "br", "switch", "return", "panic", "unreachable"].contains(&word) {
            return Ok(None);
        }
        line.word();
        Ok(Some(match word {
            "goto" => Terminator::Goto(line.block()?),
            "br" => {
                let cond = self.operand(line)?;
                line.expect("?")?;
                let then = line.block()?;
                line.expect(":")?;
                Terminator::Branch { cond, then, otherwise: line.block()? }
            }
            "switch" => {
                let value = self.operand(line)?;
                line.expect("{")?;
                let mut cases = Vec::new();
                while !line.eat_word("else") {
                    let case = line.number()?;
                    line.expect("->")?;
                    cases.push((case, line.block()?));
                    line.expect(",")?;
                }
                let default = line.block()?;
                line.expect("}")?;
                Terminator::Switch { value, cases, default }
            }
            "return" => Terminator::Return,
            "panic" => Terminator::Panic(self.operand(line)?),
            _ => Terminator::Unreachable,
        }))
    }

    fn stmt(&self, line: &mut Cursor<'_>) -> Result<Stmt> {
        if line.eat_word("asm") {
            let template = Name::new(&line.string()?);
            line.expect("(")?;
            let operands = line.list(")", |line| self.asm_operand(line))?;
            return Ok(Stmt::Asm { template, operands });
        }
        if let Some((op, word)) = COUNT.iter().find(|(_, word)| *word == line.peek_word()) {
            line.eat_word(word);
            return Ok(Stmt::Count { op: *op, place: self.place(line)? });
        }
        if let Some((callee, args)) = self.call(line)? {
            return Ok(Stmt::Call { dest: None, callee, args });
        }
        let volatile = line.eat_word("volatile");
        let place = self.place(line)?;
        line.expect("=")?;
        if let Some((callee, args)) = self.call(line)? {
            return Ok(Stmt::Call { dest: Some(place), callee, args });
        }
        Ok(Stmt::Assign { place, value: self.rvalue(line)?, volatile })
    }

    fn asm_operand(&self, line: &mut Cursor<'_>) -> Result<AsmOperand> {
        let mode = line.word();
        let class = match line.word() {
            "r" => AsmClass::Register,
            "m" => AsmClass::Memory,
            "i" => AsmClass::Immediate,
            _ => return line.fail("`r`, `m` or `i`"),
        };
        let (input, output) = (mode.starts_with("in"), mode.ends_with("out"));
        Ok(AsmOperand { class, input, output, value: self.operand(line)? })
    }

    fn call(&self, line: &mut Cursor<'_>) -> Result<Option<(Callee, Vec<Operand>)>> {
        let word = line.peek_word();
        if !["call", "rt", "callval", "callmethod"].contains(&word) {
            return Ok(None);
        }
        line.word();
        let mut callee = match word {
            "call" => Callee::Function(self.function(line)?),
            "rt" => match Rt::ALL.iter().find(|rt| rt.symbol() == line.peek_word()) {
                Some(rt) => {
                    line.word();
                    Callee::Runtime(*rt)
                }
                None => return line.fail("a run-time function"),
            },
            "callval" => Callee::Value {
                value: self.operand(line)?,
                params: vec![],
                ret: TyKind::Void.intern(),
            },
            _ => {
                let object = self.operand(line)?;
                line.expect(",")?;
                let slot = line.number()?;
                Callee::Method { object, slot, params: vec![], ret: TyKind::Void.intern() }
            }
        };
        line.expect("(")?;
        let args = line.list(")", |line| self.operand(line))?;
        if let Callee::Value { params, ret, .. } | Callee::Method { params, ret, .. } = &mut callee
        {
            line.expect(":")?;
            (*params, *ret) = self.types_of_call(line)?;
        }
        Ok(Some((callee, args)))
    }

    fn function(&self, line: &mut Cursor<'_>) -> Result<Decl> {
        let at = line.rest;
        let (key, _) = line.name("@")?;
        self.functions.get(&key).copied().ok_or_else(|| format!("unknown function at `{at}`"))
    }

    fn global(&self, line: &mut Cursor<'_>) -> Result<GlobalRef> {
        let at = line.rest;
        let (key, _) = line.name("@")?;
        self.globals.get(&key).copied().ok_or_else(|| format!("unknown global at `{at}`"))
    }

    fn place(&self, line: &mut Cursor<'_>) -> Result<Place> {
        let base = match line.rest.starts_with('@') {
            true => Base::Global(self.global(line)?),
            false => Base::Local(line.local()?),
        };
        let mut place = Place { base, projections: Default::default() };
        loop {
            place.projections.push(if line.eat(".*") {
                Projection::Deref(self.ty(line)?)
            } else if line.eat(".") {
                Projection::Field(line.number()?)
            } else if line.eat("!") {
                Projection::Variant(line.number()?)
            } else if line.eat("[") {
                let index = stacker::maybe_grow(64 << 10, 1 << 20, || self.operand(line))?;
                line.expect("]")?;
                Projection::Index(index)
            } else {
                return Ok(place);
            });
        }
    }

    fn operand(&self, line: &mut Cursor<'_>) -> Result<Operand> {
        if line.rest.starts_with(['_', '@']) {
            return Ok(Operand::copy(self.place(line)?));
        }
        Ok(Operand::Const(Box::new(self.constant(line)?)))
    }

    fn constant(&self, line: &mut Cursor<'_>) -> Result<Const> {
        let typed = |kind: TyKind, value| Ok(Const { ty: kind.intern(), value });
        if line.eat("(") {
            let ty = self.ty(line)?;
            line.expect(")")?;
            let value = stacker::maybe_grow(64 << 10, 1 << 20, || self.constant(line))?.value;
            return Ok(Const { ty, value });
        }
        if line.rest.starts_with('"') {
            return typed(TyKind::Str, ConstValue::Str(Name::new(&line.string()?)));
        }
        if line.rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return number_constant(line);
        }
        if line.eat("&") {
            return typed(TyKind::Ptr, ConstValue::Address(self.global(line)?));
        }
        let word = line.peek_word();
        if !["true", "false", "zero", "int", "float", "fn", "code", "glue"].contains(&word)
            && (word != "slice" || !line.rest.starts_with("slice{"))
        {
            return self.composite(line);
        }
        line.word();
        match word {
            "true" | "false" => typed(TyKind::Bool, ConstValue::Int(u64::from(word == "true"))),
            "zero" => Ok(Const { ty: self.ty(line)?, value: ConstValue::Zero }),
            "int" => typed(TyKind::Void, ConstValue::Int(line.number()?)),
            "float" => typed(TyKind::Void, ConstValue::Float(line.number()?)),
            "fn" => typed(TyKind::Func, ConstValue::Function(self.function(line)?)),
            "code" => typed(TyKind::Ptr, ConstValue::Code(self.function(line)?)),
            "glue" => typed(TyKind::Ptr, ConstValue::Glue(self.ty(line)?)),
            _ => {
                line.expect("{")?;
                typed(TyKind::Slice, ConstValue::Slice(self.constants(line)?))
            }
        }
    }

    fn constants(&self, line: &mut Cursor<'_>) -> Result<Vec<Const>> {
        stacker::maybe_grow(64 << 10, 1 << 20, || line.list("}", |line| self.constant(line)))
    }

    /// `T{…}`, `T!1`, `T!1(c)`.
    fn composite(&self, line: &mut Cursor<'_>) -> Result<Const> {
        let ty = self.ty(line)?;
        if line.eat("{") {
            return Ok(Const { ty, value: ConstValue::Aggregate(self.constants(line)?) });
        }
        line.expect("!")?;
        let tag = line.number()?;
        let mut payload = None;
        if line.eat("(") {
            let value = stacker::maybe_grow(64 << 10, 1 << 20, || self.constant(line))?;
            payload = Some(Box::new(value));
            line.expect(")")?;
        }
        Ok(Const { ty, value: ConstValue::Tagged(tag, payload) })
    }

    fn rvalue(&self, line: &mut Cursor<'_>) -> Result<Rvalue> {
        let word = line.peek_word();
        if let Some((op, _)) = UNARY.iter().find(|(_, w)| *w == word) {
            line.word();
            return Ok(Rvalue::Unary(*op, self.operand(line)?));
        }
        if let Some((op, _)) = BINARY.iter().find(|(_, w)| *w == word) {
            line.word();
            let (left, right) = self.pair(line)?;
            return Ok(Rvalue::Binary(*op, left, right));
        }
        if !["cast", "addr", "offset", "diff", "new", "tag", "closure", "iface"].contains(&word)
            || line.rest.starts_with("iface!")
            || line.rest.starts_with("iface{")
        {
            return Ok(Rvalue::Use(self.operand(line)?));
        }
        line.word();
        Ok(match word {
            "cast" => {
                let ty = self.ty(line)?;
                Rvalue::Cast(self.operand(line)?, ty)
            }
            "addr" => Rvalue::AddrOf(self.place(line)?),
            "offset" | "diff" => {
                let ty = self.ty(line)?;
                let (p, q) = self.pair(line)?;
                if word == "diff" { Rvalue::PtrDiff(p, q, ty) } else { Rvalue::PtrOffset(p, q, ty) }
            }
            "new" => self.new_value(line)?,
            "tag" => Rvalue::Tag(self.place(line)?),
            "closure" => {
                let function = self.function(line)?;
                line.expect("(")?;
                Rvalue::Closure(function, line.list(")", |line| self.operand(line))?)
            }
            _ => {
                let object = self.operand(line)?;
                line.expect(",")?;
                Rvalue::Iface(object, self.global(line)?)
            }
        })
    }

    fn pair(&self, line: &mut Cursor<'_>) -> Result<(Operand, Operand)> {
        let left = self.operand(line)?;
        line.expect(",")?;
        Ok((left, self.operand(line)?))
    }

    fn new_value(&self, line: &mut Cursor<'_>) -> Result<Rvalue> {
        let ty = self.ty(line)?;
        if line.eat("{") {
            return Ok(Rvalue::Aggregate(ty, line.list("}", |line| self.operand(line))?));
        }
        line.expect("!")?;
        let tag = line.number()?;
        let mut payload = None;
        if line.eat("(") {
            payload = Some(self.operand(line)?);
            line.expect(")")?;
        }
        Ok(Rvalue::Tagged(ty, tag, payload))
    }
}

/// Two declarations of one name must agree (two definitions are the verifier's to report).
fn declare<T: Copy + PartialEq>(
    table: &mut FxHashMap<String, T>,
    key: String,
    item: T,
) -> Result<()> {
    match table.insert(key, item) {
        Some(old) if old != item => Err("declared before as something else: add `#1`".into()),
        _ => Ok(()),
    }
}

fn simple_type(word: &str) -> Option<TyKind> {
    let int = |bits, signed| Some(TyKind::Int { bits, signed });
    match word {
        "void" => Some(TyKind::Void),
        "bool" => Some(TyKind::Bool),
        "f32" => Some(TyKind::F32),
        "f64" => Some(TyKind::F64),
        "ptr" => Some(TyKind::Ptr),
        "str" => Some(TyKind::Str),
        "slice" => Some(TyKind::Slice),
        "func" => Some(TyKind::Func),
        "iface" => Some(TyKind::Iface),
        _ => match word.split_at_checked(1)? {
            ("i", bits) => int(bits.parse().ok()?, true),
            ("u", bits) => int(bits.parse().ok()?, false),
            _ => None,
        },
    }
}

/// `5i32`, `-1.5e3f64`.
fn number_constant(line: &mut Cursor<'_>) -> Result<Const> {
    let len = line.rest.bytes().take_while(|b| b.is_ascii_digit() || b"-.e+".contains(b)).count();
    let (number, rest) = line.rest.split_at(len);
    let suffix = Cursor { rest }.peek_word();
    let kind = simple_type(suffix);
    let value = match kind {
        Some(TyKind::F64) => number.parse().ok().map(|n: f64| ConstValue::Float(n.to_bits())),
        Some(TyKind::F32) => {
            number.parse().ok().map(|n: f32| ConstValue::Float(u64::from(n.to_bits())))
        }
        Some(TyKind::Int { bits, .. }) => {
            let number = number.parse::<i128>().ok();
            number.map(|n| ConstValue::Int(n as u64 & u64::MAX >> (64 - bits.clamp(1, 64))))
        }
        _ => None,
    };
    match (kind, value) {
        (Some(kind), Some(value)) => {
            line.advance(len);
            line.word();
            Ok(Const { ty: kind.intern(), value })
        }
        _ => line.fail("a number with its type"),
    }
}
