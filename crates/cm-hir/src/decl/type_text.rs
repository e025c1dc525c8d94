//! Types as they are written, for the paths of members.

use cm_syntax::ast::{Arena, ArrayLen, Path, Primitive, TypeArg, TypeId, TypeKind};

/// `Box<T>`.
pub(super) fn of(arena: &Arena, ty: TypeId) -> String {
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || match &arena[ty].kind {
        TypeKind::Error => "?".to_owned(),
        TypeKind::Primitive(primitive) => primitive_name(*primitive).to_owned(),
        TypeKind::Auto => "auto".to_owned(),
        TypeKind::Null => "null".to_owned(),
        TypeKind::Typeof(_) => "typeof".to_owned(),
        TypeKind::Path(path, args) if args.is_empty() => self::path(path),
        TypeKind::Path(path, args) => {
            let args = args.iter().map(|arg| argument(arena, *arg)).collect::<Vec<_>>();
            format!("{}<{}>", self::path(path), args.join(", "))
        }
        TypeKind::Const(to) => format!("const {}", of(arena, *to)),
        TypeKind::Pointer(to) => format!("{}*", of(arena, *to)),
        TypeKind::Function { ret, params } => {
            let params = params.iter().map(|param| of(arena, *param)).collect::<Vec<_>>();
            format!("{}*({})", of(arena, *ret), params.join(", "))
        }
        TypeKind::Array(element, ArrayLen::Number(len)) => {
            format!("{}[{len}]", of(arena, *element))
        }
        TypeKind::Array(element, ArrayLen::Named(name)) => {
            format!("{}[{}]", of(arena, *element), name.name)
        }
        TypeKind::Slice(element) => format!("{}[]", of(arena, *element)),
        TypeKind::Reference(to) => format!("{}&", of(arena, *to)),
        TypeKind::Union(members) => {
            let members = members.iter().map(|member| of(arena, *member)).collect::<Vec<_>>();
            members.join(" | ")
        }
    })
}

/// `a::b`.
pub(super) fn path(path: &Path) -> String {
    let names = path.segments.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>();
    names.join("::")
}

fn argument(arena: &Arena, arg: TypeArg) -> String {
    match arg {
        TypeArg::Type(ty) => of(arena, ty),
        TypeArg::Number(number, _) => number.to_string(),
    }
}

/// The keyword.
pub(super) fn primitive_name(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Void => "void",
        Primitive::Bool => "bool",
        Primitive::Char => "char",
        Primitive::String => "string",
        Primitive::Cstring => "cstring",
        Primitive::Tiny => "tiny",
        Primitive::Short => "short",
        Primitive::Int => "int",
        Primitive::Long => "long",
        Primitive::Utiny => "utiny",
        Primitive::Ushort => "ushort",
        Primitive::Uint => "uint",
        Primitive::Ulong => "ulong",
        Primitive::Isize => "isize",
        Primitive::Usize => "usize",
        Primitive::Float => "float",
        Primitive::Double => "double",
        Primitive::Ufloat => "ufloat",
        Primitive::Udouble => "udouble",
    }
}
