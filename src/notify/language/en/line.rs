//! Lines of digests, outages and reports, in English.

use super::WORDS as ENGLISH;
use crate::notify::language::line::LineWords;

pub(super) const WORDS: LineWords = LineWords {
    names_and: |names, more| format!("{names} and {more} more"),
    and_more: |count| format!("… and {count} more"),
    and_more_of: |count, which| format!("… and {count} more: {which}"),
    others: |count| if count == 1 { "1 other".to_owned() } else { format!("{count} others") },
    all_of_them: |id| format!("All of them: scorewatch deliveries show {id}"),
    severities: |count, severity| format!("{count} {severity}"),
    ended: |count| format!("{count} ended"),
    alerts_at: |alerts, tenants| format!("{}{}", ENGLISH.counted(alerts, ENGLISH.alerts), at(tenants)),
    alerts_ended_at: |alerts, tenants| format!("{} ended{}", ENGLISH.counted(alerts, ENGLISH.alerts), at(tenants)),
    messages_about_scorewatch: |count| format!("{} about Scorewatch itself", ENGLISH.counted(count, ENGLISH.messages)),
    about_scorewatch: |count| format!("{count} about Scorewatch itself"),
    no_data: "no data",
    excluded: |count| if count == 1 { "1 control excluded".to_owned() } else { format!("{count} controls excluded") },
    after: |lasted| format!("after {lasted}"),
    readable_again: |tenants| format!("{} can be read again", ENGLISH.counted(tenants, ENGLISH.tenants)),
    still_without_data: |tenants| {
        format!("{} still {} no data", ENGLISH.counted(tenants, ENGLISH.tenants), have(tenants))
    },
    without_data: |tenants| format!("{} {} no data", ENGLISH.counted(tenants, ENGLISH.tenants), have(tenants)),
    report: |tenants, from, until| {
        format!("report on {}, {from} to {until}", ENGLISH.counted(tenants, ENGLISH.tenants))
    },
    no_alert: "No alert is firing",
    firing: "Firing alerts",
    all_read: "Every tenant can be read",
    unread: "Can't be read",
    since: |at| format!("since {at}"),
    messages_here: "Messages to this channel",
    held: |count| format!("{count} held"),
    given_up: |count| format!("{count} given up"),
    nothing_moved: "No score has changed",
    worse: "Worse",
    better: "Better",
    excluding: |tenants| {
        format!("Without excluded controls: secure scores of {}", ENGLISH.counted(tenants, ENGLISH.tenants))
    },
    more_of_score: |count, score| format!("{count} more in {score}"),
};

fn at(tenants: usize) -> String {
    if tenants > 0 { format!(" at {}", ENGLISH.counted(tenants, ENGLISH.tenants)) } else { String::new() }
}

const fn have(tenants: usize) -> &'static str {
    if tenants == 1 { "has" } else { "have" }
}
