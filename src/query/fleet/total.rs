//! What the whole fleet comes to. Pure.

use serde::Serialize;

use super::{AlertCounts, FleetLine, Freshness, Only};
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
    /// Of these tenants, whose distances from the medians are set.
    pub(super) fn of(lines: &mut [FleetLine]) -> Self {
        let count = |is: fn(&FleetLine) -> bool| lines.iter().filter(|line| is(line)).count();
        let mut alerts = AlertCounts::default();
        for line in lines.iter() {
            alerts.critical += line.alerts.critical;
            alerts.warning += line.alerts.warning;
            alerts.info += line.alerts.info;
            alerts.pending += line.alerts.pending;
            alerts.acknowledged += line.alerts.acknowledged;
        }
        let totals = Self {
            tenants: lines.len(),
            failing: count(|line| line.freshness == Freshness::Failing),
            late: count(|line| line.freshness == Freshness::Late),
            never_checked: count(|line| line.freshness == Freshness::NeverChecked),
            worse: count(|line| Only::Worse.holds(line)),
            worse_by_shift: count(|line| Only::Shifted.holds(line)),
            firing: count(|line| Only::Firing.holds(line)),
            alerts,
            medians: medians(lines),
        };
        for score in lines.iter_mut().flat_map(|line| &mut line.scores) {
            let median = totals.medians.iter().find(|median| median.kind == score.kind);
            score.from_median = median.map(|median| score.value - median.value);
        }
        totals
    }
}

fn medians(lines: &[FleetLine]) -> Vec<ScoreMedian> {
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
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[middle - 1], upper)) }
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
        for (values, expected) in
            [(&[][..], None), (&[3.0], Some(3.0)), (&[9.0, 1.0], Some(5.0)), (&[5.0, 1.0, 9.0], Some(5.0))]
        {
            assert_eq!(median(&mut values.to_vec()), expected, "{values:?}");
        }
    }

    #[test]
    fn what_a_fleet_shift_did_is_counted_apart() {
        let line = |id: &str, day: f64, by_shift: Option<f64>| FleetLine {
            id: TenantId::parse(id).unwrap(),
            name: id.into(),
            labels: Arc::default(),
            scores: vec![FleetScore {
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
            }],
            alerts: AlertCounts::default(),
            freshness: Freshness::Fresh,
            checked_at: None,
            next_check_at: None,
            failing: None,
        };
        let mut lines = [
            line("own", -40.0, None),
            line("shifted", -40.0, Some(-40.0)),
            line("both", -60.0, Some(-40.0)),
            line("lifted", 0.0, Some(40.0)),
            line("calm", -1.0, None),
        ];
        let totals = FleetTotals::of(&mut lines);
        assert_eq!((totals.worse, totals.worse_by_shift), (3, 1));
    }
}
