//! The texts of messages: built in, overridden by the user, rendered against samples at load, escaped per receiver.
//!
//! A template writes JSON. Every value that it shows is put into a JSON string with its beginning and end marked; once the
//! output is parsed, the channel that sends it knows which text the template's author wrote and which came from outside, and escapes the
//! latter by where it ended up: Markdown, mrkdwn, plain text, a link. So a hostile tenant name can't become a mention, a link
//! or an element. Unescaped expressions (`{{{x}}}`, `{{&x}}`) are refused at load.

mod advice;
mod bound;
mod causes;
mod context;
mod dialect;
mod facts;
mod fold;
mod functions;
mod headline;
mod lines;
mod link;
pub(crate) mod markup;
mod month;
mod outage;
pub(crate) mod payload;
mod phrases;
mod plain;
mod reading;
mod refusal;
mod registry;
mod render;
mod report;
pub mod sample;
mod scan;
mod score_name;
mod shift;
mod source;
pub(crate) mod steps;
mod summary;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod trial;
mod words;

pub(crate) use dialect::PLAIN_CHARACTERS_MAX;
pub use dialect::{Dialect, Plain};
pub use payload::harmless;
pub use plain::{in_lines, plain};
pub use refusal::Refusal;
pub use registry::Registry;
pub use render::RenderFailure;
pub use summary::{Summary, summary};
