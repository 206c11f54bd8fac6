//! The numbers of deliveries and silences as a scope sees them. The store counts them for everybody, so they would reveal to somebody
//! who is limited to some tenants how many others have. Such a scope sees a different number for each, and only that one is accepted from it.

use sha2::{Digest, Sha256};

use crate::{domain::Scope, store::Upkeep};

/// What is shown instead has this bit, which no number of the store has; it still fits the integers of JSON as JavaScript reads them.
const MARK: u64 = 1 << (2 * HALF_BITS);
const HALF_BITS: u32 = 26;
const HALF: u64 = (1 << HALF_BITS) - 1;
/// Four rounds of a Feistel network can't be told from a random permutation; more cost nothing.
const ROUNDS: u8 = 8;

/// The numbers of one kind as a scope sees them.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// What the store's numbers are exchanged by.
    key: [u8; 32],
    /// Whether they are shown as they are.
    is_plain: bool,
}

impl Numbers {
    /// Those of deliveries, as that scope sees them.
    pub(crate) fn of_deliveries(store: &(impl Upkeep + ?Sized), scope: &Scope) -> Self {
        Self::of(store, scope, b"delivery\0")
    }

    /// Those of silences, as that scope sees them.
    pub(crate) fn of_silences(store: &(impl Upkeep + ?Sized), scope: &Scope) -> Self {
        Self::of(store, scope, b"silence\0")
    }

    /// The key is made of what only the store knows. Each kind has its own: whoever makes silences learns the numbers of these in order.
    fn of(store: &(impl Upkeep + ?Sized), scope: &Scope, kind: &[u8]) -> Self {
        let hashed = Sha256::new().chain_update(b"numbers\0").chain_update(kind).chain_update(store.identity());
        Self { key: hashed.finalize().into(), is_plain: scope.is_all() }
    }

    /// What is shown instead of a number of the store.
    pub(crate) fn shown(&self, number: i64) -> i64 {
        if self.is_plain {
            return number;
        }
        let (mut left, mut right) = halves(number.cast_unsigned());
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ mixed(&self.key, round, right));
        }
        (MARK | left << HALF_BITS | right).cast_signed()
    }

    /// The number of the store that is meant by what is shown; `None`: the scope is shown no such number. Whoever sees everything may also
    /// ask by a number that somebody else was shown.
    pub(crate) fn meant(&self, number: i64) -> Option<i64> {
        let shown = number.cast_unsigned();
        if shown & !(MARK - 1) != MARK {
            return self.is_plain.then_some(number);
        }
        let (mut left, mut right) = halves(shown);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ mixed(&self.key, round, left), left);
        }
        Some((left << HALF_BITS | right).cast_signed())
    }
}

const fn halves(number: u64) -> (u64, u64) {
    (number >> HALF_BITS & HALF, number & HALF)
}

fn mixed(key: &[u8; 32], round: u8, half: u64) -> u64 {
    let digest = Sha256::new().chain_update(key).chain_update([round]).chain_update(half.to_be_bytes()).finalize();
    digest.iter().take(4).fold(0, |mixed, byte| mixed << 8 | u64::from(*byte)) & HALF
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const fn limited(key: [u8; 32]) -> Numbers {
        Numbers { key, is_plain: false }
    }

    #[test]
    fn a_limited_scope_sees_other_numbers_and_only_these_are_accepted_from_it() {
        let numbers = limited([7; 32]);
        let shown: Vec<i64> = (0..2000).map(|number| numbers.shown(number)).collect();
        for (number, shown) in (0..).zip(&shown) {
            assert_eq!(numbers.meant(*shown), Some(number));
            assert_eq!(numbers.meant(number), None, "the store's own number");
            assert!((1 << 52..1 << 53).contains(shown), "{shown}");
        }
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len());
        let rising = shown.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((800..1200).contains(&rising), "their order says nothing: {rising}");
        assert_ne!(numbers.shown(1), limited([8; 32]).shown(1));
        assert_eq!(numbers.meant(-1), None);
    }

    #[test]
    fn whoever_sees_everything_is_shown_them_as_they_are() {
        let numbers = Numbers { is_plain: true, ..limited([7; 32]) };
        assert_eq!((numbers.shown(4711), numbers.meant(4711)), (4711, Some(4711)));
        assert_eq!(numbers.meant(limited([7; 32]).shown(4711)), Some(4711), "a customer may name it");
    }
}
