//! Every template, compiled once per kind of receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use handlebars::{Handlebars, RenderError, RenderErrorReason, Template};

use super::{
    Receiver,
    context::{LEVELS, context},
    functions,
    payload::{self, Refusal},
    scan::{self, Shape},
    text, trial,
};
use crate::{
    diagnostic::{Gravity, Place, Problem},
    notify::Notification,
};

/// The templates that come with the program, by stem.
const BUILT_IN: [(&str, &str); 4] = [
    ("teams", include_str!("../../templates/teams.hbs")),
    ("teams-fact", include_str!("../../templates/teams-fact.hbs")),
    ("slack", include_str!("../../templates/slack.hbs")),
    ("webhook", include_str!("../../templates/webhook.hbs")),
];
/// Most bytes that a template may write.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Most templates in the user's folder.
const TEMPLATES_MAX: usize = 256;

/// Every template, compiled and tried.
#[derive(Debug)]
pub struct Registry {
    /// The user's over the built-in ones, per kind of receiver.
    engines: BTreeMap<Receiver, Handlebars<'static>>,
    /// The built-in ones alone, for when a user's template fails.
    built_in: BTreeMap<Receiver, Handlebars<'static>>,
    /// Which templates write for which receivers; partials for none.
    fits: BTreeMap<String, BTreeSet<Receiver>>,
}

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
        /// What happened.
        what: String,
    },
    /// The shortest form of the message is above the receiver's limit.
    #[error("the message has a size of {size}, above the receiver's limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

/// A template as written.
struct Source {
    file: PathBuf,
    text: String,
}

impl Registry {
    /// Compiles the built-in templates and the user's own over them, and renders each against sample notifications.
    ///
    /// A template that no other includes must suit at least one kind of receiver; one named after a kind must suit that.
    ///
    /// # Errors
    /// Every problem, with file, line and column.
    pub fn load(folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let built_in: BTreeMap<String, Source> = BUILT_IN
            .into_iter()
            .map(|(name, text)| {
                (
                    name.to_owned(),
                    Source { file: PathBuf::from(format!("templates/{name}.hbs")), text: text.to_owned() },
                )
            })
            .collect();
        let own = folder.map(|folder| read(folder, &mut problems)).unwrap_or_default();
        let plain = compile(built_in.iter(), &mut problems);
        let sources: BTreeMap<&String, &Source> = built_in.iter().chain(&own).collect();
        let compiled = compile(sources.iter().map(|(name, source)| (*name, *source)), &mut problems);
        let (Some(plain), Some(compiled)) = (plain, compiled) else { return Err(problems) };
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut registry = Self { engines: engines(&compiled), built_in: engines(&plain), fits: BTreeMap::new() };
        let included: BTreeSet<&String> = compiled.values().flat_map(|(_, shape)| shape.partials.keys()).collect();
        for (name, source) in &sources {
            let fits =
                registry.try_out(name, source, included.contains(*name) || !own.contains_key(*name), &mut problems);
            registry.fits.insert((*name).clone(), fits);
        }
        if problems.is_empty() { Ok(registry) } else { Err(problems) }
    }

    /// Whether there is a template of that name, be it a whole message or a partial.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fits.contains_key(name)
    }

    /// Whether that template writes messages that the receiver takes, as far as the sample notifications show.
    #[must_use]
    pub fn suits(&self, name: &str, receiver: Receiver) -> bool {
        self.fits.get(name).is_some_and(|receivers| receivers.contains(&receiver))
    }

    /// Writes the body that says a notification, shortened as far as the receiver's limits ask: causes, labels, then texts.
    ///
    /// # Errors
    /// [`RenderFailure`] when the template fails or even the shortest form is too large.
    pub fn render(
        &self,
        name: &str,
        receiver: Receiver,
        notification: &Notification,
    ) -> Result<Vec<u8>, RenderFailure> {
        render(self.engines.get(&receiver), name, receiver, notification)
    }

    /// The same by the built-in template of that kind of receiver, whatever the user's own are.
    ///
    /// # Errors
    /// [`RenderFailure`], as [`Self::render`].
    pub fn render_built_in(&self, receiver: Receiver, notification: &Notification) -> Result<Vec<u8>, RenderFailure> {
        render(self.built_in.get(&receiver), receiver.as_str(), receiver, notification)
    }

    /// Which receivers a template suits; a problem if it must suit one and does not.
    fn try_out(
        &self,
        name: &str,
        source: &Source,
        is_partial: bool,
        problems: &mut Vec<Problem>,
    ) -> BTreeSet<Receiver> {
        let mut fits = BTreeSet::new();
        let mut failures = Vec::new();
        for receiver in Receiver::ALL {
            match trial::try_out(self, name, receiver) {
                Ok(()) => drop(fits.insert(receiver)),
                Err(failure) => failures.push((receiver, failure)),
            }
        }
        let kind = Receiver::ALL.into_iter().find(|kind| kind.as_str() == name);
        let must_suit = kind.or_else(|| (fits.is_empty() && !is_partial).then(|| likely(&source.text)));
        if let Some((receiver, failure)) = failures.into_iter().find(|(receiver, _)| Some(*receiver) == must_suit) {
            problems.push(trial_problem(name, source, receiver, &failure));
        }
        fits
    }
}

/// For which receiver a template that suits none was probably meant.
fn likely(text: &str) -> Receiver {
    if text.contains("\"attachments\"") && text.contains("AdaptiveCard") {
        Receiver::Teams
    } else if text.contains("\"blocks\"") {
        Receiver::Slack
    } else {
        Receiver::Webhook
    }
}

fn trial_problem(name: &str, source: &Source, receiver: Receiver, failure: &trial::Failure) -> Problem {
    let RenderFailure::Template { template, line, column, what } = &failure.failure else {
        return problem(&source.file, (1, 1), failure.failure.to_string(), "write less fixed text");
    };
    let file =
        if template == name { source.file.clone() } else { source.file.with_file_name(format!("{template}.hbs")) };
    let what = format!("a sample notification ({}) can't be written for {}: {what}", failure.sample, receiver.as_str());
    let place = (line.unwrap_or(1), column.unwrap_or(1));
    problem(&file, place, what, "see the built-in templates for what there is and how it is written")
}

fn problem(file: &Path, (line, column): (usize, usize), what: String, instead: &str) -> Problem {
    Problem {
        place: Place { file: file.to_owned(), line: line.max(1), column: column.max(1) },
        key: String::new(),
        gravity: Gravity::Error,
        what,
        instead: instead.to_owned(),
    }
}

/// Reads the user's templates.
fn read(folder: &Path, problems: &mut Vec<Problem>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    let files = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(files) => files,
        Err(error) => {
            problems.push(problem(
                folder,
                (1, 1),
                format!("the folder can't be read: {error}"),
                "name a folder of templates",
            ));
            return sources;
        }
    };
    for file in files.iter().map(fs::DirEntry::path) {
        if file.extension().is_none_or(|extension| extension != "hbs") {
            continue;
        }
        let Some(name) = file.file_stem().and_then(|stem| stem.to_str()) else {
            problems.push(problem(&file, (1, 1), "the file's name is not UTF-8".to_owned(), "rename the file"));
            continue;
        };
        match read_one(&file) {
            Ok(text) => drop(sources.insert(name.to_owned(), Source { file: file.clone(), text })),
            Err(what) => problems.push(problem(&file, (1, 1), what, "use UTF-8 text of at most 32 KiB")),
        }
    }
    if sources.len() > TEMPLATES_MAX {
        let what = format!("there are {} templates, more than {TEMPLATES_MAX}", sources.len());
        problems.push(problem(folder, (1, 1), what, "remove what is not used"));
    }
    sources
}

fn read_one(file: &Path) -> Result<String, String> {
    let size = fs::metadata(file).map_err(|error| format!("it can't be read: {error}"))?.len();
    if size > scan::TEMPLATE_BYTES_MAX as u64 {
        return Err(format!("the template has {size} bytes, more than {}", scan::TEMPLATE_BYTES_MAX));
    }
    fs::read_to_string(file).map_err(|error| format!("it can't be read: {error}"))
}

type Compiled = BTreeMap<String, (Template, Shape)>;

/// Compiles every template and checks how they include one another; `None` if there were problems.
fn compile<'a>(
    sources: impl Iterator<Item = (&'a String, &'a Source)> + Clone,
    problems: &mut Vec<Problem>,
) -> Option<Compiled> {
    let before = problems.len();
    let mut compiled = Compiled::new();
    for (name, source) in sources.clone() {
        match compile_one(name, source) {
            Ok(template) => drop(compiled.insert(name.clone(), template)),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.len() > before {
        return None;
    }
    let mut shapes = BTreeMap::new();
    for (name, (_, shape)) in &compiled {
        shapes.insert(name.clone(), Shape { depth: shape.depth, partials: shape.partials.clone() });
    }
    for (name, source) in sources {
        if let Err(what) = scan::depth_with_partials(name, &shapes) {
            problems.push(problem(&source.file, (1, 1), what, "include only partials that are there and end"));
        }
    }
    (problems.len() == before).then_some(compiled)
}

fn compile_one(name: &str, source: &Source) -> Result<(Template, Shape), Box<Problem>> {
    scan::before_compiling(&source.text).map_err(|fault| {
        Box::new(problem(&source.file, place(&source.text, fault.at), fault.what, "write it simpler"))
    })?;
    let template = Template::compile_with_name(&source.text, name.to_owned()).map_err(|error| {
        let place = error.pos().unwrap_or((1, 1));
        Box::new(problem(&source.file, place, error.reason().to_string(), "see the Handlebars language guide"))
    })?;
    let shape = scan::shape(&template).map_err(|what| {
        Box::new(problem(&source.file, (1, 1), what, "write it with `{{…}}`, `{{#if}}`, `{{#each}}` and `{{> name}}`"))
    })?;
    Ok((template, shape))
}

/// Line and column of a byte, from one.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn engines(compiled: &Compiled) -> BTreeMap<Receiver, Handlebars<'static>> {
    Receiver::ALL.into_iter().map(|receiver| (receiver, engine(receiver, compiled))).collect()
}

fn engine(receiver: Receiver, compiled: &Compiled) -> Handlebars<'static> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    match receiver {
        Receiver::Teams | Receiver::Slack => handlebars.register_escape_fn(text::marked),
        Receiver::Webhook => handlebars.register_escape_fn(text::json_inside),
    }
    functions::register(&mut handlebars);
    for (name, (template, _)) in compiled {
        handlebars.register_template(name, template.clone());
    }
    handlebars
}

fn render(
    engine: Option<&Handlebars<'_>>,
    name: &str,
    receiver: Receiver,
    notification: &Notification,
) -> Result<Vec<u8>, RenderFailure> {
    let failed = |what: String| RenderFailure::Template { template: name.to_owned(), line: None, column: None, what };
    let engine = engine.ok_or_else(|| failed("there are no templates for this kind of receiver".to_owned()))?;
    let mut too_large = failed("there is nothing to write".to_owned());
    for level in LEVELS {
        let context = context(notification, level).ok_or_else(|| failed("the notification is no JSON".to_owned()))?;
        let mut output = Capped::default();
        if let Err(error) = engine.render_to_write(name, &context, &mut output) {
            if !output.is_full {
                return Err(explain(name, &error));
            }
            too_large = RenderFailure::TooLarge { size: OUTPUT_BYTES_MAX + 1, limit: OUTPUT_BYTES_MAX };
            continue;
        }
        let output = String::from_utf8(output.bytes).map_err(|_| failed("the output is not UTF-8".to_owned()))?;
        match payload::finish(receiver, &output) {
            Ok(body) => return Ok(body),
            Err(Refusal::TooLarge { size, limit }) => too_large = RenderFailure::TooLarge { size, limit },
            Err(Refusal::Invalid(what)) => return Err(failed(what)),
        }
    }
    Err(too_large)
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

impl io::Write for Capped {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > OUTPUT_BYTES_MAX {
            self.is_full = true;
            return Err(io::Error::other("the template writes too much"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
