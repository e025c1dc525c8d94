//! Types that every body meets, interned once, and the classes of types that rules speak of.

use crate::ty::{FloatTy, IntTy, Ty, TyKind};
use std::sync::LazyLock;

/// See [`TY`].
pub(crate) struct Common {
    pub error: Ty,
    pub void: Ty,
    pub null: Ty,
    pub bool: Ty,
    pub char: Ty,
    pub int: Ty,
    pub uint: Ty,
    pub long: Ty,
    pub ulong: Ty,
    pub usize: Ty,
    pub float: Ty,
    pub double: Ty,
    pub str: Ty,
    pub void_ptr: Ty,
    ints: [Ty; 10],
}

const INTS: [IntTy; 10] = [
    IntTy::Tiny,
    IntTy::Short,
    IntTy::Int,
    IntTy::Long,
    IntTy::Isize,
    IntTy::Utiny,
    IntTy::Ushort,
    IntTy::Uint,
    IntTy::Ulong,
    IntTy::Usize,
];

impl Common {
    /// The interned integer type.
    pub fn int_ty(&self, int: IntTy) -> Ty {
        self.ints[int as usize]
    }
}

/// The types that need no look-up.
pub(crate) static TY: LazyLock<Common> = LazyLock::new(|| {
    let ints = INTS.map(|int| TyKind::Int(int).intern());
    let void = TyKind::Void.intern();
    Common {
        error: TyKind::Error.intern(),
        void,
        null: TyKind::Null.intern(),
        bool: TyKind::Bool.intern(),
        char: TyKind::Char.intern(),
        int: ints[IntTy::Int as usize],
        uint: ints[IntTy::Uint as usize],
        long: ints[IntTy::Long as usize],
        ulong: ints[IntTy::Ulong as usize],
        usize: ints[IntTy::Usize as usize],
        float: TyKind::Float(FloatTy::Float).intern(),
        double: TyKind::Float(FloatTy::Double).intern(),
        str: TyKind::Str.intern(),
        void_ptr: TyKind::Pointer { to: void, is_const: false }.intern(),
        ints,
    }
});

/// The integer type, if it is one.
pub(crate) fn int_of(ty: Ty) -> Option<IntTy> {
    match *ty {
        TyKind::Int(int) => Some(int),
        _ => None,
    }
}

/// The floating type, if it is one.
pub(crate) fn float_of(ty: Ty) -> Option<FloatTy> {
    match *ty {
        TyKind::Float(float) => Some(float),
        _ => None,
    }
}

/// Integer or floating.
pub(crate) fn is_numeric(ty: Ty) -> bool {
    matches!(*ty, TyKind::Int(_) | TyKind::Float(_))
}

/// An error was reported for it.
pub(crate) fn is_error(ty: Ty) -> bool {
    matches!(*ty, TyKind::Error)
}

/// The type that a literal type is one over; other types as they are.
pub(crate) fn base(ty: Ty) -> Ty {
    match *ty {
        TyKind::Literal(base, _) => base,
        _ => ty,
    }
}

/// `T*`.
pub(crate) fn pointer(to: Ty, is_const: bool) -> Ty {
    TyKind::Pointer { to, is_const }.intern()
}

/// The common type of two integer types: the wider, else the left one.
pub(crate) fn common_int(left: IntTy, right: IntTy) -> IntTy {
    if right.bits() > left.bits() { right } else { left }
}

/// The common type of two numeric types (`04-expressions.md` §4.3 and §4.4).
pub(crate) fn common_number(left: Ty, right: Ty) -> Option<Ty> {
    if left == right && is_numeric(left) {
        return Some(left);
    }
    let wide = |float: FloatTy| float.bits() == 64;
    let float = match (&*left, &*right) {
        (TyKind::Int(l), TyKind::Int(r)) => return Some(TY.int_ty(common_int(*l, *r))),
        (TyKind::Float(l), TyKind::Float(r)) => wide(*l) || wide(*r),
        (TyKind::Float(f), TyKind::Int(_)) | (TyKind::Int(_), TyKind::Float(f)) => wide(*f),
        _ => return None,
    };
    Some(if float { TY.double } else { TY.float })
}
