//! Interned identifiers and paths.

use crate::{
    Scratch,
    intern::{Interned, Table},
    scratch,
};
use rustc_hash::FxHasher;
use std::{
    borrow::Borrow,
    cell::Cell,
    fmt::{self, Write as _},
    hash::Hasher,
    mem,
    sync::LazyLock,
};

/// The contents of a [`Name`].
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Box<str>);

impl crate::Intern for Text {
    fn table() -> &'static LazyLock<Table<Self>> {
        static TABLE: LazyLock<Table<Text>> = LazyLock::new(Default::default);
        &TABLE
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.into())
    }
}

/// How many names each thread remembers.
const RECENT: usize = 1024;

thread_local! {
    /// The names that were interned last, by a hash of their text: saves the lock and the hash that
    /// is the same on every machine.
    static NAMES: [Cell<Option<Name>>; RECENT] = const { [const { Cell::new(None) }; RECENT] };
}

/// An interned string: an identifier, a module path, a literal. Compares by address, orders and
/// hashes by contents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Interned<Text>);

impl Name {
    /// Interns `text`.
    pub fn new(text: &str) -> Name {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        let hash = hasher.finish() as usize;
        NAMES.with(|names| {
            let slot = &names[hash % RECENT];
            match slot.get() {
                Some(name) if name.as_str() == text => name,
                _ => {
                    let name = Name(Interned::of(text));
                    slot.set(Some(name));
                    name
                }
            }
        })
    }
    /// Interns what a value shows as, without a string for it.
    pub fn shown(value: &impl fmt::Display) -> Name {
        thread_local! { static TEXT: Scratch<String> = const { scratch(String::new()) }; }
        TEXT.with(|buffer| {
            // Taken, not borrowed: showing may itself intern what something shows as.
            let mut text = mem::take(&mut **buffer.borrow_mut());
            text.clear();
            write!(text, "{value}").expect("invariant: writing to a string cannot fail");
            let name = Name::new(&text);
            **buffer.borrow_mut() = text;
            name
        })
    }
    /// The text, for the life of the process.
    pub fn as_str(self) -> &'static str {
        &self.0.get().0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::new(text)
    }
}
impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::new(&text)
    }
}
impl std::ops::Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}
impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                Ok(Name::new(text))
            }
        }
        d.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn names_are_interned_and_ordered_by_contents() {
        let (a, b) = (Name::new("alpha"), Name::new("beta"));
        assert_eq!(a, Name::new("alpha"));
        assert!(a < b && a == "alpha");
        assert_eq!(Name::shown(&format_args!("al{}a", "ph")), a);
    }
}
