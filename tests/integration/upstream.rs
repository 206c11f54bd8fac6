//! What the product makes of everything that Microsoft's APIs are known to do: a table of faults of the simulated cloud, and what
//! comes of each.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use scorewatch::{
    domain::{Reading, ScoreKind},
    egress::Egress,
    microsoft::{Account, FailureClass, FetchError, Microsoft},
    simulation::{
        Reply,
        cloud::{DefenderRefusal, EntraRefusal, Fetch, SignIn},
    },
    telemetry::Metrics,
};
use serde_json::{Value, json};

use super::{
    fixture::Fixture,
    setup::{at, entra},
};

const DEVICE: ScoreKind = ScoreKind::DeviceSecureScore;
const GRAPH: ScoreKind = ScoreKind::SecureScore;
const GROUPS: ScoreKind = ScoreKind::ExposureScoreByGroup;

struct Line {
    fixture: Fixture,
    account: Account,
    microsoft: Microsoft,
}

impl Line {
    async fn new() -> Self {
        Self::with_timeout(Duration::from_secs(20)).await
    }

    async fn with_timeout(timeout: Duration) -> Self {
        let fixture = Fixture::new().await;
        let account = fixture.tenant("contoso", 400.0).account;
        let hosts = scorewatch::microsoft::Hosts { graph: fixture.cloud.base_url(), ..(*account.hosts).clone() };
        let account = Account { hosts: Arc::new(hosts), ..account };
        // The client's own clock runs, as it waits before a second try.
        let microsoft = Microsoft::new(Egress::new(), scorewatch::clock::Clock::System, Metrics::default(), timeout);
        Self { fixture, account, microsoft }
    }

    /// Everything that there is of a score; nothing of it is known yet.
    async fn fetch(&self, score: ScoreKind) -> Result<Vec<Reading>, FetchError> {
        let next = scorewatch::clock::Clock::System.now();
        self.microsoft.fetch_all(&self.account, &[score], |_| None, next).await.remove(0).1
    }

    async fn class(&self, score: ScoreKind) -> FailureClass {
        self.fetch(score).await.unwrap_err().class
    }

    /// The samples, each as `day=value`.
    async fn days(&self) -> Vec<String> {
        let readings = self.fetch(GRAPH).await.unwrap();
        let line =
            |reading: &Reading| format!("{}={}", reading.sample.at.to_chrono().format("%d"), reading.sample.value);
        readings.iter().map(line).collect()
    }

    fn calls(&self) -> u64 {
        self.fixture.cloud.tenant_counts(entra("contoso")).score_requests
    }
}

/// Graph's record of a day in January, with everything that it was seen to hold.
fn record(day: u32, points: impl Into<Value>) -> Value {
    let points: Value = points.into();
    json!({
        "id": format!("t_2026-01-{day:02}"), "createdDateTime": format!("2026-01-{day:02}T00:00:00Z"),
        "currentScore": points, "maxScore": 100.0, "activeUserCount": 505_785, "enabledServices": ["x"],
        "averageComparativeScores": if day.is_multiple_of(2) { json!([]) } else { json!([{ "basis": "AllTenants", "averageScore": -1 }]) },
        "controlScores": [{ "controlName": "a", "controlCategory": "Identity", "score": 5.0, "count": "69", "total": "50", "new": {} }],
        "vendorInformation": { "provider": "SecureScore", "subProvider": null }
    })
}

#[tokio::test]
async fn each_refusal_of_entra_has_its_class() {
    use FailureClass as Class;
    for (answer, class) in [
        (SignIn::Refuse(EntraRefusal::TenantlessEndpoint), Class::ConfigurationWrong),
        (SignIn::Refuse(EntraRefusal::FieldMissing), Class::ConfigurationWrong),
        (SignIn::Refuse(EntraRefusal::Unlisted(424_242)), Class::SignInRefused),
        (SignIn::Refuse(EntraRefusal::TenantUnknown), Class::TenantNotFound),
        (SignIn::Refuse(EntraRefusal::LoopDetected), Class::Throttled),
        (SignIn::Refuse(EntraRefusal::TenantThrottled), Class::TenantBlocked),
        (SignIn::Refuse(EntraRefusal::PolicyBlocked), Class::PolicyBlocked),
        (SignIn::Raw(Reply::html(502)), Class::MicrosoftDown),
        (SignIn::Raw(Reply::html(200)), Class::Garbage),
        (SignIn::Raw(Reply::status(200)), Class::Garbage),
        (SignIn::Raw(Reply::status(429)), Class::Throttled),
        (SignIn::Raw(Reply::status(429).retry_after("2.128")), Class::Throttled),
        (SignIn::Raw(Reply::json(200, r#"{"access_token":"x","expires_in":3599}"#).cut()), Class::MicrosoftDown),
    ] {
        let line = Line::new().await;
        let said = format!("{answer:?}");
        line.fixture.cloud.set_sign_in(entra("contoso"), Some(answer));
        let error = line.fetch(DEVICE).await.unwrap_err();
        assert_eq!(error.class, class, "{said}");
        assert!(!error.to_string().contains("Trace ID"), "no text of Microsoft's: {error}");
        let is_throttled = class == FailureClass::Throttled;
        assert_eq!(error.retry_after.is_some(), is_throttled, "who throttles is left alone for a while: {said}");
        if is_throttled {
            let before = line.fixture.cloud.counts().token_requests;
            line.class(GRAPH).await;
            line.class(DEVICE).await;
            // Graph is another token.
            assert_eq!(line.fixture.cloud.counts().token_requests, before + 1, "{said}");
        }
    }
}

#[tokio::test]
async fn a_tenant_of_another_cloud_is_reported_as_such() {
    use scorewatch::domain::Cloud;
    for (home, class) in [
        (Cloud::Commercial, None),
        (Cloud::Gcc, Some(FailureClass::TenantNotFound)),
        (Cloud::Dod, Some(FailureClass::TenantNotFound)),
    ] {
        let line = Line::new().await;
        line.fixture.cloud.set_home(entra("contoso"), home);
        let fetched = line.fetch(DEVICE).await;
        assert_eq!(fetched.as_ref().err().map(|error| error.class), class, "{home}");
        if let Err(error) = fetched {
            assert_eq!(error.entra_code, Some(90_038));
            assert!(error.hint().unwrap().contains("cloud"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn each_fault_of_an_api_has_its_class_and_is_never_a_value() {
    use DefenderRefusal as Refusal;
    use FailureClass as Class;
    let throttled = |wait: &str| Refusal::Throttled { retry_after: Some(wait.to_owned()) };
    for (answer, defender, graph) in [
        (Fetch::Refuse(Refusal::BadQuery), Class::CallRefused, Class::CallRefused),
        (Fetch::Refuse(Refusal::NoLicence), Class::LicenceMissing, Class::LicenceMissing),
        (Fetch::Refuse(Refusal::AccountInactive), Class::LicenceMissing, Class::LicenceMissing),
        (Fetch::Refuse(Refusal::FeatureDisabled), Class::LicenceMissing, Class::LicenceMissing),
        (Fetch::Refuse(Refusal::TokenExpired), Class::TokenRefused, Class::TokenRefused),
        (Fetch::Refuse(Refusal::RoleMissing { held: Vec::new() }), Class::RoleMissing, Class::RoleMissing),
        (Fetch::Refuse(Refusal::NotFound), Class::CallRefused, Class::CallRefused),
        (Fetch::Refuse(Refusal::ServerError), Class::MicrosoftDown, Class::MicrosoftDown),
        (Fetch::Refuse(throttled("7")), Class::Throttled, Class::Throttled),
        (Fetch::Refuse(throttled("2.128")), Class::Throttled, Class::Throttled),
        (Fetch::Refuse(Refusal::Throttled { retry_after: None }), Class::Throttled, Class::Throttled),
        (Fetch::Incomplete, Class::NoData, Class::NoData),
        (Fetch::Raw(Reply::html(503)), Class::MicrosoftDown, Class::MicrosoftDown),
        (Fetch::Raw(Reply::html(200)), Class::Garbage, Class::Garbage),
        (Fetch::Raw(Reply::status(200)), Class::Garbage, Class::Garbage),
        (Fetch::Raw(Reply::status(204)), Class::NoData, Class::NoData),
        (Fetch::Raw(Reply::json(200, r#"{"value":[]}"#)), Class::NoData, Class::NoData),
        (
            Fetch::Raw(Reply::json(200, r#"{"score":340,"value":[{"score":340}]}"#).cut()),
            Class::MicrosoftDown,
            Class::MicrosoftDown,
        ),
        (Fetch::Raw(Reply::close()), Class::MicrosoftDown, Class::MicrosoftDown),
        (Fetch::Raw(Reply::gzip_bomb()), Class::AnswerTooLarge, Class::AnswerTooLarge),
    ] {
        for (score, class) in [(DEVICE, defender), (GROUPS, defender), (GRAPH, graph)] {
            let line = Line::new().await;
            line.fixture.cloud.set_records(entra("contoso"), vec![record(5, 50)]);
            line.fixture.cloud.set_groups(entra("contoso"), vec![json!({ "score": 1 })]);
            line.fixture.cloud.set_fetch(entra("contoso"), Some(answer.clone()));
            let found = line.class(score).await;
            assert_eq!(found, class, "{score}: {answer:?}");
            if class == FailureClass::Throttled {
                line.class(score).await;
                assert_eq!(line.calls(), 1, "asked again too early: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_never_ends_costs_its_timeout_and_no_more() {
    let line = Line::with_timeout(Duration::from_millis(300)).await;
    // The token is there before, so that no time is up while it is asked for.
    while line.fetch(DEVICE).await.is_err() {}
    for reply in [
        Reply::json(200, "x".repeat(100)).dripping(Duration::from_millis(50)),
        Reply::endless(),
        Reply::hang(),
        Reply::json(200, "{}").delayed(Duration::from_mins(1)),
    ] {
        line.fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Raw(reply.clone())));
        let class = line.class(DEVICE).await;
        assert!(
            matches!(class, FailureClass::MicrosoftDown | FailureClass::AnswerTooLarge | FailureClass::Garbage),
            "{class}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn daily_records_are_read_over_every_page_with_their_gaps_and_repetitions() {
    let line = Line::new().await;
    let records = [record(5, 50), record(5, 49), record(3, "48"), record(2, ()), record(1, 0)];
    line.fixture.cloud.set_records(entra("contoso"), records.to_vec());
    for size in [None, Some(1), Some(2), Some(90)] {
        line.fixture.cloud.set_page_size(entra("contoso"), size);
        assert_eq!(line.days().await, ["05=50", "03=48", "01=0"], "{size:?}");
    }
    // New tenants have none, and one whose newest is old is reported as it is.
    line.fixture.cloud.set_records(entra("contoso"), vec![record(1, 42)]);
    assert_eq!(line.days().await, ["01=42"]);
    line.fixture.cloud.set_records(entra("contoso"), Vec::new());
    assert_eq!(line.class(GRAPH).await, FailureClass::NoData);
}

#[tokio::test]
async fn a_list_that_goes_on_elsewhere_or_without_end_gives_nothing() {
    let line = Line::new().await;
    let trap = scorewatch::simulation::Receivers::start().await.unwrap();
    let elsewhere = trap.add_webhook("trap");
    line.fixture.cloud.set_records(entra("contoso"), vec![record(5, 50)]);
    let group = json!({ "time": "2026-01-05T00:00:00Z", "score": 1, "rbacGroupName": "Büro" });
    line.fixture.cloud.set_groups(entra("contoso"), vec![group]);
    let base = line.fixture.cloud.base_url();
    for link in [
        elsewhere.as_str(),
        "https://graph.microsoft.com.evil.example/",
        &base.replace("http://", "http://x@"),
        "//evil.example",
    ] {
        line.fixture.cloud.set_next_link(entra("contoso"), Some(link));
        assert_eq!(line.class(GRAPH).await, FailureClass::Garbage, "{link}");
        assert_eq!(line.class(GROUPS).await, FailureClass::Garbage, "{link}");
    }
    let own = format!("{base}/api/exposureScore/ByMachineGroups");
    line.fixture.cloud.set_next_link(entra("contoso"), Some(&own));
    let before = line.calls();
    assert_eq!(line.class(GROUPS).await, FailureClass::AnswerTooLarge, "the same groups again");
    assert!(line.calls() - before <= 10);
    assert!(trap.received().is_empty(), "the token went to {elsewhere}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_id_that_support_asks_for_is_in_the_log_and_nowhere_else() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone()).finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let line = Line::new().await;
    line.fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NotFound)));
    // Another test's thread may find these places first, and silent: so they are evaluated again once they were found.
    line.fetch(DEVICE).await.unwrap_err();
    tracing::callsite::rebuild_interest_cache();
    for score in [DEVICE, GRAPH] {
        let error = line.fetch(score).await.unwrap_err();
        let id = line.fixture.cloud.log().pop().unwrap().correlation.unwrap().to_string();
        assert_eq!(error.correlation.as_deref(), Some(id.as_str()), "{score}");
        assert!(!error.to_string().contains(&id));
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains(&id), "{score}: {text}");
    }
    assert_eq!(line.fixture.clock.now(), at(0));
}
