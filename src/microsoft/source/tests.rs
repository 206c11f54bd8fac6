use proptest::prelude::*;

use super::*;
use crate::domain::Subject;

/// Each reading as `day or time, subject, value`, or the class of the failure, and whether there is a next page.
fn read(score: ScoreKind, records: usize, body: &str) -> Result<(Vec<Reading>, Option<String>), FailureClass> {
    let (found, next) = found(score, records, body)?;
    Ok((found.readings, next))
}

/// The same, with the values that are not readings.
fn found(score: ScoreKind, records: usize, body: &str) -> Result<(Found, Option<String>), FailureClass> {
    let mut found = Found::default();
    let next = of(score).read(Ask { records }, body.as_bytes(), &mut found).map_err(|failure| failure.class)?;
    of(score).finish(&mut found);
    if found.readings.is_empty() && !found.unsound.is_empty() {
        return Err(FailureClass::Garbage);
    }
    Ok((found, next))
}

fn device(body: &str) -> Result<f64, FailureClass> {
    read(ScoreKind::DeviceSecureScore, 1, body).map(|(readings, _)| readings[0].sample.value)
}

/// `subject=value` of each reading of that kind, in the order given.
fn readings(score: ScoreKind, records: usize, body: &str) -> Result<Vec<String>, FailureClass> {
    let line = |reading: &Reading| {
        let subject = reading.subject.as_ref().map_or("", Subject::as_str);
        let day = reading.sample.at.to_string();
        let day = if score.has_subjects() { "" } else { day.split('T').next().unwrap_or_default() };
        format!("{day}{subject}={}", reading.sample.value)
    };
    let (readings, _) = read(score, records, body)?;
    Ok(readings.iter().filter(|reading| reading.score == score).map(line).collect())
}

#[test]
fn microsofts_own_example_is_read_exactly() {
    let body = r#"{"@odata.context":"https://api.securitycenter.microsoft.com/api/$metadata#ConfigurationScore/$entity",
        "time":"2019-12-03T09:15:58.1665846Z","score":340}"#;
    let (readings, next) = read(ScoreKind::DeviceSecureScore, 1, body).unwrap();
    assert_eq!((readings.len(), next), (1, None));
    assert_eq!((readings[0].score, &readings[0].subject), (ScoreKind::DeviceSecureScore, &None));
    assert_eq!(readings[0].sample.at, Timestamp::from_nanos(1_575_364_558_166_584_600));
    assert_eq!(readings[0].sample.value.to_bits(), 340_f64.to_bits());
}

#[test]
fn missing_is_never_zero_and_garbage_is_never_a_value() {
    use FailureClass::{Garbage, NoData};
    let with = |score: &str| format!(r#"{{"time":"2026-01-02T03:04:05Z","score":{score}}}"#);
    for (score, expected) in [
        ("340", Ok(340.0)),
        ("0", Ok(0.0)),
        ("33.491554051195706", Ok(33.491_554_051_195_706)),
        ("-1", Err(Garbage)),
        ("-0.0001", Err(Garbage)),
        ("1e6", Ok(1e6)),
        ("1000000.5", Err(Garbage)),
        ("1e308", Err(Garbage)),
        (r#""822.0""#, Ok(822.0)),
        (r#"" 7 ""#, Ok(7.0)),
        ("null", Err(NoData)),
        (r#""""#, Err(NoData)),
        (r#"" ""#, Err(NoData)),
        (r#""NaN""#, Err(NoData)),
        (r#""nan""#, Err(NoData)),
        (r#""Infinity""#, Err(Garbage)),
        (r#""1e999""#, Err(Garbage)),
        (r#""n/a""#, Err(Garbage)),
        ("1e999", Err(Garbage)),
        ("NaN", Err(Garbage)),
        ("true", Err(Garbage)),
        ("[340]", Err(Garbage)),
        (r#"{"value":340}"#, Err(Garbage)),
    ] {
        assert_eq!(device(&with(score)), expected, "{score}");
    }
    for (body, expected) in [
        (r#"{"time":"2026-01-02T03:04:05Z"}"#, Err(NoData)),
        ("{}", Err(NoData)),
        (r#"{"score":340}"#, Err(Garbage)),
        (r#"{"time":"yesterday","score":340}"#, Err(Garbage)),
        (r#"{"time":1575364558,"score":340}"#, Err(Garbage)),
        (r#"{"time":null,"score":340}"#, Err(Garbage)),
        (r#"{"time":"0001-01-01T00:00:00Z","score":340}"#, Err(Garbage)),
        (r#"{"time":"1970-01-01T00:00:00Z","score":340}"#, Err(Garbage)),
        (r#"{"time":"2200-01-01T00:00:00Z","score":340}"#, Err(Garbage)),
        (r#"{"time":"2026-01-02T03:04:05Z","score":1,"score":2}"#, Err(Garbage)),
        (r#"{"time":"2026-01-02T03:04:05Z","score":1,"new":{"deep":[1,2]}}"#, Ok(1.0)),
        (r#"["2026-01-02T03:04:05Z",340]"#, Err(Garbage)),
        (r#"{"time":"2026-01-02T03:04:05Z","score":1} x"#, Err(Garbage)),
        ("340", Err(Garbage)),
        ("null", Err(Garbage)),
        ("", Err(Garbage)),
        ("<html>Service Unavailable</html>", Err(Garbage)),
        (r#"{"time":"2026-01-02T03:04:05Z","score":34"#, Err(Garbage)),
    ] {
        assert_eq!(device(body), expected, "{body}");
    }
}

#[test]
fn an_absurdly_nested_answer_is_garbage() {
    for key in ["x", "score", "value"] {
        let body = format!(r#"{{"{key}":{}"#, "[".repeat(100_000));
        for score in ScoreKind::ALL {
            assert_eq!(read(score, 1, &body).unwrap_err(), FailureClass::Garbage, "{score} {key}");
        }
    }
}

fn group(name: &str, id: &str, score: &str) -> String {
    format!(r#"{{"time":"2026-01-02T03:04:05Z","score":{score},"rbacGroupName":{name},"rbacGroupId":{id}}}"#)
}

fn list(items: &[String]) -> String {
    format!(r#"{{"@odata.context":"x","value":[{}]}}"#, items.join(","))
}

#[test]
fn each_device_group_is_a_subject_with_or_without_an_id() {
    let by_group = |items: &[String]| readings(ScoreKind::ExposureScoreByGroup, 1, &list(items));
    let clerks = || group(r#""Clerks""#, "null", "33.5");
    assert_eq!(by_group(&[clerks(), group(r#""Büro Köln""#, r#""7""#, "0")]).unwrap(), ["Clerks=33.5", "Büro Köln=0"]);
    let twins = [group(r#""A""#, r#""1""#, "1"), group(r#""A""#, "2", "2"), group(r#""A""#, "null", "3")];
    assert_eq!(by_group(&twins).unwrap(), ["A (1)=1", "A (2)=2"], "the one without an id is not read");
    let (read, _) = found(ScoreKind::ExposureScoreByGroup, 1, &list(&twins)).unwrap();
    assert_eq!(read.unsound.iter().map(|one| one.subject.as_ref().unwrap().as_str()).collect::<Vec<_>>(), ["A"]);
    let long = |end: &str| group(&format!(r#""{}{end}""#, "l".repeat(500)), "null", "1");
    let alike = [
        group(r#""A""#, r#""1""#, "1"),
        group(r#""A""#, "2", "2"),
        group(r#""A (1)""#, "null", "3"),
        long("x"),
        long("y"),
    ];
    assert_eq!(by_group(&alike).unwrap(), ["A (2)=2"], "they look alike");
    let (read, _) = found(ScoreKind::ExposureScoreByGroup, 1, &list(&alike)).unwrap();
    assert_eq!(read.unsound.len(), 4, "and all are reported: {:?}", read.unsound);
    let nameless = [group("null", r#""9""#, "4"), group("null", "null", "5")];
    assert_eq!(by_group(&nameless).unwrap(), ["9=4", "(unnamed group)=5"]);
    let alike = [group(r#""A (2)""#, r#""9""#, "1"), group(r#""A""#, r#""1""#, "2"), group(r#""A""#, r#""2""#, "3")];
    assert_eq!(by_group(&alike).unwrap(), ["A (2) (9)=1", "A (1)=2", "A (2)=3"], "all have ids of their own");
    assert_eq!(by_group(&[clerks(), group(r#""B""#, "null", "null")]).unwrap(), ["Clerks=33.5"], "missing is not zero");
    let long = by_group(&[group(&format!(r#""a\n{}""#, "b".repeat(500)), "null", "1")]).unwrap();
    assert_eq!(long, [format!("a {}=1", "b".repeat(118))]);
    assert_eq!(by_group(&[]).unwrap(), [""; 0]);
    assert_eq!(by_group(&[group(r#""B""#, "null", "true")]).unwrap_err(), FailureClass::Garbage);
    let many: Vec<String> = (0..1_001).map(|number| group(&format!(r#""{number}""#), "null", "1")).collect();
    assert_eq!(by_group(&many).unwrap_err(), FailureClass::AnswerTooLarge);
}

#[test]
fn an_ambiguous_group_or_an_impossible_value_is_reported_and_the_others_count() {
    let score = ScoreKind::ExposureScoreByGroup;
    let items = [
        group(r#""A""#, "null", "1"),
        group(r#""A""#, "null", "2"),
        group(r#""B""#, r#""1""#, "3"),
        group(r#""B""#, r#""1""#, "4"),
        group(r#""C""#, "null", "250"),
        group(r#""D""#, "null", "-1"),
        group(r#""E""#, "null", "1e308"),
        group(r#""F""#, "null", "50"),
    ];
    let (found, _) = found(score, 1, &list(&items)).unwrap();
    let names: Vec<_> = found.readings.iter().map(|reading| reading.subject.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["F"]);
    let unsound: Vec<_> = found.unsound.iter().map(|one| one.subject.as_ref().unwrap().as_str()).collect();
    assert_eq!(unsound, ["A", "A", "B", "B", "C", "D", "E"]);
    assert!(found.unsound[0].what.contains("two device groups have the same name"));
    assert!(found.unsound[4].what.contains("250, outside of 0 to 100"), "{:?}", found.unsound[4]);
}

#[test]
fn groups_of_one_name_are_distinguished_across_pages() {
    let mut found = Found::default();
    for id in ["1", "2"] {
        Groups.read(Ask { records: 1 }, list(&[group(r#""A""#, id, id)]).as_bytes(), &mut found).unwrap();
    }
    Groups.finish(&mut found);
    let names: Vec<_> = found.readings.iter().map(|reading| reading.subject.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["A (1)", "A (2)"]);
}

#[test]
fn an_answer_keeps_no_more_than_its_limits_however_it_is_filled() {
    let fill = |piece: &str, bytes: usize| vec![piece; bytes / (piece.len() + 1)].join(",");
    for piece in ["[]", "{}", "0", "\"\"", "null", r#"{"controlScores":[]}"#, r#"{"time":[[]],"score":{}}"#] {
        let many = fill(piece, 300_000);
        for body in [
            format!(r#"{{"value":[{many}]}}"#),
            format!(r#"{{"value":[{{"id":[{many}],"controlScores":[{many}]}}]}}"#),
            format!(r#"{{"score":[{many}],"time":[{many}]}}"#),
            format!(r#"{{"x":[{many}]}}"#),
        ] {
            for score in ScoreKind::ALL {
                let mut found = Found::default();
                let read = of(score).read(Ask { records: 90 }, body.as_bytes(), &mut found);
                assert!(found.readings.is_empty() && found.unsound.is_empty(), "{score} {piece}");
                assert!(found.groups.len() <= 1_000, "{score} {piece}");
                drop(read);
            }
        }
    }
    let long = format!(r#"{{"value":[{}]}}"#, fill("{}", 10_000));
    let refused = of(ScoreKind::SecureScore).read(Ask { records: 90 }, long.as_bytes(), &mut Found::default());
    let refused = refused.unwrap_err();
    assert_eq!(refused.class, FailureClass::AnswerTooLarge);
    assert_eq!(refused.what, "the API's answer contains a list of more than 400 entries");
    let categories: Vec<String> =
        (0..60).map(|number| format!(r#"{{"controlCategory":"c{number}","score":1}}"#)).collect();
    let body = list(&[record("t_2026-01-05", "80", "160", &categories.join(","))]);
    assert_eq!(read(ScoreKind::SecureScore, 1, &body).unwrap_err(), FailureClass::AnswerTooLarge);
}

fn record(id: &str, current: &str, max: &str, controls: &str) -> String {
    format!(
        r#"{{"id":"{id}","createdDateTime":"2026-01-09T07:00:00Z","currentScore":{current},"maxScore":{max},
        "averageComparativeScores":[{{"basis":"AllTenants","averageScore":-1}}],"controlScores":[{controls}]}}"#
    )
}

const CONTROLS: &str = r#"{"controlName":"a","controlCategory":"Identity","score":30,"count":"69"},
    {"controlName":"b","controlCategory":"Identity","score":"10"},{"controlName":"c","controlCategory":"Data","score":20.0},
    {"controlName":"d","controlCategory":"Apps","score":null},{"controlName":"e","controlCategory":"Apps","score":5}"#;

#[test]
fn a_daily_record_is_a_percentage_and_one_for_each_category() {
    let body = list(&[record("t_2026-01-05", "80", "160", CONTROLS)]);
    assert_eq!(readings(ScoreKind::SecureScore, 1, &body).unwrap(), ["2026-01-05=50"]);
    // `Apps` has a control without points: its sum would be too small.
    assert_eq!(readings(ScoreKind::SecureScoreCategory, 1, &body).unwrap(), ["Data=12.5", "Identity=25"]);
    let below = r#"{"controlCategory":"Identity","score":-3},{"controlCategory":"Data","score":4}"#;
    let below = list(&[record("t_2026-01-05", "80", "160", below)]);
    assert_eq!(
        readings(ScoreKind::SecureScoreCategory, 1, &below).unwrap(),
        ["Data=2.5"],
        "less than nothing is no value"
    );
    let (readings, _) = read(ScoreKind::SecureScore, 1, &body).unwrap();
    assert_eq!(readings[0].points.map(|points| (points.earned, points.of)), Some((80.0, 160.0)));
}

#[test]
fn a_record_is_known_by_its_day_and_missing_is_never_zero() {
    use FailureClass::{Garbage, NoData};
    let score = |items: &[String], records| readings(ScoreKind::SecureScore, records, &list(items));
    let of_day = |day: &str, current: &str| record(day, current, "100", "");
    let days = [of_day("t_2026-01-05", "1"), of_day("t_2026-01-05", "2"), of_day("t_2026-01-03", "3")];
    assert_eq!(score(&days, 90).unwrap(), ["2026-01-05=1", "2026-01-03=3"], "a repeated day and a missing one");
    assert_eq!(score(&days, 1).unwrap(), ["2026-01-05=1"]);
    assert_eq!(score(&[of_day("NA", "4")], 1).unwrap(), ["2026-01-09=4"]);
    for (current, max) in [("null", "100"), ("1", "null"), ("0", "0"), (r#""NaN""#, "1")] {
        assert_eq!(score(&[record("t_2026-01-05", current, max, "")], 1).unwrap(), [""; 0], "{current} of {max}");
    }
    assert_eq!(score(&[], 1).unwrap_err(), NoData);
    for (current, max) in
        [("-1", "100"), ("1", "-1"), ("1", "0"), ("101", "100"), ("1e308", "1"), ("true", "1"), ("1e999", "1")]
    {
        assert_eq!(score(&[record("t_2026-01-05", current, max, "")], 1).unwrap_err(), Garbage, "{current} of {max}");
    }
    for body in
        ["{}", r#"{"value":null}"#, r#"{"value":{}}"#, r#"{"value":[1]}"#, r#"{"value":[{"maxScore":1}]}"#, "[]"]
    {
        assert_eq!(read(ScoreKind::SecureScore, 1, body).unwrap_err(), Garbage, "{body}");
    }
}

#[test]
fn an_old_record_that_is_garbage_is_missing_and_the_newest_one_is_a_failure() {
    let days = |bad: usize| {
        let record =
            |day: usize| record(&format!("t_2026-01-0{}", 9 - day), if day == bad { "101" } else { "50" }, "100", "");
        list(&(0..3).map(record).collect::<Vec<_>>())
    };
    assert_eq!(readings(ScoreKind::SecureScore, 90, &days(1)).unwrap(), ["2026-01-09=50", "2026-01-07=50"]);
    assert_eq!(readings(ScoreKind::SecureScore, 90, &days(0)).unwrap_err(), FailureClass::Garbage);
    let sum = r#"{"controlCategory":"Identity","score":200},{"controlCategory":"Data","score":4}"#;
    let body = list(&[record("t_2026-01-05", "80", "160", sum)]);
    assert_eq!(readings(ScoreKind::SecureScoreCategory, 1, &body).unwrap(), ["Data=2.5"], "more than all is no value");
}

#[test]
fn a_next_page_is_wanted_only_for_records_that_are_still_wanted() {
    let page = |day: &str| {
        format!(r#"{{"value":[{}],"@odata.nextLink":"https://graph.example/2"}}"#, record(day, "1", "2", ""))
    };
    assert_eq!(read(ScoreKind::SecureScore, 1, &page("t_2026-01-05")).unwrap().1, None);
    assert!(read(ScoreKind::SecureScore, 2, &page("t_2026-01-05")).unwrap().1.is_some());
    let (mut found, _) = found(ScoreKind::SecureScore, 9, &page("t_2026-01-05")).unwrap();
    let again = SecureScore.read(Ask { records: 9 }, page("t_2026-01-05").as_bytes(), &mut found).unwrap();
    assert!(again.is_some(), "a repeated day may stand alone on its page");
    let empty = br#"{"value":[],"@odata.nextLink":"https://graph.example/2"}"#;
    let end = SecureScore.read(Ask { records: 9 }, empty, &mut found).unwrap();
    assert_eq!(end, None, "an empty page ends the walk");
}

#[test]
fn a_next_page_on_another_host_is_not_followed() {
    let base = "https://graph.microsoft.com";
    assert!(follow(base, format!("{base}/v1.0/security/secureScores?$skip=1")).is_ok());
    for next in [
        "https://evil.example/v1.0",
        "https://graph.microsoft.com.evil.example/",
        "https://graph.microsoft.com@evil.example/",
        "https://graph.microsoft.com:8443/",
        "http://graph.microsoft.com/",
        "//evil.example/",
        "/v1.0",
        "",
        "https://graph.microsoft.com/a b",
        "https://graph.microsoft.com/\r\nx",
    ] {
        assert_eq!(follow(base, next.to_owned()).unwrap_err().class, FailureClass::Garbage, "{next}");
    }
    assert!(follow(base, format!("{base}/{}", "a".repeat(3_000))).is_err());
}

#[test]
fn what_is_asked_for_grows_with_the_days_since_the_newest_record() {
    let now = Timestamp::parse("2026-01-05T12:00:00Z").unwrap();
    for (newest, records) in [
        (None, 90),
        (Some("2026-01-05"), 1),
        (Some("2026-01-04"), 2),
        (Some("2025-12-30"), 7),
        (Some("2020-01-01"), 90),
    ] {
        let newest = newest.map(|day| Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap());
        assert_eq!(Ask::since(newest, now), Ask { records }, "{newest:?}");
    }
}

#[test]
fn the_hint_for_a_missing_role_names_the_role_of_its_api() {
    for score in ScoreKind::ALL {
        let source = of(score);
        assert!(source.scores().contains(&score));
        let hint = source.hint(FailureClass::RoleMissing).unwrap();
        assert!(hint.contains(source.role().name), "{score}: {hint}");
    }
    assert!(of(ScoreKind::SecureScore).hint(FailureClass::RoleMissing).unwrap().contains("SecurityEvents.Read.All"));
}

proptest! {
    #[test]
    fn a_number_of_up_to_fifteen_digits_is_kept_to_the_last_bit(digits in 0_i64..999_999_999_999_999, scale in 9_usize..16) {
        let number = format!("{digits}e-{scale}");
        let body = format!(r#"{{"time":"2026-01-02T03:04:05Z","score":{number}}}"#);
        let expected: f64 = number.parse().unwrap();
        prop_assert_eq!(device(&body).map(f64::to_bits), Ok((expected + 0.0).to_bits()));
    }

    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for score in ScoreKind::ALL {
            let _ = of(score).read(Ask { records: 90 }, &body, &mut Found::default());
        }
    }
}
