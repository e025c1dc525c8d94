//! Names of kinds of entries.

use crate::Error;
use std::fmt;

/// What kind of entry something is, for keys and for people: 1 to 16 of `a-z`, `0-9`, `_`, `-`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; Name::LEN]);

impl Name {
    /// The longest name.
    pub const LEN: usize = 16;
    /// The kind of what nobody named.
    pub const OTHER: Name = Name(*b"other\0\0\0\0\0\0\0\0\0\0\0");

    /// The name that is spelt so.
    ///
    /// # Errors
    /// If it is no name.
    pub fn new(text: &str) -> Result<Name, Error> {
        let mut bytes = [0; Name::LEN];
        match bytes.get_mut(..text.len()) {
            Some(start) if !text.is_empty() => start.copy_from_slice(text.as_bytes()),
            _ => return Err(Error::BadName(text.to_owned())),
        }
        let name = Name::from_bytes(bytes).filter(|name| name.as_str() == text);
        name.ok_or_else(|| Error::BadName(text.to_owned()))
    }

    /// The name that is stored so: its letters, and zeros.
    pub(crate) fn from_bytes(bytes: [u8; Name::LEN]) -> Option<Name> {
        let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(Name::LEN);
        let plain = |c: &u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let sound =
            len > 0 && bytes[..len].iter().all(plain) && bytes[len..].iter().all(|b| *b == 0);
        sound.then_some(Name(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; Name::LEN] {
        &self.0
    }

    /// Its letters.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(Name::LEN);
        str::from_utf8(&self.0[..len]).expect("invariant: names are ASCII")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for good in ["a", "unit_object", "sixteen-letters_"] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "..", "a/b", "Obj", "ä", "a\0", "seventeen-letters"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Name::new("other").unwrap(), Name::OTHER);
        assert_eq!(Name::from_bytes(*b"a\0b\0\0\0\0\0\0\0\0\0\0\0\0\0"), None);
    }
}
