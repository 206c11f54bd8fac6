//! The controls that do not count in a check: before it, and from it on.

use std::borrow::Cow;

use super::Target;
use crate::{
    check::series::Series,
    domain::{ControlsRead, Excluded, Points, Sample, ScoreKind, SeriesId, Subject},
    store::{AlertRecord, TenantRecord},
};

/// The controls that did not count at the last check, and those that do not count in this one.
#[derive(Debug)]
pub(in crate::check) struct Excluding {
    before: Excluded,
    now: Excluded,
}

impl Excluding {
    /// As a tenant was judged last, and what a check has read since.
    pub(super) fn of(record: Option<&TenantRecord>, read: Option<&ControlsRead>) -> Self {
        let before = record.map_or_else(Excluded::default, |record| record.excluded.clone());
        let now = read.map_or_else(|| before.clone(), |read| before.after(read));
        Self { before, now }
    }

    /// The controls that do not count.
    pub(in crate::check) const fn in_force(&self) -> &Excluded {
        &self.now
    }

    /// What is to be kept, if it is not what is kept already.
    pub(super) fn changed(&self) -> Option<Excluded> {
        (self.now != self.before).then(|| self.now.clone())
    }

    /// Turns the window of a series into what rules judge, and returns it as it was; `None`: it stays as it is.
    pub(super) fn take_out(&self, series: &mut Series<'_>) -> Option<Vec<Sample>> {
        let id = SeriesId { score: series.score, subject: series.subject };
        self.now.window(id, &series.window).map(|judged| std::mem::replace(&mut series.window, judged))
    }

    /// A window as rules judge it.
    pub(super) fn window<'w>(
        &self,
        score: ScoreKind,
        subject: Option<&Subject>,
        window: &'w [Sample],
    ) -> Cow<'w, [Sample]> {
        self.now.window(SeriesId { score, subject }, window).map_or(Cow::Borrowed(window), Cow::Owned)
    }

    /// Points as rules judge them.
    pub(super) fn points(&self, score: ScoreKind, subject: Option<&Subject>, sample: Sample, points: Points) -> Points {
        self.now.points(SeriesId { score, subject }, sample.at, points)
    }

    /// By how much the levels of an alert move, because other controls count than when they were measured; `None`: they do not.
    pub(super) fn moved(
        &self,
        alert: Option<&AlertRecord>,
        target: Target<'_>,
        record: Option<&TenantRecord>,
    ) -> Option<f64> {
        let (score, record) = (target.score?, record.filter(|_| alert.is_some())?);
        let is_it =
            |series: &&crate::store::SeriesRecord| series.score == score && series.subject.as_ref() == target.subject;
        let newest = record.series.iter().find(is_it)?.window.last().copied();
        self.before.moved(&self.now, SeriesId { score, subject: target.subject }, newest)
    }
}
