//! Signed records: nothing that was not signed by somebody who is trusted is ever used.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]

use castore::{
    Config, Digest, Name, Seal, Signer, Signing, Store, Verifier,
    ed25519::{KeyPair, Keyring},
};
use std::path::Path;

const IDENTITY: &[u8] = b"compiler 1";

fn name() -> Name {
    Name::new("obj").unwrap()
}

fn pair(number: u8, epoch: u64) -> KeyPair {
    KeyPair::new(&[number; 32], epoch)
}

fn keyring(keys: &[&KeyPair]) -> Keyring {
    let mut keyring = Keyring::default();
    assert!(keys.iter().all(|key| keyring.trust(key.signer(), key.epoch())));
    keyring
}

/// A store that signs with one key and demands a signature of some.
fn required(dir: &Path, signer: Option<&KeyPair>, trusted: &[&KeyPair]) -> Store {
    Store::open(dir).signed(Signing {
        identity: IDENTITY.to_vec(),
        signer: signer.map(|pair| Box::new(pair.clone()) as Box<dyn Signer>),
        verifier: Box::new(keyring(trusted)),
        required: true,
    })
}

/// What `key` is bound to by a store of its own, which signs as it is told.
fn bind(dir: &Path, identity: &[u8], signer: Option<Box<dyn Signer>>, key: &[u8], value: Digest) {
    let signing = Signing {
        identity: identity.to_vec(),
        signer,
        verifier: Box::new(Keyring::default()),
        required: false,
    };
    let store = Store::open(dir).signed(signing);
    store.bind(name(), key, &[value]);
    store.commit().unwrap();
}

#[test]
fn signed_records_are_found_by_those_who_trust_the_signer() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (pair(1, 1), pair(2, 1));
    let value = Digest::of(b"value");
    let store = required(dir.path(), Some(&ours), &[&ours]);
    store.bind(name(), b"key", &[value]);
    store.commit().unwrap();
    for (what, trusted, expected) in [
        ("the signer", vec![&ours], true),
        ("others as well", vec![&theirs, &ours], true),
        ("another", vec![&theirs], false),
        ("nobody", vec![], false),
        ("the signer, later", vec![&pair(1, 2)], false),
        ("the signer, earlier", vec![&pair(1, 0)], true),
    ] {
        let store = required(dir.path(), None, &trusted);
        let found = store.lookup(name(), b"key");
        assert_eq!(found, expected.then(|| vec![value]), "{what}");
        assert_eq!(store.stats().untrusted, u64::from(!expected), "{what}");
        assert_eq!(store.stats().misses, u64::from(!expected), "{what}");
        let entry = store.entries().unwrap()[0];
        assert_eq!(store.seal(&entry.key).unwrap().1, expected, "{what}");
        assert_eq!(store.record(&entry.key).unwrap(), [value], "looking is not using");
    }
    // Who demands nothing reads it as if it was not signed.
    assert_eq!(Store::open(dir.path()).lookup(name(), b"key"), Some(vec![value]));
    assert_eq!(Store::open(dir.path()).verify().unwrap().bad, 0);
}

type Sign = dyn Fn(&[u8]) -> [u8; 64] + Send + Sync;

/// Signs whatever it is given as if it was another message.
struct Forger {
    seal: Seal,
    sign: Box<Sign>,
}

impl Signer for Forger {
    fn signer(&self) -> [u8; 32] {
        self.seal.signer
    }
    fn epoch(&self) -> u64 {
        self.seal.epoch
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        (self.sign)(message)
    }
}

#[test]
fn what_is_forged_is_a_miss_and_is_replaced() {
    let (ours, theirs) = (pair(1, 3), pair(2, 3));
    let (good, bad) = (Digest::of(b"good"), Digest::of(b"bad"));
    // A seal of ours, for the key "key" and `good`.
    let genuine = {
        let dir = tempfile::tempdir().unwrap();
        bind(dir.path(), IDENTITY, Some(Box::new(ours.clone())), b"key", good);
        let store = Store::open(dir.path());
        store.seal(&store.entries().unwrap()[0].key).unwrap().0
    };
    let replayed = || Forger { seal: genuine, sign: Box::new(move |_| genuine.signature) };
    let with = |change: &dyn Fn(&mut Forger)| {
        let mut forger = replayed();
        change(&mut forger);
        Some(Box::new(forger) as Box<dyn Signer>)
    };
    let boxed = |pair: &KeyPair| Some(Box::new(pair.clone()) as Box<dyn Signer>);
    type Forgery = (&'static str, &'static [u8], Option<Box<dyn Signer>>, &'static [u8], Digest);
    let forgeries: Vec<Forgery> = vec![
        ("not signed", IDENTITY, None, b"key", bad),
        ("by another", IDENTITY, boxed(&theirs), b"key", bad),
        ("by another compiler", b"compiler 2", boxed(&ours), b"key", bad),
        ("of an earlier epoch", IDENTITY, boxed(&pair(1, 2)), b"key", bad),
        ("the seal of other digests", IDENTITY, with(&|_| {}), b"key", bad),
        ("the seal of another key", IDENTITY, with(&|_| {}), b"other", good),
        ("another epoch", IDENTITY, with(&|forger| forger.seal.epoch += 1), b"key", good),
        ("another signer", IDENTITY, with(&|f| f.seal.signer = theirs.signer()), b"key", good),
        (
            "signed by another in our name",
            IDENTITY,
            with(&|forger| forger.sign = Box::new(|message| pair(2, 3).sign(message))),
            b"key",
            bad,
        ),
        ("zeros", IDENTITY, with(&|forger| forger.sign = Box::new(|_| [0; 64])), b"key", bad),
        (
            "a flipped bit",
            IDENTITY,
            with(&|forger| {
                forger.sign = Box::new(move |_| {
                    let mut signature = genuine.signature;
                    signature[40] ^= 1;
                    signature
                })
            }),
            b"key",
            good,
        ),
    ];
    for (what, identity, signer, key, value) in forgeries {
        let dir = tempfile::tempdir().unwrap();
        bind(dir.path(), identity, signer, key, value);
        let store = required(dir.path(), Some(&ours), &[&ours]);
        assert_eq!(store.lookup(name(), key), None, "{what}");
        assert_eq!(store.stats().untrusted, 1, "{what}");
        assert_eq!(store.summary().unwrap().unwrap().totals.hits, 0, "{what}");
        store.bind(name(), key, &[good]);
        store.commit().unwrap();
        let store = required(dir.path(), None, &[&ours]);
        assert_eq!(store.lookup(name(), key), Some(vec![good]), "{what}");
    }
    assert!(keyring(&[&ours]).verify(
        b"message",
        &Seal { signer: ours.signer(), epoch: 3, signature: ours.sign(b"message") }
    ));
}

/// Without a key to sign with, what is made is of use to this process alone.
#[test]
fn who_cannot_sign_writes_no_records() {
    let dir = tempfile::tempdir().unwrap();
    let value = Digest::of(b"value");
    let store = required(dir.path(), None, &[]);
    store.bind(name(), b"key", &[value]);
    store.put(name(), &b"value"[..]);
    store.commit().unwrap();
    assert_eq!(store.lookup(name(), b"key"), Some(vec![value]));
    let other = Store::with(dir.path(), Config::default());
    assert_eq!(other.lookup(name(), b"key"), None);
    assert!(other.get(&value).is_some());
}
