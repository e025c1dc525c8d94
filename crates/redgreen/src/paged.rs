//! A growing table whose pages come to be when they are touched.

use std::sync::OnceLock;

/// Few, since what an edit reaches is scattered.
const PAGE: usize = 64;
/// Level `k` has `2^k` pages; together they hold every `u32` index.
const LEVELS: usize = 33 - PAGE.ilog2() as usize;

type Page<T> = OnceLock<Box<[T]>>;

/// `u32` -> `T`, initially all `T::default()`. Entries never move, look-up takes no lock, and what
/// is never looked at costs nothing: opening an image of a million nodes allocates no state for them.
pub(crate) struct Paged<T> {
    levels: [OnceLock<Box<[Page<T>]>>; LEVELS],
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Paged { levels: [const { OnceLock::new() }; LEVELS] }
    }
}

impl<T: Default> Paged<T> {
    pub fn get(&self, index: u32) -> &T {
        let (level, page) = place(index);
        let pages =
            self.levels[level].get_or_init(|| (0..1 << level).map(|_| OnceLock::new()).collect());
        let page =
            pages[page].get_or_init(|| std::iter::repeat_with(T::default).take(PAGE).collect());
        &page[index as usize % PAGE]
    }
    /// An entry, for who has all of them to himself.
    pub fn get_mut(&mut self, index: u32) -> &mut T {
        let (level, page) = place(index);
        self.get(index);
        let page = self.levels[level].get_mut().and_then(|pages| pages[page].get_mut());
        &mut page.expect("invariant: the page has just been touched")[index as usize % PAGE]
    }
    /// An entry that may differ from the default.
    pub fn peek(&self, index: u32) -> Option<&T> {
        let (level, page) = place(index);
        let page = self.levels[level].get()?[page].get()?;
        Some(&page[index as usize % PAGE])
    }
    /// All entries that may differ from the default.
    pub fn touched(&self) -> impl Iterator<Item = &T> {
        let pages = self.levels.iter().filter_map(OnceLock::get).flatten();
        pages.filter_map(OnceLock::get).flatten()
    }
}

/// The level of an index, and its page there.
fn place(index: u32) -> (usize, usize) {
    let number = index as usize / PAGE + 1;
    let level = number.ilog2();
    (level as usize, number - (1 << level))
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Paged};
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[test]
    fn entries_are_distinct_and_allocated_by_page() {
        let table = Paged::<AtomicU32>::default();
        let page = PAGE as u32;
        let indices = [0, page - 1, page, 3 * page - 1, 3 * page, 1_000_000, u32::MAX];
        for (value, index) in (1..).zip(indices) {
            table.get(index).store(value, Relaxed);
        }
        for (value, index) in (1..).zip(indices) {
            assert_eq!(table.get(index).load(Relaxed), value);
        }
        assert_eq!(table.touched().count(), 6 * PAGE);
        assert_eq!(table.peek(page).map(|entry| entry.load(Relaxed)), Some(3));
        assert!(table.peek(4 * page).is_none() && table.peek(u32::MAX / 2).is_none());
        assert_eq!(table.touched().count(), 6 * PAGE);
    }
}
