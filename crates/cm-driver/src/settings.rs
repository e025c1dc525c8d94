//! Where the cache is and how it is used. What the command line says counts first, then the
//! environment (`CM_CACHE_DIR`), then `[cache]` in the nearest `cm.toml`, then what is built in:
//!
//! ```toml
//! [cache]
//! enabled = true
//! dir = ".cm_cache"      # relative to this file
//! max-size = "2GiB"      # of the store; also a number of bytes
//! read-only = false
//! compression = 0        # of bitcode and the like: level of Zstandard, 1 to 19; 0 is none
//! sign = "off"           # "on": records are signed; "required": and those that are not, not used
//! trusted-keys = []      # public keys that are trusted besides those of the user
//! ```
//!
//! What is compiled of the standard library is kept in a directory of the user besides, so that no
//! other project compiles it again.

use crate::{Error, beside, keys::Signatures, project::is_there, tools::BUILD_ID};
use camino::{Utf8Path, Utf8PathBuf};
use castore::{Signer, Signing};
use serde::Deserialize;

/// How the cache is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheSettings {
    /// The directory.
    pub dir: Utf8PathBuf,
    /// What the store in it may take, in bytes.
    pub max_size: u64,
    /// It is read, and never written.
    pub read_only: bool,
    /// Level at which its blobs are compressed; `None`: they are not.
    pub compression: Option<i32>,
    /// How its records are signed; `None`: not at all.
    pub signatures: Option<Signatures>,
    /// A directory with a store for what is compiled of the standard library, which all projects of
    /// a user share.
    pub shared: Option<Utf8PathBuf>,
}

/// What the store that projects share may take, in bytes.
const MAX_SHARED: u64 = 256 << 20;

impl CacheSettings {
    /// A directory, used as is usual.
    pub fn new(dir: impl Into<Utf8PathBuf>) -> CacheSettings {
        let castore::Config { max_size, read_only, compression } = castore::Config::default();
        CacheSettings {
            dir: dir.into(),
            max_size,
            read_only,
            compression,
            signatures: None,
            shared: None,
        }
    }

    /// The store in the directory.
    pub fn store(&self) -> castore::Store {
        let CacheSettings { max_size, read_only, compression, .. } = *self;
        let config = castore::Config { max_size, read_only, compression };
        let dir = self.dir.clone();
        let store = castore::Store::with(&self.dir, config).beside(move || beside::bytes(&dir));
        let Some(Signatures { required, pair, keyring }) = self.signatures.clone() else {
            return store;
        };
        store.signed(Signing {
            identity: BUILD_ID.as_bytes().to_vec(),
            signer: pair.map(|pair| Box::new(pair) as Box<dyn Signer>),
            verifier: Box::new(keyring),
            required,
        })
    }

    /// Nothing of the cache is used that nobody who is trusted has signed.
    pub fn signatures_required(&self) -> bool {
        self.signatures.as_ref().is_some_and(|signatures| signatures.required)
    }

    /// The store that projects share. Its records are not signed.
    pub fn shared_store(&self) -> Option<castore::Store> {
        let dir = self.shared.as_ref().filter(|_| !self.signatures_required())?;
        let CacheSettings { read_only, compression, .. } = *self;
        Some(castore::Store::with(
            dir,
            castore::Config { max_size: MAX_SHARED, read_only, compression },
        ))
    }
}

/// What the command line and the environment say of the cache; `None`: nothing.
#[derive(Clone, Default, Debug)]
pub struct CacheArguments {
    /// `--cache` and `--no-cache`.
    pub enabled: Option<bool>,
    /// `--cache-dir`, or the environment.
    pub dir: Option<Utf8PathBuf>,
    /// `--max-cache-size`.
    pub max_size: Option<u64>,
    /// `--cache-readonly`.
    pub read_only: bool,
    /// See [`shared_directory`].
    pub shared: Option<Utf8PathBuf>,
}

/// Where projects share what is compiled of the standard library: `CM_SHARED_CACHE`, else in the
/// user's directory for caches. Nowhere if the variable is empty.
pub fn shared_directory() -> Option<Utf8PathBuf> {
    let set = |name| std::env::var(name).ok();
    let path =
        |text: String| Some(Utf8PathBuf::from(text)).filter(|path| !path.as_str().is_empty());
    match set("CM_SHARED_CACHE") {
        Some(dir) => path(dir),
        None => {
            let home = || Some(path(set("HOME")?)?.join(".cache"));
            let caches = set("XDG_CACHE_HOME").and_then(path).or_else(home)?;
            caches.is_absolute().then(|| caches.join("cm"))
        }
    }
}

impl CacheArguments {
    /// What holds for a file, or for a directory; `None`: there is to be no cache.
    ///
    /// # Errors
    /// If `cm.toml` cannot be looked at, or says something about the cache that cannot be understood.
    pub fn resolve(&self, near: &Utf8Path) -> Result<Option<CacheSettings>, Error> {
        if self.enabled == Some(false) {
            return Ok(None);
        }
        let (toml, table) = match nearest(near)? {
            Some(toml) => (toml.clone(), read(&toml)?),
            None => (Utf8PathBuf::new(), Table::default()),
        };
        if !self.enabled.or(table.enabled).unwrap_or(true) {
            return Ok(None);
        }
        let configured = || Some(toml.parent()?.join(table.dir.as_ref()?));
        let dir = self.dir.clone().or_else(configured).unwrap_or_else(|| ".cm_cache".into());
        let usual = CacheSettings::new(dir);
        let max_size = match &table.max_size {
            Some(Size::Number(bytes)) => Some(*bytes),
            Some(Size::Text(text)) => {
                let wrong = |e| format!("{toml}: max-size of [cache]: {e}");
                Some(parse_size(text).map_err(wrong)?)
            }
            None => None,
        };
        Ok(Some(CacheSettings {
            max_size: self.max_size.or(max_size).unwrap_or(usual.max_size),
            read_only: self.read_only || table.read_only.unwrap_or(false),
            shared: self.shared.clone(),
            compression: table.compression().map_err(|e| format!("{toml}: [cache]: {e}"))?,
            signatures: table.signatures().map_err(|e| format!("{toml}: [cache]: {e}"))?,
            ..usual
        }))
    }
}

/// `cm.toml`, of which other tools may know more.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    cache: Table,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    enabled: Option<bool>,
    dir: Option<String>,
    max_size: Option<Size>,
    read_only: Option<bool>,
    #[serde(default)]
    compression: i32,
    #[serde(default)]
    sign: Sign,
    #[serde(default)]
    trusted_keys: Vec<String>,
}

/// Which records are signed, and have to be.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sign {
    #[default]
    Off,
    On,
    Required,
}

impl Table {
    fn compression(&self) -> Result<Option<i32>, String> {
        match self.compression {
            0 => Ok(None),
            level @ 1..20 => Ok(Some(level)),
            level => Err(format!("compression is a level from 0 to 19, not {level}")),
        }
    }

    /// Keys are not looked for unless they are needed.
    fn signatures(&self) -> Result<Option<Signatures>, Error> {
        match self.sign {
            Sign::Off => Ok(None),
            sign => Signatures::load(sign == Sign::Required, &self.trusted_keys).map(Some),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(u64),
    Text(String),
}

/// The nearest `cm.toml` at a file or above.
fn nearest(near: &Utf8Path) -> Result<Option<Utf8PathBuf>, Error> {
    let Ok(cwd) = crate::project::working_directory() else { return Ok(None) };
    for toml in cwd.join(near).ancestors().map(|dir| dir.join("cm.toml")) {
        if is_there(&toml)? && toml.is_file() {
            return Ok(Some(toml));
        }
    }
    Ok(None)
}

fn read(toml: &Utf8Path) -> Result<Table, Error> {
    let text = std::fs::read_to_string(toml).map_err(|error| Error::open(toml, &error))?;
    // Most files only mark the root of a project.
    if !text.contains("cache") {
        return Ok(Table::default());
    }
    let file: File = toml::from_str(&text).map_err(|error| format!("{toml}: {error}"))?;
    Ok(file.cache)
}

/// A number of bytes, or of units: `K`, `M`, `G` and `T` are powers of 1024, with or without `B` or `iB`
/// after them.
///
/// # Errors
/// If it is no such number.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a size; write for example 500M or 2GiB");
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim_start().to_ascii_uppercase();
    let power = match unit.strip_suffix("IB").or(unit.strip_suffix("B")).unwrap_or(&unit) {
        "" if unit != "IB" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << (10 * power)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("2K", 2048),
            ("2 kb", 2048),
            ("3MiB", 3 << 20),
            ("2GiB", 2 << 30),
            ("1t", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "2X", "2iB", "20000000T", "2GB2"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    /// Every source of a setting against the next weaker one.
    #[test]
    fn precedence() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let file = root.join("src/main.cm");
        std::fs::create_dir(root.join("src")).expect("a directory");
        let none = CacheArguments::default();
        let write = |text: &str| std::fs::write(root.join("cm.toml"), text).expect("written");
        let resolve = |arguments: &CacheArguments| arguments.resolve(&file);
        write("# marks the root");
        assert_eq!(resolve(&none).unwrap(), Some(CacheSettings::new(".cm_cache")));
        write(
            "[package]\nname = 'x'\n[cache]\ndir = 'c'\nmax-size = '1M'\nread-only = true\ncompression = 3\n",
        );
        let usual = CacheSettings::new(root.join("c"));
        let compression = Some(3);
        let configured = CacheSettings { max_size: 1 << 20, read_only: true, compression, ..usual };
        assert_eq!(resolve(&none).unwrap(), Some(configured.clone()));
        let arguments = CacheArguments {
            dir: Some("elsewhere".into()),
            max_size: Some(5),
            ..CacheArguments::default()
        };
        let usual = CacheSettings::new("elsewhere");
        let expected = CacheSettings { max_size: 5, read_only: true, compression, ..usual };
        assert_eq!(resolve(&arguments).unwrap(), Some(expected));
        write("[cache]\nenabled = false\nmax-size = 77\n");
        assert_eq!(resolve(&none).unwrap(), None);
        let on = CacheArguments { enabled: Some(true), ..CacheArguments::default() };
        assert_eq!(resolve(&on).unwrap().map(|settings| settings.max_size), Some(77));
        write("[cache]\nenabled = true\n");
        let off = CacheArguments { enabled: Some(false), ..CacheArguments::default() };
        assert_eq!(resolve(&off).unwrap(), None);
        for wrong in [
            "[cache]\ndirr = 'x'",
            "[cache]\nmax-size = 'big'",
            "[cache]\nsign = 'maybe'",
            "[cache]\ncompression = 20",
            "[cache]\nsign = 'on'\ntrusted-keys = ['ed25519:1']",
            "[cache\n",
        ] {
            write(wrong);
            assert!(resolve(&none).unwrap_err().to_string().contains("cm.toml: "), "{wrong}");
        }
    }

    /// It is there, and what it says decides what is built and where.
    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_looked_at_is_not_absent() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let (file, toml) = (root.join("main.cm"), root.join("cm.toml"));
        std::fs::write(&file, "").expect("written");
        std::os::unix::fs::symlink("cm.toml", &toml).expect("a link to itself");
        let expected = format!("cannot open {toml}: Too many levels of symbolic links");
        let settings = CacheArguments::default().resolve(&file);
        assert_eq!(settings.unwrap_err().to_string(), expected);
        let project = crate::project::Project::discover(&file);
        assert_eq!(project.err().map(|error| error.to_string()), Some(expected));
    }
}
