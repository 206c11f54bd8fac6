//! Runs a world through the product's replay, as `scorewatch test` does, and returns what each channel received as plain data.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use scorewatch::{
    config::suite::load_rules,
    domain::{ChannelName, Labels, Sample, ScoreKind, Selector, Severity as Grade, TenantId, Timestamp},
    notify::{
        Notification, NotificationType, Silence, SilenceId, digest,
        fleet::{FleetSettings, watch::Accept},
        notification::DigestItem,
        route::Audience,
        silence::Matchers,
    },
    replay::{
        Fleet, History, Look, Message, Outcome as Sent, Plan, Receiver, ScoreHistory, SeriesHistory, Stage, send, walk,
    },
    rule::{BaselineChoice, Change, Condition, FlapLimit, Recover as Over, Resolution, Rule, RuleName, Size as Loss},
    template,
};

use super::reference::{
    message::{Account, Delivered, Fate, Form, Line, Says},
    world::{self, AlertId, Outcome, Recover, Score, Seconds, Severity, Size, When, World},
};

/// The start of the data: 2026-01-05, a Monday.
pub const START: Timestamp = Timestamp::from_seconds(1_767_571_200);

/// The messages that channels received, in the order of delivery, and the outcome of each notification.
pub struct Received {
    pub delivered: Vec<Delivered>,
    pub accounts: Vec<Account>,
}

/// Replays a world. `pack`: the file that its rules come from, if the product is to read it itself.
pub fn replay(world: &World, pack: Option<&Path>) -> Received {
    let plan = plan(world, pack);
    let histories: Vec<History> = world.tenants.iter().map(|tenant| history(world, tenant)).collect();
    let fleet = Fleet::of(&plan, &histories);
    let mut messages: Vec<Message> = histories.iter().flat_map(|history| walk(&plan, history, &fleet)).collect();
    messages.sort_by_key(|message| message.at);
    let outcome = send(&plan, &histories, &fleet, messages);
    received(world, &histories, &outcome)
}

pub fn at(seconds: Seconds) -> Timestamp {
    Timestamp::from_seconds(START.as_seconds() + seconds)
}

pub const fn seconds(at: Timestamp) -> Seconds {
    at.as_seconds() - START.as_seconds()
}

fn long(seconds: Seconds) -> Duration {
    Duration::from_secs(u64::try_from(seconds).expect("not negative"))
}

pub const fn kind(score: Score) -> ScoreKind {
    match score {
        Score::Device => ScoreKind::DeviceSecureScore,
        Score::Exposure => ScoreKind::ExposureScore,
        Score::Secure => ScoreKind::SecureScore,
    }
}

pub fn channel_name(name: &str) -> ChannelName {
    ChannelName::parse(name).expect("a name")
}

pub fn audience(world: &World, channel: &world::Channel) -> Audience {
    let ids = channel.audience.as_ref().map(|audience| {
        audience.iter().map(|&tenant| TenantId::parse(&world.tenants[tenant].name).expect("a slug")).collect()
    });
    Audience { tenants: ids, ..Audience::default() }
}

pub fn fleet(world: &World) -> FleetSettings {
    let world::Fleet { hold, spread, at_least, share_percent, accepts_proven } = world.fleet;
    let accept = if accepts_proven { Accept::Proven } else { Accept::Ask };
    FleetSettings { hold: long(hold), spread: long(spread), at_least, share_percent, accept }
}

fn plan(world: &World, pack: Option<&Path>) -> Plan {
    let receiver = |channel: &world::Channel| Receiver {
        audience: audience(world, channel),
        digest_over: Some(channel.digest_over),
        merges_readings: false,
        pace: Duration::from_secs(1),
    };
    let channels: Vec<ChannelName> = world.channels.iter().map(|channel| channel_name(&channel.name)).collect();
    let rules = match pack {
        Some(file) => {
            let (rules, problems, _) = load_rules(file, &channels);
            assert!(!rules.is_empty(), "{}: {problems:?}", file.display());
            rules.iter().map(|rule| Arc::new(Rule { notify: channels.clone(), ..rule.as_ref().clone() })).collect()
        }
        None => world.rules.iter().map(|one| Arc::new(rule(one, &channels))).collect(),
    };
    let silence = |(id, &(from, until)): (i64, &(Seconds, Seconds))| Silence {
        id: SilenceId(id),
        matchers: Matchers::default(),
        starts_at: at(from),
        ends_at: at(until),
        author: "ann".to_owned(),
        comment: String::new(),
    };
    Plan {
        rules,
        receivers: world.channels.iter().map(|one| (channel_name(&one.name), receiver(one))).collect(),
        fleet: fleet(world),
        silences: (1..).zip(&world.silences).map(silence).collect(),
        ..Plan::default()
    }
}

/// A rule in the product's own form.
pub fn rule(rule: &world::Rule, channels: &[ChannelName]) -> Rule {
    let change =
        |size: Size, within: Seconds| Change { size: loss(size), within: long(within), from: BaselineChoice::Best };
    let when = match rule.when {
        When::Below(bound) => Condition::Below(bound),
        When::Above(bound) => Condition::Above(bound),
        When::Drop(size, within) => Condition::Drop(change(size, within)),
        When::Rise(size, within) => Condition::Rise(change(size, within)),
        When::NoData(asked) => Condition::NoData(long(asked)),
    };
    Rule {
        score: rule.score.map(kind),
        tenants: Selector(rule.label.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()),
        recover: rule.recover.map(|recover| match recover {
            Recover::Above(bound) => Over::Above(bound),
            Recover::Below(bound) => Over::Below(bound),
            Recover::Regained(percent) => Over::Regained(percent),
        }),
        hold: long(rule.pending_for),
        severity: match rule.severity {
            Severity::Info => Grade::Info,
            Severity::Warning => Grade::Warning,
            Severity::Critical => Grade::Critical,
        },
        repeat: rule.repeat.map(long),
        step: rule.step.map(loss),
        accept_after: rule.accept_after.map(long),
        notify: channels.to_vec(),
        fleet: rule.fleet,
        flapping: rule.flapping.then(FlapLimit::default),
        ..Rule::new(RuleName::parse(&rule.name).expect("a name"), when)
    }
}

const fn loss(size: Size) -> Loss {
    match size {
        Size::Percent(percent) => Loss::Percent(percent),
        Size::Points(points) => Loss::Points(points),
    }
}

fn history(world: &World, tenant: &world::Tenant) -> History {
    History {
        tenant: TenantId::parse(&tenant.name).expect("a slug"),
        name: tenant.name.as_str().into(),
        labels: Arc::new(labels(tenant)),
        notify: Vec::new(),
        poll_interval: long(tenant.every),
        scores: tenant.series.iter().map(|series| score_history(world, series)).collect(),
        downtimes: world.downtime.iter().map(|(from, until)| (at(*from), at(*until))).collect(),
        until: at(world.until),
    }
}

pub fn labels(tenant: &world::Tenant) -> Labels {
    tenant.labels.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()
}

fn score_history(world: &World, series: &world::Series) -> ScoreHistory {
    let (mut samples, mut read_at, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    for check in &series.checks {
        match check.outcome {
            Outcome::Read { value, dated } => {
                samples.push(Sample { at: at(dated), value });
                read_at.push(at(check.at));
            }
            Outcome::Same => looks.push(Look { at: at(check.at), is_good: true }),
            Outcome::Missed if world.is_downtime(check.at) => {}
            // A check that was scheduled gave no reading, whatever the reason.
            Outcome::Failed | Outcome::Missed => looks.push(Look { at: at(check.at), is_good: false }),
        }
    }
    let averages = if series.score == Score::Secure { &world.average[..] } else { &[] };
    let averages = averages.iter().map(|(day, value)| Sample { at: at(*day), value: *value }).collect();
    let read_at = if series.score == Score::Secure { read_at } else { Vec::new() };
    let series_history = SeriesHistory { subject: None, samples, read_at, imported: 0, averages };
    ScoreHistory { score: kind(series.score), series: vec![series_history], looks }
}

fn received(world: &World, histories: &[History], outcome: &Sent) -> Received {
    let facts: BTreeMap<&str, _> = histories.iter().map(|history| (history.tenant.as_str(), history.facts())).collect();
    let notification = |&message: &usize| {
        let message = &outcome.messages[message];
        message.notification(facts[message.tenant.as_str()].clone())
    };
    let delivered = outcome.sent.iter().map(|sent| {
        let written = match (sent.notice, sent.kind) {
            (Some(notice), _) => outcome.notices[notice].clone(),
            (None, NotificationType::Digest) => {
                let said: Vec<_> = sent.says.iter().map(notification).collect();
                digest::of("replay", &sent.channel, &said, usize::MAX, sent.at)
            }
            (None, _) => notification(sent.says.last().expect("it says something")),
        };
        let channel = place_of(world, sent.channel.as_str());
        message(world, channel, seconds(sent.at), &written)
    });
    let delivered = delivered.collect();
    Received { delivered, accounts: accounts(world, outcome) }
}

fn place_of(world: &World, channel: &str) -> usize {
    world.channels.iter().position(|one| one.name == channel).expect("a channel of this world")
}

/// A notification as the channel sees it.
pub fn message(world: &World, channel: usize, at: Seconds, written: &Notification) -> Delivered {
    let form = match written.kind {
        NotificationType::Digest => Form::Digest,
        NotificationType::FleetShift => Form::Shift,
        _ => Form::Single,
    };
    let items = match form {
        Form::Single => vec![DigestItem::from(written.clone())],
        _ => written.data.items.clone(),
    };
    let lines: Vec<Line> = items.iter().filter_map(|item| line(world, item)).collect();
    let counted = written.data.fleet.as_ref().map_or(lines.len(), |fleet| fleet.alerts);
    let summary = template::summary(written, &scorewatch::notify::language::Locale::default());
    let facts = summary.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value));
    let said = [Some(summary.headline), summary.note].into_iter().flatten().chain(facts).chain(summary.causes);
    let text = said.collect::<Vec<_>>().join("\n");
    Delivered { at, channel, form, left_out: counted.saturating_sub(lines.len()), lines, text }
}

fn line(world: &World, item: &DigestItem) -> Option<Line> {
    let (alert, tenant, rule) = (item.alert.as_ref()?, item.tenant.as_ref()?, item.rule.as_ref()?);
    let says = match item.kind {
        NotificationType::AlertFiring => Says::Fired,
        NotificationType::AlertWorsened => Says::Worsened,
        NotificationType::AlertReminder => Says::Reminder,
        NotificationType::AlertUnstable => Says::Unstable,
        NotificationType::AlertResolved => Says::Ended,
        _ => return None,
    };
    let severity = match alert.severity {
        Grade::Info => Severity::Info,
        Grade::Warning => Severity::Warning,
        Grade::Critical => Severity::Critical,
    };
    Some(Line {
        alert: alert_id(world, &tenant.id, &rule.name, item.score.as_ref().map(|score| score.kind)),
        says,
        happened: seconds(item.timestamp),
        severity,
        is_accepted: alert.resolution == Some(Resolution::Accepted) || is_accepted(item),
    })
}

/// Whether a line says, as its reader sees it, that the alert is accepted as the new level with this very message.
fn is_accepted(item: &DigestItem) -> bool {
    serde_json::to_value(item).is_ok_and(|item| item["accepted"] == true)
}

/// The alert of a rule; blindness of a whole tenant has no score.
fn alert_id(world: &World, tenant: &str, rule: &str, score: impl Into<Option<ScoreKind>>) -> AlertId {
    let score = score.into();
    let tenant = world.tenants.iter().position(|one| one.name == tenant).expect("a tenant of this world");
    let rule = world.rules.iter().position(|one| one.name == rule).expect("a rule of this world");
    let series = world.tenants[tenant].series.iter().position(|series| Some(kind(series.score)) == score);
    // Blindness is one alert for all scores, unless its rule names one.
    AlertId { tenant, rule, series: series.filter(|_| world.rules[rule].score.is_some()) }
}

/// What became of each notification for each of its channels.
fn accounts(world: &World, outcome: &Sent) -> Vec<Account> {
    let mut within: BTreeMap<(usize, &ChannelName), Vec<Fate>> = BTreeMap::new();
    for (place, sent) in outcome.sent.iter().enumerate() {
        for &message in &sent.says {
            within.entry((message, &sent.channel)).or_default().push(Fate::Within(place));
        }
    }
    for suppressed in &outcome.suppressed {
        let message = &outcome.messages[suppressed.message];
        let channels =
            message.channels.iter().filter(|one| suppressed.channel.as_ref().is_none_or(|only| only == *one));
        for channel in channels {
            let fates = within.entry((suppressed.message, channel)).or_default();
            let is_said = fates.iter().any(|fate| matches!(fate, Fate::Within(_)));
            match suppressed.stage {
                Stage::Silence => fates.push(Fate::Silenced),
                // A message covers the notifications that it shows.
                Stage::Fleet | Stage::Digest if is_said => {}
                Stage::Route | Stage::Fleet | Stage::Digest => fates.push(Fate::Dropped),
            }
        }
    }
    let mut accounts = Vec::new();
    for (number, message) in outcome.messages.iter().enumerate() {
        let says = match message.kind() {
            NotificationType::AlertFiring => Says::Fired,
            NotificationType::AlertWorsened => Says::Worsened,
            NotificationType::AlertReminder => Says::Reminder,
            NotificationType::AlertResolved => Says::Ended,
            _ => Says::Unstable,
        };
        // The score does not matter where the rule names none.
        let score = message.score.unwrap_or(ScoreKind::DeviceSecureScore);
        for channel in message.channels.iter() {
            accounts.push(Account {
                alert: alert_id(world, message.tenant.as_str(), message.rule.name.as_str(), score),
                channel: place_of(world, channel.as_str()),
                says,
                at: seconds(message.at),
                happened: seconds(message.transition.at),
                fate: within.get(&(number, channel)).cloned().unwrap_or_default(),
            });
        }
    }
    accounts
}
