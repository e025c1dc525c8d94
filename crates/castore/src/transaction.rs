//! Looking at the index and changing it, in steps that other processes see whole.

use crate::{
    Error, Store,
    hold::Hold,
    index::{Index, Segment, Source, Trouble, as_io},
    lock::IndexFile,
    mapped::Window,
    segment::SegmentFile,
    sync::{MutexGuard, step as next},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// What a store has open.
#[derive(Default, Debug)]
pub(crate) struct Opened {
    pub index: Option<IndexFile>,
    pub hold: Option<Hold>,
    /// There was no index when something was looked up.
    absent: bool,
    /// All of the index in memory, so that it is read without calling the system.
    window: Option<Window>,
    /// The epoch of the index to which the segments belong.
    epoch: u64,
    segments: BTreeMap<u32, Arc<SegmentFile>>,
}

/// So many segments are kept open.
const MOST_OPEN: usize = 128;

impl Opened {
    /// Closes everything: the store has been replaced.
    fn close(&mut self) {
        *self = Opened::default();
    }

    /// A new build begins.
    pub fn release(&mut self) {
        self.absent = false;
        if let Some(hold) = &self.hold {
            hold.renew();
        }
    }
}

/// What a step is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// One entry is looked up. That the order of use is up to date is no matter.
    LookUp,
    /// Anything, if there is an index.
    Any,
    /// Something that needs an index.
    Create,
}

/// A step.
pub(crate) struct Transaction<'a> {
    pub index: Index<'a>,
    /// It is only looked at.
    pub read_only: bool,
    /// Segments whose files are to be deleted when all is written.
    doomed: Vec<u32>,
    /// Their bytes.
    pub doomed_bytes: u64,
    /// While entries are moved the files may take so much, though the cap is lower.
    pub bound: u64,
    /// For so many entries there must be room before the next step.
    pub resize: Option<u32>,
    pub opened: OpenedParts<'a>,
}

/// What a step may use besides the index.
pub(crate) struct OpenedParts<'a> {
    pub hold: Option<&'a Hold>,
    segments: &'a mut BTreeMap<u32, Arc<SegmentFile>>,
}

impl Transaction<'_> {
    /// Forgets a segment in which there is nothing; its file goes at the end.
    pub fn drop_segment(&mut self, segment: Segment) -> Result<(), Trouble> {
        self.index.drop_segment(segment)?;
        self.doomed.push(segment.id);
        self.doomed_bytes = self.doomed_bytes.saturating_add(segment.len);
        Ok(())
    }

    /// Keeps a segment open.
    pub fn keep_open(&mut self, id: u32, segment: Arc<SegmentFile>) {
        if self.opened.segments.len() >= MOST_OPEN {
            self.opened.segments.clear();
        }
        self.opened.segments.insert(id, segment);
    }

    /// A segment if it is open.
    pub fn open_segment(&self, id: u32) -> Option<Arc<SegmentFile>> {
        self.opened.segments.get(&id).cloned()
    }
}

impl Store {
    pub(crate) fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a step. `None`: there is no index, and `create` does not ask for one.
    ///
    /// The step must bear to be done again: an index that turns out to be damaged is made anew.
    pub(crate) fn transact<R>(
        &self,
        create: bool,
        step: impl FnMut(&mut Transaction) -> Result<R, Trouble>,
    ) -> Result<Option<R>, Error> {
        if create {
            self.fit();
        }
        self.do_step(if create { Purpose::Create } else { Purpose::Any }, step)
    }

    /// A step that looks one entry up, and may note its use. When there was no index once, there is
    /// none until something is written or a new build begins: the first build asks for all it needs,
    /// and all in vain.
    pub(crate) fn look_up<R>(
        &self,
        step: impl FnMut(&mut Transaction) -> Result<R, Trouble>,
    ) -> Result<Option<R>, Error> {
        self.fit();
        self.do_step(Purpose::LookUp, step)
    }

    fn do_step<R>(
        &self,
        purpose: Purpose,
        mut step: impl FnMut(&mut Transaction) -> Result<R, Trouble>,
    ) -> Result<Option<R>, Error> {
        let opened = &mut *self.opened();
        // Others may delete the store or damage it again while it is mended, but not for ever.
        for _ in 0..4 {
            if opened.index.is_none() {
                if opened.absent && purpose == Purpose::LookUp {
                    return Ok(None);
                }
                let create = purpose == Purpose::Create;
                opened.index = IndexFile::open(&self.home, create, self.config.read_only)?;
                opened.absent = opened.index.is_none();
            }
            let Some(index) = &opened.index else { return Ok(None) };
            let locked = index.lock()?;
            let Some(len) = index.current_len() else {
                drop(locked);
                opened.close();
                continue;
            };
            // What cannot be mapped is read.
            if opened.window.as_ref().is_none_or(|window| window.len() != len) {
                opened.window = Window::of(&index.file, len);
            }
            if index.writable && opened.hold.is_none() {
                opened.hold = Hold::take(&self.home);
            }
            let source = Source { file: &index.file, window: opened.window.as_ref() };
            let hold = opened.hold.as_ref().filter(|_| index.writable);
            let parts = (source, hold, &mut opened.epoch, &mut opened.segments);
            match self.attempt(parts, index.writable, purpose, &mut step) {
                Ok(result) => return Ok(Some(result)),
                Err(Trouble::Io(error)) => {
                    return Err(Error::io("use", self.home.index())(error));
                }
                Err(Trouble::Damaged) if !index.writable => return Ok(None),
                Err(Trouble::Damaged) => {
                    opened.segments.clear();
                    self.home.note_damage(Index::is_of_this_format(&index.file));
                    let mended = self.rebuild(&index.file);
                    mended.map_err(|e| Error::io("mend", self.home.index())(as_io(e)))?;
                }
            }
        }
        Err(Error::io("use", self.home.index())(as_io(Trouble::Damaged)))
    }

    fn attempt<R>(
        &self,
        (source, hold, epoch, segments): (
            Source,
            Option<&Hold>,
            &mut u64,
            &mut BTreeMap<u32, Arc<SegmentFile>>,
        ),
        writable: bool,
        purpose: Purpose,
        step: &mut impl FnMut(&mut Transaction) -> Result<R, Trouble>,
    ) -> Result<R, Trouble> {
        let mut index = Index::open(source)?;
        if *epoch != index.header.epoch {
            segments.clear();
            *epoch = index.header.epoch;
        }
        if let Some(hold) = hold {
            hold.announce(&mut index);
        }
        if purpose != Purpose::LookUp || index.is_changed() {
            index.settle()?;
        }
        let opened = OpenedParts { hold, segments };
        let read_only = !writable;
        let mut transaction = Transaction {
            index,
            read_only,
            doomed: Vec::new(),
            doomed_bytes: 0,
            bound: 0,
            resize: None,
            opened,
        };
        let result = step(&mut transaction)?;
        let Transaction { index, doomed, resize, .. } = transaction;
        if read_only {
            return Ok(result);
        }
        match index.commit() {
            // On a full disk, what cannot be noted is used nevertheless.
            Err(Trouble::Io(_)) if purpose == Purpose::LookUp => return Ok(result),
            committed => committed?,
        }
        for id in doomed {
            segments.remove(&id);
            next();
            let _ = std::fs::remove_file(self.home.segment(id));
        }
        if let Some(capacity) = resize {
            let mut index = Index::open(source)?;
            if let Some(resized) = index.resized(capacity)? {
                resized.write_anew(source.file)?;
            }
        }
        Ok(result)
    }
}
