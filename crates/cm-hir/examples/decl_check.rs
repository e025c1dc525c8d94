//! dev
use camino::Utf8PathBuf;
use cm_base::{FileText, OsSystem, System};
use cm_db::{FileId, World};
use redgreen::{Database, Registry, Root};
use std::sync::Arc;
fn main() {
    for arg in std::env::args().skip(1) {
        let path = Utf8PathBuf::from(arg);
        let base = path.parent().map(|p| p.to_owned()).unwrap_or_default();
        let root = FileId(path.file_stem().unwrap_or("main").into());
        let world = World {
            system: Arc::new(OsSystem),
            base: base.clone(),
            root_path: None,
            root,
            library: "/nonexistent".into(),
            search: vec![],
            defines: vec![],
            platform: "native".into(),
        };
        let any: redgreen::World = Arc::new(world);
        let mut db = Database::new(
            Registry::new(&[&cm_db::QUERIES, &cm_hir::QUERIES, &cm_hir::decl::QUERIES]),
            any,
        );
        let out = db
            .attempt(|db| {
                let d = cm_hir::diagnostics(db, Root).clone();
                (d, cm_hir::files(db, Root).clone())
            })
            .unwrap();
        println!("== {path} files {:?}", out.1.iter().map(|f| f.0.as_str()).collect::<Vec<_>>());
        for d in &out.0 {
            let text = match OsSystem.read(&base.join(format!("{}.cm", d.file))) {
                FileText::Text(t) => t.to_string(),
                _ => String::new(),
            };
            let line = text[..(d.range.start as usize).min(text.len())].matches('\n').count() + 1;
            println!("{}.cm:{line}: {}", d.file, d.message);
            for n in &d.notes {
                println!("   note {}: {}", n.file, n.message);
            }
        }
    }
}
