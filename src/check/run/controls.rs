//! What a check asks for about controls that are not to count: what they earn and are worth, each day.

use std::collections::{BTreeMap, BTreeSet};

use tracing::{debug, warn};

use super::Checker;
use crate::{
    check::{
        plan::Plan,
        reason::{PROFILES_WITHIN, is_of_records},
    },
    config::Tenant,
    domain::{ControlsRead, Excluded, ScoreKind, ScoreRecord, Timestamp},
    store::TenantRecord,
};

/// The controls that are not to count from this check on, and what is known of them.
pub(super) struct Wanted<'a> {
    names: BTreeSet<String>,
    known: Option<&'a Excluded>,
}

impl<'a> Wanted<'a> {
    /// Those of a tenant now.
    pub(super) fn of(plan: &Plan, tenant: &Tenant, record: Option<&'a TenantRecord>, now: Timestamp) -> Self {
        let names = plan.config.excluded_names(tenant, now);
        Self { names, known: record.map(|record| &record.excluded) }
    }

    /// Whether there are any.
    pub(super) fn asks(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether every record of the score has to be read, because the readings that are known were not judged without them.
    pub(super) fn asks_for_all(&self, score: ScoreKind) -> bool {
        is_of_records(score) && self.known.map_or(self.asks(), |known| known.needs_history(&self.names))
    }
}

impl Checker {
    /// What was read about the controls; `None`: nothing, and the same controls do not count as before.
    pub(super) async fn controls(
        &self,
        tenant: &Tenant,
        Wanted { names, known }: Wanted<'_>,
        records: BTreeMap<Timestamp, ScoreRecord>,
        next_check_at: Timestamp,
    ) -> Option<ControlsRead> {
        if names.is_empty() {
            // An exclusion has ended, or was deleted.
            return known.filter(|known| !known.in_force.is_empty()).map(|_| ControlsRead::default());
        }
        let (newest, record) = records.last_key_value()?;
        let is_news = known.is_none_or(|known| known.is_new(*newest) || known.needs_history(&names));
        let is_unknown = |name: &String| record.controls.get(name).is_some_and(|control| control.maximum.is_none());
        let mut maxima = BTreeMap::new();
        if is_news && names.iter().any(is_unknown) {
            let profiles = self.microsoft.profiles(&tenant.account, *newest, next_check_at);
            match self.within(PROFILES_WITHIN, profiles).await {
                Some(Ok(profiles)) => {
                    let maximum = |name: &String| Some((name.clone(), profiles.get(name)?.maximum?));
                    maxima = names.iter().filter_map(maximum).collect();
                }
                Some(Err(error)) => {
                    debug!(tenant = %tenant.id, class = %error.class, "no profiles of excluded controls");
                }
                None => debug!(tenant = %tenant.id, "the profiles of excluded controls came too late"),
            }
        }
        if is_news {
            for name in names.iter().filter(|name| !record.controls.contains_key(*name)) {
                warn!(tenant = %tenant.id, control = %name, "an excluded control is not in the newest record, so it changes nothing");
            }
        }
        Some(ControlsRead { wanted: names, records, maxima })
    }
}
