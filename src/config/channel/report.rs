//! When a channel gets reports: written → meant.

use crate::{
    channel::ChannelKind,
    config::{
        draft::Draft,
        field::{Field, Word},
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
/// The same on the first day of the month.
const MONTHLY: &str = "0 0 8 1 * *";

/// The reports of a channel.
#[derive(Default)]
pub(super) struct Reports {
    /// When the report on all of its tenants is due; `None`: there is none.
    pub(super) all: Option<Schedule>,
    /// When the reports on each tenant's month are due; `None`: there are none.
    pub(super) month: Option<Schedule>,
}

/// The reports of a channel. `timezone` is that of the channel.
pub(super) fn reports(
    raw: Field<RawReport>,
    kind: Option<&ChannelKind>,
    timezone: &Zone,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Reports {
    let reports = match draft.take(raw, at) {
        None => None,
        Some(RawReport::Word(word)) => draft.parse(Field::Good(word), at, |text| by_word(text, timezone)),
        Some(RawReport::At(raw)) => Some(by_times(*raw, timezone, at, draft)),
    };
    let reports = reports.unwrap_or_default();
    if kind.is_some_and(ChannelKind::keeps_state) && (reports.all.is_some() || reports.month.is_some()) {
        draft.error(at, "this type of channel keeps alerts and takes no reports", "delete `report`");
    }
    reports
}

fn by_times(raw: RawReportAt, timezone: &Zone, at: &Scope<'_>, draft: &mut Draft) -> Reports {
    at.only(RawReportAt::KEYS, draft);
    let timezone = zone(raw.timezone, &at.key("timezone"), draft).unwrap_or_else(|| timezone.clone());
    let by = |raw: Field<Word>, here: &Scope<'_>, draft: &mut Draft| {
        let word = draft.take(raw, here)?;
        schedule(Field::Good(word), here, &timezone, draft)
    };
    if raw.month.is_written() {
        let all = by(raw.at, &at.key("at"), draft);
        return Reports { all, month: by(raw.month, &at.key("month"), draft) };
    }
    let here = at.key("at");
    let written = draft.require(raw.at, &here, "\"0 0 8 * * MON\"");
    Reports { all: written.and_then(|word| schedule(Field::Good(word), &here, &timezone, draft)), month: None }
}

/// What one word means.
fn by_word(text: &str, timezone: &Zone) -> Result<Reports, Complaint> {
    let of = |expression| Schedule::parse(expression, timezone.clone());
    match text {
        "daily" => Ok(Reports { all: Some(of(DAILY)?), month: None }),
        "weekly" => Ok(Reports { all: Some(of(WEEKLY)?), month: None }),
        "monthly" => Ok(Reports { all: None, month: Some(of(MONTHLY)?) }),
        // YAML's readers disagree on whether `off` is a word.
        "off" | "false" => Ok(Reports::default()),
        _ => Err(Complaint::new(
            format!("`{text}` is not a time for reports"),
            "write `weekly`, `daily`, `monthly`, `off`, or `{ at: \"0 0 8 * * MON\", month: \"0 0 8 1 * *\" }`",
        )),
    }
}
