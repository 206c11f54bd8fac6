//! Fleets with known truth. The events of a tenant are drawn first; its readings follow from them, with noise.
//!
//! Device secure scores are polled every 15 minutes, each tenant at its own second. Secure scores are one record a day, dated
//! midnight and read up to a day and a half later. Per tenant, drawn from the seed:
//!
//! - steps of 6–40 % of either score, of which two thirds are fixed after 2 hours to 10 days (daily scores: 3 to 10 days), and
//!   steps of 1–3 %, which no rule promises to report;
//! - one tenant in ten leaks 1 % a week, toward a floor of 300, and neither falls nor is rescored otherwise;
//! - noise of 0.05–0.4 % of the device score, of 0.02–0.1 points of the daily one;
//! - outages of 8 to 30 hours, a few hours of our own downtime, one tenant in ten whose score falls by 20 % in a weekly maintenance
//!   window, one in a hundred that swings by 15 % every 45 minutes for half a day;
//! - days on which everybody is rescored: device scores by −6 % and +5 %, daily scores by −4 points, with a spread; at the first of
//!   them, three tenants in a hundred also really lose 15–30 %. Microsoft's average of all tenants, which comes with each daily
//!   record, moves by the mean, with noise of 0.05 points, and never with a single tenant's step.
//!
//! So that each message is clearly true or false, no step follows another of the same series within three days of its end, or within
//! 16 days if it lasts, and no step comes within 16 days of a rescoring.

mod time;

use std::{f64::consts::TAU, sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use scorewatch::{
    domain::{Sample, ScoreKind, TenantId, Timestamp},
    replay::{History, Look, ScoreHistory, SeriesHistory, history::seen_again},
};

pub use self::time::{Gap, WINDOW, window_around};
use self::time::{after_gaps, before_gaps};

pub const DAY: i64 = 86_400;
const POLL: i64 = 900;
/// The start of the data: 2026-01-05, a Monday.
pub const START: Timestamp = Timestamp::from_seconds(1_767_571_200);
pub const FLOOR: f64 = 300.0;
/// How far back the rule on device scores looks.
pub const WITHIN_HOURS: u64 = 24;

/// The parameters of a fleet.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub tenants: usize,
    pub days: i64,
    pub seed: u64,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step that a rule promises to report, on its own or on the day of a rescoring.
    Step,
    /// A leak reaches the floor.
    Floor,
    /// Microsoft could not be read.
    Outage,
    /// Many steps, each true.
    Flapping,
    /// A step that no rule promises to report: it is smaller than the size of every rule, or nothing was read around its start.
    Small,
    /// It was known before.
    Maintenance,
}

/// Something that happened to a tenant, and when it was over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    pub tenant: usize,
    pub score: ScoreKind,
    pub kind: Kind,
    pub from: Timestamp,
    /// When every reading shows it, whatever the noise.
    pub certain: Timestamp,
    pub until: Option<Timestamp>,
}

/// A day on which everybody was rescored.
#[derive(Debug, Clone, Copy)]
struct Rescoring {
    score: ScoreKind,
    at: Timestamp,
    by: f64,
}

pub struct World {
    pub histories: Vec<History>,
    pub truths: Vec<Truth>,
    pub size: Size,
    /// By tenant: the periods without readings of its device score, from and until.
    gaps: Vec<Vec<Gap>>,
}

/// A factor on a level, with its start and end.
#[derive(Clone, Copy)]
struct Change {
    from: Timestamp,
    until: Timestamp,
    factor: f64,
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START.as_seconds() + seconds)
}

pub fn tenant_id(number: usize) -> TenantId {
    TenantId::parse(&format!("t{number:04}")).expect("a slug")
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

/// Microsoft's average of all tenants' secure scores, day by day.
fn averages(size: Size, rescorings: &[Rescoring]) -> Vec<Sample> {
    let mut random = StdRng::seed_from_u64(size.seed);
    let of_day = |day: i64| {
        let dated = at(day * DAY);
        let is_in_force = |one: &&Rescoring| one.score == ScoreKind::SecureScore && one.at <= dated;
        let moved: f64 = rescorings.iter().filter(is_in_force).map(|one| one.by).sum();
        Sample { at: dated, value: 48.0 + moved + 0.05 * normal(&mut random) }
    };
    (0..size.days).map(of_day).collect()
}

fn normal(random: &mut StdRng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random_range(1e-12..1.0), random.random_range(0.0..TAU));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

impl World {
    pub fn new(size: Size) -> Self {
        let rescorings: Vec<Rescoring> = [
            (ScoreKind::DeviceSecureScore, 3, -6.0),
            (ScoreKind::SecureScore, 5, -4.0),
            (ScoreKind::DeviceSecureScore, 7, 5.0),
        ]
        .into_iter()
        .map(|(score, tenths, by)| {
            let day = size.days * tenths / 10 * DAY;
            let at = if score == ScoreKind::SecureScore { at(day) } else { at(day + 36_700) };
            Rescoring { score, at, by }
        })
        .collect();
        let end = at(size.days * DAY);
        let downtimes: Vec<_> = [2, 6].map(|tenth| at(size.days * tenth / 10 * DAY + 40_000)).into_iter().collect();
        let downtimes: Vec<_> =
            downtimes.into_iter().zip([5, 8]).map(|(from, long)| (from, from.plus(hours(long)))).collect();
        let averages = averages(size, &rescorings);
        let (mut histories, mut truths, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..size.tenants {
            let mut random = StdRng::seed_from_u64(size.seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (rescorings, averages, truths) = (&rescorings, &averages, &mut truths);
            let mut life = Life { number, end, rescorings, averages, random: &mut random, truths };
            let (device, not_read) = life.device(&downtimes);
            gaps.push(not_read);
            let daily = life.daily();
            histories.push(History {
                tenant: tenant_id(number),
                name: "A tenant".into(),
                labels: Arc::new(
                    [
                        ("team".into(), if number % 2 == 0 { "a" } else { "b" }.into()),
                        ("tier".into(), if is_leaking(number) { "gold" } else { "other" }.into()),
                    ]
                    .into(),
                ),
                notify: Vec::new(),
                poll_interval: Duration::from_secs(POLL.unsigned_abs()),
                scores: vec![device, daily],
                downtimes: downtimes.clone(),
                until: end,
            });
        }
        Self { histories, truths, size, gaps }
    }

    /// When a score is read next, give or take a poll.
    pub fn read_after(&self, tenant: usize, score: ScoreKind, time: Timestamp) -> Timestamp {
        let gaps = if score == ScoreKind::DeviceSecureScore { &self.gaps[tenant][..] } else { &[] };
        after_gaps(gaps, time)
    }
}

struct Life<'a> {
    number: usize,
    end: Timestamp,
    rescorings: &'a [Rescoring],
    averages: &'a [Sample],
    random: &'a mut StdRng,
    truths: &'a mut Vec<Truth>,
}

impl Life<'_> {
    fn device(&mut self, downtimes: &[Gap]) -> (ScoreHistory, Vec<Gap>) {
        let score = ScoreKind::DeviceSecureScore;
        let (leaks, flaps) = (is_leaking(self.number), self.number % 100 == 7);
        let noise = self.random.random_range(0.0005..0.004);
        let base = if leaks { 345.0 } else { self.random.random_range(700.0..1200.0) };
        let mut changes = if leaks { Vec::new() } else { self.rescored(score) };
        let mut leak = 0.0;
        if leaks {
            leak = 0.01 / 7.0;
            // Three deviations of the noise before and after the level itself is at the floor.
            let [from, certain] = [3.0, -3.0].map(|deviations| {
                let days = (1.0 - FLOOR * (1.0 + deviations * noise) / base) / leak;
                START.plus(Duration::from_secs_f64(days * 86_400.0))
            });
            self.truths.push(Truth { tenant: self.number, score, kind: Kind::Floor, from, certain, until: None });
        } else if flaps {
            changes.extend(self.flapping(score));
        } else if self.number % 10 == 5 {
            changes.extend(self.maintenance(score));
        } else {
            changes.extend(self.steps(score, 2, base));
        }
        let gap = self.outage(score);
        let phase = self.random.random_range(0..POLL);
        let gaps: Vec<Gap> = downtimes.iter().copied().chain(gap).collect();
        self.leave_unseen(score, &gaps);
        let end = self.end;
        let polls = (0..).map(move |poll| at(phase + poll * POLL)).take_while(move |now| *now < end);
        let is_read = |now: &Timestamp| after_gaps(&gaps, *now) == *now;
        // A check that was due in the tenant's own outage failed; one that was due during our downtime was never made.
        let failed = |now: &Timestamp| !is_read(now) && after_gaps(downtimes, *now) == *now;
        let looks = polls.clone().filter(failed).map(|at| Look { at, is_good: false }).collect();
        let samples = polls.filter(is_read).collect::<Vec<_>>().into_iter().map(|now| {
            let gone = now.since(START).as_secs_f64() / 86_400.0;
            let level = level(base, &changes, now) * (1.0 - leak * gone).max(0.1);
            Sample { at: now, value: level * (1.0 + noise * normal(self.random)) }
        });
        let series = SeriesHistory {
            subject: None,
            samples: samples.collect(),
            read_at: Vec::new(),
            imported: 0,
            averages: Vec::new(),
        };
        (ScoreHistory { score, series: vec![series], looks }, gaps)
    }

    /// A step can't be seen if it is over before anything is read again, or if no reading within the rule's window can be
    /// compared with it.
    fn leave_unseen(&mut self, score: ScoreKind, gaps: &[Gap]) {
        let own = |truth: &&mut Truth| (truth.tenant, truth.score, truth.kind) == (self.number, score, Kind::Step);
        for truth in self.truths.iter_mut().filter(own) {
            truth.certain = after_gaps(gaps, truth.from);
            let is_over = truth.until.is_some_and(|until| until <= truth.certain);
            let has_baseline = truth.certain.since(before_gaps(gaps, truth.from)) < hours(WITHIN_HOURS);
            if is_over || !has_baseline {
                truth.kind = Kind::Small;
            }
        }
    }

    fn daily(&mut self) -> ScoreHistory {
        let score = ScoreKind::SecureScore;
        let noise = self.random.random_range(0.02..0.1);
        let base = self.random.random_range(55.0..80.0);
        let points: f64 =
            self.rescorings.iter().filter(|one| one.score == score).map(|one| one.by + 0.5 * normal(self.random)).sum();
        let changes = self.steps(score, 72, base);
        let days = self.end.since(START).as_secs() / 86_400;
        let (mut samples, mut read_at): (Vec<Sample>, Vec<Timestamp>) = (Vec::new(), Vec::new());
        for day in 0..i64::try_from(days).expect("days") {
            let dated = at(day * DAY);
            let is_rescored = self.rescorings.iter().any(|one| one.score == score && one.at <= dated);
            let value = level(base, &changes, dated) + if is_rescored { points } else { 0.0 };
            let late = self.random.random_range(0..36 * 3600) / POLL * POLL;
            let phase = i64::try_from(self.number).expect("a number") % POLL;
            let read = at(day * DAY + late + phase);
            samples.push(Sample { at: dated, value: value + noise * normal(self.random) });
            read_at.push(read_at.last().map_or(read, |before: &Timestamp| read.max(*before)));
        }
        let nexts = read_at.iter().skip(1).copied().chain([self.end]);
        // Reading a known record once an hour is often enough.
        let looks = read_at.iter().zip(nexts).flat_map(|(from, next)| seen_again(score, hours(1), *from, next));
        let mut looks: Vec<_> = looks.collect();
        looks.retain(|look| read_at.binary_search(&look.at).is_err());
        let series = SeriesHistory { subject: None, samples, read_at, imported: 0, averages: self.averages.to_vec() };
        ScoreHistory { score, series: vec![series], looks }
    }

    /// The tenant's part of the days on which everybody is rescored; a few lose more than that on the first.
    fn rescored(&mut self, score: ScoreKind) -> Vec<Change> {
        let mut changes = Vec::new();
        let of_score: Vec<Rescoring> = self.rescorings.iter().filter(|one| one.score == score).copied().collect();
        for (index, one) in of_score.into_iter().enumerate() {
            let by = one.by + 0.8 * normal(self.random);
            let end = self.end;
            changes.push(Change { from: one.at, until: end, factor: 1.0 + by / 100.0 });
            if index == 0 && self.number % 33 == 11 {
                let until = one.at.plus(hours(self.random.random_range(30..200)));
                let factor = 1.0 - self.random.random_range(0.15..0.30);
                changes.push(Change { from: one.at, until, factor });
                let until = Some(until);
                self.truths.push(Truth {
                    tenant: self.number,
                    score,
                    kind: Kind::Step,
                    from: one.at,
                    certain: one.at,
                    until,
                });
            }
        }
        changes
    }

    /// Steps at a distance from each other and from every rescoring.
    fn steps(&mut self, score: ScoreKind, hours_min: u64, base: f64) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        let mut now = at(3 * DAY);
        loop {
            now = now.plus(Duration::from_secs(self.random.random_range(0..60 * 86_400)));
            let is_small = self.random.random_range(0..5) == 0;
            let lost: f64 =
                if is_small { self.random.random_range(0.01..0.03) } else { self.random.random_range(0.06..0.40) };
            // A step is one of the rule's size: of the daily score, more than its three points.
            let points_min = if score == ScoreKind::SecureScore && !is_small { 3.5 } else { 0.0 };
            let lost = lost.max(points_min / level(base, &changes, now));
            let lasts = self.random.random_range(0..3) == 0;
            let until = now.plus(hours(self.random.random_range(hours_min..240)));
            let free_at = if lasts { now.plus(hours(16 * 24)) } else { until.plus(hours(72)) };
            if free_at >= self.end {
                return changes;
            }
            let is_near = |one: &Rescoring| {
                one.score == score && now.minus(hours(16 * 24)) < one.at && one.at < free_at.plus(hours(16 * 24))
            };
            if !self.rescorings.iter().any(is_near) {
                changes.push(Change { from: now, until: if lasts { self.end } else { until }, factor: 1.0 - lost });
                let kind = if is_small { Kind::Small } else { Kind::Step };
                let until = (!lasts).then_some(until);
                self.truths.push(Truth { tenant: self.number, score, kind, from: now, certain: now, until });
            }
            now = free_at;
        }
    }

    fn flapping(&mut self, score: ScoreKind) -> Vec<Change> {
        let from = at(20 * DAY + self.random.random_range(0..DAY));
        let until = from.plus(hours(12));
        self.truths.push(Truth {
            tenant: self.number,
            score,
            kind: Kind::Flapping,
            from,
            certain: from,
            until: Some(until),
        });
        let swing = |index: u32| {
            let from = from.plus(Duration::from_mins(90) * index);
            Change { from, until: from.plus(Duration::from_mins(45)), factor: 0.85 }
        };
        (0..8).map(swing).collect()
    }

    /// Every Saturday from 22:15 to 01:00, within the [window](window_around).
    fn maintenance(&mut self, score: ScoreKind) -> Vec<Change> {
        let weeks = self.end.since(START).as_secs() / (7 * 86_400);
        let week = |week: u64| {
            let from = at(i64::try_from(week).expect("weeks") * 7 * DAY + 5 * DAY + 22 * 3600 + 900);
            let until = from.plus(Duration::from_mins(165));
            self.truths.push(Truth {
                tenant: self.number,
                score,
                kind: Kind::Maintenance,
                from,
                certain: from,
                until: Some(until),
            });
            Change { from, until, factor: 0.8 }
        };
        (1..weeks).map(week).collect()
    }

    fn outage(&mut self, score: ScoreKind) -> Option<(Timestamp, Timestamp)> {
        if self.number % 10 != 9 {
            return None;
        }
        let day = self.random.random_range(2..self.end.since(START).as_secs() / 86_400 - 3);
        let from = at(i64::try_from(day).expect("a day") * DAY + 7_000);
        let until = from.plus(hours(self.random.random_range(8..30)));
        let (tenant, kind) = (self.number, Kind::Outage);
        self.truths.push(Truth { tenant, score, kind, from, certain: from, until: Some(until) });
        Some((from, until))
    }
}

fn is_leaking(number: usize) -> bool {
    number % 10 == 3
}

fn level(base: f64, changes: &[Change], now: Timestamp) -> f64 {
    let in_force = changes.iter().filter(|change| change.from <= now && now < change.until);
    in_force.fold(base, |level, change| level * change.factor)
}
