//! MIR as bytes. Types and declarations occur again and again: within one call of [`encode`] each
//! is written once, and later occurrences are its number. What is read is not trusted: no bytes
//! make [`decode`] panic, allocate without bound or overflow the stack.

use crate::{
    mir::{FnDecl, GlobalDecl},
    ty::TyKind,
};
use cm_base::{Intern, Interned, Scratch, scratch};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cell::Cell;

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

pub(crate) struct Table<T: 'static> {
    /// For writing.
    numbers: FxHashMap<Interned<T>, u32>,
    /// For reading.
    items: Vec<Interned<T>>,
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

/// An interned value that is written once.
pub(crate) trait Shared: Intern {
    /// Those that the current call has written or read.
    fn seen(session: &mut Session) -> &mut Table<Self>;
}

/// Makes a type interned, and `Shared`.
macro_rules! shared {
    ($type:ty, $table:ident) => {
        cm_base::interned!($type, {
            fn write<S: Serializer>(value: Interned<Self>, s: S) -> Result<S::Ok, S::Error> {
                write(value, s)
            }
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Interned<Self>, D::Error> {
                read(d)
            }
        });
        impl Shared for $type {
            fn seen(session: &mut Session) -> &mut Table<Self> {
                &mut session.$table
            }
        }
    };
}

shared!(TyKind, types);
shared!(FnDecl, functions);
shared!(GlobalDecl, globals);

/// Calls `action` with the table of the current session, if there is one.
fn with_table<T: Shared, R>(action: impl FnOnce(&mut Table<T>) -> R) -> Option<R> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(|session| action(T::seen(session))))
}

fn write<T, S>(value: Interned<T>, s: S) -> Result<S::Ok, S::Error>
where
    T: Shared + Serialize,
    S: Serializer,
{
    let known = |table: &mut Table<T>| table.numbers.get(&value).copied();
    if let Some(Some(number)) = with_table(known) {
        return s.serialize_newtype_variant("Occurrence", 1, "Again", &number);
    }
    struct First<T: 'static>(&'static T);
    impl<T: Serialize> Serialize for First<T> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            stacker::maybe_grow(128 << 10, 1 << 20, || self.0.serialize(s))
        }
    }
    let result = s.serialize_newtype_variant("Occurrence", 0, "First", &First(value.get()))?;
    with_table(|table: &mut Table<T>| {
        let number = table.numbers.len() as u32;
        table.numbers.insert(value, number);
    });
    Ok(result)
}

fn read<'de, T, D>(d: D) -> Result<Interned<T>, D::Error>
where
    T: Shared + Deserialize<'de>,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    enum Occurrence<T> {
        First(First<T>),
        Again(u32),
    }
    struct First<T>(T);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            nested(|| T::deserialize(d)).map(First)
        }
    }
    match Occurrence::<T>::deserialize(d)? {
        Occurrence::First(First(value)) => {
            let value = Interned::new(value);
            with_table(|table| table.items.push(value));
            Ok(value)
        }
        Occurrence::Again(number) => with_table(|table| table.items.get(number as usize).copied())
            .flatten()
            .ok_or_else(|| de::Error::custom("a number that stands for nothing")),
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
bounded!(crate::mir::Projection);
