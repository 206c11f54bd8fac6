//! A series drawn as SVG by the server, so that it needs no script, prints, and is the same for everybody. Colors are classes of the
//! style sheet; everything that a color says is also said by a shape or in words.

mod axis;
mod bars;
mod spark;

use std::fmt::Write as _;

use serde_json::{Value, json};

use self::axis::Axes;
pub(super) use self::{
    bars::{Row, bars},
    spark::spark,
};
use super::words::{self, Clockface};
use crate::{
    domain::{Sample, Scope, Timestamp},
    query::samples::{GapKind, LevelKind, SeriesWindow},
    rule::{Amount, display},
};

/// The size of a drawing, in its own units, which are pixels where there is room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The size of a chart on a desk's screen, in pixels.
const WIDE: Frame = Frame { width: 920.0, height: 240.0 };
/// The size of a chart on a phone, in pixels.
const NARROW: Frame = Frame { width: 350.0, height: 210.0 };
/// How high the strips of alerts and silences are.
const STRIP: f64 = 5.0;
/// The most rows of the table that stands for a drawing.
const ROWS_MAX: usize = 31;

/// What the template `chart` shows of a series.
pub(super) fn view(window: &SeriesWindow, face: &Clockface, scope: &Scope) -> Value {
    let newest = window.points.last();
    json!({
        "name": name(window),
        "is_empty": window.points.is_empty(),
        "value": newest.map(|newest| words::value(window.score, newest.value)),
        "at": newest.map(|newest| face.moment(newest.at)),
        "change": words::change(window.score, window.points.first().zip(newest).map(|(first, last)| last.value - first.value)),
        "wide_svg": draw(window, face, scope, WIDE),
        "narrow_svg": draw(window, face, scope, NARROW),
        "legend": legend(window, scope),
        "notes": notes(window, face, scope),
        "rows": rows(window, face),
        "samples": words::counted(window.samples, "reading"),
    })
}

/// What people call a series.
pub(super) fn name(window: &SeriesWindow) -> String {
    let score = words::score_name(window.score);
    window.subject.as_ref().map_or_else(|| score.to_owned(), |subject| format!("{score}: {subject}"))
}

fn draw(window: &SeriesWindow, face: &Clockface, scope: &Scope, frame: Frame) -> String {
    let axes = Axes::new(window, face, frame);
    let mut svg = String::with_capacity(8 * 1024);
    let Frame { width, height } = frame;
    let _ = write!(
        svg,
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"{}\" data-points=\"{}\" data-unit=\"{}\">",
        escaped(&said(window, face)),
        points_for_the_script(window, &axes),
        words::unit(window.score),
    );
    bands(&mut svg, window, &axes);
    axes.grid(&mut svg);
    levels(&mut svg, window, &axes);
    shifts(&mut svg, window, &axes, words::shift_name(scope));
    line(&mut svg, window, &axes);
    svg.push_str("</svg>");
    svg
}

/// The drawing in one sentence.
fn said(window: &SeriesWindow, face: &Clockface) -> String {
    let (Some(first), Some(last)) = (window.points.first(), window.points.last()) else {
        return format!("{}: no readings", name(window));
    };
    let value = |sample: &Sample| words::value(window.score, sample.value);
    let by_value = |a: &&Sample, b: &&Sample| a.value.total_cmp(&b.value);
    let lowest = window.points.iter().min_by(by_value).map(value).unwrap_or_default();
    let highest = window.points.iter().max_by(by_value).map(value).unwrap_or_default();
    format!(
        "{} from {} to {}: first {}, last {}, lowest {lowest}, highest {highest}",
        name(window),
        face.full(window.from),
        face.full(window.until),
        value(first),
        value(last)
    )
}

fn points_for_the_script(window: &SeriesWindow, axes: &Axes<'_>) -> String {
    let mut text = String::with_capacity(window.points.len() * 28);
    for point in window.points.iter().filter(|point| point.at >= window.from) {
        let separator = if text.is_empty() { "" } else { "," };
        let (x, y) = (axes.x(point.at), axes.y(point.value));
        let _ = write!(text, "{separator}{x:.1} {y:.1} {} {}", point.at.as_seconds(), display::number(point.value));
    }
    text
}

fn band(svg: &mut String, axes: &Axes<'_>, class: &str, from: Timestamp, until: Timestamp) -> (f64, f64) {
    let (left, right) = (axes.x(from), axes.x(until));
    let width = (right - left).max(1.5);
    let _ = write!(
        svg,
        "<rect class=\"band {class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
        axes.top,
        axes.bottom - axes.top
    );
    (left, width)
}

/// Gaps, silences and alerts, from the back to the front.
fn bands(svg: &mut String, window: &SeriesWindow, axes: &Axes<'_>) {
    for gap in &window.gaps {
        band(svg, axes, "gap", gap.from, gap.until);
    }
    let mut strip = |class: &str, from, until, y: f64| {
        let (left, width) = band(svg, axes, class, from, until);
        let _ = write!(
            svg,
            "<rect class=\"strip {class}\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{STRIP}\"/>"
        );
    };
    for silence in &window.silences {
        strip("silence", silence.from, silence.until, axes.bottom - STRIP);
    }
    for alert in &window.alerts {
        strip(alert.severity.as_str(), alert.from, alert.until.unwrap_or(window.until), axes.top);
    }
}

fn levels(svg: &mut String, window: &SeriesWindow, axes: &Axes<'_>) {
    for level in window.levels.iter().filter(|level| axes.has(level.value)) {
        let y = axes.y(level.value);
        let (class, word) = match level.kind {
            LevelKind::Below => (level.severity.as_str(), "below"),
            LevelKind::Above => (level.severity.as_str(), "above"),
            LevelKind::Baseline => ("baseline", "baseline"),
        };
        let _ = write!(
            svg,
            "<line class=\"level {class}\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"label end\" x=\"{:.1}\" y=\"{:.1}\">{word} {}</text>",
            axes.left,
            axes.right,
            axes.right - 4.0,
            if y - axes.top < 16.0 { y + 13.0 } else { y - 5.0 },
            escaped(&display::number(level.value)),
        );
    }
}

fn shifts(svg: &mut String, window: &SeriesWindow, axes: &Axes<'_>, name: &str) {
    for shift in &window.shifts {
        let x = axes.x(shift.at);
        let top = axes.top;
        let _ = write!(
            svg,
            "<g><title>{} {}</title><line class=\"shift\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{:.1}\"/>\
             <path class=\"shift-mark\" d=\"M{x:.1} {top:.1}l6 6l-6 6l-6 -6z\"/></g>",
            words::capitalized(name),
            escaped(&amount(shift.by)),
            axes.bottom,
        );
    }
}

fn amount(by: Amount) -> String {
    let (amount, unit) = match by {
        Amount::Percent(amount) => (amount, "%"),
        Amount::Points(amount) => (amount, " points"),
    };
    format!("{}{}{unit}", if amount > 0.0 { "+" } else { "−" }, display::number(amount.abs()))
}

/// The line itself; where nothing was read it is broken, and a fine one shows where it goes on.
fn line(svg: &mut String, window: &SeriesWindow, axes: &Axes<'_>) {
    let is_gap = |a: &Sample, b: &Sample| window.gaps.iter().any(|gap| gap.from >= a.at && gap.until <= b.at);
    let (mut solid, mut bridges) = (String::new(), String::new());
    let mut last: Option<&Sample> = None;
    for point in &window.points {
        let (x, y) = (axes.x(point.at), axes.y(point.value));
        match last {
            Some(before) if !is_gap(before, point) => {
                let _ = write!(solid, "L{x:.1} {y:.1}");
            }
            before => {
                if let Some(before) = before {
                    let (from_x, from_y) = (axes.x(before.at), axes.y(before.value));
                    let _ = write!(bridges, "M{from_x:.1} {from_y:.1}L{x:.1} {y:.1}");
                }
                let _ = write!(solid, "M{x:.1} {y:.1}");
            }
        }
        last = Some(point);
    }
    if !bridges.is_empty() {
        let _ = write!(svg, "<path class=\"bridge\" d=\"{bridges}\"/>");
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{solid}\"/>");
    if let Some(last) = last {
        let _ = write!(
            svg,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>",
            axes.x(last.at),
            axes.y(last.value)
        );
    }
}

/// What is drawn beside the line, and how it looks.
fn legend(window: &SeriesWindow, scope: &Scope) -> Vec<Value> {
    let mut items = Vec::new();
    let mut add = |is_there: bool, class: &str, text: &str| {
        if is_there {
            items.push(json!({ "class": class, "text": text }));
        }
    };
    for severity in crate::domain::Severity::ALL.into_iter().rev() {
        let has = window.alerts.iter().any(|alert| alert.severity == severity);
        add(has, severity.as_str(), &format!("{severity} alert"));
    }
    add(window.levels.iter().any(|level| level.kind == LevelKind::Baseline), "baseline", "baseline");
    add(window.levels.iter().any(|level| level.kind != LevelKind::Baseline), "threshold", "threshold");
    add(!window.silences.is_empty(), "silence", "silenced");
    add(!window.shifts.is_empty(), "shift", words::shift_name(scope));
    add(!window.gaps.is_empty(), "gap", "no data");
    items
}

/// The same in words, for those who don't see the drawing or want to know more.
fn notes(window: &SeriesWindow, face: &Clockface, scope: &Scope) -> Vec<Value> {
    let span = |from, until: Option<Timestamp>| match until {
        Some(until) => format!("{} to {}", face.full(from), face.full(until)),
        None => format!("since {}", face.full(from)),
    };
    let mut notes = Vec::new();
    for alert in &window.alerts {
        let text = format!("{} alert {}, {}", alert.severity, alert.rule, span(alert.from, alert.until));
        // One that a backtest found has no page.
        let link = (!alert.id.is_empty()).then(|| format!("/alerts/{}", alert.id));
        notes.push(json!({ "text": text, "link": link, "link_text": alert.short_id }));
    }
    let mut plain = |text: String| notes.push(json!({ "text": text, "link": null, "link_text": null }));
    for shift in &window.shifts {
        let outlier = if shift.is_outlier { "; this tenant moved farther" } else { "" };
        let name = words::capitalized(words::shift_name(scope));
        plain(format!("{name} {} at {}{outlier}", amount(shift.by), face.full(shift.at)));
    }
    for silence in &window.silences {
        let about = silence.about.as_deref().unwrap_or("by whoever runs Scorewatch");
        plain(format!("Silenced {} ({about})", span(silence.from, Some(silence.until))));
    }
    for gap in &window.gaps {
        let why = match gap.kind {
            GapKind::Downtime => "Scorewatch was down",
            GapKind::NoData => "no data",
        };
        plain(format!("Nothing read {} ({why})", span(gap.from, Some(gap.until))));
    }
    notes
}

/// The newest value of each of a few stretches of time, newest first.
fn rows(window: &SeriesWindow, face: &Clockface) -> Vec<Value> {
    let length =
        (window.until.since(window.from) / u32::try_from(ROWS_MAX).unwrap_or(1)).max(std::time::Duration::from_secs(1));
    let stretch = |sample: &Sample| sample.at.since(window.from).as_nanos() / length.as_nanos();
    let parts = window.points.chunk_by(|a, b| stretch(a) == stretch(b));
    let kept: Vec<&Sample> = parts.filter_map(<[Sample]>::last).collect();
    let row = |index: usize, sample: &Sample| {
        let before = index.checked_sub(1).map(|before| sample.value - kept[before].value);
        json!({
            "at": face.moment(sample.at),
            "value": words::value(window.score, sample.value),
            "change": words::change(window.score, before),
        })
    };
    kept.iter().enumerate().rev().map(|(index, sample)| row(index, sample)).collect()
}

/// For the text and the attributes of SVG.
fn escaped(text: &str) -> String {
    handlebars::html_escape(&crate::domain::characters::shown(text))
}

#[cfg(test)]
mod tests;
