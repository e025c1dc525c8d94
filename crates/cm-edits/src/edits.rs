//! Edits of a model: what people do to programs.

use crate::{
    grow,
    model::{
        Act, Bound, Breakage, Derive, Field, Function, Id, Item, Kind, Link, Param, Program, Ty,
        Value, Variant,
    },
    random::Random,
};

/// An edit. Returns whether it found something to change.
pub type Edit = fn(&mut Program, &mut Random) -> bool;

/// All edits, by their kinds. What touches the world beside the model is in `walk`.
pub const EDITS: [(&str, Edit); 34] = [
    ("rename", rename),
    ("rename member", rename_member),
    ("rename module", rename_module),
    ("move", move_item),
    ("reorder", reorder),
    ("parameter added", add_parameter),
    ("parameter removed", remove_parameter),
    ("result changed", change_result),
    ("default changed", change_default),
    ("statement added", grow::add_statement),
    ("statement removed", remove_statement),
    ("statement changed", change_statement),
    ("constant changed", change_constant),
    ("constant typed", retype_constant),
    ("global changed", change_global),
    ("alias changed", change_alias),
    ("bound changed", change_bound),
    ("generic changed", change_generic),
    ("impl added", add_implementation),
    ("impl removed", remove_implementation),
    ("method added", add_method),
    ("method removed", remove_method),
    ("operator changed", change_operator),
    ("variant added", add_variant),
    ("variant removed", remove_variant),
    ("variant changed", change_variant),
    ("field added", add_field),
    ("field removed", remove_field),
    ("field changed", change_field),
    ("derive changed", change_derive),
    ("import changed", change_link),
    ("export changed", change_export),
    ("item added", |program, random| grow::item(program, random) > 0),
    ("item deleted", delete_item),
];

/// Edits after which every query but the first few must stay as it is.
pub const WRITING: [(&str, Edit); 2] = [("comment", change_comment), ("format", reformat)];

/// The options of a command.
pub fn change_options(program: &mut Program, random: &mut Random) -> bool {
    let mut arguments = Vec::new();
    if random.one_in(2) {
        arguments.push(format!("-O{}", 1 + random.below(3)));
    }
    arguments
        .extend(grow::DEFINES.iter().filter(|_| random.one_in(3)).map(|name| format!("-D{name}")));
    program.arguments = arguments;
    true
}

/// Makes the program wrong.
pub fn break_it(program: &mut Program, random: &mut Random) -> bool {
    let module = program.modules[random.below(program.modules.len())].id;
    let text = Breakage::Text(module, random.any());
    let of = some(program, random, |item| !is_main(item)).map(|item| item.id);
    program.breakage = Some(match (random.below(7), of) {
        (0, Some(id)) => Breakage::Hidden(id),
        (1, Some(id)) => Breakage::Private(id),
        (2, Some(id)) => Breakage::Misnamed(id),
        (3 | 4, _) => {
            // What is wrong by the rules, if some edit finds a way.
            let right = program.clone();
            for _ in 0..40 {
                let (_, edit) = EDITS[random.below(EDITS.len())];
                if edit(program, random) && !program.is_right() && program.holds_together() {
                    program.breakage = Some(Breakage::Rules);
                    return true;
                }
                program.clone_from(&right);
            }
            text
        }
        _ => text,
    });
    true
}

/// One of the declarations of a kind.
fn some<'a>(
    program: &'a mut Program,
    random: &mut Random,
    fits: impl Fn(&Item) -> bool,
) -> Option<&'a mut Item> {
    let mut all: Vec<&mut Item> = program.items.iter_mut().filter(|item| fits(item)).collect();
    if all.is_empty() {
        return None;
    }
    let at = random.below(all.len());
    Some(all.swap_remove(at))
}

fn is_main(item: &Item) -> bool {
    item.name == "main"
}

fn rename(program: &mut Program, random: &mut Random) -> bool {
    let fits = |item: &Item| !item.name.is_empty() && !is_main(item);
    let Some(id) = some(program, random, fits).map(|item| item.id) else { return false };
    let Some(item) = program.item(id) else { return false };
    let upper = item.name.starts_with(|c: char| c.is_uppercase());
    let mut name = grow::name(program, random, upper && !item.name.contains('_'));
    if matches!(item.kind, Kind::Const { .. }) {
        name = name.to_uppercase();
    }
    program.item_mut(id).is_some_and(|item| {
        item.name = name;
        true
    })
}

fn rename_member(program: &mut Program, random: &mut Random) -> bool {
    let id = program.fresh();
    let new = |old: &str| {
        let word = old.split('_').next().unwrap_or(old);
        format!("{word}_{id}")
    };
    let Some(item) = some(program, random, |_| true) else { return false };
    let name = match &mut item.kind {
        Kind::Struct { fields, .. } => pick_mut(fields, random).map(|field| &mut field.name),
        Kind::Enum { variants } => pick_mut(variants, random).map(|variant| &mut variant.name),
        Kind::Function { function, .. } => {
            pick_mut(&mut function.params, random).map(|param| &mut param.name)
        }
        Kind::Interface { methods } | Kind::Impl { methods, interface: None, .. } => {
            pick_mut(methods, random).map(|method| &mut method.name)
        }
        _ => None,
    };
    name.is_some_and(|name| {
        *name = new(name);
        true
    })
}

fn pick_mut<'a, T>(of: &'a mut [T], random: &mut Random) -> Option<&'a mut T> {
    let at = random.below(of.len());
    of.get_mut(at)
}

fn rename_module(program: &mut Program, random: &mut Random) -> bool {
    let path = grow::path(program, random);
    let at = 1 + random.below(program.modules.len() - 1);
    program.modules[at].path = path;
    true
}

fn move_item(program: &mut Program, random: &mut Random) -> bool {
    let to = program.modules[random.below(program.modules.len())].id;
    let Some(item) = some(program, random, |item| !is_main(item) && item.module != to) else {
        return false;
    };
    item.module = to;
    true
}

fn reorder(program: &mut Program, random: &mut Random) -> bool {
    let from = random.below(program.items.len());
    let item = program.items.remove(from);
    let to = random.below(program.items.len() + 1);
    program.items.insert(to, item);
    from != to
}

/// A function or method whose signature can be changed.
fn with_signature<R>(
    program: &mut Program,
    random: &mut Random,
    change: impl FnOnce(&mut Function, &mut Random) -> R,
) -> Option<R> {
    let fits = |item: &Item| match &item.kind {
        Kind::Function { .. } => !is_main(item),
        Kind::Impl { interface: None, methods, .. } => !methods.is_empty(),
        Kind::Interface { methods } => !methods.is_empty(),
        _ => false,
    };
    match &mut some(program, random, fits)?.kind {
        Kind::Function { function, .. } => Some(change(function, random)),
        Kind::Impl { methods, .. } | Kind::Interface { methods } => {
            Some(change(pick_mut(methods, random)?, random))
        }
        _ => None,
    }
}

fn add_parameter(program: &mut Program, random: &mut Random) -> bool {
    let ty = grow::ty(program, 0, random);
    let param = grow::param(program, ty, random);
    with_signature(program, random, |function, random| {
        let at = random.below(function.params.len() + 1);
        function.params.insert(at, param);
    })
    .is_some()
}

fn remove_parameter(program: &mut Program, random: &mut Random) -> bool {
    with_signature(program, random, |function, random| {
        let at = random.below(function.params.len());
        let some = !function.params.is_empty();
        some.then(|| function.params.remove(at)).is_some()
    }) == Some(true)
}

fn change_result(program: &mut Program, random: &mut Random) -> bool {
    let ty = grow::ty(program, 0, random);
    let none = random.one_in(5);
    with_signature(program, random, |function, _| {
        function.ret = (!none).then_some(ty);
    })
    .is_some()
}

fn change_default(program: &mut Program, random: &mut Random) -> bool {
    with_signature(program, random, |function, random| {
        let last = function.params.last_mut();
        let Some(Param { default, .. }) = last.filter(|param| param.ty != Ty::Param(0)) else {
            return false;
        };
        *default = (default.is_none() || random.one_in(2)).then(|| random.any());
        true
    }) == Some(true)
}

fn remove_statement(program: &mut Program, random: &mut Random) -> bool {
    let all = program.statements();
    random.pick(&all).is_some_and(|&id| program.drop_statement(id))
}

fn change_statement(program: &mut Program, random: &mut Random) -> bool {
    let mut all: Vec<_> = program.bodies_mut().flat_map(|function| &mut function.body).collect();
    let Some(statement) = pick_mut(&mut all, random) else { return false };
    statement.seed = random.any();
    true
}

fn change_constant(program: &mut Program, random: &mut Random) -> bool {
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Const { .. })) else {
        return false;
    };
    let Kind::Const { value, .. } = &mut item.kind else { return false };
    match value {
        Value::Literal(seed) | Value::More(_, seed) => *seed = random.any(),
    }
    true
}

fn retype_constant(program: &mut Program, random: &mut Random) -> bool {
    let ty = ["int", "long", "double", "string", "bool"][random.below(5)];
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Const { .. })) else {
        return false;
    };
    let Kind::Const { ty: of, value: Value::Literal(_), is_macro } = &mut item.kind else {
        return false;
    };
    *of = Ty::Prim(ty);
    *is_macro ^= random.one_in(3);
    true
}

fn change_global(program: &mut Program, random: &mut Random) -> bool {
    let new = grow::ty(program, 0, random);
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Global { .. })) else {
        return false;
    };
    let Kind::Global { ty, seed } = &mut item.kind else { return false };
    match random.one_in(2) {
        true => *ty = new,
        false => *seed = random.any(),
    }
    true
}

fn change_alias(program: &mut Program, random: &mut Random) -> bool {
    let new = grow::ty(program, 0, random);
    match some(program, random, |item| matches!(item.kind, Kind::Alias { .. })) {
        Some(Item { kind: Kind::Alias { ty }, .. }) => {
            *ty = new;
            true
        }
        _ => false,
    }
}

fn change_bound(program: &mut Program, random: &mut Random) -> bool {
    let bound = [Bound::None, Bound::Eq, Bound::Ord][random.below(3)];
    with_signature(program, random, |function, _| match function.generics.first_mut() {
        Some(of) if *of != bound => {
            *of = bound;
            true
        }
        _ => false,
    }) == Some(true)
}

/// A function gets a type parameter, or loses it, and accordingly in the calls.
fn change_generic(program: &mut Program, random: &mut Random) -> bool {
    let int = Ty::Prim("int");
    let ty = Ty::Param(0);
    let param = grow::param(program, ty.clone(), random);
    let bound = [Bound::None, Bound::Eq, Bound::Ord][random.below(3)];
    let fits = |item: &Item| matches!(item.kind, Kind::Function { .. }) && !is_main(item);
    let Some(item) = some(program, random, fits) else { return false };
    let (id, Kind::Function { function, is_macro: false }) = (item.id, &mut item.kind) else {
        return false;
    };
    let was = !function.generics.is_empty();
    match was {
        true => {
            function.generics.clear();
            let types = function.params.iter_mut().map(|param| &mut param.ty);
            types.chain(&mut function.ret).filter(|of| **of == ty).for_each(|of| *of = int.clone());
        }
        false => {
            function.generics.push(bound);
            // What has a default stays behind what has none.
            function.params.insert(0, param);
        }
    }
    program.each_statement(&mut |statement| match &statement.act {
        Act::Instance(of, _) if *of == id && was => statement.act = Act::Call(id),
        Act::Call(of) | Act::FunctionValue(of) if *of == id && !was => {
            statement.act = Act::Instance(id, int.clone());
        }
        _ => {}
    });
    true
}

fn add_implementation(program: &mut Program, random: &mut Random) -> bool {
    let place = random.below(program.modules.len());
    let Some(kind) = grow::implementation(program, place, random) else { return false };
    let (id, module) = (program.fresh(), program.modules[place].id);
    let name = String::new();
    program.items.push(Item { id, name, module, exported: false, comment: None, kind });
    true
}

fn remove_implementation(program: &mut Program, random: &mut Random) -> bool {
    let id = some(program, random, |item| matches!(item.kind, Kind::Impl { .. })).map(|i| i.id);
    id.is_some_and(|id| {
        program.delete(id);
        true
    })
}

/// Adds a method to an implementation, or to an interface and all its implementations.
fn add_method(program: &mut Program, random: &mut Random) -> bool {
    let method = grow::method(program, random);
    let Some(item) = some(program, random, |item| {
        matches!(item.kind, Kind::Interface { .. } | Kind::Impl { interface: None, .. })
    }) else {
        return false;
    };
    let id = item.id;
    if let Kind::Interface { methods } | Kind::Impl { methods, .. } = &mut item.kind {
        let at = random.below(methods.len() + 1);
        methods.insert(at, method.clone());
    }
    each_of(program, id, |methods| methods.push(method.clone()));
    true
}

/// The methods of the implementations of an interface.
fn each_of(program: &mut Program, of: Id, mut change: impl FnMut(&mut Vec<Function>)) {
    for item in &mut program.items {
        if let Kind::Impl { interface: Some(interface), methods, .. } = &mut item.kind
            && *interface == of
        {
            change(methods);
        }
    }
}

fn remove_method(program: &mut Program, random: &mut Random) -> bool {
    let Some(item) = some(program, random, |item| {
        matches!(item.kind, Kind::Interface { .. } | Kind::Impl { interface: None, .. })
    }) else {
        return false;
    };
    let id = item.id;
    let (Kind::Interface { methods } | Kind::Impl { methods, .. }) = &mut item.kind else {
        return false;
    };
    if methods.is_empty() {
        return false;
    }
    let gone = methods.remove(random.below(methods.len())).id;
    each_of(program, id, |methods| methods.retain(|method| method.id != gone));
    program.sweep();
    true
}

fn change_operator(program: &mut Program, random: &mut Random) -> bool {
    let Some(item) =
        some(program, random, |item| matches!(item.kind, Kind::Impl { operator: Some(_), .. }))
    else {
        return false;
    };
    if let Kind::Impl { operator, .. } = &mut item.kind {
        match (random.one_in(4), &mut *operator) {
            (false, Some(operator)) => operator.seed = random.any(),
            _ => *operator = None,
        }
    }
    program.sweep();
    true
}

fn with_variants(
    program: &mut Program,
    random: &mut Random,
    change: impl FnOnce(&mut Vec<Variant>, &mut Random) -> bool,
) -> bool {
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Enum { .. })) else {
        return false;
    };
    let Kind::Enum { variants } = &mut item.kind else { return false };
    change(variants, random)
}

fn add_variant(program: &mut Program, random: &mut Random) -> bool {
    let payload = random.one_in(2);
    let variant = grow::variant(program, 0, payload, random);
    with_variants(program, random, |variants, random| {
        variants.insert(random.below(variants.len() + 1), variant);
        true
    })
}

fn remove_variant(program: &mut Program, random: &mut Random) -> bool {
    with_variants(program, random, |variants, random| {
        variants.len() > 1 && {
            variants.remove(random.below(variants.len()));
            true
        }
    })
}

fn change_variant(program: &mut Program, random: &mut Random) -> bool {
    let ty = grow::ty(program, 0, random);
    with_variants(program, random, |variants, random| {
        let (a, b) = (random.below(variants.len()), random.below(variants.len()));
        match random.one_in(3) {
            true => variants.swap(a, b),
            false => variants[a].payload = random.one_in(2).then_some(ty),
        }
        true
    })
}

fn with_fields(
    program: &mut Program,
    random: &mut Random,
    change: impl FnOnce(&mut Vec<Field>, &mut Random) -> bool,
) -> bool {
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Struct { .. })) else {
        return false;
    };
    let Kind::Struct { fields, .. } = &mut item.kind else { return false };
    change(fields, random)
}

fn add_field(program: &mut Program, random: &mut Random) -> bool {
    let field = grow::field(program, 0, random);
    with_fields(program, random, |fields, random| {
        fields.insert(random.below(fields.len() + 1), field);
        true
    })
}

fn remove_field(program: &mut Program, random: &mut Random) -> bool {
    with_fields(program, random, |fields, random| {
        fields.len() > 1 && {
            fields.remove(random.below(fields.len()));
            true
        }
    })
}

fn change_field(program: &mut Program, random: &mut Random) -> bool {
    let ty = grow::ty(program, 0, random);
    with_fields(program, random, |fields, random| {
        let (a, b) = (random.below(fields.len()), random.below(fields.len()));
        match random.one_in(3) {
            true => fields.swap(a, b),
            false => fields[a].ty = ty,
        }
        true
    })
}

fn change_derive(program: &mut Program, random: &mut Random) -> bool {
    let all =
        [Derive::Eq, Derive::Ord, Derive::Clone, Derive::Hash, Derive::Debug, Derive::Display];
    let derive = all[random.below(all.len())];
    let Some(item) = some(program, random, |item| matches!(item.kind, Kind::Struct { .. })) else {
        return false;
    };
    let Kind::Struct { derives, drops, generic, .. } = &mut item.kind else { return false };
    match derives.iter().position(|of| *of == derive) {
        _ if random.one_in(4) && !*generic => *drops ^= true,
        Some(at) => drop(derives.remove(at)),
        None => derives.push(derive),
    }
    true
}

fn change_link(program: &mut Program, random: &mut Random) -> bool {
    let count = program.modules.len();
    let from = random.below(count - 1);
    let to = from + 1 + random.below(count - from - 1);
    let target = program.modules[to].id;
    let link = match random.below(7) {
        0 => Link::Renamed,
        1 => Link::Space,
        2 => Link::Whole,
        3 => Link::Star,
        4 | 5 if to > from + 1 => {
            let hub = from + 1 + random.below(to - from - 1);
            Link::Through(program.modules[hub].id)
        }
        _ => Link::Names,
    };
    program.modules[from].links.insert(target, link) != Some(link)
}

fn change_export(program: &mut Program, random: &mut Random) -> bool {
    let fits = |item: &Item| !item.name.is_empty() && !is_main(item);
    let Some(item) = some(program, random, fits) else { return false };
    item.exported ^= true;
    true
}

fn delete_item(program: &mut Program, random: &mut Random) -> bool {
    let id = some(program, random, |item| !is_main(item)).map(|item| item.id);
    id.is_some_and(|id| {
        program.delete(id);
        program.items.iter().any(is_main)
    })
}

fn change_comment(program: &mut Program, random: &mut Random) -> bool {
    match random.one_in(2) {
        true => {
            let at = random.below(program.modules.len());
            program.modules[at].style.comment = Some(random.below(1000) as u32);
        }
        false => {
            let Some(item) = some(program, random, |_| true) else { return false };
            item.comment = (!random.one_in(3)).then(|| random.below(1000) as u32);
        }
    }
    true
}

fn reformat(program: &mut Program, random: &mut Random) -> bool {
    let at = random.below(program.modules.len());
    let style = grow::style(random);
    // Not what has a meaning.
    let of = &mut program.modules[at].style;
    (of.indent, of.blank) = (style.indent, style.blank);
    true
}
