//! Reports on a tenant's month: when they are due, how they are known, and the message.

use std::time::Duration;

use super::{
    Notification, NotificationId, NotificationType, compose, facts::month::MonthFacts, notification::TenantFacts,
};
use crate::{
    domain::{ChannelName, Timestamp},
    schedule::{Month, Schedule},
};

/// A report that was missed by more than this is not made up: Microsoft's records of the month are going.
const MADE_UP_WITHIN: Duration = Duration::from_hours(62 * 24);
/// How far back a process that begins looks for reports that the one before it left undone.
const LEFT_WITHIN: Duration = Duration::from_hours(24);

/// The id of a tenant's month on a channel: the same store, tenant, month and channel, the same report.
///
/// `store` is the store's identity, of which the generation is left out: a restored backup repeats no report that it knows, and sends what
/// it does not know by the id that receivers may know. `tenant_key` is as for alerts: it stays the same when the slug changes.
#[must_use]
pub fn id(store: &str, tenant_key: &str, month: Month, channel: &ChannelName) -> NotificationId {
    let (store, _generation) = store.split_once('/').unwrap_or((store, ""));
    NotificationId::of_parts(&["report.month", store, tenant_key, &month.to_string(), channel.as_str()])
}

/// When a process that begins has to look for reports from: a day ago, or a day before each downtime that reaches into that time.
#[must_use]
pub fn looks_from(downtimes: impl IntoIterator<Item = (Timestamp, Timestamp)>, now: Timestamp) -> Timestamp {
    let mut downtimes: Vec<_> = downtimes.into_iter().collect();
    downtimes.sort_unstable_by_key(|(_, until)| std::cmp::Reverse(*until));
    let mut from = now.minus(LEFT_WITHIN);
    for (began, ended) in downtimes {
        if ended >= from {
            from = from.min(began.minus(LEFT_WITHIN));
        }
    }
    from
}

/// The earliest instant at which a report may have been due that is still sent, `retention` being how long the store remembers it.
#[must_use]
pub fn made_up_after(retention: Duration, now: Timestamp) -> Timestamp {
    now.minus(MADE_UP_WITHIN.min(retention))
}

/// The months whose report was due after `after` and up to `now`, oldest first. A month's report is due at each tick of the schedule in the
/// month that follows it, in the schedule's zone; the first one makes it.
#[must_use]
pub fn due(schedule: &Schedule, after: Timestamp, now: Timestamp) -> Vec<Month> {
    let zone = schedule.zone();
    let last = Month::at(now, zone).before();
    let months = std::iter::successors(last, |month| month.before());
    let ended = months.map_while(|month| {
        let (_, end) = month.bounds(zone)?;
        // The month after it, in which it is due, must reach beyond `after`.
        let (_, next_end) = month_after(end, zone)?;
        (next_end > after).then_some((month, end))
    });
    let instant_before = |at: Timestamp| at.minus(Duration::from_nanos(1));
    let is_due = |(month, end): (Month, Timestamp)| {
        let tick = schedule.next_tick(after.max(instant_before(end)))?;
        (tick <= now && Month::at(tick, zone).before() == Some(month)).then_some(month)
    };
    let mut due: Vec<Month> = ended.filter_map(is_due).collect();
    due.reverse();
    due
}

fn month_after(end: Timestamp, zone: &crate::schedule::Zone) -> Option<(Timestamp, Timestamp)> {
    Month::at(end, zone).bounds(zone)
}

/// The report on a tenant's month.
#[must_use]
pub fn message(id: NotificationId, tenant: TenantFacts, facts: MonthFacts, now: Timestamp) -> Notification {
    let mut report = compose::without_alert(NotificationType::MonthReport, id, now);
    report.data.tenant = Some(tenant);
    report.data.month = Some(Box::new(facts));
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_month_is_due_once_at_the_first_tick_after_its_end() {
        let first = "0 0 8 1 * *";
        for (cron, zone, after, now, expected, why) in [
            (first, "UTC", "2026-11-30T00:00:00Z", "2026-12-01T07:59:59Z", &[][..], "not yet"),
            (first, "UTC", "2026-11-30T00:00:00Z", "2026-12-01T08:00:00Z", &["2026-11"], "on the second"),
            (first, "UTC", "2026-12-01T08:00:00Z", "2026-12-31T00:00:00Z", &[], "once"),
            (first, "UTC", "2026-12-01T07:59:59Z", "2026-12-15T00:00:00Z", &["2026-11"], "two weeks late"),
            (first, "UTC", "2026-11-15T00:00:00Z", "2027-01-02T00:00:00Z", &["2026-11", "2026-12"], "two missed"),
            // Clocks were set back on 25 October, and forward on 29 March.
            (first, "Europe/Berlin", "2026-10-31T00:00:00Z", "2026-11-01T06:59:59Z", &[], "eight o'clock in winter"),
            (first, "Europe/Berlin", "2026-10-31T00:00:00Z", "2026-11-01T07:00:00Z", &["2026-10"], "in winter"),
            (first, "Europe/Berlin", "2026-03-31T00:00:00Z", "2026-04-01T06:00:00Z", &["2026-03"], "in summer"),
            ("0 0 0 1 * *", "Europe/Berlin", "2026-11-30T00:00:00Z", "2026-11-30T23:00:00Z", &["2026-11"], "midnight"),
            ("0 30 2 29 * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-29T02:00:00Z", &["2026-02"], "skipped"),
            ("0 0 8 31 * *", "UTC", "2026-11-01T00:00:00Z", "2026-12-31T08:00:00Z", &["2026-11"], "no 31 November"),
            (
                "0 0 8 * * MON",
                "UTC",
                "2026-11-28T00:00:00Z",
                "2026-12-06T00:00:00Z",
                &["2026-10"],
                "a Monday in November",
            ),
            ("0 0 8 * * MON", "UTC", "2026-11-28T00:00:00Z", "2026-12-07T08:00:00Z", &["2026-10", "2026-11"], "two"),
            ("*/2 * * * * *", "UTC", "2026-12-01T00:00:00Z", "2026-12-01T00:00:02Z", &["2026-11"], "every two seconds"),
            (first, "Pacific/Auckland", "2026-11-29T00:00:00Z", "2026-11-30T19:00:00Z", &["2026-11"], "ahead of UTC"),
        ] {
            let schedule = Schedule::parse(cron, Zone::built_in(zone).unwrap()).unwrap();
            let due: Vec<String> = due(&schedule, at(after), at(now)).iter().map(ToString::to_string).collect();
            assert_eq!(due, expected, "{cron} {zone} {now}: {why}");
        }
    }

    #[test]
    fn a_process_looks_back_over_the_downtimes_that_reach_it() {
        let now = at("2026-12-10T00:00:00Z");
        for (downtimes, expected) in [
            (&[][..], "2026-12-09T00:00:00Z"),
            (&[("2026-11-20T00:00:00Z", "2026-12-10T00:00:00Z")], "2026-11-19T00:00:00Z"),
            (&[("2026-11-20T00:00:00Z", "2026-12-01T00:00:00Z")], "2026-12-09T00:00:00Z"),
            (
                &[("2026-11-01T00:00:00Z", "2026-11-19T12:00:00Z"), ("2026-11-20T00:00:00Z", "2026-12-09T23:00:00Z")],
                "2026-10-31T00:00:00Z",
            ),
        ] {
            let downtimes = downtimes.iter().map(|(from, until)| (at(from), at(until)));
            assert_eq!(looks_from(downtimes, now), at(expected));
        }
    }

    #[test]
    fn a_restored_store_knows_its_reports_by_the_same_ids() {
        let month = "2026-11".parse().unwrap();
        let channel = |name| ChannelName::parse(name).unwrap();
        let known = id("store/1", "key", month, &channel("mail"));
        assert_eq!(id("store/2", "key", month, &channel("mail")), known);
        for other in [
            id("other/1", "key", month, &channel("mail")),
            id("store/1", "key2", month, &channel("mail")),
            id("store/1", "key", "2026-12".parse().unwrap(), &channel("mail")),
            id("store/1", "key", month, &channel("teams")),
        ] {
            assert_ne!(other, known);
        }
    }
}
