//! What stops a command, other than errors in the program.

use camino::Utf8Path;
use std::{fmt, io};

/// Why a command could not do its work. The text is complete and says what to do where it can.
#[derive(Debug)]
pub enum Error {
    /// Something about the request or the machine.
    Message(String),
}

impl Error {
    /// A file that cannot be opened.
    pub fn open(path: &Utf8Path, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Error::Message(format!("cannot open {path}"))
            }
            _ => Error::Message(format!("cannot open {path}: {}", reason(error))),
        }
    }
}

/// Why the system refused, without its number for it.
pub fn reason(error: &io::Error) -> String {
    without_number(&error.to_string()).to_owned()
}

pub(crate) fn without_number(message: &str) -> &str {
    message.split(" (os error").next().unwrap_or_default()
}

impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::Message(message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error::Message(message) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Error {}
