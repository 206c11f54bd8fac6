//! What must hold of everything that receivers took, whatever was killed when: the judge of every crash test.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use serde_json::Value;

use super::stage::{DESK, DESK_RULE, SOC_RULE};
use crate::harness::{Arrived, SENTINEL, SOC};

/// What was seen from outside, and what the store says in the end.
pub(super) struct Evidence<'a> {
    /// Everything that any receiver was sent, oldest first, with its channel.
    pub(super) arrived: Vec<(String, Arrived)>,
    /// When the process was killed, and gone.
    pub(super) killed: &'a [Instant],
    /// Deliveries that a person resent.
    pub(super) resent: &'a [Resent],
    /// The output of `alerts list --all`.
    pub(super) alerts: Vec<Value>,
    /// Every delivery in the store, oldest first.
    pub(super) deliveries: Vec<Row>,
    /// What the cloud shows at the end.
    pub(super) scores: HashMap<String, f64>,
    /// How to do it again.
    pub(super) context: &'a str,
}

/// A delivery that a person resent. It was a dead letter when they looked; if it was delivered in the meantime, it is sent again anyway.
#[derive(Debug, Clone)]
pub(super) struct Resent {
    pub(super) channel: String,
    /// The id of the notification.
    pub(super) id: String,
    pub(super) asked_at: Instant,
    pub(super) done_at: Instant,
}

/// A delivery in the store.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) channel: String,
    /// The id of the notification.
    pub(super) id: String,
    pub(super) state: String,
    /// `alert.firing` and so on.
    pub(super) kind: String,
    /// Empty for messages about none.
    pub(super) tenant: String,
    /// Empty for messages by none.
    pub(super) rule: String,
    pub(super) sequence: i64,
    /// The score that it is about.
    pub(super) value: f64,
    /// The notice of the fleet shift that it went along with.
    pub(super) notice: Option<String>,
}

/// The columns of a [`Row`], in its order.
pub(super) type Columns = (String, String, String, String, String, String, i64, f64, Option<String>);

impl From<Columns> for Row {
    fn from((channel, id, state, kind, tenant, rule, sequence, value, notice): Columns) -> Self {
        Self { channel, id, state, kind, tenant, rule, sequence, value, notice }
    }
}

impl Row {
    fn is_suppressed(&self) -> bool {
        self.state == "suppressed"
    }
}

/// What happened, in messages; a digest is one.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) accepted: usize,
    pub(super) repeats: usize,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { accepted: self.accepted + other.accepted, repeats: self.repeats + other.repeats }
    }
}

impl Evidence<'_> {
    /// Nothing lost, nothing out of order, and no repeat but of what was in flight at a kill.
    pub(super) fn judge(&self) -> Tally {
        let channels: BTreeSet<&str> = self.arrived.iter().map(|(channel, _)| channel.as_str()).collect();
        let repeats = channels.into_iter().map(|channel| self.judge_repeats(channel)).sum();
        self.judge_deliveries();
        self.judge_alerts();
        let messages = self.arrived.iter().filter(|(_, arrived)| arrived.accepted && arrived.id == arrived.message);
        Tally { accepted: messages.count(), repeats }
    }

    fn of(&self, channel: &str) -> impl Iterator<Item = &Arrived> {
        self.arrived.iter().filter(move |(name, _)| name == channel).map(|(_, arrived)| arrived)
    }

    /// Whether a person wanted that repeat.
    fn is_asked_for(&self, channel: &str, before: &Arrived, arrived: &Arrived) -> bool {
        self.resent.iter().any(|resent| {
            let is_it = resent.channel == channel && resent.id == arrived.message;
            is_it && before.at <= resent.done_at && resent.asked_at <= arrived.at
        })
    }

    /// How many kills there were before it.
    fn life(&self, arrived: &Arrived) -> usize {
        self.killed.partition_point(|killed| *killed <= arrived.at)
    }

    /// A message is repeated only if it was the last that its channel was sent before a kill: before the next is sent, the one
    /// before is settled. The later one says that it may be a repeat. So one kill repeats one message of a channel at most.
    fn judge_repeats(&self, channel: &str) -> usize {
        let context = self.context;
        let mut newest: HashMap<&str, &Arrived> = HashMap::new();
        let mut last_of_life: HashMap<usize, &Arrived> = HashMap::new();
        for arrived in self.of(channel) {
            last_of_life.insert(self.life(arrived), arrived);
        }
        let mut repeats = BTreeSet::new();
        for arrived in self.of(channel).filter(|arrived| arrived.accepted) {
            let Some(before) = newest.insert(&arrived.id, arrived) else { continue };
            if self.is_asked_for(channel, before, arrived) {
                continue;
            }
            repeats.insert((self.life(arrived), &arrived.message));
            let life = self.life(before);
            assert!(life < self.life(arrived), "{context}: {channel} repeats without a kill: {before:?} {arrived:?}");
            assert!(arrived.possible_duplicate, "{context}: {channel}: a repeat that is not marked: {arrived:?}");
            let last = last_of_life[&life];
            assert!(
                last.message == before.message,
                "{context}: {channel} repeats what was settled: {before:?} {arrived:?}"
            );
        }
        repeats.len()
    }

    /// What the store knows as sent has arrived, what it suppresses has not, and nothing else has. What a notice covers is in that one
    /// notice, and in nothing else.
    fn judge_deliveries(&self) {
        let context = self.context;
        let taken = self.arrived.iter().filter(|(_, arrived)| arrived.accepted);
        let taken: BTreeSet<_> = taken.map(|(channel, arrived)| (channel.as_str(), arrived.id.as_str())).collect();
        for row @ Row { channel, id, state, .. } in &self.deliveries {
            let was_notified = |id: &str| taken.contains(&(channel.as_str(), id));
            if row.is_suppressed() {
                assert!(!was_notified(id), "{context}: {channel} was sent {id}, which was suppressed");
                continue;
            }
            assert_eq!(state, "delivered", "{context}: {id} to {channel}");
            // A notice lists the newest of each alert, and not of every one.
            let is_notified = was_notified(id) || row.notice.as_deref().is_some_and(was_notified);
            assert!(is_notified, "{context}: {channel} was never sent {id}");
            let alone =
                |(name, arrived): &&(String, Arrived)| name == channel && arrived.accepted && arrived.message == *id;
            if let (Some(notice), Some((_, arrived))) = (&row.notice, self.arrived.iter().find(alone)) {
                panic!("{context}: {channel} was sent {id} in the notice {notice} and alone: {arrived:?}");
            }
        }
        let known = self.deliveries.iter().map(|row| (row.channel.as_str(), row.id.as_str()));
        let known: BTreeSet<_> = known.collect();
        let unknown: Vec<_> = taken.difference(&known).collect();
        assert!(unknown.is_empty(), "{context}: sent what the store does not know: {unknown:?}");
    }

    /// What was taken of each alert is, in order and without a gap, what the store says has happened, and ends as the score
    /// does. Where messages die and are sent again by hand, only the order is free.
    fn judge_alerts(&self) {
        for (channel, rule) in [(SOC, SOC_RULE), (DESK, DESK_RULE)] {
            let of_alerts = |row: &&Row| row.channel == channel && row.rule == rule && row.tenant != SENTINEL;
            let mut stories: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
            for row in self.deliveries.iter().filter(of_alerts) {
                stories.entry(&row.tenant).or_default().push(row);
            }
            for alert in self.alerts.iter().filter(|alert| alert["rule"] == rule && alert["tenant"] != SENTINEL) {
                let tenant = alert["tenant"].as_str().unwrap();
                let story = stories.remove(tenant).unwrap_or_default();
                self.judge_story(tenant, alert, &story);
                self.judge_delivered(channel, &story, channel == SOC);
            }
            let unknown: Vec<_> = stories.keys().collect();
            assert!(unknown.is_empty(), "{}: sent alerts that the store does not know: {unknown:?}", self.context);
        }
    }

    /// The deliveries of one alert for one channel: nothing is missing, and nothing is suppressed but what was over before anybody was
    /// reported, even if only as a worsening.
    fn judge_story(&self, tenant: &str, alert: &Value, story: &[&Row]) {
        let lines: Vec<_> = story.iter().map(|row| (&row.kind, row.sequence, &row.state)).collect();
        let context = format!("{}: {tenant}: {lines:?} {alert}", self.context);
        let firings: Vec<_> = story.chunk_by(|_, next| next.kind != "alert.firing").collect();
        for (number, firing) in firings.iter().enumerate() {
            let is_over = firing.last().is_some_and(|row| row.kind == "alert.resolved");
            for (row, sequence) in firing.iter().zip(1..) {
                let may_be = match row.kind.as_str() {
                    "alert.firing" => sequence == 1,
                    "alert.resolved" => sequence > 1 && sequence == firing.len(),
                    _ => sequence > 1,
                };
                assert!(may_be, "{} of what does not fire; {context}", row.kind);
                assert_eq!(usize::try_from(row.sequence), Ok(sequence), "{context}");
            }
            let is_newest = number + 1 == firings.len();
            let last_sequence = firing.last().map_or(0, |row| row.sequence);
            assert!(is_over || is_newest, "fires twice; {context}");
            let suppressed = firing.iter().filter(|row| row.is_suppressed()).count();
            let was_over = is_over && suppressed == firing.len();
            // A worsening that a silence held may have been over before its end, though the alert fires on.
            let is_so = |row: &Row| is_newest && row.sequence == last_sequence && self.scores[tenant] <= row.value;
            let came_back = |row: &&&Row| row.is_suppressed() && row.kind == "alert.worsened" && !is_so(row);
            let is_all_but_over = suppressed == firing.iter().filter(came_back).count();
            assert!(is_all_but_over || was_over, "suppressed what was not over; {context}");
            if is_newest {
                let is_low = self.scores[tenant] < 300.0;
                assert!(is_over != is_low, "ends at {}; {context}", self.scores[tenant]);
                let last = alert["sequence"].as_u64().and_then(|last| usize::try_from(last).ok()).unwrap();
                assert_eq!(last, firing.len(), "lost a message; {context}");
            }
        }
        assert_eq!(alert["generation"], firings.len(), "lost a whole alert; {context}");
    }

    /// The receiver took of them what they are, and, if `in_order`, in that order.
    fn judge_delivered(&self, channel: &str, story: &[&Row], in_order: bool) {
        let context = self.context;
        let places: HashMap<&str, usize> = (0..).zip(story).map(|(place, row)| (row.id.as_str(), place)).collect();
        let (mut newest, mut seen) = (0, BTreeSet::new());
        for arrived in self.of(channel).filter(|arrived| arrived.accepted) {
            let Some(place) = places.get(arrived.id.as_str()) else { continue };
            let row = story[*place];
            let is_it = arrived.kind == row.kind && i64::try_from(arrived.sequence) == Ok(row.sequence);
            assert!(is_it || arrived.is_spoken_for, "{context}: {row:?} was sent as {arrived:?}");
            // What is repeated was in its place the first time.
            if seen.insert(*place) && in_order {
                let in_all =
                    || self.of(channel).filter(|arrived| places.contains_key(arrived.id.as_str())).collect::<Vec<_>>();
                assert!(
                    newest <= *place,
                    "{context}: out of order: {arrived:?}\nstory: {story:#?}\nsent: {:#?}",
                    in_all()
                );
                newest = *place;
            }
        }
    }
}

/// What the judge must see, each a small story: of one channel, one tenant, one kill after the second request.
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn kind(number: u64) -> String {
        if number == 1 { "alert.firing" } else { "alert.resolved" }.to_owned()
    }

    /// `id sequence`: `?` marks a possible duplicate, `-` a rejection, `x` is a kill, `r1` a person's resend of message 1. Then the
    /// store's deliveries: `d`elivered, `w` suppressed, `n` merged into the notice of a shift (`msg_0`), `v` a worsening to 180, suppressed.
    fn judge(story: &str, states: &str, score: f64) -> Tally {
        let (mut at, mut killed, mut arrived, mut resent) = (Instant::now(), Vec::new(), Vec::new(), Vec::new());
        for word in story.split_whitespace() {
            at += Duration::from_secs(1);
            if word == "x" {
                killed.push(at);
                continue;
            }
            if let Some(number) = word.strip_prefix('r') {
                let id = format!("msg_{number}");
                resent.push(Resent { channel: SOC.to_owned(), id, asked_at: at, done_at: at });
                continue;
            }
            let number: u64 = word.trim_end_matches(['?', '-']).parse().unwrap();
            let message = Arrived {
                at,
                message: format!("msg_{number}"),
                id: format!("msg_{number}"),
                kind: kind(number),
                is_spoken_for: false,
                alert: String::new(),
                tenant: "contoso".to_owned(),
                sequence: number,
                possible_duplicate: word.contains('?'),
                accepted: !word.contains('-'),
                body: Value::Null,
            };
            arrived.push((SOC.to_owned(), message));
        }
        let has_notice = states.contains('n');
        let row = |(number, state): (u64, char)| Row {
            channel: SOC.to_owned(),
            id: format!("msg_{number}"),
            state: if matches!(state, 'v' | 'w') { "suppressed" } else { "delivered" }.to_owned(),
            kind: if state == 'v' { "alert.worsened".to_owned() } else { kind(number) },
            tenant: "contoso".to_owned(),
            rule: SOC_RULE.to_owned(),
            sequence: number.try_into().unwrap(),
            value: 180.0,
            notice: (state == 'n').then(|| "msg_0".to_owned()),
        };
        let mut deliveries: Vec<Row> = (1..).zip(states.chars()).map(row).collect();
        let notice = Row { kind: "fleet.shift".to_owned(), rule: String::new(), ..row((0, 'd')) };
        deliveries.extend(has_notice.then_some(notice));
        let alert = json!({ "tenant": "contoso", "rule": SOC_RULE, "generation": 1, "sequence": states.len() });
        let scores = HashMap::from([("contoso".to_owned(), score)]);
        let (killed, resent, alerts) = (&killed[..], &resent[..], vec![alert]);
        Evidence { arrived, killed, resent, alerts, deliveries, scores, context: "a story" }.judge()
    }

    #[test]
    fn what_may_be_is_let_pass() {
        assert_eq!(judge("1 2", "dd", 500.0).repeats, 0);
        assert_eq!(judge("1- 1 2", "dd", 500.0).repeats, 0);
        assert_eq!(judge("1 x 1? 2", "dd", 500.0).repeats, 1);
        assert_eq!(judge("1 x 1? x 1?", "d", 200.0).repeats, 2);
        assert_eq!(judge("1 r1 1 2", "dd", 500.0).repeats, 0);
        judge("", "ww", 500.0);
        judge("1", "dv", 230.0);
        judge("1 3", "dvd", 500.0);
        judge("0", "n", 200.0);
        judge("0", "nn", 500.0);
        judge("0 2", "nd", 500.0);
    }

    #[test]
    fn what_must_not_be_is_seen() {
        for (story, states, score, why) in [
            ("1 1?", "d", 200.0, "repeats without a kill"),
            ("1 r2 1?", "d", 200.0, "repeats without a kill"),
            ("r1 1 1?", "d", 200.0, "repeats without a kill"),
            ("1 x 1", "d", 200.0, "not marked"),
            ("1 2 x 1?", "dd", 500.0, "repeats what was settled"),
            ("1", "dd", 500.0, "never sent"),
            ("1-", "d", 200.0, "never sent"),
            ("1 2", "d", 200.0, "does not know"),
            ("2 1", "dd", 500.0, "out of order"),
            ("1", "d", 500.0, "ends at"),
            ("1", "ww", 500.0, "which was suppressed"),
            ("", "w", 200.0, "suppressed what was not over"),
            ("1", "dw", 500.0, "suppressed what was not over"),
            ("2", "wd", 500.0, "suppressed what was not over"),
            ("1", "dv", 180.0, "suppressed what was not over"),
            ("", "wv", 230.0, "suppressed what was not over"),
            ("", "n", 200.0, "never sent"),
            ("0", "n", 500.0, "ends at"),
            ("0 1", "n", 200.0, "and alone"),
        ] {
            let verdict = std::panic::catch_unwind(|| judge(story, states, score));
            let said = verdict.err().and_then(|said| said.downcast::<String>().ok());
            assert!(said.as_ref().is_some_and(|said| said.contains(why)), "{story} {states}: {said:?}");
        }
    }
}
