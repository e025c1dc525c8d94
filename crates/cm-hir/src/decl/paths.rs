//! From an import path to a file (`10-modules.md` §10.2). Depends on which candidates exist, and
//! on nothing that is in them.

use cm_base::Name;
use cm_db::{Db, FileId, canonical, exists, search};
use cm_syntax::ast::ImportPath;
use redgreen::Root;

/// First segments that always mean the bundled library.
const LIBRARY: [&str; 6] = ["std", "native", "js", "web", "wasm", "uefi"];

/// The file that an import path names, and how many of its segments that took.
pub(super) fn resolve(db: &dyn Db, from: FileId, path: &ImportPath) -> Option<(FileId, usize)> {
    match path.file {
        Some(part) => module(db, &relative(from, &part)).map(|file| (file, 0)),
        None => plain(db, from, path),
    }
}

/// A path as messages show it.
pub(super) fn text(path: &ImportPath) -> String {
    let mut parts: Vec<&str> = path.file.iter().map(|part| part.as_str()).collect();
    parts.extend(path.segments.iter().map(|segment| segment.name.as_str()));
    parts.join("::")
}

/// `part` (`./a`, `../a`) as seen from a file, as the name of a file.
pub(super) fn relative(from: FileId, part: &str) -> String {
    let (mark, path) = split(from.0.as_str());
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{mark}{}", normalize(&format!("{directory}/{part}"), directory.starts_with('/')))
}

/// The bundled modules that export the prelude, which the compiler knows itself.
const PRELUDE: [&str; 3] = ["@std/io", "@std/io/console", "@std/io/console/output"];

/// The prelude's functions.
pub(super) const PRELUDE_NAMES: [&str; 2] = ["print", "println"];

/// Whether a module exports `print` and `println`, in whatever file it is, and even if there is none.
pub(super) fn has_prelude(file: FileId) -> bool {
    PRELUDE.contains(&file.0.as_str())
}

/// Whether a name is one of the prelude's functions.
pub(super) fn is_prelude(name: Name) -> bool {
    PRELUDE_NAMES.contains(&name.as_str())
}

/// The last component of a file's name: what messages and namespaces call the module.
pub(super) fn module_name(file: FileId) -> &'static str {
    let path = file.0.as_str();
    let (directory, last) = path.rsplit_once('/').unwrap_or(("", path));
    if last == "mod" { directory.rsplit('/').next().unwrap_or(last) } else { last }
}

fn split(path: &str) -> (&str, &str) {
    path.strip_prefix('@').map_or(("", path), |rest| ("@", rest))
}

fn normalize(path: &str, absolute: bool) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

/// `P.cm`, else `P/LAST.cm`, else `P/mod.cm`.
fn module(db: &dyn Db, path: &str) -> Option<FileId> {
    let last = path.rsplit('/').next().unwrap_or(path);
    let candidates = [path.to_owned(), format!("{path}/{last}"), format!("{path}/mod")];
    let mut files = candidates.into_iter().map(|path| FileId(path.into()));
    files.find(|file| is_there(db, *file)).map(|file| *canonical(db, file))
}

fn is_there(db: &dyn Db, file: FileId) -> bool {
    has_prelude(file) || *exists(db, file)
}

fn plain(db: &dyn Db, from: FileId, path: &ImportPath) -> Option<(FileId, usize)> {
    let names: Vec<&str> = path.segments.iter().map(|segment| segment.name.as_str()).collect();
    roots(db, from, names.first()?).iter().find_map(|root| {
        (1..=names.len()).rev().find_map(|count| {
            let path = match root.as_str() {
                "@" => format!("@{}", names[..count].join("/")),
                root => {
                    let path = format!("{root}/{}", names[..count].join("/"));
                    normalize(&path, root.starts_with('/'))
                }
            };
            module(db, &path).map(|file| (file, count))
        })
    })
}

/// Where plain paths are searched, in order.
fn roots(db: &dyn Db, from: FileId, first: &str) -> Vec<Name> {
    let library = Name::new("@");
    if LIBRARY.contains(&first) {
        return vec![library];
    }
    let (mark, path) = split(from.0.as_str());
    let own = match (mark, path.rsplit_once('/')) {
        ("@", _) => library,
        (_, Some((directory, _))) => Name::new(directory),
        (_, None) => Name::new("."),
    };
    let mut roots = vec![own];
    roots.extend(search(db, Root).iter().copied());
    roots.push(library);
    roots
}

#[cfg(test)]
mod tests {
    use super::{FileId, relative};
    use cm_base::Name;

    #[test]
    fn relative_paths_are_normalized() {
        for (from, part, expected) in [
            ("main", "./geo", "geo"),
            ("main", "../geo", "../geo"),
            ("a/b/c", "../x/./y", "a/x/y"),
            ("../s/x", "./y", "../s/y"),
            ("../s/x", "../../y", "../../y"),
            ("main", "./a/../b", "b"),
            ("@std/io/file", "./read", "@std/io/read"),
            ("/lib/x", "../y", "/y"),
        ] {
            assert_eq!(relative(FileId(Name::new(from)), part), expected, "{from} {part}");
        }
    }
}
