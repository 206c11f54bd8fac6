//! A month in a few pixels.

use std::fmt::Write as _;

use crate::domain::Sample;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 26.0;
const MARGIN: f64 = 3.0;

/// A line over the last month. It says nothing that the numbers beside it don't, so screen readers skip it.
///
/// `class`: how its end is drawn, `worse`, `better` or `same`.
pub(in crate::web::pages) fn spark(points: &[Sample], class: &str) -> String {
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
        "<svg class=\"spark {class}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" aria-hidden=\"true\" \
         focusable=\"false\"><path d=\"{path}\"/><circle cx=\"{end:.0}\" cy=\"{level:.1}\" r=\"2\"/></svg>"
    )
}
