//! The provider's documents, answers and failures; groups and what they allow.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::world::*;
use crate::{
    clock::Clock,
    domain::Role,
    egress::{
        Egress,
        loopback::{Reply, reply},
    },
    oidc::{PENDING_WITHIN, Pending, Provider, Providers, Reach, SignInFailure},
};

fn form(body: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let mut values = form.iter().filter(|(key, _)| key == name);
    let (_, value) = values.next().unwrap_or_else(|| panic!("{name}"));
    assert!(values.next().is_none());
    value
}

#[tokio::test]
async fn a_person_signs_in_by_a_code_that_only_this_browser_can_redeem() {
    let world = World::new().await;
    let begun = world.provider.begin("/tenants/contoso").await.unwrap();
    let query: Vec<(String, String)> = begun.url.query_pairs().into_owned().collect();
    for (name, expected) in [
        ("p", "1"),
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://scores.mssp.example/sign-in/oidc/callback"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(value(&query, name), expected);
    }
    world.plan(|plan| plan.id_token = world.token(value(&query, "nonce")).signed());
    let answer = format!("code=abc&state={}", value(&query, "state"));
    // What a cookie keeps is all that it takes.
    let pending = Pending::of_cookie(secrecy::ExposeSecret::expose_secret(&begun.pending.cookie())).unwrap();
    let signed_in = world.provider.finish(&pending, &answer).await.unwrap();
    assert_eq!((signed_in.name.as_str(), signed_in.target.as_str()), ("ann@mssp.example", "/tenants/contoso"));
    assert_eq!((signed_in.granted.role, &signed_in.granted.reach), (Role::Analyst, &Reach::All));
    assert_eq!(signed_in.membership.groups, [SOC.to_owned()].into(), "what no grant names is forgotten");
    let redeemed = form(&world.last("POST /token ").body);
    assert_eq!(value(&redeemed, "code"), "abc");
    assert_eq!(value(&redeemed, "grant_type"), "authorization_code");
    assert_eq!(value(&redeemed, "redirect_uri"), value(&query, "redirect_uri"));
    assert_eq!((value(&redeemed, "client_id"), value(&redeemed, "client_secret")), (CLIENT, SECRET));
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, value(&redeemed, "code_verifier").as_bytes()));
    assert_eq!(challenge, value(&query, "code_challenge"));
}

#[tokio::test]
async fn a_secret_goes_where_the_provider_takes_it_and_a_public_client_has_none() {
    let world = World::new().await;
    world.plan(|plan| {
        plan.document = Box::new(|mut document| {
            document.as_object_mut().unwrap().remove("token_endpoint_auth_methods_supported");
            json_reply(200, &document)
        });
    });
    world.sign_in(|_| {}).await.unwrap();
    let seen = world.last("POST /token ");
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:s3cr%2Bt%2Fvalue%7E%25"));
    assert!(seen.head.contains(&format!("authorization: Basic {basic}\r\n")), "{}", seen.head);
    assert!(!seen.body.contains("client_secret"));
    let world = World::with(|settings| settings.client_secret = None).await;
    world.sign_in(|_| {}).await.unwrap();
    let seen = world.last("POST /token ");
    assert!(!seen.head.contains("authorization:") && !seen.body.contains("client_secret"));
    let gone = crate::secret::SecretReference::Env("SCOREWATCH_NO_SUCH_VARIABLE".to_owned());
    let world = World::with(|settings| settings.client_secret = Some(gone)).await;
    let error = world.sign_in(|_| {}).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::SecretUnreadable);
    assert!(error.what.contains("SCOREWATCH_NO_SUCH_VARIABLE"), "{error}");
}

#[tokio::test]
async fn another_browser_state_time_or_provider_lets_nobody_in_and_redeems_no_code() {
    let world = World::new().await;
    let issuer: String = url::form_urlencoded::byte_serialize(world.settings.issuer.as_bytes()).collect();
    for (query, names_issuer, after, failure) in [
        ("code=c&state=STATE".to_owned(), false, Duration::ZERO, None),
        (format!("code=c&state=STATE&iss={issuer}"), true, Duration::ZERO, None),
        ("code=c&state=other".to_owned(), false, Duration::ZERO, Some(SignInFailure::NotBegun)),
        ("code=c&state=".to_owned(), false, Duration::ZERO, Some(SignInFailure::NotBegun)),
        ("error=access_denied&state=other".to_owned(), false, Duration::ZERO, Some(SignInFailure::NotBegun)),
        ("code=c&state=STATE".to_owned(), false, PENDING_WITHIN, Some(SignInFailure::NotBegun)),
        ("code=c&state=STATE&iss=other".to_owned(), false, Duration::ZERO, Some(SignInFailure::Garbage)),
        ("code=c&state=STATE".to_owned(), true, Duration::ZERO, Some(SignInFailure::Garbage)),
        ("code=c".to_owned(), false, Duration::ZERO, Some(SignInFailure::Garbage)),
        ("error=access_denied&state=STATE".to_owned(), false, Duration::ZERO, Some(SignInFailure::Declined)),
    ] {
        world.plan(|plan| {
            plan.document = Box::new(move |mut document| {
                document["authorization_response_iss_parameter_supported"] = names_issuer.into();
                json_reply(200, &document)
            });
        });
        let provider = Provider::new(world.settings.clone(), Egress::new(), world.clock.clone());
        let begun = provider.begin("/").await.unwrap();
        world.plan(|plan| plan.id_token = world.token(begun.pending.nonce()).signed());
        world.clock.advance(after);
        let redeemed = world.server.count("POST /token ");
        let answer = query.replace("STATE", begun.pending.state());
        let signed_in = provider.finish(&begun.pending, &answer).await;
        assert_eq!(signed_in.map(drop).map_err(|error| error.failure).err(), failure, "{query}");
        assert_eq!(world.server.count("POST /token ") - redeemed, usize::from(failure.is_none()), "{query}");
    }
}

#[tokio::test]
async fn a_rotated_key_is_found_and_an_unknown_one_is_asked_for_once_a_minute() {
    let world = World::new().await;
    world.sign_in(|_| {}).await.unwrap();
    world.sign_in(|_| {}).await.unwrap();
    assert_eq!(world.key_sets(), 1);
    let rotated = |token: &mut Token| {
        token.header["kid"] = "second".into();
        token.signer = Signer::Rsa(1);
    };
    for _ in 0..3 {
        assert!(world.sign_in(rotated).await.is_err(), "it is not published");
    }
    assert_eq!(world.key_sets(), 1, "they were read within the last minute");
    world.plan(|plan| plan.keys = vec![published(&KEYS[1], "second")]);
    world.clock.advance(Duration::from_mins(1));
    world.sign_in(rotated).await.unwrap();
    assert_eq!(world.key_sets(), 2);
    let error = world.sign_in(|_| {}).await.unwrap_err();
    assert_eq!(error.failure, SignInFailure::TokenInvalid, "the old key is withdrawn");
    assert_eq!(world.key_sets(), 2);
    world.clock.advance(Duration::from_hours(1));
    world.sign_in(rotated).await.unwrap();
    assert_eq!((world.key_sets(), world.server.count("GET /2f1c")), (3, 2), "both are read again after an hour");
}

#[tokio::test]
async fn a_provider_that_is_down_slow_huge_or_mad_lets_nobody_in_and_is_left_alone_for_a_moment() {
    type Spoil = fn(Value) -> Reply;
    let cases: [(&str, Spoil, SignInFailure); 9] = [
        ("down", |_| reply(503, "", ""), SignInFailure::Unreachable),
        ("cut", |_| Reply::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()), SignInFailure::Unreachable),
        (
            "slow",
            |_| Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            SignInFailure::Unreachable,
        ),
        ("huge", |_| Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 4096]), SignInFailure::Garbage),
        ("moved", |_| reply(302, "location: /elsewhere\r\n", ""), SignInFailure::Garbage),
        ("gone", |_| reply(404, "", "not here"), SignInFailure::Garbage),
        ("empty", |_| reply(200, "", ""), SignInFailure::Garbage),
        ("no JSON", |_| reply(200, "", "<html>"), SignInFailure::Garbage),
        ("no object", |_| json_reply(200, &json!([1])), SignInFailure::Garbage),
    ];
    for (case, spoil, failure) in cases {
        let world = World::new().await;
        world.plan(|plan| plan.document = Box::new(spoil));
        let provider = Provider::new(world.settings.clone(), Egress::new(), world.clock.clone());
        // Long enough for all but the one that never answers.
        let patience = if case == "slow" { Duration::from_millis(50) } else { Duration::from_mins(1) };
        let provider = provider.with_deadline(patience);
        for _ in 0..2 {
            let error = provider.begin("/").await.unwrap_err();
            assert_eq!(error.failure, failure, "{case}: {error}");
        }
        assert_eq!(world.server.seen().len(), 1, "{case}: the failure is remembered");
        world.plan(|plan| plan.document = Box::new(|document| json_reply(200, &document)));
        world.clock.advance(Duration::from_secs(10));
        assert!(provider.with_deadline(Duration::from_mins(1)).begin("/").await.is_ok(), "{case}");
        assert_eq!(world.server.count("GET /elsewhere"), 0, "no redirect is followed");
    }
}

#[tokio::test]
async fn a_document_that_leads_astray_is_refused() {
    for (key, bad) in [
        ("issuer", "https://evil.example"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", "/authorize"),
        ("authorization_endpoint", "https://user:pass@evil.example/"),
        ("token_endpoint", "http://10.0.0.1/token"),
        ("token_endpoint", "https://169.254.169.254/token"),
        ("token_endpoint", "file:///etc/passwd"),
        ("jwks_uri", "http://[fd00::1]/keys"),
        ("jwks_uri", "https://provider.example:8443/keys#x"),
        ("jwks_uri", ""),
    ] {
        let world = World::new().await;
        world.plan(|plan| {
            plan.document = Box::new(move |mut document| {
                document[key] = bad.into();
                json_reply(200, &document)
            });
        });
        let error = world.provider.begin("/").await.unwrap_err();
        assert_eq!(error.failure, SignInFailure::Garbage, "{key} {bad}: {error}");
        assert_eq!(world.server.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_the_provider_says_to_a_code_is_explained() {
    let refusal =
        |error: &str, code: u32| json!({ "error": error, "error_description": format!("AADSTS{code}: hunter2") });
    let cases: Vec<(u16, Value, SignInFailure, &str)> = vec![
        (
            401,
            refusal("invalid_client", 7_000_222),
            SignInFailure::AppRejected,
            "the app's client secrets have expired (AADSTS7000222), HTTP 401",
        ),
        (
            401,
            json!({ "error": "invalid_client" }),
            SignInFailure::AppRejected,
            "the provider rejects the app or its client secret, HTTP 401",
        ),
        (
            400,
            json!({ "error": "invalid_grant" }),
            SignInFailure::Declined,
            "the provider no longer takes the code: it was used before, or is too old, HTTP 400",
        ),
        (
            400,
            json!({ "error": { "a": "hunter2" } }),
            SignInFailure::AppRejected,
            "the provider rejects the code, HTTP 400",
        ),
        (503, json!(null), SignInFailure::Unreachable, "the provider is not available, HTTP 503"),
        (
            302,
            json!(null),
            SignInFailure::Garbage,
            "the provider answers the code with a redirect, which is not followed, HTTP 302",
        ),
        (
            200,
            json!({ "access_token": ACCESS_TOKEN }),
            SignInFailure::Garbage,
            "the provider's answer to the code contains no ID token",
        ),
        (
            200,
            json!({ "id_token": 7 }),
            SignInFailure::Garbage,
            "the provider's answer to the code contains no ID token",
        ),
    ];
    let world = World::new().await;
    for (status, body, failure, what) in cases {
        world.plan(|plan| plan.token = Box::new(move |_| json_reply(status, &body)));
        let error = world.sign_in(|_| {}).await.unwrap_err();
        assert_eq!((error.failure, &*error.what), (failure, what));
        assert!(!error.hint.contains("hunter2") && !error.hint.is_empty());
    }
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_of_a_provider_unless_its_settings_change() {
    let world = World::new().await;
    let providers = Providers::new(Egress::new(), Clock::manual(world.clock.now()));
    for _ in 0..2 {
        let same = std::sync::Arc::new((*world.settings).clone());
        providers.of(&same).begin("/").await.unwrap();
    }
    assert_eq!(world.server.seen().len(), 1);
    let mut other = (*world.settings).clone();
    other.grants.clear();
    providers.of(&std::sync::Arc::new(other)).begin("/").await.unwrap();
    assert_eq!(world.server.seen().len(), 2);
}
