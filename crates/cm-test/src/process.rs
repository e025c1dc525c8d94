//! Starting programs that this process has just written, and waiting for them, but not for ever.

use std::{
    io,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a descriptor may stay open in another thread's child: it closes as soon as that child
/// executes its program.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a program that this process has written. While another thread starts a program of its own,
/// the child between fork and exec holds every descriptor of this process, the one the program was
/// written through too, and Linux refuses to execute it (`ETXTBSY`): that is waited for.
///
/// # Errors
/// If it cannot be started.
pub fn start(command: &mut Command) -> io::Result<Child> {
    let begin = Instant::now();
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && begin.elapsed() < PATIENCE =>
            {
                thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
}

/// As [`Command::output`], for a program that this process has written: see [`start`].
///
/// # Errors
/// If it cannot be started or its output not be read.
pub fn output(command: &mut Command) -> io::Result<Output> {
    start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.wait_with_output()
}

/// Waits for a process, so long at most. `None`: it took longer, and was killed. What it writes into
/// pipes is for others to read meanwhile.
///
/// # Errors
/// If it cannot be waited for.
pub fn wait_within(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > patience {
            // It may have ended just now.
            let _ended = child.kill();
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, fs::OpenOptions, os::unix::fs::PermissionsExt};

    #[test]
    fn a_program_that_is_still_open_for_writing_is_waited_for() {
        let path = std::env::temp_dir().join(format!("cm-test-busy-{}", std::process::id()));
        fs::copy("/bin/echo", &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let open = OpenOptions::new().append(true).open(&path).unwrap();
        let closer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(open);
        });
        let result = output(Command::new(&path).arg("ready"));
        closer.join().unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(result.unwrap().stdout, b"ready\n");
    }

    #[test]
    fn what_takes_too_long_is_killed() {
        let within = |seconds: &str, patience| {
            let mut child = Command::new("sleep").arg(seconds).spawn().unwrap();
            wait_within(&mut child, patience).unwrap()
        };
        assert!(within("0", PATIENCE).is_some_and(|status| status.success()));
        assert_eq!(within("60", Duration::from_millis(20)), None);
    }
}
