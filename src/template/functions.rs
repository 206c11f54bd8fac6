//! What templates can call other than Handlebars' own: numbers, times, durations, severities. Every result is escaped like a value.

use std::time::Duration;

use handlebars::{Handlebars, handlebars_helper};

use super::{phrases, text};
use crate::{domain::Timestamp, rule::display};

handlebars_helper!(number_function: |value: f64, *others| {
    let others: Vec<f64> = others.iter().skip(1).filter_map(|other| other.as_f64()).collect();
    display::among(value, &others)
});
handlebars_helper!(utc: |instant: str| Timestamp::parse(instant).map_or_else(|| instant.to_owned(), phrases::utc));
handlebars_helper!(lasted: |from: str, until: str| match (Timestamp::parse(from), Timestamp::parse(until)) {
    (Some(from), Some(until)) => phrases::duration(until.since(from)),
    _ => String::new(),
});
handlebars_helper!(seconds: |count: u64| phrases::duration(Duration::from_secs(count)));
handlebars_helper!(cut: |whole: str, characters: u64| text::cut(whole, usize::try_from(characters).unwrap_or(usize::MAX)));

/// Makes the functions known.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    handlebars.register_helper("number", Box::new(number_function));
    handlebars.register_helper("utc", Box::new(utc));
    handlebars.register_helper("lasted", Box::new(lasted));
    handlebars.register_helper("seconds", Box::new(seconds));
    handlebars.register_helper("cut", Box::new(cut));
    // It would write text from outside into our log.
    handlebars.unregister_helper("log");
}
