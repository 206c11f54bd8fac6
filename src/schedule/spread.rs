//! Where in a spread window a tenant's checks or a channel's drills lie: a stable hash of the name, so that a restart keeps the phase.
//!
//! The algorithm never changes, since every change would move every tenant: the first 8 bytes of SHA-256 of the name's UTF-8
//! bytes, read as a big-endian number, times the spread in nanoseconds, divided by 2^64, rounded down.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// The name's own delay after each tick, in `[0, spread)`; the same for ever, in every process. Zero for no spread.
#[must_use]
pub fn phase(name: &str, spread: Duration) -> Duration {
    let digest = Sha256::digest(name.as_bytes());
    let hash = digest.iter().take(8).fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
    // Both factors are below 2^64: the product fits, and its upper half is below the spread.
    let spread_ns = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
    let phase_ns = (u128::from(hash) * u128::from(spread_ns)) >> 64;
    Duration::from_nanos(u64::try_from(phase_ns).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tenant id, spread in milliseconds, phase in nanoseconds.
    const PHASES: [(&str, u64, u64); 6] = [
        ("contoso", 0, 0),
        ("contoso", 600_000, 42_047_320_891),
        ("contoso", 1, 70_078),
        ("fabrikam", 600_000, 354_105_413_840),
        ("a", 86_400_000, 68_374_736_973_133),
        ("0-9", 600_000, 514_412_964_340),
    ];

    #[test]
    fn a_tenants_phase_is_the_same_for_ever() {
        // From the written algorithm, by `sha256sum` and a calculator; not from this code.
        for (id, spread_ms, phase_ns) in PHASES {
            assert_eq!(phase(id, Duration::from_millis(spread_ms)), Duration::from_nanos(phase_ns), "{id}");
        }
    }

    #[test]
    fn phases_lie_within_the_spread_and_use_all_of_it() {
        let spread = Duration::from_mins(10);
        let mut tenths = [0_u32; 10];
        for number in 0..10_000 {
            let phase = phase(&format!("tenant-{number}"), spread);
            assert!(phase < spread);
            tenths[usize::try_from(phase.as_secs() / 60).unwrap()] += 1;
        }
        // A thousand each is expected, with a standard deviation of 30.
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_longest_spread_does_not_overflow() {
        assert!(phase("contoso", Duration::MAX) < Duration::MAX);
    }
}
