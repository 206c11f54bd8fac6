//! The headline of a message: who, what, from what to what, how bad. It fits a phone's lock screen.

use super::{
    lines,
    phrases::{Numbers, briefly, capitalized, is_lower_better, moved},
    report,
    score_name::{Name, name_of},
    shift, text,
};
use crate::{
    notify::{
        Notification, NotificationType,
        notification::{Facts, ScoreFacts},
    },
    page,
    rule::Resolution,
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
    /// The tenant's name, with what follows it; empty: it is about none, or about several.
    who: String,
    what: String,
    /// How bad it is; goes in brackets, the least important first.
    how_bad: Vec<String>,
    /// What else there is to say.
    rest: String,
}

impl Parts {
    /// All but the mark and the name, without the first of what says how bad it is.
    fn said(&self, without: usize) -> String {
        let facts = self.how_bad.get(without..).unwrap_or_default();
        let how_bad = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let rest = if without > self.how_bad.len() { "" } else { &self.rest };
        format!("{}{how_bad}{rest}", self.what)
    }
}

/// The headline as it is shown. What does not fit is left out: the end of a long name, then what says how bad it is, piece by piece.
pub(super) fn headline(notification: &Notification, left_out: usize) -> String {
    let parts = parts(notification, left_out);
    let Parts { mark, who, how_bad, .. } = &parts;
    let room = HEADLINE_CHARACTERS_MAX - SIGN_CHARACTERS - mark.chars().count();
    let name = who.chars().count();
    let least = name.min(NAME_CHARACTERS_MIN);
    for without in 0..=how_bad.len() + 1 {
        let said = parts.said(without);
        let length = said.chars().count();
        if least + length <= room {
            return format!("{mark}{}{said}", cut_name(who, room - length));
        }
    }
    let who = cut_name(who, NAME_CHARACTERS_MIN);
    let said = text::cut(&parts.what, room.saturating_sub(who.chars().count()));
    format!("{mark}{who}{said}")
}

/// The same in full, for a line of a longer message.
pub(super) fn in_full(notification: &Notification) -> String {
    let parts = parts(notification, 0);
    format!("{}{}{}", parts.mark, parts.who, parts.said(0))
}

/// The name without its end, with what follows it.
fn cut_name(who: &str, characters_max: usize) -> String {
    match who.strip_suffix(": ") {
        Some(name) => format!("{}: ", text::cut(name, characters_max.saturating_sub(2))),
        None => text::cut(who, characters_max),
    }
}

fn parts(notification: &Notification, left_out: usize) -> Parts {
    let data = &notification.data;
    let is_test = data.notification.test && notification.kind != NotificationType::Drill;
    let mark = if is_test { "TEST: " } else { "" };
    let who = data.tenant.as_ref().map(|tenant| format!("{}: ", tenant.name)).unwrap_or_default();
    let parts = Parts { mark, who, ..Parts::default() };
    if let Some(operator) = &data.operator {
        let is_one_blind = notification.kind == NotificationType::OperatorBlind && data.tenant.is_some();
        let class = (is_one_blind && operator.until.is_none()).then(|| operator.class.clone());
        let what = operator.headline.clone().unwrap_or_else(|| operator.summary.clone());
        let what = if parts.who.is_empty() { capitalized(&what) } else { what };
        return Parts { what, how_bad: class.into_iter().collect(), ..parts };
    }
    if let Some(score) = &data.score {
        let (what, how_bad) = happened(notification, score);
        return Parts { what, how_bad, ..parts };
    }
    let (what, rest) = match notification.kind {
        NotificationType::Report => (data.report.as_ref().map(report::headline).unwrap_or_default(), String::new()),
        NotificationType::MonthReport => (data.month.as_deref().map(page::headline).unwrap_or_default(), String::new()),
        NotificationType::FleetShift => data.fleet.as_ref().map(shift::headline).unwrap_or_default(),
        NotificationType::Digest => lines::headline(data.digest.as_ref(), &data.items, left_out),
        NotificationType::Test => ("this channel can be reached".to_owned(), String::new()),
        NotificationType::Drill => ("DRILL: a test of this channel, nothing has happened".to_owned(), String::new()),
        NotificationType::AlertResolved => ("the alert is over".to_owned(), String::new()),
        kind => (kind.as_str().replace('.', ": "), String::new()),
    };
    Parts { what: capitalized(&what), rest, ..parts }
}

/// What happened, and how bad it is.
fn happened(notification: &Notification, score: &ScoreFacts) -> (String, Vec<String>) {
    let (kind, data) = (notification.kind, &notification.data);
    let numbers = Numbers::of(data, score);
    let Name { text: name, is_plural } = name_of(data, score);
    if kind == NotificationType::AlertResolved {
        return (ended(data, &name, numbers.value.as_deref()), Vec::new());
    }
    let Some(value) = &numbers.value else {
        return (without_data(notification, &name, is_plural), Vec::new());
    };
    let what = match (kind, &numbers.baseline, &numbers.previous) {
        (NotificationType::AlertReminder, ..) => format!("{name} is still {value}"),
        (NotificationType::AlertUnstable, ..) => format!("{name} keeps changing"),
        (NotificationType::AlertWorsened, _, Some(previous)) => {
            format!("{name} has worsened to {value}, from {previous}")
        }
        (NotificationType::AlertWorsened, ..) => format!("{name} has worsened to {value}"),
        (_, Some(baseline), _) => {
            let verb = if score.value < score.baseline { "fell" } else { "rose" };
            format!("{name} {verb} from {baseline} to {value}")
        }
        (_, None, _) => format!("{name} is {value}"),
    };
    let mut facts = Vec::new();
    let moved = moved(score);
    facts.extend(moved.map(|moved| match (kind, &numbers.baseline) {
        (NotificationType::AlertWorsened, _) => format!("{moved} overall"),
        (NotificationType::AlertReminder, Some(baseline)) => format!("{moved} from {baseline}"),
        _ => moved,
    }));
    facts.extend(data.rule.as_ref().filter(|_| says_condition(data)).map(|rule| rule.condition.clone()));
    facts.extend(is_lower_better(score).then(|| "higher is worse".to_owned()));
    (what, facts)
}

/// Whether the headline says the condition: that is shorter than what a value was compared with.
pub(super) fn says_condition(data: &Facts) -> bool {
    let is_bound = |condition: &str| condition.starts_with("below ") || condition.starts_with("above ");
    data.rule.as_ref().is_some_and(|rule| is_bound(&rule.condition))
        && data.score.as_ref().is_some_and(|score| score.value.is_some())
}

/// How an alert ended.
fn ended(data: &Facts, name: &str, value: Option<&str>) -> String {
    let alert = data.alert.as_ref();
    let why = alert.and_then(|alert| alert.resolution).and_then(why);
    match (why, value) {
        (Some("accepted"), Some(value)) => format!("alert on {name} is over: {value} accepted"),
        (Some(why), _) => format!("alert on {name} is over: {why}"),
        (None, _) if alert.is_some_and(|alert| alert.reason.is_some()) => format!("the alert on {name} is over"),
        (None, Some(value)) if !data.no_data.is_empty() => format!("{name} can be read again: {value}"),
        (None, Some(value)) => format!("{name} has recovered to {value}"),
        (None, None) => format!("{name} can be read again"),
    }
}

/// Why an alert is over whose score did not recover.
const fn why(resolution: Resolution) -> Option<&'static str> {
    match resolution {
        Resolution::Recovered => None,
        Resolution::Accepted => Some("accepted"),
        Resolution::RuleChanged => Some("rule edited"),
        Resolution::RuleRemoved => Some("rule removed"),
        Resolution::TenantRemoved => Some("tenant removed"),
        Resolution::SubjectRemoved => Some("no longer polled"),
    }
}

/// That there is no data, and for how long.
fn without_data(notification: &Notification, name: &str, is_plural: bool) -> String {
    let data = &notification.data;
    let have = if is_plural { "have" } else { "has" };
    let since = data.no_data.iter().map(|one| one.since).min();
    let since = since.or_else(|| data.alert.as_ref().map(|alert| alert.started_at));
    let lasted = since.map(|since| briefly(notification.timestamp.since(since)));
    let before = data.no_data.iter().filter(|one| !one.is_new).count();
    match (notification.kind, lasted) {
        (NotificationType::AlertWorsened, _) if (1..data.no_data.len()).contains(&before) => {
            format!("{} scores have no data now, up from {before}", data.no_data.len())
        }
        (NotificationType::AlertReminder, Some(lasted)) => format!("{name} still {have} no data after {lasted}"),
        (_, Some(lasted)) => format!("{name} {have} had no data for {lasted}"),
        (_, None) => format!("{name} {have} no data"),
    }
}
