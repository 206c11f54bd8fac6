//! What scores are called.

use crate::{
    domain::ScoreKind,
    notify::notification::{Facts, ScoreFacts},
};

/// What an alert is about, as the subject of a sentence.
pub(super) struct Name {
    pub(super) text: String,
    /// Whether several things have that name.
    pub(super) is_plural: bool,
}

/// What an alert is about. One of the whole tenant is about the scores without data.
pub(super) fn name_of(data: &Facts, score: &ScoreFacts) -> Name {
    let one = |text: String| Name { text, is_plural: false };
    let many = |text: String| Name { text, is_plural: true };
    match data.no_data.as_slice() {
        [only] if score.all => one(score_name(only.kind, None)),
        [_, _, ..] if score.all => many(format!("{} scores", data.no_data.len())),
        [] if score.all => many("all scores".to_owned()),
        _ => one(score_name(score.kind, score.subject.as_deref())),
    }
}

/// What a score is called, of which of several values.
pub(super) fn score_name(kind: ScoreKind, subject: Option<&str>) -> String {
    let name = match kind {
        ScoreKind::DeviceSecureScore => "device secure score",
        ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup => "exposure score",
        ScoreKind::SecureScore => "secure score",
        ScoreKind::SecureScoreCategory => "secure score in",
    };
    match (kind, subject) {
        (ScoreKind::SecureScoreCategory, None) => "secure score by category".to_owned(),
        (_, None) => name.to_owned(),
        (ScoreKind::SecureScoreCategory, Some(subject)) => format!("{name} {subject}"),
        (_, Some(subject)) => format!("{name} of {subject}"),
    }
}
