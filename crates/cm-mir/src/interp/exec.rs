//! The machine that executes a [`Program`].

use super::{
    Host, Limits, Outcome, Program, Run, Stop,
    code::{Dest, Instr, Loc, Src, Step, Val},
    memory::{CODE, Memory, STACK},
    num::{self, Num},
    trap,
};
use crate::{runtime::Rt, ty::Ty};
use cm_base::Name;

/// How deep foreign functions may call back.
const MAX_NESTED: u32 = 32;

pub fn run(program: &Program, entry: &str, host: &mut dyn Host, limits: Limits) -> Outcome {
    if let Some(broken) = &program.broken {
        return Outcome::Trap(broken.clone());
    }
    let memory = Memory::new(&program.image, limits);
    let mut machine =
        Machine { program, memory, host, steps: limits.steps, top: STACK, nested: 0, dying: None };
    let main =
        program.symbols.get(&Name::new(entry)).filter(|index| **index < program.functions.len());
    let result = match main {
        Some(main) => machine.call(*main, &[]).and_then(|status| {
            machine.report_leaks()?;
            Ok(status)
        }),
        None => trap(format!("Undefined symbol '{entry}'")),
    };
    match result.map_err(|stop| *stop) {
        Ok(status) => Outcome::Exit(status as u8),
        Err(Stop::Exit(status)) => Outcome::Exit(status),
        Err(Stop::Panic) => Outcome::Panic,
        Err(Stop::Trap(message)) => Outcome::Trap(message),
    }
}

pub struct Machine<'a> {
    pub program: &'a Program,
    pub memory: Memory,
    pub host: &'a mut dyn Host,
    /// How many are left.
    steps: u64,
    /// Where the next frame may begin.
    top: u64,
    nested: u32,
    /// While objects are freed: those that come after.
    pub dying: Option<Vec<(Ty, u64)>>,
}

/// A function that waits for the one it called.
struct Frame<'a> {
    function: &'a super::code::Function,
    base: u64,
    /// The call.
    pc: usize,
}

impl<'a> Machine<'a> {
    /// Calls a function with scalar arguments, for a result that is a scalar or nothing.
    pub fn call(&mut self, index: usize, args: &[u64]) -> Run<u64> {
        if let Some(name) = self.foreign_name(index) {
            let args: Vec<_> = args.iter().map(|arg| (*arg, Num::Int(64, false))).collect();
            return self.foreign(name.as_str(), &args);
        }
        let function = self.function(index)?;
        let base = self.top;
        self.memory.push_frame(base, function.frame)?;
        for ((offset, size), arg) in function.params.iter().zip(args) {
            self.memory.store(base + offset, *size as u8, *arg)?;
        }
        self.nested += 1;
        if self.nested > MAX_NESTED {
            return trap("stack overflow");
        }
        self.execute(Frame { function, base, pc: 0 })?;
        self.nested -= 1;
        self.top = base;
        match function.ret {
            Some(num) => self.memory.load(base, num.width()),
            None => Ok(0),
        }
    }

    /// The index of the function whose code is at an address.
    pub fn function_at(&self, code: u64) -> Run<usize> {
        let index = code.wrapping_sub(CODE);
        let count = self.program.functions.len() + self.program.foreign.len();
        if index.is_multiple_of(16) && index / 16 < count as u64 {
            return Ok((index / 16) as usize);
        }
        trap(format!("a call to {code:#x}, where no function is"))
    }

    fn function(&self, index: usize) -> Run<&'a super::code::Function> {
        match self.program.functions.get(index) {
            Some(function) => Ok(function),
            None => trap("a C function is no method"),
        }
    }

    /// The name of the C function that has this index, if it is one.
    fn foreign_name(&self, index: usize) -> Option<Name> {
        let index = index.checked_sub(self.program.functions.len())?;
        self.program.foreign.get(index).copied()
    }

    /// Calls a C function through a pointer. Arguments are words: it has no variable ones.
    fn foreign_value(&mut self, base: u64, name: Name, args: &[Src], dest: &Dest) -> Run {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            let Src::Scalar(val, width) = arg else {
                return trap(format!("'{name}' is called with other parameters"));
            };
            values.push((self.val(base, val)?, Num::Int(8 * width, false)));
        }
        let value = self.foreign(name.as_str(), &values)?;
        self.result(base, dest, value)
    }

    /// Makes the next `size` bytes of the stack usable, until the next call; where they end.
    pub fn scratch(&mut self, size: u64) -> Run<u64> {
        self.memory.push_frame(self.top, size)?;
        Ok(self.top + size)
    }

    /// One more step of those that are allowed.
    pub fn count_step(&mut self) -> Run {
        match self.steps.checked_sub(1) {
            Some(steps) => self.steps = steps,
            None => return trap("too many steps"),
        }
        Ok(())
    }

    /// Runs until the first frame returns.
    fn execute(&mut self, first: Frame<'a>) -> Run {
        let mut waiting: Vec<Frame<'a>> = Vec::new();
        let mut frame = first;
        self.top = frame.base + frame.function.frame;
        loop {
            let Some(instr) = frame.function.code.get(frame.pc) else {
                return trap("a jump to nowhere");
            };
            self.count_step()?;
            let base = frame.base;
            let called = match instr {
                Instr::Jump(target) => {
                    frame.pc = *target;
                    continue;
                }
                Instr::Branch(cond, then, otherwise) => {
                    frame.pc = if self.val(base, cond)? != 0 { *then } else { *otherwise };
                    continue;
                }
                Instr::Switch(value, cases, default) => {
                    let value = self.val(base, value)?;
                    frame.pc = cases.get(&value).copied().unwrap_or(*default);
                    continue;
                }
                Instr::Return => {
                    let Some(caller) = waiting.pop() else { return Ok(()) };
                    self.finish(&frame, &caller)?;
                    frame = caller;
                    self.top = frame.base + frame.function.frame;
                    frame.pc += 1;
                    continue;
                }
                Instr::Call(index, args, _) => Some((*index, 0, None, args)),
                Instr::CallValue(value, args, dest) => {
                    let value = self.val(base, value)?;
                    let code = self.memory.load(value, 8)?;
                    let index = self.function_at(code)?;
                    match self.foreign_name(index) {
                        Some(name) => {
                            self.foreign_value(base, name, args, dest)?;
                            None
                        }
                        None => Some((index, value, None, args)),
                    }
                }
                Instr::CallMethod(object, slot, args, _) => {
                    let object = self.loc(base, object)?;
                    let table = self.memory.load(object.wrapping_add(8), 8)?;
                    let code = self.memory.load(table.wrapping_add(8 * u64::from(*slot)), 8)?;
                    let this = self.memory.load(object, 8)?;
                    Some((self.function_at(code)?, 0, Some(this), args))
                }
                instr => {
                    self.simple(base, instr)?;
                    None
                }
            };
            match called {
                None => frame.pc += 1,
                Some((index, env, this, args)) => {
                    let callee = self.enter(base, index, env, this, args)?;
                    waiting.push(std::mem::replace(&mut frame, callee));
                }
            }
        }
    }

    /// Makes the frame of a callee.
    fn enter(
        &mut self,
        caller: u64,
        index: usize,
        env: u64,
        this: Option<u64>,
        args: &[Src],
    ) -> Run<Frame<'a>> {
        let function = self.function(index)?;
        let base = self.top;
        self.memory.push_frame(base, function.frame)?;
        let first = usize::from(this.is_some());
        if function.params.len() != first + args.len() {
            return trap(format!("'{}' is called with other parameters", function.symbol));
        }
        if let (Some(this), Some((offset, _))) = (this, function.params.first()) {
            self.memory.store(base + offset, 8, this)?;
        }
        for ((offset, size), arg) in function.params[first..].iter().zip(args) {
            if *size != arg.size() {
                return trap(format!("'{}' is called with other parameters", function.symbol));
            }
            self.put(caller, base + offset, arg)?;
        }
        if let Some(offset) = function.env {
            self.memory.store(base + offset, 8, env)?;
        }
        self.top = base + function.frame;
        Ok(Frame { function, base, pc: 0 })
    }

    /// Hands the result of a function to its caller.
    fn finish(&mut self, callee: &Frame<'a>, caller: &Frame<'a>) -> Run {
        let dest = match caller.function.code.get(caller.pc) {
            Some(
                Instr::Call(_, _, dest)
                | Instr::CallValue(_, _, dest)
                | Instr::CallMethod(_, _, _, dest),
            ) => dest,
            _ => return Ok(()),
        };
        let Some((loc, size)) = dest else { return Ok(()) };
        if *size != callee.function.ret_size {
            return trap(format!("'{}' is called with another result", callee.function.symbol));
        }
        let to = self.loc(caller.base, loc)?;
        self.memory.copy(to, callee.base, *size)
    }

    /// Executes an instruction that is neither a call of a Cm function nor a jump.
    fn simple(&mut self, base: u64, instr: &Instr) -> Run {
        match instr {
            Instr::Set(loc, val, width) => {
                let value = self.val(base, val)?;
                self.set(base, loc, *width, value)
            }
            Instr::Copy(loc, from, size) => {
                let (from, to) = (self.loc(base, from)?, self.loc(base, loc)?);
                self.memory.copy(to, from, *size)
            }
            Instr::Zero(loc, size) => {
                let to = self.loc(base, loc)?;
                self.memory.bytes_mut(to, *size)?.fill(0);
                Ok(())
            }
            Instr::Unary(op, num, loc, a) => {
                let value = num::unary(*op, *num, self.val(base, a)?);
                self.set(base, loc, num.width(), value)
            }
            Instr::Len(loc, slice) => {
                let [_, len, _] = self.slice(self.val(base, slice)?)?;
                self.set(base, loc, 8, len)
            }
            Instr::Binary(op, num, loc, a, b) => {
                let (a, b) = (self.val(base, a)?, self.val(base, b)?);
                let Some(value) = num::binary(*op, *num, a, b) else {
                    return trap("division by zero");
                };
                use crate::mir::BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
                let width = if matches!(op, Eq | Ne | Lt | Le | Gt | Ge) { 1 } else { num.width() };
                self.set(base, loc, width, value)
            }
            Instr::Cast(from, to, loc, a) => {
                let value = num::cast(*from, *to, self.val(base, a)?);
                self.set(base, loc, to.width(), value)
            }
            Instr::AddrOf(loc, place) => {
                let address = self.loc(base, place)?;
                self.set(base, loc, 8, address)
            }
            Instr::Offset(loc, p, n, size) => {
                let (p, n) = (self.val(base, p)?, self.val(base, n)?);
                self.set(base, loc, 8, p.wrapping_add(n.wrapping_mul(*size)))
            }
            Instr::Diff(loc, p, q, size) => {
                let (p, q) = (self.val(base, p)?, self.val(base, q)?);
                let bytes = p.wrapping_sub(q) as i64;
                self.set(base, loc, 8, bytes.wrapping_div((*size as i64).max(1)) as u64)
            }
            Instr::Build(loc, parts, size) => {
                let bytes = self.build(base, parts, *size)?;
                let to = self.loc(base, loc)?;
                self.memory.bytes_mut(to, *size)?.copy_from_slice(&bytes);
                Ok(())
            }
            Instr::Closure(loc, parts, size, glue) => {
                let bytes = self.build(base, parts, *size)?;
                let object = self.memory.new_object(*size, *glue)?;
                self.memory.bytes_mut(object, *size)?.copy_from_slice(&bytes);
                self.set(base, loc, 8, object)
            }
            Instr::Runtime(rt, args, dest) => {
                let mut values = [0; 6];
                for (value, arg) in values.iter_mut().zip(args) {
                    *value = self.val(base, arg)?;
                }
                let value = self.runtime(*rt, values)?;
                self.result(base, dest, value)
            }
            Instr::Strings(rt, args, dest) => {
                let args: Vec<u64> =
                    args.iter().map(|arg| self.val(base, arg)).collect::<Run<_>>()?;
                let value = self.concat(*rt == Rt::StrAppendN, &args)?;
                self.result(base, dest, value)
            }
            Instr::Count(op, loc, ty) => {
                let at = self.loc(base, loc)?;
                self.count(*op, *ty, at)
            }
            Instr::Foreign(index, args, dest) => {
                let args: Vec<(u64, Num)> = args
                    .iter()
                    .map(|(arg, num)| Ok((self.val(base, arg)?, *num)))
                    .collect::<Run<_>>()?;
                let symbol = self.program.foreign[*index];
                let value = self.foreign(symbol.as_str(), &args)?;
                self.result(base, dest, value)
            }
            Instr::Asm(asm) => self.asm(base, asm),
            Instr::Panic(message) => {
                let message = self.val(base, message)?;
                self.panic(message)
            }
            Instr::Trap(message) => trap(message.as_str()),
            Instr::Jump(_)
            | Instr::Branch(..)
            | Instr::Switch(..)
            | Instr::Return
            | Instr::Call(..)
            | Instr::CallValue(..)
            | Instr::CallMethod(..) => trap("not a simple instruction"),
        }
    }

    fn result(&mut self, base: u64, dest: &Dest, value: u64) -> Run {
        match dest {
            Some((loc, size)) => self.set(base, loc, *size as u8, value),
            None => Ok(()),
        }
    }

    /// Ends the run with a message.
    pub fn panic(&mut self, message: u64) -> Run {
        let text = [b"panic: ", self.memory.string(message)?, b"\n"].concat();
        self.host.stderr(&text);
        Err(Box::new(Stop::Panic))
    }

    fn build(&mut self, base: u64, parts: &[(u64, Src)], size: u64) -> Run<Vec<u8>> {
        let mut bytes = vec![0; size as usize];
        for (offset, part) in parts {
            let end = offset + part.size();
            let Some(to) = bytes.get_mut(*offset as usize..end as usize) else {
                return trap("a part does not fit its whole");
            };
            match part {
                Src::Scalar(val, width) => {
                    let value = self.val(base, val)?.to_le_bytes();
                    to.copy_from_slice(&value[..usize::from(*width)]);
                }
                Src::Memory(loc, size) => {
                    to.copy_from_slice(self.memory.bytes(self.loc(base, loc)?, *size)?);
                }
                Src::Zero(_) => {}
            }
        }
        Ok(bytes)
    }

    /// Writes a value to an address.
    fn put(&mut self, base: u64, to: u64, src: &Src) -> Run {
        match src {
            Src::Scalar(val, width) => {
                let value = self.val(base, val)?;
                self.memory.store(to, *width, value)
            }
            Src::Memory(loc, size) => {
                let from = self.loc(base, loc)?;
                self.memory.copy(to, from, *size)
            }
            Src::Zero(size) => {
                self.memory.bytes_mut(to, *size)?.fill(0);
                Ok(())
            }
        }
    }

    #[inline]
    fn set(&mut self, base: u64, loc: &Loc, width: u8, value: u64) -> Run {
        let to = self.loc(base, loc)?;
        self.memory.store(to, width, value)
    }

    #[inline]
    fn val(&self, base: u64, val: &Val) -> Run<u64> {
        match val {
            Val::Imm(value) => Ok(*value),
            Val::Load(loc, width) => self.memory.load(self.loc(base, loc)?, *width),
        }
    }

    #[inline]
    pub fn loc(&self, base: u64, loc: &Loc) -> Run<u64> {
        match loc {
            Loc::Frame(offset) => Ok(base + offset),
            Loc::Static(address) => Ok(*address),
            Loc::Path(path) => self.path(base, &path.0, &path.1),
        }
    }

    fn path(&self, base: u64, start: &Loc, steps: &[Step]) -> Run<u64> {
        let mut address = match start {
            Loc::Frame(offset) => base + offset,
            Loc::Static(address) => *address,
            Loc::Path(_) => return trap("a path in a path"),
        };
        for step in steps {
            address = match step {
                Step::Deref(offset) => self.memory.load(address, 8)?.wrapping_add(*offset),
                Step::Index(index, num, size, offset) => {
                    let index = num::integer(*num, self.val(base, index)?) as u64;
                    address.wrapping_add(index.wrapping_mul(*size)).wrapping_add(*offset)
                }
            };
        }
        Ok(address)
    }
}
