//! What is answered next: once-only answers first, then the standing one, then the usual one.

use std::collections::VecDeque;

/// The answers that are still to be given.
#[derive(Debug)]
pub(super) struct Script<T> {
    once: VecDeque<T>,
    permanent: Option<T>,
}

impl<T> Default for Script<T> {
    fn default() -> Self {
        Self { once: VecDeque::new(), permanent: None }
    }
}

impl<T: Clone> Script<T> {
    /// Puts answers behind those already waiting; each is given once.
    pub(super) fn push(&mut self, answers: impl IntoIterator<Item = T>) {
        self.once.extend(answers);
    }

    /// Gives that answer from now on, once the once-only ones are used up; `None`: the usual one again.
    pub(super) fn stand(&mut self, answer: Option<T>) {
        self.permanent = answer;
    }

    /// The next answer; `None`: the usual one.
    pub(super) fn next(&mut self) -> Option<T> {
        self.once.pop_front().or_else(|| self.permanent.clone())
    }
}
