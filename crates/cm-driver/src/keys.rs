//! The keys that sign records of the cache, and those that are trusted.
//!
//! They lie outside of every cache, in a directory that its owner alone can use: `CM_KEY_DIR`, else
//! `cm/keys` in `XDG_CONFIG_HOME` or `~/.config`.
//!
//! ```text
//! secret    the key of this user: `ed25519 EPOCH SECRET`; nobody else may be able to read it
//! public    a line for each public key that is known: `trusted|revoked KEY[@EPOCH] NAME`
//! ```
//!
//! Keys are rotated by generating again: the new one has the next epoch, and what the old one signed
//! counts until it is revoked. What was revoked is never trusted again, whatever `cm.toml` says.

use crate::{Error, reason};
use camino::{Utf8Path, Utf8PathBuf};
use castore::{
    Signer as _,
    ed25519::{KeyPair, Keyring},
};
use serde_json::json;
use std::{
    fmt::{self, Write as _},
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    str::FromStr,
};

/// A public key, with the first epoch that counts: `ed25519:KEY` or `ed25519:KEY@EPOCH`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey {
    /// Its bytes.
    pub key: [u8; 32],
    /// What it signed in earlier epochs does not count.
    pub since: u64,
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", castore::Digest(self.key))?;
        if self.since > 0 { write!(f, "@{}", self.since) } else { Ok(()) }
    }
}

impl FromStr for PublicKey {
    type Err = Error;
    fn from_str(text: &str) -> Result<PublicKey, Error> {
        let parse = || {
            let text = text.strip_prefix("ed25519:")?;
            let (key, since) = text.split_once('@').unwrap_or((text, "0"));
            let key: castore::Digest = key.parse().ok()?;
            let (key, since) = (key.0, since.parse().ok()?);
            Keyring::default().trust(key, since).then_some(PublicKey { key, since })
        };
        parse().ok_or_else(|| format!("'{text}' is not a public key").into())
    }
}

/// How records of the cache are signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signatures {
    /// What nobody who is trusted has signed is not used.
    pub required: bool,
    /// Signs what is made here.
    pub pair: Option<KeyPair>,
    /// Who is trusted.
    pub keyring: Keyring,
}

impl Signatures {
    /// With the keys of this user, and with those that a project trusts.
    ///
    /// # Errors
    /// If a key cannot be read, is none, or is not safe where it is.
    pub fn load(required: bool, more: &[String]) -> Result<Signatures, Error> {
        let place = KeyDir::of_user()?;
        let known = place.known()?;
        let mut keyring = Keyring::default();
        for text in more {
            let key: PublicKey = text.parse()?;
            keyring.trust(key.key, key.since);
        }
        for Known { public, .. } in known.iter().filter(|known| !known.revoked) {
            keyring.trust(public.key, public.since);
        }
        for Known { public, .. } in known.iter().filter(|known| known.revoked) {
            keyring.revoke(&public.key);
        }
        Ok(Signatures { required, pair: place.pair()?, keyring })
    }
}

/// A public key that is known, and what is known of it.
struct Known {
    public: PublicKey,
    revoked: bool,
    name: String,
}

/// The directory of keys.
pub struct KeyDir(Utf8PathBuf);

impl KeyDir {
    /// That of this user.
    ///
    /// # Errors
    /// If the environment does not say where it is.
    pub fn of_user() -> Result<KeyDir, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = || {
            let home = || Some(Utf8PathBuf::from(variable("HOME")?).join(".config"));
            variable("XDG_CONFIG_HOME").map(Utf8PathBuf::from).or_else(home)
        };
        let dir = variable("CM_KEY_DIR").map(Utf8PathBuf::from);
        let dir = dir.or_else(|| Some(config()?.join("cm/keys")));
        dir.map(KeyDir)
            .ok_or_else(|| "there is no place for keys; set CM_KEY_DIR".to_owned().into())
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Makes a key with which everything is signed from now on, and says which. One that was there is
    /// forgotten; what it has signed counts nevertheless until it is revoked.
    ///
    /// # Errors
    /// If the directory cannot be read or written.
    pub fn generate(&self) -> Result<String, Error> {
        let mut known = self.known()?;
        let epoch = self.pair()?.map_or(1, |old| old.epoch() + 1);
        let pair =
            KeyPair::generate(epoch).map_err(|e| format!("cannot make a key: {}", reason(&e)))?;
        let public = PublicKey { key: pair.signer(), since: epoch };
        let secret = castore::Digest(pair.secret());
        self.write("secret", &format!("ed25519 {epoch} {secret}\n"))?;
        known.push(Known { public, revoked: false, name: "own".to_owned() });
        self.keep(&known)?;
        Ok(format!("{public}\n"))
    }

    /// All keys that are known.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn list(&self, as_json: bool) -> Result<String, Error> {
        let own = self.pair()?.map(|pair| pair.signer());
        let mut out = String::new();
        for Known { public, revoked, name } in self.known()? {
            let state = match (revoked, own == Some(public.key)) {
                (true, _) => "revoked",
                (false, true) => "signs",
                (false, false) => "trusted",
            };
            let public = public.to_string();
            let line = match as_json {
                true => json!({"key": public, "state": state, "name": name}).to_string(),
                false => format!("{public} {state} {name}"),
            };
            writeln!(out, "{}", line.trim_end()).expect("writing to a string cannot fail");
        }
        Ok(out)
    }

    /// Trusts a key from now on.
    ///
    /// # Errors
    /// If it was revoked, or the directory cannot be written.
    pub fn trust(&self, key: &str, name: &str) -> Result<String, Error> {
        let public: PublicKey = key.parse()?;
        let mut known = self.known()?;
        if known.iter().any(|known| known.revoked && known.public.key == public.key) {
            return Err(format!("{public} was revoked; it is not trusted again").into());
        }
        known.retain(|known| known.public.key != public.key);
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        known.push(Known { public, revoked: false, name });
        self.keep(&known)?;
        Ok(format!("trusted: {public}\n"))
    }

    /// Trusts a key no longer, and never again. One's own is deleted.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn revoke(&self, key: &str) -> Result<String, Error> {
        let mut public: PublicKey = key.parse()?;
        let mut known = self.known()?;
        let old = known.iter().find(|known| known.public.key == public.key);
        let name = old.map_or_else(String::new, |old| old.name.clone());
        public.since = old.map_or(public.since, |old| old.public.since);
        known.retain(|known| known.public.key != public.key);
        known.push(Known { public, revoked: true, name });
        self.keep(&known)?;
        if self.pair()?.is_some_and(|pair| pair.signer() == public.key) {
            let path = self.0.join("secret");
            fs::remove_file(&path).map_err(|e| format!("cannot delete {path}: {}", reason(&e)))?;
        }
        Ok(format!("revoked: {public}\n"))
    }

    /// The secret key; `None`: there is none.
    fn pair(&self) -> Result<Option<KeyPair>, Error> {
        let path = self.0.join("secret");
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::open(&path, &error)),
        };
        let mut text = String::new();
        let meta = file.metadata().map_err(|error| Error::open(&path, &error))?;
        if meta.mode() & 0o077 != 0 {
            return Err(
                format!("{path} is a secret key that others can use; chmod 600 {path}").into()
            );
        }
        file.read_to_string(&mut text).map_err(|error| Error::open(&path, &error))?;
        let parse = || {
            let mut words = text.split_whitespace();
            words.next().filter(|word| *word == "ed25519")?;
            let epoch = words.next()?.parse().ok()?;
            let secret: castore::Digest = words.next()?.parse().ok()?;
            Some(KeyPair::new(&secret.0, epoch))
        };
        Ok(Some(parse().ok_or_else(|| format!("{path} is not a secret key"))?))
    }

    fn known(&self) -> Result<Vec<Known>, Error> {
        let path = self.0.join("public");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::open(&path, &error)),
        };
        let parse = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let state = words.next()?;
            let public = words.next()?.parse().ok()?;
            let revoked = match state {
                "trusted" => false,
                "revoked" => true,
                _ => return None,
            };
            Some(Known { public, revoked, name: words.next().unwrap_or_default().to_owned() })
        };
        let lines = text.lines().map(|line| {
            // To pass over a line could mean to trust what was revoked.
            parse(line).ok_or_else(|| format!("{path} has a line that is no key: {line}").into())
        });
        lines.collect()
    }

    fn keep(&self, known: &[Known]) -> Result<(), Error> {
        let line = |Known { public, revoked, name }: &Known| {
            let state = if *revoked { "revoked" } else { "trusted" };
            format!("{state} {public} {name}").trim_end().to_owned() + "\n"
        };
        self.write("public", &known.iter().map(line).collect::<String>())
    }

    /// Replaces a file by one that nobody else can read.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.0.join(name);
        let write = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            // Such files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.write_all(text.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|e| format!("cannot write {path}: {}", reason(&e)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_have_one_spelling() {
        let key = KeyPair::new(&[7; 32], 1).signer();
        for since in [0, 5] {
            let public = PublicKey { key, since };
            assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
        }
        let good = PublicKey { key, since: 0 }.to_string();
        let weak = format!("ed25519:{}", "0".repeat(64));
        for bad in ["", "ed25519:", &good[8..], &good.to_uppercase(), &format!("{good}@x"), &weak] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
