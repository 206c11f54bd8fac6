//! What a channel sends next: pure, so that whose turn it is can be read here, whatever store keeps the queue.

use std::time::Duration;

use super::{ChannelHealth, DeliveryId, digest::LINES_MAX};
use crate::domain::Timestamp;

/// On which terms a channel takes its next delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimTerms {
    /// What waits may go along with other deliveries: always with a newer one of the same alert, and as a digest if more than
    /// this many wait. `None`: the receiver keeps state of its own and must be sent each step.
    pub merge_over: Option<usize>,
    /// Whether what several rules say of one reading is one message.
    pub merges_readings: bool,
    /// Most lines of a digest.
    pub digest_lines: usize,
    /// No retry is made before.
    pub retries_from: Timestamp,
    /// No wait is longer. What would have to wait longer is due: the clock was set back.
    pub longest_cooldown: Duration,
    /// How long after it was parked, or last tried, a parked channel is tried with its oldest delivery.
    pub probe_after: Duration,
}

impl Default for ClaimTerms {
    /// Nothing is merged, nothing held back, and a parked channel is not tried.
    fn default() -> Self {
        let never = Duration::from_hours(24 * 365 * 100);
        Self {
            merge_over: None,
            merges_readings: false,
            digest_lines: LINES_MAX,
            retries_from: Timestamp::EPOCH,
            longest_cooldown: never,
            probe_after: never,
        }
    }
}

/// What a channel may do now, whatever waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: a delivery is under way.
    Busy,
    /// Nothing before that time.
    Cooldown(Timestamp),
    /// Nothing: it is parked, and was tried not long ago.
    Parked,
    /// It is parked: a drill shows whether it works again, or else, if it was not tried for long enough, its oldest delivery does.
    Tries {
        /// Whether its oldest delivery may be sent as a probe.
        with_oldest: bool,
    },
    /// It sends what is due.
    Sends,
}

impl Turn {
    /// `probed_at`: when a parked channel was parked, or last tried; `None`: it is not parked.
    #[must_use]
    pub fn of(
        health: &ChannelHealth,
        probed_at: Option<Timestamp>,
        is_sending: bool,
        terms: &ClaimTerms,
        now: Timestamp,
    ) -> Self {
        let cooldown_until = health.rest(terms.longest_cooldown, now);
        match (probed_at, cooldown_until) {
            _ if is_sending => Self::Busy,
            (Some(_), Some(_)) => Self::Parked,
            (None, Some(until)) => Self::Cooldown(until),
            (Some(at), None) => Self::Tries { with_oldest: at > now || now >= at.plus(terms.probe_after) },
            (None, None) => Self::Sends,
        }
    }
}

/// A delivery that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// What deliveries of its alert are ordered by; `None`: it is about none.
    pub alert: Option<String>,
    /// Whether it is a drill.
    pub is_drill: bool,
    /// Attempts made so far.
    pub attempts: u32,
    /// The earliest time of the next attempt.
    pub next_attempt_at: Timestamp,
    /// When the last attempt was made.
    pub tried_at: Option<Timestamp>,
    /// When its receiver last rejected it.
    pub rejected_at: Option<Timestamp>,
    /// Whether an earlier unfinished delivery of its alert to its channel precedes it, other than what is merged into it.
    pub is_preceded: bool,
    /// When it was queued, if it covers several alerts and an earlier unfinished delivery of one of them precedes what it says.
    pub follows_since: Option<Timestamp>,
}

impl Head {
    /// When its next attempt may be made. What was not tried yet waits for nothing, except a drill, which is planned ahead; a retry
    /// has a time of its own. What a clock that was ahead has set is due: it lies further ahead than any wait, or the attempt before
    /// it is still to come.
    #[must_use]
    pub fn due_at(&self, terms: &ClaimTerms, now: Timestamp) -> Timestamp {
        let latest = terms.retries_from.max(now.plus(terms.longest_cooldown));
        let due_at = match self.attempts {
            _ if self.next_attempt_at > latest => Timestamp::EPOCH,
            0 if self.is_drill => self.next_attempt_at,
            0 => Timestamp::EPOCH,
            _ if self.tried_at.is_some_and(|at| at > now) => Timestamp::EPOCH,
            _ => self.next_attempt_at.max(terms.retries_from),
        };
        self.waits_for_earlier_until(terms, now).map_or(due_at, |until| due_at.max(until))
    }

    /// How long it waits for what precedes one of the alerts that it covers: as long as between two attempts at most, so that one
    /// message that its receiver does not take can't keep back what many alerts have to say.
    fn waits_for_earlier_until(&self, terms: &ClaimTerms, now: Timestamp) -> Option<Timestamp> {
        let since = self.follows_since.filter(|since| *since <= now)?;
        Some(since.plus(terms.longest_cooldown)).filter(|until| *until > now)
    }
}

/// What is to be sent of what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This delivery is sent next.
    Head(Head),
    /// Nothing before that time.
    Later(Timestamp),
    /// No delivery waits for the channel.
    Nothing,
}

/// Chooses among what waits, oldest first: the first that is due, and a drill only if nothing else is. Nobody waits for something
/// because we try something out. What an earlier delivery of its alert precedes waits behind that; a notice that covers many alerts waits
/// for a while.
#[derive(Debug)]
pub struct Choice {
    terms: ClaimTerms,
    now: Timestamp,
    drill: Option<Head>,
    next_at: Option<Timestamp>,
}

impl Choice {
    /// Starts with nothing to choose from.
    #[must_use]
    pub const fn new(terms: ClaimTerms, now: Timestamp) -> Self {
        Self { terms, now, drill: None, next_at: None }
    }

    /// Looks at the next one; what comes back is chosen, whatever comes after it.
    pub fn offer(&mut self, head: Head) -> Option<Head> {
        if head.is_preceded {
            return None;
        }
        let due_at = head.due_at(&self.terms, self.now);
        if due_at > self.now {
            self.next_at = Some(self.next_at.map_or(due_at, |known| known.min(due_at)));
        } else if head.is_drill {
            self.drill.get_or_insert(head);
        } else {
            return Some(head);
        }
        None
    }

    /// What is chosen once all were considered.
    #[must_use]
    pub fn end(self) -> Chosen {
        match (self.drill, self.next_at) {
            (Some(drill), _) => Chosen::Head(drill),
            (None, Some(at)) => Chosen::Later(at),
            (None, None) => Chosen::Nothing,
        }
    }
}

/// Chooses what a parked channel is tried with, among what waits, oldest first: the oldest that was not rejected since the channel was
/// parked; otherwise the one whose rejection is longest ago. That may be what the receiver accepts. A drill is no probe: it is sent
/// when it is due. Nor is a delivery that waits for an earlier one, for as long as it would wait on a channel that works.
#[derive(Debug)]
pub struct Probe {
    terms: ClaimTerms,
    now: Timestamp,
    parked_at: Timestamp,
    rejected: Option<(Timestamp, DeliveryId)>,
}

impl Probe {
    /// Among nothing yet, for a channel that was parked then.
    #[must_use]
    pub const fn new(terms: ClaimTerms, parked_at: Timestamp, now: Timestamp) -> Self {
        Self { terms, now, parked_at, rejected: None }
    }

    /// Looks at the next one; what comes back is chosen, whatever comes after it.
    pub fn offer(&mut self, head: &Head) -> Option<DeliveryId> {
        if head.is_preceded || head.is_drill || head.waits_for_earlier_until(&self.terms, self.now).is_some() {
            return None;
        }
        let Some(rejected_at) = head.rejected_at.filter(|at| *at > self.parked_at) else { return Some(head.delivery) };
        let candidate = (rejected_at, head.delivery);
        self.rejected = Some(self.rejected.map_or(candidate, |known| known.min(candidate)));
        None
    }

    /// What is chosen once all were looked at.
    #[must_use]
    pub fn end(self) -> Option<DeliveryId> {
        self.rejected.map(|(_, delivery)| delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    fn terms() -> ClaimTerms {
        ClaimTerms { longest_cooldown: HOUR, probe_after: HOUR, ..ClaimTerms::default() }
    }

    #[test]
    fn a_channel_sends_one_at_a_time_rests_and_is_tried_when_it_is_parked() {
        let cooling = ChannelHealth { cooldown_from: at(-1), cooldown_until: at(5), ..ChannelHealth::default() };
        let (ready, parked) = (ChannelHealth::default(), |seconds| Some(at(seconds)));
        for (health, probed_at, is_sending, expected) in [
            (ready, None, false, Turn::Sends),
            (ready, None, true, Turn::Busy),
            (cooling, parked(-9), true, Turn::Busy),
            (cooling, None, false, Turn::Cooldown(at(5))),
            (cooling, parked(-3600), false, Turn::Parked),
            (ready, parked(-3599), false, Turn::Tries { with_oldest: false }),
            (ready, parked(-3600), false, Turn::Tries { with_oldest: true }),
            (ready, parked(1), false, Turn::Tries { with_oldest: true }),
        ] {
            assert_eq!(Turn::of(&health, probed_at, is_sending, &terms(), at(0)), expected);
        }
    }

    /// `n` is new, `r` a retry, `d` a new drill, `D` a drill that is tried again; the number says in how many seconds it is due. `+`:
    /// its last attempt is still to come; `<`: another one precedes it; `~`: it was queued in that second, covers several alerts, and
    /// another one precedes one of them.
    fn head(word: &str, number: i64) -> Head {
        let (kind, seconds) = word.split('~').next().unwrap_or(word).trim_end_matches(['+', '<']).split_at(1);
        let is_tried = kind == "r" || kind == "D";
        Head {
            delivery: DeliveryId(number),
            alert: None,
            is_drill: kind.eq_ignore_ascii_case("d"),
            attempts: u32::from(is_tried),
            next_attempt_at: at(seconds.parse().unwrap()),
            tried_at: is_tried.then(|| at(if word.ends_with('+') { 1 } else { -1 })),
            rejected_at: None,
            is_preceded: word.ends_with('<'),
            follows_since: word.split_once('~').map(|(_, since)| at(since.parse().unwrap())),
        }
    }

    /// The number of the one that is sent, `@` and the second at which something is due, or `-`.
    fn chosen(text: &str, terms: ClaimTerms) -> String {
        let mut choice = Choice::new(terms, at(0));
        let mut heads = text.split_whitespace().zip(1..).map(|(word, number)| head(word, number));
        match heads.find_map(|head| choice.offer(head)).map_or_else(|| choice.end(), Chosen::Head) {
            Chosen::Head(head) => head.delivery.to_string(),
            Chosen::Later(later) => format!("@{}", later.since(at(0)).as_secs()),
            Chosen::Nothing => "-".to_owned(),
        }
    }

    #[test]
    fn the_oldest_that_is_due_is_sent_and_a_drill_only_when_nothing_else_is() {
        for (text, expected, why) in [
            ("", "-", "nothing waits"),
            ("n0 n0", "1", "the oldest"),
            ("n9", "1", "what was not tried yet waits for nothing"),
            ("r9 n0", "2", "a retry has a time of its own"),
            ("r0 n0", "1", "and its place"),
            ("r9 r7 r8", "@7", "the first that will be due"),
            ("d0 n0", "2", "a drill gives way"),
            ("d0 r5", "1", "unless nothing else is due"),
            ("d0 d0", "1", "the oldest drill"),
            ("d4 r5", "@4", "a drill is planned ahead"),
            ("r3601", "1", "further ahead than any wait: the clock was ahead"),
            ("r3600", "@3600", "the longest wait"),
            ("d3601", "1", "of a drill too"),
            ("n0<", "-", "an earlier one of its alert precedes it"),
            ("r9 n0< n0", "3", "and what precedes nothing is sent meanwhile"),
            ("d0<", "-", "of a drill too"),
            ("r9+", "1", "its attempt is still to come: the clock was ahead"),
            ("D9+", "1", "of a drill too"),
            ("r9 n0~-1 n0", "3", "one of the alerts that it covers has an earlier one to be sent"),
            ("n0~-1", "@3599", "for no longer than between two attempts"),
            ("n0~-3600", "1", "then it is sent all the same"),
            ("n0~1", "1", "queued later than now: the clock was ahead"),
        ] {
            assert_eq!(chosen(text, terms()), expected, "{text}: {why}");
        }
    }

    #[test]
    fn no_retry_is_made_before_its_channel_s_time_and_what_is_new_is() {
        let later = ClaimTerms { retries_from: at(60), ..terms() };
        for (text, expected) in [("r0", "@60"), ("r70", "@70"), ("r0 n0", "2"), ("D0", "@60"), ("d0", "1")] {
            assert_eq!(chosen(text, later), expected, "{text}");
        }
    }

    /// Each is written as above, with the second of its rejection behind a `!`.
    #[test]
    fn a_parked_channel_is_tried_with_the_oldest_that_it_has_not_rejected_since_or_not_for_longest() {
        for (text, expected, why) in [
            ("", None, "nothing waits"),
            ("n0 n0", Some(1), "the oldest"),
            ("n0!-1 n0", Some(1), "it was rejected before the channel was parked"),
            ("n0!5 n0", Some(2), "the next may be accepted"),
            ("n0!5 n0!3 n0!4", Some(2), "all were rejected: the one that was tried longest ago"),
            ("n0!5 n0!5", Some(1), "and of those the oldest"),
            ("d0 n0", Some(2), "a drill is no probe"),
            ("n0< n0", Some(2), "nor is what another one precedes"),
            ("n0~-1 n0", Some(2), "nor what covers several alerts, one of which has an earlier one to be sent"),
            ("n0!5 n0~-1", Some(1), "which is tried first, though it was rejected"),
            ("n0~-1", None, "for no longer than between two attempts"),
            ("n0~-3600 n0", Some(1), "then it is tried all the same"),
        ] {
            let mut probe = Probe::new(terms(), at(0), at(0));
            let heads = text.split_whitespace().zip(1..).map(|(word, number)| {
                let (word, rejected) = word.split_once('!').map_or((word, None), |(word, at)| (word, Some(at)));
                Head { rejected_at: rejected.map(|seconds| at(seconds.parse().unwrap())), ..head(word, number) }
            });
            let heads: Vec<Head> = heads.collect();
            let chosen = heads.iter().find_map(|head| probe.offer(head)).or_else(|| probe.end());
            assert_eq!(chosen, expected.map(DeliveryId), "{text}: {why}");
        }
    }
}
