//! `GET /silences`: silences and maintenance windows that hold notifications now, will, or did. The next openings of windows are drawn on
//! a calendar, so that a wrong schedule shows.

use std::{fmt::Write as _, time::Duration};

use axum::extract::Query;
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
    notify::{Maintenance, Silence},
    query::{self, Page, find, silences},
};

/// The most past silences that are listed.
const PAST_MAX: u32 = 100;
/// So many days are drawn.
const DAYS: u32 = 14;
/// The most openings of one window that are drawn.
const OPENINGS_MAX: usize = 100;
/// The width of the strip, in its own units.
const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 22.0;

/// `GET /silences`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
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
        // A window that covers others too is a matter of whoever may see them.
        let windows = config.maintenance.iter().filter(|window| window.matchers.is_within(visit.scope()));
        let windows: Vec<Value> = windows.map(|window| window_row(&face, window)).collect();
        let done = match params.get("done") {
            Some("silenced") => Some("The silence is in force."),
            Some("ended") => Some("The silence is over. What it held is looked at within seconds."),
            _ => None,
        };
        Ok::<_, query::Error>(json!({
            "done": done,
            "has_active": !active.is_empty(), "active": active,
            "has_coming": !coming.is_empty(), "coming": coming,
            "has_past": !past.is_empty(), "past": past,
            "has_windows": !windows.is_empty(), "windows": windows,
            "days": words::counted(14, "day"),
            "may_act": may_end,
            "is_all": visit.scope().is_all(),
            "rules": find::rules(&config, visit.scope()).map(|rule| &rule.name).collect::<Vec<_>>(),
            "lengths": LENGTHS.map(|(value, text)| json!({ "value": value, "text": text, "is_default": value == "4h" })),
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Silences, "Silences", "silences", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
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

fn window_row(face: &Clockface, window: &Maintenance) -> Value {
    let end = face.now.plus(Duration::from_hours(24) * DAYS);
    let mut at = face.now;
    let open = window.window.covers(at);
    let mut openings: Vec<(Timestamp, Timestamp)> = open.map(|until| (at, until)).into_iter().collect();
    while let Some((from, until)) = window.window.next(at).filter(|(from, _)| *from < end) {
        openings.push((from, until));
        at = from;
        if openings.len() >= OPENINGS_MAX {
            break;
        }
    }
    let next = openings.iter().find(|(from, _)| *from > face.now).copied().or_else(|| window.window.next(face.now));
    json!({
        "name": window.name,
        "covers": window.matchers.to_string(),
        "schedule": window.window.from().expression(),
        "zone": window.window.from().zone().name(),
        "is_open": open.is_some(),
        "open_until": face.optional(open),
        "next": next.map(|(from, until)| json!({
            "from": face.moment(from), "until": face.full(until), "length": words::length(until.since(from)),
        })),
        "openings": words::counted(openings.len(), "opening"),
        "strip_svg": strip(face, &openings, end),
    })
}

/// The openings of the next days, each day a cell.
fn strip(face: &Clockface, openings: &[(Timestamp, Timestamp)], end: Timestamp) -> String {
    let whole = end.since(face.now).as_secs_f64();
    let x = |at: Timestamp| (at.since(face.now).as_secs_f64() / whole).min(1.0) * WIDTH;
    let mut svg = format!(
        "<svg class=\"calendar\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" preserveAspectRatio=\"none\">\
         <rect class=\"ground\" x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>",
        words::counted(openings.len(), "opening")
    );
    for (from, until) in openings {
        let (left, right) = (x(*from), x(*until));
        let _ = write!(
            svg,
            "<rect class=\"opening\" x=\"{left:.1}\" y=\"0\" width=\"{:.1}\" height=\"{HEIGHT}\"><title>{} to {}</title></rect>",
            (right - left).max(1.5),
            face.weekday(*from),
            face.full(*until)
        );
    }
    let mut day = face.zone.clock_at(face.now).date();
    for _ in 0..=DAYS {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        if let Some(at) = face.zone.instant_of(day.at(0, 0, 0, 0)).filter(|at| *at < end) {
            let x = x(at);
            let _ = write!(svg, "<line class=\"day\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>");
        }
    }
    svg.push_str("</svg>");
    svg
}
