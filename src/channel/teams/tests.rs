//! What answers of a flow mean, and which URLs are those of one.

use super::*;

fn verdict(status: u16, body: &str) -> Verdict {
    let body = body.to_owned().into();
    let answer = Answer { status, retry_after: None, content_type: None, body, truncated: false, step: None };
    judge(&answer, Timestamp::EPOCH)
}

#[test]
fn a_flow_that_is_switched_off_or_deleted_parks_its_channel_and_says_so() {
    for code in GONE {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"trigger 'manual' https://secret"}}}}"#);
        for status in [400, 409] {
            let expected = Verdict::Parked { reason: format!("the receiver answered {status} `{code}`") };
            assert_eq!(verdict(status, &body), expected);
        }
    }
}

#[test]
fn the_status_decides_where_the_code_says_nothing_of_the_flow() {
    for (status, body, expected) in [
        (202, "", "delivered"),
        (200, "anything", "delivered"),
        (202, r#"{"error":{"code":"WorkflowTriggerIsNotEnabled"}}"#, "delivered"),
        (400, "", "plainer"),
        (400, r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#, "plainer"),
        (400, r#"{"error":{"code":7}}"#, "plainer"),
        (400, r#"{"error":"WorkflowTriggerIsNotEnabled"}"#, "plainer"),
        (413, "", "plainer"),
        (422, "", "rejected"),
        (401, r#"{"error":{"code":"DirectApiAuthorizationRequired"}}"#, "parked"),
        (404, r#"{"error":{"code":"WorkflowNotFound"}}"#, "parked"),
        (302, "", "parked"),
        (429, "", "retry"),
        (502, r#"{"error":{"code":"NoResponse"}}"#, "retry"),
        (503, r#"{"error":{"code":"WorkflowTriggerIsNotEnabled"}}"#, "retry"),
    ] {
        assert_eq!(verdict(status, body).class(), expected, "{status} {body:?}");
    }
}

const PATH: &str = "/powerautomate/automations/direct/workflows/0f/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x";

#[test]
fn only_the_hosts_of_teams_are_taken_as_teams() {
    for (host, good) in [
        ("default0f.1a.environment.api.powerplatform.com:443", true),
        ("default0f.1a.environment.api.powerplatform.com", true),
        ("default0f.1a.environment.api.powerplatform.com.", true),
        ("x.environment.api.gov.powerplatform.microsoft.us", true),
        ("x.environment.api.high.powerplatform.microsoft.us", true),
        ("x.environment.api.appsplatform.us", true),
        ("x.environment.api.powerplatform.partner.microsoftonline.cn", true),
        ("prod-07.westeurope.logic.azure.com:443", true),
        ("prod-52.usgovtexas.logic.azure.us:443", true),
        ("prod-43.usgovtexas.logic.azure.us", true),
        ("prod-01.chinaeast2.logic.azure.cn:443", true),
        ("logic.azure.us", false),
        ("evillogic.azure.us", false),
        ("default0f.1a.environment.api.powerplatform.com:8443", false),
        ("environment.api.powerplatform.com", false),
        ("evilenvironment.api.powerplatform.com", false),
        ("x.environment.api.powerplatform.com.evil.example", false),
        ("evil.example\\@x.environment.api.powerplatform.com", false),
        ("user:pw@x.environment.api.powerplatform.com", false),
        ("contoso.webhook.office.com", false),
        ("127.0.0.1", false),
        ("0x7f.1", false),
    ] {
        assert_eq!(vet_url(&format!("https://{host}{PATH}"), &Private::Refused).is_ok(), good, "{host}");
    }
    assert!(vet_url(&format!("http://x.environment.api.powerplatform.com{PATH}"), &Private::Refused).is_err());
}

#[test]
fn a_teams_url_that_was_copied_badly_is_refused_with_the_reason() {
    let on =
        |host: &str, query: &str| vet_url(&format!("https://{host}/workflows/0f/invoke{query}"), &Private::Refused);
    for host in ["x.1a.environment.api.powerplatform.com:443", "prod-11.southeastasia.logic.azure.com:443"] {
        for (query, reason) in [
            ("?api-version=1", Some("`sig=` is missing")),
            ("", Some("`sig=` is missing")),
            ("?api-version=1&sig=", Some("`sig=` is missing")),
            ("?api-version=1&sig", Some("`sig=` is missing")),
            ("?api-version=1&amp;sp=%2Frun&amp;sv=1.0&amp;sig=x", Some("`&amp;`")),
            ("?api-version=1&sp=%2Frun&sv=1.0&sig=x", None),
        ] {
            let got = on(host, query).err().map(|error| error.to_string());
            assert_eq!(got.is_some(), reason.is_some(), "{query}: {got:?}");
            assert!(got.unwrap_or_default().contains(reason.unwrap_or_default()), "{query}");
        }
    }
    let connector = on("contoso.webhook.office.com", "").err().map(|error| error.to_string());
    assert!(connector.is_some_and(|error| error.contains("retired")));
}
