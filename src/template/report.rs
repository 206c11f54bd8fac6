//! A report in words: what fires, what can't be read, what moved, a line each.

use super::text;
use crate::{
    domain::{Severity, Unit},
    notify::{
        facts::report::{ReportAlert, ReportFacts, ReportMove, ReportScore, ReportUnread},
        language::{Locale, Words},
    },
    rule::display,
};

/// One sentence: of how many, from when to when.
pub(super) fn headline(report: &ReportFacts, locale: &Locale) -> String {
    let (from, until) = (locale.time(report.from), locale.time(report.until));
    (locale.words().line.report)(report.tenant_count, &from, &until)
}

/// At most `room` lines, the gravest first, then how many more there are.
pub(super) fn lines(report: &ReportFacts, room: usize, locale: &Locale) -> Vec<String> {
    let words = locale.words();
    let mut lines = vec![firing(report, words)];
    lines.extend(report.alerts.oldest.iter().map(|one| alert(one, locale)));
    lines.push(match report.blind.count {
        0 => words.line.all_read.to_owned(),
        count => words.labelled(words.line.unread, &words.counted(count, words.tenants)),
    });
    lines.extend(report.blind.tenants.iter().map(|one| unread(one, locale)));
    lines.extend(messages(report, words));
    if report.scores.is_empty() {
        lines.push(words.line.nothing_moved.to_owned());
    }
    let worse = |score: &ReportScore| moves(score, words.line.worse, score.worse_count, &score.worse, words);
    let better = |score: &ReportScore| moves(score, words.line.better, score.better_count, &score.better, words);
    // Before what it explains, of which some may be cut.
    lines.extend((report.excluding > 0).then(|| (words.line.excluding)(report.excluding)));
    lines.extend(report.scores.iter().flat_map(worse));
    lines.extend(report.scores.iter().flat_map(better));
    let more = lines.len().saturating_sub(room);
    lines.truncate(room);
    if more > 0 {
        lines.push((words.line.and_more)(more));
    }
    lines
}

/// Tames and cuts every text of a report, and lists that many of its tenants.
pub(super) fn cut(report: &mut ReportFacts, tenants: usize, characters: usize) {
    let tame = |whole: &mut String| *whole = text::tame(whole, characters);
    report.tenants.truncate(tenants);
    for alert in &mut report.alerts.oldest {
        tame(&mut alert.tenant.name);
        tame(&mut alert.rule);
        alert.subject.iter_mut().for_each(tame);
    }
    for unread in &mut report.blind.tenants {
        tame(&mut unread.tenant.name);
        tame(&mut unread.class);
    }
    for moved in report.scores.iter_mut().flat_map(|score| score.worse.iter_mut().chain(&mut score.better)) {
        tame(&mut moved.tenant.name);
        moved.subject.iter_mut().for_each(tame);
    }
}

fn firing(report: &ReportFacts, words: &Words) -> String {
    let alerts = &report.alerts;
    let by_severity =
        [(alerts.critical, Severity::Critical), (alerts.warning, Severity::Warning), (alerts.info, Severity::Info)];
    let some = by_severity.into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, severity)| (words.line.severities)(count, severity)).collect();
    if some.is_empty() { words.line.no_alert.to_owned() } else { words.labelled(words.line.firing, &some.join(", ")) }
}

fn alert(alert: &ReportAlert, locale: &Locale) -> String {
    let words = locale.words();
    let sign = match alert.severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    };
    let name = |score| (words.score)(score, alert.subject.as_deref());
    let score = alert.score.map_or_else(|| words.all_scores.to_owned(), name);
    let since = (words.line.since)(&locale.time(alert.since));
    format!("{sign} {} · {} · {since}", words.labelled(&alert.tenant.name, &score), alert.rule)
}

fn unread(unread: &ReportUnread, locale: &Locale) -> String {
    let words = locale.words();
    let since = (words.line.since)(&locale.time(unread.since));
    format!("⚠️ {} · {since}", words.labelled(&unread.tenant.name, &words.reason.class_named(&unread.class)))
}

/// `None`: there is nothing that did not arrive.
fn messages(report: &ReportFacts, words: &Words) -> Option<String> {
    let deliveries = report.deliveries;
    let held = (deliveries.held > 0).then(|| (words.line.held)(deliveries.held));
    let dead = (deliveries.dead > 0).then(|| (words.line.given_up)(deliveries.dead));
    let said: Vec<String> = held.into_iter().chain(dead).collect();
    (!said.is_empty()).then(|| words.labelled(words.line.messages_here, &said.join(", ")))
}

/// What moved one way, and how much more did than is named.
fn moves(score: &ReportScore, way: &str, count: usize, moves: &[ReportMove], words: &Words) -> Vec<String> {
    let line = |moved: &ReportMove| {
        let name = (words.score)(score.kind, moved.subject.as_deref());
        let level = |value: f64, other: f64| {
            let number = display::among(value, &[other]);
            if score.kind.unit() == Unit::Percent { words.percent(&number) } else { words.decimals(&number) }
        };
        let say = if moved.change < 0.0 { words.alert.fell } else { words.alert.rose };
        let said = say(&name, &level(moved.before, moved.value), &level(moved.value, moved.before));
        words.labelled(way, &words.labelled(&moved.tenant.name, &said))
    };
    let mut lines: Vec<String> = moves.iter().map(line).collect();
    if count > moves.len() {
        let more = (words.line.more_of_score)(count - moves.len(), &(words.score)(score.kind, None));
        lines.push(words.labelled(way, &more));
    }
    lines
}
