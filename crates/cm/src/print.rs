//! What reaches the terminal.

use crate::{
    args::{Format, Output, Stage, When},
    lang,
};
use camino::Utf8Path;
use cm_driver::{
    Colors, Error, Rendered,
    messages::{self, Lang},
    reason,
};
use std::{
    fmt::Display,
    io::{IsTerminal, Write},
    time::Duration,
};

/// More errors than this are not shown.
const MOST: usize = 50;

/// Writes diagnostics as the options ask.
pub struct Printer {
    format: Format,
    colors: Colors,
}

impl Printer {
    pub fn new(output: &Output) -> Printer {
        let colors = Colors::new(wants_colors(output, &std::io::stderr()));
        Printer { format: output.format, colors }
    }

    pub fn diagnostics(&self, diagnostics: &[Rendered]) {
        let mut out = String::new();
        let mut errors = 0;
        for diagnostic in diagnostics {
            errors += usize::from(diagnostic.severity == "error");
            if errors > MOST {
                break;
            }
            let diagnostic = match (self.format, lang::current()) {
                (Format::Full | Format::Short, Lang::English) => diagnostic,
                (_, lang) => &diagnostic.clone().in_language(lang),
            };
            out.push_str(&match self.format {
                Format::Full => diagnostic.full(self.colors),
                Format::Short => diagnostic.short(self.colors),
                Format::Json => diagnostic.json(),
            });
        }
        if errors > MOST && self.format != Format::Json {
            out.push_str(&messages::translate("too many errors", lang::current()));
            out.push('\n');
        }
        // A reader that went away is no reason to fail.
        let _ = std::io::stderr().write_all(out.as_bytes());
    }
}

/// A time as people read it: tenths where they matter.
pub fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1e3;
    if time < 100.0 { format!("{time:.1} ms") } else { format!("{time:.0} ms") }
}

/// Whether what goes to a stream is coloured.
pub fn wants_colors(output: &Output, stream: &impl IsTerminal) -> bool {
    match output.talk.color {
        When::Always => true,
        When::Never => false,
        When::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

pub use cm_driver::messages::say;

/// The same for lines of text, in the language of the user. What stands before a colon may be a name.
pub fn tell(text: &str) {
    match lang::current() {
        Lang::English => say(text),
        lang => {
            say(&text.split_inclusive('\n').map(|line| in_language(line, lang)).collect::<String>())
        }
    }
}

fn in_language(line: &str, lang: Lang) -> String {
    let text = line.trim();
    if text.starts_with('|') {
        return line.to_owned(); // What a program has printed.
    }
    let (indent, end) = (line.len() - line.trim_start().len(), line.trim_end().len());
    let translate = |text| messages::translate(text, lang);
    let parts = text.split_once(": ").map(|(name, rest)| (name, rest, translate(rest)));
    let text = match parts.filter(|(_, rest, translated)| translated != rest) {
        Some((name, _, translated)) => format!("{}: {translated}", translate(name)),
        None => translate(text).into_owned(),
    };
    format!("{}{text}{}", &line[..indent.min(end)], &line[end..])
}

/// Why a command did not do its work.
pub fn error(message: &impl Display) {
    let message = message.to_string();
    let message = messages::translate(&message, lang::current());
    let _ = writeln!(std::io::stderr(), "error: {message}");
}

/// Writes a stage to a file or to standard output.
pub fn emit(bytes: &[u8], output: Option<&Utf8Path>) -> Result<(), Error> {
    let result = match output {
        Some(path) => {
            std::fs::write(path, bytes).map_err(|e| format!("cannot write {path}: {}", reason(&e)))
        }
        None => {
            let mut out = std::io::stdout();
            let written = out.write_all(bytes).and_then(|()| out.flush());
            written.map_err(|e| format!("cannot write to standard output: {}", reason(&e)))
        }
    };
    Ok(result?)
}

impl From<Stage> for cm_driver::Stage {
    fn from(stage: Stage) -> cm_driver::Stage {
        match stage {
            Stage::Tokens => cm_driver::Stage::Tokens,
            Stage::Ast => cm_driver::Stage::Ast,
            Stage::Hir => cm_driver::Stage::Hir,
            Stage::Mir => cm_driver::Stage::Mir,
            Stage::LlvmIr => cm_driver::Stage::LlvmIr,
            Stage::Bitcode => cm_driver::Stage::Bitcode,
            Stage::Obj => cm_driver::Stage::Obj,
            Stage::Asm => cm_driver::Stage::Asm,
        }
    }
}

/// Writes help, or what is wrong with the command line, to the stream that is for it.
pub fn help(error: &clap::Error) {
    if lang::current() == Lang::English {
        // A reader that went away is no reason to fail.
        let _ = error.print();
        return;
    }
    let text = error.render();
    let (wrong, colors) = (error.use_stderr(), std::env::var_os("NO_COLOR").is_none());
    let terminal =
        if wrong { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
    let text = if colors && terminal { text.ansi().to_string() } else { text.to_string() };
    let text = lang::help(&text);
    let _ = match wrong {
        true => std::io::stderr().write_all(text.as_bytes()),
        false => std::io::stdout().write_all(text.as_bytes()),
    };
}

/// Something about the command itself, for people who look at it.
pub fn note(message: &str) {
    let message = messages::translate(message, lang::current());
    let _ = writeln!(std::io::stderr(), "[{message}]");
}
