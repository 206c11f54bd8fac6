//! Templates are tried before they are needed: each against every sample notification.

use super::{Receiver, Registry, RenderFailure, sample};

/// A trial that failed.
pub(super) struct Failure {
    /// On which sample.
    pub(super) sample: String,
    /// How.
    pub(super) failure: RenderFailure,
}

/// Writes every sample notification with a template.
pub(super) fn try_out(registry: &Registry, name: &str, receiver: Receiver) -> Result<(), Box<Failure>> {
    for notification in sample::all() {
        if let Err(failure) = registry.render(name, receiver, &notification) {
            return Err(Box::new(Failure { sample: notification.kind.as_str().to_owned(), failure }));
        }
    }
    Ok(())
}
