//! From paths to definitions.

use super::{
    Problem, Resolution, Scope, TypeDef, alias_info, builtin, enum_info, imports,
    lookup::{Found, QualifiedName, ScopedName, Space},
    lookup_in, missing,
    names::{Class, Thing},
    paths, type_text,
};
use crate::{
    similar::{meant, meant_or_import},
    ty::{GenericArg, TyKind},
};
use cm_base::Name;
use cm_db::{Db, DefId};
use cm_syntax::ast;

/// Whether aliases are followed to the enum behind them. They are not where that would ask for
/// what is being computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aliases {
    Follow,
    Keep,
}

/// A path used as a value or callee.
pub(super) fn value(
    db: &dyn Db,
    scope: &Scope,
    path: &ast::Path,
    aliases: Aliases,
) -> Result<Resolution, Problem> {
    if let [name] = path.segments.as_slice()
        && let Some(arg) = generic(scope, name.name)
    {
        return Ok(Resolution::TypeParam(arg));
    }
    find(db, scope, path, aliases)?.ok_or_else(|| {
        let message = format!("Undefined variable '{}'", type_text::path(path));
        Problem::new(path.segments[0].at, message)
    })
}

/// Types that are often written otherwise.
const BUILTIN_TYPES: &[&str] =
    &["bool", "char", "double", "float", "int", "long", "short", "string", "uint", "ulong", "void"];

/// A path used as a type.
pub(super) fn ty(db: &dyn Db, scope: &Scope, path: &ast::Path) -> Result<Resolution, Problem> {
    if let [name] = path.segments.as_slice()
        && let Some(arg) = generic(scope, name.name)
    {
        return Ok(Resolution::TypeParam(arg));
    }
    match find(db, scope, path, Aliases::Keep)? {
        Some(found @ Resolution::Type(_)) => Ok(found),
        None if path.segments.len() == 1 && builtin::is_interface(path.segments[0].name) => {
            Ok(Resolution::Type(TypeDef::BuiltinInterface(path.segments[0].name)))
        }
        _ => {
            let known = super::known_names(db, scope.file);
            let builtin = BUILTIN_TYPES.iter().map(|name| Name::new(name));
            let meant = meant_or_import(path.segments[0].name, known.chain(builtin));
            let message = format!("Unknown type '{}'{meant}", type_text::path(path));
            Err(Problem::new(path.segments[0].at, message))
        }
    }
}

/// The argument for a type parameter of this name.
pub(super) fn generic(scope: &Scope, name: Name) -> Option<GenericArg> {
    scope.generics.iter().rev().find(|(param, _)| *param == name).map(|(_, arg)| *arg)
}

fn find(
    db: &dyn Db,
    scope: &Scope,
    path: &ast::Path,
    aliases: Aliases,
) -> Result<Option<Resolution>, Problem> {
    let (last, before) = path.segments.split_last().expect("a path has a segment");
    let Some((first, middle)) = before.split_first() else {
        let found = simple(db, scope, last.name);
        return thing(db, found, *last);
    };
    let mut spaces = super::lookup_space(db, scoped(scope, first.name)).clone();
    let mut types = simple(db, scope, first.name);
    if spaces.poisoned && types.is_empty() {
        return Err(silent(first));
    }
    let mut inner;
    for segment in middle {
        inner = inside(db, &spaces.spaces, segment.name);
        spaces.spaces.clone_from(&inner.spaces);
        types = &inner;
    }
    let here = inside(db, &spaces.spaces, last.name);
    if !here.things.is_empty() {
        return thing(db, &here, *last);
    }
    if let Some(def) = types.things.iter().find_map(|(_, thing)| type_def(db, thing)) {
        return Ok(Some(member(db, def, *last, aliases)));
    }
    match module(db, &spaces.spaces) {
        Some(module) => {
            let meant = meant(last.name, missing::offered_in(db, spaces.spaces.clone()));
            let message = format!("'{}' is not exported by module '{module}'{meant}", last.name);
            Err(Problem::new(last.at, message))
        }
        None => Ok(None),
    }
}

/// The module among namespaces: names that are not in it are not exported.
fn module(db: &dyn Db, spaces: &[Space]) -> Option<&'static str> {
    let module = spaces.iter().find(|space| !matches!(space, Space::Own(..)))?;
    let Space::Imported(file, path) = *module else { return Some(module.name()) };
    // An alias is not the module's name.
    let sources = imports(db, file).groups.get(&path).map(Vec::as_slice);
    Some(match sources {
        Some([source, ..]) if source.place.path.is_empty() => paths::module_name(source.place.file),
        _ => module.name(),
    })
}

/// What a simple name is.
pub(super) fn simple<'db>(db: &'db dyn Db, scope: &Scope, name: Name) -> &'db Found {
    super::lookup(db, scoped(scope, name))
}

fn scoped(scope: &Scope, name: Name) -> ScopedName {
    ScopedName { file: scope.file, namespace: join_all(&scope.namespace), name }
}

fn join_all(names: &[Name]) -> Name {
    match names {
        [] => Name::new(""),
        [one] => *one,
        names => {
            let names = names.iter().map(|name| name.as_str()).collect::<Vec<_>>();
            Name::from(names.join("::"))
        }
    }
}

fn inside(db: &dyn Db, spaces: &[Space], name: Name) -> Found {
    let mut all = Found::default();
    for space in spaces {
        let found = lookup_in(db, QualifiedName { space: *space, name });
        for thing in &found.things {
            if !all.things.iter().any(|(_, other)| *other == thing.1) {
                all.things.push(thing.clone());
            }
        }
        let new = found.spaces.iter().filter(|space| !all.spaces.contains(space)).copied();
        all.spaces.extend(new.collect::<Vec<_>>());
    }
    all
}

/// The message is reported elsewhere already.
fn silent(at: &ast::Ident) -> Problem {
    Problem::new(at.at, String::new())
}

fn thing(db: &dyn Db, found: &Found, name: ast::Ident) -> Result<Option<Resolution>, Problem> {
    match found.things.as_slice() {
        [] if found.poisoned => Err(silent(&name)),
        [] => Ok(None),
        [(_, thing)] => Ok(Some(resolution(db, thing))),
        [(first, _), (second, _), ..] => {
            let message =
                format!("'{}' is ambiguous: found in '{first}' and '{second}'", name.name);
            Err(Problem::new(name.at, message))
        }
    }
}

fn resolution(db: &dyn Db, thing: &Thing) -> Resolution {
    match thing {
        Thing::Prelude(name) => Resolution::Prelude(*name),
        Thing::Declared(Class::Function | Class::Foreign, defs) => {
            Resolution::Functions(defs.clone())
        }
        Thing::Declared(Class::Global, defs) => Resolution::Global(defs[0]),
        Thing::Declared(..) => {
            let def = type_def(db, thing).expect("all other declarations are types");
            Resolution::Type(def)
        }
    }
}

fn type_def(db: &dyn Db, thing: &Thing) -> Option<TypeDef> {
    let Thing::Declared(class, defs) = thing else { return None };
    let def = defs[0];
    match class {
        Class::Struct => Some(TypeDef::Struct(def)),
        Class::Enum => Some(TypeDef::Enum(def)),
        Class::Alias => Some(TypeDef::Alias(def)),
        Class::Interface => Some(match builtin::redeclared(db, def) {
            Some(name) => TypeDef::BuiltinInterface(name),
            None => TypeDef::Interface(def),
        }),
        Class::Function | Class::Foreign | Class::Global => None,
    }
}

/// `T::m`.
fn member(db: &dyn Db, def: TypeDef, name: ast::Ident, aliases: Aliases) -> Resolution {
    let variant = |def: DefId| {
        let info = enum_info(db, def).as_ref()?;
        let index = info.index.position(name.name, info.variants.iter().map(|v| v.name))?;
        Some(Resolution::Variant(def, index as u32))
    };
    let found = match def {
        TypeDef::Enum(def) if aliases == Aliases::Follow => variant(def),
        TypeDef::Alias(def) if aliases == Aliases::Follow => match *alias_info(db, def).ty {
            TyKind::Enum(def, _) => variant(def),
            _ => None,
        },
        _ => None,
    };
    found.unwrap_or(Resolution::Member(def, name))
}
