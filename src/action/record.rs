//! Who may act, and how what is done outside of the store is recorded in the audit log: before it is done, so that nothing that was done can
//! lack its entry. What is done to the store is recorded by the call that does it, in the same transaction.

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

/// Records what is about to be done.
pub(super) async fn record(store: &dyn Audit, entry: NewEntry) -> Result<(), Error> {
    let not_done =
        |error| Error::Failed(format!("nothing was done, as it can't be recorded in the audit log: {error}"));
    store.record(entry).await.map_err(not_done)
}

/// How an alert is named there.
pub(super) fn alert(key: &AlertKey) -> String {
    let score = key.score.map(|score| format!(" {score}")).unwrap_or_default();
    let subject = key.subject.as_ref().map(|subject| format!(" {}", subject.as_str())).unwrap_or_default();
    format!("alert {} {}{score}{subject}", key.tenant, key.rule)
}
