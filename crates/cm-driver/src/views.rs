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
    let ran = &Ran::of(log, db);
    let (units, modules) = parallel::both(
        here,
        move || update_units(&of_units, ran, cache, program),
        move || update_modules(&of_modules, ran, cache),
    );
    units.and(modules)
}

/// What ran in a build, as far as views show it.
struct Ran {
    /// The program was divided into units.
    divided: bool,
    /// The units of which bitcode was made.
    bitcode: Vec<Arc<str>>,
    /// The units of which objects were made.
    objects: Vec<Arc<str>>,
    /// The files that were parsed.
    parsed: BTreeSet<Arc<str>>,
    /// The files in which something else may be declared than before.
    declared: BTreeSet<Arc<str>>,
}

impl Ran {
    fn of(log: &BuildLog, db: &Database) -> Ran {
        let queries =
            ["units", "unit_bitcode", "unit_object", "parse", "item_tree", "imports", "exports"];
        let ran = log.ran(queries, db.graph().registry());
        let [units, bitcode, objects, parsed, trees, imports, exports] = ran;
        let declared = [trees, imports, exports].into_iter().flatten().collect();
        let parsed = parsed.into_iter().collect();
        Ran { divided: !units.is_empty(), bitcode, objects, parsed, declared }
    }
}

fn update_units(db: &Database, ran: &Ran, cache: &Beside, program: &str) -> io::Result<()> {
    let units = LazyCell::new(|| -> BTreeMap<String, UnitId> {
        cm_lower::units(db, Root).iter().map(|unit| (unit.to_string(), *unit)).collect()
    });
    type Artifact = fn(&dyn Db, UnitId) -> Option<Digest>;
    let bitcode = |db: &dyn Db, unit| queries::unit_bitcode(db, unit).digest().map(Digest);
    let object = |db: &dyn Db, unit| queries::unit_object(db, unit).digest().map(Digest);
    let artifacts: [(&[Arc<str>], &str, Artifact); 3] = [
        // What is compiled to bitcode is kept then.
        (&ran.bitcode, "mir", |db, unit| Tools::of(db).mir(&unit.to_string())),
        (&ran.bitcode, "llvm", bitcode),
        (&ran.objects, "obj", object),
    ];
    for (made, folder, artifact) in artifacts {
        if made.is_empty() && !ran.divided {
            continue;
        }
        let path = cache.dir.join(folder).join(format!("{program}.json"));
        let mut digests: BTreeMap<String, String> = read(cache, &path);
        digests.retain(|unit, _| units.contains_key(unit));
        for key in made {
            let Some(unit) = units.get(&**key) else { continue };
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
fn update_modules(db: &Database, ran: &Ran, cache: &Beside) -> io::Result<()> {
    if ran.parsed.is_empty() {
        return Ok(());
    }
    let path = cache.dir.join("module_hash.json");
    let mut modules: BTreeMap<String, Module> = read(cache, &path);
    let known = |file: FileId| {
        let name = name(file);
        let known = modules.get(&name).filter(|_| !ran.declared.contains(file.0.as_str()));
        (file, name, known)
    };
    let in_doubt = |(file, _, known): &(FileId, String, Option<&Module>)| {
        known.is_none() || ran.parsed.contains(file.0.as_str())
    };
    let files: Vec<_> =
        cm_hir::files(db, Root).iter().copied().map(known).filter(in_doubt).collect();
    let described = parallel::each(db, &files, |db, (file, name, known)| {
        let FileText::Text(text) = cm_db::source(db, *file) else { return None };
        let module = match *known {
            Some(known) => Module { sha256: sha256(text.as_bytes()), ..known.clone() },
            None => describe(db, *file, text),
        };
        Some((name.clone(), module))
    });
    modules.extend(described.into_iter().flatten());
    replace(cache, &path, &modules)
}

/// The name of a file, for people.
fn name(file: FileId) -> String {
    format!("{file}.cm")
}

fn describe(db: &dyn Db, file: FileId, text: &str) -> Module {
    let imports: BTreeSet<String> =
        decl::imports(db, file).edges.iter().map(|edge| name(edge.file)).collect();
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
