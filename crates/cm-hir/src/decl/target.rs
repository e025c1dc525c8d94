//! `#[target(…)]` (`12-macros-preprocessor.md` §12.4).

use super::Problem;
use cm_base::Name;
use cm_syntax::ast;

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
                problems.push(Problem { at: arg.value.at, message });
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
