//! A configuration while it is read: what is gathered on the way, in addition to the values, and the problems that were found.

use std::ops::{Deref, DerefMut};

use super::{
    Watched, allow::Allowed, pending::Pending, receivers::PlacedChannel, scope::Problems, stores::Stores,
    trial::SecretUse, world::World,
};
use crate::{
    diagnostic::{Place, Problem, Warning},
    secret::redact::echoed,
    zones::{Fault, Zones},
};

/// What reading the files has gathered so far. Whoever only finds problems is given those alone.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The problems that were found so far.
    pub(super) problems: Problems,
    /// Where a change may make another configuration.
    pub(super) watched: Watched,
    /// The secret stores, which references name.
    pub(super) stores: Stores,
    /// The secrets that are referred to so far.
    pub(super) secrets: Vec<SecretUse>,
    /// The channels, so that their addresses can be compared once they may be read.
    pub(super) channels: Vec<PlacedChannel>,
    /// Files that are not there yet, and are read as if they were.
    pub(super) pending: Pending,
    /// What depends on more than the files.
    pub(super) world: World,
    /// The warnings that comments switch off.
    pub(super) allowed: Allowed,
    /// The time zones that may be named.
    pub(super) zones: Zones,
    /// Whether what is wrong is left out, and the rest is used all the same.
    pub(super) is_lenient: bool,
}

impl Deref for Draft {
    type Target = Problems;

    fn deref(&self) -> &Problems {
        &self.problems
    }
}

impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut Problems {
        &mut self.problems
    }
}

impl Draft {
    /// Notes where a change may change the time zones that were named, and warns of those that are not the system's.
    pub(super) fn note_zones(&mut self) {
        for file in self.zones.files() {
            self.watched.file(&file);
        }
        self.watched.note(&self.zones.content());
        for Fault { file, zone, why } in self.zones.faults() {
            let what =
                format!("this file can't be used as the data of time zone `{zone}` ({why}), so built-in data is used");
            self.problems.list.push(Problem::warning(
                Warning::ZoneDataUnusable,
                Place { file, line: 1, column: 1 },
                "",
                echoed(&what),
                "install the system's time zone data again",
            ));
        }
    }

    /// Puts the problems into file order, each once, without the warnings that a comment switches off.
    pub(super) fn settle(&mut self) {
        self.problems.list.retain(|problem| !self.allowed.covers(problem));
        self.problems.leave_out_consequences();
        self.problems.settle();
    }
}
