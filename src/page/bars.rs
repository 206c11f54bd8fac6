//! A month's values as bars: of block characters for a chat, of the cells of a table for a mail.

use super::axis::Axis;
use crate::notify::facts::month::DayValue;

/// From the lower end of the axis to the upper one. The lowest is a bar too: a score is rarely zero.
const BLOCKS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
/// A day without a value.
const GAP: char = '·';

/// How high the bar of each day is, from 1 to `levels`; 0: the day has no value.
fn heights(days: &[DayValue], days_in_month: i8, levels: u8, axis: Axis) -> Vec<u8> {
    let height = |value: f64| {
        (1..levels).filter(|level| axis.share(value) * f64::from(levels - 1) + 0.5 >= f64::from(*level)).count()
    };
    let of_day = |number: i8| {
        let value = days.iter().find(|day| day.day == number).map(|day| day.value);
        value.map_or(0, |value| u8::try_from(height(value)).unwrap_or(levels) + 1)
    };
    (1..=days_in_month).map(of_day).collect()
}

/// One character for each day up to the last one that has a value.
pub(super) fn blocks(days: &[DayValue], days_in_month: i8, axis: Axis) -> String {
    let last = days.last().map_or(0, |day| day.day).min(days_in_month);
    let block = |height: u8| height.checked_sub(1).and_then(|at| BLOCKS.get(usize::from(at))).copied().unwrap_or(GAP);
    let levels = u8::try_from(BLOCKS.len()).unwrap_or(u8::MAX);
    heights(days, days_in_month, levels, axis)
        .into_iter()
        .take(usize::try_from(last).unwrap_or_default())
        .map(block)
        .collect()
}

/// Rows of cells from the top, a cell for each day. Whether each is filled.
pub(super) fn grid(days: &[DayValue], days_in_month: i8, levels: u8, axis: Axis) -> Vec<Vec<bool>> {
    let heights = heights(days, days_in_month, levels, axis);
    (1..=levels).rev().map(|level| heights.iter().map(|height| *height >= level).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(values: &[(i8, f64)]) -> Vec<DayValue> {
        values.iter().map(|&(day, value)| DayValue { day, value }).collect()
    }

    #[test]
    fn each_day_up_to_the_last_value_has_a_block() {
        for (values, expected) in [
            (&[(1, 10.0), (2, 40.0), (3, 70.0)][..], "▁▄▇"),
            (&[(2, 10.0), (4, 70.0), (5, 69.9)], "·▁·▇▇"),
            (&[(1, 40.0), (2, 39.0)], "▄▄"),
            (&[], ""),
        ] {
            assert_eq!(blocks(&days(values), 30, Axis { low: 10.0, high: 70.0 }), expected);
        }
    }

    #[test]
    fn the_highest_value_fills_its_column_and_a_missing_one_none() {
        let grid = grid(&days(&[(1, 1.0), (3, 3.0)]), 3, 3, Axis { low: 1.0, high: 3.0 });
        assert_eq!(grid, [[false, false, true], [false, false, true], [true, false, true]]);
    }
}
