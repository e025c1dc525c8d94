//! Moves in loops: a variable that is declared outside a loop and moved in it is used after the
//! move in the next round, unless there is none. Followed along the paths of control, since moving
//! something and leaving the loop is common.

use super::ctx::Ctx;
use crate::thir::LocalId;
use cm_base::At;

/// What has happened on the way to a place in the text.
#[derive(Clone, Default)]
pub(crate) struct Path {
    /// No control comes here.
    ended: bool,
    /// The moves on the way, since the innermost loop began.
    moves: Vec<(LocalId, At)>,
}

impl Path {
    fn join(mut self, other: Path) -> Path {
        match (self.ended, other.ended) {
            (_, true) => self,
            (true, _) => other,
            _ => {
                let new = other.moves.into_iter().filter(|made| !self.moves.contains(made));
                let new: Vec<_> = new.collect();
                self.moves.extend(new);
                self
            }
        }
    }
}

/// A loop that is being checked.
#[derive(Default)]
pub(crate) struct Round {
    /// The path to the loop.
    before: Path,
    /// Variables with smaller numbers are declared outside.
    outside: u32,
    /// What leads to the next round.
    next: Option<Path>,
    /// What leads out of the loop.
    out: Option<Path>,
}

impl Ctx<'_> {
    /// A move of a variable. Those declared in the loop are new in every round.
    pub fn moved_here(&mut self, local: LocalId, at: At) {
        let frame = self.top();
        if local.0 < outside(&frame.rounds) {
            frame.path.moves.push((local, at));
        }
    }

    /// Control does not go on here.
    pub fn path_ends(&mut self) {
        self.top().path.ended = true;
    }

    /// `break` and `continue`.
    pub fn path_leaves(&mut self, continues: bool) {
        let frame = self.top();
        if let Some(round) = frame.rounds.last_mut() {
            let to = if continues { &mut round.next } else { &mut round.out };
            join(to, frame.path.clone());
        }
        self.path_ends();
    }

    /// Before the first of several ways; the result is for the others.
    pub fn fork(&mut self) -> Path {
        self.top().path.clone()
    }

    /// At the end of a way, of which the next one begins at `fork`.
    pub fn next_way(&mut self, fork: &Path, ends: &mut Option<Path>) {
        let end = std::mem::replace(&mut self.top().path, fork.clone());
        join(ends, end);
    }

    /// Where several ways meet.
    pub fn meet(&mut self, ends: Option<Path>) {
        if let Some(path) = ends {
            self.top().path = path;
        }
    }

    /// A loop begins.
    pub fn enter_round(&mut self) {
        let outside = self.locals.len() as u32;
        let before = std::mem::take(&mut self.top().path);
        self.top().rounds.push(Round { before, outside, next: None, out: None });
    }

    /// A loop ends; what would be used after it was moved is reported.
    pub fn leave_round(&mut self) {
        let frame = self.top();
        let last = std::mem::take(&mut frame.path);
        let mut round = frame.rounds.pop().expect("a loop was entered");
        join(&mut round.next, last);
        let again = round.next.filter(|next| !next.ended).map_or(Vec::new(), |next| next.moves);
        for (local, at) in &again {
            let name = self.locals[local.0 as usize].name;
            self.report(*at, format!("Variable '{name}' used after move in the next round"));
            self.poisoned = true;
        }
        let mut path = round.before;
        if let Some(out) = round.out.filter(|out| !out.ended) {
            // What was reported is not reported again for a loop around this one.
            let outer = outside(&self.top().rounds);
            let new = |made: &(LocalId, At)| made.0.0 < outer && !again.contains(made);
            path.moves.extend(out.moves.into_iter().filter(new));
        }
        self.top().path = path;
    }
}

/// The variables with smaller numbers are declared outside of the innermost loop.
fn outside(rounds: &[Round]) -> u32 {
    rounds.last().map_or(0, |round| round.outside)
}

fn join(paths: &mut Option<Path>, path: Path) {
    *paths = Some(match paths.take() {
        Some(others) => others.join(path),
        None => path,
    });
}
