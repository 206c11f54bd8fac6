//! `GET /api/exposureScore/ByMachineGroups`: one value for each device group. Every successful call is a new reading.
//!
//! A group goes by its name, as people know it and messages show it. The resource page lists an `rbacGroupId` that the sample
//! lacks, so it only distinguishes groups of one name. A renamed group is therefore a group that is gone and one that
//! is new.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::{
    Ask, Failure, Found, Role, SCORE_READ_ALL, Source, Unsound,
    bounded::{self, Few, Scalar, too_large},
    garbage, is_object, number, text,
};
use crate::{
    domain::{Reading, Sample, ScoreKind, Subject, Timestamp},
    microsoft::cloud::Api,
};

/// The most groups on all pages; Defender's own portal is slow with hundreds.
const GROUPS_MAX: usize = 1_000;

/// What a group goes by that has neither a name nor an id.
const UNNAMED: &str = "(unnamed group)";

/// Source: "List exposure score by device group" (Defender for Endpoint API).
pub(super) struct Groups;

/// A group as it is listed.
#[derive(Debug)]
pub(in crate::microsoft) struct Group {
    name: String,
    id: Option<String>,
    at: Option<Timestamp>,
    /// `None`: it has no value.
    value: Option<f64>,
}

#[derive(Deserialize)]
struct Page {
    value: Option<Few<Row, GROUPS_MAX>>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Scalar,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Row {
    time: Scalar,
    score: Scalar,
    #[serde(rename = "rbacGroupName")]
    name: Scalar,
    #[serde(rename = "rbacGroupId")]
    id: Scalar,
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

    fn page_bytes_max(&self, _: Ask) -> usize {
        1024 * 1024
    }

    fn pages_max(&self) -> usize {
        10
    }

    /// A group without a value has no reading. An empty list has none at all.
    fn read(&self, _: Ask, page: &[u8], found: &mut Found) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is not a JSON object"));
        }
        let Page { value: rows, next } = bounded::read(page)?;
        let rows = rows.ok_or_else(|| garbage("the API's answer contains no list"))?;
        if found.groups.len().saturating_add(rows.0.len()) > GROUPS_MAX {
            return Err(too_large(format!("the API's answer contains more than {GROUPS_MAX} device groups")));
        }
        for row in rows.0 {
            let id = row.id.line();
            // A group that has only an id goes by that. One that has neither is a group all the same.
            let name = row.name.line().or_else(|| id.clone()).unwrap_or_else(|| UNNAMED.to_owned());
            let value = number::present(&row.score.0)?;
            found.groups.push(Group { name, id, at: row.time.text().and_then(Timestamp::parse), value });
        }
        Ok(next.text().map(str::to_owned))
    }

    /// Groups of one name are distinguished by their ids. Those that have none, or the same, can't be distinguished:
    /// which value is whose
    /// would be a guess, so that none of them has a reading, and the name is reported. That holds for a single one without an id
    /// too: its bare name is what a namesake goes by as soon as that is alone.
    fn finish(&self, found: &mut Found) {
        let groups = std::mem::take(&mut found.groups);
        let mut uses: HashMap<String, Vec<Option<&str>>> = HashMap::new();
        for group in &groups {
            uses.entry(group.name.clone()).or_default().push(group.id.as_deref());
        }
        let with_id = |name: &str, id: &str| format!("{name} ({id})");
        let twins = groups.iter().filter(|group| uses.get(&group.name).is_some_and(|ids| ids.len() > 1));
        let labels: BTreeSet<String> =
            twins.filter_map(|group| Some(with_id(&group.name, group.id.as_deref()?))).collect();
        let score = ScoreKind::ExposureScoreByGroup;
        for group in &groups {
            let ids = uses.get(&group.name).map_or(&[][..], Vec::as_slice);
            let is_alone = ids.iter().filter(|id| **id == group.id.as_deref()).count() == 1;
            let subject = match (&group.id, ids.len()) {
                // Its name is what one of two others goes by.
                (Some(id), 1) if labels.contains(&group.name) => with_id(&group.name, id),
                (_, 1) => group.name.clone(),
                (Some(id), _) if is_alone => with_id(&group.name, id),
                _ => {
                    let what = "two device groups have the same name, and no id of their own".into();
                    found.unsound.push(Unsound { score, subject: Some(text::subject(&group.name)), what });
                    continue;
                }
            };
            let subject = Some(text::subject(&subject));
            let Some(value) = group.value else { continue };
            if let Some(at) = group.at {
                found.take(Reading { score, subject, sample: Sample { at, value }, points: None });
            } else {
                let what = "the API's answer has no valid time".into();
                found.unsound.push(Unsound { score, subject, what });
            }
        }
        // A name may look like another one with its id, and long ones may differ only in what is cut.
        let Found { readings, unsound, .. } = found;
        let mut times: BTreeMap<Option<Subject>, usize> = BTreeMap::new();
        for reading in readings.iter().filter(|reading| reading.score == score) {
            *times.entry(reading.subject.clone()).or_default() += 1;
        }
        readings.retain(|reading| {
            let is_alone = reading.score != score || times.get(&reading.subject).is_none_or(|times| *times == 1);
            if !is_alone {
                let what = "two device groups have names that look the same".into();
                unsound.push(Unsound { score, subject: reading.subject.clone(), what });
            }
            is_alone
        });
    }
}
