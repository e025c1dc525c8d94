//! Code-generation units: what the back end gets, and all it gets.

use crate::{
    codec,
    mir::{Function, Global},
};
use cm_base::Name;
use serde::{Deserialize, Serialize};

/// Some functions and globals that are compiled together. Whatever they refer to and do not
/// define is external.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Project-relative (`geo#0`); becomes the LLVM module's name.
    pub name: Name,
    /// Sorted by symbol.
    pub functions: Vec<Function>,
    /// Sorted by symbol.
    pub globals: Vec<Global>,
    /// The symbols of functions and globals that nothing outside refers to, sorted.
    pub private: Vec<Name>,
    /// Functions of other units that may be inlined into these, sorted by symbol.
    pub imports: Vec<Function>,
}

impl Unit {
    /// A unit without contents.
    pub fn new(name: Name) -> Unit {
        Unit {
            name,
            functions: Vec::new(),
            globals: Vec::new(),
            private: Vec::new(),
            imports: Vec::new(),
        }
    }
    /// The bytes that stand for it: input of the back end and, hashed, part of its cache keys.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
    /// Reads what [`Unit::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Unit> {
        codec::decode(bytes)
    }
}

/// How a unit is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Options {
    /// 0 to 3.
    pub opt_level: u8,
}
