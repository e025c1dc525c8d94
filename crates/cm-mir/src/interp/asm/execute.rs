//! What the instructions do.

use super::{
    Address, Alu, Arg, Asm, Binding, Bit, Count, Kind, MACHINE_REGISTERS, Op, RAX, RDX, RSP, Reg,
    Shift,
    names::{Cond, Test},
};
use crate::interp::{Run, exec::Machine, trap};

/// Bytes of stack for `push` and `pop`.
const STACK: u64 = 4096;
/// What registers hold before anything is written to them.
const UNDEFINED: u64 = 0xa5a5_a5a5_a5a5_a5a5;

#[derive(Default)]
struct Flags {
    carry: bool,
    zero: bool,
    sign: bool,
    overflow: bool,
    parity: bool,
}

struct Cpu {
    regs: Vec<u64>,
    flags: Flags,
}

impl Machine<'_> {
    /// Executes a statement of inline assembly of the function whose frame is here.
    pub fn asm(&mut self, base: u64, asm: &Asm) -> Run {
        let mut cpu = Cpu {
            regs: vec![UNDEFINED; MACHINE_REGISTERS + asm.operands.len()],
            flags: Flags::default(),
        };
        cpu.regs[RSP] = self.scratch(STACK)?;
        for (index, operand) in (MACHINE_REGISTERS..).zip(&asm.operands) {
            match operand {
                Binding::Register { loc, width, input: true, .. } => {
                    cpu.regs[index] = self.memory.load(self.loc(base, loc)?, *width)?;
                }
                Binding::Memory(loc) => cpu.regs[index] = self.loc(base, loc)?,
                Binding::Register { .. } | Binding::Immediate(_) => {}
            }
        }
        let mut pc = 0;
        while let Some(op) = asm.code.get(pc) {
            self.count_step()?;
            pc = match op.kind {
                Kind::Jump(cond, target) if cond.is_none_or(|cond| cpu.flags.hold(cond)) => target,
                _ => {
                    cpu.step(self, op)?;
                    pc + 1
                }
            };
        }
        for (index, operand) in (MACHINE_REGISTERS..).zip(&asm.operands) {
            if let Binding::Register { loc, width, output: true, .. } = operand {
                let to = self.loc(base, loc)?;
                self.memory.store(to, *width, cpu.regs[index])?;
            }
        }
        Ok(())
    }
}

fn mask(width: u8) -> u64 {
    u64::MAX >> (64 - 8 * u32::from(width.clamp(1, 8)))
}

/// The value as a signed number.
fn signed(value: u64, width: u8) -> i64 {
    let unused = 64 - 8 * u32::from(width.clamp(1, 8));
    (value << unused) as i64 >> unused
}

fn is_negative(value: u64, width: u8) -> bool {
    signed(value, width) < 0
}

impl Flags {
    fn hold(&self, cond: Cond) -> bool {
        let less = self.sign != self.overflow;
        let holds = match cond.test {
            Test::Overflow => self.overflow,
            Test::Carry => self.carry,
            Test::Zero => self.zero,
            Test::CarryOrZero => self.carry || self.zero,
            Test::Sign => self.sign,
            Test::Parity => self.parity,
            Test::Less => less,
            Test::LessOrEqual => less || self.zero,
        };
        holds != cond.not
    }

    fn of_result(&mut self, value: u64, width: u8) {
        self.zero = value & mask(width) == 0;
        self.sign = is_negative(value, width);
        self.parity = (value as u8).count_ones().is_multiple_of(2);
    }

    fn add(&mut self, a: u64, b: u64, carry: bool, width: u8) -> u64 {
        let wide = u128::from(a) + u128::from(b) + u128::from(carry);
        let value = wide as u64 & mask(width);
        self.carry = wide > u128::from(mask(width));
        self.overflow = is_negative((a ^ value) & (b ^ value), width);
        self.of_result(value, width);
        value
    }

    fn sub(&mut self, a: u64, b: u64, borrow: bool, width: u8) -> u64 {
        let value = a.wrapping_sub(b).wrapping_sub(u64::from(borrow)) & mask(width);
        self.carry = u128::from(a) < u128::from(b) + u128::from(borrow);
        self.overflow = is_negative((a ^ b) & (a ^ value), width);
        self.of_result(value, width);
        value
    }

    fn logic(&mut self, value: u64, width: u8) -> u64 {
        (self.carry, self.overflow) = (false, false);
        self.of_result(value, width);
        value
    }
}

impl Cpu {
    fn reg(&self, index: usize, width: u8) -> u64 {
        self.regs[index] & mask(width)
    }

    fn set_reg(&mut self, reg: Reg, value: u64) {
        let old = self.regs[reg.index];
        self.regs[reg.index] = match reg.width {
            _ if reg.high => old & !0xff00 | (value & 0xff) << 8,
            8 => value,
            // The upper half becomes zero.
            4 => value & mask(4),
            width => old & !mask(width) | value & mask(width),
        };
    }

    fn set(&mut self, index: usize, width: u8, value: u64) {
        self.set_reg(Reg { index, width, high: false }, value);
    }

    fn address(&self, address: &Address) -> u64 {
        let base = address.base.map_or(0, |base| self.regs[base]);
        let index = address.index.map_or(0, |(index, scale)| self.regs[index].wrapping_mul(scale));
        address.disp.wrapping_add(base).wrapping_add(index)
    }

    fn read(&self, machine: &Machine<'_>, arg: &Arg, width: u8) -> Run<u64> {
        Ok(match arg {
            Arg::Imm(value) => value & mask(width),
            Arg::Reg(reg) if reg.high => self.regs[reg.index] >> 8 & 0xff,
            Arg::Reg(reg) => self.reg(reg.index, width),
            Arg::Mem(address) => machine.memory.load(self.address(address), width)?,
        })
    }

    fn write(&mut self, machine: &mut Machine<'_>, arg: &Arg, width: u8, value: u64) -> Run {
        match arg {
            Arg::Imm(_) => Ok(()),
            Arg::Reg(reg) => {
                self.set_reg(*reg, value);
                Ok(())
            }
            Arg::Mem(address) => machine.memory.store(self.address(address), width, value),
        }
    }

    fn step(&mut self, machine: &mut Machine<'_>, op: &Op) -> Run {
        let width = op.width;
        let (first, last) = match op.args.as_slice() {
            [] => return self.implicit(op.kind, width),
            [only] => (only, only),
            [first, .., last] => (first, last),
        };
        match op.kind {
            Kind::Lea => {
                let Arg::Mem(address) = first else { return trap("lea takes an address") };
                let value = self.address(address);
                return self.write(machine, last, width, value);
            }
            Kind::Extend(from, sign) => {
                let value = self.read(machine, first, from)?;
                let value = if sign { signed(value, from) as u64 } else { value };
                return self.write(machine, last, width, value);
            }
            Kind::Set(cond) => {
                let value = u64::from(self.flags.hold(cond));
                return self.write(machine, last, 1, value);
            }
            Kind::Push => {
                let value = self.read(machine, first, 8)?;
                self.regs[RSP] = self.regs[RSP].wrapping_sub(8);
                return machine.memory.store(self.regs[RSP], 8, value);
            }
            Kind::Pop => {
                let value = machine.memory.load(self.regs[RSP], 8)?;
                self.regs[RSP] = self.regs[RSP].wrapping_add(8);
                return self.write(machine, last, 8, value);
            }
            _ => {}
        }
        let a = self.read(machine, first, width)?;
        if op.kind == Kind::Mov {
            return self.write(machine, last, width, a);
        }
        let b = self.read(machine, last, width)?;
        match op.kind {
            Kind::Xchg => {
                self.write(machine, first, width, b)?;
                self.write(machine, last, width, a)
            }
            Kind::Xadd => {
                let sum = self.flags.add(a, b, false, width);
                self.write(machine, first, width, b)?;
                self.write(machine, last, width, sum)
            }
            Kind::Cmpxchg => {
                self.flags.sub(self.reg(RAX, width), b, false, width);
                if self.flags.zero {
                    return self.write(machine, last, width, a);
                }
                self.set(RAX, width, b);
                Ok(())
            }
            Kind::WideMul(_) | Kind::Div(_) => self.wide(op.kind, a, width),
            Kind::Shift(_) if op.args.len() == 2 => {
                let count = self.read(machine, first, 1)?;
                let value = self.result(op.kind, count, b, width);
                self.write(machine, last, width, value)
            }
            Kind::Shift(_) => {
                let value = self.result(op.kind, 1, b, width);
                self.write(machine, last, width, value)
            }
            Kind::Imul => {
                let factor = match op.args.get(1) {
                    Some(middle) if op.args.len() == 3 => self.read(machine, middle, width)?,
                    _ => b,
                };
                let value = self.result(op.kind, a, factor, width);
                self.write(machine, last, width, value)
            }
            Kind::Alu(Alu::Cmp | Alu::Test) | Kind::Bit(Bit::Test) => {
                self.result(op.kind, a, b, width);
                Ok(())
            }
            kind => {
                let value = self.result(kind, a, b, width);
                self.write(machine, last, width, value)
            }
        }
    }

    /// Instructions without operands.
    fn implicit(&mut self, kind: Kind, width: u8) -> Run {
        match kind {
            Kind::Stop => return trap("inline assembly stops the program"),
            Kind::ExtendA => {
                let value = signed(self.regs[RAX], width / 2) as u64;
                self.set(RAX, width, value);
            }
            Kind::SignIntoD => {
                let sign = signed(self.regs[RAX], width) >> 63;
                self.set(RDX, width, sign as u64);
            }
            Kind::Carry(value) => self.flags.carry = value.unwrap_or(!self.flags.carry),
            _ => {}
        }
        Ok(())
    }

    /// What an instruction makes of two operands, the second of which it overwrites.
    fn result(&mut self, kind: Kind, a: u64, b: u64, width: u8) -> u64 {
        let carry = self.flags.carry;
        match kind {
            Kind::Alu(Alu::Add) => self.flags.add(b, a, false, width),
            Kind::Alu(Alu::Adc) => self.flags.add(b, a, carry, width),
            Kind::Alu(Alu::Sub | Alu::Cmp) => self.flags.sub(b, a, false, width),
            Kind::Alu(Alu::Sbb) => self.flags.sub(b, a, carry, width),
            Kind::Alu(Alu::And | Alu::Test) => self.flags.logic(a & b, width),
            Kind::Alu(Alu::Or) => self.flags.logic(a | b, width),
            Kind::Alu(Alu::Xor) => self.flags.logic(a ^ b, width),
            Kind::Not => !b,
            Kind::Neg => self.flags.sub(0, b, false, width),
            Kind::Inc | Kind::Dec => {
                let value = match kind {
                    Kind::Inc => self.flags.add(b, 1, false, width),
                    _ => self.flags.sub(b, 1, false, width),
                };
                self.flags.carry = carry;
                value
            }
            Kind::Bswap => b.swap_bytes() >> (64 - 8 * u32::from(width)),
            Kind::Cmov(cond) => {
                if self.flags.hold(cond) {
                    a
                } else {
                    b
                }
            }
            Kind::Imul => {
                let wide = i128::from(signed(a, width)) * i128::from(signed(b, width));
                let value = wide as u64 & mask(width);
                self.flags.overflow = i128::from(signed(value, width)) != wide;
                self.flags.carry = self.flags.overflow;
                value
            }
            Kind::Shift(shift) => self.shift(shift, a, b, width),
            Kind::Bit(bit) => {
                let flag = 1 << (a % (8 * u64::from(width)));
                self.flags.carry = b & flag != 0;
                match bit {
                    Bit::Test => b,
                    Bit::Set => b | flag,
                    Bit::Reset => b & !flag,
                    Bit::Complement => b ^ flag,
                }
            }
            Kind::Count(count) => self.count(count, a, b, width),
            _ => b,
        }
    }

    fn shift(&mut self, shift: Shift, count: u64, value: u64, width: u8) -> u64 {
        let bits = 8 * u32::from(width);
        let count = count as u32 & if width == 8 { 63 } else { 31 };
        if count == 0 {
            return value;
        }
        let flags = &mut self.flags;
        let top = |value: u64| is_negative(value, width);
        if let Shift::Rol | Shift::Ror = shift {
            let left =
                if shift == Shift::Rol { count % bits } else { (bits - count % bits) % bits };
            let turned = match left {
                0 => value,
                left => (value << left | value >> (bits - left)) & mask(width),
            };
            flags.carry = if shift == Shift::Rol { turned & 1 != 0 } else { top(turned) };
            flags.overflow = match shift {
                Shift::Rol => top(turned) != flags.carry,
                _ => top(turned) != top(turned << 1),
            };
            return turned;
        }
        let wide = match shift {
            Shift::Shl => u128::from(value) << count,
            // With the last bit that falls out at the end.
            Shift::Sar => (i128::from(signed(value, width)) << 1 >> count) as u128,
            _ => u128::from(value) << 1 >> count,
        };
        let shifted = match shift {
            Shift::Shl => {
                flags.carry = wide >> bits & 1 != 0;
                wide as u64 & mask(width)
            }
            _ => {
                flags.carry = wide & 1 != 0;
                (wide >> 1) as u64 & mask(width)
            }
        };
        flags.overflow = match shift {
            Shift::Shl => top(shifted) != flags.carry,
            Shift::Shr => top(value),
            _ => false,
        };
        flags.of_result(shifted, width);
        shifted
    }

    fn count(&mut self, count: Count, a: u64, old: u64, width: u8) -> u64 {
        let bits = 8 * u64::from(width);
        self.flags.zero = a == 0;
        let leading = u64::from(a.leading_zeros()) - (64 - bits);
        let value = match count {
            Count::Ones => return u64::from(a.count_ones()),
            Count::Forward | Count::Reverse if a == 0 => return old,
            Count::Forward => return u64::from(a.trailing_zeros()),
            Count::Reverse => return bits - 1 - leading,
            Count::TrailingZeros => u64::from(a.trailing_zeros()).min(bits),
            Count::LeadingZeros => leading,
        };
        self.flags.carry = a == 0;
        self.flags.zero = value == 0;
        value
    }

    /// Multiplication and division with `%rdx:%rax`; of bytes, `%ax`.
    fn wide(&mut self, kind: Kind, operand: u64, width: u8) -> Run {
        let bits = 8 * u32::from(width);
        let low = u128::from(self.reg(RAX, width));
        let high = u128::from(match width {
            1 => self.regs[RAX] >> 8 & 0xff,
            _ => self.reg(RDX, width),
        });
        let (low, high) = match kind {
            Kind::WideMul(sign) => {
                let product = match sign {
                    true => {
                        let product = i128::from(signed(low as u64, width))
                            * i128::from(signed(operand, width));
                        self.flags.carry = i128::from(signed(product as u64, width)) != product;
                        product as u128
                    }
                    false => {
                        let product = low * u128::from(operand);
                        self.flags.carry = product >> bits != 0;
                        product
                    }
                };
                self.flags.overflow = self.flags.carry;
                (product as u64, (product >> bits) as u64)
            }
            _ => quotient(kind == Kind::Div(true), high << bits | low, operand, width)?,
        };
        match width {
            1 => self.set(RAX, 2, high << 8 | low & 0xff),
            _ => {
                self.set(RAX, width, low);
                self.set(RDX, width, high);
            }
        }
        Ok(())
    }
}

/// Quotient and remainder, if they fit.
fn quotient(sign: bool, dividend: u128, divisor: u64, width: u8) -> Run<(u64, u64)> {
    let failed = || trap("a division in inline assembly fails");
    if divisor & mask(width) == 0 {
        return failed();
    }
    if !sign {
        let quotient = dividend / u128::from(divisor);
        return match quotient > u128::from(mask(width)) {
            true => failed(),
            false => Ok((quotient as u64, (dividend % u128::from(divisor)) as u64)),
        };
    }
    let unused = 128 - 16 * u32::from(width);
    let dividend = (dividend << unused) as i128 >> unused;
    let divisor = i128::from(signed(divisor, width));
    let (quotient, rest) = (dividend.wrapping_div(divisor), dividend.wrapping_rem(divisor));
    match i128::from(signed(quotient as u64, width)) == quotient {
        true => Ok((quotient as u64, rest as u64)),
        false => failed(),
    }
}
