//! The types of MIR: structural, closed (no names to look up) and finite, because everything
//! behind a pointer is opaque.

use cm_base::{Interned, Name, Scratch, scratch};
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};
use std::{rc::Rc, sync::LazyLock};

/// An interned MIR type.
pub type Ty = Interned<TyKind>;

/// A MIR type.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum TyKind {
    /// No value; results only.
    Void,
    /// One byte, 0 or 1.
    Bool,
    /// `bits` is 8, 16, 32 or 64. `char` is an unsigned 8-bit integer, a plain enum a signed
    /// 32-bit one.
    Int {
        /// Width.
        bits: u8,
        /// Two's complement, or modulo 2^bits.
        signed: bool,
    },
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
    /// A machine pointer to anything; `cstring` too.
    Ptr,
    /// A string: pointer to its NUL-terminated bytes (`docs/abi.md`). Null is the empty string.
    Str,
    /// A slice: pointer to its [`slice_header`]. Null is an empty slice that nobody shares.
    Slice,
    /// A function value: pointer to an object whose first word is the code address and whose
    /// captures follow ([`closure_object`]). Null is `null`.
    Func,
    /// An interface value: pointer to the object, pointer to its method table.
    Iface,
    /// A fixed array.
    Array(Ty, u64),
    /// A struct in C layout.
    Struct {
        /// For dumps; part of identity.
        name: Name,
        /// In declaration order. An empty struct has size 1.
        fields: Vec<Ty>,
    },
    /// A payload enum or a union: a 32-bit tag at offset 0, then the payload of the variant at
    /// the first offset aligned for all of them.
    Tagged {
        /// For dumps; part of identity.
        name: Name,
        /// Payload type of each tag; `Void` for none.
        variants: Vec<Ty>,
    },
}

/// Constructors of types.
impl TyKind {
    /// Interns it.
    pub fn intern(self) -> Ty {
        let known = Known::get();
        match self {
            TyKind::Void => known.void,
            TyKind::Bool => known.bool,
            TyKind::Int { bits, signed: true } => TyKind::signed(bits),
            TyKind::Int { bits, signed: false } => TyKind::unsigned(bits),
            TyKind::F32 => known.f32,
            TyKind::F64 => known.f64,
            TyKind::Ptr => known.ptr,
            TyKind::Str => known.str,
            TyKind::Slice => known.slice,
            TyKind::Func => known.func,
            TyKind::Iface => known.iface,
            TyKind::Array(..) | TyKind::Struct { .. } | TyKind::Tagged { .. } => {
                Interned::new(self)
            }
        }
    }
    /// A signed integer.
    #[inline]
    pub fn signed(bits: u8) -> Ty {
        let known = Known::get();
        match bits {
            8 => known.i8,
            16 => known.i16,
            32 => known.i32,
            64 => known.i64,
            _ => Interned::new(TyKind::Int { bits, signed: true }),
        }
    }
    /// An unsigned integer.
    #[inline]
    pub fn unsigned(bits: u8) -> Ty {
        let known = Known::get();
        match bits {
            8 => known.u8,
            16 => known.u16,
            32 => known.u32,
            64 => known.u64,
            _ => Interned::new(TyKind::Int { bits, signed: false }),
        }
    }
    /// Lives in a register: not an array, a struct, a tagged or an interface value.
    pub fn is_scalar(&self) -> bool {
        use TyKind::{Array, Iface, Struct, Tagged, Void};
        !matches!(self, Void | Array(..) | Struct { .. } | Tagged { .. } | Iface)
    }
    /// A reference to a counted object (`docs/abi.md`); an interface value may be one.
    pub fn is_reference(&self) -> bool {
        matches!(self, TyKind::Str | TyKind::Slice | TyKind::Func | TyKind::Iface)
    }
    /// A machine pointer in some role.
    pub fn is_pointer_like(&self) -> bool {
        matches!(self, TyKind::Ptr | TyKind::Str | TyKind::Slice | TyKind::Func)
    }
}

/// Types that are needed often, interned once.
#[expect(missing_docs, reason = "the types they are called by")]
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub void: Ty,
    pub bool: Ty,
    pub i8: Ty,
    pub u8: Ty,
    pub i16: Ty,
    pub u16: Ty,
    pub i32: Ty,
    pub u32: Ty,
    pub i64: Ty,
    pub u64: Ty,
    pub f32: Ty,
    pub f64: Ty,
    pub ptr: Ty,
    pub str: Ty,
    pub slice: Ty,
    pub func: Ty,
    pub iface: Ty,
}

impl Known {
    /// The only one.
    pub fn get() -> &'static Known {
        static KNOWN: LazyLock<Known> = LazyLock::new(|| {
            let int = |bits, signed| Interned::new(TyKind::Int { bits, signed });
            Known {
                void: Interned::new(TyKind::Void),
                bool: Interned::new(TyKind::Bool),
                i8: int(8, true),
                u8: int(8, false),
                i16: int(16, true),
                u16: int(16, false),
                i32: int(32, true),
                u32: int(32, false),
                i64: int(64, true),
                u64: int(64, false),
                f32: Interned::new(TyKind::F32),
                f64: Interned::new(TyKind::F64),
                ptr: Interned::new(TyKind::Ptr),
                str: Interned::new(TyKind::Str),
                slice: Interned::new(TyKind::Slice),
                func: Interned::new(TyKind::Func),
                iface: Interned::new(TyKind::Iface),
            }
        });
        &KNOWN
    }
}

/// Size and alignment in bytes, on a 64-bit target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// A multiple of `align`.
    pub size: u64,
    /// A power of two.
    pub align: u64,
}

/// Where the parts of a composed type are.
#[derive(Debug)]
struct Composition {
    layout: Layout,
    /// Of each field of a struct; of the payload of a tagged type.
    offsets: Vec<u64>,
}

thread_local! {
    /// Types live as long as the process, and types with many parts are asked for each of them.
    static COMPOSITIONS: Scratch<FxHashMap<Ty, Rc<Composition>>> =
        const { scratch(FxHashMap::with_hasher(FxBuildHasher)) };
}

/// The composition of a struct or tagged type.
fn composition(ty: Ty) -> Rc<Composition> {
    if let Some(known) = COMPOSITIONS.with_borrow(|known| known.get(&ty).cloned()) {
        return known;
    }
    let composition = Rc::new(match ty.get() {
        TyKind::Struct { fields, .. } => {
            let mut align = 1;
            let mut end = 0;
            let offsets = fields.iter().map(|field| {
                let (offset, own) = append(&mut end, *field);
                align = align.max(own);
                offset
            });
            let offsets = offsets.collect();
            Composition { layout: Layout { size: round_up(end, align).max(1), align }, offsets }
        }
        TyKind::Tagged { variants, .. } => {
            let (align, size) = payloads(variants);
            let size = round_up(align.saturating_add(size), align);
            Composition { layout: Layout { size, align }, offsets: vec![align] }
        }
        _ => Composition { layout: Layout { size: 0, align: 1 }, offsets: Vec::new() },
    });
    COMPOSITIONS.with_borrow_mut(|known| known.insert(ty, composition.clone()));
    composition
}

/// Where a field of a struct begins, or the payload of a tagged value; 0 if there is none.
pub fn part_offset(ty: Ty, index: u32) -> u64 {
    composition(ty).offsets.get(index as usize).copied().unwrap_or(0)
}

/// The layout of a type.
pub fn layout(ty: Ty) -> Layout {
    let same = |n| Layout { size: n, align: n };
    match ty.get() {
        TyKind::Void => Layout { size: 0, align: 1 },
        TyKind::Bool => same(1),
        TyKind::Int { bits, .. } => same(u64::from(*bits) / 8),
        TyKind::F32 => same(4),
        TyKind::F64 => same(8),
        TyKind::Ptr | TyKind::Str | TyKind::Slice | TyKind::Func => same(8),
        TyKind::Iface => Layout { size: 16, align: 8 },
        TyKind::Array(elem, len) => {
            let elem = layout(*elem);
            Layout { size: elem.size.saturating_mul(*len), align: elem.align }
        }
        TyKind::Struct { .. } | TyKind::Tagged { .. } => composition(ty).layout,
    }
}

/// Puts a field behind `end`; its offset and alignment.
fn append(end: &mut u64, field: Ty) -> (u64, u64) {
    let layout = layout(field);
    let offset = round_up(*end, layout.align);
    *end = offset.saturating_add(layout.size);
    (offset, layout.align)
}

/// The alignment of a tagged type (where its payloads begin too) and the size of the largest payload.
fn payloads(variants: &[Ty]) -> (u64, u64) {
    variants
        .iter()
        .map(|v| layout(*v))
        .fold((4, 0), |(align, size), payload| (align.max(payload.align), size.max(payload.size)))
}

/// The offset of each field, and the end of the last.
pub fn field_offsets(fields: &[Ty]) -> (Vec<u64>, u64) {
    let mut end = 0;
    let offsets = fields.iter().map(|field| append(&mut end, *field).0).collect();
    (offsets, end)
}

/// Where the payload of a tagged type begins.
pub fn payload_offset(variants: &[Ty]) -> u64 {
    payloads(variants).0
}

/// `n` rounded up to a multiple of `align`.
pub fn round_up(n: u64, align: u64) -> u64 {
    n.div_ceil(align).saturating_mul(align)
}

/// Values of this type are, or have in them, references to counted objects.
pub fn is_counted(ty: Ty) -> bool {
    any_part(ty, &|kind| kind.is_reference())
}

/// The type, or that of a part of its values, is such a one.
pub fn any_part(ty: Ty, found: &dyn Fn(&TyKind) -> bool) -> bool {
    let some = |parts: &[Ty]| {
        stacker::maybe_grow(64 << 10, 1 << 20, || parts.iter().any(|part| any_part(*part, found)))
    };
    found(ty.get())
        || match ty.get() {
            TyKind::Array(elem, _) => some(&[*elem]),
            TyKind::Struct { fields, .. } => some(fields),
            TyKind::Tagged { variants, .. } => some(variants),
            _ => false,
        }
}

/// What a slice points to: data pointer, length and capacity in elements.
pub fn slice_header() -> Ty {
    let word = TyKind::unsigned(64);
    TyKind::Struct { name: Name::new("[]"), fields: vec![TyKind::Ptr.intern(), word, word] }
        .intern()
}

/// What a function value points to: the code address, then the captures.
pub fn closure_object(captures: &[Ty]) -> Ty {
    let fields = std::iter::once(TyKind::Ptr.intern()).chain(captures.iter().copied()).collect();
    TyKind::Struct { name: Name::new("closure"), fields }.intern()
}
