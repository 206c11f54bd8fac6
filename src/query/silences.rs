//! Silences, and what they cover of what fires. A scope sees the silences that reach nowhere beyond it: others may name other tenants.

use super::{Error, Listing, Page, error::Thing, neutral, numbers::Numbers};
pub use crate::notify::{
    Silence, SilenceId,
    silence::{MatchTarget, Matchers},
};
use crate::{
    domain::{Scope, Timestamp},
    notify::Envelope,
    store::{AlertFilter, AlertRow, Listings, Store},
};

/// Silences, newest first: those in force and to come, or with `past` those that are over as well.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(
    store: &dyn Store,
    scope: &Scope,
    past: bool,
    page: &Page<SilenceId>,
    now: Timestamp,
) -> Result<Listing<Silence, SilenceId>, Error> {
    let numbers = Numbers::of_silences(store, scope);
    // What the scope was never shown is beyond its last page.
    let after = page.after.map(|after| SilenceId(numbers.meant(after.0).unwrap_or_default()));
    let follows = |silence: &Silence| after.is_none_or(|after| silence.id < after);
    let mut silences = store.silences((!past).then_some(now)).await?;
    silences.retain(|silence| silence.matchers.is_within(scope) && follows(silence));
    let silences = as_seen(store, scope, silences).into_iter().map(|seen| without_labels(scope, seen)).collect();
    Ok(Listing::cut(silences, page, |silence| silence.id))
}

/// The silence of that number, whether or not it is over.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn show(store: &dyn Store, scope: &Scope, id: SilenceId) -> Result<Silence, Error> {
    let mut silences = store.silences(None).await?.into_iter();
    let meant = Numbers::of_silences(store, scope).meant(id.0).map(SilenceId);
    let found = silences.find(|silence| Some(silence.id) == meant && silence.matchers.is_within(scope));
    // By the number that was shown.
    let seen = found.map(|found| Silence { id, ..without_labels(scope, found) });
    seen.ok_or_else(|| Error::not_found(Thing::Silence, id))
}

/// These silences with the numbers that the scope is shown.
pub(crate) fn as_seen(store: &dyn Store, scope: &Scope, silences: Vec<Silence>) -> Vec<Silence> {
    let numbers = Numbers::of_silences(store, scope);
    let shown = |silence: Silence| Silence { id: SilenceId(numbers.shown(silence.id.0)), ..silence };
    silences.into_iter().map(shown).collect()
}

/// A silence for people to read: which labels it takes is for those who see labels.
fn without_labels(scope: &Scope, mut silence: Silence) -> Silence {
    if !scope.sees_labels() {
        silence.matchers.labels.0.clear();
    }
    silence
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
    let covered = store.alerts(&filter).await?.into_iter().filter(covers);
    Ok(covered.map(|row| neutral::row(scope, row)).collect())
}
