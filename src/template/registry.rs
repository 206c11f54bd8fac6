//! Every template, compiled once per kind of receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use handlebars::Handlebars;
use sha2::{Digest, Sha256};

use super::{
    Receiver,
    render::{self, RenderFailure, engines},
    source::{Compiled, Source, compile, problem, read},
    steps::{Budget, STEPS_MAX, TRIAL_STEPS_MAX},
    trial,
};
use crate::{diagnostic::Problem, notify::Notification};

/// A template that comes with the program: its stem, its text, and whom it suits.
type BuiltIn = (&'static str, &'static str, &'static [Receiver]);

/// The templates that come with the program. Whom they suit is held to the trial by a test, so that no start has to try them.
const BUILT_IN: [BuiltIn; 8] = {
    use Receiver::{Discord, Email, GoogleChat, Mattermost, Slack, Teams, Webhook};
    [
        ("teams", include_str!("../../templates/teams.hbs"), &[Teams, Webhook]),
        ("teams-fact", include_str!("../../templates/teams-fact.hbs"), &[]),
        ("slack", include_str!("../../templates/slack.hbs"), &[Slack, Webhook]),
        ("discord", include_str!("../../templates/discord.hbs"), &[Discord, Webhook]),
        ("google-chat", include_str!("../../templates/google-chat.hbs"), &[Slack, GoogleChat, Webhook]),
        ("mattermost", include_str!("../../templates/mattermost.hbs"), &[Slack, Mattermost, Webhook]),
        ("webhook", include_str!("../../templates/webhook.hbs"), &[Slack, Mattermost, Webhook]),
        ("email", include_str!("../../templates/email.hbs"), &[Email]),
    ]
};

/// Every template, compiled and tried.
#[derive(Debug)]
pub struct Registry {
    /// The user's over the built-in ones, per kind of receiver.
    engines: BTreeMap<Receiver, Handlebars<'static>>,
    /// The built-in ones alone, for when a user's template fails.
    built_in: BTreeMap<Receiver, Handlebars<'static>>,
    /// Templates, by name, that say what is in a digest.
    tell_items: BTreeSet<String>,
    /// Those that say what is in a report.
    tell_reports: BTreeSet<String>,
    /// Which templates write for which receivers; partials for none.
    fits: BTreeMap<String, BTreeSet<Receiver>>,
    imprint: [u8; 32],
}

/// Of names and texts.
fn imprint(sources: &BTreeMap<String, Source>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in sources.iter().flat_map(|(name, source)| [name, &source.text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Registry {
    /// Compiles the built-in templates and the user's own over them, and renders what is the user's against sample notifications.
    ///
    /// A template that no other includes must suit at least one kind of receiver; one named after a kind must suit that.
    ///
    /// # Errors
    /// Every problem, with file, line and column.
    pub fn load(folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let built_in: BTreeMap<String, Source> = BUILT_IN
            .into_iter()
            .map(|(name, text, _)| {
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
        let names_any = |of: &[&str], name: &String| {
            sources.get(name).is_some_and(|source| of.iter().any(|named| source.text.contains(named)))
        };
        let is_own = |name: &String| own.contains_key(name);
        let telling = |of: &[&str]| -> BTreeSet<String> { involving(&compiled, &|name| names_any(of, name)) };
        let (tell_items, tell_reports) = (telling(&ITEMS), telling(&REPORT));
        let with_own = involving(&compiled, &is_own);
        let mut registry = Self {
            engines: engines(&compiled),
            built_in: engines(&plain),
            tell_items,
            tell_reports,
            fits: BTreeMap::new(),
            imprint: imprint(&own),
        };
        let all = Budget::new(TRIAL_STEPS_MAX);
        let included: BTreeSet<&String> = compiled.values().flat_map(|(_, shape)| shape.partials.keys()).collect();
        for (name, source) in &sources {
            let built_in = BUILT_IN.iter().find(|(built_in, ..)| built_in == name);
            let fits = if let Some((.., fits)) = built_in.filter(|_| !with_own.contains(*name)) {
                fits.iter().copied().collect()
            } else {
                let is_partial = included.contains(*name) || !is_own(name);
                registry.try_out(name, source, is_partial, &all, &mut problems)
            };
            registry.fits.insert((*name).clone(), fits);
        }
        if problems.is_empty() { Ok(registry) } else { Err(problems) }
    }

    /// The same as long as the user's templates are.
    #[must_use]
    pub const fn imprint(&self) -> &[u8] {
        &self.imprint
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

    /// Whether that template would hide what a digest or a report says, so that it is said without it.
    #[must_use]
    pub fn hides(&self, name: &str, notification: &Notification) -> bool {
        let tell = if notification.data.report.is_some() { &self.tell_reports } else { &self.tell_items };
        notification.tells_items() && !tell.contains(name)
    }

    /// Writes the body that says a notification, shortened as far as the receiver's limits ask: causes, labels, texts, then items
    /// of a digest.
    ///
    /// # Errors
    /// [`RenderFailure`] when the template fails or even the shortest form is too large.
    pub fn render(
        &self,
        name: &str,
        receiver: Receiver,
        notification: &Notification,
    ) -> Result<Vec<u8>, RenderFailure> {
        self.render_within(&Budget::new(STEPS_MAX), name, receiver, notification)
    }

    /// The same with a budget of the caller's.
    pub(super) fn render_within(
        &self,
        budget: &Budget,
        name: &str,
        receiver: Receiver,
        notification: &Notification,
    ) -> Result<Vec<u8>, RenderFailure> {
        if self.hides(name, notification) && self.has(name) {
            return self.render_built_in(receiver, notification);
        }
        render::render(self.engines.get(&receiver), name, receiver, notification, budget)
    }

    /// The same by the built-in template of that kind of receiver, whatever the user's own are.
    ///
    /// # Errors
    /// [`RenderFailure`], as [`Self::render`].
    pub fn render_built_in(&self, receiver: Receiver, notification: &Notification) -> Result<Vec<u8>, RenderFailure> {
        let budget = Budget::new(STEPS_MAX);
        render::render(self.built_in.get(&receiver), receiver.as_str(), receiver, notification, &budget)
    }

    /// Which receivers a template suits; a problem if it must suit one and does not.
    fn try_out(
        &self,
        name: &str,
        source: &Source,
        is_partial: bool,
        all: &Budget,
        problems: &mut Vec<Problem>,
    ) -> BTreeSet<Receiver> {
        let mut fits = BTreeSet::new();
        let mut failures = Vec::new();
        for receiver in Receiver::ALL {
            match trial::try_out(self, name, receiver, all) {
                Ok(()) => drop(fits.insert(receiver)),
                Err(failure) if failure.is_endless => {
                    problems.push(trial_problem(name, source, receiver, &failure));
                    return fits;
                }
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

/// How a template can name what is in a digest.
const ITEMS: [&str; 3] = ["words.lines", "words.paragraphs", "data.items"];

/// How a template can name what is in a report.
const REPORT: [&str; 3] = ["words.lines", "words.paragraphs", "data.report"];

/// The templates that are such, or include one that is, however indirectly. Each inclusion is looked at once for each level.
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

/// For which receiver a template that suits none was probably meant.
fn likely(text: &str) -> Receiver {
    if text.contains("\"attachments\"") && text.contains("AdaptiveCard") {
        Receiver::Teams
    } else if text.contains("\"blocks\"") {
        Receiver::Slack
    } else if text.contains("\"embeds\"") {
        Receiver::Discord
    } else if text.contains("\"cardsV2\"") {
        Receiver::GoogleChat
    } else if text.contains("\"attachments\"") {
        Receiver::Mattermost
    } else if text.trim_start().starts_with("Subject:") {
        Receiver::Email
    } else {
        Receiver::Webhook
    }
}

fn trial_problem(name: &str, source: &Source, receiver: Receiver, failure: &trial::Failure) -> Problem {
    let RenderFailure::Template { template, line, column, what } = &failure.why else {
        return problem(&source.file, (1, 1), failure.why.to_string(), "write less fixed text");
    };
    let file =
        if template == name { source.file.clone() } else { source.file.with_file_name(format!("{template}.hbs")) };
    let what = format!("a sample notification ({}) can't be written for {}: {what}", failure.sample, receiver.as_str());
    let place = (line.unwrap_or(1), column.unwrap_or(1));
    problem(&file, place, what, "see the built-in templates for what there is and how it is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_templates_suit_whom_they_are_said_to_suit() {
        let registry = Registry::load(None).unwrap();
        for (name, _, said) in BUILT_IN {
            let suits =
                |receiver: &Receiver| trial::try_out(&registry, name, *receiver, &Budget::new(u64::MAX)).is_ok();
            let tried: Vec<Receiver> = Receiver::ALL.into_iter().filter(suits).collect();
            assert_eq!(tried, said, "{name}");
        }
    }
}
