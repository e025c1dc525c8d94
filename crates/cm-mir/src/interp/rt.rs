//! The run-time library, for the interpreter.

use super::{
    Run,
    exec::Machine,
    format::{self, pad},
    num::sign_extend,
    trap,
};
use crate::runtime::{FormatSpec, Rt};

/// Elements of a slice's first buffer.
const FIRST_CAPACITY: u64 = 4;

impl Machine<'_> {
    /// Calls a function of the run-time library.
    pub fn runtime(&mut self, rt: Rt, [a, b, c, d, e, f]: [u64; 6]) -> Run<u64> {
        let spec = |word| FormatSpec::unpack(word);
        match rt {
            Rt::Print => self.host.stdout(self.memory.str(a)?),
            Rt::Println => self.host.stdout(&[self.memory.str(a)?, b"\n"].concat()),
            Rt::Eprint => self.host.stderr(self.memory.str(a)?),
            Rt::Panic => self.panic(a)?,
            Rt::Alloc => return self.memory.new_object(a, b),
            Rt::Malloc => return self.memory.allocate(a),
            Rt::Realloc => return self.reallocate(a, b),
            Rt::StrConcat | Rt::StrAppend => return self.concat(rt == Rt::StrAppend, &[a, b]),
            Rt::StrConcatN
            | Rt::StrAppendN
            | Rt::Retain
            | Rt::Release
            | Rt::ReleaseStr
            | Rt::ReleaseSlice => return trap("MIR has other means to do this"),
            Rt::StrEq => return Ok(u64::from(self.owned(a)? == self.owned(b)?)),
            Rt::StrCmp => {
                let order = self.owned(a)?.cmp(&self.owned(b)?) as i32;
                return Ok(u64::from(order as u32));
            }
            Rt::StrLen => return Ok(self.memory.str(a)?.len() as u64),
            Rt::StrAt => {
                let text = self.memory.str(a)?;
                return Ok(text.get(b as usize).map_or(0, |byte| u64::from(*byte)));
            }
            Rt::StrSlice => return self.str_slice(a, b as i64, c as i64),
            Rt::StrIndexOf => {
                let position = find(self.memory.str(a)?, self.memory.str(b)?);
                return Ok(position.map_or(u64::MAX, |position| position as u64));
            }
            Rt::StrStartsWith => {
                return Ok(u64::from(self.owned(a)?.starts_with(&self.owned(b)?)));
            }
            Rt::StrEndsWith => {
                return Ok(u64::from(self.owned(a)?.ends_with(&self.owned(b)?)));
            }
            Rt::StrUpper => return self.text(&[self.owned(a)?.to_ascii_uppercase()]),
            Rt::StrLower => return self.text(&[self.owned(a)?.to_ascii_lowercase()]),
            Rt::StrTrim => return self.text(&[trim(&self.owned(a)?).to_vec()]),
            Rt::StrRepeat => return self.str_repeat(a, b as i64),
            Rt::StrReplace => {
                let (text, old) = (self.owned(a)?, self.owned(b)?);
                let Some(at) = find(&text, &old) else { return self.text(&[text]) };
                let (head, tail) = (text[..at].to_vec(), text[at + old.len()..].to_vec());
                return self.text(&[head, self.owned(c)?, tail]);
            }
            Rt::StrHash => {
                let hash = self.memory.str(a)?.iter().fold(0x811c_9dc5_u32, |hash, byte| {
                    (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
                });
                return Ok(u64::from(hash));
            }
            Rt::StrFromC => {
                let text = self.memory.string(a)?.to_vec();
                return self.memory.new_string(&text);
            }
            Rt::StrFromBytes => {
                let bytes = if b == 0 { Vec::new() } else { self.memory.bytes(a, b)?.to_vec() };
                return self.text(&[bytes]);
            }
            Rt::FmtSigned => {
                return self.text(&[format::signed(a as i64, width_of(b), spec(c))]);
            }
            Rt::FmtUnsigned => return self.text(&[format::unsigned(a, width_of(b), spec(c))]),
            Rt::FmtFloat => return self.text(&[format::float(f64::from_bits(a), spec(b))]),
            Rt::FmtBool => {
                let text = if a != 0 { "true" } else { "false" };
                return self.text(&[pad(text.as_bytes(), spec(b), false)]);
            }
            Rt::FmtChar => return self.text(&[pad(&[a as u8], spec(b), false)]),
            Rt::FmtStr => return self.text(&[format::string(&self.owned(a)?, spec(b))]),
            Rt::SliceNew => return self.slice_new(a, b, c, d),
            Rt::SlicePush => return self.slice_push(a, b, c),
            Rt::SliceGrow => return self.slice_grow(a, b, c),
            Rt::SliceRemove => self.slice_remove(a, b, c as i64)?,
            Rt::SliceSub => return self.slice_sub((a, b), c, (d as i64, e as i64), f),
        }
        Ok(0)
    }

    fn owned(&self, address: u64) -> Run<Vec<u8>> {
        Ok(self.memory.str(address)?.to_vec())
    }

    /// All strings in a new one. The reference to the first may be taken over.
    pub fn concat(&mut self, consume: bool, parts: &[u64]) -> Run<u64> {
        let text = parts.iter().map(|part| self.owned(*part)).collect::<Run<Vec<_>>>()?;
        let result = self.text(&text)?;
        if let (true, Some(first)) = (consume, parts.first()) {
            self.release_string(*first)?;
        }
        Ok(result)
    }

    /// `realloc` of C.
    pub fn reallocate(&mut self, old: u64, size: u64) -> Run<u64> {
        let new = self.memory.allocate(size)?;
        if old != 0 {
            let len = self.memory.block_size(old)?.min(size);
            self.memory.copy(new, old, len)?;
            self.memory.release(old)?;
        }
        Ok(new)
    }

    /// A new string of these parts.
    fn text(&mut self, parts: &[Vec<u8>]) -> Run<u64> {
        self.memory.new_string(&parts.concat())
    }

    fn str_slice(&mut self, text: u64, a: i64, b: i64) -> Run<u64> {
        let text = self.owned(text)?;
        let len = text.len() as i64;
        let start = if a < 0 { len.saturating_add(a) } else { a }.clamp(0, len);
        let end = if b < 0 { (len + 1).saturating_add(b) } else { b }.clamp(0, len);
        self.memory.new_string(text.get(start as usize..end as usize).unwrap_or_default())
    }

    fn str_repeat(&mut self, text: u64, times: i64) -> Run<u64> {
        let text = self.owned(text)?;
        let times = if text.is_empty() { 0 } else { times.max(0) as u64 };
        let Some(len) = times.checked_mul(text.len() as u64) else { return trap("out of memory") };
        if len == 0 {
            return Ok(0);
        }
        // Asked for first, so that the limit stops what would not fit.
        let address = self.memory.new_object(len.saturating_add(1), 0)?;
        self.memory.bytes_mut(address, len)?.copy_from_slice(&text.repeat(times as usize));
        Ok(address)
    }

    fn slice_new(&mut self, size: u64, len: u64, capacity: u64, glue: u64) -> Run<u64> {
        let capacity = capacity.max(len);
        let Some(bytes) = size.checked_mul(capacity) else { return trap("out of memory") };
        let header = self.memory.new_object(24, glue)?;
        let data = self.memory.allocate(bytes)?;
        for (i, word) in [data, len, capacity].into_iter().enumerate() {
            self.memory.store(header + 8 * i as u64, 8, word)?;
        }
        Ok(header)
    }

    /// Data, length and capacity.
    pub(super) fn slice(&self, header: u64) -> Run<[u64; 3]> {
        if header == 0 {
            return Ok([0; 3]);
        }
        self.memory.check_object(header)?;
        let word = |i: u64| self.memory.load(header.wrapping_add(8 * i), 8);
        Ok([word(0)?, word(1)?, word(2)?])
    }

    fn slice_push(&mut self, place: u64, size: u64, glue: u64) -> Run<u64> {
        let mut header = self.memory.load(place, 8)?;
        if header == 0 || self.slice(header)?[1] >= self.slice(header)?[2] {
            header = self.slice_grow(header, size, glue)?;
            self.memory.store(place, 8, header)?;
        }
        let [data, len, _] = self.slice(header)?;
        self.memory.store(header + 8, 8, len + 1)?;
        Ok(data.wrapping_add(len.wrapping_mul(size)))
    }

    fn slice_grow(&mut self, header: u64, size: u64, glue: u64) -> Run<u64> {
        if header == 0 {
            return self.slice_new(size, 0, FIRST_CAPACITY, glue);
        }
        let [old, len, capacity] = self.slice(header)?;
        let grown = capacity.saturating_mul(2).max(FIRST_CAPACITY);
        let Some(bytes) = size.checked_mul(grown) else { return trap("out of memory") };
        let data = self.memory.allocate(bytes)?;
        self.memory.copy(data, old, len * size)?;
        if self.memory.check_object(header)? {
            self.memory.release(old)?;
        }
        self.memory.store(header, 8, data)?;
        self.memory.store(header + 16, 8, grown)?;
        Ok(header)
    }

    fn slice_remove(&mut self, header: u64, size: u64, index: i64) -> Run {
        let [data, len, _] = self.slice(header)?;
        let index = index as u64;
        if index >= len {
            return Ok(());
        }
        let to = data.wrapping_add(index * size);
        self.memory.copy(to, to.wrapping_add(size), (len - 1 - index) * size)?;
        self.memory.store(header + 8, 8, len - 1)
    }

    fn slice_sub(
        &mut self,
        (data, len): (u64, u64),
        size: u64,
        (a, b): (i64, i64),
        glue: u64,
    ) -> Run<u64> {
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        let bound = |n: i64| if n < 0 { len.saturating_add(n) } else { n }.clamp(0, len) as u64;
        let (start, end) = (bound(a), bound(b));
        let count = end.saturating_sub(start);
        let header = self.slice_new(size, count, count, glue)?;
        let [to, ..] = self.slice(header)?;
        self.memory.copy(to, data.wrapping_add(start.wrapping_mul(size)), count * size)?;
        Ok(header)
    }
}

fn width_of(bits: u64) -> u8 {
    sign_extend(bits, 32).clamp(1, 64) as u8
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

fn trim(text: &[u8]) -> &[u8] {
    let kept = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let start = text.iter().position(kept).unwrap_or(text.len());
    let end = text.iter().rposition(kept).map_or(start, |last| last + 1);
    &text[start..end]
}
