//! Where values and times are in a drawing.

use std::fmt::Write as _;

use jiff::{ToSpan, civil::DateTime};

use super::{Frame, escaped};
use crate::{domain::Timestamp, query::samples::SeriesWindow, rule::display, web::pages::words::Clockface};

/// Room for the labels of values.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
/// Room for the labels of times.
const BOTTOM: f64 = 24.0;
/// About how many values the axis labels.
const VALUES: f64 = 4.0;
/// The width of a label of a time and the room between two.
const LABEL_WIDTH: f64 = 74.0;

/// The times and values that a drawing covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The axes of a drawing.
pub(super) struct Axes<'a> {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    from: Timestamp,
    until: Timestamp,
    low: f64,
    high: f64,
    step: f64,
    face: &'a Clockface,
}

impl<'a> Axes<'a> {
    pub(super) fn new(window: &SeriesWindow, face: &'a Clockface, frame: Frame) -> Self {
        let (low, high) = range(window);
        Self::over(&Ground { from: window.from, until: window.until, low, high }, face, frame)
    }

    /// Over that time and these values.
    pub(super) fn over(ground: &Ground, face: &'a Clockface, frame: Frame) -> Self {
        let Ground { from, until, low, high } = *ground;
        let step = nice((high - low) / VALUES);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let (right, bottom) = (frame.width - RIGHT, frame.height - BOTTOM);
        Self {
            left: LEFT,
            right,
            top: TOP,
            bottom,
            from,
            until,
            low,
            high: if high > low { high } else { low + step },
            step,
            face,
        }
    }

    /// Where a time is; one before the beginning or after the end is at the edge.
    pub(super) fn x(&self, at: Timestamp) -> f64 {
        let whole = self.until.since(self.from).as_secs_f64().max(1.0);
        let share = at.since(self.from).as_secs_f64() / whole;
        self.left + share.min(1.0) * (self.right - self.left)
    }

    /// Where a value is.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)
    }

    /// Whether a value is on the drawing.
    pub(super) fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Lines and labels of values and times.
    pub(super) fn grid(&self, svg: &mut String) {
        let mut value = self.low;
        while value <= self.high + self.step / 1_000.0 {
            let y = self.y(value);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                self.left,
                self.right,
                self.left - 8.0,
                y + 4.0,
                display::number(value)
            );
            value += self.step;
        }
        for (at, label) in self.times() {
            let x = self.x(at);
            let class = if x + LABEL_WIDTH / 2.0 > self.right { "tick end" } else { "tick" };
            let _ = write!(
                svg,
                "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                self.bottom,
                self.bottom + 4.0,
                self.bottom + 18.0,
                escaped(&label)
            );
        }
    }

    /// Round times of the clock that people look at, as many as there is room for.
    fn times(&self) -> Vec<(Timestamp, String)> {
        const HOUR: i64 = 3_600;
        const STEPS: [i64; 13] = [
            60,
            5 * 60,
            15 * 60,
            HOUR,
            3 * HOUR,
            6 * HOUR,
            12 * HOUR,
            24 * HOUR,
            2 * 24 * HOUR,
            4 * 24 * HOUR,
            7 * 24 * HOUR,
            14 * 24 * HOUR,
            30 * 24 * HOUR,
        ];
        let length = self.until.since(self.from).as_secs_f64();
        let room = ((self.right - self.left) / LABEL_WIDTH).max(1.0);
        let step = STEPS.into_iter().find(|step| length / seconds(*step) <= room).unwrap_or(60 * 24 * HOUR);
        let first = self.face.zone.clock_at(self.from);
        let mut shown = first.date().at(0, 0, 0, 0);
        let mut times = Vec::new();
        // From the midnight before; no more steps than a day or the whole stretch has.
        while times.len() <= 64 {
            let Some(at) = self.face.zone.instant_of(shown) else { break };
            if at > self.until {
                break;
            }
            if at >= self.from {
                times.push((at, label(shown, step)));
            }
            let Ok(next) = shown.checked_add(step.seconds()) else { break };
            shown = next;
        }
        times
    }
}

#[expect(clippy::cast_precision_loss, reason = "a step has at most seven digits")]
const fn seconds(step: i64) -> f64 {
    step as f64
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `09:00`, or `24 Nov` for a day.
fn label(shown: DateTime, step: i64) -> String {
    if step < 86_400 && !(shown.hour() == 0 && shown.minute() == 0 && step >= 3_600) {
        return format!("{:02}:{:02}", shown.hour(), shown.minute());
    }
    let month = usize::try_from(shown.month() - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    format!("{} {month}", shown.day())
}

/// The lowest and the highest value that is drawn. A level is drawn unless it would flatten the line.
fn range(window: &SeriesWindow) -> (f64, f64) {
    let values = || window.points.iter().map(|point| point.value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return (0.0, 1.0);
    }
    let reach = ((high - low) * 1.5).max(high.abs() * 0.08).max(1.0);
    let near =
        window.levels.iter().map(|level| level.value).filter(|value| (low - reach..=high + reach).contains(value));
    let (low, high) = near.fold((low, high), |(low, high), value| (low.min(value), high.max(value)));
    // A line that stands still is not drawn as if it shook.
    let margin = ((high - low) * 0.06).max(high.abs() * 0.01).max(0.5);
    let kind = window.score.range();
    ((low - margin).max(*kind.start()), (high + margin).min(*kind.end()))
}

/// The next of 1, 2, 5, 10, 20, … that is not less.
fn nice(step: f64) -> f64 {
    let step = if step > 0.0 { step } else { 1.0 };
    let magnitude = 10_f64.powf(step.log10().floor());
    let of = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * magnitude);
    of.into_iter().find(|nice| *nice >= step * 0.999).unwrap_or(10.0 * magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (step, expected) in [(0.3, 0.5), (1.0, 1.0), (13.0, 20.0), (40.0, 50.0), (99.0, 100.0), (0.0, 1.0)] {
            assert!((nice(step) - expected).abs() < 1e-9, "{step}: {}", nice(step));
        }
    }
}
