//! Who may act, and how what they did is recorded in the audit log: right after it was done.

use crate::{
    domain::{Caller, Role},
    query::Error,
    rule::AlertKey,
    store::{Audit, NewEntry},
};

/// Refuses whoever lacks the role.
pub(super) fn must(caller: &Caller, role: Role) -> Result<(), Error> {
    if caller.may(role) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("this takes the role `{role}`, and yours is `{}`", caller.role)))
}

/// Records what was done.
pub(super) async fn record(store: &dyn Audit, entry: NewEntry) -> Result<(), Error> {
    let (action, who) = (entry.action, entry.body.who.clone());
    store.record(entry).await.map_err(|error| {
        tracing::error!(action, who, %error, "an action was taken, and could not be recorded in the audit log");
        Error::Failed(format!("it was done, but could not be recorded in the audit log: {error}"))
    })
}

/// How an alert is named there.
pub(super) fn alert(key: &AlertKey) -> String {
    let score = key.score.map(|score| format!(" {score}")).unwrap_or_default();
    let subject = key.subject.as_ref().map(|subject| format!(" {}", subject.as_str())).unwrap_or_default();
    format!("alert {} {}{score}{subject}", key.tenant, key.rule)
}
