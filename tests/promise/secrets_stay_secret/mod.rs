//! No secret shows in a log at any level, an error, a listing, a metric, a page, a database row or another's message, whatever
//! goes wrong with it, in whatever disguise.

mod database;
mod fixture;
mod kinds;
mod provider;
mod scanner;
mod sinks;

use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
};

use fixture::Fixture;
use kinds::{KINDS, Kept};
use scanner::{Scanner, around, disguises};
use scorewatch::config;
use sinks::{Sink, sink};

use crate::harness::Service;

/// Knows every secret in use.
fn scanner() -> Scanner {
    let secrets: Vec<_> =
        KINDS.iter().flat_map(|kind| kind.secrets().into_iter().map(|secret| (kind.name, secret))).collect();
    Scanner::new(secrets.iter().map(|(name, secret)| (*name, &secret[..])))
}

/// Asserts that nothing shows, and that everything would have been seen.
fn sweep(sinks: &[Sink]) {
    let scanner = scanner();
    let mut leaks = Vec::new();
    for (number, Sink { name, text }) in sinks.iter().enumerate() {
        for kind in scanner.find(text) {
            leaks.push(format!("{kind} shows in {name}: {}", around(&scanner, kind, text)));
        }
        // Control: each kind, in one disguise or another, put into the middle of what this place showed.
        let (before, after) = text.split_at(text.len() / 2);
        let mut planted = before.to_vec();
        for (turn, kind) in KINDS.iter().enumerate() {
            let disguises = disguises(kind.secrets().last().unwrap());
            planted.extend_from_slice(b"\"");
            planted.extend_from_slice(&disguises[(number + turn) % disguises.len()].1);
        }
        planted.extend_from_slice(b"\"");
        planted.extend_from_slice(after);
        assert_eq!(scanner.find(&planted).len(), KINDS.len(), "control: {name}");
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// Asserts that a place was read and is the right one: it shows something that is not a secret.
fn proves(sinks: &[Sink], name: &str, text: &str) {
    let shows = |sink: &&Sink| sink.name.contains(name) && String::from_utf8_lossy(&sink.text).contains(text);
    let text_of = |sink: &Sink| format!("{}: {:.3000}\n", sink.name, String::from_utf8_lossy(&sink.text));
    let all = || sinks.iter().filter(|sink| sink.name.contains(name)).map(text_of).collect::<String>();
    assert!(sinks.iter().any(|sink| shows(&sink)), "{name} does not show {text}: {}", all());
}

/// Asserts that each place was read.
fn proves_all(sinks: &[Sink]) {
    for (name, text) in [
        ("page /metrics", "scorewatch_"),
        ("page /healthz", "200 OK"),
        ("page /sign-in/oidc/callback", "502 Bad Gateway"),
        ("process list", "scorewatch.yaml"),
        ("open files", "scorewatch.db"),
        ("scorewatch.db while it runs", "SQLite"),
        ("scorewatch.db-wal while it runs", "contoso"),
        ("scorewatch.db afterwards", "contoso"),
        ("tenants list --json", "secret-wrong"),
        ("once", "token-refused"),
        ("check --online", "secret-wrong"),
        ("check --online --json", "consent_link"),
        ("channels list", "parked since "),
        ("deliveries list --state dead", "the receiver answered 400"),
        ("deliveries show", "the receiver answered 500"),
        ("preview", "http://127.0.0.1"),
        ("check (refused configuration)", "secret"),
        ("check --json (refused configuration)", "is not a network"),
        ("run (refused configuration)", "there is a password in the address"),
        ("run (database)", "the server refuses the role or its password"),
        ("store copy", "the server refuses the role or its password"),
        ("what receivers got", "webhook-signature: v1,"),
        ("what receivers got", "channel-parked"),
        ("check --online", "client-secret-in-key-vault in the secret store azure"),
        ("log", "ended with exit code 1"),
        ("log", "the channel is parked"),
        ("log", "rejected: the receiver answered 400"),
        ("log", "the one before stays in force"),
    ] {
        proves(sinks, name, text);
    }
    #[cfg(feature = "traces")]
    for (name, text) in [
        ("log", "traces can't be sent: the collector answered 400"),
        ("what receivers got", "scorewatch.channel_type"),
        ("what receivers got", "teams-url-in-variable"),
    ] {
        proves(sinks, name, text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_shows_anywhere() {
    let fixture = Fixture::new(|_| true).await;
    let service = Service::spawn(&fixture.world.folder.config(), &fixture.environment());
    let address = service.listening().await;
    fixture.live_through_trouble().await;
    let mut sinks = sinks::pages(address).await;
    sinks.extend(provider::sign_in(address).await);
    sinks.extend(sinks::process(service.id()));
    sinks.extend(sinks::files(&fixture, "while it runs"));
    sinks.extend(sinks::commands(&fixture).await);

    fixture.break_configuration();
    service.signal("HUP");
    service.says("the one before stays in force").await;
    sinks.extend(sinks::refusals(&fixture).await);
    fixture.repair_configuration();
    service.signal("HUP");
    service.says("the changed configuration is now in force").await;

    let environment = fs::read(format!("/proc/{}/environ", service.id())).unwrap();
    let log = sinks.len();
    sinks.push(sink("log", service.log()));
    assert!(service.stop().await.success());
    // By now the last spans were sent, too.
    sinks.extend(sinks::received(&fixture));
    sinks.extend(sinks::visits(&fixture).await);
    sinks.extend(database::commands(&fixture).await);
    sinks.extend(sinks::files(&fixture, "afterwards"));

    proves_all(&sinks);
    let talkative = String::from_utf8_lossy(&sinks[log].text).into_owned();
    assert!(talkative.contains("\"TRACE\"") || talkative.contains("\"DEBUG\""), "the log is at its most talkative");
    sweep(&sinks);

    // The environment holds what it was given and nothing else.
    let given: Vec<_> = KINDS.iter().filter(|kind| matches!(kind.kept, Kept::Variable | Kept::Unused)).collect();
    let mut given: Vec<_> = given.into_iter().map(|kind| kind.name).collect();
    given.sort_unstable();
    assert_eq!(scanner().find(&environment), given);
}

/// On a terminal, the log is for people: another writer of the same lines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_shows_in_the_log_for_people() {
    let fixture = Fixture::new(|_| true).await;
    let (binary, config) = (env!("CARGO_BIN_EXE_scorewatch"), fixture.world.folder.config());
    let line = format!("echo pid=$$; exec '{binary}' --config '{}' run", config.display());
    // Makes a terminal and copies what it shows.
    let terminal = Command::new("script")
        .args(["--quiet", "--flush", "--return", "--command", &line, "/dev/null"])
        .envs(fixture.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut terminal = terminal.expect("`script` of util-linux is installed");
    let mut output = terminal.stdout.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = Vec::new();
        // A terminal that is gone is an error on some systems, and the end on others.
        let _ = output.read_to_end(&mut log);
        log
    });
    fixture.live_through_trouble().await;
    fixture.break_configuration();
    let pid = fs::read_to_string(format!("/proc/{0}/task/{0}/children", terminal.id())).unwrap();
    for signal in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }
    assert!(terminal.wait().unwrap().success());
    let sinks = [sink("terminal", log.join().unwrap())];
    for text in ["\u{1b}[", "listening", "rejected: the receiver answered 400", "the channel is parked", "DEBUG"] {
        proves(&sinks, "terminal", text);
    }
    sweep(&sinks);
}

/// What a panic, a debugger or a careless log line would print.
#[tokio::test]
async fn no_secret_shows_in_a_debug_form() {
    // This process has no variables and no credentials of systemd's.
    let fixture = Fixture::new(|kind| !matches!(kind.kept, Kept::Variable | Kept::Credential)).await;
    let loaded = config::load(&fixture.world.folder.config());
    let config = loaded.config.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
    fixture.break_configuration();
    let broken = config::load(&fixture.world.folder.config());
    let sinks = [
        sink("configuration", format!("{config:?}{config:#?}")),
        sink("problems", format!("{:?}{:#?}{:?}", broken.problems, broken.problems, broken.excerpts)),
    ];
    proves(&sinks, "configuration", "webhook-query-in-the-open");
    proves(&sinks, "problems", "scorewatch.yaml");
    sweep(&sinks);
}
