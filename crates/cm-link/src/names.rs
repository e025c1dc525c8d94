//! What the symbols of objects stand for.

use crate::{
    LinkError, Result,
    elf::{Binding, Object, Place, Symbol},
    error::{Duplicate, Undefined},
    interner::{Interner, NameId},
};

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
    names: &'a Interner,
    /// What objects share or nobody defines, by the number of its name.
    globals: Vec<Global>,
    /// In the order of their first use.
    pub imports: Vec<Import<'a>>,
}

#[derive(Clone, Copy)]
struct Global {
    /// [`Bound::Nowhere`]: no definition has been found yet.
    bound: Bound,
    /// The object that defines it, or the first that refers to it; [`NOBODY`]: there is none.
    object: u32,
    /// The definition is weak, or all that refers to it.
    weak: bool,
}

/// No object mentions a name.
const NOBODY: u32 = u32::MAX;

/// Names for the image that an object is a part of: of C's start files, and one that assemblers
/// leave where the table of addresses is used.
const IMAGE: [&[u8]; 2] = [b"__dso_handle", b"_GLOBAL_OFFSET_TABLE_"];

impl<'a> Names<'a> {
    /// Binds the symbols of all objects, whose names have these numbers.
    ///
    /// # Errors
    /// If two objects define the same symbol.
    pub fn new(objects: &[Object], names: &'a Interner) -> Result<Self> {
        let unknown = Global { bound: Bound::Nowhere, object: NOBODY, weak: true };
        let globals = vec![unknown; names.len()];
        let mut all = Names { names, globals, imports: Vec::new() };
        for id in IMAGE.iter().filter_map(|name| names.find(name)) {
            all.globals[id.index()] = Global { bound: Bound::Image(0), object: 0, weak: true };
        }
        let mut undefined = Vec::new();
        let mut duplicates = Vec::new();
        for (object, input) in objects.iter().enumerate() {
            for (symbol, name) in input.symbols.iter().zip(&input.contents.names) {
                let Some(name) = *name else { continue };
                if all.mention(objects, object, symbol, name, &mut duplicates) {
                    undefined.push(name);
                }
            }
        }
        if !duplicates.is_empty() {
            duplicates.sort();
            return Err(LinkError::Duplicate(duplicates));
        }
        all.import(&undefined);
        Ok(all)
    }

    /// What a name that objects share stands for.
    pub fn get(&self, name: &[u8]) -> Option<Bound> {
        let global = self.globals[self.names.find(name)?.index()];
        (global.object != NOBODY).then_some(global.bound)
    }

    /// What a symbol of an object stands for; `None`: it has no such symbol.
    #[inline]
    pub fn bound(&self, objects: &[Object], object: usize, symbol: usize) -> Option<Bound> {
        let input = &objects[object];
        match *input.contents.names.get(symbol)? {
            None => Some(place(object, input, input.symbols.get(symbol)?)),
            Some(name) => Some(self.globals[name.index()].bound),
        }
    }

    /// The symbols of all objects, each with the index of its object, its name and what it stands for.
    pub fn each<'o>(
        &'o self,
        objects: &'o [Object],
        mut visit: impl FnMut(usize, Symbol<'o>, &'o [u8], Bound),
    ) {
        for (object, input) in objects.iter().enumerate() {
            for (symbol, name) in input.symbols.iter().zip(&input.contents.names) {
                match *name {
                    None => visit(object, symbol, symbol.name(), place(object, input, symbol)),
                    Some(name) => {
                        let bound = self.globals[name.index()].bound;
                        visit(object, symbol, self.names.name(name), bound);
                    }
                }
            }
        }
    }

    /// Takes note of a symbol. `true`: its name is new, and it is not defined here.
    fn mention(
        &mut self,
        objects: &[Object],
        object: usize,
        symbol: Symbol,
        name: NameId,
        duplicates: &mut Vec<Duplicate>,
    ) -> bool {
        let bound = place(object, &objects[object], symbol);
        let weak = symbol.binding() == Binding::Weak;
        let new = Global { bound, object: object as u32, weak };
        let old = &mut self.globals[name.index()];
        match (old.bound, bound) {
            _ if old.object == NOBODY => {
                *old = new;
                return bound == Bound::Nowhere;
            }
            (Bound::Nowhere, Bound::Nowhere) => old.weak &= weak,
            (Bound::Nowhere, _) => *old = new,
            (_, Bound::Nowhere) => {}
            (known, bound) if known == bound || weak => {}
            _ => {
                if !old.weak {
                    let both = [old.object as usize, object];
                    let objects = both.map(|object| objects[object].name.to_owned());
                    duplicates.push(Duplicate { symbol: text(self.names.name(name)), objects });
                }
                *old = new;
            }
        }
        false
    }

    /// Of the names that were not defined where they were first used, those that nobody defines are imported.
    fn import(&mut self, undefined: &[NameId]) {
        for id in undefined {
            let global = &mut self.globals[id.index()];
            if global.bound == Bound::Nowhere {
                global.bound = Bound::Import(self.imports.len() as u32);
                let Global { object, weak, .. } = *global;
                let name = self.names.name(*id);
                self.imports.push(Import { name, user: object as usize, weak });
            }
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

fn place(index: usize, object: &Object, symbol: Symbol) -> Bound {
    match symbol.place() {
        Place::Undefined => Bound::Nowhere,
        Place::Absolute(value) => Bound::Absolute(value),
        Place::Defined(section, value) => {
            match object.contents.sections.get(usize::from(section)) {
                Some(found) if found.kind.is_some() => {
                    Bound::Section(Spot { object: index as u32, section, value })
                }
                _ => Bound::Nowhere,
            }
        }
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
