//! Content-addressed store: digest to bytes, verified on every read.
//!
//! A [`Store`] is a directory that any number of processes use at once:
//!
//! ```text
//! CACHEDIR.TAG      tells backup programs to leave the directory out
//! cas/index         where everything is, and in which order it was used
//! cas/segments/     files of entries, one after the other, each with a header and a checksum
//! cas/holds/        locked by processes that use the store
//! quarantine/       some of what was found where an entry should be, and was not one
//! ```
//!
//! An entry is a *blob*, found by its BLAKE3, or a *record*, found by a name and a key, which
//! holds digests of blobs. The store never knows what its bytes mean.
//!
//! It is a cache. What it holds can be lost at any time and must be able to be made again, so a
//! bad entry is counted, set aside and reported as absent, never as a failure. Only
//! [`Store::commit`] can fail, and its caller decides what that means.
//!
//! # Writing
//!
//! [`Store::put`] and [`Store::bind`] only collect; [`Store::commit`] writes all of it with a few
//! system calls: it reserves a part of a segment, writes there, and makes it known in the index.
//! Nobody else writes to a part that is reserved, so processes write at once, and the index is
//! locked for microseconds.
//!
//! # Reading
//!
//! A hit takes the lock of the index, finds its entry in pages that are mapped, and notes the use: one
//! write of a few bytes, into a part of the index that has room for some hundred of them. Whatever
//! else is done with the index first puts those that are noted into the order of use, and so does a
//! hit that finds no room (`index::uses`). So the order is exact whenever anybody looks at it, and a
//! process that is killed has noted all that it used. Several blobs are looked up under one lock, and
//! their uses noted in one write ([`Store::views`]).
//!
//! A segment is mapped as a whole when it is first needed, and again when what is needed was written
//! since. Before anything there is looked at it is brought into memory, so a file that was cut off, or
//! a disk that fails, is noticed there; then, and where a file may not be mapped, it is read.
//!
//! # Signing
//!
//! Whoever can write into the directory can bind a key to other digests. Where that matters, a store
//! signs its records and demands a good signature ([`Store::signed`]); without that it costs nothing.
//!
//! # What always holds
//!
//! * An entry is in the index only after it has been written. What a process that was killed has
//!   reserved is waste, and goes when its segment does.
//! * What is written in a segment is never changed, and no segment is made shorter. Entries are moved
//!   by copying, and files are deleted, so a blob can be lent from its file ([`Store::view`]).
//! * The index is changed by transactions (`index::pages`), so a process may be killed anywhere.
//!   It is a hint all the same: every page has a checksum, every link is compared with its
//!   opposite, every entry with its own header and digest. If anything is wrong with it, it is made
//!   anew from the segments. Nothing is synchronized to the disk: what a power failure leaves is
//!   treated like any other damage.
//! * The files together never take more than [`Config::max_size`]: room is made in the index, by
//!   evicting what was used longest ago, before any is taken. Others who keep files in the directory
//!   ask for room as well ([`Store::beside`], [`Store::reserve`]). A cap that was lowered takes effect when
//!   the store is used next ([`Store::fit`]). The order of use is exact across
//!   processes, and every use is a constant number of steps, taken together.
//! * What a running process has used is not evicted ([`Store::release`]). What there is no room
//!   for is refused, and stays in the memory of the process that put it.
//! * A file that others can write, or that belongs to neither the user nor the owner of the
//!   directory, is as good as damaged.
//! * Nothing follows a link out of the directory, and no name in it comes from outside.

mod beside;
mod bytes;
mod collected;
mod digest;
#[cfg(feature = "ed25519")]
pub mod ed25519;
mod error;
mod hold;
mod home;
mod index;
mod inspect;
mod lock;
mod mapped;
mod name;
mod pack;
mod place;
mod read;
mod rebuild;
mod room;
mod segment;
mod sign;
mod store;
#[cfg(feature = "shuttle")]
pub mod sync;
#[cfg(not(feature = "shuttle"))]
mod sync;
mod transaction;
mod write;

pub use beside::Reserved;
pub use bytes::Bytes;
pub use digest::{Digest, Hasher, ParseDigestError};
pub use error::Error;
pub use index::{Latest, Totals, Usage};
pub use inspect::{EntryInfo, Verified};
pub use name::Name;
pub use sign::{Seal, Signer, Signing, Verifier};
pub use store::{Config, Stats, Store, Summary};
