//! The steps under `escalate:`: raw → validated.

use crate::{
    config::{
        field::Field,
        raw::{OneOrMany, RawEscalation},
        rules::above_zero,
        scope::{Problems, Scope},
        words::{Names, notify},
    },
    domain::format_duration,
    rule::Escalation,
};

/// Most steps of one rule.
const STEPS_MAX: usize = 10;

/// The steps, each later than the one before.
pub(super) fn steps(
    raw: Field<OneOrMany<RawEscalation>>,
    at: &Scope<'_>,
    channels: &Names,
    problems: &mut Problems,
) -> Vec<Escalation> {
    let written = match problems.take(raw, at) {
        None => return Vec::new(),
        Some(OneOrMany::One(raw)) => return step(*raw, at, channels, problems).into_iter().collect(),
        Some(OneOrMany::Many(written)) => written,
    };
    if written.is_empty() || written.len() > STEPS_MAX {
        let what = if written.is_empty() { "the list is empty".to_owned() } else { too_many(written.len()) };
        problems.error(at, what, "write `escalate: { after: 30m, notify: [on-call] }`, or delete the key");
        return Vec::new();
    }
    let mut steps: Vec<Escalation> = Vec::new();
    for (index, raw) in problems.items(Field::Good(written), at) {
        let here = at.item(index);
        let Some(step) = step(raw, &here, channels, problems) else { continue };
        if let Some(before) = steps.last().filter(|before| before.after >= step.after) {
            let what = "this step is not later than the one before it";
            let instead = format!("write an `after` of more than {}", format_duration(before.after));
            problems.error(&here.key("after"), what, instead);
        }
        steps.push(step);
    }
    steps
}

fn too_many(count: usize) -> String {
    format!("there are {count} steps, and a rule has at most {STEPS_MAX}")
}

fn step(raw: RawEscalation, at: &Scope<'_>, channels: &Names, problems: &mut Problems) -> Option<Escalation> {
    at.only(RawEscalation::KEYS, problems);
    let list = at.key("notify");
    if !raw.notify.is_written() {
        problems.missing(&list, "`notify` is missing", "write `notify: [on-call]`");
    } else if raw.notify.count() == Some(0) {
        problems.error(&list, "the list is empty", "name the channels that are notified then");
    }
    let after = problems.require(raw.after, &at.key("after"), "30m").map_or(Field::Absent, Field::Good);
    let after = problems.parse(after, &at.key("after"), above_zero);
    let notify = notify(raw.notify, &list, channels, problems);
    Some(Escalation { after: after?, notify })
}
