//! The rules by code (`14-formatter-linter.md` §14.3).

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// It fails the check.
    Error,
    /// It is shown.
    Warning,
    /// It is shown, and not urgent.
    Hint,
    /// It is not shown.
    Off,
}

macro_rules! rules {
    ($($(#[$meta:meta])* $rule:ident $level:ident $before:literal $after:literal)*) => {
        /// A rule; its name is its code.
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
        )]
        pub enum Rule { $($(#[$meta])* $rule,)* }

        impl Rule {
            /// All of them, by code.
            pub const ALL: &[Rule] = &[$(Rule::$rule),*];

            /// What the configuration and the source call it.
            pub fn code(self) -> &'static str {
                match self { $(Rule::$rule => stringify!($rule),)* }
            }

            /// Its level where nothing else is configured.
            pub fn default_level(self) -> Level {
                match self { $(Rule::$rule => Level::$level,)* }
            }

            /// What it says of a name.
            pub fn message(self, name: &str) -> String {
                match self {
                    $(Rule::$rule => format!("{}{name}{} [{}]", $before, $after, self.code()),)*
                }
            }
        }
    };
}

rules! {
    /// Calls of what a machine without a system does not have.
    B001 Warning "'" "' cannot be used on bare-metal targets"
    /// Locals that are never modified.
    L002 Off "Variable '" "' is never modified, consider using 'const'"
    /// Names of functions.
    L100 Warning "Function name '" "' should be snake_case"
    /// Names of locals.
    L101 Warning "Variable name '" "' should be snake_case"
    /// Names of local constants.
    L102 Warning "Constant name '" "' should be UPPER_SNAKE_CASE or snake_case"
    /// Names of structs.
    L103 Warning "Type name '" "' should be PascalCase"
    /// Names of other types.
    L104 Warning "Type name '" "' should be PascalCase"
    /// Locals that are never read.
    W001 Warning "Variable '" "' is never used"
    /// Statements after one that does not end.
    W002 Warning "Unreachable code" ""
    /// Imported names that do not occur.
    W004 Warning "Import '" "' is never used"
    /// Parameters that are never read.
    W005 Off "Parameter '" "' is never used"
    /// Locals that hide others.
    W006 Warning "Variable '" "' hides another variable of that name"
    /// Functions that nobody can call.
    W007 Warning "Function '" "' is never used"
    /// Locals that are read before they are given a value.
    W008 Warning "Variable '" "' may be used before initialization"
    /// Attributes without effect.
    W010 Warning "Unknown attribute '" "'"
    /// Pointers that outlive what they point to.
    W102 Warning "Pointer to local variable '" "' is returned"
    /// Type parameters that do not occur.
    W200 Warning "Type parameter '" "' is never used"
    /// Variants that do not occur.
    W301 Warning "Enum variant '" "' is never used"
    /// Values of `match` that nobody sees.
    W302 Warning "Result of 'match' is not used" ""
}

impl Rule {
    /// The rule with this code.
    pub fn from_code(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}
