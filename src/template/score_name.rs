//! What scores are called.

use crate::notify::{
    language::{Words, alert::Subject},
    notification::{Facts, ScoreFacts},
};

/// What an alert is about. One of the whole tenant is about the scores without data.
pub(super) fn name_of(data: &Facts, score: &ScoreFacts, words: &Words) -> Subject {
    let one = |text: String| Subject { text, is_plural: false };
    let many = |text: String| Subject { text, is_plural: true };
    match data.no_data.as_slice() {
        [only] if score.all => one((words.score)(only.kind, None)),
        several @ [_, _, ..] if score.all => many(words.counted(several.len(), words.scores)),
        [] if score.all => many(words.all_scores.to_owned()),
        _ => one((words.score)(score.kind, score.subject.as_deref())),
    }
}
