//! What the symbols of objects stand for.

use crate::{
    LinkError, Result,
    elf::{Binding, Object, Place},
    error::{Duplicate, Undefined},
};
use object::elf::STT_SECTION;
use rustc_hash::FxHashMap;

/// What a symbol stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bound {
    /// A place in a section of an object.
    Section(Spot),
    /// A place in the image.
    Image(u64),
    /// A number.
    Absolute(u64),
    /// One of [`Names::imports`].
    Import(usize),
    /// A place in what takes no part in execution.
    Nowhere,
}

/// A place in a section of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Spot {
    /// Index of the object.
    pub object: usize,
    /// Index of the section in the object.
    pub section: usize,
    /// Offset in the section.
    pub value: u64,
}

/// A symbol that no object defines.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The first object that refers to it.
    pub user: usize,
    /// Nobody minds if it is missing.
    pub weak: bool,
}

/// What the symbols of objects stand for.
pub struct Names<'a> {
    /// By object and symbol.
    pub bound: Vec<Vec<Bound>>,
    /// What the objects share, and what nobody defines.
    globals: FxHashMap<&'a [u8], Global>,
    /// In the order of their first use.
    pub imports: Vec<Import<'a>>,
}

#[derive(Clone, Copy)]
struct Global {
    bound: Bound,
    weak: bool,
    object: usize,
}

/// Names for the image that an object is a part of: of C's start files, and one that assemblers
/// leave where the table of addresses is used.
const IMAGE: [&[u8]; 2] = [b"__dso_handle", b"_GLOBAL_OFFSET_TABLE_"];

impl<'a> Names<'a> {
    /// Binds the symbols of all objects.
    ///
    /// # Errors
    /// If two objects define the same symbol.
    pub fn new(objects: &[Object<'a>]) -> Result<Self> {
        let count = objects.iter().map(|object| object.symbols.len()).sum();
        let mut names = Names {
            bound: Vec::with_capacity(objects.len()),
            globals: FxHashMap::with_capacity_and_hasher(count, Default::default()),
            imports: Vec::new(),
        };
        let image = Global { bound: Bound::Image(0), weak: true, object: 0 };
        names.globals.extend(IMAGE.map(|name| (name, image)));
        names.define(objects)?;
        for (index, object) in objects.iter().enumerate() {
            let bound = names.bind(index, object);
            names.bound.push(bound);
        }
        Ok(names)
    }

    /// What a name that objects share stands for.
    pub fn get(&self, name: &[u8]) -> Option<Bound> {
        self.globals.get(name).map(|global| global.bound)
    }

    fn define(&mut self, objects: &[Object<'a>]) -> Result<()> {
        let mut duplicates = Vec::new();
        for (index, object) in objects.iter().enumerate() {
            for symbol in object.symbols.iter().filter(|s| s.binding != Binding::Local) {
                let bound = place(index, object, symbol.place);
                let weak = symbol.binding == Binding::Weak;
                if symbol.place == Place::Undefined || bound == Bound::Nowhere {
                    continue;
                }
                let new = Global { bound, weak, object: index };
                let old = *self.globals.entry(symbol.name).or_insert(new);
                if old.bound == bound || weak {
                    continue;
                }
                if !old.weak {
                    let objects = [old.object, index].map(|object| objects[object].name.to_owned());
                    duplicates.push(Duplicate { symbol: text(symbol.name), objects });
                }
                self.globals.insert(symbol.name, new);
            }
        }
        duplicates.sort();
        if duplicates.is_empty() { Ok(()) } else { Err(LinkError::Duplicate(duplicates)) }
    }

    fn bind(&mut self, index: usize, object: &Object<'a>) -> Vec<Bound> {
        let mut bound = Vec::with_capacity(object.symbols.len());
        for symbol in &object.symbols {
            let local = symbol.binding == Binding::Local
                || symbol.kind == STT_SECTION
                || symbol.name.is_empty();
            if local {
                bound.push(place(index, object, symbol.place));
                continue;
            }
            let weak = symbol.binding == Binding::Weak;
            let global = *self.globals.entry(symbol.name).or_insert_with(|| {
                self.imports.push(Import { name: symbol.name, user: index, weak: true });
                Global { bound: Bound::Import(self.imports.len() - 1), weak, object: index }
            });
            if let Bound::Import(import) = global.bound {
                self.imports[import].weak &= weak;
            }
            bound.push(global.bound);
        }
        bound
    }

    /// The imports that are not `known` and not weak, as an error.
    ///
    /// # Errors
    /// If there are any.
    pub fn check(&self, objects: &[Object], known: impl Fn(usize) -> bool) -> Result<()> {
        let missing = |(index, import): &(usize, &Import)| !import.weak && !known(*index);
        let mut undefined: Vec<_> = self
            .imports
            .iter()
            .enumerate()
            .filter(missing)
            .map(|(_, import)| {
                let user = objects[import.user].name;
                let user = (!user.is_empty()).then(|| user.to_owned());
                Undefined { symbol: text(import.name), user }
            })
            .collect();
        undefined.sort();
        if undefined.is_empty() { Ok(()) } else { Err(LinkError::Undefined(undefined)) }
    }
}

fn place(index: usize, object: &Object, place: Place) -> Bound {
    match place {
        Place::Undefined => Bound::Nowhere,
        Place::Absolute(value) => Bound::Absolute(value),
        Place::Defined(section, value) => match object.sections.get(section) {
            Some(found) if found.kind.is_some() => {
                Bound::Section(Spot { object: index, section, value })
            }
            _ => Bound::Nowhere,
        },
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
