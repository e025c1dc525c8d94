//! The functions of C's library that programs are likely to call, on the program's memory.

use super::{
    Run, Stop,
    exec::Machine,
    num::{Num, integer},
    printf, trap,
};

/// Arguments with their types.
pub type Args<'a> = &'a [(u64, Num)];

impl Machine<'_> {
    /// Calls a foreign function; the result is the word of a scalar.
    pub fn foreign(&mut self, symbol: &str, args: Args<'_>) -> Run<u64> {
        let arg = |i: usize| args.get(i).map_or(0, |(value, _)| *value);
        if let Some(result) = math(symbol, arg(0), arg(1)).or_else(|| char_class(symbol, arg(0))) {
            return Ok(result);
        }
        if symbol == "realloc" {
            return self.reallocate(arg(0), arg(1));
        }
        if let Some(result) = self.heap_function(symbol, [arg(0), arg(1), arg(2), arg(3)]) {
            return result;
        }
        if let Some(result) = self.string_function(symbol, [arg(0), arg(1), arg(2)]) {
            return result;
        }
        if let Some(result) = self.file_function(symbol, [arg(0), arg(1), arg(2)]) {
            return result;
        }
        // There is one thread, which never waits for another.
        if ["pthread_mutex_", "pthread_cond_"].iter().any(|prefix| symbol.starts_with(prefix)) {
            return Ok(0);
        }
        if let Some(name) = symbol.strip_prefix("cm_atomic_") {
            return self.atomic(name, [arg(0), arg(1), arg(2)]);
        }
        match symbol {
            "puts" => {
                let line = [self.memory.string(arg(0))?, b"\n"].concat();
                self.host.stdout(&line);
                Ok(1)
            }
            "putchar" => {
                self.host.stdout(&[arg(0) as u8]);
                Ok(arg(0) & 255)
            }
            "getchar" => Ok(self.host.stdin().map_or(u64::from(u32::MAX), u64::from)),
            "fflush" | "setvbuf" | "getenv" | "setlocale" => Ok(0),
            "printf" => {
                let text = printf::format(&self.memory, arg(0), &args[args.len().min(1)..])?;
                self.host.stdout(&text);
                Ok(text.len() as u64)
            }
            "sprintf" => {
                let text = printf::format(&self.memory, arg(1), &args[args.len().min(2)..])?;
                self.copy_out(arg(0), u64::MAX, &text)
            }
            "snprintf" => {
                let text = printf::format(&self.memory, arg(2), &args[args.len().min(3)..])?;
                self.copy_out(arg(0), arg(1), &text)
            }
            "exit" | "_exit" => Err(Box::new(Stop::Exit(arg(0) as u8))),
            "abort" => trap("abort was called"),
            "qsort" => self.qsort(arg(0), arg(1), arg(2), arg(3)).map(|()| 0),
            _ => trap(format!(
                "Undefined symbol '{symbol}': the interpreter has a few functions of the C library only"
            )),
        }
    }

    /// What `native::sync::atomic` stands on. There is one thread.
    fn atomic(&mut self, name: &str, [at, value, desired]: [u64; 3]) -> Run<u64> {
        let size = if name.ends_with("_i32") { 4 } else { 8 };
        let old = self.memory.load(at, size)?;
        match name.trim_end_matches("_i32").trim_end_matches("_i64") {
            "load" => {}
            "store" => self.memory.store(at, size, value)?,
            "add" => self.memory.store(at, size, old.wrapping_add(value))?,
            _ => {
                let expected = self.memory.load(value, size)?;
                let (to, new) = if old == expected { (at, desired) } else { (value, old) };
                self.memory.store(to, size, new)?;
                return Ok(u64::from(old == expected));
            }
        }
        Ok(old)
    }

    /// What `snprintf` does with its text.
    fn copy_out(&mut self, to: u64, room: u64, text: &[u8]) -> Run<u64> {
        if let Some(most) = room.checked_sub(1) {
            let kept = &text[..text.len().min(most as usize)];
            self.memory.bytes_mut(to, kept.len() as u64)?.copy_from_slice(kept);
            self.memory.store(to.wrapping_add(kept.len() as u64), 1, 0)?;
        }
        Ok(text.len() as u64)
    }

    fn heap_function(&mut self, symbol: &str, [a, b, c, d]: [u64; 4]) -> Option<Run<u64>> {
        let memory = &mut self.memory;
        Some(match symbol {
            "malloc" => memory.allocate(a),
            "aligned_alloc" if a <= 16 => memory.allocate(b),
            "calloc" => memory.allocate(a.saturating_mul(b)),
            "free" => memory.release(a).map(|()| 0),
            "memcpy" | "memmove" => memory.copy(a, b, c).map(|()| a),
            "memset" => memory.bytes_mut(a, c).map(|bytes| {
                bytes.fill(b as u8);
                a
            }),
            "memmem" => memory.bytes(a, b).map(<[u8]>::to_vec).and_then(|text| {
                let part = memory.bytes(c, d)?;
                let at = (0..=text.len()).find(|at| text[*at..].starts_with(part));
                Ok(at.map_or(0, |at| a.wrapping_add(at as u64)))
            }),
            "memcmp" => memory.bytes(a, c).and_then(|left| Ok(sign(left.cmp(memory.bytes(b, c)?)))),
            "strdup" => match memory.string(a).map(<[u8]>::to_vec) {
                Ok(text) => memory.new_bytes(&text),
                Err(stop) => Err(stop),
            },
            _ => return None,
        })
    }

    fn string_function(&mut self, symbol: &str, [a, b, c]: [u64; 3]) -> Option<Run<u64>> {
        type StringFunction = fn(&mut Machine<'_>, u64, u64, u64) -> Run<u64>;
        let function: StringFunction = match symbol {
            "strlen" => |m, a, _, _| Ok(m.memory.string(a)?.len() as u64),
            "strcmp" => |m, a, b, _| Ok(sign(m.memory.string(a)?.cmp(m.memory.string(b)?))),
            "strncmp" => |m, a, b, n| {
                let (a, b) = (m.memory.string(a)?, m.memory.string(b)?);
                let head = |text: &[u8]| text.len().min(n as usize);
                Ok(sign(a[..head(a)].cmp(&b[..head(b)])))
            },
            "strcpy" => |m, a, b, _| {
                let len = m.memory.string(b)?.len() as u64;
                m.memory.copy(a, b, len + 1).map(|()| a)
            },
            "strncpy" => |m, a, b, n| {
                let mut text = m.memory.string(b)?.to_vec();
                text.resize(n as usize & 0xffff_ffff, 0);
                m.memory.bytes_mut(a, n)?.copy_from_slice(&text);
                Ok(a)
            },
            "strcat" => |m, a, b, _| {
                let end = a.wrapping_add(m.memory.string(a)?.len() as u64);
                let len = m.memory.string(b)?.len() as u64;
                m.memory.copy(end, b, len + 1).map(|()| a)
            },
            "strchr" => |m, a, b, _| {
                let text = m.memory.string(a)?;
                let at = text.iter().chain(&[0]).position(|byte| *byte == b as u8);
                Ok(at.map_or(0, |at| a.wrapping_add(at as u64)))
            },
            "strrchr" => |m, a, b, _| {
                let text = [m.memory.string(a)?, &[0]].concat();
                let at = text.iter().rposition(|byte| *byte == b as u8);
                Ok(at.map_or(0, |at| a.wrapping_add(at as u64)))
            },
            "strstr" => |m, a, b, _| {
                let (text, part) = (m.memory.string(a)?, m.memory.string(b)?);
                let at = (0..=text.len()).find(|at| text[*at..].starts_with(part));
                Ok(at.map_or(0, |at| a.wrapping_add(at as u64)))
            },
            "atoi" => |m, a, _, _| Ok(parse_integer(m.memory.string(a)?) as u32 as u64),
            "atol" | "atoll" => |m, a, _, _| Ok(parse_integer(m.memory.string(a)?) as u64),
            "atof" => |m, a, _, _| Ok(parse_float(m.memory.string(a)?).to_bits()),
            _ => return None,
        };
        Some(function(self, a, b, c))
    }

    /// Insertion by binary search: stable, and what the comparison does cannot harm it.
    fn qsort(&mut self, data: u64, count: u64, size: u64, compare: u64) -> Run {
        let compare = self.function_at(compare)?;
        let scratch = self.memory.allocate(size)?;
        for i in 1..count {
            let at = |i: u64| data.wrapping_add(i.wrapping_mul(size));
            self.memory.copy(scratch, at(i), size)?;
            let (mut low, mut high) = (0, i);
            while low < high {
                let middle = (low + high) / 2;
                let order = self.call(compare, &[scratch, at(middle)])?;
                if (order as i32) < 0 { high = middle } else { low = middle + 1 }
            }
            self.memory.copy(at(low + 1), at(low), (i - low) * size)?;
            self.memory.copy(at(low), scratch, size)?;
        }
        self.memory.release(scratch)
    }
}

fn sign(order: std::cmp::Ordering) -> u64 {
    u64::from(order as i32 as u32)
}

fn parse_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value =
        digits.fold(0_i64, |n, digit| n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
    if negative { value.wrapping_neg() } else { value }
}

fn parse_float(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let len = text.iter().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
    let longest =
        (0..=len).rev().find_map(|len| std::str::from_utf8(&text[..len]).ok()?.parse().ok());
    longest.unwrap_or(0.0)
}

fn char_class(symbol: &str, a: u64) -> Option<u64> {
    let byte = a as u8;
    let class = |ok: bool| Some(u64::from(ok));
    match symbol {
        "isdigit" => class(byte.is_ascii_digit()),
        "isalpha" => class(byte.is_ascii_alphabetic()),
        "isalnum" => class(byte.is_ascii_alphanumeric()),
        "isspace" => class(matches!(byte, b' ' | 9..=13)),
        "isupper" => class(byte.is_ascii_uppercase()),
        "islower" => class(byte.is_ascii_lowercase()),
        "ispunct" => class(byte.is_ascii_punctuation()),
        "toupper" => Some(u64::from(byte.to_ascii_uppercase())),
        "tolower" => Some(u64::from(byte.to_ascii_lowercase())),
        "abs" => Some(u64::from((a as i32).wrapping_abs() as u32)),
        "labs" | "llabs" => Some((a as i64).wrapping_abs() as u64),
        _ => None,
    }
}

fn math(symbol: &str, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    if let Some(value) = math_f64(symbol, x, y) {
        return Some(value.to_bits());
    }
    let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
    let value = math_f64(symbol.strip_suffix('f')?, f64::from(x), f64::from(y))?;
    Some(u64::from((value as f32).to_bits()))
}

fn math_f64(symbol: &str, x: f64, y: f64) -> Option<f64> {
    Some(match symbol {
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "atan2" => x.atan2(y),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "log" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "pow" => x.powf(y),
        "sqrt" => x.sqrt(),
        "cbrt" => x.cbrt(),
        "hypot" => x.hypot(y),
        "fabs" => x.abs(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        "trunc" => x.trunc(),
        "rint" | "nearbyint" => x.round_ties_even(),
        "fmod" => x % y,
        "fmin" => x.min(y),
        "fmax" => x.max(y),
        "copysign" => x.copysign(y),
        _ => return None,
    })
}

/// A variable argument as a number.
pub fn number((value, num): (u64, Num)) -> i128 {
    integer(num, value)
}
