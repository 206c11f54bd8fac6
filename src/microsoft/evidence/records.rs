//! The records of `GET /v1.0/security/secureScores` with their controls.
//!
//! Fields beside name, points and category of a control are left over from an older revision of the page ("controlScore resource
//! type"): each may be missing, and numbers come in quotes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    domain::{Control, Counts, Points, ScoreRecord, Timestamp},
    microsoft::{
        Failure,
        averages::{AVERAGES_MAX, Average, average},
        bounded::{self, Few, Scalar},
        source::secure_score::day,
    },
};

/// Microsoft has some hundred.
const CONTROLS_MAX: usize = 1_000;
/// More than Graph keeps.
const RECORDS_MAX: usize = 100;
/// How far a percentage may be rounded: the worth of a control that is reckoned from it is a whole number within that share.
const ROUNDING: f64 = 0.02;

#[derive(Deserialize)]
struct Page {
    value: Few<Record, RECORDS_MAX>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Scalar,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Record {
    id: Scalar,
    created_date_time: Scalar,
    current_score: Scalar,
    max_score: Scalar,
    control_scores: Few<Row, CONTROLS_MAX>,
    enabled_services: Option<Few<Scalar, 200>>,
    average_comparative_scores: Few<Average, AVERAGES_MAX>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    control_name: Scalar,
    control_category: Scalar,
    score: Scalar,
    score_in_percentage: Scalar,
    count: Scalar,
    total: Scalar,
}

/// Reads a page's records of the wanted days into `found`, and says where the next page is. The first record of a day counts.
///
/// # Errors
/// [`crate::microsoft::FailureClass::Garbage`] when the page can't be read.
pub(in crate::microsoft) fn read(
    page: &[u8],
    days: &BTreeSet<Timestamp>,
    found: &mut BTreeMap<Timestamp, ScoreRecord>,
) -> Result<Option<String>, Failure> {
    let Page { value, next } = bounded::read(page)?;
    if value.0.is_empty() {
        return Ok(None);
    }
    for record in value.0 {
        let Some(day) = day(&record.id.0, &record.created_date_time.0).filter(|day| days.contains(day)) else {
            continue;
        };
        if let (false, Some(record)) = (found.contains_key(&day), record.of(day)) {
            found.insert(day, record);
        }
    }
    Ok(next.text().map(str::to_owned))
}

impl Record {
    fn of(self, day: Timestamp) -> Option<ScoreRecord> {
        let (earned, of) = (self.current_score.number()?, self.max_score.number()?);
        if earned < 0.0 || of <= 0.0 {
            return None;
        }
        let mut controls = BTreeMap::new();
        for row in &self.control_scores.0 {
            let Some(name) = row.control_name.line() else { continue };
            let control = row.control();
            // Twice in one record: only what both earn is known.
            let merged = |known: &mut Control| {
                known.points = known.points.zip(control.points).map(|(one, other)| one + other);
                (known.maximum, known.counts) = (None, None);
            };
            controls.entry(name).and_modify(merged).or_insert_with(|| control.clone());
        }
        let services = self.enabled_services.map(|services| services.0.iter().filter_map(Scalar::line).collect());
        let all_tenants_average = average(self.average_comparative_scores.0.iter(), "AllTenants");
        Some(ScoreRecord { day, points: Points { earned, of }, controls, services, all_tenants_average })
    }
}

impl Row {
    fn control(&self) -> Control {
        let points = self.score.number().filter(|points| *points >= 0.0);
        let counts = self.count.count().zip(self.total.count()).filter(|(count, total)| count <= total && *total > 0);
        Control {
            category: self.control_category.line(),
            points,
            maximum: maximum(points, self.score_in_percentage.number()),
            counts: counts.map(|(count, total)| Counts { count, total }),
        }
    }
}

/// What a control is worth, from its points and the same in percent, which may be rounded; `None`: that can't be said for sure.
fn maximum(points: Option<f64>, percent: Option<f64>) -> Option<f64> {
    let (points, percent) = (points?, percent?);
    if points <= 0.0 || percent <= 0.0 {
        return None;
    }
    let reckoned = points * 100.0 / percent;
    let whole = reckoned.round();
    (whole >= 1.0 && (whole - reckoned).abs() <= whole * ROUNDING && points <= whole).then_some(whole)
}
