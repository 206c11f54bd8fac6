//! Payloads judged by things that nobody here wrote: Microsoft's card renderer and schema, Slack's SDK, the builders of
//! discord.js, Google's message types, readers of Markdown, the libraries of Standard Webhooks, PagerDuty's client, a mail server,
//! a real Alertmanager. `tests/judge/install` installs them; with `SCOREWATCH_JUDGES=required` they must be there.

mod alertmanager;
mod assertion;
mod exim;
mod mail;
mod pagerduty;

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use scorewatch::{
    channel::{self, Channel, ChannelKind, ChannelSettings, ChatApp, Form, RetryBounds, WebhookUrl},
    clock::Clock,
    domain::{ChannelName, Timestamp},
    egress::{Outgoing, Private, Request},
    notify::{Notification, route::Fence},
    secret::{ExposeSecret as _, SecretReference},
    template::{Registry, sample},
};
use tempfile::TempDir;

const TEAMS_URL: &str = "https://default0f.1a.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/0f/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x";
const SLACK_URL: &str = "https://hooks.slack.com/services/T0/B0/x";
const NEW_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// RFC 8032, section 7.1, test 2.
const NEW_PAIR: (&str, &str) =
    ("whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=", "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
/// RFC 8032, section 7.1, test 1.
const OLD_PAIR: (&str, &str) =
    ("whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");

/// Where the judges are; `None`, with a word about what is left out, if they are not installed.
fn judges() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges");
    if folder.join("installed").exists() {
        return Some(folder);
    }
    assert!(env::var_os("SCOREWATCH_JUDGES").is_none_or(|word| word != "required"), "run tests/judge/install first");
    left_out("no payload is judged from outside: run tests/judge/install");
    None
}

#[expect(clippy::print_stderr, reason = "a test that leaves something out says so")]
fn left_out(what: &str) {
    eprintln!("left out: {what}");
}

fn secret(folder: &TempDir, name: &str, text: &str) -> SecretReference {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    SecretReference::File(path)
}

fn open(kind: ChannelKind) -> Box<dyn Channel> {
    open_within(kind, Private::Refused)
}

fn open_within(kind: ChannelKind, private: Private) -> Box<dyn Channel> {
    let settings = ChannelSettings {
        name: ChannelName::parse("judged").unwrap(),
        kind,
        fence: Fence::default(),
        pace: Duration::from_secs(1),
        retry: RetryBounds {
            first: Duration::from_secs(2),
            max: Duration::from_mins(15),
            give_up: Duration::from_hours(24),
        },
        timeout: Duration::from_secs(20),
        private,
        digest_over: 20,
        drill: Some(Duration::from_hours(30 * 24)),
        report: None,
        template: None,
    };
    channel::open(&Arc::new(settings), &Arc::new(Registry::load(None).unwrap()))
}

fn compose(channel: &dyn Channel, notification: &Notification, at: Timestamp) -> Request {
    compose_in(channel, notification, Form::Rich, at)
}

fn compose_in(channel: &dyn Channel, notification: &Notification, form: Form, at: Timestamp) -> Request {
    match channel.compose(notification, form, at).unwrap() {
        Outgoing::Http(request) => request,
        Outgoing::Mail(_) => panic!("a request"),
    }
}

/// Everything that a channel can be asked to say, in both forms.
fn said(channel: &dyn Channel) -> Vec<String> {
    let samples = sample::all().into_iter().chain(sample::largest_digests());
    samples
        .flat_map(|sample| {
            [Form::Rich, Form::Plain].map(|form| body(&compose_in(channel, &sample, form, Timestamp::EPOCH)))
        })
        .collect()
}

/// One line of JSON.
fn body(outgoing: &Request) -> String {
    String::from_utf8(outgoing.body.to_vec()).unwrap()
}

/// Gives the lines to a judge and fails with what it says.
fn judge(program: &str, arguments: &[&Path], lines: &[String]) {
    let (is_content, said) = ask(program, arguments, lines);
    assert!(is_content, "{said}");
    assert!(said.contains(&format!("{} judged, 0 refused", lines.len())), "{said}");
}

/// Gives the lines to a judge; whether it is content, and what it says.
fn ask(program: &str, arguments: &[&Path], lines: &[String]) -> (bool, String) {
    let mut input = tempfile::tempfile().unwrap();
    for line in lines {
        assert!(!line.contains('\n'));
        writeln!(input, "{line}").unwrap();
    }
    std::io::Seek::rewind(&mut input).unwrap();
    let output = Command::new(program).args(arguments).stdin(Stdio::from(input)).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), said)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge").join(name)
}

#[test]
fn microsofts_renderer_and_schema_take_every_card() {
    let Some(judges) = judges() else { return };
    let schema = env::var_os("SCOREWATCH_ADAPTIVE_CARD_SCHEMA").map(PathBuf::from);
    if schema.is_none() {
        left_out("cards are not held to the schema: set SCOREWATCH_ADAPTIVE_CARD_SCHEMA to its path");
    }
    let folder = tempfile::tempdir().unwrap();
    let teams = open(ChannelKind::Teams { url: secret(&folder, "url", TEAMS_URL) });
    let cards = said(&*teams);
    assert!(cards.iter().all(|card| card.len() <= scorewatch::template::TEAMS_BYTES_MAX));
    let script = script("teams.mjs");
    let arguments: Vec<&Path> =
        [Some(&script), Some(&judges), schema.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    judge("node", &arguments, &cards);
}

#[test]
fn slacks_own_models_take_every_message() {
    let Some(judges) = judges() else { return };
    let folder = tempfile::tempdir().unwrap();
    let slack = open(ChannelKind::Slack { url: secret(&folder, "url", SLACK_URL) });
    judge("python3", &[&script("slack.py"), &judges.join("python")], &said(&*slack));
}

#[test]
fn the_other_chat_applications_take_every_message_and_see_nothing_but_text_in_names() {
    let Some(judges) = judges() else { return };
    let folder = tempfile::tempdir().unwrap();
    let python = judges.join("python");
    for (app, url, program, name, installed) in [
        (ChatApp::Discord, "https://discord.com/api/webhooks/1/x", "node", "discord.mjs", &judges),
        (ChatApp::GoogleChat, "https://chat.googleapis.com/v1/spaces/A/messages", "python3", "google_chat.py", &python),
        (ChatApp::Mattermost, "https://chat.example/hooks/x", "node", "mattermost.mjs", &judges),
    ] {
        let channel = open(ChannelKind::Chat { app, url: secret(&folder, "url", url) });
        judge(program, &[&script(name), installed], &said(&*channel));
    }
}

#[test]
fn judges_of_chat_applications_refuse_what_would_do_harm() {
    let Some(judges) = judges() else { return };
    let calls_nobody = serde_json::json!({ "parse": [] });
    let discord = |content: &str, description: &str| {
        serde_json::json!({
            "content": content, "allowed_mentions": calls_nobody, "embeds": [{ "color": 1, "description": description }],
        })
    };
    let text = |text: &str| serde_json::json!({ "text": text });
    let discord = [
        discord("@everyone", "x"),
        discord("||x||", "x"),
        discord("x", "https://evil.example/"),
        discord("x", &"x".repeat(4_097)),
        serde_json::json!({ "content": "x" }),
    ];
    let google_chat = [
        serde_json::json!({ "text": "x", "blocks": [] }),
        serde_json::json!({ "text": ["x"] }),
        text(&"x".repeat(32_000)),
    ];
    let mattermost =
        [text("hi @channel"), text("~~x~~"), text("<!here>"), text("# x"), text("[x](https://evil.example)")];
    let python = judges.join("python");
    for (program, name, installed, payloads) in [
        ("node", "discord.mjs", &judges, &discord[..]),
        ("python3", "google_chat.py", &python, &google_chat),
        ("node", "mattermost.mjs", &judges, &mattermost),
    ] {
        let lines: Vec<String> = payloads.iter().map(ToString::to_string).collect();
        let (is_content, said) = ask(program, &[&script(name), installed], &lines);
        assert!(!is_content && said.contains(&format!("{0} judged, {0} refused", lines.len())), "{said}");
    }
}

#[test]
fn the_standards_libraries_verify_every_signature_by_either_key() {
    let Some(judges) = judges() else { return };
    let folder = tempfile::tempdir().unwrap();
    let webhook = open(ChannelKind::Webhook {
        url: WebhookUrl::Open("https://soar.example/hook".to_owned()),
        signing_secrets: [("new", NEW_KEY), ("old", OLD_KEY), ("pair", NEW_PAIR.0), ("old-pair", OLD_PAIR.0)]
            .map(|(name, key)| secret(&folder, name, key))
            .to_vec(),
    });
    // The libraries refuse a time that is not about now.
    let now = Clock::System.now();
    let mut requests = Vec::new();
    for sample in sample::all() {
        let outgoing = compose(&*webhook, &sample, now);
        let headers: std::collections::BTreeMap<&str, &str> =
            outgoing.headers.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        assert_eq!(headers["webhook-signature"].split(' ').count(), 4);
        for key in [NEW_KEY, OLD_KEY, NEW_PAIR.1, OLD_PAIR.1] {
            let request = serde_json::json!({ "secret": key, "headers": headers, "body": body(&outgoing) });
            requests.push(request.to_string());
        }
    }
    judge("node", &[&script("webhook.mjs"), &judges], &requests);
    judge("python3", &[&script("webhook.py"), &judges.join("python")], &requests);
}
