//! The interface of a back end that is a dynamic library: one exported function, [`ENTRY`], gives a
//! [`Table`]. All of it is plain C.

use crate::Target;

/// Changes with anything in this module.
pub const VERSION: u32 = fingerprint(include_bytes!("abi.rs"));

/// FNV-1a.
const fn fingerprint(source: &[u8]) -> u32 {
    let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
    while at < source.len() {
        hash = (hash ^ source[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

/// The exported function, of type [`Entry`].
pub const ENTRY: &str = "cm_backend_table";

/// The type of the exported function.
pub type Entry = extern "C" fn() -> *const Table;

/// Bytes lent to the callee for the length of the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Bytes {
    /// The first.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl Bytes {
    /// Lends a slice.
    pub fn new(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), len: bytes.len() }
    }
    /// The bytes.
    ///
    /// # Safety
    /// Their owner still lends them, and does not change them.
    pub unsafe fn get<'a>(self) -> &'a [u8] {
        // SAFETY: the caller's.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

/// Bytes that belong to the back end until [`Table::free`] gets them back.
#[derive(Debug)]
#[repr(C)]
pub struct Buffer {
    /// The first.
    pub data: *mut u8,
    /// How many.
    pub len: usize,
}

impl Buffer {
    /// Gives bytes away.
    pub fn new(bytes: Vec<u8>) -> Buffer {
        let bytes = Box::leak(bytes.into_boxed_slice());
        Buffer { data: bytes.as_mut_ptr(), len: bytes.len() }
    }
    /// Takes them back.
    ///
    /// # Safety
    /// The same library made it, and it was not taken back before.
    pub unsafe fn take(self) -> Vec<u8> {
        let bytes = std::ptr::slice_from_raw_parts_mut(self.data, self.len);
        // SAFETY: `new` leaked a box of this form.
        unsafe { Box::from_raw(bytes) }.into_vec()
    }
}

/// A [`Target`] and a level.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Options {
    /// See [`Target`].
    pub triple: Bytes,
    /// See [`Target`].
    pub cpu: Bytes,
    /// See [`Target`].
    pub features: Bytes,
    /// 0 to 3.
    pub opt_level: u8,
}

impl Options {
    /// Lends a target.
    pub fn new(target: &Target, opt_level: u8) -> Options {
        Options {
            triple: Bytes::new(target.triple.as_bytes()),
            cpu: Bytes::new(target.cpu.as_bytes()),
            features: Bytes::new(target.features.as_bytes()),
            opt_level,
        }
    }
    /// The target.
    ///
    /// # Safety
    /// Its owner still lends it.
    pub unsafe fn target(&self) -> Target {
        // SAFETY: the caller's.
        let text = |bytes: Bytes| String::from_utf8_lossy(unsafe { bytes.get() }).into_owned();
        Target { triple: text(self.triple), cpu: text(self.cpu), features: text(self.features) }
    }
}

/// What a call made: bytes, or if `ok` is 0 a message.
#[derive(Debug)]
#[repr(C)]
pub struct Outcome {
    /// 0 or 1.
    pub ok: u8,
    /// A length, if the bytes are two results.
    pub length: usize,
    /// The bytes or the message.
    pub buffer: Buffer,
}

/// The functions of [`crate::Backend`].
#[repr(C)]
pub struct Table {
    /// [`VERSION`], always the first word.
    pub version: u32,
    /// [`crate::Backend::identity`].
    pub identity: extern "C" fn() -> Buffer,
    /// [`crate::Backend::bitcode`].
    pub bitcode: extern "C" fn(Bytes, *const Options) -> Outcome,
    /// [`crate::Backend::both`]: the object follows the bitcode, whose length is told.
    pub both: extern "C" fn(Bytes, *const Options) -> Outcome,
    /// [`crate::Backend::object`].
    pub object: extern "C" fn(Bytes, *const Options) -> Outcome,
    /// [`crate::Backend::text`]; the last argument is 0 for LLVM's assembly, 1 for the target's.
    pub text: extern "C" fn(Bytes, *const Options, u8) -> Outcome,
    /// Takes a buffer back.
    pub free: extern "C" fn(Buffer),
}
