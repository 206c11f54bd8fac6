//! Every place where somebody may read what we said.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::Value;

use super::{fixture::Fixture, kinds};
use crate::harness::{files_below, get};

/// What was read at one place.
pub(super) struct Sink {
    pub(super) name: String,
    pub(super) text: Vec<u8>,
}

pub(super) fn sink(name: impl Into<String>, text: impl AsRef<[u8]>) -> Sink {
    Sink { name: name.into(), text: text.as_ref().to_vec() }
}

/// The service's own pages, and some that it does not have.
pub(super) async fn pages(address: SocketAddr) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for path in ["/", "/healthz", "/readyz", "/metrics", "/nothing", "/secrets/teams-url", "/..%2fsecrets%2fteams-url"]
    {
        sinks.push(sink(format!("page {path}"), get(address, path).await.1));
    }
    sinks
}

/// What other users of the machine see of a process: its command line, the names of its threads, the files that it has open.
pub(super) fn process(pid: u32) -> Vec<Sink> {
    let folder = Path::new("/proc").join(pid.to_string());
    let mut threads = Vec::new();
    for thread in fs::read_dir(folder.join("task")).into_iter().flatten().flatten() {
        threads.extend(fs::read(thread.path().join("comm")).unwrap_or_default());
    }
    let mut open = String::new();
    for file in fs::read_dir(folder.join("fd")).into_iter().flatten().flatten() {
        open += &fs::read_link(file.path()).map_or(String::new(), |target| format!("{}\n", target.display()));
    }
    let command_line = fs::read(folder.join("cmdline")).unwrap_or_default();
    vec![sink("process list", command_line), sink("threads", threads), sink("open files", open)]
}

/// Every file in the service's folder but those that the operator wrote secrets into, at this moment.
pub(super) fn files(fixture: &Fixture, when: &str) -> Vec<Sink> {
    let top = fixture.world.folder.path();
    let written = ["secrets", "credentials", "scorewatch.yaml"].map(|name| top.join(name).display().to_string());
    let files =
        files_below(top).into_iter().filter(|(name, _)| !written.iter().any(|written| name.starts_with(written)));
    files.map(|(name, text)| sink(format!("{name} {when}"), text)).collect()
}

/// What every receiver got, except the address that it was called at: headers and body. The collector of traces gets its key in a
/// header, so of its requests only the body counts.
pub(super) fn received(fixture: &Fixture) -> Vec<Sink> {
    let requests = fixture.world.receivers.received();
    let line = |request: &std::sync::Arc<scorewatch::simulation::receiver::Received>| {
        let mut text = Vec::new();
        let is_collector = *request.channel == *kinds::named(kinds::ENDPOINT).canary();
        for (name, value) in request.headers.iter().filter(|_| !is_collector) {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
        }
        [&text[..], b"\n", &request.body, b"\n"].concat()
    };
    vec![sink("what receivers got", requests.iter().flat_map(line).collect::<Vec<u8>>())]
}

/// What a command prints to both outputs, with its exit.
pub(super) async fn command(fixture: &Fixture, arguments: &[&str]) -> Sink {
    let output = fixture.command(arguments).await;
    let exit = format!("\n{:?}", output.status);
    sink(arguments.join(" "), [output.stdout, output.stderr, exit.into_bytes()].concat())
}

/// Commands that need no number of a delivery or alert.
const LINES: [&str; 30] = [
    "check",
    "check -v",
    "check --json",
    "check --online",
    "check --online --json",
    "doctor",
    "doctor --json",
    "alerts list --all",
    "alerts list --json",
    "alerts show nothing",
    "deliveries list",
    "deliveries list --json",
    "deliveries list --state dead",
    "deliveries list --state parked --json",
    "deliveries show 999999",
    "tenants list",
    "tenants list --json",
    "tenants show contoso",
    "tenants show token-refused --json",
    "tenants show call-repeats",
    "channels list",
    "channels list --json",
    "channels unpark soc",
    "schema",
    "schema --rules",
    "schema --tenants",
    "schema --webhook",
    "--help",
    "run --no-such-option",
    "no-such-command",
];

/// Every command on a configuration that is taken, for people and as JSON.
pub(super) async fn commands(fixture: &Fixture) -> Vec<Sink> {
    let list = async |arguments: &[&str]| -> Vec<Value> {
        serde_json::from_slice(&fixture.command(arguments).await.stdout).unwrap_or_default()
    };
    let deliveries = list(&["deliveries", "list", "--json", "--limit", "1000"]).await;
    let alerts = list(&["alerts", "list", "--all", "--json"]).await;
    let mut shown: Vec<(String, String)> = Vec::new();
    for delivery in &deliveries {
        let by = format!("{} {}", delivery["channel"], delivery["state"]);
        if !shown.iter().any(|(known, _)| *known == by) {
            shown.push((by, delivery["id"].to_string()));
        }
    }
    assert!(shown.len() > super::kinds::KINDS.iter().filter(|kind| kind.is_channel()).count(), "{deliveries:?}");
    let mut lines: Vec<String> = LINES.iter().map(ToString::to_string).collect();
    // What is for people and what is JSON, in turns: each takes a process.
    let json = |turn: usize| if turn.is_multiple_of(2) { " --json" } else { "" };
    lines.extend(shown.iter().enumerate().map(|(turn, (_, id))| format!("deliveries show {id}{}", json(turn))));
    for (turn, kind) in super::kinds::KINDS.iter().filter(|kind| kind.is_channel()).enumerate() {
        let name = kind.name;
        lines.push(format!("preview --rule device-score-low --channel {name} --send{}", json(turn)));
    }
    lines.extend(alerts.first().map(|alert| format!("alerts show {}", alert["id"].as_str().unwrap_or_default())));
    lines.extend(shown.first().map(|(_, id)| format!("deliveries resend {id}")));
    let mut sinks = Vec::new();
    for line in lines {
        let arguments: Vec<_> = line.split(' ').collect();
        sinks.push(command(fixture, &arguments).await);
    }
    sinks
}

/// Commands that need the store for themselves.
pub(super) async fn visits(fixture: &Fixture) -> Vec<Sink> {
    vec![command(fixture, &["once"]).await, command(fixture, &["once", "--json"]).await]
}

/// Commands on a configuration that is refused.
pub(super) async fn refusals(fixture: &Fixture) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for arguments in [
        &["check"][..],
        &["check", "-v"],
        &["check", "--json"],
        &["run"],
        &["once"],
        &["channels", "list", "--json"],
        &["preview", "--rule", "x", "--channel", "y"],
    ] {
        let mut refused = command(fixture, arguments).await;
        refused.name += " (refused configuration)";
        sinks.push(refused);
    }
    sinks
}
