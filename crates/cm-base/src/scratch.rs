//! What a thread keeps for its next use.

use std::{cell::RefCell, mem::ManuallyDrop};

/// A thread-local value that stays when its thread ends, so it should be small and its threads few. One with
/// a destructor would be made under the lock of the dynamic loader, and while another thread loads a large
/// library, that takes longer than most of what is done with it.
pub type Scratch<T> = RefCell<ManuallyDrop<T>>;

/// With a value to begin with.
pub const fn scratch<T>(value: T) -> Scratch<T> {
    RefCell::new(ManuallyDrop::new(value))
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn no_destructor_is_needed() {
        assert!(!std::mem::needs_drop::<Scratch<Vec<u8>>>());
    }
}
