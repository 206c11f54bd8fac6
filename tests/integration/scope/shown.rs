//! What several tenants share is not shown to whoever is limited to some of them. What is meant for our own people, such as labels and the
//! words of a rule's author, is shown to them only if the configuration says so; that nothing of it is shown otherwise is what every other
//! test here asserts.

use scorewatch::{
    config::Seen,
    domain::{Extras, Role, Scope},
    query::{self, Page, deliveries, find, silences},
};
use serde_json::Value;

use super::{
    Scene,
    api::{answer, caller, request},
    nobody, only,
};
use crate::integration::setup::tenant_id;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_meant_for_our_own_people_is_shown_to_whoever_is_limited_if_the_configuration_says_so() {
    let scene = Scene::new().await;
    let nothing = Seen::default();
    for (show, words, where_) in [
        (nothing, None, ""),
        (Seen { labels: true, ..nothing }, Some("inhouse-gold"), "tenants"),
        (Seen { labels: true, ..nothing }, Some("inhouse-gold"), "fleet"),
        (Seen { about: true, ..nothing }, Some("inhouse-words"), "rules"),
        (Seen { about: true, ..nothing }, Some("inhouse-wiki"), "alerts that match"),
        (Seen { channels: true, ..nothing }, Some("inhouse-desk"), "deliveries"),
        (Seen { channels: true, ..nothing }, Some("inhouse-desk"), "who sees"),
    ] {
        let mut config = (*scene.config).clone();
        config.access.show = show;
        let scope = find::seeing(&config, &Scope::only([tenant_id("contoso")].into()));
        if words.is_none() {
            assert_eq!(scope, only(&["contoso"]), "their own channel is seen in any case");
        }
        let seen = ["inhouse-gold", "inhouse-words", "inhouse-wiki", "inhouse-desk"];
        for (what, json) in scene.everything(&scope).await {
            assert!(what != where_ || words.is_none_or(|words| json.contains(words)), "{what}: {json}");
            let others = seen.iter().filter(|word| match words {
                Some("inhouse-words" | "inhouse-wiki") => !matches!(**word, "inhouse-words" | "inhouse-wiki"),
                Some(words) => **word != words,
                None => true,
            });
            for other in others {
                assert!(!json.contains(other), "{what} shows {other} beside {words:?}: {json}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_several_tenants_share_is_not_shown_to_whoever_may_see_some_of_them() {
    let scene = Scene::new().await;
    let now = scene.now();
    for (scope, drills, silenced, shown) in [
        // A drill, and what the operator is sent on two channels about two silences of everybody.
        (Scope::All, 5, 4, &["contoso-team", "fabrikam-team", "inhouse-desk"][..]),
        (only(&["contoso", "fabrikam", "tailspin"]), 0, 3, &["contoso-team", "fabrikam-team"]),
        (only(&["contoso"]), 0, 1, &["contoso-team"]),
        (nobody(), 0, 0, &[]),
    ] {
        let of = deliveries::list(scene.store(), &scope, &deliveries::Filter::default(), &Page::ALL).await.unwrap();
        let about_none = of.items.iter().filter(|delivery| delivery.tenant.is_none()).count();
        let silences = silences::list(scene.store(), &scope, false, &Page::ALL, now).await.unwrap();
        let listed = query::channels::list(scene.store(), &scene.config, &scope, now).await.unwrap();
        let names: Vec<_> = listed.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!((about_none, silences.items.len(), names.as_slice()), (drills, silenced, shown), "{scope:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_listed_by_labels_to_whoever_sees_labels_and_to_nobody_else() {
    let scene = Scene::new().await;
    let seeing = only(&["contoso"]).with(|_| Extras { labels: true, ..Extras::default() });
    let labeled = "label=inhouse-tier%3Dinhouse-gold";
    for (scope, query, count) in [
        // One that is no longer configured has no labels.
        (&Scope::All, labeled, 2),
        (&Scope::All, "label=inhouse-tier%3Dsilver", 0),
        (&Scope::All, "label=inhouse-tier%3Dinhouse-gold&label=seat%3Deu", 0),
        (&Scope::All, "", 3),
        (&seeing, labeled, 1),
        (&only(&["contoso"]), labeled, 0),
        (&only(&["contoso"]), "", 1),
    ] {
        let request = request("GET", &format!("/alerts?{query}"), None, None);
        let (status, body) = answer(&scene, scene.fixture.store.clone(), caller(Role::Viewer, scope), request).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, body["items"].as_array().map(Vec::len)),
            (200, Some(count)),
            "{query} by {scope:?}: {body}"
        );
    }
}
