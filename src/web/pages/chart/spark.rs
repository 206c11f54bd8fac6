//! A month in a few pixels.

use std::fmt::Write as _;

use crate::domain::Sample;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 26.0;
const MARGIN: f64 = 3.0;

/// A line over the last month. It says nothing that the numbers beside it don't, so screen readers skip it.
pub(in crate::web::pages) fn spark(points: &[Sample]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let values = || points.iter().map(|point| point.value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    // What moves by a thousandth is not drawn like a fall.
    let span = (high - low).max(high.abs() * 0.02).max(1e-9);
    let middle = f64::midpoint(low, high);
    let length = last.at.since(first.at).as_secs_f64().max(1.0);
    let x = |point: &Sample| MARGIN + point.at.since(first.at).as_secs_f64() / length * (WIDTH - 2.0 * MARGIN);
    let y = |point: &Sample| HEIGHT / 2.0 - (point.value - middle) / span * (HEIGHT - 2.0 * MARGIN);
    let mut path = String::with_capacity(points.len() * 10);
    for (index, point) in points.iter().enumerate() {
        let _ = write!(path, "{}{:.0} {:.1}", if index == 0 { "M" } else { "L" }, x(point), y(point));
    }
    let (end, level) = if points.len() == 1 { (WIDTH / 2.0, HEIGHT / 2.0) } else { (x(last), y(last)) };
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" aria-hidden=\"true\" \
         focusable=\"false\"><path d=\"{path}\"/><circle cx=\"{end:.0}\" cy=\"{level:.1}\" r=\"2\"/></svg>"
    )
}

/// One bar for each count.
pub(in crate::web::pages) fn bars(counts: &[usize]) -> String {
    const STEP: f64 = 10.0;
    const BARS_HEIGHT: f64 = 60.0;
    let number = |count: usize| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    let highest = counts.iter().copied().map(number).fold(1.0, f64::max);
    let width = STEP * number(counts.len());
    let mut svg = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {width} {BARS_HEIGHT}\" width=\"{width}\" height=\"{BARS_HEIGHT}\" role=\"img\" \
         aria-label=\"Notifications over time; at most {highest} in one part\">"
    );
    for (index, count) in counts.iter().enumerate() {
        let height = (number(*count) / highest * (BARS_HEIGHT - 4.0)).max(1.0);
        let class = if *count == 0 { "none" } else { "some" };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{:.0}\" y=\"{:.1}\" width=\"8\" height=\"{height:.1}\"/>",
            number(index) * STEP,
            BARS_HEIGHT - height
        );
    }
    svg.push_str("</svg>");
    svg
}
