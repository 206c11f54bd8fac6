//! The filters of the list of alerts. They go along to whatever is done to all that match.

use super::{answer::Visit, params::Params};
use crate::{
    action::alert::Pick,
    domain::{ScoreKind, Severity},
    query::{
        Error,
        alerts::{Filter, StateName, Wanted},
        ids,
    },
};

/// The names of the filters in an address and in a form.
pub(super) const NAMES: [&str; 6] = ["rule", "severity", "score", "tenant", "shift", "show"];

/// Which states a list shows: by which value of `show`, what that is called, and the states; none: those that are open.
pub(super) const SHOWN: [(&str, &str, &[StateName]); 5] = [
    ("", "Open", &[]),
    ("firing", "Firing", &[StateName::Firing]),
    ("pending", "Pending", &[StateName::Pending]),
    ("resolved", "Past", &[StateName::Resolved]),
    ("all", "Open and past", &[StateName::Pending, StateName::Firing, StateName::Resolved]),
];

/// Reads the filters.
///
/// # Errors
/// [`Error::Invalid`] for a score or severity that there is not, or for a shift that can't be one; what [`ids::shift`] finds nothing for.
pub(super) async fn read(visit: &Visit, params: &Params) -> Result<Wanted, Error> {
    let show = params.get("show").unwrap_or_default();
    let states = SHOWN.iter().find(|(name, ..)| *name == show).map_or(&[][..], |(_, _, states)| states);
    let severity = params.get("severity").map(|text| {
        let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| unknown("severity", text, &Severity::ALL.map(Severity::as_str)))
    });
    let score = params.get("score").map(|text| {
        ScoreKind::from_name(text).ok_or_else(|| unknown("score", text, &ScoreKind::ALL.map(ScoreKind::as_str)))
    });
    let filter = Filter {
        tenant: params.get("tenant").map(str::to_owned),
        rule: params.get("rule").map(str::to_owned),
        shift: ids::shift(visit.store(), visit.scope(), params.get("shift")).await?,
        resolved: states.contains(&StateName::Resolved),
    };
    let (severities, scores) = (severity.transpose()?.into_iter().collect(), score.transpose()?.into_iter().collect());
    Ok(Wanted { filter, states: states.to_vec(), severities, scores, labels: Vec::new() })
}

fn unknown(what: &str, text: &str, known: &[&str]) -> Error {
    Error::invalid(format!("unknown {what} `{text}`; use one of {}", known.join(", ")))
}

/// What picks the alerts that fire among those that a list shows. `None`: it shows none that fire, or it has no filter.
pub(super) fn pick(wanted: &Wanted) -> Option<Pick> {
    let Wanted { filter, states, severities, scores, .. } = wanted;
    let pick = Pick {
        shift: filter.shift.clone(),
        rule: filter.rule.clone(),
        score: scores.first().copied(),
        severity: severities.first().copied(),
        tenants: filter.tenant.iter().cloned().collect(),
        ..Pick::default()
    };
    let shows_firing = states.is_empty() || states.contains(&StateName::Firing);
    (shows_firing && pick.has_filter()).then_some(pick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_shows_nothing_that_fires_or_everything_picks_nothing() {
        let rule = || Filter { rule: Some("drop".to_owned()), ..Filter::default() };
        let shift = || Filter { shift: Some("msg_1".to_owned()), ..Filter::default() };
        for (show, filter, severity, picks) in [
            ("", Filter::default(), None, false),
            ("firing", Filter::default(), None, false),
            ("", Filter::default(), Some(Severity::Critical), true),
            ("", rule(), None, true),
            ("firing", rule(), None, true),
            ("pending", rule(), None, false),
            ("resolved", rule(), Some(Severity::Critical), false),
            ("all", shift(), None, true),
        ] {
            let (_, _, states) = SHOWN.into_iter().find(|(name, ..)| *name == show).unwrap();
            let severities = severity.into_iter().collect();
            let wanted = Wanted { filter, states: states.to_vec(), severities, ..Wanted::default() };
            let picked = pick(&wanted);
            assert_eq!(picked.is_some(), picks, "{show} {wanted:?}");
            if let Some(picked) = picked {
                assert_eq!((&picked.rule, &picked.shift), (&wanted.filter.rule, &wanted.filter.shift));
                assert_eq!(picked.severity, severity);
            }
        }
    }
}
