//! Acknowledging many alerts at once: those of others are not among them, and what is passed over is counted.

use scorewatch::{
    action::alert::{self, Pick},
    domain::{Caller, Role, Scope},
    store::EntryFilter,
};
use serde_json::{Value, json};

use super::{
    Scene,
    acts::state,
    api::{Names, answer, caller, request},
    only,
};

async fn acknowledge(scene: &Scene, scope: &Scope, mut which: Value) -> (u16, Value) {
    which["comment"] = json!("seen");
    let request = request("POST", "/alerts/acknowledge", Some(which), None);
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
