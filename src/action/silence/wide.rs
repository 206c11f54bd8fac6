//! Notifies the operator of a silence that covers every tenant or lasts for long: whoever makes one by mistake, or in bad faith, would
//! otherwise make the whole service silent.

use std::time::Duration;

use crate::{
    config::Config,
    domain::Timestamp,
    notify::{NotificationType, Silence, compose, facts::wording::News, notification::OperatorFacts},
    query::Error,
    store::{NewNotification, Store},
};

/// A silence that lasts longer is one that the operator is notified of.
const LONG: Duration = Duration::from_hours(7 * 24);

/// Notifies the operator if there is reason to. The running service sends the message within seconds.
pub(super) async fn notify(store: &dyn Store, config: &Config, silence: &Silence, now: Timestamp) -> Result<(), Error> {
    let length = silence.ends_at.since(silence.starts_at.max(now));
    let everybody = covers_everybody(config, silence);
    if !everybody && length <= LONG {
        return Ok(());
    }
    let news =
        News::Silenced { id: silence.id.0, author: silence.author.clone(), everybody, seconds: length.as_secs() };
    let class = if everybody { "silence-wide" } else { "silence-long" };
    let facts = OperatorFacts {
        from: Some(silence.starts_at),
        until: Some(silence.ends_at),
        ..OperatorFacts::of(news, class, None)
    };
    let kind = NotificationType::OperatorSilence;
    let parts = [kind.as_str(), store.identity(), &silence.id.to_string()];
    let notification = compose::for_operator(kind, &parts, None, facts, now);
    let channels = config.operator.notify.clone();
    store.announce(NewNotification { notification, alert: None, tenant: None, hold: None, channels }, now).await?;
    Ok(())
}

/// Whether no tenant is left out: it names none, or all of several.
fn covers_everybody(config: &Config, silence: &Silence) -> bool {
    let matchers = &silence.matchers;
    if matchers.tenants.is_empty() && matchers.labels.0.is_empty() {
        return true;
    }
    let is_covered = |tenant: &crate::config::Tenant| {
        (matchers.tenants.is_empty() || matchers.tenants.contains(&tenant.id))
            && matchers.labels.matches(&tenant.labels)
    };
    config.tenants.len() > 1 && config.tenants.values().all(|tenant| is_covered(tenant))
}
