//! English, as written in the United States.

use super::{Date, Plural, Words, is_exactly_one};
use crate::{
    domain::{FailureClass, ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

pub(super) const WORDS: Words = Words {
    code: "en",
    decimal: ".",
    colon: ":",
    before_percent: "",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    title: "Security report",
    tenant_id: "Tenant ID",
    month_goes_on: "The month is not over yet: this is how it stands so far.",
    scores: "Scores",
    no_scores: "No score was read in this month.",
    higher_is_better: "higher is better",
    lower_is_better: "lower is better",
    unchanged: "unchanged",
    better: "better",
    worse: "worse",
    lowest: "Lowest",
    highest: "Highest",
    each_day: "last value of each day",
    since_first_value: "compared with the first value of the month",
    changes: "What changed the secure score",
    lost: "Lost",
    gained: "Gained",
    nothing_lost: "No control took points from the score.",
    nothing_gained: "No control added points to the score.",
    changes_not_asked: "What controls did to the secure score was not looked up.",
    changes_no_record: "Microsoft no longer has the records of this month, so the changes can't be broken down.",
    alerts: "Open alerts",
    no_alerts: "No alert is open.",
    whole_tenant: "all scores",
    acknowledged: "acknowledged",
    actions: "Next actions",
    no_actions: "Nothing to recommend.",
    points: Plural { one: "point", other: "points", is_one: is_exactly_one },
    percentage_points: Plural { one: "percentage point", other: "percentage points", is_one: is_exactly_one },
    more: |count| format!("and {count} more"),
    since: |day| format!("since {day}"),
    made_at: |day| format!("As of {day}"),
    excluded: |controls, day| match controls {
        1 => format!("Alerts, changes and next actions leave out 1 control until {day}"),
        controls => format!("Alerts, changes and next actions leave out {controls} controls until {day}"),
    },
    no_value_on: |days| if days == 1 { "no value on 1 day".to_owned() } else { format!("no value on {days} days") },
    first_value_on: |day| format!("first value on {day}"),
    down_to: |value| format!("as low as {value} during a day"),
    up_to: |value| format!("as high as {value} during a day"),
    checks_fail: |day, why| format!("Checks have been failing since {day}: {why}."),
    failed: |why| format!("Microsoft could not be asked: {why}."),
    class,
    other_class: "the reason is not known to this version",
    day: |Date { day, month, year }| format!("{month} {day}, {year}"),
    severity,
    cause,
    changed_by,
    score,
};

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// As the customer understands it, who knows neither our configuration nor our words.
fn class(class: FailureClass) -> &'static str {
    use FailureClass as Class;
    match class {
        Class::SecretUnreadable => "the monitoring service can't read its own credential",
        Class::SecretWrong => "Microsoft rejects the monitoring app's credential",
        Class::SecretExpired => "the monitoring app's credential has expired",
        Class::CertificateUnknown => "Microsoft does not know the monitoring app's certificate",
        Class::FederationUnmatched => "Microsoft does not accept how the monitoring app signs in",
        Class::ClockWrong => "the clock of the monitoring service is wrong",
        Class::ConsentMissing => "the tenant has not consented to the monitoring app, or has withdrawn its consent",
        Class::AppDisabled => "the tenant has disabled the monitoring app",
        Class::TenantNotFound => "Microsoft does not find the tenant",
        Class::NotOnboarded => "the tenant does not have the Microsoft product that provides the score",
        Class::RoleMissing => "the monitoring app lacks a permission in the tenant",
        Class::LicenceMissing => "the tenant has no active license for the score",
        Class::PolicyBlocked => "a policy of the tenant blocks the sign-in of the monitoring app",
        Class::ProxyRestricts => "the network of the monitoring service blocks the sign-in",
        Class::TenantBlocked => "Microsoft blocks sign-ins to the tenant, or limits them for a long time",
        Class::ConfigurationWrong => "the monitoring service is not set up correctly for the tenant",
        Class::Throttled => "Microsoft limits how often it can be asked",
        Class::Unreachable => "the monitoring service can't reach Microsoft",
        Class::MicrosoftDown => "Microsoft's service fails, or does not answer in time",
        Class::TokenRefused => "Microsoft rejects the monitoring app although it has signed in",
        Class::Garbage => "Microsoft's answers can't be read",
        Class::AnswerTooLarge => "Microsoft's answers are too large",
        Class::NoData => "Microsoft's answer contains no value",
        Class::SignInRefused => "Microsoft rejects the sign-in of the monitoring app",
        Class::CallRefused => "Microsoft rejects the request of the monitoring app",
        Class::CheckTimeout => "the check took too long and was abandoned",
        Class::InternalError => "the monitoring service itself failed",
    }
}

fn cause(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Lost => "lost points",
        CauseKind::Improved => "gained points",
        CauseKind::Added => "new control",
        CauseKind::Retired => "retired by Microsoft, or no longer licensed",
        CauseKind::Reweighted => "worth a different number of points",
        CauseKind::Moved => "moved to another category",
        CauseKind::Accounting => "counted differently by a person",
        CauseKind::Maximum => "the maximum changed",
        CauseKind::Unexplained => "not explained by controls",
        CauseKind::Likely => "likely cause",
    }
}

fn changed_by(who: ChangedBy) -> &'static str {
    match who {
        ChangedBy::Tenant => "Points were lost to changes in the tenant.",
        ChangedBy::Microsoft => "Points were lost to changes in how Microsoft counts.",
        ChangedBy::Product => "Points were lost because a product was added or removed.",
        ChangedBy::Both => "Points were lost to changes in the tenant and in how Microsoft counts.",
        ChangedBy::Unknown => "",
    }
}

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    match (kind, subject) {
        (ScoreKind::DeviceSecureScore, _) => "Secure score for devices".to_owned(),
        (ScoreKind::SecureScore, _) => "Secure score".to_owned(),
        (ScoreKind::SecureScoreCategory, None) => "Secure score by category".to_owned(),
        (ScoreKind::SecureScoreCategory, Some(category)) => format!("Secure score, {category}"),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, None) => "Exposure score".to_owned(),
        (ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup, Some(group)) => {
            format!("Exposure score of {group}")
        }
    }
}
