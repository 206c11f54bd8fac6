//! A digest in words: one line for each of its items, in paragraphs that fit the texts of a message.

use super::{
    fold::{self, Folded, fold},
    phrases::{counted, duration, loss, moved},
};
use crate::{
    domain::Severity,
    notify::{
        Notification,
        notification::{DigestFacts, DigestItem, DigestRest},
    },
    rule::{Resolution, display::number},
};

/// Most characters of one paragraph, as [`weight`] counts them. A section of a Slack message has room for 3,000.
const PARAGRAPH_MAX: usize = 2_800;

/// The most counts of what is left out that are shown.
const COUNTS_MAX: usize = 6;

/// One line for each item, or for many that say the same, then how many more there are, and where to find them. `sign` is how
/// bad an item is, `headline` what it says.
pub(super) fn lines(
    items: &[DigestItem],
    left_out: usize,
    digest: Option<&DigestFacts>,
    sign: impl Fn(&Notification) -> &'static str,
    headline: impl Fn(&Notification) -> String,
) -> Vec<String> {
    let line = |folded: Folded<'_>| match folded {
        Folded::One(item) => {
            let notification = Notification::from(item.clone());
            line(format!("{} {}", sign(&notification), headline(&notification)), &notification)
        }
        Folded::Many { first, text } => format!("{} {text}", sign(&Notification::from(first.clone()))),
    };
    let mut lines: Vec<String> = fold(items).into_iter().map(line).collect();
    match digest {
        Some(digest) => lines.extend(more(digest)),
        None if left_out > 0 => lines.push(format!("… and {left_out} more")),
        None => {}
    }
    lines
}

/// The tenants that an outage hits, on one line. Each of them is in the message's items.
pub(super) fn hit(items: &[DigestItem], left_out: usize) -> Vec<String> {
    let names = items.iter().filter_map(|item| item.tenant.as_ref()).map(|tenant| tenant.name.as_str());
    let count = items.len() + left_out;
    if items.is_empty() {
        Vec::new()
    } else {
        vec![format!("{}: {}", counted(count, "tenant"), fold::names(names, count))]
    }
}

/// What a digest does not show, by severity and rule: `… and 70 more: 10 critical (drop), 60 warning (low)`.
fn more(digest: &DigestFacts) -> Vec<String> {
    let total: usize = digest.more.iter().map(|more| more.count).sum();
    if total == 0 {
        return Vec::new();
    }
    let count = |more: &DigestRest| {
        let what = match more.severity {
            _ if more.is_over => " ended".to_owned(),
            Some(severity) => format!(" {severity}"),
            None => String::new(),
        };
        let rule = more.rule.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default();
        format!("{}{what}{rule}", more.count)
    };
    let mut counts: Vec<String> = digest.more.iter().take(COUNTS_MAX).map(count).collect();
    let others: usize = digest.more.iter().skip(COUNTS_MAX).map(|more| more.count).sum();
    counts.extend((others > 0).then(|| format!("{others} others")));
    let mut lines = vec![format!("… and {total} more: {}", counts.join(", "))];
    lines.extend(digest.delivery.map(|number| format!("All of them: scorewatch deliveries show {number}")));
    lines
}

/// What happened, `38 alerts at 19 tenants, 2 critical: Trey Research −23%`, and what else there is, `; 1 ended`.
pub(super) fn headline(digest: Option<&DigestFacts>, items: &[DigestItem], left_out: usize) -> (String, String) {
    let Some(DigestFacts { firing, critical, tenants, ended, operator, .. }) = digest else {
        return (counted(items.len() + left_out, "message"), String::new());
    };
    let at = if *tenants > 0 { format!(" at {}", counted(*tenants, "tenant")) } else { String::new() };
    let mut others = Vec::new();
    if *firing > 0 {
        others.extend((*ended > 0).then(|| format!("{ended} ended")));
    } else if *ended > 0 {
        others.push(format!("{} ended{at}", counted(*ended, "alert")));
    }
    others.extend((*operator > 0).then(|| format!("{} about Scorewatch itself", counted(*operator, "message"))));
    let others = others.join(", ");
    if *firing == 0 {
        let what = if others.is_empty() { counted(items.len() + left_out, "message") } else { others };
        return (what, String::new());
    }
    let critical = if *critical > 0 { format!(", {critical} critical") } else { String::new() };
    let worst = worst(items).map(|worst| format!(": {worst}")).unwrap_or_default();
    let others = if others.is_empty() { others } else { format!("; {others}") };
    (format!("{}{at}{critical}{worst}", counted(*firing, "alert")), others)
}

/// How many alerts of each severity fire, and what else there is, as a sentence: `2 critical, 35 warning, 1 ended.`
pub(super) fn counts(digest: &DigestFacts) -> Option<String> {
    let DigestFacts { critical, warning, info, ended, operator, .. } = *digest;
    let counts = [
        (critical, "critical"),
        (warning, "warning"),
        (info, "info"),
        (ended, "ended"),
        (operator, "about Scorewatch itself"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (said.len() > 1).then(|| format!("{}.", said.join(", ")))
}

/// The gravest alert that fires, in a few words.
fn worst(items: &[DigestItem]) -> Option<String> {
    let fires = |item: &&DigestItem| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none());
    let item = items.iter().filter(|item| item.operator.is_none()).find(fires)?;
    let (tenant, score) = (item.tenant.as_ref()?, item.score.as_ref()?);
    let how = moved(score).or_else(|| Some(number(score.value?))).unwrap_or_else(|| "no data".to_owned());
    Some(format!("{} {how}", tenant.name))
}

/// How grave, who, what, how much, by which rule, which notification.
fn line(headline: String, notification: &Notification) -> String {
    let data = &notification.data;
    let lasted = data.alert.as_ref().and_then(|alert| Some(alert.resolved_at?.since(alert.started_at)));
    // The percentage is in the headline, unless the value was not compared with anything.
    let is_said = data.score.as_ref().is_some_and(|score| moved(score).is_some());
    let loss = loss(data).filter(|_| lasted.is_none() && !is_said).map(|loss| {
        let verb = if loss.starts_with("gained") { "" } else { "lost " };
        format!(", {verb}{loss}")
    });
    let excluded = data.score.as_ref().and_then(|score| score.excluded.as_ref());
    let excluded = excluded.map(|excluded| match excluded.controls.len() {
        1 => ", 1 control excluded".to_owned(),
        count => format!(", {count} controls excluded"),
    });
    [
        Some(headline),
        loss,
        excluded,
        lasted.map(|lasted| format!(" after {}", duration(lasted))),
        data.rule.as_ref().map(|rule| format!(" · {}", rule.name)),
        Some(format!(" · {}", data.notification.short_id)),
        Some(earlier(data.notification.covers.len())),
        data.notification.possible_duplicate.then(|| " · possible duplicate".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a message says of earlier ones that it covers.
pub(super) fn earlier(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " · with 1 earlier message".to_owned(),
        _ => format!(" · with {count} earlier messages"),
    }
}

/// How a digest looks: as bad as the worst of its items.
pub(super) fn look(items: &[DigestItem]) -> (&'static str, &'static str) {
    let is_over = |item: &DigestItem| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
    let fires = |severity| {
        items.iter().any(|item| !is_over(item) && item.alert.as_ref().is_some_and(|alert| alert.severity == severity))
    };
    let is_neutral = |item: &DigestItem| {
        let resolution = item.alert.as_ref().and_then(|alert| alert.resolution);
        resolution.is_some_and(|resolution| resolution != Resolution::Recovered)
    };
    if fires(Severity::Critical) {
        ("🔴", "attention")
    } else if fires(Severity::Warning) {
        ("🟠", "warning")
    } else if items.iter().any(|item| item.operator.is_some() && !is_over(item)) {
        ("⚠️", "warning")
    } else if fires(Severity::Info) {
        ("🔵", "accent")
    } else if items.iter().any(is_neutral) {
        ("⚪", "default")
    } else {
        ("✅", "good")
    }
}

/// The lines, in order, together as far as they fit one text.
pub(super) fn paragraphs(lines: &[String]) -> Vec<Vec<String>> {
    let mut paragraphs: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for line in lines {
        let weight = weight(line) + 1;
        match paragraphs.last_mut() {
            Some(paragraph) if weight <= room => paragraph.push(line.clone()),
            _ => {
                room = PARAGRAPH_MAX;
                paragraphs.push(vec![line.clone()]);
            }
        }
        room = room.saturating_sub(weight);
    }
    paragraphs
}

/// How many characters a text has at most once a receiver's escapes are in it.
pub(super) fn weight(text: &str) -> usize {
    text.chars()
        .map(|letter| match letter {
            '&' | '<' | '>' => 5,
            _ if letter.is_ascii_punctuation() => 2,
            _ => letter.len_utf16(),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_keep_every_line_in_order_and_their_size() {
        let lines: Vec<String> = (1..=50).map(|number| format!("{number} & {}", "x".repeat(number * 7))).collect();
        let paragraphs = paragraphs(&lines);
        assert_eq!(paragraphs.concat(), lines);
        assert!(paragraphs.len() > 1);
        for paragraph in paragraphs {
            assert!(weight(&paragraph.join("\n")) <= PARAGRAPH_MAX);
        }
    }
}
