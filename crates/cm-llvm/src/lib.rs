//! Code generation: the bytes of a unit to LLVM bitcode and object code. The only crate with inkwell besides cm-jit.
