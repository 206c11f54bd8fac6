//! A trace on one screen, or with everything that is known. The verdict stands last, where the eye is when the command ends.

use super::words;
use crate::{
    cli::output,
    config::Tenant,
    domain::{Sample, Timestamp},
    query::explain::{Message, SeriesTrace, Trace},
    rule::{AlertState, Rule, display},
};

/// The most lines that are shown unless everything is asked for: a terminal that nobody has enlarged much.
const LINES_MAX: usize = 40;
/// Of a long list of series, the fewest that get a line.
const OTHERS_MIN: usize = 2;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What fits one screen.
    Screen,
    Everything,
}

impl Detail {
    /// The first items of a list of which one screen shows `most`, and how many are left out.
    fn first<T>(self, items: &[T], most: usize) -> (&[T], usize) {
        let shown = if self == Self::Everything { items.len() } else { most.min(items.len()) };
        (&items[..shown], items.len() - shown)
    }
}

/// The columns of a terminal that nobody has widened.
const COLUMNS: usize = 80;
/// How many lines at the end are never cut: what to do, and the verdict.
const LAST: usize = 2;

/// The lines that fit this number of rows of a terminal, the last ones among them.
pub(super) fn cut(lines: Vec<String>, rows_max: usize) -> Vec<String> {
    let rows = |line: &String| line.chars().count().div_ceil(COLUMNS).max(1);
    if lines.iter().map(rows).sum::<usize>() <= rows_max {
        return lines;
    }
    let (head, tail) = lines.split_at(lines.len().saturating_sub(LAST));
    let room = rows_max.saturating_sub(1 + tail.iter().map(rows).sum::<usize>());
    let ends = head.iter().scan(0, |taken, line| {
        *taken += rows(line);
        Some(*taken)
    });
    let shown = ends.take_while(|end| *end <= room).count();
    let more = match head.len() - shown {
        1 => "    … 1 more line; `-v` shows everything".to_owned(),
        left => format!("    … {left} more lines; `-v` shows everything"),
    };
    [&head[..shown], std::slice::from_ref(&more), tail].concat()
}

/// The trace as lines.
pub(super) fn lines(trace: &Trace, rule: &Rule, tenant: &Tenant, detail: Detail) -> Vec<String> {
    let mut head = vec![format!("{} ({}), rule {}", tenant.name, trace.tenant, trace.rule), words::reads(rule)];
    head.extend(rule.guide.about.as_ref().map(|about| format!("  {about}")));
    if !trace.applies {
        head.push("It does not apply to this tenant.".to_owned());
    }
    let (decisions, more) = detail.first(&trace.decisions, 6);
    head.extend(decisions.iter().map(words::decision));
    head.extend(left_out(more, "more"));
    let mut foot = vec![String::new(), words::notified_channels(&trace.notified)];
    foot.extend(rule.guide.runbook.as_ref().map(|runbook| format!("What to do: {runbook}")));
    let mut series: Vec<&SeriesTrace> = trace.series.iter().collect();
    // What fires comes first; the order is otherwise kept.
    series.sort_by_key(|series| rank(series));
    let (whole, others) =
        series.split_at(if detail == Detail::Everything { series.len() } else { series.len().min(1) });
    let mut body = Vec::new();
    for series in whole {
        body.push(String::new());
        body.extend(of_series(series, rule, trace.now, detail));
    }
    let verdicts = verdicts(&series);
    if !others.is_empty() {
        let taken = head.len() + body.len() + foot.len() + verdicts.len() + 2;
        let (shown, more) = detail.first(others, LINES_MAX.saturating_sub(taken).max(OTHERS_MIN));
        body.push(String::new());
        body.extend(shown.iter().map(|series| short(series)));
        body.extend(left_out(more, "more series"));
    }
    [head, body, foot, verdicts].concat()
}

/// Firing alerts come first, then pending ones.
fn rank(series: &SeriesTrace) -> u8 {
    match series.alert.state {
        AlertState::Firing(_) => 0,
        AlertState::Pending(_) => 1,
        AlertState::Inactive => 2,
    }
}

/// Says how many are not shown, and how to see them.
fn left_out(count: usize, what: &str) -> Option<String> {
    (count > 0).then(|| format!("    … {count} {what}; `-v` shows everything"))
}

/// Each verdict with the series that it is about; a single series needs no name.
fn verdicts(series: &[&SeriesTrace]) -> Vec<String> {
    const NAMES_MAX: usize = 3;
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for one in series {
        let verdict = words::verdict(one.outcome());
        match said.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, names)) => names.push(words::name(one)),
            None => said.push((verdict, vec![words::name(one)])),
        }
    }
    let line = |(verdict, names): &(&str, Vec<String>)| {
        if series.len() == 1 {
            return format!("=> {verdict}");
        }
        let more = names.len().saturating_sub(NAMES_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("=> {}{more}: {verdict}", names[..names.len().min(NAMES_MAX)].join(", "))
    };
    said.iter().map(line).collect()
}

/// A series in one line.
fn short(series: &SeriesTrace) -> String {
    let value = series.readings.last().map_or_else(|| "no reading".to_owned(), |last| display::number(last.value));
    format!(
        "{}: {}, {value}  {}",
        words::name(series),
        words::state(&series.alert.state),
        words::sparkline(&series.drawn)
    )
}

fn of_series(series: &SeriesTrace, rule: &Rule, now: Timestamp, detail: Detail) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", words::name(series), words::state(&series.alert.state))];
    if !rule.is_no_data() {
        lines.extend(readings(&series.readings, &series.drawn, detail));
    }
    lines.extend(words::judged(&series.explanation, rule));
    lines.extend(words::coming(&series.explanation, series));
    lines.extend(messages(&series.messages, now, detail));
    if series.messages.is_empty() {
        let why = if series.alert.generation == 0 {
            "it has never fired"
        } else {
            "its messages are older than the deliveries listed here"
        };
        lines.push(format!("  no messages: {why}"));
    }
    lines
}

/// The newest readings, newest first, each with the change since the one before.
fn readings(readings: &[Sample], drawn: &[f64], detail: Detail) -> Vec<String> {
    if readings.is_empty() {
        return vec!["  readings: none yet".to_owned()];
    }
    let mut lines = vec![format!(
        "  readings: {} {}",
        words::sparkline(drawn),
        if drawn.len() == 1 { "(the only one)" } else { "(newest last)" }
    )];
    let all: Vec<_> = readings.iter().enumerate().rev().collect();
    let (shown, _) = detail.first(&all, 5);
    lines.extend(shown.iter().map(|(index, sample)| {
        let before = index.checked_sub(1).map(|before| sample.value - readings[before].value);
        let change = before
            .filter(|change| change.abs() > 0.0)
            .map(|change| format!("  {}{}", if change > 0.0 { "+" } else { "" }, display::number(change)));
        format!("    {}  {}{}", output::time(sample.at), display::number(sample.value), change.unwrap_or_default())
    }));
    lines
}

/// Messages, newest first.
pub(super) fn messages(messages: &[Message], now: Timestamp, detail: Detail) -> Vec<String> {
    let (shown, more) = detail.first(messages, 3);
    let mut lines: Vec<_> = shown.iter().flat_map(|one| message(one, now, detail)).collect();
    lines.extend(left_out(more, "older messages"));
    lines
}

/// A message with its attempts; on one screen, only with an attempt that failed.
fn message(message: &Message, now: Timestamp, detail: Detail) -> Vec<String> {
    let Message { delivery, channel, state, merged_into, next_attempt_at, attempts, notification } = message;
    let state = match (*state, merged_into) {
        (_, Some(merged_into)) => format!("{state}, with delivery {merged_into}"),
        ("queued", None) => format!("queued, next attempt {}", output::time_ago(*next_attempt_at, now)),
        _ => (*state).to_owned(),
    };
    let mut lines = vec![format!(
        "  message {} {} {} to {channel}: {state} (delivery {delivery})",
        notification.data.notification.short_id,
        notification.kind.as_str(),
        output::time_ago(notification.timestamp, now),
    )];
    let is_whole = detail == Detail::Everything;
    let shown: Vec<_> =
        attempts.iter().filter(|attempt| is_whole || attempt.outcome.as_deref() != Some("delivered")).collect();
    let first = if is_whole { 0 } else { shown.len().saturating_sub(1) };
    lines.extend(shown[first..].iter().map(|attempt| {
        let outcome =
            attempt.outcome.as_deref().unwrap_or("unknown: it is under way, or the service stopped during it");
        let error = attempt.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        format!("    attempt {} at {}: {outcome}{error}", attempt.number, output::time(attempt.started_at))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn what_is_cut_fits_the_rows_and_ends_with_the_verdict() {
        let lines: Vec<String> =
            (1..=8).map(|number| format!("{number}")).chain(["x".repeat(100), "=> it fires".to_owned()]).collect();
        assert_eq!(cut(lines.clone(), 11), lines, "eleven rows are there");
        let shown = cut(lines.clone(), 8);
        assert_eq!(shown[..5], ["1", "2", "3", "4", "    … 4 more lines; `-v` shows everything"].map(str::to_owned));
        assert_eq!(shown[5..], lines[8..]);
    }
}
