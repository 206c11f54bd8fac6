//! The events of a world, as plain data. Time is in seconds since the world began, a Monday at midnight UTC.

/// Seconds since the world began, or a number of seconds.
pub type Seconds = i64;

pub const MINUTE: Seconds = 60;
pub const HOUR: Seconds = 3_600;
pub const DAY: Seconds = 86_400;

/// A kind of score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Score {
    /// Points without a maximum, read at each check.
    Device,
    /// 0 to 100, lower is better, read at each check.
    Exposure,
    /// Percent, one record a day.
    Secure,
}

impl Score {
    /// How far a value moved: in percent where the unit has no maximum, else in points.
    pub fn moved(self, before: f64, after: f64) -> f64 {
        if self == Self::Device { (after - before) * 100.0 / before } else { after - before }
    }

    /// `value` after a move of that size.
    pub fn move_by(self, value: f64, by: f64) -> f64 {
        if self == Self::Device { value * (1.0 + by / 100.0) } else { value + by }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// The size of a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    Percent(f64),
    Points(f64),
}

/// The condition of a rule. `within` and the time of `NoData` are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    Below(f64),
    Above(f64),
    Drop(Size, Seconds),
    Rise(Size, Seconds),
    NoData(Seconds),
}

/// The condition for an alert to be over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recover {
    Above(f64),
    Below(f64),
    /// This share of the greatest loss, in percent.
    Regained(f64),
}

/// A rule as its author wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: String,
    /// `None`: every score, of `NoData` only.
    pub score: Option<Score>,
    /// The label `key: value` that a tenant must have.
    pub label: Option<(String, String)>,
    pub when: When,
    pub recover: Option<Recover>,
    /// The rule's `for`, in seconds.
    pub pending_for: Seconds,
    pub severity: Severity,
    pub repeat: Option<Seconds>,
    pub step: Option<Size>,
    pub accept_after: Option<Seconds>,
    /// Whether it takes part in fleet shifts.
    pub fleet: bool,
    /// Whether many changes are merged into one "unstable".
    pub flapping: bool,
}

impl Rule {
    pub fn new(name: &str, score: Score, when: When) -> Self {
        Self {
            name: name.to_owned(),
            score: Some(score),
            label: None,
            when,
            recover: None,
            pending_for: 0,
            severity: Severity::Warning,
            repeat: None,
            step: None,
            accept_after: None,
            fleet: true,
            flapping: false,
        }
    }

    pub fn applies_to(&self, tenant: &Tenant, score: Score) -> bool {
        self.score.is_none_or(|own| own == score)
            && self.label.as_ref().is_none_or(|label| tenant.labels.contains(label))
    }
}

/// The outcome of one scheduled check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// A new reading; `dated` is the time of its source.
    Read {
        value: f64,
        dated: Seconds,
    },
    /// The source gave a record that is already known.
    Same,
    Failed,
    /// The check was due, but nobody made it.
    Missed,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    pub at: Seconds,
    pub outcome: Outcome,
}

/// One score of a tenant with all its checks, in time order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub score: Score,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    pub name: String,
    pub labels: Vec<(String, String)>,
    /// The shortest time between two scheduled checks.
    pub every: Seconds,
    /// Its schedule as cron with seconds, in UTC, without the tenant's phase.
    pub cron: String,
    pub series: Vec<Series>,
}

/// The tenants that a channel may show; `None`: all.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    pub name: String,
    pub audience: Option<Vec<usize>>,
    pub digest_over: usize,
}

impl Channel {
    pub fn may_show(&self, tenant: usize) -> bool {
        self.audience.as_ref().is_none_or(|audience| audience.contains(&tenant))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fleet {
    pub hold: Seconds,
    pub spread: Seconds,
    pub at_least: usize,
    pub share_percent: f64,
    /// Whether a change that Microsoft provably made is accepted without asking.
    pub accepts_proven: bool,
}

impl Fleet {
    /// The longest that a notification may wait for the rest of the fleet.
    pub fn wait(&self) -> Seconds {
        if self.hold == 0 { 0 } else { self.hold.max(self.spread) }
    }
}

/// The known reason why many scores moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The source gives none.
    None,
    /// Controls were added or retired, or the maximum changed.
    ChangedByMicrosoft,
    /// Points were lost on controls that were there, with an unchanged maximum.
    LostByTenants,
}

/// Something that moved the score of many tenants at one instant. The quorum decides whether it is a fleet shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    pub score: Score,
    pub at: Seconds,
    pub evidence: Evidence,
    pub tenants: Vec<usize>,
}

/// A period: its start, and its end, exclusive.
pub type Span = (Seconds, Seconds);

/// All that happened to the tenants of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub tenants: Vec<Tenant>,
    pub rules: Vec<Rule>,
    pub channels: Vec<Channel>,
    pub fleet: Fleet,
    pub common: Vec<Common>,
    /// When our own service did not run, or its machine was suspended.
    pub downtime: Vec<Span>,
    /// When a person silenced everything.
    pub silences: Vec<Span>,
    /// By day: Microsoft's average of all its tenants.
    pub average: Vec<(Seconds, f64)>,
    pub until: Seconds,
}

impl World {
    /// How much of that time was our downtime.
    pub fn downtime_between(&self, from: Seconds, until: Seconds) -> Seconds {
        self.downtime.iter().map(|(start, end)| (until.min(*end) - from.max(*start)).max(0)).sum()
    }

    pub fn is_downtime(&self, at: Seconds) -> bool {
        self.downtime.iter().any(|(from, until)| (*from..*until).contains(&at))
    }

    /// When the silences that cover that time are over; silences may touch.
    pub fn unsilenced(&self, at: Seconds) -> Seconds {
        let over = self.silences.iter().filter(|(from, until)| (*from..*until).contains(&at)).map(|(_, until)| *until);
        over.max().map_or(at, |until| self.unsilenced(until))
    }
}

/// One rule for one tenant and, except for blindness, one of its series. All are indices into the world's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertId {
    pub tenant: usize,
    pub rule: usize,
    pub series: Option<usize>,
}
