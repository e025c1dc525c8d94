//! Parts of the cache directory for people and other tools: `module_hash.json`, and `mir/`, `llvm/`
//! and `obj/` with a file for each program that says which blob of the store each of its units is.
//! (A file for each unit would cost more than a tenth of a clean build.) No build depends on them,
//! so they may be deleted or damaged at will.

use crate::{
    beside::{Beside, walk},
    parallel, queries,
    tools::Tools,
};
use camino::Utf8Path;
use castore::Digest;
use cm_base::{FileText, Name};
use cm_db::{Db, FileId};
use cm_hir::decl::{self, Item, ItemKind};
use cm_lower::UnitId;
use redgreen::{BuildLog, Database, Fingerprint, Root};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
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

/// Brings the views up to date after a build, on this thread alone if `here`: only what ran in it is written.
///
/// # Errors
/// If a file cannot be written.
pub fn update(
    db: &Database,
    log: &BuildLog,
    cache: &Beside,
    program: &str,
    here: bool,
) -> io::Result<()> {
    let (of_units, of_modules) = (db.clone(), db.clone());
    let (units, modules) = parallel::both(
        here,
        move || update_units(&of_units, log, cache, program),
        move || update_modules(&of_modules, log, cache),
    );
    units.and(modules)
}

/// The keys for which a query ran.
fn ran(db: &Database, log: &BuildLog, query: &str) -> BTreeSet<Arc<str>> {
    log.ran(query, db.graph().registry()).into_iter().collect()
}

fn update_units(db: &Database, log: &BuildLog, cache: &Beside, program: &str) -> io::Result<()> {
    let units = LazyCell::new(|| -> BTreeMap<String, UnitId> {
        cm_lower::units(db, Root).iter().map(|unit| (unit.to_string(), *unit)).collect()
    });
    type Artifact = fn(&dyn Db, UnitId) -> Option<Digest>;
    let bitcode = |db: &dyn Db, unit| queries::unit_bitcode(db, unit).digest().map(Digest);
    let object = |db: &dyn Db, unit| queries::unit_object(db, unit).digest().map(Digest);
    let artifacts: [(&str, &str, Artifact); 3] = [
        // What is compiled to bitcode is kept then.
        ("unit_bitcode", "mir", |db, unit| Tools::of(db).mir(&unit.to_string())),
        ("unit_bitcode", "llvm", bitcode),
        ("unit_object", "obj", object),
    ];
    let have_others = !ran(db, log, "units").is_empty();
    for (query, folder, artifact) in artifacts {
        let made = ran(db, log, query);
        if made.is_empty() && !have_others {
            continue;
        }
        let path = cache.dir.join(folder).join(format!("{program}.json"));
        let mut digests: BTreeMap<String, String> = read(cache, &path);
        digests.retain(|unit, _| units.contains_key(unit));
        for key in made {
            let Some(unit) = units.get(&*key) else { continue };
            let Some(digest) = artifact(db, *unit) else { continue };
            digests.insert(key.to_string(), format!("{KIND}{digest}"));
        }
        replace(cache, &path, &digests)?;
    }
    Ok(())
}

/// Tells what kind of digest it is.
const KIND: &str = "blake3:";

/// All digests of units in the views of a cache directory.
pub fn digests(cache: &Beside) -> BTreeSet<Digest> {
    let mut all = BTreeSet::new();
    for folder in ["mir", "llvm", "obj"] {
        walk(&cache.dir.join(folder), &mut |path, _| {
            let digests: BTreeMap<String, String> = read(cache, path);
            let digest = |text: &String| text.strip_prefix(KIND)?.parse::<Digest>().ok();
            all.extend(digests.values().filter_map(digest));
        });
    }
    all
}

fn read<T: DeserializeOwned + Default>(cache: &Beside, path: &Utf8Path) -> T {
    let text = cache.read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn replace(cache: &Beside, path: &Utf8Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)? + "\n";
    cache.write(path, text.as_bytes())
}

/// What is declared is described anew where it may have changed, which is not where a file was parsed with
/// the same result.
fn update_modules(db: &Database, log: &BuildLog, cache: &Beside) -> io::Result<()> {
    let parsed = ran(db, log, "parse");
    if parsed.is_empty() {
        return Ok(());
    }
    let declared: BTreeSet<_> =
        ["item_tree", "imports", "exports"].iter().flat_map(|query| ran(db, log, query)).collect();
    let path = cache.dir.join("module_hash.json");
    let mut modules: BTreeMap<String, Module> = read(cache, &path);
    let name = |file: &FileId| format!("{file}.cm");
    let known =
        |file: &FileId| modules.get(&name(file)).filter(|_| !declared.contains(file.0.as_str()));
    let in_doubt = |file: &&FileId| parsed.contains(file.0.as_str()) || known(file).is_none();
    let files: Vec<FileId> = cm_hir::files(db, Root).iter().filter(in_doubt).copied().collect();
    let described = parallel::each(db, &files, |db, file| {
        let FileText::Text(text) = cm_db::source(db, *file) else { return None };
        let module = match known(file) {
            Some(known) => Module { sha256: sha256(text.as_bytes()), ..known.clone() },
            None => describe(db, *file, text),
        };
        Some((name(file), module))
    });
    modules.extend(described.into_iter().flatten());
    replace(cache, &path, &modules)
}

fn describe(db: &dyn Db, file: FileId, text: &str) -> Module {
    let imports: BTreeSet<String> =
        decl::imports(db, file).edges.iter().map(|edge| format!("{}.cm", edge.file)).collect();
    Module {
        sha256: sha256(text.as_bytes()),
        imports: imports.into_iter().collect(),
        interface: interface(db, file),
    }
}

/// What other tools compute as well; the store has digests of its own.
fn sha256(bytes: &[u8]) -> String {
    Digest(Sha256::digest(bytes).into()).to_string()
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
