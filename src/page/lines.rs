//! A tenant's month in a few lines, for a chat and for a mail's plain text.

use super::{
    axis::Axis,
    bars::blocks,
    language::Words,
    report::{Action, Alert, Change, Changes, Page, Score, Side, Writer},
};
use crate::notify::facts::month::MonthFacts;

/// The most that is listed of a kind in a chat: what was lost, what was gained, alerts, next actions.
const TOP: usize = 3;
/// The most scores that are listed in a chat.
const SCORES_MAX: usize = 8;

/// What it is: `Security report, November 2026`.
#[must_use]
pub fn headline(facts: &MonthFacts) -> String {
    let words = Words::of(facts.language);
    let month = facts.report.month;
    format!("{}, {} {}", words.title, words.month(month.number()), month.year())
}

/// The month in at most `room` lines, the weightiest first; then how many more there are.
#[must_use]
pub fn lines(facts: &MonthFacts, room: usize) -> Vec<String> {
    let writer = Writer { words: Words::of(facts.language) };
    let mut lines = of_page(&writer, facts, &writer.page(&facts.report, &facts.brand), TOP, SCORES_MAX);
    let more = lines.len().saturating_sub(room);
    lines.truncate(room);
    if more > 0 {
        lines.push((writer.words.more)(more));
    }
    lines
}

/// The page as lines, with at most `top` of each kind.
pub(super) fn of_page(writer: &Writer, facts: &MonthFacts, page: &Page, top: usize, scores_max: usize) -> Vec<String> {
    let words = writer.words;
    let mut lines: Vec<String> = page.month_goes_on.iter().map(|text| (*text).to_owned()).collect();
    for (score, month) in page.scores.iter().zip(&facts.report.scores).take(scores_max) {
        lines.push(format!("{} · {}", words.labelled(&score.name, &score.value), score.change));
        let axis = Axis::of(month.score.unit(), &month.days);
        lines.push(trend(score, &blocks(&month.days, facts.report.month.days(), axis)));
    }
    lines.extend(more(writer, page.scores.len(), scores_max));
    if page.scores.is_empty() {
        lines.push(page.no_scores.to_owned());
    }
    lines.extend(page.excluded.iter().cloned());
    lines.extend(page.failing.clone());
    lines.extend(page.changes.iter().flat_map(|changes| changed(writer, page.changes_title, changes, top)));
    if page.alerts.is_empty() {
        lines.push(page.no_alerts.to_owned());
    } else {
        lines.push(words.labelled(page.alerts_title, &facts.report.alerts.len().to_string()));
        lines.extend(page.alerts.iter().take(top).map(alert));
        lines.extend(more(writer, facts.report.alerts.len(), top));
    }
    if page.has_actions {
        lines.push(words.heading(page.actions_title));
        lines.extend(best(page, top).into_iter().map(|one| action(one, words)));
        lines.extend(page.no_actions.map(str::to_owned));
        lines.extend(page.actions_failed.iter().cloned());
    }
    lines
}

/// The actions that gain most, whatever their score.
fn best(page: &Page, top: usize) -> Vec<&Action> {
    // Each score's actions are in order; the first of each come first.
    let mut ranked: Vec<(usize, &Action)> = Vec::new();
    for action in &page.actions {
        let rank = ranked.iter().filter(|(_, other)| other.score == action.score).count();
        ranked.push((rank, action));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(top).map(|(_, action)| action).collect()
}

fn trend(score: &Score, blocks: &str) -> String {
    let drawn = format!("{blocks} {}", score.lowest);
    let parts: Vec<&str> =
        [&drawn, &score.highest].into_iter().chain(&score.beyond).chain(&score.gaps).map(String::as_str).collect();
    parts.join(" · ")
}

fn more(writer: &Writer, count: usize, listed: usize) -> Option<String> {
    (count > listed).then(|| (writer.words.more)(count - listed))
}

fn changed(writer: &Writer, title: &str, changes: &Changes, top: usize) -> Vec<String> {
    let words = writer.words;
    let mut lines = vec![words.heading(title)];
    lines.extend(changes.note.clone());
    lines.extend(changes.summary.map(str::to_owned));
    for Side { title, rows, none, count, .. } in &changes.sides {
        if rows.is_empty() {
            lines.push((*none).to_owned());
            continue;
        }
        lines.push(words.heading(title));
        lines.extend(rows.iter().take(top).map(|one| change(one, words)));
        lines.extend(more(writer, *count, top.min(rows.len())));
    }
    lines
}

fn change(Change { title, kind, points, .. }: &Change, words: &Words) -> String {
    format!("• {} ({kind})", words.labelled(points, title))
}

fn alert(alert: &Alert) -> String {
    let severity = alert.severity.map(|severity| format!("{severity} · ")).unwrap_or_default();
    let acknowledged = alert.acknowledged.map(|text| format!(" · {text}")).unwrap_or_default();
    format!("• {severity}{} · {} · {}{acknowledged}", alert.score, alert.rule, alert.since)
}

fn action(action: &Action, words: &Words) -> String {
    format!("• {} ({})", words.labelled(&action.points, &action.title), action.score)
}
