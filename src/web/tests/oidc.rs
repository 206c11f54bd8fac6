//! Sign-in with OpenID Connect as a browser sees it, at a provider on loopback.

use serde_json::json;

use super::*;
use crate::{
    action::{account, limits::Written},
    domain::{Caller, Role},
    oidc::tests::world::{CLIENT, CODE, SECRET, SOC, World},
    store::{EntryFilter, Store, sqlite::SqliteStore},
    web::{app::App, router::dashboard},
};

/// A service of two tenants with that provider.
struct Fixture {
    world: World,
    server: Server,
    store: Arc<dyn Store>,
    config: watch::Sender<Arc<Config>>,
    folder: tempfile::TempDir,
}

/// The status, the headers and the body of an answer.
struct Answered {
    head: String,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// What the browser keeps of a cookie that was set: its name and value.
    fn cookie(&self, name: &str) -> Option<String> {
        let set = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let value =
            set.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with(&format!("{name}=")));
        value.map(str::to_owned).filter(|cookie| !cookie.ends_with('='))
    }
}

fn yaml(world: &World, secret: &std::path::Path, grants: &str) -> String {
    format!(
        "public_url: http://localhost\naccess:\n  oidc:\n    issuer: {}\n    client_id: {CLIENT}\n    client_secret: {{ file: {} }}\n    \
         allow_private: [127.0.0.0/8]\n    grants: {grants}\ncredential: {{ client_id: {CLIENT}, secret: {{ file: {} }} }}\n\
         tenants:\n  - {{ id: contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001 }}\n  \
         - {{ id: fabrikam, tenant_id: 2f1c0a5e-0000-4000-8000-000000000002 }}\n",
        world.settings.issuer,
        secret.display(),
        secret.display(),
    )
}

impl Fixture {
    async fn new(grants: &str) -> Self {
        let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
        let (sender, config) = watch::channel(config_of(&yaml(&world, &secret, grants)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (health, clock) = (Health::default(), world.clock.clone());
        let state =
            State::new(store.clone(), store.clone(), Metrics::default(), health.clone(), clock.clone(), config.clone());
        let routes = router(state, dashboard(App::new(store.clone(), clock.clone(), config)));
        let shutdown = CancellationToken::new();
        let done = tokio::spawn(serve_within(PATIENT, listener, routes, health.clone(), shutdown.clone()));
        let server = Server { address, health, clock, shutdown, done };
        Self { world, server, store, config: sender, folder }
    }

    fn reload(&self, grants: &str) {
        let secret = self.folder.path().join("secret");
        self.config.send_replace(config_of(&yaml(&self.world, &secret, grants)));
    }

    async fn get(&self, path: &str, cookie: &str) -> Answered {
        let mut stream = self.server.connect().await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json\r\nCookie: {cookie}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answered { head: head.to_owned(), body: body.to_owned() }
    }

    /// Goes to the provider and comes back; `groups` is what the token says.
    async fn sign_in(&self, to: &str, groups: &[&str]) -> (Answered, String) {
        self.sign_in_as("AAAA-subject", to, groups).await
    }

    /// The same by somebody whom the provider calls so for good; all are called alike by people.
    async fn sign_in_as(&self, subject: &str, to: &str, groups: &[&str]) -> (Answered, String) {
        let begun = self.get(&format!("/sign-in/oidc?to={to}"), "").await;
        assert!(begun.head.starts_with("HTTP/1.1 303"), "{}\n{}", begun.head, begun.body);
        let pending = begun.cookie("scorewatch-oidc").unwrap();
        let url = url::Url::parse(begun.header("location").unwrap()).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(value("redirect_uri"), "http://localhost/sign-in/oidc/callback");
        let mut token = self.world.token(&value("nonce"));
        token.claims["groups"] = json!(groups);
        token.claims["sub"] = json!(subject);
        self.world.plan(|plan| plan.id_token = token.signed());
        let code: String = url::form_urlencoded::byte_serialize(CODE.as_bytes()).collect();
        (self.get(&format!("/sign-in/oidc/callback?code={code}&state={}", value("state")), &pending).await, pending)
    }

    async fn actions(&self) -> Vec<String> {
        let entries = self.store.entries(&EntryFilter::default()).await.unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

const ONE: &str = "[{ group: 0a0a0a0a-0000-4000-8000-000000000001, role: analyst, tenants: [contoso] }]";
const ALL: &str = "[{ group: 0a0a0a0a-0000-4000-8000-000000000001, role: analyst, tenants: all }]";
const OTHERS: &str = "[{ group: 0a0a0a0a-0000-4000-8000-00000000000f, role: analyst, tenants: all }]";

#[tokio::test]
async fn a_person_comes_back_to_where_they_wanted_to_go_and_sees_what_their_groups_allow() {
    let fixture = Fixture::new(ONE).await;
    assert!(fixture.get("/api/v1/tenants", "").await.head.starts_with("HTTP/1.1 401"));
    let page = fixture.get("/sign-in?to=/alerts", "").await;
    assert!(page.body.contains("Sign in with 127.0.0.1"), "{}", page.body);
    let written = page.body.replace("&#x3D;", "=");
    assert!(written.contains("href=\"/sign-in/oidc?to=%2Falerts\""), "{written}");
    let (back, _) = fixture.sign_in("%2Falerts", &[SOC]).await;
    assert!(back.head.starts_with("HTTP/1.1 303"), "{}\n{}", back.head, back.body);
    assert_eq!(back.header("location"), Some("/alerts"));
    let session = back.cookie("scorewatch").unwrap();
    assert!(back.head.contains("scorewatch-oidc=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"), "{}", back.head);
    let seen = async |session: &str| {
        let answer = fixture.get("/api/v1/tenants", session).await;
        let listed = ["contoso", "fabrikam"].map(|id| answer.body.contains(&format!("\"{id}\"")));
        (answer.head.split(' ').nth(1).unwrap().to_owned(), listed)
    };
    assert_eq!(seen(&session).await, ("200".to_owned(), [true, false]));
    // Grants count at each request.
    fixture.reload(ALL);
    assert_eq!(seen(&session).await, ("200".to_owned(), [true, true]));
    fixture.reload(OTHERS);
    assert_eq!(seen(&session).await.0, "401");
    fixture.reload(ONE);
    assert_eq!(seen(&session).await, ("200".to_owned(), [true, false]));
    let (head, _) = fixture.server.ask("POST /sign-out", &format!("Cookie: {session}\r\nContent-Length: 0\r\n")).await;
    assert!(head.starts_with("http/1.1 303"), "{head}");
    assert_eq!(seen(&session).await.0, "401");
    assert_eq!(fixture.actions().await, ["sign-out", "sign-in"]);
    let entry = fixture.store.entries(&EntryFilter::default()).await.unwrap().pop().unwrap();
    assert_eq!(entry.body.who, "ann@mssp.example");
    assert_eq!(entry.body.after.unwrap()["subject"], "AAAA-subject");
}

#[tokio::test]
async fn somebody_s_sessions_are_ended_by_a_command() {
    let fixture = Fixture::new(ONE).await;
    let first = fixture.sign_in("/", &[SOC]).await.0.cookie("scorewatch").unwrap();
    let second = fixture.sign_in("/", &[SOC]).await.0.cookie("scorewatch").unwrap();
    let (store, now) = (fixture.store.as_ref(), fixture.server.clock.now());
    let open = crate::query::access::sessions(store, &crate::domain::Scope::All, now).await.unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!((&*open[0].name, open[0].subject.as_deref()), ("ann@mssp.example", Some("AAAA-subject")));
    let root = Caller::local("root");
    assert!(account::sign_out(store, &root, "nobody", now).await.is_err());
    assert_eq!(account::sign_out(store, &root, "AAAA-subject", now).await.unwrap(), 2);
    for session in [first, second] {
        assert!(fixture.get("/api/v1/tenants", &session).await.head.starts_with("HTTP/1.1 401"));
    }
    assert_eq!(fixture.actions().await, ["session.end", "session.end", "sign-in", "sign-in"]);
    let signed = fixture.store.entries(&EntryFilter::default()).await.unwrap().pop().unwrap().body.origin;
    assert!(json!(signed)["person"]["subject"] == "AAAA-subject", "the log says who it was, whatever they are called");
}

#[tokio::test]
async fn nobody_is_signed_out_because_somebody_else_has_the_same_name() {
    let fixture = Fixture::new(ONE).await;
    let mut sessions = Vec::new();
    for subject in ["AAAA-subject", "BBBB-subject"] {
        sessions.push(fixture.sign_in_as(subject, "/", &[SOC]).await.0.cookie("scorewatch").unwrap());
    }
    let (store, now, root) = (fixture.store.as_ref(), fixture.server.clock.now(), Caller::local("root"));
    let ann = "ann@mssp.example";
    let refused = account::sign_out(store, &root, ann, now).await.unwrap_err().to_string();
    assert!(refused.contains("several people are called"), "{refused}");
    // An account of that name comes before people who are only called so.
    let draft = account::Draft { name: ann.to_owned(), role: Role::Viewer, limits: Written::default() };
    let config = fixture.config.borrow().clone();
    account::add(store, &config, &root, &draft, "correct horse battery".into(), now).await.unwrap();
    assert_eq!(account::sign_out(store, &root, ann, now).await.unwrap(), 0);
    assert_eq!(account::sign_out(store, &root, "BBBB-subject", now).await.unwrap(), 1);
    for (session, status) in sessions.iter().zip(["200", "401"]) {
        let head = fixture.get("/api/v1/tenants", session).await.head;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    }
}

#[tokio::test]
async fn who_has_no_grant_or_did_not_begin_here_gets_a_page_and_no_session() {
    let fixture = Fixture::new(ONE).await;
    let (back, pending) = fixture.sign_in("/", &["0a0a0a0a-0000-4000-8000-00000000ffff"]).await;
    assert!(back.head.starts_with("HTTP/1.1 403") && back.cookie("scorewatch").is_none(), "{}", back.head);
    assert!(back.body.contains("No grant covers this account."), "{}", back.body);
    assert_eq!(fixture.actions().await, ["sign-in.failed"]);
    for (path, cookie, status) in [
        ("/sign-in/oidc/callback?code=x&state=y", "", "400"),
        ("/sign-in/oidc/callback?code=x&state=y", pending.as_str(), "400"),
        ("/sign-in/oidc/callback", "scorewatch-oidc=nonsense", "400"),
        ("/sign-in/oidc/callback?error=access_denied&state=y", "", "400"),
    ] {
        let answer = fixture.get(path, cookie).await;
        assert!(answer.head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {}", answer.head);
        assert!(answer.cookie("scorewatch").is_none() && !answer.body.contains("nonsense"));
    }
    assert_eq!(fixture.actions().await.len(), 1, "who did not begin is nobody who tried");
    fixture.world.plan(|plan| plan.document = Box::new(|_| crate::egress::loopback::reply(503, "", "")));
    fixture.server.clock.advance(Duration::from_hours(2));
    let down = fixture.get("/sign-in/oidc", "").await;
    assert!(down.head.starts_with("HTTP/1.1 502") && down.body.contains("HTTP 503"), "{}\n{}", down.head, down.body);
}

#[tokio::test]
async fn attempts_from_one_address_are_limited_and_a_session_ends_when_it_is_not_used() {
    let fixture = Fixture::new(ONE).await;
    let (back, _) = fixture.sign_in("/", &[SOC]).await;
    let session = back.cookie("scorewatch").unwrap();
    fixture.server.clock.advance(Duration::from_mins(119));
    assert!(fixture.get("/api/v1/tenants", &session).await.head.starts_with("HTTP/1.1 200"));
    fixture.server.clock.advance(Duration::from_hours(2));
    assert!(fixture.get("/api/v1/tenants", &session).await.head.starts_with("HTTP/1.1 401"));
    let mut statuses = Vec::new();
    for _ in 0..60 {
        let answer = fixture.get("/sign-in/oidc/callback?code=x&state=y", "").await;
        statuses.push(answer.head.split(' ').nth(1).unwrap().to_owned());
    }
    assert_eq!((statuses[0].as_str(), statuses[59].as_str()), ("400", "429"));
    assert_eq!(fixture.actions().await, ["sign-in.blocked", "sign-in"]);
    let unconfigured = Server::start(PATIENT, None).await;
    assert!(unconfigured.get("/sign-in/oidc").await.0.starts_with("http/1.1 404"));
}
