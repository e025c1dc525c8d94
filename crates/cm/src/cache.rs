//! `cm cache`.

use crate::args::CacheAction;
use cm_driver::{Error, cache};
use std::process::ExitCode;

pub fn run(action: CacheAction) -> Result<ExitCode, Error> {
    match action {
        CacheAction::Clean(args) => match cache::clean(&args.cache_dir)? {
            true => println!("deleted {}", args.cache_dir),
            false => println!("there is no cache at {}", args.cache_dir),
        },
        CacheAction::Stats(args) => print!("{}", cache::stats(&args.cache_dir)?),
    }
    Ok(ExitCode::SUCCESS)
}
