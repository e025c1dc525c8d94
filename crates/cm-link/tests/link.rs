//! Executables of C objects, as the system's compiler makes them, and what is refused.
//!
//! A fixture is a file of C whose parts `//- name` become objects. Lines `//> text` are what the
//! program prints, `//! status` is its exit status, and `//= text` a line of the error.

use cm_link::{Input, Library, LinkError, Memory, executable, executable_again};
use libtest_mimic::{Arguments, Failed, Trial};
use object::{
    LittleEndian,
    elf::{FileHeader64, PT_LOAD, SHN_XINDEX, SHT_SYMTAB, Sym64},
    read::elf::{FileHeader, SectionHeader},
};
use std::{
    env, fs, iter,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/objects");

fn main() -> ExitCode {
    let paths = fs::read_dir(FIXTURES).expect("fixtures").map(|entry| entry.expect("one").path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let fixture = |path: PathBuf| Trial::test(name(&path), move || check(&path));
    let mut trials: Vec<_> = paths.into_iter().map(fixture).collect();
    trials.push(Trial::test("same bytes from same bytes", same_bytes));
    trials.push(Trial::test("what is remembered makes no difference", remembered));
    trials.push(Trial::test("damaged objects", damaged_objects));
    trials.push(Trial::test("symbols that are refused", refused_symbols));
    trials.push(Trial::test("damaged libraries", damaged_libraries));
    trials.push(Trial::test("tools accept executables", tools));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Named = (String, Vec<u8>);

/// The objects of a text.
fn objects(text: &str, dir: &Path) -> Result<Vec<Named>, Failed> {
    let starts: Vec<_> = text.match_indices("//- ").map(|(start, _)| start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| object(&text[*start..end], dir)).collect()
}

/// The first line is `//- name options`.
fn object(part: &str, dir: &Path) -> Result<Named, Failed> {
    let mut words = part.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let name = words.next().ok_or("a part without a name")?.to_owned();
    let (source, object) = (dir.join(format!("{name}.c")), dir.join(format!("{name}.o")));
    fs::write(&source, part)?;
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-fPIC", "-w", "-c"]).args(words).arg("-o").arg(&object).arg(&source);
    run(&mut cc)?;
    Ok((name, fs::read(object)?))
}

fn run(command: &mut Command) -> Result<String, Failed> {
    let output =
        cm_test::process::output(command).map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{command:?}: {message}").into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The C library of this machine.
fn libraries() -> Result<Vec<(&'static str, Vec<u8>)>, Failed> {
    let dir = PathBuf::from(format!("/lib/{}-linux-gnu", env::consts::ARCH));
    let read = |name| Ok((name, fs::read(dir.join(name))?));
    ["libc.so.6", "libm.so.6"].into_iter().map(read).collect()
}

fn link(objects: &[Named]) -> Result<Result<Arc<[u8]>, LinkError>, Failed> {
    let libraries = libraries()?;
    let libraries = libraries.iter().map(|(name, bytes)| Library::parse(name, bytes));
    let libraries = libraries.collect::<Result<Vec<_>, _>>()?;
    let objects: Vec<_> = objects.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    Ok(executable(&objects, &libraries))
}

fn write(program: &Path, bytes: &[u8]) -> Result<(), Failed> {
    fs::write(program, bytes)?;
    Ok(fs::set_permissions(program, fs::Permissions::from_mode(0o755))?)
}

fn check(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let dir = tempfile::tempdir()?;
    let lines = |mark| {
        let lines = text.lines().filter_map(move |line| line.strip_prefix(mark));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let linked = link(&objects(&text, dir.path())?)?;
    let bytes = match linked {
        Err(error) if format!("{error}\n") == lines("//= ") => return Ok(()),
        Err(error) => return Err(error.to_string().into()),
        Ok(_) if !lines("//= ").is_empty() => return Err("it can be linked".into()),
        Ok(bytes) => bytes,
    };
    // valgrind reads no symbols of a program with an empty one.
    let programs = FileHeader64::<LittleEndian>::parse(&*bytes)?;
    let programs = programs.program_headers(LittleEndian, &*bytes)?.iter();
    let loaded = programs.filter(|program| program.p_type.get(LittleEndian) == PT_LOAD);
    if loaded.clone().any(|program| program.p_filesz.get(LittleEndian) == 0) {
        return Err("a segment has nothing in the file".into());
    }
    let program = dir.path().join("program");
    write(&program, &bytes)?;
    let output = cm_test::process::output(&mut Command::new(&program))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let status = lines("//! ").trim().parse().unwrap_or(0);
    if (&*printed, output.status.code()) != (&lines("//> "), Some(status)) {
        return Err(format!("{:?}\n{printed}", output.status).into());
    }
    Ok(())
}

/// A program that has some of everything.
fn sample(dir: &Path) -> Result<Vec<Named>, Failed> {
    objects(&fs::read_to_string(Path::new(FIXTURES).join("everything.c"))?, dir)
}

fn same_bytes() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let objects = sample(dir.path())?;
    let first = link(&objects)??;
    for _ in 0..3 {
        if link(&objects)?? != first {
            return Err("the second time they differ".into());
        }
    }
    Ok(())
}

/// What reads executables must be content with ours, and what rewrites them must not break them.
fn tools() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("program");
    write(&program, &link(&sample(dir.path())?)??)?;
    let expected = run(&mut Command::new(&program))?;
    let output = Command::new("readelf").args(["-aW"]).arg(&program).output()?;
    if !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let symbols = run(Command::new("nm").arg(&program))?;
    for symbol in ["T main", "T _start", "t local", "t puts@plt", "D variable"] {
        if !symbols.lines().any(|line| line.ends_with(symbol)) {
            return Err(format!("no {symbol} in\n{symbols}").into());
        }
    }
    run(Command::new("objdump").arg("-dr").arg(&program))?;
    run(Command::new("strip").arg(&program))?;
    if run(&mut Command::new(&program))? != expected {
        return Err("the stripped program prints something else".into());
    }
    Ok(())
}

/// A generator that is good enough to vary tests.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize >> 8
}

/// Calls `check` with every truncation of some bytes and with many changes of them.
fn damage(bytes: &[u8], rounds: usize, mut check: impl FnMut(&[u8])) {
    for len in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
        check(&bytes[..len]);
    }
    let seed = &mut 0x2545_f491_4f6c_dd1d;
    for _ in 0..rounds {
        let mut bytes = bytes.to_vec();
        for _ in 0..1 + random(seed) % 4 {
            let at = random(seed) % bytes.len();
            bytes[at] = match random(seed) % 4 {
                0 => 0,
                1 => 0xff,
                2 => bytes[at] ^ 1 << (random(seed) % 8),
                _ => random(seed) as u8,
            };
        }
        check(&bytes);
    }
}

/// Programs of which each shares some objects with the one before. Digests stand for the objects' bytes.
fn remembered() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let mut all = sample(dir.path())?;
    let main = "//- main\nint other(void); int main() { return other(); }\n";
    let other = |body: &str| format!("//- other\nint other(void) {{ {body} }}\n");
    let others = ["return 1;", "return puts(\"\");", "return 1 + abs(-1);"];
    for text in iter::once(main.to_owned()).chain(others.map(other)) {
        all.push(object(&text, dir.path())?);
    }
    let sample: Vec<usize> = (0..all.len() - 4).collect();
    let [main, first, second, third] = [4, 3, 2, 1].map(|back| all.len() - back);
    let undefined = vec![main];
    let programs = [
        vec![main, first],
        vec![main, second],
        undefined,
        vec![second, main],
        sample,
        vec![main, third],
    ];
    let libraries = libraries()?;
    let libraries = libraries.iter().map(|(name, bytes)| Library::parse(name, bytes));
    let libraries = libraries.collect::<Result<Vec<_>, _>>()?;
    let mut memory = Memory::default();
    for (round, program) in programs.iter().cycle().take(3 * programs.len()).enumerate() {
        let named: Vec<_> = program.iter().map(|o| (all[*o].0.as_str(), &*all[*o].1)).collect();
        let inputs = program.iter().zip(&named);
        let inputs =
            inputs.map(|(o, &(name, bytes))| Input { name, bytes, digest: Some([*o as u8; 32]) });
        let again = executable_again(&mut memory, None, &inputs.collect::<Vec<_>>(), &libraries);
        if again != executable(&named, &libraries) {
            return Err(format!("round {round} differs").into());
        }
    }
    Ok(())
}

/// The result does not matter, as long as there is one.
fn damaged_objects() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let objects = sample(dir.path())?;
    let libraries = libraries()?;
    let libraries = libraries.iter().map(|(name, bytes)| Library::parse(name, bytes));
    let libraries = libraries.collect::<Result<Vec<_>, _>>()?;
    // A bad one is also taken for the good one, which is remembered.
    let mut mistaken = 0;
    let mut refused = 0;
    for (index, (_, good)) in objects.iter().enumerate() {
        damage(good, 1000, |bad| {
            let bytes = |other: usize| if other == index { bad } else { &objects[other].1 };
            let named = objects.iter().enumerate().map(|(i, (name, _))| (name.as_str(), bytes(i)));
            let named: Vec<_> = named.collect();
            refused += usize::from(executable(&named, &libraries).is_err());
            let mut memory = Memory::default();
            let mut link = |named: &[(&str, &[u8])]| {
                let known = |(i, &(name, bytes)): (usize, &(_, _))| Input {
                    name,
                    bytes,
                    digest: Some([i as u8; 32]),
                };
                let inputs: Vec<_> = named.iter().enumerate().map(known).collect();
                executable_again(&mut memory, None, &inputs, &libraries)
            };
            let good = objects.iter().map(|(name, bytes)| (name.as_str(), &**bytes));
            let good = link(&good.collect::<Vec<_>>());
            mistaken += usize::from(good.is_ok() && link(&named).is_ok());
        });
    }
    if mistaken == 0 {
        return Err("nothing was remembered".into());
    }
    if refused == 0 { Err("every object was good enough".into()) } else { Ok(()) }
}

/// An object whose second symbol, or whose names, are changed.
fn refused_symbols() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let named = object("//- a\nint main() { return 0; }\n", dir.path())?;
    let header = FileHeader64::<LittleEndian>::parse(&*named.1)?;
    let sections = header.sections(LittleEndian, &*named.1)?;
    let symbols = sections.symbols(LittleEndian, &*named.1, SHT_SYMTAB)?;
    let range = |index| {
        let section = sections.section(index)?;
        let (start, size) = section.file_range(LittleEndian).ok_or("no bytes")?;
        Ok::<_, Failed>((start as usize, size as usize))
    };
    let (table, _) = range(symbols.section())?;
    let (strings, size) = range(symbols.string_section())?;
    let second = table + size_of::<Sym64<LittleEndian>>();
    let outside = "cannot link 'a': a symbol's name is not in the file";
    let changes: [(usize, &[u8], &str); 3] = [
        (second, &(size as u32).to_le_bytes(), outside),
        (strings + size - 1, b"n", outside),
        (
            second + 6,
            &SHN_XINDEX.0.to_le_bytes(),
            "cannot link 'a': it has more than 65,000 sections",
        ),
    ];
    for (at, bytes, expected) in changes {
        let mut bad = named.1.clone();
        bad[at..][..bytes.len()].copy_from_slice(bytes);
        match link(&[(named.0.clone(), bad)])? {
            Err(error) if error.to_string() == expected => {}
            other => return Err(format!("{expected}: {:?}", other.map(|bytes| bytes.len())).into()),
        }
    }
    Ok(())
}

fn damaged_libraries() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let objects = sample(dir.path())?;
    let objects: Vec<_> = objects.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    let (_, good) = object("//- l -shared\nint one(int x) { return x; }\nint two;\n", dir.path())?;
    let mut refused = 0;
    damage(&good, 2000, |bad| match Library::parse("library", bad) {
        Ok(library) => drop(executable(&objects, &[library])),
        Err(_) => refused += 1,
    });
    if refused == 0 { Err("every library was good enough".into()) } else { Ok(()) }
}
