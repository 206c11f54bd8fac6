//! English, as written in the United States.

use super::{Date, Plural, Words, is_exactly_one};
use crate::{
    domain::{ScoreKind, Severity},
    notify::reason::{CauseKind, ChangedBy},
};

pub(super) const WORDS: Words = Words {
    code: "en",
    decimal: ".",
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
    checks_fail: |day, class| format!("Checks have been failing since {day} ({class})."),
    failed: |class| format!("Microsoft could not be asked ({class})."),
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
