//! What templates can call other than Handlebars' own: numbers, times, durations. They follow the language and the time zone of the
//! channel. Every result is escaped like a value.

use std::time::Duration;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
    handlebars_helper,
};

use super::text;
use crate::{
    domain::Timestamp,
    notify::language::{Locale, Place},
    rule::display,
    schedule::Zone,
};

handlebars_helper!(cut: |whole: str, characters: u64| text::cut(whole, usize::try_from(characters).unwrap_or(usize::MAX)));

/// Makes known what is the same for every channel.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    handlebars.register_helper("cut", Box::new(cut));
    // It would write text from outside into our log.
    handlebars.unregister_helper("log");
}

/// Makes known what follows the channel's language and time zone.
pub(super) fn register_local(state: &mut RenderContext<'_, '_>, locale: &Locale) {
    for says in [Says::Number, Says::Time, Says::Utc, Says::Lasted, Says::Seconds] {
        state.register_local_helper(says.name(), Box::new(Function { says, locale: locale.clone() }));
    }
}

/// What a function puts into words.
#[derive(Clone, Copy)]
enum Says {
    /// A number, with as many decimals as keep it apart from the others.
    Number,
    /// An instant, on the clock of the channel's zone.
    Time,
    /// An instant in UTC.
    Utc,
    /// The time between two instants.
    Lasted,
    /// A number of seconds.
    Seconds,
}

impl Says {
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Time => "time",
            Self::Utc => "utc",
            Self::Lasted => "lasted",
            Self::Seconds => "seconds",
        }
    }
}

struct Function {
    says: Says,
    locale: Locale,
}

impl Function {
    fn text<'a>(&self, helper: &'a Helper<'_>, index: usize) -> Result<&'a str, RenderErrorReason> {
        let value = self.value(helper, index)?;
        value.as_str().ok_or_else(|| self.mismatch(index, "a text"))
    }

    fn value<'a>(&self, helper: &'a Helper<'_>, index: usize) -> Result<&'a serde_json::Value, RenderErrorReason> {
        let found = helper.param(index).map(handlebars::PathAndJson::value);
        found.ok_or_else(|| RenderErrorReason::ParamNotFoundForIndex(self.says.name(), index))
    }

    fn mismatch(&self, index: usize, expected: &str) -> RenderErrorReason {
        RenderErrorReason::ParamTypeMismatchForName(self.says.name(), (index + 1).to_string(), expected.to_owned())
    }

    fn said(&self, helper: &Helper<'_>) -> Result<String, RenderErrorReason> {
        let (locale, words) = (&self.locale, self.locale.words());
        Ok(match self.says {
            Says::Number => {
                let value = self.value(helper, 0)?.as_f64().ok_or_else(|| self.mismatch(0, "a number"))?;
                let others = helper.params().iter().skip(1).filter_map(|other| other.value().as_f64());
                words.decimals(&display::among(value, &others.collect::<Vec<_>>()))
            }
            Says::Time => at(self.text(helper, 0)?, locale),
            Says::Utc => at(self.text(helper, 0)?, &Locale { zone: Zone::utc(), ..locale.clone() }),
            Says::Lasted => match (Timestamp::parse(self.text(helper, 0)?), Timestamp::parse(self.text(helper, 1)?)) {
                (Some(from), Some(until)) => words.duration(until.since(from), Place::Alone),
                _ => String::new(),
            },
            Says::Seconds => {
                let count = self.value(helper, 0)?.as_u64().ok_or_else(|| self.mismatch(0, "a whole number"))?;
                words.duration(Duration::from_secs(count), Place::Alone)
            }
        })
    }
}

/// What can't be read stays as it is.
fn at(instant: &str, locale: &Locale) -> String {
    Timestamp::parse(instant).map_or_else(|| instant.to_owned(), |at| locale.time(at))
}

impl HelperDef for Function {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok(ScopedJson::Derived(self.said(helper)?.into()))
    }
}
