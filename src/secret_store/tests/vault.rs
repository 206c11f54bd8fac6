//! A Vault's protocol, request by request and refusal by refusal.

use super::*;

fn settings(server: &Server, sign_in: SignIn, namespace: Option<&str>) -> VaultSettings {
    VaultSettings {
        address: server.url(""),
        mount: "kv/mssp".to_owned(),
        namespace: namespace.map(str::to_owned),
        sign_in,
        private: Private::Loopback,
    }
}

fn has(seen: &Seen, header: &str) -> bool {
    seen.head.lines().any(|line| line.eq_ignore_ascii_case(header))
}

#[tokio::test]
async fn a_secret_is_asked_for_as_the_api_says() {
    let server = Server::start(|_| value(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let sign_in = SignIn::Token(token_file(&folder, "hvs.first\n"));
    let store = Arc::new(Store::vault("corp", settings(&server, sign_in, Some("mssp/eu")), Clock::System));
    assert_eq!(read(&reference(&store, item("tenants/contoso"))).await, Ok(format!("{CANARY}-1")));
    // A token that was renewed meanwhile is used for the next question.
    token_file(&folder, "hvs.second");
    assert!(read(&reference(&store, item("tenants/fabrikam"))).await.is_ok());
    let seen = server.seen();
    for (seen, path, token) in [(&seen[0], "contoso", "hvs.first"), (&seen[1], "fabrikam", "hvs.second")] {
        assert!(seen.is(&format!("GET /v1/kv/mssp/data/tenants/{path} HTTP/1.1\r\n")), "{}", seen.head);
        for header in [&format!("x-vault-token: {token}"), "x-vault-request: true", "x-vault-namespace: mssp/eu"] {
            assert!(has(seen, header), "{header}: {}", seen.head);
        }
    }
}

#[tokio::test]
async fn every_refusal_is_explained_without_repeating_vaults_text() {
    let deleted = |destroyed: bool| {
        format!(
            r#"{{"data":{{"data":null,"metadata":{{"deletion_time":"2026-01-02T03:04:05Z","destroyed":{destroyed},"x":"{CANARY}"}}}}}}"#
        )
    };
    let errors = format!(r#"{{"errors":["{CANARY}"]}}"#);
    for (status, body, reported) in [
        (403, errors.clone(), "may not be read: Vault rejects the token"),
        (404, r#"{"errors":[]}"#.to_owned(), "does not exist: Vault has nothing at this path"),
        (404, deleted(false), "was deleted: undelete its newest version"),
        (404, deleted(true), "was destroyed"),
        (400, errors.clone(), "Vault answered 400; check `namespace`"),
        (429, errors.clone(), "Vault throttles requests (429)"),
        (503, r#"{"errors":["Vault is sealed"]}"#.to_owned(), "Vault is sealed"),
        (503, errors.clone(), "Vault answered 503"),
        (500, errors.clone(), "Vault answered 500"),
        (307, String::new(), "a redirect; name its active node"),
        (200, "[]".to_owned(), "is not one of its key/value engine"),
        (200, format!(r#"{{"data":{{"value":"{CANARY}"}}}}"#), "is not one of its key/value engine"),
        (200, format!(r#"{{"data":{{"data":{{"other":"{CANARY}"}}}}}}"#), "has no such field"),
        (200, format!(r#"{{"data":{{"data":{{"value":["{CANARY}"]}}}}}}"#), "is not text"),
        (200, r#"{"data":{"data":{"value":" "}}}"#.to_owned(), "is empty"),
        (200, "x".repeat(ANSWER_BYTES_MAX + 1), "the answer has more than"),
    ] {
        let answer = body.clone();
        let world = world(move |_| reply(status, "", &answer)).await;
        let error = read(&reference(&world.store, item("contoso"))).await.unwrap_err();
        assert!(error.contains(reported), "{status} {body:.100}: {error}");
    }
}

#[tokio::test]
async fn an_app_role_signs_in_once_and_again_when_its_token_is_refused_or_old() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let revoked = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let revoked = Arc::clone(&revoked);
        move |seen| {
            if seen.is("POST /v1/auth/approle/login ") {
                let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
                assert_eq!(body, serde_json::json!({ "role_id": "the-role", "secret_id": "the-id" }));
                assert!(!seen.head.to_lowercase().contains("x-vault-token"));
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                let auth = format!(r#"{{"auth":{{"client_token":"hvs.{number}","lease_duration":1000}}}}"#);
                return reply(200, "", auth);
            }
            let is_good = has(seen, &format!("x-vault-token: hvs.{}", counted.load(Ordering::SeqCst)))
                && counted.load(Ordering::SeqCst) > revoked.load(Ordering::SeqCst);
            if is_good { value(0) } else { reply(403, "", r#"{"errors":["permission denied"]}"#) }
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let sign_in = SignIn::AppRole { role_id: "the-role".to_owned(), secret_id: token_file(&folder, "the-id") };
    let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
    let store = Arc::new(Store::vault("corp", settings(&server, sign_in, None), clock.clone()));
    for (passes, revoke, path, count) in
        [(0, 0, "a", 1), (0, 0, "b", 1), (799, 0, "c", 1), (1, 0, "d", 2), (0, 2, "e", 3)]
    {
        clock.advance(Duration::from_secs(passes));
        revoked.store(revoke, Ordering::SeqCst);
        assert_eq!(read(&reference(&store, item(path))).await, Ok(format!("{CANARY}-0")), "{path}");
        assert_eq!(logins.load(Ordering::SeqCst), count, "{path}");
    }
}

#[tokio::test]
async fn a_lease_without_a_sensible_end_is_used_for_a_day_at_most() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let server = Server::start(move |seen| {
        if seen.is("POST /v1/auth/approle/login ") {
            counted.fetch_add(1, Ordering::SeqCst);
            return reply(200, "", r#"{"auth":{"client_token":"hvs.1","lease_duration":18446744073709551615}}"#);
        }
        value(0)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let sign_in = SignIn::AppRole { role_id: "the-role".to_owned(), secret_id: token_file(&folder, "the-id") };
    let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
    let store = Arc::new(Store::vault("corp", settings(&server, sign_in, None), clock.clone()));
    for (passes, path, count) in [(0, "a", 1), (60_000, "b", 1), (10_000, "c", 2)] {
        clock.advance(Duration::from_secs(passes));
        read(&reference(&store, item(path))).await.unwrap();
        assert_eq!(logins.load(Ordering::SeqCst), count, "{path}");
    }
}
