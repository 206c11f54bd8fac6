//! Writes the texts of a notification anew, in a channel's language and time zone.

use super::{Locale, capitalized, operator::Said};
use crate::notify::{
    Notification,
    facts::{
        cause::{Cause, CauseChange},
        score::NoDataFacts,
        wording::{Failure, News, Remark},
    },
    notification::{Facts, OperatorFacts},
};

/// The notification with every text that has a value behind it in that language and time zone, and without those values. A text
/// that has none stays as it is: what failed gave it, or an older version wrote it.
#[must_use]
pub fn in_words(notification: &Notification, locale: &Locale) -> Notification {
    let mut said = notification.clone();
    facts(&mut said.data.facts, locale);
    said.data.causes.iter_mut().for_each(|one| cause(one, locale));
    for item in &mut said.data.items {
        facts(&mut item.facts, locale);
    }
    said
}

fn facts(facts: &mut Facts, locale: &Locale) {
    let words = locale.words();
    for one in &mut facts.no_data {
        no_data(one, locale);
    }
    if let Some(operator) = &mut facts.operator {
        self::operator(operator, locale);
    }
    let is_advised = facts.operator.as_ref().is_some_and(|operator| operator.hint.is_some());
    if let Some(alert) = &mut facts.alert
        && let Some(remark) = alert.remark.take()
    {
        // What the operator is advised to do is said once.
        let remark = if is_advised { without_advice(remark) } else { remark };
        alert.reason = match remark {
            Remark::NoData => Some(reasons(&facts.no_data, locale)),
            remark => (words.reason.remark)(&remark, locale),
        };
    }
    if let Some(why) = facts.why.take() {
        facts.explanation = Some((words.reason.why)(&why, words));
    }
}

fn without_advice(remark: Remark) -> Remark {
    match remark {
        Remark::Unread { last_reading, failure } => {
            Remark::Unread { last_reading, failure: failure.map(|failure| Failure { hint: None, ..failure }) }
        }
        remark => remark,
    }
}

fn cause(cause: &mut Cause, locale: &Locale) {
    let words = locale.words();
    if let Some(change) = cause.change.take() {
        cause.detail = Some((words.reason.change)(&change, words));
    }
}

impl CauseChange {
    /// What changed, in English, as it is kept.
    #[must_use]
    pub fn in_english(&self) -> String {
        let locale = Locale::default();
        let words = locale.words();
        (words.reason.change)(self, words)
    }
}

fn no_data(facts: &mut NoDataFacts, locale: &Locale) {
    let words = locale.words();
    let Some(lack) = facts.lack.take() else { return };
    facts.reason = (words.reason.failure)(lack.failure(), locale);
    if let Some(class) = &facts.class {
        facts.cause = Some(words.reason.class_named(class));
        facts.hint = facts.hint.as_deref().map(|hint| words.reason.hint_for(class, hint));
    }
}

fn operator(facts: &mut OperatorFacts, locale: &Locale) {
    let Some(news) = facts.news.take() else { return };
    let Said { summary, headline, detail, hint } =
        (locale.words().operator.news)(&news, facts.channel.as_deref().unwrap_or_default());
    (facts.summary, facts.headline, facts.detail, facts.hint) = (summary, headline, detail, hint);
    facts.tenants = match news {
        News::Outage { count, .. } | News::OutageOver { count, .. } => Some(count),
        _ => None,
    };
}

impl OperatorFacts {
    /// What a message says, in English and as a value.
    #[must_use]
    pub fn of(news: News, class: impl Into<String>, channel: Option<String>) -> Self {
        let mut facts = Self { class: class.into(), channel, news: Some(news.clone()), ..Self::default() };
        operator(&mut facts, &Locale::default());
        facts.news = Some(news);
        facts
    }
}

/// Why each of several scores gives no data. Scores with the same reason are named together; where all have one, none is named.
fn reasons(no_data: &[NoDataFacts], locale: &Locale) -> String {
    let words = locale.words();
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for facts in no_data {
        let score = (words.score)(facts.kind, None);
        match reasons.iter_mut().find(|(reason, _)| *reason == facts.reason) {
            Some((_, scores)) => scores.push(score),
            None => reasons.push((&facts.reason, vec![score])),
        }
    }
    match reasons.as_slice() {
        [(reason, _)] => (*reason).to_owned(),
        reasons => {
            let line = |(reason, scores): &(&str, Vec<String>)| {
                capitalized(&words.labelled(&scores.join(", "), &words.after_colon(reason)))
            };
            reasons.iter().map(line).collect::<Vec<_>>().join(" ")
        }
    }
}

/// Why checks fail, in English, as it is kept.
#[must_use]
pub fn failure(failure: Option<&Failure>) -> String {
    (Locale::default().words().reason.failure)(failure, &Locale::default())
}

/// What the message of an alert says in addition to its numbers, in English, as it is kept.
#[must_use]
pub fn remark(remark: &Remark, no_data: &[NoDataFacts]) -> Option<String> {
    let locale = Locale::default();
    match remark {
        Remark::NoData => Some(reasons(no_data, &locale)),
        remark => (locale.words().reason.remark)(remark, &locale),
    }
}
