//! Chat receivers have known hosts. Whole labels must match; whatever only looks like one is refused before anything is sent.

use scorewatch::{
    channel::{guard, slack, teams},
    egress::Private,
};

use super::networks;

const FLOW: &str = "powerautomate/automations/direct/workflows/0f/triggers/manual/paths/invoke\
                    ?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x";

/// By cloud; the last three are those of older flows ("Create incoming webhooks with Workflows").
const TEAMS: [&str; 8] = [
    "environment.api.powerplatform.com",
    "environment.api.gov.powerplatform.microsoft.us",
    "environment.api.high.powerplatform.microsoft.us",
    "environment.api.appsplatform.us",
    "environment.api.powerplatform.partner.microsoftonline.cn",
    "logic.azure.com",
    "logic.azure.us",
    "logic.azure.cn",
];
const SLACK: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// What surrounds `HOST`, a known host, so that it is another's; none of it may be taken.
const LOOKALIKES: [&str; 44] = [
    "https://evil.example/HOST/",
    "https://evil.example/?HOST",
    "https://evil.example/#HOST",
    "https://evil.example\\HOST/",
    "https://evil.example\\@HOST/",
    "https://HOST@evil.example/",
    "https://HOST:443@evil.example/",
    "https://user@HOST/",
    "https://user:pw@HOST/",
    "https://:pw@HOST/",
    "https://evil.example@HOST/",
    "https://HOST.evil.example/",
    "https://HOSTevil.example/",
    "https://HOST-evil.example/",
    "https://HOST.evil/",
    "https://evilHOST/",
    "https://evil-HOST.example/",
    "https://xHOST.example/",
    "https://HOST%2eevil.example/",
    "https://HOST\u{3002}evil.example/",
    "https://HOST\u{ff0e}evil.example/",
    "https://HOST%00.evil.example/",
    "https://HOST%2f.evil.example/",
    "https://HOST%20/",
    "https://HOST\u{0}/",
    "https://HOST..",
    "https://HOST../",
    "https://.evil.example.HOST/",
    "https://evil..HOST/",
    "https://HOST:80/",
    "https://HOST:8443/",
    "https://HOST:0/",
    "https://HOST:65536/",
    "http://HOST/",
    "http://HOST:443/",
    "ftp://HOST/",
    "wss://HOST/",
    "javascript:HOST",
    "HOST/",
    "//HOST/",
    "https://[HOST]/",
    "https://127.0.0.1/HOST",
    "https://169.254.169.254#HOST",
    "https://2130706433?HOST",
];

/// Other hosts of the same companies, former ones, and letters that look alike.
const STRANGERS: [&str; 22] = [
    "slack.com",
    "api.slack.com",
    "files.slack.com",
    "hooks.slack.co",
    "hooks.slack.com.example",
    "hooks-slack.com",
    "hooksxslack.com",
    "xhooks.slack.com",
    "hooks.slack\u{2024}com",
    "hooks.sl\u{430}ck.com",
    "hooks.s1ack.com",
    "contoso.webhook.office.com",
    "outlook.office.com",
    "logic.azure.us.example",
    "logic-azure.com",
    "xlogic.azure.com",
    "azure.com",
    "powerplatform.com",
    "api.powerplatform.com",
    "x.environment.api.powerplatform.com.example",
    "x.environment.api.p\u{43e}werplatform.com",
    "x.environmentapi.powerplatform.com",
];

fn teams(url: &str) -> bool {
    teams::vet_url(url, &Private::Refused).is_ok()
}

fn slack(url: &str) -> bool {
    slack::vet_url(url, &Private::Refused).is_ok()
}

#[test]
fn every_cloud_has_its_flows_and_nobody_else_has_them() {
    for suffix in TEAMS {
        let host = format!("default0f1e2d.3c.{suffix}");
        for url in [
            format!("https://{host}/{FLOW}"),
            format!("https://{host}:443/{FLOW}"),
            format!("https://{host}./{FLOW}"),
            format!("https://{}/{FLOW}", host.to_uppercase()),
            format!("HTTPS://x.{suffix}/{FLOW}"),
        ] {
            assert!(teams(&url), "{url}");
        }
        assert!(!teams(&format!("https://{suffix}/{FLOW}")), "no environment: {suffix}");
        assert!(!teams(&format!("https://x{suffix}/{FLOW}")), "not a whole label: {suffix}");
        assert!(!teams(&format!("https://x-{suffix}/{FLOW}")), "not a whole label: {suffix}");
        // Another environment is as good as this one.
        for lookalike in LOOKALIKES.into_iter().filter(|lookalike| *lookalike != "https://evilHOST/") {
            assert!(!teams(&lookalike.replace("HOST", &host)), "{lookalike} of {host}");
        }
    }
    for stranger in STRANGERS.into_iter().chain(SLACK) {
        assert!(!teams(&format!("https://{stranger}/{FLOW}")), "{stranger}");
    }
}

#[test]
fn slack_has_two_hosts_and_nobody_else_has_them() {
    for host in SLACK {
        for url in [
            format!("https://{host}/services/T0/B0/x"),
            format!("https://{host}:443/services/T0/B0/x"),
            format!("https://{host}./services/T0/B0/x"),
            format!("https://{}/services/T0/B0/x", host.to_uppercase()),
        ] {
            assert!(slack(&url), "{url}");
        }
        for path in ["workflows/T0/A0/1/x", "triggers/T0/1/x", "./workflows/T0/x", "services/../triggers/T0/x"] {
            assert!(!slack(&format!("https://{host}/{path}")), "{path}");
        }
        assert!(!slack(&format!("https://x.{host}/services/T0/B0/x")), "nobody is below {host}");
        for lookalike in LOOKALIKES {
            assert!(!slack(&lookalike.replace("HOST", host)), "{lookalike} of {host}");
        }
    }
    for stranger in STRANGERS.into_iter().chain(TEAMS) {
        assert!(!slack(&format!("https://{stranger}/services/T0/B0/x")), "{stranger}");
    }
}

#[test]
fn leave_for_one_network_frees_no_address_outside_it() {
    let ten = networks(&["10.0.0.0/8"]);
    for check in [teams::vet_url, slack::vet_url, guard::webhook] {
        assert!(check("http://10.1.2.3:8080/x", &ten).is_ok());
        for url in [
            "http://127.0.0.1/x",
            "https://127.0.0.1/x",
            "http://11.0.0.1/x",
            "http://[::1]/x",
            "http://[::ffff:127.0.0.1]/x",
            "http://169.254.169.254/x",
            "https://169.254.169.254/x",
            "https://[fd00:ec2::254]/x",
        ] {
            assert!(check(url, &ten).is_err(), "{url}");
        }
        for url in ["http://169.254.169.254/x", "https://[64:ff9b::10.0.0.1]/x", "http://0.0.0.0/x", "http://1.1.1.1/x"]
        {
            assert!(check(url, &Private::Any).is_err(), "{url}");
        }
    }
}

#[test]
fn no_refusal_repeats_the_url() {
    for lookalike in LOOKALIKES {
        let url = lookalike.replace("HOST", "canary-8H3TQ.example") + "canary-8H3TQ";
        for check in [teams::vet_url, slack::vet_url, guard::webhook] {
            if let Err(refusal) = check(&url, &Private::Refused) {
                assert!(!format!("{refusal} {refusal:?}").contains("canary"), "{refusal:?}");
            }
        }
    }
}
