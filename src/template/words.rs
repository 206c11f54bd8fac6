//! A notification in words: what an analyst must see at a glance, the same on every receiver.

use serde::Serialize;

use super::{
    causes, lines,
    phrases::{Numbers, duration, is_link, utc},
    report,
    score_name::{name_of, score_name},
    shift,
};
use crate::{
    domain::{Points, Severity},
    notify::{
        Notification, NotificationType,
        notification::{Facts, ScoreFacts},
    },
    rule::display::number,
};

/// The most facts that are shown: a section of a Slack message has no more fields.
const FACTS_MAX: usize = 10;

/// The titles of links to what to do about each cause, in their order. None holds text from outside: a link's title is trusted.
const CAUSE_LINKS: [&str; 3] = ["Open the first cause", "Open the second cause", "Open the third cause"];

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
    /// One sentence: who, what, how much.
    headline: String,
    /// One sign for how grave it is.
    emoji: &'static str,
    /// The same as an Adaptive Card colour.
    color: &'static str,
    /// The same as a web colour.
    hex: &'static str,
    /// Why, and what to do, where that is known.
    note: Option<String>,
    /// What a digest or a report says, line by line, gravest first; empty in all other messages.
    lines: Vec<String>,
    /// The same lines, together as far as one text of a message has room.
    paragraphs: Vec<Vec<String>>,
    /// The facts in the order of their weight; at most ten.
    facts: Vec<Fact>,
    /// What regressed, largest first.
    causes: Vec<String>,
    /// What to write over the causes, which need not be regressions.
    causes_title: &'static str,
    /// Where to look; `https` only.
    links: Vec<Link>,
    /// How to distinguish this message from others, and whether it is a repeat or a test.
    footer: String,
}

/// A fact with its title, for templates.
#[derive(Debug, Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

/// A link with its title.
#[derive(Debug, Serialize)]
struct Link {
    title: &'static str,
    url: String,
}

/// Says a notification in words. `left_out`: that many items of a digest are not in it.
pub(super) fn words(Shown { notification, left_out, lines_max }: &Shown) -> Words {
    let data = &notification.data;
    let (emoji, color) = look(notification);
    let left_out = &data.fleet.as_ref().map_or(*left_out, |fleet| fleet.alerts.saturating_sub(data.items.len()));
    let said = match &data.report {
        Some(report) => report::lines(report, *lines_max),
        None => lines::lines(&data.items, *left_out, data.digest.as_ref(), |item| {
            format!("{} {}", look(item).0, headline(item, 0))
        }),
    };
    let links = [
        ("I see this: confirm", data.links.confirm.as_deref()),
        ("Open dashboard", data.links.dashboard.as_deref()),
        ("Open Microsoft portal", data.links.portal.as_deref()),
        ("Open runbook", runbook(data).filter(|runbook| is_link(runbook))),
    ];
    let of_causes = CAUSE_LINKS.into_iter().zip(data.causes.iter().map(|cause| cause.link.as_deref()));
    let links =
        links.into_iter().chain(of_causes).filter_map(|(title, url)| Some(Link { title, url: url?.to_owned() }));
    Words {
        headline: headline(notification, *left_out),
        emoji,
        color,
        hex: match color {
            "good" => "#107C10",
            "attention" => "#D13438",
            "warning" => "#F7630C",
            _ => "#0078D4",
        },
        note: note(notification),
        paragraphs: lines::paragraphs(&said),
        lines: said,
        facts: facts(notification),
        causes: data.causes.iter().map(causes::cause).collect(),
        causes_title: causes::title(&data.causes),
        links: links.collect(),
        footer: footer(notification),
    }
}

/// Says a notification as lines of plain text: what must be known, without links.
pub(super) fn plain(shown: &Shown) -> Vec<String> {
    let Words { headline, emoji, note, lines, facts, causes, footer, .. } = words(shown);
    let mut said = vec![format!("{emoji} {headline}")];
    said.extend(note);
    said.extend(lines);
    said.extend(facts.into_iter().map(|Fact { name, value }| format!("{name}: {value}")));
    said.extend(causes.into_iter().map(|cause| format!("• {cause}")));
    said.push(footer);
    said
}

/// One sign for how grave it is, and the same as an Adaptive Card colour.
pub(super) fn look(notification: &Notification) -> (&'static str, &'static str) {
    let over = notification.data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
    match (notification.kind, notification.data.alert.as_ref().map(|alert| alert.severity)) {
        (NotificationType::FleetShift, _) => shift::look(&notification.data),
        (NotificationType::Report, _) => ("📊", "accent"),
        (NotificationType::Digest, _) => lines::look(&notification.data.items),
        _ if over => ("✅", "good"),
        (NotificationType::Test | NotificationType::Drill, _) => ("🧪", "accent"),
        (_, Some(Severity::Critical)) => ("🔴", "attention"),
        (_, Some(Severity::Warning)) => ("🟠", "warning"),
        (_, Some(Severity::Info)) => ("🔵", "accent"),
        (_, None) if notification.data.operator.as_ref().is_some_and(|operator| operator.until.is_some()) => {
            ("✅", "good")
        }
        (_, None) => ("⚠️", "warning"),
    }
}

/// One sentence: who, what, how much.
pub(super) fn headline(notification: &Notification, left_out: usize) -> String {
    let data = &notification.data;
    let is_test = data.notification.test && notification.kind != NotificationType::Drill;
    let mark = if is_test { "TEST: " } else { "" };
    let who = data.tenant.as_ref().map(|tenant| format!("{}: ", tenant.name)).unwrap_or_default();
    if let Some(operator) = &data.operator {
        return format!("{mark}{who}{}", operator.summary);
    }
    let what = match &data.score {
        Some(score) => happened(notification.kind, data, score),
        None if data.report.is_some() => data.report.as_ref().map(report::headline).unwrap_or_default(),
        None if data.fleet.is_some() => data.fleet.as_ref().map(shift::headline).unwrap_or_default(),
        None => match notification.kind {
            NotificationType::Test => "this channel can be reached".to_owned(),
            NotificationType::Drill => "DRILL: a test of this channel, nothing has happened".to_owned(),
            NotificationType::Digest => lines::headline(data.digest.as_ref(), &data.items, left_out),
            NotificationType::AlertResolved => "the alert is over".to_owned(),
            kind => kind.as_str().replace('.', ": "),
        },
    };
    format!("{mark}{who}{what}")
}

fn happened(kind: NotificationType, data: &Facts, score: &ScoreFacts) -> String {
    let name = name_of(data, score);
    let numbers = Numbers::of(data, score);
    let condition = data.rule.as_ref().map(|rule| format!(" ({})", rule.condition)).unwrap_or_default();
    let over = data.alert.as_ref().is_some_and(|alert| alert.reason.is_some());
    match (kind, &numbers.value, &numbers.baseline) {
        (NotificationType::AlertResolved, _, _) if over => format!("the alert on {name} is over"),
        (NotificationType::AlertResolved, Some(value), _) if !data.no_data.is_empty() => {
            format!("{name} can be read again: {value}")
        }
        (NotificationType::AlertResolved, Some(value), _) => format!("{name} has recovered to {value}"),
        (NotificationType::AlertResolved, None, _) => format!("{name} can be read again"),
        (NotificationType::AlertReminder, Some(value), _) => format!("{name} is still {value}{condition}"),
        (NotificationType::AlertReminder, None, _) => format!("still no data for {name}"),
        (NotificationType::AlertUnstable, ..) => format!("{name} keeps changing{condition}"),
        (NotificationType::AlertWorsened, None, _) => format!("no data for {name} by now"),
        (_, None, _) => format!("no data for {name}"),
        (NotificationType::AlertWorsened, Some(value), _) => format!("{name} has worsened to {value}{condition}"),
        (_, Some(value), Some(baseline)) => {
            let verb = if score.value < score.baseline { "fell" } else { "rose" };
            format!("{name} {verb} from {baseline} to {value}")
        }
        (_, Some(value), None) => format!("{name} is {value}{condition}"),
    }
}

/// Why, and what to do, where that is known.
fn note(notification: &Notification) -> Option<String> {
    let data = &notification.data;
    if notification.kind == NotificationType::Drill {
        return Some("Nothing has happened; this shows that the channel works.".to_owned());
    }
    if let Some(fleet) = &data.fleet {
        return Some(shift::note(fleet));
    }
    let reason = data.alert.as_ref().and_then(|alert| alert.reason.clone());
    let about = data.rule.as_ref().and_then(|rule| rule.about.clone()).filter(|_| is_open(data));
    let hint = || data.operator.as_ref().and_then(|operator| operator.hint.clone());
    let why = reason.or_else(hint).or_else(|| data.explanation.clone());
    match (why, about) {
        (Some(why), Some(about)) if data.operator.is_none() => Some(format!("{why} {about}")),
        (why, about) => why.or(about),
    }
}

/// What to do, as the rule's author says. Of an alert that is over there is nothing to do.
fn runbook(data: &Facts) -> Option<&str> {
    let runbook = data.rule.as_ref().and_then(|rule| rule.runbook.as_deref());
    runbook.filter(|runbook| !runbook.trim().is_empty() && is_open(data))
}

fn is_open(data: &Facts) -> bool {
    data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none())
}

fn facts(notification: &Notification) -> Vec<Fact> {
    let data = &notification.data;
    let mut facts = Vec::new();
    let mut say = |name, value: Option<String>| facts.extend(value.map(|value| Fact { name, value }));
    say("Tenant", data.tenant.as_ref().map(|tenant| format!("{} ({})", tenant.name, tenant.id)));
    if let Some(score) = &data.score {
        let numbers = Numbers::of(data, score);
        let observed = score.observed_at.map(|at| format!(" at {}", utc(at))).unwrap_or_default();
        let points = |points: Option<Points>| {
            let points = points.map(|Points { earned, of }| format!(" ({} of {} points)", number(earned), number(of)));
            points.unwrap_or_default()
        };
        let before = data.breakdown.as_ref().map(|breakdown| breakdown.before);
        let now = points(score.points);
        let names: Vec<_> = data.no_data.iter().map(|one| score_name(one.kind, None)).collect();
        let of_all = (score.all && !names.is_empty()).then(|| names.join(", "));
        say("Score", Some(of_all.unwrap_or_else(|| name_of(data, score))));
        say(
            "Value",
            Some(numbers.value.map_or_else(|| "no data".to_owned(), |value| format!("{value}{now}{observed}"))),
        );
        say("Baseline", numbers.baseline.map(|baseline| format!("{baseline}{}", points(before))));
        say("Loss", numbers.loss);
    }
    say("Rule", data.rule.as_ref().map(|rule| format!("{}: {}", rule.name, rule.condition)));
    say("What to do", runbook(data).filter(|runbook| !is_link(runbook)).map(str::to_owned));
    if let Some(alert) = &data.alert {
        say("Severity", Some(alert.severity.to_string()));
        say(
            "Since",
            Some(match alert.resolved_at {
                None => utc(alert.started_at),
                Some(end) => {
                    format!(
                        "{}, over at {} after {}",
                        utc(alert.started_at),
                        utc(end),
                        duration(end.since(alert.started_at))
                    )
                }
            }),
        );
    }
    if let Some(operator) = &data.operator {
        say("Class", Some(operator.class.clone()));
        say("Channel", operator.channel.clone());
        say("From", operator.from.map(utc));
        say("Until", operator.until.map(utc));
    }
    let labels = data.tenant.iter().flat_map(|tenant| &tenant.labels).map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    say("Labels", (!labels.is_empty()).then_some(labels));
    facts.truncate(FACTS_MAX);
    facts
}

fn footer(notification: &Notification) -> String {
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
