//! Running a program with a limit of time and of output.

use cm_test::process::wait_within;
use std::{
    io::{Read, Write},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

const MAX_TIME: Duration = Duration::from_secs(20);
const MAX_OUTPUT: u64 = 16 << 20;

/// What a program did.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs a command to its end, or for the longest time allowed.
pub(crate) fn run(command: &mut Command, input: Vec<u8>) -> Result<Ran, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let stdout = child.stdout.take().map(read);
    let stderr = child.stderr.take().map(read);
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read its input.
        thread::spawn(move || stdin.write_all(&input));
    }
    let status = wait_within(&mut child, MAX_TIME).map_err(|e| format!("cannot wait: {e}"))?;
    let too_long = || format!("takes longer than {} s", MAX_TIME.as_secs());
    let status = status.ok_or_else(too_long)?;
    let finish = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let stderr = String::from_utf8_lossy(&finish(stderr)).into_owned();
    Ok(Ran { status, stdout: finish(stdout), stderr })
}

/// Reads on a thread of its own, so that no pipe is ever full. One that prints too much finds its
/// pipe closed.
fn read(from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        let _partial = from.take(MAX_OUTPUT).read_to_end(&mut bytes);
        bytes
    })
}
