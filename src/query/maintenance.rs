//! Maintenance windows: what each covers, and when it opens next. A scope sees the windows that reach nowhere beyond it, like silences.

use std::time::Duration;

use serde::Serialize;

use crate::{
    config::Config,
    domain::{Scope, Timestamp},
    notify::{Maintenance, silence::Matchers},
    schedule::Window,
};

/// The most openings of one window that are listed.
pub const OPENINGS_MAX: usize = 100;
/// The most days ahead that can be asked for.
pub const DAYS_MAX: u32 = 366;

/// A maintenance window, and when it opens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MaintenanceWindow {
    /// The window's name in the configuration.
    pub name: String,
    /// Which notifications it holds.
    pub matchers: Matchers,
    /// The cron expression by which it opens.
    pub schedule: String,
    /// The time zone of the schedule.
    pub timezone: String,
    /// Until when it is open; null: it is closed now.
    pub open_until: Option<Timestamp>,
    /// When it opens next; null: never again.
    pub next: Option<Opening>,
    /// When it opens within the days that were asked for, the soonest first, at most 100 times. One that is open now is not among them.
    pub openings: Vec<Opening>,
}

/// One opening of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Opening {
    /// When the window opens.
    pub from: Timestamp,
    /// When the window closes.
    pub until: Timestamp,
}

impl Opening {
    /// When a window opens next, and each time after that.
    pub fn following(window: &Window, now: Timestamp) -> impl Iterator<Item = Self> {
        std::iter::successors(window.next(now), |(from, _)| window.next(*from))
            .map(|(from, until)| Self { from, until })
    }
}

/// The windows of the scope in the order of the configuration, with what opens within that time.
#[must_use]
pub fn list(config: &Config, scope: &Scope, within: Duration, now: Timestamp) -> Vec<MaintenanceWindow> {
    let seen = config.maintenance.iter().filter(|window| window.matchers.is_within(scope));
    seen.map(|window| of(window, now.plus(within), now)).collect()
}

fn of(Maintenance { name, matchers, window }: &Maintenance, end: Timestamp, now: Timestamp) -> MaintenanceWindow {
    let following = || Opening::following(window, now);
    let openings: Vec<_> = following().take_while(|opening| opening.from < end).take(OPENINGS_MAX).collect();
    MaintenanceWindow {
        name: name.clone(),
        matchers: matchers.clone(),
        schedule: window.from().expression().to_owned(),
        timezone: window.from().zone().name().to_owned(),
        open_until: window.covers(now),
        next: openings.first().copied().or_else(|| following().next()),
        openings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, WindowEnd};

    #[test]
    fn a_window_says_whether_it_is_open_and_when_it_opens_next() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let schedule = Schedule::parse("0 0 22 * * *", "UTC".parse().unwrap()).unwrap();
        let night = Maintenance {
            name: "night".to_owned(),
            matchers: Matchers::default(),
            window: Window::new(schedule, WindowEnd::After(Duration::from_hours(6))),
        };
        for (now, days, open_until, count) in [
            ("2026-12-01T12:00:00Z", 2, None, 2),
            ("2026-12-01T23:00:00Z", 2, Some("2026-12-02T04:00:00Z"), 2),
            ("2026-12-01T12:00:00Z", 0, None, 0),
            ("2026-12-01T12:00:00Z", 366, None, OPENINGS_MAX),
        ] {
            let now = at(now);
            let shown = of(&night, now.plus(Duration::from_hours(24 * days)), now);
            assert_eq!((shown.open_until, shown.openings.len()), (open_until.map(at), count), "{now}");
            assert_eq!(shown.next.map(|opening| opening.until.since(opening.from)), Some(Duration::from_hours(6)));
            assert!(shown.next.is_some_and(|opening| opening.from > now));
        }
    }
}
