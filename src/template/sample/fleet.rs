//! The sample of a fleet shift.

use super::at;
use crate::{
    domain::ScoreKind,
    notify::{
        NotificationId,
        facts::{
            cause::Comparison,
            fleet::{FleetFacts, LostControl, Occasion, ShiftEvidence, Verdict},
        },
    },
};

pub(super) fn facts(name: &str) -> FleetFacts {
    let control = |tenants| LostControl { title: name.to_owned(), tenants };
    FleetFacts {
        id: NotificationId::of_parts(&["sample", "shift"]).to_string(),
        occasion: Occasion::Shift,
        score: ScoreKind::SecureScoreCategory,
        subject: Some(name.to_owned()),
        median: -6.25,
        measure: "points".to_owned(),
        from: at("2026-11-24T08:56:00Z"),
        until: at("2026-11-24T09:34:00Z"),
        alerts: 3,
        critical: 2,
        warning: 1,
        info: 0,
        left_out: 1,
        tenant_count: 2,
        tenants: vec!["contoso".to_owned(), "fabrikam".to_owned()],
        apart: vec!["tailspin".to_owned()],
        notified_before: vec!["wingtip".to_owned()],
        evidence: ShiftEvidence {
            verdict: Verdict::Tenants,
            by_tenants: 2,
            controls: vec![control(2), control(1)],
            average: Some(Comparison { before: 52.0, after: 48.5 }),
            ..ShiftEvidence::default()
        },
        accepted: false,
        accepted_count: 0,
    }
}
