//! What a replay's stages let through is what live delivery sends: each scenario goes both ways, message by message, channel by
//! channel, minute by minute.

mod scenarios;

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    channel::ChannelSettings,
    check::{due::Turn, plan::Plan as CheckPlan},
    config::Config,
    domain::Timestamp,
    notify::{
        Maintenance, NotificationType, Silence,
        route::Audience,
        silence::{Matchers, NewSilence},
    },
    replay::{Fleet, History, Message, Outcome, Plan, Receiver, ScoreHistory, Sent, SeriesHistory, send, walk},
    rule::Rule,
    schedule::{Schedule, Window, WindowEnd, Zone},
};

use self::scenarios::Scenario;
use super::{
    fixture::Fixture,
    setup::{Build, SCORE, at, channels, config, minutes, sample, tenant_id},
};
use crate::harness::by_ann;

/// From one reading of a tenant to its next, in minutes.
const QUARTER: i64 = 15;
/// The tenants that `own` may show; `soc` may show all.
const OWN: [&str; 2] = ["t1", "t2"];

/// The tenant that `desk` may show; alerts are escalated to it and to `call`, which may show all.
const DESK: &str = "t2";

impl Scenario {
    fn config(&self, fixture: &Fixture) -> Config {
        let channel = |name: &str, audience: Audience| ChannelSettings {
            digest_over: self.digest_over,
            audience,
            ..fixture.channel(name)
        };
        let own = Audience { tenants: Some(OWN.iter().map(|id| tenant_id(id)).collect()), ..Audience::default() };
        let desk = Audience { tenants: Some([tenant_id(DESK)].into()), ..Audience::default() };
        let rule = Rule { notify: channels(self.notify), ..self.rule.clone() };
        let mut config = config()
            .with_channel(channel("soc", Audience::default()))
            .with_channel(channel("own", own))
            .with_channel(channel("call", Audience::default()))
            .with_channel(channel("desk", desk))
            .with_rule(rule);
        for tenant in 0..self.tenants {
            config = config.with_tenant(fixture.tenant(&format!("t{tenant}"), 400.0));
        }
        config.fleet.hold = minutes(self.hold);
        // Tenants are read over a quarter of an hour: the last of a tick 14 minutes after the first.
        config.fleet.spread = if self.at_once { minutes(0) } else { minutes(14) };
        let maintenance = |(from, length): &(&str, u64)| Maintenance {
            name: "window".to_owned(),
            matchers: Matchers::default(),
            window: Window::new(Schedule::parse(from, Zone::utc()).unwrap(), WindowEnd::After(minutes(*length))),
        };
        config.maintenance = self.windows.iter().map(maintenance).collect();
        config
    }

    fn silences(&self) -> impl Iterator<Item = NewSilence> {
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        self.silences.iter().map(move |&(from, until)| NewSilence {
            matchers: Matchers::default(),
            starts_at: at(from),
            ends_at: at(until),
            author: author.clone(),
            comment: comment.clone(),
        })
    }

    /// The minute of each quarter at which a tenant is read.
    fn phase(&self, tenant: usize) -> i64 {
        if self.at_once { 0 } else { i64::try_from(tenant).unwrap() % QUARTER }
    }

    fn minutes(&self) -> i64 {
        self.quarters * QUARTER
    }

    /// What the service sends: real checks of a simulated cloud, a store, real requests.
    async fn live(&self) -> Vec<String> {
        let fixture = Fixture::new().await;
        let config = self.config(&fixture);
        for silence in self.silences() {
            fixture.store.add_silence(silence, None, by_ann(at(0))).await.unwrap();
        }
        let (dispatcher, _sender, _settled) = fixture.dispatcher(config.clone());
        let plan = CheckPlan::new(Arc::new(config.clone()));
        let (mut sent, mut wakes) = (Vec::new(), vec![None::<Timestamp>; self.tenants]);
        for minute in 0..self.minutes() {
            for (tenant, wake) in wakes.iter_mut().enumerate() {
                let id = format!("t{tenant}");
                let is_read = minute % QUARTER == self.phase(tenant);
                let turn = match is_read.then(|| (self.read)(tenant, minute / QUARTER)).flatten() {
                    Some(value) => {
                        fixture.set_score(&id, value);
                        Turn::Check { due_at: at(minute) }
                    }
                    None if wake.is_some_and(|due| due <= at(minute)) => Turn::Wake,
                    None => continue,
                };
                let (checker, record) = (fixture.checker(), fixture.record(&id).await);
                let visit = checker.visit(&plan, &config.tenants[id.as_str()], turn, record, &fixture.shutdown);
                visit.await.unwrap();
                *wake = fixture.record(&id).await.and_then(|record| record.health.wake_at);
            }
            let before =
                ["call", "desk", "own", "soc"].map(|channel| (channel, fixture.receivers.received_by(channel).len()));
            dispatcher.drain().await.unwrap();
            for (channel, before) in before {
                let received = fixture.receivers.received_by(channel).split_off(before);
                sent.extend(received.iter().map(|request| said(minute, channel, &request.json())));
            }
            fixture.pass(1);
        }
        sent.sort_by_key(|line| order(line));
        sent
    }

    /// What a replay sends on the same readings.
    async fn replayed(&self) -> Vec<String> {
        let fixture = Fixture::new().await;
        let config = self.config(&fixture);
        let receiver = |settings: &ChannelSettings| Receiver {
            audience: settings.audience.clone(),
            digest_over: Some(settings.digest_over),
            merges_readings: false,
            pace: settings.pace,
        };
        let silence = |(id, new): (i64, NewSilence)| Silence {
            id: scorewatch::notify::SilenceId(id),
            matchers: new.matchers,
            starts_at: new.starts_at,
            ends_at: new.ends_at,
            author: new.author,
            comment: new.comment,
        };
        let plan = Plan {
            rules: config.rules.clone(),
            receivers: config.channels.values().map(|one| (one.name.clone(), receiver(one))).collect(),
            fleet: config.fleet,
            maintenance: config.maintenance.clone(),
            silences: (1..).zip(self.silences()).map(silence).collect(),
        };
        let histories: Vec<History> = (0..self.tenants).map(|tenant| self.history(tenant)).collect();
        let fleet = Fleet::of(&plan, &histories);
        let mut messages: Vec<Message> = histories.iter().flat_map(|history| walk(&plan, history, &fleet)).collect();
        messages.sort_by_key(|message| message.at);
        let outcome = send(&plan, &histories, &fleet, messages);
        let in_time = outcome.sent.iter().filter(|sent| minute_of(sent.at) < self.minutes());
        let mut sent: Vec<String> = in_time.map(|sent| sends(&outcome, sent)).collect();
        sent.sort_by_key(|line| order(line));
        sent
    }

    fn history(&self, tenant: usize) -> History {
        let read = (0..self.quarters).filter_map(|quarter| Some((quarter, (self.read)(tenant, quarter)?)));
        let samples = read.map(|(quarter, value)| sample(at(quarter * QUARTER + self.phase(tenant)), value)).collect();
        let series =
            vec![SeriesHistory { subject: None, samples, read_at: Vec::new(), imported: 0, averages: Vec::new() }];
        History {
            tenant: tenant_id(&format!("t{tenant}")),
            name: "A tenant".into(),
            labels: Arc::default(),
            notify: Vec::new(),
            poll_interval: minutes(15),
            scores: vec![ScoreHistory { score: SCORE, series, looks: Vec::new() }],
            downtimes: Vec::new(),
            until: at(self.minutes()),
        }
    }
}

/// The minute by which it is sent: live delivery looks once a minute.
fn minute_of(at_time: Timestamp) -> i64 {
    let seconds = i64::try_from(at_time.since(at(0)).as_secs()).unwrap();
    seconds.div_euclid(60) + i64::from(seconds % 60 > 0)
}

/// Within one minute and channel, the order of messages about several tenants is not promised.
fn order(line: &str) -> (i64, String) {
    (line.split(' ').next().unwrap().parse().unwrap(), line.to_owned())
}

fn line(minute: i64, channel: &str, kind: &str, tenants: BTreeSet<String>, more: &str) -> String {
    let tenants = tenants.into_iter().collect::<Vec<_>>().join(" ");
    format!("{minute} {channel} {kind} {tenants}{more}")
}

/// A request in a line.
fn said(minute: i64, channel: &str, body: &serde_json::Value) -> String {
    let (kind, data) = (body["type"].as_str().unwrap(), &body["data"]);
    let id = |tenant: &serde_json::Value| tenant["id"].as_str().map(str::to_owned);
    let slugs = |list: &serde_json::Value| -> BTreeSet<String> {
        list.as_array().into_iter().flatten().filter_map(|slug| slug.as_str().map(str::to_owned)).collect()
    };
    match kind {
        "digest" => {
            let items = data["items"].as_array().unwrap();
            line(minute, channel, kind, items.iter().filter_map(|item| id(&item["tenant"])).collect(), "")
        }
        "fleet.shift" => {
            let apart = slugs(&data["fleet"]["apart"]).into_iter().collect::<Vec<_>>().join(" ");
            let (occasion, median) =
                (data["fleet"]["occasion"].as_str().unwrap(), data["fleet"]["median"].as_f64().unwrap());
            let more = format!(", {occasion}, apart {apart}, median {median:.2}");
            line(minute, channel, kind, slugs(&data["fleet"]["tenants"]), &more)
        }
        _ => {
            let merged = data["notification"]["covers"].as_array().map_or(0, Vec::len);
            let more = more(data["score"]["value"].as_f64(), merged);
            line(minute, channel, kind, id(&data["tenant"]).into_iter().collect(), &more)
        }
    }
}

/// What a replay sends in a line.
fn sends(outcome: &Outcome, sent: &Sent) -> String {
    let (minute, kind) = (minute_of(sent.at), sent.kind.as_str());
    let tenants: BTreeSet<String> =
        sent.says.iter().map(|&message| outcome.messages[message].tenant.to_string()).collect();
    let more = match (sent.notice, sent.kind) {
        (Some(notice), _) => {
            let facts = outcome.notices[notice].data.fleet.as_ref().unwrap();
            let occasion = serde_json::json!(facts.occasion);
            let occasion = occasion.as_str().unwrap();
            format!(", {occasion}, apart {}, median {:.2}", facts.apart.join(" "), facts.median)
        }
        (None, NotificationType::Digest) => String::new(),
        (None, _) => {
            let newest = &outcome.messages[*sent.says.last().unwrap()];
            more(newest.transition.value, sent.says.len() - 1)
        }
    };
    line(minute, sent.channel.as_str(), kind, tenants, &more)
}

fn more(value: Option<f64>, merged: usize) -> String {
    let merged = if merged == 0 { String::new() } else { format!(" for {merged} more") };
    format!(" {}{merged}", value.unwrap_or_default())
}

#[tokio::test]
async fn a_replay_s_stages_send_what_live_delivery_sends() {
    for scenario in scenarios::all() {
        let (live, replayed) = (scenario.live().await, scenario.replayed().await);
        assert_eq!(replayed, live, "{}", scenario.promise);
        assert_eq!(live, scenario.sent, "{}", scenario.promise);
    }
}
