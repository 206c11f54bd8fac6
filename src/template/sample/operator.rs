//! What operator messages say in samples, as the service composes them.

use super::{at, value};
use crate::{
    domain::{ScoreKind, Severity},
    notify::{
        NotificationType,
        language::remark,
        notification::{AlertFacts, OperatorFacts, RuleFacts, ScoreFacts},
    },
};

pub(super) fn operator(kind: NotificationType) -> Option<OperatorFacts> {
    let class = match kind {
        NotificationType::OperatorBlind => "secret-expired",
        NotificationType::OperatorChannel => "channel-parked",
        NotificationType::OperatorDowntime => "downtime",
        NotificationType::OperatorCredential => "credential-expires",
        NotificationType::OperatorConfiguration => "configuration-rejected",
        NotificationType::OperatorSilence => "silence-wide",
        _ => return None,
    };
    let channel = (kind == NotificationType::OperatorChannel).then(|| "contoso".to_owned());
    Some(OperatorFacts {
        from: (kind != NotificationType::OperatorCredential).then(|| at("2026-11-24T07:00:00Z")),
        until: match kind {
            NotificationType::OperatorDowntime => Some(at("2026-11-24T09:00:00Z")),
            NotificationType::OperatorCredential => Some(at("2026-12-08T00:00:00Z")),
            _ => None,
        },
        ..OperatorFacts::of(value::news(kind)?, class, channel)
    })
}

/// The alert of a tenant that can't be read.
pub(super) fn alert() -> AlertFacts {
    let unread = value::unread();
    AlertFacts {
        id: "alert_0123456789ABCDEFGHJKMNPQRS".to_owned(),
        state: "firing".to_owned(),
        severity: Severity::Critical,
        started_at: at("2026-11-24T07:00:00Z"),
        resolved_at: None,
        reason: remark(&unread, &[]),
        remark: Some(unread),
        escalation: None,
        resolution: None,
        resolved_by: None,
    }
}

/// Its rule, which is Scorewatch's own.
pub(super) fn rule() -> RuleFacts {
    RuleFacts { name: "operator.blind".to_owned(), condition: "no data for 2h".to_owned(), about: None, runbook: None }
}

/// All scores of the tenant, none of which has a value.
pub(super) fn score() -> ScoreFacts {
    ScoreFacts {
        kind: ScoreKind::DeviceSecureScore,
        all: true,
        subject: None,
        unit: ScoreKind::DeviceSecureScore.unit().as_str().to_owned(),
        value: None,
        baseline: None,
        previous: None,
        loss: None,
        loss_percent: None,
        gap: None,
        observed_at: None,
        points: None,
        excluded: None,
        comparison: None,
    }
}
