//! The message of several rules about one reading: it reads as the message of the worst of them, with a line for each.

use super::phrases::{is_link, sentence};
use crate::notify::{
    Notification, NotificationType,
    language::Words,
    notification::{Data, DigestItem, Facts, RuleFacts},
};

/// The digest as a message about its one reading; `None`: it is about more than one.
pub(super) fn as_one(digest: &Notification) -> Option<Notification> {
    let data = &digest.data;
    let is_complete = data.digest.as_ref().is_none_or(|facts| facts.more.is_empty());
    let [first, others @ ..] = data.items.as_slice() else { return None };
    let is_same = !others.is_empty() && others.iter().all(|item| is_of_same_reading(first, item));
    (digest.kind == NotificationType::Digest && is_complete && is_same).then(|| {
        let facts = Facts { notification: data.notification.clone(), ..first.facts.clone() };
        let (causes, breakdown) = (data.causes.clone(), data.breakdown.clone());
        Notification {
            kind: first.kind,
            timestamp: first.timestamp,
            data: Data { breakdown, causes, ..Data::from(facts) },
        }
    })
}

fn is_of_same_reading(one: &DigestItem, other: &DigestItem) -> bool {
    let reading = |item: &DigestItem| {
        let (tenant, score) = (item.tenant.as_ref()?, item.score.as_ref()?);
        item.alert.as_ref().filter(|_| item.operator.is_none() && item.no_data.is_empty())?;
        Some((tenant.id.clone(), tenant.tenant_id.clone(), score.kind, score.subject.clone(), score.observed_at?))
    };
    reading(one).is_some_and(|this| reading(other) == Some(this))
}

/// One line for each rule.
pub(super) fn lines(items: &[DigestItem], words: &Words, sign: impl Fn(&Notification) -> &'static str) -> Vec<String> {
    let line = |item: &DigestItem| {
        let unit = item.score.as_ref().map(|score| score.kind.unit());
        let said = |rule: &RuleFacts| words.labelled(&rule.name, &words.condition(&rule.condition, unit));
        let rule = item.rule.as_ref().map(said).unwrap_or_default();
        let how = match item.kind {
            NotificationType::AlertWorsened => Some(words.alert.state_worsened),
            NotificationType::AlertReminder | NotificationType::AlertEscalated => Some(words.alert.state_firing),
            NotificationType::AlertResolved => Some(words.alert.state_over),
            NotificationType::AlertUnstable => Some(words.alert.state_unstable),
            _ => None,
        };
        let marked = |word: Option<&str>| word.map(|word| format!(" · {word}")).unwrap_or_default();
        let repeat = item.notification.possible_duplicate.then_some(words.alert.possible_duplicate);
        let sign = sign(&Notification::from(item.clone()));
        format!("{sign} {rule}{} · {}{}", marked(how), item.notification.short_id, marked(repeat))
    };
    items.iter().map(line).collect()
}

/// What to do by each rule whose alert is not over, each text once.
pub(super) fn what_to_do(items: &[DigestItem]) -> Option<String> {
    let mut says: Vec<String> = Vec::new();
    let open = items.iter().filter(|item| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none()));
    let runbooks = open.filter_map(|item| item.rule.as_ref()?.runbook.as_deref());
    for text in runbooks.filter(|runbook| !is_link(runbook) && !runbook.trim().is_empty()).map(sentence) {
        if !says.contains(&text) {
            says.push(text);
        }
    }
    (!says.is_empty()).then(|| says.join(" "))
}
