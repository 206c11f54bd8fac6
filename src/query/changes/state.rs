//! What a configuration would change of the alerts that a store has.

use serde::Serialize;

use crate::{
    check::outlook::{self, Change, Fate},
    config::{Config, UnknownControl},
    domain::{ChannelName, Scope, ScoreKind, Subject, Timestamp},
    query::Error,
    rule::Resolution,
    store::Store,
};

/// One alert that this configuration would change, or that fires on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertChange {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the rule in the configuration.
    pub rule: String,
    /// Of which score; `None`: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// `opens`, `pends`, `closes`, `moves` or `stays`.
    pub what: &'static str,
    /// Why the alert closes; `None` unless `what` is `closes`.
    pub reason: Option<Resolution>,
    /// Channels that are notified of it from now on.
    pub channels: Vec<ChannelName>,
    /// Of those, the ones that were not notified that it began.
    pub newly_notified: Vec<ChannelName>,
    /// The ones that were notified that it began and are sent nothing more of it.
    pub no_longer_notified: Vec<ChannelName>,
    /// The ones that are not on its route any more while something of it waits for them: that goes to `newly_notified`, or if nobody
    /// is, the operator is notified.
    pub leaves_waiting: Vec<ChannelName>,
}

impl AlertChange {
    /// The same with the channels whose names the scope sees.
    fn seen_by(mut self, scope: &Scope) -> Self {
        let lists =
            [&mut self.channels, &mut self.newly_notified, &mut self.no_longer_notified, &mut self.leaves_waiting];
        for list in lists {
            list.retain(|channel| scope.sees_channel(channel));
        }
        self
    }
}

impl From<Change> for AlertChange {
    fn from(Change { key, what, channels, notified_channels, waiting }: Change) -> Self {
        let without = |left: &[ChannelName], right: &[ChannelName]| {
            left.iter().filter(|channel| !right.contains(channel)).cloned().collect::<Vec<_>>()
        };
        let goes_on = what == Fate::Stays;
        let newly_notified = if goes_on { without(&channels, &notified_channels) } else { Vec::new() };
        let no_longer_notified = if goes_on { without(&notified_channels, &channels) } else { Vec::new() };
        let leaves_waiting: Vec<_> =
            waiting.into_iter().filter(|channel| goes_on && !channels.contains(channel)).collect();
        let (what, reason) = match what {
            Fate::Opens => ("opens", None),
            Fate::Pends => ("pends", None),
            Fate::Closes(why) => ("closes", Some(why)),
            Fate::Stays if newly_notified.is_empty() && no_longer_notified.is_empty() && leaves_waiting.is_empty() => {
                ("stays", None)
            }
            Fate::Stays => ("moves", None),
        };
        let (tenant, rule) = (key.tenant.to_string(), key.rule.to_string());
        let channels = if reason.is_some() { notified_channels } else { channels };
        Self {
            tenant,
            rule,
            score: key.score,
            subject: key.subject,
            what,
            reason,
            channels,
            newly_notified,
            no_longer_notified,
            leaves_waiting,
        }
    }
}

/// What a configuration would change of the alerts of the scope if it were loaded now, and which fire on, by tenant and rule.
///
/// # Errors
/// [`Error::Store`].
pub async fn against_state(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<AlertChange>, Error> {
    let changes = outlook::changes(store, config, now).await?.into_iter();
    let changes = changes.filter(|change| scope.includes(&change.key.tenant)).map(AlertChange::from);
    Ok(changes.map(|change| change.seen_by(scope)).collect())
}

/// The excluded controls of the scope's tenants that their newest records do not have. Of a tenant whose records no check has read
/// for an exclusion yet, nothing is claimed.
///
/// # Errors
/// [`Error::Store`].
pub async fn unknown_controls(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<UnknownControl>, Error> {
    let mut unknown = Vec::new();
    for tenant in config.tenants.values().filter(|tenant| scope.includes(&tenant.id)) {
        if config.excluded_names(tenant, now).is_empty() {
            continue;
        }
        let records = store.load(std::slice::from_ref(&tenant.id)).await?;
        let of_tenant = records.iter().filter(|record| record.identity.is(tenant.account.entra));
        unknown.extend(of_tenant.flat_map(|record| config.unknown_controls(tenant, &record.excluded.names, now)));
    }
    Ok(unknown)
}
