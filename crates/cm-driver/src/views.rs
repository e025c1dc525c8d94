//! Parts of the cache directory for people and other tools: `module_hash.json`, and `llvm/` and
//! `obj/` with a file for each unit that says which blob of the store it is. Nothing reads them
//! back, so they may be deleted or damaged at will.

use crate::queries;
use camino::Utf8Path;
use castore::Digest;
use cm_base::{FileText, Name};
use cm_db::{Db, FileId};
use cm_hir::decl::{self, Item, ItemKind};
use cm_lower::UnitId;
use redgreen::{Blob, BuildRecord, Fingerprint, Root};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

/// What `module_hash.json` says of a source file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Module {
    /// SHA-256 of the text.
    sha256: String,
    /// The files it imports.
    imports: Vec<String>,
    /// Fingerprint of what importers can see: an edit that leaves it alone concerns no importer.
    interface: String,
}

/// Brings the views up to date after a build: only what ran in it is written.
///
/// # Errors
/// If a file cannot be written.
pub fn update(db: &dyn Db, record: &BuildRecord, dir: &Utf8Path, program: &str) -> io::Result<()> {
    let ran = |query: &str| -> BTreeSet<&str> {
        let runs = record.executed.iter().filter(|run| run.node.query == query);
        runs.map(|run| run.node.key.as_str()).collect()
    };
    let units: BTreeMap<String, UnitId> =
        cm_lower::units(db, Root).iter().map(|unit| (unit.to_string(), *unit)).collect();
    type Artifact = for<'db> fn(&'db dyn Db, UnitId) -> &'db Blob;
    let artifacts: [(&str, &str, &str, Artifact); 2] = [
        ("unit_bitcode", "llvm", "bc", queries::unit_bitcode),
        ("unit_object", "obj", "o", queries::unit_object),
    ];
    for (query, folder, suffix, artifact) in artifacts {
        let folder = dir.join(folder).join(program);
        for key in ran(query) {
            let Some(unit) = units.get(key) else { continue };
            let Some(digest) = artifact(db, *unit).digest() else { continue };
            point(&folder.join(format!("{}.{suffix}", plain(key))), &Digest(digest))?;
        }
        if !ran("units").is_empty() {
            prune(&folder, &units)?;
        }
    }
    let parsed = ran("parse");
    if parsed.is_empty() { Ok(()) } else { update_modules(db, &parsed, dir) }
}

/// A file name for a key: files outside of the program's directory stay within the view.
fn plain(key: &str) -> String {
    key.replace("..", "__").trim_start_matches('/').to_owned()
}

fn point(path: &Utf8Path, digest: &Digest) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, format!("sha256:{digest}\n"))
}

/// Deletes what belongs to units that there no longer are.
fn prune(folder: &Utf8Path, units: &BTreeMap<String, UnitId>) -> io::Result<()> {
    let kept: BTreeSet<String> = units.keys().map(|key| plain(key)).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(dir) = folders.pop() {
        let Ok(entries) = dir.read_dir_utf8() else { continue };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path.to_owned());
            } else if let Ok(relative) = path.strip_prefix(folder)
                && !kept.contains(relative.with_extension("").as_str())
            {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

fn update_modules(db: &dyn Db, parsed: &BTreeSet<&str>, dir: &Utf8Path) -> io::Result<()> {
    let path = dir.join("module_hash.json");
    let old = fs::read(&path).unwrap_or_default();
    let mut modules: BTreeMap<String, Module> = serde_json::from_slice(&old).unwrap_or_default();
    for file in cm_hir::files(db, Root) {
        let name = format!("{file}.cm");
        if (parsed.contains(file.0.as_str()) || !modules.contains_key(&name))
            && let Some(module) = describe(db, *file)
        {
            modules.insert(name, module);
        }
    }
    let text = serde_json::to_string_pretty(&modules).map_err(io::Error::other)? + "\n";
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(&path)?;
    Ok(())
}

fn describe(db: &dyn Db, file: FileId) -> Option<Module> {
    let FileText::Text(text) = cm_db::source(db, file) else { return None };
    let imports: BTreeSet<String> =
        decl::imports(db, file).edges.iter().map(|edge| format!("{}.cm", edge.file)).collect();
    Some(Module {
        sha256: Digest::of(text.as_bytes()).to_string(),
        imports: imports.into_iter().collect(),
        interface: interface(db, file),
    })
}

/// Private functions and globals are no part of it; types and impls are, since values of them
/// travel.
fn interface(db: &dyn Db, file: FileId) -> String {
    let tree = decl::item_tree(db, file);
    let seen = |entry: &&decl::Entry| {
        let hidden = matches!(entry.item.kind, ItemKind::Function { .. } | ItemKind::Global(_));
        entry.item.exported || !hidden || entry.location.len() > 1
    };
    let items: Vec<(Name, &Item)> =
        tree.entries.iter().filter(seen).map(|entry| (entry.def.path, &*entry.item)).collect();
    format!("{:032x}", Fingerprint::of(&(decl::exports(db, file), items)).0)
}
