//! Ed25519 signatures (feature `ed25519`).

use crate::sign::{Seal, Signer, Verifier};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::{collections::BTreeMap, fmt, io};

/// A secret key with its public key and epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    secret: SigningKey,
    epoch: u64,
}

impl KeyPair {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn generate(epoch: u64) -> io::Result<KeyPair> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(KeyPair::new(&secret, epoch))
    }

    /// The key of these secret bytes.
    pub fn new(secret: &[u8; 32], epoch: u64) -> KeyPair {
        KeyPair { secret: SigningKey::from_bytes(secret), epoch }
    }

    /// Its secret bytes.
    pub fn secret(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Signer for KeyPair {
    fn signer(&self) -> [u8; 32] {
        self.secret.verifying_key().to_bytes()
    }
    fn epoch(&self) -> u64 {
        self.epoch
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

/// The public keys that are trusted, each from an epoch on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Keyring(BTreeMap<[u8; 32], (VerifyingKey, u64)>);

impl Keyring {
    /// Trusts a key from an epoch on. `false`: it is no key.
    pub fn trust(&mut self, key: [u8; 32], since: u64) -> bool {
        let verifying = VerifyingKey::from_bytes(&key).ok().filter(|key| !key.is_weak());
        let Some(verifying) = verifying else { return false };
        self.0.insert(key, (verifying, since));
        true
    }

    /// Trusts a key no longer.
    pub fn revoke(&mut self, key: &[u8; 32]) {
        self.0.remove(key);
    }
}

impl Verifier for Keyring {
    fn verify(&self, message: &[u8], seal: &Seal) -> bool {
        let signature = Signature::from_bytes(&seal.signature);
        self.0.get(&seal.signer).is_some_and(|(key, since)| {
            seal.epoch >= *since && key.verify_strict(message, &signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn known_signature() {
        let hex = |text: &str| -> Vec<u8> {
            let pairs = text.as_bytes().chunks(2);
            let byte = |pair: &[u8]| {
                str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok())
            };
            pairs.map(|pair| byte(pair).expect("hexadecimal digits")).collect()
        };
        let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let pair = KeyPair::new(&secret.try_into().expect("32 bytes"), 1);
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(pair.signer().to_vec(), public);
        let signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
        assert_eq!(pair.sign(&[0x72]).to_vec(), signature);
    }

    #[test]
    fn weak_keys_are_no_keys() {
        let mut keyring = Keyring::default();
        assert!(!keyring.trust([0; 32], 0));
        let mut one = [0; 32];
        one[0] = 1;
        assert!(!keyring.trust(one, 0));
        assert!(keyring.trust(KeyPair::new(&[5; 32], 1).signer(), 0));
    }
}
