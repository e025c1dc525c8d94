//! The language that the command speaks.

use cm_driver::messages::{Lang, translate};
use std::{cmp::Reverse, ffi::OsString, sync::OnceLock};

/// The language that `--lang` says, or the environment. Known before the command line has been read,
/// since what is wrong with it is said in this language too.
pub fn current() -> Lang {
    static LANG: OnceLock<Lang> = OnceLock::new();
    *LANG.get_or_init(|| of_arguments().unwrap_or_else(Lang::of_environment))
}

fn of_arguments() -> Option<Lang> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).take_while(|a| a != "--").collect();
    let mut said = None;
    for (n, argument) in arguments.iter().enumerate() {
        let argument = argument.to_string_lossy();
        let value = match argument.strip_prefix("--lang") {
            Some("") => arguments.get(n + 1).map(|next| next.to_string_lossy().into_owned()),
            Some(rest) => rest.strip_prefix('=').map(ToOwned::to_owned),
            None => None,
        };
        said = match value.as_deref() {
            Some("ja") => Some(Lang::Japanese),
            Some("en") => Some(Lang::English),
            _ => said,
        };
    }
    said
}

/// Help in Japanese: its phrases are exchanged one by one, so that its form stays clap's.
pub fn help(text: &str) -> String {
    let mut phrases: Vec<(&str, &str)> = Vec::new();
    let mut lines = include_str!("help.ja.txt").lines().filter(|line| !line.starts_with('#'));
    while let (Some(english), Some(japanese)) = (lines.next(), lines.next()) {
        phrases.push((english, japanese.trim_start()));
    }
    // One may be a part of another.
    phrases.sort_by_key(|(english, _)| Reverse(english.len()));
    let exchanged = phrases
        .iter()
        .fold(text.to_owned(), |text, (english, japanese)| text.replace(english, japanese));
    exchanged.split_inclusive('\n').map(line).collect()
}

/// A line that may be a message: `error: …`, `  tip: …`.
fn line(line: &str) -> String {
    let text = line.trim_end();
    let start =
        ["error: ", "tip: "].into_iter().find_map(|word| Some(text.find(word)? + word.len()));
    let start = start.unwrap_or(text.len() - text.trim_start().len());
    let (before, message) = text.split_at(start);
    format!("{before}{}{}", translate(message, Lang::Japanese), &line[text.len()..])
}
