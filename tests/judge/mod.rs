//! Payloads judged by things that nobody here wrote: Microsoft's card renderer and schema, Slack's SDK, the libraries of
//! Standard Webhooks, a mail server. `tests/judge/install` installs them; with `SCOREWATCH_JUDGES=required` they must be there.

mod assertion;
mod exim;
mod mail;

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use scorewatch::{
    channel::{self, Channel, ChannelKind, ChannelSettings, Form, RetryBounds, WebhookUrl},
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
        private: Private::Refused,
        digest_over: 20,
        template: None,
    };
    channel::open(&Arc::new(settings), &Arc::new(Registry::load(None).unwrap()))
}

fn compose(channel: &dyn Channel, notification: &Notification, at: Timestamp) -> Request {
    match channel.compose(notification, Form::Rich, at).unwrap() {
        Outgoing::Http(request) => request,
        Outgoing::Mail(_) => panic!("a request"),
    }
}

/// One line of JSON.
fn body(outgoing: &Request) -> String {
    String::from_utf8(outgoing.body.to_vec()).unwrap()
}

/// Gives the lines to a judge and fails with what it says.
fn judge(program: &str, arguments: &[&Path], lines: &[String]) {
    let mut input = tempfile::tempfile().unwrap();
    for line in lines {
        assert!(!line.contains('\n'));
        writeln!(input, "{line}").unwrap();
    }
    std::io::Seek::rewind(&mut input).unwrap();
    let output = Command::new(program).args(arguments).stdin(Stdio::from(input)).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} judged, 0 refused", lines.len())), "{said}");
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
    let cards: Vec<String> =
        sample::all().iter().map(|sample| body(&compose(&*teams, sample, Timestamp::EPOCH))).collect();
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
    let messages: Vec<String> =
        sample::all().iter().map(|sample| body(&compose(&*slack, sample, Timestamp::EPOCH))).collect();
    judge("python3", &[&script("slack.py"), &judges.join("python")], &messages);
}

#[test]
fn the_standards_libraries_verify_every_signature_by_either_key() {
    let Some(judges) = judges() else { return };
    let folder = tempfile::tempdir().unwrap();
    let webhook = open(ChannelKind::Webhook {
        url: WebhookUrl::Open("https://soar.example/hook".to_owned()),
        signing_secrets: vec![secret(&folder, "new", NEW_KEY), secret(&folder, "old", OLD_KEY)],
    });
    // The libraries refuse a time that is not about now.
    let now = Clock::System.now();
    let mut requests = Vec::new();
    for sample in sample::all() {
        let outgoing = compose(&*webhook, &sample, now);
        let headers: std::collections::BTreeMap<&str, &str> =
            outgoing.headers.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        assert_eq!(headers["webhook-signature"].split(' ').count(), 2);
        for key in [NEW_KEY, OLD_KEY] {
            let request = serde_json::json!({ "secret": key, "headers": headers, "body": body(&outgoing) });
            requests.push(request.to_string());
        }
    }
    judge("node", &[&script("webhook.mjs"), &judges], &requests);
    judge("python3", &[&script("webhook.py"), &judges.join("python")], &requests);
}
