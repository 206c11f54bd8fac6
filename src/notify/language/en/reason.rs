//! Why something happened, in English.

use super::{WORDS as ENGLISH, clause};
use crate::{
    domain::{FailureClass, format_duration},
    notify::{
        facts::{
            cause::{CauseChange, CauseKind, Part},
            wording::{AcceptedBy, Failure, Remark, Shown, Spread, Why},
        },
        language::{Locale, reason::ReasonWords, reason::further},
    },
    rule::Resolution,
};
use std::time::Duration;

pub(super) const WORDS: ReasonWords = ReasonWords {
    remark,
    why: |why, _| self::why(why),
    change: |change, _| self::change(change),
    failure,
    class: FailureClass::words,
    hint: |class| class.hint(),
    clause: clause::clause,
    things: ["file ", "environment variable ", "systemd credential ", "user "],
    colon: ": ",
    beside: |_, hint| hint.to_owned(),
};

fn remark(remark: &Remark, locale: &Locale) -> Option<String> {
    Some(match remark {
        Remark::Ended { resolution, accepted_by } => return ended(*resolution, accepted_by),
        Remark::NoData => return None,
        Remark::Unstable { changes, within, calm } => format!(
            "The alert fired and recovered more than {changes} times within {}. The next message comes once it has been stable for {}.",
            format_duration(Duration::from_secs(*within)),
            format_duration(Duration::from_secs(*calm)),
        ),
        Remark::Between => {
            "The condition no longer holds, but the value has not reached the point at which the alert is over."
                .to_owned()
        }
        Remark::Across(gap) => format!(
            "There were no readings between {} and {}: the change happened in that time.",
            locale.time(gap.from),
            locale.time(gap.until)
        ),
        Remark::Unread { last_reading, failure } => {
            let last = last_reading.map(|at| format!("The last reading is from {}. ", locale.time(at)));
            format!("{}{}", last.unwrap_or_default(), self::failure(failure.as_ref(), locale))
        }
    })
}

fn ended(resolution: Resolution, accepted_by: &AcceptedBy) -> Option<String> {
    let text = match (resolution, accepted_by) {
        (Resolution::Recovered, _) => return None,
        (Resolution::Accepted, AcceptedBy::Time) => {
            "The loss was accepted as the new level because the rule's `accept_after` has passed."
        }
        (Resolution::Accepted, AcceptedBy::Person(Some(name))) => {
            return Some(format!("The loss was accepted as the new level by {name}."));
        }
        (Resolution::Accepted, AcceptedBy::Person(None)) => "The loss was accepted manually as the new level.",
        (Resolution::Accepted, AcceptedBy::Evidence) => {
            "The loss was accepted as the new level because Microsoft changed the score."
        }
        (Resolution::RuleChanged, _) => {
            "The rule was edited in the configuration, and its new condition does not hold."
        }
        (Resolution::RuleRemoved, _) => {
            "The rule was removed from the configuration, or no longer applies to this tenant."
        }
        (Resolution::TenantRemoved, _) => "The tenant was removed from the configuration.",
        (Resolution::SubjectRemoved, _) => {
            "The score is no longer polled, or the group or category that it was about is gone."
        }
    };
    Some(text.to_owned())
}

fn failure(failure: Option<&Failure>, locale: &Locale) -> String {
    let Some(Failure { since, class, spread, hint }) = failure else {
        return "Checks succeed, but the source returns no new data.".to_owned();
    };
    let words = ENGLISH.reason.class_named(class);
    let mut reason = format!("Checks have been failing since {}: {words} ({class}).", locale.time(*since));
    reason.extend(spread.map(|spread| {
        further(match spread {
            Spread::Outage => "this is an outage; not only this tenant is affected",
            Spread::Shared => "not only this tenant is affected",
        })
    }));
    reason.extend(hint.as_deref().map(|hint| further(&ENGLISH.reason.hint_for(class, hint))));
    reason
}

fn change(change: &CauseChange) -> String {
    match change {
        CauseChange::Deprecated => "deprecated by Microsoft".to_owned(),
        CauseChange::SetTo { state } => format!("a person set it to `{state}`"),
        CauseChange::Reweighted { now, before } => {
            format!("worth {} now, {} before", ENGLISH.worth(*now), ENGLISH.number(*before))
        }
        CauseChange::New => "new".to_owned(),
        CauseChange::ExceptionRemoved => "an exception was removed".to_owned(),
        CauseChange::ExceptionMade => "an exception was made".to_owned(),
        CauseChange::MoreExposed { devices } => format!("{} more exposed than before", self::devices(*devices)),
        CauseChange::MoreDevices { devices } => format!("it is about {} more than before", self::devices(*devices)),
    }
}

fn devices(count: u64) -> String {
    if count == 1 { "1 device".to_owned() } else { format!("{count} devices") }
}

fn why(why: &Why) -> String {
    match why {
        Why::Records { from, .. } => {
            let mut clauses: Vec<String> = records(why);
            if clauses.is_empty() {
                clauses.push("no control has changed".to_owned());
            } else if why.is_fall_without_loss() {
                clauses.push("no control of the tenant lost points".to_owned());
            }
            format!("Since the record of {}: {}.", ENGLISH.day(*from), clauses.join("; "))
        }
        Why::Recommendations { shown, since, is_part, is_complete } => {
            let day = since.map(|at| ENGLISH.day(at)).unwrap_or_default();
            let what = match shown {
                Shown::Nothing => "Defender lists no recommendation that affects this score".to_owned(),
                Shown::Changed(count) => {
                    let verb = if *count == 1 { "recommendation has changed" } else { "recommendations have changed" };
                    format!("{count} {verb} for the worse since they were last read on {day}")
                }
                Shown::Unchanged => format!(
                    "No recommendation has changed for the worse since they were last read on {day}; those with the largest impact may have contributed"
                ),
                Shown::NoEarlierList => {
                    "There is no earlier list of recommendations to compare with; those with the largest impact may have contributed".to_owned()
                }
            };
            let of_all = if *is_part { ". The list is that of the whole tenant" } else { "" };
            let cut = if *is_complete { "" } else { ". Only a part of the list was read" };
            format!("{what}{of_all}{cut}.")
        }
        Why::NoEarlierRecord => "There is no earlier record to compare with.".to_owned(),
        Why::NoRecord { day } => format!("Microsoft has no record of {} to compare with.", ENGLISH.day(*day)),
        Why::TooSlow => "What regressed could not be looked up: Microsoft did not answer in time.".to_owned(),
        Why::Stopping => "What regressed was not looked up: the service was about to stop.".to_owned(),
        Why::RoleMissing { role } => format!(
            "What regressed is not known: grant the app role `{role}` of WindowsDefenderATP, with an administrator's consent, to see it."
        ),
        Why::Failed { what } => format!("What regressed could not be looked up: {what}."),
    }
}

/// One clause for each part of a change that the numbers show.
fn records(why: &Why) -> Vec<String> {
    let Why::Records { maximum, parts, products, added, is_explained, .. } = why else { return Vec::new() };
    let clause = |part: &Part| {
        let controls = if part.controls == 1 { "1 control".to_owned() } else { format!("{} controls", part.controls) };
        let is_one = part.controls == 1;
        let points = ENGLISH.worth(part.points);
        let verb = if part.points < 0.0 { "took" } else { "gave" };
        Some(match part.kind {
            CauseKind::Lost => format!("{controls} of the tenant lost {points}"),
            CauseKind::Improved => format!("{controls} gained {points}"),
            CauseKind::Accounting => {
                let count = if is_one { "counts" } else { "count" };
                format!("people in the tenant changed how {controls} {count}, which {verb} {points}")
            }
            CauseKind::Added => {
                let worth = |added| format!("{controls} worth {}", ENGLISH.worth(added));
                let new = added.map_or_else(|| controls.clone(), worth);
                match products {
                    Some((false, _)) => format!("Microsoft added {new}"),
                    Some((true, _)) => format!("{new} came with a new product"),
                    None => format!("{new} came from Microsoft or with a new product"),
                }
            }
            CauseKind::Retired => match products {
                Some((_, false)) => format!("Microsoft retired {controls} that had earned {points}"),
                Some((_, true)) => format!("{controls} that had earned {points} were removed with a product"),
                None => format!("{controls} that had earned {points} left, retired by Microsoft or with a product"),
            },
            CauseKind::Reweighted => {
                let are = if is_one { "is" } else { "are" };
                format!("Microsoft changed what {controls} {are} worth, which {verb} {points}")
            }
            CauseKind::Moved => format!("{controls} changed category, which {verb} {points}"),
            CauseKind::Maximum if *is_explained => return None,
            CauseKind::Maximum => {
                let (before, after) = *maximum;
                let way = if after > before { "rose" } else { "fell" };
                format!("the maximum {way} from {} to {} points", ENGLISH.number(before), ENGLISH.number(after))
            }
            CauseKind::Unexplained => {
                let way = if part.points < 0.0 { "loss" } else { "gain" };
                format!("a {way} of {points} that the controls do not explain")
            }
            CauseKind::Likely => return None,
        })
    };
    parts.iter().filter_map(clause).collect()
}
