//! Test fixtures: several files, markers, edit scripts. Data alone; who runs them lies above.
//!
//! A fixture is a text like
//!
//! ```text
//! //- /math.cm
//! export int add(int a, int b) { return a + b; }
//! //- /main.cm
//! import ./math::{add};
//! int main() { return add(1, 2); }
//! //= 1 cold            exit: 3
//! //= 2 edit /math.cm  `a + b` => `b + a`
//! rerun: parse(math) item_tree(math) body(math::add)
//!     mir(math::add)
//! //= 3 write /main.cm
//! int main() { return 0 }
//! //.
//! errors: line 1 of /main.cm: Expected ';'
//! //= 4 reopen          rerun: none
//! ```
//!
//! A section `//- PATH` is a file of the first revision; text before the first section is
//! `/main.cm`. `//- program DIRECTORY` adds the files of a directory. `//= NUMBER` begins a revision; so does `//= LABEL`, where the label is the rest of the
//! line. After a number, on the same line, and on further lines, follow
//!
//! * what is done: `cold` (nothing, for the first revision), ``edit PATH `OLD` => `NEW` ``,
//!   `delete PATH`, `touch PATH`, `move PATH => PATH`, `reopen`, `elsewhere`, `options …` and
//!   `write PATH`, whose text goes on to a line `//.` or to the next revision. `meanwhile` before one
//!   of them: while the build runs;
//! * what is expected: `rerun:` and `fetched:` (exact lists of `query(key)`, or `query(key; key)` for
//!   several, which indented lines continue, or `none`), `exit:`, `stdout:` (a line, or several lines that begin with `| `) and
//!   `errors:` (`line N of PATH: PHRASE`, repeated for several, or `none`).
//!
//! Lines of a script that begin with `#` are comments.

mod fixture;
mod markers;
pub mod mutate;
pub mod process;
pub mod random;
mod script;
pub mod shapes;

pub use fixture::{Files, Fixture, ParseError};
pub use markers::{Annotation, Marked, markers};
pub use script::{Action, ActionError, Expect, ExpectedError, Revision};
