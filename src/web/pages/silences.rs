//! `GET /silences`: silences and maintenance windows that hold notifications now, will, or did. The next openings of windows are drawn on
//! a calendar, so that a wrong schedule shows.

use std::{fmt::Write as _, time::Duration};

use axum::{extract::Query, http::StatusCode};
use serde_json::{Value, json};

use super::{
    alert::LENGTHS,
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    words::{self, Clockface},
};
use crate::{
    domain::{Role, Timestamp},
    notify::Silence,
    query::{
        self, Page, find,
        maintenance::{self, MaintenanceWindow, Opening},
        silences,
    },
};

/// The most past silences that are listed.
const PAST_MAX: u32 = 100;
/// How many days are drawn.
const DAYS: u32 = 14;
/// The most openings of one window that are listed in words.
const LISTED_MAX: usize = 4;
/// The width of the strip, in its own units.
const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 22.0;

/// The length of a silence unless somebody chooses another.
const LENGTH: &str = "4h";

/// `GET /silences`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let done = match params.get("done") {
        Some("silenced") => Some("The silence is in force."),
        Some("ended") => Some("The silence is over. What it held back is evaluated again within seconds."),
        _ => None,
    };
    show(&visit, StatusCode::OK, json!({ "done": done }), &Params::default()).await
}

/// The page again, with what somebody wrote into the form and what is wrong with it.
pub(super) async fn again(visit: &Visit, fields: &Params, problems: Vec<String>) -> Answer {
    show(visit, StatusCode::UNPROCESSABLE_ENTITY, json!({ "problems": problems }), fields).await
}

/// `said`: what the page says of what was done, or of what was not. `fields`: what stands in the form.
async fn show(visit: &Visit, status: StatusCode, mut said: Value, fields: &Params) -> Answer {
    let shown = async {
        let (config, face) = (visit.app.config(), visit.face());
        let now = face.now;
        let open = silences::list(visit.store(), visit.scope(), false, &Page::ALL, now).await?.items;
        let newest = silences::list(visit.store(), visit.scope(), true, &Page::first(PAST_MAX), now).await?.items;
        let over = newest.into_iter().filter(|silence| silence.ends_at <= now);
        let all: Vec<Silence> = open.into_iter().chain(over).collect();
        let may_end = visit.caller.may(Role::Analyst);
        let some = |is_it: &dyn Fn(&Silence) -> bool| -> Vec<Value> {
            all.iter().filter(|silence| is_it(silence)).map(|silence| silence_row(&face, silence, may_end)).collect()
        };
        let (active, coming) = (some(&|silence| silence.is_in_force(now)), some(&|silence| silence.starts_at > now));
        let past = some(&|silence| silence.ends_at <= now);
        let days = Days::of(&face);
        let within = days.end().map_or(Duration::ZERO, |end| end.since(now));
        let windows = maintenance::list(&config, visit.scope(), within, now);
        let windows: Vec<Value> = windows.iter().map(|window| window_row(&face, window, &days)).collect();
        Ok::<_, query::Error>(json!({
            "done": said["done"].take(), "problems": said["problems"].take(),
            "has_active": !active.is_empty(), "active": active,
            "has_coming": !coming.is_empty(), "coming": coming,
            "has_past": !past.is_empty(), "past": past,
            "has_windows": !windows.is_empty(), "windows": windows,
            "days": format!("{DAYS} days"),
            "may_act": may_end,
            "is_all": visit.scope().is_all(),
            "form": form(fields, find::rules(&config, visit.scope()).map(|rule| rule.name.as_str())),
        }))
    };
    match shown.await {
        Ok(page) => visit.show_as(status, Place::Silences, "Silences", "silences", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// The form, filled in as it was.
fn form<'a>(fields: &Params, rules: impl Iterator<Item = &'a str>) -> Value {
    let (rule, length) = (fields.get("rule"), fields.get("for").unwrap_or(LENGTH));
    json!({
        "tenants": fields.text("tenants"),
        "labels": fields.text("labels"),
        "rules": rules.map(|name| json!({ "name": name, "is_here": rule == Some(name) })).collect::<Vec<_>>(),
        "lengths": LENGTHS.map(|(value, text)| json!({ "value": value, "text": text, "is_here": value == length })),
        "comment": fields.text("comment"),
        "is_everything": fields.get("everything").is_some(),
    })
}

fn silence_row(face: &Clockface, silence: &Silence, may_end: bool) -> Value {
    json!({
        "id": silence.id,
        "covers": silence.matchers.to_string(),
        "is_everything": silence.matchers.is_empty(),
        "author": silence.author,
        "comment": silence.comment,
        "from": face.moment(silence.starts_at),
        "until": face.moment(silence.ends_at),
        "length": words::length(silence.ends_at.since(silence.starts_at)),
        "may_end": may_end && silence.ends_at > face.now,
    })
}

fn window_row(face: &Clockface, window: &MaintenanceWindow, days: &Days) -> Value {
    let opening = |opening: &Opening| {
        json!({
            "from": face.weekday(opening.from), "until": face.weekday(opening.until),
            "length": words::length(opening.until.since(opening.from)),
        })
    };
    let listed = window.openings.iter().take(LISTED_MAX).map(opening).collect::<Vec<_>>();
    json!({
        "name": window.name,
        "covers": window.matchers.to_string(),
        "schedule": window.schedule,
        "zone": window.timezone,
        "is_open": window.open_until.is_some(),
        "open_until": window.open_until.map(|until| face.weekday(until)),
        "next": window.next.as_ref().map(opening),
        "openings": words::counted(window.openings.len(), "opening"),
        "listed": listed,
        "more": window.openings.len().checked_sub(LISTED_MAX).filter(|more| *more > 0),
        "strip_svg": days.strip(face, window),
        "days": days.names,
    })
}

/// The days that are drawn: whole ones by the clock that people look at, today's first.
struct Days {
    /// When each begins, and when the last one ends.
    begins: Vec<Timestamp>,
    /// What each is called: `Tue`, `1`, and the whole date.
    names: Vec<Value>,
}

impl Days {
    fn of(face: &Clockface) -> Self {
        let (mut begins, mut names) = (Vec::new(), Vec::new());
        let mut day = face.zone.clock_at(face.now).date();
        for index in 0..=DAYS {
            // Where clocks skip midnight, a day begins later.
            let hours = (0..4).filter_map(|hour| face.zone.instant_of(day.at(hour, 0, 0, 0)));
            begins.extend(hours.take(1));
            if index < DAYS {
                let (weekday, month) = (day.strftime("%a").to_string(), day.strftime("%b").to_string());
                names.push(json!({ "weekday": weekday, "day": day.day(), "month": month }));
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Self { begins, names }
    }

    fn end(&self) -> Option<Timestamp> {
        self.begins.last().copied()
    }

    /// Where a time is: each day is as wide as any other.
    fn x(&self, at: Timestamp) -> f64 {
        let index = self.begins.partition_point(|begin| *begin <= at).saturating_sub(1);
        let (Some(from), Some(until)) = (self.begins.get(index), self.begins.get(index + 1)) else { return WIDTH };
        let share = at.since(*from).as_secs_f64() / until.since(*from).as_secs_f64().max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "days are few")]
        let days = index as f64 + share.min(1.0);
        days / f64::from(DAYS) * WIDTH
    }

    /// The openings of the days, each day a cell.
    fn strip(&self, face: &Clockface, window: &MaintenanceWindow) -> String {
        let open = window.open_until.map(|until| Opening { from: face.now, until });
        let openings: Vec<Opening> = open.into_iter().chain(window.openings.iter().copied()).collect();
        let mut svg = format!(
            "<svg class=\"calendar\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" preserveAspectRatio=\"none\">\
             <rect class=\"ground\" x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>",
            words::counted(openings.len(), "opening")
        );
        for Opening { from, until } in &openings {
            let (left, right) = (self.x(*from), self.x(*until));
            let _ = write!(
                svg,
                "<rect class=\"opening\" x=\"{left:.1}\" y=\"0\" width=\"{:.1}\" height=\"{HEIGHT}\"><title>{} to {}</title></rect>",
                (right - left).max(1.5),
                face.weekday(*from),
                face.full(*until)
            );
        }
        for begin in self.begins.iter().skip(1) {
            let x = self.x(*begin);
            let _ = write!(svg, "<line class=\"day\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>");
        }
        let now = self.x(face.now);
        let _ = write!(svg, "<line class=\"now\" x1=\"{now:.1}\" x2=\"{now:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/></svg>");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    #[test]
    fn every_day_is_as_wide_as_any_other_also_where_clocks_change() {
        // Clocks go back on 25 October.
        let face = Clockface {
            zone: Zone::built_in("Europe/Berlin").unwrap(),
            now: Timestamp::parse("2026-10-24T10:00:00Z").unwrap(),
        };
        let days = Days::of(&face);
        assert_eq!((days.begins.len(), days.names.len()), (15, 14));
        assert_eq!(days.names[1].to_string(), r#"{"day":25,"month":"Oct","weekday":"Sun"}"#);
        for (at, x) in [
            ("2026-10-23T22:00:00Z", 0.0),
            ("2026-10-24T10:00:00Z", 25.0),
            ("2026-10-24T22:00:00Z", 50.0),
            ("2026-10-25T23:00:00Z", 100.0),
            ("2026-11-06T23:00:00Z", 700.0),
            ("2027-01-01T00:00:00Z", 700.0),
        ] {
            assert!(
                (days.x(Timestamp::parse(at).unwrap()) - x).abs() < 0.01,
                "{at}: {}",
                days.x(Timestamp::parse(at).unwrap())
            );
        }
    }
}
