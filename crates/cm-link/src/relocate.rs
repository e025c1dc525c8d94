//! Relocations, stubs and the start of programs on the machine that this linker links for.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{LOADER, PAGE, START, START_RELOCATIONS, STUB, WORD, apply, dynamic, need, stub};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{LOADER, PAGE, START, START_RELOCATIONS, STUB, WORD, apply, dynamic, need, stub};

/// What a relocation refers to.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// An address in the image.
    Near(u64),
    /// A number, wherever the image is.
    Number(u64),
    /// An address anywhere, if it is known, and a jump to it in the image.
    Far { address: Option<u64>, stub: u64 },
}

/// What a relocation needs beside the address of its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    Nothing,
    /// A cell in the image that holds the address.
    Slot,
    /// A jump in the image, if the address is outside of it.
    Stub,
}

/// Where something is filled in.
pub struct Site {
    /// Its address.
    pub address: u64,
    /// Added to the symbol's.
    pub addend: i64,
    /// Address of the cell with the symbol's address, if one is needed.
    pub slot: u64,
}

/// Relocations that the dynamic linker applies.
pub struct Dynamic {
    /// To the address of the image.
    pub relative: u32,
    /// A symbol's address in a cell.
    pub cell: u32,
    /// A symbol's address in data.
    pub word: u32,
}

/// Why a relocation cannot be applied.
#[derive(Debug)]
pub enum Fault {
    Damaged(&'static str),
    Unsupported(String),
}

const OUTSIDE: Fault = Fault::Damaged("a relocation is outside of its section");
const FAR: Fault = Fault::Damaged("an address is out of reach");

fn unknown(kind: object::elf::RelocationType) -> Fault {
    Fault::Unsupported(format!("unknown relocation {}", kind.0))
}

fn unsupported(what: &str) -> Fault {
    Fault::Unsupported(what.to_owned())
}

impl Target {
    /// The exact address.
    fn address(&self) -> Result<u64, Fault> {
        match *self {
            Target::Near(address) | Target::Far { address: Some(address), .. } => Ok(address),
            Target::Number(_) => Err(unsupported("it needs the distance to a number")),
            Target::Far { address: None, .. } => {
                Err(unsupported("it uses the address of a shared library's symbol directly"))
            }
        }
    }
    /// The address, or 0 if the dynamic linker fills it in.
    fn word(&self, addend: i64) -> u64 {
        match *self {
            Target::Near(value)
            | Target::Number(value)
            | Target::Far { address: Some(value), .. } => value.wrapping_add_signed(addend),
            Target::Far { address: None, .. } => 0,
        }
    }
    /// An address in the image that has the same effect when it is called.
    fn callable(&self) -> Result<u64, Fault> {
        match *self {
            Target::Far { stub, .. } => Ok(stub),
            _ => self.address(),
        }
    }
}

/// The distance from the site to an address.
fn distance(site: &Site, to: u64) -> i64 {
    to.wrapping_add_signed(site.addend).wrapping_sub(site.address) as i64
}

fn write<const N: usize>(at: &mut [u8], bytes: [u8; N]) -> Result<(), Fault> {
    *at.first_chunk_mut().ok_or(OUTSIDE)? = bytes;
    Ok(())
}
