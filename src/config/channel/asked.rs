//! What `scorewatch init` asks of each kind of channel.

use super::READERS;

/// A key that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The key under `channels.NAME`.
    pub key: &'static str,
    /// The question, as a noun phrase.
    pub what: &'static str,
    /// Why it is asked, or where to find the answer; full sentences.
    pub why: &'static str,
    /// What form the answer has.
    pub answer: Answer,
    /// Whether there may be no answer.
    pub is_optional: bool,
    /// Another key, without which this one is not asked for.
    pub needs: Option<&'static str>,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A text, which is written to the configuration.
    Text,
    /// Texts separated by commas, which become a list.
    List,
    /// A secret, which is kept in a file of its own.
    Secret,
}

impl Asked {
    /// Where a receiver inside the own network may be.
    pub(super) const NETWORK: Self = Self {
        answer: Answer::List,
        ..Self::text(
            "allow_private",
            "Private network of the receiver, if it is in one",
            "Press Enter if the receiver is on the internet. Scorewatch sends nothing to a private address unless its network is \
             listed here: `10.1.2.0/24`, or `127.0.0.1/32` for this machine.",
        )
        .optional()
    };

    /// A URL that is a secret.
    pub(super) const fn url(what: &'static str, why: &'static str) -> Self {
        Self { answer: Answer::Secret, ..Self::text("url", what, why) }
    }

    /// A question whose answer is written as it is, as text.
    pub(super) const fn text(key: &'static str, what: &'static str, why: &'static str) -> Self {
        Self { key, what, why, answer: Answer::Text, is_optional: false, needs: None }
    }

    /// The same, which may be left empty.
    pub(super) const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }
}

/// What to ask of channels of that type, in this order; nothing of an unknown type.
#[must_use]
pub fn asked(word: &str) -> &'static [Asked] {
    READERS.iter().find(|reader| reader.word == word).map_or(&[], |reader| reader.asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel::ChannelKind, config::raw::RawCommon};

    #[test]
    fn every_kind_is_asked_for_keys_that_it_has_and_for_at_most_one_secret() {
        for reader in &READERS {
            let secrets = reader.asked.iter().filter(|asked| asked.answer == Answer::Secret).count();
            assert!(!reader.asked.is_empty() && secrets <= 1, "{}", reader.word);
            for Asked { key, needs, .. } in reader.asked {
                assert!(reader.keys.contains(key) || RawCommon::KEYS.contains(key), "{}: {key}", reader.word);
                assert!(needs.is_none_or(|needs| reader.asked.iter().any(|one| one.key == needs)), "{key}");
            }
        }
        assert!(ChannelKind::WORDS.iter().all(|word| !asked(word).is_empty()) && asked("carrier-pigeon").is_empty());
    }
}
