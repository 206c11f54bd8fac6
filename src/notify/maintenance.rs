//! Maintenance windows: silences that come round.

use super::{
    Silence,
    silence::{MatchTarget, Matchers, covered_until},
};
use crate::{domain::Timestamp, schedule::Window};

/// A silence that comes round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// The window's name in the configuration.
    pub name: String,
    /// Which alerts it suppresses.
    pub matchers: Matchers,
    /// The times at which the window is open.
    pub window: Window,
}

/// Until when these silences and maintenance windows cover this, one after the other; `None`: it is to be sent now.
#[must_use]
pub fn covering(
    windows: &[Maintenance],
    silences: &[Silence],
    target: &MatchTarget<'_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let windows: Vec<_> = windows.iter().filter(|each| each.matchers.match_all(target)).collect();
    covered_until(now, |at| {
        let by_hand = silences.iter().filter_map(|silence| silence.covers(target, at));
        by_hand.chain(windows.iter().filter_map(|each| each.window.covers(at))).max()
    })
}
