//! `scorewatch run`: the service.

use std::{net::SocketAddr, path::Path, process::exit, thread, time::Duration};

use anyhow::anyhow;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{FAILED, FINE, Failure, configured_by};
use crate::{
    clock::Clock,
    config::{self, reload},
    secret_store::kill_programs,
    service::Service,
    task,
    telemetry::Metrics,
};

/// The process ends after this time even if something hangs. Nothing is lost: it can be killed at any point.
const END_WITHIN: Duration = Duration::from_millis(9_500);

/// How long a start that is under way is waited for after a signal, so that it gives back what it takes.
const STARTED_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch run --config /etc/scorewatch/scorewatch.yaml
  scorewatch run --listen 127.0.0.1:8081     one of several services that share a configuration
  SCOREWATCH_LOG=debug scorewatch run

A changed configuration file is loaded without a restart, and on SIGHUP; one with problems is rejected as a
whole, and the old configuration stays in force. SIGTERM and SIGINT end the service within ten seconds.")]
pub(super) struct Arguments {
    /// Listen there, whatever the configuration says under `listen:`
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    arguments.listen.into_iter().for_each(config::listen_at);
    let (config, zones) = configured_by(file)?;
    info!(release = %zones.release(), source = zones.source(), "time zone data");
    if let Some((what, instead)) = zones.age_warning(Clock::System.now()) {
        warn!("{what}; {instead}");
    }
    let (metrics, shutdown) = (Metrics::default(), CancellationToken::new());
    let mut signals =
        Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
    let changes = reload::watch(file.to_owned(), config, metrics.clone(), shutdown.clone())?;
    // On a task of its own: a disk that does not answer must not keep us from hearing signals.
    let (sender, mut started) = oneshot::channel();
    let start = async move {
        // Nobody waits for it for long after a signal.
        let _ = sender.send(Service::start(changes, Clock::System, metrics, shutdown).await);
    };
    tokio::spawn(task::brief("start", start));
    let service = tokio::select! {
        started = &mut started => started.map_err(|_| anyhow!("the start panicked; this is a bug in scorewatch"))??,
        name = signals.next() => {
            info!("{name} before the service was ready: stopping");
            end_within(END_WITHIN, FINE);
            // What it has taken of a shared store is free for the others immediately.
            if let Ok(Ok(Ok(service))) = timeout(STARTED_WITHIN, started).await {
                service.stop().await;
            }
            return Ok(());
        }
    };
    let death = tokio::select! {
        name = signals.next() => {
            info!("{name}: stopping");
            None
        }
        fault = task::death() => Some(fault),
    };
    end_within(END_WITHIN, if death.is_some() { FAILED } else { FINE });
    if let Some(fault) = &death {
        error!(task = fault.task, "the part `{}` {}; the service ends so that it is restarted", fault.task, fault.what);
        service.note_death(fault).await;
    }
    tokio::select! {
        () = service.stop() => info!("stopped"),
        name = signals.next() => warn!("{name} again: abandoning what is under way; it is repeated after the next \
            start"),
    }
    match death {
        None => Ok(()),
        Some(fault) => Err(Failure::Run(Some(anyhow!("the part `{}` {}", fault.task, fault.what)))),
    }
}

/// The signals that ask the service to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Waits for the next signal, and returns its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Ends the process after `limit`, even if every thread of the runtime hangs.
fn end_within(limit: Duration, code: u8) {
    let end = move || {
        thread::sleep(limit);
        kill_programs();
        #[expect(clippy::exit, reason = "nothing else ends a process whose threads hang")]
        exit(code.into())
    };
    if let Err(error) = thread::Builder::new().name("end".to_owned()).spawn(end) {
        warn!(%error, "can't start the thread that ends the process if something hangs");
    }
}
