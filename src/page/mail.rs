//! A tenant's month as a mail: subject, plain text and HTML. Mail programs show no SVG and run no script, and some ignore style sheets: the
//! trend is a table of colored cells, and only what dark mode changes is in a style sheet.

use serde::Serialize;

use super::{
    PageError,
    axis::Axis,
    bars,
    language::Words,
    lines::of_page,
    render,
    report::{Page, Score, Writer},
};
use crate::notify::facts::month::MonthFacts;

const TEMPLATE: &str = include_str!("../../templates/page/mail.hbs");
/// How many rows of cells a trend has.
const LEVELS: u8 = 5;
/// The most scores whose trend is drawn: Gmail cuts off a mail of more than 102 KB.
const TRENDS_MAX: usize = 6;
/// The most scores that are listed.
const SCORES_MAX: usize = 20;
/// The most changes and next actions that the plain text lists of a kind.
const TOP: usize = 10;
/// The most alerts that are listed.
const ALERTS_MAX: usize = 10;

/// Everything that the mail shows, in words.
#[derive(Serialize)]
struct Mail {
    mark: &'static str,
    headline: String,
    footer: String,
    colon: &'static str,
    lines: Vec<String>,
    link: Option<Link>,
    scores: Vec<Trend>,
    more_scores: Option<String>,
    page: Page,
}

/// Where the reader sees more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it says, in the language of the report.
    pub title: &'static str,
    /// A page of ours; `https`.
    pub url: String,
}

/// A score with its trend.
#[derive(Serialize)]
struct Trend {
    score: Score,
    /// Rows of cells, each filled or not; empty: the trend is not drawn.
    rows: Vec<Vec<bool>>,
}

/// Writes a month as a mail's subject line, plain text and HTML, one after the other, as a mail's template does. `escape` writes a value;
/// `mark` stands before the subject; `footer` tells this message from others; `link` leads to the tenant's page, if there is one. Texts must be harmless, and links `https`.
///
/// # Errors
/// [`PageError`], which is a mistake in the program.
pub fn mail(
    facts: &MonthFacts,
    mark: &'static str,
    footer: String,
    link: Option<Link>,
    escape: fn(&str) -> String,
) -> Result<String, PageError> {
    let report = &facts.report;
    let writer = Writer { words: Words::of(facts.language) };
    let mut page = writer.page(report, &facts.brand);
    let lines = of_page(&writer, facts, &page, TOP, SCORES_MAX);
    let more_scores = writer.more(page.scores.len(), SCORES_MAX);
    page.more_alerts = writer.more(report.alerts.len(), ALERTS_MAX);
    page.alerts.truncate(ALERTS_MAX);
    let drawn = report.scores.iter().enumerate().map(|(number, score)| match number {
        0..TRENDS_MAX => {
            bars::grid(&score.days, report.month.days(), LEVELS, Axis::of(score.score.unit(), &score.days))
        }
        _ => Vec::new(),
    });
    let scores = std::mem::take(&mut page.scores).into_iter().zip(drawn).take(SCORES_MAX);
    let scores = scores.map(|(score, rows)| Trend { score, rows }).collect();
    let headline = writer.words.labelled(&page.tenant, &super::headline(facts));
    let colon = writer.words.colon;
    render(TEMPLATE, &Mail { mark, headline, footer, colon, lines, link, scores, more_scores, page }, escape)
}
