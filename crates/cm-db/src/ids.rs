//! Stable keys: paths and names, never positions or numbers of this process.

use cm_base::Name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A source file: its path relative to the directory of the program, with `/` and without `.cm`
/// (`geo`, `app/net`, `../shared/x`). Files of the bundled library begin with `@` (`@std/io`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FileId(pub Name);

/// A definition: its file, its path in the file, and a number that tells namesakes (overloads,
/// erroneous second definitions) apart in source order.
///
/// The path of a member holds the type as written in the impl's header: `Point::sum`,
/// `Box<T>::get`, `Point::self`, `Point::~self`, `Point::operator +`. An impl itself is
/// `impl Point`, or `impl Point for Show`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct DefId {
    /// Where it is defined.
    pub file: FileId,
    /// Names from the outermost namespace inwards, joined by `::`.
    pub path: Name,
    /// 0 for the first of this path.
    pub index: u32,
}

impl FileId {
    /// It is a file of the bundled library.
    pub fn is_library(self) -> bool {
        self.0.starts_with('@')
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DefId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.file, self.path)?;
        if self.index > 0 {
            write!(f, "#{}", self.index)?;
        }
        Ok(())
    }
}
