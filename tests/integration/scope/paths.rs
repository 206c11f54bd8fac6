//! What belongs to others is looked for as what does not exist is: the store is asked the same, in the same order, and the answer is the same
//! to the byte. So the time that it takes gives nothing away either.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scorewatch::{
    domain::{Limits, Role},
    store::{NewToken, SecretDigest, Store},
    web::{self, App},
};
use tokio::sync::watch;

use super::{
    Scene,
    api::{Names, ONE_BACKTEST, entry},
};
use crate::integration::{parts::Parts, setup::entra};

/// Pages and answers of the API that name something, and forms and actions likewise.
const PATHS: [&str; 30] = [
    "GET /tenants/TENANT",
    "GET /alerts/ALERT",
    "GET /deliveries/DELIVERY",
    "GET /alerts?tenant=TENANT",
    "GET /deliveries?tenant=TENANT",
    "GET /deliveries?channel=CHANNEL",
    "GET /search?q=TENANT",
    "GET /search?q=ALERT",
    "POST /tenants/TENANT/recheck",
    "POST /alerts/ALERT/acknowledge",
    "POST /deliveries/DELIVERY/resend",
    "POST /silences/SILENCE/end",
    "POST /channels/CHANNEL/drill",
    "GET /api/v1/tenants/TENANT",
    "GET /api/v1/tenants/TENANT/chart",
    "GET /api/v1/tenants/TENANT/samples",
    "GET /api/v1/tenants/TENANT/samples.csv",
    "GET /api/v1/tenants/TENANT/report",
    "GET /api/v1/tenants/TENANT/explain/drop",
    "GET /api/v1/alerts/ALERT",
    "GET /api/v1/alerts/ALERT/explain",
    "GET /api/v1/alerts?tenant=TENANT",
    "GET /api/v1/deliveries/DELIVERY",
    "GET /api/v1/channels/CHANNEL",
    "GET /api/v1/silences/SILENCE",
    "GET /api/v1/search?q=ALERT",
    "POST /api/v1/tenants/TENANT/recheck",
    "POST /api/v1/alerts/ALERT/unacknowledge",
    "POST /api/v1/deliveries/DELIVERY/resend",
    "POST /api/v1/channels/CHANNEL/unpark",
];

const TOKEN: &str = "swt_of-contoso";

/// What is asked of the store.
type Calls = Arc<Mutex<Vec<&'static str>>>;

/// A dashboard for somebody who sees `contoso` alone, and what it asks of the store.
async fn site(scene: &Scene) -> (Router, Calls) {
    let now = scene.now();
    let token = NewToken {
        name: "of-contoso".to_owned(),
        digest: SecretDigest::of(TOKEN),
        role: Role::Admin,
        limits: Limits::Only { tenants: Some([entra("contoso")].into()), labels: None },
        created_at: now,
        created_by: "ann".to_owned(),
        expires_at: None,
    };
    assert!(scene.store().add_token(token, entry("token.create", now)).await.unwrap());
    let parts = Parts::of(&scene.fixture.store);
    let calls = parts.calls.clone();
    let store: Arc<dyn Store> = Arc::new(parts);
    let (_, config) = watch::channel(scene.config.clone());
    (web::dashboard(App::new(store, scene.fixture.clock.clone(), config)), calls)
}

fn with_names(path: &str, names: &Names) -> String {
    let path = path.replace("TENANT", names.tenant).replace("CHANNEL", names.channel).replace("ALERT", &names.alert);
    path.replace("DELIVERY", &names.delivery[1]).replace("SILENCE", &names.silence[1])
}

/// These names, with the numbers that the store counts, or with those that others are shown.
fn numbered(names: &Names, place: usize) -> Names {
    let of = |numbers: &[String; 2]| [numbers[place].clone(), numbers[place].clone()];
    Names { delivery: of(&names.delivery), silence: of(&names.silence), ..names.clone() }
}

/// What nothing is called. Its numbers look like these: how a number is looked for depends on how long it is.
fn absent(other: &Names) -> Names {
    let of = |numbers: &[String; 2]| numbers.clone().map(|number| (number.parse::<i64>().unwrap() ^ 0x40).to_string());
    Names { delivery: of(&other.delivery), silence: of(&other.silence), ..Names::absent() }
}

/// The status, where it leads, the body, and what was asked of the store meanwhile.
async fn ask(site: &(Router, Calls), line: &str) -> (u16, String, String, Vec<&'static str>) {
    let (router, calls) = site;
    let (method, path) = line.split_once(' ').unwrap();
    let accepts = if path.starts_with("/api") { "application/json" } else { "text/html" };
    let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accepts);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    let (media_type, body) = if path.starts_with("/api") || method == "GET" {
        ("application/json", Body::empty())
    } else {
        ("application/x-www-form-urlencoded", Body::from("comment=seen"))
    };
    let request = request.header(header::CONTENT_TYPE, media_type).body(body).unwrap();
    let _turn = ONE_BACKTEST.lock().await;
    calls.lock().unwrap().clear();
    let response = TowerToHyperService::new(router.clone()).call(request).await.unwrap();
    let status = response.status().as_u16();
    let location = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let asked = std::mem::take(&mut *calls.lock().unwrap());
    (status, location.unwrap_or_default(), body, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_others_takes_the_way_through_the_store_that_what_does_not_exist_takes() {
    let scene = Scene::new().await;
    let site = site(&scene).await;
    let other = Names::of(&scene, "fabrikam", "fabrikam-team").await;
    let own = Names::of(&scene, "contoso", "contoso-team").await;
    // The first use of a token is noted.
    ask(&site, "GET /rules").await;
    let mut differ = 0;
    for line in PATHS {
        for place in [0, 1] {
            let other = numbered(&other, place);
            let absent = absent(&other);
            let (status, to, body, asked) = ask(&site, &with_names(line, &other)).await;
            let [to, body] = [to, body].map(|text| other.as_if_called(&absent, &text));
            assert_eq!((status, to, body, asked), ask(&site, &with_names(line, &absent)).await, "{line}");
        }
        if line.starts_with("GET") {
            let missing = ask(&site, &with_names(line, &absent(&other))).await.3;
            differ += usize::from(ask(&site, &with_names(line, &numbered(&own, 1))).await.3 != missing);
        }
    }
    assert!(differ > 10, "as a control, what is one's own takes other ways: {differ}");
}
