//! `scorewatch health`: whether the service at the configured address is ready; for probes that can't speak HTTP.

use std::{net::SocketAddr, path::Path, time::Duration};

use super::{Failure, output};
use crate::{
    config::listen_of,
    egress::Egress,
    web::probe::{self, Probe},
};

/// How long the service may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch health           exit code 0: the service is ready, whatever Microsoft answers
  scorewatch health --live    exit code 0: the process makes progress, even if it is not ready

Asks the address under `listen:` of the configuration, which need not be valid otherwise: the service may run on an older one. \
Exit code 1: it does not answer, or is not ready.")]
pub(super) struct Arguments {
    /// Ask only whether the process makes progress
    #[arg(long)]
    live: bool,
    /// The address, if it is not the one under `listen:`
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,
    /// Print the answer as it is: JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn health(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let listen = arguments.address.unwrap_or_else(|| listen_of(file));
    let path = if arguments.live { probe::LIVE } else { probe::READY };
    let Probe { is_good, body } = probe::ask(&Egress::new(), listen, path, ANSWER_WITHIN)
        .await
        .map_err(|error| Failure::Run(Some(anyhow::anyhow!("the service at {listen} does not answer: {error}"))))?;
    if arguments.json {
        output::say(&body);
    }
    match (is_good, arguments.json) {
        (true, false) => output::say(if arguments.live { "alive" } else { "ready" }),
        (true, true) => {}
        (false, _) => {
            let (what, flag) = if arguments.live { ("makes no progress", " --live") } else { ("is not ready", "") };
            let what = format!("the service at {listen} {what}; `scorewatch health{flag} --json` shows why");
            return Err(Failure::Run(Some(anyhow::anyhow!(what))));
        }
    }
    Ok(())
}
