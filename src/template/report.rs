//! A report in words: what fires, what can't be read, what moved, a line each.

use super::{
    phrases::{counted, utc},
    score_name::score_name,
    text,
};
use crate::{
    domain::{ScoreKind, Severity, Unit},
    notify::facts::report::{ReportAlert, ReportFacts, ReportMove, ReportScore, ReportUnread},
    rule::display,
};

/// One sentence: of how many, from when to when.
pub(super) fn headline(report: &ReportFacts) -> String {
    let (from, until) = (utc(report.from), utc(report.until));
    format!("report on {}, {from} to {until}", counted(report.tenant_count, "tenant"))
}

/// At most `room` lines, the gravest first, then how many more there are.
pub(super) fn lines(report: &ReportFacts, room: usize) -> Vec<String> {
    let mut lines = vec![firing(report)];
    lines.extend(report.alerts.oldest.iter().map(alert));
    lines.push(match report.blind.count {
        0 => "Every tenant can be read".to_owned(),
        count => format!("Can't be read: {}", counted(count, "tenant")),
    });
    lines.extend(report.blind.tenants.iter().map(unread));
    lines.extend(messages(report));
    if report.scores.is_empty() {
        lines.push("No score has moved".to_owned());
    }
    lines.extend(report.scores.iter().flat_map(|score| moves(score, "Worse", score.worse_count, &score.worse)));
    lines.extend(report.scores.iter().flat_map(|score| moves(score, "Better", score.better_count, &score.better)));
    let more = lines.len().saturating_sub(room);
    lines.truncate(room);
    if more > 0 {
        lines.push(format!("… and {more} more"));
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

fn firing(report: &ReportFacts) -> String {
    let alerts = &report.alerts;
    let by_severity = [(alerts.critical, "critical"), (alerts.warning, "warning"), (alerts.info, "info")];
    let some = by_severity.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let some: Vec<String> = some.collect();
    if some.is_empty() { "No alert fires".to_owned() } else { format!("Alerts that fire: {}", some.join(", ")) }
}

fn alert(alert: &ReportAlert) -> String {
    let sign = match alert.severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    };
    let name = |score| score_name(score, alert.subject.as_deref());
    let score = alert.score.map_or_else(|| "all scores".to_owned(), name);
    let since = utc(alert.since);
    format!("{sign} {}: {score} · {} · since {since}", alert.tenant.name, alert.rule)
}

fn unread(unread: &ReportUnread) -> String {
    format!("⚠️ {}: {} · since {}", unread.tenant.name, unread.class, utc(unread.since))
}

/// `None`: there is nothing that did not arrive.
fn messages(report: &ReportFacts) -> Option<String> {
    let deliveries = report.deliveries;
    let held = (deliveries.held > 0).then(|| format!("{} held back", deliveries.held));
    let dead = (deliveries.dead > 0).then(|| format!("{} given up", deliveries.dead));
    let said: Vec<String> = held.into_iter().chain(dead).collect();
    (!said.is_empty()).then(|| format!("Messages to this channel: {}", said.join(", ")))
}

/// What moved one way, and how much more did than is named.
fn moves(score: &ReportScore, way: &str, count: usize, moves: &[ReportMove]) -> Vec<String> {
    let line = |moved: &ReportMove| {
        let name = score_name(score.kind, moved.subject.as_deref());
        let verb = if moved.change < 0.0 { "fell" } else { "rose" };
        let sign = if score.kind.unit() == Unit::Percent { "%" } else { "" };
        let (before, value) =
            (display::among(moved.before, &[moved.value]), display::among(moved.value, &[moved.before]));
        format!("{way}: {}: {name} {verb} from {before}{sign} to {value}{sign}", moved.tenant.name)
    };
    let mut lines: Vec<String> = moves.iter().map(line).collect();
    if count > moves.len() {
        lines.push(format!("{way}: {} more in {}", count - moves.len(), plain_name(score.kind)));
    }
    lines
}

fn plain_name(kind: ScoreKind) -> String {
    match kind {
        ScoreKind::ExposureScoreByGroup => "exposure score by device group".to_owned(),
        _ => score_name(kind, None),
    }
}
