//! How one kind of receiver is written to. The kinds themselves are channels' business: see `channel/`.

use super::refusal::Refusal;

/// How a kind of receiver is written to: by a template, and as plain text once it has rejected what a template wrote.
#[derive(Debug)]
pub struct Dialect {
    /// The word under `type:`, which is also the built-in template's name.
    pub name: &'static str,
    /// The built-in template and its partials, each with its name; the template first.
    pub templates: &'static [(&'static str, &'static str)],
    /// Writes a value into a template's output.
    pub escape: fn(&str) -> String,
    /// Whether a report on a month is a page of its own, whatever the template.
    pub has_month_page: bool,
    /// Turns a template's output into the body that is sent.
    pub finish: fn(&str) -> Result<Vec<u8>, Refusal>,
    /// The plain form; `None`: the notification itself as JSON.
    pub plain: Option<Plain>,
    /// Whether a template that suits no receiver was probably meant for this one; `None`: any template may be.
    pub looks_like: Option<fn(&str) -> bool>,
}

/// Plain text in the simplest message that a receiver takes.
#[derive(Debug)]
pub struct Plain {
    /// Most characters of the text, weighted as a digest's lines are.
    pub characters_max: usize,
    /// Largest body, in bytes.
    pub bytes_max: usize,
    /// Writes the body that says these lines, the first of which is the headline.
    pub write: fn(&[String]) -> Result<Vec<u8>, Refusal>,
}

/// Most characters of plain text for receivers whose limits are far above what anybody reads.
pub(crate) const PLAIN_CHARACTERS_MAX: usize = 10_000;
