//! Notifies the operator of a silence that covers every tenant or lasts a long time: whoever makes one by mistake, or in bad faith, would
//! otherwise make the whole service silent. A customer's analyst would do that to what the operator learns of the customer's tenants.

use std::{sync::Arc, time::Duration};

use crate::{
    check::blind::OPERATOR_BLIND,
    config::Config,
    domain::{Scope, Timestamp},
    notify::{
        NotificationType, Silence, SilenceId, compose,
        facts::wording::{Covered, Named, News},
        notification::OperatorFacts,
        silence::{Matchers, NewSilence},
    },
    store::{NewNotification, SilenceNotice},
};

/// A silence that lasts longer is one that the operator is notified of.
const LONG: Duration = Duration::from_hours(7 * 24);
/// A silence that begins at most that long after another one ends continues it: hardly anything is sent in between.
const GAP: Duration = Duration::from_hours(1);
/// Tenants, labels and rules that the message names; of more, it says how many.
const NAMED_MAX: usize = 5;
/// Characters of a name in the message. A label may be longer.
const NAME_CHARACTERS_MAX: usize = 100;

/// What the operator is to be notified of together with the silence, if there is reason to. `others`: those that are there; `store`: its
/// identity.
pub(super) fn notice(
    config: &Config,
    store: &str,
    scope: &Scope,
    silence: &NewSilence,
    others: &[Silence],
    now: Timestamp,
) -> Option<SilenceNotice> {
    if is_within_another(silence, others, now) {
        return None;
    }
    let own = (silence.starts_at.max(now), silence.ends_at);
    let whole = whole(silence, others, now);
    let (from, until) = if whole.1.since(whole.0) > LONG { whole } else { own };
    let length = until.since(from);
    let everybody = covers_everybody(config, silence);
    let is_long = length > LONG;
    if !(everybody || is_long || blinds_operator(scope, &silence.matchers)) {
        return None;
    }
    // Rounded up to whole minutes: a silence that began a moment ago is a few seconds short.
    let seconds = length.as_secs().div_ceil(60) * 60;
    let has_page = config.shown_url().is_some();
    let class = match (everybody, is_long) {
        (true, _) => "silence-wide",
        (false, true) => "silence-long",
        (false, false) => "silence-limited",
    };
    let covers = covers(&silence.matchers);
    let kind = NotificationType::OperatorSilence;
    let (author, channels, store) = (silence.author.clone(), config.operator.notify.clone(), store.to_owned());
    Some(Arc::new(move |id: SilenceId| {
        let (author, covers) = (author.clone(), covers.clone());
        let news = News::Silenced { id: id.0, author, everybody, seconds, has_page, covers };
        let facts = OperatorFacts { from: Some(from), until: Some(until), ..OperatorFacts::of(news, class, None) };
        let notification = compose::for_operator(kind, &[kind.as_str(), &store, &id.to_string()], None, facts, now);
        NewNotification { notification, alert: None, tenant: None, hold: None, channels: channels.clone() }
    }))
}

/// Whether it keeps from the operator that a tenant can't be read, and its author sees some tenants alone.
fn blinds_operator(scope: &Scope, matchers: &Matchers) -> bool {
    let covers_blindness =
        matchers.rules.is_empty() || matchers.rules.iter().any(|rule| rule.as_str() == OPERATOR_BLIND);
    !scope.is_all() && covers_blindness
}

/// What it covers, as the message names it: the first names of each kind, and how many more there are.
fn covers(matchers: &Matchers) -> Covered {
    let short = |text: &str| text.chars().take(NAME_CHARACTERS_MAX).collect::<String>();
    let named = |names: Vec<String>| Named {
        more: names.len().saturating_sub(NAMED_MAX),
        names: names.iter().take(NAMED_MAX).map(|name| short(name)).collect(),
    };
    Covered {
        tenants: named(matchers.tenants.iter().map(ToString::to_string).collect()),
        labels: named(matchers.labels.0.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        rules: named(matchers.rules.iter().map(ToString::to_string).collect()),
        scores: matchers.scores.iter().copied().collect(),
        severities: matchers.severities.iter().copied().collect(),
    }
}

/// Whether one that is there covers the same for at least as long: the operator was notified of that one, if there was reason to.
fn is_within_another(silence: &NewSilence, others: &[Silence], now: Timestamp) -> bool {
    let from = silence.starts_at.max(now);
    let covers = |other: &Silence| other.starts_at <= from && silence.ends_at <= other.ends_at;
    others.iter().any(|other| other.matchers == silence.matchers && covers(other))
}

/// From when until when a silence covers what it does, together with those of the same matchers that it continues or that continue it.
fn whole(silence: &NewSilence, others: &[Silence], now: Timestamp) -> (Timestamp, Timestamp) {
    let (mut from, mut until) = (silence.starts_at.max(now), silence.ends_at);
    let mut rest: Vec<&Silence> = others.iter().filter(|other| other.matchers == silence.matchers).collect();
    loop {
        let joins = |other: &&Silence| other.starts_at <= until.plus(GAP) && from <= other.ends_at.plus(GAP);
        let Some(index) = rest.iter().position(joins) else { return (from, until) };
        let other = rest.swap_remove(index);
        (from, until) = (from.min(other.starts_at), until.max(other.ends_at));
    }
}

/// Whether no tenant is left out: it names none, or all of several.
fn covers_everybody(config: &Config, silence: &NewSilence) -> bool {
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

    #[test]
    fn a_silence_counts_together_with_those_that_it_continues() {
        let hour = |hour: i64| Timestamp::from_seconds(hour * 3600);
        let new = |from, until, is_other: bool| {
            let mut matchers = Matchers::default();
            if is_other {
                matchers.labels.0.insert("tier".into(), "gold".into());
            }
            let (author, comment) = (String::new(), String::new());
            NewSilence { matchers, starts_at: hour(from), ends_at: hour(until), author, comment }
        };
        let silence = |id, from, until, is_other| new(from, until, is_other).numbered(SilenceId(id));
        let added = new(100, 200, false);
        for (other, is_within) in [
            (silence(1, 0, 200, false), true),
            (silence(1, 100, 300, false), true),
            (silence(1, 0, 199, false), false),
            (silence(1, 101, 300, false), false),
            (silence(1, 0, 300, true), false),
            (silence(2, 100, 200, false), true),
        ] {
            assert_eq!(is_within_another(&added, std::slice::from_ref(&other), hour(100)), is_within, "{other:?}");
        }
        for (others, from, until) in [
            (vec![], 100, 200),
            (vec![silence(1, 0, 100, false)], 0, 200),
            (vec![silence(1, 0, 99, false)], 0, 200),
            (vec![silence(1, 0, 98, false)], 100, 200),
            (vec![silence(1, 0, 100, true)], 100, 200),
            (vec![silence(1, -50, 0, false), silence(2, 0, 101, false), silence(3, 200, 300, false)], -50, 300),
            (vec![silence(1, 150, 160, false)], 100, 200),
        ] {
            assert_eq!(whole(&added, &others, hour(100)), (hour(from), hour(until)), "{others:?}");
        }
        assert_eq!(whole(&new(0, 200, false), &[], hour(50)), (hour(50), hour(200)), "what is over does not count");
    }
}
