//! Where a channel leads as the store knows it, compared with what a replica's own files and secret stores say: pure.
//!
//! Replicas get a changed secret one after the other. Whoever serves a channel notes where it leads, so the first replica that has the new
//! secret moves the channel. If the channel then passes to a replica that still has the old secret, that one is *behind*: it sends nothing
//! on the channel until it has the new one, or until so much time has passed that the old secret is meant.

use std::time::Duration;

use crate::domain::Timestamp;

/// For how long a replica that finds the channel leading to where it led before is taken to be behind. A process keeps a secret of a store
/// or a program for five minutes, and files are changed on one machine after the other.
pub const BEHIND_FOR: Duration = Duration::from_mins(10);

/// What the store knows of where a channel leads, as keyed fingerprints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownDestination {
    /// Where it led when that was last noted; `None`: never.
    pub destination: Option<String>,
    /// Where it led before that; `None`: nowhere, or it has come back from there.
    pub before: Option<String>,
    /// When it was moved.
    pub moved_at: Option<Timestamp>,
}

/// What a replica finds of where a channel leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// As it is known.
    AsKnown,
    /// Somewhere, where nothing was known.
    First,
    /// Elsewhere.
    Elsewhere,
    /// To where it led until a short time ago: another replica has a newer secret.
    Behind,
}

impl KnownDestination {
    /// Compares it with where the channel leads by a replica's own files. `has_others`: other replicas have files of their own.
    #[must_use]
    pub fn compare(&self, destination: &str, has_others: bool, now: Timestamp) -> Found {
        let Some(known) = self.destination.as_deref() else { return Found::First };
        if known == destination {
            Found::AsKnown
        } else if has_others && self.before.as_deref() == Some(destination) && self.moved_recently(now) {
            Found::Behind
        } else {
            Found::Elsewhere
        }
    }

    /// What is noted as the destination before when it moves: none when it moves back, so that the next move counts at once.
    #[must_use]
    pub fn left_for(&self, destination: &str) -> Option<&str> {
        self.destination.as_deref().filter(|_| self.before.as_deref() != Some(destination))
    }

    /// The clock of the replica that moved it may be ahead.
    fn moved_recently(&self, now: Timestamp) -> bool {
        self.moved_at.is_some_and(|at| now.since(at).max(at.since(now)) < BEHIND_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + 60 * minutes)
    }

    fn known(destination: Option<&str>, before: Option<&str>) -> KnownDestination {
        let text = |text: Option<&str>| text.map(str::to_owned);
        KnownDestination { destination: text(destination), before: text(before), moved_at: before.map(|_| at(0)) }
    }

    #[test]
    fn a_replica_with_the_old_secret_is_behind_for_a_while_and_a_service_on_its_own_never_is() {
        let moved = known(Some("new"), Some("old"));
        for (known, found, has_others, minutes, expected) in [
            (&known(None, None), "any", true, 0, Found::First),
            (&moved, "new", true, 0, Found::AsKnown),
            (&moved, "old", true, 0, Found::Behind),
            (&moved, "old", true, 9, Found::Behind),
            (&moved, "old", true, -9, Found::Behind),
            (&moved, "old", true, 10, Found::Elsewhere),
            (&moved, "old", true, -10, Found::Elsewhere),
            (&moved, "old", false, 0, Found::Elsewhere),
            (&moved, "third", true, 0, Found::Elsewhere),
            (&known(Some("old"), None), "new", true, 0, Found::Elsewhere),
        ] {
            assert_eq!(known.compare(found, has_others, at(minutes)), expected, "{known:?} {found} {minutes}");
        }
    }

    #[test]
    fn a_channel_that_has_moved_back_moves_again_at_once() {
        let moved = known(Some("new"), Some("old"));
        assert_eq!(moved.left_for("third"), Some("new"));
        assert_eq!(moved.left_for("old"), None);
        assert_eq!(known(None, None).left_for("new"), None);
        assert_eq!(known(Some("old"), None).compare("new", true, at(0)), Found::Elsewhere);
    }
}
