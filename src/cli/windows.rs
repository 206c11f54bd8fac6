//! Maintenance windows, with their next openings on the clock of their own zone.

use serde::Serialize;

use crate::{config::Config, domain::Timestamp, notify::Maintenance, query::maintenance::Opening};

/// How many openings are shown.
const SHOWN: usize = 3;
/// A day and a time on the clock of the window's zone.
const DAY_AND_TIME: &str = "%a %Y-%m-%d %H:%M";

/// A maintenance window, and when it opens next.
#[derive(Debug, Serialize)]
pub(super) struct WindowLine {
    pub(super) name: String,
    pub(super) covers: String,
    pub(super) schedule: String,
    pub(super) timezone: String,
    pub(super) next: Vec<ShownOpening>,
    /// Until when it is open, as local time in the window's zone; `None`: it is closed now.
    #[serde(skip)]
    pub(super) open_until: Option<String>,
}

/// One opening of a maintenance window.
#[derive(Debug, Serialize)]
pub(super) struct ShownOpening {
    #[serde(flatten)]
    opening: Opening,
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
    // The day is left out if it is the same.
    let end_of = |begin: Timestamp, end: Timestamp| {
        let [begin, end] = [begin, end].map(|at| from.zone().clock_at(at));
        end.strftime(if begin.date() == end.date() { "%H:%M" } else { DAY_AND_TIME }).to_string()
    };
    let shown = |opening: Opening| {
        let begin = from.zone().clock_at(opening.from).strftime(DAY_AND_TIME);
        ShownOpening { opening, shown: format!("{begin} to {}", end_of(opening.from, opening.until)) }
    };
    let covers = maintenance.matchers.to_string();
    WindowLine {
        name: maintenance.name.clone(),
        covers: if covers.is_empty() { "everything".to_owned() } else { covers },
        schedule: from.expression().to_owned(),
        timezone: from.zone().to_string(),
        next: Opening::following(window, now).take(SHOWN).map(shown).collect(),
        open_until: window.covers(now).map(|until| end_of(now, until)),
    }
}
