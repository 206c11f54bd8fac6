//! Which events somebody must be notified of. Written from the specification alone, to be simple rather than fast.
//!
//! Where the specification leaves a choice, the model runs once for each option ([`Latitude`]). Whatever all runs agree on is
//! required; from the first event on which they differ, an alert is open, and nothing is required of it.

use std::collections::BTreeMap;

use super::{
    no_data,
    shift::{self, Moved},
    walk::Walk,
    world::{AlertId, Seconds, When, World},
};

/// The distance from the median up to which a move belongs to a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    Raw,
    Normal,
}

/// One combination of the choices that the specification leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent choice")]
pub struct Latitude {
    pub tolerance: Tolerance,
    /// A tenant's own move ends at its last reading of the interval, not at the first that shows the shift.
    pub last_of_interval: bool,
    /// Samples move by a share of their value, not by a number of points.
    pub relative: bool,
    /// An alert that is pending when a shift comes is compared with the moved samples too.
    pub pending_moves: bool,
    /// The levels of an alert that fires move with shifts: what worsening is measured from, and the frozen baseline.
    pub notified_moves: bool,
}

const FIRST: Latitude = Latitude {
    tolerance: Tolerance::Raw,
    last_of_interval: false,
    relative: false,
    pending_moves: false,
    notified_moves: false,
};

/// All combinations that are tried.
pub const LATITUDES: [Latitude; 9] = [
    FIRST,
    Latitude { tolerance: Tolerance::Normal, ..FIRST },
    Latitude { last_of_interval: true, ..FIRST },
    Latitude { relative: true, ..FIRST },
    Latitude { pending_moves: true, ..FIRST },
    Latitude { notified_moves: true, ..FIRST },
    Latitude { notified_moves: true, relative: true, ..FIRST },
    Latitude { notified_moves: true, relative: true, tolerance: Tolerance::Normal, ..FIRST },
    Latitude { tolerance: Tolerance::Normal, last_of_interval: true, relative: true, ..FIRST },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Recovered,
    /// The level was accepted after `accept_after`.
    Accepted,
    /// With the shift that Microsoft provably made.
    AcceptedWithShift,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Fired,
    Worsened,
    Ended(Why),
}

/// Something that happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub kind: Kind,
    /// The earliest and the latest time at which it can be known.
    pub at: Seconds,
    pub latest: Seconds,
    /// The source time of the reading that shows it; the same as `at` where time alone does.
    pub happened: Seconds,
    /// Whether it may be left out.
    pub is_optional: bool,
}

/// One alert's events in time order, and the time from which nothing is required of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    pub events: Vec<Event>,
    pub open_from: Option<Seconds>,
}

impl History {
    /// Whether nothing is required at that time.
    pub fn is_open(&self, at: Seconds) -> bool {
        self.open_from.is_some_and(|from| at >= from)
    }

    /// Whether the alert fires at that time.
    pub fn is_firing(&self, at: Seconds) -> bool {
        let last = self.events.iter().rfind(|event| event.at <= at);
        last.is_some_and(|event| !matches!(event.kind, Kind::Ended(_)))
    }
}

/// The expected events of all alerts.
pub fn expected(world: &World) -> BTreeMap<AlertId, History> {
    // Only shifts and pending alerts leave a choice.
    let is_plain = world.common.is_empty() && world.rules.iter().all(|rule| rule.pending_for == 0);
    let latitudes = if is_plain { &LATITUDES[..1] } else { &LATITUDES[..] };
    let runs: Vec<_> = latitudes.iter().map(|latitude| run(world, *latitude)).collect();
    let mut expected = runs[0].clone();
    for other in &runs[1..] {
        let alerts: Vec<AlertId> = expected.keys().chain(other.keys()).copied().collect();
        for alert in alerts {
            let found = other.get(&alert).cloned().unwrap_or_default();
            agree(expected.entry(alert).or_default(), &found);
        }
    }
    no_data::add(world, &mut expected);
    expected
}

/// Leaves an alert open from the first event on which two runs differ.
fn agree(expected: &mut History, other: &History) {
    let pairs = expected.events.iter().zip(&other.events);
    let same = pairs.take_while(|(one, other)| one.kind == other.kind && one.at == other.at).count();
    let differs = [&expected.events, &other.events].into_iter().filter_map(|events| events.get(same));
    let differs = differs.map(|event| event.at);
    expected.open_from = differs.chain(expected.open_from).chain(other.open_from).min();
}

fn run(world: &World, latitude: Latitude) -> BTreeMap<AlertId, History> {
    let shifts: Vec<_> =
        world.common.iter().map(|common| (common.score, shift::moves(world, common, latitude))).collect();
    let mut histories = BTreeMap::new();
    for (number, tenant) in world.tenants.iter().enumerate() {
        for (place, series) in tenant.series.iter().enumerate() {
            let own = shifts.iter().filter(|(score, _)| *score == series.score).filter_map(|(_, moves)| moves.as_ref());
            let own = own.flatten().filter(|(of, _)| *of == number).map(|(_, moved)| *moved);
            let mut moved: Vec<Moved> = own.collect();
            moved.sort_by_key(|moved| moved.seen);
            for (rule, facts) in world.rules.iter().enumerate() {
                if facts.applies_to(tenant, series.score) && !matches!(facts.when, When::NoData(_)) {
                    let moved = if facts.fleet { &moved[..] } else { &[] };
                    let mut walk = Walk::new(world, facts, series.score, moved, latitude);
                    walk.run(&series.checks);
                    let alert = AlertId { tenant: number, rule, series: Some(place) };
                    histories.insert(alert, History { events: walk.events, open_from: walk.open_from });
                }
            }
        }
    }
    histories
}
