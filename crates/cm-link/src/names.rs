//! What the symbols of objects stand for.

use crate::{
    LinkError, Result,
    elf::{Binding, Object, Place, Symbol},
    error::{Duplicate, Undefined},
};
use hashbrown::hash_table::{Entry, HashTable};
use object::elf::STT_SECTION;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher as _;

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
    Import(u32),
    /// A place in what takes no part in execution.
    Nowhere,
}

/// A place in a section of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Spot {
    /// Index of the object.
    pub object: u32,
    /// Index of the section in the object.
    pub section: u16,
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
    /// What objects share or nobody defines, in the order of their first mention.
    globals: Vec<Global<'a>>,
    /// Indices in `globals`, by name.
    index: HashTable<u32>,
    /// By object and symbol: index in `globals`, or [`LOCAL`].
    mentions: Vec<Vec<u32>>,
    /// In the order of their first use.
    pub imports: Vec<Import<'a>>,
}

#[derive(Clone, Copy)]
struct Global<'a> {
    name: &'a [u8],
    /// [`Bound::Nowhere`]: no definition has been found yet.
    bound: Bound,
    /// The object that defines it, or the first that refers to it.
    object: u32,
    /// The definition is weak, or all that refers to it.
    weak: bool,
}

/// A symbol that no other object sees.
const LOCAL: u32 = u32::MAX;

/// Names for the image that an object is a part of: of C's start files, and one that assemblers
/// leave where the table of addresses is used.
const IMAGE: [&[u8]; 2] = [b"__dso_handle", b"_GLOBAL_OFFSET_TABLE_"];

/// About how many names programs do not define.
const IMPORTS: usize = 64;

impl<'a> Names<'a> {
    /// Binds the symbols of all objects.
    ///
    /// # Errors
    /// If two objects define the same symbol.
    pub fn new(objects: &[Object<'a>]) -> Result<Self> {
        let symbols = objects.iter().flat_map(|object| object.symbols.iter());
        let defines = |symbol: &Symbol| is_shared(*symbol) && symbol.place() != Place::Undefined;
        let count = symbols.filter(defines).count() + IMPORTS;
        let mut names = Names {
            globals: Vec::with_capacity(count),
            index: HashTable::with_capacity(count),
            mentions: Vec::with_capacity(objects.len()),
            imports: Vec::new(),
        };
        for name in IMAGE {
            names.intern(Global { name, bound: Bound::Image(0), object: 0, weak: true });
        }
        let mut duplicates = Vec::new();
        for (object, input) in objects.iter().enumerate() {
            let mention = |symbol| names.mention(objects, object, symbol, &mut duplicates);
            let mentions = input.symbols.iter().map(mention).collect();
            names.mentions.push(mentions);
        }
        if !duplicates.is_empty() {
            duplicates.sort();
            return Err(LinkError::Duplicate(duplicates));
        }
        names.import();
        Ok(names)
    }

    /// What a name that objects share stands for.
    pub fn get(&self, name: &[u8]) -> Option<Bound> {
        let same = |index: &u32| self.globals[*index as usize].name == name;
        let index = self.index.find(hash(name), same)?;
        Some(self.globals[*index as usize].bound)
    }

    /// What a symbol of an object stands for; `None`: it has no such symbol.
    #[inline]
    pub fn bound(&self, objects: &[Object], object: usize, symbol: usize) -> Option<Bound> {
        match *self.mentions[object].get(symbol)? {
            LOCAL => {
                let input = &objects[object];
                Some(place(object, input, input.symbols.get(symbol)?))
            }
            global => Some(self.globals[global as usize].bound),
        }
    }

    /// The symbols of all objects, each with the index of its object, its name and what it stands for.
    pub fn each(
        &self,
        objects: &[Object<'a>],
        mut visit: impl FnMut(usize, Symbol<'a>, &'a [u8], Bound),
    ) {
        for (object, (input, mentions)) in objects.iter().zip(&self.mentions).enumerate() {
            for (symbol, mention) in input.symbols.iter().zip(mentions) {
                match *mention {
                    LOCAL => visit(object, symbol, symbol.name(), place(object, input, symbol)),
                    global => {
                        let Global { name, bound, .. } = self.globals[global as usize];
                        visit(object, symbol, name, bound);
                    }
                }
            }
        }
    }

    /// The index of a name, and whether it is new.
    fn intern(&mut self, new: Global<'a>) -> (u32, bool) {
        let globals = &mut self.globals;
        let same = |index: &u32| globals[*index as usize].name == new.name;
        let rehash = |index: &u32| hash(globals[*index as usize].name);
        match self.index.entry(hash(new.name), same, rehash) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(free) => {
                let index = globals.len() as u32;
                free.insert(index);
                globals.push(new);
                (index, true)
            }
        }
    }

    /// Takes note of a symbol, and gives the index of its name.
    fn mention(
        &mut self,
        objects: &[Object],
        object: usize,
        symbol: Symbol<'a>,
        duplicates: &mut Vec<Duplicate>,
    ) -> u32 {
        let name = if is_shared(symbol) { symbol.name() } else { &[] };
        if name.is_empty() {
            return LOCAL;
        }
        let bound = place(object, &objects[object], symbol);
        let weak = symbol.binding() == Binding::Weak;
        let new = Global { name, bound, object: object as u32, weak };
        let (index, is_new) = self.intern(new);
        let old = &mut self.globals[index as usize];
        match (old.bound, bound) {
            _ if is_new => {}
            (Bound::Nowhere, Bound::Nowhere) => old.weak &= weak,
            (Bound::Nowhere, _) => *old = new,
            (_, Bound::Nowhere) => {}
            (known, bound) if known == bound || weak => {}
            _ => {
                if !old.weak {
                    let both = [old.object as usize, object];
                    let objects = both.map(|object| objects[object].name.to_owned());
                    duplicates.push(Duplicate { symbol: text(name), objects });
                }
                *old = new;
            }
        }
        index
    }

    /// What nobody defines is imported.
    fn import(&mut self) {
        for global in self.globals.iter_mut().filter(|global| global.bound == Bound::Nowhere) {
            global.bound = Bound::Import(self.imports.len() as u32);
            let Global { name, object, weak, .. } = *global;
            self.imports.push(Import { name, user: object as usize, weak });
        }
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

/// Other objects may see it, if it has a name.
fn is_shared(symbol: Symbol) -> bool {
    symbol.binding() != Binding::Local && symbol.kind() != STT_SECTION
}

fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}

fn place(index: usize, object: &Object, symbol: Symbol) -> Bound {
    match symbol.place() {
        Place::Undefined => Bound::Nowhere,
        Place::Absolute(value) => Bound::Absolute(value),
        Place::Defined(section, value) => match object.sections.get(usize::from(section)) {
            Some(found) if found.kind.is_some() => {
                Bound::Section(Spot { object: index as u32, section, value })
            }
            _ => Bound::Nowhere,
        },
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
