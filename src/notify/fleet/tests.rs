use super::*;
use crate::domain::parse_duration;

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

/// Tenants that moved by a percentage, each as often as it says.
fn moves(by: &[(f64, usize)]) -> Vec<Move> {
    let each = by.iter().flat_map(|&(by, times)| std::iter::repeat_n(by, times));
    each.enumerate().map(|(number, by)| Move { tenant: tenant(number), by, is_real: by.abs() >= MOVE_MIN }).collect()
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
fn a_move_stands_out_by_the_spread_of_the_others() {
    let spread = detect(&scope(), span(), &moves(&[(-5.0, 20), (-6.0, 20), (-7.0, 20), (0.0, 5)]), QUORUM).unwrap();
    let alike = detect(&scope(), span(), &moves(&[(-6.0, 30)]), QUORUM).unwrap();
    for (shift, by, is_outlier, share, why) in [
        (&spread, -6.0, false, -6.0, "as far as the others"),
        (&spread, -11.0, false, -11.0, "within the tolerance"),
        (&spread, -20.0, true, -6.0 - spread.tolerance, "far more"),
        (&alike, -6.8, false, -6.8, "alike moves still have room around them"),
        (&alike, -8.0, true, -6.9, "farther than that room"),
        (&alike, -1.0, false, -1.0, "less than the others"),
        (&alike, 9.0, false, 6.9, "the other way"),
    ] {
        assert_eq!(shift.is_outlier(by), is_outlier, "{why}");
        assert!((shift.share_of(by) - share).abs() < 1e-9, "{why}: {}", shift.share_of(by));
        assert_eq!(shift.is_along(by), by < 0.0, "{why}");
    }
}

#[test]
fn records_of_one_day_are_of_one_shift_and_of_no_other() {
    let midnight = Timestamp::from_seconds(1_000_000_000 / 86_400 * 86_400);
    let day = Duration::from_hours(24);
    let span = Span::around(ScoreKind::SecureScore, midnight, Duration::from_mins(15));
    assert!(span.overlaps(midnight.minus(day), midnight));
    assert!(span.overlaps(midnight.minus(day * 3), midnight.plus(day * 2)), "late records, after days without");
    assert!(!span.overlaps(midnight, midnight.plus(day)), "what the next record shows is another matter");
}

#[test]
fn the_wait_is_the_longer_of_hold_and_spread_and_none_without_a_hold() {
    let minutes = Duration::from_mins;
    for (hold, spread, wait) in [(10, 0, 10), (10, 30, 30), (10, 5, 10), (0, 30, 0)] {
        let settings = FleetSettings { hold: minutes(hold), spread: minutes(spread), ..FleetSettings::default() };
        assert_eq!(settings.wait(), minutes(wait), "hold {hold}, spread {spread}");
        assert_eq!(settings.can_detect(0..10), hold > 0);
        assert!(!settings.can_detect(0..9), "a fleet below the quorum");
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
