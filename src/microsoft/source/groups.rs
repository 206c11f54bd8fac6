//! `GET /api/exposureScore/ByMachineGroups`: one value for each device group. Every successful call is a new reading.
//!
//! A group goes by its name, as people know it and messages show it. The resource page lists an `rbacGroupId` that the sample
//! lacks, so it only tells apart groups of one name. A renamed group is therefore a group that is gone and one that is new.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Ask, Failure, Role, SCORE_READ_ALL, Source, garbage, is_object, number, text};
use crate::{
    domain::{Reading, Sample, ScoreKind, Timestamp},
    microsoft::cloud::Api,
};

/// The most groups; Defender's own portal is slow with hundreds.
const GROUPS_MAX: usize = 1_000;

/// Source: "List exposure score by device group" (Defender for Endpoint API).
pub(super) struct Groups;

#[derive(Deserialize)]
struct Page {
    value: Option<Vec<Row>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    time: Value,
    #[serde(default)]
    score: Value,
    #[serde(default, rename = "rbacGroupName")]
    name: Value,
    #[serde(default, rename = "rbacGroupId")]
    id: Value,
}

impl Source for Groups {
    fn scores(&self) -> &'static [ScoreKind] {
        &[ScoreKind::ExposureScoreByGroup]
    }

    fn api(&self) -> Api {
        Api::Defender
    }

    fn role(&self) -> Role {
        SCORE_READ_ALL
    }

    fn path(&self, _: Ask) -> String {
        "/api/exposureScore/ByMachineGroups".to_owned()
    }

    fn pages_max(&self) -> usize {
        10
    }

    /// A group without a value, or that can't be told from another, has no reading. An empty list has none at all.
    fn read(&self, _: Ask, page: &[u8], readings: &mut Vec<Reading>) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is no JSON object"));
        }
        let Page { value: rows, next } =
            serde_json::from_slice(page).map_err(|_| garbage("the API's answer can't be read"))?;
        let rows = rows.ok_or_else(|| garbage("the API's answer holds no list"))?;
        if readings.len().saturating_add(rows.len()) > GROUPS_MAX {
            return Err(garbage("the API's answer holds more device groups than anybody has"));
        }
        let names: Vec<Option<(String, Option<String>)>> = rows.iter().map(Row::names).collect();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (name, _) in names.iter().flatten() {
            *uses.entry(name).or_default() += 1;
        }
        for (row, names) in rows.iter().zip(&names) {
            let Some((name, id)) = names else { continue };
            let subject = match (uses.get(name.as_str()), id) {
                (Some(1), _) => name.clone(),
                (_, Some(id)) => format!("{name} ({id})"),
                (_, None) => continue,
            };
            let Some(value) = number::present(&row.score)? else { continue };
            let at = row.time.as_str().and_then(Timestamp::parse);
            let at = at.ok_or_else(|| garbage("the API's answer has no valid time"))?;
            let subject = Some(text::subject(&subject));
            if readings.iter().any(|reading| reading.subject == subject) {
                return Err(garbage("the API's answer holds a device group twice"));
            }
            let score = ScoreKind::ExposureScoreByGroup;
            readings.push(Reading { score, subject, sample: Sample { at, value }, points: None });
        }
        Ok(next)
    }
}

impl Row {
    /// The group's name, and its id if it has one. A group that has only an id goes by that.
    fn names(&self) -> Option<(String, Option<String>)> {
        let id = text::line(&self.id);
        Some((text::line(&self.name).or_else(|| id.clone())?, id))
    }
}
