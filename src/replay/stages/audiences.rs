//! No channel ever gets a line about a tenant that it may not see, whatever the audiences, rules, windows and shifts.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    domain::{Labels, Sample, ScoreKind, Selector, TenantId},
    notify::{NotificationType, fleet::FleetSettings, route::Audience},
    replay::{Receiver, ScoreHistory, SeriesHistory, walk},
    rule::{BaselineChoice, Change, Condition, Rule, RuleName, Size},
};

/// Worlds of one run unless `SCOREWATCH_CASES` says otherwise; each is a fleet with a configuration, taken through every stage.
const CASES: u64 = 20_000;
const SCORE: ScoreKind = ScoreKind::DeviceSecureScore;
const NAMES: [&str; 3] = ["one", "two", "three"];

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn audience(random: &mut StdRng, tenants: usize) -> Audience {
    let ids = (0..tenants).filter(|_| random.random()).map(tenant).collect();
    let labels: Labels = if random.random() { [("team".into(), "a".into())].into() } else { Labels::default() };
    Audience { tenants: random.random::<bool>().then_some(ids), labels: Selector(labels) }
}

fn tenant(number: usize) -> TenantId {
    TenantId::parse(&format!("t{number}")).unwrap()
}

fn rule(name: &str, random: &mut StdRng) -> Arc<Rule> {
    let within = Duration::from_hours(2);
    let size = Size::Percent([2.0, 5.0, 20.0][random.random_range(0..3)]);
    let when = if random.random() {
        Condition::Drop(Change { size, within, from: BaselineChoice::Best })
    } else {
        Condition::Below(random.random_range(60.0..100.0))
    };
    Arc::new(Rule {
        score: Some(SCORE),
        repeat: random.random::<bool>().then(|| Duration::from_mins(30)),
        notify: NAMES.into_iter().filter(|_| random.random_range(0..3) > 0).map(channel).collect(),
        fleet: random.random_range(0..4) > 0,
        ..Rule::new(RuleName::parse(name).unwrap(), when)
    })
}

/// A few readings; many fall at the third, some farther than others.
fn history(number: usize, random: &mut StdRng) -> History {
    let phase = random.random_range(0..900);
    let falls = random.random_range(0..4) > 0;
    let samples = (0..7).map(|poll: i64| {
        let fall = if falls && poll >= 3 { [0.94, 0.93, 0.7][random.random_range(0..3)] } else { 1.0 };
        Sample { at: Timestamp::from_seconds(phase + poll * 900), value: 100.0 * fall }
    });
    let samples = samples.collect();
    let series = vec![SeriesHistory { subject: None, samples, read_at: Vec::new(), imported: 0, averages: Vec::new() }];
    History {
        tenant: tenant(number),
        name: "A tenant".into(),
        labels: Arc::new([("team".into(), if random.random() { "a" } else { "b" }.into())].into()),
        notify: NAMES.into_iter().filter(|_| random.random_range(0..4) == 0).map(channel).collect(),
        poll_interval: Duration::from_mins(15),
        scores: vec![ScoreHistory { score: SCORE, series, looks: Vec::new() }],
        downtimes: Vec::new(),
        until: Timestamp::from_seconds(9_000),
    }
}

#[test]
fn no_channel_gets_a_line_about_a_tenant_that_it_may_not_see() {
    let cases = std::env::var("SCOREWATCH_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let (mut notices, mut digests, mut sent) = (0_u64, 0_u64, 0_u64);
    for seed in 0..cases {
        let random = &mut StdRng::seed_from_u64(seed);
        let tenants = random.random_range(2..7);
        let histories: Vec<History> = (0..tenants).map(|number| history(number, random)).collect();
        let receiver = |random: &mut StdRng| Receiver {
            audience: audience(random, tenants),
            digest_over: random.random::<bool>().then(|| random.random_range(1..3)),
            merges_readings: false,
            pace: Duration::from_mins(random.random_range(0..20)),
        };
        let plan = Plan {
            rules: ["low", "fell"].map(|name| rule(name, random)).into(),
            receivers: NAMES.map(|name| (channel(name), receiver(random))).into(),
            fleet: FleetSettings {
                hold: Duration::from_mins(random.random_range(0..20)),
                at_least: random.random_range(2..4),
                share_percent: 33.0,
                ..FleetSettings::default()
            },
            ..Plan::default()
        };
        let fleet = Fleet::of(&plan, &histories);
        let mut messages: Vec<Message> = histories.iter().flat_map(|history| walk(&plan, history, &fleet)).collect();
        messages.sort_by_key(|message| message.at);
        let outcome = send(&plan, &histories, &fleet, messages);
        sent += outcome.sent.len() as u64;
        for one in &outcome.sent {
            let audience = &plan.receivers[&one.channel].audience;
            let may_see = |id: &str| {
                let history = histories.iter().find(|history| history.tenant.as_str() == id).unwrap();
                audience.admits(&history.tenant, &history.labels)
            };
            let said = one.says.iter().map(|&message| outcome.messages[message].tenant.as_str());
            assert!(said.into_iter().all(may_see), "seed {seed}: {one:?}");
            digests += u64::from(one.kind == NotificationType::Digest);
            let Some(notice) = one.notice else { continue };
            notices += 1;
            let data = &outcome.notices[notice].data;
            let facts = data.fleet.as_ref().unwrap();
            let items = data.items.iter().filter_map(|item| item.tenant.as_ref()).map(|facts| facts.id.as_str());
            let named =
                facts.tenants.iter().chain(&facts.apart).chain(&facts.notified_before).map(String::as_str).chain(items);
            assert!(named.into_iter().all(may_see), "seed {seed}: {facts:?}");
            let seen = histories.iter().filter(|history| may_see(history.tenant.as_str())).count();
            assert!(facts.tenant_count + facts.apart.len() <= seen, "seed {seed}: {facts:?}");
            assert!(facts.alerts <= seen * plan.rules.len(), "seed {seed}: {facts:?}");
        }
    }
    assert!(notices > cases / 100 && digests > cases / 100 && sent > cases, "{notices} {digests} {sent}");
}
