//! The configuration that a command works with: a valid one, or for commands that need little of it, what can be read of a rejected one.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Failure, output, wrong_input};
use crate::{
    config::{self, Config, Loaded},
    diagnostic::{Level, Problem, Warning},
    zones::Zones,
};

/// Whether this command uses what can be read of a rejected configuration, for errors that are made where no configuration is at hand.
static IS_PARTIAL: AtomicBool = AtomicBool::new(false);

/// A configuration to look things up in. By one that was rejected, nothing may be decided for several tenants.
pub(super) struct Readable {
    pub(super) config: Arc<Config>,
}

impl Readable {
    /// The configuration, if it is valid and so the one that the service uses, or is about to.
    pub(super) fn whole(&self) -> Option<&Config> {
        (!self.config.is_partial).then_some(&*self.config)
    }

    /// Refuses what would do something else by a part of a configuration than by all of it.
    pub(super) fn must_be_whole(&self, what: &str) -> Result<(), Failure> {
        if !self.config.is_partial {
            return Ok(());
        }
        Err(wrong_input(format!("{what} needs a valid configuration; correct what `scorewatch check` reports")))
    }
}

/// Reads the configuration; prints its problems if it is not valid.
pub(super) fn configured(file: &Path) -> Result<Arc<Config>, Failure> {
    configured_by(file).map(|(config, _)| config)
}

/// Reads the configuration, and the time zone data that its schedules are calculated with.
pub(super) fn configured_by(file: &Path) -> Result<(Arc<Config>, Zones), Failure> {
    taken(config::load(file)).map_err(|loaded| refused(&loaded))
}

/// Reads the configuration, or what can be read of a rejected one, and says so: the service goes on with the last one that it accepted,
/// and nobody is to be kept from acknowledging an alert by somebody who is half-way through an edit.
pub(super) fn readable(file: &Path) -> Result<Readable, Failure> {
    let loaded = match taken(config::load(file)) {
        Ok((config, _)) => return Ok(Readable { config }),
        Err(loaded) => loaded,
    };
    let Some(config) = config::load_leniently(file) else { return Err(refused(&loaded)) };
    IS_PARTIAL.store(true, Ordering::Relaxed);
    output::set_zone(&config.timezone);
    output::complain(&rejection(&loaded.problems));
    Ok(Readable { config: Arc::new(config) })
}

/// What is added to the error that a tenant, rule or channel is not there.
pub(super) fn perhaps_unread() -> &'static str {
    if IS_PARTIAL.load(Ordering::Relaxed) { ", or its part of the configuration can't be read" } else { "" }
}

fn taken(loaded: Loaded) -> Result<(Arc<Config>, Zones), Box<Loaded>> {
    let Some(config) = loaded.config else { return Err(Box::new(loaded)) };
    for problem in &loaded.problems {
        let name = problem.warning.map(Warning::name);
        tracing::warn!(place = %problem.place, name, "{}; {}", problem.what, problem.instead);
    }
    output::set_zone(&config.timezone);
    Ok((Arc::new(config), loaded.zones))
}

fn refused(loaded: &Loaded) -> Failure {
    output::complain_of(&loaded.problems, &loaded.excerpts);
    Failure::Input(None)
}

/// What is wrong on the disk, and what a command that goes on all the same does not know.
fn rejection(problems: &[Problem]) -> String {
    let errors: Vec<_> = problems.iter().filter(|problem| problem.level == Level::Error).collect();
    let first = errors.first().map(|first| format!("{}: {}", first.place, first.what)).unwrap_or_default();
    let which = if errors.len() > 1 { format!("{} errors, the first at {first}", errors.len()) } else { first };
    format!(
        "scorewatch: the configuration on disk is rejected ({which}); `scorewatch check` shows why.\nA running service keeps using \
         the last configuration that it accepted. This command uses the store and what can be read on disk: tenants, rules and \
         channels with an error are missing here, settings that can't be read have their defaults, and what was edited may differ from \
         what is in use.\n"
    )
}
