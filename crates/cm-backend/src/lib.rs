//! The back end as a dynamic library: bytes in, bytes out, so that the cm command itself contains no LLVM.
