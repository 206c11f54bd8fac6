//! What decides, apart from the readings, whether somebody is notified of an alert. Each decider looks at all there is
//! and says one
//! sentence or nothing; a further one is a function and a line in [`DECIDERS`].

use serde::Serialize;

use crate::{
    check::outlook::Outlook,
    config::{Config, Tenant},
    domain::{ChannelName, Language, Scope, ScoreKind, Timestamp},
    notify::{Silence, excluded::sentence, language::Words, silence::MatchTarget},
    query::{find, neutral},
    rule::{AlertState, Condition, Rule, display},
    store::{AlertRecord, TenantRecord},
};

/// One thing that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Decision {
    /// Who decides, for machines.
    pub by: &'static str,
    /// Whether it keeps the alert from firing, or its notifications from being sent.
    pub blocks: bool,
    /// What it says, as one sentence.
    pub says: String,
}

/// What deciders look at.
pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    pub(super) scope: &'a Scope,
    pub(super) tenant: &'a Tenant,
    pub(super) rule: &'a Rule,
    pub(super) record: Option<&'a TenantRecord>,
    pub(super) outlooks: &'a [Outlook<'a>],
    pub(super) notified: &'a [ChannelName],
    pub(super) kept_out: &'a [ChannelName],
    pub(super) silences: &'a [Silence],
    pub(super) now: Timestamp,
}

type Decider = fn(&Facts<'_>) -> Option<Decision>;

/// In the order in which they are shown.
const DECIDERS: [Decider; 13] = [
    labels,
    polled,
    onboarding,
    failing,
    excluded,
    zero,
    rebased,
    heard,
    silenced,
    acknowledged,
    unstable,
    covered,
    fleet,
];

/// What all deciders say.
pub(super) fn decisions(facts: &Facts<'_>) -> Vec<Decision> {
    DECIDERS.iter().filter_map(|decide| decide(facts)).collect()
}

const fn blocks(by: &'static str, says: String) -> Decision {
    Decision { by, blocks: true, says }
}

fn labels(facts: &Facts<'_>) -> Option<Decision> {
    let has = &facts.tenant.labels;
    let misses: Vec<String> = facts
        .rule
        .tenants
        .0
        .iter()
        .filter(|(key, wanted)| has.get(*key) != Some(*wanted))
        .map(|(key, wanted)| match has.get(key) {
            Some(value) => format!("`{key}: {wanted}`, but this tenant has `{key}: {value}`"),
            None => format!("`{key}: {wanted}`, but this tenant has no label `{key}`"),
        })
        .collect();
    if misses.is_empty() {
        return None;
    }
    if !facts.scope.sees_labels() {
        return Some(blocks("labels", "the rule is for other tenants".to_owned()));
    }
    Some(blocks("labels", format!("the rule is for tenants with {}", misses.join("; and "))))
}

fn polled(facts: &Facts<'_>) -> Option<Decision> {
    let score = facts.rule.score.filter(|score| !facts.tenant.scores.contains(score))?;
    let says = format!("the rule evaluates `{score}`, which is not polled for this tenant: add it to `scores:`");
    Some(blocks("scores", says))
}

fn onboarding(facts: &Facts<'_>) -> Option<Decision> {
    let says = "the tenant has never been checked: the service has not run with it yet";
    facts.record.is_none().then(|| blocks("onboarding", says.to_owned()))
}

fn failing(facts: &Facts<'_>) -> Option<Decision> {
    let health = &facts.record?.health;
    let of_score = |score| health.failures.iter().find(|failure| failure.score == score);
    let own = facts.rule.score.and_then(of_score).map(|failure| &failure.failing);
    let is_read = facts.rule.score.is_some() && own.is_none() && !health.failures.is_empty();
    let failing = neutral::failing(facts.scope, own.or(health.failing.as_ref()).cloned())?;
    let hint = failing.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let (since, class) = (facts.config.timezone.written(failing.since), &failing.class);
    Some(if is_read {
        let says = format!("this score is read; others of the tenant can't be read since {since} ({class}){hint}");
        Decision { by: "checks", blocks: false, says }
    } else {
        blocks("checks", format!("checks have been failing since {since} ({class}){hint}"))
    })
}

/// Controls that do not count, and what is to be known of each.
fn excluded(facts: &Facts<'_>) -> Option<Decision> {
    let is_of_controls = |outlook: &Outlook<'_>| {
        matches!(outlook.key.score, Some(ScoreKind::SecureScore | ScoreKind::SecureScoreCategory))
    };
    if facts.rule.is_no_data() || !facts.outlooks.iter().any(is_of_controls) {
        return None;
    }
    let wanted = facts.config.excluded_names(facts.tenant, facts.now);
    let mut controls = facts.config.excluded_facts(facts.tenant, &wanted, facts.now);
    if !facts.scope.sees_about() {
        for control in &mut controls {
            control.reason = None;
        }
    }
    let said = sentence(&controls, Words::of(Language::En))?;
    let names: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
    let known = facts.record.map(|record| &record.excluded);
    let pending = known.is_none_or(|known| known.in_force != wanted);
    let pending = if pending { "; that takes effect at the next successful check" } else { "" };
    let unknown = known.map(|known| facts.config.unknown_controls(facts.tenant, &known.names, facts.now));
    let says = format!("{said} ({}){pending}", names.join(", "));
    let says = unknown.unwrap_or_default().iter().fold(says, |says, unknown| format!("{says}; {unknown}"));
    Some(Decision { by: "exclusion", blocks: false, says })
}

fn zero(facts: &Facts<'_>) -> Option<Decision> {
    let waits = facts.outlooks.iter().any(|outlook| !outlook.explanation.is_confirmed);
    let says = "the newest reading is exactly 0, which counts only once a second reading confirms it";
    waits.then(|| blocks("zero", says.to_owned()))
}

fn rebased(facts: &Facts<'_>) -> Option<Decision> {
    facts.rule.when.change()?;
    let rebased = facts.outlooks.iter().find_map(|outlook| {
        let alert = &outlook.record?.alert;
        let at = alert.rebased_at.filter(|_| !matches!(alert.state, AlertState::Firing(_)))?;
        let newest = outlook.window.iter().find(|sample| sample.at == at).map(|sample| sample.value);
        Some((at, newest))
    });
    let (at, value) = rebased?;
    let value = value.map(|value| format!(" ({})", display::number(value))).unwrap_or_default();
    Some(Decision {
        by: "rebased",
        blocks: false,
        says: format!(
            "readings before {}{value} are not used as a baseline: their loss was accepted or regained, or the \
             tenant was onboarded later",
            facts.config.timezone.written(at)
        ),
    })
}

fn heard(facts: &Facts<'_>) -> Option<Decision> {
    let outside_audience = outside_audience(facts.config, facts.scope, facts.kept_out);
    if !facts.notified.is_empty() {
        return outside_audience;
    }
    let why = match outside_audience {
        Some(outside_audience) => outside_audience.says,
        None if facts.config.channels.is_empty() => "no channel is configured".to_owned(),
        None => "neither the rule nor the tenant names a channel".to_owned(),
    };
    Some(blocks("route", format!("nobody would be notified: {why}")))
}

/// Channels that are named and may not show the tenant. Those of others have no name within a limited scope.
pub(super) fn outside_audience(config: &Config, scope: &Scope, kept_out: &[ChannelName]) -> Option<Decision> {
    let (seen, others): (Vec<_>, Vec<_>) =
        kept_out.iter().partition(|channel| find::channel(config, scope, channel.as_str()).is_ok());
    let mut names: Vec<_> = seen.iter().map(|channel| format!("`{channel}`")).collect();
    names.extend((!others.is_empty()).then(|| "another audience's channel".to_owned()));
    let says = format!("{} may not show this tenant", names.join(", "));
    (!names.is_empty()).then_some(Decision { by: "audience", blocks: false, says })
}

/// Silences and maintenance windows that cover it now.
fn silenced(facts: &Facts<'_>) -> Option<Decision> {
    facts.outlooks.iter().find_map(|outlook| {
        let target = MatchTarget {
            tenant: facts.tenant.id.as_str(),
            labels: &facts.tenant.labels,
            rule: facts.rule.name.as_str(),
            score: outlook.key.score,
            severity: facts.rule.severity,
            is_blindness: false,
        };
        held(facts.config, facts.scope, facts.silences, &target, facts.now)
    })
}

/// What these silences and the maintenance windows hold back. A silence that reaches beyond the scope is not shown, only that there is
/// one.
pub(super) fn held(
    config: &Config,
    scope: &Scope,
    silences: &[Silence],
    target: &MatchTarget<'_>,
    now: Timestamp,
) -> Option<Decision> {
    let until = config.timezone.written(config.covering(silences, target, now)?);
    let (seen, others): (Vec<_>, Vec<_>) = silences
        .iter()
        .filter(|silence| silence.covers(target, now).is_some())
        .partition(|silence| silence.matchers.is_within(scope));
    let by_hand =
        seen.iter().map(|silence| format!("silence {} of {}: {}", silence.id, silence.author, silence.comment));
    let by = by_hand
        .chain((!others.is_empty()).then(|| "a silence that covers more tenants".to_owned()))
        .collect::<Vec<_>>();
    let by = if by.is_empty() { "a maintenance window".to_owned() } else { by.join("; ") };
    Some(blocks("silence", format!("notifications are held until {until} ({by})")))
}

fn acknowledged(facts: &Facts<'_>) -> Option<Decision> {
    let mut firing = records(facts).filter(|record| record.alert.is_firing());
    let seen = firing.find_map(|record| record.acknowledged.as_ref())?;
    let says = format!(
        "{} acknowledged it at {} ({}): no reminders and no escalation until it worsens or resolves",
        seen.by,
        facts.config.timezone.written(seen.at),
        seen.comment
    );
    Some(blocks("acknowledgement", says))
}

fn unstable(facts: &Facts<'_>) -> Option<Decision> {
    let unstable = records(facts).find_map(|record| record.alert.flapping.unstable.as_ref())?;
    let says = format!(
        "it has changed too often, last at {}; notifications resume once it has been stable for {}",
        facts.config.timezone.written(unstable.changed_at),
        crate::domain::format_duration(facts.rule.calm())
    );
    Some(blocks("flapping", says))
}

fn covered(facts: &Facts<'_>) -> Option<Decision> {
    let mut covered = records(facts).filter(|record| record.alert.is_firing());
    let shift = covered.find_map(|record| record.shift.as_deref())?;
    // Whoever sees some tenants alone learns nothing of others here.
    let says = if facts.scope.is_all() {
        format!(
            "its notification was a line in the notice of fleet shift {shift}; it keeps firing until it resolves or \
             `scorewatch alerts accept --shift {shift}` accepts the new level"
        )
    } else {
        "it fires because the score itself shifted; it keeps firing until it resolves or the new level is accepted"
            .to_owned()
    };
    Some(Decision { by: "fleet", blocks: false, says })
}

/// How long a message waits for the rest of the fleet.
fn fleet(facts: &Facts<'_>) -> Option<Decision> {
    let wait = facts.config.fleet.wait();
    let takes_part = facts.rule.fleet && !wait.is_zero() && !matches!(facts.rule.when, Condition::NoData(_));
    let polled = facts.config.tenants.values().filter(|tenant| {
        facts.outlooks.iter().any(|outlook| outlook.key.score.is_some_and(|score| tenant.scores.contains(&score)))
    });
    (takes_part && polled.count() >= facts.config.fleet.at_least).then(|| Decision {
        by: "fleet-hold",
        blocks: false,
        says: format!(
            "its notifications are held {}for at most {}, to see whether the {} moved",
            if facts.scope.is_all() { "until every due tenant has been read, " } else { "" },
            crate::domain::format_duration(wait),
            if facts.scope.is_all() { "whole fleet" } else { "score itself" },
        ),
    })
}

fn records<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a AlertRecord> {
    facts.outlooks.iter().filter_map(|outlook| outlook.record)
}
