//! A notification as plain text in the simplest message that a receiver takes, for when it has rejected the rich one.

use super::{
    Dialect,
    context::{LEVELS, shortened},
    lines::weight,
    refusal::Refusal,
    render::RenderFailure,
    words,
};
use crate::notify::{Notification, language::Locale};

/// A notification in lines, as plain text, with everything that a receiver with much room is shown.
#[must_use]
pub fn in_lines(notification: &Notification, locale: &Locale) -> Vec<String> {
    words::plain(&shortened(notification, LEVELS[0]), locale)
}

/// Writes the body. For a receiver of any JSON it is the notification itself, which says everything.
///
/// # Errors
/// [`RenderFailure`] when even the shortest form is too large, which none is.
pub fn plain(dialect: &Dialect, notification: &Notification, locale: &Locale) -> Result<Vec<u8>, RenderFailure> {
    let failed =
        |what: String| RenderFailure::Template { template: "plain".to_owned(), line: None, column: None, what };
    let Some(plain) = &dialect.plain else {
        return serde_json::to_vec(notification).map_err(|error| failed(error.to_string()));
    };
    let mut too_large = (0, 0);
    for level in LEVELS {
        let lines = words::plain(&shortened(notification, level), locale);
        let size = lines.iter().map(|line| weight(line) + 1).sum();
        if size > plain.characters_max {
            too_large = (size, plain.characters_max);
            continue;
        }
        match (plain.write)(&lines) {
            Ok(body) if body.len() > plain.bytes_max => too_large = (body.len(), plain.bytes_max),
            Ok(body) => return Ok(body),
            Err(Refusal::TooLarge { size, limit }) => too_large = (size, limit),
            Err(Refusal::Invalid(what)) => return Err(failed(what)),
        }
    }
    Err(RenderFailure::TooLarge { size: too_large.0, limit: too_large.1 })
}
