//! `.cmconfig.yml` (`14-formatter-linter.md` §14.2): only as much of YAML as it needs.

use crate::{Level, Rule};
use std::collections::BTreeMap;

/// Which rules are in force, and how.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Config {
    levels: BTreeMap<Rule, Level>,
    /// What in the file is not understood, with lines from 1.
    pub complaints: Vec<(u32, String)>,
}

impl Config {
    /// The level of a rule.
    pub fn level(&self, rule: Rule) -> Level {
        self.levels.get(&rule).copied().unwrap_or_else(|| rule.default_level())
    }

    /// Reads a configuration.
    pub fn parse(text: &str) -> Config {
        let mut config = Config::default();
        let mut rules = Vec::new();
        let mut section = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split('#').next().unwrap_or_default();
            let indent = code.len() - code.trim_start_matches(' ').len();
            let code = code.trim();
            if code.is_empty() || code == "---" {
                continue;
            }
            let Some((key, value)) = code.split_once(':') else {
                config.complain(number, format!("'{code}' is not `key: value`"));
                continue;
            };
            let value = value.trim().trim_matches(['"', '\'']);
            section.truncate(indent / 2);
            section.push(key.trim());
            match section[..] {
                ["lint"] | ["lint", "rules"] if value.is_empty() => {}
                ["lint", "preset"] => config.preset(number, value),
                ["lint", "rules", rule] => rules.push((number, rule, value)),
                // Other tools may have sections of their own.
                [other, ..] if other != "lint" => {}
                _ => config.complain(number, format!("unknown key '{key}'")),
            }
        }
        // They win over the preset, wherever it stands.
        for (number, rule, level) in rules {
            config.rule(number, rule, level);
        }
        config
    }

    fn complain(&mut self, line: u32, message: String) {
        self.complaints.push((line, message));
    }

    fn preset(&mut self, line: u32, name: &str) {
        let naming = [Rule::L100, Rule::L101, Rule::L102, Rule::L103];
        match name {
            "recommended" => {}
            "minimal" => {
                self.levels.extend(naming.map(|rule| (rule, Level::Off)));
                self.levels.insert(Rule::W001, Level::Off);
            }
            "strict" => self.levels.extend(naming.map(|rule| (rule, Level::Error))),
            _ => self.complain(line, format!("unknown preset '{name}'")),
        }
    }

    fn rule(&mut self, line: u32, code: &str, level: &str) {
        let level = match level {
            "error" => Level::Error,
            "warning" => Level::Warning,
            "hint" => Level::Hint,
            "disabled" | "off" => Level::Off,
            _ => {
                self.complain(line, format!("unknown level '{level}'"));
                Level::Warning
            }
        };
        match Rule::from_code(code) {
            Some(rule) => drop(self.levels.insert(rule, level)),
            None => self.complain(line, format!("unknown rule '{code}'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_win_over_presets() {
        let text = "# ours\nother:\n  a: b\nlint:\n  rules:\n    L101: off # no\n    W005: hint\n  preset: \"strict\"\n";
        let config = Config::parse(text);
        assert_eq!(config.complaints, []);
        assert_eq!(config.level(Rule::L101), Level::Off);
        assert_eq!(config.level(Rule::L100), Level::Error);
        assert_eq!(config.level(Rule::W005), Level::Hint);
        assert_eq!(config.level(Rule::L002), Level::Off);
        assert_eq!(Config::parse("lint:\n  preset: minimal").level(Rule::W001), Level::Off);
    }

    #[test]
    fn mistakes_are_complained_about() {
        let text =
            "lint:\n  preset: odd\n  rules:\n    L100: loud\n    X1: off\n  what: 1\n  nothing\n";
        let config = Config::parse(text);
        let lines: Vec<u32> = config.complaints.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 6, 7, 4, 5]);
        assert_eq!(config.level(Rule::L100), Level::Warning);
    }
}
