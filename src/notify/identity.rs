//! The id of a notification: derived, never drawn, so that the same transition evaluated again after a crash collides instead of doubling.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{domain::ScoreKind, rule::AlertKey};

/// Crockford's base 32: no I, L, O, U, so that a person can read an id aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 26 letters carry 130 bits; a repeat by accident is out of the question.
const ID_LETTERS: usize = 26;
/// 6 letters: enough to match messages in a chat by eye.
const SHORT_LETTERS: usize = 6;

/// A notification's id, the same on every channel and in every attempt: `msg_` and 26 letters. Receivers may drop repeats by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NotificationId(String);

/// The first letters of a notification's id, for people: `7Q4M2K`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ShortId(String);

impl NotificationId {
    /// The id of the notification that a transition of an alert causes. `store` distinguishes two installations, and by its generation
    /// what a store made before it was restored from a backup from what it makes after; `tenant` is what the store makes ids of the
    /// alert's tenant from, which stays the same when its slug changes.
    #[must_use]
    pub fn of_transition(store: &str, tenant: &str, alert: &AlertKey, generation: u64, sequence: u64) -> Self {
        let subject = alert.subject.as_ref().map_or("", |subject| subject.as_str());
        Self::of_parts(&[
            "transition",
            store,
            tenant,
            alert.rule.as_str(),
            alert.score.map_or("", ScoreKind::as_str),
            if alert.subject.is_some() { "subject" } else { "" },
            subject,
            &generation.to_string(),
            &sequence.to_string(),
        ])
    }

    /// The id of something that these parts name. Parts are length-prefixed, so no two lists of parts collide.
    ///
    /// ```
    /// use scorewatch::notify::NotificationId;
    ///
    /// let id = NotificationId::of_parts(&["contoso", "device-score-drop", "1"]);
    /// assert_eq!(id, NotificationId::of_parts(&["contoso", "device-score-drop", "1"]), "a restart gives no new id");
    /// assert_ne!(id, NotificationId::of_parts(&["contoso", "device-score-drop1", ""]));
    /// ```
    #[must_use]
    pub fn of_parts(parts: &[&str]) -> Self {
        Self(format!("msg_{}", digest_letters(parts, ID_LETTERS)))
    }

    /// Takes a text from outside that has the form of an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix("msg_")?;
        let is_id = letters.len() == ID_LETTERS && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        is_id.then(|| Self(text.to_owned()))
    }

    /// Takes an id from the store or a command line as it is.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The identifier in its text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that people compare.
    #[must_use]
    pub fn short(&self) -> ShortId {
        let letters = self.0.strip_prefix("msg_").unwrap_or(&self.0);
        ShortId(letters.chars().take(SHORT_LETTERS).collect())
    }
}

/// The id of an alert in JSON: the same for its whole life, over all of its generations and those of its store. `tenant` as in
/// [`NotificationId::of_transition`].
#[must_use]
pub fn alert_id(store: &str, tenant: &str, alert: &AlertKey) -> String {
    let (store, _generation) = store.split_once('/').unwrap_or((store, ""));
    let subject = alert.subject.as_ref().map_or("", |subject| subject.as_str());
    let parts = [
        "alert",
        store,
        tenant,
        alert.rule.as_str(),
        alert.score.map_or("", ScoreKind::as_str),
        if alert.subject.is_some() { "subject" } else { "" },
        subject,
    ];
    format!("alert_{}", digest_letters(&parts, ID_LETTERS))
}

/// The id of an outage in JSON: the same in all that is said of it.
#[must_use]
pub fn outage_id(store: &str, cause: &str, since: &str) -> String {
    format!("alert_{}", digest_letters(&["outage", store, cause, since], ID_LETTERS))
}

fn digest_letters(parts: &[&str], letters: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let bit = |index: usize| usize::from(digest[index / 8] >> (7 - index % 8) & 1);
    (0..letters)
        .map(|letter| char::from(ALPHABET[(0..5).fold(0, |value, offset| value * 2 + bit(letter * 5 + offset))]))
        .collect()
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
