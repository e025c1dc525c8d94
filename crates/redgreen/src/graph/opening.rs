//! Finding out which inputs have changed, when an image is opened and in a resident process.

use super::{Cause, Graph, Mark, run::reread};
use crate::{Db, Digest, Node, Stamp};
use std::sync::atomic::Ordering::Relaxed;

impl Graph {
    /// Compares the inputs of the image with the world, and marks what the changed ones reach.
    pub(crate) fn check_inputs(&self, db: &dyn Db) {
        let Some(image) = &self.image else { return };
        let inputs = image.inputs().iter().copied();
        let changed: Vec<u32> = inputs.filter(|&node| self.check_input(db, node)).collect();
        if let Some(&first) = changed.first() {
            let mut reached = vec![false; self.base as usize];
            changed.iter().for_each(|&node| reached[node as usize] = true);
            image.sweep(&mut reached, first + 1);
            self.reached.set(reached).expect("invariant: an image is opened once");
        }
        self.log.inputs_changed.lock().extend(changed);
    }
    /// Reads an input if its stamp does not vouch for it. Returns whether it has changed.
    fn check_input(&self, db: &dyn Db, node: u32) -> bool {
        let recorded = self.kept(node).map(Stamp::from_bytes).unwrap_or_default();
        let now = (self.query(node).stamp)(db, self.key_ref(node));
        let now = now.unwrap_or_else(|| self.interrupt(Cause::Damaged));
        !recorded.vouches_for(now) && reread(db, node)
    }

    /// A new revision in which these inputs are read anew, or those whose stamps have changed.
    ///
    /// The caller has cancelled all readers.
    pub(crate) fn edit(&self, db: &dyn Db, inputs: Option<&[Node]>) {
        self.begin_revision();
        let changed: Vec<u32> = match inputs {
            Some(nodes) => {
                let known = nodes.iter().filter_map(|node| self.find(node));
                known.filter(|&node| self.is_known_input(node) && reread(db, node)).collect()
            }
            None => self.known_inputs().filter(|&node| self.check_input(db, node)).collect(),
        };
        self.note_changed_inputs(changed);
    }
    fn known_inputs(&self) -> impl Iterator<Item = u32> {
        let of_image = self.image.iter().flat_map(|image| image.inputs()).copied();
        let new = self.base..self.node_count();
        of_image.chain(new.filter(|&node| self.is_known_input(node)))
    }
    fn is_known_input(&self, node: u32) -> bool {
        self.is_input(node) && self.recorded(node).is_some()
    }
    fn note_changed_inputs(&self, changed: Vec<u32>) {
        self.log.inputs_changed.lock().extend(&changed);
        if !changed.is_empty() {
            self.suspect_readers(changed);
        }
    }
    fn begin_revision(&self) {
        self.revision.fetch_add(1, Relaxed);
        if !self.recording {
            self.forget_memos();
        }
    }

    /// Makes the next attempt avoid what interrupted this one. `Err`: nothing is known of this blob.
    ///
    /// The caller has cancelled all readers.
    pub(crate) fn heal(&self, db: &dyn Db, causes: &[Cause]) -> Result<(), Digest> {
        self.begin_revision();
        for cause in causes {
            match cause {
                Cause::Lost(digest) => {
                    let holders = self.holders(digest);
                    if holders.is_empty() {
                        return Err(*digest);
                    }
                    self.distrust(holders);
                }
                Cause::Unstable(node) => self.distrust(vec![*node]),
                Cause::InputMoved(node) if reread(db, *node) => {
                    self.note_changed_inputs(vec![*node]);
                }
                Cause::InputMoved(_) | Cause::Damaged => {}
            }
        }
        Ok(())
    }
    fn distrust(&self, nodes: Vec<u32>) {
        for &node in &nodes {
            self.set_mark(node, Mark::Lost);
            self.state(node).slot.store(0, Relaxed);
        }
        self.suspect_readers(nodes);
    }
}
