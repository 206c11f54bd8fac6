//! `doctor` judges an installation beside the service, names what is wrong and what to do, and neither writes nor sends anything.

use std::{
    fs::{self, OpenOptions, Permissions},
    net::SocketAddr,
    os::unix::fs::{FileExt, PermissionsExt},
};

use scorewatch::simulation::Reply;
use serde_json::Value;

use crate::harness::{LOW, OPS, Proxy, SOC, World};

/// Runs `doctor --json` with further arguments: its exit code, and its findings.
async fn doctor(world: &World, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = world.command(&[&["doctor", "--json"], arguments].concat()).await;
    let diagnosis: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), diagnosis["findings"].as_array().unwrap().clone())
}

/// The verdicts on one part, each with what was seen.
fn of<'a>(findings: &'a [Value], check: &str) -> Vec<(&'a str, &'a str)> {
    let of_check = findings.iter().filter(|finding| finding["check"] == check);
    of_check.map(|finding| (finding["verdict"].as_str().unwrap(), finding["what"].as_str().unwrap())).collect()
}

/// Lets nobody else read the secrets, as they should be.
fn close_secrets(world: &World) {
    for tenant in &world.setup.tenants {
        let file = world.folder.path().join("secrets").join(tenant);
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
}

/// Lets the doctor find the service: tests let it choose its port.
fn name_address(world: &World, address: SocketAddr) {
    let file = world.folder.config();
    let text = fs::read_to_string(&file).unwrap().replace("listen: 127.0.0.1:0", &format!("listen: {address}"));
    fs::write(file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_installation_is_judged_beside_the_service() {
    let world = World::new().await;
    close_secrets(&world);
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    name_address(&world, service.listening().await);
    let (code, findings) = doctor(&world, &[]).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    for (check, said) in [
        ("time zones", "built in"),
        ("modes", "nobody else may write"),
        ("store", "it is whole, with schema"),
        ("service", "ready at 127.0.0.1:"),
        ("open files", &format!("the service (pid {})", service.id())),
        ("memory", "the service (pid"),
        ("expiry", "no `expires:` is noted"),
        ("channels", "2 channels without trouble"),
        ("checks", "2 tenants read on schedule"),
        ("clock", "this machine's clock"),
    ] {
        let found = of(&findings, check);
        assert!(found.len() == 1 && found[0].1.contains(said), "{check}: {found:?}");
        assert!(check == "memory" || check == "open files" || found[0].0 == "ok", "{check}: {found:?}");
    }
    let hosts = of(&findings, "hosts");
    assert_eq!(hosts.len(), 2, "the cloud and the receivers, each once: {hosts:?}");
    assert!(hosts.iter().all(|(verdict, what)| *verdict == "ok" && what.contains("127.0.0.1:")), "{hosts:?}");
    assert_eq!(of(&findings, "watchdog")[0].0, "warning", "this service was started without one");
    assert_eq!((world.arrived(SOC).len(), world.arrived(OPS).len()), (0, 0), "nobody is notified");

    let output = world.command(&["doctor", "--strict"]).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("→") && said.contains("run it under systemd"), "{said}");
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named_with_what_to_do() {
    let mut world = World::new().await;
    let proxy = Proxy::closed(&world.receivers.add_webhook("far"));
    let url = proxy.url(&world.receivers.add_webhook("far"));
    world.setup.webhook("far", &url);
    world.setup.channels.push("plain: { type: webhook, url: \"https://soar.invalid/hook\" }".to_owned());
    world.write();

    // Before the first start.
    let (code, findings) = doctor(&world, &["--offline"]).await;
    assert_eq!(code, Some(0), "nothing is wrong yet: {findings:#?}");
    assert_eq!(of(&findings, "store"), [("warning", "there is no store yet")]);
    assert_eq!(of(&findings, "service")[0].0, "warning");
    assert_eq!(of(&findings, "hosts")[0].0, "skipped");
    assert!(!world.folder.path().join("data/scorewatch.db").exists(), "nothing is written");

    // A receiver that is gone, one that can't be reached, one whose name does not exist; files that are open to others.
    world.receivers.set(SOC, Some(Reply::status(404)));
    let service = world.run().await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.len() > 1).await;
    world
        .patiently(&service, "a parked channel", async {
            while world
                .listing(&["channels", "list", "--json"])
                .await
                .iter()
                .all(|channel| channel["state"] != "parked")
            {
                world.set_score("sentinel", LOW);
                world.checked(&service, "sentinel", 1).await;
            }
        })
        .await;
    for (file, mode) in [("secrets/contoso", 0o644), ("rules/rules.yaml", 0o666)] {
        fs::set_permissions(world.folder.path().join(file), Permissions::from_mode(mode)).unwrap();
    }
    let (code, findings) = doctor(&world, &[]).await;
    assert_eq!(code, Some(1), "{findings:#?}");
    let parked = of(&findings, "channels");
    assert!(parked.iter().any(|(verdict, what)| *verdict == "error" && what.contains("`soc` is parked")), "{parked:?}");
    let modes = of(&findings, "modes");
    for said in ["secrets/contoso` (mode 644)", "others may change `"] {
        assert!(modes.iter().any(|(verdict, what)| *verdict == "warning" && what.contains(said)), "{said}: {modes:?}");
    }
    let hosts = of(&findings, "hosts");
    for said in
        ["no connection: refused (used by channel `far`)", "soar.invalid:443: the host's name could not be resolved"]
    {
        assert!(hosts.iter().any(|(verdict, what)| *verdict == "error" && what.contains(said)), "{said}: {hosts:?}");
    }
    let instead: Vec<_> = findings.iter().filter(|finding| finding["verdict"] == "error").collect();
    assert!(
        instead.iter().all(|finding| finding["instead"].as_str().is_some_and(|text| !text.is_empty())),
        "{instead:?}"
    );
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_damaged_newer_or_open_to_others_is_an_error() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    assert!(service.stop().await.success());
    let path = world.folder.path().join("data/scorewatch.db");
    let good = fs::read(&path).unwrap();
    // The version of the schema in the header, big-endian; and the middle of the file, where rows and indexes are.
    let (version_at, middle) = (60, u64::try_from(good.len() / 4096 / 2 * 4096).unwrap());
    for (at, bytes, said) in [
        (version_at, &99_u32.to_be_bytes()[..], "it was written by a newer version (schema 99"),
        (middle, &[0xff; 4096], "damaged"),
    ] {
        fs::write(&path, &good).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().write_all_at(bytes, at).unwrap();
        let (code, findings) = doctor(&world, &["--offline"]).await;
        let found = of(&findings, "store");
        assert!(found[0].0 == "error" && found[0].1.contains(said), "{found:?}");
        assert_eq!((code, of(&findings, "channels").len()), (Some(1), 0));
    }
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let (_, findings) = doctor(&world, &["--offline"]).await;
    let found = of(&findings, "store");
    assert!(found[0].1.contains("is open to others (mode 644); run `chmod 600"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_configuration_is_said_and_has_its_own_exit_code() {
    let mut world = World::new().await;
    world.setup.top = "colour: green\n".to_owned();
    world.write();
    let (code, findings) = doctor(&world, &[]).await;
    assert_eq!(code, Some(2));
    let found = of(&findings, "configuration");
    assert!(found[0].0 == "error" && found[0].1.contains("colour"), "{found:?}");
    assert_eq!(of(&findings, "time zones").len(), 1, "what does not depend on it is judged all the same");
}
