//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// The incremental compiler for Cm.
#[derive(Parser)]
#[command(name = "cm", disable_version_flag = true, arg_required_else_help = false)]
#[command(args_override_self = true, infer_subcommands = false)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'V', visible_short_alias = 'v', long)]
    pub version: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Compile what changed and execute in memory
    Run(Run),
    /// Compile what changed and link an executable
    #[command(visible_alias = "build")]
    Compile(Compile),
    /// Report errors and warnings
    Check(Check),
    /// Inspect or delete the build cache
    Cache(Cache),
    /// Tell why queries ran in the last build
    Why(Why),
}

#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub code: Code,
    /// Execute with the MIR interpreter instead of machine code
    #[arg(long)]
    pub interpret: bool,
    /// The program; `-` reads it from standard input
    #[arg(required = true)]
    pub files: Vec<Utf8PathBuf>,
    /// Arguments for the program
    #[arg(last = true)]
    pub args: Vec<String>,
}

#[derive(Args)]
pub struct Compile {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub code: Code,
    /// Output file
    #[arg(short, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Write a stage instead of an executable: to standard output, or to the file given with -o
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,
    /// Accepted; LLVM is always used
    #[arg(long, hide = true)]
    pub emit_llvm: bool,
    /// Execute the result afterwards and exit with its status
    #[arg(long)]
    pub run: bool,
    /// The program
    #[arg(required = true)]
    pub files: Vec<Utf8PathBuf>,
}

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    pub common: Common,
    /// Programs; each is a root of its own
    #[arg(required = true)]
    pub files: Vec<Utf8PathBuf>,
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
    #[arg(long, value_name = "DIR", default_value = ".cm_cache")]
    pub cache_dir: Utf8PathBuf,
}

#[derive(Args)]
pub struct Why {
    /// Cache directory
    #[arg(long, value_name = "DIR", default_value = ".cm_cache")]
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
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t = Format::Full)]
    pub format: Format,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
    /// Print progress and timings
    #[arg(short, long)]
    pub verbose: bool,
    /// No success message
    #[arg(short, long)]
    pub quiet: bool,
    /// Accepted; messages are in English
    #[arg(long, hide = true)]
    pub lang: Option<String>,
}

/// Options of code generation.
#[derive(Args)]
pub struct Code {
    /// Optimisation level, 0 to 3
    #[arg(short = 'O', value_name = "LEVEL", num_args = 0..=1, require_equals = false)]
    #[arg(default_value = "3", default_missing_value = "3", value_parser = clap::value_parser!(u8).range(0..=3))]
    pub opt_level: u8,
    /// Target; only `native` so far
    #[arg(long, default_value = "native")]
    pub target: String,
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
