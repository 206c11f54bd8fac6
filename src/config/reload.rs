//! Takes a changed configuration without a restart: whole, or not at all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Config, Loaded, Watched, follow::Follower, import::Pending, load::load_from};
use crate::{
    crash_point::{self, CrashPoint},
    diagnostic::{Level, Problem},
    systemd, task,
    telemetry::Metrics,
    zones,
};

/// After the configuration was read for nothing, changes are not examined for that many times as long as that took.
const REST: u32 = 9;
/// How often a configuration is read again because it names folders that were not watched while it was read.
const READS_MAX: usize = 4;

/// A changed configuration that was rejected, for as long as no other is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// How many errors it has; at least one.
    pub errors: usize,
    /// The first of them, with its place.
    pub first: String,
    /// What was found in it, errors before warnings; at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// The same as long as the same is found, wherever the files are.
    pub fingerprint: String,
}

/// The most problems of a rejected configuration that are kept; `scorewatch check` prints all.
pub const PROBLEMS_MAX: usize = 50;

/// What becomes of changes of the configuration.
#[derive(Debug, Clone)]
pub struct Changes {
    /// The configuration that was accepted last.
    pub taken: watch::Receiver<Arc<Config>>,
    /// The rejection that is not over.
    pub rejected: watch::Receiver<Option<Rejected>>,
}

/// Watches everything that the configuration is read from, and SIGHUP. The receiver sees each configuration that is taken.
/// Where the system can't watch files, that is logged, and SIGHUP still works.
///
/// # Errors
/// When the signal can't be received.
pub fn watch(
    file: PathBuf,
    config: Arc<Config>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> anyhow::Result<Changes> {
    let changed = Arc::new(Notify::new());
    let follower = Follower::new(Arc::clone(&changed));
    start(Reload { file, zones: zones::system_folder(), metrics, follower, changed }, config, shutdown)
}

struct Reload {
    file: PathBuf,
    /// Where the system keeps time zone data.
    zones: PathBuf,
    metrics: Metrics,
    follower: Follower,
    changed: Arc<Notify>,
}

fn start(mut reload: Reload, config: Arc<Config>, shutdown: CancellationToken) -> anyhow::Result<Changes> {
    let hangup = signal(SignalKind::hangup())?;
    let watched = config.watched.clone();
    config.secret_stores.count_in(&reload.metrics);
    reload.follower.follow(&watched);
    let (sender, taken) = watch::channel(config);
    let (rejecting, rejected) = watch::channel(None);
    let stopping = shutdown.clone();
    tokio::spawn(task::until("reload", shutdown, async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = reload.run(hangup, watched, &sender, &rejecting) => {}
        }
    }));
    Ok(Changes { taken, rejected })
}

/// How advice begins that names the word that was probably meant.
const MEANT: &str = "did you mean";

impl Rejected {
    /// `folder`: where the files are.
    fn of(problems: &[Problem], folder: &Path) -> Self {
        let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.level == Level::Error).collect();
        let first = errors.first().map_or_else(String::new, |first| {
            // An unknown key is named by what is wrong with it.
            let last = first.key.rsplit('.').next().unwrap_or_default();
            let is_named = last.is_empty() || first.what.contains(&format!("`{last}`"));
            let key = if is_named { String::new() } else { format!("{}: ", first.key) };
            let is_meant = first.instead.starts_with(MEANT);
            let meant = if is_meant { format!(" ({})", first.instead) } else { String::new() };
            format!("{}: {key}{}{meant}", first.place, first.what)
        });
        let warnings = problems.iter().filter(|problem| problem.level == Level::Warning);
        let shown = errors.iter().copied().chain(warnings).take(PROBLEMS_MAX).cloned().collect();
        Self { errors: errors.len(), first, problems: shown, fingerprint: fingerprint(problems, folder) }
    }
}

fn fingerprint(problems: &[Problem], folder: &Path) -> String {
    let (mut found, within) = (Watched::default(), format!("{}/", folder.display()));
    let mut note = |text: String| {
        let is_named = !folder.as_os_str().is_empty();
        found.note(if is_named { text.replace(&within, "") } else { text }.as_bytes());
    };
    for Problem { place, key, what, instead, .. } in problems {
        note(format!("{place} {key}"));
        note(format!("{what} {instead}"));
    }
    found.fingerprint()
}

impl Reload {
    async fn run(
        mut self,
        mut hangup: Signal,
        mut watched: Watched,
        sender: &watch::Sender<Arc<Config>>,
        rejecting: &watch::Sender<Option<Rejected>>,
    ) {
        let mut rest = Duration::ZERO;
        loop {
            let changed = async {
                tokio::time::sleep(rest).await;
                self.changed.notified().await;
            };
            let is_asked_for = tokio::select! {
                Some(()) = hangup.recv() => true,
                () = changed => false,
            };
            let (known, began) = (watched.clone(), Instant::now());
            if is_asked_for {
                systemd::reloading();
            }
            let read = self.read(&mut watched).await;
            if is_asked_for {
                systemd::reloaded();
            }
            let Some(loaded) = read else {
                error!(
                    "the changed configuration could not be read because of a bug in Scorewatch; the old one stays in force"
                );
                self.metrics.reloaded(false);
                let first = "it could not be read because of a fault of Scorewatch".to_owned();
                let (problems, fingerprint) = (Vec::new(), "unread".to_owned());
                rejecting.send_replace(Some(Rejected { errors: 1, first, problems, fingerprint }));
                continue;
            };
            if !is_asked_for && watched.has_read_the_same(&known) {
                // Something else changes in the same folder, perhaps without end: a log, a database.
                rest = began.elapsed().saturating_mul(REST);
                continue;
            }
            rest = Duration::ZERO;
            for problem in &loaded.problems {
                let name = problem.warning.map(crate::diagnostic::Warning::name);
                warn!(place = %problem.place, key = problem.key, name, "{}; {}", problem.what, problem.instead);
            }
            self.metrics.reloaded(loaded.config.is_some());
            if let Some(config) = loaded.config {
                config.secret_stores.count_in(&self.metrics);
                config.secret_stores.inherit(&sender.borrow().secret_stores);
                crash_point::reach(CrashPoint::ReloadRead);
                let (tenants, rules, release) = (config.tenants.len(), config.rules.len(), loaded.zones.release());
                info!(tenants, rules, time_zone_data = %release, "the changed configuration is now in force");
                sender.send_replace(Arc::new(config));
                rejecting.send_replace(None);
                crash_point::reach(CrashPoint::ReloadTaken);
            } else {
                warn!("the changed configuration has errors and is rejected; the one before stays in force");
                let folder = self.file.parent().unwrap_or(Path::new(""));
                rejecting.send_replace(Some(Rejected::of(&loaded.problems, folder)));
            }
        }
    }

    /// Reads the configuration under the watch, so that no change falls between reading and watching. A refused one is
    /// followed too: what fixes it may lie in a folder that only it names.
    async fn read(&mut self, watched: &mut Watched) -> Option<Loaded> {
        let mut last = None;
        for _ in 0..READS_MAX {
            self.follower.follow(watched);
            let (file, zones) = (self.file.clone(), self.zones.clone());
            let read = move || load_from(&file, Pending::default(), &zones);
            let loaded = tokio::task::spawn_blocking(read).await.ok()?;
            watched.clone_from(&loaded.watched);
            let is_covered = self.follower.covers(watched);
            last = Some(loaded);
            if is_covered {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests;
