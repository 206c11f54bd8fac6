//! A year of readings every quarter of an hour of a thousand tenants, through the starter rules, on all cores.
//! Arguments: tenants, days.

use std::{env, path::Path, sync::Arc, time::Instant};

use scorewatch::{
    config::suite::load_rules,
    domain::{ChannelName, Sample, ScoreKind, TenantId, Timestamp},
    replay::{Course, Plan, Receiver, ScoreCourse, SeriesCourse, many::walk_all, send},
};

const INTERVAL_SECONDS: i64 = 900;

#[expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
fn main() {
    let numbers: Vec<i64> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (tenants, days) = (numbers.first().copied().unwrap_or(1000), numbers.get(1).copied().unwrap_or(365));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/starter.yaml");
    let (rules, problems, _) = load_rules(&file, &[]);
    assert!(problems.is_empty() && rules.len() > 3, "{problems:?}");
    let Ok(channel) = ChannelName::parse("soc-teams") else { return };
    let receivers = [(channel, Receiver { digest_over: Some(20), ..Receiver::default() })].into();
    let plan = Plan { rules, receivers, ..Plan::default() };
    let courses: Vec<Course> = (0..tenants).filter_map(|number| course(number, days)).collect();
    let began = Instant::now();
    let Ok(messages) = walk_all(&plan, courses.iter(), || ()) else { return };
    let walked = began.elapsed().as_secs_f64();
    let outcome = send(&plan, &courses, messages);
    let readings = tenants * days * 86_400 / INTERVAL_SECONDS;
    println!(
        "{tenants} tenants, {days} days: {readings} readings through {} rules in {walked:.1} s, and all stages in {:.1} s; {} messages told, {} sent, {} of them notices of fleet shifts",
        plan.rules.len(),
        began.elapsed().as_secs_f64() - walked,
        outcome.messages.len(),
        outcome.sent.len(),
        outcome.notices.len()
    );
}

/// A score that wanders by a little each quarter of an hour, stands still now and then, and falls some times a year.
fn course(number: i64, days: i64) -> Option<Course> {
    let mut state = number.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut value = 400.0_f64;
    let at = |index: i64| Timestamp::from_seconds(1_735_689_600 + number + index * INTERVAL_SECONDS);
    let checks = days * 86_400 / INTERVAL_SECONDS;
    let samples = (0..checks).map(|index| {
        value = match draw() % 5_000 {
            0 => value * 0.9,
            1 => 400.0,
            2..2_500 => value,
            #[expect(clippy::cast_precision_loss, reason = "a draw below a thousand")]
            drawn => value + (drawn % 1_000) as f64 / 2_000.0 - 0.25,
        };
        Sample { at: at(index), value }
    });
    let samples = samples.collect();
    let (score, series) = (
        ScoreKind::DeviceSecureScore,
        vec![SeriesCourse { subject: None, samples, read_at: Vec::new(), history: 0, averages: Vec::new() }],
    );
    let labels = [("tier".into(), "gold".into())];
    Some(Course {
        tenant: TenantId::parse(&format!("tenant-{number}")).ok()?,
        name: "A tenant".into(),
        labels: Arc::new(labels.into()),
        notify: Vec::new(),
        poll_interval: std::time::Duration::from_secs(INTERVAL_SECONDS.unsigned_abs()),
        scores: vec![ScoreCourse { score, series, looks: Vec::new() }],
        away: Vec::new(),
        until: at(checks),
    })
}
