//! `cm cache`.

use crate::{
    args::{Cache, CacheAction, CacheDir, KeyAction, Level, TextFormat},
    print::{note, say},
};
use cm_driver::{CacheArguments, CacheSettings, Error, cache, keys::KeyDir};
use std::{process::ExitCode, time::Instant};

/// The cache that a command about caches means. `--no-cache` in `cm.toml` does not hide it.
pub fn settings(place: &CacheDir) -> Result<CacheSettings, Error> {
    let arguments =
        CacheArguments { enabled: Some(true), dir: place.cache_dir.clone(), ..Default::default() };
    let settings = arguments.resolve(".".into())?;
    Ok(settings.expect("invariant: it is enabled"))
}

pub fn run(args: Cache) -> Result<ExitCode, Error> {
    let start = Instant::now();
    let done = act(args.action);
    if args.verbose || args.debug.is_some_and(|level| level <= Level::Info) {
        note(&format!("{} ms", start.elapsed().as_millis()));
    }
    done
}

fn act(action: CacheAction) -> Result<ExitCode, Error> {
    let json = |format: TextFormat| format == TextFormat::Json;
    let text = match action {
        CacheAction::Clean { place, kind } if kind.is_empty() => {
            let dir = settings(&place)?.dir;
            match cache::clean(&dir)? {
                true => format!("deleted {dir}\n"),
                false => format!("there is no cache at {dir}\n"),
            }
        }
        CacheAction::Clean { place, kind } => {
            format!("removed {} entries\n", cache::clean_kinds(&settings(&place)?, &kind)?)
        }
        CacheAction::Stats { place, format } => cache::stats(&settings(&place)?, json(format))?,
        CacheAction::Gc { place, max_size, max_age } => {
            cache::gc(&settings(&place)?, max_size, max_age)?
        }
        CacheAction::Verify { place, recompute, format } => {
            let (text, sound) = cache::verify(&settings(&place)?, recompute, json(format))?;
            say(&text);
            return Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        CacheAction::List { place, format } => cache::list(&settings(&place)?, json(format))?,
        CacheAction::Show { place, format, key } => {
            cache::show(&settings(&place)?, &key, json(format))?
        }
        CacheAction::Key { action } => key(action)?,
        CacheAction::Path { place } => format!("{}\n", settings(&place)?.dir),
    };
    say(&text);
    Ok(ExitCode::SUCCESS)
}

fn key(action: KeyAction) -> Result<String, Error> {
    let keys = KeyDir::of_user()?;
    match action {
        KeyAction::Generate => keys.generate(),
        KeyAction::List { format } => keys.list(format == TextFormat::Json),
        KeyAction::Trust { key, name } => keys.trust(&key, &name),
        KeyAction::Revoke { key } => keys.revoke(&key),
    }
}
