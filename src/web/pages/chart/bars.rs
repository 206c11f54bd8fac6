//! Counts over time, as bars: as something is, and as it is tried.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    Frame, NARROW, WIDE,
    axis::{Axes, Ground},
    escaped,
};
use crate::{domain::Timestamp, web::pages::words::Clockface};

/// How much of its place the bars of one stretch of time take.
const SHARE: f64 = 0.8;
/// The height of a drawing, as a share of that of a line.
const LOW: f64 = 0.7;

/// One row of bars.
#[derive(Debug, Clone, Copy)]
pub(in crate::web::pages) struct Row<'a> {
    /// The class in the style sheet: `written` or `tried`.
    pub(in crate::web::pages) class: &'static str,
    /// A count for each of the equal parts of the time.
    pub(in crate::web::pages) counts: &'a [usize],
}

/// Draws rows side by side. `said`: the drawing in one sentence.
pub(in crate::web::pages) fn bars(
    rows: &[Row<'_>],
    from: Timestamp,
    until: Timestamp,
    said: &str,
    face: &Clockface,
) -> Value {
    let low = |frame: Frame| Frame { height: frame.height * LOW, ..frame };
    let most = rows.iter().flat_map(|row| row.counts).copied().max().unwrap_or(0).max(4);
    let ground = Ground { from, until, low: 0.0, high: number(most) };
    json!({
        "wide_svg": draw(rows, &ground, said, face, low(WIDE)),
        "narrow_svg": draw(rows, &ground, said, face, low(NARROW)),
    })
}

fn draw(rows: &[Row<'_>], ground: &Ground, said: &str, face: &Clockface, frame: Frame) -> String {
    let axes = Axes::over(ground, face, frame);
    let Frame { width, height } = frame;
    let mut svg = String::with_capacity(4 * 1024);
    let _ = write!(
        svg,
        "<svg class=\"chart bars\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"{}\">",
        escaped(said)
    );
    axes.grid(&mut svg);
    let parts = rows.iter().map(|row| row.counts.len()).max().unwrap_or(1).max(1);
    let place = (axes.right - axes.left) / number(parts);
    let wide = place * SHARE / number(rows.len().max(1));
    for (index, row) in rows.iter().enumerate() {
        for (part, count) in row.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = axes.left + place * (number(part) + (1.0 - SHARE) / 2.0) + wide * number(index);
            let top = axes.y(number(*count));
            let _ = write!(
                svg,
                "<rect class=\"bar-{}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                row.class,
                wide.max(1.0),
                axes.bottom - top
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

#[expect(clippy::cast_precision_loss, reason = "a count of messages is small")]
const fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    #[test]
    fn every_count_has_a_bar_and_none_is_drawn_for_nothing() {
        let at = Timestamp::from_seconds;
        let face = Clockface { zone: Zone::built_in("UTC").unwrap(), now: at(400_000) };
        let rows = [Row { class: "written", counts: &[0, 2, 8] }, Row { class: "tried", counts: &[1, 0, 0] }];
        let drawn = bars(&rows, at(0), at(300_000), "three <days>", &face);
        for drawing in ["wide_svg", "narrow_svg"] {
            let svg = drawn[drawing].as_str().unwrap();
            assert_eq!((svg.matches("bar-written").count(), svg.matches("bar-tried").count()), (2, 1), "{svg}");
            assert!(svg.contains("three &lt;days&gt;") && svg.contains(">8</text>"), "{svg}");
        }
    }
}
