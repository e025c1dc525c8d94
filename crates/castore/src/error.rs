//! Why a write failed.

use std::{fmt, io, path::PathBuf};

/// Why something could not be written. Reading has no errors: what cannot be read is absent.
#[derive(Debug)]
pub enum Error {
    /// The directory of the store exists and is something else, which is not ours to move away.
    NotADirectory(PathBuf),
    /// A name of records that is not made of `a-z`, `0-9`, `_` and `-`.
    BadName(String),
    /// The system refused: no permission, no space, a read-only file system.
    Io {
        /// What was attempted, as in "cannot …".
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotADirectory(path) => write!(f, "{} is not a directory", path.display()),
            Error::BadName(name) => write!(f, "{name:?} is not a name of records"),
            Error::Io { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::NotADirectory(_) | Error::BadName(_) => None,
        }
    }
}
