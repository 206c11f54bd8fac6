//! Silences: matchers and a time in which notifications are suppressed. Alerts go on; only their notifications wait.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Envelope, NotificationType};
use crate::{
    domain::{DURATION_MAX, Labels, Scope, ScoreKind, Selector, Severity, TenantId, Timestamp},
    rule::{AlertKey, RuleName},
    schedule::Zone,
};

/// Longest comment, in characters.
pub const COMMENT_CHARACTERS_MAX: usize = 500;
/// Longest name of an author, in characters.
pub const AUTHOR_CHARACTERS_MAX: usize = 100;
/// The most silences or windows that follow each other without a gap that are taken for one; what comes after is evaluated then.
const LOOK_AHEAD_MAX: u32 = 32;

/// A silence's number in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct SilenceId(pub i64);

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a silence covers: every matcher that is given must match. None given: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Matchers {
    /// One of these tenants.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tenants: BTreeSet<TenantId>,
    /// Tenants with all of these labels.
    #[serde(default)]
    pub labels: Selector,
    /// By one of these rules.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rules: BTreeSet<RuleName>,
    /// Of one of these scores.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scores: BTreeSet<ScoreKind>,
    /// Of one of these severities.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub severities: BTreeSet<Severity>,
}

impl Matchers {
    /// What covers the alerts of an alert's tenant, rule and score.
    #[must_use]
    pub fn of_alert(alert: &AlertKey) -> Self {
        Self {
            tenants: [alert.tenant.clone()].into(),
            rules: [alert.rule.clone()].into(),
            scores: alert.score.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether no matcher is given, so that everything is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.names_tenants() && self.rules.is_empty() && self.scores.is_empty() && self.severities.is_empty()
    }

    /// Whether it says whose alerts it covers.
    fn names_tenants(&self) -> bool {
        !self.tenants.is_empty() || !self.labels.0.is_empty()
    }

    /// Whether it names the tenants that it covers, and none beyond the scope. Labels name nobody: tenants get and lose them.
    #[must_use]
    pub fn is_within(&self, scope: &Scope) -> bool {
        scope.is_all() || (!self.tenants.is_empty() && self.tenants.iter().all(|tenant| scope.includes(tenant)))
    }

    /// What it covers within the scope, whose tenants it names then. `None`: nothing.
    #[must_use]
    pub fn limited_to(mut self, scope: &Scope) -> Option<Self> {
        let Some(within) = scope.tenants() else { return Some(self) };
        if self.tenants.is_empty() {
            self.tenants.clone_from(within);
        } else {
            self.tenants.retain(|tenant| within.contains(tenant));
        }
        // Without a name it would cover everybody.
        (!self.tenants.is_empty()).then_some(self)
    }

    /// Whether it covers this. That we are blind to a tenant is covered only by what names that tenant.
    #[must_use]
    pub fn match_all(&self, target: &MatchTarget<'_>) -> bool {
        (self.tenants.is_empty() || self.tenants.iter().any(|tenant| tenant.as_str() == target.tenant))
            && self.labels.matches(target.labels)
            && (self.rules.is_empty() || self.rules.iter().any(|rule| rule.as_str() == target.rule))
            && (self.scores.is_empty() || target.score.is_some_and(|score| self.scores.contains(&score)))
            && (self.severities.is_empty() || self.severities.contains(&target.severity))
            && (!target.is_blindness || self.names_tenants())
    }
}

impl fmt::Display for Matchers {
    /// `tenant contoso, tier=gold, rule low`, or `everything`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut one_of = |what: &str, names: Vec<&str>| {
            if !names.is_empty() {
                parts.push(format!("{what} {}", names.join(" or ")));
            }
        };
        one_of("tenant", self.tenants.iter().map(TenantId::as_str).collect());
        one_of("rule", self.rules.iter().map(RuleName::as_str).collect());
        one_of("score", self.scores.iter().map(|score| score.as_str()).collect());
        one_of("severity", self.severities.iter().map(|severity| severity.as_str()).collect());
        parts.extend(self.labels.0.iter().map(|(key, value)| format!("{key}={value}")));
        if parts.is_empty() { f.write_str("everything") } else { f.write_str(&parts.join(", ")) }
    }
}

/// What a message is about, as matchers see it.
#[derive(Debug, Clone, Copy)]
pub struct MatchTarget<'a> {
    /// The slug of the alert's tenant.
    pub tenant: &'a str,
    /// The labels of the tenant in the configuration.
    pub labels: &'a Labels,
    /// The name of the alert's rule.
    pub rule: &'a str,
    /// Of which score; `None`: of all that the tenant is polled for, which no matcher by score covers.
    pub score: Option<ScoreKind>,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it says that we are blind to the tenant.
    pub is_blindness: bool,
}

impl<'a> MatchTarget<'a> {
    /// What the notification in that envelope is about, whose tenant has these labels. `None`: about no alert, and so nothing covers
    /// it: digests, drills, what else the operator hears.
    #[must_use]
    pub fn of(envelope: &'a Envelope, labels: &'a Labels) -> Option<Self> {
        let alert = envelope.alert.as_ref()?;
        Some(Self {
            tenant: alert.tenant.as_str(),
            labels,
            rule: alert.rule.as_str(),
            score: alert.score,
            severity: envelope.severity?,
            is_blindness: envelope.kind == NotificationType::OperatorBlind,
        })
    }
}

/// Matchers and the time in which they hold, made by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Silence {
    /// The silence's number in the store.
    pub id: SilenceId,
    /// Which alerts it suppresses.
    pub matchers: Matchers,
    /// When the silence begins.
    pub starts_at: Timestamp,
    /// Until when; at this instant it covers nothing any more.
    pub ends_at: Timestamp,
    /// The person who made the silence, by name.
    pub author: String,
    /// Why the silence was made, in the author's words.
    pub comment: String,
}

impl Silence {
    /// Whether it is in force.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    /// Until when it covers this; `None`: it does not, now.
    #[must_use]
    pub fn covers(&self, target: &MatchTarget<'_>, now: Timestamp) -> Option<Timestamp> {
        (self.is_in_force(now) && self.matchers.match_all(target)).then_some(self.ends_at)
    }
}

/// A silence that is not in the store yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSilence {
    /// Which alerts it is to suppress; see [`Silence::matchers`].
    pub matchers: Matchers,
    /// When it is to begin; see [`Silence::starts_at`].
    pub starts_at: Timestamp,
    /// When it is to end; see [`Silence::ends_at`].
    pub ends_at: Timestamp,
    /// The person who makes it; see [`Silence::author`].
    pub author: String,
    /// Why it is made; see [`Silence::comment`].
    pub comment: String,
}

impl NewSilence {
    /// The silence that it becomes with that number.
    #[must_use]
    pub fn numbered(self, id: SilenceId) -> Silence {
        let Self { matchers, starts_at, ends_at, author, comment } = self;
        Silence { id, matchers, starts_at, ends_at, author, comment }
    }

    /// All that is wrong with it, a sentence each, with times of that zone.
    #[must_use]
    pub fn problems(&self, now: Timestamp, zone: &Zone) -> Vec<String> {
        let mut problems = Vec::new();
        if self.ends_at <= self.starts_at {
            problems.push(format!(
                "it ends ({}) before it begins ({})",
                zone.written(self.ends_at),
                zone.written(self.starts_at)
            ));
        } else if self.ends_at <= now {
            problems.push(format!("it is over already: it ended at {}", zone.written(self.ends_at)));
        } else if self.ends_at.since(self.starts_at) > DURATION_MAX {
            problems.push("it is longer than ten years; edit the rule instead".to_owned());
        }
        problems.extend(signature_problems(&self.author, &self.comment));
        problems
    }
}

/// All that is wrong with what a person signs with, a sentence each.
#[must_use]
pub fn signature_problems(author: &str, comment: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (what, text, characters_max) in
        [("author", author, AUTHOR_CHARACTERS_MAX), ("comment", comment, COMMENT_CHARACTERS_MAX)]
    {
        if text.trim().is_empty() {
            problems.push(format!("it has no {what}; others will ask"));
        } else if text.chars().count() > characters_max {
            problems.push(format!("its {what} has more than {characters_max} characters"));
        }
    }
    problems
}

/// A person has seen an alert and needs no reminder of it until it worsens or is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Acknowledgement {
    /// The time at which it happened.
    pub at: Timestamp,
    /// The person who acknowledged the alert, by name.
    pub by: String,
    /// What was said to it.
    pub comment: String,
}

/// Until when something is covered, by one after the other: `ends` says when what covers it at an instant ends. `None`: it is not
/// covered now. Bounded: at the end it is evaluated again anyway.
#[must_use]
pub fn covered_until(now: Timestamp, ends: impl Fn(Timestamp) -> Option<Timestamp>) -> Option<Timestamp> {
    let mut until = ends(now).filter(|end| *end > now)?;
    for _ in 0..LOOK_AHEAD_MAX {
        match ends(until) {
            Some(further) if further > until => until = further,
            _ => break,
        }
    }
    Some(until)
}

/// Until when these silences cover this; `None`: none of them does, now.
#[must_use]
pub fn covering(silences: &[Silence], target: &MatchTarget<'_>, now: Timestamp) -> Option<Timestamp> {
    covered_until(now, |at| silences.iter().filter_map(|silence| silence.covers(target, at)).max())
}

#[cfg(test)]
mod tests;
