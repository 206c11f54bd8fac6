//! The same through the real binary: a hostile URL is not called, and no message to a person names it or what is inside.

use std::net::TcpStream;

use super::{
    trap::Trap,
    vectors::{LOOPBACK, METADATA, NAMES, TRICKS, read},
};
use crate::harness::{LOW, OPS, SOC, Service, World};

/// Stands in every hostile URL that the tests write.
const CANARY: &str = "canary-6KXW2M9QPT";
/// One vector in that many is tried: each needs a process.
const EVERY: usize = 12;

/// What nobody may be shown: where the URL leads, and the URL.
fn inside(port: u16) -> [String; 7] {
    [
        format!(":{port}"),
        CANARY.to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
        "169.254".to_owned(),
        "2130706433".to_owned(),
        "secrets/hostile".to_owned(),
    ]
}

/// Adds a channel whose URL is kept in a file, as written.
fn hostile(world: &mut World, name: &str, url: &str, more: &str) {
    world.folder.write(&format!("secrets/{name}"), url);
    let keys = format!("type: webhook, url: {{ file: secrets/{name} }}, pace: 10ms{more}");
    world.setup.channels.push(format!("{name}: {{ {keys} }}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_not_sent_inside_and_says_nothing_of_it() {
    let trap = Trap::set();
    let mut world = World::new().await;
    let files = [LOOPBACK, METADATA, TRICKS].iter().flat_map(|file| read(file, trap.port));
    let urls: Vec<_> = files.step_by(EVERY).collect();
    for (number, url) in urls.iter().enumerate() {
        hostile(&mut world, &format!("hostile-{number}"), url, "");
    }
    // Allowed something else inside, and a name that leads there.
    let named = format!("http://localhost:{}/{CANARY}", trap.port);
    hostile(&mut world, "named", &named, ", allow_private: [10.0.0.0/8, \"fc00::/7\"]");
    hostile(&mut world, "allowed", &named, ", allow_private: [127.0.0.0/8, \"::1/128\"]");
    world.write();
    let preview = async |channel: &str| {
        let output =
            world.command(&["preview", "--rule", "device-score-low", "--channel", channel, "--send", "--json"]).await;
        let reported = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), reported)
    };
    for (number, url) in urls.iter().enumerate() {
        let (code, shown, reported) = preview(&format!("hostile-{number}")).await;
        assert!(code == Some(1) && !reported.is_empty(), "{url:?}: {reported}");
        for secret in inside(trap.port) {
            assert!(
                !reported.contains(&secret) && !shown.contains(&secret),
                "{url:?}: {secret} is in {reported}{shown}"
            );
        }
    }
    let (code, shown, reported) = preview("named").await;
    assert!(code == Some(1) && reported.contains("may be called"), "{reported}");
    assert!(
        !shown.contains(CANARY) && inside(trap.port).iter().all(|secret| !reported.contains(secret)),
        "{reported}{shown}"
    );
    assert_eq!(trap.connections(), 0);
    let (code, _, reported) = preview("allowed").await;
    assert_eq!(code, Some(0), "control: {reported}");
    assert_eq!(trap.connections(), 1, "control");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_parks_a_channel_that_leads_inside_and_says_nothing_of_it() {
    let trap = Trap::set();
    let mut world = World::new().await;
    let files = [LOOPBACK, METADATA].iter().flat_map(|file| read(file, trap.port));
    let mut urls: Vec<_> = files.step_by(EVERY).collect();
    urls.push("https://localhost/".to_owned());
    let mut names = Vec::new();
    for url in &urls {
        names.push(format!("hostile-{}", names.len()));
        hostile(&mut world, &names[names.len() - 1], url, "");
    }
    names.push("named".to_owned());
    let url = format!("http://localhost:{}/{CANARY}", trap.port);
    hostile(&mut world, "named", &url, ", allow_private: [10.0.0.0/8]");
    world.setup.rules = world.setup.rules.replace("[soc]", &format!("[soc, {}]", names.join(", ")));
    world.write();
    let service = Service::spawn(&world.folder.config(), &[("SCOREWATCH_LOG", "trace")]);
    service.listening().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    let parked = |reported: &[crate::harness::Arrived]| {
        let of = |name: &String| {
            reported.iter().any(|reported| reported.body["data"]["operator"]["channel"] == name.as_str())
        };
        names.iter().all(of)
    };
    world.until(&service, OPS, parked).await;
    world.settle(&service, SOC).await;
    assert_eq!(trap.connections(), 0);
    let mut reported = vec![service.log()];
    reported.extend(world.arrived(OPS).iter().map(|reported| reported.body.to_string()));
    for arguments in [["channels", "list", "--json"], ["deliveries", "list", "--json"]] {
        reported.push(String::from_utf8_lossy(&world.command(&arguments).await.stdout).into_owned());
    }
    for text in &reported {
        for secret in [&format!(":{}", trap.port), CANARY, "169.254", "2130706433", "0x7f"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_of_the_environment_is_used() {
    let trap = Trap::set();
    let world = World::new().await;
    world.write();
    let proxy = format!("http://127.0.0.1:{}", trap.port);
    let upper = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "SOCKS_PROXY"];
    let mut environment: Vec<(String, String)> = upper
        .iter()
        .flat_map(|name| [((*name).to_owned(), proxy.clone()), (name.to_lowercase(), proxy.clone())])
        .collect();
    environment.extend(["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), String::new())));
    environment.push(("SCOREWATCH_LOG".to_owned(), "info".to_owned()));
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let service = Service::spawn(&world.folder.config(), &environment);
    service.listening().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    assert_eq!(world.accepted(SOC, "contoso").len(), 1);
    assert_eq!(trap.connections(), 0);
    drop(TcpStream::connect(("127.0.0.1", trap.port)).unwrap());
    while trap.connections() == 0 {
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_may_call_looks_like_one_that_does_not_exist_or_is_refused_alike() {
    let trap = Trap::set();
    let mut world = World::new().await;
    let urls: Vec<_> = read(NAMES, trap.port).into_iter().step_by(EVERY).collect();
    for (number, url) in urls.iter().enumerate() {
        hostile(&mut world, &format!("hostile-{number}"), url, "");
    }
    world.write();
    for (number, url) in urls.iter().enumerate() {
        let channel = format!("hostile-{number}");
        let output = world.command(&["preview", "--rule", "device-score-low", "--channel", &channel, "--send"]).await;
        let reported = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{url:?}: {reported}");
        for secret in inside(trap.port) {
            assert!(!reported.contains(&secret), "{url:?}: {secret} is in {reported}");
        }
    }
    assert_eq!(trap.connections(), 0);
}
