//! The controls that do not count: written with the outcome of a check, replaced by a later one, and gone when all count again.

use std::collections::BTreeMap;

use scorewatch::{
    domain::{Control, ControlsRead, Excluded, Points, ScoreRecord},
    store::CheckOutcome,
};

use super::fixture::*;

/// What is known without that control after a record of that time.
fn excluded(control: &str, seconds: i64) -> Excluded {
    let known = Control { points: Some(1.0), maximum: Some(10.0), ..Control::default() };
    let record = ScoreRecord {
        day: at(seconds),
        points: Points { earned: 5.0, of: 10.0 },
        controls: BTreeMap::from([(control.to_owned(), known)]),
        services: None,
        all_tenants_average: None,
    };
    let records = BTreeMap::from([(at(seconds), record)]);
    let read = ControlsRead { wanted: [control.to_owned()].into(), records, maxima: BTreeMap::new() };
    Excluded::default().after(&read)
}

fn outcome(name: &str, version: Option<u64>, seconds: i64, excluded: Option<Excluded>) -> CheckOutcome {
    CheckOutcome { excluded, ..check(name, version, seconds) }
}

async fn what_does_not_count_is_kept_over_a_restart_until_a_check_says_otherwise() {
    let fixture = Fixture::new().await;
    let (first, second) = (excluded("MFA", 0), excluded("DLP", 900));
    commit(&*fixture.store, outcome("contoso", None, 0, Some(first.clone()))).await;
    commit(&*fixture.store, outcome("fabrikam", None, 0, None)).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let known = async |name| store.load(&[tenant(name)]).await.unwrap()[0].excluded.clone();
    assert_eq!((known("contoso").await, known("fabrikam").await), (first, Excluded::default()));
    for (version, said, expected) in [
        (1, Some(second.clone()), second.clone()),
        (2, None, second),
        (3, Some(Excluded::default()), Excluded::default()),
    ] {
        commit(store, outcome("contoso", Some(version), 900, said)).await;
        assert_eq!(known("contoso").await, expected, "{version}");
    }
}

on_both! {
    what_does_not_count_is_kept_over_a_restart_until_a_check_says_otherwise,
}
