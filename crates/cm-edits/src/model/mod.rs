//! A program as a model, from which its text is printed. What refers to a declaration holds its
//! number, so that a program stays right whatever is renamed, moved or given another signature.

mod check;
mod uses;

use std::collections::BTreeMap;

/// What identifies a declaration, a member or a statement in all states of a program.
pub type Id = u32;

/// A program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// The first is the root. A module uses its own declarations and those of later ones.
    pub modules: Vec<Module>,
    /// In the order of the text, all modules together.
    pub items: Vec<Item>,
    /// Whether modules import what they need of the library, which is much to compile.
    pub library: bool,
    /// As on the command line.
    pub arguments: Vec<String>,
    /// What makes the text wrong, most often.
    pub breakage: Option<Breakage>,
    /// The next number that is free.
    pub next: Id,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Module {
    /// Its number; places in `Program::modules` change.
    pub id: Id,
    /// Where it is, without `.cm`: `/main`, `/lib/shapes`.
    pub path: String,
    /// How it is written.
    pub style: Style,
    /// How it imports from other modules; absent: names, one by one.
    pub links: BTreeMap<Id, Link>,
}

/// What changes a text, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// Spaces for each level.
    pub indent: usize,
    /// Whether an empty line separates declarations.
    pub blank: bool,
    /// The comment at its beginning.
    pub comment: Option<u32>,
    /// Whether there is a `module` declaration.
    pub header: bool,
    /// Whether an export list at the end takes the place of `export` before declarations.
    pub list: bool,
}

/// How a module gets at the declarations of another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// `import ./m::{a, b};`
    Names,
    /// `import ./m::{a as a_2};`
    Renamed,
    /// `import ./m as m_2;`, and `m_2::a`.
    Space,
    /// `import ./m;`
    Whole,
    /// `import ./m::*;`
    Star,
    /// `import ./hub::{a, b};`, where `hub` exports what it imports.
    Through(Id),
}

/// A declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// What refers to it holds this.
    pub id: Id,
    /// Implementations have none.
    pub name: String,
    /// The module where it is.
    pub module: Id,
    /// Whether it is exported even if no other module uses it.
    pub exported: bool,
    /// The comment before it.
    pub comment: Option<u32>,
    /// What it is.
    pub kind: Kind,
}

/// What a declaration is.
#[expect(missing_docs, reason = "the fields are named for what the language calls them")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `const T NAME = …;` or `macro T NAME = …;`.
    Const { ty: Ty, value: Value, is_macro: bool },
    /// `T name = …;`.
    Global { ty: Ty, seed: u64 },
    /// A function; a function macro if `is_macro`.
    Function { function: Function, is_macro: bool },
    /// A struct with as many type parameters.
    Struct { fields: Vec<Field>, generic: bool, derives: Vec<Derive>, drops: bool },
    /// Plain if no variant has a payload.
    Enum { variants: Vec<Variant> },
    /// An interface.
    Interface { methods: Vec<Function> },
    /// `impl S`, or `impl S for I` whose methods have the numbers and signatures of those of `I`.
    Impl { of: Id, interface: Option<Id>, methods: Vec<Function>, operator: Option<Operator> },
    /// `typedef`.
    Alias { ty: Ty },
}

/// The value of a constant: at least 1 for whoever needs a length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// By the seed.
    Literal(u64),
    /// Another constant and something more.
    More(Id, u64),
}

/// A type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ty {
    /// A number type, `bool`, `char` or `string`, by its name.
    Prim(&'static str),
    /// A struct, an enum, an alias.
    Named(Id),
    /// An instance of a generic struct.
    Instance(Id, Box<Ty>),
    /// A fixed array, whose length is a constant.
    Array(Box<Ty>, Len),
    /// A slice.
    Slice(Box<Ty>),
    /// A type parameter of the declaration.
    Param(usize),
}

/// The length of an array.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Len {
    /// As it stands.
    Number(u32),
    /// A constant.
    Const(Id),
}

/// A function, a method, or the signature of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its number: that of the item, if it is one.
    pub id: Id,
    /// Methods have their names here.
    pub name: String,
    /// Type parameters.
    pub generics: Vec<Bound>,
    /// Parameters.
    pub params: Vec<Param>,
    /// `None`: `void`.
    pub ret: Option<Ty>,
    /// It calls functions of higher levels only, so that everything ends.
    pub level: u8,
    /// `static`, for methods.
    pub is_static: bool,
    /// What it does.
    pub body: Vec<Statement>,
}

/// What a type argument must have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Nothing.
    None,
    /// `==`.
    Eq,
    /// `<`.
    Ord,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Param {
    /// Its number.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// Whether it has a default, by this seed.
    pub default: Option<u64>,
}

/// A field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its number.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Ty,
}

/// A variant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variant {
    /// Its number.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its payload.
    pub payload: Option<Ty>,
}

/// What a struct has by `with`.
#[expect(missing_docs, reason = "they are the language's")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Derive {
    Eq,
    Ord,
    Clone,
    Hash,
    Debug,
    Display,
}

/// An operator of an implementation, by its token, and the seed of what it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// `+`, `-`, `==`, …
    pub token: &'static str,
    /// What it does.
    pub seed: u64,
}

/// A statement, printed by what it refers to and its seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its number.
    pub id: Id,
    /// Which of many.
    pub seed: u64,
    /// What it does.
    pub act: Act,
    /// What it contains.
    pub inner: Vec<Statement>,
}

/// What a statement does.
#[expect(missing_docs, reason = "the words say it; `print` shows what becomes of them")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    Arithmetic,
    Floating,
    Text,
    Format,
    Print,
    Lambda,
    Slice,
    Sort,
    Pointer,
    Static,
    Must,
    Union,
    Switch,
    MatchNumber,
    MatchText,
    Ternary,
    Literal,
    Conditional(&'static str),
    If,
    For,
    While,
    ForIn,
    Defer,
    Block,
    Const(Id),
    Global(Id),
    SetGlobal(Id),
    Call(Id),
    Instance(Id, Ty),
    FunctionValue(Id),
    Make(Ty),
    Method(Id, Id),
    Operate(Id),
    Match(Id),
    Dynamic(Id),
    Move(Ty),
    Measure(Ty),
}

/// What is wrong with a program, most often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Breakage {
    /// The text of a module, somewhere.
    Text(Id, u64),
    /// A declaration is not there, although it is used.
    Hidden(Id),
    /// It is not exported.
    Private(Id),
    /// It has another name than its users believe.
    Misnamed(Id),
    /// The model breaks rules of the language.
    Rules,
}

impl Program {
    /// A number that nothing has.
    pub fn fresh(&mut self) -> Id {
        self.next += 1;
        self.next
    }
    /// A declaration.
    pub fn item(&self, id: Id) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }
    /// The same, to be changed.
    pub fn item_mut(&mut self, id: Id) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id == id)
    }
    /// The place of a module.
    pub fn place(&self, module: Id) -> usize {
        self.modules.iter().position(|of| of.id == module).unwrap_or(0)
    }
    /// The place of the module of a declaration.
    pub fn place_of(&self, item: Id) -> usize {
        self.item(item).map_or(0, |item| self.place(item.module))
    }
    /// A function that is a declaration.
    pub fn function(&self, id: Id) -> Option<&Function> {
        match &self.item(id)?.kind {
            Kind::Function { function, .. } => Some(function),
            _ => None,
        }
    }
    /// All functions with a body, with the declaration that each is in.
    pub fn bodies(&self) -> impl Iterator<Item = (&Item, &Function)> {
        self.items.iter().flat_map(|item| {
            let functions = match &item.kind {
                Kind::Function { function, .. } => std::slice::from_ref(function),
                Kind::Impl { methods, .. } => methods,
                _ => &[],
            };
            functions.iter().map(move |function| (item, function))
        })
    }
    /// The same, to be changed.
    pub fn bodies_mut(&mut self) -> impl Iterator<Item = &mut Function> {
        self.items.iter_mut().flat_map(|item| match &mut item.kind {
            Kind::Function { function, .. } => std::slice::from_mut(function),
            Kind::Impl { methods, .. } => methods,
            _ => &mut [],
        })
    }
    /// What an alias stands for, and what else is itself; so is an alias of something newer, which an edit
    /// that is not done may have made a circle.
    pub fn resolved<'a>(&'a self, ty: &'a Ty) -> &'a Ty {
        match ty {
            Ty::Named(id) => match self.item(*id).map(|item| &item.kind) {
                Some(Kind::Alias { ty }) if self.rank(ty) < *id => self.resolved(ty),
                _ => ty,
            },
            _ => ty,
        }
    }
    /// Whether a type has `==`, or `<`.
    pub fn has(&self, ty: &Ty, bound: Bound) -> bool {
        match (self.resolved(ty), bound) {
            (_, Bound::None) => true,
            (Ty::Prim(name), Bound::Ord) => !matches!(*name, "string" | "bool"),
            (Ty::Prim(_), Bound::Eq) => true,
            (Ty::Named(id) | Ty::Instance(id, _), bound) => {
                let derive = if bound == Bound::Eq { Derive::Eq } else { Derive::Ord };
                matches!(self.item(*id).map(|item| &item.kind),
                    Some(Kind::Struct { derives, .. }) if derives.contains(&derive))
            }
            _ => false,
        }
    }
}
