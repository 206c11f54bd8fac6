//! What the whole fleet comes to. Pure.

use serde::Serialize;

use super::{AlertCounts, Freshness, Only, line::Line};
use crate::domain::ScoreKind;

/// All tenants of a scope together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FleetTotals {
    /// How many there are.
    pub tenants: usize,
    /// How many can't be read.
    pub failing: usize,
    /// How many checks are overdue.
    pub late: usize,
    /// How many were never checked.
    pub never_checked: usize,
    /// How many have a score that got worse by a hundredth or more within 24 hours, not counting what a fleet shift did to it.
    pub worse: usize,
    /// How many others have one that got worse by that because of a fleet shift.
    pub worse_by_shift: usize,
    /// How many have an alert that fires.
    pub firing: usize,
    /// The open alerts of all of them.
    pub alerts: AlertCounts,
    /// The median of each score, of the score that most tenants have first.
    pub medians: Vec<ScoreMedian>,
}

/// The median of one score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ScoreMedian {
    /// The kind of score that it is about.
    pub kind: ScoreKind,
    /// Of the newest values, in the score's own unit.
    pub value: f64,
    /// Of how many tenants.
    pub tenants: usize,
}

impl FleetTotals {
    pub(super) fn of(lines: &[Line]) -> Self {
        let mut totals = Self { tenants: lines.len(), medians: medians(lines), ..Self::default() };
        for line in lines {
            totals.add(line);
        }
        totals
    }

    fn add(&mut self, line: &Line) {
        match line.freshness {
            Freshness::Fresh => {}
            Freshness::Late => self.late += 1,
            Freshness::NeverChecked => self.never_checked += 1,
            Freshness::Failing => self.failing += 1,
        }
        self.worse += usize::from(Only::Worse.holds(line));
        self.worse_by_shift += usize::from(Only::Shifted.holds(line));
        self.firing += usize::from(Only::Firing.holds(line));
        self.alerts.critical += line.alerts.critical;
        self.alerts.warning += line.alerts.warning;
        self.alerts.info += line.alerts.info;
        self.alerts.pending += line.alerts.pending;
        self.alerts.acknowledged += line.alerts.acknowledged;
    }
}

fn medians(lines: &[Line]) -> Vec<ScoreMedian> {
    let mut medians: Vec<_> = ScoreKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let mut values: Vec<f64> =
                lines.iter().filter_map(|line| line.score(kind)).map(|score| score.value).collect();
            Some(ScoreMedian { kind, tenants: values.len(), value: median(&mut values)? })
        })
        .collect();
    medians.sort_by_key(|median| std::cmp::Reverse(median.tenants));
    medians
}

fn median(values: &mut [f64]) -> Option<f64> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| count.is_multiple_of(2));
    Some(lower.map_or(*upper, |lower| f64::midpoint(lower, *upper)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::{TenantId, Timestamp},
        query::fleet::FleetScore,
    };

    #[test]
    fn the_median_is_in_the_middle_or_between_the_two_that_are() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[9.0, 1.0], Some(5.0)),
            (&[5.0, 1.0, 9.0], Some(5.0)),
            (&[8.0, 1.0, 9.0, 2.0], Some(5.0)),
        ] {
            assert_eq!(median(&mut values.to_vec()), expected, "{values:?}");
        }
    }

    #[test]
    fn what_a_fleet_shift_did_is_counted_apart() {
        let line = |id: &str, day: f64, by_shift: Option<f64>| Line {
            id: TenantId::parse(id).unwrap(),
            name: id.into(),
            labels: Arc::default(),
            scores: [FleetScore {
                kind: ScoreKind::DeviceSecureScore,
                value: 400.0,
                observed_at: Timestamp::EPOCH,
                day: Some(day),
                day_by_shift: by_shift,
                week: None,
                month: None,
                from_median: None,
                averages: None,
                points: Vec::new(),
            }]
            .into(),
            alerts: AlertCounts::default(),
            freshness: Freshness::Fresh,
            found: None,
            known: None,
            lost: None,
            lost_by_any: None,
        };
        let lines = [
            line("own", -40.0, None),
            line("shifted", -40.0, Some(-40.0)),
            line("both", -60.0, Some(-40.0)),
            line("lifted", 0.0, Some(40.0)),
            line("calm", -1.0, None),
        ];
        let totals = FleetTotals::of(&lines.map(Line::measured));
        assert_eq!((totals.worse, totals.worse_by_shift), (3, 1));
    }
}
