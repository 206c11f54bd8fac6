//! Every page and every form of the dashboard × every role × every scope, as the router's own table lists them: what a role does not allow
//! is refused with a page, nothing of another tenant's is in any byte of an answer, and every link leads somewhere for whoever sees it.

mod edited;
mod filtered;
mod links;

use std::collections::BTreeSet;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scorewatch::{
    domain::{ChannelName, Limits, Role, Scope},
    query::{Page, alerts},
    store::{AttemptOutcome, Claim, ClaimTerms, NewToken, SecretDigest},
    web::{self, App},
};
use tokio::sync::watch;

use super::{
    OTHERS, Scene,
    acts::state,
    api::{Names, ONE_BACKTEST, entry, park},
};
use crate::integration::setup::entra;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Everybody, signed in or not.
    Everybody,
    /// Whoever has that role.
    Role(Role),
}

/// A route, who may use it, what whoever may is answered, and what is sent: the query of a page, the fields of a form. The names in it
/// stand for those of one tenant's things.
type Entry = (&'static str, For, u16, &'static [&'static str]);

const VIEWER: For = For::Role(Role::Viewer);
const ANALYST: For = For::Role(Role::Analyst);
const ADMIN: For = For::Role(Role::Admin);

/// Every filter of the list of alerts that many are picked by.
const FILTERED: &str = "rule=drop&severity=warning&score=device-secure-score&tenant=TENANT&show=firing";

/// Every route. A new one fails the tests until it is here.
const ENTRIES: [Entry; 34] = [
    ("GET /", VIEWER, 200, &["", "q=TENANT", "only=worse&sort=day", "score=device-secure-score"]),
    ("GET /tenants/{id}", VIEWER, 200, &["", "span=90d"]),
    ("POST /tenants/{id}/recheck", ANALYST, 303, &[""]),
    ("GET /alerts", VIEWER, 200, &["", "show=all", "rule=drop&show=all", "tenant=TENANT&show=all", FILTERED]),
    (
        "POST /alerts",
        ANALYST,
        303,
        &["do=acknowledge&comment=seen&alert=ALERT", "do=silence&for=1h&comment=patching&alert=ALERT"],
    ),
    ("POST /alerts", ANALYST, 200, &["do=accept&alert=ALERT"]),
    // Of one's own it asks again, as it was another set that was shown; others' are not there to be asked for.
    ("POST /alerts", ANALYST, 409, &["do=accept-listed&alert=ALERT&set=x", "do=acknowledge-listed&alert=ALERT&set=x"]),
    ("POST /alerts", ANALYST, 200, &["do=acknowledge-all&tenant=TENANT", "do=accept-all&tenant=TENANT"]),
    ("GET /alerts/{id}", VIEWER, 200, &[""]),
    ("POST /alerts/{id}/acknowledge", ANALYST, 303, &["comment=seen"]),
    ("POST /alerts/{id}/accept", ANALYST, 303, &[""]),
    ("POST /alerts/{id}/silence", ANALYST, 303, &["for=1h&comment=patching"]),
    ("GET /deliveries", VIEWER, 200, &["", "state=merged", "tenant=TENANT", "channel=CHANNEL"]),
    ("GET /deliveries/{id}", VIEWER, 200, &[""]),
    ("POST /deliveries/{id}/resend", ANALYST, 303, &[""]),
    ("GET /channels", VIEWER, 200, &[""]),
    ("POST /channels/{name}/drill", ADMIN, 303, &[""]),
    ("POST /channels/{name}/unpark", ADMIN, 303, &[""]),
    ("GET /silences", VIEWER, 200, &[""]),
    ("POST /silences", ANALYST, 303, &["tenants=TENANT&for=1h&comment=patching"]),
    ("POST /silences/{id}/end", ANALYST, 303, &[""]),
    ("GET /rules", VIEWER, 200, &[""]),
    ("GET /rules/{name}", VIEWER, 200, &["", "run=yes&since=7d&number=5&unit=%25&within=24h&tenant=TENANT"]),
    ("GET /work", VIEWER, 200, &[""]),
    ("GET /system", VIEWER, 200, &[""]),
    // To whoever is limited, it says that it is about all tenants.
    ("GET /audit", ADMIN, 200, &[""]),
    ("GET /search", VIEWER, 303, &["q=TENANT", "q=ALERT"]),
    ("GET /assets/{name}", For::Everybody, 200, &[""]),
    ("GET /events", VIEWER, 200, &[""]),
    ("GET /sign-in", For::Everybody, 200, &[""]),
    ("POST /sign-in", For::Everybody, 401, &["name=ann&password=wrong"]),
    // No provider is configured.
    ("GET /sign-in/oidc", For::Everybody, 404, &[""]),
    ("GET /sign-in/oidc/callback", For::Everybody, 404, &[""]),
    ("POST /sign-out", For::Everybody, 303, &[""]),
];

#[test]
fn the_tests_know_every_route_of_the_dashboard() {
    let listed = |(method, path): (&str, &str)| format!("{method} {path}");
    let routes: BTreeSet<String> = web::dashboard_routes().into_iter().map(listed).collect();
    let known: BTreeSet<String> = ENTRIES.iter().map(|(route, ..)| (*route).to_owned()).collect();
    assert_eq!(routes, known);
}

/// Who sends a request: nobody, or somebody with that role who sees `contoso` alone, or everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Somebody(Role, bool),
}

impl Who {
    fn all() -> impl Iterator<Item = Self> {
        let somebody = |is_limited| Role::ALL.map(move |role| Self::Somebody(role, is_limited));
        std::iter::once(Self::Nobody).chain(somebody(true)).chain(somebody(false))
    }

    const fn is_limited(self) -> bool {
        matches!(self, Self::Somebody(_, true))
    }

    fn may(self, whose: For) -> bool {
        match (whose, self) {
            (For::Everybody, _) => true,
            (_, Self::Nobody) => false,
            (For::Role(takes), Self::Somebody(role, _)) => role >= takes,
        }
    }

    fn token(self) -> Option<String> {
        let Self::Somebody(role, is_limited) = self else { return None };
        Some(format!("swt_{role}{}", if is_limited { "-of-contoso" } else { "" }))
    }
}

/// A scene, its dashboard, and a token for everybody.
struct Site {
    scene: Scene,
    router: Router,
}

/// What a request was answered. Of what stays open only the status is known.
#[derive(Debug, PartialEq, Eq)]
struct Answered {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Site {
    async fn new() -> Self {
        Self::of(Scene::new().await).await
    }

    async fn of(scene: Scene) -> Self {
        let now = scene.now();
        for who in Who::all() {
            let (Some(token), Who::Somebody(role, is_limited)) = (who.token(), who) else { continue };
            let only = Limits::Only { tenants: Some([entra("contoso")].into()), labels: None };
            let new = NewToken {
                name: token.trim_start_matches("swt_").to_owned(),
                digest: SecretDigest::of(&token),
                role,
                limits: if is_limited { only } else { Limits::All },
                created_at: now,
                created_by: "ann".to_owned(),
                expires_at: None,
            };
            assert!(scene.store().add_token(new, entry("token.create", now)).await.unwrap());
        }
        let (_, config) = watch::channel(scene.config.clone());
        let router = web::dashboard(App::new(scene.fixture.store.clone(), scene.fixture.clock.clone(), config));
        Self { scene, router }
    }

    async fn ask(&self, who: Who, method: &str, path: &str, form: &str) -> Answered {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "text/html");
        if let Some(token) = who.token() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if method == "POST" {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let (head, body) = response.into_parts();
        let media_type =
            head.headers.get(header::CONTENT_TYPE).map(|media_type| media_type.to_str().unwrap().to_owned());
        let body = if media_type.as_deref() == Some("text/event-stream") {
            String::new()
        } else {
            String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap()
        };
        let location = head.headers.get(header::LOCATION).map(|location| location.to_str().unwrap().to_owned());
        Answered { status: head.status.as_u16(), location, body }
    }

    /// The request of an entry, with these names.
    async fn send(&self, who: Who, route: &str, names: &Names, sent: &str) -> Answered {
        let (method, path) = route.split_once(' ').unwrap();
        let (path, sent) = (path_of(path, names, who.is_limited()), with_names(sent, names));
        let _turn = ONE_BACKTEST.lock().await;
        match (method, sent.as_str()) {
            ("GET", "") | ("POST", _) => self.ask(who, method, &path, &sent).await,
            _ => self.ask(who, method, &format!("{path}?{sent}"), "").await,
        }
    }

    /// Merges what waits for the channel that all share, so that a delivery about one tenant is merged into one about several.
    async fn merge(&self) {
        let (store, channel, now) = (self.scene.store(), ChannelName::parse("inhouse-desk").unwrap(), self.scene.now());
        let terms = ClaimTerms { merge_over: Some(1), ..ClaimTerms::default() };
        while let Claim::Send(claimed) = store.claim(&channel, terms, now).await.unwrap() {
            store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, now).await.unwrap();
        }
    }
}

fn path_of(path: &str, names: &Names, is_limited: bool) -> String {
    let first = path.split('/').nth(1).unwrap();
    let id = match first {
        "alerts" => names.alert.as_str(),
        "deliveries" => names.delivery[usize::from(is_limited)].as_str(),
        "silences" => names.silence[usize::from(is_limited)].as_str(),
        _ => names.tenant,
    };
    let name = match first {
        "rules" => "drop",
        "assets" => ASSET,
        _ => names.channel,
    };
    path.replace("{id}", id).replace("{name}", name)
}

/// Stands for the style sheet, whose address the pages say.
const ASSET: &str = "STYLE";

fn with_names(sent: &str, names: &Names) -> String {
    sent.replace("TENANT", names.tenant).replace("ALERT", &names.alert).replace("CHANNEL", names.channel)
}

/// What must not be in any answer to somebody who sees `contoso` alone.
async fn secrets(scene: &Scene) -> Vec<String> {
    let filter = alerts::Filter { resolved: true, ..alerts::Filter::default() };
    let rows = alerts::list(scene.store(), &Scope::All, &filter, &Page::ALL).await.unwrap().items;
    let lines = alerts::lines(scene.store(), &scene.config, &Scope::All, rows).await.unwrap();
    let others = lines.iter().filter(|line| line.row.key.tenant.as_str() != "contoso");
    let mut secrets: Vec<String> = others.flat_map(|line| [line.id.clone(), line.short_id.clone()]).collect();
    secrets.extend(["fabrikam", "tailspin"].map(|id| entra(id).to_string()));
    secrets.extend(OTHERS.iter().map(|other| (*other).to_owned()));
    secrets.extend(Role::ALL.map(|role| format!("{role}-of-contoso <span class=\"muted\">")));
    secrets.extend(["everybody&#x27;s secret".to_owned()]);
    secrets
}

async fn own(scene: &Scene) -> Names {
    Names::of(scene, "contoso", "contoso-team").await
}

fn assert_hides(answered: &Answered, secrets: &[String], whose: &str) {
    let said = format!("{} {}", answered.location.as_deref().unwrap_or_default(), answered.body);
    let found: Vec<_> = secrets.iter().filter(|secret| said.contains(secret.as_str())).collect();
    assert!(found.is_empty(), "{whose} is shown {found:?}: {said}");
}

/// Sends one request as everybody, and compares it with what the entry says.
async fn walk(site: &Site, (route, whose, outcome, _): Entry, names: &Names, sent: &str) {
    let secrets = secrets(&site.scene).await;
    let mut works = whose == For::Everybody;
    for who in Who::all() {
        let answered = site.send(who, route, names, sent).await;
        let said = format!("{route} {sent} as {who:?}: {answered:?}");
        if who.is_limited() {
            assert_hides(&answered, &secrets, &said);
        }
        if !who.may(whose) {
            if who == Who::Nobody {
                assert!(answered.location.is_some_and(|to| to.starts_with("/sign-in")), "{route} {sent} as nobody");
            } else {
                assert!(answered.status == 403 && answered.body.contains("<h1"), "{said}");
            }
            continue;
        }
        // What was done once is a conflict the second time.
        let is_again = outcome == 303 && works && answered.status == 409;
        // Whoever is signed in is sent on from there.
        let is_sent_on = route == "GET /sign-in" && who != Who::Nobody && answered.status == 303;
        assert!(answered.status == outcome || is_again || is_sent_on, "{said}");
        assert!(answered.status != 409 || answered.body.contains("<h1"), "{said}");
        works = true;
    }
    assert!(works, "{route} never works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_and_form_asks_for_its_role_and_shows_a_scope_nothing_of_others() {
    let shared = Site::new().await;
    shared.merge().await;
    let names = own(&shared.scene).await;
    let style = shared.ask(Who::Nobody, "GET", "/sign-in", "").await.body;
    let style = style.split("/assets/").find(|rest| rest.contains(".css")).and_then(|rest| rest.split('"').next());
    for entry in ENTRIES {
        for sent in entry.3 {
            match entry.0 {
                "GET /assets/{name}" => {
                    let path = format!("/assets/{}", style.unwrap());
                    assert_eq!(shared.ask(Who::Nobody, "GET", &path, "").await.status, entry.2);
                }
                route if route.starts_with("GET ") => walk(&shared, entry, &names, sent).await,
                // What acts changes what the next one finds.
                route => {
                    let fresh = Site::new().await;
                    let names = own(&fresh.scene).await;
                    if route.ends_with("/resend") || route.ends_with("/unpark") {
                        park(&fresh.scene).await;
                    }
                    walk(&fresh, entry, &names, sent).await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hidden_is_shown_to_whoever_sees_everything() {
    let site = Site::new().await;
    let other = Names::of(&site.scene, "fabrikam", "fabrikam-team").await;
    let mut shown = String::new();
    for (route, .., sent) in
        ENTRIES.into_iter().filter(|(route, ..)| route.starts_with("GET ") && !route.contains("events"))
    {
        for sent in sent {
            shown += &site.send(Who::Somebody(Role::Admin, false), route, &other, sent).await.body;
        }
    }
    shown += &site.ask(Who::Somebody(Role::Admin, false), "GET", "/tenants/contoso", "").await.body;
    let secrets = secrets(&site.scene).await;
    // Of a tenant that has left the configuration, pages show no Entra ID; and a page writes no bare apostrophe.
    let is_shown = |secret: &&String| **secret != entra("tailspin").to_string() && !secret.contains("'s");
    let missing: Vec<_> = secrets.iter().filter(is_shown).filter(|secret| !shown.contains(secret.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?} would not be found if it were shown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_about_another_looks_like_one_about_nothing_and_a_form_changes_nothing() {
    let site = Site::new().await;
    let before = state(&site.scene).await;
    let (other, absent) = (Names::of(&site.scene, "fabrikam", "fabrikam-team").await, Names::absent());
    let who = Who::Somebody(Role::Admin, true);
    for (route, whose, _, sent) in ENTRIES {
        for sent in sent.iter().filter(|sent| route.contains("{id}") || route.contains("/channels/") || has_names(sent))
        {
            if whose == For::Everybody {
                continue;
            }
            let of_other = site.send(who, route, &other, sent).await;
            let of_absent = site.send(who, route, &absent, sent).await;
            let erased = Answered {
                location: of_other.location.map(|location| other.erased(&location)),
                body: other.erased(&of_other.body),
                ..of_other
            };
            assert_eq!(erased, of_absent, "{route} {sent}");
            assert!(route.starts_with("GET /rules") || of_absent.status >= 300 || sent.contains('='), "{route} {sent}");
        }
    }
    assert_eq!(state(&site.scene).await, before, "nobody who is limited to one tenant changes another");
}

fn has_names(sent: &str) -> bool {
    ["TENANT", "ALERT", "CHANNEL"].iter().any(|name| sent.contains(name))
}
