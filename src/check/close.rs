//! Ends alerts whose rule, tenant or score is gone from the configuration, with a resolved notification that says why.

use std::collections::BTreeSet;

use serde_json::json;
use tracing::info;

use super::{
    blind::{self, OPERATOR_BLIND},
    hold::hold,
    reason::is_of_records,
    succession,
};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Labels, Sample, ScoreKind, Severity, TenantId, Timestamp},
    notify::{
        HoldReason,
        compose::{self, AcceptedBy, MessageParts},
        fleet::due::ACCEPTED_WAIT,
        notification::{ExcludedFacts, Facts, TenantFacts},
    },
    rule::{self, Alert, AlertKey, AlertState, Guide, Resolution, Step, Transition},
    store::{
        AlertFilter, AlertRecord, AlertRow, AlertUpdate, CheckOutcome, Commit, Failing, NewEntry, NewNotification,
        SeriesRecord, Store, StoreError, TenantIdentity, TenantRecord,
    },
};

/// Why an open alert has no place in the configuration any more; `None`: it still has.
pub(super) fn orphaned(config: &Config, row: &AlertRow) -> Option<Resolution> {
    // Its slug belongs to nobody, as a tenant is kept under another name once it belongs to somebody else.
    let Some(tenant) = config.tenants.get(&row.key.tenant) else { return Some(Resolution::TenantRemoved) };
    if row.key.rule.as_str() == OPERATOR_BLIND {
        return config.operator.notify.is_empty().then_some(Resolution::RuleRemoved);
    }
    if row.key.score.is_some_and(|score| !tenant.scores.contains(&score)) {
        return Some(Resolution::SubjectRemoved);
    }
    let Some(rule) = config.rules.iter().find(|rule| rule.name == row.key.rule) else {
        return Some(Resolution::RuleRemoved);
    };
    if rule.makes_alert(&tenant.labels, row.key.score, row.key.subject.as_ref()) {
        return None;
    }
    if succession::is_of_older_store(rule, &tenant.labels, row.key.score, &row.alert) {
        return None;
    }
    // The same rule by another text: on one score instead of all of them, or no longer for a lack of data.
    let is_edited = rule.tenants.matches(&tenant.labels) && rule.is_no_data() != row.key.score.is_some();
    Some(if is_edited { Resolution::RuleChanged } else { Resolution::RuleRemoved })
}

/// Ends every open alert that has no place in the configuration any more. Returns the channels that have something to send.
/// Tenants in `visited` are passed over: their visits began under another configuration and could open an alert again.
///
/// # Errors
/// [`StoreError`]: some may have been ended; asking again ends the rest.
pub async fn close_orphans(
    store: &dyn Store,
    config: &Config,
    visited: &BTreeSet<TenantId>,
    now: Timestamp,
) -> Result<BTreeSet<ChannelName>, StoreError> {
    let mut busy = BTreeSet::new();
    let open = store.alerts(&AlertFilter { open_only: true, ..AlertFilter::default() }).await?;
    for row in open.into_iter().filter(|row| !visited.contains(&row.key.tenant)) {
        let Some(resolution) = orphaned(config, &row) else { continue };
        let kind = row.key.score.map(ScoreKind::as_str);
        info!(tenant = %row.key.tenant, rule = %row.key.rule, score = kind, resolution = resolution.as_str(), "closing an alert");
        busy.extend(end(store, config, &row, resolution, now).await?.unwrap_or_default());
    }
    Ok(busy)
}

/// Accepts an alert's loss as the new level, as a person decided; `by` is the name, if it is known. It is done at the time of its entry, which
/// is recorded with it and with the baseline before. Returns the channels that have something to send.
///
/// # Errors
/// [`StoreError`]. `Ok(None)`: there is no such firing alert, its rule does not compare with a baseline, or it has begun to fire anew
/// since `row` was read.
pub async fn accept(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    by: Option<&str>,
    entry: &NewEntry,
) -> Result<Option<Vec<ChannelName>>, StoreError> {
    let (now, by) = (entry.at, DecidedBy::Person(by.map(str::to_owned), entry));
    change(store, config, row, by, now, |_| true, |alert, window| rule::accept(alert, window, now)).await
}

/// The same for an alert whose notice said that it is accepted: only receivers that keep each alert's state are notified of it.
///
/// # Errors
/// As [`accept`].
pub async fn accept_covered(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    now: Timestamp,
) -> Result<Option<Vec<ChannelName>>, StoreError> {
    let keeps_state =
        |channel: &ChannelName| config.channels.get(channel).is_some_and(|settings| settings.kind.keeps_state());
    change(store, config, row, DecidedBy::Evidence, now, keeps_state, |alert, window| rule::accept(alert, window, now))
        .await
}

/// Ends one alert. `None`: it is over already.
async fn end(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    resolution: Resolution,
    now: Timestamp,
) -> Result<Option<Vec<ChannelName>>, StoreError> {
    change(
        store,
        config,
        row,
        DecidedBy::Configuration,
        now,
        |_| true,
        |alert, window| Some(rule::close(alert, resolution, window, now)),
    )
    .await
}

/// Who or what decided that an alert ends.
enum DecidedBy<'a> {
    /// A person, whose name may be known, with what is recorded of it.
    Person(Option<String>, &'a NewEntry),
    /// What the notice said that covered the alert.
    Evidence,
    /// The configuration, in which it has no place.
    Configuration,
}

impl DecidedBy<'_> {
    /// Who accepts a level.
    fn accepted_by(&self) -> AcceptedBy {
        match self {
            Self::Person(name, _) => AcceptedBy::Person(name.clone()),
            Self::Evidence => AcceptedBy::Evidence,
            Self::Configuration => AcceptedBy::Time,
        }
    }

    /// Whether that holds for the alert as it is now: a person decides about the firing that they were shown.
    fn holds_for(&self, now: &Alert, shown: &Alert) -> bool {
        !matches!(self, Self::Person(..)) || now.generation == shown.generation
    }

    async fn commit(&self, store: &dyn Store, outcome: CheckOutcome, before: &Alert) -> Result<Commit, StoreError> {
        match *self {
            Self::Person(_, entry) => {
                let baseline = before.firing().and_then(|firing| firing.baseline);
                store.commit_action(outcome, entry.clone().before(json!({ "baseline": baseline }))).await
            }
            Self::Evidence | Self::Configuration => store.commit(outcome).await,
        }
    }
}

/// Changes one alert by a step, and tries again as long as another change comes first. `None`: the step changes nothing.
async fn change(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    decided_by: DecidedBy<'_>,
    now: Timestamp,
    is_notified: impl Fn(&ChannelName) -> bool,
    step: impl Fn(&Alert, &[Sample]) -> Option<Step>,
) -> Result<Option<Vec<ChannelName>>, StoreError> {
    loop {
        let Some(record) = store.load(std::slice::from_ref(&row.key.tenant)).await?.pop() else { return Ok(None) };
        let known = record.alerts.iter().find(|alert| is_of(alert, &row.key));
        let Some(known) = known.filter(|known| decided_by.holds_for(&known.alert, &row.alert)) else { return Ok(None) };
        let series =
            record.series.iter().find(|one| Some(one.score) == row.key.score && one.subject == row.key.subject);
        let window = series.map(|series| record.judged(series)).unwrap_or_default();
        let Some(Step { alert: Some(alert), transition, .. }) = step(&known.alert, &window) else { return Ok(None) };
        let failing = record.health.failing.as_ref();
        let excluded = excluded(config, &record, series, now);
        let compose = |transition| {
            let (identity, accepted_by, excluded) = (&record.identity, decided_by.accepted_by(), excluded.clone());
            let alert = ComposedAlert { row, identity, known, failing, excluded, accepted_by };
            notification_of(store.origin(), config, alert, transition)
        };
        let mut notifications: Vec<_> = transition.iter().map(compose).collect();
        for new in &mut notifications {
            new.channels.retain(&is_notified);
        }
        let channels = notifications.iter().flat_map(|new| new.channels.iter().cloned()).collect();
        let AlertKey { rule, score, subject, .. } = row.key.clone();
        let mut outcome = CheckOutcome {
            tenant: row.key.tenant.clone(),
            identity: record.identity.clone(),
            expected_version: Some(record.version),
            health: record.health.clone(),
            series: Vec::new(),
            alerts: vec![AlertUpdate { rule, score, subject, alert, inherits: None }],
            notifications,
            movements: Vec::new(),
            excluded: None,
            recommendations: Vec::new(),
            averages: None,
            now,
        };
        let held = hold(&mut outcome, store, config).await?;
        for waits in outcome.notifications.iter_mut().filter_map(|new| new.hold.as_mut()) {
            if waits.why == HoldReason::Fleet {
                waits.until = waits.until.min(now.plus(ACCEPTED_WAIT));
            }
        }
        if decided_by.commit(store, outcome, &known.alert).await? == Commit::Done {
            held.confirm(store).await?;
            return Ok(Some(channels));
        }
    }
}

fn is_of(alert: &AlertRecord, key: &AlertKey) -> bool {
    alert.rule == key.rule && alert.score == key.score && alert.subject == key.subject
}

/// An alert of which a notification is composed.
struct ComposedAlert<'a> {
    row: &'a AlertRow,
    identity: &'a TenantIdentity,
    known: &'a AlertRecord,
    failing: Option<&'a Failing>,
    excluded: Option<ExcludedFacts>,
    accepted_by: AcceptedBy,
}

/// The controls that do not count in the newest value of a series, if there are any.
fn excluded(
    config: &Config,
    record: &TenantRecord,
    series: Option<&SeriesRecord>,
    now: Timestamp,
) -> Option<ExcludedFacts> {
    let in_force = &record.excluded.in_force;
    let series = series.filter(|series| !in_force.is_empty() && is_of_records(series.score))?;
    let tenant = config.tenants.get(&record.tenant)?;
    let controls = config.excluded_facts(tenant, in_force, now);
    Some(ExcludedFacts { value_with_them: series.window.last().map(|newest| newest.value), controls })
}

/// What is said of a transition that no check caused. Rule and tenant may be gone: the alert's newest notification knows them.
fn notification_of(
    store: &str,
    config: &Config,
    ComposedAlert { row, identity, known, failing, excluded, accepted_by }: ComposedAlert<'_>,
    transition: &Transition,
) -> NewNotification {
    let key = &row.key;
    let last = row.last_notification.as_ref().map(|last| &last.data.facts);
    let tenant = tenant_facts(&key.tenant, identity, config.tenants.get(&key.tenant).map(AsRef::as_ref), last);
    let loss = match &known.alert.state {
        AlertState::Firing(firing) => compose::loss_of(&firing.terms.when, transition.baseline, transition.value),
        _ => None,
    };
    let may_show = |channel: &&ChannelName| {
        config.channels.get(*channel).is_some_and(|settings| config.admits(settings, &key.tenant, Some(&tenant)))
    };
    let notified_channels = &known.notified_channels;
    let shown: Vec<&ChannelName> = notified_channels.iter().filter(may_show).collect();
    // Where the rule still is, who has left the route is sent nothing more.
    let escalated = known.alert.firing().map_or(0, |firing| firing.escalated.steps);
    let route = config.route_of(key, escalated);
    let on_route = |channel: &&ChannelName| route.as_ref().is_none_or(|route| route.contains(channel));
    let mut channels: Vec<ChannelName> = shown.iter().copied().filter(on_route).cloned().collect();
    if shown.is_empty() && !notified_channels.is_empty() {
        // Those who were notified that it fires can't be notified that it is over: somebody else has their channel by now.
        channels = config.operator.notify.iter().filter(may_show).cloned().collect();
    }
    let configured = config.tenants.get(&key.tenant).and_then(|tenant| tenant.scores.first().copied());
    let kind = key.score.or_else(|| last.and_then(|last| last.score.as_ref()).map(|score| score.kind)).or(configured);
    let no_data = last.map_or_else(Vec::new, |last| last.no_data.clone());
    let parts = MessageParts {
        store,
        tenant_key: &identity.key,
        key,
        score: kind.unwrap_or(ScoreKind::DeviceSecureScore),
        no_data,
        condition: last.and_then(|last| last.rule.as_ref()).map_or_else(String::new, |rule| rule.condition.clone()),
        severity: last.and_then(|last| last.alert.as_ref()).map_or_else(Severity::default, |alert| alert.severity),
        guide: last.and_then(|last| last.rule.as_ref()).map_or_else(Guide::default, |rule| Guide {
            about: rule.about.as_deref().map(Into::into),
            runbook: rule.runbook.as_deref().map(Into::into),
        }),
        tenant,
        loss,
        points: None,
        excluded,
        remark: None,
        accepted_by,
        operator: (key.rule.as_str() == OPERATOR_BLIND).then(|| blind::operator_facts(failing, None, transition)),
        links: last.map(|last| last.links.clone()).unwrap_or_default(),
    };
    NewNotification {
        notification: compose::of_transition(parts, transition),
        alert: Some(key.clone()),
        tenant: Some(key.tenant.clone()),
        channels,
        hold: None,
    }
}

fn tenant_facts(
    id: &TenantId,
    identity: &TenantIdentity,
    tenant: Option<&Tenant>,
    last: Option<&Facts>,
) -> TenantFacts {
    let is_it = |tenant: &&Tenant| identity.is(tenant.account.entra);
    let configured = tenant.filter(is_it).map(Tenant::facts);
    let noted = configured.or_else(|| last.and_then(|last| last.tenant.clone())).unwrap_or_else(|| TenantFacts {
        id: id.to_string(),
        tenant_id: None,
        name: id.to_string(),
        labels: Labels::new(),
    });
    let entra = identity.entra.map(|entra| entra.to_string());
    TenantFacts { id: id.to_string(), tenant_id: noted.tenant_id.or(entra), ..noted }
}
