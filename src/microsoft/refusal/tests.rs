use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, retry_after: None, content_type: None, body: body.to_owned().into(), truncated: false, step: None }
}

/// As Entra writes it, names of app and tenant included.
fn entra(status: u16, error: &str, code: u32) -> Answer {
    let body = format!(
        r#"{{"error":"{error}","error_description":"AADSTS{code}: The app 'Canary' (Contoso).\r\nTrace ID: 1\r\nCorrelation ID: 2\r\nTimestamp: 2021-03-01 20:00:25Z",
            "error_codes":[{code}],"timestamp":"2021-03-01 20:00:25Z","trace_id":"1a","correlation_id":"2b-3c","error_uri":"https://login.example/error?code={code}"}}"#
    );
    answer(status, &body)
}

#[test]
fn every_code_that_an_mssp_meets_has_its_class() {
    use FailureClass as Class;
    for (class, codes) in [
        (Class::SecretWrong, &[7_000_215][..]),
        (Class::CertificateUnknown, &[700_027]),
        (Class::ClockWrong, &[700_024, 50_013, 500_133]),
        (Class::FederationUnmatched, &[70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138]),
        (Class::SecretExpired, &[7_000_222]),
        (
            Class::ConfigurationWrong,
            &[
                7_000_216, 7_000_218, 50_027, 700_021, 700_023, 700_229, 700_030, 700_025, 70_011, 28_002, 700_022,
                9_001_023, 901_002, 900_144,
            ],
        ),
        (Class::ConsentMissing, &[700_016, 7_000_229, 65_001, 65_005, 650_056, 650_057]),
        (Class::AppDisabled, &[7_000_112, 70_001, 1_000_031]),
        (Class::TenantNotFound, &[90_002, 90_038, 900_382, 900_432]),
        (Class::NotOnboarded, &[500_011]),
        (Class::LicenceMissing, &[650_052, 500_014]),
        (Class::PolicyBlocked, &[53_003, 530_032, 530_034, 530_035, 53_011]),
        (Class::ProxyRestricts, &[500_021, 500_022]),
        (Class::TenantBlocked, &[90_055, 5_000_225]),
        (Class::Throttled, &[50_196]),
        (Class::MicrosoftDown, &[90_006, 90_012, 90_024, 90_033, 90_090]),
        (Class::SignInRefused, &[50_034, 1, 4_000_000_000]),
    ] {
        for code in codes {
            for status in [400, 401] {
                let failure = of_sign_in(&entra(status, "invalid_request", *code), now());
                assert_eq!((failure.class, failure.entra_code), (class, Some(*code)), "AADSTS{code}");
                assert_eq!(failure.correlation.as_deref(), Some("2b-3c"));
                assert!(failure.what.contains(&format!("AADSTS{code}")) && !failure.what.contains("Canary"));
            }
            assert_eq!(of_sign_in(&entra(503, "x", *code), now()).class, Class::MicrosoftDown);
            assert_eq!(of_sign_in(&entra(429, "x", *code), now()).class, Class::Throttled);
        }
    }
}

#[test]
fn an_answer_without_a_code_is_judged_by_its_status_and_error() {
    use FailureClass as Class;
    for (status, body, class) in [
        (502, "<html>Bad Gateway</html>", Class::MicrosoftDown),
        (500, "", Class::MicrosoftDown),
        (408, "", Class::MicrosoftDown),
        (429, "", Class::Throttled),
        (302, "", Class::Garbage),
        (400, "<html></html>", Class::Garbage),
        (403, "", Class::Garbage),
        (400, "[]", Class::Garbage),
        (400, r#"{"error":"temporarily_unavailable"}"#, Class::MicrosoftDown),
        (400, r#"{"error":"invalid_client"}"#, Class::SignInRefused),
        (401, r#"{"error":"invalid_client","error_codes":[]}"#, Class::SignInRefused),
        (401, r#"{"error":"invalid_client","error_codes":"7000215"}"#, Class::SignInRefused),
        (401, r#"{"error":"invalid_client","error_codes":["7000215"]}"#, Class::SecretWrong),
        (401, r#"{"error":7,"error_codes":[-1]}"#, Class::SignInRefused),
        (401, r#"{"error_codes":[99999999999]}"#, Class::SignInRefused),
    ] {
        assert_eq!(of_sign_in(&answer(status, body), now()).class, class, "{status} {body}");
    }
}

#[test]
fn an_unknown_number_is_judged_by_its_error_and_a_known_one_is_not_believed_against_it() {
    use FailureClass as Class;
    for (error, code, class) in [
        ("unauthorized_client", 1, Class::ConsentMissing),
        ("invalid_resource", 1, Class::NotOnboarded),
        ("invalid_scope", 1, Class::ConfigurationWrong),
        ("interaction_required", 1, Class::PolicyBlocked),
        ("invalid_client", 1, Class::SignInRefused),
        ("invalid_grant", 1, Class::SignInRefused),
        ("temporarily_unavailable", 1, Class::MicrosoftDown),
        ("temporarily_unavailable", 700_016, Class::MicrosoftDown),
        ("temporarily_unavailable", 50_196, Class::Throttled),
        ("temporarily_unavailable", 90_055, Class::TenantBlocked),
    ] {
        assert_eq!(of_sign_in(&entra(400, error, code), now()).class, class, "{error} {code}");
    }
}

#[test]
fn what_to_do_is_said_in_the_operators_words() {
    use crate::{
        domain::{ScoreKind, TenantId},
        microsoft::source,
    };
    let tenant = TenantId::parse("contoso").unwrap();
    let source = source::of(ScoreKind::DeviceSecureScore);
    for (error, code, words) in [
        ("invalid_client", 7_000_215, "client secret's value, not its ID"),
        ("invalid_client", 7_000_222, "new client secret"),
        ("invalid_client", 7_000_218, "not empty"),
        ("invalid_client", 700_027, "upload the certificate"),
        ("invalid_client", 700_024, "NTP"),
        ("invalid_client", 700_025, "public client"),
        ("unauthorized_client", 700_016, "consent"),
        ("unauthorized_client", 7_000_112, "enable the enterprise application"),
        ("invalid_request", 90_002, "`tenant_id` and `cloud`"),
        ("invalid_request", 90_038, "set `cloud`"),
        ("invalid_request", 900_382, "set `cloud`"),
        ("invalid_resource", 500_011, "Microsoft Defender for Endpoint"),
        ("invalid_scope", 70_011, "`endpoints`"),
        ("interaction_required", 53_003, "Conditional Access"),
        ("interaction_required", 530_032, "which security policy"),
        ("access_denied", 500_021, "proxy"),
        ("temporarily_unavailable", 90_055, "Microsoft's support"),
        ("invalid_request", 70_021, "letter by letter"),
        ("invalid_client", 7_000_229, "consent"),
        ("invalid_client", 500_014, "renew the subscription"),
        ("invalid_request", 5_000_225, "reactivate"),
        ("invalid_client", 4_000_000_000, "credential"),
        ("something_new", 4_000_000_000, "sign-in logs"),
        ("something_new", 4_000_000_000, "https://login.microsoftonline.com/error?code=4000000000"),
    ] {
        let hint = of_sign_in(&entra(400, error, code), now()).of(&tenant, source).hint.unwrap_or_default();
        assert!(hint.contains(words), "AADSTS{code}: {hint}");
    }
}

#[test]
fn what_an_api_refuses_is_classified() {
    use FailureClass as Class;
    let body = |code: &str, message: &str| {
        format!(r#"{{"error":{{"code":"{code}","message":"{message}","target":"|4f1c-9a"}}}}"#)
    };
    for (status, body, class) in [
        (206, String::new(), Class::NoData),
        (204, String::new(), Class::NoData),
        (201, "{}".to_owned(), Class::Garbage),
        (307, String::new(), Class::Garbage),
        (400, body("ODataError", ""), Class::CallRefused),
        (401, body("Unauthorized", "Bad token"), Class::TokenRefused),
        (401, String::new(), Class::TokenRefused),
        (401, "<html>".to_owned(), Class::TokenRefused),
        (401, body("Unauthorized", "Unauthorized request - reason of failure: No Tvm license"), Class::LicenceMissing),
        (401, body("Unauthorized", "reason of failure: Account mode is inactive"), Class::LicenceMissing),
        (403, body("Unauthorized", "Unauthorized request - Account is not provisioned."), Class::LicenceMissing),
        (403, body("Forbidden", "AADSTS500014: The service principal is disabled."), Class::LicenceMissing),
        (403, body("Forbidden", "AADSTS7000229: missing service principal"), Class::ConsentMissing),
        (401, body("x", "AADSTS4000000000000: x"), Class::TokenRefused),
        (403, body("DisabledFeature", "tenant feature is not enabled"), Class::LicenceMissing),
        (403, body("DisallowedOperation", ""), Class::CallRefused),
        (403, body("Forbidden", "Missing application roles."), Class::RoleMissing),
        (403, "<html>".to_owned(), Class::RoleMissing),
        (403, body("Authorization_IdentityNotFound", ""), Class::ConsentMissing),
        (404, body("NotFound", ""), Class::CallRefused),
        (418, String::new(), Class::CallRefused),
        (429, body("TooManyRequests", ""), Class::Throttled),
        (500, body("InternalServerError", ""), Class::MicrosoftDown),
        (503, "<html>".to_owned(), Class::MicrosoftDown),
    ] {
        let failure = of_call(&answer(status, &body), now());
        assert_eq!(failure.class, class, "{status} {body}");
        let expected = body.contains("target").then(|| "|4f1c-9a".to_owned());
        assert_eq!(failure.correlation, expected, "{status} {body}");
    }
    let refused = of_call(&answer(404, &body("NotFound", "")), now());
    assert_eq!(refused.hint.as_deref(), Some("give the correlation id |4f1c-9a to Microsoft's support"));
    let passed_on = of_call(&answer(403, &body("Forbidden", "AADSTS4000000000: x")), now());
    assert!(passed_on.hint.unwrap().contains("AADSTS4000000000"), "a code is never looked up elsewhere");
    let graph = r#"{"error":{"code":"x","message":"y","innerError":{"request-id":"9f-8e"}}}"#;
    assert_eq!(of_call(&answer(400, graph), now()).correlation.as_deref(), Some("9f-8e"));
}

#[test]
fn the_role_to_grant_is_named_and_nothing_else_is_quoted() {
    for (message, what) in [
        (
            "Missing application roles. API required roles: Score.Read.All, application roles: Machine.Read.All.",
            "the app may not read the score (no role `Score.Read.All`)",
        ),
        (
            "Missing application roles. API required roles: Score.Read.All,Score.Read, application roles: .",
            "the app may not read the score (none of the roles `Score.Read.All`, `Score.Read`)",
        ),
        ("API required roles: Score.Read.All", "the app may not read the score (no role `Score.Read.All`)"),
        ("API required roles: <b>x.y</b>, application roles: ", "the app may not read the score"),
        ("API required roles: A.B @everyone, application roles: ", "the app may not read the score"),
        ("API required roles: A.B,https://evil.example, application roles: ", "the app may not read the score"),
        ("API required roles: , application roles: ", "the app may not read the score"),
        ("API required roles: A.a,B.b,C.c,D.d,E.e, application roles: ", "the app may not read the score"),
        ("Auth token does not contain valid permissions", "the app may not read the score"),
        ("", "the app may not read the score"),
    ] {
        assert_eq!(role_missing(message), what, "{message}");
    }
}

#[test]
fn a_wait_is_taken_in_every_form_and_never_above_an_hour() {
    for (value, seconds) in [("7", Some(7)), ("99999", Some(3600)), ("soon", None), ("-1", None)] {
        let asked = Answer { retry_after: Some(value.to_owned()), ..answer(429, "") };
        let wait = seconds.map(Duration::from_secs);
        assert_eq!(
            (of_call(&asked, now()).retry_after, of_sign_in(&asked, now()).retry_after),
            (wait, wait),
            "{value}"
        );
    }
}

/// Stands in every text from outside, and in none of ours.
const MARK: char = '\u{1F426}';

proptest! {
    #[test]
    fn nothing_from_outside_gets_into_our_words(text in "\\PC{0,80}", status in 100_u16..600) {
        let marked = serde_json::to_string(&format!("{MARK}{text}")).unwrap();
        for body in [
            format!(r#"{{"error":{{"code":{marked},"message":{marked},"target":{marked}}}}}"#),
            format!(r#"{{"error":{marked},"error_description":{marked},"error_codes":[{marked}],"correlation_id":{marked}}}"#),
        ] {
            for failure in [of_call(&answer(status, &body), now()), of_sign_in(&answer(status, &body), now())] {
                prop_assert!(!failure.what.contains(MARK));
                prop_assert_eq!(failure.correlation, None);
            }
        }
    }
}

#[test]
fn only_what_looks_like_an_id_is_one() {
    for (text, taken) in [
        ("9fa42027-bbe1-4b8e-9a3c-1d2e3f405162", true),
        ("|4f1c-9a.1.", true),
        ("", false),
        ("not an id", false),
        ("abc8Q~aB3dE6gH9jK2mN5pQ8sT1vW4", false),
        ("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9", false),
        (&"0".repeat(64), true),
        (&"0".repeat(65), false),
    ] {
        let body = format!(r#"{{"error":{{"code":"Forbidden","message":"","target":"{text}"}}}}"#);
        let failure = of_call(&answer(403, &body), now());
        assert_eq!(failure.correlation.as_deref(), taken.then_some(text), "{text}");
    }
}
