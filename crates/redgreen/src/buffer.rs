//! Bytes that are needed for a moment.

use std::cell::RefCell;

/// Passes an empty buffer, whose memory the thread keeps for the next time.
pub(crate) fn with<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    thread_local! { static BUFFER: RefCell<Vec<u8>> = RefCell::default(); }
    BUFFER.with(|buffer| {
        // Taken, not borrowed: the work may itself need a buffer.
        let mut bytes = buffer.take();
        bytes.clear();
        let result = work(&mut bytes);
        buffer.replace(bytes);
        result
    })
}
