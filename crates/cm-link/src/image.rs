//! Many objects as one image: sections of one kind together, names bound, relocations applied. What
//! is not in the image is reached through a table of addresses, and called by way of stubs.

use crate::{
    LinkError, Result,
    elf::{Object, Relocation},
    interner::Interner,
    layout::{Added, Layout, Part},
    names::{Bound, Names},
    relocate::{self, Fault, Need, STUB, Site, Target, WORD},
};
use rustc_hash::FxHashMap;

/// Objects that are being linked.
pub struct Image<'a> {
    /// What is linked.
    pub objects: Vec<Object<'a>>,
    /// What its symbols stand for.
    pub names: Names<'a>,
    /// The table of addresses: that of an import has the import's index.
    table: Vec<Bound>,
    slots: FxHashMap<Bound, u32>,
    /// By import.
    stubs: Vec<Option<u32>>,
    stub_count: u32,
    /// How many whole addresses there are, in the table and elsewhere.
    words: usize,
}

/// An address that depends on where the image or a library will be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fixup {
    /// Offset in the image of the 8 bytes that hold the address.
    pub at: u64,
    /// Whose address it is.
    pub of: Of,
    /// Added to it.
    pub addend: i64,
}

/// Whose address is filled in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Of {
    /// Of the image.
    Image,
    /// Of an import, in the table.
    Cell(u32),
    /// Of an import, in data.
    Import(u32),
}

/// Where an image is to be written.
pub struct Place<'a> {
    /// Its bytes, zeros. Those at the end that stay zeros may be missing.
    pub bytes: &'a mut [u8],
    /// The address of the first.
    pub base: u64,
    /// Addresses of imports, if they are known.
    pub imports: Option<&'a [u64]>,
}

impl<'a> Image<'a> {
    /// Binds names, which have these numbers, and finds out what is needed.
    ///
    /// # Errors
    /// If symbols have two definitions.
    pub fn new(objects: Vec<Object<'a>>, names: &'a Interner) -> Result<Self> {
        let names = Names::new(&objects, names)?;
        let table: Vec<_> = (0..names.imports.len() as u32).map(Bound::Import).collect();
        let mut image = Image {
            slots: FxHashMap::default(),
            stubs: vec![None; table.len()],
            stub_count: 0,
            words: 0,
            objects,
            names,
            table,
        };
        image.scan();
        image.words += image.table.len();
        Ok(image)
    }

    fn scan(&mut self) {
        for (index, object) in self.objects.iter().enumerate() {
            self.words += object.contents.words;
            for (need, symbol) in &object.contents.needs {
                let bound = self.names.bound(&self.objects, index, *symbol as usize);
                match (need, bound.unwrap_or(Bound::Nowhere)) {
                    (Need::Stub, Bound::Import(import)) => {
                        let stub = &mut self.stubs[import as usize];
                        if stub.is_none() {
                            *stub = Some(self.stub_count);
                            self.stub_count += 1;
                        }
                    }
                    (Need::Slot, Bound::Import(_)) => {}
                    (Need::Slot, bound) => {
                        let table = &mut self.table;
                        self.slots.entry(bound).or_insert_with(|| {
                            table.push(bound);
                            table.len() as u32 - 1
                        });
                    }
                    _ => {}
                }
            }
        }
    }

    /// No image has more [`Fixup`]s.
    pub fn max_fixups(&self) -> usize {
        self.words
    }

    /// Places everything. `head` and `dynamic` are for the caller to fill.
    ///
    /// # Errors
    /// If it is too large.
    pub fn layout(&self, head: usize, dynamic: usize, page: u64) -> Result<Layout> {
        let added = Added {
            head: head as u64,
            stubs: u64::from(self.stub_count) * STUB as u64,
            dynamic: dynamic as u64,
            table: (self.table.len() * 8) as u64,
        };
        Layout::new(&self.objects, added, page)
    }

    /// Where a symbol is; `None`: not in the image.
    pub fn offset(&self, layout: &Layout, bound: Bound) -> Option<u64> {
        match bound {
            Bound::Section(spot) => {
                let section = layout.offset(spot.object as usize, spot.section.into());
                Some(section.wrapping_add(spot.value))
            }
            Bound::Image(offset) => Some(offset),
            _ => None,
        }
    }

    /// Offset and import of every stub.
    pub fn stubs<'s>(&'s self, layout: &Layout) -> impl Iterator<Item = (u64, usize)> + use<'s> {
        let start = layout.part(Part::Stubs).start;
        let stubs = self.stubs.iter().enumerate();
        stubs.filter_map(move |(import, stub)| {
            Some((start + u64::from((*stub)?) * STUB as u64, import))
        })
    }

    /// Writes all but the head and the dynamic part, and says what depends on where the image and
    /// its imports will be.
    ///
    /// # Errors
    /// If relocations cannot be applied.
    pub fn write(&self, layout: &Layout, place: &mut Place) -> Result<Vec<Fixup>> {
        let mut fixups = Vec::with_capacity(self.words);
        for (index, object) in self.objects.iter().enumerate() {
            for (number, section) in object.contents.sections.iter().enumerate() {
                let bytes = object.bytes(section);
                if section.kind.is_some() && !bytes.is_empty() {
                    let start = layout.offset(index, number) as usize;
                    place.bytes[start..start + bytes.len()].copy_from_slice(bytes);
                }
            }
        }
        self.write_table(layout, place, &mut fixups);
        for index in 0..self.objects.len() {
            self.relocate(index, layout, place, &mut fixups)?;
        }
        Ok(fixups)
    }

    fn write_table(&self, layout: &Layout, place: &mut Place, fixups: &mut Vec<Fixup>) {
        let table = layout.part(Part::Table).start;
        for (slot, bound) in self.table.iter().enumerate() {
            let at = table + slot as u64 * 8;
            let value = match *bound {
                Bound::Import(import) => {
                    fixups.push(Fixup { at, of: Of::Cell(import), addend: 0 });
                    place.imports.map_or(0, |imports| imports[import as usize])
                }
                Bound::Absolute(value) => value,
                bound => {
                    let offset = self.offset(layout, bound).unwrap_or(0);
                    fixups.push(Fixup { at, of: Of::Image, addend: offset as i64 });
                    place.base.wrapping_add(offset)
                }
            };
            place.bytes[at as usize..][..8].copy_from_slice(&value.to_le_bytes());
        }
        for (at, import) in self.stubs(layout) {
            let cell = place.base + table + import as u64 * 8;
            let code = relocate::stub(place.base + at, cell);
            place.bytes[at as usize..][..STUB].copy_from_slice(&code);
        }
    }

    /// Fills in the addresses that an object's sections depend on.
    fn relocate(
        &self,
        index: usize,
        layout: &Layout,
        place: &mut Place,
        fixups: &mut Vec<Fixup>,
    ) -> Result<()> {
        let object = &self.objects[index];
        let fail = |fault| match fault {
            Fault::Damaged(what) => LinkError::Damaged(object.name.into(), what.into()),
            Fault::Unsupported(what) => LinkError::Unsupported(object.name.into(), what),
        };
        let table = layout.part(Part::Table).start;
        for list in object.relocations() {
            let start = layout.offset(index, list.section);
            let len = object.contents.sections[list.section].data.len();
            for Relocation { offset, kind, symbol, addend } in list.iter() {
                let bound = self.names.bound(&self.objects, index, symbol);
                let bound = bound.unwrap_or(Bound::Nowhere);
                let target = self.target(layout, place, bound).map_err(fail)?;
                let slot = match (relocate::need(kind), bound) {
                    (Need::Slot, Bound::Import(import)) => import,
                    (Need::Slot, bound) => self.slots[&bound],
                    _ => 0,
                };
                let at = start.wrapping_add(offset);
                let site = Site {
                    address: place.base.wrapping_add(at),
                    addend,
                    slot: place.base + table + u64::from(slot) * 8,
                };
                if kind == WORD {
                    fixups.extend(self.fixup(layout, at, bound, addend));
                }
                // Without the sections at the end that are all zeros.
                let section = place.bytes.get_mut(start as usize..start as usize + len);
                let offset = usize::try_from(offset).unwrap_or(len);
                let bytes = section.and_then(|section| section.get_mut(offset..));
                relocate::apply(kind, &site, &target, bytes.unwrap_or_default()).map_err(fail)?;
            }
        }
        Ok(())
    }

    fn fixup(&self, layout: &Layout, at: u64, bound: Bound, addend: i64) -> Option<Fixup> {
        if let Bound::Import(import) = bound {
            return Some(Fixup { at, of: Of::Import(import), addend });
        }
        let addend = self.offset(layout, bound)?.wrapping_add_signed(addend) as i64;
        Some(Fixup { at, of: Of::Image, addend })
    }

    fn target(
        &self,
        layout: &Layout,
        place: &Place,
        bound: Bound,
    ) -> std::result::Result<Target, Fault> {
        match bound {
            Bound::Absolute(value) => Ok(Target::Number(value)),
            Bound::Import(import) => {
                let import = import as usize;
                let stub = u64::from(self.stubs[import].unwrap_or(0)) * STUB as u64;
                Ok(Target::Far {
                    address: place.imports.map(|imports| imports[import]),
                    stub: place.base + layout.part(Part::Stubs).start + stub,
                })
            }
            Bound::Nowhere => {
                Err(Fault::Damaged("it refers to a section that takes no part in execution"))
            }
            bound => {
                let offset = self.offset(layout, bound).unwrap_or(0);
                Ok(Target::Near(place.base.wrapping_add(offset)))
            }
        }
    }
}
