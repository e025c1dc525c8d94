//! Signed records: who may say what a key stands for.
//!
//! A blob needs no signature, since its digest says what it is. A record is a claim: whoever can
//! write into the directory can make one. A store with [`Signing`] adds a [`Seal`] to what it
//! binds, and may demand one of a signer that it trusts of what it looks up. How signatures are
//! made is not its concern ([`Signer`], [`Verifier`]); the feature `ed25519` has one way.
//!
//! What is signed is a fixed text, then the key of the record, the signer, the epoch, the length of
//! the identity and the identity of the program that made it, and the digests. So a seal is good
//! for one record of one program alone.

use crate::Digest;
use std::fmt;

/// What a record is sealed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    /// The public key.
    pub signer: [u8; 32],
    /// A number that a signer counts up; a verifier may demand a least one.
    pub epoch: u64,
    /// The signature.
    pub signature: [u8; 64],
}

/// Makes signatures.
pub trait Signer: Send + Sync {
    /// The public key.
    fn signer(&self) -> [u8; 32];
    /// The epoch of what is signed now.
    fn epoch(&self) -> u64;
    /// The signature of a message.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Judges signatures.
pub trait Verifier: Send + Sync {
    /// Whether the signer of a seal is trusted, in its epoch, and has signed this message.
    fn verify(&self, message: &[u8], seal: &Seal) -> bool;
}

/// How a store uses signatures.
pub struct Signing {
    /// What is signed together with each record: the identity of the program that makes them.
    pub identity: Vec<u8>,
    /// Signs what is bound. Without one and with `required`, records stay in memory: nobody would
    /// accept them later.
    pub signer: Option<Box<dyn Signer>>,
    /// Judges what is looked up, if that is `required`.
    pub verifier: Box<dyn Verifier>,
    /// A record without a good seal is a miss.
    pub required: bool,
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("required", &self.required).finish_non_exhaustive()
    }
}

impl Signing {
    /// Adds a seal to a record, if there is a signer.
    pub(crate) fn seal(&self, key: &Digest, record: &mut Vec<u8>) {
        let Some(signer) = &self.signer else { return };
        let (public, epoch) = (signer.signer(), signer.epoch());
        let signature = signer.sign(&self.message(key, &public, epoch, record));
        record.extend(public);
        record.extend(epoch.to_le_bytes());
        record.extend(signature);
    }

    /// Whether a record may be used.
    pub(crate) fn accepts(&self, key: &Digest, record: &[u8]) -> bool {
        let (digests, seal) = split(record);
        !self.required || seal.is_some_and(|seal| self.is_good(key, digests, &seal))
    }

    /// Whether a seal is that of a record, by somebody who is trusted.
    pub(crate) fn is_good(&self, key: &Digest, digests: &[u8], seal: &Seal) -> bool {
        let message = self.message(key, &seal.signer, seal.epoch, digests);
        self.verifier.verify(&message, seal)
    }

    fn message(&self, key: &Digest, signer: &[u8; 32], epoch: u64, digests: &[u8]) -> Vec<u8> {
        let mut message = b"castore record\0\x02".to_vec();
        message.extend(key.0);
        message.extend(signer);
        message.extend(epoch.to_le_bytes());
        message.extend((self.identity.len() as u64).to_le_bytes());
        message.extend(&self.identity);
        message.extend(digests);
        message
    }
}

/// Bytes of a seal in a record. Digests have 32 bytes, so the length of a record tells whether it
/// has a seal.
const SEAL: usize = 32 + 8 + 64;

/// The digests in a record, and its seal.
pub(crate) fn split(record: &[u8]) -> (&[u8], Option<Seal>) {
    if record.len() % 32 != SEAL % 32 {
        return (record, None);
    }
    let Some((digests, seal)) = record.split_last_chunk::<SEAL>() else { return (record, None) };
    let part = |at: usize| seal[at..].first_chunk().copied();
    let numbers = (part(0), seal[32..].first_chunk(), seal[40..].first_chunk());
    let (Some(signer), Some(epoch), Some(signature)) = numbers else { return (record, None) };
    (digests, Some(Seal { signer, epoch: u64::from_le_bytes(*epoch), signature: *signature }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_found_by_the_length_of_the_record() {
        for digests in 0..4 {
            let mut record = vec![7; 32 * digests];
            assert_eq!(split(&record), (&record[..], None));
            record.extend([1; 32]);
            record.extend(9_u64.to_le_bytes());
            record.extend([2; 64]);
            let seal = Seal { signer: [1; 32], epoch: 9, signature: [2; 64] };
            assert_eq!(split(&record), (&vec![7; 32 * digests][..], Some(seal)));
            // What is too short or too long for its form is no seal.
            assert_eq!(split(&record[1..]).1, None);
        }
        assert_eq!(split(&[0; 8]), (&[0; 8][..], None));
    }
}
