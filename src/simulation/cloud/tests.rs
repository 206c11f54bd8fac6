use std::sync::atomic::{AtomicI64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::*;
use crate::simulation::wire::{Heard, send};

const SCOPE: &str = "https://api.securitycenter.microsoft.com/.default";
const START: i64 = 1_763_888_158;

struct World {
    cloud: Cloud,
    seconds: Arc<AtomicI64>,
    tenant: EntraTenantId,
    app: Uuid,
}

impl World {
    async fn start(adjust: impl FnOnce(&mut CloudSettings)) -> Self {
        let seconds = Arc::new(AtomicI64::new(START));
        let shared = Arc::clone(&seconds);
        let mut settings = CloudSettings::new(Arc::new(move || Timestamp::from_seconds(shared.load(Ordering::SeqCst))));
        adjust(&mut settings);
        let cloud = Cloud::start(settings).await.unwrap();
        let (tenant, app) = (EntraTenantId(Uuid::from_u128(1)), Uuid::from_u128(2));
        cloud.add_tenant(tenant, app, "s+e%c~r&et", 340.0);
        Self { cloud, seconds, tenant, app }
    }

    async fn sign_in(&self, tenant: &str, secret: &str, scope: &str) -> Heard {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.app.to_string())
            .append_pair("client_secret", secret)
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", scope)
            .finish();
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.cloud.base_url());
        send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], &form).await
    }

    async fn token(&self, scope: &str) -> String {
        let heard = self.sign_in(&self.tenant.to_string(), "s+e%c~r&et", scope).await;
        assert_eq!(heard.status, Some(200), "{heard:?}");
        heard.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn fetch(&self, path: &str, token: &str) -> Heard {
        let url = format!("{}/api/{path}", self.cloud.base_url());
        send("GET", &url, &[("authorization", &format!("Bearer {token}"))], "").await
    }
}

#[tokio::test]
async fn a_good_app_gets_a_token_and_with_it_each_score() {
    let world = World::start(|_| ()).await;
    let heard = world.sign_in(&world.tenant.to_string(), "s+e%c~r&et", SCOPE).await.json();
    assert_eq!((&heard["token_type"], &heard["expires_in"]), (&Value::from("Bearer"), &Value::from(4500)));
    let token = heard["access_token"].as_str().unwrap();
    for (path, context, score) in [
        ("configurationScore", "$metadata#ConfigurationScore/$entity", 340.0),
        ("v1.0/configurationScore", "$metadata#ConfigurationScore/$entity", 340.0),
        ("exposureScore", "$metadata#ExposureScore/$entity", 25.0),
    ] {
        let answer = world.fetch(path, token).await.json();
        assert_eq!(answer["score"].as_f64(), Some(score));
        assert_eq!(answer["time"], "2025-11-23T08:55:58.0000000Z");
        assert!(answer["@odata.context"].as_str().unwrap().ends_with(context), "{answer}");
    }
    assert_eq!(
        world.cloud.tenant_counts(world.tenant),
        TenantCounts { token_requests: 1, score_requests: 3, guidance_requests: 0 }
    );
    assert_eq!(world.cloud.counts().scores_given, 3);
}

#[tokio::test]
async fn entra_s_errors_have_the_documented_shape() {
    let world = World::start(|_| ()).await;
    let tenant = world.tenant.to_string();
    let foreign = Uuid::from_u128(99).to_string();
    for (at, secret, scope, status, error, number) in [
        (tenant.as_str(), "wrong", SCOPE, 401, "invalid_client", 7_000_215),
        (&tenant, "", SCOPE, 401, "invalid_client", 7_000_218),
        (&tenant, "s+e%c~r&et", "https://elsewhere.example/.default", 400, "invalid_resource", 500_011),
        (&tenant, "s+e%c~r&et", "https://graph.microsoft.com/User.Read", 400, "invalid_scope", 70_011),
        (&tenant, "s+e%c~r&et", &format!("{SCOPE} {SCOPE}"), 400, "invalid_scope", 70_011),
        (&foreign, "s+e%c~r&et", SCOPE, 400, "invalid_request", 90_002),
        ("contoso.example", "s+e%c~r&et", SCOPE, 400, "invalid_request", 90_002),
        ("common", "s+e%c~r&et", SCOPE, 400, "invalid_request", 9_001_023),
    ] {
        let heard = world.sign_in(at, secret, scope).await;
        let body = heard.json();
        assert_eq!((heard.status, body["error"].as_str()), (Some(status), Some(error)), "{body}");
        assert_eq!(body["error_codes"], serde_json::json!([number]));
        assert_eq!(body["timestamp"], "2025-11-23 08:55:58Z");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
        assert_eq!(description.split("\r\n").count(), 4, "{description}");
        let logged = world.cloud.log().pop().unwrap().correlation.unwrap().to_string();
        assert_eq!(body["correlation_id"], logged);
    }
}

#[tokio::test]
async fn a_secret_in_http_basic_is_taken_too() {
    let world = World::start(|_| ()).await;
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:s%2Be%25c~r%26et", world.app)));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    let url = format!("{}/{}/oauth2/v2.0/token", world.cloud.base_url(), world.tenant);
    let heard = send("POST", &url, &headers, &format!("grant_type=client_credentials&scope={SCOPE}")).await;
    assert_eq!(heard.status, Some(200), "{heard:?}");
    assert_eq!(send("GET", &url, &headers, "").await.json()["error_codes"], serde_json::json!([900_561]));
}

#[tokio::test]
async fn defender_refuses_what_is_not_a_good_token_for_it() {
    let world = World::start(|settings| settings.token_life = Duration::from_mins(1)).await;
    let refusal = |heard: Heard| {
        let body = heard.json();
        let text = |key: &str| body["error"][key].as_str().unwrap().to_owned();
        assert!(Uuid::try_parse(&text("target")).is_ok());
        (heard.status.unwrap(), text("code"), text("message"))
    };
    let unauthorized =
        |reason: &str| (401, "Unauthorized".to_owned(), format!("Unauthorized request - reason of failure: {reason}"));
    let token = world.token(SCOPE).await;
    let graph = world.token("https://graph.microsoft.com/.default").await;
    assert_eq!(refusal(world.fetch("configurationScore", &graph).await), unauthorized("Invalid access token"));
    assert_eq!(refusal(world.fetch("configurationScore", "nonsense").await), unauthorized("Invalid access token"));
    world.cloud.set_roles(world.tenant, &["Machine.Read.All", "Software.Read.All"]);
    let roleless = world.token(SCOPE).await;
    let (status, code, message) = refusal(world.fetch("exposureScore", &roleless).await);
    assert_eq!((status, code.as_str()), (403, "Forbidden"));
    assert_eq!(
        message,
        "Missing application roles. API required roles: Score.Read.All, application roles: Machine.Read.All,Software.Read.All."
    );
    assert_eq!(
        world.fetch("configurationScore", &token).await.status,
        Some(200),
        "a consent change leaves issued tokens alone"
    );
    world.seconds.fetch_add(60, Ordering::SeqCst);
    assert_eq!(refusal(world.fetch("configurationScore", &token).await), unauthorized("Token is expired"));
    assert_eq!(world.fetch("machines", &token).await.status, Some(404));
}

#[tokio::test]
async fn asking_again_for_a_token_that_still_lives_is_a_loop() {
    let world = World::start(|settings| {
        settings.token_requests_max = Some(2);
        settings.token_life = Duration::from_mins(1);
    })
    .await;
    let tenant = world.tenant.to_string();
    let graph = "https://graph.microsoft.com/.default";
    for (scope, status) in [(SCOPE, 200), (SCOPE, 200), (graph, 200), (SCOPE, 400), (graph, 200)] {
        let heard = world.sign_in(&tenant, "s+e%c~r&et", scope).await;
        assert_eq!(heard.status, Some(status), "{heard:?}");
        assert_eq!(status == 400, String::from_utf8_lossy(&heard.body).contains("AADSTS50196"));
    }
    world.seconds.fetch_add(60, Ordering::SeqCst);
    assert_eq!(world.sign_in(&tenant, "s+e%c~r&et", SCOPE).await.status, Some(200), "the first token is expired");
}

#[tokio::test]
async fn a_script_is_played_once_and_a_permanent_answer_stays() {
    let world = World::start(|_| ()).await;
    let token = world.token(SCOPE).await;
    let throttled = DefenderRefusal::Throttled { retry_after: Some("2.128".to_owned()) };
    world.cloud.script_fetches(
        world.tenant,
        vec![
            Fetch::Refuse(throttled),
            Fetch::Refuse(DefenderRefusal::ServerError),
            Fetch::Raw(Reply::html(503)),
            Fetch::Raw(Reply::redirect(302, "http://169.254.169.254/")),
            Fetch::Raw(Reply::close()),
            Fetch::Usual,
        ],
    );
    world.cloud.set_fetch(world.tenant, Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    for (status, header, value) in [
        (Some(429), "retry-after", Some("2.128")),
        (Some(500), "retry-after", None),
        (Some(503), "content-type", Some("text/html")),
        (Some(302), "location", Some("http://169.254.169.254/")),
        (None, "content-type", None),
        (Some(200), "location", None),
        (Some(401), "location", None),
        (Some(401), "location", None),
    ] {
        let heard = world.fetch("configurationScore", &token).await;
        assert_eq!((heard.status, heard.header(header)), (status, value), "{heard:?}");
    }
    world.cloud.set_fetch(world.tenant, None);
    world.cloud.set_every_fetch(Some(Fetch::Refuse(DefenderRefusal::FeatureDisabled)));
    assert_eq!(world.fetch("configurationScore", &token).await.status, Some(403));
    world.cloud.set_every_fetch(None);
    assert_eq!(world.fetch("configurationScore", &token).await.status, Some(200));
    world.cloud.set_sign_in(world.tenant, Some(SignIn::Refuse(EntraRefusal::Unlisted(123_456))));
    let heard = world.sign_in(&world.tenant.to_string(), "s+e%c~r&et", SCOPE).await;
    assert_eq!(heard.json()["error_codes"], serde_json::json!([123_456]));
}

#[tokio::test]
async fn broken_bodies_are_broken() {
    let world = World::start(|_| ()).await;
    let token = world.token(SCOPE).await;
    let answer = r#"{"score":340}"#;
    world.cloud.script_fetches(
        world.tenant,
        vec![
            Fetch::Raw(Reply::json(200, answer).cut()),
            Fetch::Raw(Reply::json(200, answer).dripping(Duration::ZERO)),
            Fetch::Raw(Reply::status(200)),
            Fetch::Raw(Reply::gzip_bomb()),
        ],
    );
    let cut = world.fetch("configurationScore", &token).await;
    assert_eq!(cut.header("content-length"), Some("13"));
    assert!(cut.body.len() < answer.len());
    let dripped = world.fetch("configurationScore", &token).await;
    assert_eq!(dripped.header("transfer-encoding"), Some("chunked"));
    assert_eq!(world.fetch("configurationScore", &token).await.body, b"");
    let bomb = world.fetch("configurationScore", &token).await;
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    assert!(bomb.body.starts_with(&[0x1f, 0x8b, 8]) && bomb.body.len() < 256 * 1024, "{}", bomb.body.len());
}

#[tokio::test]
async fn in_bulk_every_guid_is_a_tenant_that_always_has_the_same_score() {
    let world = World::start(|settings| settings.bulk = Some(Bulk { secret: BulkSecret::Derived })).await;
    let one = EntraTenantId(Uuid::from_u128(0xabc));
    let secret = Bulk::derived_secret(one.0);
    let token =
        world.sign_in(&one.to_string(), &secret, SCOPE).await.json()["access_token"].as_str().unwrap().to_owned();
    let score = |heard: Heard| heard.json()["score"].as_f64();
    for _ in 0..2 {
        assert_eq!(score(world.fetch("configurationScore", &token).await), Some(Bulk::derived_score(one.0)));
    }
    world.cloud.set_score(one, ScoreKind::DeviceSecureScore, 12.5);
    assert_eq!(score(world.fetch("configurationScore", &token).await), Some(12.5));
    assert_eq!(world.sign_in(&one.to_string(), "wrong", SCOPE).await.status, Some(401));
}

#[tokio::test]
async fn who_waits_is_woken_by_the_request() {
    let world = World::start(|_| ()).await;
    let token = world.token(SCOPE).await;
    let seen = world.cloud.wait_for(|cloud| cloud.tenant_counts(world.tenant).score_requests == 2);
    let ask = async {
        world.fetch("configurationScore", &token).await;
        world.fetch("configurationScore", &token).await;
    };
    tokio::join!(seen, ask);
}
