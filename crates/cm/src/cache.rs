//! `cm cache`.

use crate::{
    args::{self, CacheAction, CacheDir, KeyAction, TextFormat},
    print::{say, tell},
};
use cm_driver::{CacheArguments, CacheSettings, Error, cache, keys::KeyDir};
use serde_json::json;
use std::process::ExitCode;

/// The cache that a command about caches means. `--no-cache` in `cm.toml` does not hide it.
pub fn settings(place: &CacheDir) -> Result<CacheSettings, Error> {
    let arguments =
        CacheArguments { enabled: Some(true), dir: place.cache_dir.clone(), ..Default::default() };
    let settings = arguments.resolve(".".into())?;
    Ok(settings.expect("invariant: it is enabled"))
}

pub fn run(args: &args::Cache) -> Result<ExitCode, Error> {
    let json = args.format == TextFormat::Json;
    let mut sound = true;
    let text = match &args.action {
        CacheAction::Clean { place, kind } if kind.is_empty() => {
            let dir = settings(place)?.dir;
            let deleted = cache::clean(&dir)?;
            match (json, deleted) {
                (true, _) => {
                    format!("{}\n", json!({"directory": dir.as_str(), "deleted": deleted}))
                }
                (false, true) => format!("deleted {dir}\n"),
                (false, false) => format!("there is no cache at {dir}\n"),
            }
        }
        CacheAction::Clean { place, kind } => {
            let removed = cache::clean_kinds(&settings(place)?, kind)?;
            match json {
                true => format!("{}\n", json!({ "removed": removed })),
                false => format!("removed {removed} entries\n"),
            }
        }
        CacheAction::Stats { place } => cache::stats(&settings(place)?, json)?,
        CacheAction::Gc { place, max_size, max_age, unused } => {
            cache::gc(&settings(place)?, *max_size, *max_age, *unused)?
        }
        CacheAction::Verify { place, recompute } => {
            let (text, all) = cache::verify(&settings(place)?, *recompute, json)?;
            sound = all;
            text
        }
        CacheAction::List { place } => cache::list(&settings(place)?, json)?,
        CacheAction::Show { place, key } => cache::show(&settings(place)?, key, json)?,
        CacheAction::Path { place } => {
            let dir = settings(place)?.dir;
            match json {
                true => format!("{}\n", json!({"directory": dir.as_str()})),
                false => format!("{dir}\n"),
            }
        }
        CacheAction::Key { action } => key(action, json)?,
    };
    if json {
        say(&text)
    } else {
        tell(&text)
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn key(action: &KeyAction, json: bool) -> Result<String, Error> {
    let keys = KeyDir::of_user()?;
    match action {
        KeyAction::Generate => keys.generate(),
        KeyAction::List => keys.list(json),
        KeyAction::Trust { key, name } => keys.trust(key, name),
        KeyAction::Revoke { key } => keys.revoke(key),
    }
}
