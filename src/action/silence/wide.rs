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
/// A silence that begins at most that long after another one ends continues it: hardly anything is sent in between.
const GAP: Duration = Duration::from_hours(1);

/// Notifies the operator if there is reason to. The running service sends the message within seconds.
pub(super) async fn notify(store: &dyn Store, config: &Config, silence: &Silence, now: Timestamp) -> Result<(), Error> {
    let others = store.silences(None).await?;
    if is_within_another(silence, &others, now) {
        return Ok(());
    }
    let own = (silence.starts_at.max(now), silence.ends_at);
    let whole = whole(silence, &others, now);
    let (from, until) = if whole.1.since(whole.0) > LONG { whole } else { own };
    let length = until.since(from);
    let everybody = covers_everybody(config, silence);
    if !everybody && length <= LONG {
        return Ok(());
    }
    // Rounded up to whole minutes: a silence that began a moment ago is a few seconds short.
    let seconds = length.as_secs().div_ceil(60) * 60;
    let has_page = config.shown_url().is_some();
    let news = News::Silenced { id: silence.id.0, author: silence.author.clone(), everybody, seconds, has_page };
    let class = if everybody { "silence-wide" } else { "silence-long" };
    let facts = OperatorFacts { from: Some(from), until: Some(until), ..OperatorFacts::of(news, class, None) };
    let kind = NotificationType::OperatorSilence;
    let parts = [kind.as_str(), store.identity(), &silence.id.to_string()];
    let notification = compose::for_operator(kind, &parts, None, facts, now);
    let channels = config.operator.notify.clone();
    store.announce(NewNotification { notification, alert: None, tenant: None, hold: None, channels }, now).await?;
    Ok(())
}

/// Whether an earlier one covers the same for at least as long: the operator was notified of that one, if there was reason to. Of two
/// that are made at the same time, each would otherwise hide the other.
fn is_within_another(silence: &Silence, others: &[Silence], now: Timestamp) -> bool {
    let covers = |other: &&Silence| other.id.0 < silence.id.0 && other.matchers == silence.matchers;
    let from = silence.starts_at.max(now);
    others.iter().filter(covers).any(|other| other.starts_at <= from && silence.ends_at <= other.ends_at)
}

/// From when until when a silence covers what it does, together with those of the same matchers that it continues or that continue it.
fn whole(silence: &Silence, others: &[Silence], now: Timestamp) -> (Timestamp, Timestamp) {
    let (mut from, mut until) = (silence.starts_at.max(now), silence.ends_at);
    let mut rest: Vec<&Silence> =
        others.iter().filter(|other| other.id != silence.id && other.matchers == silence.matchers).collect();
    loop {
        let joins = |other: &&Silence| other.starts_at <= until.plus(GAP) && from <= other.ends_at.plus(GAP);
        let Some(index) = rest.iter().position(joins) else { return (from, until) };
        let other = rest.swap_remove(index);
        (from, until) = (from.min(other.starts_at), until.max(other.ends_at));
    }
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
    // Some that can't be read may be left out.
    let has_all = !config.is_partial && config.tenants.len() > 1;
    has_all && config.tenants.values().all(|tenant| is_covered(tenant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{SilenceId, silence::Matchers};

    #[test]
    fn a_silence_counts_together_with_those_that_it_continues() {
        let hour = |hour: i64| Timestamp::from_seconds(hour * 3600);
        let silence = |id, from, until, is_other: bool| {
            let mut matchers = Matchers::default();
            if is_other {
                matchers.labels.0.insert("tier".into(), "gold".into());
            }
            let (author, comment) = (String::new(), String::new());
            Silence { id: SilenceId(id), matchers, starts_at: hour(from), ends_at: hour(until), author, comment }
        };
        let new = silence(9, 100, 200, false);
        for (other, is_within) in [
            (silence(1, 0, 200, false), true),
            (silence(1, 100, 300, false), true),
            (silence(1, 0, 199, false), false),
            (silence(1, 101, 300, false), false),
            (silence(1, 0, 300, true), false),
            (silence(9, 100, 200, false), false),
            (silence(10, 0, 300, false), false),
        ] {
            assert_eq!(is_within_another(&new, std::slice::from_ref(&other), hour(100)), is_within, "{other:?}");
        }
        for (others, from, until) in [
            (vec![], 100, 200),
            (vec![silence(1, 0, 100, false)], 0, 200),
            (vec![silence(1, 0, 99, false)], 0, 200),
            (vec![silence(1, 0, 98, false)], 100, 200),
            (vec![silence(1, 0, 100, true)], 100, 200),
            (vec![silence(1, -50, 0, false), silence(2, 0, 101, false), silence(3, 200, 300, false)], -50, 300),
            (vec![silence(9, 100, 200, false)], 100, 200),
            (vec![silence(1, 150, 160, false)], 100, 200),
        ] {
            assert_eq!(whole(&new, &others, hour(100)), (hour(from), hour(until)), "{others:?}");
        }
        assert_eq!(
            whole(&silence(9, 0, 200, false), &[], hour(50)),
            (hour(50), hour(200)),
            "what is over does not count"
        );
    }
}
