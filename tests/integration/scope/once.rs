//! What the API did for an idempotency key is not done again, though the answer to it was lost: every action.

use std::sync::Arc;

use async_trait::async_trait;
use scorewatch::{
    action::{alert, token::TOKEN_PREFIX},
    domain::{Caller, KeyedRequest, Role, Scope, Timestamp},
    notify::silence::Acknowledgement,
    query::alerts::Which,
    store::{Begun, EntryFilter, Idempotency, NewSession, RecordedAnswer, SecretDigest, Store, StoreError},
};
use serde_json::json;

use super::{
    Scene,
    api::{ACCOUNT, Names, Operation, answer, caller, entry, let_in, operations, park, request},
    only,
};
use crate::integration::parts::Parts;

/// A store of a process that never survives until an answer is recorded.
struct Forgetful(Arc<dyn Store>);

#[async_trait]
impl Idempotency for Forgetful {
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError> {
        self.0.begin_request(request, now).await
    }

    async fn end_request(&self, _: KeyedRequest, _: Option<RecordedAnswer>) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }
}

fn forgetful(scene: &Scene) -> Arc<dyn Store> {
    let inner = &scene.fixture.store;
    Arc::new(Parts { idempotency: Arc::new(Forgetful(inner.clone())), ..Parts::of(inner) })
}

/// What does nothing that the store keeps.
const HARMLESS: [&str; 1] = ["previewSilence"];

/// Makes a scene in which that action has something to do.
async fn scene_for(operation: &Operation) -> Scene {
    let scene = Scene::new().await;
    let (store, now) = (scene.store(), scene.now());
    if operation.is_without_limits {
        let_in(&scene, operation.id == "enableAccount").await;
    }
    match operation.id.as_str() {
        "unparkChannel" | "resendDelivery" => park(&scene).await,
        "unacknowledgeAlert" => {
            let which = Which::named("contoso", "drop", None);
            let by = Acknowledgement { at: now, by: "ann".to_owned(), comment: "seen".to_owned() };
            alert::acknowledge(store, &Caller::local("ann"), &which, by).await.unwrap();
        }
        "endSessions" => {
            let account = store.find_account(ACCOUNT).await.unwrap().unwrap().0.id;
            let (digest, expires_at) = (SecretDigest::of(ACCOUNT), Timestamp::from_seconds(i64::from(u32::MAX)));
            let session = NewSession { digest, account, created_at: now, expires_at };
            store.add_session(session, entry("sign-in", now)).await.unwrap();
        }
        _ => {}
    }
    scene
}

async fn entries(scene: &Scene) -> usize {
    scene.store().entries(&EntryFilter::default()).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_action_is_done_twice_for_a_key_though_its_answer_was_lost() {
    for operation in operations().into_iter().filter(|operation| operation.method == "POST") {
        let scene = scene_for(&operation).await;
        let own = Names::of(&scene, "contoso", "contoso-team").await;
        let mut body = own.body(&operation);
        if operation.id == "acceptAlerts" {
            body = Some(json!({ "tenants": ["contoso"] }));
        }
        let store = forgetful(&scene);
        let send = async || {
            let request = request(operation.method, &own.path(&operation, false), body.clone(), Some("k1"));
            answer(&scene, store.clone(), caller(Role::Admin, &Scope::All), request).await
        };
        let before = entries(&scene).await;
        let (status, said) = send().await;
        assert!((200..300).contains(&status), "{}: {status} {said}", operation.id);
        let done = entries(&scene).await - before;
        assert_eq!(done == 0, HARMLESS.contains(&operation.id.as_str()), "{}: {done}", operation.id);
        let (status, said) = send().await;
        let kind = if done == 0 { "in-progress" } else { "done-before" };
        assert!(status == 409 && said.contains(&format!("problem:{kind}\"")), "{}: {status} {said}", operation.id);
        assert_eq!(said.contains("of the audit log"), done > 0, "{}: {said}", operation.id);
        assert!(!said.contains(TOKEN_PREFIX) && !said.contains("password"), "{}: {said}", operation.id);
        assert_eq!(entries(&scene).await - before, done, "{}: it was done again", operation.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_limited_does_not_learn_how_many_entries_there_are() {
    let scene = Scene::new().await;
    let body = json!({ "tenants": ["contoso"], "for": "1h", "comment": "patching" });
    let store = forgetful(&scene);
    let mut said = String::new();
    for _ in 0..2 {
        let request = request("POST", "/silences", Some(body.clone()), Some("k1"));
        said = answer(&scene, store.clone(), caller(Role::Admin, &only(&["contoso"])), request).await.1;
    }
    assert!(said.contains("done-before") && !said.contains("audit"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_answers_a_secret_is_done_once_for_a_key_and_the_secret_is_kept_nowhere() {
    for (path, body) in [("/tokens", json!({ "name": "grafana" })), ("/accounts", json!({ "name": "dana" }))] {
        let scene = Scene::new().await;
        let send = async |key| {
            let request = request("POST", path, Some(body.clone()), Some(key));
            answer(&scene, scene.fixture.store.clone(), caller(Role::Admin, &Scope::All), request).await
        };
        let (status, first) = send("k1").await;
        assert_eq!(status, 201, "{first}");
        let made: serde_json::Value = serde_json::from_str(&first).unwrap();
        let secret = made["token"].as_str().or(made["password"].as_str()).unwrap();
        let (status, again) = send("k1").await;
        assert!(status == 409 && again.contains("done-before") && !again.contains(secret), "{again}");
        let (status, other) = send("k2").await;
        assert!(status == 409 && other.contains("problem:conflict"), "as a control: {other}");
        let refused = send("k2").await;
        assert_eq!(refused, (status, other), "what was refused is refused in the same words");
    }
}
