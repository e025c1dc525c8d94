//! The `cm` command: reads the command line, calls the driver, prints.

mod args;
mod cache;
mod print;

use args::{Cli, Code, Command, Common};
use clap::Parser;
use cm_driver::{Error, Options, Report};
use print::Printer;
use std::process::ExitCode;

/// A third faster than the system's in the front end, which makes many small trees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if cli.version {
        println!("{}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let result = match cli.command {
        Some(Command::Run(args)) => run(args),
        Some(Command::Compile(args)) => compile(args),
        Some(Command::Check(args)) => check(args),
        Some(Command::Cache(args)) => cache::run(args.action),
        Some(Command::Why(args)) => why(&args),
        None => Err("no command given; try: cm --help".to_owned().into()),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Help goes to standard output with status 0; mistakes to standard error with status 1.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let first = std::env::args().nth(1).unwrap_or_default();
    if first.ends_with(".cm") {
        eprintln!("error: '{first}' is not a command; to execute it, write: cm run {first}");
    } else {
        let _ = error.print();
    }
    ExitCode::FAILURE
}

fn options(
    common: &Common,
    code: Option<&Code>,
    files: &[camino::Utf8PathBuf],
) -> Result<Options, Error> {
    let [file] = files else {
        return Err("more than one input file".to_owned().into());
    };
    if let Some(code) = code
        && code.target != "native"
    {
        return Err(unknown_target(&code.target));
    }
    Ok(Options {
        file: file.clone(),
        opt_level: code.map_or(0, |code| code.opt_level),
        defines: common.defines.clone(),
        cache_dir: (!common.no_cache).then(|| common.cache_dir.clone()),
        query_log: common.query_log.clone(),
        verbose: common.verbose,
    })
}

fn unknown_target(target: &str) -> Error {
    let later = ["wasm", "js", "web", "baremetal-arm", "bm", "baremetal-x86", "bm-x86", "uefi"];
    let message = if later.contains(&target) {
        format!("target '{target}' is not supported yet")
    } else {
        format!("Unknown target '{target}'; known targets: native, {}", later.join(", "))
    };
    message.into()
}

/// Prints what was found; `true` if there is no error.
fn report(common: &Common, report: &Report) -> bool {
    Printer::new(common).diagnostics(&report.diagnostics);
    report.ok()
}

fn status(code: i32) -> ExitCode {
    ExitCode::from(code as u8)
}

fn run(args: args::Run) -> Result<ExitCode, Error> {
    let options = options(&args.common, Some(&args.code), &args.files)?;
    let found = |found: &Report| report(&args.common, found);
    let code = cm_driver::run(&options, &args.args, args.interpret, &found)?;
    Ok(code.map_or(ExitCode::FAILURE, status))
}

fn compile(args: args::Compile) -> Result<ExitCode, Error> {
    let options = options(&args.common, Some(&args.code), &args.files)?;
    if let Some(stage) = args.emit {
        let (found, bytes) = cm_driver::emit(&options, stage.into())?;
        let ok = report(&args.common, &found);
        print::emit(&bytes, args.output.as_deref())?;
        return Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let start = std::time::Instant::now();
    let output = args.output.clone().unwrap_or_else(|| "a.out".into());
    let found = cm_driver::compile(&options, &output)?;
    if !report(&args.common, &found) {
        return Ok(ExitCode::FAILURE);
    }
    if args.run {
        return Ok(status(cm_driver::execute(&output)?));
    }
    if !args.common.quiet {
        println!("{output} ({} ms)", start.elapsed().as_millis());
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: args::Check) -> Result<ExitCode, Error> {
    let (mut errors, mut warnings, mut done) = (0, 0, 0);
    for file in &args.files {
        let options = options(&args.common, None, std::slice::from_ref(file))?;
        match cm_driver::check(&options) {
            Ok(found) => {
                report(&args.common, &found);
                errors += found.errors();
                warnings += found.diagnostics.len() - found.errors();
                done += usize::from(found.ok());
            }
            Err(error) => {
                eprintln!("error: {error}");
                errors += 1;
            }
        }
    }
    if !args.common.quiet {
        println!(
            "\ncheck\nfiles: {done}/{}\nerrors: {errors}, warnings: {warnings}",
            args.files.len()
        );
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn why(args: &args::Why) -> Result<ExitCode, Error> {
    let text = cm_driver::why(&args.cache_dir, args.query.as_deref(), args.key.as_deref())?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}
