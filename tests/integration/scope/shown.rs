//! What is meant for our own people, such as labels and the words of a rule's author, is shown to whoever is limited to some tenants only
//! if the configuration says so. That nothing of it is shown otherwise is what every other test here asserts.

use scorewatch::{config::access::Seen, domain::Scope, query::find};

use super::{Scene, only};
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
        let scope = find::seeing(&config, Scope::only([tenant_id("contoso")].into()));
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
