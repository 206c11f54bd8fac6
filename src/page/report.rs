//! A tenant's month as a page that can be printed.

use serde::Serialize;

use super::{
    PageError,
    axis::{Axis, extremes},
    drawing::{BOTTOM, HEIGHT, TOP, WIDTH, line, place},
    language::{Date, Words},
    render,
};
use crate::{
    domain::{Better, Brand, Color, Language, ScoreKind, Timestamp, Unit, characters::shown},
    notify::{
        excluded::{ExcludedGroup, groups},
        facts::month::{Controls, FiringAlert, MonthReport, ScoreMonth},
        reason::{control_diff::ControlChange, next_action::NextAction},
    },
    schedule::{Day, Zone},
};

const TEMPLATE: &str = include_str!("../../templates/page/report.hbs");
/// How many controls are listed on each side.
const CHANGES_MAX: usize = 10;
/// How many alerts are listed.
const ALERTS_MAX: usize = 20;
/// The color of a brand that has none: a dark blue.
const COLOR: &str = "#1f3a5f";

/// Writes a report as one HTML page, in a language, for a brand.
///
/// # Errors
/// [`PageError`], which is a mistake in the program.
pub fn report(report: &MonthReport, language: Language, brand: &Brand) -> Result<String, PageError> {
    let writer = Writer { words: Words::of(language) };
    render(TEMPLATE, &writer.page(report, brand), handlebars::html_escape)
}

/// Everything that the page shows, in words.
#[derive(Serialize)]
pub(super) struct Page {
    pub(super) lang: &'static str,
    pub(super) title: &'static str,
    /// What a browser's tab shows.
    head: String,
    pub(super) brand: Option<String>,
    pub(super) color: String,
    pub(super) text_color: String,
    pub(super) tenant: String,
    pub(super) tenant_id: String,
    pub(super) tenant_id_title: &'static str,
    pub(super) month: String,
    pub(super) made_at: String,
    pub(super) month_goes_on: Option<&'static str>,
    pub(super) scores_title: &'static str,
    pub(super) scores: Vec<Score>,
    pub(super) no_scores: &'static str,
    /// The controls that do not count: how many, until when and why.
    pub(super) excluded: Vec<String>,
    pub(super) failing: Option<String>,
    pub(super) changes_title: &'static str,
    /// `None`: the secure score is not watched.
    pub(super) changes: Option<Changes>,
    pub(super) alerts_title: &'static str,
    pub(super) alerts: Vec<Alert>,
    pub(super) more_alerts: Option<String>,
    pub(super) no_alerts: &'static str,
    /// Whether Microsoft was asked for next actions.
    pub(super) has_actions: bool,
    pub(super) actions_title: &'static str,
    pub(super) actions: Vec<Action>,
    pub(super) actions_failed: Vec<String>,
    pub(super) no_actions: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Score {
    pub(super) name: String,
    pub(super) value: String,
    /// `better`, `worse` or `level`: the class by which it is colored.
    pub(super) class: &'static str,
    pub(super) change: String,
    pub(super) direction: &'static str,
    pub(super) compared_with_first: Option<&'static str>,
    /// What there is no value for.
    pub(super) gaps: Option<String>,
    /// The lowest and the highest of the values that are drawn.
    pub(super) lowest: String,
    pub(super) highest: String,
    /// Which values these are: the last one of each day.
    each_day: &'static str,
    /// How far other readings of the month are beyond those that are drawn.
    pub(super) beyond: Option<String>,
    /// The ends of the drawing's axis.
    top: String,
    bottom: String,
    drawing: Drawing,
}

#[derive(Serialize)]
struct Drawing {
    label: String,
    width: f64,
    height: f64,
    /// Where the axis ends.
    top: f64,
    bottom: f64,
    line: String,
    /// The horizontal place of the newest value in the drawing.
    x: String,
    y: String,
    /// The month's last day; its first is 1.
    last_day: i8,
}

#[derive(Serialize, Default)]
pub(super) struct Changes {
    /// Why there is nothing to list.
    pub(super) note: Option<String>,
    pub(super) summary: Option<&'static str>,
    pub(super) sides: Vec<Side>,
}

#[derive(Serialize)]
pub(super) struct Side {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Change>,
    pub(super) none: &'static str,
    pub(super) more: Option<String>,
    /// How many there are, listed or not.
    #[serde(skip)]
    pub(super) count: usize,
}

#[derive(Serialize)]
pub(super) struct Change {
    pub(super) title: String,
    pub(super) link: Option<String>,
    pub(super) category: Option<String>,
    pub(super) kind: &'static str,
    pub(super) points: String,
}

#[derive(Serialize)]
pub(super) struct Alert {
    pub(super) severity: Option<&'static str>,
    /// The severity's own word, by which it is colored.
    pub(super) class: &'static str,
    pub(super) score: String,
    pub(super) rule: String,
    pub(super) since: String,
    pub(super) acknowledged: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Action {
    pub(super) title: String,
    pub(super) link: Option<String>,
    pub(super) score: String,
    pub(super) category: Option<String>,
    pub(super) points: String,
}

pub(super) struct Writer {
    pub(super) words: &'static Words,
}

impl Writer {
    pub(super) fn page(&self, report: &MonthReport, brand: &Brand) -> Page {
        let words = self.words;
        let color = brand.color.or_else(|| Color::parse(COLOR)).unwrap_or(Color::BLACK);
        let alerts = report.alerts.iter().take(ALERTS_MAX).map(|alert| self.alert(alert)).collect();
        let actions: Vec<Action> = report.actions.iter().map(|action| self.action(action)).collect();
        let is_watched = report.scores.iter().any(|score| score.score == ScoreKind::SecureScore);
        let has_changes = is_watched || !matches!(report.controls, Controls::NotAsked);
        Page {
            lang: words.code,
            title: words.title,
            head: words.labelled(
                words.title,
                &format!("{}, {} {}", shown(&report.name), words.month(report.month.number()), report.month.year()),
            ),
            brand: brand.name.as_deref().map(|name| shown(name).into_owned()),
            color: color.to_string(),
            text_color: color.text_on().to_string(),
            tenant: shown(&report.name).into_owned(),
            tenant_id: report.tenant_id.clone(),
            tenant_id_title: words.tenant_id,
            month: format!("{} {}", words.month(report.month.number()), report.month.year()),
            made_at: (words.made_at)(&self.day(report.last_day)),
            month_goes_on: (!report.is_over).then_some(words.month_goes_on),
            scores_title: words.scores,
            scores: report.scores.iter().map(|score| self.score(score, report)).collect(),
            no_scores: words.no_scores,
            excluded: self.excluded(report),
            failing: self.failing(report),
            changes_title: words.changes,
            changes: has_changes.then(|| self.changes(&report.controls)),
            alerts_title: words.alerts,
            alerts,
            more_alerts: self.more(report.alerts.len(), ALERTS_MAX),
            no_alerts: words.no_alerts,
            actions_title: words.actions,
            has_actions: report.asked_microsoft,
            no_actions: (actions.is_empty() && report.actions_unknown.is_empty()).then_some(words.no_actions),
            actions,
            actions_failed: self.failures(report),
        }
    }

    /// The controls that do not count, in a line for each end and reason.
    fn excluded(&self, report: &MonthReport) -> Vec<String> {
        let line = |group: ExcludedGroup<'_>| {
            let said = (self.words.excluded)(group.count, &self.utc_day(group.until?));
            let reason = group.reason.map(|reason| shown(reason.trim_end_matches('.')));
            Some(format!("{}.", reason.map_or_else(|| said.clone(), |reason| self.words.labelled(&said, &reason))))
        };
        groups(&report.excluded).into_iter().filter_map(line).collect()
    }

    /// The day with which an exclusion ends: a day of Microsoft's records, which is one in UTC.
    fn utc_day(&self, at: Timestamp) -> String {
        let shown = Zone::utc().clock_at(at);
        (self.words.day)(Date { day: shown.day(), month: self.words.month(shown.month()), year: shown.year() })
    }

    fn failures(&self, report: &MonthReport) -> Vec<String> {
        let line = |score: ScoreKind, class: &str| {
            format!("{} · {}", (self.words.score)(score, None), (self.words.failed)(self.words.why(class)))
        };
        report.actions_unknown.iter().map(|unknown| line(unknown.score, &unknown.class)).collect()
    }

    pub(super) fn more(&self, count: usize, listed: usize) -> Option<String> {
        (count > listed).then(|| (self.words.more)(count - listed))
    }

    fn day(&self, Day { month, number }: Day) -> String {
        (self.words.day)(Date { day: number, month: self.words.month(month.number()), year: month.year() })
    }

    /// Why checks of the tenant fail; `None`: they don't.
    fn failing(&self, report: &MonthReport) -> Option<String> {
        let failing = report.failing.as_ref()?;
        Some((self.words.checks_fail)(&self.day(failing.since), self.words.why(&failing.class)))
    }

    /// What there is no value for.
    fn gaps(&self, score: &ScoreMonth, report: &MonthReport) -> Option<String> {
        let first = score.days.first().filter(|first| score.before.is_none() && first.day > 1);
        let day = |number| self.day(Day { month: report.month, number });
        let begins = first.map(|first| (self.words.first_value_on)(&day(first.day)));
        let missing = (score.missing_days > 0).then(|| (self.words.no_value_on)(score.missing_days));
        let said: Vec<String> = begins.into_iter().chain(missing).collect();
        (!said.is_empty()).then(|| said.join(" · "))
    }

    /// A value with its unit, if that is a percentage.
    fn level(&self, kind: ScoreKind, value: f64) -> String {
        let number = self.words.number(value);
        match kind.unit() {
            Unit::Percent => format!("{number}{}%", self.words.before_percent),
            Unit::Points | Unit::PointsOf100 => number,
        }
    }

    fn score(&self, score: &ScoreMonth, report: &MonthReport) -> Score {
        let words = self.words;
        let subject = score.subject.as_deref().map(shown);
        let name = (words.score)(score.score, subject.as_deref());
        let noun = if score.score.unit() == Unit::Percent { words.percentage_points } else { words.points };
        let (class, verdict) = match score.is_better {
            Some(true) => ("better", words.better),
            Some(false) => ("worse", words.worse),
            None => ("level", words.unchanged),
        };
        let change = match score.is_better {
            Some(_) => format!("{} ({verdict})", words.counted(score.change, noun)),
            None => verdict.to_owned(),
        };
        let axis = Axis::of(score.score.unit(), &score.days);
        let (low, high) = extremes(&score.days).unwrap_or((score.lowest, score.highest));
        let (lowest, highest) = (self.level(score.score, low), self.level(score.score, high));
        let (lowest, highest) = (format!("{} {lowest}", words.lowest), format!("{} {highest}", words.highest));
        let label = words.labelled(&name, &format!("{lowest}, {highest} ({})", words.each_day));
        Score {
            value: self.level(score.score, score.value),
            class,
            change,
            direction: match score.score.better() {
                Better::Higher => words.higher_is_better,
                Better::Lower => words.lower_is_better,
            },
            compared_with_first: score.before.is_none().then_some(words.since_first_value),
            gaps: self.gaps(score, report),
            drawing: drawing(score, report.month.days(), axis, label),
            lowest,
            highest,
            each_day: words.each_day,
            beyond: self.beyond(score, low, high),
            top: self.level(score.score, axis.high),
            bottom: self.level(score.score, axis.low),
            name,
        }
    }

    /// How far readings are beyond the lowest and the highest of the values that are drawn.
    fn beyond(&self, score: &ScoreMonth, low: f64, high: f64) -> Option<String> {
        let level = |value| self.level(score.score, value);
        let is_seen = |value, drawn| level(value) != level(drawn);
        let down =
            (score.lowest < low && is_seen(score.lowest, low)).then(|| (self.words.down_to)(&level(score.lowest)));
        let up =
            (score.highest > high && is_seen(score.highest, high)).then(|| (self.words.up_to)(&level(score.highest)));
        let said: Vec<String> = down.into_iter().chain(up).collect();
        (!said.is_empty()).then(|| said.join(" · "))
    }

    fn changes(&self, controls: &Controls) -> Changes {
        let words = self.words;
        let note = |note: String| Changes { note: Some(note), ..Changes::default() };
        match controls {
            Controls::NotAsked => note(words.changes_not_asked.to_owned()),
            Controls::NoRecord => note(words.changes_no_record.to_owned()),
            Controls::Failed { class } => note((words.failed)(words.why(class))),
            Controls::Known(changes) => Changes {
                note: None,
                summary: Some((words.changed_by)(changes.changed_by))
                    .filter(|text| !text.is_empty() && !changes.lost.is_empty()),
                sides: vec![
                    self.side(words.lost, &changes.lost, words.nothing_lost),
                    self.side(words.gained, &changes.gained, words.nothing_gained),
                ],
            },
        }
    }

    fn side(&self, title: &'static str, changes: &[ControlChange], none: &'static str) -> Side {
        let row = |change: &ControlChange| Change {
            title: shown(&change.title).into_owned(),
            link: change.link.clone(),
            category: change.category.as_deref().map(|category| shown(category).into_owned()),
            kind: (self.words.cause)(change.kind),
            // A control that came or went unearned moves the score by its maximum alone.
            points: if self.words.number(change.points) == "0" {
                self.words.counted(change.percent, self.words.percentage_points)
            } else {
                self.words.counted(change.points, self.words.points)
            },
        };
        let rows = changes.iter().take(CHANGES_MAX).map(row).collect();
        Side { title, rows, none, more: self.more(changes.len(), CHANGES_MAX), count: changes.len() }
    }

    fn alert(&self, alert: &FiringAlert) -> Alert {
        let subject = alert.subject.as_deref().map(shown);
        let score = |kind| (self.words.score)(kind, subject.as_deref());
        Alert {
            severity: alert.severity.map(self.words.severity),
            class: alert.severity.map_or("info", |severity| severity.as_str()),
            score: alert.score.map_or_else(|| self.words.whole_tenant.to_owned(), score),
            rule: alert.rule.clone(),
            since: (self.words.since)(&self.day(alert.since_day)),
            acknowledged: alert.is_acknowledged.then_some(self.words.acknowledged),
        }
    }

    fn action(&self, action: &NextAction) -> Action {
        Action {
            title: shown(&action.title).into_owned(),
            link: action.link.clone(),
            score: (self.words.score)(action.score, None),
            category: action.category.as_deref().map(|category| shown(category).into_owned()),
            points: self.words.counted(action.points, self.words.points),
        }
    }
}

/// The line of a month's values, described by `label` for whoever does not see it.
fn drawing(score: &ScoreMonth, last_day: i8, axis: Axis, label: String) -> Drawing {
    let points = place(&score.days, last_day, axis);
    let newest = points.last().copied();
    let coordinate = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    Drawing {
        label,
        width: WIDTH,
        height: HEIGHT,
        top: TOP,
        bottom: BOTTOM,
        line: line(&points),
        x: coordinate(newest.map(|point| point.x)),
        y: coordinate(newest.map(|point| point.y)),
        last_day,
    }
}

#[cfg(test)]
mod tests;
