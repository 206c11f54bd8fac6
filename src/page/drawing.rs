//! Lines drawn as SVG.

use std::fmt::Write;

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

/// Places values over the days of a month, from 1 to `days_in_month`. A value that never moves lies in the middle.
pub(super) fn place(values: &[(i8, f64)], days_in_month: i8) -> Vec<Point> {
    let lowest = values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let highest = values.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    let span = highest - lowest;
    let share = |value: f64| if span > 0.0 { (value - lowest) / span } else { 0.5 };
    let step = (WIDTH - 2.0 * MARGIN) / f64::from(days_in_month.max(2) - 1);
    let point = |&(day, value): &(i8, f64)| Point {
        x: MARGIN + f64::from(day - 1) * step,
        y: MARGIN + (1.0 - share(value)) * (HEIGHT - 2.0 * MARGIN),
    };
    values.iter().map(point).collect()
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
    fn the_highest_value_is_at_the_top_and_each_day_has_its_place() {
        let drawn = line(&place(&[(1, 50.0), (16, 40.0), (31, 60.0)], 31));
        assert_eq!(drawn, "6.0,48.0 320.0,90.0 634.0,6.0");
    }

    #[test]
    fn one_value_or_a_level_line_lies_in_the_middle() {
        assert_eq!(line(&place(&[(1, 5.0)], 30)), "6.0,48.0");
        assert_eq!(line(&place(&[(1, 5.0), (30, 5.0)], 30)), "6.0,48.0 634.0,48.0");
        assert_eq!(line(&place(&[], 30)), "");
    }
}
