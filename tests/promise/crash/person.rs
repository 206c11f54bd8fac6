//! What people do, and how it crashes: their commands beside a running service, a drill that they confirm, a silence.

use std::{os::unix::process::ExitStatusExt, process::Output};

use scorewatch::simulation::Reply;

use super::{
    points::{SIGABRT, aborted},
    stage::{DESK, SOC_RULE, Stage},
};
use crate::harness::{Arrived, SENTINEL, Service, begin_keyed_post, begin_post, keyed_post};

type Environment<'a> = [(&'a str, &'a str); 2];

/// The tenant whose alerts people acknowledge.
const SEEN: &str = "tenant-1";
/// The first of those that they silence.
const FIRST_SILENCED: usize = 1;

/// Crashes the service while a person confirms a drill.
pub(super) async fn confirm(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(environment);
    let address = service.listening().await;
    let drills =
        |arrived: &[Arrived]| arrived.iter().filter(|arrived| arrived.accepted && arrived.kind == "drill").count();
    let before = drills(&stage.world.arrived(DESK));
    assert!(stage.world.command(&["channels", "drill", DESK]).await.status.success());
    stage.world.until(&service, DESK, |arrived| drills(arrived) > before).await;
    let arrived = stage.world.arrived(DESK);
    let drill = arrived.iter().rfind(|arrived| arrived.kind == "drill").unwrap();
    let _asking = begin_post(address, &format!("/confirm/{}", drill.message)).await;
    assert!(aborted(&service).await, "{environment:?}: it ended otherwise:\n{}", service.log());
    stage.gone().await;
}

/// Crashes the command `deliveries resend`.
pub(super) async fn resend(stage: &mut Stage, environment: &Environment<'_>) {
    // Only once: a receiver that rejects one message after the other is at fault itself, and its channel is parked.
    stage.world.receivers.script(DESK, vec![Reply::status(400)]);
    after_trouble(stage, "dead", environment).await;
}

/// Crashes the command `channels unpark`.
pub(super) async fn unpark(stage: &mut Stage, environment: &Environment<'_>) {
    stage.world.receivers.set(DESK, Some(Reply::status(410)));
    after_trouble(stage, "parked", environment).await;
}

/// Crashes a person's command about a delivery that has come to that, beside a running service.
async fn after_trouble(stage: &mut Stage, outcome: &str, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    let id = first_in(stage, &service, outcome).await;
    let (command, action) = match outcome {
        "dead" => (["deliveries", "resend", &id], "delivery.resend"),
        _ => (["channels", "unpark", DESK], "channel.unpark"),
    };
    crash(stage, &command, action, environment).await;
    stage.world.receivers.set(DESK, None);
    stage.repair().await;
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes `silences add`: there is a silence if it crashed after its commit.
pub(super) async fn silence(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    service.listening().await;
    crash(stage, &stage.silencing(FIRST_SILENCED), "silence.add", environment).await;
    assert_eq!(stage.silences().await.len(), usize::from(is_committed(environment)), "{environment:?}");
    if is_committed(environment) {
        first_in(stage, &service, "held").await;
    }
    stage.repair().await;
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes `silences end`: it is over if that crashed after its commit.
pub(super) async fn end_silence(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    silenced(stage, &service).await;
    let silences = stage.silences().await;
    crash(stage, &["silences", "end", &silences[0]], "silence.end", environment).await;
    assert_eq!(stage.silences().await.len(), usize::from(!is_committed(environment)), "{environment:?}");
    stage.repair().await;
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Leaves behind what a silence held that is over by now.
pub(super) async fn leave_held(stage: &mut Stage) {
    let service = stage.spawn(&[]);
    silenced(stage, &service).await;
    assert_eq!(service.stop().await.code(), Some(0));
    assert_eq!(stage.end_silences().await, 1);
}

/// Silences a few tenants, and waits until they hold of one alert that it was over, and that it began again.
async fn silenced(stage: &Stage, service: &Service) {
    service.listening().await;
    let output = stage.world.command(&stage.silencing(FIRST_SILENCED)).await;
    assert!(output.status.success(), "{output:?}");
    first_in(stage, service, "held").await;
    for _ in 0..2 {
        stage.world.checked(service, SENTINEL, 2).await;
        stage.turn_scores();
    }
    stage.world.checked(service, SENTINEL, 2).await;
}

/// Crashes `alerts acknowledge`: it is acknowledged if that crashed after its commit.
pub(super) async fn acknowledge(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    fires(stage, &service).await;
    crash(stage, &ACKNOWLEDGE, "alert.acknowledge", environment).await;
    assert_eq!(is_acknowledged(stage).await, is_committed(environment), "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes `alerts unacknowledge`: it is acknowledged until that is committed.
pub(super) async fn unacknowledge(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    fires(stage, &service).await;
    let output = stage.world.command(&ACKNOWLEDGE).await;
    assert!(output.status.success(), "{output:?}");
    crash(stage, &["alerts", "unacknowledge", SEEN, SOC_RULE], "alert.unacknowledge", environment).await;
    assert_eq!(is_acknowledged(stage).await, !is_committed(environment), "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes `tenants recheck`: whether or not that was committed, checks go on.
pub(super) async fn recheck(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    service.listening().await;
    crash(stage, &["tenants", "recheck", SEEN], "tenant.recheck", environment).await;
    stage.world.checked(&service, SEEN, 2).await;
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes `token create`: there is such a token if it crashed after its commit.
pub(super) async fn token(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(&[]);
    service.listening().await;
    let before = stage.world.listing(&["token", "list", "--json"]).await.len();
    crash(stage, &["token", "create", &format!("token-{before}")], "token.create", environment).await;
    let after = stage.world.listing(&["token", "list", "--json"]).await.len();
    assert_eq!(after - before, usize::from(is_committed(environment)), "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes the service while it does what it is to do once, and sends it again.
pub(super) async fn keyed_request(stage: &mut Stage, environment: &Environment<'_>) {
    let service = stage.spawn(environment);
    let address = service.listening().await;
    stage.world.checked(&service, SEEN, 1).await;
    // A key that was used before is answered from memory.
    let (key, path) = (uuid::Uuid::new_v4().to_string(), format!("/api/v1/tenants/{SEEN}/recheck"));
    let recorded = async |stage: &Stage| {
        let listing = ["audit", "list", "--json", "--limit", "0", "--action", "tenant.recheck"];
        stage.world.listing(&listing).await.len()
    };
    let before = recorded(stage).await;
    let _asking = begin_keyed_post(address, &path, &key).await;
    assert!(aborted(&service).await, "{environment:?}: it ended otherwise:\n{}", service.log());
    stage.gone().await;
    let service = stage.spawn(&[]);
    let address = service.listening().await;
    // A client that got no answer sends it again: whatever the crash left, it is done at most once, and then it says so.
    let (status, answer) = keyed_post(address, &path, &key).await;
    let (expected, says, done) = match environment[0].1 {
        "BeforeCommit(BeginRequest)" => (202, "tenant", 1),
        "AfterCommit(BeginRequest)" => (409, "urn:scorewatch:problem:in-progress", 0),
        "BeforeCommit(EndRequest)" => (409, "urn:scorewatch:problem:done-before", 1),
        _ => (202, "idempotency-replayed: true", 1),
    };
    assert!(status == expected && answer.contains(says), "{environment:?}: {answer}");
    assert_eq!(recorded(stage).await - before, done, "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

const ACKNOWLEDGE: [&str; 8] = ["alerts", "acknowledge", SEEN, SOC_RULE, "--comment", "seen", "--author", "ann"];

/// Waits until an alert fires that was not acknowledged before.
async fn fires(stage: &Stage, service: &Service) {
    service.listening().await;
    for low in [false, true] {
        stage.turn_scores_to(low);
        stage.world.checked(service, SEEN, 2).await;
    }
}

async fn is_acknowledged(stage: &Stage) -> bool {
    let rows = stage.world.listing(&["alerts", "list", "--json", "--tenant", SEEN]).await;
    let row = rows.iter().find(|row| row["rule"] == SOC_RULE).unwrap();
    assert_eq!(row["state"]["state"], "firing", "{row}");
    row["acknowledged"]["by"] == "ann"
}

/// Whether the crash comes when what the command does is durable.
fn is_committed(environment: &Environment<'_>) -> bool {
    environment[0].1.starts_with("After")
}

/// Runs a command to where it crashes. What it did is in the audit log if it did it, and only then.
async fn crash(stage: &Stage, command: &[&str], action: &str, environment: &Environment<'_>) {
    let recorded =
        async || stage.world.listing(&["audit", "list", "--json", "--limit", "0", "--action", action]).await.len();
    let before = recorded().await;
    let output: Output = stage.world.command_with(command, environment).await;
    assert_eq!(output.status.signal(), Some(SIGABRT), "{command:?}: {output:?}");
    assert_eq!(recorded().await - before, usize::from(is_committed(environment)), "{command:?}, {environment:?}");
}

/// Turns scores until a delivery is in that state; its number.
async fn first_in(stage: &Stage, service: &Service, wanted: &str) -> String {
    let listing = ["deliveries", "list", "--json", "--limit", "0", "--state", wanted];
    let wait = async {
        loop {
            if let Some(row) = stage.world.listing(&listing).await.first() {
                return row["id"].to_string();
            }
            stage.world.checked(service, SENTINEL, 2).await;
            stage.turn_scores();
        }
    };
    stage.world.patiently(service, wanted, wait).await
}
