use super::*;
use crate::domain::{Control, Subject};

const SCORE: SeriesId<'static> = SeriesId { score: ScoreKind::SecureScore, subject: None };

fn day(number: i64) -> Timestamp {
    Timestamp::from_seconds(number * 86_400)
}

/// A record of that day: its maximum, and controls with what they earn and are worth.
fn record(number: i64, maximum: f64, controls: &[(&str, f64, Option<f64>)]) -> (Timestamp, ScoreRecord) {
    let control = |(name, earned, of): &(&str, f64, Option<f64>)| {
        let category = Some(if name.starts_with("scid") { "Device" } else { "Identity" }.to_owned());
        ((*name).to_owned(), Control { category, points: Some(*earned), maximum: *of, counts: None })
    };
    let earned = controls.iter().map(|(_, earned, _)| earned).sum();
    let record = ScoreRecord {
        day: day(number),
        points: Points { earned, of: maximum },
        controls: controls.iter().map(control).collect(),
        services: None,
        all_tenants_average: None,
    };
    (day(number), record)
}

fn read(wanted: &[&str], records: impl IntoIterator<Item = (Timestamp, ScoreRecord)>) -> ControlsRead {
    let wanted = wanted.iter().map(|name| (*name).to_owned()).collect();
    ControlsRead { wanted, records: records.into_iter().collect(), maxima: BTreeMap::new() }
}

/// The percentage that Microsoft shows of a record.
fn shown(record: &(Timestamp, ScoreRecord)) -> Sample {
    let Points { earned, of } = record.1.points;
    Sample { at: record.0, value: earned * 100.0 / of }
}

#[test]
fn an_excluded_control_is_neither_gained_nor_lost() {
    let known = [("MFA", 10.0, Some(10.0)), ("Other", 45.0, Some(90.0))];
    for (now, expected, why) in [
        (&[("MFA", 10.0, Some(10.0)), ("Other", 45.0, Some(90.0))][..], 50.0, "nothing moved"),
        (&[("MFA", 0.0, None), ("Other", 45.0, Some(90.0))], 50.0, "its own points are lost"),
        (&[("MFA", 0.0, None), ("Other", 36.0, Some(90.0))], 40.0, "the rest counts"),
        (&[("MFA", 10.0, Some(10.0)), ("Other", 0.0, None)], 0.0, "nothing is left"),
    ] {
        let before = record(1, 100.0, &known);
        let after = record(2, 100.0, now);
        let excluded = Excluded::default().after(&read(&["MFA"], [before, after.clone()]));
        let value = excluded.value(SCORE, shown(&after));
        assert!((value - expected).abs() < 1e-9, "{why}: {value}");
    }
}

#[test]
fn what_a_control_is_worth_is_taken_from_the_record_the_profile_or_the_nearest_day() {
    let (one, two) = (record(1, 100.0, &[("MFA", 0.0, None), ("Other", 45.0, None)]), day(2));
    let mut unknown = read(&["MFA"], [one.clone()]);
    let value = |excluded: &Excluded| excluded.value(SCORE, shown(&one));
    assert!((value(&Excluded::default().after(&unknown)) - 45.0).abs() < 1e-9, "not known");
    let later = Excluded::default()
        .after(&unknown)
        .after(&read(&["MFA"], [(two, record(2, 100.0, &[("MFA", 5.0, Some(10.0)), ("Other", 45.0, None)]).1)]));
    assert!((value(&later) - 50.0).abs() < 1e-9, "a later record shows it");
    unknown.maxima.insert("MFA".to_owned(), 10.0);
    assert!((value(&Excluded::default().after(&unknown)) - 50.0).abs() < 1e-9, "its profile says it");
    let absent = read(&["Typo"], [one.clone()]);
    let excluded = Excluded::default().after(&absent);
    assert!((value(&excluded) - 45.0).abs() < 1e-9, "no such control");
    assert!(!excluded.names.contains("Typo") && excluded.names.contains("MFA"));
}

#[test]
fn a_control_of_unknown_worth_hides_no_loss_of_others_and_is_not_a_loss_itself() {
    for (mfa, other, why) in [
        ([0.0, 10.0], [70.0, 63.0], "it gains while others lose"),
        ([10.0, 0.0], [70.0, 70.0], "it alone loses"),
        ([10.0, 0.0], [70.0, 63.0], "both lose"),
    ] {
        let of = |day: usize, number: i64| {
            record(number, 100.0, &[("MFA", mfa[day], None), ("Other", other[day], Some(90.0))])
        };
        let records = [of(0, 1), of(1, 2)];
        let excluded = Excluded::default().after(&read(&["MFA"], records.clone()));
        for (record, other) in records.iter().zip(other) {
            let value = excluded.value(SCORE, shown(record));
            assert!((value - other / 0.9).abs() < 1e-9, "{why}: {value}");
        }
    }
}

#[test]
fn categories_lose_their_own_controls_and_still_add_up() {
    let all = record(1, 100.0, &[("MFA", 10.0, Some(10.0)), ("Other", 20.0, None), ("scid_1", 30.0, None)]);
    let excluded = Excluded::default().after(&read(&["MFA"], [all.clone()]));
    let of = |subject: &str, value: f64| {
        let subject = Subject(subject.into());
        let id = SeriesId { score: ScoreKind::SecureScoreCategory, subject: Some(&subject) };
        excluded.value(id, Sample { at: all.0, value })
    };
    let (identity, device) = (of("Identity", 30.0), of("Device", 30.0));
    assert!((identity - 20.0 * 100.0 / 90.0).abs() < 1e-9 && (device - 30.0 * 100.0 / 90.0).abs() < 1e-9);
    assert!((identity + device - excluded.value(SCORE, shown(&all))).abs() < 1e-9);
    let exposure = SeriesId { score: ScoreKind::ExposureScore, subject: None };
    let sample = Sample { at: all.0, value: 60.0 };
    assert_eq!((excluded.value(exposure, sample), excluded.window(exposure, &[sample])), (60.0, None));
}

#[test]
fn a_window_is_judged_without_the_same_controls_whenever_the_set_changed() {
    let records: Vec<_> = [(10.0, 45.0), (10.0, 45.0), (0.0, 45.0), (0.0, 36.0)]
        .into_iter()
        .zip(1..)
        .map(|((mfa, other), number)| {
            let of = (mfa > 0.0).then_some(10.0);
            record(number, 100.0, &[("MFA", mfa, of), ("Other", other, None)])
        })
        .collect();
    let samples: Vec<_> = records.iter().map(shown).collect();
    let values = |excluded: &Excluded| -> Vec<f64> {
        let window = excluded.window(SCORE, &samples).unwrap_or_else(|| samples.clone());
        window.iter().map(|sample| sample.value.round()).collect()
    };
    let none = Excluded::default();
    assert_eq!(values(&none), [55.0, 55.0, 45.0, 36.0]);
    // The exclusion begins with the third record: everything that Microsoft keeps is read once more.
    let wanted = BTreeSet::from(["MFA".to_owned()]);
    assert!(none.needs_history(&wanted));
    let begun = none.after(&read(&["MFA"], records[..3].to_vec()));
    assert!(!begun.needs_history(&wanted));
    let goes_on = begun.after(&read(&["MFA"], records[3..].to_vec()));
    assert_eq!(values(&goes_on), [50.0, 50.0, 50.0, 40.0]);
    assert_eq!(goes_on, none.after(&read(&["MFA"], records.clone())), "read at once or one after the other");
    // What was measured before moves by what the newest judged reading moves.
    assert_eq!(none.moved(&begun, SCORE, Some(samples[1])), Some(-5.0));
    assert_eq!(begun.moved(&goes_on, SCORE, Some(samples[2])), None);
    // What it lost while it was excluded is not lost later: for every day before its end, it stands as it stood then.
    let ended = goes_on.after(&ControlsRead::default());
    assert_eq!((ended.in_force.is_empty(), values(&ended)), (true, vec![45.0, 45.0, 45.0, 36.0]));
    assert_eq!(goes_on.moved(&ended, SCORE, Some(samples[3])), Some(-4.0));
    assert!(ended.needs_history(&wanted), "what it earned since is not known");
    let again = ended.after(&read(&["MFA"], records.clone()));
    assert_eq!(values(&again), [50.0, 50.0, 50.0, 40.0]);
    let long_over = Excluded { read_through: Some(day(500)), ..ended };
    assert_eq!(long_over.after(&ControlsRead::default()), none);
}

#[test]
fn nothing_is_taken_out_where_nothing_would_be_left() {
    let all = record(1, 10.0, &[("MFA", 5.0, Some(10.0))]);
    let excluded = Excluded::default().after(&read(&["MFA"], [all.clone()]));
    assert!((excluded.value(SCORE, shown(&all)) - 50.0).abs() < 1e-9);
}
