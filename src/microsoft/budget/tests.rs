use std::collections::VecDeque;

use super::*;
use crate::microsoft::tests::world::World;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

/// Calls as often as it may, at the given interval and number of times, and returns when each call was made.
fn eager(limits: CallLimits, every: i64, times: usize, until: i64) -> Vec<i64> {
    let (mut line, mut made) = (Line::default(), Vec::new());
    for second in (0..until).step_by(usize::try_from(every).unwrap()) {
        for _ in 0..times {
            line.advance(at(second));
            if line.wait(limits, at(second)).is_zero() {
                line.note(at(second));
                made.push(second);
            }
        }
    }
    made
}

#[test]
fn no_minute_and_no_hour_sees_more_calls_than_the_limits_and_not_far_fewer() {
    for (every, times) in [(1, 1), (1, 3), (7, 40), (60, 150), (61, 3), (600, 1_000), (3_600, 2_000)] {
        let made = eager(DEFENDER_LIMITS, every, times, 4 * 3_600);
        for (window, most) in [(60, DEFENDER_LIMITS.minute), (3_600, DEFENDER_LIMITS.hour)] {
            let mut recent = VecDeque::new();
            for second in &made {
                recent.push_back(*second);
                while recent.front().is_some_and(|first| second - first >= window) {
                    recent.pop_front();
                }
                assert!(recent.len() <= usize::try_from(most).unwrap(), "{every} {times}: {second}");
            }
        }
        let asked = 4 * 3_600 / usize::try_from(every).unwrap() * times;
        let limit = usize::try_from(DEFENDER_LIMITS.hour).unwrap() * 4;
        let per_minute = 4 * 60 * usize::try_from(DEFENDER_LIMITS.minute).unwrap();
        let bursts = 4 * 3_600 / usize::try_from(every).unwrap() * usize::try_from(DEFENDER_LIMITS.minute).unwrap();
        let possible = asked.min(limit).min(per_minute).min(bursts);
        assert!(made.len() * 10 >= possible * 9, "{every} {times}: {} of {possible}", made.len());
    }
}

#[test]
fn a_caller_that_must_wait_learns_for_how_long() {
    let mut line = Line::default();
    for _ in 0..99 {
        assert_eq!(line.wait(DEFENDER_LIMITS, at(0)), Duration::ZERO);
        line.note(at(0));
    }
    let wait = line.wait(DEFENDER_LIMITS, at(10));
    assert!(wait >= Duration::from_secs(50) && wait <= Duration::from_secs(55), "{wait:?}");
    assert_eq!(line.wait(DEFENDER_LIMITS, at(10).plus(wait)), Duration::ZERO);
}

#[test]
fn a_clock_that_is_set_back_neither_forgets_calls_nor_shuts_out_for_hours() {
    let mut line = Line::default();
    for _ in 0..99 {
        line.note(at(86_400));
    }
    line.advance(at(0));
    assert!(!line.wait(DEFENDER_LIMITS, at(0)).is_zero(), "they were made just now");
    line.advance(at(65));
    assert!(line.wait(DEFENDER_LIMITS, at(65)).is_zero());
    line.advance(at(3_700));
    assert!(line.0.is_empty());
}

#[test]
fn calls_of_one_source_are_one_and_only_defenders_count() {
    for (scores, calls) in [
        (&[][..], 0),
        (&[ScoreKind::SecureScore, ScoreKind::SecureScoreCategory], 0),
        (&[ScoreKind::DeviceSecureScore, ScoreKind::DeviceSecureScore], 1),
        (&ScoreKind::ALL, 3),
    ] {
        assert_eq!(defender_calls(scores), calls, "{scores:?}");
    }
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_not_made_and_the_operator_learns_what_to_do() {
    let world = World::new(|_| None).await;
    for _ in 0..99 {
        world.fetch().await.unwrap();
    }
    let refused = world.fetch().await.unwrap_err();
    assert_eq!((refused.class, world.calls()), (FailureClass::Throttled, 99));
    assert!(refused.hint().unwrap().contains("less often"), "{refused:?}");
    let wait = refused.retry_after.unwrap();
    world.clock.advance(wait);
    assert_eq!(world.fetch().await, Ok(340.0));
    let other = Account { entra: crate::domain::EntraTenantId(Uuid::from_u128(9)), ..world.account.clone() };
    let budget = &world.microsoft.inner.budget;
    assert_eq!(budget.admit(&other, Api::Defender, world.clock.now()), Ok(()), "each tenant has its own");
    world.clock.advance(HOUR + SWEEP_INTERVAL);
    budget.note(&other, Api::Graph, world.clock.now());
    assert_eq!(budget.book().lines.len(), 1, "who is asked no more is forgotten");
}
