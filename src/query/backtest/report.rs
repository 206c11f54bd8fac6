//! What rules would have sent, counted by tenant, rule, channel and time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Span;
use crate::{
    domain::{ChannelName, ScoreKind, Subject, TenantId, Timestamp},
    notify::{NotificationType, compose::type_of},
    replay::{History, Message, Outcome, Plan, ScoreHistory, Stage},
    rule::TransitionKind,
};

/// The time is cut into days, or where that would be more parts than this, into this many.
const PARTS_MAX: u64 = 60;

/// What rules would have sent.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(rename = "BacktestReport")]
pub struct Report {
    /// The beginning of the replayed period.
    pub since: Timestamp,
    /// End of the replayed time.
    pub until: Timestamp,
    /// How many readings were evaluated.
    pub readings: usize,
    /// The number of tenants whose readings were replayed.
    pub tenants_replayed: usize,
    /// The number of tenants that were asked for: more than were replayed if they have too many readings for one request.
    pub tenants_asked: usize,
    /// Notifications of each tenant's alerts, before any are merged or suppressed; noisiest first.
    pub tenants: Vec<Line<TenantId>>,
    /// The same by rule, by name.
    pub rules: Vec<Line<String>>,
    /// The messages of each channel.
    pub channels: Vec<ChannelLine>,
    /// When each of the notifications would have been made, oldest first; of more than [`MOMENTS_MAX`], the newest.
    pub moments: Vec<Moment>,
    /// Notifications in each of the equal parts of the replayed time, oldest first.
    pub over_time: Vec<usize>,
    /// Copies that were not sent on their own, by the stage that stopped or merged them.
    pub suppressed: BTreeMap<Stage, usize>,
}

/// The most notifications of which it is said when they would have been made.
pub const MOMENTS_MAX: usize = 1_000;

/// When one notification would have been made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "BacktestMoment")]
pub struct Moment {
    /// When the notification would have been made.
    pub at: Timestamp,
    /// The tenant that it is about.
    pub tenant: TenantId,
    /// The name of the rule.
    pub rule: String,
    /// Of which score; null: of the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// What kind of message it would have been.
    #[serde(rename = "type")]
    pub kind: NotificationType,
}

/// Numbers of notifications by type, before any are merged or suppressed.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(rename = "BacktestLineOf{K}")]
pub struct Line<K> {
    /// The tenant or rule that they belong to.
    pub of: K,
    /// Notifications of type `alert.firing`.
    pub firing: usize,
    /// Notifications of type `alert.worsened`.
    pub worsened: usize,
    /// How many reminders would have been sent.
    pub reminder: usize,
    /// Notifications of type `alert.escalated`, if nobody had acknowledged any alert.
    pub escalated: usize,
    /// Notifications that an alert changes too often.
    pub unstable: usize,
    /// Notifications of type `alert.resolved`.
    pub resolved: usize,
    /// The sum of the above.
    pub all: usize,
}

/// The messages that one channel would have received.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(rename = "BacktestChannel")]
pub struct ChannelLine {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Messages sent to it, digests included.
    pub messages: usize,
    /// How many of those were digests.
    pub digests: usize,
    /// Messages per week, on average over the replayed time.
    pub per_week: f64,
}

impl Report {
    pub(super) fn of(plan: &Plan, histories: &[History], outcome: &Outcome, span: Span) -> Self {
        let weeks = span.until.since(span.since).as_secs_f64() / (7.0 * 86_400.0);
        let mut tenants: BTreeMap<TenantId, Line<TenantId>> = BTreeMap::new();
        let mut rules: BTreeMap<String, Line<String>> =
            plan.rules.iter().map(|rule| (rule.name.to_string(), Line::new(rule.name.to_string()))).collect();
        for message in &outcome.messages {
            let kind = message.transition.kind;
            tenants.entry(message.tenant.clone()).or_insert_with(|| Line::new(message.tenant.clone())).count(kind);
            rules.entry(message.rule.name.to_string()).or_insert_with_key(|name| Line::new(name.clone())).count(kind);
        }
        let mut tenants: Vec<_> = tenants.into_values().collect();
        tenants.sort_by(|one, other| other.all.cmp(&one.all).then_with(|| one.of.cmp(&other.of)));
        let channel = |channel: &ChannelName| {
            let sent: Vec<_> = outcome.sent.iter().filter(|sent| sent.channel == *channel).collect();
            #[expect(clippy::cast_precision_loss, reason = "a count of messages is small")]
            ChannelLine {
                channel: channel.clone(),
                messages: sent.len(),
                digests: sent.iter().filter(|sent| sent.kind == NotificationType::Digest).count(),
                per_week: sent.len() as f64 / weeks,
            }
        };
        let mut suppressed: BTreeMap<Stage, usize> = BTreeMap::new();
        for one in &outcome.suppressed {
            *suppressed.entry(one.stage).or_default() += 1;
        }
        Self {
            since: span.since,
            until: span.until,
            readings: histories.iter().flat_map(|history| &history.scores).map(ScoreHistory::readings).sum(),
            tenants_replayed: histories.len(),
            tenants_asked: histories.len(),
            tenants,
            rules: rules.into_values().collect(),
            channels: plan.receivers.keys().map(channel).filter(|line| line.messages > 0).collect(),
            moments: moments(outcome),
            over_time: over_time(outcome, span),
            suppressed,
        }
    }
}

impl<K> Line<K> {
    const fn new(of: K) -> Self {
        Self { of, firing: 0, worsened: 0, reminder: 0, escalated: 0, unstable: 0, resolved: 0, all: 0 }
    }

    const fn count(&mut self, kind: TransitionKind) {
        match kind {
            TransitionKind::Fired => self.firing += 1,
            TransitionKind::Worsened => self.worsened += 1,
            TransitionKind::Reminder => self.reminder += 1,
            TransitionKind::Escalated => self.escalated += 1,
            TransitionKind::Unstable => self.unstable += 1,
            TransitionKind::Resolved(_) => self.resolved += 1,
        }
        self.all += 1;
    }
}

fn moments(outcome: &Outcome) -> Vec<Moment> {
    let newest = &outcome.messages[outcome.messages.len().saturating_sub(MOMENTS_MAX)..];
    let moment = |message: &Message| Moment {
        at: message.at,
        tenant: message.tenant.clone(),
        rule: message.rule.name.to_string(),
        score: message.score,
        subject: message.subject.clone(),
        kind: type_of(message.transition.kind),
    };
    newest.iter().map(moment).collect()
}

/// How many notifications each of the equal parts of the time has: a day each, or longer if there would be too many
/// parts.
fn over_time(outcome: &Outcome, span: Span) -> Vec<usize> {
    let whole = span.until.since(span.since).as_secs().max(1);
    let parts = (whole / 86_400).clamp(1, PARTS_MAX);
    let mut counts = vec![0; usize::try_from(parts).unwrap_or(1)];
    for message in &outcome.messages {
        let part = u128::from(message.at.since(span.since).as_secs()) * u128::from(parts) / u128::from(whole);
        let last = counts.len() - 1;
        counts[usize::try_from(part).unwrap_or(last).min(last)] += 1;
    }
    counts
}
