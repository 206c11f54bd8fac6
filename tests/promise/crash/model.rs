//! What must hold of everything that receivers took, whatever was killed when: the judge of every crash test.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use serde_json::Value;

use super::stage::{DESK, DESK_RULE, SOC_RULE};
use crate::world::{SENTINEL, SOC, Told};

/// What was seen from outside, and what the store says in the end.
pub(super) struct Evidence<'a> {
    /// Everything that any receiver was sent, oldest first, with its channel.
    pub(super) told: Vec<(String, Told)>,
    /// When the process was killed, and gone.
    pub(super) killed: &'a [Instant],
    /// `alerts list --all`.
    pub(super) alerts: Vec<Value>,
    /// Channel, notification id and state of every delivery in the store.
    pub(super) deliveries: Vec<(String, String, String)>,
    /// What the cloud shows at the end.
    pub(super) scores: HashMap<String, f64>,
    /// How to do it again.
    pub(super) context: &'a str,
}

/// What happened, in messages; a digest is one.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) accepted: usize,
    pub(super) repeats: usize,
}

impl Evidence<'_> {
    /// Nothing lost, nothing out of order, and no repeat but of what was in flight at a kill.
    pub(super) fn judge(&self) -> Tally {
        let channels: BTreeSet<&str> = self.told.iter().map(|(channel, _)| channel.as_str()).collect();
        let repeats = channels.into_iter().map(|channel| self.judge_repeats(channel)).sum();
        self.judge_deliveries();
        self.judge_alerts();
        let messages = self.told.iter().filter(|(_, told)| told.accepted && told.id == told.message);
        Tally { accepted: messages.count(), repeats }
    }

    fn of(&self, channel: &str) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(move |(name, _)| name == channel).map(|(_, told)| told)
    }

    /// How many kills there were before it.
    fn life(&self, told: &Told) -> usize {
        self.killed.partition_point(|killed| *killed <= told.at)
    }

    /// A message is repeated only if it was the last that its channel was sent before a kill: before the next is sent, the one
    /// before is settled. The later one says that it may be a repeat. So one kill repeats one message of a channel at most.
    fn judge_repeats(&self, channel: &str) -> usize {
        let context = self.context;
        let mut newest: HashMap<&str, &Told> = HashMap::new();
        let mut last_of_life: HashMap<usize, &Told> = HashMap::new();
        for told in self.of(channel) {
            last_of_life.insert(self.life(told), told);
        }
        let mut repeats = BTreeSet::new();
        for told in self.of(channel).filter(|told| told.accepted) {
            let Some(before) = newest.insert(&told.id, told) else { continue };
            repeats.insert((self.life(told), &told.message));
            let life = self.life(before);
            assert!(life < self.life(told), "{context}: {channel} repeats without a kill: {before:?} {told:?}");
            assert!(told.possible_repeat, "{context}: {channel}: a repeat that is not marked: {told:?}");
            let last = last_of_life[&life];
            assert!(
                last.message == before.message,
                "{context}: {channel} repeats what was settled: {before:?} {told:?}"
            );
        }
        repeats.len()
    }

    /// What the store knows as told was told, and nothing else was.
    fn judge_deliveries(&self) {
        let context = self.context;
        let taken = self.told.iter().filter(|(_, told)| told.accepted);
        let taken: BTreeSet<_> = taken.map(|(channel, told)| (channel.as_str(), told.id.as_str())).collect();
        for (channel, id, state) in &self.deliveries {
            assert_eq!(state, "delivered", "{context}: {id} to {channel}");
            assert!(taken.contains(&(channel.as_str(), id.as_str())), "{context}: {channel} was never told of {id}");
        }
        let known = self.deliveries.iter().map(|(channel, id, _)| (channel.as_str(), id.as_str()));
        let known: BTreeSet<_> = known.collect();
        let unknown: Vec<_> = taken.difference(&known).collect();
        assert!(unknown.is_empty(), "{context}: told what the store does not know: {unknown:?}");
    }

    /// What was taken of each alert is, in order and without a gap, what the store says has happened, and ends as the score
    /// does. Where messages die and are sent again by hand, only the order is free.
    fn judge_alerts(&self) {
        let mut told: BTreeMap<(&str, &str), Vec<&Told>> = BTreeMap::new();
        for (channel, rule) in [(SOC, SOC_RULE), (DESK, DESK_RULE)] {
            let of_alerts = |told: &&Told| told.accepted && !told.tenant.is_empty() && told.tenant != SENTINEL;
            for message in self.of(channel).filter(of_alerts) {
                let of_alert = told.entry((rule, &message.tenant)).or_default();
                if of_alert.iter().all(|earlier| earlier.id != message.id) {
                    of_alert.push(message);
                }
            }
        }
        for row in self.alerts.iter().filter(|row| row["tenant"] != SENTINEL) {
            let (rule, tenant) = (row["rule"].as_str().unwrap(), row["tenant"].as_str().unwrap());
            let messages = told.remove(&(rule, tenant)).unwrap_or_default();
            if rule == SOC_RULE {
                self.judge_order(tenant, row, &messages);
            } else {
                self.judge_count(tenant, row, &messages);
            }
        }
        let unknown: Vec<_> = told.keys().collect();
        assert!(unknown.is_empty(), "{}: told of alerts that the store does not know: {unknown:?}", self.context);
    }

    fn judge_order(&self, tenant: &str, row: &Value, messages: &[&Told]) {
        let story: Vec<_> = messages.iter().map(|told| (&told.kind, told.sequence)).collect();
        let context = format!("{}: {tenant}: {story:?} {row}", self.context);
        let (mut generation, mut sequence, mut firing) = (0, 0, false);
        for message in messages {
            if message.kind == "alert.firing" {
                assert!(!firing, "fires twice; {context}");
                (generation, sequence, firing) = (generation + 1, 1, true);
            } else {
                assert!(firing, "{} of what does not fire; {context}", message.kind);
                sequence += 1;
                firing = message.kind != "alert.resolved";
            }
            assert_eq!(message.sequence, sequence, "{context}");
        }
        assert_eq!(row["generation"], generation, "lost a whole alert; {context}");
        assert_eq!(row["sequence"], sequence, "lost a message; {context}");
        assert_eq!(firing, self.scores[tenant] < 300.0, "ends at {}; {context}", self.scores[tenant]);
    }

    /// An alert that only fires and resolves: one message for each, and one more while it fires.
    fn judge_count(&self, tenant: &str, row: &Value, messages: &[&Told]) {
        let generations = row["generation"].as_u64().unwrap();
        let firing = self.scores[tenant] < 300.0;
        let of = |kind: &str| messages.iter().filter(|told| told.kind == kind).count() as u64;
        let found = (of("alert.firing"), of("alert.resolved"), messages.len() as u64);
        let resolved = generations - u64::from(firing);
        assert_eq!(found, (generations, resolved, generations + resolved), "{}: {tenant}: {row}", self.context);
    }
}

/// What the judge must see, each a small story: of one channel, one tenant, one kill after the second request.
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// `id sequence`, then `?` for a possible repeat and `-` for a refusal; a kill is `x`.
    fn judge(story: &str, sequence: u64, score: f64) -> Tally {
        let (mut at, mut killed, mut told) = (Instant::now(), Vec::new(), Vec::new());
        for word in story.split_whitespace() {
            at += Duration::from_secs(1);
            if word == "x" {
                killed.push(at);
                continue;
            }
            let number: u64 = word.trim_end_matches(['?', '-']).parse().unwrap();
            let message = Told {
                at,
                message: format!("msg_{number}"),
                id: format!("msg_{number}"),
                kind: if number == 1 { "alert.firing" } else { "alert.resolved" }.to_owned(),
                alert: String::new(),
                tenant: "contoso".to_owned(),
                sequence: number,
                possible_repeat: word.contains('?'),
                accepted: !word.contains('-'),
                body: Value::Null,
            };
            told.push((SOC.to_owned(), message));
        }
        let deliveries = (1..=sequence).map(|number| (SOC.to_owned(), format!("msg_{number}"), "delivered".to_owned()));
        let row = json!({ "tenant": "contoso", "rule": SOC_RULE, "generation": 1, "sequence": sequence });
        let scores = HashMap::from([("contoso".to_owned(), score)]);
        let (deliveries, context) = (deliveries.collect(), "a story");
        Evidence { told, killed: &killed, alerts: vec![row], deliveries, scores, context }.judge()
    }

    #[test]
    fn what_may_be_is_let_pass() {
        assert_eq!(judge("1 2", 2, 500.0).repeats, 0);
        assert_eq!(judge("1- 1 2", 2, 500.0).repeats, 0);
        assert_eq!(judge("1 x 1? 2", 2, 500.0).repeats, 1);
        assert_eq!(judge("1 x 1? x 1?", 1, 200.0).repeats, 2);
    }

    #[test]
    fn what_must_not_be_is_seen() {
        for (story, sequence, score, why) in [
            ("1 1?", 1, 200.0, "repeats without a kill"),
            ("1 x 1", 1, 200.0, "not marked"),
            ("1 2 x 1?", 2, 500.0, "repeats what was settled"),
            ("1", 2, 500.0, "never told of"),
            ("1-", 1, 200.0, "never told of"),
            ("1 2", 1, 200.0, "does not know"),
            ("2 1", 2, 500.0, "of what does not fire"),
            ("1", 1, 500.0, "ends at"),
        ] {
            let verdict = std::panic::catch_unwind(|| judge(story, sequence, score));
            let said = verdict.err().and_then(|said| said.downcast::<String>().ok());
            assert!(said.as_ref().is_some_and(|said| said.contains(why)), "{story}: {said:?}");
        }
    }
}
