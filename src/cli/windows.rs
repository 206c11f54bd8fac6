//! Maintenance windows, with their next openings on the clock of their own zone.

use serde::Serialize;

use crate::{config::Config, domain::Timestamp, notify::Maintenance};

/// How many openings are shown.
const SHOWN: usize = 3;

/// A maintenance window, and when it opens next.
#[derive(Debug, Serialize)]
pub(super) struct WindowLine {
    pub(super) name: String,
    pub(super) covers: String,
    pub(super) schedule: String,
    pub(super) timezone: String,
    pub(super) next: Vec<Opening>,
    /// Whether it is open now.
    #[serde(skip)]
    pub(super) is_open: bool,
}

/// One opening of a maintenance window.
#[derive(Debug, Serialize)]
pub(super) struct Opening {
    from: Timestamp,
    until: Timestamp,
    /// The same instants as local time in the window's zone.
    #[serde(skip)]
    pub(super) shown: String,
}

/// Every maintenance window of the configuration.
pub(super) fn lines(config: &Config, now: Timestamp) -> Vec<WindowLine> {
    config.maintenance.iter().map(|maintenance| line(maintenance, now)).collect()
}

fn line(maintenance: &Maintenance, now: Timestamp) -> WindowLine {
    let (window, from) = (&maintenance.window, maintenance.window.from());
    let next = std::iter::successors(window.next(now), |(begin, _)| window.next(*begin)).take(SHOWN);
    let opening = |(from_at, until): (Timestamp, Timestamp)| {
        let [begin, end] = [from_at, until].map(|at| from.zone().clock_at(at));
        let end = if begin.date() == end.date() { end.strftime("%H:%M") } else { end.strftime("%a %Y-%m-%d %H:%M") };
        Opening { from: from_at, until, shown: format!("{} to {end}", begin.strftime("%a %Y-%m-%d %H:%M")) }
    };
    let covers = maintenance.matchers.to_string();
    WindowLine {
        name: maintenance.name.clone(),
        covers: if covers.is_empty() { "everything".to_owned() } else { covers },
        schedule: from.expression().to_owned(),
        timezone: from.zone().to_string(),
        next: next.map(opening).collect(),
        is_open: window.covers(now).is_some(),
    }
}
