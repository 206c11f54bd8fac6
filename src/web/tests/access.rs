//! Who is let in, through the real routes and on a real store.

mod hints;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, header},
};
use futures_util::StreamExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::{
    action::{
        account,
        limits::Written,
        token::{self, Created},
    },
    clock::Clock,
    config::Config,
    domain::{Caller, Role, Timestamp},
    query,
    secret::ExposeSecret,
    store::{Store, sqlite::SqliteStore},
    telemetry::{Health, Metrics},
    web::{
        App, State,
        access::Peer,
        router::{dashboard, router},
    },
};

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const PUBLIC: &str = "public_url: https://scores.example\n";
pub(super) const TENANTS: &str = "tenants:\n  - { id: contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, labels: { tier: gold } }\n  \
    - { id: fabrikam, tenant_id: 2f1c0a5e-0000-4000-8000-000000000002 }\n\
    credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { env: X } }\n";

pub(super) struct Fixture {
    router: Router,
    pub(super) store: Arc<dyn Store>,
    pub(super) config: Arc<Config>,
    pub(super) clock: Clock,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: String,
}

impl Answered {
    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The cookie as a browser would send it back.
    pub(super) fn cookie(&self) -> String {
        self.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
    }
}

impl Fixture {
    pub(super) async fn new(yaml: &str) -> Self {
        Self::with(super::config_of(yaml)).await
    }

    pub(super) async fn with(config: Arc<Config>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
        let (_, watched) = watch::channel(config.clone());
        let clock = Clock::manual(Timestamp::from_seconds(1_767_225_600));
        let app = App::new(store.clone(), clock.clone(), watched.clone());
        let (metrics, health) = (Metrics::default(), Health::default());
        let state = State::new(store.clone(), store.clone(), metrics, health, clock.clone(), watched);
        let router = router(State { app: Some(app.clone()), ..state }, dashboard(app));
        Self { router, store, config, clock, folder }
    }

    pub(super) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        self.send_from(IpAddr::from([192, 0, 2, 7]), line, headers, body).await
    }

    async fn send_from(&self, peer: IpAddr, line: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "scores.example");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer(peer));
        let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The first events of a stream.
    pub(super) async fn events(&self, path: &str, headers: &[(&str, &str)], count: usize) -> Vec<String> {
        let mut request = Request::builder().uri(path).header("host", "scores.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 7])));
        let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let events = response.into_body().into_data_stream().take(count);
        events.map(|event| String::from_utf8_lossy(&event.unwrap()).into_owned()).collect().await
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        self.send(&format!("GET {path}"), headers, "").await
    }

    pub(super) async fn token(&self, name: &str, role: Role, tenant: Option<&str>, valid_for: &str) -> Created {
        let limits = Written { tenants: tenant.into_iter().map(str::to_owned).collect(), labels: Vec::new() };
        let draft = token::Draft { name: name.to_owned(), role, limits, valid_for: valid_for.to_owned() };
        let now = self.clock.now();
        token::create(self.store.as_ref(), &self.config, &Caller::local("ann"), &draft, now).await.unwrap()
    }

    pub(super) async fn account(&self, name: &str, role: Role) {
        let draft = account::Draft { name: name.to_owned(), role, limits: Written::default() };
        let (caller, now) = (Caller::local("root"), self.clock.now());
        account::add(self.store.as_ref(), &self.config, &caller, &draft, PASSWORD.into(), now).await.unwrap();
    }

    pub(super) async fn sign_in(&self, name: &str, password: &str, to: &str) -> Answered {
        self.sign_in_from([192, 0, 2, 7], name, password, to).await
    }

    async fn sign_in_from(&self, peer: [u8; 4], name: &str, password: &str, to: &str) -> Answered {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("name", name), ("password", password), ("to", to)])
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://scores.example")];
        self.send_from(IpAddr::from(peer), "POST /sign-in", &headers, &form).await
    }

    /// What the audit log says was done, oldest first.
    pub(super) async fn recorded(&self) -> Vec<String> {
        let entries = self.store.entries(&crate::store::EntryFilter::default()).await.unwrap();
        entries.iter().rev().map(|entry| format!("{} {}", entry.body.who, entry.action)).collect()
    }
}

const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

#[tokio::test]
async fn beyond_loopback_nothing_but_probes_answers_without_a_token() {
    for yaml in [PUBLIC, "listen: 0.0.0.0:8080\n", "access: { sign_in: always }\n"] {
        let fixture = Fixture::new(yaml).await;
        let host = ("host", "127.0.0.1:8080");
        for (path, status) in [
            ("/healthz", 200),
            ("/sign-in", 200),
            ("/metrics", 401),
            ("/api/v1/tenants", 401),
            ("/api/v1/nothing", 401),
            ("/", 401),
            ("/events", 401),
        ] {
            let answer = fixture.get(path, &[host]).await;
            assert_eq!(answer.status, status, "{yaml} {path}: {answer:?}");
            assert!(status != 401 || answer.header(header::WWW_AUTHENTICATE) == "Bearer", "{path}: {answer:?}");
            assert!(status != 401 || answer.body.contains("Authorization: Bearer swt_"), "{path}: {answer:?}");
        }
        let answer = fixture.get("/alerts/7Q4M2K?x=1", &[host, PAGE]).await;
        assert_eq!((answer.status, answer.header(header::LOCATION)), (303, "/sign-in?to=%2Falerts%2F7Q4M2K%3Fx%3D1"));
    }
}

#[tokio::test]
async fn on_loopback_nobody_signs_in_unless_a_proxy_or_another_name_is_in_between() {
    let fixture = Fixture::new(TENANTS).await;
    for (headers, status) in [
        (&[("host", "localhost:8080")][..], 200),
        (&[("host", "127.0.0.1:8080")], 200),
        (&[("host", "[::1]:8080")], 200),
        (&[("host", "127.0.0.1:8080"), ("x-forwarded-for", "198.51.100.1")], 401),
        (&[("host", "127.0.0.1:8080"), ("referer", "https://scores.example/")], 401),
        (&[("host", "198.51.100.1:8080")], 401),
        (&[("host", "evil.example")], 421),
        (&[("host", "localhost"), ("authorization", "Bearer swt_unknown")], 401),
    ] {
        for path in ["/api/v1/tenants", "/metrics"] {
            let answer = fixture.get(path, headers).await;
            assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        }
    }
    assert_eq!(fixture.get("/healthz", &[("host", "evil.example")]).await.status, 200);
}

#[tokio::test]
async fn strangers_learn_which_part_does_not_work_and_nothing_else() {
    let fixture = Fixture::new(&format!("{PUBLIC}{TENANTS}")).await;
    let token = fixture.token("all", Role::Viewer, None, "never").await;
    let limited = fixture.token("one", Role::Admin, Some("contoso"), "never").await;
    let [token, limited] = [token, limited].map(|created| format!("Bearer {}", created.secret.expose_secret()));
    let (here, away) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([192, 0, 2, 7]));
    let local = ("host", "127.0.0.1:8080");
    for (peer, headers, is_known) in [
        (here, &[local][..], true),
        (here, &[local, ("x-forwarded-for", "198.51.100.1")], false),
        (here, &[("host", "scores.example")], false),
        (here, &[("host", "evil.example")], false),
        (away, &[local], false),
        (away, &[("host", "evil.example"), ("authorization", "Bearer swt_wrong")], false),
        (away, &[("authorization", token.as_str())], true),
        (away, &[("authorization", limited.as_str())], false),
    ] {
        let answer = fixture.send_from(peer, "GET /readyz", headers, "").await;
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &body["ready"]), (503, &false.into()), "{headers:?}: {body}");
        assert_eq!(body["signs"][0]["part"], "listener", "{body}");
        assert_eq!(body["signs"][0]["good"], false, "{body}");
        for (sees, what) in [
            (body.get("channels_in_trouble").is_some(), "channels"),
            (body.get("operator").is_some(), "the operator"),
            (body["signs"][0].get("trouble").is_some(), "what is wrong"),
        ] {
            assert_eq!(sees, is_known, "{what}, {headers:?}: {body}");
        }
    }
}

#[tokio::test]
async fn a_token_sees_its_tenants_until_it_expires_or_is_revoked() {
    let fixture = Fixture::new(&format!("{PUBLIC}{TENANTS}")).await;
    let all = fixture.token("all", Role::Viewer, None, "never").await;
    let one = fixture.token("one", Role::Admin, Some("contoso"), "1h").await;
    let bearer = |created: &Created| format!("Bearer {}", created.secret.expose_secret());
    let (all, one) = (bearer(&all), bearer(&one));
    assert!(all.starts_with("Bearer swt_") && all.len() > 40);
    let ask = async |token: &str, path: &str| fixture.get(path, &[("authorization", token)]).await;
    let seen = async |token: &str| {
        let body = ask(token, "/api/v1/tenants").await.body;
        ["contoso", "fabrikam"].map(|id| body.contains(&format!("\"{id}\"")))
    };
    assert_eq!((seen(&all).await, seen(&one).await), ([true, true], [true, false]));
    assert_eq!(ask(&one, "/api/v1/tenants/fabrikam").await.status, 404);
    assert_eq!((ask(&all, "/metrics").await.status, ask(&one, "/metrics").await.status), (200, 403));
    let noted =
        query::access::tokens(fixture.store.as_ref(), &fixture.config, &crate::domain::Scope::All, fixture.clock.now());
    assert!(noted.await.unwrap().iter().all(|token| token.last_used_at == Some(fixture.clock.now())));
    assert_eq!(ask("bearer swt_", "/api/v1/tenants").await.status, 401);
    assert_eq!(ask("Basic YTpi", "/api/v1/tenants").await.status, 401);
    fixture.clock.advance(std::time::Duration::from_hours(1));
    assert_eq!((ask(&one, "/api/v1/tenants").await.status, ask(&all, "/api/v1/tenants").await.status), (401, 200));
    token::revoke(fixture.store.as_ref(), &Caller::local("ann"), "all", fixture.clock.now()).await.unwrap();
    assert_eq!(ask(&all, "/api/v1/tenants").await.status, 401);
    assert_eq!(fixture.recorded().await, ["ann token.create", "ann token.create", "ann token.revoke"]);
}

#[tokio::test]
async fn a_person_signs_in_comes_back_to_where_they_were_and_signs_out() {
    let fixture = Fixture::new(&format!("{PUBLIC}{TENANTS}")).await;
    fixture.account("ann", Role::Viewer).await;
    let answer = fixture.sign_in("Ann ", PASSWORD, "/alerts?x=1").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (303, "/alerts?x=1"), "{answer:?}");
    let set = answer.header(header::SET_COOKIE);
    assert!(
        set.starts_with("__Host-scorewatch=") && set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{set}"
    );
    let cookie = answer.cookie();
    let ask = async |line: &str, headers: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        fixture.send(line, &headers, "").await
    };
    assert_eq!(ask("GET /api/v1/tenants", &[]).await.status, 200);
    assert_eq!(ask("GET /sign-in?to=//evil.example", &[]).await.header(header::LOCATION), "/");
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "https://evil.example")], [("origin", "null")]] {
        assert_eq!(ask("POST /sign-out", &headers).await.status, 403, "{headers:?}");
        assert_eq!(ask("POST /api/v1/silences", &headers).await.status, 403, "{headers:?}");
    }
    let refused = ask("POST /api/v1/tenants/contoso/recheck", &[("sec-fetch-site", "same-origin")]).await;
    assert!(refused.status == 403 && refused.body.contains("analyst"), "{refused:?}");
    let answer = ask("POST /sign-out", &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (303, "/sign-in"));
    assert!(answer.header(header::SET_COOKIE).contains("Max-Age=0"), "{answer:?}");
    assert_eq!(ask("GET /api/v1/tenants", &[]).await.status, 401, "the cookie is worth nothing any more");
    assert_eq!(fixture.recorded().await, ["root account.add", "ann sign-in", "ann sign-out"]);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_look_alike_and_are_limited() {
    let fixture = Fixture::new(PUBLIC).await;
    fixture.account("ann", Role::Admin).await;
    let wrong = fixture.sign_in("ann", "wrong", "").await;
    let unknown = fixture.sign_in("bob", "wrong", "").await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.body.replace("ann", "bob"), unknown.body);
    for _ in 1..10 {
        assert_eq!(fixture.sign_in("ann", "wrong", "").await.status, 401);
    }
    for _ in 0..2 {
        assert_eq!(fixture.sign_in("ann", PASSWORD, "").await.status, 429, "even with the right one");
    }
    let elsewhere = fixture.sign_in_from([198, 51, 100, 1], "ann", PASSWORD, "").await;
    assert_eq!(elsewhere.status, 303, "who guesses locks nobody out who signs in from another address");
    assert_eq!(fixture.get("/api/v1/tenants", &[("cookie", &elsewhere.cookie())]).await.status, 200);
    fixture.clock.advance(std::time::Duration::from_mins(15));
    assert_eq!(fixture.sign_in("ann", PASSWORD, "").await.status, 303);
    let recorded = fixture.recorded().await;
    assert!(recorded.contains(&"unknown account sign-in.failed".to_owned()), "{recorded:?}");
    assert_eq!(recorded.iter().filter(|entry| *entry == "ann sign-in.blocked").count(), 1, "{recorded:?}");
}

#[tokio::test]
async fn the_form_is_escaped_explains_itself_and_works_over_tls_only() {
    let fixture = Fixture::new("listen: 0.0.0.0:8080\naccess: { hosts: [scores.example] }\n").await;
    let page = fixture.get("/sign-in?to=/%22%3E%3Cscript%3E", &[]).await;
    assert!(page.body.contains("scorewatch account add") && !page.body.contains("<script>"), "{page:?}");
    fixture.account("ann", Role::Admin).await;
    assert!(!fixture.get("/sign-in", &[]).await.body.contains("account add"));
    let name = "\"><script>alert(1)</script>";
    let page = fixture.sign_in(name, "x", "").await;
    assert!(page.status == 401 && !page.body.contains("<script>") && page.body.contains("&quot;&gt;"), "{page:?}");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://scores.example")];
    let plain =
        fixture.send("POST /sign-in", &headers, &format!("name=ann&password={}", PASSWORD.replace(' ', "+"))).await;
    assert!(plain.status == 400 && plain.body.contains("without TLS"), "{plain:?}");
}

#[tokio::test]
async fn no_secret_is_in_the_store_or_in_what_is_printed_for_debugging() {
    let fixture = Fixture::new(PUBLIC).await;
    fixture.account("ann", Role::Admin).await;
    let created = fixture.token("grafana", Role::Viewer, None, "1d").await;
    let cookie = fixture.sign_in("ann", PASSWORD, "").await.cookie();
    let cookie = cookie.split_once('=').unwrap().1;
    let _ = fixture.sign_in(PASSWORD, "typed into the wrong field", "").await;
    let secrets = [PASSWORD, "typed into the wrong field", created.secret.expose_secret(), cookie];
    assert!(secrets.iter().all(|secret| secret.len() > 20));
    fixture.store.close().await;
    let mut bytes = 0;
    for file in std::fs::read_dir(fixture.folder.path().join("data")).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        bytes += content.len();
        let text = String::from_utf8_lossy(&content);
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
    assert!(bytes > 10_000, "as a control");
    let shown = format!("{created:?}");
    assert!(shown.contains("grafana") && !shown.contains("swt_"), "{shown}");
}

#[tokio::test]
async fn a_page_shows_the_audit_log_to_an_administrator_of_everything_only() {
    let fixture = Fixture::new(&format!("{PUBLIC}{TENANTS}")).await;
    let (admin, viewer) =
        (fixture.token("boss", Role::Admin, None, "1d").await, fixture.token("v", Role::Viewer, None, "1d").await);
    let limited = fixture.token("one", Role::Admin, Some("contoso"), "1d").await;
    for (token, status, shows) in [(&admin, 200, true), (&viewer, 403, false), (&limited, 200, false)] {
        let bearer = format!("Bearer {}", token.secret.expose_secret());
        let headers = [("authorization", bearer.as_str()), PAGE];
        let page = fixture.get("/audit", &headers).await;
        assert_eq!((page.status, page.body.contains("token.create")), (status, shows), "{}", token.name);
        let api = fixture.get("/api/v1/audit?action=token", &headers).await;
        assert_eq!((api.status, api.body.contains("token.create")), (status, shows), "{}", token.name);
        let fleet = fixture.get("/", &headers).await;
        assert_eq!((fleet.status, fleet.body.contains("href=\"/audit\"")), (200, shows), "{}", token.name);
        assert!(!fleet.body.contains("/sign-out"));
    }
}
