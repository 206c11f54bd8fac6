//! One template, one notification, one body: rendered under a cap, shortened until it fits.

use std::{collections::BTreeMap, io};

use handlebars::{Context, Handlebars, Output, RenderContext, RenderError, RenderErrorReason, Renderable};

use super::{
    Dialect,
    context::{LEVELS, context, shortened},
    functions,
    refusal::Refusal,
    source::Compiled,
    steps::{self, Budget},
    words,
};
use crate::{
    notify::{
        Notification,
        language::{Locale, Words, alert::LinkTo},
    },
    page,
};

/// Most bytes that a template may write.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Most bytes of a page with a month before its texts are cut: Gmail cuts off what is beyond 102 KB, encoded.
const MONTH_BYTES_MAX: usize = 80 * 1024;

/// Why a template wrote nothing that can be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderFailure {
    /// The template failed, or wrote what the receiver does not take.
    #[error("{what}")]
    Template {
        /// Which template or partial.
        template: String,
        /// The line in it, from one, if it is known.
        line: Option<usize>,
        /// The column, from one, if it is known.
        column: Option<usize>,
        /// What went wrong, as one clause.
        what: String,
    },
    /// The shortest form of the message is above the receiver's limit.
    #[error("the message has a size of {size}, above the receiver's limit of {limit}")]
    TooLarge {
        /// The size that the message has, in bytes.
        size: usize,
        /// The largest size that is allowed, in bytes.
        limit: usize,
    },
}

/// The templates, compiled for each kind of receiver, by its name; they differ in how values are escaped.
pub(super) fn engines(
    dialects: &[&'static Dialect],
    compiled: &Compiled,
) -> BTreeMap<&'static str, Handlebars<'static>> {
    dialects.iter().map(|dialect| (dialect.name, engine(dialect, compiled))).collect()
}

fn engine(dialect: &Dialect, compiled: &Compiled) -> Handlebars<'static> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(dialect.escape);
    functions::register(&mut handlebars);
    for (name, (template, _)) in compiled {
        let mut template = template.clone();
        steps::instrument(&mut template);
        handlebars.register_template(name, template);
    }
    handlebars
}

/// Writes the body, at the first level that fits, with what is left of a budget for all levels.
pub(super) fn render(
    engine: Option<&Handlebars<'_>>,
    name: &str,
    dialect: &Dialect,
    notification: &Notification,
    locale: &Locale,
    budget: &Budget,
) -> Result<Vec<u8>, RenderFailure> {
    let failed = |what: String| RenderFailure::Template { template: name.to_owned(), line: None, column: None, what };
    if dialect.has_month_page && notification.data.month.is_some() {
        return month(dialect, notification);
    }
    let engine = engine.ok_or_else(|| failed("there are no templates for this kind of receiver".to_owned()))?;
    let mut too_large = failed("there is nothing to write".to_owned());
    for level in LEVELS {
        let context =
            context(notification, level, locale).ok_or_else(|| failed("the notification is not JSON".to_owned()))?;
        let mut output = Capped::default();
        if let Err(error) = run(engine, name, context, locale, &mut output, budget) {
            if !output.is_full {
                return Err(explain(name, &error));
            }
            too_large = RenderFailure::TooLarge { size: OUTPUT_BYTES_MAX + 1, limit: OUTPUT_BYTES_MAX };
            continue;
        }
        let output = String::from_utf8(output.bytes).map_err(|_| failed("the output is not UTF-8".to_owned()))?;
        match (dialect.finish)(&output) {
            Ok(body) => return Ok(body),
            Err(Refusal::TooLarge { size, limit }) => too_large = RenderFailure::TooLarge { size, limit },
            Err(Refusal::Invalid(what)) => return Err(failed(what)),
        }
    }
    Err(too_large)
}

/// Writes the report on a month as a page, with texts as long as it has room for.
fn month(dialect: &Dialect, notification: &Notification) -> Result<Vec<u8>, RenderFailure> {
    let failed =
        |what: String| RenderFailure::Template { template: "month".to_owned(), line: None, column: None, what };
    let mut longest = usize::MAX;
    let mut output = String::new();
    for level in LEVELS {
        // Nothing else is cut: the page has bounds of its own.
        if level.text_characters >= longest {
            continue;
        }
        longest = level.text_characters;
        let shown = shortened(notification, level).notification;
        let month = shown.data.month.as_ref().ok_or_else(|| failed("there is no month".to_owned()))?;
        let mark = if shown.data.notification.test { "TEST: " } else { "" };
        let words = Words::of(month.language);
        let title = (words.alert.link)(LinkTo::Dashboard);
        let link = shown.data.links.dashboard.clone().map(|url| page::Link { title, url });
        let written = page::mail(month, mark, words::footer(&shown, words), link, dialect.escape);
        output = written.map_err(|error| failed(error.to_string()))?;
        if output.len() <= MONTH_BYTES_MAX {
            break;
        }
    }
    (dialect.finish)(&output).map_err(|refusal| match refusal {
        Refusal::TooLarge { size, limit } => RenderFailure::TooLarge { size, limit },
        Refusal::Invalid(what) => failed(what),
    })
}

/// Goes through a template.
fn run(
    engine: &Handlebars<'_>,
    name: &str,
    context: serde_json::Value,
    locale: &Locale,
    output: &mut Capped,
    budget: &Budget,
) -> Result<(), RenderError> {
    let template = engine.get_template(name).ok_or_else(|| RenderErrorReason::TemplateNotFound(name.to_owned()))?;
    let (counter, count) = budget.counter(&context);
    let context = Context::from(context);
    let mut state = RenderContext::new(template.name.as_ref());
    state.register_local_helper(counter, count);
    functions::register_local(&mut state, locale);
    template.render(engine, &context, &mut state, output)
}

fn explain(name: &str, error: &RenderError) -> RenderFailure {
    let what = match error.reason() {
        RenderErrorReason::MissingVariable(Some(path)) => format!("there is no `{path}`"),
        RenderErrorReason::HelperNotFound(function) => format!("there is no function `{function}`"),
        reason => reason.to_string(),
    };
    RenderFailure::Template {
        template: error.template_name.clone().unwrap_or_else(|| name.to_owned()),
        line: error.line_no,
        column: error.column_no,
        what,
    }
}

/// Takes what a template writes, up to a cap.
#[derive(Default)]
struct Capped {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Output for Capped {
    fn write(&mut self, more: &str) -> Result<(), io::Error> {
        if self.bytes.len() + more.len() > OUTPUT_BYTES_MAX {
            self.is_full = true;
            return Err(io::Error::other("the template writes too much"));
        }
        self.bytes.extend_from_slice(more.as_bytes());
        Ok(())
    }
}
