//! Caches whose entries must be signed: keys are made, trusted, rotated and revoked, and nothing
//! that was not signed by a trusted key is ever used.

use crate::{Outcome, Place, check, files_below};
use std::{fs, os::unix::fs::PermissionsExt};

const MAIN: &str = "int main() { println(\"hi\"); return 42; }\n";
const REQUIRED: &str = "[cache]\nsign = 'required'\n";

/// What a build said, and whether it had to ask for any object.
fn build(place: &Place, keys: &str) -> (Outcome, bool) {
    let mut command = place.command("compile -O0 --run --query-log=log main.cm");
    command.env("CM_KEY_DIR", place.path.join(keys));
    let found = crate::outcome(command.spawn().expect("cm starts"));
    assert_eq!((found.exit, found.stdout.as_str()), (42, "hi\n"), "{found:?}");
    let log = place.read("log");
    (found, log.contains("\"unit_object\""))
}

fn silent((found, compiled): (Outcome, bool), expected: bool) {
    assert_eq!((found.stderr.as_str(), compiled), ("", expected));
}

fn warned((found, compiled): (Outcome, bool)) {
    let lines: Vec<&str> = found.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{found:?}");
    let text = "entries of the cache were not used: no trusted key has signed them";
    assert!(lines[0].starts_with("warning: ") && lines[0].ends_with(text), "{found:?}");
    assert!(compiled);
}

fn key(place: &Place, keys: &str, args: &str) -> String {
    let mut command = place.command(&format!("cache key {args}"));
    command.env("CM_KEY_DIR", place.path.join(keys));
    let found = crate::outcome(command.spawn().expect("cm starts"));
    assert_eq!((found.exit, found.stderr.as_str()), (0, ""), "{args}");
    found.stdout.trim().to_owned()
}

#[test]
fn keys_are_listed_and_kept_from_others() {
    let place = Place::new(&[("main.cm", MAIN)]);
    check(
        &place,
        &[
            ("cache key list", 0, "", ""),
            ("cache key trust nonsense", 1, "", "error: 'nonsense' is not a public key\n"),
        ],
    );
    let first = key(&place, "keys", "generate");
    let secret = place.path.join("keys/secret");
    let mode = |path: &camino::Utf8Path| path.metadata().expect("a file").permissions().mode();
    assert_eq!(mode(&secret) & 0o777, 0o600);
    assert_eq!(mode(&place.path.join("keys")) & 0o777, 0o700);
    assert_eq!(key(&place, "keys", "list"), format!("{first} signs own"));
    let second = key(&place, "keys", "generate");
    assert!(first.ends_with("@1") && second.ends_with("@2"), "{first} {second}");
    let theirs = key(&place, "others", "generate");
    key(&place, "keys", &format!("trust {theirs} --name=CI"));
    key(&place, "keys", &format!("revoke {first}"));
    let listed = format!("{second} signs own\n{theirs} trusted CI\n{first} revoked own");
    assert_eq!(key(&place, "keys", "list"), listed);
    let again = format!("error: {first} was revoked; it is not trusted again\n");
    check(&place, &[(&format!("cache key trust {first}"), 1, "", &again)]);
    key(&place, "keys", &format!("revoke {second}"));
    assert!(!secret.exists());

    key(&place, "keys", "generate");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).expect("it is ours");
    let refused = "error: …keys/secret is a secret key that others can use; chmod 600 …";
    place.write("cm.toml", REQUIRED);
    check(&place, &[("cache key list", 1, "", refused), ("run -O0 main.cm", 1, "", refused)]);
    place.write("cm.toml", "");
    check(&place, &[("run -O0 main.cm", 42, "hi\n", "")]);
}

/// Two users of a directory, who come to trust each other and part again.
#[test]
fn what_is_used_follows_trust() {
    let place = Place::new(&[("main.cm", MAIN), ("cm.toml", REQUIRED)]);
    let ours = key(&place, "ours", "generate");
    let theirs = key(&place, "theirs", "generate");
    silent(build(&place, "ours"), true);
    silent(build(&place, "ours"), false);
    for (keys, trusted) in [("ours", true), ("theirs", false)] {
        let show = |args: &str| {
            let mut command = place.command(args);
            command.env("CM_KEY_DIR", place.path.join(keys));
            crate::outcome(command.spawn().expect("cm starts")).stdout
        };
        let list = show("cache list");
        let record = list.lines().find(|line| line.contains(" record "));
        let record = record.and_then(|line| line.split(' ').next()).expect("a record");
        let shown = show(&format!("cache show {record}"));
        let (key, _) = ours.split_once('@').expect("an epoch");
        let expected = format!("epoch: 1\n…signer: {key}\ntrusted: {trusted}\n…");
        assert!(crate::fits(&format!("…{expected}"), &shown), "{shown}");
    }
    // Nothing of ours is good for them, and nothing of theirs for us.
    warned(build(&place, "theirs"));
    silent(build(&place, "theirs"), false);
    warned(build(&place, "ours"));
    // The project trusts both.
    let both = format!("{REQUIRED}trusted-keys = ['{ours}', '{theirs}']\n");
    place.write("cm.toml", &both);
    silent(build(&place, "theirs"), false);
    silent(build(&place, "ours"), false);
    // Rotation: what the old key has signed is good.
    key(&place, "ours", "generate");
    silent(build(&place, "ours"), false);
    // Until it is revoked, whatever the project says.
    key(&place, "ours", &format!("revoke {ours}"));
    warned(build(&place, "ours"));
    silent(build(&place, "ours"), false);
}

#[test]
fn without_a_key_nothing_is_kept_and_without_signatures_nothing_is_used() {
    let place = Place::new(&[("main.cm", MAIN)]);
    // Whoever could write here may have put anything.
    silent(build(&place, "none"), true);
    silent(build(&place, "none"), false);
    place.write("cm.toml", REQUIRED);
    for _ in 0..2 {
        let (found, compiled) = build(&place, "none");
        let told = "…entries of the cache were not used…\nwarning: nothing is kept in the cache: \
                    there is no key to sign it with; make one: cm cache key generate\n";
        assert!(crate::fits(told, &found.stderr), "{found:?}");
        assert!(compiled);
    }
    // One who signs and demands nothing reads all, and is read.
    key(&place, "ours", "generate");
    place.write("cm.toml", "[cache]\nsign = 'on'\n");
    silent(build(&place, "ours"), false);
    place.write("main.cm", MAIN.replace("println(\"hi\")", "print(\"h\"); println(\"i\")"));
    silent(build(&place, "ours"), true);
    place.write("cm.toml", REQUIRED);
    warned(build(&place, "ours"));
    silent(build(&place, "ours"), false);
}

/// The image and the record of the last build say what the results of a build are. Those of another
/// program, in place of ours, are not believed.
#[test]
fn forged_files_beside_the_store_change_nothing() {
    let place = Place::new(&[("main.cm", MAIN), ("cm.toml", REQUIRED)]);
    key(&place, "ours", "generate");
    key(&place, "theirs", "generate");
    silent(build(&place, "ours"), true);
    // Somebody builds another program at the same place, and leaves what came of it.
    let forge = || {
        place.write("main.cm", MAIN.replace("hi", "ha"));
        let mut command = place.command("compile -O0 --run main.cm");
        command.env("CM_KEY_DIR", place.path.join("theirs"));
        let found = crate::outcome(command.spawn().expect("cm starts"));
        assert_eq!((found.exit, found.stdout.as_str()), (42, "ha\n"));
        place.write("main.cm", MAIN);
    };
    forge();
    warned(build(&place, "ours"));
    // Not signed at all.
    place.write("cm.toml", "");
    forge();
    place.write("cm.toml", REQUIRED);
    warned(build(&place, "ours"));
    silent(build(&place, "ours"), false);
    // A bit of each of them.
    for file in files_below(&place.path.join(".cm_cache/graph")) {
        let mut bytes = fs::read(&file).expect("the cache is ours");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).expect("the cache is ours");
    }
    let (found, _) = build(&place, "ours");
    assert!(crate::fits("warning: … entries of the cache were not used: …", &found.stderr));
}
