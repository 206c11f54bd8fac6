//! Which word was probably meant: by its letters, as a part of the word, or as what other products call it.

/// Most known words that are compared with a misspelt one; there are some 600 time zones.
const CANDIDATES_MAX: usize = 1_000;

/// From how many letters on a part of a word stands for the word.
const PART_LETTERS_MIN: usize = 3;

/// What people write who know it from elsewhere, and what it is called here.
const ALIASES: &[(&str, &str)] = &[
    ("alerts", "rules"),
    ("america", "us"),
    ("australia", "au"),
    ("avg", "average"),
    ("begin", "from"),
    ("channel", "notify"),
    ("channels", "notify"),
    ("condition", "when"),
    ("cron", "schedule"),
    ("customer", "tenant"),
    ("customers", "tenants"),
    ("decrease", "drop"),
    ("deutsch", "de"),
    ("duration", "for"),
    ("emea", "eu"),
    ("end", "until"),
    ("english", "en"),
    ("environment", "env"),
    ("error", "critical"),
    ("europe", "eu"),
    ("every", "at"),
    ("expr", "when"),
    ("fall", "drop"),
    ("fatal", "critical"),
    ("french", "fr"),
    ("gcch", "gcc-high"),
    ("german", "de"),
    ("global", "commercial"),
    ("greater_than", "above"),
    ("gt", "above"),
    ("high", "critical"),
    ("higher_than", "above"),
    ("host", "server"),
    ("if", "when"),
    ("increase", "rise"),
    ("india", "ina"),
    ("information", "info"),
    ("informational", "info"),
    ("integration_key", "routing_key"),
    ("interval", "schedule"),
    ("kind", "type"),
    ("labels", "tenants"),
    ("length", "for"),
    ("less_than", "below"),
    ("level", "severity"),
    ("low", "info"),
    ("lower_than", "below"),
    ("lt", "below"),
    ("mail", "email"),
    ("maintenance_windows", "maintenance"),
    ("mean", "average"),
    ("medium", "warning"),
    ("minor", "info"),
    ("nodata", "no_data"),
    ("over", "above"),
    ("priority", "severity"),
    ("public", "commercial"),
    ("receivers", "channels"),
    ("recipients", "to"),
    ("schedule", "from"),
    ("sender", "from"),
    ("sinks", "channels"),
    ("slug", "id"),
    ("smtp", "email"),
    ("start", "from"),
    ("switzerland", "swa"),
    ("tag", "labels"),
    ("tags", "labels"),
    ("under", "below"),
    ("unitedkingdom", "uk"),
    ("urgent", "critical"),
    ("var", "env"),
    ("variable", "env"),
    ("vault", "store"),
    ("webhook", "url"),
    ("windows", "maintenance"),
];

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long texts are not slips of the pen, and the distance costs the product of both lengths.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let written = plain(word);
    let is_alias_of = |candidate: &str| ALIASES.iter().any(|(alias, known)| *alias == written && *known == candidate);
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    let mut parts = Vec::new();
    for candidate in known.into_iter().take(CANDIDATES_MAX) {
        let known = plain(candidate);
        if is_alias_of(candidate) {
            return Some(candidate);
        }
        let edits = distance(&written, &known);
        if edits <= limit && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
        let (short, long) = if known.len() < written.len() { (&known, &written) } else { (&written, &known) };
        let is_part = short.chars().count() >= PART_LETTERS_MIN && long.contains(short.as_str());
        if is_part || leaves_out_words(&written, &known) {
            parts.push(candidate);
        }
    }
    best.map(|(_, suggested)| suggested).or_else(|| core(&parts))
}

/// Whether it is a longer word with some of its parts left out: `device-score` of `device-secure-score`.
fn leaves_out_words(written: &str, known: &str) -> bool {
    let mut all = known.split('_');
    written.contains('_') && written.split('_').all(|part| all.any(|known| known == part))
}

/// The word of which all others are longer forms. A part says something only where it fits one word.
fn core<'a>(fitting: &[&'a str]) -> Option<&'a str> {
    let shortest = fitting.iter().min_by_key(|word| word.len())?;
    fitting.iter().all(|word| word.contains(shortest)).then_some(shortest)
}

/// What to do about an unknown word: the word that was probably meant, or all that may stand there.
pub(super) fn proposal<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(suggested) => format!("did you mean `{suggested}`?"),
        None => format!("use one of {}", quoted(&known.into_iter().collect::<Vec<_>>())),
    }
}

/// Words in a row: `` `a`, `b`, `c` ``.
pub(super) fn quoted(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let changed = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ScoreKind, Severity};

    #[test]
    fn what_was_probably_meant_is_found_by_letters_parts_and_other_names() {
        let scores = ScoreKind::ALL.map(ScoreKind::as_str);
        let severities = Severity::ALL.map(Severity::as_str);
        let types = ["teams", "slack", "discord", "google-chat", "mattermost", "webhook", "email", "pagerduty"];
        let keys = ["below", "above", "drop", "rise", "no_data", "within", "from"];
        for (word, known, suggested) in [
            ("device-secure-scores", &scores[..], Some("device-secure-score")),
            ("secureScore", &scores, Some("secure-score")),
            ("DeviceSecureScore", &scores, Some("device-secure-score")),
            ("secure score", &scores, Some("secure-score")),
            ("score", &scores, None),
            ("exposure", &scores, Some("exposure-score")),
            ("device-score", &scores, Some("device-secure-score")),
            ("secure", &scores, Some("secure-score")),
            ("by-group", &scores, Some("exposure-score-by-group")),
            ("Critical", &severities, Some("critical")),
            ("crit", &severities, Some("critical")),
            ("warn", &severities, Some("warning")),
            ("high", &severities, Some("critical")),
            ("error", &severities, Some("critical")),
            ("purple", &severities, None),
            ("msteams", &types, Some("teams")),
            ("ms-teams", &types, Some("teams")),
            ("smtp", &types, Some("email")),
            ("googlechat", &types, Some("google-chat")),
            ("lower_than", &keys, Some("below")),
            ("drops", &keys, Some("drop")),
            ("avg", &["best", "previous", "average"], Some("average")),
            ("noData", &keys, Some("no_data")),
            ("", &keys, None),
        ] {
            assert_eq!(nearest(word, known.iter().copied()), suggested, "{word}");
        }
    }
}
