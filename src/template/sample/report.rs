//! The sample of a report.

use super::at;
use crate::{
    domain::{ScoreKind, Severity},
    notify::facts::report::{
        ReportAlert, ReportAlerts, ReportBlind, ReportDeliveries, ReportFacts, ReportMove, ReportScore, ReportTenant,
        ReportUnread,
    },
};

pub(super) fn facts(name: &str) -> ReportFacts {
    let tenant = || ReportTenant { id: "contoso".to_owned(), name: name.to_owned() };
    let category = ScoreKind::SecureScoreCategory;
    let moved = |subject: Option<&str>, before: f64, value: f64| ReportMove {
        tenant: tenant(),
        subject: subject.map(str::to_owned),
        before,
        value,
        change: value - before,
    };
    let score = |kind: ScoreKind, worse: Vec<ReportMove>, better: Vec<ReportMove>| ReportScore {
        kind,
        unit: kind.unit().as_str().to_owned(),
        worse_count: worse.len() + 2,
        better_count: better.len(),
        worse,
        better,
    };
    let alert = |severity, score, subject: Option<&str>| ReportAlert {
        tenant: tenant(),
        rule: "device-score-drop".to_owned(),
        severity,
        score,
        subject: subject.map(str::to_owned),
        since: at("2026-11-20T07:00:00Z"),
    };
    let oldest = vec![
        alert(Severity::Critical, Some(ScoreKind::DeviceSecureScore), None),
        alert(Severity::Info, Some(category), Some(name)),
    ];
    let unread =
        ReportUnread { tenant: tenant(), since: at("2026-11-22T07:00:00Z"), class: "secret-expired".to_owned() };
    ReportFacts {
        from: at("2026-11-16T07:00:00Z"),
        until: at("2026-11-23T07:00:00Z"),
        tenant_count: 12,
        tenants: vec!["contoso".to_owned(), "fabrikam".to_owned()],
        alerts: ReportAlerts { critical: 1, warning: 0, info: 3, oldest },
        blind: ReportBlind { count: 1, tenants: vec![unread] },
        scores: vec![
            score(ScoreKind::DeviceSecureScore, vec![moved(None, 400.0, 340.0)], vec![moved(None, 300.0, 312.5)]),
            score(ScoreKind::ExposureScore, vec![moved(None, 20.0, 35.0)], vec![]),
            score(category, vec![], vec![moved(Some(name), 20.251, 20.254)]),
        ],
        excluding: 2,
        deliveries: ReportDeliveries { held: 2, dead: 1 },
    }
}
