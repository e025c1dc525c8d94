//! Relocations and stubs of the machine that this linker runs on.

use crate::image::Target;
#[cfg(target_arch = "aarch64")]
pub use aarch64::{STUB, apply, needs_slot, stub};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{STUB, apply, needs_slot, stub};

/// Where something is filled in.
pub struct Site {
    /// Its address.
    pub address: u64,
    /// Added to the symbol's.
    pub addend: i64,
}

impl Target {
    /// The exact address.
    fn address(&self) -> u64 {
        match *self {
            Target::Near(address) | Target::Far { address, .. } => address,
        }
    }
    /// An address in the image that has the same effect when it is called.
    fn callable(&self) -> u64 {
        match *self {
            Target::Near(address) | Target::Far { stub: address, .. } => address,
        }
    }
}

/// The distance from the site to an address.
fn distance(site: &Site, to: u64) -> i64 {
    to.wrapping_add_signed(site.addend).wrapping_sub(site.address) as i64
}

fn write<const N: usize>(at: &mut [u8], bytes: [u8; N]) -> Result<(), String> {
    let place = at.get_mut(..N).ok_or("a relocation outside of its section")?;
    place.copy_from_slice(&bytes);
    Ok(())
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{Site, Target, distance, write};
    use object::elf::*;

    /// Bytes of a stub.
    pub const STUB: usize = 8;

    /// `jmp *cell(%rip)`
    pub fn stub(address: u64, cell: u64) -> [u8; STUB] {
        let distance = cell.wrapping_sub(address + 6) as u32;
        let [a, b, c, d] = distance.to_le_bytes();
        [0xff, 0x25, a, b, c, d, 0xcc, 0xcc]
    }

    /// The relocation refers to the slot that holds the address.
    pub fn needs_slot(kind: RelocationType) -> bool {
        matches!(kind, R_X86_64_GOTPCREL | R_X86_64_GOTPCRELX | R_X86_64_REX_GOTPCRELX)
    }

    /// Fills in one place.
    pub fn apply(
        kind: RelocationType,
        site: &Site,
        target: &Target,
        slot: u64,
        at: &mut [u8],
    ) -> Result<(), String> {
        let value = match kind {
            R_X86_64_64 => {
                let value = target.address().wrapping_add_signed(site.addend);
                return write(at, value.to_le_bytes());
            }
            R_X86_64_PC64 => {
                return write(at, distance(site, target.address()).to_le_bytes());
            }
            R_X86_64_PLT32 => distance(site, target.callable()),
            R_X86_64_PC32 => distance(site, target.address()),
            kind if needs_slot(kind) => distance(site, slot),
            _ => return Err(format!("unknown relocation {kind:?}")),
        };
        let value = i32::try_from(value).map_err(|_| "an address out of reach")?;
        write(at, value.to_le_bytes())
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::{Site, Target, distance, write};
    use object::elf::*;

    /// Bytes of a stub.
    pub const STUB: usize = 16;

    /// `adrp x16, cell; ldr x16, [x16, :lo12:cell]; br x16`
    pub fn stub(address: u64, cell: u64) -> [u8; STUB] {
        let page = (cell & !0xfff).wrapping_sub(address & !0xfff) as i64 >> 12;
        let adrp = 0x9000_0010 | page_bits(page);
        let load = 0xf940_0210 | ((cell & 0xfff) as u32 >> 3) << 10;
        let mut code = [0; STUB];
        for (place, word) in code.chunks_exact_mut(4).zip([adrp, load, 0xd61f_0200, 0]) {
            place.copy_from_slice(&u32::to_le_bytes(word));
        }
        code
    }

    /// The relocation refers to the slot that holds the address.
    pub fn needs_slot(kind: RelocationType) -> bool {
        matches!(kind, R_AARCH64_ADR_GOT_PAGE | R_AARCH64_LD64_GOT_LO12_NC)
    }

    fn page_bits(page: i64) -> u32 {
        (page as u32 & 3) << 29 | (page as u32 >> 2 & 0x7_ffff) << 5
    }

    /// Fills in one place.
    pub fn apply(
        kind: RelocationType,
        site: &Site,
        target: &Target,
        slot: u64,
        at: &mut [u8],
    ) -> Result<(), String> {
        let to = if needs_slot(kind) { slot } else { target.address() };
        let to = to.wrapping_add_signed(site.addend);
        let exact = Site { address: site.address, addend: 0 };
        match kind {
            R_AARCH64_ABS64 => return write(at, to.to_le_bytes()),
            R_AARCH64_PREL64 => return write(at, distance(&exact, to).to_le_bytes()),
            R_AARCH64_PREL32 => {
                let value = i32::try_from(distance(&exact, to));
                let value = value.map_err(|_| "an address out of reach")?;
                return write(at, value.to_le_bytes());
            }
            _ => {}
        }
        let word = at.first_chunk().ok_or("a relocation outside of its section")?;
        let word = u32::from_le_bytes(*word);
        let low = |scale: u32| ((to & 0xfff) as u32 >> scale) << 10;
        let word = match kind {
            R_AARCH64_CALL26 | R_AARCH64_JUMP26 => {
                let words = distance(site, target.callable()) >> 2;
                if !(-(1 << 25)..1 << 25).contains(&words) {
                    return Err("a call out of reach".to_owned());
                }
                word | words as u32 & 0x3ff_ffff
            }
            R_AARCH64_ADR_PREL_PG_HI21 | R_AARCH64_ADR_GOT_PAGE => {
                let pages = (to & !0xfff).wrapping_sub(site.address & !0xfff) as i64 >> 12;
                if !(-(1 << 20)..1 << 20).contains(&pages) {
                    return Err("an address out of reach".to_owned());
                }
                word | page_bits(pages)
            }
            R_AARCH64_ADD_ABS_LO12_NC | R_AARCH64_LDST8_ABS_LO12_NC => word | low(0),
            R_AARCH64_LDST16_ABS_LO12_NC => word | low(1),
            R_AARCH64_LDST32_ABS_LO12_NC => word | low(2),
            R_AARCH64_LDST64_ABS_LO12_NC | R_AARCH64_LD64_GOT_LO12_NC => word | low(3),
            R_AARCH64_LDST128_ABS_LO12_NC => word | low(4),
            _ => return Err(format!("unknown relocation {kind:?}")),
        };
        write(at, word.to_le_bytes())
    }
}
