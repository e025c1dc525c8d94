//! New declarations and statements, which fit where they are put.

use crate::{
    model::{
        Act, Bound, Derive, Field, Function, Id, Item, Kind, Len, Module, Operator, Param, Program,
        Statement, Style, Ty, Value, Variant,
    },
    random::Random,
};

const WORDS: [&str; 48] = [
    "amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "hazel", "inlet", "jasper",
    "kelp", "linden", "maple", "nectar", "olive", "poppy", "quartz", "raven", "sable", "thyme",
    "umber", "velvet", "willow", "xenon", "yarrow", "zephyr", "acorn", "birch", "coral", "dune",
    "elm", "fern", "garnet", "heron", "iris", "juniper", "kite", "lotus", "mango", "nutmeg",
    "onyx", "pearl", "quill", "reed", "slate", "tulip", "urchin", "violet",
];

/// Names that are defined with `-D`, or not.
pub const DEFINES: [&str; 2] = ["FIRST", "SECOND"];

/// The level of functions that call nothing.
const LAST: u8 = 3;

/// A program with some modules and declarations.
pub fn program(random: &mut Random, items: usize) -> Program {
    let mut program = Program { library: random.one_in(10), ..Program::default() };
    let count = 3 + random.below(4);
    for at in 0..count {
        let path = if at == 0 { "/main".to_owned() } else { path(&mut program, random) };
        module(&mut program, path, random);
    }
    let id = program.fresh();
    let body = Vec::new();
    let function = Function {
        id,
        name: "main".into(),
        generics: Vec::new(),
        params: Vec::new(),
        ret: Some(Ty::Prim("int")),
        level: 0,
        is_static: false,
        body,
    };
    let module = program.modules[0].id;
    let kind = Kind::Function { function, is_macro: false };
    let name = "main".to_owned();
    program.items.push(Item { id, name, module, exported: false, comment: None, kind });
    for _ in 0..items {
        item(&mut program, random);
    }
    for _ in 0..items {
        add_statement(&mut program, random);
    }
    for _ in 0..6 {
        let added = statement(&mut program, 0, 0, random, 1);
        if let Some(main) = program.bodies_mut().find(|function| function.id == id) {
            main.body.push(added);
        }
    }
    program
}

/// A path that no module has.
pub fn path(program: &mut Program, random: &mut Random) -> String {
    loop {
        let word = WORDS[random.below(WORDS.len())];
        let path = match random.below(3) {
            0 => format!("/lib/{word}"),
            _ => format!("/{word}"),
        };
        // No stem twice: a module has one name for all who import it.
        let stem = |of: &str| of.rsplit('/').next().map(str::to_owned);
        if program.modules.iter().all(|module| stem(&module.path) != stem(&path)) {
            return path;
        }
    }
}

/// A module at the end.
pub fn module(program: &mut Program, path: String, random: &mut Random) {
    let style = style(random);
    let id = program.fresh();
    program.modules.push(Module { id, path, style, links: Default::default() });
}

/// Some way to write.
pub fn style(random: &mut Random) -> Style {
    Style {
        indent: random.below(5),
        blank: random.one_in(2),
        comment: random.one_in(2).then(|| random.below(1000) as u32),
        header: random.one_in(3),
        list: random.one_in(4),
    }
}

/// A name that nothing has.
pub fn name(program: &Program, random: &mut Random, upper: bool) -> String {
    for round in 0.. {
        let word = WORDS[random.below(WORDS.len())];
        let mut name = match upper {
            true => word[..1].to_uppercase() + &word[1..],
            false => format!("do_{word}"),
        };
        if round > 5 {
            name += &program.next.to_string();
        }
        if program.items.iter().all(|item| item.name != name) {
            return name;
        }
    }
    unreachable!("invariant: numbers do not end")
}

/// A name for a member: unique, as its number is.
fn member(id: Id, random: &mut Random) -> String {
    format!("{}_{id}", WORDS[random.below(WORDS.len())])
}

/// A declaration somewhere. Returns its number.
pub fn item(program: &mut Program, random: &mut Random) -> Id {
    let place = random.below(program.modules.len());
    let module = program.modules[place].id;
    let id = program.fresh();
    let kind = kind(program, id, place, random);
    let upper = matches!(
        kind,
        Kind::Struct { .. } | Kind::Enum { .. } | Kind::Interface { .. } | Kind::Alias { .. }
    );
    let name = match &kind {
        Kind::Impl { .. } => String::new(),
        Kind::Const { .. } => name(program, random, false).to_uppercase(),
        _ => name(program, random, upper),
    };
    let comment = random.one_in(4).then(|| random.below(1000) as u32);
    let item = Item { id, name, module, exported: random.one_in(4), comment, kind };
    let at = random.below(program.items.len() + 1);
    program.items.insert(at, item);
    if !program.is_right() {
        program.items.retain(|item| item.id != id);
    }
    id
}

fn kind(program: &mut Program, id: Id, place: usize, random: &mut Random) -> Kind {
    match random.below(20) {
        0..=2 => {
            let ints = consts(program, place);
            let is_macro = random.one_in(4);
            match random.pick(&ints).filter(|_| random.one_in(2)) {
                Some(&base) => {
                    let value = Value::More(base, random.any());
                    Kind::Const { ty: Ty::Prim("int"), value, is_macro }
                }
                None => {
                    let ty = if random.one_in(2) { Ty::Prim("int") } else { primitive(random) };
                    Kind::Const { ty, value: Value::Literal(random.any()), is_macro }
                }
            }
        }
        3 | 4 => Kind::Global { ty: ty(program, place, random), seed: random.any() },
        5..=9 => {
            let is_macro = random.one_in(6);
            let mut function = function(program, id, place, random);
            if is_macro {
                function.ret = Some(Ty::Prim("long"));
                function.generics.clear();
                function.body.clear();
                function.params.retain(|param| param.ty != Ty::Param(0));
                function.params.iter_mut().for_each(|param| param.default = None);
            }
            Kind::Function { function, is_macro }
        }
        10..=12 => structure(program, place, random),
        13 | 14 => {
            let payload = random.one_in(2);
            let count = 1 + random.below(4);
            let variants = (0..count).map(|_| variant(program, place, payload, random)).collect();
            Kind::Enum { variants }
        }
        15 => {
            let count = 1 + random.below(3);
            let methods = (0..count).map(|_| method(program, random)).collect();
            Kind::Interface { methods }
        }
        16 => Kind::Alias { ty: ty(program, place, random) },
        _ => implementation(program, place, random)
            .unwrap_or_else(|| structure(program, place, random)),
    }
}

fn structure(program: &mut Program, place: usize, random: &mut Random) -> Kind {
    let generic = random.one_in(4);
    let count = 1 + random.below(4);
    let mut fields: Vec<Field> = (0..count).map(|_| field(program, place, random)).collect();
    if generic {
        fields[0].ty = Ty::Param(0);
    }
    let all =
        [Derive::Eq, Derive::Ord, Derive::Clone, Derive::Hash, Derive::Debug, Derive::Display];
    let fits = |derive: &Derive| fields.iter().all(|f| program.derivable(*derive, &f.ty));
    let derives = all.into_iter().filter(|_| random.one_in(3)).filter(fits).collect();
    Kind::Struct { fields, generic, derives, drops: !generic && random.one_in(5) }
}

/// An implementation for something that the module at `place` can name.
pub fn implementation(program: &mut Program, place: usize, random: &mut Random) -> Option<Kind> {
    let visible = |item: &&Item| program.place(item.module) >= place;
    let types: Vec<(Id, bool, bool)> = program
        .items
        .iter()
        .filter(visible)
        .filter_map(|item| match &item.kind {
            Kind::Struct { generic, .. } => Some((item.id, *generic, true)),
            Kind::Enum { .. } => Some((item.id, false, false)),
            _ => None,
        })
        .collect();
    let interfaces: Vec<(Id, Vec<Function>)> = program
        .items
        .iter()
        .filter(visible)
        .filter_map(|item| match &item.kind {
            Kind::Interface { methods } => Some((item.id, methods.clone())),
            _ => None,
        })
        .collect();
    let &(of, generic, is_struct) = random.pick(&types)?;
    let interface = random.pick(&interfaces).filter(|_| !generic && random.one_in(2));
    if let Some((interface, signatures)) = interface {
        let mut methods = signatures.clone();
        for method in &mut methods {
            method.body = body(program, place, LAST, random);
        }
        return Some(Kind::Impl { of, interface: Some(*interface), methods, operator: None });
    }
    let count = 1 + random.below(2);
    let mut methods: Vec<Function> = (0..count).map(|_| method(program, random)).collect();
    for method in &mut methods {
        method.body = body(program, place, LAST, random);
        method.is_static = !generic && random.one_in(4);
    }
    let tokens = ["+", "-", "*", "==", "<"];
    let operator = (is_struct && !generic && random.one_in(2))
        .then(|| Operator { token: tokens[random.below(5)], seed: random.any() });
    Some(Kind::Impl { of, interface: None, methods, operator })
}

/// A method with a signature of primitive types.
pub fn method(program: &mut Program, random: &mut Random) -> Function {
    let id = program.fresh();
    let count = random.below(3);
    let params = (0..count).map(|_| param(program, primitive(random), random)).collect();
    let ret = (!random.one_in(4)).then(|| primitive(random));
    let name = member(id, random);
    let generics = Vec::new();
    Function { id, name, generics, params, ret, level: LAST, is_static: false, body: Vec::new() }
}

fn function(program: &mut Program, id: Id, place: usize, random: &mut Random) -> Function {
    let count = random.below(4);
    let mut params: Vec<Param> = (0..count)
        .map(|_| {
            let of = ty(program, place, random);
            param(program, of, random)
        })
        .collect();
    let mut ret = (!random.one_in(5)).then(|| ty(program, place, random));
    let mut generics = Vec::new();
    if random.one_in(3) {
        generics.push([Bound::None, Bound::Eq, Bound::Ord][random.below(3)]);
        for _ in 0..1 + random.below(2) {
            params.push(param(program, Ty::Param(0), random));
        }
        if random.one_in(2) {
            ret = Some(Ty::Param(0));
        }
    } else if let Some(last) = params.last_mut().filter(|_| random.one_in(3)) {
        last.default = Some(random.any());
    }
    let level = 1 + random.below(LAST.into()) as u8;
    let body = body(program, place, level, random);
    let name = String::new();
    Function { id, name, generics, params, ret, level, is_static: false, body }
}

/// A parameter.
pub fn param(program: &mut Program, ty: Ty, random: &mut Random) -> Param {
    let id = program.fresh();
    Param { id, name: member(id, random), ty, default: None }
}

/// A field of a type that the module at `place` can name.
pub fn field(program: &mut Program, place: usize, random: &mut Random) -> Field {
    let id = program.fresh();
    Field { id, name: member(id, random), ty: ty(program, place, random) }
}

/// A variant.
pub fn variant(program: &mut Program, place: usize, payload: bool, random: &mut Random) -> Variant {
    let id = program.fresh();
    let name = member(id, random);
    let name = name[..1].to_uppercase() + &name[1..];
    let payload = (payload && !random.one_in(3)).then(|| ty(program, place, random));
    Variant { id, name, payload }
}

fn primitive(random: &mut Random) -> Ty {
    let all = ["int", "int", "long", "short", "uint", "ulong", "char", "bool", "double", "string"];
    Ty::Prim(all[random.below(all.len())])
}

fn consts(program: &Program, place: usize) -> Vec<Id> {
    let fits = |item: &&Item| program.place(item.module) >= place && program.is_length(item.id);
    program.items.iter().filter(fits).map(|item| item.id).collect()
}

/// A type that the module at `place` can name.
pub fn ty(program: &Program, place: usize, random: &mut Random) -> Ty {
    match random.below(10) {
        0..=4 => primitive(random),
        5 => {
            let lengths = consts(program, place);
            let length = match random.pick(&lengths) {
                Some(&id) => Len::Const(id),
                None => Len::Number(1 + random.below(4) as u32),
            };
            Ty::Array(Box::new(primitive(random)), length)
        }
        6 => Ty::Slice(Box::new(primitive(random))),
        7 => {
            let generic = |item: &&Item| {
                program.place(item.module) >= place
                    && matches!(item.kind, Kind::Struct { generic: true, .. })
            };
            let all: Vec<Id> = program.items.iter().filter(generic).map(|item| item.id).collect();
            let argument = Ty::Prim(["int", "long", "char"][random.below(3)]);
            match random.pick(&all) {
                Some(&id) => Ty::Instance(id, Box::new(argument)),
                None => argument,
            }
        }
        _ => {
            let named = program.types_with(Bound::None, place);
            random.pick(&named).cloned().unwrap_or(Ty::Prim("int"))
        }
    }
}

fn body(program: &mut Program, place: usize, level: u8, random: &mut Random) -> Vec<Statement> {
    let count = random.below(3);
    (0..count).map(|_| statement(program, place, level, random, 0)).collect()
}

/// Puts a statement into some function.
pub fn add_statement(program: &mut Program, random: &mut Random) -> bool {
    let bodies: Vec<(Id, usize, u8, usize)> = program
        .bodies()
        .filter(|(item, _)| !matches!(item.kind, Kind::Function { is_macro: true, .. }))
        .map(|(item, f)| (f.id, program.place(item.module), f.level, f.body.len()))
        .collect();
    let Some(&(id, place, level, length)) = random.pick(&bodies) else { return false };
    let added = statement(program, place, level, random, 0);
    let at = random.below(length + 1);
    if let Some(function) = program.bodies_mut().find(|function| function.id == id) {
        function.body.insert(at.min(function.body.len()), added);
    }
    true
}

/// A statement for a function of a level in the module at `place`.
pub fn statement(
    program: &mut Program,
    place: usize,
    level: u8,
    random: &mut Random,
    depth: usize,
) -> Statement {
    let id = program.fresh();
    let act = act(program, place, level, random);
    let contains =
        matches!(act, Act::If | Act::For | Act::While | Act::ForIn | Act::Defer | Act::Block);
    let mut inner = Vec::new();
    if contains && depth < 2 {
        for _ in 0..1 + random.below(2) {
            inner.push(statement(program, place, level, random, depth + 1));
        }
    }
    Statement { id, seed: random.any(), act, inner }
}

fn act(program: &Program, place: usize, level: u8, random: &mut Random) -> Act {
    let simple = [
        Act::Arithmetic,
        Act::Floating,
        Act::Text,
        Act::Format,
        Act::Print,
        Act::Lambda,
        Act::Slice,
        Act::Sort,
        Act::Pointer,
        Act::Static,
        Act::Must,
        Act::Union,
        Act::Switch,
        Act::MatchNumber,
        Act::MatchText,
        Act::Ternary,
        Act::Literal,
        Act::Conditional(DEFINES[random.below(2)]),
        Act::If,
        Act::For,
        Act::While,
        Act::ForIn,
        Act::Defer,
        Act::Block,
    ];
    if random.one_in(3) {
        return simple[random.below(simple.len())].clone();
    }
    let visible: Vec<&Item> =
        program.items.iter().filter(|item| program.place(item.module) >= place).collect();
    for _ in 0..8 {
        let Some(item) = random.pick(&visible) else { break };
        if let Some(act) = act_on(program, item, place, level, random) {
            return act;
        }
    }
    simple[random.below(simple.len())].clone()
}

/// A use of a declaration.
fn act_on(
    program: &Program,
    item: &Item,
    place: usize,
    level: u8,
    random: &mut Random,
) -> Option<Act> {
    Some(match &item.kind {
        Kind::Const { .. } => Act::Const(item.id),
        Kind::Global { .. } if random.one_in(2) => Act::SetGlobal(item.id),
        Kind::Global { .. } => Act::Global(item.id),
        Kind::Function { function, .. } if function.level > level => {
            match function.generics.first() {
                Some(&bound) => {
                    let types = program.types_with(bound, place);
                    Act::Instance(item.id, random.pick(&types)?.clone())
                }
                None if random.one_in(4) => Act::FunctionValue(item.id),
                None => Act::Call(item.id),
            }
        }
        Kind::Function { .. } | Kind::Interface { .. } => return None,
        Kind::Struct { generic: true, .. } => {
            let argument = Ty::Prim(["int", "long", "char"][random.below(3)]);
            Act::Make(Ty::Instance(item.id, Box::new(argument)))
        }
        Kind::Enum { .. } if random.one_in(2) => Act::Match(item.id),
        Kind::Struct { .. } | Kind::Enum { .. } | Kind::Alias { .. } => {
            let ty = Ty::Named(item.id);
            match random.below(5) {
                0 => Act::Move(ty),
                1 => Act::Measure(ty),
                _ => Act::Make(ty),
            }
        }
        Kind::Impl { .. } if level >= LAST => return None,
        Kind::Impl { interface: Some(_), .. } if random.one_in(2) => Act::Dynamic(item.id),
        Kind::Impl { operator: Some(_), .. } if random.one_in(2) => Act::Operate(item.id),
        Kind::Impl { methods, .. } => Act::Method(item.id, random.pick(methods)?.id),
    })
}
