//! A digest in words: one line for each of its items, in paragraphs that fit the texts of a message.

use serde::Serialize;

use super::{
    fold::{self, Folded, fold},
    outage,
    phrases::{loss, moved},
};
use crate::{
    domain::Severity,
    notify::{
        Notification,
        language::{Place, Words},
        notification::{DigestFacts, DigestItem, DigestRest},
    },
    rule::Resolution,
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
    words: &Words,
    sign: impl Fn(&Notification) -> &'static str,
    headline: impl Fn(&Notification) -> String,
) -> Vec<String> {
    let line = |folded: Folded<'_>| match folded {
        Folded::One(item) => {
            let notification = Notification::from(item.clone());
            line(format!("{} {}", sign(&notification), headline(&notification)), &notification, words)
        }
        Folded::Many { first, text } => format!("{} {text}", sign(&Notification::from(first.clone()))),
    };
    let mut lines: Vec<String> = fold(items, words).into_iter().map(line).collect();
    match digest {
        Some(digest) => lines.extend(more(digest, words)),
        None if left_out > 0 => lines.push((words.line.and_more)(left_out)),
        None => {}
    }
    lines
}

/// The pages of the alerts that these lines are about, in the order of [`lines`].
pub(super) fn pages(items: &[DigestItem], words: &Words) -> Vec<Option<String>> {
    let page = |folded: Folded<'_>| match folded {
        // Of many tenants that can't be read, the page on which that is fixed says more than any page of ours.
        Folded::One(item) if outage::is_outage(item) => item.links.fix.clone().or_else(|| item.links.dashboard.clone()),
        Folded::One(item) => item.links.dashboard.clone(),
        Folded::Many { .. } => None,
    };
    fold(items, words).into_iter().map(page).collect()
}

/// The same where each item has a line.
pub(super) fn own_pages(items: &[DigestItem]) -> Vec<Option<String>> {
    items.iter().map(|item| item.links.dashboard.clone()).collect()
}

/// The tenants that an outage hits, on one line. Each of them is in the message's items.
pub(super) fn hit(items: &[DigestItem], left_out: usize, words: &Words) -> Vec<String> {
    let names = items.iter().filter_map(|item| item.tenant.as_ref()).map(|tenant| tenant.name.as_str());
    let count = items.len() + left_out;
    if items.is_empty() {
        Vec::new()
    } else {
        vec![words.labelled(&words.counted(count, words.tenants), &fold::names(names, count, words))]
    }
}

/// What a digest does not show, by severity and rule: `… and 70 more: 10 critical (drop), 60 warning (low)`.
fn more(digest: &DigestFacts, words: &Words) -> Vec<String> {
    let total: usize = digest.more.iter().map(|more| more.count).sum();
    if total == 0 {
        return Vec::new();
    }
    let count = |more: &DigestRest| {
        let what = match more.severity {
            _ if more.is_over => (words.line.ended)(more.count),
            Some(severity) => (words.line.severities)(more.count, severity),
            None => more.count.to_string(),
        };
        let rule = more.rule.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default();
        format!("{what}{rule}")
    };
    let mut counts: Vec<String> = digest.more.iter().take(COUNTS_MAX).map(count).collect();
    let others: usize = digest.more.iter().skip(COUNTS_MAX).map(|more| more.count).sum();
    counts.extend((others > 0).then(|| (words.line.others)(others)));
    let mut lines = vec![(words.line.and_more_of)(total, &counts.join(", "))];
    lines.extend(digest.stored_as.as_deref().map(words.line.all_of_them));
    lines
}

/// What happened, `38 alerts at 19 tenants, 2 critical: Trey Research −23%`, and what else there is, `; 1 ended`.
pub(super) fn headline(
    digest: Option<&DigestFacts>,
    items: &[DigestItem],
    left_out: usize,
    words: &Words,
) -> (String, String) {
    let messages = || words.counted(items.len() + left_out, words.messages);
    let Some(DigestFacts { firing, critical, tenants, ended, operator, .. }) = digest else {
        return (messages(), String::new());
    };
    let mut others = Vec::new();
    if *firing > 0 {
        others.extend((*ended > 0).then(|| (words.line.ended)(*ended)));
    } else if *ended > 0 {
        others.push((words.line.alerts_ended_at)(*ended, *tenants));
    }
    others.extend((*operator > 0).then(|| (words.line.messages_about_scorewatch)(*operator)));
    let others = others.join(", ");
    if *firing == 0 {
        return (if others.is_empty() { messages() } else { others }, String::new());
    }
    let critical = (*critical > 0).then(|| format!(", {}", (words.line.severities)(*critical, Severity::Critical)));
    let what = format!("{}{}", (words.line.alerts_at)(*firing, *tenants), critical.unwrap_or_default());
    let what = match worst(items, words) {
        Some(worst) => words.labelled(&what, &worst),
        None => what,
    };
    let others = if others.is_empty() { others } else { format!("{}; {others}", words.before_colon) };
    (what, others)
}

/// How many alerts of each severity fire, and what else there is, as a sentence: `2 critical, 35 warning, 1 ended.`
pub(super) fn counts(digest: &DigestFacts, words: &Words) -> Option<String> {
    let DigestFacts { critical, warning, info, ended, operator, .. } = *digest;
    let line = &words.line;
    let said = [
        (critical > 0).then(|| (line.severities)(critical, Severity::Critical)),
        (warning > 0).then(|| (line.severities)(warning, Severity::Warning)),
        (info > 0).then(|| (line.severities)(info, Severity::Info)),
        (ended > 0).then(|| (line.ended)(ended)),
        (operator > 0).then(|| (line.about_scorewatch)(operator)),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (said.len() > 1).then(|| format!("{}.", said.join(", ")))
}

/// The gravest alert that fires, in a few words.
fn worst(items: &[DigestItem], words: &Words) -> Option<String> {
    let fires = |item: &&DigestItem| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none());
    let item = items.iter().filter(|item| item.operator.is_none()).find(fires)?;
    let (tenant, score) = (item.tenant.as_ref()?, item.score.as_ref()?);
    let how = moved(score, words).or_else(|| Some(words.number(score.value?)));
    Some(format!("{} {}", tenant.name, how.unwrap_or_else(|| words.line.no_data.to_owned())))
}

/// How grave, who, what, how much, by which rule, which notification.
fn line(headline: String, notification: &Notification, words: &Words) -> String {
    let data = &notification.data;
    let lasted = data.alert.as_ref().and_then(|alert| Some(alert.resolved_at?.since(alert.started_at)));
    // The percentage is in the headline, unless the value was not compared with anything.
    let is_said = data.score.as_ref().is_some_and(|score| moved(score, words).is_some());
    let loss = loss(data, words).filter(|_| lasted.is_none() && !is_said).map(|loss| {
        let say = if loss.is_gain { words.alert.gained } else { words.alert.lost };
        format!(", {}", say(&loss.whole()))
    });
    let excluded = data.score.as_ref().and_then(|score| score.excluded.as_ref());
    let excluded = excluded.map(|excluded| format!(", {}", (words.line.excluded)(excluded.controls.len())));
    // What is said of an outage says how long it lasted.
    let lasted = lasted.filter(|_| outage::line(notification).is_none());
    let lasted = lasted.map(|lasted| words.duration(lasted, Place::AfterPreposition));
    [
        Some(headline),
        loss,
        excluded,
        lasted.map(|lasted| format!(" {}", (words.line.after)(&lasted))),
        data.rule.as_ref().map(|rule| format!(" · {}", rule.name)),
        Some(format!(" · {}", data.notification.short_id)),
        Some(earlier(data.notification.covers.len(), words)),
        data.notification.possible_duplicate.then(|| format!(" · {}", words.alert.possible_duplicate)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a message says of earlier ones that it covers.
pub(super) fn earlier(count: usize, words: &Words) -> String {
    if count == 0 { String::new() } else { format!(" · {}", (words.alert.earlier)(count)) }
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

/// The same of lines that lead somewhere: a line weighs as much as its text, its link and the link's title.
pub(super) fn linked_paragraphs(lines: &[LinkedLine]) -> Vec<LinkedParagraph> {
    /// What a receiver's markup puts around a link, and the space before it.
    const MARKUP: usize = 8;
    let mut paragraphs: Vec<LinkedParagraph> = Vec::new();
    let mut room = 0;
    for line in lines {
        let link = line.url.as_ref().map_or(0, |url| url.len() + weight(line.title) + MARKUP);
        let weight = weight(&line.text) + link + 1;
        match paragraphs.last_mut() {
            Some(paragraph) if weight <= room => paragraph.lines.push(line.clone()),
            _ => {
                room = PARAGRAPH_MAX;
                paragraphs.push(LinkedParagraph { lines: vec![line.clone()], has_links: false });
            }
        }
        room = room.saturating_sub(weight);
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.has_links |= line.url.is_some();
        }
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

/// One line of what a message says of several alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LinkedLine {
    pub(super) text: String,
    /// What its link says.
    pub(super) title: &'static str,
    /// The page of its alert; `None`: it is about none that has a page.
    pub(super) url: Option<String>,
}

/// Lines that fit one text of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LinkedParagraph {
    lines: Vec<LinkedLine>,
    /// Whether any of them leads somewhere.
    has_links: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_links_fit_their_text_together_with_their_links() {
        let line = |number: usize| LinkedLine {
            text: format!("🔴 tenant {number}: fell from 400 to 340"),
            title: "Open alert",
            url: (!number.is_multiple_of(3)).then(|| format!("https://scores.mssp.example/alerts/alert_{number:026}")),
        };
        let lines: Vec<_> = (0..200).map(line).collect();
        let paragraphs = linked_paragraphs(&lines);
        assert_eq!(paragraphs.iter().flat_map(|paragraph| paragraph.lines.clone()).collect::<Vec<_>>(), lines);
        for LinkedParagraph { lines, has_links } in paragraphs {
            let written = |line: &LinkedLine| match &line.url {
                Some(url) => format!("{}  <{url}|{}>", line.text, line.title).len() + 1,
                None => line.text.len() + 1,
            };
            assert!(has_links && lines.iter().map(written).sum::<usize>() <= PARAGRAPH_MAX);
        }
        let plain = linked_paragraphs(&[LinkedLine { url: None, ..line(0) }]);
        assert!(!plain[0].has_links);
    }

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
