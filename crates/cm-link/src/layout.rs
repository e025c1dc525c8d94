//! Where every section goes.

use crate::{
    LinkError, Result,
    elf::{Kind, Object},
};

/// A part of an image, in their order: input sections of one kind, or what linking adds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(usize)]
pub enum Part {
    /// What describes the image.
    Head,
    /// [`Kind::Constant`]
    Constant,
    /// [`Kind::Unwind`]
    Unwind,
    /// [`Kind::Code`]
    Code,
    /// Jumps to imports.
    Stubs,
    /// [`Kind::Relocated`]
    Relocated,
    /// [`Kind::Before`]
    Before,
    /// [`Kind::After`]
    After,
    /// What the dynamic linker reads.
    Dynamic,
    /// Addresses of imports and of places in the image.
    Table,
    /// [`Kind::Data`]
    Data,
    /// [`Kind::Zero`]
    Zero,
}

/// All parts.
pub const PARTS: [Part; 12] = [
    Part::Head,
    Part::Constant,
    Part::Unwind,
    Part::Code,
    Part::Stubs,
    Part::Relocated,
    Part::Before,
    Part::After,
    Part::Dynamic,
    Part::Table,
    Part::Data,
    Part::Zero,
];

/// Parts with the same protection. Each begins on a page of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Segment {
    /// Only read.
    Read,
    /// Read and executed.
    Execute,
    /// Written only by the linker that loads it.
    Relocated,
    /// Read and written.
    Write,
}

/// All segments, in their order.
pub const SEGMENTS: [Segment; 4] =
    [Segment::Read, Segment::Execute, Segment::Relocated, Segment::Write];

impl Part {
    /// Where sections of a kind go.
    pub fn of(kind: Kind) -> Part {
        match kind {
            Kind::Constant => Part::Constant,
            Kind::Unwind => Part::Unwind,
            Kind::Code => Part::Code,
            Kind::Relocated => Part::Relocated,
            Kind::Before => Part::Before,
            Kind::After => Part::After,
            Kind::Data => Part::Data,
            Kind::Zero => Part::Zero,
        }
    }

    /// Where it belongs.
    pub fn segment(self) -> Segment {
        match self {
            Part::Head | Part::Constant | Part::Unwind => Segment::Read,
            Part::Code | Part::Stubs => Segment::Execute,
            Part::Data | Part::Zero => Segment::Write,
            _ => Segment::Relocated,
        }
    }
}

/// A range of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// Offset from the start of the image.
    pub start: u64,
    /// First offset behind it.
    pub end: u64,
}

impl Range {
    /// Nothing is in it.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
    /// How many bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }
}

/// Bytes of the parts that linking adds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Added {
    /// [`Part::Head`]
    pub head: u64,
    /// [`Part::Stubs`]
    pub stubs: u64,
    /// [`Part::Dynamic`]
    pub dynamic: u64,
    /// [`Part::Table`]
    pub table: u64,
}

/// Where everything goes.
pub struct Layout {
    /// By object and section; meaningless for those that are left out.
    offsets: Vec<Vec<u64>>,
    parts: [Range; PARTS.len()],
    page: u64,
}

/// Relocations reach 2 GiB; nobody needs half of that.
const MAX: u64 = 1 << 30;

impl Layout {
    /// Places all sections in the order of their objects.
    ///
    /// # Errors
    /// If they are too large.
    pub fn new(objects: &[Object], added: Added, page: u64) -> Result<Layout> {
        let offsets =
            objects.iter().map(|object| vec![0; object.contents.sections.len()]).collect();
        let mut layout = Layout { offsets, parts: Default::default(), page };
        let mut inputs: [Vec<(usize, usize)>; PARTS.len()] = Default::default();
        for (index, object) in objects.iter().enumerate() {
            for (number, section) in object.contents.sections.iter().enumerate() {
                if let Some(kind) = section.kind {
                    inputs[Part::of(kind) as usize].push((index, number));
                }
            }
        }
        let mut end = 0;
        let mut before = Segment::Read;
        for part in PARTS {
            if part.segment() != before {
                before = part.segment();
                end = align(end, page);
            }
            let inputs = &mut inputs[part as usize];
            inputs.sort_by_key(|(object, section)| {
                objects[*object].contents.sections[*section].priority
            });
            let strictest = inputs.iter().map(|(object, section)| {
                let section = &objects[*object].contents.sections[*section];
                section.align
            });
            let start = align(end, strictest.max().unwrap_or(ADDED_ALIGN));
            end = start + added.of(part);
            for (object, number) in inputs {
                let section = &objects[*object].contents.sections[*number];
                end = align(end, section.align);
                layout.offsets[*object][*number] = end;
                end = end.saturating_add(section.size);
                if end > MAX {
                    let what = "the program is larger than 1 GiB".to_owned();
                    return Err(LinkError::Damaged(objects[*object].name.to_owned(), what));
                }
            }
            if part == Part::Data && end == start {
                // A segment that has nothing in the file keeps valgrind from reading the symbols.
                end += ADDED_ALIGN;
            }
            layout.parts[part as usize] = Range { start, end };
        }
        Ok(layout)
    }

    /// Where a section of an object is.
    pub fn offset(&self, object: usize, section: usize) -> u64 {
        self.offsets[object][section]
    }

    /// Where a part is.
    pub fn part(&self, part: Part) -> Range {
        self.parts[part as usize]
    }

    /// Where a segment is, in whole pages.
    pub fn segment(&self, segment: Segment) -> Range {
        let mut ranges =
            PARTS.iter().filter(|part| part.segment() == segment).map(|part| self.part(*part));
        let first = ranges.next().unwrap_or_default();
        let last = ranges.next_back().unwrap_or(first);
        Range { start: first.start, end: align(last.end, self.page) }
    }

    /// First offset behind all that is not zero.
    pub fn filled(&self) -> u64 {
        self.part(Part::Data).end
    }

    /// Size of the image in memory, in whole pages.
    pub fn size(&self) -> u64 {
        align(self.part(Part::Zero).end, self.page)
    }
}

/// For the parts that linking adds: instructions and addresses.
const ADDED_ALIGN: u64 = 16;

impl Added {
    fn of(&self, part: Part) -> u64 {
        match part {
            Part::Head => self.head,
            Part::Stubs => self.stubs,
            Part::Dynamic => self.dynamic,
            Part::Table => self.table,
            _ => 0,
        }
    }
}

/// The next multiple of a power of two. Offsets are far from the largest number.
pub fn align(offset: u64, to: u64) -> u64 {
    (offset + (to - 1)) & !(to - 1)
}
