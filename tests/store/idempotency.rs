//! Actions that are done once, however often they are asked for.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    domain::{KeyedRequest, Timestamp},
    store::{ABANDONED_AFTER, ANSWER_KEPT, Begun, EntryFilter, NewEntry, RecordedAnswer, Store, StoreError},
};

use super::{
    access::{by, token},
    fixture::*,
    recorded::run,
};

fn request(caller: &str, key: &str, fingerprint: &str) -> KeyedRequest {
    KeyedRequest { caller: caller.to_owned(), key: key.to_owned(), fingerprint: fingerprint.to_owned(), attempt: 1 }
}

/// The same request, sent that many times.
fn attempt(number: i64) -> KeyedRequest {
    KeyedRequest { attempt: number, ..request("ann", "k1", "a") }
}

/// An entry of what that attempt does.
fn of(request: KeyedRequest, seconds: i64) -> NewEntry {
    NewEntry { request: Some(Arc::new(request)), ..by("token.create", seconds) }
}

async fn begin(store: &dyn Store, request: KeyedRequest, at: Timestamp) -> Begun {
    store.begin_request(request, at).await.unwrap()
}

fn answer(status: u16) -> RecordedAnswer {
    RecordedAnswer { status, body: "{\"id\":1}".to_owned() }
}

async fn an_action_is_begun_once_and_answered_the_same_from_then_on() {
    let fixture = Fixture::new().await;
    let one = || request("ann", "k1", "a");
    assert_eq!(fixture.store.begin_request(one(), at(0)).await.unwrap(), Begun::First);
    assert_eq!(fixture.store.begin_request(one(), at(1)).await.unwrap(), Begun::InProgress);
    assert_eq!(fixture.store.begin_request(request("ann", "k1", "b"), at(1)).await.unwrap(), Begun::OtherRequest);
    for other in [request("ann", "k2", "a"), request("bob", "k1", "a")] {
        assert_eq!(fixture.store.begin_request(other, at(1)).await.unwrap(), Begun::First);
    }
    fixture.store.end_request(one(), Some(answer(201))).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.begin_request(one(), at(2)).await.unwrap(), Begun::Answered(answer(201)));
    assert_eq!(fixture.store.begin_request(request("ann", "k1", "b"), at(2)).await.unwrap(), Begun::OtherRequest);
    // An answer that is recorded is not taken back.
    fixture.store.end_request(one(), None).await.unwrap();
    assert_eq!(fixture.store.begin_request(one(), at(3)).await.unwrap(), Begun::Answered(answer(201)));
}

async fn an_action_that_was_not_done_may_be_sent_again_and_one_that_died_after_a_while() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let one = || request("ann", "k1", "a");
    assert_eq!(store.begin_request(one(), at(0)).await.unwrap(), Begun::First);
    store.end_request(one(), None).await.unwrap();
    assert_eq!(store.begin_request(one(), at(1)).await.unwrap(), Begun::First);
    let later = at(1).plus(ABANDONED_AFTER);
    assert_eq!(
        store.begin_request(one(), later.minus(std::time::Duration::from_secs(1))).await.unwrap(),
        Begun::InProgress
    );
    assert_eq!(store.begin_request(one(), later).await.unwrap(), Begun::First);
}

async fn an_answer_is_kept_for_a_day() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let one = || request("ann", "k1", "a");
    assert_eq!(store.begin_request(one(), at(0)).await.unwrap(), Begun::First);
    store.end_request(one(), Some(answer(409))).await.unwrap();
    let day = at(0).plus(ANSWER_KEPT);
    assert_eq!(
        store.begin_request(one(), day.minus(std::time::Duration::from_secs(1))).await.unwrap(),
        Begun::Answered(answer(409))
    );
    assert_eq!(
        store.begin_request(request("ann", "k1", "b"), day).await.unwrap(),
        Begun::First,
        "the key is free again"
    );
}

/// Far beyond the time after which an action that has done nothing may be sent again.
const MUCH_LATER: i64 = 3600;

async fn what_was_done_is_not_begun_again_though_its_answer_was_never_recorded() {
    let fixture = Fixture::new().await;
    assert_eq!(begin(&*fixture.store, attempt(1), at(0)).await, Begun::First);
    fixture.store.record(by("other", 1)).await.unwrap();
    assert!(fixture.store.add_token(token("grafana", "one"), of(attempt(1), 2)).await.unwrap());
    // What else it does is of the same request.
    assert!(fixture.store.add_token(token("portal", "two"), of(attempt(1), 3)).await.unwrap());
    let done = Begun::Done { entry: 2, at: at(2) };
    assert_eq!(begin(&*fixture.store, attempt(2), at(4)).await, done);
    // It failed for a reason of ours afterwards, and says that it may be sent again.
    fixture.store.end_request(attempt(1), None).await.unwrap();
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    assert_eq!(begin(store, attempt(3), at(MUCH_LATER)).await, done);
    let other = KeyedRequest { fingerprint: "b".to_owned(), ..attempt(3) };
    assert_eq!(begin(store, other, at(MUCH_LATER)).await, Begun::OtherRequest);
    store.end_request(attempt(1), Some(answer(201))).await.unwrap();
    assert_eq!(begin(store, attempt(4), at(MUCH_LATER)).await, Begun::Answered(answer(201)));
    let day = at(0).plus(ANSWER_KEPT);
    assert_eq!(begin(store, attempt(5), day).await, Begun::First, "the key is free again");
    assert_eq!(begin(store, attempt(6), day).await, Begun::InProgress, "and nothing is done of it");
}

async fn an_attempt_that_was_given_up_does_nothing_any_more() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    assert_eq!(begin(store, attempt(1), at(0)).await, Begun::First);
    let later = at(0).plus(ABANDONED_AFTER);
    assert_eq!(begin(store, attempt(2), later).await, Begun::First);
    let refused = store.add_token(token("grafana", "one"), of(attempt(1), MUCH_LATER)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert!(
        store.tokens().await.unwrap().is_empty() && store.entries(&EntryFilter::default()).await.unwrap().is_empty()
    );
    // Nor does its answer count, or what it says of its failure.
    store.end_request(attempt(1), Some(answer(201))).await.unwrap();
    store.end_request(attempt(1), None).await.unwrap();
    assert_eq!(begin(store, attempt(3), later.plus(Duration::from_secs(1))).await, Begun::InProgress);
    assert!(store.add_token(token("grafana", "one"), of(attempt(2), MUCH_LATER)).await.unwrap());
    assert_eq!(begin(store, attempt(3), at(MUCH_LATER)).await, Begun::Done { entry: 1, at: at(MUCH_LATER) });
}

async fn a_request_that_an_older_version_began_is_in_progress_until_that_answers_or_it_is_given_up() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let by_older = async |sql: &'static str| run(&fixture, sql, sql).await;
    assert_eq!(begin(store, attempt(1), at(0)).await, Begun::First);
    // It knows neither of attempts nor of what is noted with an entry.
    by_older("UPDATE idempotency SET attempt = NULL").await;
    assert_eq!(begin(store, attempt(2), at(1)).await, Begun::InProgress);
    by_older("UPDATE idempotency SET status = 201, body = '{\"id\":1}'").await;
    assert_eq!(begin(store, attempt(2), at(2)).await, Begun::Answered(answer(201)));
    by_older("UPDATE idempotency SET status = NULL, body = NULL").await;
    let later = at(0).plus(ABANDONED_AFTER);
    assert_eq!(begin(store, attempt(3), later).await, Begun::First);
    assert!(store.add_token(token("grafana", "one"), of(attempt(3), MUCH_LATER)).await.unwrap());
}

on_both! {
    a_request_that_an_older_version_began_is_in_progress_until_that_answers_or_it_is_given_up,
    what_was_done_is_not_begun_again_though_its_answer_was_never_recorded,
    an_attempt_that_was_given_up_does_nothing_any_more,
    an_action_is_begun_once_and_answered_the_same_from_then_on,
    an_action_that_was_not_done_may_be_sent_again_and_one_that_died_after_a_while,
    an_answer_is_kept_for_a_day,
}
