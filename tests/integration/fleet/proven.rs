//! `fleet: { accept: proven }`: what Microsoft changed, and is shown to have changed, is the new level without anybody's word; what a
//! tenant lost beyond that is not.

use scorewatch::{
    domain::ScoreKind,
    microsoft::{Account, Hosts},
    notify::fleet::watch::Accept,
    rule::{BaselineChoice, Change, Size},
    service::acceptance::accept_owed,
};
use serde_json::{Value, json};

use super::*;
use crate::integration::setup::entra;

/// Tenants, of which the first also loses points of its own.
const TENANTS: usize = 12;
const DAY: u64 = 24 * 60;

/// The record of today. Microsoft retires `legacy`, of 30 points, and the maximum with it.
fn record(fixture: &Fixture, mfa: f64, is_retired: bool) -> Value {
    let control =
        |name: &str, score: f64| json!({ "controlName": name, "controlCategory": "Identity", "score": score });
    let mut controls = vec![control("mfa", mfa), control("dlp", 30.0)];
    controls.extend((!is_retired).then(|| control("legacy", 30.0)));
    let points: f64 = controls.iter().filter_map(|control| control["score"].as_f64()).sum();
    let date = fixture.clock.now().to_chrono().format("%Y-%m-%d");
    json!({
        "id": format!("t_{date}"), "createdDateTime": format!("{date}T00:00:00Z"), "currentScore": points,
        "maxScore": if is_retired { 170.0 } else { 200.0 }, "controlScores": controls, "averageComparativeScores": [],
        "enabledServices": ["HasEXOP2"],
    })
}

struct Records {
    fixture: Fixture,
    config: Config,
    dispatcher: Dispatcher,
    _sender: watch::Sender<Arc<Config>>,
    _settled: mpsc::UnboundedReceiver<TenantId>,
    known: Vec<Vec<Value>>,
}

impl Records {
    async fn new(accept: Accept) -> Self {
        let fixture = Fixture::new().await;
        let fall = Change {
            size: Size::Points(5.0),
            within: std::time::Duration::from_hours(7 * 24),
            from: BaselineChoice::Best,
        };
        let rule = Rule { score: Some(ScoreKind::SecureScore), ..rule("fall", Condition::Drop(fall)) };
        let mut config = config().with_channel(fixture.channel("soc")).with_rule(rule);
        for number in 0..TENANTS {
            let id = format!("t{number}");
            let known = fixture.tenant(&id, 400.0);
            fixture.cloud.set_roles(entra(&id), &["SecurityEvents.Read.All"]);
            let hosts = Hosts { graph: fixture.cloud.base_url(), ..(*known.account.hosts).clone() };
            let account = Account { hosts: Arc::new(hosts), ..known.account };
            config = config.with_tenant(Tenant { scores: Arc::new([ScoreKind::SecureScore]), account, ..known });
        }
        (config.fleet.hold, config.fleet.spread, config.fleet.accept) = (minutes(10), minutes(0), accept);
        let (dispatcher, sender, settled) = fixture.dispatcher(config.clone());
        Self { fixture, config, dispatcher, _sender: sender, _settled: settled, known: vec![Vec::new(); TENANTS] }
    }

    /// A day on which each tenant has a new record, and everything that is sent and accepted for it.
    async fn day(&mut self, mfa: impl Fn(usize) -> f64, is_retired: bool) -> usize {
        for number in 0..TENANTS {
            self.known[number].insert(0, record(&self.fixture, mfa(number), is_retired));
            self.fixture.cloud.set_records(entra(&format!("t{number}")), self.known[number].clone());
        }
        let mut accepted = 0;
        for minute in 0..DAY {
            if minute % 15 == 0 && minute < 60 {
                self.fixture.visit_all(&self.config).await;
            }
            if minute < 60 {
                self.dispatcher.drain().await.unwrap();
                accepted +=
                    accept_owed(self.fixture.store.as_ref(), &self.config, self.fixture.clock.now()).await.unwrap();
            }
            self.fixture.pass(1);
        }
        accepted
    }

    /// What was sent since: the type, and the tenant of what is about one.
    fn sent(&self) -> Vec<Value> {
        self.fixture.receivers.received_by("soc").iter().map(|request| request.json()).collect()
    }

    async fn firing(&self) -> Vec<String> {
        let mut firing: Vec<String> =
            self.fixture.firing().await.iter().map(|row| row.key.tenant.to_string()).collect();
        firing.sort();
        firing
    }
}

#[tokio::test]
async fn a_shift_that_microsoft_is_shown_to_have_made_is_accepted_with_its_notice() {
    let mut fleet = Records::new(Accept::Proven).await;
    assert_eq!(fleet.day(|_| 80.0, false).await, 0);
    let own_loss = |number: usize| if number == 0 { 79.0 } else { 80.0 };
    assert_eq!(fleet.day(own_loss, true).await, TENANTS - 1, "each whose own evidence shows it, once");
    let sent = fleet.sent();
    let shifts: Vec<&Value> = sent.iter().filter(|body| body["type"] == "fleet.shift").collect();
    let [notice] = shifts[..] else { panic!("one notice: {sent:#?}") };
    let facts = &notice["data"]["fleet"];
    assert_eq!(
        (&facts["accepted_count"], &facts["evidence"]["by_both"]),
        (&json!(TENANTS - 1), &json!(1)),
        "{facts:#}"
    );
    assert_eq!(fleet.firing().await, ["t0"], "what it lost itself is no new level");
    assert!(sent.iter().all(|body| body["type"] != "alert.resolved"), "the notice said so: {sent:#?}");

    // From the new level on, a loss of one's own is measured and notified as ever.
    let before = fleet.sent().len();
    let falls = |number: usize| if number == 5 { 65.0 } else { own_loss(number) };
    assert_eq!(fleet.day(falls, true).await, 0, "a loss of its own is accepted by nobody");
    let sent = fleet.sent().split_off(before);
    let [alert] = &sent[..] else { panic!("one alert: {sent:#?}") };
    assert_eq!((&alert["type"], &alert["data"]["tenant"]["id"]), (&json!("alert.firing"), &json!("t5")));
    let baseline = alert["data"]["score"]["baseline"].as_f64().unwrap();
    assert!((baseline - 11_000.0 / 170.0).abs() < 0.01, "measured from what Microsoft made of it: {baseline}");
}

#[tokio::test]
async fn a_shift_is_not_accepted_where_a_person_is_to_be_asked() {
    let mut fleet = Records::new(Accept::Ask).await;
    fleet.day(|_| 80.0, false).await;
    assert_eq!(fleet.day(|_| 80.0, true).await, 0);
    let notice = fleet.sent().into_iter().find(|body| body["type"] == "fleet.shift").expect("a notice");
    assert_eq!(notice["data"]["fleet"]["evidence"]["verdict"], "microsoft");
    assert_eq!(fleet.firing().await.len(), TENANTS, "each is an ordinary firing alert");
}
