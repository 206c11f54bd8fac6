//! The headline of a message: who, what, from what to what, how bad. It fits a phone's lock screen.

use super::{
    lines,
    phrases::{Numbers, is_lower_better, moved},
    report,
    score_name::{Room, name_of},
    shift, text,
};
use crate::{
    notify::{
        Notification, NotificationType,
        language::{
            Locale, Words,
            alert::{End, EndReason, Lack, Subject},
            capitalized,
        },
        notification::{Facts, ScoreFacts},
    },
    page,
};

/// Most characters of a headline together with the sign before it: what phones show of a message without opening it.
pub(super) const HEADLINE_CHARACTERS_MAX: usize = 80;
/// The sign for how bad it is, and the blank after it.
const SIGN_CHARACTERS: usize = 3;
/// As much of a tenant's name is shown, with the colon after it, whatever else there is to say.
const NAME_CHARACTERS_MIN: usize = 22;

/// What a headline is made of.
#[derive(Default)]
struct Parts {
    mark: &'static str,
    /// The tenant's name; empty: it is about none, or about several.
    who: String,
    /// What follows the name.
    colon: String,
    what: String,
    /// How bad it is; goes in brackets, the least important first.
    how_bad: Vec<String>,
    /// What else there is to say.
    rest: String,
}

impl Parts {
    /// The characters of the name, with what follows it.
    fn name_length(&self) -> usize {
        self.who.chars().count() + self.colon.chars().count()
    }

    /// The name, without its end if it is longer than that, with what follows it.
    fn name(&self, characters_max: usize) -> String {
        let room = characters_max.saturating_sub(self.colon.chars().count());
        format!("{}{}", text::cut(&self.who, room), self.colon)
    }

    /// All but the mark and the name, without the first of what says how bad it is.
    fn said(&self, without: usize) -> String {
        let facts = self.how_bad.get(without..).unwrap_or_default();
        let how_bad = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let rest = if without > self.how_bad.len() { "" } else { &self.rest };
        format!("{}{how_bad}{rest}", self.what)
    }
}

/// The headline as it is shown. What does not fit is left out: the end of a long name, then what says how bad it is, piece by
/// piece, then the end of the score's name.
pub(super) fn headline(notification: &Notification, left_out: usize, locale: &Locale) -> String {
    let whole = parts(notification, left_out, Room::Ample, locale);
    let room = HEADLINE_CHARACTERS_MAX - SIGN_CHARACTERS - whole.mark.chars().count();
    let least = whole.name_length().min(NAME_CHARACTERS_MIN);
    let is_too_long = least + whole.said(0).chars().count() > room;
    let parts = if is_too_long { parts(notification, left_out, Room::Scarce, locale) } else { whole };
    for without in 0..=parts.how_bad.len() + 1 {
        let said = parts.said(without);
        let length = said.chars().count();
        if least + length <= room {
            return format!("{}{}{said}", parts.mark, parts.name(room - length));
        }
    }
    let who = parts.name(NAME_CHARACTERS_MIN);
    let room = room.saturating_sub(who.chars().count());
    let said = text::cut(&with_score_cut(parts.what, room, notification, locale), room);
    format!("{}{who}{said}", parts.mark)
}

/// What happened, with a score's name that is cut by what is too much: the numbers at the end are what people act on.
fn with_score_cut(what: String, room: usize, notification: &Notification, locale: &Locale) -> String {
    let (data, words) = (&notification.data, locale.words());
    let surplus = what.chars().count().saturating_sub(room);
    let Some(score) = data.score.as_ref().filter(|_| surplus > 0 && data.operator.is_none()) else { return what };
    let name = name_of(data, score, words, Room::Scarce).text.chars().count();
    happened(notification, score, words, Room::AtMost(name.saturating_sub(surplus))).0
}

/// Whether the headline must say that larger numbers are bad news.
pub(super) fn needs_direction(notification: &Notification) -> bool {
    let data = &notification.data;
    let is_worse = |score: &ScoreFacts| score.value.is_some() && is_lower_better(score);
    notification.kind != NotificationType::AlertResolved
        && data.operator.is_none()
        && data.score.as_ref().is_some_and(is_worse)
}

/// The same in full, for a line of a longer message.
pub(super) fn in_full(notification: &Notification, locale: &Locale) -> String {
    let parts = parts(notification, 0, Room::Ample, locale);
    format!("{}{}{}", parts.mark, parts.name(usize::MAX), parts.said(0))
}

fn parts(notification: &Notification, left_out: usize, room: Room, locale: &Locale) -> Parts {
    let (data, words) = (&notification.data, locale.words());
    let is_test = data.notification.test && notification.kind != NotificationType::Drill;
    let mark = match notification.kind {
        _ if is_test => words.alert.test_mark,
        NotificationType::AlertEscalated => words.alert.escalated_mark,
        _ => "",
    };
    let who = data.tenant.as_ref().map(|tenant| tenant.name.clone());
    let colon = if who.is_some() { format!("{}: ", words.before_colon) } else { String::new() };
    let parts = Parts { mark, who: who.unwrap_or_default(), colon, ..Parts::default() };
    if let Some(operator) = &data.operator {
        let is_one_blind = notification.kind == NotificationType::OperatorBlind && data.tenant.is_some();
        let class = (is_one_blind && operator.until.is_none()).then(|| operator.class.clone());
        let what = operator.headline.clone().unwrap_or_else(|| operator.summary.clone());
        let what = if data.tenant.is_none() { capitalized(&what) } else { what };
        return Parts { what, how_bad: class.into_iter().collect(), ..parts };
    }
    if let Some(score) = &data.score {
        let (what, how_bad) = happened(notification, score, words, room);
        return Parts { what, how_bad, ..parts };
    }
    let only = |what: &str| (what.to_owned(), String::new());
    let (what, rest) = match notification.kind {
        NotificationType::Report => {
            (data.report.as_ref().map(|report| report::headline(report, locale)).unwrap_or_default(), String::new())
        }
        NotificationType::MonthReport => (data.month.as_deref().map(page::headline).unwrap_or_default(), String::new()),
        NotificationType::FleetShift => {
            data.fleet.as_ref().map(|fleet| shift::headline(fleet, words)).unwrap_or_default()
        }
        NotificationType::Digest => lines::headline(data.digest.as_ref(), &data.items, left_out, words),
        NotificationType::Test => only(words.alert.can_be_reached),
        NotificationType::Drill => only(words.alert.is_drill),
        NotificationType::AlertResolved => only(words.alert.is_over),
        kind => (kind.as_str().replace('.', ": "), String::new()),
    };
    Parts { what: capitalized(&what), rest, ..parts }
}

/// What happened, and how bad it is.
fn happened(notification: &Notification, score: &ScoreFacts, words: &Words, room: Room) -> (String, Vec<String>) {
    let (kind, data, alert) = (notification.kind, &notification.data, &words.alert);
    let numbers = Numbers::of(data, score, words);
    let subject = name_of(data, score, words, room);
    let name = &subject.text;
    if kind == NotificationType::AlertResolved {
        return ((alert.ended)(&subject, &end(data, numbers.value.as_deref())), Vec::new());
    }
    let Some(value) = &numbers.value else {
        return (without_data(notification, &subject, words), Vec::new());
    };
    let what = match (kind, &numbers.baseline, &numbers.previous) {
        (NotificationType::AlertReminder, ..) => (alert.still)(name, value),
        (NotificationType::AlertUnstable, ..) => (alert.keeps_changing)(name),
        (NotificationType::AlertWorsened, _, previous) => (alert.worsened)(name, value, previous.as_deref()),
        (_, Some(baseline), _) if score.value < score.baseline => (alert.fell)(name, baseline, value),
        (_, Some(baseline), _) => (alert.rose)(name, baseline, value),
        (_, None, _) => (alert.is)(name, value),
    };
    let mut facts = Vec::new();
    facts.extend(moved(score, words).map(|moved| match (kind, &numbers.baseline) {
        (NotificationType::AlertWorsened, _) => (alert.overall)(&moved),
        (NotificationType::AlertReminder, Some(baseline)) => (alert.moved_from)(&moved, baseline),
        _ => moved,
    }));
    let rule = data.rule.as_ref().filter(|_| says_condition(data));
    facts.extend(rule.map(|rule| words.condition(&rule.condition, Some(score.kind.unit()))));
    facts.extend(is_lower_better(score).then(|| alert.higher_is_worse.to_owned()));
    (what, facts)
}

/// Whether the headline says the condition: that is shorter than what a value was compared with.
pub(super) fn says_condition(data: &Facts) -> bool {
    let is_bound = |condition: &str| condition.starts_with("below ") || condition.starts_with("above ");
    data.rule.as_ref().is_some_and(|rule| is_bound(&rule.condition))
        && data.score.as_ref().is_some_and(|score| score.value.is_some())
}

/// How an alert ended.
fn end<'a>(data: &Facts, value: Option<&'a str>) -> End<'a> {
    let alert = data.alert.as_ref();
    let why = alert.and_then(|alert| alert.resolution).and_then(EndReason::of);
    match (why, value) {
        (Some(EndReason::Accepted), Some(value)) => End::Accepted(value),
        (Some(why), _) => End::Because(why),
        (None, _) if alert.is_some_and(|alert| alert.reason.is_some()) => End::Over,
        (None, Some(value)) if !data.no_data.is_empty() => End::ReadAgain(Some(value)),
        (None, Some(value)) => End::Recovered(value),
        (None, None) => End::ReadAgain(None),
    }
}

/// That there is no data, and for how long.
fn without_data(notification: &Notification, subject: &Subject, words: &Words) -> String {
    let data = &notification.data;
    let since = data.no_data.iter().map(|one| one.since).min();
    let since = since.or_else(|| data.alert.as_ref().map(|alert| alert.started_at));
    let lasted = since.map(|since| notification.timestamp.since(since));
    let before = data.no_data.iter().filter(|one| !one.is_new).count();
    let lack = match (notification.kind, lasted) {
        (NotificationType::AlertWorsened, _) if (1..data.no_data.len()).contains(&before) => {
            Lack::More { total: data.no_data.len(), before }
        }
        (NotificationType::AlertReminder, Some(lasted)) => Lack::Still(lasted),
        (_, Some(lasted)) => Lack::For(lasted),
        (_, None) => Lack::Unknown,
    };
    (words.alert.without_data)(subject, &lack)
}
