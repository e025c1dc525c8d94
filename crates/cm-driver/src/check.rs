//! `check` and `lint`.

use crate::{
    Error, Options, Report, format, parallel,
    project::{normalize, working_directory},
    reason,
    render::{Source, resolve, resolve_finding},
    session::{Finished, Purpose, Session, Sources, accepted, diagnose},
};
use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{Diagnostic, Name, Severity};
use cm_db::settings;
use cm_lint::{Config, Finding, Level, Rule, Suppressions};
use redgreen::{Database, Root};
use std::{fs, io, rc::Rc};

/// What of the findings of the linter is shown.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Lint {
    /// The rules in force.
    config: Config,
    /// The file that says so.
    pub(crate) path: Option<Utf8PathBuf>,
    /// Rules for machines without a system are in force too.
    bare: bool,
}

/// The name of the configuration.
const CONFIG: &str = ".cmconfig.yml";

/// The working directory and so many above it are searched.
const ANCESTORS: usize = 10;

impl Lint {
    /// What the configuration near the working directory says, and what is wrong with it. `bare`:
    /// rules for machines without a system are in force.
    ///
    /// # Errors
    /// If there is a configuration that cannot be read.
    pub fn find(bare: bool) -> Result<(Lint, Report), Error> {
        let cwd = normalize(&working_directory()?);
        let candidates = cwd.ancestors().take(1 + ANCESTORS).map(|dir| dir.join(CONFIG));
        let Some(path) = candidates.into_iter().find(|path| path.is_file()) else {
            return Ok((Lint { bare, ..Lint::default() }, Report::default()));
        };
        let shown = crate::project::relative(&path, &cwd);
        let read: io::Result<String> = fs::read_to_string(&path);
        let text = read.map_err(|error| format!("cannot read {shown}: {}", reason(&error)))?;
        let config = Config::parse(&text);
        let report = complaints(&config, shown, &text);
        Ok((Lint { config, path: Some(path), bare }, report))
    }

    /// The level of a rule in a file, or `None` if it is not in force.
    fn level(&self, rule: Rule, bare_file: bool) -> Option<Level> {
        let applies = rule != Rule::B001 || (self.bare && bare_file);
        Some(self.config.level(rule)).filter(|level| applies && *level != Level::Off)
    }
}

fn complaints(config: &Config, shown: Utf8PathBuf, text: &str) -> Report {
    let source = Rc::new(Source::new(shown, text.into()));
    let diagnostics = config.complaints.iter().map(|(line, message)| {
        let diagnostic = Diagnostic {
            file: Name::new(CONFIG),
            range: source.line_range(*line),
            severity: Severity::Warning,
            message: message.clone(),
            notes: Vec::new(),
        };
        resolve(&diagnostic, &mut |_| source.clone())
    });
    Report { diagnostics: diagnostics.collect() }
}

/// What was found in a program.
#[derive(Clone)]
pub struct Found {
    diagnostics: Vec<Diagnostic>,
    /// Those of the root file.
    findings: Vec<Finding>,
}

/// Diagnostics of a program, and what the linter has to say about its root file.
///
/// # Errors
/// If the file cannot be opened.
pub fn check(options: &Options, lint: &Lint) -> Result<Report, Error> {
    let session = Session::new(options, Purpose::Check)?;
    let found = run(&session)?;
    Ok(show(&session, &found, lint))
}

/// What was found, as it is shown.
pub fn show(session: &Session, found: &Found, lint: &Lint) -> Report {
    let mut report = session.report(&found.diagnostics);
    let root = session.project.root;
    let mut sources = Sources::default();
    let mut shown: Vec<_> = in_force(session, &found.findings, lint)
        .map(|(finding, level)| {
            let mut source = |file| sources.get(session, file);
            (finding.rule, resolve_finding(finding, level, root.0, &mut source))
        })
        .collect();
    shown.sort_by_key(|(rule, shown)| (shown.line, *rule, shown.column));
    report.diagnostics.extend(shown.into_iter().map(|(_, shown)| shown));
    report
}

/// The findings that are to be shown.
fn in_force<'a>(
    session: &Session,
    findings: &'a [Finding],
    lint: &Lint,
) -> impl Iterator<Item = (&'a Finding, Level)> {
    let text = session.text(session.project.root);
    let bare = cm_syntax::platform(&text)
        .is_some_and(|(name, _)| name.contains("baremetal") || name.contains("uefi"));
    let suppressions = Suppressions::of(&text);
    let source = Source::new("", text);
    findings.iter().filter_map(move |finding| {
        let level = lint.level(finding.rule, bare)?;
        let (line, _) = source.position(finding.range.start);
        (!suppressions.covers(line, finding.rule)).then_some((finding, level))
    })
}

fn run(session: &Session) -> Result<Found, Error> {
    if let Some(earlier) = session.earlier::<Vec<Finding>>()
        && earlier.current
    {
        session.keep_unchanged()?;
        let Finished { diagnostics, result: findings } = earlier.finished;
        return Ok(Found { diagnostics, findings });
    }
    let mut database = session.open();
    let found = look(session, &mut database)?;
    keep(session, &database, found.clone())?;
    Ok(found)
}

/// Brings what is to be found up to date.
///
/// # Errors
/// If the graph cannot be mended.
pub fn look(session: &Session, database: &mut Database) -> Result<Found, Error> {
    let (diagnostics, findings) = session.attempt(database, |db| {
        parallel::front_end(db, &session.clock);
        let findings = cm_lint::findings(db, settings(db, Root).root).clone();
        (diagnose(db, Purpose::Check), findings)
    })?;
    session.clock.lap("diagnostics");
    Ok(Found { diagnostics, findings })
}

/// Keeps what was found for the next process.
///
/// # Errors
/// If the query log cannot be written.
pub fn keep(session: &Session, database: &Database, found: Found) -> Result<(), Error> {
    let roots =
        [cm_hir::queries::node::diagnostics(Root), cm_lint::node::findings(session.project.root)];
    let Found { diagnostics, findings } = found;
    let finished = || Finished { diagnostics, result: findings };
    session.keep(database, &roots, || Ok(()), finished)?;
    session.clock.lap("cache");
    Ok(())
}

/// Mending one finding may show another, but not for ever.
const ROUNDS: usize = 10;

/// Mends in the root file of a program what can be mended without risk, and says how much. A program
/// with errors is left alone.
///
/// # Errors
/// If the file cannot be opened or written.
pub fn fix(options: &Options, lint: &Lint) -> Result<usize, Error> {
    let mut count = 0;
    for _ in 0..ROUNDS {
        let session = Session::new(options, Purpose::Check)?;
        let Found { diagnostics, findings } = run(&session)?;
        if !accepted(&diagnostics) {
            break;
        }
        let text = session.text(session.project.root);
        let (mended, edits) = mend(&text, in_force(&session, &findings, lint));
        if edits == 0 {
            break;
        }
        write(&options.file, &mended)?;
        count += edits;
    }
    Ok(count)
}

fn write(path: &Utf8Path, text: &str) -> Result<(), Error> {
    if path == crate::input::NAME {
        return Err("standard input cannot be mended in place".to_owned().into());
    }
    format::replace(path, text)
}

/// The text with all fixes that do not touch one another, and how many these are.
fn mend<'a>(text: &str, findings: impl Iterator<Item = (&'a Finding, Level)>) -> (String, usize) {
    let mut edits: Vec<&(cm_base::diagnostic::Range, String)> = Vec::new();
    let mut count = 0;
    for (finding, _) in findings {
        let apart = |(range, _): &(cm_base::diagnostic::Range, String)| {
            edits.iter().all(|(other, _)| range.end < other.start || other.end < range.start)
        };
        if !finding.fix.is_empty() && finding.fix.iter().all(apart) {
            edits.extend(&finding.fix);
            count += 1;
        }
    }
    edits.sort_by_key(|(range, _)| *range);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (range, new) in edits {
        out.push_str(&text[end..range.start as usize]);
        out.push_str(new);
        end = range.end as usize;
    }
    (out + &text[end..], count)
}
