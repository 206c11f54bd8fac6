//! An outage in a digest. Where the digest says nothing else than the outage and what follows from it for tenants, it reads as the message
//! about the outage: its cause, what to do, and the page where that is done.

use std::collections::BTreeSet;

use super::phrases::sentence;
use crate::{
    domain::FailureClass,
    notify::{
        Notification, NotificationType,
        language::capitalized,
        notification::{Data, DigestItem, DigestRest, Facts},
    },
    rule::Resolution,
};

/// Failures of many tenants at once that have one cause, however each of them looks.
const OF_MICROSOFT: [FailureClass; 5] = [
    FailureClass::MicrosoftDown,
    FailureClass::Unreachable,
    FailureClass::Throttled,
    FailureClass::Garbage,
    FailureClass::CheckTimeout,
];

/// The digest as a message about its one outage; `None`: it says something else, too.
pub(super) fn as_one(digest: &Notification) -> Option<Notification> {
    let data = &digest.data;
    let (outages, others): (Vec<_>, Vec<_>) = data.items.iter().partition(|item| is_outage(item));
    let [outage] = outages.as_slice() else { return None };
    // An older version did not say of how many tenants it is.
    let count = outage.operator.as_ref()?.tenants?;
    let follows = !others.is_empty() && others.iter().all(|item| explains(outage, item));
    let rest = data.digest.iter().flat_map(|digest| &digest.more);
    let is_all = is_like_these(outage, &others, rest.clone()) && {
        let tenants: BTreeSet<_> = others.iter().filter_map(|item| Some(&item.tenant.as_ref()?.id)).collect();
        tenants.len() + rest.map(|more| more.count).sum::<usize>() <= count
    };
    (digest.kind == NotificationType::Digest && follows && is_all).then(|| {
        let facts = Facts { notification: data.notification.clone(), ..outage.facts.clone() };
        Notification { kind: outage.kind, timestamp: outage.timestamp, data: Data::from(facts) }
    })
}

/// Whether what is not shown is like what is shown. It is counted by rule: a rule on missing data fires for nothing else.
fn is_like_these<'a>(
    outage: &DigestItem,
    others: &[&DigestItem],
    mut rest: impl Iterator<Item = &'a DigestRest>,
) -> bool {
    let is_of_these =
        |rule: Option<&String>| others.iter().any(|item| item.rule.as_ref().map(|rule| &rule.name) == rule);
    rest.all(|more| more.is_over == is_over(outage) && is_of_these(more.rule.as_ref()))
}

/// What follows from the outage.
pub(super) fn consequences(items: &[DigestItem]) -> Vec<DigestItem> {
    items.iter().filter(|item| !is_outage(item)).cloned().collect()
}

/// Whether it says that many tenants can't be read, or that they can be again.
pub(super) fn is_outage(item: &DigestItem) -> bool {
    item.kind == NotificationType::OperatorBlind && item.tenant.is_none() && item.operator.is_some()
}

/// An outage on one line of a longer digest: how many tenants, why, and what to do. `None`: it is none.
pub(super) fn line(message: &Notification) -> Option<String> {
    let is_outage = message.kind == NotificationType::OperatorBlind && message.data.tenant.is_none();
    let operator = message.data.operator.as_ref().filter(|_| is_outage)?;
    let said = [Some(capitalized(&operator.summary)), operator.hint.clone()];
    Some(said.iter().flatten().map(|text| sentence(text)).collect::<Vec<_>>().join(" "))
}

fn is_over(item: &DigestItem) -> bool {
    item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some())
}

/// Whether the item says of a tenant that its data is missing, or is back, for the reason of this outage.
fn explains(outage: &DigestItem, item: &DigestItem) -> bool {
    let class = outage.operator.as_ref().map(|operator| operator.class.as_str());
    let is_same = |other: Option<&str>| {
        let of_microsoft = |class: Option<&str>| {
            class.and_then(FailureClass::from_name).is_some_and(|class| OF_MICROSOFT.contains(&class))
        };
        other == class || (of_microsoft(class) && of_microsoft(other))
    };
    let is_without_data = item.operator.is_none() && item.tenant.is_some() && !item.no_data.is_empty();
    let resolution = item.alert.as_ref().and_then(|alert| alert.resolution);
    let is_back = is_over(outage) && resolution.is_none_or(|resolution| resolution == Resolution::Recovered);
    let is_due_to_it = is_back || item.no_data.iter().all(|lack| is_same(lack.class.as_deref()));
    is_without_data && is_over(item) == is_over(outage) && is_due_to_it
}

#[cfg(test)]
mod tests;
