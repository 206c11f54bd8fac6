//! What whoever is limited to some tenants reads of a failure: its class, and a sentence that holds for the whole class. Where secrets
//! are kept, what their variables are called and how our own configuration is laid out is for those who may see everything.

use super::numbers::Numbers;
use crate::{
    channel::Show,
    domain::{ChannelName, FailureClass, Scope},
    notify::{
        Delivery, DeliveryId, Notification, NotificationType,
        facts::{operator::OperatorFacts, wording::News},
        notification::Facts,
        parking::SECRET_UNREADABLE,
    },
    store::{AlertRow, Attempt, DeliveryDetail, Failing},
};

/// Why checks fail, without what a limited scope must not read.
pub(super) fn failing(scope: &Scope, failing: Option<Failing>) -> Option<Failing> {
    if scope.is_all() {
        return failing;
    }
    failing.map(|failing| Failing { hint: hint(&failing.class), ..failing })
}

/// What anybody can do about a class of failures.
fn hint(class: &str) -> Option<String> {
    FailureClass::from_name(class)?.hint().map(str::to_owned)
}

/// Why a message was not delivered, or why a channel is parked.
pub(super) fn reason(scope: &Scope, reason: Option<String>) -> Option<String> {
    reason.map(|reason| {
        let is_shown = scope.is_all() || !reason.starts_with(SECRET_UNREADABLE);
        if is_shown { reason } else { SECRET_UNREADABLE.to_owned() }
    })
}

/// A delivery in a list.
pub(super) fn delivery(scope: &Scope, numbers: &Numbers, delivery: Delivery) -> Delivery {
    let shown = |id: DeliveryId| DeliveryId(numbers.shown(id.0));
    Delivery {
        id: shown(delivery.id),
        merged_into: delivery.merged_into.map(shown),
        last_error: reason(scope, delivery.last_error),
        ..delivery
    }
}

/// A delivery with all that belongs to it.
pub(super) fn detail(scope: &Scope, numbers: &Numbers, detail: DeliveryDetail) -> DeliveryDetail {
    let DeliveryDetail { delivery: own, notification: said, attempts: made, covers } = detail;
    DeliveryDetail {
        delivery: delivery(scope, numbers, own),
        notification: notification(scope, said),
        attempts: attempts(scope, made),
        covers: covers.into_iter().map(|covered| delivery(scope, numbers, covered)).collect(),
    }
}

/// The attempts to send a message.
pub(super) fn attempts(scope: &Scope, attempts: Vec<Attempt>) -> Vec<Attempt> {
    let attempt = |attempt: Attempt| Attempt { error: reason(scope, attempt.error), ..attempt };
    attempts.into_iter().map(attempt).collect()
}

/// What a message says: an operator's message about a tenant says where its secret is kept, and labels and the words of a rule's author
/// may be for our own people.
pub(super) fn notification(scope: &Scope, mut notification: Notification) -> Notification {
    if scope.is_all() {
        return notification;
    }
    neutralize(&mut notification.data.facts);
    for item in &mut notification.data.items {
        neutralize(&mut item.facts);
    }
    let show = Show { labels: scope.sees_labels(), about: scope.sees_about() };
    show.of(&notification).into_owned()
}

/// An alert in a list: what its newest message said, and the channels that were notified, as far as they are seen.
pub(super) fn row(scope: &Scope, row: AlertRow) -> AlertRow {
    if scope.is_all() {
        return row;
    }
    AlertRow {
        notified_channels: channels(scope, row.notified_channels),
        last_notification: row
            .last_notification
            .filter(|said| scope.sees_operator() || !is_for_operator(said.kind))
            .map(|said| notification(scope, said)),
        ..row
    }
}

/// Those of these channels whose names are seen.
pub(super) fn channels(scope: &Scope, channels: Vec<ChannelName>) -> Vec<ChannelName> {
    channels.into_iter().filter(|channel| scope.sees_channel(channel)).collect()
}

/// Whether a message is seen at all: what was sent to our own channels, and what is for the operator, may be for our own people.
pub(super) fn sees(scope: &Scope, channel: &ChannelName, kind: NotificationType) -> bool {
    scope.sees_channel(channel) && (scope.sees_operator() || !is_for_operator(kind))
}

fn is_for_operator(kind: NotificationType) -> bool {
    kind.as_str().starts_with("operator.")
}

fn neutralize(facts: &mut Facts) {
    if let Some(operator) = facts.operator.take() {
        facts.operator = Some(of_operator(operator));
    }
}

fn of_operator(facts: OperatorFacts) -> OperatorFacts {
    let hint = hint(&facts.class);
    let neutral = match facts.news {
        Some(News::TenantUnread { class, part, .. }) => News::TenantUnread { class, hint, part },
        Some(News::CredentialPassedOver { what, whose, class, .. }) => {
            let error = FailureClass::from_name(&class).map_or_else(|| class.clone(), |known| known.words().to_owned());
            News::CredentialPassedOver { what, whose, error, class, hint }
        }
        // What an older version wrote has no value behind its texts, of which the hint alone names secrets.
        news => return OperatorFacts { hint, news, ..facts },
    };
    let of = OperatorFacts::of(neutral, facts.class, facts.channel);
    OperatorFacts { from: facts.from, until: facts.until, ..of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const PATH: &str = "/etc/scorewatch/secrets/contoso";

    fn limited() -> Scope {
        Scope::only(std::collections::BTreeSet::new())
    }

    #[test]
    fn a_hint_names_a_secret_to_those_without_limits_only() {
        let of = |class: &str| {
            Some(Failing { since: Timestamp::EPOCH, class: class.to_owned(), hint: Some(format!("create {PATH}")) })
        };
        let seen = failing(&Scope::All, of("secret-unreadable")).unwrap();
        assert!(seen.hint.unwrap().contains(PATH));
        for class in ["secret-unreadable", "throttled", "too-many-subjects"] {
            let seen = failing(&limited(), of(class)).unwrap();
            assert_eq!((&*seen.class, seen.since), (class, Timestamp::EPOCH));
            assert!(!seen.hint.unwrap_or_default().contains(PATH), "{class}");
        }
        let seen = failing(&limited(), of("secret-unreadable")).unwrap();
        assert!(seen.hint.unwrap().starts_with("put the secret"));
        assert_eq!(failing(&limited(), None), None);
    }

    #[test]
    fn a_reason_names_no_secret_and_says_what_a_receiver_answered() {
        let secret = format!("{SECRET_UNREADABLE}: file {PATH}: is not there");
        assert_eq!(reason(&limited(), Some(secret.clone())).unwrap(), SECRET_UNREADABLE);
        assert_eq!(reason(&Scope::All, Some(secret.clone())), Some(secret));
        assert_eq!(reason(&limited(), Some("HTTP 404".to_owned())).unwrap(), "HTTP 404");
    }

    #[test]
    fn a_message_to_the_operator_names_no_secret() {
        let hint = Some(format!("create {PATH}"));
        for class in ["secret-unreadable", "secret-wrong"] {
            let news = News::TenantUnread { class: class.to_owned(), hint: hint.clone(), part: None };
            let facts = OperatorFacts { from: Some(Timestamp::EPOCH), ..OperatorFacts::of(news, class, None) };
            assert!(serde_json::to_string(&facts).unwrap().contains(PATH), "as a control");
            let neutral = of_operator(facts.clone());
            assert!(!serde_json::to_string(&neutral).unwrap().contains(PATH), "{neutral:?}");
            assert_eq!((&neutral.summary, neutral.from), (&facts.summary, facts.from));
            let older = of_operator(OperatorFacts { news: None, ..facts });
            assert!(!serde_json::to_string(&older).unwrap().contains(PATH), "{older:?}");
        }
    }
}
