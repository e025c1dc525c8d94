//! MIR as bytes. Types and declarations occur again and again: within one call of [`encode`] each
//! is written once, and later occurrences are its number. What is read is not trusted: no bytes
//! make [`decode`] panic, allocate without bound or overflow the stack.

use crate::{
    mir::{FnDecl, GlobalDecl},
    ty::TyKind,
};
use cm_base::{Scratch, scratch};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{cell::Cell, hash::Hash};

/// No value is encoded in more bytes.
const MAX_BYTES: usize = 1 << 30;
/// How deep types, constants and places may be nested.
const MAX_DEPTH: u32 = 512;

/// The bytes that stand for a value.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let config = bincode::config::standard();
    with_session(|| bincode::serde::encode_to_vec(value, config))
        .expect("MIR holds nothing that bincode cannot write")
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub fn decode<T: de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let config = bincode::config::standard().with_limit::<MAX_BYTES>();
    let (value, read) = with_session(|| bincode::serde::decode_from_slice(bytes, config)).ok()?;
    (read == bytes.len()).then_some(value)
}

thread_local! {
    static SESSION: Scratch<Option<Session>> = const { scratch(None) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What has been written or read so far.
#[derive(Default)]
pub(crate) struct Session {
    types: Table<TyKind>,
    functions: Table<FnDecl>,
    globals: Table<GlobalDecl>,
}

pub(crate) struct Table<T> {
    /// For writing.
    numbers: FxHashMap<T, u32>,
    /// For reading.
    items: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { numbers: FxHashMap::default(), items: Vec::new() }
    }
}

fn with_session<R>(action: impl FnOnce() -> R) -> R {
    let outer = SESSION.with_borrow_mut(|session| session.replace(Session::default()));
    let result = action();
    SESSION.with_borrow_mut(|session| **session = outer);
    result
}

/// Runs `action` one level deeper, on enough stack.
pub(crate) fn nested<R, E: de::Error>(action: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    let depth = DEPTH.get();
    if depth >= MAX_DEPTH {
        return Err(E::custom("nested too deeply"));
    }
    DEPTH.set(depth + 1);
    let result = stacker::maybe_grow(128 << 10, 1 << 20, action);
    DEPTH.set(depth);
    result
}

/// A value that is written once.
pub(crate) trait Shared: Clone + Eq + Hash + 'static {
    fn table(session: &mut Session) -> &mut Table<Self>;
    fn write<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error>;
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error>;
}

/// Implements `Shared`, `Serialize` and `Deserialize` for a type that derives the latter two with
/// `serde(remote = "Self")`.
macro_rules! shared {
    ($type:ty, $table:ident) => {
        impl Shared for $type {
            fn table(session: &mut Session) -> &mut Table<Self> {
                &mut session.$table
            }
            fn write<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, s)
            }
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                nested(|| <$type>::deserialize(d))
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                serialize(self, s)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                deserialize(d)
            }
        }
    };
}

shared!(TyKind, types);
shared!(FnDecl, functions);
shared!(GlobalDecl, globals);

/// Calls `action` with the table of the current session, if there is one.
fn with_table<T: Shared, R>(action: impl FnOnce(&mut Table<T>) -> R) -> Option<R> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(|session| action(T::table(session))))
}

fn serialize<T: Shared, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
    if let Some(Some(number)) = with_table(|table: &mut Table<T>| table.numbers.get(value).copied())
    {
        return s.serialize_newtype_variant("Occurrence", 1, "Again", &number);
    }
    struct First<'a, T>(&'a T);
    impl<T: Shared> Serialize for First<'_, T> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            stacker::maybe_grow(128 << 10, 1 << 20, || self.0.write(s))
        }
    }
    let result = s.serialize_newtype_variant("Occurrence", 0, "First", &First(value))?;
    with_table(|table: &mut Table<T>| {
        let number = table.numbers.len() as u32;
        table.numbers.insert(value.clone(), number);
    });
    Ok(result)
}

fn deserialize<'de, T: Shared, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(bound = "T: Shared")]
    enum Occurrence<T> {
        First(First<T>),
        Again(u32),
    }
    struct First<T>(T);
    impl<'de, T: Shared> Deserialize<'de> for First<T> {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            T::read(d).map(First)
        }
    }
    match Occurrence::<T>::deserialize(d)? {
        Occurrence::First(First(value)) => {
            with_table(|table: &mut Table<T>| table.items.push(value.clone()));
            Ok(value)
        }
        Occurrence::Again(number) => {
            with_table(|table: &mut Table<T>| table.items.get(number as usize).cloned())
                .flatten()
                .ok_or_else(|| de::Error::custom("a number that stands for nothing"))
        }
    }
}

/// Implements `Serialize` and `Deserialize` with a bound on nesting for a type that derives them with
/// `serde(remote = "Self")`.
macro_rules! bounded {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                stacker::maybe_grow(128 << 10, 1 << 20, || <$type>::serialize(self, s))
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                nested(|| <$type>::deserialize(d))
            }
        }
    };
}

bounded!(crate::mir::Const);
bounded!(crate::mir::Place);
