//! The functions of the run-time library that MIR calls: one table from which the back end declares
//! them, the JIT resolves them and the interpreter implements them. `docs/abi.md` describes them.

use crate::ty::{Ty, TyKind};
use serde::{Deserialize, Serialize};

macro_rules! runtime {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal ($($param:ident),*) $(-> $ret:ident)?;)*) => {
        /// A function of the run-time library.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum Rt { $($(#[$doc])* $name,)* }
        impl Rt {
            /// All of them.
            pub const ALL: &[Rt] = &[$(Rt::$name,)*];
            /// Its linker symbol.
            pub fn symbol(self) -> &'static str {
                match self { $(Rt::$name => $symbol,)* }
            }
            /// Parameter types; it is called by the C convention.
            pub fn params(self) -> Vec<Ty> {
                match self { $(Rt::$name => vec![$($param(),)*],)* }
            }
            /// Result type.
            pub fn ret(self) -> Ty {
                match self { $(Rt::$name => runtime!(@ret $($ret)?),)* }
            }
        }
    };
    (@ret) => { TyKind::Void.intern() };
    (@ret $ret:ident) => { $ret() };
}

fn str() -> Ty {
    TyKind::Str.intern()
}
fn ptr() -> Ty {
    TyKind::Ptr.intern()
}
fn slice() -> Ty {
    TyKind::Slice.intern()
}
fn bool() -> Ty {
    TyKind::Bool.intern()
}
fn i32() -> Ty {
    TyKind::signed(32)
}
fn i64() -> Ty {
    TyKind::signed(64)
}
fn u64() -> Ty {
    TyKind::unsigned(64)
}
fn u8() -> Ty {
    TyKind::unsigned(8)
}
fn f64() -> Ty {
    TyKind::F64.intern()
}

runtime! {
    /// Writes a string to standard output (C's `stdout` stream).
    Print = "cm_print"(str);
    /// The same and a newline, in one piece.
    Println = "cm_println"(str);
    /// Writes a string to standard error.
    Eprint = "cm_eprint"(str);
    /// Flushes standard output, writes `panic: `, the message and a newline to standard error, exits with 101.
    Panic = "cm_panic"(str);

    /// A new counted object: zeroed memory of this many bytes, and what releases its contents
    /// (glue; may be null). Ends the process when there is no memory.
    Alloc = "cm_alloc"(u64, ptr) -> ptr;
    /// One more reference to an object, which may be null.
    Retain = "cm_retain"(ptr);
    /// One less to a string.
    ReleaseStr = "cm_release_str"(str);
    /// One less to a slice.
    ReleaseSlice = "cm_release_slice"(slice);
    /// One less to what [`Rt::Alloc`] made; may be null.
    Release = "cm_release"(ptr);
    /// `malloc` and `realloc` of C; what no value was written to is zero.
    Malloc = "cm_malloc"(u64) -> ptr;
    /// See [`Rt::Malloc`].
    Realloc = "cm_realloc"(ptr, u64) -> ptr;

    /// Both strings in a new one.
    StrConcat = "cm_str_concat"(str, str) -> str;
    /// Any number of strings in a new one. The function takes an array: pointer to the first, count.
    StrConcatN = "cm_str_concat_n"(ptr, u64) -> str;
    /// As [`Rt::StrConcat`], but takes over the reference to the first string, which grows in place
    /// if it is the only one.
    StrAppend = "cm_str_append"(str, str) -> str;
    /// As [`Rt::StrConcatN`], and as [`Rt::StrAppend`].
    StrAppendN = "cm_str_append_n"(ptr, u64) -> str;
    /// Same bytes.
    StrEq = "cm_str_eq"(str, str) -> bool;
    /// Negative, zero or positive, by unsigned bytes.
    StrCmp = "cm_str_cmp"(str, str) -> i32;
    /// Length in bytes.
    StrLen = "cm_str_len"(str) -> u64;
    /// The byte at an index; 0 if out of range (negative ones too).
    StrAt = "cm_str_at"(str, i64) -> u8;
    /// `s[a:b]` by the rules of `02-types.md` §2.6.
    StrSlice = "cm_str_slice"(str, i64, i64) -> str;
    /// First position, or -1.
    StrIndexOf = "cm_str_index_of"(str, str) -> i64;
    /// Begins with.
    StrStartsWith = "cm_str_starts_with"(str, str) -> bool;
    /// Ends with.
    StrEndsWith = "cm_str_ends_with"(str, str) -> bool;
    /// ASCII upper case.
    StrUpper = "cm_str_upper"(str) -> str;
    /// ASCII lower case.
    StrLower = "cm_str_lower"(str) -> str;
    /// Without blanks at the ends.
    StrTrim = "cm_str_trim"(str) -> str;
    /// n copies.
    StrRepeat = "cm_str_repeat"(str, i64) -> str;
    /// First occurrence of the second replaced by the third.
    StrReplace = "cm_str_replace"(str, str, str) -> str;
    /// FNV-1a, 32 bits (derived `hash`).
    StrHash = "cm_str_hash"(str) -> i32;
    /// A copy of foreign bytes up to the NUL; null gives "".
    StrFromC = "cm_str_from_c"(ptr) -> str;
    /// A copy of this many bytes.
    StrFromBytes = "cm_str_from_bytes"(ptr, u64) -> str;

    /// Value, width in bits (for `x`, `b`, `o`), packed format spec.
    FmtSigned = "cm_fmt_signed"(i64, i32, u64) -> str;
    /// Value, width in bits, spec.
    FmtUnsigned = "cm_fmt_unsigned"(u64, i32, u64) -> str;
    /// Value, spec.
    FmtFloat = "cm_fmt_float"(f64, u64) -> str;
    /// Value, spec.
    FmtBool = "cm_fmt_bool"(bool, u64) -> str;
    /// Value, spec.
    FmtChar = "cm_fmt_char"(u8, u64) -> str;
    /// Value, spec.
    FmtStr = "cm_fmt_str"(str, u64) -> str;

    /// A new slice: element size, length (elements zeroed), capacity (at least the length), and what
    /// releases elements (glue; null if they hold no references).
    SliceNew = "cm_slice_new"(u64, u64, u64, ptr) -> slice;
    /// Pointer to the place of the slice, element size, glue: makes room for one more element (and a
    /// buffer, if the place holds null), adds one to the length, gives the address of the new last
    /// element, which is undefined.
    SlicePush = "cm_slice_push"(ptr, u64, ptr) -> ptr;
    /// Slice, element size, glue: the slow part of [`Rt::SlicePush`], which optimized code does without the
    /// call where there is room. The same slice, or a new one for null, with room for more elements.
    SliceGrow = "cm_slice_grow"(slice, u64, ptr) -> slice;
    /// Slice, element size, index: removes an element, shifting the rest; nothing if out of range.
    SliceRemove = "cm_slice_remove"(slice, u64, i64);
    /// Data pointer, length, element size, bounds a and b by the rules of `02-types.md` §2.5, glue: a
    /// new slice of copies of the bytes.
    SliceSub = "cm_slice_sub"(ptr, u64, u64, i64, i64, ptr) -> slice;
}

impl Rt {
    /// The types of so many operands in MIR. They are those of the parameters, but for functions of
    /// any number of strings.
    pub fn operands(self, count: usize) -> Vec<Ty> {
        if self.is_variadic() { vec![str(); count] } else { self.params() }
    }
    /// Takes any number of strings.
    pub fn is_variadic(self) -> bool {
        matches!(self, Rt::StrConcatN | Rt::StrAppendN)
    }
    /// The function that does the same but takes over the first operand, of which it makes its result.
    pub fn consuming(self) -> Option<Rt> {
        match self {
            Rt::StrConcat => Some(Rt::StrAppend),
            Rt::StrConcatN => Some(Rt::StrAppendN),
            _ => None,
        }
    }
}

/// A format spec (`04-expressions.md` §4.11), packed into one word for the run-time library:
/// bits 0-7 fill byte, 8-9 alignment (0 none, 1 left, 2 right, 3 centre), 10 zero padding,
/// 11-15 type letter as `letter & 31` plus bit 16 for upper case, 17-39 width, 40-62 precision + 1.
/// The default spec is 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct FormatSpec {
    /// Padding byte; 0 means a space.
    pub fill: u8,
    /// `<`, `>` or `^`; 0 for none.
    pub align: u8,
    /// `0` before the width.
    pub zero: bool,
    /// Minimum number of bytes.
    pub width: u32,
    /// After the point.
    pub precision: Option<u32>,
    /// `x X b o e E f`; 0 for none.
    pub kind: u8,
}

impl FormatSpec {
    /// Largest width and precision that can be packed.
    pub const MAX: u32 = (1 << 22) - 1;
    /// As one word.
    pub fn pack(self) -> u64 {
        let align = match self.align {
            b'<' => 1,
            b'>' => 2,
            b'^' => 3,
            _ => 0u64,
        };
        let upper = u64::from(self.kind.is_ascii_uppercase());
        u64::from(self.fill)
            | align << 8
            | u64::from(self.zero) << 10
            | u64::from(self.kind & 31) << 11
            | upper << 16
            | u64::from(self.width.min(Self::MAX)) << 17
            | self.precision.map_or(0, |p| u64::from(p.min(Self::MAX)) + 1) << 40
    }
    /// Reverses [`FormatSpec::pack`].
    pub fn unpack(word: u64) -> FormatSpec {
        let letter = (word >> 11 & 31) as u8;
        let kind = match (letter, word >> 16 & 1) {
            (0, _) => 0,
            (letter, 1) => letter | 64,
            (letter, _) => letter | 96,
        };
        FormatSpec {
            fill: word as u8,
            align: [0, b'<', b'>', b'^'][(word >> 8 & 3) as usize],
            zero: word >> 10 & 1 == 1,
            width: (word >> 17) as u32 & ((1 << 23) - 1),
            precision: ((word >> 40) as u32 & ((1 << 23) - 1)).checked_sub(1),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FormatSpec;

    #[test]
    fn packed_specs_are_read_back() {
        for kind in [0, b'x', b'X', b'b', b'o', b'e', b'E', b'f'] {
            for precision in [None, Some(0), Some(2), Some(FormatSpec::MAX)] {
                let spec =
                    FormatSpec { fill: b'*', align: b'^', zero: true, width: 77, precision, kind };
                assert_eq!(FormatSpec::unpack(spec.pack()), spec);
            }
        }
        assert_eq!(FormatSpec::default().pack(), 0);
    }
}
