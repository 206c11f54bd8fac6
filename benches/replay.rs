//! Replays a year of readings of a thousand tenants, one every quarter of an hour: through the starter rules on all cores, then
//! through every later stage, with silences, a weekly maintenance window, three days on which everybody is rescored, and digests.
//! Arguments: tenants, days.

use std::{
    env,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use scorewatch::{
    config::suite::load_rules,
    domain::{ChannelName, Sample, ScoreKind, Selector, TenantId, Timestamp},
    notify::{Maintenance, NotificationType, Silence, SilenceId, route::Audience, silence::Matchers},
    replay::{Fleet, History, Plan, Receiver, ScoreHistory, SeriesHistory, Stage, many::walk_all, send},
    schedule::{Schedule, Window, WindowEnd, Zone},
};

const INTERVAL_SECONDS: i64 = 900;
/// The start of the data: 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600;
/// The number of tenants that also have a channel of their customer's.
const CUSTOMERS: i64 = 100;
/// The number of silences, two days each, spread over the time and the tenants.
const SILENCES: i64 = 50;
/// The number of times at which everybody is rescored.
const SHIFTS: i64 = 3;

#[expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
fn main() {
    let numbers: Vec<i64> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (tenants, days) = (numbers.first().copied().unwrap_or(1000), numbers.get(1).copied().unwrap_or(365));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/starter.yaml");
    let (rules, problems, _) = load_rules(&file, &[]);
    assert!(problems.is_empty() && rules.len() > 3, "{problems:?}");
    let (Ok(soc), Ok(own)) = (ChannelName::parse("soc-teams"), ChannelName::parse("own")) else { return };
    let audience = Audience { labels: Selector([("customer".into(), "yes".into())].into()), ..Audience::default() };
    let receiver = |audience| Receiver { audience, digest_over: Some(20), ..Receiver::default() };
    let plan = Plan {
        rules,
        receivers: [(soc, receiver(Audience::default())), (own.clone(), receiver(audience))].into(),
        maintenance: weekly().into_iter().collect(),
        silences: (0..SILENCES).filter_map(|number| silence(number, tenants, days)).collect(),
        ..Plan::default()
    };
    let histories: Vec<History> = (0..tenants).filter_map(|number| history(number, days, &own)).collect();
    let began = Instant::now();
    let fleet = Fleet::of(&plan, &histories);
    let Ok(messages) = walk_all(&plan, &fleet, histories.iter(), || ()) else { return };
    let walked = began.elapsed().as_secs_f64();
    let outcome = send(&plan, &histories, &fleet, messages);
    let readings = tenants * days * 86_400 / INTERVAL_SECONDS;
    println!(
        "{tenants} tenants, {days} days: {readings} readings through {} rules in {walked:.1} s, and all stages in {:.1} s; {} messages",
        plan.rules.len(),
        began.elapsed().as_secs_f64() - walked,
        outcome.messages.len(),
    );
    let digests = outcome.sent.iter().filter(|sent| sent.kind == NotificationType::Digest).count();
    let by = |stage: Stage| outcome.suppressed.iter().filter(|suppressed| suppressed.stage == stage).count();
    println!(
        "sent to {} channels: {}, of which {} notices of fleet shifts and {digests} digests; suppressed by silences and windows {}, by \
         fleet shifts {}, within digests {}",
        plan.receivers.len(),
        outcome.sent.len(),
        outcome.notices.len(),
        by(Stage::Silence),
        by(Stage::Fleet),
        by(Stage::Digest)
    );
}

/// Every Sunday night, for all tenants.
fn weekly() -> Option<Maintenance> {
    let from = Schedule::parse("0 0 22 * * SUN", Zone::utc()).ok()?;
    let window = Window::new(from, WindowEnd::After(Duration::from_hours(6)));
    Some(Maintenance { name: "weekly".to_owned(), matchers: Matchers::default(), window })
}

fn silence(number: i64, tenants: i64, days: i64) -> Option<Silence> {
    let tenant = TenantId::parse(&format!("tenant-{}", number * tenants / SILENCES)).ok()?;
    let starts_at = Timestamp::from_seconds(START + number * days / SILENCES * 86_400);
    Some(Silence {
        id: SilenceId(number),
        matchers: Matchers { tenants: [tenant].into(), ..Matchers::default() },
        starts_at,
        ends_at: starts_at.plus(Duration::from_hours(48)),
        author: String::new(),
        comment: String::new(),
    })
}

/// A score that drifts a little each quarter of an hour, sometimes does not change, and falls a few times a year; on some days all
/// scores fall together.
fn history(number: i64, days: i64, own: &ChannelName) -> Option<History> {
    let mut state = number.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (mut value, mut level) = (400.0_f64, 400.0);
    let at = |index: i64| Timestamp::from_seconds(START + number % INTERVAL_SECONDS + index * INTERVAL_SECONDS);
    let checks = days * 86_400 / INTERVAL_SECONDS;
    let shift = checks / (SHIFTS + 1);
    let samples = (0..checks).map(|index| {
        if index > 0 && index % shift == 0 {
            (value, level) = (value * 0.93, level * 0.93);
        }
        value = match draw() % 5_000 {
            0 => value * 0.9,
            1 => level,
            2..2_500 => value,
            #[expect(clippy::cast_precision_loss, reason = "a draw below a thousand")]
            drawn => value + (drawn % 1_000) as f64 / 2_000.0 - 0.25,
        };
        Sample { at: at(index), value }
    });
    let samples = samples.collect();
    let (score, series) = (
        ScoreKind::DeviceSecureScore,
        vec![SeriesHistory { subject: None, samples, read_at: Vec::new(), imported: 0, averages: Vec::new() }],
    );
    let is_customer = number < CUSTOMERS;
    let customer = if is_customer { "yes" } else { "no" };
    let labels = [("tier".into(), "gold".into()), ("customer".into(), customer.into())];
    Some(History {
        tenant: TenantId::parse(&format!("tenant-{number}")).ok()?,
        name: "A tenant".into(),
        labels: Arc::new(labels.into()),
        notify: if is_customer { vec![own.clone()] } else { Vec::new() },
        poll_interval: Duration::from_secs(INTERVAL_SECONDS.unsigned_abs()),
        scores: vec![ScoreHistory { score, series, looks: Vec::new() }],
        downtimes: Vec::new(),
        until: at(checks),
    })
}
