//! Movements as words: `tenant before at by`, in minutes and percent; the polls are a quarter of an hour apart.

use std::time::Duration;

use super::*;
use crate::domain::{Sample, ScoreKind};

const QUORUM: Quorum = Quorum { at_least: 3, share_percent: 33.0 };

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000_000 + minutes * 60)
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn scope() -> Scope {
    Scope::of(ScoreKind::DeviceSecureScore, None)
}

fn tracked(table: &str) -> Vec<Tracked> {
    let one = |(id, row): (i64, &str)| {
        let words: Vec<&str> = row.split_whitespace().collect();
        let [name, before, after, by] = words[..] else { panic!("{row}") };
        let [before, after] = [before, after].map(|minutes| at(minutes.parse().unwrap()));
        let by: f64 = by.parse().unwrap();
        let movement = Movement {
            tenant: tenant(name),
            score: ScoreKind::DeviceSecureScore,
            subject: None,
            before: Sample { at: before, value: 400.0 },
            after: Sample { at: after, value: 400.0 * (1.0 + by / 100.0) },
            by,
            read_at: after,
            interval: Duration::from_mins(15),
        };
        Tracked { id, movement, is_decided: false, part: None }
    };
    (0..).zip(table.split(',').map(str::trim)).map(one).collect()
}

/// Decides on all of them at that minute; five tenants were read.
fn decided(movements: &mut [Tracked], shifts: &[KnownShift], now: i64) -> Vec<KnownShift> {
    let known = Known { store: "store", quorum: QUORUM, shifts, now: at(now) };
    let read = || ["a", "b", "c", "d", "e"].map(|name| (tenant(name), at(now))).to_vec();
    decide(&known, &scope(), movements, |_| true, |_| true, read)
}

/// Of each movement: `-` none, `.` part of the first shift, `,` of the second, `!` stands out.
fn parts(movements: &[Tracked], shifts: &[KnownShift]) -> String {
    let one = |tracked: &Tracked| match &tracked.part {
        None => '-',
        Some(part) if part.is_outlier => '!',
        Some(part) if part.shift == shifts[0].id => '.',
        Some(_) => ',',
    };
    movements.iter().map(one).collect()
}

#[test]
fn many_that_move_the_same_way_within_one_interval_are_a_shift() {
    for (table, expected, why) in [
        ("a 0 15 -6, b 1 16 -6, c 14 29 -6", Some("..."), "spread over the interval"),
        ("a 0 15 -6, b 1 16 -6", None, "too few"),
        ("a 0 15 -6, b 1 16 -6, c 14 29 6", None, "another way"),
        ("a 0 15 -6, b 1 16 -6, c 14 29 -6, d 1 16 4", Some("...-"), "one moves the other way"),
        ("a 0 15 -6, b 1 16 -6, c 14 29 -6, d 1 16 -40", Some("...!"), "one stands out"),
        ("a 0 15 -6, b 1 16 -6, c 46 61 -6", None, "three intervals apart"),
        ("a 0 15 -6, a 15 30 -6, a 30 45 -6", None, "one tenant, again and again"),
        ("d -6 9 -1, a 0 15 -6, b 1 16 -6, c 14 29 -6, d 9 24 -6", Some("-...."), "noise nearer in time than its part"),
        ("d -6 9 -40, a 0 15 -6, b 1 16 -6, c 14 29 -6, d 9 24 -6", Some("-...."), "a loss of its own nearer in time"),
        ("d -6 9 -1, a 0 15 -6, b 1 16 -6, c 14 29 -6", Some("-..."), "noise, and its part is yet to come"),
        ("a 0 15 -6, b 1 16 -6, c 14 29 -6, d 9 24 -4", Some("...."), "less than the others, but not much less"),
    ] {
        let mut movements = tracked(table);
        let found = decided(&mut movements, &[], 60);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{why}");
        assert!(movements.iter().all(|one| one.is_decided), "{why}");
        if let Some(expected) = expected {
            assert_eq!(parts(&movements, &found), expected, "{why}");
        }
    }
}

#[test]
fn a_movement_is_part_of_none_only_once_that_is_final() {
    let mut movements = tracked("a 0 15 -6, b 1 16 -6");
    let known = Known { store: "store", quorum: QUORUM, shifts: &[], now: at(16) };
    let read = || vec![(tenant("a"), at(16)), (tenant("b"), at(16))];
    assert!(decide(&known, &scope(), &mut movements, |_| true, |_| false, read).is_empty());
    assert!(movements.iter().all(|one| !one.is_decided));
    movements.extend(tracked("c 2 17 -6").into_iter().map(|one| Tracked { id: 9, ..one }));
    let found = decided(&mut movements, &[], 17);
    assert_eq!(parts(&movements, &found), "...");
}

#[test]
fn two_shifts_one_interval_apart_are_two() {
    let mut movements = tracked("a 0 15 -10, b 0 15 -10, c 0 15 -10");
    let first = decided(&mut movements, &[], 15);
    let mut more = tracked("a 0 15 -10, b 0 15 -10, c 0 15 -10, a 15 30 -10, b 15 30 -10, c 15 30 -10");
    more[..3].clone_from_slice(&movements);
    let second = decided(&mut more, &first, 30);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(parts(&more, &first), "...,,,");
    assert!((second[0].shift.median + 10.0).abs() < 1e-9, "measured from where the first has left them");
}

#[test]
fn however_many_are_read_late_they_are_part_of_the_shift_that_is_known() {
    let mut movements = tracked("a 0 15 -10, b 0 15 -10, c 0 15 -10");
    let shifts = decided(&mut movements, &[], 15);
    movements.extend(tracked("d 2 17 -10, e 3 18 -10, f 4 19 -10"));
    movements.extend(tracked("a 15 16 -1"));
    movements.sort_by_key(|one| one.movement.after.at);
    assert!(decided(&mut movements, &shifts, 30).is_empty(), "nor does noise make them another");
    assert_eq!(parts(&movements, &shifts), "...-...");
}

#[test]
fn who_is_read_late_joins_once_and_who_falls_on_its_own_afterwards_does_not() {
    let mut movements = tracked("a 0 15 -10, b 0 15 -10, c 0 15 -10");
    let shifts = decided(&mut movements, &[], 15);
    for (late, expected, why) in [
        ("d 0 90 -9", ".", "it was not read meanwhile"),
        ("d 0 90 -30", "!", "and stands out"),
        ("d 0 90 9", "-", "it went the other way"),
        ("d 0 90 -1", "-", "mere noise"),
        ("d 15 30 -9", "-", "it was read after the shift, and had not moved"),
        ("a 15 30 -9", "-", "it had its part in it"),
    ] {
        let mut more = movements.clone();
        more.extend(tracked(late).into_iter().map(|one| Tracked { id: 9, ..one }));
        assert!(decided(&mut more, &shifts, 90).is_empty());
        assert_eq!(parts(&more[3..], &shifts), expected, "{why}");
    }
}
