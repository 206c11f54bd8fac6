//! `scorewatch doctor`: whether an installation is sound, from its files to its receivers, beside a service that may be running. It
//! changes nothing and sends no message.
//!
//! Each file looks at one part of it and judges what it saw by pure functions, so that every verdict can be tested without a machine
//! that is in that state.

mod channels;
mod configuration;
mod credentials;
mod disk;
mod finding;
mod hosts;
mod modes;
mod process;
mod running;
mod store;

use std::sync::Arc;

use serde::Serialize;

pub use finding::{Finding, Verdict};

use crate::{
    clock::Clock,
    config::{Config, Loaded},
    domain::Timestamp,
    egress::Egress,
};

/// Everything that the doctor found on this machine.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The version of this program.
    pub version: &'static str,
    /// When the doctor began to look.
    pub at: Timestamp,
    /// The worst verdict of all findings, which decides the exit code.
    pub verdict: Verdict,
    /// Whether the configuration is valid, so that everything was looked at.
    pub has_configuration: bool,
    /// Each thing that was looked at.
    pub findings: Vec<Finding>,
}

/// Looks at everything. `is_offline`: except at what lies beyond this machine.
pub async fn examine(loaded: Loaded, is_offline: bool, clock: &Clock) -> Diagnosis {
    let now = clock.now();
    let loaded = loaded.with_secrets_tried().await;
    let judge = move || {
        let loaded = loaded.with_world_judged(now);
        let mut findings = configuration::findings(&loaded);
        findings.push(configuration::zones(&loaded.zones, now));
        (loaded.config.map(Arc::new), findings)
    };
    let (config, mut findings) = tokio::task::spawn_blocking(judge).await.unwrap_or_default();
    if let Some(config) = &config {
        findings.extend(of_installation(config, is_offline, clock).await);
    }
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    let has_configuration = config.is_some();
    Diagnosis { version: env!("SCOREWATCH_VERSION"), at: now, verdict, has_configuration, findings }
}

async fn of_installation(config: &Arc<Config>, is_offline: bool, clock: &Clock) -> Vec<Finding> {
    let (egress, now) = (Egress::new(), clock.now());
    let mut findings = modes::findings(config);
    let (of_store, inspection) = store::findings(config).await;
    findings.extend(of_store);
    findings.push(disk::finding(config));
    let is_whole = inspection.as_ref().is_some_and(|seen| seen.schema >= seen.newest && seen.faults.is_empty());
    let process = match inspection.and_then(|inspection| inspection.process) {
        None if is_whole => process::of_replica(config).await,
        process => process,
    };
    findings.extend(running::findings(config, &egress).await);
    findings.extend(process::findings(config, process));
    findings.extend(credentials::findings(config, &egress, is_offline, clock).await);
    if is_whole {
        findings.extend(channels::findings(config, now).await);
    }
    if is_offline {
        findings.push(Finding::skipped("hosts", "no host was contacted, because of `--offline`"));
    } else {
        findings.extend(hosts::findings(config, &egress, clock).await);
    }
    findings
}
