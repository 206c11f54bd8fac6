//! Every template, compiled once per kind of receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use handlebars::Handlebars;
use sha2::{Digest, Sha256};

use super::{
    Dialect,
    render::{self, RenderFailure, engines},
    source::{Compiled, Position, Source, compile, problem, read},
    steps::{Budget, STEPS_MAX, TRIAL_STEPS_MAX},
    trial,
};
use crate::{
    diagnostic::Problem,
    notify::{Notification, language::Locale},
};

/// Every template, compiled and tried.
#[derive(Debug)]
pub struct Registry {
    /// The kinds of receivers that there are.
    dialects: Vec<&'static Dialect>,
    /// The user's over the built-in ones, by the name of the kind of receiver.
    engines: BTreeMap<&'static str, Handlebars<'static>>,
    /// The built-in ones alone, for when a user's template fails.
    built_in: BTreeMap<&'static str, Handlebars<'static>>,
    /// Templates, by name, that say what is in a digest.
    naming_items: BTreeSet<String>,
    /// Those that say what is in a report.
    naming_reports: BTreeSet<String>,
    /// Which templates of the user's, or with parts of theirs, write for which receivers; partials for none.
    fits: BTreeMap<String, BTreeSet<&'static str>>,
    /// The other templates. Each writes for the kind that it is named after; what else they suit is tried when it is asked for.
    untouched: BTreeSet<String>,
    /// What was found of those.
    tried: Mutex<BTreeMap<(String, &'static str), bool>>,
    /// For which receivers the configuration uses templates, by name.
    meant: BTreeMap<String, &'static Dialect>,
    fingerprint: [u8; 32],
}

/// Of names and texts.
fn fingerprint(sources: &BTreeMap<String, Source>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in sources.iter().flat_map(|(name, source)| [name, &source.text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Registry {
    /// Compiles the built-in templates of these kinds of receivers and the user's own over them, and renders what is the user's
    /// against sample notifications.
    ///
    /// A template that no other includes must suit at least one kind of receiver; one named after a kind must suit that.
    ///
    /// `meant`: for which receivers the configuration uses templates, by name.
    ///
    /// # Errors
    /// Every problem, with file, line and column.
    pub fn load(
        dialects: Vec<&'static Dialect>,
        folder: Option<&Path>,
        meant: BTreeMap<String, &'static Dialect>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let built_in = built_in(&dialects);
        let own = folder.map(|folder| read(folder, &mut problems)).unwrap_or_default();
        let plain = compile(built_in.iter(), &mut problems);
        let sources: BTreeMap<&String, &Source> = built_in.iter().chain(&own).collect();
        let compiled = compile(sources.iter().map(|(name, source)| (*name, *source)), &mut problems);
        let (Some(plain), Some(compiled)) = (plain, compiled) else { return Err(problems) };
        if !problems.is_empty() {
            return Err(problems);
        }
        let names_any = |of: &[&str], name: &String| {
            sources.get(name).is_some_and(|source| of.iter().any(|named| source.text.contains(named)))
        };
        let templates_naming = |of: &[&str]| -> BTreeSet<String> { involving(&compiled, &|name| names_any(of, name)) };
        let mut registry = Self {
            engines: engines(&dialects, &compiled),
            built_in: engines(&dialects, &plain),
            dialects,
            naming_items: templates_naming(&ITEMS),
            naming_reports: templates_naming(&REPORT),
            fits: BTreeMap::new(),
            untouched: BTreeSet::new(),
            tried: Mutex::default(),
            meant,
            fingerprint: fingerprint(&own),
        };
        registry.try_all(&sources, &own, &compiled, &mut problems);
        if problems.is_empty() { Ok(registry) } else { Err(problems) }
    }

    /// Tries each template that is the user's or includes one that is.
    fn try_all(
        &mut self,
        sources: &BTreeMap<&String, &Source>,
        own: &BTreeMap<String, Source>,
        compiled: &Compiled,
        problems: &mut Vec<Problem>,
    ) {
        let with_own = involving(compiled, &|name| own.contains_key(name));
        let all = Budget::new(TRIAL_STEPS_MAX);
        let included: BTreeSet<&String> = compiled.values().flat_map(|(_, shape)| shape.partials.keys()).collect();
        for (name, source) in sources {
            if with_own.contains(*name) {
                let is_partial = included.contains(*name) || !own.contains_key(*name);
                let fits = self.try_out(name, source, is_partial, &all, problems);
                self.fits.insert((*name).clone(), fits);
            } else {
                self.untouched.insert((*name).clone());
            }
        }
    }

    /// The same as long as the user's templates are.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// Whether there is a template of that name, be it a whole message or a partial.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fits.contains_key(name) || self.untouched.contains(name)
    }

    /// Whether that template writes messages that the receiver takes, as far as the sample notifications show.
    #[must_use]
    pub fn suits(&self, name: &str, dialect: &'static Dialect) -> bool {
        if let Some(fits) = self.fits.get(name) {
            return fits.contains(dialect.name);
        }
        let is_named_after_it = dialect.name == name;
        self.untouched.contains(name) && (is_named_after_it || self.suits_as_tried(name, dialect))
    }

    fn suits_as_tried(&self, name: &str, dialect: &'static Dialect) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        *tried.entry((name.to_owned(), dialect.name)).or_insert_with(|| self.writes_for(name, dialect))
    }

    /// Whether that template writes every sample notification in a way that the receiver takes.
    pub(crate) fn writes_for(&self, name: &str, dialect: &Dialect) -> bool {
        self.try_with(name, dialect, &Budget::new(TRIAL_STEPS_MAX)).is_ok()
    }

    /// Whether that template would hide what a digest or a report says, so that it is said without it.
    #[must_use]
    pub fn hides(&self, name: &str, notification: &Notification) -> bool {
        let is_report = notification.data.report.is_some() || notification.data.month.is_some();
        let naming = if is_report { &self.naming_reports } else { &self.naming_items };
        notification.has_items() && !naming.contains(name)
    }

    /// Writes the body that says a notification, shortened as far as the receiver's limits ask: causes, labels, texts, then items
    /// of a digest.
    ///
    /// # Errors
    /// [`RenderFailure`] when the template fails or even the shortest form is too large.
    pub fn render(
        &self,
        name: &str,
        dialect: &Dialect,
        notification: &Notification,
        locale: &Locale,
    ) -> Result<Vec<u8>, RenderFailure> {
        self.render_within(&Budget::new(STEPS_MAX), name, dialect, notification, locale)
    }

    /// The same with a budget of the caller's.
    pub(crate) fn render_within(
        &self,
        budget: &Budget,
        name: &str,
        dialect: &Dialect,
        notification: &Notification,
        locale: &Locale,
    ) -> Result<Vec<u8>, RenderFailure> {
        if self.hides(name, notification) && self.has(name) {
            return self.render_built_in(dialect, notification, locale);
        }
        render::render(self.engines.get(dialect.name), name, dialect, notification, locale, budget)
    }

    /// The same by the built-in template of that kind of receiver, whatever the user's own are.
    ///
    /// # Errors
    /// [`RenderFailure`], as [`Self::render`].
    pub fn render_built_in(
        &self,
        dialect: &Dialect,
        notification: &Notification,
        locale: &Locale,
    ) -> Result<Vec<u8>, RenderFailure> {
        let budget = Budget::new(STEPS_MAX);
        render::render(self.built_in.get(dialect.name), dialect.name, dialect, notification, locale, &budget)
    }

    fn try_with(&self, name: &str, dialect: &Dialect, all: &Budget) -> Result<(), Box<trial::Failure>> {
        let locale = Locale::default();
        trial::try_out(name, all, |budget, notification| {
            self.render_within(budget, name, dialect, notification, &locale)
        })
    }

    /// Which receivers a template suits; a problem if it must suit one and does not.
    fn try_out(
        &self,
        name: &str,
        source: &Source,
        is_partial: bool,
        all: &Budget,
        problems: &mut Vec<Problem>,
    ) -> BTreeSet<&'static str> {
        let mut fits = BTreeSet::new();
        let mut failures = Vec::new();
        for dialect in &self.dialects {
            match self.try_with(name, dialect, all) {
                Ok(()) => drop(fits.insert(dialect.name)),
                Err(failure) if failure.is_endless => {
                    problems.push(trial_problem(name, source, dialect, &failure));
                    return fits;
                }
                Err(failure) => failures.push((dialect, failure)),
            }
        }
        let kind = self.dialects.iter().find(|dialect| dialect.name == name);
        let must_suit = kind.copied().or_else(|| {
            let must_suit_any = fits.is_empty() && !is_partial;
            if must_suit_any { self.likely(name, &source.text) } else { None }
        });
        let must_suit = must_suit.map(|dialect| dialect.name);
        if let Some((dialect, failure)) = failures.into_iter().find(|(dialect, _)| Some(dialect.name) == must_suit) {
            problems.push(trial_problem(name, source, dialect, &failure));
        }
        fits
    }

    /// For which receiver a template that suits none was probably meant.
    fn likely(&self, name: &str, text: &str) -> Option<&'static Dialect> {
        let looks_like = |dialect: &&&Dialect| dialect.looks_like.is_some_and(|looks_like| looks_like(text));
        let takes_any = |dialect: &&&Dialect| dialect.looks_like.is_none();
        let guess = || self.dialects.iter().find(looks_like).or_else(|| self.dialects.iter().find(takes_any));
        self.meant.get(name).or_else(guess).copied()
    }
}

/// The templates that come with the program, by name.
fn built_in(dialects: &[&'static Dialect]) -> BTreeMap<String, Source> {
    let source = |(name, text): &(&str, &str)| {
        let file = PathBuf::from(format!("templates/{name}.hbs"));
        ((*name).to_owned(), Source { file, text: (*text).to_owned() })
    };
    dialects.iter().flat_map(|dialect| dialect.templates).map(source).collect()
}

/// How a template can name what is in a digest.
const ITEMS: [&str; 5] =
    ["words.lines", "words.paragraphs", "words.linked_lines", "words.linked_paragraphs", "data.items"];

/// How a template can name what is in a report.
const REPORT: [&str; 5] =
    ["words.lines", "words.paragraphs", "words.linked_lines", "words.linked_paragraphs", "data.report"];

/// The templates that are such, or include one that is, however indirectly. Each inclusion is examined once for each level.
fn involving(compiled: &Compiled, is_such: &dyn Fn(&String) -> bool) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = compiled.keys().filter(|name| is_such(name)).cloned().collect();
    loop {
        let includes = |name: &&String| {
            let included = compiled.get(*name).into_iter().flat_map(|(_, shape)| shape.partials.keys());
            !found.contains(*name) && included.into_iter().any(|partial| found.contains(partial))
        };
        let more: Vec<String> = compiled.keys().filter(includes).cloned().collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn trial_problem(name: &str, source: &Source, dialect: &Dialect, failure: &trial::Failure) -> Problem {
    let RenderFailure::Template { template, line, column, what } = &failure.why else {
        return problem(&source.file, Position::START, failure.why.to_string(), "write less fixed text");
    };
    let file =
        if template == name { source.file.clone() } else { source.file.with_file_name(format!("{template}.hbs")) };
    let what = format!("a sample notification ({}) can't be written for {}: {what}", failure.sample, dialect.name);
    let place = Position { line: line.unwrap_or(1), column: column.unwrap_or(1) };
    problem(&file, place, what, "see the built-in templates for what there is and how it is written")
}
