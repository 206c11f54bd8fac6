//! Long lists come a page at a time, and whatever happens meanwhile, nothing is missed.

use std::{fmt::Debug, num::NonZeroU32};

use scorewatch::{
    domain::Scope,
    query::{Listing, Page, alerts, deliveries, silences, tenants},
};

use super::{Scene, only};

/// Collects a list in pages of that many.
async fn paged<T, C: Clone + Debug>(limit: u32, ask: impl AsyncFn(&Page<C>) -> Listing<T, C>) -> Vec<T> {
    let mut page = Page { limit: NonZeroU32::new(limit), after: None };
    let mut items = Vec::new();
    loop {
        let listing = ask(&page).await;
        assert!(listing.items.len() <= usize::try_from(limit).unwrap());
        assert!(!listing.items.is_empty() || items.is_empty(), "no page is empty but the first");
        items.extend(listing.items);
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return items,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_size_make_the_whole_list() {
    let scene = Scene::new().await;
    let (store, config, now) = (scene.store(), &scene.config, scene.now());
    for scope in [&Scope::All, &only(&["contoso", "fabrikam"]), &only(&["contoso"]), &only(&[])] {
        for limit in [1, 2, 3, 100] {
            let filter = alerts::Filter::default();
            let ask = async |page: &Page<_>| alerts::list(store, scope, &filter, page).await.unwrap();
            assert_eq!(paged(limit, ask).await, ask(&Page::ALL).await.items, "alerts by {limit}");
            let filter = deliveries::Filter::default();
            let ask = async |page: &Page<_>| deliveries::list(store, scope, &filter, page).await.unwrap();
            assert_eq!(paged(limit, ask).await, ask(&Page::ALL).await.items, "deliveries by {limit}");
            let ask = async |page: &Page<_>| silences::list(store, scope, true, page, now).await.unwrap();
            assert_eq!(paged(limit, ask).await, ask(&Page::ALL).await.items, "silences by {limit}");
            for only_failing in [false, true] {
                let ask = async |page: &Page<_>| tenants::list(store, config, scope, only_failing, page).await.unwrap();
                let ids =
                    |list: Vec<tenants::TenantStatus>| list.into_iter().map(|tenant| tenant.id).collect::<Vec<_>>();
                assert_eq!(ids(paged(limit, ask).await), ids(ask(&Page::ALL).await.items), "tenants by {limit}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_between_two_pages_neither_repeats_nor_hides_anything() {
    let scene = Scene::new().await;
    let (store, scope, now) = (scene.store(), &Scope::All, scene.now());
    let filter = deliveries::Filter::default();
    let whole = deliveries::list(store, scope, &filter, &Page::ALL).await.unwrap().items;
    let first = deliveries::list(store, scope, &filter, &Page::first(2)).await.unwrap();
    scorewatch::action::drill::drill(
        store,
        &scene.config,
        &scorewatch::domain::Caller::limited_to(scope.clone()),
        "contoso-team",
        now,
    )
    .await
    .unwrap();
    let rest = Page { limit: None, after: first.next };
    let rest = deliveries::list(store, scope, &filter, &rest).await.unwrap();
    assert_eq!([first.items, rest.items].concat(), whole);

    let (scope, filter) = (&only(&["contoso", "fabrikam"]), alerts::Filter::default());
    let whole = alerts::list(store, scope, &filter, &Page::ALL).await.unwrap().items;
    let first = alerts::list(store, scope, &filter, &Page::first(1)).await.unwrap();
    scene.fixture.pass(15);
    scene.fixture.set_score(whole[0].key.tenant.as_str(), 200.0);
    scene.fixture.visit_one(&scene.config, whole[0].key.tenant.as_str()).await;
    let rest = alerts::list(store, scope, &filter, &Page { limit: None, after: first.next }).await.unwrap();
    let keys = |rows: &[alerts::AlertRow]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&rest.items), keys(&whole[1..]), "the alert of the first page has moved to the front");
}
