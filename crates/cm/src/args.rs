//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// The incremental compiler for Cm.
#[derive(Parser)]
#[command(name = "cm", disable_version_flag = true, arg_required_else_help = false)]
#[command(args_override_self = true, infer_subcommands = false)]
#[command(override_usage = "cm COMMAND [OPTIONS] FILE", after_help = MORE)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'V', visible_short_alias = 'v', long)]
    pub version: bool,
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
    /// What to do
    #[command(subcommand)]
    pub action: CacheAction,
}

#[derive(Subcommand)]
pub enum CacheAction {
    /// Delete the cache directory
    #[command(visible_alias = "clear")]
    Clean(CacheDir),
    /// Print directory, number of entries, sizes, oldest and newest entry
    Stats(CacheDir),
}

#[derive(Args)]
pub struct CacheDir {
    /// Cache directory
    #[arg(long, value_name = "DIR", default_value = ".cm_cache", value_parser = path)]
    pub cache_dir: Utf8PathBuf,
}

#[derive(Args)]
pub struct Why {
    /// Cache directory
    #[arg(long, value_name = "DIR", default_value = ".cm_cache", value_parser = path)]
    pub cache_dir: Utf8PathBuf,
    /// A query, such as `mir`; without it, everything that ran is listed
    pub query: Option<String>,
    /// Its key, such as `geo::area`
    pub key: Option<String>,
}

/// Options of every command that compiles.
#[derive(Args)]
pub struct Common {
    /// Where the cache is
    #[arg(long, value_name = "DIR", env = "CM_CACHE_DIR", default_value = ".cm_cache")]
    #[arg(value_parser = path)]
    pub cache_dir: Utf8PathBuf,
    /// Neither read nor write the cache
    #[arg(long, overrides_with = "cache")]
    pub no_cache: bool,
    /// Use the cache (the default)
    #[arg(long, visible_alias = "incremental", overrides_with = "no_cache")]
    pub cache: bool,
    /// Write one JSON line for each query that ran, then a summary
    #[arg(long, value_name = "FILE")]
    pub query_log: Option<Utf8PathBuf>,
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

/// How a command talks.
#[derive(Args)]
pub struct Output {
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t = Format::Full)]
    pub format: Format,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
    /// Print progress and timings
    #[arg(short, long)]
    pub verbose: bool,
    /// Print what is traced; as --verbose, and the queries that ran
    #[arg(short, long, value_name = "LEVEL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "debug")]
    pub debug: Option<Level>,
    /// Language of messages and help [default: that of the locale]
    // `lang` finds it before anything else is read.
    #[arg(long, value_enum, value_name = "LANGUAGE", hide_default_value = true)]
    pub lang: Option<Language>,
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
    /// Link with a library; `cm run` loads it
    #[arg(short = 'l', value_name = "NAME")]
    pub libraries: Vec<String>,
    /// Look there for libraries first
    #[arg(short = 'L', value_name = "DIR", value_parser = path)]
    pub library_dirs: Vec<Utf8PathBuf>,
    /// Argument for the system's linker, which is used then
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub link_arg: Vec<String>,
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

/// What `--debug` takes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
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
