//! `cm cache`.

use crate::{args::CacheAction, print::say};
use cm_driver::{Error, cache};
use std::process::ExitCode;

pub fn run(action: CacheAction) -> Result<ExitCode, Error> {
    match action {
        CacheAction::Clean(args) => match cache::clean(&args.cache_dir)? {
            true => say(&format!("deleted {}\n", args.cache_dir)),
            false => say(&format!("there is no cache at {}\n", args.cache_dir)),
        },
        CacheAction::Stats(args) => say(&cache::stats(&args.cache_dir)?),
    }
    Ok(ExitCode::SUCCESS)
}
