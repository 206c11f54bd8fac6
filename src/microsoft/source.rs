//! Where scores come from. A source is one call, which gives one kind of score or several.
//!
//! A further source is one file that implements [`Source`] and one arm of [`of`]. One that gives a single value in a single
//! object needs no file either: a [`Single`] says its path, role and keys in a few lines.

mod groups;
pub(super) mod secure_score;
mod single;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use super::{Failure, FailureClass, FetchError, Hosts, bounded, cloud::Api, error::garbage, is_object, number, text};
use crate::domain::{Averages, Clause, Reading, ScoreKind, ScoreRecord, Subject, TenantId, Timestamp};
use groups::Groups;
use secure_score::SecureScore;
use single::Single;

/// How many days of daily records Graph keeps ("List secureScores").
pub(super) const HISTORY_DAYS: usize = 90;

/// One API call that returns scores.
pub(super) trait Source: Sync {
    /// Every kind that one call gives.
    fn scores(&self) -> &'static [ScoreKind];
    /// Whose call it is: its host and the scope of its token.
    fn api(&self) -> Api;
    /// What the app must be granted.
    fn role(&self) -> Role;
    /// Path and query of the first page.
    fn path(&self, ask: Ask) -> String;
    /// The most bytes that one page may have, and all pages together twice as many.
    fn page_bytes_max(&self, _: Ask) -> usize {
        64 * 1024
    }
    /// The most pages that are followed. An answer with more is not trusted: it may have no end.
    fn pages_max(&self) -> usize {
        1
    }
    /// Reads one page behind what the pages before gave, and says where the next one is, if it is wanted.
    /// Pure. No reading at all is not data, which the caller says.
    ///
    /// # Errors
    /// [`FailureClass::Garbage`] when the page can't be trusted, [`FailureClass::NoData`] when it says that there is nothing.
    fn read(&self, ask: Ask, page: &[u8], found: &mut Found) -> Result<Option<String>, Failure>;
    /// Makes readings of what can be judged only when every page was read.
    fn finish(&self, _: &mut Found) {}
    /// What the operator can do about a failure of that class.
    fn hint(&self, class: FailureClass) -> Option<Cow<'static, str>> {
        match (class, self.api()) {
            (FailureClass::RoleMissing, _) => {
                let Role { name, of } = self.role();
                Some(Clause::GrantRole.with(&[name, of]).into())
            }
            (FailureClass::LicenceMissing, Api::Graph) => Some(Clause::CheckGraphLicense.english().into()),
            (FailureClass::NotOnboarded, Api::Graph) => Some(Clause::CheckCloud.english().into()),
            _ => class.hint().map(Cow::Borrowed),
        }
    }
}

/// What the pages of one call gave.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The values that are sound.
    pub(super) readings: Vec<Reading>,
    /// Scores with a value that can't be, as a device score below zero, and of which subject. The sound values beside it count.
    pub(super) unsound: Vec<Unsound>,
    /// Graph's records with their controls, if somebody wants these.
    pub(super) records: BTreeMap<Timestamp, ScoreRecord>,
    /// What Graph's newest record says of other tenants.
    pub(super) averages: Option<Averages>,
    /// Device groups; they become readings when all are known.
    pub(super) groups: Vec<groups::Group>,
}

/// A value that is not a reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unsound {
    pub(super) score: ScoreKind,
    pub(super) subject: Option<Subject>,
    /// Why, in our own words.
    pub(super) what: Cow<'static, str>,
}

impl Found {
    /// Takes a value if it is one that the score can have.
    pub(super) fn take(&mut self, reading: Reading) {
        let Reading { score, sample, .. } = &reading;
        if score.range().contains(&sample.value) && TIMES.contains(&sample.at) {
            self.readings.push(reading);
            return;
        }
        let (low, high) = (*score.range().start(), *score.range().end());
        let what = if TIMES.contains(&sample.at) {
            format!("the API's answer contains an impossible value: {}, outside of {low} to {high}", sample.value)
        } else {
            "the API's answer contains a time that is far off".to_owned()
        };
        self.unsound.push(Unsound { score: reading.score, subject: reading.subject, what: what.into() });
    }
}

/// Times that a value can have: from before the first of these scores to beyond the life of this program.
const TIMES: RangeInclusive<Timestamp> =
    Timestamp::from_seconds(1_388_534_400)..=Timestamp::from_seconds(4_102_444_800);

/// An app role, and the API that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) of: &'static str,
}

/// Of Defender for Endpoint: each score ("Get device secure score", "Get exposure score", "List exposure score by device group").
const SCORE_READ_ALL: Role = Role { name: "Score.Read.All", of: "WindowsDefenderATP" };
/// Of Graph, the least of those that will do ("List secureScores").
const SECURITY_EVENTS_READ_ALL: Role = Role { name: "SecurityEvents.Read.All", of: "Microsoft Graph" };

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    /// The given number of newest daily records; sources without records have one value, now.
    pub(super) records: usize,
}

impl Ask {
    /// More records than an ordinary check or a weekend away asks for: an answer of some megabytes.
    const HISTORY_FROM: usize = 8;

    /// What is new since the newest record that is known; without one everything that the source keeps.
    pub(super) fn since(newest: Option<Timestamp>, now: Timestamp) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        let records = newest.map_or(HISTORY_DAYS, |newest| {
            usize::try_from(now.since(newest).as_secs() / DAY.as_secs()).unwrap_or(HISTORY_DAYS).saturating_add(1)
        });
        Self { records: records.clamp(1, HISTORY_DAYS) }
    }

    /// Whether the answer may be large.
    pub(super) const fn is_history(self) -> bool {
        self.records >= Self::HISTORY_FROM
    }
}

/// Source: "Get device secure score" (Defender for Endpoint API).
static DEVICE_SECURE_SCORE: Single = Single {
    scores: &[ScoreKind::DeviceSecureScore],
    api: Api::Defender,
    role: SCORE_READ_ALL,
    path: "/api/configurationScore",
    value: "score",
    time: "time",
};
/// Source: "Get exposure score" (Defender for Endpoint API).
static EXPOSURE_SCORE: Single = Single {
    scores: &[ScoreKind::ExposureScore],
    api: Api::Defender,
    role: SCORE_READ_ALL,
    path: "/api/exposureScore",
    value: "score",
    time: "time",
};

/// The source of that score.
pub(super) fn of(score: ScoreKind) -> &'static dyn Source {
    match score {
        ScoreKind::DeviceSecureScore => &DEVICE_SECURE_SCORE,
        ScoreKind::ExposureScore => &EXPOSURE_SCORE,
        ScoreKind::ExposureScoreByGroup => &Groups,
        ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => &SecureScore,
    }
}

/// The base URLs that a check of these scores calls: the sign-in service and the APIs that they come from.
#[must_use]
pub fn hosts_called<'a>(hosts: &'a Hosts, scores: &[ScoreKind]) -> BTreeSet<&'a str> {
    let apis = scores.iter().map(|score| of(*score).api().base(hosts));
    apis.chain([&*hosts.login]).collect()
}

/// The address of a next page, if it is on the host that was called: the token is sent to it.
///
/// # Errors
/// [`FailureClass::Garbage`] for another host, or what is not an address.
pub(super) fn follow(base: &str, next: String) -> Result<String, Failure> {
    const LETTERS_MAX: usize = 2048;
    let is_address = next.len() <= LETTERS_MAX && next.bytes().all(|byte| byte.is_ascii_graphic());
    let is_here = next.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    if is_address && is_here {
        Ok(next)
    } else {
        Err(garbage("the API's answer continues at an address that is not its own"))
    }
}

impl Failure {
    /// Of a tenant, with the hint of the source that was asked.
    pub(super) fn of(self, tenant: &TenantId, source: &dyn Source) -> FetchError {
        let hint = self.hint.clone().or_else(|| source.hint(self.class));
        FetchError { hint, ..self.of_document(tenant) }
    }
}

#[cfg(test)]
mod tests;
