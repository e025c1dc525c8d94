//! Records: what a key was bound to, as bytes that prove themselves.
//!
//! ```text
//! magic, 8 bytes | digest of the key | number of digests, u32 | the digests | checksum
//! ```
//!
//! The checksum is the SHA-256 of all before it. The key is in the record so that a record found
//! at the place of another one is not believed.

use crate::Digest;

const MAGIC: &[u8; 8] = b"casref\x00\x01";
const DIGEST: usize = 32;
const HEADER: usize = MAGIC.len() + DIGEST + 4;

/// The largest record that is read. Allows for some thirty thousand digests.
pub(crate) const MAX_LEN: u64 = 1 << 20;

/// The record that binds `key` to `values`.
pub(crate) fn encode(key: &Digest, values: &[Digest]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + DIGEST * (values.len() + 1));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(&(values.len() as u32).to_le_bytes());
    values.iter().for_each(|value| bytes.extend_from_slice(&value.0));
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(&checksum.0);
    bytes
}

/// What `key` is bound to by a record; `None` if this is no record of that key.
pub(crate) fn decode(key: &Digest, bytes: &[u8]) -> Option<Vec<Digest>> {
    let (body, checksum) = bytes.split_last_chunk::<DIGEST>()?;
    let (header, values) = body.split_at_checked(HEADER)?;
    let (magic, header) = header.split_first_chunk()?;
    let (bound_key, count) = header.split_first_chunk()?;
    let count = u32::from_le_bytes(count.try_into().ok()?) as usize;
    let (values, rest) = values.as_chunks::<DIGEST>();
    let sound = magic == MAGIC
        && *bound_key == key.0
        && count == values.len()
        && rest.is_empty()
        && Digest::of(body).0 == *checksum;
    sound.then(|| values.iter().copied().map(Digest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let key = Digest::of(b"key");
        let values = [Digest::of(b"one"), Digest::of(b"two")];
        let record = encode(&key, &values);
        assert_eq!(decode(&key, &record).as_deref(), Some(&values[..]));
        assert_eq!(decode(&Digest::of(b"other"), &record), None);
        for at in 0..record.len() {
            let mut bad = record.clone();
            bad[at] ^= 1;
            assert_eq!(decode(&key, &bad), None, "byte {at} flipped");
            assert_eq!(decode(&key, &record[..at]), None, "{at} bytes");
        }
        let longer = [&record[..], b"x"].concat();
        assert_eq!(decode(&key, &longer), None);
        assert_eq!(decode(&key, &encode(&key, &[])), Some(vec![]));
    }
}
