//! Machines on which something cannot be had: no room, no permission, no more files.

use crate::{Outcome, Place, outcome};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

const PROGRAM: &str = "import ./geo::{area};\nint main() { println(\"hi\"); return area(21); }\n";
const FILES: [(&str, &str); 2] =
    [("main.cm", PROGRAM), ("geo.cm", "export int area(int a) { return a * 2; }\n")];

/// Runs a shell script in a place, in which `$cm` is the compiler.
fn shell(place: &Place, wrapper: &[&str], script: &str) -> Outcome {
    let cm = env!("CARGO_BIN_EXE_cm");
    let mut words = wrapper.iter().copied().chain(["sh", "-c", script]);
    let mut command = Command::new(words.next().expect("a shell at least"));
    command.args(words).current_dir(&place.path).env("cm", cm);
    command.env("CM_STD_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs"));
    command.env_remove("CM_CACHE_DIR").env("CM_SHARED_CACHE", "");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().expect("a shell starts"))
}

/// How to have mounts of our own; `None`: this machine does not allow it.
fn namespace(place: &Place) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-m"], &["unshare", "-r", "-m"]];
    let works = |way: &&&[&str]| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["sh", "-c", "mount -t tmpfs -o size=64k none mnt"]);
        command.current_dir(&place.path).output().is_ok_and(|found| found.status.success())
    };
    ways.iter().find(works).copied()
}

/// How not to be root.
fn nobody() -> &'static [&'static str] {
    let uid = fs::metadata("/proc/self").expect("a process");
    match std::os::unix::fs::MetadataExt::uid(&uid) {
        0 => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        _ => &[],
    }
}

/// The program was built and ran; at most a warning was printed.
fn built(found: &Outcome, what: &str) {
    assert_eq!((found.exit, found.stdout.as_str()), (42, "hi\n"), "{what}: {found:?}");
    let warned = found.stderr.starts_with("warning: the cache was not updated: ")
        && found.stderr.lines().count() == 1;
    assert!(found.stderr.is_empty() || warned, "{what}: {found:?}");
}

/// It was not, and one line says why.
fn refused(found: &Outcome, message: &str, what: &str) {
    assert_eq!((found.exit, found.stdout.as_str()), (1, ""), "{what}: {found:?}");
    assert!(
        found.stderr.starts_with("error: ") && found.stderr.contains(message),
        "{what}: {found:?}"
    );
    assert!(!found.stderr.contains("panicked"), "{what}: {found:?}");
}

#[test]
fn mounts() {
    let place = Place::new(&FILES);
    fs::create_dir(place.path.join("mnt")).expect("a directory");
    let Some(namespace) = namespace(&place) else { return };
    let run = |script: &str| shell(&place, namespace, script);
    for command in ["$cm run -O0", "$cm compile -O0 --run"] {
        for size in ["4k", "16k", "40k", "64k", "100k", "200k"] {
            let found = run(&format!(
                "mount -t tmpfs -o size={size} none mnt && {command} --cache-dir=mnt main.cm &&
                 {command} --cache-dir=mnt main.cm"
            ));
            // The first run ends the script, since its status is not 0.
            built(&found, &format!("{command}, a cache directory of {size}"));
            let again = run(&format!(
                "mount -t tmpfs -o size={size} none mnt; {command} --cache-dir=mnt main.cm \
                 >/dev/null 2>&1; {command} --cache-dir=mnt main.cm"
            ));
            built(&again, &format!("{command} again, a cache directory of {size}"));
        }
        let found = run(&format!(
            "mount -t tmpfs none mnt && {command} --cache-dir=mnt main.cm >/dev/null 2>&1;
             mount -o remount,ro mnt && {command} --cache-dir=mnt main.cm"
        ));
        built(&found, &format!("{command}, a full cache on a read-only file system"));
        let found =
            run(&format!("mount -t tmpfs -o ro none mnt && {command} --cache-dir=mnt main.cm"));
        built(&found, &format!("{command}, an empty read-only cache"));
        let found = run(&format!(
            "mount -t tmpfs none mnt && {command} --cache-dir=mnt main.cm >/dev/null 2>&1;
             mount -o remount,ro mnt; echo 'export int area(int a) {{ return a * 2 + 1; }}' >geo.cm
             {command} --cache-dir=mnt main.cm"
        ));
        assert_eq!((found.exit, found.stdout.as_str()), (43, "hi\n"), "{found:?}");
        place.write("geo.cm", FILES[1].1);
    }
    let full = "mount -t tmpfs -o size=4k none mnt && $cm compile -O0 -o mnt/out main.cm";
    refused(&run(full), "cannot write mnt/out: No space left on device", "a full output directory");
    let full = "mount -t tmpfs -o ro none mnt && $cm compile -O0 -o mnt/out main.cm";
    refused(&run(full), "cannot write mnt/out: Read-only file system", "a read-only output");
    let left =
        run("mount -t tmpfs -o size=4k none mnt; $cm compile -O0 -o mnt/out main.cm; ls mnt");
    assert_eq!(left.stdout, "", "nothing is left of what could not be written");
}

#[test]
fn permissions() {
    let place = Place::new(&FILES);
    let run = |script: &str| shell(&place, nobody(), script);
    let mode = |path: &str, mode: u32| {
        fs::set_permissions(place.path.join(path), fs::Permissions::from_mode(mode))
            .expect("it is ours");
    };
    mode("", 0o777);
    if run("echo works").stdout != "works\n" {
        return; // there is no way not to be root here
    }
    for command in ["$cm run -O0", "$cm compile -O0 -o /dev/null --run"] {
        let command = command.replace("-o /dev/null --run", "-o out --run");
        fs::create_dir_all(place.path.join("cache")).expect("a directory");
        for bits in [0o000, 0o111, 0o444, 0o555] {
            mode("cache", bits);
            let found = run(&format!("{command} --cache-dir=cache main.cm"));
            built(&found, &format!("{command}, a cache directory with mode {bits:o}"));
        }
        mode("cache", 0o777);
        built(&run(&format!("{command} --cache-dir=cache main.cm")), "a cache");
        assert_eq!(run("chmod -R a-w cache/*").exit, 0);
        mode("cache", 0o555);
        built(&run(&format!("{command} --cache-dir=cache main.cm")), "a cache without permission");
        assert_eq!(run("find cache -mindepth 1 -depth -exec chmod a-rwx {} +").exit, 0);
        built(&run(&format!("{command} --cache-dir=cache main.cm")), "files without permission");
        run("chmod -R u+rwx cache/*; rm -rf cache/* out");
    }
    mode("geo.cm", 0);
    let found = run("$cm check --no-cache main.cm");
    assert_eq!(found.exit, 1);
    assert!(found.stderr.contains("geo"), "{found:?}");
    mode("main.cm", 0);
    let found = run("$cm run --no-cache main.cm");
    assert_eq!((found.exit, found.stdout.as_str()), (1, ""));
    assert!(found.stderr.contains("cannot open main.cm: Permission denied"), "{found:?}");
    mode("main.cm", 0o644);
    mode("geo.cm", 0o644);
    fs::create_dir(place.path.join("shut")).expect("a directory");
    mode("shut", 0o555);
    let found = run("$cm compile -O0 --no-cache -o shut/out main.cm");
    refused(&found, "cannot write shut/out: Permission denied", "output");
}

#[test]
fn limits() {
    let place = Place::new(&FILES);
    for command in ["$cm run -O0", "$cm compile -O0 --run"] {
        for files in [4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 24, 40] {
            for round in ["first", "second"] {
                let found = shell(&place, &[], &format!("ulimit -n {files}; {command} main.cm"));
                let what = format!("{command}, {files} files, {round}: {found:?}");
                assert!(!found.stderr.contains("panicked"), "{what}");
                if found.exit == 42 {
                    assert_eq!(found.stdout, "hi\n", "{what}");
                } else {
                    // Not even libraries can be opened with that few, or the linker cannot.
                    assert!([1, 127].contains(&found.exit) && !found.stderr.is_empty(), "{what}");
                    assert!(files < 14, "{what}");
                }
            }
            built(&shell(&place, &[], &format!("{command} main.cm")), "afterwards");
        }
        fs::remove_dir_all(place.path.join(".cm_cache")).expect("the cache is ours");
        for blocks in [0, 1, 8, 40, 100] {
            // A file may have so many blocks of 512 bytes.
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; {command} main.cm");
            for _ in 0..2 {
                let found = shell(&place, &[], &script);
                let what = format!("{command}, files of {blocks} blocks: {found:?}");
                match found.exit {
                    42 => assert_eq!(found.stdout, "hi\n", "{what}"),
                    _ => assert!(found.exit == 1 && found.stderr.contains("error: "), "{what}"),
                }
                assert!(!found.stderr.contains("panicked"), "{what}");
            }
            built(&shell(&place, &[], &format!("{command} main.cm")), "afterwards");
        }
    }
}
