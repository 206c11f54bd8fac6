//! What a replay's stages let through is what live delivery sends: each scenario goes both ways, message by message, channel by
//! channel, minute by minute.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scorewatch::{
    channel::ChannelSettings,
    check::{due::Turn, run::Plan as CheckPlan},
    config::Config,
    domain::Timestamp,
    notify::{
        Maintenance, NotificationType, Silence,
        route::Fence,
        silence::{Matchers, NewSilence},
    },
    replay::{Course, Message, Outcome, Plan, Receiver, ScoreCourse, Sent, SeriesCourse, send, walk},
    rule::{Condition, FlapLimit, Rule, Size},
    schedule::{Schedule, Window, WindowEnd},
};

use super::{
    bed::Bed,
    setup::{Build, SCORE, at, channels, config, drop_of, minutes, rule, sample, tenant_id},
};

/// From one reading of a tenant to its next, in minutes.
const QUARTER: i64 = 15;
/// The tenants that `own` may show; `soc` may show all.
const OWN: [&str; 2] = ["t1", "t2"];

/// What happens to a fleet `t0`, `t1`, …, and what its channels are told of it.
struct Scenario {
    promise: &'static str,
    rule: Rule,
    tenants: usize,
    /// What is read of a tenant at that quarter of an hour; `None`: nothing is asked.
    read: fn(usize, i64) -> Option<f64>,
    quarters: i64,
    /// Of everybody, from minute to minute.
    silences: &'static [(i64, i64)],
    /// Of everybody: when it begins, for so many minutes.
    windows: &'static [(&'static str, u64)],
    /// So long messages wait for the rest of the fleet, in minutes.
    hold: u64,
    digest_over: usize,
    /// Whether all tenants are read in the same minute, instead of one after the other.
    at_once: bool,
    /// `minute channel type tenants`, and the value or for how many it stands.
    told: &'static [&'static str],
}

fn low() -> Rule {
    Rule { step: Some(Size::Points(50.0)), fleet: false, ..rule("low", Condition::Below(300.0)) }
}

/// Nothing is held, and all is read at once.
fn plain() -> Scenario {
    Scenario {
        promise: "",
        rule: low(),
        tenants: 1,
        read: |_, _| Some(400.0),
        quarters: 12,
        silences: &[],
        windows: &[],
        hold: 0,
        digest_over: 20,
        at_once: true,
        told: &[],
    }
}

/// Twenty tenants that are read one after the other, and fall by 6 % in the third quarter.
fn fleet() -> Scenario {
    Scenario {
        rule: rule("fall", drop_of(5.0)),
        tenants: 20,
        read: |_, quarter| Some(if quarter < 2 { 400.0 } else { 376.0 }),
        quarters: 8,
        hold: 10,
        at_once: false,
        ..plain()
    }
}

/// 280 from one quarter to the next, 400 otherwise.
fn dip(from: i64, until: i64, quarter: i64) -> Option<f64> {
    Some(if (from..until).contains(&quarter) { 280.0 } else { 400.0 })
}

/// The clocks of all show 12:00 at the start.
fn scenarios() -> Vec<Scenario> {
    let window = &[("0 30 12 * * *", 90)];
    vec![
        Scenario {
            promise: "what is not held is told at once, worsening and end too",
            read: |_, quarter| Some([400.0, 280.0, 220.0, 400.0][usize::try_from(quarter.min(3)).unwrap()]),
            told: &["15 soc alert.firing t0 280", "30 soc alert.worsened t0 220", "45 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what fires and is over in a window is told to nobody",
            read: |_, quarter| dip(3, 5, quarter),
            windows: window,
            ..plain()
        },
        Scenario {
            promise: "what fires in a window and still does is told at its end, and so is its later end",
            read: |_, quarter| dip(3, 10, quarter),
            windows: window,
            told: &["120 soc alert.firing t0 280", "150 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what was told before a window and is over within is told as over at its end",
            read: |_, quarter| dip(1, 4, quarter),
            windows: window,
            told: &["15 soc alert.firing t0 280", "120 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what was told before and got worse within a silence is told once, by its newest",
            read: |_, quarter| Some([400.0, 280.0, 280.0, 220.0, 160.0][usize::try_from(quarter.min(4)).unwrap()]),
            silences: &[(20, 100)],
            told: &["15 soc alert.firing t0 280", "100 soc alert.worsened t0 160 for 1 more"],
            ..plain()
        },
        Scenario {
            promise: "a window that follows a silence without a gap goes on holding",
            read: |_, quarter| dip(2, 12, quarter),
            silences: &[(20, 40)],
            windows: &[("0 40 12 * * *", 35)],
            told: &["75 soc alert.firing t0 280"],
            ..plain()
        },
        Scenario {
            promise: "many that a window held are one digest at its end for who gets many, and one by one for who gets few",
            tenants: 7,
            read: |tenant, quarter| dip(if tenant == 5 { 7 } else { 3 }, if tenant == 4 { 6 } else { 12 }, quarter),
            windows: window,
            digest_over: 3,
            told: &["120 own alert.firing t1 280", "120 own alert.firing t2 280", "120 soc digest t0 t1 t2 t3 t5 t6"],
            ..plain()
        },
        Scenario {
            promise: "as many as a digest needs not are told one by one, one more makes a digest",
            tenants: 4,
            read: |tenant, quarter| dip(1, if tenant == 3 { 4 } else { 3 }, quarter),
            digest_over: 3,
            told: &[
                "15 own alert.firing t1 280",
                "15 own alert.firing t2 280",
                "15 soc digest t0 t1 t2 t3",
                "45 own alert.resolved t1 400",
                "45 own alert.resolved t2 400",
                "45 soc alert.resolved t0 400",
                "45 soc alert.resolved t1 400",
                "45 soc alert.resolved t2 400",
                "60 soc alert.resolved t3 400",
            ],
            ..plain()
        },
        Scenario {
            promise: "what may be one of many and is not is told by itself after its wait",
            read: |tenant, quarter| Some(if tenant < 2 && quarter >= 2 { 376.0 } else { 400.0 }),
            told: &["40 soc alert.firing t0 376", "41 own alert.firing t1 376", "41 soc alert.firing t1 376"],
            ..fleet()
        },
        Scenario {
            promise: "what recovers while it waits for the fleet is told to nobody",
            read: |_, quarter| Some(if quarter == 2 { 376.0 } else { 400.0 }),
            hold: 32,
            ..fleet()
        },
        Scenario {
            promise: "a fleet shift is one notice, who stands out is told alone, who is read late joins in silence until worse",
            read: |tenant, quarter| match (tenant, quarter) {
                (_, ..2) => Some(400.0),
                (3, _) => Some(250.0),
                (4, _) => Some(400.0),
                (6, 2..6) => None,
                (6, 9..) => Some(340.0),
                _ => Some(376.0),
            },
            quarters: 12,
            told: &[
                "43 soc alert.firing t3 250",
                "59 own fleet.shift t1 t2, apart , median -6.0",
                "59 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t5 t7 t8 t9, apart t3, median -6.0",
                "151 soc alert.worsened t6 340",
            ],
            ..fleet()
        },
        Scenario {
            promise: "what a window held may be due to a shift that is seen at its end",
            windows: &[("0 20 12 * * *", 60)],
            told: &[
                "99 own fleet.shift t1 t2, apart , median -6.0",
                "99 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, apart , median -6.0",
            ],
            ..fleet()
        },
        Scenario {
            promise: "an alert that flaps is told to be unstable once, and how it stands when it has calmed down",
            rule: Rule { flapping: Some(FlapLimit { changes: 3, within: Duration::from_hours(24) }), ..low() },
            read: |_, quarter| Some(if quarter < 9 && quarter % 2 == 1 { 280.0 } else { 400.0 }),
            quarters: 18,
            told: &[
                "15 soc alert.firing t0 280",
                "30 soc alert.resolved t0 400",
                "45 soc alert.firing t0 280",
                "60 soc alert.unstable t0 400",
                "180 soc alert.resolved t0 400",
            ],
            ..plain()
        },
    ]
}

impl Scenario {
    fn config(&self, bed: &Bed) -> Config {
        let channel =
            |name: &str, fence: Fence| ChannelSettings { digest_over: self.digest_over, fence, ..bed.channel(name) };
        let own = Fence { tenants: Some(OWN.iter().map(|id| tenant_id(id)).collect()), ..Fence::default() };
        let rule = Rule { notify: channels(&["soc", "own"]), ..self.rule.clone() };
        let mut config =
            config().with_channel(channel("soc", Fence::default())).with_channel(channel("own", own)).with_rule(rule);
        for tenant in 0..self.tenants {
            config = config.with_tenant(bed.tenant(&format!("t{tenant}"), 400.0));
        }
        config.fleet.hold = minutes(self.hold);
        let maintenance = |(from, length): &(&str, u64)| Maintenance {
            name: "window".to_owned(),
            matchers: Matchers::default(),
            window: Window::new(Schedule::parse(from, chrono_tz::UTC).unwrap(), WindowEnd::After(minutes(*length))),
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
        let bed = Bed::new().await;
        let config = self.config(&bed);
        for silence in self.silences() {
            bed.store.add_silence(silence).await.unwrap();
        }
        let (dispatcher, _sender, _told) = bed.dispatcher(config.clone());
        let plan = CheckPlan::new(Arc::new(config.clone()));
        let (mut told, mut wakes) = (Vec::new(), vec![None::<Timestamp>; self.tenants]);
        for minute in 0..self.minutes() {
            for (tenant, wake) in wakes.iter_mut().enumerate() {
                let id = format!("t{tenant}");
                let is_read = minute % QUARTER == self.phase(tenant);
                let turn = match is_read.then(|| (self.read)(tenant, minute / QUARTER)).flatten() {
                    Some(value) => {
                        bed.set_score(&id, value);
                        Turn::Check { due_at: at(minute) }
                    }
                    None if wake.is_some_and(|due| due <= at(minute)) => Turn::Wake,
                    None => continue,
                };
                let (checker, record) = (bed.checker(), bed.record(&id).await);
                let visit = checker.visit(&plan, &config.tenants[id.as_str()], turn, record, &bed.shutdown);
                visit.await.unwrap();
                *wake = bed.record(&id).await.and_then(|record| record.health.wake_at);
            }
            let before = ["own", "soc"].map(|channel| (channel, bed.receivers.received_by(channel).len()));
            dispatcher.drain().await.unwrap();
            for (channel, before) in before {
                let received = bed.receivers.received_by(channel).split_off(before);
                told.extend(received.iter().map(|request| said(minute, channel, &request.json())));
            }
            bed.pass(1);
        }
        told.sort_by_key(|line| order(line));
        told
    }

    /// What a replay sends on the same readings.
    async fn replayed(&self) -> Vec<String> {
        let bed = Bed::new().await;
        let config = self.config(&bed);
        let receiver = |settings: &ChannelSettings| Receiver {
            fence: settings.fence.clone(),
            digest_over: Some(settings.digest_over),
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
        let courses: Vec<Course> = (0..self.tenants).map(|tenant| self.course(tenant)).collect();
        let mut messages: Vec<Message> = courses.iter().flat_map(|course| walk(&plan, course)).collect();
        messages.sort_by_key(|message| message.at);
        let outcome = send(&plan, &courses, messages);
        let in_time = outcome.sent.iter().filter(|sent| minute_of(sent.at) < self.minutes());
        let mut told: Vec<String> = in_time.map(|sent| sends(&outcome, sent)).collect();
        told.sort_by_key(|line| order(line));
        told
    }

    fn course(&self, tenant: usize) -> Course {
        let read = (0..self.quarters).filter_map(|quarter| Some((quarter, (self.read)(tenant, quarter)?)));
        let samples = read.map(|(quarter, value)| sample(at(quarter * QUARTER + self.phase(tenant)), value)).collect();
        let series = vec![SeriesCourse { subject: None, samples, read_at: Vec::new(), history: 0 }];
        Course {
            tenant: tenant_id(&format!("t{tenant}")),
            name: "A tenant".into(),
            labels: Arc::default(),
            notify: Vec::new(),
            poll_interval: minutes(15),
            scores: vec![ScoreCourse { score: SCORE, series, looks: Vec::new() }],
            away: Vec::new(),
            until: at(self.minutes()),
        }
    }
}

/// The minute by which it is sent: live delivery looks once a minute.
fn minute_of(at_time: Timestamp) -> i64 {
    let seconds = i64::try_from(at_time.since(at(0)).as_secs()).unwrap();
    seconds.div_euclid(60) + i64::from(seconds % 60 > 0)
}

/// Of one minute and channel, the order in which alerts of several tenants are told is no promise.
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
            let more = format!(", apart {apart}, median {}", data["fleet"]["median"]);
            line(minute, channel, kind, slugs(&data["fleet"]["tenants"]), &more)
        }
        _ => {
            let carried = data["notification"]["stands_for"].as_array().map_or(0, Vec::len);
            let more = more(data["score"]["value"].as_f64(), carried);
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
            format!(", apart {}, median {}", facts.apart.join(" "), serde_json::json!(facts.median))
        }
        (None, NotificationType::Digest) => String::new(),
        (None, _) => {
            let newest = &outcome.messages[*sent.says.last().unwrap()];
            more(newest.transition.value, sent.says.len() - 1)
        }
    };
    line(minute, sent.channel.as_str(), kind, tenants, &more)
}

fn more(value: Option<f64>, carried: usize) -> String {
    let carried = if carried == 0 { String::new() } else { format!(" for {carried} more") };
    format!(" {}{carried}", value.unwrap_or_default())
}

#[tokio::test]
async fn a_replay_s_stages_send_what_live_delivery_sends() {
    for scenario in scenarios() {
        let (live, replayed) = (scenario.live().await, scenario.replayed().await);
        assert_eq!(replayed, live, "{}", scenario.promise);
        assert_eq!(live, scenario.told, "{}", scenario.promise);
    }
}
