//! Why objects could not be linked.

use std::fmt;

/// Why objects could not be linked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// Nobody defines these.
    Undefined(Vec<Undefined>),
    /// Objects define these more than once.
    Duplicate(Vec<Duplicate>),
    /// What has this name is damaged.
    Damaged(String, String),
    /// What has this name is in order, but needs what only other linkers do.
    Unsupported(String, String),
}

/// A symbol that nobody defines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Undefined {
    /// Its name.
    pub symbol: String,
    /// The first object that refers to it; `None`: the start of the program does.
    pub user: Option<String>,
}

/// A symbol with two definitions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duplicate {
    /// Its name.
    pub symbol: String,
    /// The objects that define it.
    pub objects: [String; 2],
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Undefined(symbols) => write_lines(f, symbols),
            LinkError::Duplicate(symbols) => write_lines(f, symbols),
            LinkError::Damaged(name, what) | LinkError::Unsupported(name, what) => {
                write!(f, "cannot link '{name}': {what}")
            }
        }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undefined symbol '{}'", self.symbol)?;
        self.user.as_ref().map_or(Ok(()), |user| write!(f, ", used by {user}"))
    }
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &self.objects;
        write!(f, "Symbol '{}' is defined twice, by {first} and {second}", self.symbol)
    }
}

fn write_lines(f: &mut fmt::Formatter<'_>, lines: &[impl fmt::Display]) -> fmt::Result {
    for (index, line) in lines.iter().enumerate() {
        let end = if index + 1 < lines.len() { "\n" } else { "" };
        write!(f, "{line}{end}")?;
    }
    Ok(())
}

impl std::error::Error for LinkError {}

/// A result of linking.
pub type Result<T> = std::result::Result<T, LinkError>;
