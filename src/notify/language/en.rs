//! English, as written in the United States. The words for each thing are those of the glossary.

mod alert;
mod clause;
mod configuration;
mod line;
mod operator;
mod reason;
mod shift;
mod silence;

use super::{Words, noun};
use crate::{
    domain::{ScoreKind, Severity},
    rule::Condition,
};

pub(super) static WORDS: Words = Words {
    code: "en",
    decimal: ".",
    before_percent: "",
    before_colon: "",
    is_one: |number| number == "1",
    time: |shown, zone| format!("{} {zone}", shown.strftime("%Y-%m-%d %H:%M")),
    day: |day| day.strftime("%Y-%m-%d").to_string(),
    zone: |abbreviation| abbreviation,
    units: UNITS,
    units_after_preposition: UNITS,
    less_than_a_minute: ["less than a minute"; 2],
    // As it is written in the configuration, with the sign of a bound.
    condition: |condition, words, unit| match condition {
        Condition::Below(bound) => format!("below {}", words.bound(*bound, unit)),
        Condition::Above(bound) => format!("above {}", words.bound(*bound, unit)),
        condition => condition.to_string(),
    },
    severity: Severity::as_str,
    score,
    short_score: score,
    is_capital_after_colon: false,
    scores: noun("score", "scores"),
    all_scores: "all scores",
    points: noun("point", "points"),
    percentage_points: noun("percentage point", "percentage points"),
    alerts: noun("alert", "alerts"),
    tenants: noun("tenant", "tenants"),
    messages: noun("message", "messages"),
    alert: alert::WORDS,
    line: line::WORDS,
    shift: shift::WORDS,
    reason: reason::WORDS,
    operator: operator::WORDS,
};

const UNITS: [super::Plural; 3] = [noun("day", "days"), noun("hour", "hours"), noun("minute", "minutes")];

fn score(kind: ScoreKind, subject: Option<&str>) -> String {
    let name = match kind {
        ScoreKind::DeviceSecureScore => "device secure score",
        ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup => "exposure score",
        ScoreKind::SecureScore => "secure score",
        ScoreKind::SecureScoreCategory => "secure score in",
    };
    match (kind, subject) {
        (ScoreKind::SecureScoreCategory, None) => "secure score by category".to_owned(),
        (ScoreKind::ExposureScoreByGroup, None) => "exposure score by device group".to_owned(),
        (_, None) => name.to_owned(),
        (ScoreKind::SecureScoreCategory, Some(subject)) => format!("{name} {subject}"),
        (_, Some(subject)) => format!("{name} of {subject}"),
    }
}
