//! Windows, history and retention.

use std::time::Duration;

use proptest::prelude::*;
use scorewatch::{
    domain::{Sample, ScoreKind, SeriesKey, Timestamp},
    store::{Downtime, Store},
};

use super::fixture::*;

const HOUR: i64 = 3600;

fn contoso() -> SeriesKey {
    SeriesKey { tenant: tenant("contoso"), score: ScoreKind::DeviceSecureScore, subject: None }
}

/// One check that reads one value, as the flow does it: load, append, commit.
async fn read_one(store: &dyn Store, now: i64, new: Sample, keep: Duration) -> Vec<Sample> {
    let before = store.load(&[tenant("contoso")]).await.unwrap().pop();
    let mut window =
        before.as_ref().and_then(|record| record.series.first()).map_or(Vec::new(), |series| series.window.clone());
    let loaded = window.clone();
    window.push(new);
    let mut outcome = check("contoso", before.map(|record| record.version), now);
    outcome.series = vec![series(window, keep)];
    commit(store, outcome).await;
    loaded
}

#[derive(Debug, Clone)]
struct Step {
    gap: i64,
    lag: i64,
    value: f64,
    reopen: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![4 => 600..1200_i64, 3 => 6 * HOUR..30 * HOUR, 1 => 48 * HOUR..200 * HOUR];
    let value = prop_oneof![3 => Just(50.0), 1 => 0.0..100.0];
    let step = (gap, 0..40 * HOUR, value, prop::bool::weighted(0.05));
    prop::collection::vec(step.prop_map(|(gap, lag, value, reopen)| Step { gap, lag, value, reopen }), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever the pace, however late the source is, and wherever a day ends. A window that reaches back for no time at all is that of a
    /// subject that is gone.
    #[test]
    fn history_is_what_was_appended_and_windows_reach_back_far_enough(steps in steps(), keep_hours in 1..80_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let keep = Duration::from_hours(keep_hours);
            let mut fixture = Fixture::new().await;
            let (mut now, mut appended) = (0, Vec::<Sample>::new());
            for step in steps {
                now += step.gap;
                // A source may give an earlier time, but never one before its last.
                let earliest = appended.last().map_or(i64::MIN, |last| last.at.as_seconds() - at(0).as_seconds() + 1);
                let new = sample((now - step.lag).max(earliest), step.value);
                let loaded = read_one(&*fixture.store, now, new, keep).await;
                if let Some(newest) = appended.last() {
                    let horizon = newest.at.minus(keep);
                    let needed = appended.iter().filter(|sample| sample.at >= horizon).count();
                    assert!(loaded.len() >= needed);
                    assert_eq!(loaded, appended[appended.len() - loaded.len()..]);
                }
                appended.push(new);
                if step.reopen {
                    fixture = fixture.reopen().await;
                }
                assert_eq!(fixture.store.history(&contoso(), Timestamp::EPOCH).await.unwrap(), appended);
            }
            let since = appended[appended.len() / 2].at;
            assert_eq!(fixture.store.history(&contoso(), since).await.unwrap(), appended[appended.len() / 2..]);
        });
    }
}

async fn a_window_does_not_grow_without_end() {
    let fixture = Fixture::new().await;
    for hour in 0..200 {
        let loaded = read_one(&*fixture.store, hour * HOUR, sample(hour * HOUR, 1.0), Duration::from_hours(2)).await;
        assert!(loaded.len() <= 27, "two hours, one day, the present reading: {}", loaded.len());
    }
}

async fn history_imported_at_onboarding_is_available_immediately() {
    let fixture = Fixture::new().await;
    let days: Vec<Sample> = (0..90).map(|day| sample((day - 90) * 24 * HOUR, 40.0)).collect();
    let mut outcome = check("contoso", None, 10);
    outcome.series = vec![series(days.clone(), Duration::from_hours(48))];
    commit(&*fixture.store, outcome).await;
    assert_eq!(fixture.store.history(&contoso(), Timestamp::EPOCH).await.unwrap(), days);
    assert_eq!(load(&*fixture.store, "contoso").await.series[0].window, days[87..]);
}

async fn retention_removes_old_samples_and_downtimes_and_nothing_younger() {
    let fixture = Fixture::new().await;
    for hour in 0..240 {
        read_one(&*fixture.store, hour * HOUR, sample(hour * HOUR, 1.0), Duration::from_hours(1)).await;
    }
    fixture.store.record_downtime(Downtime { from: at(0), until: at(1) }).await.unwrap();
    fixture.store.record_downtime(Downtime { from: at(1), until: at(230 * HOUR) }).await.unwrap();
    let retention = Duration::from_hours(5 * 24);
    assert!(!fixture.store.prune(at(239 * HOUR), retention).await.unwrap());
    let left = fixture.store.history(&contoso(), Timestamp::EPOCH).await.unwrap();
    let cutoff = at(239 * HOUR).minus(retention);
    assert!(left[0].at <= cutoff && left[0].at > cutoff.minus(Duration::from_hours(24)), "{:?}", left[0]);
    assert_eq!(left.last(), Some(&sample(239 * HOUR, 1.0)));
    assert_eq!(fixture.store.downtimes().await.unwrap().len(), 1);
}

on_both! {
    a_window_does_not_grow_without_end,
    history_imported_at_onboarding_is_available_immediately,
    retention_removes_old_samples_and_downtimes_and_nothing_younger,
}
