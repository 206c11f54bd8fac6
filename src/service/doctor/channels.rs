//! What the store says: how channels and checks fare.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Finding,
    finding::{counted, few},
};
use crate::{
    config::Config,
    domain::{ChannelName, Scope, Timestamp},
    notify::DeliveryState,
    query::{
        self, Error,
        channels::{self, ChannelStatus},
        system::{self, Checks, HEARTBEAT_AGE_MAX},
    },
    store::DeliveryFilter,
};

/// After that time, somebody has seen a dead letter, and has left it. It stays in the store for `retention`.
const DEAD_IS_NEW_FOR: Duration = Duration::from_hours(7 * 24);
/// How many dead letters are read at most, newest first.
const DEAD_READ_MAX: u32 = 10_000;

pub(super) async fn findings(config: &Config, now: Timestamp) -> Vec<Finding> {
    match ask(config, now).await {
        Ok(seen) => {
            let mut found = of_channels(&seen.statuses, &newly_dead(&seen.dead, now));
            found.extend(of_checks(seen.checks, seen.last_heartbeat, now));
            found
        }
        Err(error) => vec![Finding::error("store", error.to_string(), "fix what it says")],
    }
}

/// A message that was given up, and when.
struct DeadLetter {
    channel: ChannelName,
    at: Option<Timestamp>,
}

/// What the store says.
struct Seen {
    statuses: Vec<ChannelStatus>,
    dead: Vec<DeadLetter>,
    checks: Checks,
    last_heartbeat: Option<Timestamp>,
}

async fn ask(config: &Config, now: Timestamp) -> Result<Seen, Error> {
    let store = query::open(config).await?;
    let dead = DeliveryFilter { states: vec![DeliveryState::Dead], limit: DEAD_READ_MAX, ..DeliveryFilter::default() };
    let asked = async {
        let statuses = channels::list(&*store, config, &Scope::All, now).await?;
        let system = system::show(&*store, config, None, &Scope::All, now).await?;
        let last_heartbeat = system.store.and_then(|state| state.last_heartbeat);
        let dead = store.deliveries(&dead).await?.into_iter();
        let dead = dead.map(|letter| DeadLetter { channel: letter.channel, at: letter.finished_at }).collect();
        Ok(Seen { statuses, dead, checks: system.checks, last_heartbeat })
    };
    let answered = asked.await;
    store.close().await;
    answered
}

/// The channels to which a message was given up not long ago.
fn newly_dead(dead: &[DeadLetter], now: Timestamp) -> BTreeSet<&ChannelName> {
    let is_new = |letter: &&DeadLetter| letter.at.is_none_or(|at| at.plus(DEAD_IS_NEW_FOR) > now);
    dead.iter().filter(is_new).map(|letter| &letter.channel).collect()
}

/// A line for each channel that does not work, or one for all. `newly_dead`: those to which a message was given up not long ago.
fn of_channels(statuses: &[ChannelStatus], newly_dead: &BTreeSet<&ChannelName>) -> Vec<Finding> {
    let mut found: Vec<_> = statuses.iter().filter_map(of_channel).collect();
    if found.is_empty() {
        found.push(Finding::ok("channels", format!("{} without trouble", counted(statuses.len(), "channel"))));
    }
    let (new, old): (Vec<_>, Vec<_>) =
        statuses.iter().filter(|status| status.dead > 0).partition(|status| newly_dead.contains(&status.name));
    let names = |of: &[&ChannelStatus]| few(&of.iter().map(|status| status.name.as_str()).collect::<Vec<_>>());
    if !new.is_empty() {
        let what = format!("there are messages that were given up within a week: channel {}", names(&new));
        let instead = "`scorewatch deliveries list --state dead` shows them; resend or leave them";
        found.push(Finding::warning("channels", what, instead));
    }
    if !old.is_empty() {
        let what = format!("messages that were given up more than a week ago: channel {}", names(&old));
        found.push(Finding::ok("channels", what));
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
        ] {
            let found: Vec<_> = of_channels(&[of], &BTreeSet::new()).into_iter().map(|found| found.verdict).collect();
            assert_eq!(found, verdicts);
        }
    }

    #[test]
    fn a_dead_letter_is_a_warning_for_a_week_and_a_note_from_then_on() {
        let letter =
            |at| DeadLetter { channel: ChannelName::parse("soc").unwrap(), at: Some(Timestamp::from_seconds(at)) };
        for (letters, verdict) in [
            (vec![letter(0)], Verdict::Warning),
            (vec![letter(-10_000), letter(0)], Verdict::Warning),
            (vec![letter(-1)], Verdict::Ok),
        ] {
            let week = Timestamp::from_seconds(7 * 86_400 - 1);
            let found = of_channels(&[status(|of| of.dead = 2)], &newly_dead(&letters, week));
            assert_eq!(found.last().unwrap().verdict, verdict, "{found:?}");
            assert_eq!(found.len(), 2, "{found:?}");
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
