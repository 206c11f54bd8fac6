//! A search finds whatever somebody may see, and of others nothing.

use scorewatch::{
    domain::{Role, Scope},
    query::search::{self, Target},
};
use serde_json::Value;

use super::{
    OTHERS, Scene,
    api::{Names, answer, caller, request},
    only,
};

async fn found(scene: &Scene, scope: &Scope, query: &str) -> Value {
    let request = request("GET", &format!("/search?{query}"), None, None);
    let (status, body) = answer(scene, scene.fixture.store.clone(), caller(Role::Viewer, scope), request).await;
    assert_eq!(status, 200, "{query}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// How many tenants, alerts, fleet shifts and deliveries.
fn counts(found: &Value) -> [usize; 4] {
    ["tenants", "alerts", "shifts", "deliveries"].map(|kind| found[kind].as_array().unwrap().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_tenants_by_their_names_and_everything_else_by_its_id() {
    let scene = Scene::new().await;
    let own = Names::of(&scene, "contoso", "contoso-team").await;
    let letters = own.alert.split_once('_').unwrap().1;
    for (scope, delivery) in [(only(&["contoso"]), &own.delivery[1]), (Scope::All, &own.delivery[0])] {
        for (query, counted) in [
            ("q=contoso", [1, 0, 0, 0]),
            ("q=CONTOSO", [1, 0, 0, 0]),
            ("q=%20contos%20", [1, 0, 0, 0]),
            (&format!("q={}", own.alert), [0, 1, 0, 0]),
            (&format!("q={}", letters.to_lowercase()), [0, 1, 0, 0]),
            (&format!("q={}", &letters[..6]), [0, 1, 0, 0]),
            (&format!("q={delivery}"), [0, 0, 0, 1]),
            ("q=nobody-is-called-so", [0, 0, 0, 0]),
        ] {
            let found = found(&scene, &scope, query).await;
            assert_eq!(counts(&found), counted, "{query} in {scope:?}: {found}");
        }
        let one = found(&scene, &scope, "q=ltd&limit=1").await;
        assert_eq!((counts(&one)[0], &one["has_more"]), (1, &Value::Bool(scope.is_all())), "{one}");
    }
    let message = &found(&scene, &Scope::All, &format!("q={}", own.delivery[0])).await["deliveries"][0];
    let found = found(&scene, &Scope::All, &format!("q={}", message["notification"].as_str().unwrap())).await;
    assert_eq!(&found["deliveries"][0]["id"], &message["id"], "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_for_what_is_others_finds_what_one_for_nothing_finds() {
    let scene = Scene::new().await;
    let (other, scope) = (Names::of(&scene, "fabrikam", "fabrikam-team").await, only(&["contoso"]));
    let message = found(&scene, &Scope::All, &format!("q={}", other.delivery[0])).await;
    let message = message["deliveries"][0]["notification"].as_str().unwrap().to_owned();
    let letters = other.alert.split_once('_').unwrap().1;
    let nothing = found(&scene, &scope, "q=absent").await;
    assert_eq!(counts(&nothing), [0; 4]);
    for text in ["fabrikam", "tailspin", &other.alert, &letters[..6], &message, &other.delivery[0], &other.delivery[1]]
    {
        assert_eq!(found(&scene, &scope, &format!("q={text}")).await, nothing, "{text}");
        let target = search::target(scene.store(), &scene.config, &scope, text).await.unwrap();
        assert_eq!(target, None, "{text}");
        let seen = found(&scene, &Scope::All, &format!("q={text}")).await;
        assert!(seen != nothing || ["tailspin", other.delivery[1].as_str()].contains(&text), "as a control: {text}");
    }
    let target = async |text| search::target(scene.store(), &scene.config, &Scope::All, text).await.unwrap();
    assert_eq!(target("fabrikam").await, Some(Target::Tenant));
    assert_eq!(target("abrika").await, Some(Target::Tenants));
    assert_eq!(target(&other.alert).await, Some(Target::Alert));
    assert_eq!(target(&other.delivery[0]).await, Some(Target::Delivery));
    let all = search::search(scene.store(), &scene.config, &scope, "o", 100).await.unwrap();
    assert!(!OTHERS.iter().any(|other| format!("{all:?}").contains(other)), "{all:?}");
}
