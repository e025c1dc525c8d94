//! The processor time of programs, which other programs on the machine disturb less than the time of
//! day.

use crate::{Result, shell};
use nix::sys::resource::{UsageWho, getrusage};
use std::process::{Command, Stdio};

/// Runs a program: the processor time in seconds that it takes, and what it prints.
pub(super) fn time(command: &mut Command) -> Result<(f64, Vec<u8>)> {
    let before = children()?;
    let output = command.stdin(Stdio::null()).output();
    let time = children()? - before;
    let shown = shell::show(command);
    match output {
        Ok(output) if output.status.success() => Ok((time, output.stdout)),
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr);
            let first: Vec<&str> = message.lines().take(10).collect();
            Err(format!("`{shown}` fails ({}):\n{}", output.status, first.join("\n")))
        }
        Err(error) => Err(format!("cannot start `{shown}`: {error}")),
    }
}

/// The processor time of all children so far, in seconds.
pub(super) fn children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let seconds = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    Ok(seconds[0] + seconds[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_counted() {
        let (time, output) = time(&mut Command::new("pwd")).expect("there is such a program");
        assert!((0.0..10.0).contains(&time) && !output.is_empty());
    }
}
