//! Which alerts somebody was shown before they decide on them, as a digest: if other alerts are meant by then, nothing is done.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    query::Error,
    store::{AlertRow, hex},
};

/// Bytes of the digest by which a set of alerts is known again.
const SET_BYTES: usize = 8;

/// A digest of which alerts these are and of how far each has come, in whatever order: what has worsened since was not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AlertSet(String);

impl AlertSet {
    /// The digest of these alerts.
    #[must_use]
    pub fn of(rows: &[AlertRow]) -> Self {
        let text = |row: &AlertRow| {
            serde_json::to_string(&(&row.key, row.alert.generation, row.alert.sequence)).unwrap_or_default()
        };
        let mut keys: Vec<String> = rows.iter().map(text).collect();
        keys.sort_unstable();
        Self(hex(&Sha256::digest(keys.join("\n"))[..SET_BYTES]))
    }

    /// The digest in hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses to go on if somebody was shown another set than these alerts; `None`: they were shown none.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    pub(super) fn check(shown: Option<&str>, rows: &[AlertRow]) -> Result<(), Error> {
        if shown.is_none_or(|shown| shown == Self::of(rows).as_str()) { Ok(()) } else { Err(Self::changed()) }
    }

    /// Other alerts are meant than those that somebody was shown.
    pub(super) fn changed() -> Error {
        let what = "the alerts that match are no longer those of `set`, so nothing was done; look at them again with \
                    `dry_run`, and send the `set` of that answer";
        Error::Conflict(what.to_owned())
    }
}

impl fmt::Display for AlertSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ScoreKind, Subject, TenantId, Timestamp},
        notify::silence::Acknowledgement,
        rule::{Alert, AlertKey, RuleName},
    };

    /// An alert as `tenant rule score subject generation sequence`; `-`: none.
    fn row(text: &str) -> AlertRow {
        let words: Vec<&str> = text.split(' ').collect();
        let [tenant, rule, score, subject, generation, sequence] = words[..] else { panic!("{text}") };
        AlertRow {
            key: AlertKey {
                tenant: TenantId::parse(tenant).unwrap(),
                rule: RuleName::parse(rule).unwrap(),
                score: ScoreKind::from_name(score),
                subject: (subject != "-").then(|| Subject(subject.into())),
            },
            alert: Alert {
                generation: generation.parse().unwrap(),
                sequence: sequence.parse().unwrap(),
                ..Alert::default()
            },
            notified_at: None,
            notified_channels: Vec::new(),
            acknowledged: None,
            shift: None,
            owes: None,
            last_notification: None,
            changed_at: Timestamp::from_seconds(0),
        }
    }

    fn of(rows: &[&str]) -> String {
        AlertSet::of(&rows.iter().map(|text| row(text)).collect::<Vec<_>>()).to_string()
    }

    const A: &str = "contoso drop device-secure-score - 1 1";
    const B: &str = "fabrikam drop exposure-score-by-group servers 2 3";

    #[test]
    fn a_set_is_known_again_in_any_order_and_is_another_one_if_anything_of_it_has_changed() {
        let shown = of(&[A, B]);
        for (rows, is_same) in [
            (&[A, B][..], true),
            (&[B, A], true),
            (&[A], false),
            (&[B], false),
            (&[], false),
            (&[A, A], false),
            (&[A, B, "tailspin drop device-secure-score - 1 1"], false),
            (&["contosu drop device-secure-score - 1 1", B], false),
            (&["contoso rise device-secure-score - 1 1", B], false),
            (&["contoso drop exposure-score - 1 1", B], false),
            (&["contoso drop - - 1 1", B], false),
            (&["contoso drop device-secure-score - 2 1", B], false),
            (&["contoso drop device-secure-score - 1 2", B], false),
            (&[A, "fabrikam drop exposure-score-by-group - 2 3"], false),
            (&[A, "fabrikam drop exposure-score-by-group laptops 2 3"], false),
            (&[A, "fabrikam drop exposure-score-by-group servers 3 2"], false),
        ] {
            assert_eq!(of(rows) == shown, is_same, "{rows:?}");
        }
    }

    #[test]
    fn a_set_does_not_change_with_what_was_said_of_its_alerts() {
        let mut said = row(A);
        said.acknowledged =
            Some(Acknowledgement { at: said.changed_at, by: "ann".to_owned(), comment: "seen".to_owned() });
        said.shift = Some("msg_1".to_owned());
        said.notified_at = Some(said.changed_at);
        said.changed_at = Timestamp::from_seconds(1);
        assert_eq!(AlertSet::of(&[said]).as_str(), of(&[A]));
    }

    #[test]
    fn a_set_is_a_few_digits_which_stay_the_same() {
        // The first bytes of the SHA-256 of nothing, as `sha256sum </dev/null` prints them.
        assert_eq!(of(&[]), "e3b0c44298fc1c14");
        assert_eq!(of(&[A, B]).len(), 2 * SET_BYTES);
    }

    #[test]
    fn whoever_was_shown_another_set_is_refused_and_whoever_was_shown_none_is_not() {
        let rows = [row(A), row(B)];
        let (shown, other) = (of(&[B, A]), of(&[A]));
        for (set, is_refused) in [(None, false), (Some(&*shown), false), (Some(&*other), true), (Some(""), true)] {
            let checked = AlertSet::check(set, &rows);
            assert_eq!(matches!(checked, Err(Error::Conflict(_))), is_refused, "{set:?}: {checked:?}");
        }
    }
}
