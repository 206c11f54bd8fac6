//! What a tenant can do next to gain the most.

use super::control_diff::title;
use crate::domain::{ControlProfile, ControlProfiles, Impact, RecommendationList, ScoreKind, ScoreRecord};

pub use crate::notify::facts::control::NextAction;

/// Below this, points are the rounding of doubles.
const NOTHING: f64 = 1e-6;

/// The controls that have the most points left to gain, at most `count`, most points first. Controls that Microsoft retired, and those
/// that a person marked as ignored or covered by another product, are left out.
#[must_use]
pub fn of_controls(record: &ScoreRecord, profiles: &ControlProfiles, count: usize) -> Vec<NextAction> {
    let actions = record.controls.iter().filter_map(|(name, control)| {
        let profile = profiles.get(name);
        let maximum = profile.and_then(|profile| profile.maximum).or(control.maximum)?;
        let points = maximum - control.points?;
        (points > NOTHING && profile.is_none_or(is_open)).then(|| NextAction {
            score: ScoreKind::SecureScore,
            title: title(name, profile),
            category: control.category.clone(),
            points,
            link: profile.and_then(|profile| profile.link.clone()),
        })
    });
    best(actions.collect(), count)
}

/// The recommendations of Defender by which the device score gains most, at most `count`, most points first. Those with an exception,
/// and those that every device follows, are left out.
#[must_use]
pub fn of_recommendations(list: &RecommendationList, count: usize) -> Vec<NextAction> {
    let open = list.items.iter().filter(|one| !one.is_exception && one.exposed.is_none_or(|exposed| exposed > 0));
    let actions = open.filter_map(|one| {
        let points = Impact::DeviceScore.of(one).filter(|points| *points > NOTHING)?;
        let (title, category) = (one.name.clone(), one.category.clone());
        Some(NextAction { score: ScoreKind::DeviceSecureScore, title, category, points, link: None })
    });
    best(actions.collect(), count)
}

/// Whether a control is still worth points, and nobody decided against it.
fn is_open(profile: &ControlProfile) -> bool {
    let newest = profile.state_changes.iter().max_by_key(|change| change.at);
    let is_decided = newest.is_some_and(|change| {
        ["ignored", "thirdparty"].iter().any(|decided| change.state.eq_ignore_ascii_case(decided))
    });
    !profile.is_deprecated && !is_decided
}

fn best(mut actions: Vec<NextAction>, count: usize) -> Vec<NextAction> {
    actions.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.title.cmp(&b.title)));
    actions.truncate(count);
    actions
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{Control, Points, Recommendation, StateChange, Timestamp};

    fn profile(state: &str, is_deprecated: bool) -> ControlProfile {
        let changed = |state: &str, at| StateChange { state: state.to_owned(), at: Timestamp::from_seconds(at) };
        let state_changes = if state.is_empty() { vec![] } else { vec![changed("reviewed", 1), changed(state, 2)] };
        ControlProfile {
            title: Some("Turn it on".to_owned()),
            maximum: Some(10.0),
            link: Some("https://security.microsoft.com/".to_owned()),
            is_deprecated,
            state_changes,
        }
    }

    #[test]
    fn controls_with_the_most_points_left_come_first_and_decided_ones_are_left_out() {
        for (earned, maximum, profile, expected) in [
            (Some(4.0), None, Some(profile("", false)), Some(6.0)),
            (Some(4.0), Some(5.0), Some(profile("", false)), Some(6.0)),
            (Some(10.0), None, Some(profile("", false)), None),
            (None, None, Some(profile("", false)), None),
            (Some(4.0), None, None, None),
            (Some(4.0), Some(5.0), None, Some(1.0)),
            (Some(4.0), None, Some(profile("", true)), None),
            (Some(4.0), None, Some(profile("ignored", false)), None),
            (Some(4.0), None, Some(profile("thirdParty", false)), None),
            (Some(4.0), None, Some(profile("Default", false)), Some(6.0)),
        ] {
            let control = Control { points: earned, maximum, ..Control::default() };
            let record = ScoreRecord {
                day: Timestamp::from_seconds(0),
                points: Points { earned: 4.0, of: 10.0 },
                controls: BTreeMap::from([("MFA".to_owned(), control)]),
                services: None,
                all_tenants_average: None,
            };
            let profiles: ControlProfiles =
                profile.clone().map(|profile| ("MFA".to_owned(), profile)).into_iter().collect();
            let found = of_controls(&record, &profiles, 3);
            assert_eq!(found.first().map(|action| action.points), expected, "{earned:?} {maximum:?} {profile:?}");
        }
    }

    #[test]
    fn recommendations_are_sorted_by_what_the_device_score_gains() {
        let one = |name: &str, points: f64| Recommendation {
            name: name.to_owned(),
            is_configuration: true,
            config_impact: Some(points),
            exposed: Some(3),
            ..Recommendation::default()
        };
        let items = vec![
            one("b", 2.0),
            one("a", 2.0),
            one("most", 9.0),
            one("nothing", 0.0),
            Recommendation { is_exception: true, ..one("accepted", 20.0) },
            Recommendation { exposed: Some(0), ..one("done", 20.0) },
            Recommendation { is_configuration: false, ..one("update", 20.0) },
        ];
        let found = of_recommendations(&RecommendationList { items, is_complete: true }, 3);
        let titles: Vec<&str> = found.iter().map(|action| action.title.as_str()).collect();
        assert_eq!(titles, ["most", "a", "b"]);
    }
}
