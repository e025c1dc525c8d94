//! What trees depend on, and where their nodes stand.

use crate::common::{line, parse, sources};
use cm_syntax::ast::{Arena, ExprKind, File, Function, Ident, Item, ItemKind};
use std::hash::{DefaultHasher, Hash, Hasher};

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn function(file: &File, n: usize) -> &Function {
    let ItemKind::Function(function) = &file.items[n].kind else { panic!("a function") };
    function
}

/// A comment, blank or line end between any two tokens changes nothing that has a hash.
#[test]
fn layout_changes_no_tree() {
    let files = [sources("tests/fixtures/programs"), sources("tests/fixtures/dumps")].concat();
    let mut checked = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let tree = parse(&text);
        if !tree.errors.is_empty() || text.starts_with("//!") {
            continue;
        }
        let moved = format!("\u{feff}/* a */ // b\n\n{}", text.replace(";\n", ";  // é {x\n\t\n"));
        let moved = moved.replace('\n', "\r\n").replace("{ ", "{ /* \" */ ");
        if text.contains('`') || moved.contains("\"{ /*") {
            continue;
        }
        let other = parse(&moved);
        assert!(tree.items == other.items, "{}", path.display());
        assert_eq!(hash(&tree), hash(&other));
        checked += 1;
    }
    assert!(checked >= 3);
}

#[test]
fn an_edit_in_a_body_leaves_the_signature() {
    let [a, b] =
        ["1", "g(2) + 3"].map(|value| parse(&format!("int f(int x) {{ return {value}; }}")));
    assert!(a != b);
    assert!(function(&a, 0).signature == function(&b, 0).signature);
    assert!(function(&a, 0).body != function(&b, 0).body);
}

#[test]
fn comments_before_an_item_are_its_documentation() {
    let file =
        parse("// apart\n\n/// One.\n//two\n#[a]\nint f();\nstruct S { } // after\nint g();");
    let doc = |n: usize| file.items[n].doc.0.as_deref();
    assert_eq!(doc(0), Some("One.\ntwo"));
    assert_eq!(doc(1), None);
    assert_eq!(doc(2), None);
}

#[test]
fn platform_directive() {
    let platform = |text: &str| parse(text).platform.map(|(value, _)| value.to_string());
    assert_eq!(platform("//! platform: js|web \nint f();").as_deref(), Some("js|web"));
    assert_eq!(platform("// a\n\n//!platform: !bm\n").as_deref(), Some("!bm"));
    assert_eq!(platform("\n\n\n\n\n//! platform: js\n"), None);
}

/// Every name of an item, member or path in a body stands where its position says.
#[test]
fn names_stand_where_they_say() {
    for path in [sources("tests/fixtures/programs"), sources("tests/fixtures/dumps")].concat() {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let mut checked = 0;
        for item in &parse(&text).items {
            check_item(&text, item, &mut checked);
        }
        assert!(checked > 0, "{}", path.display());
    }
}

fn check_item(text: &str, item: &Item, checked: &mut usize) {
    let slice = |at| &text[item.positions.0.get(at)];
    if !item.name.name.is_empty() {
        let found: String = slice(item.name.at).chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(found, item.name.name.as_str());
        *checked += 1;
    }
    assert!(slice(item.at).len() >= slice(item.name.at).len() || item.name.name.is_empty());
    match &item.kind {
        ItemKind::Function(Function { signature, body }) => {
            check_arena(&slice, &signature.arena, checked);
            for param in &signature.params {
                assert!(param.name.name == *slice(param.name.at) || param.name.name.is_empty());
            }
            if let Some(body) = body {
                check_arena(&slice, &body.arena, checked);
                assert!(slice(body.block.at).starts_with('{') || signature.is_macro);
            }
        }
        ItemKind::Namespace(items) => items.iter().for_each(|item| check_item(text, item, checked)),
        ItemKind::Foreign(foreign) => {
            foreign.functions.iter().for_each(|item| check_item(text, item, checked));
        }
        ItemKind::Impl(value) => {
            value.members.iter().for_each(|item| check_item(text, item, checked));
        }
        _ => {}
    }
}

fn check_arena<'t>(slice: &impl Fn(cm_base::At) -> &'t str, arena: &Arena, checked: &mut usize) {
    for expr in &arena.exprs {
        let names: &[Ident] = match &expr.kind {
            ExprKind::Path(path, _) => &path.segments[..],
            ExprKind::Field { name, .. } | ExprKind::MethodCall { name, .. } => &[*name],
            _ => &[],
        };
        for name in names {
            // In a string with escapes or several lines the whole literal is the position.
            let found = slice(name.at);
            assert!(name.name == *found || found.starts_with(['"', '`']), "{name:?} {found}");
            *checked += 1;
        }
    }
}

/// In a string, a node stands in the line where the string begins.
#[test]
fn nodes_in_strings_stand_in_the_first_line() {
    let text =
        "int f() {\n  return `a ${x}\n ${missing} ${g(\\\"s\\\")}` + \"{y} \\\"{z(\\\"\\\")}\";\n}";
    let file = parse(text);
    assert!(file.errors.is_empty());
    let body = function(&file, 0).body.as_ref().expect("a body");
    let mut found = Vec::new();
    for expr in &body.arena.exprs {
        if let ExprKind::Path(path, _) = &expr.kind {
            let range = file.items[0].positions.0.get(expr.at);
            let at = if text[range].len() > 7 { "whole" } else { &text[range] };
            found.push(format!("{} {at} {}", path.segments[0].name, line(text, range)));
        }
    }
    assert_eq!(found, ["x x 2", "missing whole 2", "g whole 2", "y y 3", "z whole 3"]);
}
