//! What the store says: how channels and checks fare.

use super::{
    Finding,
    finding::{counted, few},
};
use crate::{
    config::Config,
    domain::{Scope, Timestamp},
    query::{
        self, Error,
        channels::{self, ChannelStatus},
        system::{self, Checks, HEARTBEAT_AGE_MAX},
    },
};

pub(super) async fn findings(config: &Config, now: Timestamp) -> Vec<Finding> {
    match ask(config, now).await {
        Ok((statuses, checks, last_heartbeat)) => {
            let mut found = of_channels(&statuses);
            found.extend(of_checks(checks, last_heartbeat, now));
            found
        }
        Err(error) => vec![Finding::error("store", error.to_string(), "fix what it says")],
    }
}

async fn ask(config: &Config, now: Timestamp) -> Result<(Vec<ChannelStatus>, Checks, Option<Timestamp>), Error> {
    let store = query::open(config).await?;
    let asked = async {
        let statuses = channels::list(&*store, config, &Scope::All, now).await?;
        let system = system::show(&*store, config, None, &Scope::All, now).await?;
        Ok((statuses, system.checks, system.store.and_then(|state| state.last_heartbeat)))
    };
    let answered = asked.await;
    store.close().await;
    answered
}

/// A line for each channel that does not work, or one for all.
fn of_channels(statuses: &[ChannelStatus]) -> Vec<Finding> {
    let mut found: Vec<_> = statuses.iter().filter_map(of_channel).collect();
    if found.is_empty() {
        found.push(Finding::ok("channels", format!("{} without trouble", counted(statuses.len(), "channel"))));
    }
    let dead: Vec<_> = statuses.iter().filter(|status| status.dead > 0).map(|status| status.name.as_str()).collect();
    if !dead.is_empty() {
        let what = format!("there are messages that were not delivered: channel {}", few(&dead));
        let instead = "`scorewatch deliveries list --state dead` shows them; resend or leave them";
        found.push(Finding::warning("channels", what, instead));
    }
    found
}

fn of_channel(status: &ChannelStatus) -> Option<Finding> {
    let name = &status.name;
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    if status.parked_since.is_some() {
        let what = format!("channel `{name}` is parked{}", because(&status.parked));
        let instead = format!("fix its receiver, then `scorewatch channels drill {name}`");
        return Some(Finding::error("channels", what, instead));
    }
    if status.failing_since.is_some() {
        let what = format!("channel `{name}` is failing{}", because(&status.failing));
        return Some(Finding::warning("channels", what, "check its receiver; messages are sent as soon as it works"));
    }
    status.unproven.then(|| {
        let what = format!("channel `{name}` has not shown for a long time that messages arrive");
        Finding::warning("channels", what, format!("`scorewatch channels drill {name}`, and confirm the drill"))
    })
}

fn of_checks(checks: Checks, last_heartbeat: Option<Timestamp>, now: Timestamp) -> Vec<Finding> {
    let Checks { tenants, failing, late, latest_seconds, never_checked } = checks;
    let mut found = Vec::new();
    if failing > 0 {
        let what = format!("{failing} of {} can't be read", counted(tenants, "tenant"));
        found.push(Finding::warning("checks", what, "`scorewatch tenants list --failing` shows why"));
    }
    if late > 0 {
        let what = format!("{} overdue, the oldest by {latest_seconds} s", counted(late, "check"));
        found.push(Finding::warning("checks", what, "see the runbook of ScorewatchChecksLate"));
    }
    if never_checked > 0 {
        let what = format!("{} never checked", counted(never_checked, "tenant"));
        found.push(Finding::warning("checks", what, "if the service runs, wait for the next check, or request one"));
    }
    if found.is_empty() {
        found.push(Finding::ok("checks", format!("{} read on schedule", counted(tenants, "tenant"))));
    }
    // Says when the service wrote last, which matters most while it does not run.
    if let Some(at) = last_heartbeat.filter(|at| now.since(*at) >= HEARTBEAT_AGE_MAX) {
        let what = format!("the service last wrote to the store at {at}");
        found.push(Finding::warning("checks", what, "if the service runs, look at its log"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::ChannelName, service::doctor::Verdict};

    fn status(change: impl FnOnce(&mut ChannelStatus)) -> ChannelStatus {
        let mut status = ChannelStatus {
            name: ChannelName::parse("soc").unwrap(),
            r#type: "webhook",
            state: "ok",
            pace_seconds: 1.0,
            waiting: 0,
            dead: 0,
            oldest_queued_at: None,
            parked: None,
            parked_since: None,
            failing_since: None,
            failing: None,
            cooldown_until: None,
            proven_at: None,
            drilled_at: None,
            unproven: false,
        };
        change(&mut status);
        status
    }

    #[test]
    fn a_channel_is_judged_by_its_health() {
        let at = Some(Timestamp::from_seconds(1));
        let parked = status(|of| (of.parked_since, of.parked) = (at, Some("HTTP 410".to_owned())));
        let failing = status(|of| of.failing_since = at);
        for (of, verdicts) in [
            (status(|_| ()), &[Verdict::Ok][..]),
            (parked, &[Verdict::Error]),
            (failing, &[Verdict::Warning]),
            (status(|of| of.unproven = true), &[Verdict::Warning]),
            (status(|of| of.dead = 2), &[Verdict::Ok, Verdict::Warning]),
        ] {
            let found: Vec<_> = of_channels(&[of]).into_iter().map(|found| found.verdict).collect();
            assert_eq!(found, verdicts);
        }
    }

    #[test]
    fn checks_that_fail_or_wait_are_warnings() {
        let now = Timestamp::from_seconds(10_000);
        let seen = |failing, late, never_checked, heartbeat| {
            let checks = Checks { tenants: 5, failing, late, latest_seconds: 7, never_checked };
            of_checks(checks, Some(Timestamp::from_seconds(heartbeat)), now).len()
        };
        assert_eq!(seen(0, 0, 0, 9_995), 1);
        assert_eq!(seen(1, 2, 3, 9_995), 3);
        assert_eq!(seen(0, 0, 0, 5_000), 2);
    }
}
