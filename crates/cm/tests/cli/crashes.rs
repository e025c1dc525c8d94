//! Processes that are killed, and processes that build at once.

use crate::{Place, outcome};
use std::{fmt::Write, thread::sleep, time::Duration};

const MODULES: usize = 6;

/// A program whose result is `seed`, modulo 256, by way of all its modules.
fn program(place: &Place, seed: usize) {
    let (mut imports, mut sum) = (String::new(), String::new());
    for module in 0..MODULES {
        let value = if module == seed % MODULES { seed } else { 0 };
        let mut text = format!("export int value{module}() {{ return f0({value}); }}\n");
        for number in 0..10 {
            let next = if number < 9 { format!("f{}(x)", number + 1) } else { "x".to_owned() };
            writeln!(text, "int f{number}(int x) {{ return {next}; }}").expect("a string");
        }
        place.write(&format!("m{module}.cm"), text);
        writeln!(imports, "import ./m{module}::{{value{module}}};").expect("a string");
        write!(sum, " + value{module}()").expect("a string");
    }
    place.write("main.cm", format!("{imports}int main() {{ return 0{sum}; }}\n"));
}

#[test]
fn killed_builds() {
    let place = Place::new(&[]);
    let mut milliseconds = 1;
    for seed in 1..40 {
        program(&place, seed);
        let command = if seed % 2 == 0 { "run -O0" } else { "compile -O0 --run" };
        let mut child = place.command(&format!("{command} main.cm")).spawn().expect("cm starts");
        milliseconds = (milliseconds * 7 + 3) % 97;
        sleep(Duration::from_millis(milliseconds));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("it ends");
        let found = place.cm(&format!("{command} main.cm"));
        assert_eq!(
            (found.exit, found.stdout.as_str(), found.stderr.as_str()),
            (seed as i32, "", ""),
            "{command}"
        );
    }
}

#[test]
fn builds_at_once() {
    let place = Place::new(&[]);
    for seed in 1..8 {
        program(&place, seed);
        let commands =
            ["run -O0", "compile -O0 -q -o x --run", "run -O0", "compile -O0 -q -o y --run"];
        let children = commands.map(|command| {
            place.command(&format!("{command} main.cm")).spawn().expect("cm starts")
        });
        for child in children {
            let found = outcome(child);
            assert_eq!(
                (found.exit, found.stdout.as_str(), found.stderr.as_str()),
                (seed as i32, "", "")
            );
        }
    }
}
