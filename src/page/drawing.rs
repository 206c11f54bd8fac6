//! Lines drawn as SVG.

use std::fmt::Write;

use super::axis::Axis;
use crate::notify::facts::month::DayValue;

/// The drawing's size, in its own units.
pub(super) const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 96.0;
/// Room for the line's ends.
const MARGIN: f64 = 6.0;

/// A point of a drawing, in its own units; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Where the axis ends, in the drawing's own units.
pub(super) const TOP: f64 = MARGIN;
pub(super) const BOTTOM: f64 = HEIGHT - MARGIN;

/// Places the values of a month over its days, from 1 to `days_in_month`, and between the ends of an axis.
pub(super) fn place(days: &[DayValue], days_in_month: i8, axis: Axis) -> Vec<Point> {
    let step = (WIDTH - 2.0 * MARGIN) / f64::from(days_in_month.max(2) - 1);
    let point = |day: &DayValue| Point {
        x: MARGIN + f64::from(day.day - 1) * step,
        y: BOTTOM - axis.share(day.value) * (BOTTOM - TOP),
    };
    days.iter().map(point).collect()
}

/// The points of a polyline, as SVG writes them.
pub(super) fn line(points: &[Point]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for Point { x, y } in points {
        let _ = write!(text, "{}{x:.1},{y:.1}", if text.is_empty() { "" } else { " " });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_axis_are_the_edges_and_each_day_has_its_place() {
        let days = [(1, 50.0), (16, 40.0), (31, 60.0)].map(|(day, value)| DayValue { day, value });
        let axis = Axis { low: 40.0, high: 60.0 };
        assert_eq!(line(&place(&days, 31, axis)), "6.0,48.0 320.0,90.0 634.0,6.0");
        assert_eq!(line(&place(&[], 30, axis)), "");
    }
}
