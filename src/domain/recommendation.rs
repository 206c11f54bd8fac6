//! What Defender recommends to a tenant, and the compact memory of it with which a later list is compared.

use serde::{Deserialize, Serialize};

use super::{Control, ControlProfile, ControlProfiles, Counts, ScoreKind, ScoreRecord, Timestamp};

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

/// The score that would gain by what is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// The device score: those about configuration, by what the score could gain.
    DeviceScore,
    /// The exposure score: all, by what the score could fall.
    Exposure,
    /// Microsoft Secure Score: the controls of the tenant, by what the score could gain.
    SecureScore,
}

impl Impact {
    /// Every score that has recommendations.
    pub const ALL: [Self; 3] = [Self::DeviceScore, Self::Exposure, Self::SecureScore];
    /// The scores that Defender's recommendations have an impact on.
    pub const OF_DEFENDER: [Self; 2] = [Self::DeviceScore, Self::Exposure];

    /// The name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceScore => "device-score",
            Self::Exposure => "exposure",
            Self::SecureScore => "secure-score",
        }
    }

    /// The kind of score that would gain.
    #[must_use]
    pub const fn score(self) -> ScoreKind {
        match self {
            Self::DeviceScore => ScoreKind::DeviceSecureScore,
            Self::Exposure => ScoreKind::ExposureScore,
            Self::SecureScore => ScoreKind::SecureScore,
        }
    }

    /// How much a recommendation weighs in this score, in points; `None`: it has no part in it.
    #[must_use]
    pub fn of(self, recommendation: &Recommendation) -> Option<f64> {
        match self {
            Self::DeviceScore if recommendation.is_configuration => recommendation.config_impact,
            Self::DeviceScore | Self::SecureScore => None,
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

/// What is remembered of one recommendation. Written as a list, `["sca-_-scid-20000",12,40,9.5,false,"Turn on …"]`: thousands are kept.
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
    /// What to do, for people; `None`: the source did not say, or an older version remembered it.
    pub name: Option<String>,
}

/// What the list of a row holds. Versions that knew no names wrote none, and read none.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Named(String, Option<u64>, Option<u64>, Option<f64>, bool, String),
    Nameless(String, Option<u64>, Option<u64>, Option<f64>, bool),
}

impl From<Written> for SnapshotRow {
    fn from(written: Written) -> Self {
        let (id, exposed, total, impact, is_exception, name) = match written {
            Written::Named(id, exposed, total, impact, is_exception, name) => {
                (id, exposed, total, impact, is_exception, Some(name))
            }
            Written::Nameless(id, exposed, total, impact, is_exception) => {
                (id, exposed, total, impact, is_exception, None)
            }
        };
        Self { id, exposed, total, impact, is_exception, name }
    }
}

impl From<SnapshotRow> for Written {
    fn from(SnapshotRow { id, exposed, total, impact, is_exception, name }: SnapshotRow) -> Self {
        match name {
            Some(name) => Self::Named(id, exposed, total, impact, is_exception, name),
            None => Self::Nameless(id, exposed, total, impact, is_exception),
        }
    }
}

/// The most recommendations that are remembered for one score of one tenant: some 20 KB.
pub const SNAPSHOT_ROWS_MAX: usize = 200;

impl RecommendationSnapshot {
    /// Remembers the heaviest recommendations of a list.
    #[must_use]
    pub fn of(list: &RecommendationList, impact: Impact, taken_at: Timestamp) -> Self {
        let concerns = |item: &&Recommendation| impact == Impact::Exposure || item.is_configuration;
        let rows = list
            .items
            .iter()
            .filter(concerns)
            .map(|item| SnapshotRow {
                id: item.id.clone(),
                exposed: item.exposed,
                total: item.total,
                impact: impact.of(item),
                is_exception: item.is_exception,
                name: Some(item.name.clone()).filter(|name| *name != item.id),
            })
            .collect();
        Self::heaviest(rows, list.is_complete, impact, taken_at)
    }

    /// Remembers what the controls of a record could still gain, in percent of the record's maximum, as far as it is known what each
    /// is worth.
    #[must_use]
    pub fn of_controls(record: &ScoreRecord, profiles: &ControlProfiles, taken_at: Timestamp) -> Self {
        let worth = |control: &Control, profile: Option<&ControlProfile>| {
            profile.and_then(|profile| profile.maximum).or(control.maximum)
        };
        let row = |(name, control): (&String, &Control)| {
            let profile = profiles.get(name);
            let gain = (worth(control, profile)? - control.points?).max(0.0);
            let is_retired = profile.is_some_and(|profile| profile.is_deprecated);
            (!is_retired).then(|| SnapshotRow {
                id: name.clone(),
                exposed: control.counts.map(|Counts { count, total }| total - count),
                total: control.counts.map(|counts| counts.total),
                impact: Some(gain * 100.0 / record.points.of),
                is_exception: profile.is_some_and(ControlProfile::is_ignored),
                name: profile.and_then(|profile| profile.title.clone()),
            })
        };
        let rows: Vec<_> = record.controls.iter().filter_map(row).collect();
        let is_complete = rows.len() == record.controls.len();
        Self::heaviest(rows, is_complete, Impact::SecureScore, taken_at)
    }

    fn heaviest(mut rows: Vec<SnapshotRow>, is_whole: bool, impact: Impact, taken_at: Timestamp) -> Self {
        let weight = |row: &SnapshotRow| row.impact.unwrap_or(0.0);
        rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.id.cmp(&b.id)));
        let is_complete = is_whole && rows.len() <= SNAPSHOT_ROWS_MAX;
        rows.truncate(SNAPSHOT_ROWS_MAX);
        Self { impact, taken_at, is_complete, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Points, StateChange};

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
    fn a_row_is_written_as_a_list_with_or_without_a_name() {
        let row = SnapshotRow {
            id: "sca".to_owned(),
            exposed: Some(3),
            total: None,
            impact: Some(9.5),
            is_exception: true,
            name: None,
        };
        let named = SnapshotRow { name: Some("Do it".to_owned()), ..row.clone() };
        for (row, written) in [(row, r#"["sca",3,null,9.5,true]"#), (named, r#"["sca",3,null,9.5,true,"Do it"]"#)] {
            let text = serde_json::to_string(&row).unwrap();
            assert_eq!(text, written);
            assert_eq!(serde_json::from_str::<SnapshotRow>(&text).unwrap(), row);
        }
    }

    #[test]
    fn of_controls_it_is_remembered_what_the_score_could_still_gain_by_them() {
        let control = |points, maximum, counts: Option<(u64, u64)>| Control {
            points,
            maximum,
            counts: counts.map(|(count, total)| Counts { count, total }),
            ..Control::default()
        };
        let record = ScoreRecord {
            day: Timestamp::EPOCH,
            points: Points { earned: 60.0, of: 200.0 },
            controls: [
                ("mfa", control(Some(4.0), Some(10.0), Some((5, 40)))),
                ("named", control(Some(1.0), None, None)),
                ("done", control(Some(8.0), Some(8.0), None)),
                ("unknown", control(Some(1.0), None, None)),
                ("retired", control(Some(0.0), Some(9.0), None)),
                ("ignored", control(Some(0.0), Some(2.0), None)),
            ]
            .map(|(name, control)| (name.to_owned(), control))
            .into(),
            services: None,
            all_tenants_average: None,
        };
        let profile = ControlProfile::default;
        let ignored = StateChange { state: "Ignored".to_owned(), at: Timestamp::EPOCH };
        let profiles: ControlProfiles = [
            ("named", ControlProfile { title: Some("Do it".to_owned()), maximum: Some(21.0), ..profile() }),
            ("retired", ControlProfile { is_deprecated: true, ..profile() }),
            ("ignored", ControlProfile { state_changes: vec![ignored], ..profile() }),
        ]
        .map(|(name, profile)| (name.to_owned(), profile))
        .into();
        let kept = RecommendationSnapshot::of_controls(&record, &profiles, Timestamp::EPOCH);
        let said: Vec<_> = kept
            .rows
            .iter()
            .map(|row| (row.id.as_str(), row.impact, row.exposed, row.name.as_deref(), row.is_exception))
            .collect();
        let expected = [
            ("named", Some(10.0), None, Some("Do it"), false),
            ("mfa", Some(3.0), Some(35), None, false),
            ("ignored", Some(1.0), None, None, true),
            ("done", Some(0.0), None, None, false),
        ];
        assert_eq!((said.as_slice(), kept.is_complete), (&expected[..], false));
    }
}
