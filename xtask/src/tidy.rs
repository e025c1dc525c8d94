//! Rules that neither the compiler nor clippy checks. They are written down in `layers.toml`.

use crate::{Result, shell};
use cargo_metadata::{DependencyKind, Metadata, Package};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// `layers.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    layers: BTreeMap<String, Vec<String>>,
    only: BTreeMap<String, Vec<String>>,
    special: BTreeMap<String, Vec<String>>,
    r#unsafe: Unsafe,
    pure: Pure,
    length: Length,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsafe {
    crates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pure {
    layers: Vec<String>,
    words: Vec<String>,
    except: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Length {
    soft: usize,
    hard: usize,
}

/// The layer of tests and tools, which only tests may depend on.
const DEV: &str = "dev";

/// Checks the workspace, prints what it finds, and fails if it finds anything worse than a long file.
pub(crate) fn tidy() -> Result {
    let metadata = shell::metadata()?;
    let path = metadata.workspace_root.join("layers.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let rules: Rules = toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    let mut findings = rules.check_dependencies(&metadata);
    for package in metadata.workspace_packages() {
        let dir = package.manifest_path.with_file_name("").into_std_path_buf();
        for file in shell::files(&dir, "rs")? {
            let text = fs::read_to_string(&file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            let name = file.strip_prefix(&metadata.workspace_root).unwrap_or(&file);
            let in_src = file.starts_with(dir.join("src")) && !is_test(name);
            findings.extend(rules.check_file(&package.name, name, in_src, &text));
        }
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("tidy: {count} findings")),
    }
}

impl Rules {
    fn layer(&self, package: &str) -> Option<&str> {
        let found = self.layers.iter().find(|(_, crates)| crates.iter().any(|c| c == package));
        found.map(|(layer, _)| layer.as_str())
    }

    fn check_dependencies(&self, metadata: &Metadata) -> Vec<String> {
        let mut findings = Vec::new();
        for package in metadata.workspace_packages() {
            match self.layer(&package.name) {
                Some(layer) => self.check_package(package, layer, &mut findings),
                None => findings.push(format!("layers.toml: {} has no layer", package.name)),
            }
        }
        findings
    }

    fn check_package(&self, package: &Package, layer: &str, findings: &mut Vec<String>) {
        let from = package.name.as_str();
        for dependency in &package.dependencies {
            let to = dependency.name.as_str();
            let for_tests = dependency.kind == DependencyKind::Development;
            if let Some(allowed) = self.special.get(to)
                && !allowed.iter().any(|name| name == from)
            {
                findings.push(format!("{from} must not depend on {to}"));
            }
            let Some(target) = self.layer(to) else { continue };
            // Layers are named so that their names are in their order.
            if !for_tests && layer != DEV && (target == DEV || target > layer) {
                findings.push(format!("{from} ({layer}) must not depend on {to} ({target})"));
            }
            if !for_tests
                && let Some(only) = self.only.get(from)
                && !only.iter().any(|name| name == to)
            {
                findings.push(format!("{from} must depend on no crate of ours but {only:?}: {to}"));
            }
        }
    }

    fn check_file(&self, package: &str, name: &Path, in_src: bool, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        let mut find = |line: usize, what: String| {
            findings.push(format!("{}:{line}: {what}", name.display()));
        };
        let lines = text.lines().count();
        if lines > self.length.hard {
            find(lines, format!("more than {} lines", self.length.hard));
        } else if lines > self.length.soft {
            eprintln!("warning: {} has {lines} lines", name.display());
        }
        let may_be_unsafe = self.r#unsafe.crates.iter().any(|c| c == package);
        let pure = in_src
            && self.layer(package).is_some_and(|layer| self.pure.layers.iter().any(|l| l == layer))
            && !self.pure.except.iter().any(|c| c == package);
        let mut in_tests = false;
        for (index, line) in text.lines().enumerate() {
            in_tests |= line.starts_with("#[cfg(test)]");
            let code = line.split("//").next().unwrap_or_default();
            let attribute = code.trim_start().starts_with('#');
            if attribute && has_word(code, "unsafe_code") && !may_be_unsafe {
                find(index + 1, format!("{package} must not have unsafe code"));
            }
            if pure && !in_tests {
                for word in self.pure.words.iter().filter(|word| has_word(code, word)) {
                    find(index + 1, format!("{package} must not use `{word}`"));
                }
            }
        }
        findings
    }
}

/// Whether a line has `word` where no other word ends.
fn has_word(line: &str, word: &str) -> bool {
    let ends_word =
        |before: &str| before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| !ends_word(&line[..at]))
}

/// Whether a file is a module of tests, `tests.rs` or in `tests/`.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(include_str!("../../layers.toml")).expect("layers.toml has the right form")
    }

    #[test]
    fn the_workspace_keeps_its_layers() {
        let findings = rules().check_dependencies(&shell::metadata().expect("a workspace"));
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn a_dependency_upwards_is_found() {
        let mut rules = rules();
        for crates in rules.layers.values_mut() {
            crates.retain(|name| name != "cm-base");
        }
        rules.layers.get_mut("L3").expect("a layer").push("cm-base".into());
        rules.special.insert("salsa".into(), vec![]);
        let findings = rules.check_dependencies(&shell::metadata().expect("a workspace"));
        assert!(findings.contains(&"cm-syntax (L1) must not depend on cm-base (L3)".to_owned()));
        assert!(findings.contains(&"redgreen must not depend on salsa".to_owned()));
    }

    #[test]
    fn files_are_checked() {
        let check = |package, text: &str| {
            rules().check_file(package, Path::new("a.rs"), true, text).join("; ")
        };
        assert_eq!(check("cm-hir", "use std::fs;\n"), "");
        assert_eq!(check("cm-hir", "\nstd::fs::read()\n"), "a.rs:2: cm-hir must not use `fs::`");
        assert_eq!(check("cm-driver", "\nstd::fs::read()\n"), "");
        assert_eq!(check("cm-hir", "defs::read() // fs::read\n"), "");
        assert_eq!(check("cm-hir", "#[cfg(test)]\nmod tests {\nfs::read()\n}\n"), "");
        assert_eq!(
            check("cm-hir", "#[expect(unsafe_code)]\n"),
            "a.rs:1: cm-hir must not have unsafe code"
        );
        assert_eq!(check("cm-jit", "#[expect(unsafe_code)]\n"), "");
        assert_eq!(check("cm-hir", &"\n".repeat(1501)), "a.rs:1501: more than 1500 lines");
    }
}
