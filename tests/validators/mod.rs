//! Payloads judged by things that nobody here wrote: Microsoft's card renderer and schema, Slack's SDK, the builders of
//! discord.js, Google's message types, readers of Markdown, the libraries of Standard Webhooks, PagerDuty's client, a mail server,
//! a real Alertmanager, a real Prometheus; the dashboard by Chromium, axe and html-validate; and sign-in by a certified OpenID Connect provider. `tests/validators/install` installs what comes as packages of Node.js and Python. Each test is ignored unless it is
//! asked for, and fails where its tool is missing, so that none is counted that did not run; `./test` asks for those whose tools are there.

mod alertmanager;
mod api;
mod assertion;
mod book;
mod dashboard;
mod exim;
mod mail;
mod messages;
mod oidc;
mod pagerduty;
mod pictures;
mod prometheus;

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use scorewatch::{
    channel::{
        self, Channel, ChannelKind, ChannelSettings, Discord, Form, GoogleChat, Mattermost, RetryBounds, Show, Slack,
        Teams, Webhook, WebhookUrl,
    },
    clock::Clock,
    domain::{ChannelName, Timestamp},
    egress::{Outgoing, Private, Request},
    notify::language::Locale,
    notify::{Notification, route::Audience},
    secret::{ExposeSecret as _, SecretReference},
    template::sample,
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

/// Where the validators are.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/validators");
    assert!(folder.join("installed").exists(), "run tests/validators/install first");
    folder
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
    open_in(kind, private, Locale::default())
}

fn open_in(kind: ChannelKind, private: Private, locale: Locale) -> Box<dyn Channel> {
    let settings = ChannelSettings {
        locale,
        name: ChannelName::parse("judged").unwrap(),
        kind,
        audience: Audience::default(),
        show: Show { labels: true, about: true },
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
        month: None,
        template: None,
    };
    channel::open(&Arc::new(settings), &Arc::new(channel::templates(None).unwrap()))
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validators").join(name)
}
