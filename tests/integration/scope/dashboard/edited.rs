//! What an alert's id leads to after its rule was edited.

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    check::close::close_orphans,
    config::Config,
    domain::{Role, Scope, ScoreKind},
    query::{
        Page,
        alerts::{self, Which},
    },
    rule::Rule,
};
use serde_json::{Value, json};

use super::{
    super::{
        Scene,
        api::{answer, caller, request},
    },
    Site, Who,
};
use crate::integration::setup::{SCORE, entra};

const OTHER: ScoreKind = ScoreKind::ExposureScore;

/// The rule is on another score from now on, and has fired on it, too.
async fn edited() -> Scene {
    let scene = Scene::new().await;
    let mut config = Config::clone(&scene.config);
    let rule = Rule { score: Some(OTHER), ..Rule::clone(&config.rules[0]) };
    config.rules = vec![Arc::new(rule)];
    for tenant in config.tenants.values_mut() {
        Arc::make_mut(tenant).scores = Arc::new([SCORE, OTHER]);
    }
    close_orphans(scene.store(), &config, &BTreeSet::new(), scene.now()).await.unwrap();
    for value in [80.0, 40.0] {
        scene.fixture.pass(15);
        scene.fixture.cloud.set_score(entra("contoso"), OTHER, value);
        scene.fixture.visit_one(&config, "contoso").await;
    }
    Scene { config: Arc::new(config), ..scene }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_opened_and_acknowledged_by_its_id_after_the_score_of_its_rule_was_edited() {
    let site = Site::of(edited().await).await;
    let (scene, who) = (&site.scene, Who::Somebody(Role::Analyst, true));
    let filter = alerts::Filter { tenant: Some("contoso".to_owned()), resolved: true, ..alerts::Filter::default() };
    let rows = alerts::list(scene.store(), &Scope::All, &filter, &Page::ALL).await.unwrap().items;
    let lines = alerts::lines(scene.store(), &scene.config, &Scope::All, rows).await.unwrap();
    let [new, old] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((new.row.key.score, new.row.alert.is_firing()), (Some(OTHER), true));
    assert_eq!((old.row.key.score, old.row.alert.is_firing()), (Some(SCORE), false));
    let ask = async |method, path: &str, body: Option<Value>| {
        let request = request(method, path, body, None);
        let (status, body) =
            answer(scene, scene.fixture.store.clone(), caller(Role::Analyst, &Scope::All), request).await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    for line in [old, new] {
        for id in [&line.id, &line.short_id] {
            let (status, shown) = ask("GET", &format!("/alerts/{id}"), None).await;
            assert_eq!((status, shown["id"].as_str()), (200, Some(line.id.as_str())), "{shown}");
            assert_eq!(ask("GET", &format!("/alerts/{id}/explain"), None).await.0, 200);
            let page = site.ask(who, "GET", &format!("/alerts/{id}"), "").await;
            assert!(page.status == 200 && page.body.contains(&line.short_id), "{page:?}");
        }
    }
    let path = format!("/alerts/{}/acknowledge", old.id);
    let (status, refused) = ask("POST", &path, Some(json!({ "comment": "seen" }))).await;
    assert!(status == 409 && refused["detail"].to_string().contains("only a firing alert"), "{refused}");
    let done = site.ask(who, "POST", &format!("/alerts/{}/acknowledge", new.id), "comment=seen").await;
    assert_eq!(done.status, 303, "{done:?}");
    let (status, shown) = ask("GET", &format!("/alerts/{}", new.id), None).await;
    assert_eq!((status, &shown["acknowledged"]["comment"]), (200, &json!("seen")), "{shown}");
    let (status, shown) = ask("POST", &format!("/alerts/{}/unacknowledge", new.id), None).await;
    assert_eq!((status, &shown["acknowledged"]), (200, &Value::Null), "{shown}");
    let named = alerts::show(scene.store(), &Scope::All, &Which::named("contoso", "drop", None)).await.unwrap();
    assert_eq!(named.key, new.row.key, "names mean the alert that is open");
}
