//! The lines that problems are about, so that a person sees them; what may be a secret in them is `…`.
//!
//! Nothing is shown that is not known to be harmless: keys, values of the keys in [`SHOWN`], IDs, paths, punctuation. Comments, values of
//! other keys, and what the parser did not get to are hidden.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use granit_parser::{Event, Parser, Span};

use super::yaml::FILE_BYTES_MAX;
use crate::{
    diagnostic::{Excerpt, Excerpts, Problem},
    secret::redact::echo,
};

/// Keys whose values can't be secrets.
const SHOWN: &[&str] = &[
    "above",
    "accept_after",
    "allow_private",
    "at_least",
    "below",
    "blind_after",
    "changes",
    "cloud",
    "concurrency",
    "drill",
    "drop",
    "flapping",
    "fleet",
    "for",
    "from",
    "give_up",
    "good_news",
    "hold",
    "id",
    "listen",
    "max",
    "metrics",
    "first",
    "name",
    "no_data",
    "notify",
    "over",
    "pace",
    "recover",
    "regained",
    "region",
    "repeat",
    "report",
    "retention",
    "rise",
    "rules",
    "schedule",
    "score",
    "scores",
    "severity",
    "share",
    "spread",
    "step",
    "store",
    "templates",
    "tenant_channels",
    "template",
    "tenants",
    "timeout",
    "timezone",
    "tls",
    "type",
    "when",
    "within",
    "login",
    "defender",
    "graph",
    "at",
    "channel",
    "every",
    "expires",
    "history",
    "quiet_until",
    "rule",
    "series",
    "start",
    "subject",
    "tenant",
    "until",
    "anyone",
    "role",
    "groups_claim",
    "scopes",
    "after",
    "color",
    "controls",
    "escalate",
    "exclude",
    "language",
    "show",
];

/// Keys that are shown, and below which everything is hidden.
const SECRET: &[&str] = &[
    "secret",
    "url",
    "signing_secret",
    "password",
    "certificate",
    "federated_token",
    "client_id",
    "client_secret",
    "tenant_id",
    "public_url",
];

/// More keys that are shown where the parser did not get to.
const KEYS: &[&str] = &[
    "expect",
    "strict",
    "tests",
    "text",
    "access",
    "oidc",
    "grants",
    "channels",
    "credential",
    "digest",
    "endpoints",
    "labels",
    "maintenance",
    "operator",
    "retry",
    "expires",
    "server",
    "to",
    "username",
];

/// The most lines that are shown; of the others, only the places are.
const EXCERPTS_MAX: usize = 200;

/// Most characters shown before and after the place.
const AROUND_MAX: usize = 80;

/// Most characters of an ID that somebody mistyped: it has 36.
const ID_CHARACTERS_MAX: usize = 40;

/// What stands for what is hidden.
const HIDDEN: char = '…';

/// A line in the making: which of its characters are shown. `None`: not yet known.
type Shown = Vec<(char, Option<bool>)>;

/// The lines of these problems. A file that can't be read as YAML text any more has none.
pub(super) fn of(problems: &[Problem]) -> Excerpts {
    let mut wanted: BTreeMap<&Path, BTreeSet<(usize, usize)>> = BTreeMap::new();
    for Problem { place, .. } in problems.iter().take(EXCERPTS_MAX) {
        let is_yaml = place.file.extension().is_none_or(|extension| extension == "yaml" || extension == "yml");
        if is_yaml {
            wanted.entry(&place.file).or_default().insert((place.line, place.column));
        }
    }
    let mut excerpts = Excerpts::new();
    for Problem { place, .. } in problems.iter().take(EXCERPTS_MAX) {
        let Some(places) = wanted.remove(place.file.as_path()) else { continue };
        let is_small =
            fs::metadata(&place.file).is_ok_and(|file| file.is_file() && file.len() <= FILE_BYTES_MAX as u64);
        let Some(text) = is_small.then(|| fs::read_to_string(&place.file).ok()).flatten() else { continue };
        for ((line, column), excerpt) in read(text.trim_start_matches('\u{feff}'), &places) {
            excerpts.insert(crate::diagnostic::Place { file: place.file.clone(), line, column }, excerpt);
        }
    }
    excerpts
}

/// The lines at these places of a text.
fn read(text: &str, places: &BTreeSet<(usize, usize)>) -> Vec<((usize, usize), Excerpt)> {
    let wanted: BTreeSet<usize> = places.iter().map(|(line, _)| *line).collect();
    let mut lines: HashMap<usize, Shown> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(line, _)| wanted.contains(line))
        .map(|(line, text)| (line, text.chars().map(|letter| (letter, None)).collect()))
        .collect();
    let mut widths = HashMap::new();
    let mut open: Vec<Open> = Vec::new();
    for next in Parser::new_from_str(text) {
        let Ok((event, span)) = next else { break };
        walk(&event, &span, &mut open, &mut lines, &mut widths);
    }
    lines.values_mut().for_each(settle);
    let excerpt = |place: &(usize, usize)| {
        let width = widths.get(place).copied().unwrap_or(1);
        Some((*place, draw(lines.get(&place.0)?, place.1.saturating_sub(1), width)))
    };
    places.iter().filter_map(excerpt).collect()
}

/// A list or mapping that is not yet closed.
struct Open {
    is_mapping: bool,
    /// The key that it stands under.
    under: Option<String>,
    /// The key that was last read in it; of a list, the one that it stands under.
    key: Option<String>,
    /// Whether `key` still waits for its value.
    waits: bool,
    hidden: bool,
}

fn walk(
    event: &Event<'_>,
    span: &Span,
    open: &mut Vec<Open>,
    lines: &mut HashMap<usize, Shown>,
    widths: &mut HashMap<(usize, usize), usize>,
) {
    let key = open.last().and_then(|open| open.key.clone());
    let is_named = open.last().is_some_and(|open| open.is_mapping && open.under.as_deref() == Some("channels"));
    let may_hold = |key: &str| is_named || [SHOWN, KEYS].iter().any(|keys| keys.contains(&key));
    let is_below_hidden = open.last().is_some_and(|open| open.hidden);
    let hidden = is_below_hidden || key.as_deref().is_some_and(|key| !may_hold(key));
    match event {
        Event::MappingStart(..) | Event::SequenceStart(..) => {
            let is_mapping = matches!(event, Event::MappingStart(..));
            if let Some(open) = open.last_mut() {
                open.waits = false;
            }
            let below = if is_mapping { None } else { key.clone() };
            open.push(Open { is_mapping, under: key, key: below, waits: false, hidden });
        }
        Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
        Event::Scalar(text, ..) => {
            let is_key = open.last().is_some_and(|open| open.is_mapping && !open.waits);
            let is_plain = echo(text) == text.as_ref();
            // Whoever writes labels chooses their keys.
            let is_label = open.last().is_some_and(|open| !open.hidden && open.under.as_deref() == Some("labels"));
            let harmless = !hidden && key.as_deref().is_some_and(|key| SHOWN.contains(&key));
            let has_its_shape = key.is_some_and(|key| is_of_shape(&key, text, is_below_hidden));
            paint(span, has_its_shape || is_plain && (is_key || is_label || harmless), lines, widths);
            if let Some(open) = open.last_mut().filter(|open| open.is_mapping) {
                if is_key {
                    // Compared with words that are known, all of them short.
                    open.key = Some(text.chars().take(AROUND_MAX).collect());
                }
                open.waits = is_key;
            }
        }
        Event::Alias(_) => {
            if let Some(open) = open.last_mut() {
                open.waits = false;
            }
        }
        _ => {}
    }
}

/// Whether a value is what belongs there by its shape alone, mistyped or not, and so no secret that was pasted into the wrong place.
fn is_of_shape(key: &str, text: &str, is_below_hidden: bool) -> bool {
    match key {
        "tenant_id" | "client_id" => {
            let odd = text.chars().filter(|letter| !letter.is_ascii_hexdigit() && *letter != '-').count();
            !is_below_hidden && odd <= 2 && text.chars().count() <= ID_CHARACTERS_MAX && text.matches('-').count() == 4
        }
        "file" => ["/", "./", "../"].iter().any(|root| text.starts_with(root)) && echo(text) == text,
        _ => false,
    }
}

/// Notes whether a scalar is shown; one over several lines never is.
fn paint(span: &Span, shown: bool, lines: &mut HashMap<usize, Shown>, widths: &mut HashMap<(usize, usize), usize>) {
    let (start, end) = (&span.start, &span.end);
    let is_one_line = start.line() == end.line();
    for line in start.line()..=end.line() {
        let Some(letters) = lines.get_mut(&line) else { continue };
        let from = if line == start.line() { start.col() } else { 0 };
        let to = if line == end.line() { end.col() } else { letters.len() };
        widths.insert((line, from + 1), to.saturating_sub(from).max(1));
        let length = letters.len();
        for (_, is_shown) in letters.iter_mut().take(to.min(length)).skip(from) {
            *is_shown = Some(shown && is_one_line);
        }
    }
}

/// Decides on what no scalar covers: punctuation and known keys are shown, comments and everything else are not.
fn settle(line: &mut Shown) {
    let mut index = 0;
    while index < line.len() {
        let (letter, known) = line[index];
        if known.is_some() {
            index += 1;
        } else if letter == '#' {
            line[index..].iter_mut().for_each(|(_, shown)| *shown = Some(false));
            return;
        } else if letter == ' ' || letter == '\t' || "{}[],:-|>".contains(letter) {
            line[index].1 = Some(true);
            index += 1;
        } else {
            let is_word = |(letter, known): &&(char, Option<bool>)| known.is_none() && !" \t{}[],:#".contains(*letter);
            let length = line[index..].iter().take_while(is_word).count().max(1);
            let word: String = line[index..index + length].iter().map(|(letter, _)| letter).collect();
            let shown = [SHOWN, SECRET, KEYS].iter().any(|keys| keys.contains(&word.as_str()));
            line[index..index + length].iter_mut().for_each(|(_, is_shown)| *is_shown = Some(shown));
            index += length;
        }
    }
}

/// The part of a line around a place, with the bytes that the place covers.
fn draw(line: &Shown, column: usize, width: usize) -> Excerpt {
    let from = column.saturating_sub(AROUND_MAX).min(line.len());
    let to = (column + width.min(AROUND_MAX) + AROUND_MAX).min(line.len());
    let mut text = String::new();
    let (mut start, mut end) = (None, None);
    let mut was_hidden = false;
    for (index, (letter, shown)) in line.iter().enumerate().take(to).skip(from) {
        let hidden = !shown.unwrap_or(false) || (letter.is_control() && *letter != '\t');
        if index == column + width {
            end = Some(text.len());
        }
        let before = text.len();
        if !hidden {
            text.push(if *letter == '\t' { ' ' } else { *letter });
        } else if !was_hidden {
            text.push(HIDDEN);
        }
        if index == column {
            // In the midst of what is hidden, the mark stands under its sign.
            start = Some(if hidden && was_hidden { before - HIDDEN.len_utf8() } else { before });
        }
        was_hidden = hidden;
    }
    let text = text.trim_end().to_owned();
    let start = start.unwrap_or(text.len()).min(text.len());
    let end = end.unwrap_or(text.len()).clamp(start, text.len());
    Excerpt { text, span: start..end }
}
