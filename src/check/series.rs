//! One series as a check finds it: what is known of it, and behind that what the check read. Pure.
//!
//! A poll of a source that measures on demand is a new reading each time. A source that keeps records gives the same record again
//! and again: a sample is new only if its record is later than every one before. What such a source has kept from before a tenant
//! was adopted is taken in, and alerts nobody.

use std::{collections::HashMap, time::Duration};

use crate::{
    config::{Config, Tenant},
    domain::{Reading, SUBJECT_GONE_AFTER, Sample, ScoreKind, SeriesId, Subject, Timestamp},
    rule::Resolution,
    store::SeriesRecord,
};

/// How far ahead of our clock a source's time may be before ours is taken instead.
const FUTURE_MAX: Duration = Duration::from_mins(10);

/// One series as the rules see it.
pub(super) struct Series<'a> {
    pub(super) score: ScoreKind,
    pub(super) subject: Option<&'a Subject>,
    /// The samples before the new ones, and the new ones behind them.
    pub(super) window: Vec<Sample>,
    /// How many of the window's samples are new.
    pub(super) fresh: usize,
    /// Whether the source gave its newest record once more, and is not overdue with the next.
    pub(super) seen_again: bool,
    /// When data was last seen before this check, by the wall clock; now, for a series that begins with it.
    pub(super) last_data_at: Timestamp,
    /// Whether the store has the series.
    pub(super) is_known: bool,
    /// Whether the store says that its data was last read at a time that has not come yet: the clock was set back since.
    pub(super) was_ahead: bool,
    /// The source time of the newest record at onboarding; samples from before were imported.
    pub(super) onboarded_at: Option<Timestamp>,
    /// How far back the window is known to reach.
    pub(super) keep: Duration,
}

impl<'a> Series<'a> {
    /// A series with a check's readings of its subject behind what was known of it.
    pub(super) fn extend(
        SeriesId { score, subject }: SeriesId<'a>,
        record: Option<&SeriesRecord>,
        samples: &[Sample],
        now: Timestamp,
    ) -> Self {
        let known = record.map_or(&[][..], |series| series.window.as_slice());
        let mut series = Self {
            score,
            subject,
            window: known.to_vec(),
            fresh: 0,
            seen_again: false,
            // Before a score is first polled no data is missing, however long the tenant has been known.
            last_data_at: record.map_or(now, |series| series.last_data_at.min(now)),
            is_known: record.is_some(),
            was_ahead: record.is_some_and(|series| series.last_data_at > now),
            onboarded_at: record.and_then(|series| series.onboarded_at),
            keep: record.map_or(Duration::ZERO, |series| series.keep),
        };
        let samples = samples.to_vec();
        match score.record_interval() {
            Duration::ZERO => series.take_polls(samples, now),
            _ => series.take_records(samples, now),
        }
        series
    }

    fn take_polls(&mut self, samples: Vec<Sample>, now: Timestamp) {
        for Sample { at, value } in samples {
            let at = self.source_time(at, now);
            self.window.push(Sample { at, value });
            self.fresh += 1;
        }
    }

    /// The time that a reading is kept under: the source's own, but after the sample before it and not far in our future. A poll is
    /// a new reading even if a clock stood still or was set back. Then it is as much later than the one before as time has passed
    /// by our clock, so that `for` and windows go on as if no clock had been touched; where our clock itself was set back in
    /// between, that cannot be known, and it is only just later.
    fn source_time(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        let at = if at > now.plus(FUTURE_MAX) { now } else { at };
        let Some(previous) = self.window.last().filter(|previous| at <= previous.at) else { return at };
        let passed = if self.fresh == 0 && !self.was_ahead { now.since(self.last_data_at) } else { Duration::ZERO };
        if now > previous.at { now } else { previous.at.plus(passed.max(Duration::from_nanos(1))) }
    }

    fn take_records(&mut self, mut samples: Vec<Sample>, now: Timestamp) {
        // A record from the future would bar all those before it. What is known already is none, though the clock was set back since.
        let known = self.window.last().map(|newest| newest.at);
        samples.retain(|sample| sample.at <= now.plus(FUTURE_MAX) || Some(sample.at) <= known);
        samples.sort_by_key(|sample| sample.at);
        let was_empty = self.window.is_empty();
        let is_given = !samples.is_empty();
        for sample in samples {
            if self.window.last().is_none_or(|newest| sample.at > newest.at) {
                self.window.push(sample);
                self.fresh += 1;
            }
        }
        if was_empty && self.fresh > 1 {
            self.fresh = 1;
            // What was lost before we first asked alerts nobody: the newest record is where every rule's baseline begins.
            self.onboarded_at = self.window.last().map(|newest| newest.at);
        }
        let is_current = |newest: &Sample| now.since(newest.at) < self.score.overdue_after();
        self.seen_again = is_given && self.fresh == 0 && self.window.last().is_some_and(is_current);
    }
}

/// Most subjects of one score of a tenant that are watched at a time. Names that keep changing would otherwise cost more at each
/// check.
pub(super) const SUBJECTS_MAX: usize = 1_000;

/// The subjects of one score: what is known of each, and what a check read of it. Found by name, however many there are.
pub(super) struct Subjects<'a> {
    by_subject: HashMap<Option<&'a Subject>, Subjected<'a>>,
    /// In the order of the store, then of the answer.
    order: Vec<Option<&'a Subject>>,
    /// Whether the check read any.
    is_read: bool,
    /// Whether any that is known is not the whole score.
    has_named: bool,
    /// When one of them was last read before this check.
    newest: Option<Timestamp>,
    /// How many new subjects are not watched, because there are [`SUBJECTS_MAX`].
    pub(super) left_out: usize,
}

/// What is known of one subject.
#[derive(Default)]
pub(super) struct Subjected<'a> {
    pub(super) record: Option<&'a SeriesRecord>,
    pub(super) samples: Vec<Sample>,
    /// Whether it is there, though its value is not a reading.
    is_unsound: bool,
}

impl<'a> Subjects<'a> {
    /// Of what is known and what was read; of `unsound` subjects nothing can be read.
    pub(super) fn of(
        known: impl Iterator<Item = &'a SeriesRecord>,
        readings: &'a [Reading],
        unsound: &'a [Subject],
    ) -> Self {
        let mut subjects = Self {
            by_subject: HashMap::new(),
            order: Vec::new(),
            is_read: !readings.is_empty(),
            has_named: false,
            newest: None,
            left_out: 0,
        };
        for record in known {
            let subject = record.subject.as_ref();
            if subject.is_some() {
                subjects.has_named = true;
                subjects.newest = subjects.newest.max(Some(record.last_data_at));
            }
            if let Some(found) = subjects.entry(subject, usize::MAX) {
                found.record = Some(record);
            }
        }
        for reading in readings {
            if let Some(found) = subjects.entry(reading.subject.as_ref(), SUBJECTS_MAX) {
                found.samples.push(reading.sample);
            }
        }
        for subject in unsound {
            if let Some(found) = subjects.by_subject.get_mut(&Some(subject)) {
                found.is_unsound = true;
            }
        }
        if subjects.order.is_empty() {
            subjects.entry(None, usize::MAX);
        }
        subjects
    }

    fn entry(&mut self, subject: Option<&'a Subject>, max: usize) -> Option<&mut Subjected<'a>> {
        if !self.by_subject.contains_key(&subject) {
            if self.order.len() >= max {
                self.left_out += 1;
                return None;
            }
            self.order.push(subject);
        }
        Some(self.by_subject.entry(subject).or_default())
    }

    /// All subjects with what is known of each.
    pub(super) fn each(&self) -> impl Iterator<Item = (Option<&'a Subject>, &Subjected<'a>)> {
        self.order.iter().filter_map(|subject| Some((*subject, self.by_subject.get(subject)?)))
    }

    /// Why a series is over, and its alerts with it; `None`: it goes on.
    ///
    /// One answer without a subject proves nothing, and an answer without any is not data. A subject is gone when others of its score
    /// have been read for [`SUBJECT_GONE_AFTER`] since it was last.
    pub(super) fn ended(
        &self,
        SeriesId { score, subject }: SeriesId<'_>,
        found: &Subjected<'_>,
        source_interval: Duration,
    ) -> Option<Resolution> {
        if !score.has_subjects() {
            return None;
        }
        if subject.is_none() {
            // Stands for the whole score until it is first read.
            return (self.is_read || self.has_named).then_some(Resolution::Recovered);
        }
        if !found.samples.is_empty() || found.is_unsound {
            return None;
        }
        let missing = self.newest?.since(found.record?.last_data_at);
        (missing >= source_interval.saturating_mul(3).max(SUBJECT_GONE_AFTER)).then_some(Resolution::SubjectRemoved)
    }
}

/// How far back the rules that judge a score look.
#[must_use]
pub(super) fn within(config: &Config, tenant: &Tenant, score: ScoreKind) -> Duration {
    let judging = config.rules.iter().filter(|rule| rule.applies_to(&tenant.labels, score));
    judging.filter_map(|rule| rule.when.change()).map(|change| change.within).max().unwrap_or_default()
}

/// How far back the window of a score is kept for them.
pub(super) fn reach(config: &Config, tenant: &Tenant, score: ScoreKind, poll_interval: Duration) -> Duration {
    let interval = poll_interval.max(score.record_interval());
    match within(config, tenant, score) {
        Duration::ZERO => interval.saturating_mul(2),
        // A confirmed zero is judged as of the reading before it, one interval further back.
        within => within.saturating_add(interval).max(interval.saturating_mul(2)),
    }
}
