//! Whoever may see one tenant sees and does nothing of another's, whatever is asked.

mod acts;
mod api;
mod dashboard;
mod many;
mod once;
mod pages;
mod paths;
mod search;
mod service;
mod shown;

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    action::{drill, silence},
    channel::{ChannelSettings, Show},
    config::{Config, Fields, Operator, Outline, StoreLocation, Tenant},
    domain::{Caller, Extras, Labels, Scope, SeenChannels, Selector, Timestamp},
    notify::{
        route::Audience,
        silence::{Matchers, NewSilence},
    },
    query::{
        self, Error, Page, alerts,
        backtest::{self, Question, Source},
        changes::Version,
        deliveries, find, fleet, maintenance, samples, silences, tenants,
    },
    rule::{AlertKey, Guide, Rule},
    service::roster,
    store::Store,
};
use serde::Serialize;

use super::{
    fixture::Fixture,
    setup::{self, Build, at, channels, drop_of, minutes, rule, tenant_id},
};

/// Nobody whose scope is `contoso` may read one of these. What is meant for our own people is called `inhouse-…`: a label, the words of a
/// rule's author, and a channel.
const OTHERS: [&str; 4] = ["fabrikam", "tailspin", "everybody's secret", "inhouse-"];

/// `contoso` and `fabrikam` with a channel each, `soc` for all, and `tailspin`, which is no longer configured. An alert of each fires;
/// there is a silence of each, one of everybody, and a drill for `soc`.
struct Scene {
    fixture: Fixture,
    config: Arc<Config>,
}

/// These tenants, with the channels that show nobody else, as everybody sees theirs.
fn only(ids: &[&str]) -> Scope {
    let channels = ids.iter().map(|id| setup::channel_name(&format!("{id}-team"))).collect();
    let extras = Extras { channels: SeenChannels::These(channels), ..Extras::default() };
    Scope::only(ids.iter().map(|id| tenant_id(id)).collect()).with(|_| extras)
}

fn nobody() -> Scope {
    Scope::only(BTreeSet::new())
}

impl Scene {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let labels: Labels = [("inhouse-tier".into(), "inhouse-gold".into())].into();
        let own = |id: &str| Tenant {
            notify: channels(&[&format!("{id}-team")]),
            labels: Arc::new(labels.clone()),
            ..fixture.tenant(id, 400.0)
        };
        let guide = Guide { about: Some("inhouse-words".into()), runbook: Some("https://inhouse-wiki.example".into()) };
        let fenced = |id: &str| ChannelSettings {
            audience: Audience { tenants: Some([tenant_id(id)].into()), ..Audience::default() },
            show: Show { labels: false, about: false },
            ..fixture.channel(&format!("{id}-team"))
        };
        let before = setup::config()
            .with_tenant(own("contoso"))
            .with_tenant(own("fabrikam"))
            .with_tenant(Tenant { labels: Arc::new(labels.clone()), ..fixture.tenant("tailspin", 400.0) })
            .with_channel(fixture.channel("inhouse-desk"))
            .with_channel(fenced("contoso"))
            .with_channel(fenced("fabrikam"))
            .with_rule(Rule {
                notify: channels(&["inhouse-desk", "fabrikam-team"]),
                guide,
                tenants: Selector(labels.clone()),
                ..rule("drop", drop_of(20.0))
            });
        let before = Config {
            store: StoreLocation::Sqlite(fixture.directory.path().join("data/s.db")),
            operator: Operator { notify: channels(&["inhouse-desk", "fabrikam-team"]), blind_after: minutes(120) },
            ..before
        };
        roster::reconcile(fixture.store.as_ref(), &before, fixture.clock.now()).await.unwrap();
        fixture.visit_all(&before).await;
        fixture.pass(15);
        for id in before.tenants.keys() {
            fixture.set_score(id.as_str(), 290.0);
        }
        fixture.visit_all(&before).await;
        for id in before.tenants.keys() {
            service::advise(&fixture, id).await;
        }
        let mut config = before;
        config.tenants.remove("tailspin");
        roster::reconcile(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
        config.maintenance = ["contoso", "fabrikam"].map(service::night_of).into();
        let scene = Self { fixture, config: Arc::new(config) };
        for tenants in [&["contoso"][..], &["fabrikam"], &["contoso", "fabrikam"], &[]] {
            scene.silence(tenants).await;
        }
        drill::drill(scene.store(), &scene.config, &Caller::local("ann"), "inhouse-desk", scene.now()).await.unwrap();
        scene
    }

    fn store(&self) -> &dyn Store {
        self.fixture.store.as_ref()
    }

    fn now(&self) -> Timestamp {
        self.fixture.clock.now()
    }

    async fn silence(&self, tenants: &[&str]) {
        let matchers = Matchers { tenants: tenants.iter().map(|id| tenant_id(id)).collect(), ..Matchers::default() };
        let comment = if tenants == ["contoso"] { "patching" } else { "everybody's secret" }.to_owned();
        let (starts_at, ends_at) = (self.now(), self.now().plus(minutes(600)));
        let new = NewSilence { matchers, starts_at, ends_at, author: "ann".to_owned(), comment };
        silence::add(self.store(), &self.config, &Caller::local("ann"), new, self.now()).await.unwrap();
    }

    /// The same configuration without its rule, without `fabrikam`, and with other channels of the tenants.
    fn changed(&self) -> Config {
        let mut changed = (*self.config).clone();
        changed.rules.clear();
        changed.tenants.remove("fabrikam");
        for name in ["contoso-team", "fabrikam-team"] {
            let settings = changed.channels[name].as_ref().clone();
            changed.channels.insert(settings.name.clone(), Arc::new(ChannelSettings { digest_over: 7, ..settings }));
        }
        changed.concurrency += 1;
        changed
    }

    /// Everything that can be asked without naming anything, as JSON by what it is.
    async fn everything(&self, scope: &Scope) -> Vec<(&'static str, String)> {
        let (store, config, now) = (self.store(), &self.config, self.now());
        let online = query::online::online(config, scope, &[], || {}).await.unwrap();
        let matchers = Matchers::default();
        vec![
            (
                "deliveries",
                json(&deliveries::list(store, scope, &deliveries::Filter::default(), &Page::ALL).await.unwrap()),
            ),
            (
                "alerts that match",
                json(&alerts::matching(store, config, scope, &alerts::Wanted::default(), &Page::ALL).await.unwrap()),
            ),
            (
                "tenants that match",
                json(&tenants::matching(store, config, scope, &tenants::Filter::default(), &Page::ALL).await.unwrap()),
            ),
            ("maintenance", json(&maintenance::list(config, scope, minutes(60 * 24 * 14), now))),
            ("rules", json(&query::rules::list(config, scope, &Page::ALL))),
            ("silences", json(&silences::list(store, scope, true, &Page::ALL, now).await.unwrap())),
            ("covered", json(&silences::covered(store, scope, &matchers).await.unwrap())),
            ("tenants", json(&tenants::list(store, config, scope, false, &Page::ALL).await.unwrap())),
            ("gone", json(&tenants::gone(store, config, scope, &Page::ALL).await.unwrap())),
            ("names", json(&tenants::names(config, scope).await.unwrap())),
            ("channels", json(&query::channels::list(store, config, scope, now).await.unwrap())),
            ("who sees", json(&query::channels::who_sees(config, scope, None).unwrap())),
            ("against state", json(&query::changes::against_state(store, &self.changed(), scope, now).await.unwrap())),
            ("changes", self.changes(scope).await),
            ("backtest", json(&self.backtest(scope, &[]).await.unwrap())),
            ("online", json(&online)),
            ("fleet", json(&self.fleet(scope).await)),
            ("work", json(&query::work::work(store, config, scope, 10).await.unwrap())),
        ]
    }

    async fn fleet(&self, scope: &Scope) -> fleet::Fleet {
        let (memory, filter) = (fleet::Memory::default(), fleet::Filter::default());
        fleet::fleet(self.store(), &self.config, &memory, scope, &filter, &Page::ALL, self.now()).await.unwrap()
    }

    async fn samples(&self, scope: &Scope, tenant: &str) -> Result<Vec<samples::SeriesWindow>, Error> {
        let (from, until) = (self.now().minus(minutes(60)), self.now().plus(minutes(60)));
        let question =
            samples::Question { tenant: tenant.to_owned(), score: None, subject: None, from, until, points: 100 };
        samples::samples(self.store(), &self.config, scope, &question, self.now()).await
    }

    async fn changes(&self, scope: &Scope) -> String {
        let (old, new) = (&*self.config, &self.changed());
        let (was, is) = (outline(old, "old"), outline(new, "new"));
        let (old, new) = (Version { config: old, written: &was }, Version { config: new, written: &is });
        json(&query::changes::difference(old, new, scope, self.now()).await.unwrap())
    }

    async fn backtest(&self, scope: &Scope, ids: &[&str]) -> Result<backtest::Report, Error> {
        let question = Question {
            rules: Vec::new(),
            tenants: ids.iter().map(|id| (*id).to_owned()).collect(),
            since: "1d".to_owned(),
            until: None,
            candidates: None,
        };
        let source = Source::Store(self.store());
        backtest::prepare(source, &self.config, scope, &question, self.now(), || {}).await?.report(|| {})
    }
}

/// What files could say in which every tenant, rule and channel has that note.
fn outline(config: &Config, note: &str) -> Outline {
    let about = |name: &str| Fields::from([("about".to_owned(), format!("{note} {name}"))]);
    let of = |names: Vec<String>| names.into_iter().map(|name| (name.clone(), about(&name))).collect();
    Outline {
        tenants: of(config.tenants.keys().map(ToString::to_string).collect()),
        rules: of(config.rules.iter().map(|rule| rule.name.to_string()).collect()),
        channels: of(config.channels.keys().map(ToString::to_string).collect()),
        service: about("everybody's secret"),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_a_scope_its_own_and_nothing_of_others() {
    let scene = Scene::new().await;
    let within = scene.everything(&only(&["contoso"])).await;
    let (all, none) = (scene.everything(&Scope::All).await, scene.everything(&nobody()).await);
    for (((what, within), (_, all)), (_, none)) in within.iter().zip(&all).zip(&none) {
        let has_others = |json: &str| OTHERS.iter().any(|other| json.contains(other));
        assert!(!has_others(within), "{what} of contoso: {within}");
        assert!(has_others(all), "{what} of everybody: {all}");
        assert_eq!(within.contains("contoso"), *what != "gone", "{what} of contoso: {within}");
        assert!(!has_others(none) && !none.contains("contoso"), "{what} of nobody: {none}");
    }
}

/// Asserts that what lies beyond the scope is refused with the words for what does not exist.
fn as_if_absent<T>(
    what: &str,
    (other, of_other): (&str, Result<T, Error>),
    (absent, of_absent): (&str, Result<T, Error>),
) {
    let (Err(of_other), Err(of_absent)) = (of_other, of_absent) else { panic!("{what}: it was shown") };
    assert_eq!(of_other.to_string().replace(other, absent), of_absent.to_string(), "{what}");
    assert_eq!(std::mem::discriminant(&of_other), std::mem::discriminant(&of_absent), "{what}");
}

fn which(tenant: &str) -> alerts::Which {
    alerts::Which::named(tenant, "drop", None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_look_up_answers_as_if_others_did_not_exist() {
    let scene = Scene::new().await;
    let (store, config, now, scope) = (scene.store(), &scene.config, scene.now(), &only(&["contoso"]));
    let all = deliveries::list(store, &Scope::All, &deliveries::Filter::default(), &Page::ALL).await.unwrap().items;
    // Not even one's own goes by the number that the store counts.
    for delivery in &all {
        let absent = deliveries::DeliveryId(4711);
        let [of_other, of_absent] =
            [deliveries::show(store, scope, delivery.id).await, deliveries::show(store, scope, absent).await];
        as_if_absent("delivery", (&delivery.id.to_string(), of_other), ("4711", of_absent));
    }
    for id in [1, 2, 3, 4] {
        let of_other = silences::show(store, scope, silences::SilenceId(id)).await;
        let of_absent = silences::show(store, scope, silences::SilenceId(4711)).await;
        as_if_absent("silence", (&id.to_string(), of_other), ("4711", of_absent));
    }
    let (other, absent) = ("fabrikam", "absent");
    let id = |name: &str| tenant_id(name);
    let ask =
        |tenant: &str| query::explain::Question { tenant: tenant.to_owned(), rule: "drop".to_owned(), subject: None };
    let [of_other, of_absent] = [find::tenant(config, scope, other), find::tenant(config, scope, absent)];
    as_if_absent("tenant", (other, of_other), (absent, of_absent));
    let [of_other, of_absent] = [other, absent].map(|name| find::tenants(config, scope, &[name.to_owned()]));
    as_if_absent("tenants", (other, of_other), (absent, of_absent));
    let [of_other, of_absent] = [other, absent].map(|name| query::channels::who_sees(config, scope, Some(&id(name))));
    as_if_absent("who sees", (other, of_other), (absent, of_absent));
    for shared in ["fabrikam-team", "inhouse-desk"] {
        let [of_other, of_absent] = [shared, absent].map(|name| find::channel(config, scope, name));
        as_if_absent("channel", (shared, of_other), (absent, of_absent));
        let of_other = query::channels::public_keys(config, scope, shared).await;
        let of_absent = query::channels::public_keys(config, scope, absent).await;
        as_if_absent("public key", (shared, of_other), (absent, of_absent));
    }
    for other in ["fabrikam", "tailspin"] {
        let [of_other, of_absent] =
            [alerts::show(store, scope, &which(other)).await, alerts::show(store, scope, &which(absent)).await];
        as_if_absent("alert", (other, of_other), (absent, of_absent));
        let [of_other, of_absent] =
            [tenants::show(store, config, scope, other).await, tenants::show(store, config, scope, absent).await];
        as_if_absent("tenant in detail", (other, of_other), (absent, of_absent));
        let of_other = query::explain::explain(store, config, scope, &ask(other), now).await;
        let of_absent = query::explain::explain(store, config, scope, &ask(absent), now).await;
        as_if_absent("explanation", (other, of_other), (absent, of_absent));
        let month = |tenant: &str| query::report::Question {
            tenant: tenant.to_owned(),
            month: None,
            zone: None,
            ask_microsoft: true,
        };
        let of_other = query::report::report(store, config, scope, &month(other), now).await;
        let of_absent = query::report::report(store, config, scope, &month(absent), now).await;
        as_if_absent("report", (other, of_other), (absent, of_absent));
        let of_other = query::explain::blindness(store, config, scope, other, now).await;
        let of_absent = query::explain::blindness(store, config, scope, absent, now).await;
        as_if_absent("blindness", (other, of_other), (absent, of_absent));
        let of_other = query::online::online(config, scope, &[other.to_owned()], || {}).await;
        let of_absent = query::online::online(config, scope, &[absent.to_owned()], || {}).await;
        as_if_absent("online", (other, of_other), (absent, of_absent));
        let [of_other, of_absent] = [scene.samples(scope, other).await, scene.samples(scope, absent).await];
        as_if_absent("samples", (other, of_other), (absent, of_absent));
        let [of_other, of_absent] = [scene.backtest(scope, &[other]).await, scene.backtest(scope, &[absent]).await];
        as_if_absent("backtest", (other, of_other), (absent, of_absent));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_a_scope_s_own_names_no_others() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let ask = query::explain::Question { tenant: "contoso".to_owned(), rule: "drop".to_owned(), subject: None };
    for (scope, names_others) in [(Scope::All, true), (only(&["contoso"]), false)] {
        let explained = query::explain::explain(store, config, &scope, &ask, now).await.unwrap();
        let blindness = query::explain::blindness(store, config, &scope, "contoso", now).await.unwrap();
        for said in [json(&explained), json(&blindness)] {
            assert_eq!(OTHERS.iter().any(|other| said.contains(other)), names_others, "{scope:?}: {said}");
        }
        let says = |by: &str| explained.decisions.iter().find(|decision| decision.by == by).unwrap().says.clone();
        // A limited scope is shown another number.
        let shown = silences::list(store, &scope, false, &Page::ALL, now).await.unwrap().items;
        let own = shown.iter().find(|silence| silence.comment == "patching").unwrap();
        assert_eq!(own.id == silences::SilenceId(1), names_others);
        let named = format!("silence {} of ann: patching", own.id);
        assert!(says("silence").contains(&named), "{}", says("silence"));
        assert_eq!(says("silence").contains("a silence that covers more tenants"), !names_others);
        assert_eq!(says("audience").contains("another audience's channel may not show this tenant"), !names_others);
        let drawn = scene.samples(&scope, "contoso").await.unwrap();
        assert_eq!((drawn.len(), drawn[0].points.len(), drawn[0].alerts.len()), (1, 2, 1), "{drawn:?}");
        assert_eq!(OTHERS.iter().any(|other| json(&drawn).contains(other)), names_others, "{drawn:?}");
        assert_eq!(drawn[0].silences.len(), 3, "that of several tenants, and that of all, without a word of them");
        let detail = tenants::show(store, config, &scope, "contoso").await.unwrap();
        let shown_by = if names_others { &["contoso-team", "inhouse-desk"][..] } else { &["contoso-team"] };
        let named: Vec<&str> = detail.may_be_shown_by.iter().map(String::as_str).collect();
        assert_eq!((detail.alerts.len(), named.as_slice()), (1, shown_by));
    }
    assert_eq!(scene.now(), at(15));
    let (all, own) = (scene.fleet(&Scope::All).await, scene.fleet(&only(&["contoso"])).await);
    assert_eq!((all.totals.tenants, all.totals.firing, own.totals.tenants, own.totals.firing), (2, 2, 1, 1));
    assert_eq!(own.totals.medians[0].tenants, 1, "the median is of the scope");
    let work = query::work::work(scene.store(), config, &only(&["contoso"]), 10).await.unwrap().items;
    assert_eq!((work.len(), work[0].advice.tenants, work[0].most.len()), (1, 1, 1), "{work:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_does_not_say_whether_another_s_alert_is_there() {
    let scene = Scene::new().await;
    let (store, scope, filter) = (scene.store(), only(&["contoso"]), alerts::Filter::default());
    let known = alerts::list(store, &Scope::All, &filter, &Page::ALL).await.unwrap().items;
    let of_other = known.iter().find(|row| row.key.tenant == tenant_id("fabrikam")).unwrap();
    let absent = AlertKey { tenant: tenant_id("nobody"), ..of_other.key.clone() };
    let mut pages = Vec::new();
    for alert in [of_other.key.clone(), absent] {
        // As new as their own, so that the order of rows would give it away.
        let own = known.iter().find(|row| row.key.tenant == tenant_id("contoso")).unwrap();
        let after = Some(alerts::Cursor { changed_at: own.changed_at, alert });
        pages.push(alerts::list(store, &scope, &filter, &Page { limit: None, after }).await.unwrap().items);
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0].len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_seen_by_those_of_whom_it_selects_a_tenant() {
    let scene = Scene::new().await;
    let selector = Selector([("project".into(), "merger".into())].into());
    let config = (*scene.config).clone().with_rule(Rule { tenants: selector, ..rule("merger", drop_of(20.0)) });
    for (scope, sees) in [(Scope::All, true), (only(&["contoso"]), false), (nobody(), false)] {
        assert_eq!(find::rule(&config, &scope, "merger").is_ok(), sees, "{scope:?}");
    }
    assert!(find::rule(&config, &only(&["contoso"]), "drop").is_ok());
}
