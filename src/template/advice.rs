//! Why something happened, as far as it is known, and what to do about it: two texts, neither of which repeats the headline.

use super::{
    lines,
    phrases::{is_link, sentence},
    shift,
};
use crate::notify::{
    Notification, NotificationType,
    notification::{Data, Facts},
};

/// What is known of why.
pub(super) fn reason(notification: &Notification) -> Option<String> {
    let data = &notification.data;
    if notification.kind == NotificationType::Drill {
        return Some("This shows that messages to this channel arrive.".to_owned());
    }
    let mut says = Vec::new();
    says.extend(data.fleet.as_ref().map(shift::reason).filter(|reason| !reason.is_empty()));
    says.extend(data.fleet.as_ref().filter(|fleet| shift::is_done(fleet)).map(shift::left_to_do));
    says.extend(data.operator.as_ref().and_then(|operator| operator.detail.as_deref()).map(sentence));
    says.extend(hint(data).filter(|hint| is_reassurance(hint)).map(sentence));
    says.extend(data.digest.as_ref().and_then(lines::counts));
    says.extend(data.alert.as_ref().and_then(|alert| alert.reason.as_deref()).map(sentence));
    says.extend(data.explanation.as_deref().map(sentence));
    says.extend(data.rule.as_ref().and_then(|rule| rule.about.as_deref()).filter(|_| is_open(data)).map(sentence));
    says.retain(|text| !text.is_empty());
    joined(&says)
}

/// What to do: the rule's author's words, or the step that fixes it.
pub(super) fn what_to_do(notification: &Notification) -> Option<String> {
    let data = &notification.data;
    if notification.kind == NotificationType::Drill {
        return data.links.confirm.as_ref().map(|_| "Press the button to confirm that you see this.".to_owned());
    }
    let mut says = Vec::new();
    says.extend(runbook(data).filter(|runbook| !is_link(runbook)).map(sentence));
    says.extend(hint(data).filter(|hint| !is_reassurance(hint)).map(sentence));
    says.extend(data.fleet.as_ref().filter(|fleet| !shift::is_done(fleet)).map(shift::left_to_do));
    says.extend(data.fleet.as_ref().and_then(shift::unlisted));
    joined(&says)
}

fn hint(data: &Facts) -> Option<&str> {
    data.operator.as_ref().and_then(|operator| operator.hint.as_deref())
}

/// Whether it says that there is nothing to do.
fn is_reassurance(hint: &str) -> bool {
    hint.starts_with("nothing to do")
}

/// The rule's runbook. Of an alert that is over there is nothing to do.
pub(super) fn runbook(data: &Facts) -> Option<&str> {
    let runbook = data.rule.as_ref().and_then(|rule| rule.runbook.as_deref());
    runbook.filter(|runbook| !runbook.trim().is_empty() && is_open(data))
}

/// Both in one text, for templates that show no more.
pub(super) fn note(data: &Data, reason: Option<&str>, what_to_do: Option<&str>) -> Option<String> {
    let label = if data.rule.is_some() && data.operator.is_none() { "What to do: " } else { "" };
    let what_to_do = what_to_do.map(|text| format!("{label}{text}"));
    joined(&reason.map(str::to_owned).into_iter().chain(what_to_do).collect::<Vec<_>>())
}

fn joined(says: &[String]) -> Option<String> {
    (!says.is_empty()).then(|| says.join(" "))
}

fn is_open(data: &Facts) -> bool {
    data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none())
}
