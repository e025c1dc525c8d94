//! Lists that are filled in memory which is used again.

/// Takes the elements from `start` on out of a list, which keeps its memory, into one of just their
/// size.
pub fn take_from<T>(list: &mut Vec<T>, start: usize) -> Vec<T> {
    if start > 0 {
        return list.split_off(start);
    }
    let mut taken = Vec::with_capacity(list.len());
    taken.append(list);
    taken
}

#[cfg(test)]
mod tests {
    use super::take_from;

    #[test]
    fn what_is_taken_is_small_and_the_list_keeps_its_memory() {
        let mut list = Vec::with_capacity(100);
        list.extend(0..10);
        let last = take_from(&mut list, 7);
        let first = take_from(&mut list, 0);
        assert_eq!((&first[..], &last[..]), (&[0, 1, 2, 3, 4, 5, 6][..], &[7, 8, 9][..]));
        assert_eq!((first.capacity(), last.capacity()), (7, 3));
        assert!(list.is_empty() && list.capacity() == 100);
    }
}
