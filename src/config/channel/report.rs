//! When a channel gets a report: written → meant.

use crate::{
    channel::ChannelKind,
    config::{
        draft::Draft,
        field::Field,
        raw::{RawReport, RawReportAt},
        scope::Scope,
        times::{schedule, zone},
    },
    domain::Complaint,
    schedule::{Schedule, Zone},
};

/// Every day at eight, when people come to work.
const DAILY: &str = "0 0 8 * * *";
/// The same on Mondays.
const WEEKLY: &str = "0 0 8 * * MON";

/// When the report is due; `None`: there is none. `timezone` is that of the channel.
pub(super) fn report(
    raw: Field<RawReport>,
    kind: Option<&ChannelKind>,
    timezone: &Zone,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Option<Schedule> {
    let schedule = match draft.take(raw, at)? {
        RawReport::Word(word) => draft.parse(Field::Good(word), at, |text| by_word(text, timezone)).flatten(),
        RawReport::At(raw) => {
            at.only(RawReportAt::KEYS, draft);
            let here = at.key("at");
            let timezone = zone(raw.timezone, &at.key("timezone"), draft).unwrap_or_else(|| timezone.clone());
            let written = draft.require(raw.at, &here, "\"0 0 8 * * MON\"");
            written.and_then(|word| schedule(Field::Good(word), &here, &timezone, draft))
        }
    }?;
    if kind.is_some_and(ChannelKind::keeps_state) {
        draft.error(at, "this type of channel keeps alerts and takes no reports", "delete `report`");
    }
    Some(schedule)
}

/// What one word means.
fn by_word(text: &str, timezone: &Zone) -> Result<Option<Schedule>, Complaint> {
    match text {
        "daily" => Schedule::parse(DAILY, timezone.clone()).map(Some),
        "weekly" => Schedule::parse(WEEKLY, timezone.clone()).map(Some),
        // YAML's readers disagree on whether `off` is a word.
        "off" | "false" => Ok(None),
        _ => Err(Complaint::new(
            format!("`{text}` is not a time for reports"),
            "write `weekly`, `daily`, `off`, or `{ at: \"0 0 8 * * MON\" }`",
        )),
    }
}
