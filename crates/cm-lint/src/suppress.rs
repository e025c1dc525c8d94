//! Comments that switch rules off (`14-formatter-linter.md` §14.2).

use crate::Rule;
use std::collections::BTreeMap;

/// The rules that comments in a file switch off.
#[derive(Debug, Default)]
pub struct Suppressions {
    file: Vec<Which>,
    lines: BTreeMap<u32, Vec<Which>>,
}

/// `None`: all rules.
type Which = Option<Vec<String>>;

impl Suppressions {
    /// Reads the comments of a file.
    pub fn of(text: &str) -> Suppressions {
        let mut found = Suppressions::default();
        if !text.contains("@cm-disable") {
            return found;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let Some(comment) = line.split_once("//").map(|(_, comment)| comment) else { continue };
            let Some((_, rest)) = comment.split_once("@cm-disable-") else { continue };
            if let Some(rest) = rest.strip_prefix("next-line") {
                found.lines.entry(number + 1).or_default().push(which(rest));
            } else if let Some(rest) = rest.strip_prefix("line") {
                found.lines.entry(number).or_default().push(which(rest));
            } else if let Some(rest) = rest.strip_prefix("file")
                && number <= 10
            {
                found.file.push(which(rest));
            }
        }
        found
    }

    /// Whether a rule is off on a line, counted from 1.
    pub fn covers(&self, line: u32, rule: Rule) -> bool {
        let here = self.lines.get(&line).into_iter().flatten();
        here.chain(&self.file).any(|which| match which {
            None => true,
            Some(codes) => codes.iter().any(|code| code == rule.code()),
        })
    }
}

/// The codes after a directive.
fn which(rest: &str) -> Which {
    let codes = rest.split([',', ' ', '\t']).map(str::trim).filter(|code| !code.is_empty());
    let codes: Vec<String> = codes.map(ToOwned::to_owned).collect();
    (!codes.is_empty()).then_some(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_switch_rules_off() {
        let text = "// @cm-disable-file L100\n// @cm-disable-next-line\na // @cm-disable-line W001, L101\n\
                    b\n\n\n\n\n\n\n// @cm-disable-file W001\n";
        let found = Suppressions::of(text);
        for (line, rule, covered) in [
            (1, Rule::L100, true),
            (99, Rule::L100, true),
            (2, Rule::W001, false),
            (3, Rule::W008, true),
            (3, Rule::L101, true),
            (4, Rule::L101, false),
            (50, Rule::W001, false),
        ] {
            assert_eq!(found.covers(line, rule), covered, "{line} {rule:?}");
        }
    }
}
