//! At least once; at most one repeat per message per crash, and it is marked; nothing lost, nothing out of order.
//!
//! The real binary is killed (`kill -9`) at random points while scores move, and started again each time. At the end it runs
//! until quiet, and what the receiver accepted is compared with what the store says has happened.
//! `SCOREWATCH_CRASH_SEED` repeats a run, `SCOREWATCH_CRASH_KILLS` makes it longer.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use scorewatch::simulation::Reply;
use serde_json::Value;

use crate::world::{HIGH, SENTINEL, SOC, Service, Told, World};

const KILLS: usize = 100;
const TENANTS: usize = 20;
/// Fine, and three levels of bad that are further apart than the rule's step.
const SCORES: [f64; 5] = [HIGH, HIGH, 280.0, 230.0, 180.0];
const RULES: &str = "rules:\n  - name: device-score-low\n    score: device-secure-score\n    when: { below: 300 }\n    \
                     step: 40pts\n    severity: warning\n    notify: [soc]\n";
/// A kill comes that long after the event that it waits for, at most: it spreads the points, nothing depends on it.
const AFTER_EVENT_MAX: Duration = Duration::from_millis(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_points_lose_nothing_and_repeat_only_what_was_in_flight() {
    let kills = setting("SCOREWATCH_CRASH_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    let seed = setting("SCOREWATCH_CRASH_SEED").unwrap_or_else(rand::random);
    report(&format!("crash test: {kills} kills, SCOREWATCH_CRASH_SEED={seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new().await;
    world.setup.rules = RULES.to_owned();
    let tenants: Vec<_> = (0..TENANTS).map(|number| format!("tenant-{number}")).collect();
    for tenant in &tenants {
        world.add_tenant(tenant);
    }
    world.write();

    let mut killed = Vec::with_capacity(kills);
    for _ in 0..kills {
        move_scores(&world, &tenants, &mut random);
        trouble_receiver(&world, &mut random);
        let service = Service::spawn(&world.folder.config(), &[]);
        random_point(&world, &service, &mut random).await;
        service.kill();
        world.receivers.drained().await.unwrap();
        killed.push(Instant::now());
    }
    let service = world.run().await;
    let scores: HashMap<_, _> = tenants.iter().map(|tenant| (tenant.as_str(), *pick(&SCORES, &mut random))).collect();
    for (tenant, score) in &scores {
        world.set_score(tenant, *score);
    }
    world.settle(&service, SOC).await;
    world.quiet(&service).await;

    let accepted: Vec<_> = world
        .told(SOC)
        .into_iter()
        .filter(|told| told.accepted && !told.tenant.is_empty() && told.tenant != SENTINEL)
        .collect();
    let repeats = judge_repeats(&accepted, &killed, seed);
    let rows = world.listing(&["alerts", "list", "--all", "--json"]).await;
    let rows: Vec<_> = rows.into_iter().filter(|row| row["tenant"] != SENTINEL).collect();
    judge_alerts(&accepted, &rows, &scores, seed);
    report(&format!("{} accepted, of which {repeats} marked repeats, of {} alerts", accepted.len(), rows.len()));
    assert!(accepted.len() > kills, "seed {seed}: too little happened to prove anything");
}

/// A few tenants get a new score, often the one that they have.
fn move_scores(world: &World, tenants: &[String], random: &mut StdRng) {
    for _ in 0..random.random_range(1..=TENANTS / 2) {
        let tenant: &String = pick(tenants, random);
        world.set_score(tenant, *pick(&SCORES, random));
    }
}

/// Now and then the receiver fails once, or takes messages and is slow to say so: a kill meanwhile makes a repeat.
fn trouble_receiver(world: &World, random: &mut StdRng) {
    let slow = Reply::status(204).delayed(Duration::from_millis(random.random_range(1..50)));
    let replies = match random.random_range(0..10) {
        0 => vec![Reply::html(503)],
        1 => vec![Reply::close()],
        2..6 => vec![slow; 4],
        _ => return,
    };
    world.receivers.script(SOC, replies);
}

/// Waits for a random number of messages or of checks, whichever comes first, and now and then a random moment more.
async fn random_point(world: &World, service: &Service, random: &mut StdRng) {
    let (messages, checks) = (random.random_range(0..6), random.random_range(0..TENANTS as u64 * 5 / 4));
    let messages = world.receivers.received().len() + messages;
    let checks = world.cloud.counts().score_requests + checks;
    let event = async {
        tokio::select! {
            () = world.receivers.wait_for(|received| received.len() >= messages) => {}
            () = world.cloud.wait_for(|cloud| cloud.counts().score_requests >= checks) => {}
        }
    };
    world.patiently(service, "an event to kill at", event).await;
    if random.random() {
        tokio::time::sleep(AFTER_EVENT_MAX.mul_f64(random.random())).await;
    }
}

/// Between two acceptances of one id lies a kill, and the later one says that it may be a repeat. Returns how many there were.
fn judge_repeats(accepted: &[Told], killed: &[Instant], seed: u64) -> usize {
    let life = |told: &Told| killed.partition_point(|killed| *killed <= told.at);
    let mut newest: HashMap<&str, &Told> = HashMap::new();
    let mut repeats = 0;
    for told in accepted {
        if let Some(before) = newest.insert(&told.id, told) {
            repeats += 1;
            assert!(life(before) < life(told), "seed {seed}: repeated without a kill: {before:?} {told:?}");
            assert!(told.possible_repeat, "seed {seed}: a repeat that is not marked: {told:?}");
            assert!(
                before.message == told.message || told.message != told.id || before.message != before.id,
                "seed {seed}: repeated by another message: {before:?} {told:?}"
            );
        }
    }
    repeats
}

/// What was accepted of each alert is, in order and without a gap, what the store says has happened, and ends as the score does.
fn judge_alerts(accepted: &[Told], rows: &[Value], scores: &HashMap<&str, f64>, seed: u64) {
    let mut told: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
    for message in accepted {
        let of_tenant = told.entry(&message.tenant).or_default();
        if of_tenant.iter().all(|earlier| earlier.id != message.id) {
            of_tenant.push(message);
        }
    }
    for row in rows {
        let tenant = row["tenant"].as_str().unwrap();
        let messages = told.remove(tenant).unwrap_or_default();
        let (mut generation, mut sequence, mut firing) = (0, 0, false);
        for message in &messages {
            let context = || {
                format!(
                    "seed {seed}: {tenant}: {:?}",
                    messages.iter().map(|told| (&told.kind, told.sequence)).collect::<Vec<_>>()
                )
            };
            if message.kind == "alert.firing" {
                assert!(!firing, "fires twice; {}", context());
                (generation, sequence, firing) = (generation + 1, 1, true);
            } else {
                assert!(firing, "{} of what does not fire; {}", message.kind, context());
                sequence += 1;
                firing = message.kind != "alert.resolved";
            }
            assert_eq!(message.sequence, sequence, "{}", context());
        }
        assert_eq!(row["generation"], generation, "seed {seed}: lost a whole alert: {row} {messages:?}");
        assert_eq!(row["sequence"], sequence, "seed {seed}: lost a message: {row} {messages:?}");
        assert_eq!(firing, scores[tenant] < 300.0, "seed {seed}: {tenant} ends at {}: {row}", scores[tenant]);
    }
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "seed {seed}: told of alerts that the store does not know"
    );
}

fn pick<'a, T>(items: &'a [T], random: &mut StdRng) -> &'a T {
    &items[random.random_range(0..items.len())]
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[expect(clippy::print_stderr, reason = "the seed of a red run must be seen")]
fn report(line: &str) {
    eprintln!("{line}");
}
