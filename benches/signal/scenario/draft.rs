//! A world that is being built: tenants with levels, the changes of these, and the times of the readings.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::super::{
    Claim, Trial,
    reference::world::{
        Channel, Check, Common, DAY, Evidence, Fleet, HOUR, MINUTE, Outcome, Rule, Score, Seconds, Series, Severity,
        Size, Span, Tenant, When, World,
    },
};

pub const QUARTER: Seconds = 15 * MINUTE;

/// When a tenant is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    pub every: Seconds,
    /// Only at these hours of the day, on working days.
    pub hours: Option<(Seconds, Seconds)>,
}

impl Timetable {
    pub const fn every(every: Seconds) -> Self {
        Self { every, hours: None }
    }

    fn is_open(&self, at: Seconds) -> bool {
        let (weekday, hour) = (at.div_euclid(DAY) % 7, at.rem_euclid(DAY) / HOUR);
        self.hours.is_none_or(|(from, until)| weekday < 5 && (from..until).contains(&hour))
    }

    fn cron(&self) -> String {
        let days = if self.hours.is_some() { "MON-FRI" } else { "*" };
        let hours = self.hours.map_or("*".to_owned(), |(from, until)| format!("{from}-{}", until - 1));
        if self.every < HOUR {
            format!("0 */{} {hours} * * {days}", self.every / MINUTE)
        } else if self.every < DAY {
            format!("0 0 */{} * * {days}", self.every / HOUR)
        } else {
            format!("0 0 0 * * {days}")
        }
    }
}

/// A change of a level, in percent of a device score, or in points. `until`: when it is undone.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub from: Seconds,
    pub until: Seconds,
    pub by: f64,
}

/// A tenant that is being built.
pub struct Life {
    pub score: Score,
    pub base: f64,
    pub changes: Vec<Change>,
    /// When its checks fail.
    pub failing: Vec<Span>,
    pub timetable: Timetable,
    pub labels: Vec<(String, String)>,
    pub phase: Seconds,
}

impl Life {
    pub fn level(&self, at: Seconds) -> f64 {
        let in_force = self.changes.iter().filter(|change| change.from <= at && at < change.until);
        in_force.fold(self.base, |level, change| self.score.move_by(level, change.by))
    }
}

/// A world that is being built.
pub struct Draft {
    pub random: StdRng,
    pub lives: Vec<Life>,
    pub world: World,
    /// How far a reading may be from its level, in percent of it.
    pub noise: f64,
    pub claims: Vec<Claim>,
}

impl Draft {
    /// A world of tenants with device scores that are read every quarter of an hour.
    pub fn new(name: &str, seed: u64, tenants: usize, days: Seconds) -> Self {
        let salt = name.bytes().fold(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |hash, byte| {
            hash.rotate_left(7) ^ u64::from(byte).wrapping_mul(0x100_0000_01b3)
        });
        let mut random = StdRng::seed_from_u64(salt);
        let is_even = random.random::<bool>();
        let world = World {
            tenants: Vec::new(),
            rules: vec![drop_rule()],
            channels: vec![channel("soc", None), channel("own", Some((0..tenants.min(3)).collect()))],
            fleet: Fleet { hold: 10 * MINUTE, spread: 0, at_least: 10, share_percent: 33.0, accepts_proven: true },
            common: Vec::new(),
            downtime: Vec::new(),
            silences: Vec::new(),
            average: Vec::new(),
            until: days * DAY,
        };
        let noise = [0.0, 0.02, 0.1][random.random_range(0..3)];
        let mut draft = Self { random, lives: Vec::new(), world, noise, claims: Vec::new() };
        for _ in 0..tenants {
            let base = if is_even { 400.0 } else { draft.random.random_range(350.0..900.0_f64).round() };
            draft.lives.push(Life {
                score: Score::Device,
                base,
                changes: Vec::new(),
                failing: Vec::new(),
                timetable: Timetable::every(QUARTER),
                labels: Vec::new(),
                phase: 0,
            });
        }
        draft
    }

    /// A time between two, in whole minutes.
    pub fn time(&mut self, from: Seconds, until: Seconds) -> Seconds {
        self.random.random_range(from / MINUTE..until / MINUTE) * MINUTE
    }

    pub fn percent(&mut self, from: f64, until: f64) -> f64 {
        self.random.random_range(from..until)
    }

    /// Some of the tenants, each once.
    pub fn some(&mut self, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.lives.len()).collect();
        let take = count.min(all.len());
        for place in 0..take {
            let other = self.random.random_range(place..all.len());
            all.swap(place, other);
        }
        all.truncate(take);
        all
    }

    pub fn change(&mut self, tenant: usize, from: Seconds, until: Seconds, by: f64) {
        self.lives[tenant].changes.push(Change { from, until, by });
    }

    /// Moves these tenants at one instant by about the same amount, and records that for the reference model. The end moves all of
    /// them as well.
    pub fn common(&mut self, tenants: &[usize], from: Seconds, until: Option<Seconds>, by: f64) {
        self.common_with(tenants, from, until, by, Evidence::None);
    }

    pub fn common_with(
        &mut self,
        tenants: &[usize],
        from: Seconds,
        until: Option<Seconds>,
        by: f64,
        evidence: Evidence,
    ) {
        let scatter = by.abs() * 0.03;
        for &tenant in tenants {
            let own = by + self.random.random_range(-scatter..scatter);
            self.change(tenant, from, until.unwrap_or(Seconds::MAX), own);
        }
        let score = self.lives[tenants[0]].score;
        for at in [Some(from), until].into_iter().flatten() {
            self.world.common.push(Common { score, at, evidence, tenants: tenants.to_vec() });
        }
    }

    /// A loss of a single tenant, of which a rule must report the start and the end.
    pub fn own(&mut self, tenant: usize, from: Seconds, until: Option<Seconds>, by: f64, rule: usize) {
        self.change(tenant, from, until.unwrap_or(Seconds::MAX), by);
        self.claim(tenant, rule, from, false);
        if let Some(until) = until {
            self.claim(tenant, rule, until, true);
        }
    }

    /// Claims an event within two intervals of that time.
    pub fn claim(&mut self, tenant: usize, rule: usize, from: Seconds, is_end: bool) {
        let until = from + 2 * self.lives[tenant].timetable.every;
        self.claims.push(Claim { tenant, rule, is_end, from, until });
    }

    /// Spreads the tenants' checks over that time, and sets `spread` in the configuration.
    pub fn spread(&mut self, spread: Seconds) {
        self.world.fleet.spread = spread;
        let count = Seconds::try_from(self.lives.len()).expect("few");
        for (number, life) in (0..).zip(&mut self.lives) {
            life.phase = spread * number / count / MINUTE * MINUTE;
        }
    }

    /// Reads all tenants, and returns the trial.
    pub fn finish(mut self) -> Trial {
        for number in 0..self.lives.len() {
            let checks = self.checks(number);
            let life = &self.lives[number];
            self.world.tenants.push(Tenant {
                name: format!("t{number:02}"),
                labels: life.labels.clone(),
                every: life.timetable.every,
                cron: life.timetable.cron(),
                series: vec![Series { score: life.score, checks }],
            });
        }
        self.world.common.sort_by_key(|common| common.at);
        Trial { claims: self.claims, ..Trial::new(self.world) }
    }

    fn checks(&mut self, number: usize) -> Vec<Check> {
        let life = &self.lives[number];
        let ticks = (0..self.world.until / life.timetable.every).map(|tick| tick * life.timetable.every);
        let ticks: Vec<Seconds> =
            ticks.filter(|tick| life.timetable.is_open(*tick)).map(|tick| tick + life.phase).collect();
        let (mut checks, mut known) = (Vec::new(), None);
        for at in ticks {
            let life = &self.lives[number];
            let is_failing = life.failing.iter().any(|(from, until)| (*from..*until).contains(&at));
            let outcome = if self.world.is_downtime(at) {
                Outcome::Missed
            } else if is_failing {
                Outcome::Failed
            } else if life.score == Score::Secure {
                // A day's record is available from six in the morning.
                let dated = (at - 6 * HOUR).div_euclid(DAY) * DAY;
                if known == Some(dated) || dated < 0 {
                    Outcome::Same
                } else {
                    known = Some(dated);
                    Outcome::Read { value: self.value(number, dated), dated }
                }
            } else {
                Outcome::Read { value: self.value(number, at), dated: at }
            };
            // Before the first record, nothing is known.
            if outcome != Outcome::Same || known.is_some() {
                checks.push(Check { at, outcome });
            }
        }
        checks
    }

    fn value(&mut self, number: usize, at: Seconds) -> f64 {
        let level = self.lives[number].level(at);
        let noise = if self.noise > 0.0 { self.random.random_range(-self.noise..self.noise) } else { 0.0 };
        let value = level * (1.0 + noise / 100.0);
        if self.lives[number].score == Score::Device { value } else { value.clamp(0.5, 99.5) }
    }
}

pub fn channel(name: &str, audience: Option<Vec<usize>>) -> Channel {
    Channel { name: name.to_owned(), audience, digest_over: 20 }
}

/// A fall of five percent within a day, which is critical.
pub fn drop_rule() -> Rule {
    let when = When::Drop(Size::Percent(5.0), 24 * HOUR);
    Rule { severity: Severity::Critical, ..Rule::new("drop", Score::Device, when) }
}

/// A rule that fires below the bound.
pub fn low_rule(bound: f64) -> Rule {
    Rule::new("low", Score::Device, When::Below(bound))
}

/// Six hours without data.
pub fn blind_rule() -> Rule {
    Rule { score: None, ..Rule::new("blind", Score::Device, When::NoData(6 * HOUR)) }
}
