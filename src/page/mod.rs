//! A tenant's month as people read it: an HTML page, a mail, lines of a chat, in several languages.
//!
//! A page stands alone: it loads nothing and runs no script, so that it can be kept and passed on. Every value is escaped by the
//! template engine, which is a different one from that of messages. A mail's values are escaped by the caller.

mod axis;
mod bars;
mod drawing;
mod language;
mod lines;
mod mail;
mod report;

use handlebars::Handlebars;
use serde::Serialize;

pub use lines::{headline, lines};
pub use mail::{Link, mail};
pub use report::report;

/// Fills in a page's template, whose values are written by `escape`.
fn render(template: &str, view: &impl Serialize, escape: fn(&str) -> String) -> Result<String, PageError> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(escape);
    engine.render_template(template, view).map_err(|error| PageError(error.to_string()))
}

/// A page could not be written, which is a mistake in the program.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be written: {0}")]
pub struct PageError(String);
