use super::*;
use crate::{
    domain::parse_duration,
    notify::NotificationType,
    rule::{BaselineChoice, Change, Size},
};

const QUORUM: Quorum = Quorum { at_least: 10, share_percent: 33.0 };

fn scope() -> Scope {
    Scope::of(ScoreKind::DeviceSecureScore, None)
}

fn tenant(number: usize) -> TenantId {
    TenantId::parse(&format!("t{number}")).unwrap()
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000_000 + minutes * 60)
}

fn span() -> Span {
    Span::around(ScoreKind::DeviceSecureScore, at(0), parse_duration("15m").unwrap())
}

/// Tenants that moved by so many percent, each so many times.
fn moves(by: &[(f64, usize)]) -> Vec<Move> {
    let each = by.iter().flat_map(|&(by, times)| std::iter::repeat_n(by, times));
    each.enumerate().map(|(number, by)| Move { tenant: tenant(number), by, is_real: by.abs() >= MOVE_MIN }).collect()
}

fn drop_of(percent: f64) -> Condition {
    let within = parse_duration("24h").unwrap();
    Condition::Drop(Change { size: Size::Percent(percent), within, from: BaselineChoice::Best })
}

#[test]
fn it_takes_ten_tenants_and_a_third_of_those_read_that_move_the_same_way() {
    for (by, expected) in [
        (&[(-5.0, 10), (0.0, 20)][..], Some(-5.0)),
        (&[(-5.0, 9), (0.0, 1)], None),
        (&[(-5.0, 10), (0.0, 21)], None),
        (&[(-5.0, 10), (5.0, 9), (0.0, 5)], Some(-5.0)),
        (&[(4.0, 30), (-9.0, 10)], Some(4.0)),
        (&[(-0.4, 100)], None),
        (&[(-4.0, 10), (-6.0, 10), (-60.0, 3)], Some(-6.0)),
        (&[], None),
    ] {
        let shift = detect(&scope(), span(), &moves(by), QUORUM);
        assert_eq!(shift.map(|shift| shift.median), expected, "{by:?}");
    }
}

#[test]
fn a_shift_explains_what_moved_along_and_leaves_what_stands_out() {
    let shift = detect(&scope(), span(), &moves(&[(-5.0, 20), (-6.0, 20), (-7.0, 20), (0.0, 5)]), QUORUM).unwrap();
    for (when, baseline, before, value, is_explained, why) in [
        (drop_of(5.0), Some(400.0), 400.0, 376.0, true, "as far as the others"),
        (drop_of(5.0), Some(400.0), 400.0, 320.0, false, "far more, and it would hold without the shift"),
        (drop_of(20.0), Some(400.0), 400.0, 320.0, true, "far more, but it would not hold without the shift"),
        (drop_of(5.0), Some(420.0), 398.0, 374.0, false, "it held before"),
        (Condition::Below(380.0), None, 400.0, 376.0, true, "a floor that was crossed with all others"),
        (Condition::Below(380.0), None, 379.0, 356.0, false, "below the floor before"),
        (drop_of(5.0), Some(400.0), 381.0, 380.0, false, "did not move along: a leak of its own"),
        (drop_of(5.0), Some(400.0), 375.0, 379.0, false, "moved the other way"),
    ] {
        let suspect = Suspect { when, baseline, before, value };
        assert_eq!(shift.explains(suspect), is_explained, "{why}");
    }
}

#[test]
fn alike_moves_still_have_room_around_them() {
    let shift = detect(&scope(), span(), &moves(&[(-6.0, 30)]), QUORUM).unwrap();
    let falls_to = |value| Suspect { when: drop_of(1.0), baseline: Some(100.0), before: 100.0, value };
    for (value, is_explained) in [(94.0, true), (93.2, true), (92.0, false), (97.0, true)] {
        assert_eq!(shift.explains(falls_to(value)), is_explained, "{value}");
    }
}

#[test]
fn a_series_is_measured_across_the_span_and_against_its_own_noise() {
    let window = |values: &[(i64, f64)]| -> Vec<Sample> {
        values.iter().map(|&(minutes, value)| Sample { at: at(minutes), value }).collect()
    };
    for (samples, expected) in [
        (&[(-30, 400.0), (-15, 400.0), (0, 380.0)][..], Some((-5.0, true))),
        (&[(-30, 400.0), (-16, 400.0), (-1, 380.0), (14, 380.0)], Some((-5.0, true))),
        (&[(-90, 400.0), (-60, 400.0), (300, 380.0)], None),
        (&[(-5, 400.0), (5, 380.0)], None),
        (&[(-30, 400.0)], None),
        (&[(-30, 0.0), (0, 380.0)], None),
        (&[(-90, 400.0), (-75, 392.0), (-60, 400.0), (-45, 392.0), (-30, 400.0), (0, 380.0)], Some((-5.0, false))),
        (&[(-30, 400.0), (0, 399.0)], Some((-0.25, false))),
    ] {
        let found = of_series(&tenant(1), Unit::Points, &window(samples), span());
        assert_eq!(found.map(|one| (one.by, one.is_real)), expected, "{samples:?}");
    }
}

#[test]
fn records_of_one_day_are_measured_against_those_before() {
    let midnight = Timestamp::from_seconds(1_000_000_000 / 86_400 * 86_400);
    let day = Duration::from_hours(24);
    let span = Span::around(ScoreKind::SecureScore, midnight, Duration::from_mins(15));
    let window = [Sample { at: midnight.minus(day), value: 60.0 }, Sample { at: midnight, value: 57.0 }];
    let found = of_series(&tenant(1), Unit::Percent, &window, span).unwrap();
    assert_eq!((found.by, found.is_real), (-3.0, true));
    assert!(
        of_series(&tenant(1), Unit::Percent, &window[..1], span).is_none(),
        "its record of the day is still to come"
    );
    assert!(span.overlaps(midnight.minus(day), midnight));
    assert!(span.overlaps(midnight.minus(day * 3), midnight.plus(day * 2)), "late records, after days without");
    assert!(!span.overlaps(midnight, midnight.plus(day)), "what the next record shows is another matter");
}

#[test]
fn microsoft_s_own_average_is_a_witness_for_a_fleet_of_three() {
    let scope = Scope::of(ScoreKind::SecureScore, None);
    let span = Span::around(ScoreKind::SecureScore, at(0), Duration::ZERO);
    let shift = witnessed(&scope, span, 52.0, 48.0).unwrap();
    let drop = Condition::Drop(Change {
        size: Size::Points(3.0),
        within: Duration::from_hours(48),
        from: BaselineChoice::Best,
    });
    let fell = |value| Suspect { when: drop, baseline: Some(70.0), before: 70.0, value };
    for (value, is_explained) in [(66.5, true), (65.0, true), (60.0, false)] {
        assert_eq!(shift.explains(fell(value)), is_explained, "{value}");
    }
    for (before, after) in [(52.0, 51.8), (-1.0, 48.0), (52.0, f64::NAN), (52.0, 480.0)] {
        assert_eq!(witnessed(&scope, span, before, after), None, "{before} {after}");
    }
}

#[test]
fn a_tenant_s_device_groups_are_one_move() {
    let group = |by: f64| Move { tenant: tenant(1), by, is_real: by.abs() >= MOVE_MIN };
    for (groups, expected) in [
        (vec![group(5.0), group(6.0), group(0.0)], Some((5.0, true))),
        (vec![group(5.0), group(0.0), group(0.0)], Some((0.0, false))),
        (vec![], None),
    ] {
        assert_eq!(of_tenant(groups).map(|one| (one.by, one.is_real)), expected);
    }
}

/// What fell from 100 in the span, told by that value, and was read since.
fn suspected(kind: NotificationType, value: f64, since: &[(i64, f64)]) -> Suspected {
    let sample = |&(minutes, value): &(i64, f64)| Sample { at: at(minutes), value };
    let window: Vec<Sample> = [(-30, 100.0), (-15, 100.0), (0, value)].iter().chain(since).map(sample).collect();
    let news = News {
        score: ScoreKind::DeviceSecureScore,
        subject: None,
        kind,
        started_at: at(0),
        observed_at: Some(at(0)),
        value,
    };
    Suspected::of(news, drop_of(5.0), Some(100.0), &window, Duration::from_mins(15)).unwrap()
}

#[test]
fn what_was_held_is_judged_by_what_was_read_since() {
    let shift = detect(&scope(), span(), &moves(&[(-6.0, 30)]), QUORUM).unwrap();
    for (value, since, is_explained, why) in [
        (94.0, &[][..], true, "it fell with all others"),
        (70.0, &[], false, "it stands out"),
        (70.0, &[(15, 70.0), (30, 94.0)], true, "what it lost besides is back"),
        (94.0, &[(15, 70.0)], false, "it has lost more since"),
        (94.0, &[(15, 0.0)], true, "a zero that nothing confirms"),
        (94.0, &[(15, 0.0), (30, 0.0)], false, "a zero"),
    ] {
        let suspected = suspected(NotificationType::AlertFiring, value, since);
        assert_eq!(shift.explains(suspected.suspect), is_explained, "{why}");
    }
}

#[test]
fn the_average_of_secure_scores_is_a_witness_for_nothing_else() {
    for (score, is_witnessed) in [(ScoreKind::SecureScore, true), (ScoreKind::SecureScoreCategory, false)] {
        let category = Subject("Identity".into());
        let fell = Condition::Drop(Change {
            size: Size::Points(3.0),
            within: Duration::from_hours(72),
            from: BaselineChoice::Best,
        });
        let news = News {
            score,
            subject: score.has_subjects().then_some(&category),
            kind: NotificationType::AlertFiring,
            started_at: at(0),
            observed_at: Some(at(0)),
            value: 66.0,
        };
        let window = [Sample { at: at(-1440), value: 70.0 }, Sample { at: at(0), value: 66.0 }];
        let suspected = Suspected::of(news, fell, Some(70.0), &window, Duration::from_hours(1)).unwrap();
        let suspected = Suspected { comparison: Some((48.0, 44.0)), ..suspected };
        assert_eq!(suspected.witnessed().is_some(), is_witnessed, "{score}");
    }
}
