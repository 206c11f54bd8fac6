//! Acknowledging many alerts at once: those of others are not among them, and what is passed over is counted.

use scorewatch::{
    action::alert::{self, ACKNOWLEDGED_MAX, Pick},
    domain::{Caller, Role, Scope},
    notify::silence::Acknowledgement,
    store::{AlertRow, EntryFilter},
};
use serde_json::{Value, json};

use super::{
    Scene,
    acts::state,
    api::{Names, answer, caller, request},
    only,
};

async fn acknowledge(scene: &Scene, scope: &Scope, which: Value) -> (u16, Value) {
    act(scene, scope, "acknowledge", which).await
}

async fn act(scene: &Scene, scope: &Scope, what: &str, mut which: Value) -> (u16, Value) {
    which["comment"] = json!("seen");
    let request = request("POST", &format!("/alerts/{what}"), Some(which), None);
    let (status, body) = answer(scene, scene.fixture.store.clone(), caller(Role::Analyst, scope), request).await;
    (status, serde_json::from_str(&body).unwrap())
}

/// How many are acknowledged, were so before, and do not fire.
fn counts(answered: &(u16, Value)) -> [u64; 3] {
    let (status, body) = answered;
    assert_eq!(*status, 200, "{body}");
    let done = body["alerts"].as_array().unwrap().len() as u64;
    [done, body["acknowledged_before"].as_u64().unwrap(), body["not_firing"].as_u64().unwrap()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_alerts_one_s_own_are_acknowledged_and_those_of_others_look_as_if_they_were_not_there() {
    let scene = Scene::new().await;
    let own = Names::of(&scene, "contoso", "contoso-team").await.alert;
    let other = Names::of(&scene, "fabrikam", "fabrikam-team").await.alert;
    let scope = only(&["contoso"]);
    let before = state(&scene).await;
    let of_other = acknowledge(&scene, &scope, json!({ "alerts": [other] })).await;
    assert_eq!(of_other, acknowledge(&scene, &scope, json!({ "alerts": [Names::absent().alert] })).await);
    assert_eq!(counts(&of_other), [0, 0, 1]);
    let dry = json!({ "rule": "drop", "dry_run": true });
    assert_eq!(counts(&acknowledge(&scene, &scope, dry.clone()).await), [1, 0, 0], "those of others are not picked");
    assert_eq!(counts(&acknowledge(&scene, &Scope::All, dry).await), [3, 0, 0], "as a control");
    assert_eq!(state(&scene).await, before);
    let named = json!({ "alerts": [own, other, own, "7Q4M2K"] });
    assert_eq!(counts(&acknowledge(&scene, &scope, named).await), [1, 0, 2]);
    assert_eq!(counts(&acknowledge(&scene, &scope, json!({ "rule": "drop" })).await), [0, 1, 0]);
    assert_eq!(counts(&acknowledge(&scene, &Scope::All, json!({ "rule": "drop" })).await), [2, 1, 0]);
    let entries = scene.store().entries(&EntryFilter::default()).await.unwrap().into_iter();
    let acknowledged: Vec<_> = entries.filter(|entry| entry.action == "alert.acknowledge").collect();
    assert_eq!(acknowledged.len(), 3, "{acknowledged:?}");
    assert_eq!(acknowledged[2].body.target.as_deref(), Some("alert contoso drop device-secure-score"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_since_it_was_shown_is_not_accepted_but_counted() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let caller = &Caller::limited_to(only(&["contoso"]));
    let pick = Pick { rule: Some("drop".to_owned()), ..Pick::default() };
    let shown = alert::accept_all(store, config, caller, &pick, true, now).await.unwrap();
    assert_eq!((shown.alerts.len(), shown.changed), (1, 0));
    for counted in [(1, 0), (0, 1)] {
        let done = alert::accept_rows(store, config, caller, shown.alerts.clone(), &pick, false, now).await.unwrap();
        assert_eq!((done.alerts.len(), done.changed), counted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_to_a_set_that_has_changed_since_it_was_shown() {
    for what in ["acknowledge", "accept"] {
        let scene = Scene::new().await;
        let scope = only(&["contoso"]);
        let shown = async |scope: &Scope| {
            let (status, body) = act(&scene, scope, what, json!({ "rule": "drop", "dry_run": true })).await;
            assert_eq!(status, 200, "{body}");
            (body["set"].as_str().unwrap().to_owned(), body["tenants"].as_u64().unwrap())
        };
        let with = async |set: &str| act(&scene, &scope, what, json!({ "rule": "drop", "set": set })).await;
        let (set, tenants) = shown(&scope).await;
        let (of_all, all) = shown(&Scope::All).await;
        assert_eq!((tenants, all), (1, 3), "{what}");
        let before = state(&scene).await;
        scene.fixture.pass(15);
        scene.fixture.set_score("contoso", 200.0);
        scene.fixture.visit_one(&scene.config, "contoso").await;
        let worse = state(&scene).await;
        assert_ne!(worse, before, "as a control: it has worsened");
        for stale in [set.as_str(), of_all.as_str(), "x"] {
            let (status, body) = with(stale).await;
            assert_eq!((status, &body["type"]), (409, &json!("urn:scorewatch:problem:conflict")), "{what}: {body}");
            assert!(body["detail"].as_str().unwrap().contains("no longer those of `set`"), "{what}: {body}");
        }
        let (status, body) = act(&scene, &scope, what, json!({ "rule": "rise", "set": set })).await;
        assert_eq!(status, 409, "{what}: nothing matches any more: {body}");
        assert_eq!(state(&scene).await, worse, "{what}: nothing was done");
        let (set, _) = shown(&scope).await;
        let (status, body) = with(&set).await;
        assert_eq!((status, body["alerts"].as_array().unwrap().len()), (200, 1), "{what}: {body}");
        assert_eq!((&body["set"], &body["tenants"]), (&Value::Null, &json!(1)), "{what}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_alerts_are_selected_by_their_severity() {
    let scene = Scene::new().await;
    for what in ["acknowledge", "accept"] {
        let dry = async |severity: &str| {
            act(&scene, &Scope::All, what, json!({ "severity": severity, "dry_run": true })).await
        };
        let (status, body) = dry("warning").await;
        assert_eq!((status, body["alerts"].as_array().map(Vec::len)), (200, Some(3)), "{what}: {body}");
        assert_eq!(dry("critical").await.0, 404, "{what}");
        assert_eq!(dry("bad").await.0, 400, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_alerts_are_accepted_than_the_caller_allows() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let caller = &Caller::limited_to(Scope::All);
    let before = state(&scene).await;
    let pick = |most| Pick { rule: Some("drop".to_owned()), most: Some(most), ..Pick::default() };
    for is_dry in [true, false] {
        let refused = alert::accept_all(store, config, caller, &pick(2), is_dry, now).await.unwrap_err().to_string();
        assert!(refused.contains("3 alerts match, and at most 2 are accepted"), "{refused}");
    }
    assert_eq!(state(&scene).await, before, "nothing was done");
    assert_eq!(alert::accept_all(store, config, caller, &pick(3), false, now).await.unwrap().alerts.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_alerts_are_acknowledged_in_one_step_than_the_limit() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    let caller = &Caller::limited_to(Scope::All);
    let pick = Pick { rule: Some("drop".to_owned()), ..Pick::default() };
    let one = alert::picked(store, config, caller, &pick).await.unwrap().remove(0);
    let before = state(&scene).await;
    let by = || Acknowledgement { at: now, by: "ann".to_owned(), comment: "seen".to_owned() };
    let many = vec![one.clone(); ACKNOWLEDGED_MAX + 1];
    for is_dry in [true, false] {
        let refused = alert::acknowledge_rows(store, caller, many.clone(), by(), None, is_dry).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("1001 alerts match, and at most 1000 are acknowledged"), "{refused}");
    }
    assert_eq!(state(&scene).await, before, "nothing was done");
    let within = alert::acknowledge_rows(store, caller, many[1..].to_vec(), by(), None, true).await.unwrap();
    assert_eq!(within.alerts.len(), ACKNOWLEDGED_MAX);
    let seen = AlertRow { acknowledged: Some(by()), ..one };
    let counted = alert::acknowledge_rows(store, caller, vec![seen; ACKNOWLEDGED_MAX + 1], by(), None, true).await;
    assert_eq!(counted.unwrap().acknowledged_before, ACKNOWLEDGED_MAX + 1, "those do not count toward it");
}
