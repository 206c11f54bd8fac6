//! What operator messages say in samples.

use super::{at, value};
use crate::notify::{NotificationType, notification::OperatorFacts};

pub(super) fn operator(kind: NotificationType) -> Option<OperatorFacts> {
    let (summary, headline, detail, class, hint) = match kind {
        NotificationType::OperatorBlind => (
            "the tenant can't be read",
            None,
            None,
            "secret-expired",
            "create a new client secret and store it where `credential.secret` refers to",
        ),
        NotificationType::OperatorChannel => (
            "Channel `contoso` rejects everything it is sent (Slack answered `no_service`). Its queue is kept.",
            Some("Channel contoso rejects messages"),
            Some("Slack answered `no_service`. Its queue is kept."),
            "channel-parked",
            "create a new webhook and store its URL where `channels.contoso.url` refers to",
        ),
        NotificationType::OperatorDowntime => (
            "Scorewatch was down for 2h.",
            Some("Scorewatch was down for 2h"),
            None,
            "downtime",
            "nothing to do: missed checks are made up once",
        ),
        NotificationType::OperatorCredential => (
            "The client secret of tenant contoso expires within 14 days.",
            Some("client secret expires within 14 days"),
            None,
            "credential-expires",
            "create a new client secret",
        ),
        NotificationType::OperatorConfiguration => (
            "The changed configuration was rejected (2 errors). The old one stays in force.",
            Some("Configuration was rejected"),
            Some("Errors: 2. The old configuration stays in force."),
            "configuration-rejected",
            "fix scorewatch.yaml:4:1: unknown key `colour`; `scorewatch check` lists every error",
        ),
        NotificationType::OperatorSilence => (
            "Megan Bowen silenced every tenant for 2h (silence 3).",
            Some("Every tenant is silenced for 2h"),
            Some("Silence 3, by Megan Bowen."),
            "silence-wide",
            "if this is not intended, end it with `scorewatch silences end 3`",
        ),
        _ => return None,
    };
    Some(OperatorFacts {
        summary: summary.to_owned(),
        headline: headline.map(str::to_owned),
        detail: detail.map(str::to_owned),
        class: class.to_owned(),
        news: value::news(kind),
        hint: Some(hint.to_owned()),
        channel: (kind == NotificationType::OperatorChannel).then(|| "contoso".to_owned()),
        from: (kind != NotificationType::OperatorCredential).then(|| at("2026-11-24T07:00:00Z")),
        until: match kind {
            NotificationType::OperatorDowntime => Some(at("2026-11-24T09:00:00Z")),
            NotificationType::OperatorCredential => Some(at("2026-12-08T00:00:00Z")),
            _ => None,
        },
    })
}
