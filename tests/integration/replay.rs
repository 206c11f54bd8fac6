//! A replay gives the very messages that checks give which judge the same readings one by one.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use scorewatch::{
    check::judge::Fetched,
    config::Config,
    domain::{Reading, ScoreKind, Subject, Timestamp},
    notify::{Maintenance, silence::Matchers},
    replay::{Fleet, History, Look, Message, Plan, Receiver, ScoreHistory, SeriesHistory, walk},
    rule::{AlertKey, BaselineChoice, Change, Condition, FlapLimit, Recover, Rule, Size},
    schedule::{Schedule, Window, WindowEnd},
    store::{AlertRecord, Downtime},
};

use super::{
    judge_fixture::{JudgeFixture, failed, fetched},
    setup::{Build, at, channel, config, rule, sample, tenant, tenant_id},
};

/// Random worlds of each kind.
const WORLDS: u64 = 40;
const CHECKS: usize = 400;

/// A source, and how often it is asked.
#[derive(Debug, Clone, Copy)]
struct Source {
    score: ScoreKind,
    schedule: &'static str,
    poll: Duration,
    subjects: &'static [&'static str],
}

const SOURCES: [Source; 4] = [
    Source {
        score: ScoreKind::DeviceSecureScore,
        schedule: "0 */15 * * * *",
        poll: Duration::from_mins(15),
        subjects: &[],
    },
    Source {
        score: ScoreKind::ExposureScoreByGroup,
        schedule: "0 0 */2 * * *",
        poll: Duration::from_hours(2),
        subjects: &["desktops", "servers", "phones"],
    },
    Source { score: ScoreKind::SecureScore, schedule: "0 0 */4 * * *", poll: Duration::from_hours(4), subjects: &[] },
    Source {
        score: ScoreKind::SecureScoreCategory,
        schedule: "0 0 */4 * * *",
        poll: Duration::from_hours(4),
        subjects: &["Identity", "Data"],
    },
];

/// One check: when, and what it read.
type Check = (Timestamp, Option<Vec<Reading>>);

/// What one message says, as both sides can say it.
#[derive(Debug, PartialEq)]
struct Line {
    at: Timestamp,
    kind: &'static str,
    rule: String,
    subject: Option<String>,
    sequence: u64,
    value: Option<f64>,
    baseline: Option<f64>,
    since: Timestamp,
    is_notified: bool,
}

fn hours(random: &mut StdRng, most: u64) -> Duration {
    Duration::from_hours(random.random_range(1..=most))
}

fn size(random: &mut StdRng) -> Size {
    if random.random() {
        Size::Percent(random.random_range(1..30).into())
    } else {
        Size::Points(random.random_range(1..90).into())
    }
}

fn change(random: &mut StdRng) -> Change {
    let from = [BaselineChoice::Best, BaselineChoice::Previous, BaselineChoice::Average];
    Change { size: size(random), within: hours(random, 100), from: *from.choose(random).unwrap() }
}

fn random_rule(name: &str, score: ScoreKind, random: &mut StdRng) -> Rule {
    let bound: f64 = random.random_range(250..450).into();
    let further = f64::from(random.random_range(0..30));
    let (when, recover) = match random.random_range(0..6) {
        0 => (Condition::Below(bound), Some(Recover::Above(bound + further))),
        1 => (Condition::Above(bound), Some(Recover::Below(bound - further))),
        2 | 3 => (Condition::Drop(change(random)), Some(Recover::Regained(random.random_range(20..=100).into()))),
        4 => (Condition::Rise(change(random)), Some(Recover::Regained(random.random_range(20..=100).into()))),
        _ => (Condition::NoData(hours(random, 100)), None),
    };
    let is_change = when.change().is_some();
    let is_bound = matches!(when, Condition::Below(_) | Condition::Above(_));
    let is_blind = matches!(when, Condition::NoData(_));
    Rule {
        score: (!is_blind || random.random()).then_some(score),
        recover: recover.filter(|_| random.random()),
        hold: if is_blind || random.random() { Duration::ZERO } else { hours(random, 8) },
        repeat: random.random::<bool>().then(|| hours(random, 60)),
        step: (is_bound && random.random()).then(|| size(random)),
        accept_after: (is_change && random.random()).then(|| hours(random, 60)),
        flapping: random
            .random::<bool>()
            .then(|| FlapLimit { changes: random.random_range(1..5), within: hours(random, 60) }),
        ..rule(name, when)
    }
}

/// A tenant with six random rules, one of which notifies nobody.
fn random_config(source: Source, random: &mut StdRng) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let mut tenant = tenant("contoso", "http://127.0.0.1:1", folder.path());
    tenant.scores = Arc::new([source.score]);
    tenant.schedule = Arc::new(Schedule::parse(source.schedule, "UTC".parse().unwrap()).unwrap());
    let mut config = config().with_tenant(tenant).with_channel(channel("soc", "https://soc.example/"));
    for name in ["one", "two", "three", "four", "five", "six"] {
        config = config.with_rule(random_rule(name, source.score, random));
    }
    let mut silent = random_rule("silent", source.score, random);
    silent.notify.clear();
    let mut config = config.with_rule(silent);
    // Never at the instant of a check.
    let from = Schedule::parse("30 7 */6 * * *", "UTC".parse().unwrap()).unwrap();
    let window = Window::new(from, WindowEnd::After(hours(random, 4)));
    config.maintenance = vec![Maintenance { name: "night".into(), matchers: Matchers::default(), window }];
    config
}

/// What the source gives at each check: values that wander and fall, zeros, failures, subjects that go and come back, an absence.
fn random_checks(source: Source, random: &mut StdRng) -> (Vec<Check>, Vec<Downtime>) {
    let subjects: Vec<Option<Subject>> = match source.subjects {
        [] => vec![None],
        names => names.iter().map(|&name| Some(Subject(name.into()))).collect(),
    };
    let interval = source.score.record_interval();
    let mut values = vec![400.0; subjects.len()];
    let mut gone = vec![0_u32; subjects.len()];
    // What a source that keeps records keeps: the newest of each subject.
    let mut kept: Vec<Vec<Reading>> = vec![Vec::new(); subjects.len()];
    let (mut now, mut recorded) = (at(0), None::<Timestamp>);
    let (mut checks, mut downtimes, mut failing) = (Vec::new(), Vec::new(), 0_u32);
    let history = random.random_range(0..4);
    for index in 0..CHECKS {
        if random.random_ratio(1, 80) {
            let gap = source.poll * random.random_range(2..120);
            downtimes.push(Downtime { from: now, until: now.plus(gap) });
            now = now.plus(gap);
        }
        now = now.plus(source.poll);
        failing = failing.saturating_sub(1) + u32::from(random.random_ratio(1, 40)) * random.random_range(1..60);
        // A replay takes a record as read when it is dated.
        let is_due = (failing == 0 || interval.is_zero())
            && recorded.is_none_or(|last| now.since(last) >= interval)
            && (interval.is_zero() || random.random_ratio(5, 6));
        if is_due {
            recorded = Some(now);
            let days = if index == 0 && !interval.is_zero() { history } else { 0 };
            for ((value, gone), (kept, subject)) in values.iter_mut().zip(&mut gone).zip(kept.iter_mut().zip(&subjects))
            {
                *gone = gone.saturating_sub(1);
                if source.subjects.len() > 1 && random.random_ratio(1, 150) {
                    *gone = random.random_range(1..60);
                }
                if *gone > 0 && !interval.is_zero() {
                    continue;
                }
                for day in (0..=days).rev() {
                    *value = match random.random_range(0..40) {
                        0..3 => random.random_range(200.0..500.0),
                        3 | 4 => 0.0,
                        5..15 => *value,
                        _ => (*value + random.random_range(-9.0..9.0_f64)).max(1.0),
                    };
                    let reading = sample(now.minus(interval * day), *value);
                    kept.push(Reading { score: source.score, subject: subject.clone(), sample: reading, points: None });
                }
            }
        }
        let answers = failing == 0;
        let newest = |index: usize| kept[index].iter().rev().take(if checks.is_empty() { 9 } else { 1 }).rev().cloned();
        let read: Vec<Reading> = (0..subjects.len())
            .filter(|&index| gone[index] == 0 && kept[index].last().map(|reading| reading.sample.at) == recorded)
            .flat_map(newest)
            .collect();
        let is_new = interval.is_zero() || !read.is_empty();
        checks.push((now, (answers && is_new && !read.is_empty()).then_some(read)));
        if interval.is_zero() {
            kept.iter_mut().for_each(Vec::clear);
        }
    }
    (checks, downtimes)
}

/// What the checks give, judged one by one, with looks in between when somebody asked to be woken.
fn judged(config: &Config, source: Source, checks: &[Check], downtimes: &[Downtime], until: Timestamp) -> Vec<Line> {
    let mut fixture = JudgeFixture::new(config.clone());
    fixture.downtimes = downtimes.to_vec();
    let (mut lines, mut coming) = (Vec::new(), Coming::new());
    let mut look = |fixture: &mut JudgeFixture, coming: &mut Coming, fetched: &[Fetched], now: Timestamp| {
        for new in &fixture.check(fetched, now).notifications {
            let data = &new.notification.data;
            let (alert, score) = (data.alert.as_ref().unwrap(), data.score.as_ref().unwrap());
            lines.push(Line {
                at: now,
                kind: new.notification.kind.as_str(),
                rule: data.rule.as_ref().unwrap().name.clone(),
                subject: score.subject.clone(),
                sequence: data.notification.sequence,
                value: score.value,
                baseline: score.baseline,
                since: alert.started_at,
                is_notified: !new.channels.is_empty(),
            });
            // It arrives immediately, or when the window is over. Nothing does of what it comes after.
            let key = new.alert.clone().unwrap();
            coming.retain(|(of, _)| *of != key);
            let until = config.covering(&[], &new.match_target(&new.envelope()).unwrap(), now);
            coming.extend((!new.channels.is_empty()).then(|| (key, until.unwrap_or(now))));
        }
        arrive(fixture, coming, now);
        fixture.judge(&[], now).health.wake_at
    };
    let mut wake: Option<Timestamp> = None;
    // The next evaluation knows what was sent by the one before, and says when the one after is due.
    for (now, read) in checks.iter().cloned().map(Some).chain([None]).map(|check| check.unwrap_or((until, None))) {
        let is_end = now == until;
        let is_before = |due: &Timestamp| *due < now || is_end && *due <= now;
        loop {
            let arrival = coming.iter().map(|(_, at)| *at).min();
            let Some(due) = wake.into_iter().chain(arrival).min().filter(is_before) else { break };
            if wake == Some(due) {
                wake = look(&mut fixture, &mut coming, &[], due);
            } else {
                arrive(&mut fixture, &mut coming, due);
                wake = fixture.judge(&[], due).health.wake_at;
            }
        }
        if !is_end {
            let fetched = read.map_or_else(|| failed(source.score, "throttled"), |read| fetched(source.score, read));
            wake = look(&mut fixture, &mut coming, &[fetched], now);
        }
    }
    lines
}

/// Whose newest message is on its way, and when it arrives.
type Coming = Vec<(AlertKey, Timestamp)>;

fn arrive(fixture: &mut JudgeFixture, coming: &mut Coming, now: Timestamp) {
    for (key, at) in coming.extract_if(.., |(_, at)| *at <= now) {
        let is_it = |known: &&mut AlertRecord| known.rule == key.rule && known.subject == key.subject;
        let known = fixture.record.iter_mut().flat_map(|record| &mut record.alerts).find(is_it);
        known.unwrap().notified_at = Some(at);
    }
}

/// The same checks as a replay takes them.
fn history(source: Source, checks: &[Check], downtimes: &[Downtime], until: Timestamp) -> History {
    let subjects: Vec<Option<Subject>> = match source.subjects {
        [] => vec![None],
        names => names.iter().map(|&name| Some(Subject(name.into()))).collect(),
    };
    let mut series: Vec<SeriesHistory> = subjects
        .into_iter()
        .map(|subject| SeriesHistory {
            subject,
            samples: Vec::new(),
            read_at: Vec::new(),
            imported: 0,
            averages: Vec::new(),
        })
        .collect();
    let mut looks = Vec::new();
    for (now, read) in checks {
        let Some(read) = read else {
            looks.push(Look { at: *now, is_good: false });
            continue;
        };
        let mut is_new = false;
        for series in &mut series {
            let newest = series.samples.last().map(|sample| sample.at);
            let own = read.iter().filter(|reading| reading.subject == series.subject).map(|reading| reading.sample);
            let new: Vec<_> = own.filter(|sample| newest.is_none_or(|newest| sample.at > newest)).collect();
            is_new |= new.last().is_some_and(|sample| sample.at == *now);
            if newest.is_none() && !new.is_empty() {
                series.imported = new.len() - 1;
            }
            series.samples.extend(new);
        }
        if !is_new {
            looks.push(Look { at: *now, is_good: true });
        }
    }
    History {
        tenant: tenant_id("contoso"),
        name: "Contoso".into(),
        labels: Arc::default(),
        notify: Vec::new(),
        poll_interval: source.poll,
        scores: vec![ScoreHistory { score: source.score, series, looks }],
        downtimes: downtimes.iter().map(|downtime| (downtime.from, downtime.until)).collect(),
        until,
    }
}

fn line(message: &Message) -> Line {
    Line {
        at: message.at,
        kind: message.kind().as_str(),
        rule: message.rule.name.to_string(),
        subject: message.subject.as_ref().map(ToString::to_string),
        sequence: message.transition.sequence,
        value: message.transition.value,
        baseline: message.transition.baseline,
        since: message.transition.since,
        is_notified: !message.channels.is_empty(),
    }
}

fn both_sides_agree(source: Source) {
    let mut sent = 0;
    for seed in 0..WORLDS {
        let mut random = StdRng::seed_from_u64(seed);
        let config = random_config(source, &mut random);
        let (checks, downtimes) = random_checks(source, &mut random);
        // Before another check is due: what is missed is known to the schedule, and to the replay only if it is passed in.
        let until = checks.last().unwrap().0.plus(source.poll.saturating_sub(Duration::from_secs(1)));
        let receivers = config.channels.keys().map(|name| (name.clone(), Receiver::default())).collect();
        let maintenance = config.maintenance.clone();
        let plan = Plan { rules: config.rules.clone(), receivers, maintenance, ..Plan::default() };
        let key = |line: &Line| (line.at, line.rule.clone(), line.subject.clone(), line.sequence);
        let mut expected = judged(&config, source, &checks, &downtimes, until);
        let mut replayed: Vec<Line> =
            walk(&plan, &history(source, &checks, &downtimes, until), &Fleet::default()).iter().map(line).collect();
        expected.sort_by_key(key);
        replayed.sort_by_key(key);
        sent += expected.len();
        let differs = expected.iter().zip(&replayed).position(|(one, other)| one != other);
        let differs = differs.or((expected.len() != replayed.len()).then_some(expected.len().min(replayed.len())));
        if let Some(first) = differs {
            let rule = expected.get(first).or(replayed.get(first)).map(|line| line.rule.clone());
            let rule = config.rules.iter().find(|one| Some(one.name.as_str()) == rule.as_deref());
            let shown = |lines: &[Line]| {
                let lines = lines.iter().skip(first.saturating_sub(4)).take(6);
                lines.map(|line| format!("{} {line:?}", line.at)).collect::<Vec<_>>().join("\n")
            };
            let (expected, replayed) = (shown(&expected), shown(&replayed));
            panic!("seed {seed} of {source:?}, {rule:?}\njudged\n{expected}\nreplayed\n{replayed}");
        }
    }
    assert!(sent > usize::try_from(WORLDS).unwrap() * 3, "only {sent} messages: the worlds are too quiet");
}

#[test]
fn a_replay_of_polls_gives_what_checks_give() {
    both_sides_agree(SOURCES[0]);
}

#[test]
fn a_replay_of_groups_gives_what_checks_give() {
    both_sides_agree(SOURCES[1]);
}

#[test]
fn a_replay_of_daily_records_gives_what_checks_give() {
    both_sides_agree(SOURCES[2]);
}

#[test]
fn a_replay_of_categories_gives_what_checks_give() {
    both_sides_agree(SOURCES[3]);
}
