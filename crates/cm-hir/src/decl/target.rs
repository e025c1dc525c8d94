//! What depends on the platform: `#[target(…)]` (`12-macros-preprocessor.md` §12.4), `//! platform:` (§12.5), `async`,
//! and which modules of the bundled library there are.

use super::Problem;
use cm_base::{Diagnostic, FileText, Name, Severity, TextRange};
use cm_db::{Db, settings, source};
use cm_syntax::ast;
use redgreen::Root;

const NAMES: [&str; 10] = [
    "native",
    "wasm",
    "js",
    "web",
    "baremetal",
    "baremetal-arm",
    "baremetal-x86",
    "bm",
    "bm-x86",
    "uefi",
];

/// Whether a declaration with these attributes is part of a program for a platform.
pub(super) fn holds(
    attributes: &[ast::Attribute],
    platform: Name,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut all = true;
    for attribute in attributes.iter().filter(|attribute| attribute.name.name == "target") {
        let mut any = false;
        for arg in &attribute.args {
            let name = arg.value.name;
            if !NAMES.contains(&name.as_str()) {
                let message = format!("Unknown target '{name}'");
                problems.push(Problem::new(arg.value.at, message));
            }
            any |= is(name.as_str(), platform.as_str()) != arg.negated;
        }
        all &= any;
    }
    all
}

fn is(name: &str, platform: &str) -> bool {
    match name {
        "js" => matches!(platform, "js" | "web"),
        "baremetal" => platform.starts_with("baremetal"),
        "bm" => platform == "baremetal-arm",
        "bm-x86" => platform == "baremetal-x86",
        _ => name == platform,
    }
}

/// That the root file is for another platform, for commands that need it to be for this one.
pub fn wrong_platform(db: &dyn Db) -> Option<Diagnostic> {
    let settings = settings(db, Root);
    let FileText::Text(text) = source(db, settings.root) else { return None };
    let (start, wanted) = directive(text)?;
    if allows(wanted, settings.platform.as_str()) {
        return None;
    }
    let end = start + wanted.len() as u32;
    Some(Diagnostic {
        file: settings.root.0,
        range: TextRange::new(start.into(), end.into()).into(),
        severity: Severity::Error,
        message: format!("file is for platform {wanted}, not {}", settings.platform),
        notes: Vec::new(),
    })
}

/// The value of a `//! platform:` in the first five lines, and where it is.
fn directive(text: &str) -> Option<(u32, &str)> {
    text.lines().take(5).find_map(|line| {
        let value =
            line.trim_start().strip_prefix("//!")?.trim_start().strip_prefix("platform:")?;
        let value = value.trim();
        Some(((value.as_ptr() as usize - text.as_ptr() as usize) as u32, value))
    })
}

/// Whether `a|b` (any of) or `!a|b` (none of) admits a platform.
fn allows(wanted: &str, platform: &str) -> bool {
    let (names, negated) = wanted.strip_prefix('!').map_or((wanted, false), |names| (names, true));
    let canonical = |name: &str| match name.trim() {
        "bm" => "baremetal-arm".to_owned(),
        "bm-x86" => "baremetal-x86".to_owned(),
        name => name.to_owned(),
    };
    names.split('|').any(|name| canonical(name) == platform) != negated
}

/// Why there can be no `async` function and no `await` on a platform.
pub(crate) fn async_problem(platform: Name) -> Option<&'static str> {
    let fits = matches!(platform.as_str(), "js" | "web");
    (!fits).then_some("async/await is only available on the js and web targets")
}

/// Why a module of the bundled library cannot be imported on a platform.
pub(super) fn unavailable(segments: &[ast::Ident], platform: Name) -> Option<String> {
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    let there = match *names.first()? {
        "native" if names.get(1) == Some(&"gpu") => {
            return Some("native::gpu is not available on this target".to_owned());
        }
        "native" => platform == "native",
        "js" => matches!(platform.as_str(), "js" | "web"),
        "uefi" => platform == "uefi",
        _ => true,
    };
    let module = names[..names.len().min(2)].join("::");
    (!there).then(|| format!("{module} is not available on target {platform}"))
}

/// Why there can be no `use js { … }` and no `use "package" …` on a platform.
pub(super) fn unavailable_foreign(foreign: &ast::Foreign, platform: Name) -> Option<String> {
    let name = foreign.abi.filter(|_| foreign.from_use)?.name;
    let script = foreign.package || name == "js";
    let fits = !script || matches!(platform.as_str(), "js" | "web");
    (!fits).then(|| format!("'use {name}' is not available on target {platform}"))
}

#[cfg(test)]
mod tests {
    use super::{allows, directive};

    #[test]
    fn a_directive_is_found_in_the_first_lines() {
        assert_eq!(directive("// a\n  //!platform: js | web \n"), Some((20, "js | web")));
        assert_eq!(directive("\n\n\n\n\n//! platform: js\n"), None);
        assert_eq!(directive("// platform: js\n"), None);
    }

    #[test]
    fn platforms_are_listed_or_excluded() {
        assert!(allows("native|wasm", "native") && allows("js | native", "native"));
        assert!(!allows("js", "native") && !allows("js", "web"));
        assert!(allows("!js|web", "native") && !allows("!js|web", "web"));
        assert!(allows("bm", "baremetal-arm") && !allows("!bm", "baremetal-arm"));
    }
}
