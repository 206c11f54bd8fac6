//! Counts the messages about fleets with known truth: from this product with all its stages, and by the semantics of a plain tool.
//!
//! **What is promised.** Each [`Kind::Step`] and each [`Kind::Floor`] starts once and ends at most once: when it is fixed, or when
//! `accept_after` accepts it as the new level. The rules promise to report the start (recall) while it is true.
//!
//! **What is false.** A message about a start is true while something that its rule judges is wrong with that tenant, including
//! steps that are smaller than promised and every swing of a flapping score. A message about an end is true after one of them has
//! ended. Everything else is false: noise, "recovered" although nothing did, the effect of a rescoring on a tenant that lost nothing
//! else (with the exception below), and anything that a maintenance window should have suppressed. A message may be late by at most
//! [`late`], counted from the next reading after the event, without the time in which a window suppresses it.
//!
//! **Shifts.** A rescoring that reaches tenants one after another is recognized only once the quorum has moved. Messages that are
//! sent before, and those about tenants that moved farther than the others, are counted separately unless the tenant also lost
//! something of its own. So are the ends of alerts that a notice covered, as each of these is an ordinary alert.
//!
//! **Messages per event** are all messages to the channel that sees everybody, except those about outages, flapping, notices and
//! shifts, divided by the starts and ends that happened. Reminders are switched off for both.

pub mod plain;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use scorewatch::{
    domain::{ChannelName, ScoreKind, Selector, SeriesId, TenantId, Timestamp},
    notify::{Maintenance, NotificationType, fleet::group::Occasion, route::Audience, silence::Matchers},
    replay::{Fleet, Message, Plan, Receiver, many::walk_all, send},
    rule::{BaselineChoice, Change, Condition, FlapLimit, Recover, Rule, RuleName, Size as Loss, TransitionKind},
    schedule::{Schedule, Window, WindowEnd, Zone},
};

use self::world::{Kind, Truth, World};

const ACCEPT_AFTER: Duration = Duration::from_hours(14 * 24);

/// A message that a channel received.
#[derive(Debug, Clone, Copy)]
pub struct Reported {
    pub tenant: usize,
    pub score: ScoreKind,
    pub at: Timestamp,
    pub is_end: bool,
    pub is_outage: bool,
    /// Whether it separately reports the tenant's part in a rescoring, or the end of an alert that a notice covered.
    pub is_of_shift: bool,
}

/// The counts of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    pub promised: usize,
    pub reported: usize,
    pub events: usize,
    pub messages: usize,
    pub false_messages: usize,
    pub false_per_tenant_year: f64,
    /// Messages that separately report a rescoring, and nothing else.
    pub of_shifts: usize,
    pub delay_median_minutes: [f64; 2],
    pub delay_p95_minutes: [f64; 2],
    pub flapping_episodes: usize,
    pub flapping_messages: usize,
    pub outages: usize,
    pub outages_reported: usize,
    /// Notices of fleet shifts, by channel.
    pub notices: BTreeMap<String, usize>,
    /// False messages by day, to look into their causes.
    pub false_by_day: BTreeMap<i64, usize>,
    /// Promised events that were not reported.
    pub missed: Vec<Truth>,
}

impl Tally {
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
    pub fn messages_per_event(&self) -> f64 {
        self.messages as f64 / self.events as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
    pub fn recall(&self) -> f64 {
        self.reported as f64 / self.promised as f64
    }
}

/// How late a message may be. Device scores: two polls, the wait for the fleet and `for`. Daily scores: the delay of a record, and
/// a day.
fn late(score: ScoreKind) -> Duration {
    if score.record_interval().is_zero() { Duration::from_hours(2) } else { Duration::from_hours(60) }
}

/// The time until which a message about an event that was first read at `read` is in time.
fn deadline(read: Timestamp, score: ScoreKind) -> Timestamp {
    let begin = world::window_around(read).map_or(read, |(_, until)| until);
    let end = begin.plus(late(score));
    // A notification made before a window may wait for the window's end, and then has the rest of its time.
    world::window_around(end).map_or(end, |(from, until)| until.plus(end.since(from)))
}

fn rule(name: &str, score: Option<ScoreKind>, when: Condition) -> Rule {
    Rule {
        score,
        accept_after: when.change().map(|_| ACCEPT_AFTER),
        notify: ["soc", "team-a", "team-b"].map(|name| ChannelName::parse(name).expect("a name")).into(),
        flapping: Some(FlapLimit::default()),
        ..Rule::new(RuleName::parse(name).expect("a name"), when)
    }
}

/// The starter rules without reminders, and one for the daily score.
pub fn plan() -> Plan {
    let drop =
        |size, hours| Condition::Drop(Change { size, within: Duration::from_hours(hours), from: BaselineChoice::Best });
    let gold = [("tier".into(), "gold".into())].into();
    let floor = Rule {
        tenants: Selector(gold),
        recover: Some(Recover::Above(320.0)),
        hold: Duration::from_hours(1),
        step: Some(Loss::Points(20.0)),
        ..rule("floor", Some(ScoreKind::DeviceSecureScore), Condition::Below(world::FLOOR))
    };
    let rules = vec![
        rule("drop", Some(ScoreKind::DeviceSecureScore), drop(Loss::Percent(5.0), world::WITHIN_HOURS)),
        floor,
        rule("daily-drop", Some(ScoreKind::SecureScore), drop(Loss::Points(3.0), 72)),
        rule("blind", Some(ScoreKind::DeviceSecureScore), Condition::NoData(Duration::from_hours(6))),
    ];
    let receiver = |label: Option<&str>| {
        let labels = label.map(|team| ("team".into(), team.into())).into_iter().collect();
        let audience = Audience { tenants: None, labels: Selector(labels) };
        Receiver { audience, digest_over: Some(20), pace: Duration::from_secs(1), ..Receiver::default() }
    };
    let receivers = [("soc", None), ("team-a", Some("a")), ("team-b", Some("b"))];
    let window = Window::new(
        Schedule::parse("0 0 22 * * SAT", Zone::utc()).expect("a schedule"),
        WindowEnd::After(world::WINDOW),
    );
    Plan {
        rules: rules.into_iter().map(Arc::new).collect(),
        receivers: receivers.map(|(name, label)| (ChannelName::parse(name).expect("a name"), receiver(label))).into(),
        maintenance: vec![Maintenance { name: "patch-night".to_owned(), matchers: Matchers::default(), window }],
        ..Plan::default()
    }
}

/// The messages of this product to the channel that sees everybody, and the notices by channel.
pub fn product(world: &World) -> (Vec<Reported>, BTreeMap<String, usize>) {
    let plan = plan();
    let fleet = Fleet::of(&plan, &world.histories);
    let messages = walk_all(&plan, &fleet, world.histories.iter(), || ()).expect("few enough");
    let outcome = send(&plan, &world.histories, &fleet, messages);
    let (mut reported, mut notices, mut covered) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for sent in &outcome.sent {
        if let Some(notice) = sent.notice {
            // Notices of falls. Tenants that are read later have follow-ups, and ends that come together are a notice as well.
            let facts = outcome.notices[notice].data.fleet.as_ref();
            if facts.is_some_and(|fleet| fleet.occasion == Occasion::Shift && fleet.median < 0.0) {
                *notices.entry(sent.channel.to_string()).or_default() += 1;
            }
            covered.extend(sent.says.iter().map(|&place| firing(&outcome.messages[place])));
        } else if sent.channel.as_str() == "soc" {
            let is_digest = sent.kind == NotificationType::Digest;
            // Each line of a digest counts as a message. A notification that a newer one of the same alert covers has no line.
            let said = if is_digest { &sent.says[..] } else { &sent.says[sent.says.len() - 1..] };
            let stands_behind = |place: usize| {
                let message = &outcome.messages[said[place]];
                said[place + 1..].iter().any(|&later| message.goes_along_with(&outcome.messages[later]))
            };
            for place in (0..said.len()).filter(|&place| !stands_behind(place)) {
                let message = &outcome.messages[said[place]];
                if is_part(&fleet, message) {
                    covered.insert(firing(message));
                }
                let is_of_shift = covered.contains(&firing(message));
                reported.push(Reported { is_of_shift, ..of(message, sent.at) });
            }
        }
    }
    (reported, notices)
}

/// The firing of the alert that a message is about.
fn firing(message: &Message) -> (TenantId, RuleName, Timestamp) {
    (message.tenant.clone(), message.rule.name.clone(), message.transition.since)
}

/// Whether a message reports a movement that turned out to be part of a rescoring.
fn is_part(fleet: &Fleet, message: &Message) -> bool {
    let Some(score) = message.score.filter(|_| message.transition.kind == TransitionKind::Fired) else { return false };
    let times = [message.transition.observed_at, Some(message.transition.since)];
    let series = SeriesId { score, subject: message.subject.as_ref() };
    let parts = fleet.parts(&message.tenant, series);
    parts.iter().any(|part| times.contains(&Some(part.shifted_by.at)))
}

fn of(message: &Message, at: Timestamp) -> Reported {
    let tenant = message.tenant.as_str()[1..].parse().expect("a number");
    let is_end = matches!(message.transition.kind, TransitionKind::Resolved(_));
    let is_outage = matches!(message.rule.when, Condition::NoData(_));
    let score = message.score.unwrap_or(ScoreKind::DeviceSecureScore);
    Reported { tenant, score, at, is_end, is_outage, is_of_shift: false }
}

/// Whether a message is true.
fn is_true(world: &World, reported: &Reported, truth: &Truth) -> bool {
    if (reported.tenant, reported.score) != (truth.tenant, truth.score)
        || reported.is_outage != (truth.kind == Kind::Outage)
    {
        return false;
    }
    let read_after = |time: Timestamp| world.read_after(truth.tenant, truth.score, time);
    let is_in_time = |end: Timestamp| reported.at < deadline(read_after(end), reported.score);
    let ended = |end: Timestamp| end <= reported.at && is_in_time(end);
    // A loss that lasts is the new level from then on.
    let accepted = || read_after(truth.from).plus(ACCEPT_AFTER);
    match truth.kind {
        Kind::Maintenance => false,
        Kind::Step | Kind::Small if reported.is_end => truth.until.is_some_and(ended) || ended(accepted()),
        Kind::Step | Kind::Small => truth.from <= reported.at && is_in_time(truth.until.unwrap_or_else(accepted)),
        _ if reported.is_end && truth.kind != Kind::Flapping => truth.until.is_some_and(ended),
        _ => truth.from <= reported.at && truth.until.is_none_or(is_in_time),
    }
}

/// Which of the events were told.
#[derive(Default)]
struct Found {
    promised: usize,
    in_time: usize,
    events: usize,
    outages: usize,
    outages_reported: usize,
    missed: Vec<Truth>,
    /// In minutes, of Defender's scores and of the secure score, shortest first.
    delays: [Vec<f64>; 2],
}

/// Looks for each event among the messages of its tenant.
fn find(world: &World, by_tenant: &BTreeMap<usize, Vec<&Reported>>) -> Found {
    let end = world::at(world.size.days * world::DAY);
    let mut all = Found::default();
    for truth in &world.truths {
        // An event that starts too late to be reported before the end is not a promise.
        if truth.certain.plus(late(truth.score)) >= end {
            continue;
        }
        let is_reported = |one: &&&Reported| !one.is_end && is_true(world, one, truth);
        let first = by_tenant
            .get(&truth.tenant)
            .and_then(|reported| reported.iter().filter(is_reported).map(|one| one.at).min());
        match truth.kind {
            Kind::Step | Kind::Floor => {
                all.promised += 1;
                all.in_time += usize::from(first.is_some());
                all.missed.extend(first.is_none().then_some(*truth));
                let accepted = (truth.kind == Kind::Step).then(|| truth.from.plus(ACCEPT_AFTER));
                let over = truth.until.or(accepted).is_some_and(|over| over.plus(late(truth.score)) < end);
                all.events += 1 + usize::from(over);
                let of_score = usize::from(truth.score == ScoreKind::SecureScore);
                all.delays[of_score].extend(first.map(|at| at.since(truth.certain).as_secs_f64() / 60.0));
            }
            Kind::Outage => {
                all.outages += 1;
                all.outages_reported += usize::from(first.is_some());
            }
            Kind::Flapping | Kind::Small | Kind::Maintenance => {}
        }
    }
    for of_score in &mut all.delays {
        of_score.sort_by(f64::total_cmp);
    }
    all
}

/// Compares the messages with what happened.
#[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
pub fn tally(world: &World, reported: &[Reported], notices: BTreeMap<String, usize>) -> Tally {
    let mut by_tenant: BTreeMap<usize, Vec<&Reported>> = BTreeMap::new();
    for one in reported {
        by_tenant.entry(one.tenant).or_default().push(one);
    }
    let mut truths: BTreeMap<usize, Vec<&Truth>> = BTreeMap::new();
    for truth in &world.truths {
        truths.entry(truth.tenant).or_default().push(truth);
    }
    let of_tenant = |tenant: usize| truths.get(&tenant).map(Vec::as_slice).unwrap_or_default();
    let is_untrue = |one: &&Reported| !of_tenant(one.tenant).iter().any(|truth| is_true(world, one, truth));
    let is_false = |one: &&Reported| !one.is_of_shift && is_untrue(one);
    let is_about = |one: &Reported, kind: Kind| {
        of_tenant(one.tenant).iter().any(|truth| truth.kind == kind && is_true(world, one, truth))
    };
    let mut false_by_day = BTreeMap::new();
    for one in reported.iter().filter(is_false) {
        *false_by_day.entry(one.at.since(world::START).as_secs().cast_signed() / world::DAY).or_default() += 1;
    }
    let Found { promised, in_time, events, outages, outages_reported, missed, delays } = find(world, &by_tenant);
    let quantile = |share: usize| {
        [0, 1].map(|score: usize| delays[score].get(delays[score].len() * share / 100).copied().unwrap_or_default())
    };
    let false_messages = reported.iter().filter(is_false).count();
    let flapping_messages = reported.iter().filter(|one| is_about(one, Kind::Flapping)).count();
    let of_shifts = reported.iter().filter(|one| one.is_of_shift).filter(is_untrue).count();
    let years = world.size.tenants as f64 * world.size.days as f64 / 365.25;
    Tally {
        promised,
        reported: in_time,
        events,
        messages: reported.iter().filter(|one| !one.is_outage).count() - flapping_messages - of_shifts,
        false_messages,
        false_per_tenant_year: false_messages as f64 / years,
        of_shifts,
        delay_median_minutes: quantile(50),
        delay_p95_minutes: quantile(95),
        flapping_episodes: world.truths.iter().filter(|truth| truth.kind == Kind::Flapping).count(),
        flapping_messages,
        outages,
        outages_reported,
        notices,
        false_by_day,
        missed,
    }
}
