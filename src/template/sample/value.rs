//! The values behind the texts of sample notifications.

use super::at;
use crate::{
    domain::FailureClass,
    notify::{
        NotificationType,
        facts::{
            cause::{CauseKind, Part},
            wording::{Covered, CredentialType, Failure, News, Remark, Whose, Why},
        },
        notification::EscalationFacts,
    },
};

/// Two controls of the tenant lost points.
pub(super) fn why() -> Why {
    Why::Records {
        from: at("2026-11-23T00:00:00Z"),
        maximum: (500.0, 500.0),
        parts: vec![Part { kind: CauseKind::Lost, points: -60.0, percent: -12.0, controls: 2 }],
        products: Some((false, false)),
        added: Some(0.0),
        is_explained: true,
    }
}

/// Nobody acknowledged an alert within half an hour.
pub(super) fn escalation() -> EscalationFacts {
    EscalationFacts { unacknowledged_since: at("2026-11-24T08:45:58Z"), after_seconds: 1_800, step: 1 }
}

/// The app's credential has expired.
pub(super) fn unread() -> Remark {
    let class = FailureClass::SecretExpired;
    let failure = Failure {
        since: at("2026-11-24T07:00:00Z"),
        class: class.as_str().to_owned(),
        spread: None,
        hint: class.hint().map(str::to_owned),
    };
    Remark::Unread { last_reading: None, failure: Some(failure) }
}

/// What the operator is notified of.
pub(super) fn news(kind: NotificationType) -> Option<News> {
    let class = FailureClass::SecretExpired;
    Some(match kind {
        NotificationType::OperatorBlind => {
            let hint = class.hint().map(str::to_owned);
            News::TenantUnread { class: class.as_str().to_owned(), hint, part: None }
        }
        NotificationType::OperatorChannel => {
            News::ChannelParked { reason: "Slack answered `no_service`".to_owned(), waiting: 0, is_still: false }
        }
        NotificationType::OperatorDowntime => {
            News::Downtime { was_suspended: false, lacked_store: false, seconds: 7_200 }
        }
        NotificationType::OperatorCredential => News::CredentialExpires {
            what: CredentialType::Secret,
            whose: Whose::Tenant("contoso".to_owned()),
            days: 14,
        },
        NotificationType::OperatorConfiguration => News::ConfigurationRejected {
            errors: 2,
            is_still: false,
            first: "scorewatch.yaml:4:1: unknown key `colour` (did you mean `color`?)".to_owned(),
            places: Vec::new(),
        },
        NotificationType::OperatorSilence => {
            let (author, covers) = ("Megan Bowen".to_owned(), Covered::default());
            News::Silenced { id: 3, author, everybody: true, seconds: 7_200, has_page: false, covers }
        }
        _ => return None,
    })
}

/// Where what is wrong can be fixed.
pub(super) const fn fix_page(kind: NotificationType) -> Option<&'static str> {
    match kind {
        NotificationType::OperatorBlind | NotificationType::OperatorCredential => Some(
            "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/\
             6d2a0000-0000-4000-8000-000000000002",
        ),
        NotificationType::OperatorChannel => Some("https://api.slack.com/apps"),
        _ => None,
    }
}
