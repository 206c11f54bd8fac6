//! What people ask of a fleet shift by its id, that of a notice of it, or the first letters of either.

use scorewatch::{
    domain::{Scope, Timestamp},
    query::{
        Error, Page, alerts,
        ids::{self, Named},
    },
};

use super::*;

#[tokio::test]
async fn a_shift_is_found_by_its_ids_and_an_id_of_many_alerts_names_them() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.scores.insert(4, 400.0);
    fleet.quarters(4).await;
    let store = fleet.fixture.store.as_ref();
    let sent = fleet.fixture.receivers.received_by("soc");
    let notice = sent.iter().map(|request| request.json()).find(|body| body["type"] == "fleet.shift").unwrap();
    let shift = notice["data"]["fleet"]["id"].as_str().unwrap();
    let of_notice = notice["data"]["notification"]["short_id"].as_str().unwrap();
    assert_eq!(store.shifted_since(Timestamp::EPOCH).await.unwrap().len(), SIZE - 1);
    let one = |id: &str| Scope::only([tenant_id(id)].into());
    let letters = shift.strip_prefix("msg_").unwrap();
    for (scope, text, is_found) in [
        (Scope::All, shift, true),
        (Scope::All, &letters[..6], true),
        (Scope::All, &letters[..6].to_lowercase(), true),
        (Scope::All, of_notice, true),
        (one("t5"), &letters[..6], true),
        (one("t5"), of_notice, true),
        // Nothing of it is theirs.
        (one("t4"), &letters[..6], false),
        (one("t4"), of_notice, false),
    ] {
        let named = ids::named(store, &scope, text).await;
        if is_found {
            assert_eq!(named.unwrap(), Named::Shift(shift.to_owned()), "{text} as {scope:?}");
            assert_eq!(ids::shift(store, &scope, Some(text)).await.unwrap().as_deref(), Some(shift));
        } else {
            assert!(matches!(named, Err(Error::NoAlert(_))), "{text} as {scope:?}: {named:?}");
        }
    }
    let Err(Error::Ambiguous { what, candidates }) = ids::alert(store, &Scope::All, of_notice).await else {
        panic!("it has many alerts")
    };
    assert_eq!((what, candidates.len()), (format!("`{of_notice}` is a fleet shift with 29 alerts"), SIZE - 1));
    assert!(candidates.iter().all(|one| one.page.as_deref().is_some_and(|page| page.starts_with("/alerts/alert_"))));
    assert_eq!(ids::alert(store, &one("t5"), of_notice).await.unwrap().tenant, "t5", "of whom there is one");
    let filter = alerts::Filter { tenant: Some("t5".to_owned()), ..alerts::Filter::default() };
    let row = alerts::list(store, &Scope::All, &filter, &Page::ALL).await.unwrap().items;
    let line = alerts::lines(store, &fleet.config, &Scope::All, row).await.unwrap().remove(0);
    let not_a_shift = ids::shift(store, &Scope::All, Some(&line.short_id)).await;
    assert!(matches!(not_a_shift, Err(Error::Invalid(_))), "{not_a_shift:?}");
}
