//! Rules: written → meant.

mod escalation;
mod ranges;
mod recover;

use std::{sync::Arc, time::Duration};

use super::{
    field::{Field, Word},
    raw::{RawCondition, RawRule},
    scope::{Problems, Scope},
    words::{Names, labels, name, notify, one_of, score},
};
use crate::{
    diagnostic::Warning,
    domain::{Better, Complaint, ScoreKind, Selector, Severity, characters::refuse_hidden, parse_duration},
    rule::{
        BaselineChoice, Change, Condition, FlapLimit, Guide, Rule, RuleName, Size, definition::GUIDE_CHARACTERS_MAX,
    },
};

/// What the names of Scorewatch's own rules begin with.
const RESERVED: &str = "operator.";
/// Longest link to a runbook, in bytes. Messages show none that is longer.
const RUNBOOK_LINK_BYTES_MAX: usize = 1000;

fn rule_name(raw: Field<Word>, at: &Scope<'_>, problems: &mut Problems) -> Option<RuleName> {
    let written = problems.require(raw, at, "device-score-low");
    let name = written.and_then(|Word(text)| name(&text, at, RuleName::parse, problems));
    if name.as_ref().is_some_and(|name| name.as_str().starts_with(RESERVED)) {
        let what = format!("names that begin with `{RESERVED}` are Scorewatch's own");
        problems.error(at, what, "choose another name");
    }
    name
}

fn warn_of_good_news(kind: ScoreKind, at: &Scope<'_>, problems: &mut Problems) {
    let better = if kind.better() == Better::Higher { "higher" } else { "lower" };
    let what = format!("this fires on good news: of `{kind}`, {better} is better");
    let instead = "turn the condition around, or write `good_news: true` if it is meant";
    problems.warning(Warning::GoodNewsRule, at, what, instead);
}

/// A rule, unless there is an error in it.
pub(super) fn rule(
    raw: RawRule,
    at: &Scope<'_>,
    channels: &Names,
    limit: FlapLimit,
    problems: &mut Problems,
) -> Option<Rule> {
    at.only(RawRule::KEYS, problems);
    let name = rule_name(raw.name, &at.key("name"), problems);
    let scored = raw.score.is_written();
    let kind =
        problems.take(raw.score, &at.key("score")).and_then(|Word(text)| score(&text, &at.key("score"), problems));
    let when = problems
        .require(raw.when, &at.key("when"), "{ below: 300 }")
        .and_then(|raw| condition(raw, &at.key("when"), problems));
    let recover = problems
        .take(raw.recover, &at.key("recover"))
        .map(|raw| recover::recovery(raw, when, &at.key("recover"), problems));
    let hold = problems.parse(raw.r#for, &at.key("for"), parse_duration);
    let step = problems.parse(raw.step, &at.key("step"), size);
    let repeat = problems.parse(raw.repeat, &at.key("repeat"), above_zero);
    let accept_after = problems.parse(raw.accept_after, &at.key("accept_after"), above_zero);
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = one_of(raw.severity, &at.key("severity"), &severities, problems).unwrap_or_default();
    let good_news = problems.take(raw.good_news, &at.key("good_news")).unwrap_or_default();
    let switch = [("on", true), ("off", false), ("true", true), ("false", false)];
    let fleet = one_of(raw.fleet, &at.key("fleet"), &switch, problems).unwrap_or(true);
    let tenant_channels = one_of(raw.tenant_channels, &at.key("tenant_channels"), &switch, problems).unwrap_or(true);
    let flapping = one_of(raw.flapping, &at.key("flapping"), &switch, problems).unwrap_or(true);
    let guide = Guide {
        about: problems.parse(raw.about, &at.key("about"), sentences),
        runbook: problems.parse(raw.runbook, &at.key("runbook"), runbook),
    };
    let tenants = Selector(labels(raw.tenants, &at.key("tenants"), problems));
    let notify = notify(raw.notify, &at.key("notify"), channels, problems);
    let escalate = escalation::steps(raw.escalate, &at.key("escalate"), channels, problems);
    let when = when?;
    fits_together(at, when, hold, step.is_some(), accept_after.is_some(), problems);
    if !scored && !matches!(when, Condition::NoData(_)) {
        problems.missing(&at.key("score"), "`score` is missing", "write `score: device-secure-score`");
        return None;
    }
    if let Some(kind) = kind {
        ranges::check(kind, when, recover.flatten(), at, problems);
    }
    if let Some(kind) = kind.filter(|kind| !good_news && only_good_news(when, *kind)) {
        warn_of_good_news(kind, &at.key("when"), problems);
    }
    Some(Rule {
        name: name?,
        score: kind,
        tenants,
        when,
        recover: recover.flatten(),
        hold: hold.unwrap_or_default(),
        severity,
        repeat,
        step,
        accept_after,
        notify,
        escalate,
        tenant_channels,
        good_news,
        fleet,
        flapping: flapping.then_some(limit),
        guide,
    })
}

fn condition(raw: RawCondition, at: &Scope<'_>, problems: &mut Problems) -> Option<Condition> {
    at.only(RawCondition::KEYS, problems);
    let given = [
        raw.below.is_written(),
        raw.above.is_written(),
        raw.drop.is_written(),
        raw.rise.is_written(),
        raw.no_data.is_written(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let keys = ["below", "above", "drop", "rise", "no_data"];
        if given == [false; 5] && problems.is_one_meant(at, &keys) {
            return None;
        }
        problems.error(
            at,
            "a rule has exactly one condition",
            "write one of `below`, `above`, `drop`, `rise`, `no_data`",
        );
        return None;
    }
    let changes = given[2] || given[3];
    for (key, written) in [("within", raw.within.is_written()), ("from", raw.from.is_written())] {
        if written && !changes {
            problems.error(&at.key(key), format!("`{key}` belongs to `drop` and `rise`"), format!("delete `{key}`"));
        }
    }
    let from =
        [("best", BaselineChoice::Best), ("previous", BaselineChoice::Previous), ("average", BaselineChoice::Average)];
    let from = one_of(raw.from, &at.key("from"), &from, problems).unwrap_or_default();
    let within = if changes {
        problems.require(raw.within, &at.key("within"), "24h").map_or(Field::Absent, Field::Good)
    } else {
        Field::Absent
    };
    let within = problems.parse(within, &at.key("within"), above_zero);
    let below = problems.parse(raw.below, &at.key("below"), number).map(Condition::Below);
    let above = problems.parse(raw.above, &at.key("above"), number).map(Condition::Above);
    let no_data = problems.parse(raw.no_data, &at.key("no_data"), above_zero).map(Condition::NoData);
    let drop = problems.parse(raw.drop, &at.key("drop"), size);
    let rise = problems.parse(raw.rise, &at.key("rise"), size);
    let change = |size| Some(Change { size, within: within?, from });
    let drop = drop.and_then(change).map(Condition::Drop);
    let rise = rise.and_then(change).map(Condition::Rise);
    below.or(above).or(no_data).or(drop).or(rise)
}

/// Keys that need another condition.
fn fits_together(
    at: &Scope<'_>,
    when: Condition,
    hold: Option<Duration>,
    step: bool,
    accept: bool,
    problems: &mut Problems,
) {
    let change = match when {
        Condition::Drop(change) | Condition::Rise(change) => Some(change),
        _ => None,
    };
    if step && !matches!(when, Condition::Below(_) | Condition::Above(_)) {
        problems.error(
            &at.key("step"),
            "`step` belongs to `below` and `above`",
            "delete `step`: a change is reported again when it grows by its own size",
        );
    }
    if accept && change.is_none() {
        problems.error(&at.key("accept_after"), "`accept_after` belongs to `drop` and `rise`", "delete `accept_after`");
    }
    let Some(hold) = hold else { return };
    if matches!(when, Condition::NoData(_)) {
        problems.error(
            &at.key("for"),
            "`no_data` already says how long",
            "delete `for`, and write the whole time under `no_data`",
        );
    }
    if change.is_some_and(|change| hold >= change.within) {
        problems.warning(
            Warning::ForNotShorterThanWithin,
            &at.key("for"),
            "`for` is not shorter than `within`: the baseline may have left the window by then",
            "write a shorter `for` or a longer `within`",
        );
    }
}

/// A short text, however it is broken into lines.
fn sentences(text: &str) -> Result<Arc<str>, Complaint> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    refuse_hidden(&words)?;
    match words.chars().count() {
        0 => Err(Complaint::new("there is no text", "write a sentence, or delete the key")),
        count if count > GUIDE_CHARACTERS_MAX => Err(Complaint::new(
            format!("the text has {count} characters"),
            format!("write {GUIDE_CHARACTERS_MAX} or fewer, which is what messages show"),
        )),
        _ => Ok(words.into()),
    }
}

/// A link to a runbook, or a short text.
fn runbook(text: &str) -> Result<Arc<str>, Complaint> {
    let text = text.trim();
    refuse_hidden(&text.split_whitespace().collect::<Vec<_>>().join(" "))?;
    let is_link = text.contains("://") && !text.contains(char::is_whitespace);
    if !is_link {
        return sentences(text).map_err(|Complaint { what, instead }| {
            Complaint::new(what, instead.replace("write 300 or fewer", "write a link, or 300 or fewer"))
        });
    }
    let shown = url::Url::parse(text).ok().filter(|link| {
        let is_plain = link.scheme() == "https" && link.username().is_empty() && link.password().is_none();
        is_plain && link.as_str().len() <= RUNBOOK_LINK_BYTES_MAX
    });
    shown.map(|_| text.into()).ok_or_else(|| {
        Complaint::new("messages can't show this link", "write one that begins with `https://` and holds no password")
    })
}

fn only_good_news(when: Condition, kind: ScoreKind) -> bool {
    match when {
        Condition::Below(_) | Condition::Drop(_) => kind.better() == Better::Lower,
        Condition::Above(_) | Condition::Rise(_) => kind.better() == Better::Higher,
        Condition::NoData(_) => false,
    }
}

pub(super) fn above_zero(text: &str) -> Result<Duration, Complaint> {
    match parse_duration(text)? {
        Duration::ZERO => Err(Complaint::new("it can't be zero", "write a duration like `24h`")),
        duration => Ok(duration),
    }
}

fn number(text: &str) -> Result<f64, Complaint> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| {
        let plain = text.trim_end_matches(['%', ' ']).replace(',', ".");
        let suggested = plain.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        match suggested {
            Some(_) if text.contains(',') => {
                Complaint::new(format!("`{text}` has a decimal comma"), format!("write a decimal point: `{plain}`"))
            }
            Some(_) => Complaint::new(format!("`{text}` is not a score"), format!("write the number alone: `{plain}`")),
            None => Complaint::new(format!("`{text}` is not a score"), "write a number of 0 or more, without a unit"),
        }
    })
}

/// A size with its unit: `5%` or `20pts`.
fn size(text: &str) -> Result<Size, Complaint> {
    let positive = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    let size = match (text.strip_suffix('%'), text.strip_suffix("pts")) {
        (Some(percent), _) => positive(percent).filter(|percent| *percent <= 1000.0).map(Size::Percent),
        (_, Some(points)) => positive(points).map(Size::Points),
        _ if positive(text).is_some() => {
            return Err(Complaint::new(
                format!("`{text}` has no unit"),
                format!("write `{text}%` (of the baseline) or `{text}pts` (in the score's unit)"),
            ));
        }
        _ => None,
    };
    size.ok_or_else(|| {
        let suggested = suggested_size(text)
            .filter(|suggested| suggested != text)
            .filter(|suggested| self::size(suggested).is_ok());
        match suggested {
            Some(suggested) if text.contains(',') => {
                Complaint::new(format!("`{text}` has a decimal comma"), format!("write a decimal point: `{suggested}`"))
            }
            Some(suggested) => Complaint::new(format!("`{text}` is not a size"), format!("write `{suggested}`")),
            None => Complaint::new(format!("`{text}` is not a size"), "write one above zero like `5%` or `20pts`"),
        }
    })
}

/// What was probably meant by a size in other words: `5 percent`, `20 points`, `2,5 %`, `-5%`.
fn suggested_size(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('-').replace(',', ".");
    let number_end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let unit = match unit.trim().to_lowercase().as_str() {
        "%" | "percent" | "pct" | "per cent" => "%",
        "pts" | "pt" | "p" | "point" | "points" => "pts",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

/// A share above 0 and up to 100 %.
pub(super) fn share(text: &str) -> Result<f64, Complaint> {
    let read = |text: &str| {
        let share = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
        share.filter(|share| *share > 0.0 && *share <= 100.0)
    };
    read(text).ok_or_else(|| {
        let plain = text.replace(',', ".");
        if text.contains(',') && read(&plain).is_some() {
            return Complaint::new(
                format!("`{text}` has a decimal comma"),
                format!("write a decimal point: `{plain}`"),
            );
        }
        Complaint::new(format!("`{text}` is not a share"), "write one from 1% to 100% like `80%`")
    })
}
