//! What Microsoft says of other tenants: kept with the outcome of a check, until another one says otherwise.

use scorewatch::{domain::Averages, store::CheckOutcome};

use super::fixture::*;

#[tokio::test]
async fn averages_are_kept_over_a_restart_and_replaced_by_newer_ones_alone() {
    let fixture = Fixture::new().await;
    let said = |average| Averages { day: at(0), similar_size: Some(average), same_industry: None, all_tenants: None };
    let outcome = |name: &str, version, seconds, averages| CheckOutcome { averages, ..check(name, version, seconds) };
    commit(&*fixture.store, outcome("contoso", None, 0, Some(said(47.5)))).await;
    commit(&*fixture.store, outcome("fabrikam", None, 0, None)).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let asked = ["contoso", "fabrikam", "unknown"].map(tenant);
    let known = |average| vec![(tenant("contoso"), said(average))];
    for (version, seconds, averages, expected) in
        [(1, 900, None, 47.5), (2, 1_800, Some(said(47.5)), 47.5), (3, 2_700, Some(said(50.0)), 50.0)]
    {
        commit(store, outcome("contoso", Some(version), seconds, averages)).await;
        assert_eq!(store.averages(&asked).await.unwrap(), known(expected), "{seconds}");
    }
    assert_eq!(store.averages(&asked[1..]).await.unwrap(), []);
}
