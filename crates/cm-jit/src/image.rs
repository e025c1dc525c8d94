//! Many objects as one image in memory: code with stubs, constants with the table of far addresses,
//! data. Far symbols, those of this process, are reached through the table.

use crate::{
    JitError,
    elf::{Kind, Object, Place, Relocation, Symbol, relocation},
    memory::{Access, PAGE, Pages, process_symbol},
    relocate::{self, STUB, Site},
};
use rustc_hash::FxHashMap;

/// Links objects and gives the address of a symbol.
pub fn link(objects: &[(&str, &[u8])], symbol: &str) -> Result<usize, JitError> {
    let objects = objects
        .iter()
        .map(|(name, data)| Object::parse(name, data).map_err(|error| damaged(name, &error)))
        .collect::<Result<Vec<_>, _>>()?;
    let layout = Layout::new(&objects)?;
    let mut names = Names::new(&objects, &layout)?;
    names.add_far(&objects)?;
    let start = names.near.get(symbol.as_bytes());
    let start = start.ok_or_else(|| JitError::Undefined(vec![symbol.to_owned()]))?.offset;
    let mut image = Image::map(&layout, &names)?;
    for (object, offsets) in objects.iter().zip(&layout.offsets) {
        image.load(object, offsets)?;
    }
    for (object, offsets) in objects.iter().zip(&layout.offsets) {
        image.relocate(object, offsets, &names)?;
    }
    image.protect()?;
    Ok((image.pages.address() + start) as usize)
}

fn damaged(name: &str, what: &dyn std::fmt::Display) -> JitError {
    JitError::Object(name.to_owned(), what.to_string())
}

fn system(error: std::io::Error) -> JitError {
    JitError::System(error.to_string())
}

/// Where every section of every object goes.
struct Layout {
    /// By object and section, from the start of the image; `None` for those that are left out.
    offsets: Vec<Vec<Option<usize>>>,
    /// Ends of code, constants and data.
    ends: [usize; 3],
}

impl Layout {
    fn new(objects: &[Object]) -> Result<Layout, JitError> {
        let mut layout = Layout { offsets: vec![Vec::new(); objects.len()], ends: [0; 3] };
        let mut sections = Vec::new();
        for (object, input) in objects.iter().enumerate() {
            for section in input.sections() {
                let section = section.map_err(|error| damaged(input.name, &error))?;
                sections.push((object, section));
            }
        }
        let mut end = 0usize;
        for (which, kind) in [Kind::Code, Kind::Constant, Kind::Data].into_iter().enumerate() {
            end = end.next_multiple_of(PAGE);
            for (object, section) in sections.iter().filter(|(_, section)| section.kind == kind) {
                end = end.next_multiple_of(section.align);
                let offsets = &mut layout.offsets[*object];
                if offsets.len() <= section.index {
                    offsets.resize(section.index + 1, None);
                }
                offsets[section.index] = Some(end);
                end = end.saturating_add(section.size);
            }
            layout.ends[which] = end;
        }
        // Relocations are 32 bits wide.
        if end > 1 << 30 {
            return Err(JitError::System("the program is larger than 1 GiB".to_owned()));
        }
        Ok(layout)
    }
}

/// A definition in the image.
struct Near {
    offset: u64,
    weak: bool,
}

/// What the names that objects share stand for.
struct Names<'a> {
    near: FxHashMap<&'a [u8], Near>,
    /// Slot in the table of far addresses.
    far: FxHashMap<&'a [u8], usize>,
    addresses: Vec<u64>,
}

impl<'a> Names<'a> {
    fn new(objects: &[Object<'a>], layout: &Layout) -> Result<Self, JitError> {
        let mut near: FxHashMap<&[u8], Near> = FxHashMap::default();
        for (object, offsets) in objects.iter().zip(&layout.offsets) {
            for symbol in shared(object) {
                let symbol = symbol?;
                let Place::Defined(section, value) = symbol.place else { continue };
                let Some(Some(start)) = offsets.get(section) else { continue };
                let new = Near { offset: *start as u64 + value, weak: symbol.weak };
                match near.get(symbol.name) {
                    Some(old) if !old.weak && !new.weak => {
                        return Err(JitError::Duplicate(text(symbol.name)));
                    }
                    Some(old) if new.weak || !old.weak => {}
                    _ => drop(near.insert(symbol.name, new)),
                }
            }
        }
        Ok(Names { near, far: FxHashMap::default(), addresses: Vec::new() })
    }

    /// Finds what no object defines in the run-time library and in this process.
    fn add_far(&mut self, objects: &[Object<'a>]) -> Result<(), JitError> {
        let runtime: FxHashMap<&str, u64> = cm_runtime::symbols()
            .iter()
            .map(|(name, symbol)| (*name, symbol.0.addr() as u64))
            .collect();
        let mut undefined = Vec::new();
        for object in objects {
            for symbol in shared(object) {
                let Symbol { name, weak, place, .. } = symbol?;
                let known = self.near.contains_key(name) || self.far.contains_key(name);
                if known || !matches!(place, Place::Undefined) {
                    continue;
                }
                let name_text = text(name);
                let address = runtime.get(name_text.as_str()).copied();
                match address.or_else(|| process_symbol(&name_text)) {
                    Some(address) => self.add_address(name, address),
                    None if weak => self.add_address(name, 0),
                    None => undefined.push(name_text),
                }
            }
        }
        undefined.sort();
        undefined.dedup();
        if undefined.is_empty() { Ok(()) } else { Err(JitError::Undefined(undefined)) }
    }

    fn add_address(&mut self, name: &'a [u8], address: u64) {
        self.far.insert(name, self.addresses.len());
        self.addresses.push(address);
    }
}

/// The symbols of an object that others may see.
fn shared<'a>(object: &Object<'a>) -> impl Iterator<Item = Result<Symbol<'a>, JitError>> {
    (1..object.symbol_count())
        .map(|index| object.symbol(index).map_err(|error| damaged(object.name, &error)))
        .filter(|symbol| !matches!(symbol, Ok(Symbol { local: true, .. })))
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// The image while it is made.
struct Image {
    pages: Pages,
    /// Stubs and table of far addresses: offsets from the start.
    stubs: usize,
    table: usize,
    constants: usize,
    data: usize,
    end: usize,
    /// Cells of the table that hold addresses in the image, behind those of far symbols.
    near_slots: FxHashMap<u64, usize>,
    slots: usize,
}

impl Image {
    /// Maps memory. The parts that linking adds lie behind the sections: a pair of stub and table
    /// slot for each far symbol, and slots for near ones.
    fn map(layout: &Layout, names: &Names) -> Result<Image, JitError> {
        let far = names.addresses.len();
        let [code, constants, data] = layout.ends;
        let stubs = data.next_multiple_of(PAGE);
        let table = (stubs + far * STUB).next_multiple_of(PAGE);
        let end = table + (far + names.near.len()) * 8;
        let mut pages = Pages::map(end).map_err(system)?;
        let base = pages.address();
        let bytes = pages.bytes();
        for (slot, address) in names.addresses.iter().enumerate() {
            let (stub, cell) = (stubs + slot * STUB, table + slot * 8);
            bytes[cell..cell + 8].copy_from_slice(&address.to_le_bytes());
            let code = relocate::stub(base + stub as u64, base + cell as u64);
            bytes[stub..stub + STUB].copy_from_slice(&code);
        }
        Ok(Image {
            pages,
            stubs,
            table,
            constants: code.next_multiple_of(PAGE),
            data: constants.next_multiple_of(PAGE),
            end: end.next_multiple_of(PAGE),
            near_slots: FxHashMap::default(),
            slots: far,
        })
    }

    /// Copies the sections of an object.
    fn load(&mut self, object: &Object, offsets: &[Option<usize>]) -> Result<(), JitError> {
        for section in object.sections() {
            let section = section.map_err(|error| damaged(object.name, &error))?;
            if let Some(start) = offsets[section.index] {
                let end = start + section.data.len();
                self.pages.bytes()[start..end].copy_from_slice(section.data);
            }
        }
        Ok(())
    }

    /// Fills in the addresses that an object's sections depend on.
    fn relocate(
        &mut self,
        object: &Object,
        offsets: &[Option<usize>],
        names: &Names,
    ) -> Result<(), JitError> {
        let fail = |what: &dyn std::fmt::Display| damaged(object.name, what);
        for list in object.relocations() {
            let (section, list) = list.map_err(|error| fail(&error))?;
            let Some(Some(start)) = offsets.get(section) else { continue };
            for entry in list {
                let Relocation { offset, kind, symbol, addend } = relocation(entry);
                let symbol = object.symbol(symbol).map_err(|error| fail(&error))?;
                let at = start.saturating_add(offset);
                let target = self.target(object, offsets, names, &symbol)?;
                let base = self.pages.address();
                let site = Site { address: base + at as u64, addend };
                let slot = match relocate::needs_slot(kind) {
                    true => {
                        base + self.slot(&target).ok_or_else(|| fail(&"too many slots"))? as u64
                    }
                    false => 0,
                };
                let bytes = self.pages.bytes().get_mut(at..).unwrap_or_default();
                relocate::apply(kind, &site, &target, slot, bytes).map_err(|what| fail(&what))?;
            }
        }
        Ok(())
    }

    /// What a symbol of an object stands for.
    fn target(
        &self,
        object: &Object,
        offsets: &[Option<usize>],
        names: &Names,
        symbol: &Symbol,
    ) -> Result<Target, JitError> {
        let base = self.pages.address();
        if !symbol.local {
            if let Some(near) = names.near.get(symbol.name) {
                return Ok(Target::Near(base + near.offset));
            }
            if let Some(slot) = names.far.get(symbol.name) {
                let stub = base + (self.stubs + slot * STUB) as u64;
                return Ok(Target::Far { address: names.addresses[*slot], stub, slot: *slot });
            }
        }
        match symbol.place {
            Place::Defined(section, value) => match offsets.get(section) {
                Some(Some(start)) => Ok(Target::Near(base + *start as u64 + value)),
                _ => Err(damaged(object.name, &"a reference to a section that is not loaded")),
            },
            Place::Absolute(value) => Ok(Target::Near(value)),
            Place::Undefined => Err(JitError::Undefined(vec![text(symbol.name)])),
        }
    }

    /// Where in the image the address of a symbol lies.
    fn slot(&mut self, target: &Target) -> Option<usize> {
        let address = match *target {
            Target::Far { slot, .. } => return Some(self.table + slot * 8),
            Target::Near(address) => address,
        };
        if let Some(cell) = self.near_slots.get(&address) {
            return Some(*cell);
        }
        let cell = self.table + self.slots * 8;
        self.pages.bytes().get_mut(cell..cell + 8)?.copy_from_slice(&address.to_le_bytes());
        self.slots += 1;
        self.near_slots.insert(address, cell);
        Some(cell)
    }

    /// Ends the time of writing to all but data.
    fn protect(&self) -> Result<(), JitError> {
        let ranges = [
            (0, self.constants, Access::Execute),
            (self.constants, self.data, Access::Nothing),
            (self.stubs, self.table, Access::Execute),
            (self.table, self.end, Access::Nothing),
        ];
        for (start, end, access) in ranges {
            self.pages.protect(start, end, access).map_err(system)?;
        }
        Ok(())
    }
}

/// What a relocation refers to.
pub enum Target {
    /// An address in the image.
    Near(u64),
    /// An address anywhere, a jump to it in the image, and its slot in the table.
    Far { address: u64, stub: u64, slot: usize },
}
