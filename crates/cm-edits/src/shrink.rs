//! Making a failing walk small, and writing it down as an edit script.

use crate::{
    model::{Id, Program},
    print,
    walk::{Failure, Replay, State, Statistics},
};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    time::{Duration, Instant},
};

/// What fails in going through states, and after how many.
fn fails(states: &[State]) -> Option<(String, usize)> {
    let mut replay = Replay::default();
    let mut statistics = Statistics::default();
    for (at, state) in states.iter().enumerate() {
        if let Err(message) = replay.step(state, &mut statistics) {
            return Some((message, at + 1));
        }
    }
    None
}

/// What failures have in common that are the same: what was compared, but no names.
fn class(message: &str) -> String {
    message.split([':', '(', '`', '\'']).next().unwrap_or(message).chars().take(12).collect()
}

/// A smaller walk that fails in the same way, found within some time.
pub fn shrink(failure: Failure, limit: Duration) -> Failure {
    let mut shrinking =
        Shrinking { class: class(&failure.message), end: Instant::now() + limit, best: failure };
    shrinking.drop_states();
    shrinking.drop_parts(
        |program| program.items.iter().map(|item| item.id).collect(),
        |p, id| {
            p.delete(id);
        },
    );
    shrinking.drop_parts(Program::statements, |program, id| {
        program.drop_statement(id);
    });
    shrinking.drop_states();
    shrinking.best
}

struct Shrinking {
    class: String,
    end: Instant,
    best: Failure,
}

impl Shrinking {
    /// Takes these states, if they fail in the same way.
    fn attempt(&mut self, states: &[State]) -> bool {
        if states.is_empty() || Instant::now() > self.end {
            return false;
        }
        match fails(states) {
            Some((message, count)) if class(&message) == self.class => {
                self.best = Failure { message, states: states[..count].to_vec() };
                true
            }
            _ => false,
        }
    }

    fn drop_states(&mut self) {
        // Most often the last ones are enough.
        let mut count = 1;
        while count < self.best.states.len() {
            let tail = self.best.states[self.best.states.len() - count..].to_vec();
            if self.attempt(&tail) {
                break;
            }
            count *= 2;
        }
        let mut at = 0;
        while at < self.best.states.len() {
            let mut without = self.best.states.clone();
            without.remove(at);
            if !self.attempt(&without) {
                at += 1;
            }
        }
    }

    /// Drops parts from all states, in ever smaller groups.
    fn drop_parts(&mut self, all: fn(&Program) -> Vec<Id>, drop: fn(&mut Program, Id)) {
        let parts: BTreeSet<Id> =
            self.best.states.iter().flat_map(|state| all(&state.program)).collect();
        let mut parts: Vec<Id> = parts.into_iter().collect();
        let mut size = parts.len().div_ceil(2);
        while size > 0 && Instant::now() < self.end {
            let mut at = 0;
            while at < parts.len() {
                let end = (at + size).min(parts.len());
                let mut states = self.best.states.clone();
                for state in &mut states {
                    for &id in &parts[at..end] {
                        if !is_main(&state.program, id) {
                            drop(&mut state.program, id);
                        }
                    }
                }
                match self.attempt(&states) {
                    true => parts.drain(at..end).for_each(|_| {}),
                    false => at = end,
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
}

fn is_main(program: &Program, id: Id) -> bool {
    program.item(id).is_some_and(|item| item.name == "main")
}

/// The walk as an edit script, without the lists of queries.
pub fn script(failure: &Failure) -> String {
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string can be written");
    let mut last = cm_test::Files::new();
    let mut arguments = Vec::new();
    for (at, state) in failure.states.iter().enumerate() {
        let files = print::files(&state.program);
        if at == 0 {
            for (path, text) in &files {
                line(&format!("//- {path}\n{}", text.trim_end_matches('\n')));
            }
        }
        line(&format!("//= {}", state.edit));
        if at == 0 {
            line("# cold");
        }
        if state.program.arguments != arguments {
            arguments.clone_from(&state.program.arguments);
            line(&format!("options {}", arguments.join(" ")));
        }
        for path in last.keys().filter(|path| !files.contains_key(*path)) {
            line(&format!("delete {path}"));
        }
        for (path, text) in
            files.iter().filter(|(path, text)| at > 0 && last.get(*path) != Some(text))
        {
            line(&format!("write {path}\n{}//.", text));
        }
        last = files;
    }
    line(&format!("# {}", failure.message.replace('\n', "\n# ")));
    out
}
