//! ID tokens: which one is believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::world::*;
use crate::oidc::{Algorithm, SignInFailure};

/// What is done to a token before it is signed.
type Change = Box<dyn FnOnce(&mut Token)>;

fn claim(name: &'static str, value: Value) -> Change {
    Box::new(move |token| token.claims[name] = value)
}

fn without(name: &'static str) -> Change {
    Box::new(move |token| drop(token.claims.as_object_mut().unwrap().remove(name)))
}

fn later(name: &'static str, seconds: i64) -> Change {
    Box::new(move |token| token.claims[name] = (token.claims["iat"].as_i64().unwrap() + seconds).into())
}

fn signed(algorithm: &'static str, signer: Signer) -> Change {
    Box::new(move |token| {
        token.header["alg"] = algorithm.into();
        token.signer = signer;
    })
}

fn spoilt(spoil: fn(String) -> String) -> Change {
    Box::new(move |token| token.spoil = spoil)
}

/// Swaps the claims for others after they were signed.
#[expect(clippy::needless_pass_by_value, reason = "as every way to spoil a token")]
fn reclaimed(token: String) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["groups"] = json!([LEADS]);
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}

/// What is wrong, how the token is changed, and what is said.
type Case = (&'static str, Change, &'static str);

fn wrong_claims() -> Vec<Case> {
    vec![
        ("another nonce", claim("nonce", json!("other")), "the ID token belongs to another sign-in"),
        ("no nonce", without("nonce"), "the ID token belongs to another sign-in"),
        ("another issuer", claim("iss", json!("http://127.0.0.1:1/other")), "the ID token is from another issuer"),
        ("no issuer", without("iss"), "the ID token is from another issuer"),
        ("another audience", claim("aud", json!("other")), "the ID token is for another app"),
        ("no audience", without("aud"), "the ID token is for another app"),
        ("an audience more", claim("aud", json!([CLIENT, "other"])), "the ID token is for another app"),
        ("an empty audience", claim("aud", json!([])), "the ID token is for another app"),
        ("another party", claim("azp", json!("other")), "the ID token is for another app"),
        ("expired", later("exp", -60), "the ID token has expired"),
        ("no expiry", without("exp"), "the ID token does not say when it was issued and when it expires"),
        (
            "an expiry in words",
            claim("exp", json!("never")),
            "the ID token does not say when it was issued and when it expires",
        ),
        ("issued later", later("iat", 61), "the ID token is not valid yet"),
        ("valid later", later("nbf", 61), "the ID token is not valid yet"),
        ("valid some time", claim("nbf", json!(null)), "the ID token does not say when it becomes valid"),
    ]
}

fn wrong_signatures() -> Vec<Case> {
    vec![
        ("unsigned", signed("none", Signer::Nobody), "the ID token is not signed by an algorithm that is accepted"),
        ("unsigned RS256", signed("RS256", Signer::Nobody), "the signature of the ID token is wrong"),
        (
            "the public key as a shared one",
            signed("HS256", Signer::PublicKeyAsShared),
            "the ID token is not signed by an algorithm that is accepted",
        ),
        ("an HMAC as RS256", signed("RS256", Signer::PublicKeyAsShared), "the signature of the ID token is wrong"),
        ("another padding", signed("RS256", Signer::Pss(0)), "the signature of the ID token is wrong"),
        ("another key", signed("RS256", Signer::Rsa(1)), "the signature of the ID token is wrong"),
        (
            "another kind of key",
            signed("ES256", Signer::Curve),
            "the ID token is signed by a key that the provider does not publish",
        ),
        (
            "an unknown key",
            Box::new(|token| token.header["kid"] = "other".into()),
            "the ID token is signed by a key that the provider does not publish",
        ),
        ("an extension", Box::new(|token| token.header["crit"] = json!(["b64"])), "the ID token can't be read"),
        ("other claims", spoilt(reclaimed), "the signature of the ID token is wrong"),
        (
            "a cut signature",
            spoilt(|token| token[..token.len() - 6].to_owned()),
            "the signature of the ID token is wrong",
        ),
        ("no signature", spoilt(|token| token.rsplit_once('.').unwrap().0.to_owned()), "the ID token can't be read"),
        ("a part more", spoilt(|token| format!("{token}.x")), "the ID token can't be read"),
        ("padding", spoilt(|token| format!("{token}==")), "the ID token can't be read"),
        ("an empty token", spoilt(|_| String::new()), "the ID token can't be read"),
        ("a huge token", spoilt(|token| format!("{token}{}", "A".repeat(70_000))), "the ID token can't be read"),
        (
            "another tenant",
            claim("tid", json!("2f1c0a5e-0000-4000-8000-0000000000ac")),
            "the account belongs to another Entra tenant",
        ),
        ("no tenant", without("tid"), "the account belongs to another Entra tenant"),
        ("nobody", without("sub"), "the ID token does not say who the person is"),
        ("an empty subject", claim("sub", json!("")), "the ID token does not say who the person is"),
        ("a long subject", claim("sub", json!("x".repeat(256))), "the ID token does not say who the person is"),
    ]
}

#[tokio::test]
async fn a_token_that_is_wrong_in_anything_lets_nobody_in() {
    let world = World::new().await;
    for (case, change, what) in wrong_claims().into_iter().chain(wrong_signatures()) {
        let error = world.sign_in(change).await.unwrap_err();
        assert_eq!((error.failure, &*error.what), (SignInFailure::TokenInvalid, what), "{case}");
        assert!(!error.hint.is_empty());
    }
    world.sign_in(|_| {}).await.expect("a good token, after all of these");
}

#[tokio::test]
async fn a_token_is_believed_within_a_minute_of_its_times_and_in_every_usual_form() {
    let world = World::new().await;
    let cases: Vec<(&str, Change)> = vec![
        ("just expired", later("exp", -59)),
        (
            "a fast clock",
            Box::new(|token| {
                for name in ["iat", "nbf"] {
                    token.claims[name] = (token.claims[name].as_i64().unwrap() + 60).into();
                }
            }),
        ),
        ("no `nbf`", without("nbf")),
        ("an audience in a list", claim("aud", json!([CLIENT]))),
        ("our own party", claim("azp", json!(CLIENT))),
        ("a fraction", claim("exp", json!(1_790_003_600.5))),
        ("no key named", Box::new(|token| drop(token.header.as_object_mut().unwrap().remove("kid")))),
    ];
    for (case, change) in cases {
        assert!(world.sign_in(change).await.is_ok(), "{case}");
    }
}

#[tokio::test]
async fn each_algorithm_verifies_and_one_that_is_not_allowed_does_not() {
    for (algorithm, signer) in SIGNERS {
        for is_allowed in [true, false] {
            let world = World::with(|settings| {
                settings.algorithms =
                    Algorithm::ALL.into_iter().filter(|one| (*one == algorithm) == is_allowed).collect();
            })
            .await;
            world.plan(|plan| plan.keys.push(published_curve("curve")));
            let signed_in = world
                .sign_in(|token| {
                    token.header["alg"] = algorithm.as_str().into();
                    token.header["kid"] = if matches!(signer, Signer::Curve) { "curve" } else { "first" }.into();
                    token.signer = signer;
                })
                .await;
            assert_eq!(signed_in.is_ok(), is_allowed, "{algorithm}: {signed_in:?}");
        }
    }
}

#[tokio::test]
async fn a_person_is_named_by_what_they_can_not_choose_freely() {
    let world = World::new().await;
    for (username, email, name) in [
        (json!("ann@mssp.example"), json!("other@mssp.example"), "ann@mssp.example"),
        (json!(null), json!("ann@mssp.example"), "ann@mssp.example"),
        (json!("\u{202E}\u{200B}"), json!(7), "AAAA-subject"),
        (json!("a\nb\u{202E}c"), json!(null), "a bc"),
    ] {
        let signed_in = world
            .sign_in(|token| {
                token.claims["preferred_username"] = username;
                token.claims["email"] = email;
            })
            .await
            .unwrap();
        assert_eq!((signed_in.name.as_str(), signed_in.subject.as_str()), (name, "AAAA-subject"));
    }
}
