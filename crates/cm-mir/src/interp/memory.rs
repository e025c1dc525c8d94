//! The address space of a program: static data and heap in one vector, the stack in another.

use super::{Limits, Run, trap};
use std::collections::{BTreeMap, VecDeque};

/// Where static data begins; below is nothing, so that null and small numbers are no addresses.
pub const DATA: u64 = 0x1_0000;
/// Where function `i` is: at `CODE + 16 * i`. There is nothing to read.
pub const CODE: u64 = 0x4000_0000_0000;
/// Where glue `i` is: at `GLUE + 16 * i`. There is nothing to read either.
pub const GLUE: u64 = 0x5000_0000_0000;
/// Where the stack begins; it grows upwards.
pub const STACK: u64 = 0x7000_0000_0000;

/// What stands before each block of the heap: its size, and this.
const MAGIC: u64 = 0x5ea1_ab1e_b10c_4ead;
const HEADER: u64 = 16;
/// What undefined memory is filled with.
const UNDEFINED: u8 = 0xa5;
/// What freed memory is filled with.
const FREED: u8 = 0xdb;
/// Freed blocks of a size that are kept back, so that it shows if they are still used.
const KEPT: usize = 16;
/// What stands before a counted object: its glue and its count.
const COUNTED: u64 = 16;

pub struct Memory {
    data: Vec<u8>,
    stack: Vec<u8>,
    /// Free blocks by size.
    free: BTreeMap<u64, VecDeque<u64>>,
    /// Where static data ends.
    statics: u64,
    /// Counted objects that were not freed.
    pub objects: u64,
    limits: Limits,
}

impl Memory {
    pub fn new(image: &[u8], limits: Limits) -> Memory {
        let statics = DATA + image.len() as u64;
        let (data, stack, free) = (image.to_vec(), Vec::new(), BTreeMap::new());
        Memory { data, stack, free, statics, objects: 0, limits }
    }

    #[inline]
    pub fn bytes(&self, address: u64, len: u64) -> Run<&[u8]> {
        let (region, base) =
            if address >= STACK { (&self.stack, STACK) } else { (&self.data, DATA) };
        let start = address.wrapping_sub(base);
        match region.get(start as usize..start.wrapping_add(len) as usize) {
            Some(bytes) => Ok(bytes),
            None => bad_access(address, len),
        }
    }

    #[inline]
    pub fn bytes_mut(&mut self, address: u64, len: u64) -> Run<&mut [u8]> {
        let (region, base) =
            if address >= STACK { (&mut self.stack, STACK) } else { (&mut self.data, DATA) };
        let start = address.wrapping_sub(base);
        match region.get_mut(start as usize..start.wrapping_add(len) as usize) {
            Some(bytes) => Ok(bytes),
            None => bad_access(address, len),
        }
    }

    /// Reads up to 8 bytes, zero-extended.
    #[inline]
    pub fn load(&self, address: u64, width: u8) -> Run<u64> {
        let bytes = self.bytes(address, u64::from(width))?;
        Ok(match *bytes {
            [a] => u64::from(a),
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        })
    }

    /// Writes the low bytes of a word.
    #[inline]
    pub fn store(&mut self, address: u64, width: u8, value: u64) -> Run {
        let word = value.to_le_bytes();
        let bytes = self.bytes_mut(address, u64::from(width))?;
        match bytes {
            [a] => *a = word[0],
            [_, _] => bytes.copy_from_slice(&word[..2]),
            [_, _, _, _] => bytes.copy_from_slice(&word[..4]),
            [_, _, _, _, _, _, _, _] => bytes.copy_from_slice(&word),
            _ => {}
        }
        Ok(())
    }

    /// Copies between any two places, overlapping or not.
    pub fn copy(&mut self, to: u64, from: u64, len: u64) -> Run {
        if len == 0 {
            return Ok(());
        }
        self.bytes(from, len)?;
        self.bytes(to, len)?;
        match (to >= STACK, from >= STACK) {
            (true, true) => within(&mut self.stack, STACK, to, from, len),
            (false, false) => within(&mut self.data, DATA, to, from, len),
            _ => {
                let bytes = self.bytes(from, len)?.to_vec();
                self.bytes_mut(to, len)?.copy_from_slice(&bytes);
            }
        }
        Ok(())
    }

    /// Makes a stack frame, undefined.
    pub fn push_frame(&mut self, base: u64, size: u64) -> Run {
        let start = base - STACK;
        let end = start.saturating_add(size);
        if end > self.limits.stack {
            return trap("stack overflow");
        }
        if end > self.stack.len() as u64 {
            let grown = end.max(2 * self.stack.len() as u64).max(1 << 16).min(self.limits.stack);
            self.stack.resize(grown as usize, 0);
        }
        self.stack[start as usize..end as usize].fill(UNDEFINED);
        Ok(())
    }

    /// A new block, zeroed and aligned to 16 bytes.
    pub fn allocate(&mut self, size: u64) -> Run<u64> {
        if size > self.limits.memory {
            return trap("out of memory");
        }
        let class = size_class(size);
        let free = self.free.get_mut(&class).filter(|free| free.len() > KEPT);
        if let Some(address) = free.and_then(VecDeque::pop_front) {
            self.bytes_mut(address, class)?.fill(0);
            self.store(address - 8, 8, MAGIC)?;
            return Ok(address);
        }
        let start = (self.data.len() as u64).next_multiple_of(16);
        let end = start + HEADER + class;
        if end > self.limits.memory {
            return trap("out of memory");
        }
        self.data.resize(end as usize, 0);
        let address = DATA + start + HEADER;
        self.store(address - 16, 8, class)?;
        self.store(address - 8, 8, MAGIC)?;
        Ok(address)
    }

    /// Gives a block back; null is none.
    pub fn release(&mut self, address: u64) -> Run {
        if address != 0 {
            let class = self.block_size(address)?;
            self.store(address - 8, 8, 0)?;
            self.bytes_mut(address, class)?.fill(FREED);
            self.free.entry(class).or_default().push_back(address);
        }
        Ok(())
    }

    /// A new counted object, zeroed, with one reference.
    pub fn new_object(&mut self, size: u64, glue: u64) -> Run<u64> {
        let block = self.allocate(size.saturating_add(COUNTED))?;
        self.store(block, 8, glue)?;
        self.store(block + 8, 8, 1)?;
        self.objects += 1;
        Ok(block + COUNTED)
    }

    /// The glue of an object.
    pub fn glue(&self, object: u64) -> Run<u64> {
        self.load(object.wrapping_sub(COUNTED), 8)
    }

    /// The object is not freed. Null and static ones never are.
    pub fn check_object(&self, object: u64) -> Run<bool> {
        if object < self.statics {
            return Ok(false);
        }
        match self.block_size(object.wrapping_sub(COUNTED)) {
            Ok(_) => Ok(true),
            Err(_) => trap(format!("the object at {object:#x} is used after it was freed")),
        }
    }

    /// One more reference to an object.
    pub fn retain(&mut self, object: u64) -> Run {
        if self.check_object(object)? {
            let count = self.load(object - 8, 8)?;
            self.store(object - 8, 8, count + 1)?;
        }
        Ok(())
    }

    /// One less; whether it was the last one.
    pub fn drop_reference(&mut self, object: u64) -> Run<bool> {
        if !self.check_object(object)? {
            return Ok(false);
        }
        let Some(count) = self.load(object - 8, 8)?.checked_sub(1) else {
            return trap(format!("the object at {object:#x} is released twice"));
        };
        self.store(object - 8, 8, count)?;
        Ok(count == 0)
    }

    /// Frees an object without references.
    pub fn free_object(&mut self, object: u64) -> Run {
        self.objects -= 1;
        self.release(object - COUNTED)
    }

    /// Usable size of a block.
    pub fn block_size(&self, address: u64) -> Run<u64> {
        match self.load(address.wrapping_sub(8), 8) {
            Ok(MAGIC) => self.load(address - 16, 8),
            _ => trap(format!("{address:#x} is no block of the heap")),
        }
    }

    /// The bytes from here to the NUL; none at null.
    pub fn string(&self, address: u64) -> Run<&[u8]> {
        if address == 0 {
            return Ok(&[]);
        }
        let (region, base) =
            if address >= STACK { (&self.stack, STACK) } else { (&self.data, DATA) };
        let rest = region.get(address.wrapping_sub(base) as usize..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == 0) {
            Some(len) => Ok(&rest[..len]),
            None => bad_access(address, 1),
        }
    }

    /// The bytes of a string.
    pub fn str(&self, address: u64) -> Run<&[u8]> {
        self.check_object(address)?;
        self.string(address)
    }

    /// New NUL-terminated bytes.
    pub fn new_bytes(&mut self, text: &[u8]) -> Run<u64> {
        let len = text.len() as u64;
        let address = self.allocate(len + 1)?;
        self.bytes_mut(address, len)?.copy_from_slice(text);
        Ok(address)
    }

    /// A new string.
    pub fn new_string(&mut self, text: &[u8]) -> Run<u64> {
        if text.is_empty() {
            return Ok(0);
        }
        let len = text.len() as u64;
        let address = self.new_object(len + 1, 0)?;
        self.bytes_mut(address, len)?.copy_from_slice(text);
        Ok(address)
    }
}

#[cold]
fn bad_access<T>(address: u64, len: u64) -> Run<T> {
    trap(format!("invalid access to {len} bytes at {address:#x}"))
}

/// Copies inside a region; both ranges are known to be in it.
fn within(region: &mut [u8], base: u64, to: u64, from: u64, len: u64) {
    let (to, from) = ((to - base) as usize, (from - base) as usize);
    region.copy_within(from..from + len as usize, to);
}

/// Sizes are rounded up by an eighth at most, so that freed blocks fit again.
fn size_class(size: u64) -> u64 {
    let step = (size.max(1).next_power_of_two() / 16).max(16);
    size.max(1).next_multiple_of(step)
}
