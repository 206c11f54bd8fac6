//! Templates are tried before they are needed: each against every sample notification.

use super::{
    RenderFailure, sample,
    steps::{Budget, STEPS_MAX},
};
use crate::notify::Notification;

/// A trial that failed.
pub(super) struct Failure {
    /// The sample that it failed on.
    pub(super) sample: String,
    /// How the rendering of the sample failed.
    pub(super) why: RenderFailure,
    /// Whether the template takes too many steps, whoever receives what it writes.
    pub(super) is_endless: bool,
}

/// Writes every sample notification with the template of that name. `all` is the budget of all trials of a folder; `write` writes
/// one notification within a budget.
pub(super) fn try_out(
    name: &str,
    all: &Budget,
    write: impl Fn(&Budget, &Notification) -> Result<Vec<u8>, RenderFailure>,
) -> Result<(), Box<Failure>> {
    for notification in sample::all() {
        let budget = Budget::new(STEPS_MAX);
        let written = write(&budget, &notification);
        let failed = |why, is_endless| {
            let sample = notification.kind.as_str().to_owned();
            Err(Box::new(Failure { sample, why, is_endless }))
        };
        if !all.take(STEPS_MAX - budget.left()) {
            let what = "trying out all templates takes too many steps".to_owned();
            let failure = RenderFailure::Template { template: name.to_owned(), line: None, column: None, what };
            return failed(failure, true);
        }
        if let Err(failure) = written {
            return failed(failure, budget.left() == 0);
        }
    }
    Ok(())
}
