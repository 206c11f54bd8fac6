//! SIGTERM ends the process with exit 0 within ten seconds, whatever hangs.

use std::{
    fs,
    net::UdpSocket,
    os::unix::fs::PermissionsExt,
    process::Command,
    time::{Duration, Instant},
};

use scorewatch::simulation::{Reply, cloud::Fetch};

use crate::harness::{LOW, PATIENCE, SOC, Service, World, entra};

/// The promise, for a process that is let run.
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_an_idle_service_with_exit_0() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    let (status, took) = service.stop_timed().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < WITHIN, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_service_that_waits_for_tenants_and_receivers_that_hang() {
    let mut world = World::new().await;
    world.add_tenant("hangs");
    let service = world.run().await;
    world.checked(&service, "hangs", 1).await;
    world.cloud.set_fetch(entra("hangs"), Some(Fetch::Raw(Reply::hang())));
    world.checked(&service, "hangs", 1).await;
    world.receivers.set(SOC, Some(Reply::hang()));
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.len() == 1).await;
    let (status, took) = service.stop_timed().await;
    assert_eq!(status.code(), Some(0));
    assert!(took < WITHIN, "{took:?}");

    world.receivers.set(SOC, None);
    let service = world.run().await;
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    let arrived = world.arrived(SOC);
    assert_eq!(arrived[0].id, arrived[1].id);
    assert!(arrived[1].possible_duplicate, "whether the first attempt arrived is unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_service_whose_secrets_come_from_a_program_that_hangs_and_the_program_too() {
    let mut world = World::new().await;
    world.add_tenant("hangs");
    let program = world.folder.path().join("tenants/hang");
    fs::write(&program, "#!/bin/sh\necho $$ > pid.fresh\nmv pid.fresh pid\nexec sleep 600\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let tenant = world.folder.path().join("tenants/hangs.yaml");
    let text = fs::read_to_string(&tenant).unwrap();
    fs::write(&tenant, text.replace("{ file: ../secrets/hangs }", "{ exec: [hang], timeout: 1m }")).unwrap();
    let service = world.run().await;
    let pid = world.folder.path().join("tenants/pid");
    let runs = async {
        while !pid.exists() {
            world.checked(&service, "contoso", 1).await;
        }
    };
    world.patiently(&service, "the program", runs).await;
    let pid = fs::read_to_string(pid).unwrap();
    let asked = Instant::now();
    assert_eq!(service.stop().await.code(), Some(0));
    assert!(asked.elapsed() < WITHIN);
    // A zombie is nobody's business here; it is init's.
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
    assert!(!status.contains("State:") || status.contains("State:\tZ"), "the program still runs:\n{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for name servers of its own"]
async fn sigterm_ends_a_service_whose_name_servers_do_not_answer() {
    let mut world = World::new().await;
    // Name servers have one port, and `/etc/resolv.conf` one place: this takes the rights of root, and a file system of its own.
    let servers = ["127.0.53.1", "127.0.53.2", "127.0.53.3"];
    let bound = servers.map(|server| UdpSocket::bind((server, 53)).unwrap());
    let resolv = world.folder.path().join("resolv.conf");
    fs::write(&resolv, servers.map(|server| format!("nameserver {server}\n")).concat()).unwrap();
    world.setup.channel("nowhere", "type: webhook, url: \"https://nowhere.scorewatch.invalid/hook\"");
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, nowhere]");
    world.write();
    let mut command = Command::new("unshare");
    let run = "mount --bind \"$0\" /etc/resolv.conf && exec \"$1\" --config \"$2\" run";
    command.args(["-m", "sh", "-c", run]).arg(&resolv).arg(env!("CARGO_BIN_EXE_scorewatch")).arg(world.folder.config());
    let service = Service::spawn_by(command, &[]);
    service.listening().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    let asked = tokio::task::spawn_blocking(move || {
        bound[0].set_read_timeout(Some(PATIENCE)).unwrap();
        bound[0].recv(&mut [0; 512]).expect("the name is looked up");
        (Instant::now(), bound)
    });
    let (asked, _bound) = asked.await.unwrap();
    assert_eq!(service.stop().await.code(), Some(0));
    assert!(asked.elapsed() < WITHIN, "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sigterm_waits_for_nothing() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    world.receivers.set(SOC, Some(Reply::hang()));
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.len() == 1).await;
    service.signal("TERM");
    service.says("SIGTERM: stopping").await;
    service.signal("TERM");
    service.says("SIGTERM again").await;
    assert_eq!(service.ended().await.code(), Some(0));
}
