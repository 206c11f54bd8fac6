//! The service, as it answers at `listen`.

use std::time::Duration;

use serde_json::Value;

use super::Finding;
use crate::{
    config::Config,
    egress::{Egress, EgressError},
    web::probe::{self, Probe},
};

/// How long the service may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn findings(config: &Config, egress: &Egress) -> Vec<Finding> {
    let ready = probe::ask(egress, config.listen, probe::READY, ANSWER_WITHIN).await;
    let mut found = vec![judge(&config.listen.to_string(), &ready)];
    if ready.is_ok() {
        let live = probe::ask(egress, config.listen, probe::LIVE, ANSWER_WITHIN).await;
        found.extend(live.ok().and_then(|live| other_version(&live.body)));
    }
    found
}

fn judge(address: &str, ready: &Result<Probe, EgressError>) -> Finding {
    match ready {
        Ok(Probe { is_good: true, .. }) => Finding::ok("service", format!("ready at {address}")),
        Ok(Probe { body, .. }) => {
            let bad = parts(body);
            let what =
                format!("the service at {address} is not ready: {}", if bad.is_empty() { "unknown" } else { &bad });
            Finding::error("service", what, "`scorewatch health --json` and its log show why")
        }
        Err(error) => {
            let what = format!("no service answers at {address}: {error}");
            Finding::warning("service", what, "start it: `systemctl start scorewatch`, or `scorewatch run`")
        }
    }
}

/// The parts that do not work, by what `/readyz` says.
fn parts(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let signs = body["signs"].as_array().into_iter().flatten();
    let bad: Vec<_> = signs.filter(|sign| sign["good"] == false).filter_map(|sign| sign["part"].as_str()).collect();
    bad.join(", ")
}

/// A service that runs on another version than this program.
fn other_version(body: &str) -> Option<Finding> {
    let body: Value = serde_json::from_str(body).ok()?;
    let (theirs, ours) = (body["version"].as_str()?, env!("CARGO_PKG_VERSION"));
    (theirs != ours).then(|| {
        let what = format!("the running service has version {theirs}, and this program {ours}");
        Finding::warning("service", what, "restart the service after an upgrade")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn a_service_is_judged_by_its_answer() {
        let answer = |is_good, body: &str| Ok(Probe { is_good, body: body.to_owned() });
        let bad = r#"{"ready":false,"signs":[{"part":"listener","good":true},{"part":"store","good":false}]}"#;
        for (ready, verdict, said) in [
            (answer(true, "{}"), Verdict::Ok, "ready at"),
            (answer(false, bad), Verdict::Error, "is not ready: store"),
            (answer(false, "<html>"), Verdict::Error, "unknown"),
            (Err(EgressError::Connect("refused".to_owned())), Verdict::Warning, "no service answers"),
        ] {
            let found = judge("127.0.0.1:8080", &ready);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.what.contains(said), "{found:?}");
        }
        let ours = format!(r#"{{"version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
        assert_eq!((other_version(&ours), other_version("not JSON")), (None, None));
        assert_eq!(other_version(r#"{"version":"0.0.1"}"#).map(|found| found.verdict), Some(Verdict::Warning));
    }
}
