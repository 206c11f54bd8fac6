//! Actions that are done once, however often they are asked for.

use scorewatch::store::{ABANDONED_AFTER, ANSWER_KEPT, Begun, KeyedRequest, RecordedAnswer};

use super::fixture::*;

fn request(caller: &str, key: &str, fingerprint: &str) -> KeyedRequest {
    KeyedRequest { caller: caller.to_owned(), key: key.to_owned(), fingerprint: fingerprint.to_owned() }
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

on_both! {
    an_action_is_begun_once_and_answered_the_same_from_then_on,
    an_action_that_was_not_done_may_be_sent_again_and_one_that_died_after_a_while,
    an_answer_is_kept_for_a_day,
}
