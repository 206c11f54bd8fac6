//! Messages about one alert, in English.

use super::WORDS as ENGLISH;
use crate::notify::language::Place;
use crate::notify::language::alert::{AlertWords, End, EndReason, FactName, Lack, LinkTo, Subject};

pub(super) const WORDS: AlertWords = AlertWords {
    still: |name, value| format!("{name} is still {value}"),
    keeps_changing: |name| format!("{name} keeps changing"),
    worsened: |name, value, previous| match previous {
        Some(previous) => format!("{name} has worsened to {value}, from {previous}"),
        None => format!("{name} has worsened to {value}"),
    },
    fell: |name, from, to| format!("{name} fell from {from} to {to}"),
    rose: |name, from, to| format!("{name} rose from {from} to {to}"),
    is: |name, value| format!("{name} is {value}"),
    overall: |moved| format!("{moved} overall"),
    moved_from: |moved, from| format!("{moved} from {from}"),
    higher_is_worse: "higher is worse",
    ended,
    without_data,
    test_mark: "TEST: ",
    escalated_mark: "ESCALATED: ",
    can_be_reached: "this channel can be reached",
    is_drill: "DRILL: a test of this channel; nothing has happened",
    is_over: "the alert is over",
    drill_reason: "This shows that messages to this channel arrive.",
    drill_step: "Press the button to confirm that you see this.",
    what_to_do: "What to do",
    fact,
    not_acknowledged: "no",
    not_acknowledged_within: |after, since| format!("nobody acknowledged it within {after} of {since}"),
    are_excluded: |count| {
        if count == 1 { "1 control is excluded".to_owned() } else { format!("{count} controls are excluded") }
    },
    until_day: |day| format!("until {day}"),
    until_next_check: "until the next check",
    with_them: |count, value| format!("{}: {value}", if count == 1 { "With it" } else { "With them" }),
    of: |one, other| format!("{one} of {other}"),
    before: |now, before| format!("{now} (before: {before})"),
    period: |from, until, lasted| format!("{from} to {until} ({lasted})"),
    gained: |loss| format!("gained {loss}"),
    lost: |loss| format!("lost {loss}"),
    regressed: "What regressed",
    likely: "Likely contributors",
    changed: "What changed",
    new_mark: "New: ",
    retired_mark: "Retired: ",
    to_earn: |points| format!("{points} to earn"),
    up_to: |points| format!("up to {points}"),
    exposed: |count, total| format!("{count} of {total} devices exposed"),
    state_worsened: "worsened",
    state_firing: "still firing",
    state_over: "over",
    state_unstable: "unstable",
    earlier: |count| {
        if count == 1 { "with 1 earlier message".to_owned() } else { format!("with {count} earlier messages") }
    },
    possible_duplicate: "possible duplicate",
    test: "test",
    drill: "drill",
    link,
};

fn ended(Subject { text: name, .. }: &Subject, end: &End<'_>) -> String {
    match end {
        End::Accepted(value) => format!("alert on {name} is over: {value} accepted"),
        End::Because(reason) => {
            let reason = match reason {
                EndReason::Accepted => "accepted",
                EndReason::RuleChanged => "rule edited",
                EndReason::RuleRemoved => "rule removed",
                EndReason::TenantRemoved => "tenant removed",
                EndReason::SubjectRemoved => "no longer polled",
            };
            format!("alert on {name} is over: {reason}")
        }
        End::Over => format!("the alert on {name} is over"),
        End::ReadAgain(Some(value)) => format!("{name} can be read again: {value}"),
        End::ReadAgain(None) => format!("{name} can be read again"),
        End::Recovered(value) => format!("{name} has recovered to {value}"),
    }
}

fn without_data(Subject { text: name, is_plural }: &Subject, lack: &Lack) -> String {
    let have = if *is_plural { "have" } else { "has" };
    let lasted = |lasted| ENGLISH.briefly(lasted, Place::AfterPreposition);
    match lack {
        Lack::More { total, before } => format!("{total} scores have no data now, up from {before}"),
        Lack::Still(time) => format!("{name} still {have} no data after {}", lasted(*time)),
        Lack::For(time) => format!("{name} {have} had no data for {}", lasted(*time)),
        Lack::Unknown => format!("{name} {have} no data"),
    }
}

fn fact(name: FactName) -> &'static str {
    match name {
        FactName::Scores => "Scores",
        FactName::RemainingLoss => "Remaining loss",
        FactName::Loss => "Loss",
        FactName::Direction => "Direction",
        FactName::Points => "Points",
        FactName::LastReading => "Last reading",
        FactName::Excluded => "Excluded",
        FactName::Since => "Since",
        FactName::Acknowledged => "Acknowledged",
        FactName::Escalated => "Escalated",
        FactName::Severity => "Severity",
        FactName::Rule => "Rule",
        FactName::Class => "Class",
        FactName::Channel => "Channel",
        FactName::Expires => "Expires",
        FactName::From => "From",
        FactName::Until => "Until",
        FactName::Tenant => "Tenant",
        FactName::Labels => "Labels",
    }
}

fn link(to: LinkTo) -> &'static str {
    match to {
        LinkTo::Confirmation => "I see this: confirm",
        LinkTo::AppRegistration => "Open app registration",
        LinkTo::Consent => "Open consent page",
        LinkTo::EnterpriseApps => "Open enterprise apps",
        LinkTo::SignInLogs => "Open sign-in logs",
        LinkTo::ErrorCode => "Look up the error code",
        LinkTo::ConditionalAccess => "Conditional Access",
        LinkTo::PowerAutomate => "Open Power Automate",
        LinkTo::SlackApps => "Open Slack apps",
        LinkTo::PagingService => "Open PagerDuty",
        LinkTo::Settings => "Open settings",
        LinkTo::SecureScore => "Open Secure Score",
        LinkTo::VulnerabilityManagement => "Open Defender",
        LinkTo::Portal => "Open Microsoft portal",
        LinkTo::Runbook => "Open runbook",
        LinkTo::Alert => "Open alert",
        LinkTo::Channels => "Open channels",
        LinkTo::Dashboard => "Open dashboard",
    }
}
