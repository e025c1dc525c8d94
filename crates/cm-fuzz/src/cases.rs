//! The two kinds of cases.

use crate::{check, compare, programs, seeds};
use cm_test::mutate::{self, Case};
use std::{io, time::Duration};

/// Where cases come from, and what must hold of them.
pub enum Cases {
    /// Conformance programs that are damaged.
    Damaged(Vec<String>),
    /// Programs that are right.
    Grown,
}

impl Cases {
    /// The cases.
    ///
    /// # Errors
    /// If the conformance programs cannot be read.
    pub fn new(grown: bool) -> io::Result<Cases> {
        if grown { Ok(Cases::Grown) } else { seeds::programs().map(Cases::Damaged) }
    }

    /// The case of a step.
    pub fn case(&self, seed: u64, step: u64) -> Case {
        match self {
            Cases::Damaged(seeds) => mutate::case(seeds, seed, step),
            Cases::Grown => Case { before: None, text: programs::program(seed, step) },
        }
    }

    /// Checks a case. What is wrong starts with a word that says of which kind it is.
    ///
    /// # Errors
    /// If something is wrong.
    pub fn check(&self, case: &Case) -> Result<(), String> {
        match self {
            Cases::Damaged(_) => check::check(case),
            Cases::Grown => compare::compare(&case.text),
        }
    }

    /// The longest that a case may take.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(if matches!(self, Cases::Grown) { 100 } else { 20 })
    }

    /// The argument that chooses them.
    pub fn argument(&self) -> Option<&'static str> {
        matches!(self, Cases::Grown).then_some("--programs")
    }
}
