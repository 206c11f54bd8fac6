//! Microsoft's published limits, kept exactly: what each app asks of each tenant in any minute and hour, and at once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::domain::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// One of the services that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Defender for Endpoint: 100 calls a minute and 1,500 an hour ("Limitations" of its pages).
    Defender,
    /// Graph's secure scores: 150 a minute, 4 at once ("Microsoft Graph service-specific throttling limits").
    Graph,
    /// Entra's token endpoint. It publishes no number.
    Entra,
}

impl Service {
    /// The most calls in any minute and hour, and at once.
    const fn limits(self) -> (usize, usize, usize) {
        match self {
            Self::Defender => (100, 1_500, usize::MAX),
            Self::Graph => (150, 60_000, 4),
            Self::Entra => (usize::MAX, usize::MAX, usize::MAX),
        }
    }
}

/// The most that any app asked of any tenant so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peaks {
    /// How many calls there were in total.
    pub calls: u64,
    /// The tenants that were called.
    pub tenants: usize,
    /// The most calls in a minute of one tenant.
    pub minute: usize,
    /// The most calls in an hour of one tenant.
    pub hour: usize,
    /// The most calls at once of one tenant.
    pub at_once: usize,
    /// Calls above a limit, which were answered with 429.
    pub above: u64,
    /// Calls made before the wait was over that an earlier answer asked for.
    pub early: u64,
}

type Key = (Service, Uuid, Uuid);

#[derive(Debug, Default)]
struct Line {
    /// The calls of the last hour.
    recent: VecDeque<Timestamp>,
    at_once: usize,
    closed_until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Book {
    lines: HashMap<Key, Line>,
    peaks: HashMap<Service, Peaks>,
}

/// Counts the calls of each app, as Defender does.
#[derive(Debug)]
pub(super) struct Meter {
    /// `None`: nothing is counted, for benchmarks.
    book: Option<Mutex<Book>>,
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Call<'a> {
    meter: &'a Meter,
    key: Key,
    /// Whether it is above a limit.
    pub(super) is_above: bool,
}

impl Meter {
    pub(super) fn new(is_on: bool) -> Self {
        Self { book: is_on.then(Mutex::default) }
    }

    /// Counts a call. It is under way until it is dropped.
    pub(super) fn enter(&self, service: Service, tenant: Uuid, app: Uuid, now: Timestamp) -> Call<'_> {
        let key = (service, tenant, app);
        let mut is_above = false;
        if let Some(mut book) = self.book() {
            let Book { lines, peaks } = &mut *book;
            let peaks = peaks.entry(service).or_default();
            peaks.tenants += usize::from(!lines.contains_key(&key));
            let line = lines.entry(key).or_default();
            line.recent.push_back(now);
            while line.recent.front().is_some_and(|first| now.since(*first) >= HOUR) {
                line.recent.pop_front();
            }
            line.at_once += 1;
            let minute = line.recent.iter().rev().take_while(|at| now.since(**at) < MINUTE).count();
            let (minute_max, hour_max, at_once_max) = service.limits();
            is_above = minute > minute_max || line.recent.len() > hour_max || line.at_once > at_once_max;
            peaks.calls += 1;
            peaks.minute = peaks.minute.max(minute);
            peaks.hour = peaks.hour.max(line.recent.len());
            peaks.at_once = peaks.at_once.max(line.at_once);
            peaks.above += u64::from(is_above);
            peaks.early += u64::from(line.closed_until.is_some_and(|until| now < until));
        }
        Call { meter: self, key, is_above }
    }

    /// What was counted so far.
    pub(super) fn peaks(&self, service: Service) -> Peaks {
        self.book().and_then(|book| book.peaks.get(&service).copied()).unwrap_or_default()
    }

    fn book(&self) -> Option<MutexGuard<'_, Book>> {
        Some(self.book.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Call<'_> {
    /// The answer asks to be left alone for that long.
    pub(super) fn close(&self, now: Timestamp, wait: Duration) {
        if let Some(line) = self.meter.book().as_mut().and_then(|book| book.lines.get_mut(&self.key)) {
            line.closed_until = Some(now.plus(wait));
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(line) = self.meter.book().as_mut().and_then(|book| book.lines.get_mut(&self.key)) {
            line.at_once = line.at_once.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_minute_and_hour_count_and_not_only_whole_ones() {
        let meter = Meter::new(true);
        let call =
            |service, second| meter.enter(service, Uuid::nil(), Uuid::nil(), Timestamp::from_seconds(second)).is_above;
        let above: Vec<i64> = (0..130).filter(|second| call(Service::Defender, 30 + second / 2)).collect();
        assert_eq!(above, (100..130).collect::<Vec<_>>(), "half of it lies in the next whole minute");
        assert!(!call(Service::Defender, 200));
        let peaks = meter.peaks(Service::Defender);
        assert_eq!((peaks.calls, peaks.minute, peaks.hour, peaks.above), (131, 120, 131, 30));
        let held: Vec<_> =
            (0..5).map(|_| meter.enter(Service::Graph, Uuid::nil(), Uuid::nil(), Timestamp::EPOCH)).collect();
        assert_eq!(held.iter().map(|call| call.is_above).collect::<Vec<_>>(), [false, false, false, false, true]);
        drop(held);
        let one = meter.enter(Service::Graph, Uuid::nil(), Uuid::nil(), Timestamp::EPOCH);
        assert!(!one.is_above);
        one.close(Timestamp::EPOCH, MINUTE);
        for second in [59, 60] {
            meter.enter(Service::Graph, Uuid::nil(), Uuid::nil(), Timestamp::from_seconds(second));
        }
        assert_eq!((meter.peaks(Service::Graph).early, meter.peaks(Service::Graph).at_once), (1, 5));
    }
}
