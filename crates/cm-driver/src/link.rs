//! Linking: objects to an executable. cm-link does it in this process, if the C library is where it
//! is looked for; what it cannot do is left to the linker of the system.

mod foreign;
mod libraries;
mod system;

pub use foreign::Foreign;

use crate::tools::Scratch;
use camino::Utf8PathBuf;
use cm_link::{Input, LinkError};
use libraries::Libraries;
use std::sync::{Arc, OnceLock};

/// Objects in linking order.
pub type Objects<'a> = [Input<'a>];

/// What can link.
pub enum Linker {
    /// cm-link with the libraries of this machine.
    Own(Libraries),
    /// A program of this machine.
    System(system::Linker),
}

/// Why nothing was linked.
pub struct Failure {
    /// For the user.
    pub message: String,
    /// Another linker may succeed.
    pub try_next: bool,
    /// No other linker says it better.
    pub exact: bool,
}

impl Linker {
    /// The linkers to try, in their order: none but the one that `CM_LINKER` names, if it is set.
    pub fn all() -> &'static [Linker] {
        static FOUND: OnceLock<Vec<Linker>> = OnceLock::new();
        FOUND.get_or_init(|| {
            let chosen = system::chosen();
            let own = if chosen.is_some() { None } else { Libraries::find() };
            let system = chosen.or_else(system::Linker::find);
            own.map(Linker::Own).into_iter().chain(system.map(Linker::System)).collect()
        })
    }

    /// Tells linkers apart in cache keys: the same objects linked by another linker are another
    /// executable.
    pub fn identity(&self) -> String {
        match self {
            Linker::Own(libraries) => libraries.identity(),
            Linker::System(linker) => linker.identity(),
        }
    }

    /// Links objects to an executable.
    pub fn link(&self, objects: &Objects, scratch: &Scratch) -> Result<Arc<[u8]>, Failure> {
        match self {
            Linker::Own(libraries) => libraries
                .parse()
                .and_then(|libraries| {
                    let (memory, room) = (&mut scratch.linked.lock(), scratch.take_room());
                    cm_link::executable_again(memory, room, objects, &libraries)
                })
                .map_err(|error| Failure {
                    message: error.to_string(),
                    try_next: matches!(
                        error,
                        // Some symbols are in static libraries alone.
                        LinkError::Unsupported(..) | LinkError::Undefined(..)
                    ),
                    exact: !matches!(error, LinkError::Unsupported(..)),
                }),
            Linker::System(linker) => linker.link(objects, scratch).map_err(|message| Failure {
                message,
                try_next: false,
                exact: false,
            }),
        }
    }
}

/// Writes objects to files for a program that links them.
fn files(objects: &Objects, scratch: &Scratch) -> Result<Vec<Utf8PathBuf>, String> {
    let object =
        |(index, object): (usize, &Input)| scratch.write(&format!("{index}.o"), object.bytes);
    objects.iter().enumerate().map(object).collect()
}

/// Tries linkers in turn. `link` is told which.
///
/// # Errors
/// What the linker says that knows best.
pub fn first<T>(
    linkers: &[Linker],
    mut link: impl FnMut(&Linker) -> Result<T, Failure>,
) -> Result<T, String> {
    let mut failures: Vec<Failure> = Vec::new();
    for linker in linkers {
        match link(linker) {
            Ok(linked) => return Ok(linked),
            Err(failure) => {
                let go_on = failure.try_next;
                failures.push(failure);
                if !go_on {
                    break;
                }
            }
        }
    }
    let exact = failures.iter().position(|failure| failure.exact);
    let best =
        exact.or_else(|| failures.len().checked_sub(1)).map(|best| failures.swap_remove(best));
    Err(best.map_or_else(
        || "no linker found; install one: apt-get install lld-22 libc6-dev".to_owned(),
        |failure| failure.message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str, try_next: bool, exact: bool) -> Failure {
        Failure { message: message.to_owned(), try_next, exact }
    }

    /// The results of two linkers, and what comes of them.
    #[test]
    fn the_next_linker_is_tried_and_the_best_message_shown() {
        let linkers = || {
            let libraries = || Linker::Own(Libraries::default());
            [libraries(), libraries()]
        };
        let outcome = |results: [Result<u8, Failure>; 2]| {
            let mut results = results.into_iter();
            first(&linkers(), |_| results.next().expect("no third linker"))
        };
        assert_eq!(outcome([Ok(1), Ok(2)]), Ok(1));
        assert_eq!(outcome([Err(failure("no", true, false)), Ok(2)]), Ok(2));
        assert_eq!(outcome([Err(failure("twice", false, true)), Ok(2)]), Err("twice".into()));
        let later = || Err(failure("later", false, false));
        assert_eq!(
            outcome([Err(failure("unsupported", true, false)), later()]),
            Err("later".into())
        );
        assert_eq!(
            outcome([Err(failure("undefined", true, true)), later()]),
            Err("undefined".into())
        );
        assert!(first(&[], |_| Ok(1)).is_err_and(|message| message.starts_with("no linker found")));
    }
}
