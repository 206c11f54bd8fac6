//! Why something happened, as far as it is known, and what to do about it: two texts, neither of which repeats the headline.

use super::{
    lines,
    phrases::{is_link, sentence},
    shift,
};
use crate::notify::{
    Notification, NotificationType,
    language::Words,
    notification::{Data, Facts},
};

/// What is known of why.
pub(super) fn reason(notification: &Notification, words: &Words) -> Option<String> {
    let data = &notification.data;
    if notification.kind == NotificationType::Drill {
        return Some(words.alert.drill_reason.to_owned());
    }
    let mut says = Vec::new();
    says.extend(data.fleet.as_ref().map(|fleet| shift::reason(fleet, words)).filter(|reason| !reason.is_empty()));
    says.extend(data.fleet.as_ref().filter(|fleet| shift::is_done(fleet)).map(|fleet| shift::left_to_do(fleet, words)));
    says.extend(data.operator.as_ref().and_then(|operator| operator.detail.as_deref()).map(sentence));
    says.extend(hint(data).filter(|hint| is_reassurance(hint, words)).map(sentence));
    says.extend(data.digest.as_ref().and_then(|digest| lines::counts(digest, words)));
    says.extend(data.alert.as_ref().and_then(|alert| alert.reason.as_deref()).map(sentence));
    says.extend(data.explanation.as_deref().map(sentence));
    says.extend(data.rule.as_ref().and_then(|rule| rule.about.as_deref()).filter(|_| is_open(data)).map(sentence));
    says.retain(|text| !text.is_empty());
    joined(&says)
}

/// The same without the class of the failure, if the headline has that in brackets.
pub(super) fn without_class(reason: String, data: &Facts, headline: &str) -> String {
    let class = data.operator.as_ref().map(|operator| format!("({})", operator.class));
    match class.filter(|class| headline.contains(class.as_str())) {
        Some(class) => reason.replace(&format!(" {class}"), ""),
        None => reason,
    }
}

/// What to do: the rule's author's words, or the step that fixes it.
pub(super) fn what_to_do(notification: &Notification, words: &Words) -> Option<String> {
    let data = &notification.data;
    if notification.kind == NotificationType::Drill {
        return data.links.confirm.as_ref().map(|_| words.alert.drill_step.to_owned());
    }
    let mut says = Vec::new();
    says.extend(runbook(data).filter(|runbook| !is_link(runbook)).map(sentence));
    says.extend(hint(data).filter(|hint| !is_reassurance(hint, words)).map(sentence));
    says.extend(
        data.fleet.as_ref().filter(|fleet| !shift::is_done(fleet)).map(|fleet| shift::left_to_do(fleet, words)),
    );
    says.extend(data.fleet.as_ref().and_then(|fleet| shift::unlisted(fleet, words)));
    joined(&says)
}

fn hint(data: &Facts) -> Option<&str> {
    data.operator.as_ref().and_then(|operator| operator.hint.as_deref())
}

/// Whether it says that there is nothing to do, in the message's language or in English, in which older versions kept it.
fn is_reassurance(hint: &str, words: &Words) -> bool {
    hint.starts_with(words.operator.nothing_to_do) || hint.starts_with("nothing to do")
}

/// The rule's runbook. Of an alert that is over there is nothing to do.
pub(super) fn runbook(data: &Facts) -> Option<&str> {
    let runbook = data.rule.as_ref().and_then(|rule| rule.runbook.as_deref());
    runbook.filter(|runbook| !runbook.trim().is_empty() && is_open(data))
}

/// Both in one text, for templates that show no more.
pub(super) fn note(data: &Data, reason: Option<&str>, what_to_do: Option<&str>, words: &Words) -> Option<String> {
    let is_of_rule = data.rule.is_some() && data.operator.is_none();
    let what_to_do =
        what_to_do.map(|text| if is_of_rule { words.labelled(words.alert.what_to_do, text) } else { text.to_owned() });
    joined(&reason.map(str::to_owned).into_iter().chain(what_to_do).collect::<Vec<_>>())
}

fn joined(says: &[String]) -> Option<String> {
    (!says.is_empty()).then(|| says.join(" "))
}

fn is_open(data: &Facts) -> bool {
    data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none())
}
