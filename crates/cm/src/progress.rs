//! A sign of life on a terminal while something takes long.

use crate::args::{Format, Output};
use cm_driver::messages::translate;
use indicatif::ProgressBar;
use std::{
    io::IsTerminal,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Shows what is being done until it is dropped.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

/// What is done sooner needs no sign.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

impl Progress {
    /// Nothing is shown unless people look at standard error, nor before it takes long.
    pub fn start(output: &Output, what: &str) -> Progress {
        let wanted = std::io::stderr().is_terminal() && output.format != Format::Json;
        if !wanted || output.talk.verbose || output.talk.debug.is_some() {
            return Progress(None);
        }
        let what = translate(what, crate::lang::current()).into_owned();
        let (sender, done) = channel::<()>();
        let show = move || {
            if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let bar = ProgressBar::new_spinner().with_message(what);
                bar.enable_steady_tick(TICK);
                // Until the sender is dropped.
                let _ = done.recv();
                bar.finish_and_clear();
            }
        };
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(show);
        Progress(thread.ok().map(|thread| (sender, thread)))
    }

    /// Clears the line. Nothing may be printed before.
    pub fn stop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop();
    }
}
