//! Code-generation units: what the back end gets, and all it gets.

use crate::{
    codec,
    mir::{Function, Global},
};
use cm_base::Name;
use serde::{Deserialize, Serialize};

/// Some functions and globals that are compiled together. Whatever they refer to and do not
/// define is external. They are its own, or references to what lies elsewhere.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Unit<F = Function, G = Global> {
    /// Project-relative (`geo#0`); becomes the LLVM module's name.
    pub name: Name,
    /// Sorted by symbol.
    pub functions: Vec<F>,
    /// Sorted by symbol.
    pub globals: Vec<G>,
    /// The symbols of functions and globals that nothing outside refers to, sorted.
    pub private: Vec<Name>,
    /// Functions of other units that may be inlined into these, sorted by symbol.
    pub imports: Vec<F>,
}

impl<F, G> Unit<F, G> {
    /// A unit without contents.
    pub fn new(name: Name) -> Self {
        Unit {
            name,
            functions: Vec::new(),
            globals: Vec::new(),
            private: Vec::new(),
            imports: Vec::new(),
        }
    }
}

impl<F: Serialize, G: Serialize> Unit<F, G> {
    /// The bytes that stand for it: input of the back end and, hashed, part of its cache keys. The
    /// names of variables are not among them.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

impl Unit {
    /// Reads what [`Unit::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Unit> {
        codec::decode(bytes)
    }
}

impl Unit<&Function, &Global> {
    /// The same with contents of its own.
    pub fn to_owned(&self) -> Unit {
        Unit {
            name: self.name,
            functions: self.functions.iter().copied().cloned().collect(),
            globals: self.globals.iter().copied().cloned().collect(),
            private: self.private.clone(),
            imports: self.imports.iter().copied().cloned().collect(),
        }
    }
}

/// How a unit is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Options {
    /// 0 to 3.
    pub opt_level: u8,
}
