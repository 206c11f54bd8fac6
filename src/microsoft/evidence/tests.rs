//! What Microsoft may answer, well-behaved or not.

use serde_json::json;

use super::*;
use crate::domain::{Counts, EntraTenantId};
use crate::microsoft::tests::world::World;

const MONDAY: &str = "2026-11-23T00:00:00Z";

fn days() -> BTreeSet<Timestamp> {
    BTreeSet::from([Timestamp::parse(MONDAY).unwrap()])
}

fn read_record(record: &serde_json::Value) -> Option<ScoreRecord> {
    let mut found = BTreeMap::new();
    let page = json!({ "value": [record] }).to_string();
    records::read(page.as_bytes(), &days(), &mut found).unwrap();
    found.into_values().next()
}

#[test]
fn a_record_is_read_with_what_it_says_of_each_control() {
    let record = read_record(&json!({
        "id": "t_2026-11-23", "currentScore": "60.5", "maxScore": 200, "enabledServices": ["HasEXOP2", null],
        "averageComparativeScores": [{ "basis": "TotalSeats", "averageScore": 12 }, { "basis": "AllTenants", "averageScore": 47.5 }],
        "controlScores": [
            { "controlName": "mfa", "controlCategory": "Identity", "score": 5, "scoreInPercentage": 72.46, "count": "50", "total": "69" },
            { "controlName": "odd", "score": null, "count": -1, "total": {}, "scoreInPercentage": "x" },
            { "controlName": "twice", "score": 1, "scoreInPercentage": 100 }, { "controlName": "twice", "score": 2 },
            { "score": 3 }, { "controlName": "half", "score": 0.5, "scoreInPercentage": 33.3 },
        ],
    }))
    .unwrap();
    assert_eq!((record.points.earned, record.points.of, record.all_tenants_average), (60.5, 200.0, Some(47.5)));
    assert_eq!(record.services, Some(BTreeSet::from(["HasEXOP2".to_owned()])));
    let mfa = &record.controls["mfa"];
    assert_eq!((mfa.points, mfa.maximum, mfa.counts), (Some(5.0), Some(7.0), Some(Counts { count: 50, total: 69 })));
    let odd = &record.controls["odd"];
    assert_eq!((odd.points, odd.maximum, odd.counts), (None, None, None));
    let twice = &record.controls["twice"];
    assert_eq!((twice.points, twice.maximum), (Some(3.0), None));
    assert_eq!(record.controls["half"].maximum, None, "what can't be said for sure is not said");
    assert_eq!(record.controls.len(), 4);
}

#[test]
fn an_average_that_is_not_a_percentage_is_unknown() {
    for averages in [
        json!([]),
        json!(null),
        json!([{ "basis": "AllTenants", "averageScore": -1 }]),
        json!([{ "basis": "AllTenants", "averageScore": 0 }]),
        json!([{ "basis": "AllTenants", "averageScore": 505_785 }]),
        json!([{ "basis": "AllTenants", "averageScore": 40 }, { "basis": "AllTenants", "averageScore": 60 }]),
        json!([{ "basis": "IndustryTypes", "averageScore": 40 }]),
    ] {
        let record =
            json!({ "id": "t_2026-11-23", "currentScore": 1, "maxScore": 2, "averageComparativeScores": averages });
        assert_eq!(read_record(&record).unwrap().all_tenants_average, None, "{record}");
    }
}

#[test]
fn hostile_answers_are_refused_and_nothing_panics() {
    let deep = format!("{{\"value\":{}", "[".repeat(100_000));
    let nested = format!("{{\"value\":[{{\"id\":{}1{}}}]}}", "[".repeat(200), "]".repeat(200));
    let many = json!({ "value": [{ "id": "t_2026-11-23", "controlScores": vec![json!({}); 1_001] }] }).to_string();
    let too_many = format!("{{\"value\":[{}{{}}]}}", "{},".repeat(10_001));
    let twice = r#"{"value":[],"value":[]}"#.to_owned();
    for page in
        [deep, many, too_many, twice, "{}".to_owned(), "{\"value\":{}}".to_owned(), "{\"value\":[1]}".to_owned()]
    {
        let page = page.as_bytes();
        assert!(records::read(page, &days(), &mut BTreeMap::new()).is_err());
    }
    for page in ["{\"value\":7}", "{\"value\":[\"x\"]}", "{", "{\"value\":[{}],\"value\":[]}"] {
        assert!(profiles::read(page.as_bytes(), &mut ControlProfiles::new()).is_err(), "{page}");
        assert!(recommendations::read(page.as_bytes()).is_err(), "{page}");
    }
    let read = records::read(nested.as_bytes(), &days(), &mut BTreeMap::new());
    assert_eq!(read, Ok(None), "what is no text is nothing");
    let nothing = recommendations::read(br#"{"value":[{"id":null},{"id":{}},{"configScoreImpact":1}]}"#).unwrap();
    assert!(nothing.items.is_empty() && nothing.is_complete);
}

#[test]
fn a_profile_keeps_what_may_be_shown_and_forgets_people() {
    let page = json!({ "value": [
        {
            "id": "mfa", "title": "Require\nMFA", "maxScore": 9.0, "actionUrl": "https://entra.example/x", "deprecated": true,
            "controlStateUpdates": [
                { "state": "Ignored", "updatedBy": "jo@contoso.example", "updatedDateTime": "2026-11-22T10:00:00Z" },
                { "state": "<b>", "updatedDateTime": "2026-11-23T10:00:00Z" },
                { "state": "Reviewed", "updatedDateTime": null },
            ],
        },
        { "id": "bad", "actionUrl": "javascript:alert(1)" }, { "id": "user", "actionUrl": "https://user@x.example/" },
        { "id": "open", "actionUrl": "http://x.example/" }, { "id": null, "title": "x" },
    ]});
    let mut profiles = ControlProfiles::new();
    assert_eq!(profiles::read(page.to_string().as_bytes(), &mut profiles), Ok(None));
    let mfa = &profiles["mfa"];
    assert_eq!((mfa.title.as_deref(), mfa.maximum, mfa.is_deprecated), (Some("Require MFA"), Some(9.0), true));
    assert_eq!(mfa.link.as_deref(), Some("https://entra.example/x"));
    let states: Vec<_> = mfa.state_changes.iter().map(|change| change.state.as_str()).collect();
    assert_eq!(states, ["another state", "Ignored"]);
    for id in ["bad", "user", "open"] {
        assert_eq!(profiles[id].link, None, "{id}");
    }
}

#[test]
fn a_recommendation_is_read_as_far_as_it_makes_sense_and_each_id_once() {
    let page = json!({ "value": [
        {
            "id": "sca-_-1", "recommendationName": "Do it", "remediationType": "ConfigurationChange", "configScoreImpact": "9.5",
            "exposureImpact": 1, "exposedMachinesCount": 3, "totalMachineCount": "40", "status": "Exception",
        },
        { "id": "sca-_-1", "configScoreImpact": 99 },
        { "id": "va-_-2", "configScoreImpact": -4, "exposureImpact": 1e300, "exposedMachinesCount": 1.5 },
    ]});
    let list = recommendations::read(page.to_string().as_bytes()).unwrap();
    let [one, other] = list.items.as_slice() else { panic!("{list:?}") };
    assert_eq!((one.config_impact, one.exposed, one.total), (Some(9.5), Some(3), Some(40)));
    assert!(one.is_configuration && one.is_exception);
    assert_eq!(
        (other.name.as_str(), other.config_impact, other.exposure_impact, other.exposed),
        ("va-_-2", None, None, None)
    );
}

#[tokio::test]
async fn profiles_are_kept_for_a_day_and_for_a_limited_number_of_tenants() {
    let world = World::new(|seen| {
        let body = r#"{"value":[{"id":"mfa","title":"MFA"}]}"#;
        seen.is("GET ").then(|| crate::egress::loopback::reply(200, "", body))
    })
    .await;
    let asked = || world.server.count("GET /v1.0/security/secureScoreControlProfiles ");
    let ask = async |account: &Account, fresh_since: Timestamp| {
        let profiles = world.microsoft.profiles(account, fresh_since, world.clock.now()).await.unwrap();
        assert_eq!(profiles["mfa"].title.as_deref(), Some("MFA"));
    };
    let start = world.clock.now();
    ask(&world.account, start).await;
    ask(&world.account, start).await;
    assert_eq!(asked(), 1);
    world.clock.advance(std::time::Duration::from_mins(1));
    ask(&world.account, world.clock.now()).await;
    assert_eq!(asked(), 2, "what may have been changed since is read anew");
    world.clock.advance(std::time::Duration::from_hours(24));
    ask(&world.account, start).await;
    assert_eq!(asked(), 3);
    for number in 100..200 {
        let other = Account { entra: EntraTenantId(uuid::Uuid::from_u128(number)), ..world.account.clone() };
        ask(&other, start).await;
    }
    assert_eq!(world.microsoft.inner.profiles.len(), 64);
}
