//! Cm's mid-level IR. Pure: no queries and no I/O.
//!
//! MIR is monomorphic and explicit: every conversion, bounds check, destructor call and clean-up
//! path is written out, and its types are structural, so a function's MIR changes exactly when the
//! code generated for it may change.

pub mod codec;
pub mod glue;
pub mod interp;
pub mod mir;
pub mod passes;
pub mod runtime;
pub mod text;
pub mod ty;
pub mod typing;
pub mod unit;
pub mod verify;
pub mod visit;

pub use text::{dump, dump_unit, parse_function, parse_unit};
pub use verify::{VerifyError, verify, verify_unit};
