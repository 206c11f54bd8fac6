//! Answers as HTML pages: for a browser, a printer, or to attach to mail.
//!
//! A page stands alone: it loads nothing and runs no script, so that it can be kept and passed on. Every value is escaped by the
//! template engine, which is a different one from that of messages.

mod drawing;
mod language;
mod report;

use handlebars::Handlebars;
use serde::Serialize;

pub use report::report;

/// Fills in a page's template.
///
fn render(template: &str, view: &impl Serialize) -> Result<String, PageError> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.render_template(template, view).map_err(|error| PageError(error.to_string()))
}

/// A page could not be written, which is a mistake in the program.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be written: {0}")]
pub struct PageError(String);
