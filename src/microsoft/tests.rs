//! Whole fetches against a server on loopback that plays Entra and Defender.

mod controls;
mod memory;
pub(super) mod world;

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{
    egress::loopback::{Reply, Seen, Server, reply},
    secret::SecretReference,
};
use world::{CANARY, SCORE, World, entra_refusal, is_token_request, token};

#[tokio::test]
async fn ninety_fetches_at_once_ask_for_one_token() {
    let world = World::new(|_| None).await;
    let fetches = futures_util::future::join_all((0..90).map(|_| world.fetch())).await;
    assert!(fetches.into_iter().all(|score| score == Ok(340.0)));
    assert_eq!((world.token_requests(), world.calls()), (1, 90));
    let seen = world.server.seen();
    let asked = seen.iter().find(|seen| is_token_request(seen)).unwrap();
    assert_eq!(
        asked.body,
        "client_id=00000000-0000-0000-0000-000000000002&scope=https%3A%2F%2Fdefender.example%2F.default\
         &client_secret=canary%2Bsecret%2F7Q4M2K%26%7E%25&grant_type=client_credentials"
    );
    assert!(
        seen.iter()
            .filter(|seen| !is_token_request(seen))
            .all(|seen| seen.head.contains("authorization: Bearer token-1"))
    );
}

#[tokio::test]
async fn a_hundred_fetches_at_once_are_refused_by_one_request() {
    for (status, code) in [(401, 7_000_215), (400, 700_016), (400, 50_196), (429, 0), (400, 90_033)] {
        let world = World::new(move |seen| is_token_request(seen).then(|| entra_refusal(status, code))).await;
        let fetches = futures_util::future::join_all((0..100).map(|_| world.fetch())).await;
        assert!(fetches.iter().all(|fetch| fetch == &fetches[0] && fetch.is_err()));
        assert_eq!((world.token_requests(), world.calls()), (1, 0), "AADSTS{code}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_not_earlier() {
    let world = World::new(|_| None).await;
    for (advance, requests) in [(0, 1), (3299, 1), (1, 2), (3299, 2), (1, 3)] {
        world.clock.advance(Duration::from_secs(advance));
        world.fetch().await.unwrap();
        assert_eq!(world.token_requests(), requests, "after {advance} s");
    }
}

#[tokio::test]
async fn a_short_life_is_obeyed_and_an_absurd_one_is_not() {
    for (expires_in, good_for) in [("10", 7), ("\"3599\"", 3298), ("999999999", 24 * 3600 - 301)] {
        let world = World::new(move |seen| is_token_request(seen).then(|| token(1, expires_in))).await;
        for (advance, requests) in [(0, 1), (good_for, 1), (2, 2)] {
            world.clock.advance(Duration::from_secs(advance));
            world.fetch().await.unwrap();
            assert_eq!(world.token_requests(), requests, "{expires_in} after {advance} s");
        }
    }
}

#[tokio::test]
async fn a_token_of_no_use_at_the_next_check_is_forgotten() {
    // The exposure score, which the other tenant is asked for, is one of a hundred.
    let exposure = SCORE.replace("340", "34");
    let is_exposure = |seen: &Seen| seen.is("GET /api/exposureScore ");
    let world = World::new(move |seen| is_exposure(seen).then(|| reply(200, "", exposure.as_str()))).await;
    world.fetch_until(Duration::from_hours(2)).await.unwrap();
    assert_eq!(world.microsoft.inner.tokens.sizes().0, 1);
    // It serves the other scores of the same check, then goes when another tenant's comes.
    world.fetch_until(Duration::from_hours(2)).await.unwrap();
    assert_eq!(world.token_requests(), 1);
    world.clock.advance(Duration::from_mins(2));
    let other = Account { entra: EntraTenantId(uuid::Uuid::from_u128(9)), ..world.account.clone() };
    let next = world.clock.now().plus(Duration::from_mins(1));
    world.microsoft.fetch(&other, ScoreKind::ExposureScore, next).await.unwrap();
    assert_eq!(world.microsoft.inner.tokens.sizes(), (1, 0, 0));
    // The other's stays, as it is of use.
    world.clock.advance(Duration::from_mins(10));
    world.fetch().await.unwrap();
    assert_eq!((world.microsoft.inner.tokens.sizes().0, world.token_requests()), (2, 2));
}

#[tokio::test]
async fn a_401_renews_the_token_once() {
    let world = World::new(|seen| seen.head.contains("Bearer token-1").then(|| reply(401, "", ""))).await;
    assert_eq!(world.fetch().await, Ok(340.0));
    assert_eq!((world.token_requests(), world.calls()), (2, 2));
    let world = World::new(|seen| (!is_token_request(seen)).then(|| reply(401, "", ""))).await;
    assert_eq!(world.fetch().await.unwrap_err().class, FailureClass::TokenRefused);
    assert_eq!((world.token_requests(), world.calls()), (2, 2));
}

#[tokio::test]
async fn a_missing_license_is_distinguished_from_a_bad_token() {
    let body = r#"{"error":{"code":"Unauthorized","message":"reason of failure: No Tvm license","target":"7-1"}}"#;
    let world = World::new(move |seen| (!is_token_request(seen)).then(|| reply(401, "", body))).await;
    let error = world.fetch().await.unwrap_err();
    assert_eq!((error.class, error.correlation.as_deref()), (FailureClass::LicenceMissing, Some("7-1")));
    assert_eq!((world.token_requests(), world.calls()), (1, 1));
}

#[tokio::test]
async fn a_missing_role_is_looked_for_in_a_new_token_at_the_next_check() {
    let body = r#"{"error":{"code":"Forbidden","message":"Missing application roles. API required roles: Score.Read.All, application roles: .","target":"t"}}"#;
    let world = World::new(move |seen| seen.head.contains("Bearer token-1").then(|| reply(403, "", body))).await;
    let error = world.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "tenant `contoso`: the app may not read the score (no role `Score.Read.All`)");
    assert!(error.hint().unwrap().contains("Score.Read.All"));
    assert_eq!(world.fetch().await, Ok(340.0));
    assert_eq!((world.token_requests(), world.calls()), (2, 2));
}

#[tokio::test]
async fn a_refused_secret_is_not_tried_again_until_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, "old").unwrap();
    let mut world =
        World::new(|seen| seen.body.contains("client_secret=old&").then(|| entra_refusal(401, 7_000_222))).await;
    let secret = SecretReference::File(path.clone());
    world.account.app = Arc::new(AppCredential::with_secret(uuid::Uuid::from_u128(2), secret));
    for _ in 0..5 {
        let error = world.fetch().await.unwrap_err();
        assert_eq!((error.class, error.entra_code), (FailureClass::SecretExpired, Some(7_000_222)));
        world.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(world.token_requests(), 1);
    world.clock.advance(Duration::from_mins(10));
    world.fetch().await.unwrap_err();
    assert_eq!(world.token_requests(), 2);
    std::fs::write(&path, "new").unwrap();
    assert_eq!(world.fetch().await, Ok(340.0));
    std::fs::remove_file(&path).unwrap();
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(world.fetch().await.unwrap_err().class, FailureClass::SecretUnreadable);
}

#[tokio::test]
async fn entra_is_left_alone_for_as_long_as_it_asks() {
    for (headers, code, wait) in [("retry-after: 7\r\n", 0, 7), ("", 0, 300), ("", 50_196, 300)] {
        let first = AtomicUsize::new(0);
        let world = World::new(move |seen| {
            let is_first = is_token_request(seen) && first.fetch_add(1, Ordering::SeqCst) == 0;
            is_first.then(|| match entra_refusal(if code == 0 { 429 } else { 400 }, code) {
                Reply::Whole(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    Reply::Whole(text.replacen("content-length", &format!("{headers}content-length"), 1).into_bytes())
                }
                other => other,
            })
        })
        .await;
        let error = world.fetch().await.unwrap_err();
        assert_eq!((error.class, error.retry_after), (FailureClass::Throttled, Some(Duration::from_secs(wait))));
        world.clock.advance(Duration::from_secs(wait - 1));
        assert_eq!(world.fetch().await.unwrap_err().retry_after, Some(Duration::from_secs(1)));
        assert_eq!(world.token_requests(), 1);
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.fetch().await, Ok(340.0));
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_prolongs_no_wait() {
    let first = AtomicUsize::new(0);
    let world = World::new(move |seen| {
        let is_first = is_token_request(seen) && first.fetch_add(1, Ordering::SeqCst) == 0;
        is_first.then(|| entra_refusal(400, 50_196))
    })
    .await;
    world.fetch().await.unwrap_err();
    world.clock.set(world.clock.now().minus(Duration::from_secs(1)));
    world.fetch().await.unwrap_err();
    assert_eq!(world.token_requests(), 1, "a second is no reason to ask again");
    world.clock.set(world.clock.now().minus(Duration::from_hours(1)));
    assert_eq!(world.fetch().await, Ok(340.0));
}

#[tokio::test]
async fn an_api_that_asks_to_wait_is_not_called_before() {
    for (value, wait) in [
        ("7", Some(7_000)),
        ("2.128", Some(2_128)),
        // Twenty seconds after the world's beginning.
        ("Mon, 21 Sep 2026 14:13:40 GMT", Some(20_000)),
        ("Mon, 21 Sep 2020 14:13:40 GMT", Some(0)),
        ("99999999", Some(3_600_000)),
        ("soon", None),
    ] {
        let world = World::new(move |seen| {
            (!is_token_request(seen)).then(|| reply(429, &format!("retry-after: {value}\r\n"), ""))
        })
        .await;
        let error = world.fetch().await.unwrap_err();
        assert_eq!(
            (error.class, error.retry_after),
            (FailureClass::Throttled, wait.map(Duration::from_millis)),
            "{value}"
        );
        assert_eq!(world.calls(), 1, "no second try after 429");
        let again = world.fetch().await.unwrap_err();
        assert_eq!(again.class, FailureClass::Throttled);
        let is_held = wait.is_none_or(|wait| wait > 0);
        assert_eq!(world.calls(), if is_held { 1 } else { 2 }, "{value}");
        // A wait that is not said is a minute.
        world.clock.advance(Duration::from_millis(wait.unwrap_or(60_000)));
        world.fetch().await.unwrap_err();
        assert_eq!(world.calls(), if is_held { 2 } else { 3 }, "{value}");
    }
}

#[tokio::test]
async fn a_hiccup_is_ridden_out_by_one_second_try() {
    for status in [500, 502, 503, 504, 0] {
        for is_entra in [false, true] {
            let count = AtomicUsize::new(0);
            let world = World::new(move |seen| {
                let is_first = is_token_request(seen) == is_entra && count.fetch_add(1, Ordering::SeqCst) == 0;
                is_first.then(|| if status == 0 { Reply::Cut(Vec::new()) } else { reply(status, "", "<html>") })
            })
            .await;
            assert_eq!(world.fetch_in_flowing_time().await, Ok(340.0), "{status}");
        }
        let world = World::new(move |seen| {
            (!is_token_request(seen)).then(|| if status == 0 { Reply::Cut(Vec::new()) } else { reply(status, "", "") })
        })
        .await;
        assert_eq!(world.fetch_in_flowing_time().await.unwrap_err().class, FailureClass::MicrosoftDown);
        assert_eq!(world.calls(), 2, "{status}");
    }
}

#[tokio::test]
async fn hostile_answers_are_survived() {
    let slow = World::with_timeout(Duration::from_millis(200), |seen| {
        (!is_token_request(seen)).then(|| Reply::Hang(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec()))
    })
    .await;
    assert_eq!(slow.fetch().await.unwrap_err().class, FailureClass::MicrosoftDown);
    // On a slow machine the time may be over before the call arrives; what must not come is a second try.
    assert!(slow.calls() <= 1);
    let endless = World::new(|seen| {
        let head = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        (!is_token_request(seen)).then(|| Reply::Endless(head, b"8\r\n        \r\n".repeat(1000)))
    })
    .await;
    assert_eq!(endless.fetch().await.unwrap_err().class, FailureClass::AnswerTooLarge);
    for (body, class) in [
        ("", FailureClass::Garbage),
        ("<html>", FailureClass::Garbage),
        (r#"{"time":"2026-01-02T03:04:05Z","score":null}"#, FailureClass::NoData),
    ] {
        let world = World::new(move |seen| (!is_token_request(seen)).then(|| reply(200, "", body))).await;
        assert_eq!(world.fetch().await.unwrap_err().class, class);
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_and_honest_gzip_is_read() {
    // 4 MiB of spaces before the score, packed by `gzip -9` to four kilobytes.
    let bomb = include_bytes!("tests/bomb.gz");
    let world =
        World::new(move |seen| (!is_token_request(seen)).then(|| reply(200, "content-encoding: gzip\r\n", bomb))).await;
    assert_eq!(world.fetch().await.unwrap_err().class, FailureClass::AnswerTooLarge);
    let honest = include_bytes!("tests/score.gz");
    let world =
        World::new(move |seen| (!is_token_request(seen)).then(|| reply(200, "content-encoding: gzip\r\n", honest)))
            .await;
    assert_eq!(world.fetch().await, Ok(340.0));
}

#[tokio::test]
async fn a_redirect_gets_neither_token_nor_secret() {
    let target = Server::start(|_| reply(200, "", SCORE)).await;
    for is_entra in [true, false] {
        let location = format!("location: {}\r\n", target.url("/"));
        let world =
            World::new(move |seen| (is_token_request(seen) == is_entra).then(|| reply(307, &location, ""))).await;
        assert_eq!(world.fetch().await.unwrap_err().class, FailureClass::Garbage);
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_grant_that_is_none_is_garbage() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"access_token":"","expires_in":1}"#,
        r#"{"access_token":"a"}"#,
        r#"{"access_token":"a\nb","expires_in":1}"#,
        r#"{"access_token":"a","expires_in":-1}"#,
        r#"{"access_token":"a","expires_in":"soon"}"#,
        r#"{"access_token":7,"expires_in":1}"#,
        r#"["a",3600]"#,
    ] {
        let world = World::new(move |seen| is_token_request(seen).then(|| reply(200, "", body))).await;
        assert_eq!(world.fetch().await.unwrap_err().class, FailureClass::Garbage, "{body}");
        assert_eq!(world.calls(), 0);
    }
}

#[tokio::test]
async fn no_error_or_debug_form_shows_secret_token_or_upstream_text() {
    let shown = Arc::new(Mutex::new(String::new()));
    for status in [200, 204, 206, 302, 400, 401, 403, 404, 429, 501] {
        for is_entra in [true, false] {
            let world = World::new(move |seen| {
                let body = format!(r#"{{"error":{{"code":"{CANARY}","message":"{CANARY} token-1","target":"x"}},"access_token":"{CANARY}"}}"#);
                (is_token_request(seen) == is_entra).then(|| reply(status, "", body))
            })
            .await;
            let error = world.fetch().await.unwrap_err();
            let text = format!("{error} {error:?} {:?}", world.microsoft);
            shown.lock().unwrap().push_str(&text);
        }
    }
    let shown = shown.lock().unwrap();
    assert!(!shown.contains("canary") && !shown.contains("token-1") && !shown.contains("127.0.0.1"), "{shown}");
}

#[tokio::test]
async fn a_fetch_that_is_given_up_blocks_nobody() {
    let count = AtomicUsize::new(0);
    let world = World::new(move |seen| {
        (is_token_request(seen) && count.fetch_add(1, Ordering::SeqCst) == 0).then(|| Reply::Hang(Vec::new()))
    })
    .await;
    {
        let mut given_up = std::pin::pin!(world.fetch());
        while world.token_requests() == 0 {
            assert!(futures_util::poll!(given_up.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(world.fetch().await, Ok(340.0));
    assert_eq!(world.microsoft.inner.tokens.sizes(), (1, 0, 0));
}

/// A page of Graph with one record, and the next page behind it.
fn graph_page(day: &str, next: &str) -> String {
    format!(
        r#"{{"value":[{{"id":"t_{day}","currentScore":1,"maxScore":2,"controlScores":[{{"controlCategory":"Data","score":1}}]}}]{next}}}"#
    )
}

#[tokio::test]
async fn one_call_gives_every_score_of_its_source_under_a_token_of_its_own() {
    let world = World::new(|seen| seen.is("GET /v1.0/").then(|| reply(200, "", graph_page("2026-09-21", "")))).await;
    let scores = [ScoreKind::SecureScoreCategory, ScoreKind::DeviceSecureScore, ScoreKind::SecureScore];
    let fetched = world.microsoft.fetch_all(&world.account, &scores, |_| None, world.clock.now()).await;
    assert_eq!(fetched.len(), 3);
    assert!(fetched.iter().all(|(score, readings)| readings.as_ref().is_ok_and(|all| all[0].score == *score)));
    assert_eq!(world.server.count("GET /v1.0/security/secureScores?$top=90 "), 1);
    assert_eq!(world.token_requests(), 2, "one for Graph, one for Defender");
    let seen = world.server.seen();
    assert!(seen.iter().any(|seen| seen.body.contains("scope=https%3A%2F%2Fgraph.example%2F.default")));
    // With today's record known, only the newest is asked for.
    let now = world.clock.now();
    let again = world.microsoft.fetch_all(&world.account, &[ScoreKind::SecureScore], |_| Some(now), now).await;
    assert_eq!(again[0].1.as_ref().unwrap()[0].sample.value.to_bits(), 50_f64.to_bits());
    assert_eq!(world.server.count("GET /v1.0/security/secureScores?$top=1 "), 1);
}

#[tokio::test]
async fn a_next_page_elsewhere_gets_no_token_and_gives_no_reading() {
    let target = Server::start(|_| reply(200, "", SCORE)).await;
    let next = format!(r#","@odata.nextLink":"{}""#, target.url("/v1.0/"));
    let world = World::new(move |seen| seen.is("GET ").then(|| reply(200, "", graph_page("2026-09-21", &next)))).await;
    let fetched =
        world.microsoft.fetch_all(&world.account, &[ScoreKind::SecureScore], |_| None, world.clock.now()).await;
    assert_eq!(fetched[0].1.as_ref().unwrap_err().class, FailureClass::Garbage);
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn an_incomplete_answer_of_graph_is_no_data_and_a_missing_role_is_named() {
    let world = World::new(|seen| seen.is("GET ").then(|| reply(206, "", graph_page("2026-09-21", "")))).await;
    let error = world.microsoft.fetch(&world.account, ScoreKind::SecureScore, world.clock.now()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::NoData);
    let world = World::new(|seen| seen.is("GET ").then(|| reply(403, "", "{}"))).await;
    let error = world.microsoft.fetch(&world.account, ScoreKind::SecureScore, world.clock.now()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("SecurityEvents.Read.All"), "{error:?}");
}
