//! Links functions and globals to a [`Program`].

use super::{
    Program,
    asm::{self, Asm, Binding},
    code::{Dest, Instr, Loc, Src, Step, Val},
    memory::{CODE, DATA, GLUE},
    num::Num,
};
use crate::{
    mir::*,
    runtime::Rt,
    ty::{
        Known, Ty, TyKind, field_offsets, is_counted, layout, part_offset, payload_offset, round_up,
    },
    typing::Typing,
};
use cm_base::Name;
use rustc_hash::FxHashMap;

/// Static data may be so large.
const MAX_IMAGE: u64 = 1 << 30;

type Link<T = ()> = Result<T, String>;

pub fn link(functions: &[&Function], globals: &[&Global]) -> Program {
    let mut linker = Linker::default();
    for (index, function) in functions.iter().enumerate() {
        linker.symbols.entry(function.decl.symbol).or_insert(index);
    }
    linker.defined = functions.len();
    let broken = linker.globals(globals).err();
    let code = functions.iter().map(|function| linker.function(function)).collect();
    let Linker { symbols, foreign, image, glue, .. } = linker;
    let globals = globals.iter().filter(|global| is_counted(global.decl.ty));
    let globals = globals.map(|global| {
        (linker.globals.get(&global.decl.symbol).copied().unwrap_or(0), global.decl.ty)
    });
    Program { functions: code, symbols, foreign, image, glue, globals: globals.collect(), broken }
}

#[derive(Default)]
struct Linker {
    symbols: FxHashMap<Name, usize>,
    /// How many functions have code.
    defined: usize,
    foreign: Vec<Name>,
    globals: FxHashMap<Name, u64>,
    /// Function values of functions without captures.
    values: FxHashMap<Name, u64>,
    strings: FxHashMap<Name, u64>,
    /// The types whose contents are released through glue.
    glue: Vec<Ty>,
    image: Vec<u8>,
}

fn undefined<T>(symbol: Name) -> Link<T> {
    Err(format!("Undefined symbol '{symbol}'"))
}

impl Linker {
    fn globals(&mut self, globals: &[&Global]) -> Link {
        for global in globals {
            let address = self.reserve(layout(global.decl.ty).size)?;
            self.globals.entry(global.decl.symbol).or_insert(address);
        }
        for global in globals {
            self.write(self.globals[&global.decl.symbol], &global.init)?;
        }
        Ok(())
    }

    /// Zeroed static memory.
    fn reserve(&mut self, size: u64) -> Link<u64> {
        let start = (self.image.len() as u64).next_multiple_of(16);
        let end = start.saturating_add(size);
        if end > MAX_IMAGE {
            return Err("too much static data".into());
        }
        self.image.resize(end as usize, 0);
        Ok(DATA + start)
    }

    fn put(&mut self, address: u64, bytes: &[u8]) -> Link {
        let start = (address - DATA) as usize;
        match self.image.get_mut(start..start + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => return Err("a constant does not fit its type".into()),
        }
        Ok(())
    }

    fn put_word(&mut self, address: u64, word: u64) -> Link {
        self.put(address, &word.to_le_bytes())
    }

    /// Writes a constant into static memory.
    fn write(&mut self, address: u64, constant: &Const) -> Link {
        match (&constant.value, constant.ty.get()) {
            (ConstValue::Zero, _) => Ok(()),
            (ConstValue::Aggregate(parts), TyKind::Array(elem, _)) => {
                let size = layout(*elem).size;
                (0..).zip(parts).try_for_each(|(i, part)| self.write_part(address + i * size, part))
            }
            (ConstValue::Aggregate(parts), TyKind::Struct { fields, .. }) => {
                let offsets = field_offsets(fields).0;
                offsets
                    .into_iter()
                    .zip(parts)
                    .try_for_each(|(offset, part)| self.write_part(address + offset, part))
            }
            (ConstValue::Tagged(tag, payload), TyKind::Tagged { variants, .. }) => {
                self.put(address, &tag.to_le_bytes())?;
                match payload {
                    Some(payload) => self.write_part(address + payload_offset(variants), payload),
                    None => Ok(()),
                }
            }
            _ => {
                let width = layout(constant.ty).size.min(8) as usize;
                let word = self.scalar(constant)?;
                self.put(address, &word.to_le_bytes()[..width])
            }
        }
    }

    fn write_part(&mut self, address: u64, constant: &Const) -> Link {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.write(address, constant))
    }

    /// The word of a scalar constant.
    fn scalar(&mut self, constant: &Const) -> Link<u64> {
        match &constant.value {
            ConstValue::Zero => Ok(0),
            ConstValue::Int(bits) | ConstValue::Float(bits) => Ok(*bits),
            ConstValue::Str(text) => self.string(*text),
            ConstValue::Function(decl) => self.function_value(*decl),
            ConstValue::Code(decl) => Ok(self.code(*decl)),
            ConstValue::Glue(ty) => Ok(self.glue(*ty)),
            ConstValue::Address(global) => self.global(*global),
            ConstValue::Slice(elems) => {
                let size = elems.first().map_or(0, |elem| layout(elem.ty).size);
                let len = elems.len() as u64;
                let header = self.reserve(24)?;
                let data = self.reserve(size.saturating_mul(len))?;
                for (i, word) in [data, len, len].into_iter().enumerate() {
                    self.put_word(header + 8 * i as u64, word)?;
                }
                for (i, elem) in (0..).zip(elems) {
                    self.write_part(data + i * size, elem)?;
                }
                Ok(header)
            }
            ConstValue::Aggregate(_) | ConstValue::Tagged(..) => {
                Err("a constant does not fit its type".into())
            }
        }
    }

    fn string(&mut self, text: Name) -> Link<u64> {
        if let Some(address) = self.strings.get(&text) {
            return Ok(*address);
        }
        let address = self.reserve(text.len() as u64 + 1)?;
        self.put(address, text.as_bytes())?;
        self.strings.insert(text, address);
        Ok(address)
    }

    fn global(&self, global: GlobalRef) -> Link<u64> {
        self.globals.get(&global.symbol).copied().map_or_else(|| undefined(global.symbol), Ok)
    }

    fn function_index(&mut self, symbol: Name) -> usize {
        let next = self.defined + self.foreign.len();
        let index = *self.symbols.entry(symbol).or_insert(next);
        if index == next {
            self.foreign.push(symbol);
        }
        index
    }

    fn code(&mut self, decl: Decl) -> u64 {
        CODE + 16 * self.function_index(decl.symbol) as u64
    }

    fn glue(&mut self, ty: Ty) -> u64 {
        let index = self.glue.iter().position(|known| *known == ty).unwrap_or_else(|| {
            self.glue.push(ty);
            self.glue.len() - 1
        });
        GLUE + 16 * index as u64
    }

    fn function_value(&mut self, decl: Decl) -> Link<u64> {
        if let Some(address) = self.values.get(&decl.symbol) {
            return Ok(*address);
        }
        let code = self.code(decl);
        let address = self.reserve(8)?;
        self.put_word(address, code)?;
        self.values.insert(decl.symbol, address);
        Ok(address)
    }

    fn function(&mut self, function: &Function) -> super::code::Function {
        let mut end = 0u64;
        let mut offsets = Vec::with_capacity(function.locals.len());
        for local in &function.locals {
            let layout = layout(local.ty);
            let offset = round_up(end, layout.align);
            offsets.push(offset);
            end = offset.saturating_add(layout.size);
        }
        let params = function.decl.params.iter().enumerate();
        let params = params
            .map(|(i, ty)| (offsets.get(i + 1).copied().unwrap_or(0), layout(*ty).size))
            .collect();
        let env = function.env.and_then(|env| offsets.get(env.0 as usize).copied());
        let mut body = Body {
            linker: self,
            typing: Typing(&function.locals),
            offsets: &offsets,
            code: Vec::new(),
        };
        body.blocks(&function.blocks);
        super::code::Function {
            symbol: function.decl.symbol,
            params,
            env,
            ret: Num::of(&function.decl.ret),
            ret_size: layout(function.decl.ret).size,
            frame: round_up(end, 16),
            code: body.code,
        }
    }
}

struct Body<'a> {
    linker: &'a mut Linker,
    typing: Typing<'a>,
    offsets: &'a [u64],
    code: Vec<Instr>,
}

impl Body<'_> {
    fn blocks(&mut self, blocks: &[Block]) {
        let mut starts = Vec::with_capacity(blocks.len());
        for block in blocks {
            starts.push(self.code.len());
            for stmt in &block.stmts {
                let instr = self.stmt(stmt).unwrap_or_else(Instr::Trap);
                self.code.push(instr);
            }
            let instr = self.terminator(&block.terminator).unwrap_or_else(Instr::Trap);
            self.code.push(instr);
        }
        // A target beyond the blocks leads beyond the code, where execution traps.
        let resolve = |target: &mut usize| {
            *target = starts.get(*target).copied().unwrap_or(usize::MAX);
        };
        for instr in &mut self.code {
            match instr {
                Instr::Jump(target) => resolve(target),
                Instr::Branch(_, then, otherwise) => {
                    resolve(then);
                    resolve(otherwise);
                }
                Instr::Switch(_, cases, default) => {
                    cases.values_mut().for_each(resolve);
                    resolve(default);
                }
                _ => {}
            }
        }
    }

    fn terminator(&mut self, terminator: &Terminator) -> Link<Instr> {
        let at = |block: &BlockId| block.0 as usize;
        Ok(match terminator {
            Terminator::Goto(target) => Instr::Jump(at(target)),
            Terminator::Branch { cond, then, otherwise } => {
                Instr::Branch(self.val(cond)?.0, at(then), at(otherwise))
            }
            Terminator::Switch { value, cases, default } => {
                let cases = cases.iter().map(|(value, target)| (*value, at(target))).collect();
                Instr::Switch(self.val(value)?.0, cases, at(default))
            }
            Terminator::Return => Instr::Return,
            Terminator::Panic(message) => Instr::Panic(self.val(message)?.0),
            Terminator::Unreachable => Instr::Trap("unreachable code was reached".into()),
        })
    }

    fn stmt(&mut self, stmt: &Stmt) -> Link<Instr> {
        match stmt {
            Stmt::Assign { place, value, .. } => {
                let ty = self.typing.place(place)?;
                let loc = self.loc(place)?;
                self.assign(loc, ty, value)
            }
            Stmt::Call { dest, callee, args } => {
                let dest = match dest {
                    Some(place) => Some((self.loc(place)?, layout(self.typing.place(place)?).size)),
                    None => None,
                };
                self.call(dest, callee, args)
            }
            Stmt::Count { op, place } => {
                Ok(Instr::Count(*op, self.loc(place)?, self.typing.place(place)?))
            }
            Stmt::Asm { template, operands } => {
                let operands: Vec<_> = operands
                    .iter()
                    .map(|operand| self.asm_operand(operand))
                    .collect::<Link<_>>()?;
                let code = asm::parse(template, &operands)?;
                Ok(Instr::Asm(Box::new(Asm { operands, code })))
            }
        }
    }

    fn asm_operand(&mut self, operand: &AsmOperand) -> Link<Binding> {
        let AsmOperand { class, input, output, value } = operand;
        Ok(match (class, value) {
            (AsmClass::Immediate, _) => match self.val(value)?.0 {
                Val::Imm(value) => Binding::Immediate(value),
                Val::Load(..) => return Err("an immediate operand is a constant".into()),
            },
            (AsmClass::Memory, Operand::Copy(place)) => Binding::Memory(self.loc(place)?),
            (AsmClass::Register, Operand::Copy(place)) => {
                let width = layout(self.typing.operand(value)?).size;
                if !matches!(width, 1 | 2 | 4 | 8) {
                    return Err("an operand of assembly fits into no register".into());
                }
                let (input, output) = (*input, *output);
                Binding::Register { loc: self.loc(place)?, width: width as u8, input, output }
            }
            _ => return Err("an operand of assembly is no place".into()),
        })
    }

    fn assign(&mut self, loc: Loc, ty: Ty, value: &Rvalue) -> Link<Instr> {
        Ok(match value {
            Rvalue::Use(a) => match self.src(a)? {
                Src::Scalar(val, width) => Instr::Set(loc, val, width),
                Src::Memory(from, size) => Instr::Copy(loc, from, size),
                Src::Zero(size) => Instr::Zero(loc, size),
            },
            Rvalue::Unary(UnOp::Len, a) => {
                let text = self.typing.operand(a)? == Known::get().str;
                let (a, _) = self.val(a)?;
                match text {
                    true => Instr::Runtime(Rt::StrLen, vec![a], Some((loc, 8))),
                    false => Instr::Len(loc, a),
                }
            }
            Rvalue::Unary(op, a) => {
                let (a, num) = self.val(a)?;
                Instr::Unary(*op, num, loc, a)
            }
            Rvalue::Binary(op, a, b) => {
                let ((a, num), (b, _)) = (self.val(a)?, self.val(b)?);
                Instr::Binary(*op, num, loc, a, b)
            }
            Rvalue::Cast(a, to) => {
                let (a, from) = self.val(a)?;
                Instr::Cast(from, scalar(*to)?, loc, a)
            }
            Rvalue::AddrOf(place) => Instr::AddrOf(loc, self.loc(place)?),
            Rvalue::PtrOffset(p, n, elem) => {
                Instr::Offset(loc, self.val(p)?.0, self.val(n)?.0, layout(*elem).size)
            }
            Rvalue::PtrDiff(p, q, elem) => {
                Instr::Diff(loc, self.val(p)?.0, self.val(q)?.0, layout(*elem).size)
            }
            Rvalue::Aggregate(_, parts) => {
                let offsets = match ty.get() {
                    TyKind::Array(elem, len) => {
                        let size = layout(*elem).size;
                        (0..(*len).min(parts.len() as u64)).map(|i| i * size).collect()
                    }
                    TyKind::Struct { fields, .. } => field_offsets(fields).0,
                    _ => return Err("no aggregate".into()),
                };
                Instr::Build(loc, self.parts(&offsets, parts)?, layout(ty).size)
            }
            Rvalue::Tagged(_, tag, payload) => {
                let TyKind::Tagged { variants, .. } = ty.get() else {
                    return Err("no tagged type".into());
                };
                let mut parts = vec![(0, Src::Scalar(Val::Imm(u64::from(*tag)), 4))];
                if let Some(payload) = payload {
                    parts.push((payload_offset(variants), self.src(payload)?));
                }
                Instr::Build(loc, parts, layout(ty).size)
            }
            Rvalue::Tag(place) => Instr::Set(loc, Val::Load(self.loc(place)?, 4), 4),
            Rvalue::Closure(decl, captures) => {
                let types = captures.iter().map(|capture| self.typing.operand(capture));
                let object = crate::ty::closure_object(&types.collect::<Link<Vec<_>>>()?);
                let TyKind::Struct { fields, .. } = object.get() else {
                    return Err("a closure object is a struct".into());
                };
                let code = self.linker.code(*decl);
                let mut parts = self.parts(&field_offsets(fields).0[1..], captures)?;
                parts.push((0, Src::Scalar(Val::Imm(code), 8)));
                let glue = if is_counted(object) { self.linker.glue(object) } else { 0 };
                Instr::Closure(loc, parts, layout(object).size, glue)
            }
            Rvalue::Iface(object, table) => {
                let (object, table) = (self.val(object)?.0, self.linker.global(*table)?);
                let parts = vec![(0, Src::Scalar(object, 8)), (8, Src::Scalar(Val::Imm(table), 8))];
                Instr::Build(loc, parts, 16)
            }
        })
    }

    fn parts(&mut self, offsets: &[u64], parts: &[Operand]) -> Link<Vec<(u64, Src)>> {
        offsets.iter().zip(parts).map(|(offset, part)| Ok((*offset, self.src(part)?))).collect()
    }

    fn call(&mut self, dest: Dest, callee: &Callee, args: &[Operand]) -> Link<Instr> {
        let sources =
            |this: &mut Self| args.iter().map(|arg| this.src(arg)).collect::<Link<Vec<_>>>();
        Ok(match callee {
            Callee::Function(decl) => {
                let index = self.linker.function_index(decl.symbol);
                if index < self.linker.defined {
                    return Ok(Instr::Call(index, sources(self)?, dest));
                }
                let args = args.iter().map(|arg| self.val(arg)).collect::<Link<_>>()?;
                Instr::Foreign(index - self.linker.defined, args, dest)
            }
            Callee::Runtime(rt) => self.runtime(*rt, dest, args)?,
            Callee::Value { value, .. } => {
                Instr::CallValue(self.val(value)?.0, sources(self)?, dest)
            }
            Callee::Method { object, slot, .. } => match self.src(object)? {
                Src::Memory(loc, 16) => Instr::CallMethod(loc, *slot, sources(self)?, dest),
                _ => return Err("a method of no object".into()),
            },
        })
    }

    fn runtime(&mut self, rt: Rt, dest: Dest, args: &[Operand]) -> Link<Instr> {
        let args = args.iter().map(|arg| Ok(self.val(arg)?.0)).collect::<Link<Vec<_>>>()?;
        if rt.is_variadic() {
            return Ok(Instr::Strings(rt, args, dest));
        }
        if args.len() != rt.params().len() {
            return Err(format!("a wrong number of arguments for {}", rt.symbol()));
        }
        Ok(Instr::Runtime(rt, args, dest))
    }

    /// An operand of any type.
    fn src(&mut self, operand: &Operand) -> Link<Src> {
        let ty = self.typing.operand(operand)?;
        if Num::of(&ty).is_some() {
            let (val, num) = self.val(operand)?;
            return Ok(Src::Scalar(val, num.width()));
        }
        let size = layout(ty).size;
        Ok(match operand {
            Operand::Copy(place) => Src::Memory(self.loc(place)?, size),
            Operand::Const(constant) if constant.value == ConstValue::Zero => Src::Zero(size),
            Operand::Const(constant) => {
                let address = self.linker.reserve(size)?;
                self.linker.write(address, constant)?;
                Src::Memory(Loc::Static(address), size)
            }
        })
    }

    /// A scalar operand.
    fn val(&mut self, operand: &Operand) -> Link<(Val, Num)> {
        let num = scalar(self.typing.operand(operand)?)?;
        let val = match operand {
            Operand::Copy(place) => Val::Load(self.loc(place)?, num.width()),
            Operand::Const(constant) => Val::Imm(self.linker.scalar(constant)?),
        };
        Ok((val, num))
    }

    fn loc(&mut self, place: &Place) -> Link<Loc> {
        let mut ty =
            self.typing.place(&Place { base: place.base, projections: Default::default() })?;
        let (mut base, mut steps) = match place.base {
            Base::Local(id) => (Loc::Frame(self.offsets[id.0 as usize]), Vec::new()),
            Base::Global(global) => (Loc::Static(self.linker.global(global)?), Vec::new()),
        };
        for projection in &place.projections {
            let next = self.typing.project(ty, projection)?;
            let forward = match (projection, ty.get()) {
                (Projection::Field(field), TyKind::Struct { .. }) => part_offset(ty, *field),
                (Projection::Variant(_), TyKind::Tagged { .. }) => part_offset(ty, 0),
                (Projection::Index(index), _) => {
                    let size = layout(next).size;
                    match self.val(index)? {
                        (Val::Imm(n), _) => n.wrapping_mul(size),
                        (index, num) => {
                            steps.push(Step::Index(index, num, size, 0));
                            0
                        }
                    }
                }
                _ => {
                    steps.push(Step::Deref(0));
                    0
                }
            };
            let offset = match (steps.last_mut(), &mut base) {
                (Some(Step::Deref(offset) | Step::Index(_, _, _, offset)), _) => offset,
                (None, Loc::Frame(offset) | Loc::Static(offset)) => offset,
                (None, Loc::Path(_)) => return Err("a path in a path".into()),
            };
            *offset = offset.wrapping_add(forward);
            ty = next;
        }
        Ok(if steps.is_empty() { base } else { Loc::Path(Box::new((base, steps))) })
    }
}

fn scalar(ty: Ty) -> Link<Num> {
    Num::of(&ty).ok_or_else(|| "a scalar was expected".to_owned())
}
