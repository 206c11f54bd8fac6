//! Silences, and what they cover of what fires. A scope sees the silences that reach nowhere beyond it: others may name other tenants.

use super::{Error, Listing, Page, error::Thing};
pub use crate::notify::{
    Silence, SilenceId,
    silence::{MatchTarget, Matchers},
};
use crate::{
    domain::{Scope, Timestamp},
    notify::Envelope,
    store::{AlertFilter, AlertRow, Listings, Silences},
};

/// Silences, newest first: those in force and to come, or with `past` those that are over as well.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(
    store: &dyn Silences,
    scope: &Scope,
    past: bool,
    page: &Page<SilenceId>,
    now: Timestamp,
) -> Result<Listing<Silence, SilenceId>, Error> {
    let mut silences = store.silences((!past).then_some(now)).await?;
    let follows = |silence: &Silence| page.after.is_none_or(|after| silence.id < after);
    silences.retain(|silence| silence.matchers.is_within(scope) && follows(silence));
    Ok(Listing::cut(silences, page, |silence| silence.id))
}

/// The silence of that number, whether or not it is over.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn show(store: &dyn Silences, scope: &Scope, id: SilenceId) -> Result<Silence, Error> {
    let mut silences = store.silences(None).await?.into_iter();
    let found = silences.find(|silence| silence.id == id && silence.matchers.is_within(scope));
    found.ok_or_else(|| Error::not_found(Thing::Silence, id))
}

/// The alerts of the scope that fire and that these matchers cover.
///
/// # Errors
/// [`Error::Store`].
pub async fn covered(store: &dyn Listings, scope: &Scope, matchers: &Matchers) -> Result<Vec<AlertRow>, Error> {
    let filter = AlertFilter { firing_only: true, tenants: scope.tenants().cloned(), ..AlertFilter::default() };
    let covers = |row: &AlertRow| {
        let Some(last) = &row.last_notification else { return false };
        let envelope = Envelope::new(last, Some(row.key.clone()), Some(row.key.tenant.clone()));
        let labels = last.data.tenant.as_ref().map(|tenant| &tenant.labels);
        let target = labels.and_then(|labels| MatchTarget::of(&envelope, labels));
        target.is_some_and(|target| matchers.match_all(&target))
    };
    Ok(store.alerts(&filter).await?.into_iter().filter(covers).collect())
}
