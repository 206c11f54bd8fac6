//! Grouping hides nothing: over random fleets with shifts, reverts, second shifts and own losses, each transition of each alert is a
//! message of its own or is merged into exactly one, on each channel; and a tenant's own loss is always reported.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    domain::Sample,
    replay::{ScoreHistory, SeriesHistory, walk},
    rule::{BaselineChoice, Change, Size},
};

/// Worlds of one run.
const CASES: u64 = 1_500;
const POLLS: usize = 40;
const QUARTER: i64 = 900;

/// What happens to a fleet: by how much of a score everybody moves at which poll, and who loses how much on its own when.
struct World {
    phases: Vec<i64>,
    shifts: Vec<(usize, f64)>,
    own: Option<(usize, usize, f64)>,
}

impl World {
    fn random(random: &mut StdRng) -> Self {
        let tenants = random.random_range(4..9);
        let spread = [0, 300, 600][random.random_range(0..3)];
        let phases = (0..tenants).map(|_| if spread == 0 { 0 } else { random.random_range(0..spread) }).collect();
        let (mut shifts, mut poll) = (Vec::new(), 3);
        for _ in 0..random.random_range(0..4) {
            poll += random.random_range(1..9);
            let by = [-0.06, -0.1, -0.15, 0.07, 0.1][random.random_range(0..5)];
            shifts.push((poll, by));
            // Now and then it is taken back.
            if random.random_range(0..3) == 0 {
                poll += random.random_range(1..6);
                shifts.push((poll, 1.0 / (1.0 + by) - 1.0));
            }
        }
        let own = (random.random_range(0..3) > 0).then(|| {
            let at = random.random_range(2..POLLS);
            (random.random_range(0..tenants), at, random.random_range(0.5..0.6))
        });
        Self { phases, shifts, own }
    }

    fn history(&self, number: usize) -> History {
        let mut value = 400.0;
        let samples = (0..POLLS).map(|poll| {
            for (_, by) in self.shifts.iter().filter(|(at, _)| *at == poll) {
                value *= 1.0 + by;
            }
            if let Some((_, _, keeps)) = self.own.filter(|(who, at, _)| *who == number && *at == poll) {
                value *= keeps;
            }
            let at = self.at(number, poll);
            Sample { at, value }
        });
        let samples = samples.collect();
        let series =
            vec![SeriesHistory { subject: None, samples, read_at: Vec::new(), imported: 0, averages: Vec::new() }];
        History {
            tenant: TenantId::parse(&format!("t{number}")).unwrap(),
            name: "A tenant".into(),
            labels: Arc::default(),
            notify: Vec::new(),
            poll_interval: Duration::from_mins(15),
            scores: vec![ScoreHistory { score: ScoreKind::DeviceSecureScore, series, looks: Vec::new() }],
            downtimes: Vec::new(),
            // What waits at the end is let go.
            until: Timestamp::from_seconds(QUARTER * i64::try_from(POLLS + 1004).unwrap()),
        }
    }

    fn at(&self, number: usize, poll: usize) -> Timestamp {
        Timestamp::from_seconds(QUARTER * i64::try_from(poll + 1000).unwrap() + self.phases[number])
    }
}

fn plan(random: &mut StdRng) -> Plan {
    let size = Size::Percent(5.0);
    let drop = Condition::Drop(Change { size, within: Duration::from_hours(24), from: BaselineChoice::Best });
    let named = |name: &str, when: Condition| Rule {
        when,
        ..Rule { name: RuleName::parse(name).unwrap(), ..Rule::clone(&rule()) }
    };
    let fall = Rule {
        repeat: (random.random_range(0..2) == 0).then(|| Duration::from_hours(1)),
        hold: if random.random_range(0..4) == 0 { Duration::from_mins(30) } else { Duration::ZERO },
        notify: vec![channel("soc"), channel("page")],
        ..named("fall", drop)
    };
    let receiver = |digest_over| Receiver { digest_over, ..Receiver::default() };
    Plan {
        rules: vec![Arc::new(fall), Arc::new(named("low", Condition::Below(350.0)))],
        receivers: [(channel("soc"), receiver(Some(500))), (channel("page"), receiver(None))].into(),
        fleet: FleetSettings {
            hold: Duration::from_mins([5, 10, 20][random.random_range(0..3)]),
            spread: Duration::from_mins([0, 10][random.random_range(0..2)]),
            at_least: 3,
            ..FleetSettings::default()
        },
        ..Plan::default()
    }
}

#[test]
fn each_transition_goes_out_in_exactly_one_message_per_channel_and_no_own_loss_is_lost() {
    let (mut notices, mut lines, mut alone, mut losses) = (0, 0, 0, 0);
    for seed in 0..CASES {
        let random = &mut StdRng::seed_from_u64(seed);
        let (world, plan) = (World::random(random), plan(random));
        let histories: Vec<History> = (0..world.phases.len()).map(|number| world.history(number)).collect();
        let fleet = Fleet::of(&plan, &histories);
        let mut messages: Vec<Message> = histories.iter().flat_map(|history| walk(&plan, history, &fleet)).collect();
        messages.sort_by_key(|message| message.at);
        let outcome = send(&plan, &histories, &fleet, messages);

        let mut said: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for sent in &outcome.sent {
            for &message in &sent.says {
                *said.entry((message, sent.channel.as_str())).or_default() += 1;
            }
            let Some(notice) = sent.notice else {
                alone += 1;
                continue;
            };
            notices += 1;
            assert_ne!(sent.channel.as_str(), "page", "seed {seed}: it keeps each alert's state");
            let data = &outcome.notices[notice].data;
            let facts = data.fleet.as_ref().unwrap();
            let covered: usize = data.items.iter().map(|item| 1 + item.notification.covers.len()).sum();
            assert_eq!((facts.alerts, facts.left_out), (data.items.len(), 0), "seed {seed}");
            assert!(covered <= sent.says.len(), "seed {seed}");
            lines += data.items.len();
        }
        for (place, message) in outcome.messages.iter().enumerate() {
            for channel in message.channels.iter() {
                let times = said.get(&(place, channel.as_str())).copied().unwrap_or_default();
                // Nobody is notified of an end that was none.
                let is_taken_back = message.resolution().is_some() && message.taken_back_at.is_some();
                assert_eq!(
                    times,
                    usize::from(!is_taken_back),
                    "seed {seed}: {channel} of {:?} at {}",
                    message.transition,
                    message.at
                );
            }
        }
        if let Some((who, poll, _)) = world.own {
            let (tenant, at) = (&histories[who].tenant, world.at(who, poll));
            // With a `for` it fires later; what fires by then is reported as worse.
            let is_it = |message: &Message| {
                let Transition { kind, observed_at, since, .. } = message.transition;
                message.tenant == *tenant
                    && message.rule.name.as_str() == "fall"
                    && matches!(kind, TransitionKind::Fired | TransitionKind::Worsened)
                    && (observed_at == Some(at)
                        || since == at
                        || observed_at > Some(at) && !message.rule.hold.is_zero())
            };
            let has_pended = plan.rules[0].hold.is_zero() || poll + 2 < POLLS;
            let is_shifted = world.shifts.iter().any(|(at, _)| *at >= poll && *at <= poll + 2);
            if has_pended && !is_shifted {
                assert!(outcome.messages.iter().any(is_it), "seed {seed}: {tenant} at poll {poll}");
                losses += 1;
            }
        }
    }
    assert!(notices > 1_000 && lines > 5_000 && alone > 5_000 && losses > 300, "{notices} {lines} {alone} {losses}");
}
