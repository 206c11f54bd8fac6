//! Every route of the API × every role × every scope, as the API's own document lists them: what a role does not allow is refused, and
//! nothing of another tenant's is in any byte of an answer, nor is anything of it changed.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use futures_util::StreamExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scorewatch::{
    domain::{Caller, ChannelName, Limits, Role, Scope, Timestamp},
    query::{Page, alerts, deliveries, silences},
    store::{AttemptOutcome, Claim, ClaimTerms, NewAccount, NewEntry, NewToken, PasswordHash, SecretDigest, Store},
    web::{self, App},
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use super::{OTHERS, Scene, acts::state, only};
use crate::integration::setup::tenant_id;

/// A route as the document describes it.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    path: String,
    pub(super) id: String,
    role: Role,
    /// Whether it is for nobody who is limited to some tenants.
    pub(super) is_without_limits: bool,
    statuses: BTreeSet<u16>,
    has_body: bool,
    parameters: BTreeSet<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    let document = web::api::document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (name, method) in [("get", "GET"), ("post", "POST")] {
            let Some(operation) = methods.get(name) else { continue };
            let parameters = operation["parameters"].as_array().unwrap().iter();
            operations.push(Operation {
                method,
                path: path.clone(),
                id: operation["operationId"].as_str().unwrap().to_owned(),
                role: serde_json::from_value(operation["x-role"].clone()).unwrap(),
                is_without_limits: operation["x-without-limits"] == true,
                statuses: operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|code| code.parse().unwrap())
                    .collect(),
                has_body: operation["requestBody"]["required"] == true,
                parameters: parameters
                    .filter(|one| one["in"] == "query")
                    .map(|one| one["name"].as_str().unwrap().to_owned())
                    .collect(),
            });
        }
    }
    operations
}

/// What a tenant's things are called.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) tenant: &'static str,
    pub(super) channel: &'static str,
    pub(super) alert: String,
    /// As the store counts, and as whoever is limited to some tenants is shown it.
    pub(super) delivery: [String; 2],
    pub(super) silence: [String; 2],
}

impl Names {
    pub(super) async fn of(scene: &Scene, tenant: &'static str, channel: &'static str) -> Self {
        let (store, all, limited) = (scene.store(), &Scope::All, &only(&[tenant]));
        let filter = alerts::Filter { tenant: Some(tenant.to_owned()), ..alerts::Filter::default() };
        let rows = alerts::list(store, all, &filter, &Page::ALL).await.unwrap().items;
        let lines = alerts::lines(store, &scene.config, all, rows).await.unwrap();
        let (of_tenant, to_channel) = (Some(tenant.to_owned()), Some(channel.to_owned()));
        let filter = deliveries::Filter { tenant: of_tenant, channel: to_channel, ..deliveries::Filter::default() };
        let [mut delivery, mut silence] = [[const { String::new() }; 2], [const { String::new() }; 2]];
        for (place, scope) in [all, limited].into_iter().enumerate() {
            let found = deliveries::list(store, scope, &filter, &Page::ALL).await.unwrap().items;
            delivery[place] = found[0].id.to_string();
            let found = silences::list(store, scope, true, &Page::ALL, scene.now()).await.unwrap().items;
            let own = found.iter().find(|silence| silence.matchers.tenants == [tenant_id(tenant)].into());
            silence[place] = own.unwrap().id.to_string();
        }
        Self { tenant, channel, alert: lines[0].id.clone(), delivery, silence }
    }

    /// What nothing is called.
    pub(super) fn absent() -> Self {
        let alert = "alert_ABSENTABSENTABSENTABSENT00".to_owned();
        let [delivery, silence] = ["4711", "4712"].map(|number| [number.to_owned(), number.to_owned()]);
        Self { tenant: "absent", channel: "absent-team", alert, delivery, silence }
    }

    pub(super) fn path(&self, operation: &Operation, is_limited: bool) -> String {
        let id = match operation.path.split('/').nth(1).unwrap() {
            "alerts" => &self.alert,
            "deliveries" => &self.delivery[usize::from(is_limited)],
            _ => self.tenant,
        };
        let name = match operation.path.split('/').nth(1).unwrap() {
            "rules" => "drop",
            "tokens" => TOKEN,
            "accounts" => ACCOUNT,
            _ => self.channel,
        };
        let path = operation.path.replace("{id}", id).replace("{number}", &self.silence[usize::from(is_limited)]);
        path.replace("{name}", name).replace("{who}", ACCOUNT).replace("{rule}", "drop")
    }

    /// Values for the parameters by which a list is narrowed.
    fn query(&self, operation: &Operation) -> String {
        let of = |name: &String| match name.as_str() {
            "tenant" => Some(format!("tenant={}", self.tenant)),
            "search" => Some(format!("search={}", self.tenant)),
            "q" => Some(format!("q={}", self.tenant)),
            "channel" => Some(format!("channel={}", self.channel)),
            _ => None,
        };
        let values: Vec<_> = operation.parameters.iter().filter_map(of).collect();
        values.join("&")
    }

    pub(super) fn body(&self, operation: &Operation) -> Option<Value> {
        let silence = || json!({ "tenants": [self.tenant], "for": "1h", "comment": "patching" });
        Some(match operation.id.as_str() {
            "acknowledgeAlert" => json!({ "comment": "seen" }),
            "acknowledgeAlerts" => json!({ "tenants": [self.tenant], "comment": "seen" }),
            "acceptAlerts" => json!({ "tenants": [self.tenant], "dry_run": true }),
            "addSilence" | "previewSilence" => silence(),
            "addAccount" => json!({ "name": "dana", "tenants": [self.tenant] }),
            "createToken" => json!({ "name": "grafana", "tenants": [self.tenant] }),
            "sendReport" => json!({ "channel": self.channel }),
            other => {
                assert!(!operation.has_body, "say here what `{other}` is sent");
                return None;
            }
        })
    }

    /// A text for somebody who is limited to some tenants, in which these names are those of nothing.
    pub(super) fn erased(&self, text: &str) -> String {
        self.as_if_called(&Self::absent(), text)
    }

    /// The same, in which they are those names.
    pub(super) fn as_if_called(&self, absent: &Self, text: &str) -> String {
        let text = text.replace(self.channel, absent.channel).replace(&self.alert, &absent.alert);
        let mut text = text.replace(self.tenant, absent.tenant);
        for (thing, own, absent) in
            [("silence", &self.silence, &absent.silence), ("delivery", &self.delivery, &absent.delivery)]
        {
            for quote in ["", "`"] {
                let words = |number: &str| format!("{thing} {quote}{number}{quote}");
                text = text.replace(&words(&own[1]), &words(&absent[1]));
            }
        }
        text
    }
}

/// One backtest runs at a time in a process, and another one is refused.
pub(super) static ONE_BACKTEST: Mutex<()> = Mutex::const_new(());

/// Who sends a request.
pub(super) fn caller(role: Role, scope: &Scope) -> Caller {
    Caller { role, scope: scope.clone(), ..Caller::local("ann") }
}

async fn ask(scene: &Scene, caller: Caller, operation: &Operation, names: &Names, query: &str) -> (u16, String) {
    let mut uri = names.path(operation, !caller.scope.is_all());
    if !query.is_empty() {
        uri = format!("{uri}?{query}");
    }
    let request = request(operation.method, &uri, names.body(operation), None);
    answer(scene, scene.fixture.store.clone(), caller, request).await
}

/// A request of the API.
pub(super) fn request(method: &str, path: &str, body: Option<Value>, key: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    match body {
        Some(body) => {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
        }
        None => request.body(Body::empty()).unwrap(),
    }
}

/// What the API answers on that store. Of a stream, which has no end, it is the first event.
pub(super) async fn answer(
    scene: &Scene,
    store: Arc<dyn Store>,
    caller: Caller,
    request: Request<Body>,
) -> (u16, String) {
    let _turn = ONE_BACKTEST.lock().await;
    let (_, config) = watch::channel(scene.config.clone());
    let app = App::new(store, scene.fixture.clock.clone(), config);
    let response = TowerToHyperService::new(web::api::of(app, caller)).call(request).await.unwrap();
    let status = response.status().as_u16();
    let headers = format!("{:?}", response.headers());
    assert!(!OTHERS.iter().any(|other| headers.contains(other)), "{headers}");
    let body = if headers.contains("text/event-stream") {
        response.into_body().into_data_stream().next().await.unwrap().unwrap()
    } else {
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    };
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Parks the channel of `contoso` and its delivery, so that there is one to resume.
pub(super) async fn park(scene: &Scene) {
    let (store, channel, now) = (scene.store(), ChannelName::parse("contoso-team").unwrap(), scene.now());
    let Claim::Send(claimed) = store.claim(&channel, ClaimTerms::default(), now).await.unwrap() else {
        panic!("nothing to send")
    };
    let outcome = AttemptOutcome::Parked { error: "404".to_owned() };
    store.settle(claimed.id, claimed.attempt, outcome, None, now).await.unwrap();
}

/// Who has access in a scene.
const TOKEN: &str = "portal";
pub(super) const ACCOUNT: &str = "carol";

/// What an action is noted with.
pub(super) fn entry(action: &'static str, now: Timestamp) -> NewEntry {
    NewEntry::by(&Caller::local("ann"), action, None, now)
}

/// Makes a token and an account, so that there is something to list and to end.
pub(super) async fn let_in(scene: &Scene, is_disabled: bool) {
    let (store, now) = (scene.store(), scene.now());
    let entry = |action| entry(action, now);
    let token = NewToken {
        name: TOKEN.to_owned(),
        digest: SecretDigest::of(TOKEN),
        role: Role::Viewer,
        limits: Limits::All,
        created_at: now,
        created_by: "ann".to_owned(),
        expires_at: None,
    };
    assert!(store.add_token(token, entry("token.create")).await.unwrap());
    let account = NewAccount {
        name: ACCOUNT.to_owned(),
        password: PasswordHash("$argon2id$".to_owned()),
        role: Role::Viewer,
        limits: Limits::All,
        created_at: now,
        created_by: "ann".to_owned(),
    };
    assert!(store.add_account(account, entry("account.add")).await.unwrap());
    if is_disabled {
        assert!(store.disable_account(ACCOUNT, true, entry("account.disable")).await.unwrap());
    }
}

/// Sends the request as every role with every scope. Returns whether it worked for somebody who is limited to that tenant, or, if it is
/// for nobody who is limited, for somebody who is not.
async fn walk(scene: &Scene, operation: &Operation) -> bool {
    let own = Names::of(scene, "contoso", "contoso-team").await;
    if ["unparkChannel", "resendDelivery"].contains(&operation.id.as_str()) {
        park(scene).await;
    }
    if operation.is_without_limits && operation.method == "POST" {
        let_in(scene, operation.id == "enableAccount").await;
    }
    let mut works = false;
    for (scope, is_limited) in [(only(&["contoso"]), true), (Scope::All, false)] {
        for role in Role::ALL {
            // It can't be asked nothing.
            let query = if operation.id == "search" { own.query(operation) } else { String::new() };
            let (status, body) = ask(scene, caller(role, &scope), operation, &own, &query).await;
            let who = format!("{} as {role} of {scope:?}: {status} {body}", operation.id);
            if role < operation.role || (is_limited && operation.is_without_limits) {
                assert!(status == 403 && body.contains("urn:scorewatch:problem:forbidden"), "{who}");
                continue;
            }
            // What was done once is a conflict the second time.
            assert!((200..300).contains(&status) || status == 409, "{who}");
            assert!(operation.statuses.contains(&status), "{who}");
            assert!(!is_limited || !OTHERS.iter().any(|other| body.contains(other)), "{who}");
            works |= (is_limited != operation.is_without_limits) && status < 300;
        }
    }
    works
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_asks_for_its_role_and_shows_a_scope_nothing_of_others() {
    let shared = Scene::new().await;
    for operation in operations() {
        // What acts changes what the next one finds.
        let fresh = if operation.method == "POST" { Some(Scene::new().await) } else { None };
        assert!(walk(fresh.as_ref().unwrap_or(&shared), &operation).await, "{} never works", operation.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_others_looks_like_what_does_not_exist_and_stays_as_it_is() {
    let scene = Scene::new().await;
    let before = state(&scene).await;
    let (other, absent) = (Names::of(&scene, "fabrikam", "fabrikam-team").await, Names::absent());
    // Neither what others are shown nor what the store counts.
    let counted = Names {
        delivery: [other.delivery[0].clone(), other.delivery[0].clone()],
        silence: [other.silence[0].clone(), other.silence[0].clone()],
        ..other.clone()
    };
    let scope = only(&["contoso"]);
    for operation in operations() {
        let names_something = operation.path.contains(['{']) && !operation.path.starts_with("/rules");
        let names_something = names_something || names_in_body(&other, &operation);
        let mut queries = vec![("", "")];
        let (of_other, of_absent) = (other.query(&operation), absent.query(&operation));
        queries.extend((!of_other.is_empty()).then_some((of_other.as_str(), of_absent.as_str())));
        for (of_other, of_absent) in queries {
            if !names_something && of_other.is_empty() {
                continue;
            }
            let missing = ask(&scene, caller(Role::Admin, &scope), &operation, &absent, of_absent).await;
            for other in [&other, &counted] {
                let (status, body) = ask(&scene, caller(Role::Admin, &scope), &operation, other, of_other).await;
                assert_eq!((status, other.erased(&body)), missing, "{} {of_other}", operation.id);
            }
        }
    }
    assert_eq!(state(&scene).await, before, "nobody who is limited to one tenant changes another");
}

fn names_in_body(names: &Names, operation: &Operation) -> bool {
    names.body(operation).is_some_and(|body| body["tenants"].is_array())
}
