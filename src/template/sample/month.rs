//! The sample of a report on a month.

use super::{ORDINARY, at};
use crate::{
    domain::{Brand, Color, Language, ScoreKind, Severity, Timestamp},
    notify::{
        facts::{
            month::{Controls, DayValue, FailingChecks, FiringAlert, MonthFacts, MonthReport, ScoreMonth, Unknown},
            score::ExcludedControl,
        },
        reason::{
            CauseKind, ChangedBy,
            control_diff::{ControlChange, ControlChanges},
            next_action::NextAction,
        },
    },
    schedule::{Day, Month, Zone},
};

/// A November with everything that there can be to say; all outside text is `name` unless that is an ordinary one.
pub(super) fn facts(name: &str) -> MonthFacts {
    let outside = |text: &str| if name == ORDINARY { text.to_owned() } else { name.to_owned() };
    let (from, until) = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let secure = |day: i8| if day < 13 { 68.0 } else { 57.2 + f64::from(day) / 20.0 };
    let device = |day: i8| 500.0 + f64::from(day);
    let level = |_: i8| 31.0;
    MonthFacts {
        language: Language::En,
        brand: Brand { name: Some(outside("Northwind Security")), color: Color::parse("#0b5fff") },
        report: MonthReport {
            tenant: "contoso".to_owned(),
            name: name.to_owned(),
            tenant_id: "2f1c0a5e-0000-4000-8000-000000000001".to_owned(),
            month: Month::at(from, &Zone::utc()),
            from,
            until,
            last_day: day("2026-11-30T00:00:00Z"),
            is_over: true,
            timezone: "UTC".to_owned(),
            scores: vec![
                score(ScoreKind::SecureScore, None, Some(68.0), 1, secure),
                score(ScoreKind::DeviceSecureScore, None, None, 12, device),
                score(ScoreKind::ExposureScore, None, Some(31.0), 1, level),
                score(ScoreKind::SecureScoreCategory, Some(outside("Identity")), Some(40.0), 1, secure),
            ],
            failing: Some(FailingChecks { since: day("2026-11-29T00:00:00Z"), class: "secret-expired".to_owned() }),
            asked_microsoft: true,
            controls: Controls::Known(controls(&outside)),
            alerts: vec![
                alert("secure-score-drop", Severity::Critical, None, "2026-11-13T08:00:00Z"),
                alert("secure-score-low", Severity::Warning, Some(outside("Identity")), "2026-11-14T08:00:00Z"),
            ],
            actions: vec![
                action(outside("Require MFA for administrators"), 10.0),
                action(outside("Turn on Safe Attachments"), 1.0),
            ],
            actions_unknown: vec![Unknown { score: ScoreKind::DeviceSecureScore, class: "role-missing".to_owned() }],
            excluded: vec![ExcludedControl {
                control: outside("AdminMFAV2"),
                until: Some(at("2027-03-01T00:00:00Z")),
                reason: Some(outside("Okta enforces MFA")),
            }],
        },
    }
}

fn day(text: &str) -> Day {
    Day::at(at(text), &Zone::utc())
}

fn score(
    score: ScoreKind,
    subject: Option<String>,
    before: Option<f64>,
    first: i8,
    value: impl Fn(i8) -> f64,
) -> ScoreMonth {
    // On two days nothing could be read.
    let days: Vec<DayValue> =
        (first..=30).filter(|day| !matches!(day, 20 | 21)).map(|day| DayValue { day, value: value(day) }).collect();
    let change = value(30) - before.unwrap_or_else(|| value(first));
    ScoreMonth {
        score,
        subject,
        value: value(30),
        observed_at: at("2026-11-30T22:00:00Z"),
        before,
        change,
        is_better: (change != 0.0).then_some(change > 0.0),
        lowest: days.iter().map(|day| day.value).fold(f64::INFINITY, f64::min),
        highest: days.iter().map(|day| day.value).fold(f64::NEG_INFINITY, f64::max),
        days,
        missing_days: 2,
    }
}

fn controls(outside: &dyn Fn(&str) -> String) -> ControlChanges {
    let change = |kind, title: &str, points: f64, percent| ControlChange {
        kind,
        title: outside(title),
        category: Some(outside("Identity")),
        points,
        percent,
        link: (points < -5.0).then(|| "https://security.microsoft.com/securescore?viewid=actions".to_owned()),
    };
    ControlChanges {
        from: at("2026-10-31T00:00:00Z"),
        to: at("2026-11-30T00:00:00Z"),
        changed_by: ChangedBy::Tenant,
        lost: vec![
            change(CauseKind::Lost, "Require MFA for administrators", -10.0, -8.2),
            change(CauseKind::Lost, "Block legacy authentication", -1.0, -3.0),
        ],
        gained: vec![change(CauseKind::Improved, "Enable Safe Links", 0.5, 0.4)],
    }
}

fn alert(rule: &str, severity: Severity, subject: Option<String>, since: &str) -> FiringAlert {
    let score = if subject.is_some() { ScoreKind::SecureScoreCategory } else { ScoreKind::SecureScore };
    FiringAlert {
        rule: rule.to_owned(),
        score: Some(score),
        subject,
        severity: Some(severity),
        since: Timestamp::parse(since).unwrap_or(Timestamp::EPOCH),
        since_day: day(since),
        is_acknowledged: severity == Severity::Critical,
    }
}

fn action(title: String, points: f64) -> NextAction {
    NextAction {
        score: ScoreKind::SecureScore,
        title,
        category: None,
        points,
        link: Some("https://entra.microsoft.com/".to_owned()),
    }
}
