//! What several rules say of one reading goes out as one message. Pure: which deliveries these are.
//!
//! Each keeps its own alert, end and acknowledgement, and is a line of a digest, which no later message can replace.

use std::collections::BTreeSet;

use super::{DeliveryId, Envelope, digest::Waiting};
use crate::{
    domain::{ScoreKind, Subject, TenantId, Timestamp},
    rule::RuleName,
};

/// The reading that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingKey {
    /// The tenant that was read.
    pub tenant: TenantId,
    /// The score that was read.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// When its source gave it.
    pub observed_at: Timestamp,
}

/// A delivery of one tenant's that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedDelivery {
    /// What must be known of it to find its place in a digest.
    pub waiting: Waiting,
    /// The reading that it is about, and by which rule; `None`: it is about no reading.
    pub reading: Option<(ReadingKey, RuleName)>,
    /// Whether somebody has tried to send it.
    pub is_tried: bool,
}

/// The reading that the notification in that envelope is about, and the rule by which it is; `None`: it is about none, such as a lack
/// of data, or for the operator.
#[must_use]
pub fn of(envelope: &Envelope) -> Option<(ReadingKey, RuleName)> {
    let alert = envelope.alert.as_ref().filter(|_| !envelope.is_operator)?;
    let key = ReadingKey {
        tenant: alert.tenant.clone(),
        score: alert.score?,
        subject: alert.subject.clone(),
        observed_at: envelope.observed_at?,
    };
    Some((key, alert.rule.clone()))
}

/// The deliveries that one message can say together with `head`: of each rule that says something of the head's reading, all that
/// waits up to it. `queue` is what waits for one channel of the head's tenant, oldest first. Empty: no other rule says anything of the
/// reading. What was tried before goes on by its own: it may have arrived.
#[must_use]
pub fn together_with(head: DeliveryId, queue: &[QueuedDelivery]) -> Vec<DeliveryId> {
    let of_head = queue.iter().find(|one| one.waiting.delivery == head).and_then(|one| one.reading.as_ref());
    let Some((reading, _)) = of_head else { return Vec::new() };
    let is_of_it = |one: &&QueuedDelivery| one.reading.as_ref().is_some_and(|(other, _)| other == reading);
    let rules: BTreeSet<&RuleName> =
        queue.iter().filter(is_of_it).filter_map(|one| one.reading.as_ref()).map(|(_, rule)| rule).collect();
    let of_rule = |rule: &&RuleName| -> Vec<&QueuedDelivery> {
        let is_same_alert = |one: &&QueuedDelivery| {
            one.reading.as_ref().is_some_and(|(other, by)| {
                by == *rule && (other.score, &other.subject) == (reading.score, &reading.subject)
            })
        };
        let all: Vec<&QueuedDelivery> = queue.iter().filter(is_same_alert).collect();
        let last = all.iter().rposition(is_of_it).map_or(0, |last| last + 1);
        all[..last].to_vec()
    };
    let groups: Vec<Vec<&QueuedDelivery>> =
        rules.iter().map(of_rule).filter(|group| !group.iter().any(|one| one.is_tried)).collect();
    let has_head = groups.iter().flatten().any(|one| one.waiting.delivery == head);
    if groups.len() < 2 || !has_head {
        return Vec::new();
    }
    let mut members: Vec<DeliveryId> = groups.into_iter().flatten().map(|one| one.waiting.delivery).collect();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::NotificationType;

    /// `a5` is rule `a` on the reading of second 5; `a5/x` one of subject `x`; `a-` has no reading; `!`: it was tried.
    fn queue(text: &str) -> Vec<QueuedDelivery> {
        let one = |(word, number): (&str, i64)| {
            let is_tried = word.ends_with('!');
            let (word, subject) = word
                .trim_end_matches('!')
                .split_once('/')
                .map_or((word.trim_end_matches('!'), None), |(word, subject)| (word, Some(Subject(subject.into()))));
            let (rule, at) = word.split_at(1);
            let key = |seconds: i64| ReadingKey {
                tenant: TenantId::parse("contoso").unwrap(),
                score: ScoreKind::DeviceSecureScore,
                subject: subject.clone(),
                observed_at: Timestamp::from_seconds(seconds),
            };
            let reading = at.parse().ok().map(|seconds| (key(seconds), RuleName::parse(rule).unwrap()));
            let waiting = Waiting {
                delivery: DeliveryId(number),
                kind: NotificationType::AlertFiring,
                at: Timestamp::EPOCH,
                firing: None,
                is_over: false,
                sequence: 1,
                severity: None,
                loss_percent: None,
                rule: None,
                tenant: None,
                is_operator: false,
            };
            QueuedDelivery { waiting, reading, is_tried }
        };
        text.split_whitespace().zip(1..).map(one).collect()
    }

    #[test]
    fn rules_on_one_reading_go_together_and_nothing_else_does() {
        for (text, head, members, why) in [
            ("a5 b5", 1, &[1, 2][..], "two rules, one reading"),
            ("a5 b5 c5", 2, &[1, 2, 3], "whichever is first"),
            ("a5", 1, &[], "one rule alone is its own message"),
            ("a5 b6", 1, &[], "another reading"),
            ("a5 b5/x", 1, &[], "another subject"),
            ("a5 a5", 1, &[], "one alert: its newest covers the other"),
            ("a- b-", 1, &[], "no reading"),
            ("b4 a5 b5", 2, &[1, 2, 3], "what waits before it of the same alert comes along"),
            ("a5 b5 b6", 1, &[1, 2], "what comes after it waits"),
            ("a5! b5", 2, &[], "what was tried may have arrived"),
            ("a5 b5! c5", 1, &[1, 3], "the others go together"),
            ("b4! a5 b5 c5", 2, &[2, 4], "and nothing overtakes what was tried"),
        ] {
            let found: Vec<i64> = together_with(DeliveryId(head), &queue(text)).iter().map(|id| id.0).collect();
            assert_eq!(found, members, "{text}: {why}");
        }
    }
}
