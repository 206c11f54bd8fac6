//! One customer's messages, secrets and tokens go nowhere that another customer's file or channel names.

use std::fs;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tempfile::TempDir;

use super::{MAIN, RULES, TENANT, lay_out, load, load_in};

/// The problems of a configuration with these channels, each line as it stands under `channels:`.
fn with_channels(channels: &str) -> String {
    load_in(laid_out(channels).path()).1
}

/// The folder of that configuration.
fn laid_out(channels: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let main = format!("{}channels:\n{channels}", MAIN.split("channels:").next().unwrap());
    let other = TENANT.replace("contoso", "fabrikam").replace("2f1c0a5e", "3f1c0a5e").replace("notify: [fabrikam]", "");
    // Two, as the operator is warned of having one channel only.
    let second = "  soc-too: { type: webhook, url: https://soc-too.example/ }\n";
    let main = format!("{main}{second}operator: {{ notify: [soc, soc-too] }}\n");
    lay_out(folder.path(), main.as_bytes(), TENANT.replace("notify: [contoso]", "").as_bytes(), b"rules: []\n");
    fs::write(folder.path().join("tenants/fabrikam.yaml"), other).unwrap();
    for (name, url) in [
        ("one", "https://hooks.slack.com/services/T/B/s3cr3t"),
        ("one-again", "https://HOOKS.slack.com.:443/services/T/B/s3cr3t/\n"),
        ("two", "https://hooks.slack.com/services/T/B/other"),
    ] {
        fs::write(folder.path().join(name), url).unwrap();
    }
    folder
}

const SOC: &str = "  soc: { type: webhook, url: https://soc.example/ }\n";

#[test]
fn two_customers_channels_with_one_receiver_do_not_load() {
    for (one, other, key) in [
        (
            "type: webhook, url: https://soar.example/hook",
            "type: webhook, url: \"https://SOAR.example.:443/hook/\"",
            "url",
        ),
        ("type: slack, url: { file: one }", "type: slack, url: { file: one }", "url"),
        ("type: slack, url: { file: one }", "type: slack, url: { file: one-again }", "url"),
        ("type: slack, url: { file: one }", "type: webhook, url: { file: one-again }", "url"),
        (
            "type: pagerduty, routing_key: { file: routing }",
            "type: pagerduty, region: eu, routing_key: { file: routing }",
            "routing_key",
        ),
        (
            "type: alertmanager, url: https://am.example",
            "type: alertmanager, url: https://am.example/, bearer_token: { file: key }",
            "url",
        ),
        (
            "type: email, server: smtps://a.example, from: a@a.example, to: [x@b.example, it@c.example]",
            "type: email, server: smtps://b.example, from: a@a.example, to: [IT@C.example]",
            "to",
        ),
    ] {
        for (first, second) in [
            ("tenants: [contoso]", "tenants: [fabrikam]"),
            ("tenants: [contoso]", "labels: { tier: gold }"),
            ("drill: off", "tenants: [fabrikam]"),
        ] {
            let text = with_channels(&format!("{SOC}  a: {{ {one}, {first} }}\n  b: {{ {other}, {second} }}\n"));
            let reported = format!("channels.b.{key}: channel `b` sends to the same receiver as channel `a`");
            assert!(text.contains(&reported) && text.contains("the other is at scorewatch.yaml:10:"), "{one}: {text}");
            assert!(!text.contains("s3cr3t") && text.matches(" error: ").count() == 1, "{one}: {text}");
        }
        let text = with_channels(&format!(
            "{SOC}  a: {{ {one}, tenants: [contoso, fabrikam] }}\n  b: {{ {other}, tenants: [fabrikam, contoso] }}\n"
        ));
        assert!(!text.contains("error"), "equal audiences: {one}: {text}");
    }
    let text = with_channels(&format!(
        "{SOC}  a: {{ type: slack, url: {{ file: one }}, tenants: [contoso] }}\n  b: {{ type: slack, url: {{ file: two }}, tenants: [fabrikam] }}\n"
    ));
    assert!(!text.contains("error"), "two receivers: {text}");
}

#[test]
fn loading_reads_no_secret_to_compare_addresses() {
    let channels = "  a: { type: slack, url: { file: one }, tenants: [contoso] }
  b: { type: webhook, url: { file: one-again }, signing_secret: { file: key }, tenants: [fabrikam] }
  c: { type: pagerduty, routing_key: { file: routing } }\n";
    let folder = laid_out(&format!("{SOC}{channels}"));
    let opened = inotify::init(CreateFlags::NONBLOCK).unwrap();
    let secrets = ["one", "one-again", "key", "routing", "secret"];
    for name in secrets {
        inotify::add_watch(&opened, folder.path().join(name), WatchFlags::OPEN).unwrap();
    }
    let is_opened = || rustix::io::read(&opened, &mut [0_u8; 1024]).is_ok();
    let loaded = load(&folder.path().join("scorewatch.yaml"));
    assert!(!loaded.has_error() && loaded.config.is_some(), "{:?}", loaded.problems);
    assert!(!is_opened(), "a secret was read");
    let reported = "channel `b` sends to the same receiver as channel `a`";
    let (loaded, text) = load_in(folder.path());
    assert!(loaded.has_error() && text.contains(reported) && text.matches(" error: ").count() == 1, "{text}");
    assert!(is_opened(), "secrets are read to compare them");
}

#[test]
fn a_receiver_that_is_shared_openly_is_refused_without_reading_a_secret() {
    for (url, reported) in [("https://soar.example/hook", true), ("https://soar.example/other", false)] {
        let channels = format!(
            "{SOC}  a: {{ type: webhook, url: https://soar.example/hook, tenants: [contoso] }}
  b: {{ type: webhook, url: {url}, tenants: [fabrikam] }}
  c: {{ type: webhook, url: {{ env: PATH }}, tenants: [contoso] }}
  d: {{ type: slack, url: {{ env: PATH }} }}\n"
        );
        let problems = load(&laid_out(&channels).path().join("scorewatch.yaml")).problems;
        let found: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        let expected: &[&str] = if reported { &["channels.b.url", "channels.d.url"] } else { &["channels.d.url"] };
        assert_eq!(found, expected, "{problems:?}");
    }
}

#[test]
fn the_shared_apps_secret_goes_to_no_address_of_one_tenants_file() {
    let own = "credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: ../secret }, expires: 2027-03-01 }\n";
    let shared = "credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secret } }\n";
    let load = |main: String, tenant: String| {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), main.as_bytes(), tenant.as_bytes(), RULES.as_bytes());
        std::fs::copy(folder.path().join("secret"), folder.path().join("another")).unwrap();
        load_in(folder.path()).1
    };
    for key in ["login", "defender", "graph"] {
        let endpoint = format!("endpoints: {{ {key}: https://evil.example }}\n");
        let bare = TENANT.replace(own, "");
        assert!(!bare.contains("credential"), "{bare}");
        let text = load(format!("{MAIN}{shared}"), format!("{bare}{endpoint}"));
        let reported =
            format!("endpoints.{key}: the secret or a token of the app that all tenants share would be sent");
        assert!(text.contains(&reported) && text.contains("tenants/contoso.yaml:"), "{key}: {text}");
        assert!(text.contains("write `credential:"), "{text}");
        let copied = load(format!("{MAIN}{shared}"), format!("{TENANT}{endpoint}"));
        assert!(copied.contains(&reported), "the shared app written once more: {copied}");
        let another = TENANT.replace("000000000002", "000000000003").replace("../secret", "../another");
        let text = load(format!("{MAIN}{shared}"), format!("{another}{endpoint}"));
        assert_eq!(text, "0 problems in 0 files", "its own app");
        let everywhere = format!("{MAIN}{shared}{endpoint}");
        assert_eq!(load(everywhere.clone(), bare.clone()), "0 problems in 0 files", "at the top");
        assert_eq!(load(everywhere, format!("{bare}{endpoint}")), "0 problems in 0 files", "the same as at the top");
    }
}
