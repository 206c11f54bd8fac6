//! `GET /v1.0/security/secureScores` of Microsoft Graph: one record a day, newest first, 90 days kept.
//!
//! A record is known by its day, which its `id` ends with (`{tenant}_{YYYY-MM-DD}`); `createdDateTime` names the same day, with
//! or without a time of day. So every reading of a record bears the midnight that its day begins with: the same record asked for
//! again is the same sample.
//!
//! A control has points but no maximum here, so a category has no percentage of its own. Its value is the points of its controls
//! as a percentage of the tenant's `maxScore`: what the category adds to the secure score. All categories add up to that.

use std::{collections::BTreeMap, fmt};

use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{
    Ask, Failure, FailureClass, Found, HISTORY_DAYS, Role, SECURITY_EVENTS_READ_ALL, Source, TIMES,
    bounded::{self, Few, Scalar},
    garbage, number, text,
};
use crate::{
    domain::{Points, Reading, Sample, ScoreKind, Timestamp},
    microsoft::{
        averages::{self, AverageList},
        cloud::Api,
        is_object,
    },
};

/// A record has some hundred controls with a paragraph each, 200 KB at most; and what surrounds records.
const RECORD_BYTES_MAX: usize = 256 * 1024;
const ENVELOPE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// More than Graph keeps.
const RECORDS_MAX: usize = 400;
/// How far the sum of rounded points may exceed what it is a part of.
const ROUNDING: f64 = 1.000_001;
/// Microsoft has five or six.
const CATEGORIES_MAX: usize = 50;

/// Source: "List secureScores" and "secureScore resource type" (Microsoft Graph).
pub(super) struct SecureScore;

#[derive(Deserialize)]
struct Page {
    value: Option<Few<Record, RECORDS_MAX>>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Scalar,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Record {
    id: Scalar,
    created_date_time: Scalar,
    current_score: Scalar,
    max_score: Scalar,
    control_scores: Sums,
    average_comparative_scores: AverageList,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Control {
    control_category: Scalar,
    score: Scalar,
}

/// The points of each category, added up while the controls are read: none of them is kept.
#[derive(Default)]
struct Sums {
    /// `None`: a control of the category has no points, and without it the sum would be too small.
    of: BTreeMap<String, Option<f64>>,
    is_garbage: bool,
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SumsVisitor)
    }
}

struct SumsVisitor;

impl<'de> Visitor<'de> for SumsVisitor {
    type Value = Sums;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of controls")
    }

    fn visit_unit<E: Error>(self) -> Result<Sums, E> {
        Ok(Sums::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut controls: A) -> Result<Sums, A::Error> {
        let mut sums = Sums::default();
        while let Some(control) = controls.next_element::<Control>()? {
            let Some(category) = control.control_category.line() else { continue };
            let points = number::present(&control.score.0);
            sums.is_garbage |= points.is_err();
            let sum = sums.of.entry(category).or_insert(Some(0.0));
            *sum = sum.zip(points.ok().flatten()).map(|(sum, points)| sum + points);
            if sums.of.len() > CATEGORIES_MAX {
                return Err(bounded::exceeded(format_args!("more than {CATEGORIES_MAX} categories")));
            }
        }
        Ok(sums)
    }
}

/// The most bytes of a page with that many records.
pub(in crate::microsoft) const fn page_bytes_max(records: usize) -> usize {
    ENVELOPE_BYTES_MAX + records * RECORD_BYTES_MAX
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

    fn page_bytes_max(&self, ask: Ask) -> usize {
        page_bytes_max(ask.records)
    }

    /// As many as there are records, if each comes alone.
    fn pages_max(&self) -> usize {
        HISTORY_DAYS
    }

    /// A record without a value has no reading. A new tenant has no record for some days: no data.
    fn read(&self, ask: Ask, page: &[u8], found: &mut Found) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is not a JSON object"));
        }
        let Page { value: records, next } = bounded::read(page)?;
        let records = records.ok_or_else(|| garbage("the API's answer contains no list"))?.0;
        if records.is_empty() && found.readings.is_empty() {
            return Err(Failure::new(FailureClass::NoData, "the tenant has no secure score yet"));
        }
        let is_empty = records.is_empty();
        for record in records {
            if days(found) >= ask.records {
                break;
            }
            if let Err(failure) = record.read(found) {
                // Records are listed newest first. An old one that is garbage is missing; without the newest nothing is known.
                if found.readings.is_empty() {
                    return Err(failure);
                }
            }
        }
        // A page may hold nothing but a day that is repeated or has no value; the count of pages ends a walk in circles.
        let next = next.text().map(str::to_owned);
        Ok(next.filter(|_| !is_empty && days(found) < ask.records))
    }
}

/// How many records were taken.
fn days(found: &Found) -> usize {
    found.readings.iter().filter(|reading| reading.score == ScoreKind::SecureScore).count()
}

impl Record {
    /// Takes the record's readings, unless its day was taken: the first record of a day is the newest.
    fn read(self, found: &mut Found) -> Result<(), Failure> {
        let at = day(&self.id.0, &self.created_date_time.0)
            .ok_or_else(|| garbage("the API's answer contains a record without a day"))?;
        if !TIMES.contains(&at) {
            return Err(garbage("the API's answer contains a time that is far off"));
        }
        if found.readings.iter().any(|reading| reading.sample.at == at) {
            return Ok(());
        }
        let (Some(points), Some(maximum)) =
            (number::present(&self.current_score.0)?, number::present(&self.max_score.0)?)
        else {
            return Ok(());
        };
        // What a tenant without any product has.
        if maximum == 0.0 && points == 0.0 {
            return Ok(());
        }
        if points < 0.0 || maximum <= 0.0 || points > maximum {
            let what = format!("the API's answer contains an impossible value: {points} of {maximum} points");
            return Err(Failure::new(FailureClass::Garbage, what));
        }
        if self.control_scores.is_garbage {
            return Err(garbage("the API's answer contains a value that is not a number"));
        }
        let mut take = |score, subject, points: f64| {
            // The last bit of a quotient may be rounded up.
            let value = (points * 100.0 / maximum).min(100.0);
            if value.is_finite() {
                let points = Some(Points { earned: points, of: maximum });
                found.readings.push(Reading { score, subject, sample: Sample { at, value }, points });
            }
        };
        take(ScoreKind::SecureScore, None, points);
        // Records are listed newest first.
        found.averages.get_or_insert_with(|| averages::read(&self.average_comparative_scores, at));
        // No category is worth less than nothing or more than all: such a sum is not a value, and the record's own points still are.
        let is_possible = |sum: &f64| (0.0..=maximum * ROUNDING).contains(sum);
        for (category, points) in self.control_scores.of {
            if let Some(points) = points.filter(is_possible) {
                take(ScoreKind::SecureScoreCategory, Some(text::subject(&category)), points);
            }
        }
        Ok(())
    }
}

/// The midnight with which a record's day begins, in UTC.
pub(in crate::microsoft) fn day(id: &Value, created: &Value) -> Option<Timestamp> {
    let id = id.as_str().and_then(|id| id.rsplit_once('_'));
    let by_id = id.and_then(|(_, day)| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    let created = || Some(Timestamp::parse(created.as_str()?)?.to_chrono().date_naive());
    let day = by_id.or_else(created)?;
    Timestamp::from_chrono(day.and_time(chrono::NaiveTime::MIN).and_utc())
}
