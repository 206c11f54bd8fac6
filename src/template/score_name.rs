//! What scores are called.

use super::text;
use crate::domain::ScoreKind;
use crate::notify::{
    language::{Words, alert::Subject},
    notification::{Facts, ScoreFacts},
};

/// How much room there is for a score's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Ample,
    Scarce,
    /// The short name has at most that many characters.
    AtMost(usize),
}

/// What an alert is about. One of the whole tenant is about the scores without data.
pub(super) fn name_of(data: &Facts, score: &ScoreFacts, words: &Words, room: Room) -> Subject {
    let named = |kind: ScoreKind, subject: Option<&str>| match room {
        Room::Ample => (words.score)(kind, subject),
        Room::Scarce => (words.short_score)(kind, subject),
        Room::AtMost(characters) => text::cut(&(words.short_score)(kind, subject), characters),
    };
    let one = |text: String| Subject { text, is_plural: false };
    let many = |text: String| Subject { text, is_plural: true };
    match data.no_data.as_slice() {
        [only] if score.all => one(named(only.kind, None)),
        several @ [_, _, ..] if score.all => many(words.counted(several.len(), words.scores)),
        [] if score.all => many(words.all_scores.to_owned()),
        _ => one(named(score.kind, score.subject.as_deref())),
    }
}
