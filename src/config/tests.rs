//! What a configuration promises its author: every problem is reported with its place, and no secret is ever shown.

mod exclusions;
mod lenient;
mod mail;
mod mistakes;
mod oidc;
mod reported;
mod robust;
mod secret_stores;
mod secrets;
mod sharing;
mod shipped;

use std::{fs, path::Path, time::Duration};

use super::{Loaded, load};
use crate::{
    channel::{Alertmanager, Authorization, ChannelKind, Pagerduty, PagerdutyRegion, Show, WebhookUrl},
    diagnostic::{Level, render},
    domain::{Clause, Timestamp},
    notify::fleet::FleetSettings,
};

const MAIN: &str = r#"
store: sqlite://data/scorewatch.db
schedule: "0 */15 * * * *"
timezone: Europe/Berlin
scores: [device-secure-score]
rules: [rules/*.yaml]
tenants: [tenants/*.yaml]
channels:
  soc-teams: { type: teams, url: { file: secret } }
  contoso: { type: slack, url: { file: contoso-url }, tenants: [contoso] }
  soar: { type: webhook, url: https://soar.example/hook, signing_secret: { file: key } }
operator: { notify: [soc-teams, soar] }
"#;
const TENANT: &str = "
id: contoso
name: Contoso Ltd
tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
region: eu
credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: ../secret }, expires: 2027-03-01 }
labels: { tier: gold, country: de }
notify: [contoso]
";
const RULES: &str = "
rules:
  - name: device-score-low
    score: device-secure-score
    tenants: { tier: gold }
    when: { below: 300 }
    recover: { above: 320 }
    for: 1h
    notify: [soc-teams]
  - { name: drop, score: device-secure-score, when: { drop: 5%, within: 24h }, severity: critical, notify: [soc-teams] }
  - { name: blind, when: { no_data: 6h }, notify: [soc-teams], tenant_channels: off }
";

fn lay_out(folder: &Path, main: &[u8], tenant: &[u8], rules: &[u8]) {
    for (path, bytes) in [
        ("secret", b"hunter2\n".as_slice()),
        ("contoso-url", b"hunter2-of-contoso\n"),
        ("key", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
        ("routing", b"0123456789abcdef0123456789abcdef\n"),
        ("scorewatch.yaml", main),
        ("tenants/contoso.yaml", tenant),
        ("rules/all.yaml", rules),
        ("templates/mine.hbs", b"{ \"said\": \"{{rule.name}}\" }"),
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn load_in(folder: &Path) -> (Loaded, String) {
    let loaded = load(&folder.join("scorewatch.yaml"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let loaded = runtime.block_on(loaded.with_secrets_tried());
    let text = render::terminal(&loaded.problems, &loaded.excerpts, false);
    (loaded, text.replace(&format!("{}/", folder.display()), ""))
}

fn read_bytes(main: &str, tenant: &[u8], rules: &str) -> (Loaded, String) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), main.as_bytes(), tenant, rules.as_bytes());
    load_in(folder.path())
}

fn read(main: &str, tenant: &str, rules: &str) -> (Loaded, String) {
    read_bytes(main, tenant.as_bytes(), rules)
}

#[test]
fn the_documented_configuration_loads_and_prints_no_secret() {
    let (loaded, text) = read(MAIN, TENANT, RULES);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(loaded.problems, []);
    assert_eq!((config.tenants.len(), config.rules.len(), config.channels.len()), (1, 3, 3));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn check_warns_of_a_fleet_shift_that_waits_for_less_than_the_spread() {
    for (top, key) in [
        ("spread: 20m\nfleet: { hold: 19m }", Some("fleet.hold")),
        ("spread: 20m\nfleet: { at_least: 3 }", None),
        ("spread: 20m", None),
        ("spread: 20m\nfleet: { hold: 20m }", None),
        ("spread: 20m\nfleet: { hold: 0s }", None),
        ("fleet: { hold: 10m }", None),
    ] {
        let (loaded, text) = read(&format!("{MAIN}{top}\n"), TENANT, RULES);
        assert!(loaded.config.is_some(), "a warning refuses nothing: {text}");
        let of_fleet = loaded.problems.iter().filter(|problem| problem.key == "fleet.hold");
        let reported: Vec<_> = of_fleet.map(|problem| (problem.key.as_str(), problem.level)).collect();
        assert_eq!(reported, key.map(|key| (key, Level::Warning)).into_iter().collect::<Vec<_>>(), "{top}: {text}");
        assert!(key.is_none() || text.contains("it waits for as long as the `spread`"), "{text}");
    }
}

#[test]
fn a_code_that_has_to_be_looked_up_leads_to_microsofts_page_on_it() {
    let (loaded, text) = read(MAIN, TENANT, RULES);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    let tenant = config.tenants.values().next().unwrap();
    let page = |hint: Option<&str>| tenant.fix_page("sign-in-refused", hint).unwrap();
    let look_up = Clause::LookUpCode.with(&["50199", "50199"]);
    assert_eq!(page(Some(&look_up)), "https://login.microsoftonline.com/error?code=50199");
    assert!(page(None).contains("SignInEventsV3Blade"), "{}", page(None));
    assert_eq!(page(Some(Clause::SetCloud.english())), page(None));
}

#[test]
fn what_is_only_kept_yet_is_kept() {
    let main = MAIN.replace("{ type: teams,", "{ type: teams, drill: off, digest: { over: 7 },");
    let main = main.replace("{ type: webhook,", "{ type: webhook, drill: 90d,");
    let rules = RULES.replace("for: 1h", "fleet: off");
    let (loaded, text) = read(&format!("{main}fleet: {{ hold: 0s, at_least: 3, share: 50% }}"), TENANT, &rules);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    let over: Vec<usize> = config.channels.values().map(|channel| channel.digest_over).collect();
    assert_eq!(over, [20, 20, 7], "contoso, soar, soc-teams");
    let drills: Vec<_> =
        config.channels.values().map(|channel| channel.drill.map(|every| every.as_secs() / 86_400)).collect();
    assert_eq!(drills, [Some(30), Some(90), None], "contoso, soar, soc-teams");
    assert_eq!(config.rules.iter().map(|rule| rule.fleet).collect::<Vec<_>>(), [false, true, true]);
    let fleet = FleetSettings {
        hold: Duration::ZERO,
        spread: Duration::from_mins(10),
        at_least: 3,
        share_percent: 50.0,
        ..FleetSettings::default()
    };
    assert_eq!(config.fleet, fleet);
}

#[test]
fn reports_are_due_as_written() {
    for (written, due, month) in [
        ("", None, None),
        ("report: off, ", None, None),
        ("report: daily, ", Some("0 0 8 * * * (Europe/Berlin)"), None),
        ("report: weekly, ", Some("0 0 8 * * MON (Europe/Berlin)"), None),
        ("report: monthly, ", None, Some("0 0 8 1 * * (Europe/Berlin)")),
        ("report: { at: 0 30 7 1 * * }, ", Some("0 30 7 1 * * (Europe/Berlin)"), None),
        ("report: { at: 0 0 9 * * FRI, timezone: America/New_York }, ", Some("0 0 9 * * FRI (America/New_York)"), None),
        ("report: { month: 0 0 9 2 * *, timezone: UTC }, ", None, Some("0 0 9 2 * * (UTC)")),
        (
            "report: { at: 0 0 8 * * MON, month: 0 0 9 2 * * }, ",
            Some("0 0 8 * * MON (Europe/Berlin)"),
            Some("0 0 9 2 * * (Europe/Berlin)"),
        ),
    ] {
        let main = MAIN.replace("{ type: teams,", &format!("{{ {written}type: teams,"));
        let (loaded, text) = read(&main, TENANT, RULES);
        let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
        let channel = &config.channels["soc-teams"];
        let report = channel.report.as_ref().map(ToString::to_string);
        let of_month = channel.month.as_ref().map(ToString::to_string);
        assert_eq!((report.as_deref(), of_month.as_deref()), (due, month), "{written}");
    }
}

#[test]
fn what_a_channel_shows_in_addition_to_the_facts_is_as_written_and_less_where_it_has_an_audience() {
    for (written, labels, about) in [
        ("", true, true),
        ("show: [], ", false, false),
        ("show: [labels], ", true, false),
        ("labels: { tier: gold }, ", false, false),
        ("labels: { tier: gold }, show: [about], ", false, true),
        ("tenants: [contoso], show: [about, labels], ", true, true),
    ] {
        let main = MAIN.replace("{ type: teams,", &format!("{{ {written}type: teams,"));
        let main = main.replace("operator: { notify: [soc-teams, soar] }", "operator: { notify: [soar] }");
        let (loaded, text) = read(&main, TENANT, RULES);
        let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(config.channels["soc-teams"].show, Show { labels, about }, "{written}");
    }
}

#[test]
fn the_keys_of_protocols_are_meant_as_written() {
    let kind = |written: &str| {
        let main = MAIN.replace("type: teams, url: { file: secret }", written);
        let (loaded, text) = read(&main, TENANT, RULES);
        assert!(!text.contains("error"), "{text}");
        loaded.config.unwrap().channels["soc-teams"].kind.clone()
    };
    assert!(matches!(
        kind("type: pagerduty, routing_key: { file: routing }, region: eu"),
        ChannelKind::Pagerduty(Pagerduty { region: PagerdutyRegion::Eu, url: None, .. })
    ));
    assert!(matches!(
        kind("type: pagerduty, routing_key: { file: routing }, url: http://10.0.0.1:1, allow_private: true"),
        ChannelKind::Pagerduty(Pagerduty { url: Some(WebhookUrl::Open(_)), .. })
    ));
    let signed_in = "type: alertmanager, url: https://a.example/am, username: me, password: { file: secret }";
    assert!(matches!(
        kind(signed_in),
        ChannelKind::Alertmanager(Alertmanager { authorization: Authorization::Basic { username, .. }, .. }) if username == "me"
    ));
    assert!(matches!(
        kind("type: alertmanager, url: { file: secret }, bearer_token: { file: secret }"),
        ChannelKind::Alertmanager(Alertmanager {
            url: WebhookUrl::Secret(_),
            authorization: Authorization::Bearer { .. }
        })
    ));
}

#[test]
fn maintenance_windows_are_meant_as_written() {
    let windows = "maintenance:
  - { name: night, tenants: { tier: gold }, from: 0 0 22 * * *, for: 6h, timezone: UTC }
  - { name: weekend, tenants: [contoso], rules: [drop, operator.blind], severity: critical, from: 0 0 18 * * FRI, until: 0 0 8 * * MON }
  - { name: freeze, tenants: all, scores: device-secure-score, from: 0 0 0 24 12 *, until: 0 0 0 2 1 * }
";
    let (loaded, text) = read(&format!("{MAIN}{windows}"), TENANT, RULES);
    let config = loaded.config.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(loaded.problems, []);
    let covers: Vec<_> = config.maintenance.iter().map(|each| format!("{}: {}", each.name, each.matchers)).collect();
    assert_eq!(
        covers,
        [
            "night: tier=gold",
            "weekend: tenant contoso, rule drop or operator.blind, severity critical",
            "freeze: score device-secure-score"
        ]
    );
    let at = |text: &str| Timestamp::parse(text).unwrap();
    for (window, now, end) in [
        (0, "2026-01-05T22:00:00Z", Some("2026-01-06T04:00:00Z")),
        (0, "2026-01-05T21:59:59Z", None),
        // The zone of the schedule, which is Berlin's.
        (1, "2026-01-09T17:00:00Z", Some("2026-01-12T07:00:00Z")),
        (2, "2026-12-31T00:00:00Z", Some("2027-01-01T23:00:00Z")),
    ] {
        assert_eq!(config.maintenance[window].window.covers(at(now)), end.map(at), "{window} at {now}");
    }
}

#[test]
fn only_what_it_was_read_from_makes_it_another_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let main = format!("{MAIN}templates: templates\n");
    lay_out(folder.path(), main.as_bytes(), TENANT.as_bytes(), RULES.as_bytes());
    let template = include_str!("../../templates/webhook.hbs");
    fs::write(folder.path().join("templates/mine.hbs"), template).unwrap();
    let (mut known, shown) = load_in(folder.path());
    let config = known.config.as_ref().unwrap_or_else(|| panic!("{shown}"));
    assert!(known.watched.has_read_the_same(&config.watched));
    for (path, text, is_same) in [
        ("scorewatch.log", "a line".to_owned(), true),
        ("templates/readme.txt", "a text".to_owned(), true),
        ("tenants/contoso.yaml", TENANT.to_owned(), true),
        ("templates/mine.hbs", format!("{template}\n"), false),
        ("rules/all.yaml", format!("{RULES}# a note\n"), false),
        ("scorewatch.yaml", format!("{main}moon: green\n"), false),
        ("scorewatch.yaml", main.clone(), false),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
        let (loaded, shown) = load_in(folder.path());
        assert_eq!(loaded.watched.has_read_the_same(&known.watched), is_same, "{path}: {shown}");
        known = loaded;
    }
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    assert_eq!(load(Path::new("/no/such/scorewatch.yaml")).problems.len(), 1);
}
