//! Compressed blobs (feature `zstd`): the length of the contents in eight bytes, and a frame of
//! Zstandard.

/// Contents that are larger than their compressed form by more than this factor are not compressed,
/// so that nobody allocates much for little.
const MOST: u64 = 64;
/// Less than this is not worth a frame.
#[cfg(feature = "zstd")]
const LEAST: usize = 512;

/// The compressed form, if it is smaller by an eighth at least.
#[cfg(feature = "zstd")]
pub(crate) fn pack(bytes: &[u8], level: i32) -> Option<Vec<u8>> {
    if bytes.len() < LEAST {
        return None;
    }
    let mut packed = vec![0; bytes.len() - bytes.len() / 8];
    let frame = zstd::bulk::compress_to_buffer(bytes, &mut packed[8..], level).ok()?;
    packed.truncate(8 + frame);
    packed[..8].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    (len(&packed) == Some(bytes.len())).then_some(packed)
}

/// Without the feature nothing is compressed.
#[cfg(not(feature = "zstd"))]
pub(crate) fn pack(_: &[u8], _: i32) -> Option<Vec<u8>> {
    None
}

/// The length of the contents; `None`: it is not one that [`pack`] allows.
pub(crate) fn len(packed: &[u8]) -> Option<usize> {
    let len = u64::from_le_bytes(*packed.first_chunk()?);
    (len <= MOST * packed.len() as u64).then_some(len as usize)
}

/// Fills `bytes`, which have the length that [`len`] gave. `false`: it is not the compressed form
/// of so many bytes.
#[cfg(feature = "zstd")]
pub(crate) fn unpack(packed: &[u8], bytes: &mut [u8]) -> bool {
    let frame = packed.get(8..).unwrap_or_default();
    zstd::bulk::decompress_to_buffer(frame, bytes).is_ok_and(|len| len == bytes.len())
}

/// Without the feature a compressed entry is of no use.
#[cfg(not(feature = "zstd"))]
pub(crate) fn unpack(_: &[u8], _: &mut [u8]) -> bool {
    false
}

#[cfg(all(test, feature = "zstd"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_pays_is_packed_and_comes_back() {
        let text: Vec<u8> = (0..5000_u32).flat_map(|n| (n % 100 * n).to_le_bytes()).collect();
        let packed = pack(&text, 1).expect("it has some order");
        assert!(packed.len() < text.len() * 7 / 8);
        let mut bytes = vec![0; len(&packed).expect("it is allowed")];
        assert!(unpack(&packed, &mut bytes) && bytes == text);
        assert!(!unpack(&packed[..packed.len() - 1], &mut bytes), "truncated");
        assert!(!unpack(&packed, &mut bytes[1..]), "too long");
        assert!(!unpack(&packed, &mut vec![0; text.len() + 1]), "too short");
        let noise: Vec<u8> = (0..200_u8).flat_map(|n| crate::Digest::of(&[n]).0).collect();
        assert_eq!(pack(&noise, 1), None, "no order");
        assert_eq!(pack(&[0; 100], 1), None, "small");
        assert_eq!(pack(&[0; 1 << 20], 1), None, "a bomb");
        let mut bomb = packed;
        bomb[..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
        assert_eq!((len(&bomb), len(&bomb[..7])), (None, None));
    }
}
