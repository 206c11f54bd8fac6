//! Scenarios of the signal benchmark through real checks of a simulated cloud, a store, and real requests. The same reference model
//! judges what the receivers were sent.

use std::sync::Arc;

use scorewatch::{
    channel::ChannelSettings,
    check::{due::Turn, plan::Plan},
    clock::Clock,
    config::{Config, Tenant},
    domain::Timestamp,
    microsoft::{Account, Hosts},
    schedule::Schedule,
    simulation::cloud::{DefenderRefusal, Fetch},
};
use serde_json::{Value, json};

use super::{
    fixture::Fixture,
    setup::{Build, channels, config, entra},
};
use crate::signal::trial::{
    Trial,
    product::{self, Received},
    reference::{
        message::Delivered,
        world::{self, Evidence, MINUTE, Outcome, Score, Seconds},
    },
    scenario::live,
};

/// Worlds of each scenario.
const SEEDS: u64 = 1;
const ROLES: [&str; 3] = ["Score.Read.All", "SecurityRecommendation.Read.All", "SecurityEvents.Read.All"];
/// The points that a secure score is a percentage of.
const MAXIMUM: f64 = 200.0;

/// One world on its way through the service.
struct Live<'a> {
    trial: &'a Trial,
    fixture: Fixture,
    config: Config,
    wakes: Vec<Option<Timestamp>>,
    records: Vec<Vec<Value>>,
}

impl<'a> Live<'a> {
    async fn new(trial: &'a Trial) -> Self {
        let fixture = Fixture::by(Clock::manual(product::at(0))).await;
        let world = &trial.world;
        let channel = |channel: &world::Channel| ChannelSettings {
            digest_over: channel.digest_over,
            audience: product::audience(world, channel),
            ..fixture.channel(&channel.name)
        };
        let names: Vec<&str> = world.channels.iter().map(|channel| channel.name.as_str()).collect();
        let mut config = config();
        for one in &world.channels {
            config = config.with_channel(channel(one));
        }
        for rule in &world.rules {
            config = config.with_rule(product::rule(rule, &channels(&names)));
        }
        for tenant in &world.tenants {
            let schedule = Schedule::parse(&tenant.cron, scorewatch::schedule::Zone::utc()).unwrap();
            let score = tenant.series[0].score;
            let known = fixture.tenant(&tenant.name, 400.0);
            fixture.cloud.set_roles(entra(&tenant.name), &ROLES);
            let hosts = Hosts { graph: fixture.cloud.base_url(), ..(*known.account.hosts).clone() };
            let account = Account { hosts: Arc::new(hosts), ..known.account };
            let scores = Arc::new([product::kind(score)]);
            config = config.with_tenant(Tenant { schedule: Arc::new(schedule), scores, account, ..known });
        }
        config.fleet = product::fleet(world);
        config.spread = std::time::Duration::from_secs(world.fleet.spread.unsigned_abs());
        let count = world.tenants.len();
        Self { trial, fixture, config, wakes: vec![None; count], records: vec![Vec::new(); count] }
    }

    /// What the receivers were sent by the end.
    async fn run(mut self) -> Vec<Delivered> {
        let world = &self.trial.world;
        let (dispatcher, _sender, _settled) = self.fixture.dispatcher(self.config.clone());
        let mut delivered = Vec::new();
        let (mut quiet_from, mut received) = (0, vec![0; world.channels.len()]);
        for minute in 0..world.until / MINUTE {
            let now = minute * MINUTE;
            let was_read = self.visit_all(now).await;
            if was_read {
                quiet_from = now + world.fleet.wait() + 5 * MINUTE;
            }
            if now <= quiet_from {
                dispatcher.drain().await.unwrap();
                for (channel, facts) in world.channels.iter().enumerate() {
                    for request in self.fixture.receivers.received_by(&facts.name).split_off(received[channel]) {
                        let written = serde_json::from_value(request.json()).unwrap();
                        delivered.push(product::message(world, channel, now, &written));
                        received[channel] += 1;
                    }
                }
            }
            self.fixture.pass(1);
        }
        delivered
    }

    /// Checks and wakes whoever is due; whether there was anybody.
    async fn visit_all(&mut self, now: Seconds) -> bool {
        let mut was_read = false;
        for number in 0..self.trial.world.tenants.len() {
            let tenant = &self.trial.world.tenants[number];
            let checks = &tenant.series[0].checks;
            let due = checks.binary_search_by_key(&now, |check| check.at).ok().map(|place| checks[place]);
            let turn = match due {
                Some(world::Check { outcome: Outcome::Missed, .. }) => continue,
                Some(check) => {
                    self.prepare(number, check);
                    Turn::Check { due_at: product::at(now) }
                }
                None if self.wakes[number].is_some_and(|at| at <= product::at(now)) => Turn::Wake,
                None => continue,
            };
            was_read = true;
            let plan = Plan::new(Arc::new(self.config.clone()));
            let (checker, record) = (self.fixture.checker(), self.fixture.record(&tenant.name).await);
            let settings = &self.config.tenants[tenant.name.as_str()];
            checker.visit(&plan, settings, turn, record, &self.fixture.shutdown).await.unwrap();
            self.wakes[number] = self.fixture.record(&tenant.name).await.and_then(|record| record.health.wake_at);
        }
        was_read
    }

    /// Lets the cloud answer what the check gave.
    fn prepare(&mut self, number: usize, check: world::Check) {
        let tenant = &self.trial.world.tenants[number];
        let (id, score) = (entra(&tenant.name), tenant.series[0].score);
        self.fixture.cloud.set_fetch(id, None);
        match check.outcome {
            Outcome::Failed => self.fixture.cloud.set_fetch(id, Some(Fetch::Refuse(DefenderRefusal::NoLicence))),
            Outcome::Read { value, dated } if score == Score::Secure => {
                let record = self.record(number, value, dated);
                self.records[number].insert(0, record);
                self.fixture.cloud.set_records(id, self.records[number].clone());
            }
            Outcome::Read { value, .. } => self.fixture.cloud.set_score(id, product::kind(score), value),
            Outcome::Same | Outcome::Missed => {}
        }
    }

    /// A day's record. What tenants lose is lost on `mfa`. What Microsoft changes is that `legacy`, of 30 points, is retired, and
    /// the maximum with it, while every other control stays as it was.
    fn record(&self, number: usize, percent: f64, dated: Seconds) -> Value {
        let shift = self.trial.world.common.iter().find(|common| common.score == Score::Secure && common.at <= dated);
        let is_retired = shift.is_some_and(|shift| shift.evidence == Evidence::ChangedByMicrosoft);
        let first = self.records[number].last().and_then(|first| first["controlScores"][0]["score"].as_f64());
        let mfa = first.filter(|_| is_retired).unwrap_or(percent * MAXIMUM / 100.0 - 60.0);
        let (points, maximum) =
            if is_retired { (mfa + 30.0, (mfa + 30.0) * 100.0 / percent) } else { (mfa + 60.0, MAXIMUM) };
        let control =
            |name: &str, score: f64| json!({ "controlName": name, "controlCategory": "Identity", "score": score });
        let mut controls = vec![control("mfa", mfa), control("dlp", 30.0)];
        controls.extend((!is_retired).then(|| control("legacy", 30.0)));
        let average = json!([{ "basis": "AllTenants", "averageScore": 48.0 }]);
        let date = product::at(dated).to_chrono().format("%Y-%m-%d");
        json!({
            "id": format!("t_{date}"), "createdDateTime": format!("{date}T00:00:00Z"), "currentScore": points,
            "maxScore": maximum, "controlScores": controls, "averageComparativeScores": average,
            "enabledServices": ["HasEXOP2"],
        })
    }
}

#[tokio::test]
async fn live_delivery_notifies_somebody_of_everything() {
    let mut complaints = Vec::new();
    for scenario in live::all() {
        for seed in 0..SEEDS {
            let trial = (scenario.make)(seed);
            let expected = trial.expected();
            let unclaimed = trial.unclaimed(&expected);
            assert!(unclaimed.is_empty(), "{}, seed {seed}: {unclaimed:?}", scenario.name);
            let delivered = Live::new(&trial).await.run().await;
            let verdict = trial.judge(&expected, &Received { delivered, accounts: Vec::new() });
            assert!(verdict.required > 0, "{}", scenario.name);
            let found = verdict.complaints.into_iter().take(5);
            complaints.extend(found.map(|complaint| format!("{}, seed {seed}: {complaint:?}", scenario.name)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
