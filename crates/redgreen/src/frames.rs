//! What the queries that are running have read so far.

use crate::log::Why;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::{
    cell::{Cell, RefCell},
    mem,
};

/// The running queries of one database handle, innermost last.
///
/// It belongs to the handle and not to the thread, since a worker that waits inside a query may take
/// over another job, and run other queries, on the same thread.
#[derive(Default)]
pub struct Frames {
    stack: RefCell<Vec<Frame>>,
    running: RefCell<FxHashSet<u32>>,
    /// The running queries and, between them, the nodes that are being judged: how we came here.
    path: RefCell<Vec<u32>>,
    next: Cell<Option<(u32, Why)>>,
}

impl Clone for Frames {
    /// A cloned handle runs nothing yet.
    fn clone(&self) -> Self {
        Frames::default()
    }
}

/// One running query.
struct Frame {
    node: u32,
    dependencies: Dependencies,
    /// The same as a set, once there are many.
    seen: FxHashSet<u32>,
}

/// What was read, in the order of the first reading.
pub(crate) type Dependencies = SmallVec<[u32; FEW]>;

/// Up to here searching the list is faster than hashing.
const FEW: usize = 12;

impl Frame {
    fn push(&mut self, node: u32) {
        if self.dependencies.len() < FEW {
            if !self.dependencies.contains(&node) {
                self.dependencies.push(node);
            }
            return;
        }
        if self.seen.is_empty() {
            self.seen.extend(self.dependencies.iter().copied());
        }
        if self.seen.insert(node) {
            self.dependencies.push(node);
        }
    }
}

impl Frames {
    /// The innermost running query reads `node`.
    pub(crate) fn edge(&self, node: u32) {
        if let Some(frame) = self.stack.borrow_mut().last_mut() {
            frame.push(node);
        }
    }
    /// The innermost running query.
    pub(crate) fn innermost(&self) -> Option<u32> {
        self.stack.borrow().last().map(|frame| frame.node)
    }
    /// If `node` is running already: it and what led from it to here.
    pub(crate) fn cycle(&self, node: u32) -> Option<Vec<u32>> {
        if !self.running.borrow().contains(&node) {
            return None;
        }
        let path = self.path.borrow();
        let outer = path.iter().position(|&on_path| on_path == node)?;
        Some(path[outer..].to_vec())
    }
    /// The record of `node` is being judged, until the guard is dropped.
    pub(crate) fn judge(&self, node: u32) -> Judging<'_> {
        self.path.borrow_mut().push(node);
        Judging(self)
    }
    /// The query of `node` begins. Dropping the guard, on return or unwinding, ends it.
    pub(crate) fn enter(&self, node: u32) -> Running<'_> {
        self.running.borrow_mut().insert(node);
        self.path.borrow_mut().push(node);
        let frame = Frame { node, dependencies: SmallVec::new(), seen: FxHashSet::default() };
        self.stack.borrow_mut().push(frame);
        Running(self)
    }
    /// What is read until the guard is dropped is not recorded.
    pub(crate) fn aside(&self) -> Option<Aside<'_>> {
        let node = self.innermost()?;
        let frame = Frame { node, dependencies: SmallVec::new(), seen: FxHashSet::default() };
        self.stack.borrow_mut().push(frame);
        Some(Aside(self))
    }
    /// Leaves a word for the execution that follows, on this handle, through salsa.
    pub(crate) fn announce(&self, node: u32, why: Why) {
        self.next.set(Some((node, why)));
    }
    /// The word left for the execution of `node`.
    pub(crate) fn announced(&self, node: u32) -> Option<Why> {
        self.next.take().and_then(|(of, why)| (of == node).then_some(why))
    }
}

/// Ends a frame when dropped. If that is by unwinding, the half-made record is dropped with it.
pub(crate) struct Running<'a>(&'a Frames);

impl Running<'_> {
    /// The query has ended.
    pub fn end(self) -> Dependencies {
        let mut stack = self.0.stack.borrow_mut();
        let frame = stack.last_mut().expect("invariant: a frame lives as long as its guard");
        mem::take(&mut frame.dependencies)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(frame) = self.0.stack.borrow_mut().pop() {
            self.0.running.borrow_mut().remove(&frame.node);
        }
        self.0.path.borrow_mut().pop();
    }
}

/// Forgets what was read when dropped.
pub(crate) struct Aside<'a>(&'a Frames);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.stack.borrow_mut().pop();
    }
}

/// Ends the judging of a node when dropped.
pub(crate) struct Judging<'a>(&'a Frames);

impl Drop for Judging<'_> {
    fn drop(&mut self) {
        self.0.path.borrow_mut().pop();
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn edges_are_recorded_once_and_in_order() {
        let frames = Frames::default();
        frames.edge(9);
        let outer = frames.enter(1);
        let inner = frames.enter(2);
        let reads = (0..40u32).rev().chain(0..40).chain([99]);
        reads.for_each(|node| frames.edge(node));
        assert_eq!(frames.cycle(1), Some(vec![1, 2]));
        let expected: Vec<u32> = (0..40).rev().chain([99]).collect();
        let aside = frames.aside();
        frames.edge(100);
        drop(aside);
        assert_eq!(*inner.end(), expected);
        assert_eq!((frames.cycle(2), frames.innermost()), (None, Some(1)));
        assert!(outer.end().is_empty());
    }
}
