//! The `cm` command: reads the command line, calls the driver, prints.

mod args;
mod cache;
mod check;
mod fmt;
mod init;
mod lang;
mod paths;
mod print;
mod progress;
mod test;
mod watch;

use args::{Cli, Code, Command, Common, Level, Shell, Stage, Talk, TextFormat};
use camino::Utf8PathBuf;
use clap::{CommandFactory, Parser};
use cm_driver::{Error, Foreign, Options, Report};
use print::{Printer, say, tell};
use progress::Progress;
use std::{cell::RefCell, process::ExitCode, time::Instant};

/// A third faster than the system's in the front end, which makes many small trees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cm_driver::begin_small();
    let cli = match Cli::try_parse_from(args::command_line()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if cli.version {
        say(&format!("{}\n", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    cm_driver::messages::speak(lang::current());
    let result = match cli.command {
        Some(Command::Run(args)) => run(args),
        Some(Command::Compile(args)) => compile(args),
        Some(Command::Test(args)) => test::run(&args),
        Some(Command::Check(args)) => check::check(&args),
        Some(Command::Lint(args)) => check::lint(&args),
        Some(Command::Fmt(args)) => fmt::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Cache(args)) => timed("cache", &args.talk, || cache::run(&args)),
        Some(Command::Why(args)) => timed("why", &args.talk, || why(&args)),
        Some(Command::Completions(args)) => Ok(completions(args.shell)),
        None => Err("no command given; try: cm --help".to_owned().into()),
    };
    result.unwrap_or_else(|error| {
        print::error(&error);
        ExitCode::FAILURE
    })
}

/// Help goes to standard output with status 0; mistakes to standard error with status 1.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        print::help(error);
        return ExitCode::SUCCESS;
    }
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let first = first.to_string_lossy();
    if first.ends_with(".cm") {
        print::error(&format!("'{first}' is not a command; to execute it, write: cm run {first}"));
    } else if first == "lsp" {
        print::error(&format!("'cm {first}' is not supported yet"));
    } else {
        print::help(error);
    }
    ExitCode::FAILURE
}

fn options(common: &Common, code: Option<&Code>, file: &Utf8PathBuf) -> Result<Options, Error> {
    let cache = common.cache.arguments().resolve(file)?;
    cm_driver::sandbox::restrict_to(cache.as_ref());
    Ok(Options {
        file: file.clone(),
        opt_level: code.map_or(0, |code| code.opt_level),
        defines: common.defines(),
        foreign: Foreign::default(),
        cache,
        query_log: common.query_log.clone(),
        timings: common.timings.clone(),
        verbose: common.output.talk.is_verbose(),
        trace: common.output.talk.debug == Some(Level::Trace),
        max_output: None,
        process_ends: true,
        stays: false,
    })
}

fn the_file(files: &[Utf8PathBuf]) -> Result<&Utf8PathBuf, Error> {
    let mut sources = files.iter().filter(|file| !Foreign::is_file(file));
    match (sources.next(), sources.next()) {
        (Some(file), None) => Ok(file),
        (None, _) => Err("no input file".to_owned().into()),
        _ => Err("more than one input file".to_owned().into()),
    }
}

fn check_target(target: &str) -> Result<(), Error> {
    let later = ["wasm", "js", "web", "baremetal-arm", "bm", "baremetal-x86", "bm-x86", "uefi"];
    let message = if target == "native" {
        return Ok(());
    } else if later.contains(&target) {
        format!("target '{target}' is not supported yet")
    } else {
        format!("Unknown target '{target}'; known targets: native, {}", later.join(", "))
    };
    Err(message.into())
}

/// Prints what was found; `true` if there is no error.
fn report(common: &Common, report: &Report) -> bool {
    Printer::new(&common.output).diagnostics(&report.diagnostics);
    report.ok()
}

fn status(code: i32) -> ExitCode {
    ExitCode::from(code as u8)
}

/// The dumps of `--ast`, `--hir` and `--mir`. They go before whatever the command does, and say
/// nothing of a program that is wrong: the command will.
fn dump(common: &Common, options: &Options) -> Result<(), Error> {
    let wanted = [(common.ast, Stage::Ast), (common.hir, Stage::Hir), (common.mir, Stage::Mir)];
    for (_, stage) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
        let (_, bytes) = cm_driver::emit(options, stage.into())?;
        print::emit(&bytes, None)?;
    }
    Ok(())
}

/// Writes a stage and stops.
fn emit(
    common: &Common,
    options: &Options,
    stage: Stage,
    output: Option<&Utf8PathBuf>,
) -> Result<ExitCode, Error> {
    let (found, bytes) = cm_driver::emit(options, stage.into())?;
    if !report(common, &found) {
        return Ok(ExitCode::FAILURE);
    }
    print::emit(&bytes, output.map(|path| path.as_path()))?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: args::Run) -> Result<ExitCode, Error> {
    let mut options = options(&args.common, Some(&args.code), the_file(&args.files)?)?;
    options.foreign = args.code.foreign(&args.files);
    if args.watch {
        return watch::run(&args, &options);
    }
    dump(&args.common, &options)?;
    if args.code.mir_opt {
        return emit(&args.common, &options, Stage::Mir, None);
    }
    let start = Instant::now();
    let what = format!("compiling {}", options.file);
    let progress = RefCell::new(Progress::start(&args.common.output, &what));
    let found = |found: &Report| {
        progress.borrow_mut().stop();
        if options.verbose {
            tell(&format!("{}: ready in {} ms\n", options.file, start.elapsed().as_millis()));
        }
        report(&args.common, found)
    };
    let code = cm_driver::run(&options, &args.args, args.interpret, &found)?;
    Ok(code.map_or(ExitCode::FAILURE, status))
}

fn compile(args: args::Compile) -> Result<ExitCode, Error> {
    let file = the_file(&args.files)?;
    check_target(if args.emit_js { "js" } else { &args.target })?;
    let mut options = options(&args.common, Some(&args.code), file)?;
    options.foreign = args.code.foreign(&args.files);
    options.max_output = Some(args.max_output_size << 30);
    dump(&args.common, &options)?;
    let dumped = args.code.mir_opt.then_some(Stage::Mir);
    let dumped = dumped.or(args.lir_opt.then_some(Stage::LlvmIr));
    if let Some(stage) = dumped.or(args.emit) {
        return emit(&args.common, &options, stage, args.output.as_ref());
    }
    let start = Instant::now();
    let output = args.output.clone().unwrap_or_else(|| "a.out".into());
    if args.watch {
        return watch::compile(&args, &options, output);
    }
    let mut progress = Progress::start(&args.common.output, &format!("compiling {file}"));
    let found = cm_driver::compile(&options, &output)?;
    progress.stop();
    if !report(&args.common, &found) {
        return Ok(ExitCode::FAILURE);
    }
    if args.run {
        return Ok(status(cm_driver::execute(&output)?));
    }
    if !args.quiet {
        say(&format!("{output} ({})\n", print::milliseconds(start.elapsed())));
    }
    Ok(ExitCode::SUCCESS)
}

fn why(args: &args::Why) -> Result<ExitCode, Error> {
    let dir = cache::settings(&args.cache)?.dir;
    if let Some(page) = &args.graph {
        cm_driver::write_graph(&dir, page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (query, key) = (args.query.as_deref(), args.key.as_deref());
    match args.format {
        TextFormat::Text => tell(&cm_driver::why(&dir, query, key)?),
        TextFormat::Json => say(&cm_driver::why_json(&dir, query, key)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// A command that has no stages to tell the times of.
fn timed<T>(name: &str, talk: &Talk, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    if talk.is_verbose() {
        say(&format!("{name}: {} ms\n", start.elapsed().as_millis()));
    }
    result
}

fn completions(shell: Shell) -> ExitCode {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cm", &mut script);
    say(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
