//! Messages in two languages.
//!
//! The stages report in English; what they say is data all the same, since every message is an entry
//! of the catalogue with its arguments filled in. Here an entry is found again by its text, for its
//! code and for its other language. A test holds the catalogue against the sources.

use std::{
    borrow::Cow,
    cmp::Reverse,
    env,
    io::Write as _,
    sync::{LazyLock, OnceLock},
};

/// A language of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    /// As they are reported.
    #[default]
    English,
    /// 日本語.
    Japanese,
}

impl Lang {
    /// The language that the environment asks for.
    pub fn of_environment() -> Lang {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        match locale {
            Some(locale) if locale.starts_with("ja") => Lang::Japanese,
            _ => Lang::English,
        }
    }
}

static LANGUAGE: OnceLock<Lang> = OnceLock::new();

/// Sets the language in which this process tells what it does not report; once.
pub fn speak(lang: Lang) {
    let _ = LANGUAGE.set(lang);
}

/// Writes to standard output as it stands. A reader that went away is no reason to fail.
pub fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Tells of something that is no reason to stop.
pub(crate) fn warn(message: &str) {
    let lang = LANGUAGE.get().copied().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "warning: {}", translate(message, lang));
}

/// A message.
struct Entry {
    code: &'static str,
    english: Template,
    japanese: Template,
}

/// A text with places for arguments.
struct Template {
    /// What stands before, between and after them.
    texts: Vec<&'static str>,
    /// The numbers of the arguments.
    arguments: Vec<usize>,
}

static CATALOGUE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut entries = Vec::new();
    let mut lines = include_str!("catalogue.txt").lines();
    while let Some(line) = lines.next() {
        if let Some((code, english)) = line.split_once(' ').filter(|_| !line.starts_with('#')) {
            let japanese = Template::new(lines.next().unwrap_or_default().trim());
            entries.push(Entry { code, english: Template::new(english), japanese });
        }
    }
    // What says most about a message is tried first.
    entries
        .sort_by_key(|entry| Reverse(entry.english.texts.iter().map(|t| t.len()).sum::<usize>()));
    entries
});

impl Template {
    fn new(text: &'static str) -> Template {
        let (mut texts, mut arguments) = (Vec::new(), Vec::new());
        let (mut rest, mut from) = (text, 0);
        while let Some(at) = rest[from..].find('{').map(|at| at + from) {
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end);
            match rest[at + 1..end].parse() {
                Ok(number) => {
                    texts.push(&rest[..at]);
                    arguments.push(number);
                    (rest, from) = (&rest[end + 1..], 0);
                }
                Err(_) => from = at + 1,
            }
        }
        texts.push(rest);
        Template { texts, arguments }
    }

    /// The arguments with which this is the message.
    fn arguments_of<'m>(&self, message: &'m str) -> Option<Vec<&'m str>> {
        let (first, texts) = self.texts.split_first()?;
        let mut rest = message.strip_prefix(first)?;
        let Some((last, middle)) = texts.split_last() else {
            return rest.is_empty().then(Vec::new);
        };
        let mut arguments = Vec::new();
        for text in middle {
            let (argument, after) = rest.split_once(text)?;
            arguments.push(argument);
            rest = after;
        }
        arguments.push(rest.strip_suffix(last)?);
        Some(arguments)
    }

    /// Whether an argument is quoted: it is a name then, never a message.
    fn quotes(&self, position: usize) -> bool {
        self.texts[position].ends_with('\'')
    }
}

fn find(message: &str) -> Option<(&'static Entry, Vec<&str>)> {
    CATALOGUE.iter().find_map(|entry| Some((entry, entry.english.arguments_of(message)?)))
}

/// The code of a message.
pub fn code(message: &str) -> Option<&'static str> {
    find(without_guess(message).0).map(|(entry, _)| entry.code)
}

/// A message without the name that may have been meant, and this name.
fn without_guess(message: &str) -> (&str, Option<&str>) {
    let guess = message.strip_suffix("'?").and_then(|text| text.rsplit_once("; did you mean '"));
    guess.map_or((message, None), |(text, name)| (text, Some(name)))
}

/// A message in a language. One that is not in the catalogue stays as it is.
pub fn translate(message: &str, lang: Lang) -> Cow<'_, str> {
    if lang == Lang::English {
        return message.into();
    }
    // Findings of the linter end in their code.
    if let Some((text, code)) = message.strip_suffix(']').and_then(|text| text.rsplit_once(" ["))
        && let Some((entry, arguments)) = find(text).filter(|_| code.len() == 4)
    {
        return format!("{} [{code}]", entry.in_japanese(&arguments)).into();
    }
    let (text, guess) = without_guess(message);
    let Some((entry, arguments)) = find(text) else { return message.into() };
    let translated = entry.in_japanese(&arguments);
    match guess {
        Some(name) => format!("{translated}。'{name}' のことですか?").into(),
        None => translated.into(),
    }
}

impl Entry {
    fn in_japanese(&self, arguments: &[&str]) -> String {
        let mut out = String::new();
        for (n, text) in self.japanese.texts.iter().enumerate() {
            out += text;
            let Some(number) = self.japanese.arguments.get(n) else { continue };
            let position = self.english.arguments.iter().position(|other| other == number);
            let Some(position) = position else { continue };
            let argument = arguments[position];
            out += &match self.english.quotes(position) {
                true => argument.into(),
                false => translate(argument, Lang::Japanese),
            };
        }
        out
    }
}

#[cfg(test)]
mod tests;
