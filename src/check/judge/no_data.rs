//! `no_data` rules: what was read of each score, and when a lack of data counts.

use std::time::Duration;

use super::{Judging, Seen, Target};
use crate::{
    check::{blind, series::Series},
    config::{Config, Tenant},
    domain::{Sample, ScoreKind, Timestamp},
    rule::{Event, Feed, Rule},
    schedule::{next_check, phase},
    store::{Downtime, SeriesRecord},
};

/// How long a check that is due may be under way before it counts as missed; never longer than until the next one.
const OVERDUE_MAX: Duration = Duration::from_hours(1);

/// What a check read of a score, in all of its series.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScoreRead {
    score: ScoreKind,
    was_polled: bool,
    is_known: bool,
    is_read: bool,
    last_data: Option<Timestamp>,
    /// The newest reading, of a score that has one value.
    sample: Option<Sample>,
}

impl ScoreRead {
    pub(super) const fn new(score: ScoreKind, was_polled: bool) -> Self {
        Self { score, was_polled, is_known: false, is_read: false, last_data: None, sample: None }
    }

    /// Takes a series of the score. Any of its subjects shows that the score can be read.
    pub(super) fn take(&mut self, series: &Series<'_>) {
        let is_read = series.fresh > 0 || series.seen_again;
        self.is_read |= is_read;
        self.is_known |= series.is_known;
        self.last_data = self.last_data.max(Some(series.last_data_at));
        self.sample = series.window.last().copied().filter(|_| is_read && !self.score.has_subjects());
    }
}

impl Judging<'_> {
    /// Judges the tenant by one `no_data` rule.
    pub(super) fn no_data(&mut self, rule: &Rule) {
        if !rule.tenants.matches(&self.setting.tenant.labels) {
            return;
        }
        let watched = self.reads.iter().filter(|read| rule.score.is_none_or(|score| score == read.score));
        let reads: Vec<ScoreRead> = watched.copied().collect();
        let health = &self.outcome.health;
        let watch = Watch {
            config: self.setting.config,
            tenant: self.setting.tenant,
            downtimes: self.setting.downtimes,
            checked_at: health.checked_at,
            watched_since: health.watched_since,
            poll_interval: self.poll_interval,
            now: self.outcome.now,
        };
        let feeds: Vec<Feed> = reads.iter().filter_map(|read| watch.feed(read)).collect();
        let target = Target { score: rule.score, subject: None };
        let known = self.alert_record(rule, target);
        if feeds.is_empty() && known.is_none() {
            return;
        }
        let sample = match reads.as_slice() {
            [only] => only.sample,
            _ => None,
        };
        let event = sample.map_or(Event::Tick, Event::Reading);
        let seen = Seen { feeds: &feeds, ..Seen::of_no_series(self.poll_interval) };
        self.alert(rule, target, known, &[(event, 0)], seen);
        let older = self.older(rule);
        if !older.is_empty() {
            self.replace(rule, known, &feeds, &older);
        }
    }
}

/// What says when a lack of data counts.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Watch<'a> {
    pub(in crate::check) config: &'a Config,
    pub(in crate::check) tenant: &'a Tenant,
    pub(in crate::check) downtimes: &'a [Downtime],
    /// When the tenant was last checked, whatever came of it.
    pub(in crate::check) checked_at: Option<Timestamp>,
    pub(in crate::check) watched_since: Option<Timestamp>,
    pub(in crate::check) poll_interval: Duration,
    pub(in crate::check) now: Timestamp,
}

impl Watch<'_> {
    /// A score as `no_data` rules see it. `None`: it was never polled.
    fn feed(&self, read: &ScoreRead) -> Option<Feed> {
        let now = self.now;
        if !read.is_known && !read.was_polled {
            return None;
        }
        let last_data = match read.last_data {
            Some(last_data) if !read.is_read => last_data.max(self.watched_since.unwrap_or(last_data)).min(now),
            _ => now,
        };
        let downtime = blind::downtime_between(self.downtimes, last_data, now);
        // A first poll that fails is where the time begins to count.
        let has_failed = read.was_polled && !read.is_read && read.is_known;
        let checked_at = self.checked_at.filter(|at| *at > last_data && *at <= now);
        let missed_at = if has_failed {
            Some(now)
        } else if read.is_read || !read.is_known {
            self.overdue_after(now)
        } else {
            checked_at.or_else(|| self.overdue_after(last_data))
        };
        Some(Feed { score: read.score, last_data, downtime, missed_at, is_read: read.is_read })
    }

    /// When the first check after then is overdue, if it has not come by then.
    fn overdue_after(&self, after: Timestamp) -> Option<Timestamp> {
        let downtimes = self.downtimes.iter().map(|downtime| (downtime.from, downtime.until));
        let phase = phase(self.tenant.id.as_str(), self.config.spread);
        let due = next_check(&self.tenant.schedule, phase, after, downtimes)?;
        Some(due.plus(self.poll_interval.min(OVERDUE_MAX)))
    }

    /// The scores that a `no_data` rule watches, as the store has them.
    pub(in crate::check) fn feeds(&self, rule: &Rule, series: &[SeriesRecord]) -> Vec<Feed> {
        let watched = self.tenant.scores.iter().filter(|score| rule.score.is_none_or(|watched| watched == **score));
        let read = |score: &ScoreKind| {
            let of_score = series.iter().filter(|series| series.score == *score);
            let last_data = of_score.map(|series| series.last_data_at).max();
            ScoreRead { is_known: last_data.is_some(), last_data, ..ScoreRead::new(*score, false) }
        };
        watched.filter_map(|score| self.feed(&read(score))).collect()
    }
}
