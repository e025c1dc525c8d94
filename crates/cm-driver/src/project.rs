//! Where a program is: from the path on the command line to the world that queries read.

use crate::error::Error;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use cm_base::Name;
use cm_db::FileId;
use std::io::ErrorKind;

/// A program on disk.
#[derive(Clone, Debug)]
pub struct Project {
    /// The working directory, absolute.
    pub cwd: Utf8PathBuf,
    /// The directory that file ids are relative to, absolute.
    pub base: Utf8PathBuf,
    /// The root file.
    pub root: FileId,
    /// The root file's path, absolute.
    pub root_path: Utf8PathBuf,
    /// Further roots for plain import paths, relative to `base` where they are near it.
    pub search: Vec<Utf8PathBuf>,
    /// The bundled library.
    pub library: Utf8PathBuf,
}

impl Project {
    /// Finds the project of a root file. The base is the nearest directory above the file that
    /// holds `cm.toml` or `.git`, else the file's own directory: where the project lies on the
    /// machine is no part of any name.
    pub fn discover(file: &Utf8Path) -> Result<Project, Error> {
        let cwd = working_directory()?;
        let root_path = normalize(&cwd.join(file));
        if file != crate::input::NAME {
            let meta = std::fs::metadata(&root_path).map_err(|e| Error::open(file, &e))?;
            if meta.is_dir() {
                return Err(Error::Message(format!("{file} is a directory, not a Cm file")));
            }
            if meta.is_file() {
                // One that may not be read is said so at once, and at no place in it.
                std::fs::File::open(&root_path).map_err(|e| Error::open(file, &e))?;
            }
        }
        let parent = root_path.parent().unwrap_or(Utf8Path::new("/"));
        let base = marked_ancestor(parent)?.unwrap_or(parent).to_owned();
        let library = library_dir(&cwd);
        let root = match root_path.strip_prefix(&library) {
            Ok(inside) => FileId(Name::new(&format!("@{}", inside.with_extension("")))),
            Err(_) => file_id(&base, &root_path),
        };
        let search = search_roots(&cwd)?.iter().map(|root| search_root(root, &base)).collect();
        Ok(Project { base, root, root_path, search, library, cwd })
    }

    /// Whether somebody has said where the project begins.
    pub fn is_marked(&self) -> bool {
        matches!(marked_ancestor(&self.base), Ok(Some(dir)) if dir == self.base)
    }

    /// A path as messages show it: relative to the working directory where that is shorter.
    pub fn display(&self, file: FileId) -> Utf8PathBuf {
        let path = match file.0.strip_prefix('@') {
            Some(rest) => self.library.join(format!("{rest}.cm")),
            None if file == self.root => self.root_path.clone(),
            None => normalize(&self.base.join(format!("{}.cm", file.0))),
        };
        relative(&path, &self.cwd)
    }
}

/// The id of a file: its path relative to the base, without `.cm`.
fn file_id(base: &Utf8Path, path: &Utf8Path) -> FileId {
    let relative = relative(path, base);
    let text = relative.as_str();
    FileId(Name::new(text.strip_suffix(".cm").unwrap_or(text)))
}

/// A search root as seen from the base, so that a module has one name however it is imported, and
/// none that depends on where the project is.
fn search_root(root: &Utf8Path, base: &Utf8Path) -> Utf8PathBuf {
    match relative(&normalize(root), base) {
        path if path.as_str().is_empty() => ".".into(),
        path => path,
    }
}

/// The working directory.
pub fn working_directory() -> Result<Utf8PathBuf, Error> {
    let cwd = std::env::current_dir()
        .map_err(|e| Error::Message(format!("cannot find the working directory: {e}")))?;
    Utf8PathBuf::from_path_buf(cwd)
        .map_err(|path| Error::Message(format!("{} is not valid UTF-8", path.display())))
}

fn marked_ancestor(dir: &Utf8Path) -> Result<Option<&Utf8Path>, Error> {
    for dir in dir.ancestors() {
        if is_there(&dir.join("cm.toml"))? || is_there(&dir.join(".git"))? {
            return Ok(Some(dir));
        }
    }
    Ok(None)
}

/// Whether there is something at a path. Where nobody can say, that is an error: to take it for absent would
/// make another project of it.
pub fn is_there(path: &Utf8Path) -> Result<bool, Error> {
    match path.try_exists() {
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        there => there.map_err(|error| Error::open(path, &error)),
    }
}

/// `10-modules.md` §10.2, roots 2, 3, 4, 6 and 7; 1 and 5 depend on the importing file and on
/// the library.
fn search_roots(cwd: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let project = marked_ancestor(cwd)?.map(ToOwned::to_owned);
    let project = project.or_else(|| var("CM_PROJECT_ROOT").map(Into::into));
    let mut roots: Vec<Utf8PathBuf> = project.into_iter().collect();
    roots.push(cwd.to_owned());
    roots.extend(var("CM_STD_PATH").map(Into::into));
    roots.extend(["/usr/lib/cm/std", "/usr/local/lib/cm/std"].map(Into::into));
    roots.extend(var("HOME").map(|home| Utf8PathBuf::from(home).join(".cm/std")));
    let path = var("CM_MODULE_PATH").unwrap_or_default();
    roots.extend(path.split(':').filter(|entry| !entry.is_empty()).map(Into::into));
    Ok(roots)
}

/// The bundled library: `CM_STD_PATH`, else `libs/` beside the executable or in one of the directories
/// above it. A development build knows where its sources are, wherever it was built.
fn library_dir(cwd: &Utf8Path) -> Utf8PathBuf {
    if let Some(dir) = std::env::var("CM_STD_PATH").ok().filter(|dir| !dir.is_empty()) {
        return normalize(&cwd.join(dir));
    }
    let exe = std::env::current_exe().ok().and_then(|exe| Utf8PathBuf::from_path_buf(exe).ok());
    let candidates =
        exe.iter().flat_map(|exe| exe.ancestors().skip(1).take(4).map(|d| d.join("libs")));
    let sources =
        cfg!(debug_assertions).then(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs"));
    let mut found = candidates.chain(sources.map(Into::into)).filter(|dir| dir.is_dir());
    normalize(&found.next().unwrap_or_else(|| cwd.join("libs")))
}

/// Removes `.` and resolves `..` by name.
pub fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// `path` seen from `dir`, both absolute and normal: with `..` if that needs at most three of them.
pub fn relative(path: &Utf8Path, dir: &Utf8Path) -> Utf8PathBuf {
    for (ups, ancestor) in dir.ancestors().take(4).enumerate() {
        if ancestor.parent().is_none() {
            break;
        }
        if let Ok(rest) = path.strip_prefix(ancestor) {
            return std::iter::repeat_n("..", ups).collect::<Utf8PathBuf>().join(rest);
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_working_directory() {
        let cases = [
            ("/a/b/c.cm", "/a/b", "c.cm"),
            ("/a/b/c.cm", "/a/b/d/e", "../../c.cm"),
            ("/x/c.cm", "/a/b", "/x/c.cm"),
            ("/a/b/d/c.cm", "/a/b", "d/c.cm"),
        ];
        for (path, dir, expected) in cases {
            assert_eq!(relative(path.into(), dir.into()), expected);
        }
        assert_eq!(normalize("/a/./b/../c".into()), "/a/c");
    }
}
