//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cm_driver::{CacheArguments, Foreign};
use std::{ffi::OsString, time::Duration};

/// The incremental compiler for Cm.
#[derive(Parser)]
#[command(name = "cm", disable_version_flag = true, arg_required_else_help = false)]
#[command(args_override_self = true, infer_subcommands = false)]
#[command(override_usage = "cm COMMAND [OPTIONS] FILE", after_help = MORE)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'V', visible_short_alias = 'v', long)]
    pub version: bool,
    /// Language of messages and help [default: that of the locale]
    #[arg(long, value_enum, hide = true)]
    pub lang: Option<Language>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const MORE: &str = "\
cm COMMAND --help tells more about a command. Exit status: that of the program for `run` and \
`compile --run`, else 0, or 1 after an error.";

#[derive(Subcommand)]
pub enum Command {
    /// Compile what changed and execute in memory
    Run(Run),
    /// Compile what changed and link an executable
    #[command(visible_alias = "build")]
    Compile(Compile),
    /// Report errors and warnings
    Check(Check),
    /// The same with the rules for programs without a system
    Lint(Lint),
    /// Format files in place
    Fmt(Fmt),
    /// Begin a project
    Init(Init),
    /// Run the functions that are marked #[test]
    Test(Test),
    /// Inspect or delete the build cache
    Cache(Cache),
    /// Tell why queries ran in the last build
    Why(Why),
    /// Print what makes a shell complete the command line of `cm`
    Completions(Completions),
}

#[derive(Args)]
#[command(override_usage = "cm run [OPTIONS] FILE [-- ARGS...]")]
pub struct Run {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub code: Code,
    /// Stay, and do it again whenever a source file changes
    #[arg(long)]
    pub watch: bool,
    /// Execute with the MIR interpreter instead of machine code
    #[arg(long)]
    pub interpret: bool,
    /// The program; `-` reads it from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
    /// Arguments for the program
    #[arg(last = true)]
    pub args: Vec<String>,
}

#[derive(Args)]
#[command(override_usage = "cm test [OPTIONS] FILE")]
pub struct Test {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub code: Code,
    /// Run the tests whose names contain TEXT; repeatable
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Stay, and do it again whenever a source file changes
    #[arg(long)]
    pub watch: bool,
    /// Execute the objects in a file, for one test
    #[arg(long, hide = true)]
    pub child: Option<Utf8PathBuf>,
    /// The program, and objects and libraries that it is linked with
    #[arg(required_unless_present = "child", value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
}

#[derive(Args)]
#[command(override_usage = "cm compile [OPTIONS] FILE")]
pub struct Compile {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub code: Code,
    /// Output file [default: a.out]
    #[arg(short, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Target; only `native` so far
    #[arg(long, value_name = "TARGET", default_value = "native")]
    pub target: String,
    /// Write a stage instead of an executable: to standard output, or to the file given with -o
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,
    /// Accepted; LLVM is always used
    #[arg(long, hide = true)]
    pub emit_llvm: bool,
    /// The same as --target=js
    #[arg(long)]
    pub emit_js: bool,
    /// Print optimised LLVM IR and stop
    #[arg(long)]
    pub lir_opt: bool,
    /// Execute the result afterwards and exit with its status
    #[arg(long)]
    pub run: bool,
    /// Stay, and do it again whenever a source file changes
    #[arg(long)]
    pub watch: bool,
    /// No success message
    #[arg(short, long)]
    pub quiet: bool,
    /// Largest output in GB
    #[arg(long, value_name = "N", default_value = "16")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub max_output_size: u64,
    /// The program; `-` reads it from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
}

#[derive(Args)]
#[command(override_usage = "cm check [OPTIONS] PATH...")]
pub struct Check {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub paths: Paths,
    /// Stay, and do it again whenever a source file changes
    #[arg(long)]
    pub watch: bool,
    /// No summary
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args)]
#[command(override_usage = "cm lint [OPTIONS] PATH...")]
pub struct Lint {
    #[command(flatten)]
    pub check: Check,
    /// Mend what can be mended without risk
    #[arg(long)]
    pub fix: bool,
}

#[derive(Args)]
#[command(override_usage = "cm fmt [OPTIONS] PATH...")]
pub struct Fmt {
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub paths: Paths,
    /// Write nothing; show what would change, and exit with 1 if anything would
    #[arg(long)]
    pub check: bool,
    /// Format these lines alone, counted from 1
    #[arg(long, value_name = "FIRST:LAST", value_parser = lines)]
    pub range: Option<(u32, u32)>,
    /// No summary; with --check the names of files alone
    #[arg(short, long)]
    pub quiet: bool,
}

/// The files of a command that takes many.
#[derive(Args)]
pub struct Paths {
    /// Look into directories to any depth
    #[arg(short, long)]
    pub recursive: bool,
    /// Leave out paths that contain PATTERN, or end in what follows its `*`
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Files, and directories of files; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
}

#[derive(Args)]
pub struct Init {
    #[command(flatten)]
    pub output: Output,
    /// Its directory, which is made if there is none
    #[arg(value_name = "DIR", default_value = ".", value_parser = path)]
    pub dir: Utf8PathBuf,
}

#[derive(Args)]
pub struct Completions {
    #[command(flatten)]
    pub talk: Talk,
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Args)]
pub struct Cache {
    /// How it is written
    #[arg(long, value_enum, default_value_t = TextFormat::Text, global = true)]
    pub format: TextFormat,
    #[command(flatten)]
    pub talk: Talk,
    /// What to do
    #[command(subcommand)]
    pub action: CacheAction,
}

#[derive(Subcommand)]
pub enum CacheAction {
    /// Delete the cache directory, or entries of some kinds
    #[command(visible_alias = "clear")]
    Clean {
        #[command(flatten)]
        place: CacheDir,
        /// Only entries of this kind, such as `unit_object`
        #[arg(long, value_name = "KIND")]
        kind: Vec<String>,
    },
    /// Print directory, number of entries, sizes, oldest and newest entry
    Stats {
        #[command(flatten)]
        place: CacheDir,
    },
    /// Remove what was used longest ago
    Gc {
        #[command(flatten)]
        place: CacheDir,
        /// Until the store takes no more than SIZE, such as 500M [default: what is configured]
        #[arg(long, value_name = "SIZE", value_parser = cm_driver::settings::parse_size)]
        max_size: Option<u64>,
        /// All that was not used for AGE, such as 12h or 30d
        #[arg(long, value_name = "AGE", value_parser = age)]
        max_age: Option<Duration>,
        /// What the last build of no program has made or used
        #[arg(long)]
        unused: bool,
    },
    /// Read every entry and remove those that are damaged
    Verify {
        #[command(flatten)]
        place: CacheDir,
        /// Compile N of 100 units again as well, and compare
        #[arg(long, value_name = "N%", value_parser = percent)]
        recompute: Option<u8>,
    },
    /// List all entries, that used last first
    List {
        #[command(flatten)]
        place: CacheDir,
    },
    /// Describe an entry
    Show {
        #[command(flatten)]
        place: CacheDir,
        /// Its key, or the start of it
        key: String,
    },
    /// Print the cache directory
    Path {
        #[command(flatten)]
        place: CacheDir,
    },
    /// The keys that sign entries, for `sign` in [cache] of cm.toml
    Key {
        /// What to do
        #[command(subcommand)]
        action: KeyAction,
    },
}

#[derive(Subcommand)]
pub enum KeyAction {
    /// Make a key to sign with, in place of the one there is, and print its public part
    Generate,
    /// List all keys that are known
    List,
    /// Use what this key has signed
    Trust {
        /// Its public part; `@N` after it leaves out what it signed before epoch N
        key: String,
        /// What the list calls it
        #[arg(long, value_name = "TEXT", default_value = "")]
        name: String,
    },
    /// Never use what this key has signed
    Revoke {
        /// Its public part
        key: String,
    },
}

#[derive(Args)]
pub struct CacheDir {
    /// Cache directory [default: that of cm.toml, or .cm_cache]
    #[arg(long, value_name = "DIR", env = "CM_CACHE_DIR", value_parser = path)]
    pub cache_dir: Option<Utf8PathBuf>,
}

impl Common {
    /// The names that are defined: those that were asked for, and that of a build to look for mistakes in.
    pub fn defines(&self) -> Vec<String> {
        let debug = self.output.talk.debug.map(|_| "__DEBUG__".to_owned());
        self.defines.iter().cloned().chain(debug).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people
    #[value(aliases = ["full", "short"])]
    Text,
    /// For programs
    Json,
}

#[derive(Args)]
pub struct Why {
    #[command(flatten)]
    pub cache: CacheDir,
    /// How it is written
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub format: TextFormat,
    #[command(flatten)]
    pub talk: Talk,
    /// Draw the graph of the last build as a page for browsers
    #[arg(long, value_name = "FILE", conflicts_with = "query")]
    pub graph: Option<Utf8PathBuf>,
    /// A query, such as `mir`; without it, everything that ran is listed
    pub query: Option<String>,
    /// Its key, such as `geo::area`
    pub key: Option<String>,
}

/// Options of every command that compiles.
#[derive(Args)]
pub struct Common {
    #[command(flatten)]
    pub cache: CacheOptions,
    /// Write one JSON line for each query that ran, then a summary
    #[arg(long, value_name = "FILE")]
    pub query_log: Option<Utf8PathBuf>,
    /// Draw how long each query took as a page for browsers
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "cm-timings.html")]
    pub timings: Option<Utf8PathBuf>,
    /// Define a name for #ifdef
    #[arg(short = 'D', value_name = "NAME")]
    pub defines: Vec<String>,
    #[command(flatten)]
    pub output: Output,
    /// Print the syntax tree and go on
    #[arg(long)]
    pub ast: bool,
    /// Print typed bodies and go on
    #[arg(long)]
    pub hir: bool,
    /// Print the MIR and go on
    #[arg(long)]
    pub mir: bool,
}

/// Whether the cache is used, and how.
#[derive(Args)]
pub struct CacheOptions {
    /// Where the cache is [default: that of cm.toml, or .cm_cache]
    #[arg(long, value_name = "DIR", env = "CM_CACHE_DIR", value_parser = path)]
    pub cache_dir: Option<Utf8PathBuf>,
    /// What the store in it may take, such as 500M [default: that of cm.toml, or 2GiB]
    #[arg(long, value_name = "SIZE", value_parser = cm_driver::settings::parse_size)]
    pub max_cache_size: Option<u64>,
    /// Read the cache and do not write it
    #[arg(long)]
    pub cache_readonly: bool,
    /// Neither read nor write the cache
    #[arg(long, overrides_with = "cache")]
    pub no_cache: bool,
    /// Use the cache (the default)
    #[arg(long, visible_alias = "incremental", overrides_with = "no_cache")]
    pub cache: bool,
}

impl CacheOptions {
    /// For the driver.
    pub fn arguments(&self) -> CacheArguments {
        CacheArguments {
            enabled: (self.cache || self.no_cache).then_some(self.cache),
            dir: self.cache_dir.clone(),
            max_size: self.max_cache_size,
            read_only: self.cache_readonly,
            shared: cm_driver::settings::shared_directory(),
        }
    }
}

/// How a command talks.
#[derive(Args)]
pub struct Output {
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t = Format::Full)]
    pub format: Format,
    #[command(flatten)]
    pub talk: Talk,
}

/// The same, for those without diagnostics.
#[derive(Args)]
pub struct Talk {
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto, global = true)]
    pub color: When,
    /// Print progress and timings
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print as much as LEVEL says; `trace` adds the queries that ran to what --verbose prints
    #[arg(short, long, value_name = "LEVEL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "debug", global = true)]
    pub debug: Option<Level>,
    /// Language of messages and help [default: that of the locale]
    // `lang` finds it before anything else is read.
    #[arg(long, value_enum, value_name = "LANGUAGE", hide_default_value = true, global = true)]
    pub lang: Option<Language>,
}

impl Talk {
    /// Timings are to be printed.
    pub fn is_verbose(&self) -> bool {
        self.verbose || matches!(self.debug, Some(level) if level <= Level::Info)
    }
}

/// Options of code generation.
#[derive(Args)]
pub struct Code {
    /// Optimisation level, 0 to 3
    #[arg(short = 'O', value_name = "LEVEL", default_value = "3")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=3))]
    pub opt_level: u8,
    /// Print the MIR and stop
    #[arg(long)]
    pub mir_opt: bool,
    /// Link with a library
    #[arg(short = 'l', value_name = "NAME")]
    pub libraries: Vec<String>,
    /// Look for libraries in a directory first
    #[arg(short = 'L', value_name = "DIR")]
    pub directories: Vec<Utf8PathBuf>,
    /// Hand an argument to the linker
    #[arg(long = "link-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub link_args: Vec<String>,
}

impl Code {
    /// What a program is linked with; of `files`, those that are not Cm's.
    pub fn foreign(&self, files: &[Utf8PathBuf]) -> Foreign {
        Foreign {
            libraries: self.libraries.clone(),
            directories: self.directories.clone(),
            files: files.iter().filter(|file| Foreign::is_file(file)).cloned().collect(),
            arguments: self.link_args.clone(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With excerpts
    Full,
    /// First lines only
    Short,
    /// One object a line
    Json,
}

/// What `--debug` takes, from much to little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// 日本語
    Ja,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    Tokens,
    Ast,
    Hir,
    Mir,
    #[value(alias = "ir")]
    LlvmIr,
    Bitcode,
    Obj,
    Asm,
}

/// `N` or `N%`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|n| *n <= 100);
    number.ok_or_else(|| format!("'{text}' is not a percentage; write for example 10%"))
}

/// A number of seconds, minutes, hours or days.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not an age; write for example 12h or 30d");
    let seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.checked_mul(seconds).ok_or_else(wrong)?))
}

/// `FIRST:LAST`, or one line.
fn lines(text: &str) -> Result<(u32, u32), &'static str> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok((first, last)),
        _ => Err("two line numbers are expected, the first from 1 to the last"),
    }
}

fn path(text: &str) -> Result<Utf8PathBuf, &'static str> {
    if text.is_empty() { Err("a path cannot be empty") } else { Ok(text.into()) }
}

/// The command line, where `-O` alone is `-O3`: clap would take the next argument for its level.
pub fn command_line() -> impl Iterator<Item = OsString> {
    let mut options = true;
    std::env::args_os().map(move |arg| {
        options &= arg != "--";
        if options && arg == "-O" { "-O3".into() } else { arg }
    })
}
