//! Every template, compiled once per kind of receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use handlebars::Handlebars;

use super::{
    Receiver,
    render::{self, RenderFailure, engines},
    source::{Source, compile, problem, read},
    trial,
};
use crate::{diagnostic::Problem, notify::Notification};

/// The templates that come with the program, by stem.
const BUILT_IN: [(&str, &str); 5] = [
    ("teams", include_str!("../../templates/teams.hbs")),
    ("teams-fact", include_str!("../../templates/teams-fact.hbs")),
    ("slack", include_str!("../../templates/slack.hbs")),
    ("webhook", include_str!("../../templates/webhook.hbs")),
    ("email", include_str!("../../templates/email.hbs")),
];

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
        render::render(self.engines.get(&receiver), name, receiver, notification)
    }

    /// The same by the built-in template of that kind of receiver, whatever the user's own are.
    ///
    /// # Errors
    /// [`RenderFailure`], as [`Self::render`].
    pub fn render_built_in(&self, receiver: Receiver, notification: &Notification) -> Result<Vec<u8>, RenderFailure> {
        render::render(self.built_in.get(&receiver), receiver.as_str(), receiver, notification)
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
    } else if text.trim_start().starts_with("Subject:") {
        Receiver::Email
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
