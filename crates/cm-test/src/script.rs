//! Edit scripts: what is done in a revision, and what is expected of it.

use crate::fixture::{Files, Lines, ParseError};
use std::fmt;

/// One step of a script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// Its number, from 1.
    pub number: usize,
    /// What it is about, if it is not numbered.
    pub label: String,
    /// The line of the fixture where it begins, from 1.
    pub line: usize,
    /// What is done before the build, in order.
    pub actions: Vec<Action>,
    /// What must come out.
    pub expect: Expect,
}

/// What is done before, or during, a build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Replaces the only occurrence of a text in a file.
    Edit {
        /// The file.
        path: String,
        /// The text, which must occur exactly once.
        old: String,
        /// What takes its place.
        new: String,
    },
    /// Creates or replaces a file.
    Write {
        /// The file.
        path: String,
        /// Its text.
        text: String,
    },
    /// Deletes a file.
    Delete(String),
    /// Changes the time of a file, and nothing else.
    Touch(String),
    /// Renames a file.
    Move {
        /// Its path.
        from: String,
        /// Its new path.
        to: String,
    },
    /// Goes on in a new process, or with a database opened anew from disk.
    Reopen,
    /// Goes on in a copy in another directory, with the same store but without the graph.
    Elsewhere,
    /// Sets the options of this and the following builds.
    Options(Vec<String>),
    /// Does it while the build runs.
    Meanwhile(Box<Action>),
}

/// What must come out of a build. What is absent is not looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expect {
    /// Exactly the queries that ran, as `query(key)`, in any order.
    pub rerun: Option<Vec<String>>,
    /// Exactly the queries whose results came from the store, as `query(key)`, in any order.
    pub fetched: Option<Vec<String>>,
    /// Exactly what the program prints.
    pub stdout: Option<String>,
    /// Its exit status.
    pub exit: Option<i32>,
    /// Errors that must be among those reported; empty: the program must be accepted.
    pub errors: Option<Vec<ExpectedError>>,
}

/// An error that must be reported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedError {
    /// The file; absent: the main file.
    pub path: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// What its message must contain.
    pub phrase: String,
}

/// `line N: PHRASE` or `line N of PATH: PHRASE`.
impl std::str::FromStr for ExpectedError {
    type Err = String;
    fn from_str(text: &str) -> Result<ExpectedError, String> {
        let parse = || {
            let (place, phrase) = text.trim().strip_prefix("line ")?.split_once(':')?;
            let (line, path) = match place.split_once(" of ") {
                Some((line, path)) => (line, Some(path.trim().to_owned())),
                None => (place, None),
            };
            Some(ExpectedError { path, line: line.parse().ok()?, phrase: phrase.trim().to_owned() })
        };
        parse().ok_or_else(|| "an error is written `line N of PATH: PHRASE`".to_owned())
    }
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "line {} of {path}: {}", self.line, self.phrase),
            None => write!(f, "line {}: {}", self.line, self.phrase),
        }
    }
}

/// Why an action cannot be applied to the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActionError {
    /// There is no such file.
    NoFile(String),
    /// The text to be replaced occurs this often, and not once.
    Occurrences(String, usize),
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionError::NoFile(path) => write!(f, "there is no file {path}"),
            ActionError::Occurrences(old, count) => write!(f, "`{old}` occurs {count} times"),
        }
    }
}

impl std::error::Error for ActionError {}

impl Action {
    /// Applies it to the texts of the files. Those that change no text change nothing.
    pub fn apply(&self, files: &mut Files) -> Result<(), ActionError> {
        let no_file = |path: &String| ActionError::NoFile(path.clone());
        match self {
            Action::Edit { path, old, new } => {
                let text = files.get_mut(path).ok_or_else(|| no_file(path))?;
                match text.matches(old.as_str()).count() {
                    1 => *text = text.replacen(old.as_str(), new, 1),
                    count => return Err(ActionError::Occurrences(old.clone(), count)),
                }
            }
            Action::Write { path, text } => {
                files.insert(path.clone(), text.clone());
            }
            Action::Delete(path) => {
                files.remove(path).ok_or_else(|| no_file(path))?;
            }
            Action::Touch(path) => {
                files.get(path).ok_or_else(|| no_file(path))?;
            }
            Action::Move { from, to } => {
                let text = files.remove(from).ok_or_else(|| no_file(from))?;
                files.insert(to.clone(), text);
            }
            Action::Meanwhile(action) => action.apply(files)?,
            Action::Reopen | Action::Elsewhere | Action::Options(_) => {}
        }
        Ok(())
    }
}

/// Reads revision `number`, whose first line has been taken.
pub(crate) fn revision(
    number: usize,
    line: usize,
    header: &str,
    lines: &mut Lines<'_>,
) -> Result<Revision, ParseError> {
    let mut revision = Revision { number, line, ..Revision::default() };
    let error = |line| move |message| ParseError { line, message };
    let header = header.trim_start_matches("//=").trim();
    let (first, rest) = header.split_once(' ').unwrap_or((header, ""));
    match first.parse::<usize>() {
        Ok(found) if found == number => revision.directives(rest, lines).map_err(error(line))?,
        Ok(_) => return Err(error(line)(format!("this is revision {number}"))),
        Err(_) => header.clone_into(&mut revision.label),
    }
    while lines.peek().is_some_and(|line| !line.starts_with("//=") && !line.starts_with("//-")) {
        let Some((number, text)) = lines.take() else { break };
        if !text.starts_with('#') {
            revision.directives(text, lines).map_err(error(number))?;
        }
    }
    Ok(revision)
}

/// The path of a file in a fixture.
pub(crate) fn path(word: &str) -> Result<String, String> {
    match word.starts_with('/') && word.len() > 1 {
        true => Ok(word.to_owned()),
        false => Err(format!("`{word}` is not a path: paths begin with `/`")),
    }
}

impl Revision {
    /// Reads what stands on one line.
    fn directives(&mut self, text: &str, lines: &mut Lines<'_>) -> Result<(), String> {
        let mut cursor = Cursor(text.trim());
        while !cursor.0.is_empty() {
            let word = cursor.word();
            if !self.expectation(word, &mut cursor, lines)? && word != "cold" {
                let action = action(word, &mut cursor, lines)?;
                self.actions.push(action);
            }
        }
        Ok(())
    }

    /// Reads an expectation, if `word` begins one.
    fn expectation(
        &mut self,
        word: &str,
        cursor: &mut Cursor<'_>,
        lines: &mut Lines<'_>,
    ) -> Result<bool, String> {
        let expect = &mut self.expect;
        match word {
            "rerun:" | "fetched:" => {
                let list = [vec![cursor.rest()], lines.take_indented()].concat().join(" ");
                let field = if word == "rerun:" { &mut expect.rerun } else { &mut expect.fetched };
                field.get_or_insert_default().extend(queries(list.trim())?);
            }
            "stdout:" => {
                let stdout = expect.stdout.get_or_insert_default();
                let line = Some(cursor.rest()).filter(|line| !line.is_empty());
                for line in line.into_iter().chain(lines.take_quoted()) {
                    stdout.push_str(line);
                    stdout.push('\n');
                }
            }
            "exit:" => {
                let status = cursor.word();
                let status = status.parse().map_err(|_| format!("`{status}` is no exit status"))?;
                expect.exit = Some(status);
            }
            "errors:" => {
                let errors = expect.errors.get_or_insert_default();
                match cursor.rest() {
                    "none" => {}
                    error => errors.push(error.parse()?),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn action(word: &str, cursor: &mut Cursor<'_>, lines: &mut Lines<'_>) -> Result<Action, String> {
    Ok(match word {
        "edit" => {
            let path = path(cursor.word())?;
            let old = cursor.quoted()?;
            cursor.arrow()?;
            Action::Edit { path, old, new: cursor.quoted()? }
        }
        "write" => {
            let path = path(cursor.word())?;
            if !cursor.0.is_empty() {
                return Err("`write PATH` must be the last on its line".into());
            }
            let text = lines.text_until(&["//=", "//-", "//."]);
            if lines.peek().is_some_and(|line| line.starts_with("//.")) {
                lines.take();
            }
            Action::Write { path, text }
        }
        "delete" => Action::Delete(path(cursor.word())?),
        "touch" => Action::Touch(path(cursor.word())?),
        "move" => {
            let from = path(cursor.word())?;
            cursor.arrow()?;
            Action::Move { from, to: path(cursor.word())? }
        }
        "reopen" => Action::Reopen,
        "elsewhere" => Action::Elsewhere,
        "options" => Action::Options(cursor.rest().split_whitespace().map(str::to_owned).collect()),
        "meanwhile" => {
            let word = cursor.word();
            Action::Meanwhile(Box::new(action(word, cursor, lines)?))
        }
        _ => return Err(format!("`{word}` is neither an action nor an expectation")),
    })
}

/// Splits at white space outside parentheses: a key may hold some.
fn queries(list: &str) -> Result<Vec<String>, String> {
    if list == "none" {
        return Ok(vec![]);
    }
    let mut depth = 0_usize;
    let separator = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && c.is_whitespace()
    };
    let groups = list.split(separator).filter(|group| !group.is_empty());
    let queries: Vec<_> = groups.flat_map(members).collect();
    match queries.is_empty() {
        true => Err("an empty list is written `none`".into()),
        false => Ok(queries),
    }
}

/// The queries of a group `query(key; key)`.
fn members(group: &str) -> Vec<String> {
    let parts =
        group.split_once('(').and_then(|(query, rest)| Some((query, rest.strip_suffix(')')?)));
    match parts {
        Some((query, keys)) => keys.split("; ").map(|key| format!("{query}({key})")).collect(),
        None => vec![group.to_owned()],
    }
}

/// What is left of a line, without white space around it.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn word(&mut self) -> &'a str {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        word
    }

    fn rest(&mut self) -> &'a str {
        std::mem::take(&mut self.0)
    }

    fn arrow(&mut self) -> Result<(), String> {
        let rest = self.0.strip_prefix("=>").ok_or("`=>` is missing")?;
        self.0 = rest.trim_start();
        Ok(())
    }

    /// A text between back-ticks, where `\n` and `\t` stand for a line end and a tab.
    fn quoted(&mut self) -> Result<String, String> {
        let text = self.0.strip_prefix('`').ok_or("a text in back-ticks is missing")?;
        let (text, rest) = text.split_once('`').ok_or("a back-tick at the end is missing")?;
        self.0 = rest.trim_start();
        Ok(text.replace("\\n", "\n").replace("\\t", "\t"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fixture;

    fn revisions(text: &str) -> Vec<Revision> {
        Fixture::parse(text).unwrap().revisions
    }

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|item| item.to_string()).collect()
    }

    #[test]
    fn the_example_of_the_crate() {
        let revisions = revisions(
            "//= 1 cold            exit: 3\n\
             //= 2 edit /math.cm  `a + b` => `b + a`\n\
             # why\n\
             rerun: parse(math; main) item_tree(math)\n    mir(math::max<int, T>) link\n\
             //= 3 write /main.cm\n\
             int main() { return 0 }\n\
             //.\n\
             errors: line 1 of /main.cm: Expected ';'\n\
             \n\
             //= 4 reopen          rerun: none\n",
        );
        assert_eq!(revisions.len(), 4);
        assert_eq!((revisions[0].expect.exit, revisions[0].line), (Some(3), 1));
        let edit =
            Action::Edit { path: "/math.cm".into(), old: "a + b".into(), new: "b + a".into() };
        assert_eq!(revisions[1].actions, [edit]);
        let rerun =
            ["parse(math)", "parse(main)", "item_tree(math)", "mir(math::max<int, T>)", "link"];
        assert_eq!(revisions[1].expect.rerun, Some(strings(&rerun)));
        let text = "int main() { return 0 }\n".to_owned();
        assert_eq!(revisions[2].actions, [Action::Write { path: "/main.cm".into(), text }]);
        let error = &revisions[2].expect.errors.as_ref().unwrap()[0];
        assert_eq!(error.to_string(), "line 1 of /main.cm: Expected ';'");
        assert_eq!(revisions[3].actions, [Action::Reopen]);
        assert_eq!(revisions[3].expect.rerun, Some(vec![]));
        assert_eq!(revisions[3].line, 11);
    }

    #[test]
    fn several_on_one_line_and_expectations_on_several() {
        let all = revisions(
            "//= 1 delete /a touch /b move /c => /d elsewhere meanwhile edit /e `x` => `\\n`\n\
             options -O2 --no-cache\n\
             stdout: one\n\
             stdout:\n\
             |\n\
             |  two\n\
             errors: line 2: Unknown type 'T'\n\
             errors: line 3 of /b: no\n\
             fetched: a(b)\n",
        );
        let expected = [
            Action::Delete("/a".into()),
            Action::Touch("/b".into()),
            Action::Move { from: "/c".into(), to: "/d".into() },
            Action::Elsewhere,
            Action::Meanwhile(Box::new(Action::Edit {
                path: "/e".into(),
                old: "x".into(),
                new: "\n".into(),
            })),
            Action::Options(strings(&["-O2", "--no-cache"])),
        ];
        assert_eq!(all[0].actions, expected);
        assert_eq!(all[0].expect.stdout.as_deref(), Some("one\n\n two\n"));
        assert_eq!(all[0].expect.errors.as_ref().map(Vec::len), Some(2));
        assert_eq!(all[0].expect.fetched, Some(strings(&["a(b)"])));
        let silent = &revisions("//= without a number\nstdout:\n//= 2 cold")[0];
        assert_eq!((silent.label.as_str(), silent.number), ("without a number", 1));
        assert_eq!(silent.expect.stdout.as_deref(), Some(""));
        assert_eq!(revisions("//= 1 cold errors: none")[0].expect.errors, Some(vec![]));
    }

    #[test]
    fn mistakes() {
        let check = |line: &str, message: &str| {
            let error = Fixture::parse(&format!("//= 1 cold\n{line}")).unwrap_err();
            assert_eq!(error.to_string(), format!("line 2: {message}"));
        };
        check("edit /a `x` `y`", "`=>` is missing");
        check("edit /a x => `y`", "a text in back-ticks is missing");
        check("edit /a `x` => `y", "a back-tick at the end is missing");
        check("frobnicate", "`frobnicate` is neither an action nor an expectation");
        check("exit: three", "`three` is no exit status");
        check("rerun:", "an empty list is written `none`");
        check("errors: somewhere", "an error is written `line N of PATH: PHRASE`");
        check("write /a more", "`write PATH` must be the last on its line");
        check("delete", "`` is not a path: paths begin with `/`");
    }

    #[test]
    fn actions_change_the_files() {
        let mut files = Files::from([("/a".to_owned(), "x y y".to_owned())]);
        let edit = |old: &str| Action::Edit { path: "/a".into(), old: old.into(), new: "z".into() };
        assert_eq!(edit("y").apply(&mut files), Err(ActionError::Occurrences("y".into(), 2)));
        assert_eq!(edit("x").apply(&mut files), Ok(()));
        assert_eq!(files["/a"], "z y y");
        let to_b = Action::Move { from: "/a".into(), to: "/b".into() };
        assert_eq!(to_b.apply(&mut files), Ok(()));
        assert_eq!(to_b.apply(&mut files), Err(ActionError::NoFile("/a".into())));
        assert_eq!(Action::Touch("/b".into()).apply(&mut files), Ok(()));
        assert_eq!(Action::Delete("/b".into()).apply(&mut files), Ok(()));
        assert!(files.is_empty());
    }
}
