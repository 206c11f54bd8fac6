//! What PagerDuty's own client makes of our events.

use std::path::PathBuf;

use scorewatch::{
    channel::{ChannelKind, Pagerduty, PagerdutyRegion},
    domain::Timestamp,
    secret::ExposeSecret as _,
    template::sample,
};

use super::{body, compose, env, installed, judge, open, script, secret};

const KEYS: [&str; 2] = ["0123456789abcdef0123456789abcdef", "R123456789ABCDEF0123456789ABCDEF"];

#[test]
#[ignore = "needs tests/validators/install"]
fn pagerdutys_own_client_sends_the_same_events() {
    let validators = installed();
    let schema = env::var_os("SCOREWATCH_PAGERDUTY_SCHEMA").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let mut requests = Vec::new();
    for key in KEYS {
        let routing_key = secret(&folder, key, key);
        let channel = open(ChannelKind::Pagerduty(Pagerduty { routing_key, region: PagerdutyRegion::Us, url: None }));
        requests.extend(sample::all().iter().map(|sample| {
            let outgoing = compose(&*channel, sample, Timestamp::EPOCH);
            serde_json::json!({ "url": outgoing.url.expose_secret(), "body": body(&outgoing) }).to_string()
        }));
    }
    let (script, python) = (script("pagerduty.py"), validators.join("python"));
    let arguments: Vec<_> =
        [Some(&script), Some(&python), schema.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    judge("python3", &arguments, &requests);
}
