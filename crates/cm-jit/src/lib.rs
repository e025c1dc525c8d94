//! In-memory linking and execution of objects through LLVM's ORC.
