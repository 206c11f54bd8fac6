//! `GET /v1.0/security/secureScores` of Microsoft Graph: one record a day, newest first, 90 days kept.
//!
//! A record is known by its day, which its `id` ends with (`{tenant}_{YYYY-MM-DD}`); `createdDateTime` names the same day, with
//! or without a time of day. So every reading of a record bears the midnight that its day begins with: the same record asked for
//! again is the same sample.
//!
//! A control has points but no maximum here, so a category has no percentage of its own. Its value is the points of its controls
//! as a percentage of the tenant's `maxScore`: what the category adds to the secure score. All categories add up to that.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::{Ask, Failure, FailureClass, HISTORY_DAYS, Role, SECURITY_EVENTS_READ_ALL, Source, garbage, number, text};
use crate::{
    domain::{Points, Reading, Sample, ScoreKind, Timestamp},
    microsoft::{cloud::Api, is_object},
};

/// A record has some hundred controls with a paragraph each: 200 KB at most, so ninety are some 18 MB unpacked.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Microsoft has five or six.
const CATEGORIES_MAX: usize = 50;

/// Source: "List secureScores" and "secureScore resource type" (Microsoft Graph).
pub(super) struct SecureScore;

#[derive(Deserialize)]
struct Page {
    value: Option<Vec<Record>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    created_date_time: Value,
    #[serde(default)]
    current_score: Value,
    #[serde(default)]
    max_score: Value,
    control_scores: Option<Vec<Control>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Control {
    #[serde(default)]
    control_category: Value,
    #[serde(default)]
    score: Value,
}

impl Source for SecureScore {
    fn scores(&self) -> &'static [ScoreKind] {
        &[ScoreKind::SecureScore, ScoreKind::SecureScoreCategory]
    }

    fn api(&self) -> Api {
        Api::Graph
    }

    fn role(&self) -> Role {
        SECURITY_EVENTS_READ_ALL
    }

    fn path(&self, ask: Ask) -> String {
        format!("/v1.0/security/secureScores?$top={}", ask.records)
    }

    fn page_bytes_max(&self) -> usize {
        PAGE_BYTES_MAX
    }

    /// As many as there are records, if each comes alone.
    fn pages_max(&self) -> usize {
        HISTORY_DAYS
    }

    /// A record without a value has no reading. A new tenant has no record for some days: no data.
    fn read(&self, ask: Ask, page: &[u8], readings: &mut Vec<Reading>) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is no JSON object"));
        }
        let Page { value: records, next } =
            serde_json::from_slice(page).map_err(|_| garbage("the API's answer can't be read"))?;
        let records = records.ok_or_else(|| garbage("the API's answer holds no list"))?;
        if records.is_empty() && readings.is_empty() {
            return Err(Failure::new(FailureClass::NoData, "the tenant has no secure score yet"));
        }
        let is_empty = records.is_empty();
        for record in records {
            if days(readings) >= ask.records {
                break;
            }
            record.read(readings)?;
        }
        // A page may hold nothing but a day that is repeated or has no value; the count of pages ends a walk in circles.
        Ok(next.filter(|_| !is_empty && days(readings) < ask.records))
    }
}

/// How many records were taken.
fn days(readings: &[Reading]) -> usize {
    readings.iter().filter(|reading| reading.score == ScoreKind::SecureScore).count()
}

impl Record {
    /// Takes the record's readings, unless its day was taken: the first record of a day is the newest.
    fn read(self, readings: &mut Vec<Reading>) -> Result<(), Failure> {
        let at = self.day().ok_or_else(|| garbage("the API's answer holds a record without a day"))?;
        if readings.iter().any(|reading| reading.sample.at == at) {
            return Ok(());
        }
        let (Some(points), Some(maximum)) = (number::present(&self.current_score)?, number::present(&self.max_score)?)
        else {
            return Ok(());
        };
        if points < 0.0 || maximum < 0.0 {
            return Err(garbage("the API's answer holds a score below zero"));
        }
        if maximum <= 0.0 {
            return Ok(());
        }
        let mut push = |score, subject, points: f64| {
            let value = points * 100.0 / maximum;
            if value.is_finite() {
                let points = Some(Points { earned: points, of: maximum });
                readings.push(Reading { score, subject, sample: Sample { at, value }, points });
            }
        };
        push(ScoreKind::SecureScore, None, points);
        for (category, points) in self.categories()? {
            push(ScoreKind::SecureScoreCategory, Some(text::subject(&category)), points);
        }
        Ok(())
    }

    /// The midnight with which the record's day begins, in UTC.
    fn day(&self) -> Option<Timestamp> {
        let id = self.id.as_str().and_then(|id| id.rsplit_once('_'));
        let by_id = id.and_then(|(_, day)| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
        let created = || Some(Timestamp::parse(self.created_date_time.as_str()?)?.to_chrono().date_naive());
        let day = by_id.or_else(created)?;
        Timestamp::from_chrono(day.and_time(chrono::NaiveTime::MIN).and_utc())
    }

    /// The points of each category. One with a control whose points are missing has no sum: it would be too small.
    fn categories(&self) -> Result<BTreeMap<String, f64>, Failure> {
        let mut sums: BTreeMap<String, Option<f64>> = BTreeMap::new();
        for control in self.control_scores.iter().flatten() {
            let Some(category) = text::line(&control.control_category) else { continue };
            let points = number::present(&control.score)?;
            let sum = sums.entry(category).or_insert(Some(0.0));
            *sum = sum.zip(points).map(|(sum, points)| sum + points);
            if sums.len() > CATEGORIES_MAX {
                return Err(garbage("the API's answer holds more categories than there are"));
            }
        }
        // No category is worth less than nothing: such a sum is no value, and the record's own points still are.
        Ok(sums.into_iter().filter_map(|(category, sum)| Some((category, sum.filter(|sum| *sum >= 0.0)?))).collect())
    }
}
