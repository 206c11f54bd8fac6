//! What a schedule was asked last. Finding a tick costs far more than comparing times, and all tenants of a schedule ask
//! for the same few: with their phases subtracted, for one tick or the one after it.

use std::sync::{Mutex, PoisonError};

/// The newest two answers, newest first. They change no answer, so all values of this type are equal.
#[derive(Default)]
pub(super) struct Asked(Mutex<[Option<Span>; 2]>);

/// `tick` is the first tick at or after each second from `from` to `tick`.
#[derive(Clone, Copy)]
struct Span {
    from: i64,
    tick: i64,
}

impl Asked {
    /// The first tick at or after that second: a known one, or the one that is found and known from then on.
    pub(super) fn first_from(&self, second: i64, find: impl FnOnce() -> Option<i64>) -> Option<i64> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(span) = known.into_iter().flatten().find(|span| (span.from..=span.tick).contains(&second)) {
            return Some(span.tick);
        }
        let tick = find()?;
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(span) = spans.iter_mut().flatten().find(|span| span.tick == tick) {
            span.from = span.from.min(second);
        } else {
            *spans = [Some(Span { from: second, tick }), spans[0]];
        }
        Some(tick)
    }
}

impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Asked {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tick every hundred seconds, up to a thousand.
    fn every_hundred(second: i64) -> Option<i64> {
        (second <= 1_000).then(|| second.div_euclid(100) * 100 + if second.rem_euclid(100) == 0 { 0 } else { 100 })
    }

    #[test]
    fn answers_are_those_of_the_search() {
        let asked = Asked::default();
        // Every order of steps: forth, back, and to and fro between two and three ticks.
        for second in [0, 1, 99, 100, 101, 150, 250, 120, 230, 110, 399, 301, 201, 1_001, 1_000, -1, -250, 42].repeat(3)
        {
            assert_eq!(asked.first_from(second, || every_hundred(second)), every_hundred(second), "{second}");
        }
    }

    #[test]
    fn what_is_between_a_known_second_and_its_tick_is_not_searched_again() {
        let asked = Asked::default();
        let mut searched = Vec::new();
        for second in [150, 151, 200, 201, 250, 160, 110, 120, 240] {
            asked.first_from(second, || {
                searched.push(second);
                every_hundred(second)
            });
        }
        assert_eq!(searched, [150, 201, 110]);
    }
}
