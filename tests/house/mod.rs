//! The rules of the house, which the compiler does not know: who may import whom, where the network, the database and the
//! system clock are touched, how long a file may be. A fault says where and what instead.

mod debug_form;
mod english;
mod entries;
mod functions;
mod kinds;
mod layers;
mod scope;
mod sentences;
mod siblings;
mod source;
mod statements;

use std::{
    fs,
    path::{Path, PathBuf},
};

use source::Source;

/// Longest file, in lines.
const LINES_MAX: usize = 400;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 4] = ["utils", "helpers", "common", "manager"];

/// How SQL begins in a string.
const SQL: [&str; 4] = ["SELECT ", "INSERT ", "DELETE FROM ", "CREATE TABLE "];

/// What reads the system clock.
const CLOCKS: [&str; 3] = ["Utc::now", "Local::now", "SystemTime::now"];

/// The HTTP client, and what it is made of: whoever holds one of these can go around the door.
const CLIENTS: [&str; 17] = [
    "reqwest",
    "hyper_rustls",
    "hyper_util::client",
    "hyper::client",
    "client::conn",
    "client::legacy",
    "ClientConnection",
    "ClientConfig",
    "TlsConnector",
    "lookup_host",
    "to_socket_addrs",
    "ToSocketAddrs",
    // lettre's part that sends; what writes a message may be used anywhere.
    "AsyncTransport",
    "SmtpTransport",
    "SmtpConnection",
    "transport::smtp",
    "lettre::transport",
];

/// What connects. The simulation listens on loopback and connects to itself.
const SOCKETS: [&str; 6] = ["TcpStream as", "TcpSocket", "UdpSocket", "UnixStream", "UnixDatagram", "socket2"];

/// The one file that makes a socket to listen on, because `TcpListener::bind` can't set its backlog.
const LISTENER: &str = "web/listen.rs";

/// What could run a program that connects.
const PROGRAMS: [&str; 2] = ["process::Command", "std::os::fd"];

/// How a task is started: what is started must be watched, so that none ends unnoticed.
const SPAWN: &str = "spawn(";
/// What may stand in those brackets. Without anything, it is a program or a thread that is started.
const WATCHED: [&str; 5] = ["task::until(", "task::unbroken(", "task::restarted(", "task::brief(", ")"];
/// Folders whose tasks are nobody's loss: they belong to the world of a demonstration.
const UNWATCHED: [&str; 1] = ["simulation"];
/// Threads of our own, which catch what they run.
const THREADS: [&str; 3] = ["secret/threads.rs", "cli/run.rs", "replay/many.rs"];

/// HTTP clients that nobody here may depend on; one is enough.
const OTHER_CLIENTS: [&str; 12] = [
    "attohttpc",
    "awc",
    "chttp",
    "curl",
    "hyper-tls",
    "hyper-rustls",
    "isahc",
    "minreq",
    "surf",
    "ureq",
    "wreq",
    "socket2",
];

/// Every fault of one file below `src/`.
fn faults(file: &Path, text: &str) -> Vec<String> {
    let source = Source::read(text);
    let folder = layers::folder(file);
    let mut faults = layers::faults(file, &source);
    faults.extend(scope::faults(file, &source));
    let mut find = |needles: &[&str], hay: &str, homes: &[&str], instead: &str| {
        for needle in needles.iter().filter(|needle| !homes.contains(&folder) && hay.contains(**needle)) {
            faults.push(format!("has `{needle}`: {instead}"));
        }
    };
    let send = "send through `egress`, which vets the address and caps the answer";
    // However a path is broken into lines or braces, its words stand side by side.
    let code: String = source.code.split_whitespace().collect::<Vec<_>>().join(" ").replace(":: ", "::");
    find(&CLIENTS, &code, &["egress"], send);
    if !is_test(file) {
        find(&["TcpStream::connect"], &code, &["egress", "simulation"], send);
        // A socket can also listen, which is not to send.
        let is_listening = file == Path::new(LISTENER) && !code.contains("connect");
        let sockets: Vec<&str> = SOCKETS.into_iter().filter(|socket| !is_listening || *socket != "TcpSocket").collect();
        find(&sockets, &code, &["egress", "simulation", "systemd"], send);
        // A listener names what it accepts, and nothing else.
        find(&["TcpStream"], &code, &["egress", "simulation", "web"], send);
        let is_runner = file == Path::new("secret_store/program.rs");
        find(&PROGRAMS, if is_runner { "" } else { &code }, &[], "another program knows no rule of ours");
    }
    find(&SQL, &source.strings, &["store"], "only `store` speaks SQL");
    find(&CLOCKS, &source.code, &["clock"], "ask `clock::Clock`, so that tests can drive the time");
    let is_excused = is_test(file) || UNWATCHED.contains(&folder) || THREADS.iter().any(|home| file == Path::new(home));
    if !is_excused && !has_test_server(file) {
        faults.extend(
            unwatched(&code).map(|what| format!("has `{what}`: wrap it by `task`, so that its end is noticed")),
        );
    }
    faults.extend(shape_faults(file, text));
    faults
}

/// Tasks that nobody watches.
fn unwatched(code: &str) -> impl Iterator<Item = String> + '_ {
    code.match_indices(SPAWN).filter_map(|(at, _)| {
        let what = code[at + SPAWN.len()..].trim_start_matches("crate::");
        let is_watched = WATCHED.iter().any(|watched| what.starts_with(watched));
        (!is_watched).then(|| format!("{SPAWN}{}", what.split(['(', ')', ' ']).next().unwrap_or_default()))
    })
}

/// Whether a file is a server for tests of its folder.
fn has_test_server(file: &Path) -> bool {
    file == Path::new("egress/loopback.rs")
}

/// Whether a file below `src/` holds nothing but tests.
fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// What holds for tests and benches too.
fn shape_faults(file: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let names = file.iter().filter_map(|part| Path::new(part).file_stem()?.to_str());
    for name in names.filter(|name| EMPTY_NAMES.contains(name)) {
        faults.push(format!("is called `{name}`: name it after what is inside"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        faults.push(format!("has {lines} lines: split it by topic"));
    }
    faults
}

/// The Rust files below `folder`, relative to it, with their text.
fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.strip_prefix(&top).unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_house_keeps_its_rules() {
    let sources = rust_files("src");
    assert!(sources.iter().any(|(file, _)| file.ends_with("domain/mod.rs")), "the sources were not found");
    let mut all = Vec::new();
    for (file, text) in sources {
        all.extend(faults(&file, &text).into_iter().map(|fault| format!("src/{}: {fault}", file.display())));
    }
    for folder in ["tests", "benches"] {
        for (file, text) in rust_files(folder) {
            let faults = shape_faults(&file, &text).into_iter();
            all.extend(faults.map(|fault| format!("{folder}/{}: {fault}", file.display())));
        }
    }
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn there_is_one_http_client() {
    let manifest = include_str!("../../Cargo.toml");
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[dev-dependencies]").next().unwrap();
    let names: Vec<_> = dependencies.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    assert!(names.contains(&"reqwest"), "{names:?}");
    for other in OTHER_CLIENTS {
        assert!(!names.contains(&other) && !dependencies.contains(&format!("package = \"{other}\"")), "{other}");
    }
}

#[test]
fn every_breach_is_found() {
    let long = "\n".repeat(LINES_MAX + 1);
    for (file, text, fault) in [
        ("rule/step.rs", "use crate::clock::Clock;", "imports `clock`"),
        (
            "rule/step.rs",
            "use crate::{\n    domain::{Sample, time::{self}},\n    store::{Store, record::*},\n};",
            "imports `store`",
        ),
        ("rule/step.rs", "fn f() -> crate::config::Config {}", "imports `config`"),
        ("rule/step.rs", "pub use super::super::egress;", "imports `egress`"),
        ("rule/step.rs", "macro_rules! m { () => { $crate::web::x() } }", "imports `web`"),
        ("clock.rs", "use super::store::Store;", "imports `store`"),
        ("clock.rs", "use crate::*;", "imports `*`"),
        ("check/run.rs", "use crate::channel::Channel;", "imports `channel`"),
        ("delivery/send.rs", "use crate::microsoft::Account;", "imports `microsoft`"),
        ("web/router.rs", "use crate::service::start;", "imports `service`"),
        ("service/start.rs", "use crate::cli::Command;", "imports `cli`"),
        ("cli/alerts.rs", "use crate::store::Store;", "imports `store`"),
        ("query/alerts.rs", "use crate::action::alert;", "imports `action`"),
        ("check/run.rs", "use crate::query::find;", "imports `query`"),
        ("query/alerts.rs", "\npub async fn list(store: &dyn Store) -> Vec<Row> {}", "`list` takes no `scope`"),
        ("action/drill.rs", "\npub fn drill<T>(of: T) {}", "`drill` takes no `scope`"),
        ("attic/old.rs", "", "in no layer"),
        ("domain/utils.rs", "", "is called `utils`"),
        ("store/helpers/rows.rs", "", "is called `helpers`"),
        ("domain/score.rs", long.as_str(), "401 lines"),
        ("channel/teams.rs", "fn f() { reqwest::Client::new(); }", "has `reqwest`"),
        ("channel/teams.rs", "use {::reqwest as web, bytes::Bytes};", "has `reqwest`"),
        ("delivery/send.rs", "fn f(_: &mut tokio::net::TcpStream) {}", "has `TcpStream`"),
        ("delivery/send.rs", "use std::net::UdpSocket as Line;", "has `UdpSocket`"),
        ("web/server.rs", "use tokio::net::{TcpListener, TcpSocket};", "has `TcpSocket`"),
        ("web/listen.rs", "fn f(socket: TcpSocket) { socket.connect(at); }", "has `TcpSocket`"),
        ("web/server.rs", "use tokio::net::TcpStream as Line;", "has `TcpStream as`"),
        ("web/server.rs", "fn f() { TcpStream::\n    connect(\"\"); }", "has `TcpStream::connect`"),
        ("channel/email.rs", "use lettre::AsyncTransport;", "has `AsyncTransport`"),
        ("channel/email.rs", "use lettre::{Message, AsyncSmtpTransport};", "has `SmtpTransport`"),
        ("channel/email.rs", "use lettre::{\n    transport::smtp,\n};", "has `transport::smtp`"),
        ("microsoft/token.rs", "use hyper_util::\n    client as web;", "has `hyper_util::client`"),
        ("microsoft/token.rs", "use hyper::{body::Bytes, client::conn::http1};", "has `client::conn`"),
        ("microsoft/token.rs", "async fn f() { tokio::net::lookup_host(\"\").await; }", "has `lookup_host`"),
        ("secret/reference.rs", "fn f() { std::process::Command::new(\"\"); }", "has `process::Command`"),
        ("web/page.rs", "const Q: &str = \"SELECT 1\";", "has `SELECT `"),
        ("web/page.rs", "const Q: &str = r#\"x \" INSERT INTO t\"#;", "has `INSERT `"),
        ("store/row.rs", "fn f() { let now = Utc::now(); }", "has `Utc::now`"),
        ("service/start.rs", "fn f() { tokio::spawn(planner.run()); }", "has `spawn(planner.run`"),
        ("service/start.rs", "fn f() { tracker.spawn(async move {}); }", "has `spawn(async`"),
        ("egress/mod.rs", "fn f() { std::time::SystemTime::now(); }", "has `SystemTime::now`"),
    ] {
        let found = faults(Path::new(file), text);
        assert!(found.len() == 1 && found[0].contains(fault), "{file}: {text}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_a_breach() {
    let longest = "\n".repeat(LINES_MAX);
    for (file, text) in [
        ("rule/step.rs", "use crate::{domain::Sample, rule::Rule};\nuse super::Alert;"),
        (
            "rule/step.rs",
            "// use crate::store::Store;\n/* crate::web /* nested */ crate::cli */ fn f<'a>(x: &'a str) {}",
        ),
        ("rule/step.rs", "/// [`crate::store::Store`]\nconst S: &str = \"use crate::web;\"; const C: char = '\"';"),
        ("rule/mod.rs", "mod tests { use super::super::rule::Rule; }"),
        ("check/run.rs", "use crate::{config::Config, microsoft::Account, store::Store, telemetry::Metrics};"),
        ("web/router.rs", "use crate::{check::run, delivery::send, schedule::Schedule};"),
        ("cli/run.rs", "use crate::{service, simulation, web};"),
        ("action/alert.rs", "use crate::query::find;\npub fn accept(\n    scope: &Scope,\n    at: Timestamp,\n) {}"),
        ("query/mod.rs", "pub async fn open(config: &Config) {}\npub(crate) fn tenant_id(text: &str) {}"),
        ("lib.rs", "pub mod anything;"),
        ("main.rs", "use scorewatch::cli;"),
        ("clock.rs", "fn now() { chrono::Utc::now(); }"),
        ("egress/client.rs", "use reqwest::Client;"),
        ("egress/mail.rs", "use tokio::net::TcpStream;"),
        ("simulation/listener.rs", "use tokio::net::{TcpListener, TcpStream};"),
        ("web/server.rs", "use tokio::net::{TcpListener, TcpStream};"),
        ("channel/teams.rs", "// reqwest would follow redirects here"),
        ("store/row.rs", "const Q: &str = \"SELECT 1\";"),
        ("service/start.rs", "fn f() { tokio::spawn(task::until(\"x\", token, run())); command.spawn(); }"),
        ("domain/score.rs", longest.as_str()),
    ] {
        assert_eq!(faults(Path::new(file), text), Vec::<String>::new(), "{file}: {text}");
    }
}
