//! What was last read of the fleet's samples. A month of 10,000 tenants is more than a page can read from the disk each time, and little
//! of it changes: so it is kept, thinned to what a glance needs, and only tenants that were committed since are read again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;

use super::movement::{self, FleetScore};
use crate::{
    domain::{EntraTenantId, Sample, ScoreKind, TenantId, Timestamp},
    query::Error,
    store::{Overview, SeriesSamples, Store, TenantLine},
};

/// The most tenants that are read together.
const BATCH: usize = 256;

/// For so long after the last look at a fleet, somebody is taken to look at it.
const WATCHED_FOR: Duration = Duration::from_hours(1);

/// What was last read of the fleet's samples; share one between all who ask. One and a half kilobytes for each series.
#[derive(Debug, Default)]
pub struct Memory {
    known: Mutex<HashMap<TenantId, Arc<Known>>>,
    /// When somebody looked at it last, in nanoseconds; 0: nobody has.
    looked_at: AtomicI64,
}

/// What was last read of a tenant's samples.
#[derive(Debug, Default)]
pub(super) struct Known {
    entra: Option<EntraTenantId>,
    /// A tenant that was read has at least 1.
    version: u64,
    /// For each score, as many samples as a small drawing needs.
    series: Vec<(ScoreKind, Vec<Sample>)>,
    /// How these have moved, as long as no fleet shift accounts for any of it; in the order of the scores.
    pub(super) scores: Arc<[FleetScore]>,
}

impl Known {
    fn new(line: &TenantLine, series: Vec<(ScoreKind, Vec<Sample>)>) -> Self {
        let of = |(kind, samples): &(ScoreKind, Vec<Sample>)| FleetScore::of(*kind, samples, &[]);
        let mut scores: Vec<FleetScore> = series.iter().filter_map(of).collect();
        scores.sort_by_key(|score| score.kind);
        Self { entra: line.entra, version: line.version, series, scores: scores.into() }
    }

    /// The thinned samples of that score.
    pub(super) fn samples(&self, kind: ScoreKind) -> &[Sample] {
        self.series.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, samples)| samples)
    }
}

impl Memory {
    /// Notes that somebody looks at the fleet.
    pub(super) fn look(&self, now: Timestamp) {
        self.looked_at.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Whether somebody has looked at the fleet lately, and may again.
    #[must_use]
    pub fn is_watched(&self, now: Timestamp) -> bool {
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        looked_at != 0 && now.since(Timestamp::from_nanos(looked_at)) < WATCHED_FOR
    }

    /// Those of these tenants whose samples were committed since they were last read.
    pub(super) async fn behind(&self, lines: Vec<TenantLine>) -> Vec<TenantLine> {
        let known = self.known.lock().await;
        let is_current = |line: &TenantLine| {
            known.get(&line.tenant).is_some_and(|known| known.entra == line.entra && known.version == line.version)
        };
        lines.into_iter().filter(|line| !is_current(line)).collect()
    }

    /// Reads the samples of these tenants ahead, so that whoever looks at the fleet next does not have to.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn read_ahead(&self, store: &dyn Store, lines: &[TenantLine], now: Timestamp) -> Result<(), Error> {
        self.of(store, &lines.iter().collect::<Vec<_>>(), now).await.map(drop)
    }

    /// What is known of the samples of each of these tenants, read again where a tenant was committed since.
    pub(super) async fn of(
        &self,
        store: &(impl Overview + ?Sized),
        lines: &[&TenantLine],
        now: Timestamp,
    ) -> Result<Vec<Arc<Known>>, Error> {
        let mut known = self.known.lock().await;
        let of = |line: &TenantLine| known.get(&line.tenant).filter(|known| known.entra == line.entra).cloned();
        let mut answer: Vec<Arc<Known>> = lines.iter().map(|line| of(line).unwrap_or_default()).collect();
        let is_current = |place: &usize| answer[*place].version == lines[*place].version;
        let (old, mut new): (Vec<usize>, Vec<usize>) =
            (0..lines.len()).filter(|place| !is_current(place)).partition(|place| answer[*place].version > 0);
        let ids = |batch: &[usize]| batch.iter().map(|place| lines[*place].tenant.clone()).collect::<Vec<_>>();
        for batch in old.chunks(BATCH) {
            let mut found = by_tenant(store.newest_samples_of(&ids(batch), None).await?);
            for place in batch {
                let found = found.remove(&lines[*place].tenant).unwrap_or_default();
                match joined(&answer[*place], found, now) {
                    Some(series) => {
                        answer[*place] = Arc::new(Known::new(lines[*place], series));
                        // At once: whoever asks may go away before everything is read.
                        known.insert(lines[*place].tenant.clone(), answer[*place].clone());
                    }
                    None => new.push(*place),
                }
            }
        }
        for batch in new.chunks(BATCH) {
            let mut found = by_tenant(store.newest_samples_of(&ids(batch), Some(movement::horizon(now))).await?);
            for place in batch {
                let series = found.remove(&lines[*place].tenant).unwrap_or_default();
                let series = series.iter().map(|(kind, samples)| (*kind, movement::thinned(samples, now)));
                answer[*place] = Arc::new(Known::new(lines[*place], series.collect()));
                known.insert(lines[*place].tenant.clone(), answer[*place].clone());
            }
        }
        Ok(answer)
    }
}

fn by_tenant(found: Vec<SeriesSamples>) -> HashMap<TenantId, Vec<(ScoreKind, Vec<Sample>)>> {
    let mut by_tenant: HashMap<TenantId, Vec<_>> = HashMap::new();
    for SeriesSamples { tenant, score, samples } in found {
        by_tenant.entry(tenant).or_default().push((score, samples));
    }
    by_tenant
}

/// What was known with what is new; `None`: something between them is missing, and everything has to be read.
fn joined(
    known: &Known,
    found: Vec<(ScoreKind, Vec<Sample>)>,
    now: Timestamp,
) -> Option<Vec<(ScoreKind, Vec<Sample>)>> {
    let join = |(kind, samples): (ScoreKind, Vec<Sample>)| {
        let before = known.series.iter().find(|(before, _)| *before == kind).map(|(_, before)| before)?;
        let newest = before.last().map(|sample| sample.at);
        if samples.first().is_some_and(|first| newest.is_none_or(|newest| first.at > newest)) {
            return None;
        }
        let mut joined = before.clone();
        joined.extend(samples.iter().filter(|sample| newest.is_none_or(|newest| sample.at > newest)));
        Some((kind, movement::thinned(&joined, now)))
    };
    found.into_iter().map(join).collect()
}
