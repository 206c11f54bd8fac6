//! Single values as people write them: names, GUIDs, days, scores, labels, channels.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    disguise,
    field::{Field, Word},
    plain_name::stem,
    scope::{Problems, Scope},
    spelling::{nearest, proposal},
};
use crate::{
    domain::{
        ChannelName, Complaint, Labels, Language, ScoreKind, Timestamp, characters::refuse_hidden, name::check_name,
    },
    secret::redact::echo,
};

/// The channels that are written, each with its name if that is good. Tenants share it.
pub(super) type Names = BTreeMap<String, Option<ChannelName>>;

/// A name that keeps to the grammar.
pub(super) fn name<T, E: std::fmt::Display>(
    text: &str,
    at: &Scope<'_>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    problems: &mut Problems,
) -> Option<T> {
    let read = parse(text);
    match read {
        Ok(name) => Some(name),
        Err(why) => {
            let instead = match suggested_name(text) {
                Some(suggested) => format!("write `{suggested}`: use a-z, 0-9 and, after the first, `-`, `_`, `.`"),
                None => "use a-z, 0-9 and, after the first, `-`, `_`, `.`".to_owned(),
            };
            problems.refuse(text, at, why.to_string(), instead);
            None
        }
    }
}

/// The nearest name that keeps to the grammar; `None`: there is none, or the text may be a secret.
fn suggested_name(text: &str) -> Option<String> {
    let is_harmless = refuse_hidden(text).is_ok() && echo(text) == text;
    is_harmless.then(|| stem(text)).filter(|name| check_name(name).is_ok() && name != text)
}

/// A text that people read: one in which nothing hides.
pub(super) fn visible(text: &str) -> Result<String, Complaint> {
    refuse_hidden(text).map(|()| text.to_owned())
}

/// A path as it is: no shell has replaced anything in it.
pub(super) fn written_out(path: &str) -> Result<String, Complaint> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if first.starts_with('~') && (first == path || !rest.is_empty()) {
        let instead = format!("write the whole path, like `/home/scorewatch/{rest}`");
        return Err(Complaint::new("`~` is not expanded to a home directory", instead));
    }
    if first.starts_with('$') {
        return Err(Complaint::new("variables are not replaced in a path", "write the whole path"));
    }
    if let Some((what, instead)) = disguise::no_break_space(path) {
        return Err(Complaint::new(what, instead));
    }
    Ok(path.to_owned())
}

/// Reads a GUID, and reports text that is not one.
pub(super) fn guid(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<Uuid> {
    let read = Uuid::parse_str(text);
    if read.as_ref().is_ok_and(Uuid::is_nil) {
        let instead = "copy the ID from the overview page in Entra, like `2f1c0a5e-0000-4000-8000-000000000001`";
        problems.error(at, "this is a placeholder: all of its digits are zero", instead);
        return None;
    }
    if read.is_err() {
        let (host, instead) =
            (text.split_once('.'), "write it as Entra shows it: `2f1c0a5e-0000-4000-8000-000000000001`");
        let is_domain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
        // Other texts are not shown: people paste secrets into the wrong field.
        if host.is_some() && text.chars().all(is_domain) && echo(text) == text {
            problems.error(at, format!("`{text}` is a domain, not a GUID"), instead);
        } else {
            problems.refuse(text, at, "this is not a GUID", instead);
        }
    }
    read.ok()
}

/// The midnight at which a day begins, in UTC.
pub(super) fn day(text: &str) -> Result<Timestamp, Complaint> {
    let written = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = written.and_then(|day| Timestamp::from_chrono(day.and_time(chrono::NaiveTime::MIN).and_utc()));
    // How Germany and others write it; with slashes, nobody knows which number is the month.
    let other = NaiveDate::parse_from_str(text, "%d.%m.%Y").ok().map(|day| day.to_string());
    midnight.ok_or_else(|| {
        let example = other.unwrap_or_else(|| "2027-03-01".to_owned());
        Complaint::new(format!("`{text}` is not a day"), format!("write it like `{example}`"))
    })
}

/// One of the known words.
pub(super) fn one_of<T: Copy>(
    field: Field<Word>,
    at: &Scope<'_>,
    known: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    problems.parse(field, at, |text| {
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            Complaint::new(format!("`{text}` is not known here"), proposal(text, words))
        })
    })
}

/// Reads the list of scores to poll.
pub(super) fn scores(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, problems: &mut Problems) -> Vec<ScoreKind> {
    let mut scores = Vec::new();
    let is_empty = matches!(&raw, Field::Good(list) if list.is_empty());
    for (index, Word(text)) in problems.items(raw, at) {
        if let Some(score) = score(&text, &at.item(index), problems)
            && !scores.contains(&score)
        {
            scores.push(score);
        }
    }
    if is_empty {
        let instead = format!("write `scores: [{}]`", ScoreKind::ALL[0]);
        problems.error(at, "there is no score here that can be polled", instead);
    }
    scores
}

/// Reads the name of one score.
pub(super) fn score(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<ScoreKind> {
    let known = ScoreKind::from_name(text);
    if known.is_none() {
        let instead = proposal(text, ScoreKind::ALL.map(ScoreKind::as_str));
        problems.refuse(text, at, format!("`{text}` is not a score"), instead);
    }
    known
}

/// Labels, or the selector of labels.
pub(super) fn labels(raw: Field<BTreeMap<String, Field<String>>>, at: &Scope<'_>, problems: &mut Problems) -> Labels {
    let mut labels = Labels::new();
    for (key, value) in problems.take(raw, at).unwrap_or_default() {
        let here = at.key(&key);
        if let Err(Complaint { what, instead }) = refuse_hidden(&key) {
            problems.complain(&here, Complaint::new(format!("in this label's key, {what}"), instead));
            continue;
        }
        match value {
            Field::Good(value) => match refuse_hidden(&value).and_then(|()| refuse_edge(&value)) {
                Ok(()) => drop(labels.insert(key.as_str().into(), value.into())),
                Err(complaint) => problems.complain(&here, complaint),
            },
            Field::Bad(misfit) if misfit.is_nothing || misfit.is_collection => {
                let what = if misfit.is_nothing { misfit.what.as_str() } else { "a label has a single value" };
                problems.error(&here, what, "write one text, like `{ tier: gold }`");
            }
            _ => problems.error(&here, "a label's value is a text", "put the value in quotes"),
        }
    }
    labels
}

/// Refuses a text that begins or ends with a blank that looks like none: no other text is equal to it.
fn refuse_edge(text: &str) -> Result<(), Complaint> {
    let is_clean = text.trim() == text;
    let found = disguise::no_break_space(text).filter(|_| !is_clean);
    found.map_or(Ok(()), |(what, instead)| Err(Complaint::new(what, instead)))
}

/// Channels that are defined.
pub(super) fn notify(
    raw: Field<Vec<Field<Word>>>,
    at: &Scope<'_>,
    channels: &Names,
    problems: &mut Problems,
) -> Vec<ChannelName> {
    let mut reported = Vec::new();
    for (index, Word(text)) in problems.items(raw, at) {
        if let Some(name) = channels.get(&text) {
            reported.extend(name.clone());
        } else if !problems.channels_unread {
            let several: Vec<&str> = text.split([' ', ',', ';']).filter(|name| !name.is_empty()).collect();
            if several.len() > 1 && several.iter().all(|name| channels.contains_key(*name)) {
                let instead = format!("write `[{}]`", several.join(", "));
                problems.error(&at.item(index), format!("`{text}` is several channels in one text"), instead);
                continue;
            }
            let near = nearest(&text, channels.keys().map(String::as_str));
            // A channel of a name that can't be one was reported there.
            if near.and_then(|near| channels.get(near)).is_some_and(Option::is_none) {
                continue;
            }
            let instead = match near {
                Some(suggested) => format!("did you mean `{suggested}`?"),
                None => "define it under `channels:` of the main file".to_owned(),
            };
            problems.undefined(&text, &at.item(index), format!("channel `{text}` is not defined"), instead);
        }
    }
    reported
}

/// A language; `None`: not written, or not known.
pub(super) fn language(raw: Field<Word>, at: &Scope<'_>, problems: &mut Problems) -> Option<Language> {
    problems.parse(raw, at, |text| {
        let found = Language::ALL.into_iter().find(|language| language.as_str() == text);
        found.ok_or_else(|| match Language::called(text) {
            Some(language) => Complaint::new(format!("`{text}` is not a language code"), format!("write `{language}`")),
            None => Complaint::new(format!("`{text}` is not supported"), languages()),
        })
    })
}

/// The languages that there are.
fn languages() -> String {
    let named = |language: Language| format!("`{language}` ({})", language.name());
    format!("use one of {}", Language::ALL.map(named).join(", "))
}
