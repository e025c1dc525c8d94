//! What people see who look at a terminal, and others do not.

use crate::Place;
use nix::pty::{Winsize, openpty};
use std::{
    fs::{self, File, Permissions},
    io::Read,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    thread,
};

/// A compiler of C for which one has to wait.
const SLOW: &str = "#!/bin/sh\nsleep 2\nexec cc \"$@\"\n";

const MAIN: &str = "use libc { int twice(int x); }\nint main() { return twice(2); }\n";

fn place() -> Place {
    let place = Place::new(&[("main.cm", MAIN), ("c.c", "int twice(int x) { return 2 * x; }\n")]);
    place.write("slow", SLOW);
    fs::set_permissions(place.path.join("slow"), Permissions::from_mode(0o755)).expect("a program");
    place
}

fn command(place: &Place, args: &str) -> Command {
    let mut command = place.command(args);
    command.env("CC", place.path.join("slow")).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

/// What a command shows on standard error, which is a terminal, and its exit status.
fn on_terminal(mut command: Command) -> (String, i32) {
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).expect("a terminal");
    let mut child =
        command.stderr(Stdio::from(pty.slave)).stdout(Stdio::null()).spawn().expect("cm starts");
    // It holds the other end of the terminal.
    drop(command);
    let mut terminal = File::from(pty.master);
    let reader = thread::spawn(move || {
        let (mut shown, mut piece) = (Vec::new(), [0; 4096]);
        // When nobody has it open any more, reading is an error.
        while let Ok(count @ 1..) = terminal.read(&mut piece) {
            shown.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&shown).into_owned()
    });
    let status = child.wait().expect("cm ends");
    (reader.join().expect("the reader ends"), crate::exit_status(status))
}

#[test]
fn long_work_shows_progress_on_a_terminal() {
    let place = place();
    let (shown, exit) = on_terminal(command(&place, "compile --no-cache -q main.cm c.c"));
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("compiling main.cm"), "{shown:?}");
    // The line is cleared at the end.
    assert!(shown.trim_end().ends_with("\u{1b}[2K"), "{shown:?}");
    let (shown, exit) = on_terminal(command(&place, "run --lang=ja --no-cache main.cm c.c"));
    assert_eq!(exit, 4, "{shown}");
    assert!(shown.contains("main.cm をコンパイル"), "{shown:?}");
}

#[test]
fn work_is_quiet_elsewhere() {
    let place = place();
    let output = command(&place, "compile --no-cache -q main.cm c.c").output().expect("cm starts");
    assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(0), vec![], vec![]));
    // For programs, though it is a terminal; and what tells of its stages needs no sign.
    for args in
        ["compile --no-cache -q --format=json main.cm c.c", "compile --no-cache -v main.cm c.c"]
    {
        let (shown, exit) = on_terminal(command(&place, args));
        assert_eq!((shown.as_str(), exit), ("", 0), "{args}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let place = Place::new(&[("a.cm", "int main() { return x; }\n")]);
    let red = |command: Command| on_terminal(command).0.contains("\u{1b}[");
    assert!(red(command(&place, "check a.cm")));
    assert!(red(command(&place, "check --format=short a.cm")));
    assert!(!red(command(&place, "check --format=json a.cm")));
    assert!(!red(command(&place, "check --color=never a.cm")));
    let mut plain = command(&place, "check a.cm");
    plain.env("NO_COLOR", "1");
    assert!(!red(plain));
    let piped = command(&place, "check a.cm").output().expect("cm starts").stderr;
    assert!(!piped.contains(&0x1b));
    let forced = command(&place, "check --color=always a.cm").output().expect("cm starts").stderr;
    assert!(forced.contains(&0x1b));
}
