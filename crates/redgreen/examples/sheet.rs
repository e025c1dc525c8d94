//! A spreadsheet as a compiler: a folder of `.sheet` files with lines such as
//!
//!     price = 12
//!     total = price * orders.count + 3
//!
//! prints its cells. `sheet FOLDER` computes what the last run could not already know, and
//! `sheet FOLDER why FILE.CELL` tells why the last run computed a cell. All that is kept is in
//! `FOLDER/.sheets/`.

use redgreen::{
    BuildLog, Database, Db, Edit, Fingerprint, Identity, Options, RecordedInput, Registry, Root,
    RootRecord, Stamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What the inputs are read from.
struct Folder(PathBuf);

/// A cell: a sheet and a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the file.
    pub sheet: String,
    /// Name in the file.
    pub name: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sheet, self.name)
    }
}

/// An operator and what is on its right; a formula begins with `+`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// `+`, `-` or `*`.
    pub operator: char,
    /// What comes after it.
    pub operand: Operand,
}

/// What is added, subtracted or multiplied by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// Itself.
    Number(i64),
    /// The value of another cell.
    Cell(Cell),
}

/// From left to right, without precedence.
pub type Formula = Vec<Step>;

redgreen::queries! {
    /// All queries.
    pub static QUERIES;

    /// The text of a sheet; `None`: there is no such sheet.
    input fn text(String) -> Option<String> = read_text, stamp_text;
    /// The names of the sheets.
    input fn sheets(Root) -> Vec<String> = read_sheets, stamp_sheets;
    /// The formulas of a sheet. A comment stops here.
    transient fn formulas(String) -> BTreeMap<String, Formula> = parse_sheet;
    /// The formula of a cell, if there is one. A change to another cell of the sheet stops here.
    transient fn formula(Cell) -> Option<Formula> = find_formula;
    /// Whether a cell depends on itself.
    transient fn is_circular(Cell) -> bool = find_circle;
    /// The value of a cell, or what is wrong with it.
    inline fn value(Cell) -> Result<i64, String> = evaluate;
    /// All cells.
    inline fn report(Root) -> Vec<String> = list_cells;
}

fn path(db: &dyn Db, sheet: &str) -> PathBuf {
    db.graph().world::<Folder>().0.join(sheet).with_extension("sheet")
}

#[expect(clippy::ptr_arg, reason = "providers take their keys as they are declared")]
fn read_text(db: &dyn Db, sheet: &String) -> Option<String> {
    fs::read_to_string(path(db, sheet)).ok()
}

/// Size and time. A file written a moment ago might be written again without looking different.
#[expect(clippy::ptr_arg, reason = "providers take their keys as they are declared")]
fn stamp_text(db: &dyn Db, sheet: &String) -> Stamp {
    let nanos = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|t| t.as_nanos());
    let Ok(meta) = fs::metadata(path(db, sheet)) else { return Stamp([u64::MAX; 4]) };
    let (now, modified) = (nanos(SystemTime::now()), meta.modified().ok().and_then(nanos));
    match (now, modified) {
        (Some(now), Some(modified)) if modified + 20_000_000 < now => {
            Stamp([meta.len(), modified as u64, 0, 0])
        }
        _ => Stamp::UNKNOWN,
    }
}

fn read_sheets(db: &dyn Db, _: &Root) -> Vec<String> {
    let files = fs::read_dir(&db.graph().world::<Folder>().0).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path());
    let sheets = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "sheet"));
    let mut names: Vec<String> =
        sheets.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn stamp_sheets(_: &dyn Db, _: &Root) -> Stamp {
    Stamp::UNKNOWN
}

#[expect(clippy::ptr_arg, reason = "providers take their keys as they are declared")]
fn parse_sheet(db: &dyn Db, sheet: &String) -> BTreeMap<String, Formula> {
    let text = text(db, sheet.clone()).as_deref().unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split('#').next()?.split_once('='));
    lines.map(|(name, formula)| (name.trim().to_owned(), parse_formula(sheet, formula))).collect()
}

fn parse_formula(sheet: &str, text: &str) -> Formula {
    let mut operator = '+';
    let mut steps = Vec::new();
    for word in text.split_whitespace() {
        if let "+" | "-" | "*" = word {
            operator = word.chars().next().unwrap_or('+');
            continue;
        }
        let operand = word.parse().map(Operand::Number).unwrap_or_else(|_| {
            let (sheet, name) = word.split_once('.').unwrap_or((sheet, word));
            Operand::Cell(Cell { sheet: sheet.into(), name: name.into() })
        });
        steps.push(Step { operator, operand });
    }
    steps
}

fn find_formula(db: &dyn Db, cell: &Cell) -> Option<Formula> {
    formulas(db, cell.sheet.clone()).get(&cell.name).cloned()
}

fn mentioned(db: &dyn Db, cell: &Cell) -> impl Iterator<Item = Cell> {
    let steps = formula(db, cell.clone()).iter().flatten();
    steps.filter_map(|step| match &step.operand {
        Operand::Cell(cell) => Some(cell.clone()),
        Operand::Number(_) => None,
    })
}

/// Recursion in the language is found on a graph of its own, and not by queries that call themselves.
fn find_circle(db: &dyn Db, start: &Cell) -> bool {
    let mut seen = BTreeSet::new();
    let mut work: Vec<Cell> = mentioned(db, start).collect();
    while let Some(cell) = work.pop() {
        if cell == *start {
            return true;
        }
        if seen.insert(cell.clone()) {
            work.extend(mentioned(db, &cell));
        }
    }
    false
}

fn evaluate(db: &dyn Db, cell: &Cell) -> Result<i64, String> {
    let formula = formula(db, cell.clone()).as_ref().ok_or(format!("there is no {cell}"))?;
    if *is_circular(db, cell.clone()) {
        return Err(format!("{cell} depends on itself"));
    }
    let mut result = 0i64;
    for step in formula {
        let operand = match &step.operand {
            Operand::Number(number) => *number,
            Operand::Cell(cell) => value(db, cell.clone()).clone()?,
        };
        result = match step.operator {
            '-' => result.wrapping_sub(operand),
            '*' => result.wrapping_mul(operand),
            _ => result.wrapping_add(operand),
        };
    }
    Ok(result)
}

fn list_cells(db: &dyn Db, _: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    for sheet in sheets(db, Root) {
        for name in formulas(db, sheet.clone()).keys() {
            let cell = Cell { sheet: sheet.clone(), name: name.clone() };
            lines.push(match value(db, cell.clone()) {
                Ok(value) => format!("{cell} = {value}"),
                Err(error) => format!("{cell}: {error}"),
            });
        }
    }
    lines
}

/// A driver: the result of the last run if nothing has changed, else a build that is kept.
fn run(folder: &Path) -> io::Result<Vec<String>> {
    let kept = |name: &str| folder.join(".sheets").join(name);
    let identity = Identity {
        build: Fingerprint::of(concat!(env!("CARGO_PKG_VERSION"), " sheet 1")).0,
        options: 0,
    };
    let options =
        Options { identity, ..Options::new(registry(), Arc::new(Folder(folder.to_owned()))) };
    let bare = Database::open(options.clone());
    let is_current = |input: &RecordedInput| input.is_current(&bare);
    if let Some(result) = RootRecord::check(&kept("root"), identity, is_current) {
        eprintln!("nothing has changed");
        return Ok(String::from_utf8_lossy(&result).lines().map(str::to_owned).collect());
    }

    let mut db = Database::open(Options { image: Some(kept("graph")), ..options });
    let lines = db.attempt(|db| report(db, Root).clone()).map_err(io::Error::other)?;
    let log = db.take_log();
    for run in &log.record(&registry()).executed {
        eprintln!("ran {}: {}", run.node, run.reason);
    }
    log.write(&kept("why"))?;
    let roots = [node::report(Root)];
    let snapshot = db.snapshot(&roots).map_err(io::Error::other)?;
    if db.graph().needs_saving(&roots) {
        snapshot.write_image(&kept("graph"))?;
    }
    snapshot.root_record(lines.join("\n").into_bytes()).write(&kept("root"))?;
    Ok(lines)
}

fn registry() -> Registry {
    Registry::new(&[&QUERIES])
}

fn why(folder: &Path, cell: &str) -> String {
    let log = BuildLog::load(&folder.join(".sheets/why")).unwrap_or_default();
    let record = log.record(&registry());
    match record.chain("value", cell) {
        Some(chain) => chain.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  -> "),
        None => format!("{cell} was not computed by the last run"),
    }
}

/// Without arguments: three builds of two sheets, in one folder and then in one process.
fn demonstrate() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    let build = |what: &str| -> io::Result<()> {
        eprintln!("--- {what}");
        run(folder.path())?.iter().for_each(|line| println!("{line}"));
        Ok(())
    };
    write("shop.sheet", "price = 12\ntotal = price * orders.count + 3\n")?;
    write("orders.sheet", "first = 2\ncount = first + 5\n")?;
    build("from nothing")?;
    build("again")?;
    write("shop.sheet", "# a comment\nprice = 12\ntotal = price * orders.count + 3\n")?;
    build("with a comment")?;
    write("orders.sheet", "first = 4\ncount = first + 5\n")?;
    build("with another first order")?;
    println!("{}", why(folder.path(), "shop.total"));

    eprintln!("--- in one process");
    let world = Arc::new(Folder(folder.path().to_owned()));
    let mut db = Database::new(registry(), world);
    for price in [13, 14] {
        write("shop.sheet", &format!("price = {price}\ntotal = price * orders.count\n"))?;
        db.edit(Edit::Inputs(&[node::text("shop".into())]));
        let lines = db.attempt(|db| report(db, Root).clone()).map_err(io::Error::other)?;
        println!("{}", lines.join(", "));
        eprintln!("ran {} queries", db.take_record().counts.executed);
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => demonstrate(),
        [folder] => run(Path::new(folder)).map(|lines| println!("{}", lines.join("\n"))),
        [folder, "why", cell] => {
            println!("{}", why(Path::new(folder), cell));
            Ok(())
        }
        _ => Err(io::Error::other("usage: sheet [FOLDER [why FILE.CELL]]")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
