//! Time zones, schedules and timeouts as people write them.

use std::time::Duration;

use super::{
    draft::Draft,
    field::{Field, Word},
    scope::Scope,
    spelling::nearest,
    zone_names,
};
use crate::{
    diagnostic::Warning,
    domain::{Complaint, format_duration},
    schedule::{self, Caution, Misreading, Schedule, Zone},
};

/// What an answer takes that has far to come, and a connection that is made first.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// Reads an IANA time zone.
pub(super) fn zone(field: Field<Word>, at: &Scope<'_>, draft: &mut Draft) -> Option<Zone> {
    let zones = draft.zones.clone();
    let zone = draft.parse(field, at, |text| zones.zone(text).ok_or_else(|| no_zone(text)))?;
    if let Some((what, instead)) = zone_names::doubt(zone.name()) {
        draft.warning(Warning::TimezoneFixedOffset, at, what, instead);
    }
    Some(zone)
}

/// Says that there is no zone of that name, and which one is probably meant.
pub(super) fn no_zone(text: &str) -> Complaint {
    let instead = zone_names::instead(text).unwrap_or_else(|| {
        let near = nearest(text, Zone::names()).map(|zone| format!("did you mean `{zone}`?"));
        near.unwrap_or_else(|| "write an IANA name like `Europe/Berlin`".to_owned())
    });
    Complaint::new(format!("`{text}` is not a time zone"), instead)
}

/// Warns of a schedule that another dialect of cron reads differently.
pub(super) fn caution(expression: &str, at: &Scope<'_>, draft: &mut Draft) {
    if let Some(Caution { misreading, what, instead }) = schedule::caution(expression) {
        let warning = match misreading {
            Misreading::EitherDay => Warning::ScheduleEitherDay,
            Misreading::Quartz => Warning::ScheduleQuartz,
            Misreading::EverySecond => Warning::ScheduleEverySecond,
            Misreading::StepBeyondField => Warning::ScheduleStepBeyondField,
        };
        draft.warning(warning, at, what, instead);
    }
}

/// A schedule in that zone.
pub(super) fn schedule(field: Field<Word>, at: &Scope<'_>, zone: &Zone, draft: &mut Draft) -> Option<Schedule> {
    let schedule = draft.parse(field, at, |text| Schedule::parse(text, zone.clone()))?;
    caution(schedule.expression(), at, draft);
    Some(schedule)
}

/// The longest time that an answer may take.
pub(super) fn timeout(raw: Field<Word>, at: &Scope<'_>, default: Duration, draft: &mut Draft) -> Duration {
    let timeout = draft.duration(raw, at, default);
    if timeout < TIMEOUT_MIN {
        let what = format!("an answer may take no longer than {}, and many take longer", format_duration(timeout));
        let instead = format!("write `timeout: {}`; `20s` is 20 seconds", format_duration(default));
        draft.warning(Warning::TimeoutShort, at, what, instead);
    }
    timeout
}
