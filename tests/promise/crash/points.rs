//! The process aborts at every named point of the product, three times each, and nothing is lost. A point that is never come to
//! fails the test, and a new one does not compile until somebody says here how to come to it.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use scorewatch::{
    crash_point::{CrashPoint, Work},
    simulation::Reply,
};
use sqlx::Connection;

use super::{
    apart, migration, person, report, seed, setting,
    stage::{DESK, Stage},
};
use crate::harness::{SENTINEL, SOC, Service};

const TIMES: u64 = 3;
/// How many worlds run in parallel, each with its share of the points: a world mostly waits.
const WORLDS: usize = 3;
pub(super) const SIGABRT: i32 = 6;

/// What brings a process to a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provocation {
    /// The service is started.
    Start,
    /// The scores of the tenants move.
    Scores,
    /// A receiver that has no time.
    Busy,
    /// A receiver that refuses a message.
    Refusal,
    /// A receiver that is gone.
    Gone,
    /// A start after a crash in the middle of a send.
    Interrupted,
    /// A start after an hour.
    Downtime,
    /// Rows older than retention.
    Age,
    /// The configuration is changed and reloaded.
    Reload,
    /// The service is stopped by SIGTERM.
    Stop,
    /// SIGTERM while a claim waits for its turn to write.
    StopInClaim,
    /// A person runs `deliveries resend`.
    Resend,
    /// A person runs `channels unpark`.
    Unpark,
    /// A channel that was never seen.
    NewChannel,
    /// A person who has seen a drill.
    Drill,
    /// A person runs `silences add`.
    Silence,
    /// A person runs `silences end`.
    EndOfSilence,
    /// What a silence held, after its end.
    Released,
    /// A person runs `alerts acknowledge`.
    Acknowledgement,
    /// A person runs `alerts unacknowledge`.
    NoAcknowledgement,
    /// A person runs `tenants recheck`.
    Recheck,
    /// A person runs `token create`.
    Token,
    /// A program asks over the API for a check, once.
    KeyedRequest,
    /// Many tenants that move together: in a world that holds alerts for the fleet.
    Fleet,
    /// A receiver that rejects the rich form: in a world of its own.
    TooRich,
    /// A channel that may no longer show what waits for it: in a world of its own.
    Fenced,
    /// Another schema: in a world of its own.
    Schema,
}

const fn provocation(point: CrashPoint) -> Provocation {
    use CrashPoint as P;
    match point {
        P::BeforeCommit(work) | P::AfterCommit(work) => match work {
            Work::Check | Work::Claim | Work::SettleDelivered => Provocation::Scores,
            Work::SettleRetry => Provocation::Busy,
            Work::SettleDead => Provocation::Refusal,
            Work::SettleParked | Work::Announce => Provocation::Gone,
            Work::Recover => Provocation::Interrupted,
            Work::Downtime => Provocation::Downtime,
            Work::Prune => Provocation::Age,
            Work::Heartbeat | Work::MarkInUse | Work::LookAgain | Work::Reconcile | Work::Audit => Provocation::Start,
            Work::MarkClosed => Provocation::Stop,
            Work::UndoClaim => Provocation::StopInClaim,
            Work::Resend => Provocation::Resend,
            Work::Unpark => Provocation::Unpark,
            Work::Migration => Provocation::Schema,
            Work::OnboardChannels | Work::NoteChannels => Provocation::NewChannel,
            Work::ConfirmDrill => Provocation::Drill,
            Work::AddSilence => Provocation::Silence,
            Work::EndSilence => Provocation::EndOfSilence,
            Work::Release => Provocation::Released,
            Work::Acknowledge => Provocation::Acknowledgement,
            Work::Unacknowledge => Provocation::NoAcknowledgement,
            Work::RequestCheck => Provocation::Recheck,
            Work::Access => Provocation::Token,
            Work::BeginRequest | Work::EndRequest => Provocation::KeyedRequest,
            Work::NoteShift | Work::NotifyShift => Provocation::Fleet,
            Work::SettlePlainer => Provocation::TooRich,
            Work::Reroute => Provocation::Fenced,
        },
        P::Fetched | P::CheckCommitted | P::BeforeSend | P::Answered | P::BeforeSettle | P::Settled => {
            Provocation::Scores
        }
        P::ReloadRead | P::ReloadTaken | P::ReloadApplied => Provocation::Reload,
        P::OrphansEnded | P::StoreOpened => Provocation::Start,
        P::BeforeRetention | P::BetweenSlices | P::AfterRetention => Provocation::Age,
        P::StopAsked | P::Drained | P::StoreClosed => Provocation::Stop,
    }
}

/// Whether a process comes there only once in its life: then each crash is at the first pass.
const fn comes_once(point: CrashPoint) -> bool {
    match provocation(point) {
        Provocation::Start => {
            !matches!(point, CrashPoint::BeforeCommit(Work::Heartbeat) | CrashPoint::AfterCommit(Work::Heartbeat))
        }
        Provocation::Age => matches!(point, CrashPoint::BeforeRetention | CrashPoint::AfterRetention),
        Provocation::Scores | Provocation::Busy => false,
        _ => true,
    }
}

/// Waits for the end of the process; `true`: it aborted.
pub(super) async fn aborted(service: &Service) -> bool {
    service.ended().await.signal() == Some(SIGABRT)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_every_named_point_loses_nothing_and_repeats_only_what_was_in_flight() {
    let (mut points, times, seed) = (CrashPoint::all(), setting("SCOREWATCH_CRASH_TIMES").unwrap_or(TIMES), seed());
    report(&format!("named points: {} × {times}, SCOREWATCH_CRASH_SEED={seed}", points.len()));
    assert!(points.len() >= 25);
    if let Ok(only) = std::env::var("SCOREWATCH_CRASH_ONLY") {
        points.retain(|point| point.name().contains(&only));
    }
    let worlds = (0..WORLDS).map(|world| {
        let mine = points.iter().copied().skip(world).step_by(WORLDS).collect();
        tokio::spawn(crash_at(mine, times, seed + world as u64))
    });
    let (mut accepted, mut repeats) = (0, 0);
    for world in worlds.collect::<Vec<_>>() {
        let tally = world.await.unwrap();
        accepted += tally.accepted;
        repeats += tally.repeats;
    }
    report(&format!("named points: {accepted} accepted, {repeats} marked repeats; 0 lost, 0 avoidable repeats"));
}

async fn crash_at(points: Vec<CrashPoint>, times: u64, seed: u64) -> super::model::Tally {
    let (of_fleet, points): (Vec<_>, Vec<_>) =
        points.into_iter().partition(|point| provocation(*point) == Provocation::Fleet);
    let mut stage = Stage::new(&format!("{points:?}"), seed).await;
    for point in points {
        let name = point.name();
        for time in 0..times {
            let pass = if comes_once(point) { 1 } else { time % TIMES + 1 };
            let environment = [("SCOREWATCH_CRASH_POINT", &*name), ("SCOREWATCH_CRASH_PASS", &*pass.to_string())];
            match provocation(point) {
                Provocation::Schema => {
                    assert!(migration::crash_in_every_step(&name).await > 0, "{name} was never come to");
                }
                Provocation::TooRich => apart::crash_at_a_rejection(&environment).await,
                Provocation::Fenced => apart::crash_at_an_audience(&environment).await,
                provocation => {
                    stage.turn_scores();
                    crash_once(&mut stage, provocation, &environment).await;
                }
            }
        }
    }
    let tally = stage.finish().await;
    if of_fleet.is_empty() { tally } else { tally + crash_in_shifts(of_fleet, times, seed).await }
}

/// In a world of its own: where alerts are held for the fleet, everything takes longer.
async fn crash_in_shifts(points: Vec<CrashPoint>, times: u64, seed: u64) -> super::model::Tally {
    let mut stage = Stage::of_fleet(&format!("{points:?}"), seed).await;
    for point in points {
        for _ in 0..times {
            let environment = [("SCOREWATCH_CRASH_POINT", &*point.name()), ("SCOREWATCH_CRASH_PASS", "1")];
            stage.turn_scores_to(false);
            let service = stage.spawn(&environment);
            let fall = async {
                stage.world.checked(&service, SENTINEL, 2).await;
                stage.world.all_checked(&service, 3).await;
                stage.turn_scores_to(true);
                std::future::pending::<()>().await;
            };
            let aborted = tokio::select! {
                aborted = aborted(&service) => aborted,
                () = fall => false,
            };
            assert!(aborted, "{environment:?}: it ended otherwise:\n{}", service.log());
            stage.gone().await;
        }
    }
    stage.finish().await
}

/// Brings the process to the point, where it aborts.
async fn crash_once(stage: &mut Stage, provocation: Provocation, environment: &[(&str, &str); 2]) {
    let receivers = &stage.world.receivers;
    match provocation {
        Provocation::Busy => receivers.set(SOC, Some(Reply::status(503))),
        Provocation::Refusal => receivers.set(DESK, Some(Reply::status(400))),
        Provocation::Gone => receivers.set(SOC, Some(Reply::status(410))),
        Provocation::Interrupted => interrupt(stage).await,
        Provocation::Downtime => forget_last_heartbeat(stage).await,
        Provocation::Age => stage.age().await,
        Provocation::NewChannel => forget_channels(stage).await,
        Provocation::Released => person::leave_held(stage).await,
        Provocation::Resend => return person::resend(stage, environment).await,
        Provocation::Unpark => return person::unpark(stage, environment).await,
        Provocation::Drill => return person::confirm(stage, environment).await,
        Provocation::Silence => return person::silence(stage, environment).await,
        Provocation::EndOfSilence => return person::end_silence(stage, environment).await,
        Provocation::Acknowledgement => return person::acknowledge(stage, environment).await,
        Provocation::NoAcknowledgement => return person::unacknowledge(stage, environment).await,
        Provocation::Recheck => return person::recheck(stage, environment).await,
        Provocation::Token => return person::token(stage, environment).await,
        Provocation::KeyedRequest => return person::keyed_request(stage, environment).await,
        Provocation::StopInClaim => return stop_in_claim(stage, environment).await,
        _ => {}
    }
    let service = stage.spawn(environment);
    match provocation {
        Provocation::Reload => stage.reload(&service).await,
        Provocation::Stop => {
            service.listening().await;
            stage.random_point(&service).await;
            service.signal("TERM");
        }
        _ => {}
    }
    let aborted = tokio::select! {
        aborted = aborted(&service) => aborted,
        () = keep_turning(stage, &service) => false,
    };
    assert!(aborted, "{environment:?}: it ended otherwise:\n{}", service.log());
    stage.gone().await;
    for channel in [SOC, DESK] {
        stage.world.receivers.set(channel, None);
    }
    if matches!(provocation, Provocation::Gone | Provocation::Refusal) {
        stage.repair().await;
    }
}

/// Turns all scores whenever what they were before was judged; never ends.
async fn keep_turning(stage: &Stage, service: &Service) {
    loop {
        stage.world.checked(service, SENTINEL, 2).await;
        stage.turn_scores();
    }
}

/// Waits until the first channel is sent something.
async fn something_is_sent(stage: &Stage, service: &Service) {
    let before = stage.world.arrived(SOC).len();
    tokio::select! {
        () = stage.world.until(service, SOC, |arrived| arrived.len() > before) => {}
        () = keep_turning(stage, service) => {}
    }
}

/// Kills a service while a receiver holds its answer back.
async fn interrupt(stage: &mut Stage) {
    stage.world.receivers.set(SOC, Some(Reply::hang()));
    let service = stage.spawn(&[]);
    something_is_sent(stage, &service).await;
    service.kill();
    stage.world.receivers.set(SOC, None);
    stage.gone().await;
}

/// As if the service had been away for an hour.
async fn forget_last_heartbeat(stage: &mut Stage) {
    let mut store = stage.open().await;
    let sql = "UPDATE meta SET value = value - 3600000000000 WHERE key = 'beat'";
    sqlx::query(sql).execute(&mut store).await.unwrap();
    store.close().await.unwrap();
}

/// As if every channel had been configured just now; where there is no store yet, they are.
async fn forget_channels(stage: &mut Stage) {
    if !stage.store().exists() {
        return;
    }
    let mut store = stage.open().await;
    sqlx::query("UPDATE channel SET seen_at = NULL, destination = NULL, access = NULL")
        .execute(&mut store)
        .await
        .unwrap();
    store.close().await.unwrap();
}

/// Asks the service to stop while it waits for its turn to record an attempt, which it then does not make. Whether the turn
/// that is waited for is that of a claim is not for us to say, so it is tried until it was.
async fn stop_in_claim(stage: &mut Stage, environment: &[(&str, &str); 2]) {
    loop {
        let service = stage.spawn(environment);
        something_is_sent(stage, &service).await;
        let mut store = stage.open().await;
        let turn = store.begin_with("BEGIN IMMEDIATE").await.unwrap();
        // Longer than the channel's pace, so that its worker has settled, or waits to.
        tokio::time::sleep(Duration::from_millis(50)).await;
        service.signal("TERM");
        service.says("SIGTERM").await;
        turn.rollback().await.unwrap();
        store.close().await.unwrap();
        let aborted = aborted(&service).await;
        stage.gone().await;
        if aborted {
            return;
        }
    }
}
