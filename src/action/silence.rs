//! Makes a silence, and ends one.

mod wide;

use std::time::Duration;

use serde_json::json;

use super::record::must;
pub use crate::notify::silence::NewSilence;
use crate::{
    check::blind::OPERATOR_BLIND,
    config::Config,
    domain::{Caller, Role, Scope, ScoreKind, Severity, Timestamp, parse_duration},
    notify::{Silence, SilenceId, silence::Matchers},
    query::{Error, Thing, find, numbers::Numbers, silences},
    rule::{AlertKey, RuleName},
    store::{NewEntry, Store},
};

/// A silence of which nothing lies within the scope.
const OUTSIDE: &str = "it covers none of the tenants that you may silence";

/// A silence as a person writes it. Every kind of matcher that is given must match, and of each kind one is enough; of labels, all.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The ids of the tenants to silence.
    pub tenants: Vec<String>,
    /// Labels of tenants, `KEY=VALUE`.
    pub labels: Vec<String>,
    /// The names of the rules to silence.
    pub rules: Vec<String>,
    /// The names of the scores to silence.
    pub scores: Vec<String>,
    /// The names of the severities to silence.
    pub severities: Vec<String>,
    /// An alert that is known to exist: its tenant, rule and score.
    pub alert: Option<AlertKey>,
    /// Whether it covers everything that the caller may silence; then no matcher is given.
    pub everything: bool,
    /// When it begins, in RFC 3339; `None`: now.
    pub from: Option<String>,
    /// How long it lasts, like `2h`. Either this or `until` is given.
    pub length: Option<String>,
    /// When it ends, in RFC 3339.
    pub until: Option<String>,
    /// Why the silence is made: at most 500 characters.
    pub comment: String,
    /// Who makes the silence: at most 100 characters.
    pub author: String,
}

impl Draft {
    /// Reads it within a scope, beyond which it does not reach. All problems are reported together.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn read(&self, config: &Config, scope: &Scope, now: Timestamp) -> Result<NewSilence, Error> {
        let mut problems = Vec::new();
        let matchers = self.matchers(config, scope, &mut problems);
        if matchers.is_empty() != self.everything && problems.is_empty() {
            problems.push(if self.everything {
                "`--all` covers everything; leave out either `--all` or the other matchers".to_owned()
            } else {
                "no matchers given; name a tenant, label, rule, score or severity, or write `--all`".to_owned()
            });
        }
        let matchers = matchers.limited_to(scope).unwrap_or_else(|| {
            problems.push(OUTSIDE.to_owned());
            Matchers::default()
        });
        let mut time = |text: &Option<String>| {
            let text = text.as_deref()?;
            let read = Timestamp::parse(text);
            if read.is_none() {
                problems.push(format!("`{text}` is not a time; write it like `2026-12-24T18:00:00+01:00`"));
            }
            read
        };
        let (from, until) = (time(&self.from), time(&self.until));
        let starts_at = from.unwrap_or(now);
        let length = self.length.as_deref().map(parse_duration).transpose();
        let length = length.map_err(|complaint| problems.push(complaint.to_string())).ok().flatten();
        let ends_at = until.unwrap_or_else(|| starts_at.plus(length.unwrap_or(Duration::ZERO)));
        let (author, comment) = (self.author.clone(), self.comment.clone());
        let new = NewSilence { matchers, starts_at, ends_at, author, comment };
        if problems.is_empty() {
            problems = new.problems(now, &config.timezone);
        }
        if problems.is_empty() { Ok(new) } else { Err(Error::Invalid(problems)) }
    }

    fn matchers(&self, config: &Config, scope: &Scope, problems: &mut Vec<String>) -> Matchers {
        let mut matchers = self.alert.as_ref().map_or_else(Matchers::default, Matchers::of_alert);
        // That a tenant can't be read is a message to the operator, and not silenced by whoever does not see those.
        let is_blindness = |name: &RuleName| name.as_str() == OPERATOR_BLIND;
        if self.alert.as_ref().is_some_and(|alert| is_blindness(&alert.rule)) && !scope.sees_operator() {
            problems
                .push("what says that a tenant can't be read is for the operator, and you can't silence it".to_owned());
        }
        for text in &self.tenants {
            match find::tenant(config, scope, text) {
                Ok(tenant) => drop(matchers.tenants.insert(tenant.id.clone())),
                Err(_) if config.is_partial => problems
                    .push(format!("there is no tenant `{text}`, or its part of the configuration can't be read")),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if !self.labels.is_empty() && !scope.sees_labels() {
            problems.push("you may not see labels, so name tenants instead".to_owned());
        }
        for text in self.labels.iter().filter(|_| scope.sees_labels()) {
            match text.split_once('=') {
                Some((key, value)) => drop(matchers.labels.0.insert(key.into(), value.into())),
                None => problems.push(format!("`{text}` is not a label; write it like `tier=gold`")),
            }
        }
        let is_known = |name: &RuleName| {
            (is_blindness(name) && scope.sees_operator()) || find::rules(config, scope).any(|rule| rule.name == *name)
        };
        for text in &self.rules {
            match RuleName::parse(text) {
                Ok(name) if is_known(&name) => drop(matchers.rules.insert(name)),
                _ => problems.extend(find::rule(config, scope, text).err().map(|error| error.to_string())),
            }
        }
        for text in &self.scores {
            match ScoreKind::from_name(text) {
                Some(known) => drop(matchers.scores.insert(known)),
                None => problems.push(unknown("score", text, &ScoreKind::ALL.map(ScoreKind::as_str))),
            }
        }
        for text in &self.severities {
            match Severity::ALL.into_iter().find(|severity| severity.as_str() == text) {
                Some(known) => drop(matchers.severities.insert(known)),
                None => problems.push(unknown("severity", text, &Severity::ALL.map(Severity::as_str))),
            }
        }
        matchers
    }
}

fn unknown(what: &str, text: &str, known: &[&str]) -> String {
    format!("unknown {what} `{text}`; use one of {}", known.join(", "))
}

/// Keeps a silence that was read within the scope. One that reaches beyond it is limited to it. The operator is notified of one that covers
/// every tenant, lasts for more than seven days, or keeps from the operator that a tenant can't be read, if its author is limited.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] if nothing of it lies within the scope; [`Error::Store`].
pub async fn add(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    mut new: NewSilence,
    now: Timestamp,
) -> Result<Silence, Error> {
    must(caller, Role::Analyst)?;
    new.matchers = new.matchers.limited_to(&caller.scope).ok_or_else(|| Error::invalid(OUTSIDE))?;
    let notice = wide::notice(config, store.identity(), &caller.scope, &new, &store.silences(None).await?, now);
    let id = store.add_silence(new.clone(), notice, NewEntry::by(caller, "silence.add", None, now)).await?;
    Ok(new.numbered(SilenceId(Numbers::of_silences(store, &caller.scope).shown(id.0))))
}

/// Ends a silence now. The running service looks within seconds at what it held.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Conflict`] if it is over; [`Error::Store`].
pub async fn end(store: &dyn Store, caller: &Caller, id: SilenceId, now: Timestamp) -> Result<(), Error> {
    must(caller, Role::Analyst)?;
    let silence = silences::show(store, &caller.scope, id).await?;
    let meant = Numbers::of_silences(store, &caller.scope).meant(id.0).map(SilenceId);
    let meant = meant.ok_or_else(|| Error::not_found(Thing::Silence, id))?;
    let entry = NewEntry::by(caller, "silence.end", Some(format!("silence {meant}")), now);
    let entry = entry.before(json!({ "ends_at": silence.ends_at })).after(json!({ "ends_at": now }));
    if store.end_silence(meant, entry).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!("silence {id} is already over")))
}
