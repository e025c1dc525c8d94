//! x86-64.

use super::{Dynamic, FAR, Fault, Need, Site, Target, distance, unknown, write};
use object::elf::*;

/// Pages of memory.
pub const PAGE: u64 = 4096;

/// The dynamic linker.
pub const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// Bytes of a stub.
pub const STUB: usize = 8;

/// `jmp *cell(%rip)`
pub fn stub(address: u64, cell: u64) -> [u8; STUB] {
    let distance = cell.wrapping_sub(address + 6) as u32;
    let [a, b, c, d] = distance.to_le_bytes();
    [0xff, 0x25, a, b, c, d, 0xcc, 0xcc]
}

/// `_start`: calls `__libc_start_main(main, argc, argv, 0, 0, rdx, stack)`, as the ABI has it.
pub const START: &[u8] = &[
    0x31, 0xed, // xor %ebp, %ebp
    0x49, 0x89, 0xd1, // mov %rdx, %r9
    0x5e, // pop %rsi
    0x48, 0x89, 0xe2, // mov %rsp, %rdx
    0x48, 0x83, 0xe4, 0xf0, // and $-16, %rsp
    0x50, // push %rax
    0x54, // push %rsp
    0x45, 0x31, 0xc0, // xor %r8d, %r8d
    0x31, 0xc9, // xor %ecx, %ecx
    0x48, 0x8d, 0x3d, 0, 0, 0, 0, // lea main(%rip), %rdi
    0xff, 0x15, 0, 0, 0, 0,    // call *__libc_start_main@GOTPCREL(%rip)
    0xf4, // hlt
];

/// Offset, kind, symbol (`main` or `__libc_start_main`) and addend.
pub const START_RELOCATIONS: &[(u64, RelocationType, usize, i64)] =
    &[(23, R_X86_64_PC32, 2, -4), (29, R_X86_64_GOTPCREL, 3, -4)];

/// What the dynamic linker applies.
pub fn dynamic() -> Dynamic {
    Dynamic { relative: R_X86_64_RELATIVE.0, cell: R_X86_64_GLOB_DAT.0, word: R_X86_64_64.0 }
}

/// A whole address.
pub const WORD: RelocationType = R_X86_64_64;

/// What a relocation needs.
pub fn need(kind: RelocationType) -> Need {
    match kind {
        R_X86_64_GOTPCREL | R_X86_64_GOTPCRELX | R_X86_64_REX_GOTPCRELX => Need::Slot,
        R_X86_64_PLT32 => Need::Stub,
        _ => Need::Nothing,
    }
}

/// Fills in one place.
pub fn apply(
    kind: RelocationType,
    site: &Site,
    target: &Target,
    at: &mut [u8],
) -> Result<(), Fault> {
    let value = match kind {
        WORD => return write(at, target.word(site.addend).to_le_bytes()),
        R_X86_64_PC64 => return write(at, distance(site, target.address()?).to_le_bytes()),
        R_X86_64_PLT32 => distance(site, target.callable()?),
        R_X86_64_PC32 => distance(site, target.address()?),
        kind if need(kind) == Need::Slot => distance(site, site.slot),
        R_X86_64_NONE => return Ok(()),
        kind => return Err(unknown(kind)),
    };
    let value = i32::try_from(value).map_err(|_| FAR)?;
    write(at, value.to_le_bytes())
}
