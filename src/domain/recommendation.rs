//! What Defender recommends to a tenant, and the compact memory of it with which a later list is compared.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One recommendation of Defender Vulnerability Management. Texts are from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recommendation {
    /// Stable between two lists: `sca-_-scid-20000`.
    pub id: String,
    /// What to do, for people.
    pub name: String,
    /// `Accounts`, `Application`, `Network`, `OS`, `SecurityControls`.
    pub category: Option<String>,
    /// Whether it is about a device's configuration, which is what the device score counts.
    pub is_configuration: bool,
    /// What the device score could gain by it, in points.
    pub config_impact: Option<f64>,
    /// What the exposure score could fall by it, in points.
    pub exposure_impact: Option<f64>,
    /// Devices that do not follow it.
    pub exposed: Option<u64>,
    /// Devices that it is about.
    pub total: Option<u64>,
    /// Whether somebody made an exception of it.
    pub is_exception: bool,
}

/// A list of recommendations as Defender gave it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecommendationList {
    /// In no particular order; each id once.
    pub items: Vec<Recommendation>,
    /// Whether it holds all that there are.
    pub is_complete: bool,
}

/// The score for which recommendations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// The device score: those about configuration, by what the score could gain.
    DeviceScore,
    /// The exposure score: all, by what the score could fall.
    Exposure,
}

impl Impact {
    /// Both scores that recommendations have an impact on.
    pub const ALL: [Self; 2] = [Self::DeviceScore, Self::Exposure];

    /// The name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceScore => "device-score",
            Self::Exposure => "exposure",
        }
    }

    /// How much a recommendation weighs in this score, in points; `None`: it has no part in it.
    #[must_use]
    pub fn of(self, recommendation: &Recommendation) -> Option<f64> {
        match self {
            Self::DeviceScore if recommendation.is_configuration => recommendation.config_impact,
            Self::DeviceScore => None,
            Self::Exposure => recommendation.exposure_impact,
        }
    }
}

/// What is remembered of a list for one score: the heaviest recommendations.
#[derive(Debug, Clone, PartialEq)]
pub struct RecommendationSnapshot {
    /// The score that the recommendations have an impact on.
    pub impact: Impact,
    /// When the list was read.
    pub taken_at: Timestamp,
    /// Whether every recommendation is in it: then one that is not was not there.
    pub is_complete: bool,
    /// The recommendations with the most impact.
    pub rows: Vec<SnapshotRow>,
}

/// What is remembered of one recommendation. Written as a list, `["sca-_-scid-20000",12,40,9.5,false]`: thousands are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct SnapshotRow {
    /// The identifier that Microsoft gives it.
    pub id: String,
    /// Devices that did not follow it.
    pub exposed: Option<u64>,
    /// Devices that it was about.
    pub total: Option<u64>,
    /// How much it weighed, in points.
    pub impact: Option<f64>,
    /// Whether somebody had made an exception of it.
    pub is_exception: bool,
}

type Written = (String, Option<u64>, Option<u64>, Option<f64>, bool);

impl From<Written> for SnapshotRow {
    fn from((id, exposed, total, impact, is_exception): Written) -> Self {
        Self { id, exposed, total, impact, is_exception }
    }
}

impl From<SnapshotRow> for Written {
    fn from(SnapshotRow { id, exposed, total, impact, is_exception }: SnapshotRow) -> Self {
        (id, exposed, total, impact, is_exception)
    }
}

/// The most recommendations that are remembered for one score of one tenant: some 10 KB.
pub const SNAPSHOT_ROWS_MAX: usize = 200;

impl RecommendationSnapshot {
    /// Remembers the heaviest recommendations of a list.
    #[must_use]
    pub fn of(list: &RecommendationList, impact: Impact, taken_at: Timestamp) -> Self {
        let concerns = |item: &&Recommendation| impact == Impact::Exposure || item.is_configuration;
        let mut rows: Vec<SnapshotRow> = list
            .items
            .iter()
            .filter(concerns)
            .map(|item| SnapshotRow {
                id: item.id.clone(),
                exposed: item.exposed,
                total: item.total,
                impact: impact.of(item),
                is_exception: item.is_exception,
            })
            .collect();
        let weight = |row: &SnapshotRow| row.impact.unwrap_or(0.0);
        rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.id.cmp(&b.id)));
        let is_complete = list.is_complete && rows.len() <= SNAPSHOT_ROWS_MAX;
        rows.truncate(SNAPSHOT_ROWS_MAX);
        Self { impact, taken_at, is_complete, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, config: f64, is_configuration: bool) -> Recommendation {
        Recommendation {
            id: id.to_owned(),
            config_impact: Some(config),
            exposure_impact: Some(1.0),
            is_configuration,
            ..Recommendation::default()
        }
    }

    #[test]
    fn the_heaviest_of_the_score_are_remembered_and_no_more_than_there_is_room_for() {
        let mut items: Vec<_> =
            (0..300).map(|number| item(&format!("sca-{number:03}"), f64::from(number), true)).collect();
        items.push(item("va-1", 999.0, false));
        let list = RecommendationList { items, is_complete: true };
        let kept = RecommendationSnapshot::of(&list, Impact::DeviceScore, Timestamp::EPOCH);
        assert_eq!((kept.rows.len(), kept.is_complete), (SNAPSHOT_ROWS_MAX, false));
        assert_eq!((kept.rows[0].id.as_str(), kept.rows[199].id.as_str()), ("sca-299", "sca-100"));
        let few = RecommendationList { items: list.items[298..].to_vec(), is_complete: true };
        let kept = RecommendationSnapshot::of(&few, Impact::Exposure, Timestamp::EPOCH);
        assert_eq!((kept.rows.len(), kept.is_complete), (3, true));
        let kept = RecommendationSnapshot::of(&few, Impact::DeviceScore, Timestamp::EPOCH);
        assert_eq!(kept.rows.len(), 2, "software is no matter of the device score");
    }

    #[test]
    fn a_row_is_written_as_a_list() {
        let row =
            SnapshotRow { id: "sca".to_owned(), exposed: Some(3), total: None, impact: Some(9.5), is_exception: true };
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(text, r#"["sca",3,null,9.5,true]"#);
        assert_eq!(serde_json::from_str::<SnapshotRow>(&text).unwrap(), row);
    }
}
