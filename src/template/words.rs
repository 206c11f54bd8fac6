//! A notification in words: what an analyst must see at a glance, the same on every receiver.

use serde::Serialize;

use super::{
    advice, causes,
    causes::LinkedCause,
    facts::{Fact, facts},
    headline, lines,
    phrases::is_link,
    reading, report, shift,
};
use crate::{
    domain::Severity,
    notify::{Notification, NotificationType, notification::Links},
    page,
    rule::Resolution,
};

/// A notification as it is shown at some level of shortness.
pub(super) struct Shown {
    /// With every text tamed and cut.
    pub(super) notification: Notification,
    /// How many items of a digest were left out.
    pub(super) left_out: usize,
    /// The most lines of a report that are shown.
    pub(super) lines_max: usize,
}

/// A notification in words.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    /// Who, what, from what to what, how bad; with the sign before it at most 80 characters.
    headline: String,
    /// One sign for how bad it is.
    emoji: &'static str,
    /// The same as a style of an Adaptive Card's container, or a color of its text.
    color: &'static str,
    /// The same as a web color, for a bar or border beside the text.
    hex: &'static str,
    /// Why, as far as it is known.
    reason: Option<String>,
    /// What to do.
    what_to_do: Option<String>,
    /// Both in one text.
    note: Option<String>,
    /// What a digest, the notice of a fleet shift or a report says, line by line, the most severe first; empty in all other
    /// messages.
    lines: Vec<String>,
    /// The same lines, together as far as one text of a message has room.
    paragraphs: Vec<Vec<String>>,
    /// What the headline does not say, the weightiest first; at most ten.
    facts: Vec<Fact>,
    /// What regressed, largest first.
    causes: Vec<String>,
    /// The same in parts, each with its own link.
    linked_causes: Vec<LinkedCause>,
    /// What to write over the causes, which need not be regressions.
    causes_title: &'static str,
    /// Where to look; `https` only.
    links: Vec<Link>,
    /// How to distinguish this message from others, and whether it is a repeat or a test.
    footer: String,
}

/// One link.
#[derive(Debug, Serialize)]
struct Link {
    title: &'static str,
    url: String,
}

/// Says a notification in words.
pub(super) fn words(Shown { notification, left_out, lines_max }: &Shown) -> Words {
    let items = &notification.data.items;
    let (emoji, color) = look(notification);
    let left_out = notification.data.fleet.as_ref().map_or(*left_out, |fleet| fleet.alerts.saturating_sub(items.len()));
    let as_one = reading::as_one(notification);
    let sign = |item: &Notification| look(item).0;
    let data = &notification.data;
    let said = match (&data.report, &data.month) {
        (Some(report), _) => report::lines(report, *lines_max),
        (None, Some(month)) => page::lines(month, *lines_max),
        (None, None) if as_one.is_some() => reading::lines(items, sign),
        (None, None) if notification.kind == NotificationType::OperatorBlind => lines::hit(items, left_out),
        (None, None) => lines::lines(items, left_out, notification.data.digest.as_ref(), sign, headline::in_full),
    };
    let what_to_do = match &as_one {
        Some(_) => reading::what_to_do(items),
        None => advice::what_to_do(notification),
    };
    let shown = as_one.as_ref().unwrap_or(notification);
    let data = &shown.data;
    let headline = headline::headline(shown, left_out);
    let reason = advice::reason(shown);
    let mut facts = facts(shown, &headline);
    // A customer's report has its own language, and says everything in its lines.
    facts.retain(|_| data.month.is_none());
    // Each rule has a line.
    facts.retain(|fact| as_one.is_none() || !matches!(fact.name, "Rule" | "Severity" | "Acknowledged"));
    Words {
        emoji,
        color,
        hex: hex(color),
        note: advice::note(data, reason.as_deref(), what_to_do.as_deref()),
        reason,
        what_to_do,
        paragraphs: lines::paragraphs(&said),
        lines: said,
        facts,
        causes: data.causes.iter().map(causes::cause).collect(),
        linked_causes: data.causes.iter().map(causes::linked).collect(),
        causes_title: causes::title(&data.causes),
        links: links(&data.links, advice::runbook(data)),
        footer: footer(notification),
        headline,
    }
}

/// The web color for a style. Each can be distinguished from white and from black.
pub(super) const fn hex(color: &str) -> &'static str {
    match color.as_bytes() {
        b"good" => "#107C10",
        b"attention" => "#D13438",
        b"warning" => "#C8500A",
        b"default" => "#767676",
        _ => "#0078D4",
    }
}

/// Where to look, the nearest first. No title holds text from outside: a link's title is trusted.
fn links(links: &Links, runbook: Option<&str>) -> Vec<Link> {
    let all = [
        ("I see this: confirm", links.confirm.as_deref()),
        (links.fix.as_deref().map_or("", fix_title), links.fix.as_deref()),
        (links.portal.as_deref().map_or("", portal_title), links.portal.as_deref()),
        ("Open runbook", runbook.filter(|runbook| is_link(runbook))),
        ("Open dashboard", links.dashboard.as_deref()),
    ];
    all.into_iter().filter_map(|(title, url)| Some(Link { title, url: url?.to_owned() })).collect()
}

/// What is on the page that fixes it.
fn fix_title(url: &str) -> &'static str {
    let titles = [
        ("Microsoft_AAD_RegisteredApps", "Open app registration"),
        ("/adminconsent", "Open consent page"),
        ("make.powerautomate", "Open Power Automate"),
        ("make.gov.powerautomate", "Open Power Automate"),
        ("api.slack.com", "Open Slack apps"),
        ("pagerduty.com", "Open PagerDuty"),
    ];
    titles.iter().find(|(part, _)| url.contains(part)).map_or("Open settings", |(_, title)| title)
}

/// What is on the page of Microsoft's portal.
fn portal_title(url: &str) -> &'static str {
    match url {
        _ if url.contains("/securescore") => "Open Secure Score",
        _ if url.contains("/tvm_dashboard") => "Open exposure score",
        _ => "Open Microsoft portal",
    }
}

/// Says a notification as lines of plain text: what must be known, without links.
pub(super) fn plain(shown: &Shown) -> Vec<String> {
    let is_of_rule = shown.notification.data.rule.is_some() && shown.notification.data.operator.is_none();
    let Words { headline, emoji, reason, what_to_do, lines, facts, causes, footer, .. } = words(shown);
    let mut said = vec![format!("{emoji} {headline}")];
    said.extend(lines);
    said.extend(reason);
    said.extend(causes.into_iter().map(|cause| format!("• {cause}")));
    said.extend(what_to_do.map(|text| if is_of_rule { format!("What to do: {text}") } else { text }));
    said.extend(facts.into_iter().map(|Fact { name, value }| format!("{name}: {value}")));
    said.push(footer);
    said
}

/// One sign for how bad it is, and the same as a style of an Adaptive Card.
pub(super) fn look(notification: &Notification) -> (&'static str, &'static str) {
    let data = &notification.data;
    let alert = data.alert.as_ref();
    let is_recovery = |resolution: Option<Resolution>| resolution.is_none_or(|end| end == Resolution::Recovered);
    match (notification.kind, alert.map(|alert| alert.severity)) {
        (NotificationType::FleetShift, _) => shift::look(data),
        (NotificationType::Report | NotificationType::MonthReport, _) => ("📊", "accent"),
        (NotificationType::Digest, _) => lines::look(&data.items),
        _ if alert.is_some_and(|alert| alert.resolved_at.is_some() && is_recovery(alert.resolution)) => ("✅", "good"),
        // Nothing got better: somebody accepted it, or it is no longer watched.
        _ if alert.is_some_and(|alert| alert.resolved_at.is_some()) => ("⚪", "default"),
        (NotificationType::Test | NotificationType::Drill, _) => ("🧪", "accent"),
        (_, Some(Severity::Critical)) => ("🔴", "attention"),
        (_, Some(Severity::Warning)) => ("🟠", "warning"),
        (_, Some(Severity::Info)) => ("🔵", "accent"),
        // Its `until` is when it will expire, or when it did.
        (NotificationType::OperatorCredential, None) => ("⚠️", "warning"),
        (NotificationType::OperatorDowntime, None) if has_ended(notification) => ("ℹ️", "accent"),
        (_, None) if has_ended(notification) => ("✅", "good"),
        (_, None) => ("⚠️", "warning"),
    }
}

fn has_ended(notification: &Notification) -> bool {
    notification.data.operator.as_ref().is_some_and(|operator| operator.until.is_some())
}

pub(super) fn footer(notification: &Notification) -> String {
    let facts = &notification.data.notification;
    let mut footer = format!("Scorewatch · {}", facts.short_id);
    footer.push_str(&lines::earlier(facts.covers.len()));
    if facts.possible_duplicate {
        footer.push_str(" · possible duplicate");
    }
    if facts.test {
        footer.push_str(" · test");
    }
    if notification.kind == NotificationType::Drill {
        footer.push_str(" · drill");
    }
    footer
}
