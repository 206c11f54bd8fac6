//! File descriptors: a request in flight takes one, and as many channels may hang at once as there are.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::{config::Config, web::CONNECTIONS_MAX};

/// File descriptors for the store, the listener, logs and look-ups, in addition to those for requests.
const BESIDES: u64 = 128;

/// Raises this process's own limit of open files to what the configuration may need, as far as the system lets it. Shells and
/// services often start with 1,024, whatever more is allowed.
pub fn provide(config: &Config) {
    let needed = needed_by(config);
    let limit = getrlimit(Resource::Nofile);
    let Some(better) = better(limit.current, limit.maximum, needed) else { return };
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(better), ..limit });
    if raised.is_err() || better < needed {
        let limit = limit.maximum;
        warn!(
            limit,
            needed,
            "the limit on open files is too low for all channels and checks at once; raise `ulimit -n`, \
             `LimitNOFILE=` of the unit, or `--ulimit nofile` of the container"
        );
    }
}

/// How many file descriptors the configuration may need at a time.
#[must_use]
pub fn needed_by(config: &Config) -> u64 {
    needed(config.channels.len(), config.concurrency)
}

/// One connection for each channel; for each place of a check one to Microsoft's login and one to its API; and those of our own clients.
fn needed(channels: usize, concurrency: usize) -> u64 {
    let connections = channels.saturating_add(concurrency.saturating_mul(2)).saturating_add(CONNECTIONS_MAX);
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDES)
}

/// The limit to ask for; `None`: the current one is enough. No limit is enough.
fn better(current: Option<u64>, maximum: Option<u64>, needed: u64) -> Option<u64> {
    let current = current.filter(|current| *current < needed)?;
    Some(maximum.map_or(needed, |maximum| maximum.min(needed)).max(current))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_what_is_needed_as_far_as_allowed_and_never_lowered() {
        let needed = needed(1_000, 256);
        assert_eq!(needed, 3_112);
        for (current, maximum, expected) in [
            (Some(1_024), Some(524_288), Some(needed)),
            (Some(1_024), Some(1_500), Some(1_500)),
            (Some(1_024), Some(1_024), Some(1_024)),
            (Some(1_024), None, Some(needed)),
            (Some(65_536), Some(524_288), None),
            (None, None, None),
        ] {
            assert_eq!(better(current, maximum, needed), expected, "{current:?} of {maximum:?}");
        }
    }
}
