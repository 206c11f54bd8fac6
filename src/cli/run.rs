//! `scorewatch run`: the service.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Failure, configured_by};
use crate::{clock::Clock, config::reload, service::Service, telemetry::Metrics};

/// The service's arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch run --config /etc/scorewatch/scorewatch.yaml
  SCOREWATCH_LOG=debug scorewatch run

A changed configuration file is taken without a restart, and on SIGHUP; one with problems is refused whole,
and the old configuration goes on. SIGTERM and SIGINT end the service within ten seconds.")]
pub(super) struct Arguments {}

pub(super) async fn run(file: &Path, _arguments: &Arguments) -> Result<(), Failure> {
    let (config, zones) = configured_by(file)?;
    info!(release = %zones.release(), source = zones.source(), "time zone data");
    if let Some((what, instead)) = zones.age_warning(Clock::System.now()) {
        warn!("{what}; {instead}");
    }
    let (metrics, shutdown) = (Metrics::default(), CancellationToken::new());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let changes = reload::watch(file.to_owned(), config, metrics.clone(), shutdown.clone())?;
    let service = Service::start(changes, Clock::System, metrics, shutdown).await?;
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM: stopping"),
        _ = interrupt.recv() => info!("SIGINT: stopping"),
    }
    service.stop().await;
    info!("stopped");
    Ok(())
}
