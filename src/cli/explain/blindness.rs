//! `scorewatch explain TENANT operator.blind`: whether the operator is notified that a tenant can't be read, and why.

use super::{
    screen::{self, Detail},
    words,
};
use crate::{
    check::blind::{self, stage::Stage},
    cli::output::time,
    config::{Operator, Tenant},
    domain::{ChannelName, Timestamp, format_duration},
    query::explain::BlindnessTrace,
};

/// Why a tenant is, or is not, reported as one that can't be read.
pub(super) fn lines(
    trace: &BlindnessTrace,
    tenant: &Tenant,
    operator: &Operator,
    now: Timestamp,
    detail: Detail,
) -> Vec<String> {
    let mut lines = vec![format!("{} ({}), rule {}", tenant.name, trace.tenant, trace.rule)];
    let rule = blind::operator_rule(operator);
    lines.extend(rule.map(|rule| format!("{} (`operator.blind_after`)", words::reads(&rule))));
    lines.extend(trace.decisions.iter().map(words::decision));
    let mut known: Vec<_> =
        trace.failing.iter().map(|failing| format!("  {}", blind::reason(Some(failing), None))).collect();
    known.extend(so_far(&trace.stage).map(|line| format!("  {line}")));
    known.extend(screen::messages(&trace.messages, now, detail));
    if !known.is_empty() {
        lines.push(String::new());
        lines.extend(known);
    }
    lines.push(String::new());
    lines.push(words::notified_channels(&trace.notified));
    lines.push(format!("=> {}", verdict(&trace.stage)));
    lines
}

/// For how long the tenant's checks have been failing, of the time needed for a report.
fn so_far(stage: &Stage) -> Option<String> {
    let Stage::NotYet { lasted, downtime, needed, .. } = stage else { return None };
    let apart = match downtime.as_secs() {
        0 => String::new(),
        _ => format!(", not counting {} of our own downtime", format_duration(words::whole(*downtime))),
    };
    Some(format!("failing for {} of {}{apart}", format_duration(words::whole(*lasted)), format_duration(*needed)))
}

fn verdict(stage: &Stage) -> String {
    let names =
        |channels: &[ChannelName]| channels.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match stage {
        Stage::NobodyListens => "it is not reported: name channels under `operator.notify`".to_owned(),
        Stage::Unchecked => "it is not reported: it has never been checked, because the service has not run with it \
            yet"
        .to_owned(),
        Stage::Readable { checked_at } => {
            let at = checked_at.map(|at| format!(" ({})", time(at))).unwrap_or_default();
            format!("it is not reported: its last check succeeded{at}")
        }
        Stage::NotYet { due_at, .. } => {
            format!("it is not reported yet: it will be at {} if its checks keep failing", time(*due_at))
        }
        Stage::Due => "it is about to be reported, on its own or as part of an outage".to_owned(),
        Stage::Reported { notified_channels } => format!("it is reported on its own, to {}", names(notified_channels)),
        Stage::InOutage { cause, since, tenants, notified_at, notified_channels } => {
            let outage = format!("an outage ({cause}) since {} that affects {tenants} tenants", time(*since));
            match notified_at {
                Some(at) => {
                    format!("it is reported as part of {outage}, sent to {} at {}", names(notified_channels), time(*at))
                }
                None => format!(
                    "it is not reported yet: it is part of {outage}, which is reported once it has lasted long enough"
                ),
            }
        }
        Stage::AfterOutage { over_at } => {
            format!(
                "it is not reported yet: an outage that affected it ended at {}, and its next check decides",
                time(*over_at)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_stage_says_whether_it_is_reported_and_why() {
        let at = Timestamp::from_seconds;
        let ops = vec![ChannelName::parse("ops").unwrap()];
        let outage = |notified_at: Option<Timestamp>| Stage::InOutage {
            cause: "service".to_owned(),
            since: at(0),
            tenants: 30,
            notified_at,
            notified_channels: ops.clone(),
        };
        let (lasted, downtime, needed) = (Duration::from_secs(1801), Duration::from_mins(10), Duration::from_hours(2));
        let not_yet = Stage::NotYet { lasted, downtime, needed, due_at: at(7800) };
        assert_eq!(so_far(&not_yet).as_deref(), Some("failing for 30m1s of 2h, not counting 10m of our own downtime"));
        for (stage, is_reported, says) in [
            (Stage::NobodyListens, false, "it is not reported: name channels"),
            (Stage::Unchecked, false, "it has never been checked"),
            (Stage::Readable { checked_at: Some(at(60)) }, false, "its last check succeeded (1970-01-01 00:01:00 UTC)"),
            (not_yet, false, "not reported yet: it will be at 1970-01-01 02:10:00 UTC"),
            (Stage::Due, false, "about to be reported"),
            (Stage::Reported { notified_channels: ops.clone() }, true, "reported on its own, to `ops`"),
            (
                outage(Some(at(60))),
                true,
                "an outage (service) since 1970-01-01 00:00:00 UTC that affects 30 tenants, sent to `ops`",
            ),
            (outage(None), false, "not reported yet: it is part of an outage"),
            (Stage::AfterOutage { over_at: at(60) }, false, "its next check decides"),
        ] {
            assert!(verdict(&stage).contains(says), "{}", verdict(&stage));
            assert_eq!(stage.is_reported(), is_reported, "{stage:?}");
        }
    }
}
