//! A notification in words: what an analyst must see at a glance, the same on every receiver.

use serde::Serialize;

use super::{
    advice, causes,
    causes::LinkedCause,
    facts::{Fact, facts},
    headline,
    lines::{self, LinkedLine, LinkedParagraph},
    outage,
    phrases::is_link,
    reading, report, shift,
};
use crate::{
    domain::Severity,
    notify::{
        Notification, NotificationType,
        language::{
            self, Locale,
            alert::{FactName, LinkTo},
        },
        notification::Links,
    },
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
    what_to_do: Option<String>,
    /// What stands before that, with a colon: `What to do:`.
    what_to_do_label: String,
    /// Both in one text.
    note: Option<String>,
    /// What a digest, the notice of a fleet shift or a report says, line by line, the most severe first; empty in all other
    /// messages.
    lines: Vec<String>,
    /// The same lines, together as far as one text of a message has room.
    paragraphs: Vec<Vec<String>>,
    /// The same, each with the page of its alert, if there is one.
    linked_lines: Vec<LinkedLine>,
    /// The same, together as far as one text of a message has room.
    linked_paragraphs: Vec<LinkedParagraph>,
    /// What the headline does not say, the weightiest first; at most ten.
    facts: Vec<Fact>,
    /// What regressed, largest first.
    causes: Vec<String>,
    /// The same in parts, each with its own link.
    linked_causes: Vec<LinkedCause>,
    /// What to write over the causes, which need not be regressions.
    causes_title: &'static str,
    /// The same with a colon.
    causes_label: String,
    /// Where to look; `https` only.
    links: Vec<Link>,
    /// How to distinguish this message from others, and whether it is a repeat or a test.
    footer: String,
    /// The code of the language that all of this is in: `en`.
    language: &'static str,
}

#[derive(Debug, Serialize)]
struct Link {
    title: &'static str,
    /// The same with a colon.
    label: String,
    url: String,
}

/// Says a notification in words.
pub(super) fn words(Shown { notification, left_out, lines_max }: &Shown, locale: &Locale) -> Words {
    let words = locale.words();
    let items = &notification.data.items;
    let (emoji, color) = look(notification);
    let left_out = notification.data.fleet.as_ref().map_or(*left_out, |fleet| fleet.alerts.saturating_sub(items.len()));
    let as_one = reading::as_one(notification);
    let outage = outage::as_one(notification);
    let consequences = outage.as_ref().map(|_| outage::consequences(items));
    let items = consequences.as_ref().unwrap_or(items);
    let sign = |item: &Notification| look(item).0;
    let data = &notification.data;
    let said = match (&data.report, &data.month) {
        (Some(report), _) => report::lines(report, *lines_max, locale),
        (None, Some(month)) => page::lines(month, *lines_max),
        (None, None) if as_one.is_some() => reading::lines(items, words, sign),
        (None, None) if notification.kind == NotificationType::OperatorBlind => lines::hit(items, left_out, words),
        (None, None) => {
            let headline = |item: &Notification| headline::in_full(item, locale);
            let headline = |item: &Notification| outage::line(item).unwrap_or_else(|| headline(item));
            lines::lines(items, left_out, notification.data.digest.as_ref(), words, sign, headline)
        }
    };
    let shown = as_one.as_ref().or(outage.as_ref()).unwrap_or(notification);
    let what_to_do = match &as_one {
        Some(_) => reading::what_to_do(items),
        None => advice::what_to_do(shown, words),
    };
    let data = &shown.data;
    let headline = headline::headline(shown, left_out, locale);
    let reason = advice::reason(shown, words).map(|reason| advice::without_class(reason, data, &headline));
    let mut facts = facts(shown, &headline, reason.as_deref(), locale);
    // A customer's report has its own language, and says everything in its lines.
    facts.retain(|_| data.month.is_none());
    // Each rule has a line.
    facts.retain(|fact| {
        as_one.is_none() || !matches!(fact.is, FactName::Rule | FactName::Severity | FactName::Acknowledged)
    });
    let causes_title = causes::title(&data.causes, words);
    let pages = if as_one.is_some() { lines::own_pages(items) } else { lines::pages(items, words) };
    let pages = pages.into_iter().chain(std::iter::repeat(None));
    let fixes = |url: &str| items.iter().any(|item| item.links.fix.as_deref() == Some(url));
    let title = |url: Option<&str>| (words.alert.link)(url.filter(|url| fixes(url)).map_or(LinkTo::Alert, fix_page));
    let linked = said.iter().zip(pages);
    let linked_lines: Vec<_> =
        linked.map(|(text, url)| LinkedLine { text: text.clone(), title: title(url.as_deref()), url }).collect();
    Words {
        emoji,
        color,
        hex: hex(color),
        note: advice::note(data, reason.as_deref(), what_to_do.as_deref(), words),
        reason,
        what_to_do,
        what_to_do_label: format!("{}{}:", words.alert.what_to_do, words.before_colon),
        paragraphs: lines::paragraphs(&said),
        lines: said,
        linked_paragraphs: lines::linked_paragraphs(&linked_lines),
        linked_lines,
        facts,
        causes: data.causes.iter().map(|cause| causes::cause(cause, words)).collect(),
        linked_causes: data.causes.iter().map(|cause| causes::linked(cause, words)).collect(),
        causes_title,
        causes_label: format!("{causes_title}{}:", words.before_colon),
        links: links(&data.links, advice::runbook(data), words),
        footer: footer(notification, words),
        language: words.code,
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
fn links(links: &Links, runbook: Option<&str>, words: &language::Words) -> Vec<Link> {
    let all = [
        (LinkTo::Confirmation, links.confirm.as_deref()),
        (links.fix.as_deref().map_or(LinkTo::Settings, fix_page), links.fix.as_deref()),
        (links.dashboard.as_deref().map_or(LinkTo::Dashboard, own_page), links.dashboard.as_deref()),
        (links.portal.as_deref().map_or(LinkTo::Portal, portal_page), links.portal.as_deref()),
        (LinkTo::Runbook, runbook.filter(|runbook| is_link(runbook))),
    ];
    let link = |(to, url): (LinkTo, Option<&str>)| {
        let title = (words.alert.link)(to);
        Some(Link { title, label: format!("{title}{}:", words.before_colon), url: url?.to_owned() })
    };
    all.into_iter().filter_map(link).collect()
}

/// What is on the page that fixes it.
fn fix_page(url: &str) -> LinkTo {
    let pages = [
        ("Microsoft_AAD_RegisteredApps", LinkTo::AppRegistration),
        ("/adminconsent", LinkTo::Consent),
        ("StartboardApplicationsMenuBlade", LinkTo::EnterpriseApps),
        ("SignInEventsV3Blade", LinkTo::SignInLogs),
        ("login.microsoftonline.com/error", LinkTo::ErrorCode),
        ("ConditionalAccessBlade", LinkTo::ConditionalAccess),
        ("make.powerautomate", LinkTo::PowerAutomate),
        ("make.gov.powerautomate", LinkTo::PowerAutomate),
        ("api.slack.com", LinkTo::SlackApps),
        ("pagerduty.com", LinkTo::PagingService),
    ];
    pages.into_iter().find(|(part, _)| url.contains(part)).map_or(LinkTo::Settings, |(_, page)| page)
}

/// What is on our own page.
fn own_page(url: &str) -> LinkTo {
    match url {
        _ if url.contains("/alerts/alert_") => LinkTo::Alert,
        _ if url.ends_with("/channels") => LinkTo::Channels,
        _ => LinkTo::Dashboard,
    }
}

/// What is on the page of Microsoft's portal.
fn portal_page(url: &str) -> LinkTo {
    match url {
        _ if url.contains("/securescore") => LinkTo::SecureScore,
        _ if url.contains("/tvm_dashboard") => LinkTo::VulnerabilityManagement,
        _ => LinkTo::Portal,
    }
}

/// Says a notification as lines of plain text: what must be known, without links.
pub(super) fn plain(shown: &Shown, locale: &Locale) -> Vec<String> {
    let is_of_rule = shown.notification.data.rule.is_some() && shown.notification.data.operator.is_none();
    let Words { headline, emoji, reason, what_to_do, what_to_do_label, lines, facts, causes, footer, .. } =
        words(shown, locale);
    let mut said = vec![format!("{emoji} {headline}")];
    said.extend(lines);
    said.extend(reason);
    said.extend(causes.into_iter().map(|cause| format!("• {cause}")));
    said.extend(what_to_do.map(|text| if is_of_rule { format!("{what_to_do_label} {text}") } else { text }));
    said.extend(facts.into_iter().map(|Fact { label, value, .. }| format!("{label} {value}")));
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

pub(super) fn footer(notification: &Notification, words: &language::Words) -> String {
    let facts = &notification.data.notification;
    let mut footer = format!("Scorewatch · {}", facts.short_id);
    footer.push_str(&lines::earlier(facts.covers.len(), words));
    let marks = [
        (facts.possible_duplicate, words.alert.possible_duplicate),
        (facts.test, words.alert.test),
        (notification.kind == NotificationType::Drill, words.alert.drill),
    ];
    for (_, mark) in marks.into_iter().filter(|(is_so, _)| *is_so) {
        footer.push_str(" · ");
        footer.push_str(mark);
    }
    footer
}
