//! What was last read of the fleet's samples. A month of 10,000 tenants is more than a page can read from the disk each time, and little
//! of it changes: so it is kept, thinned to what a glance needs, and only tenants that were committed since are read again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::Mutex;

use super::movement;
use crate::{
    domain::{EntraTenantId, Sample, ScoreKind, TenantId, Timestamp},
    query::Error,
    store::{Overview, SeriesSamples, TenantLine},
};

/// The most tenants that are read together.
const BATCH: usize = 256;

/// The thinned samples of a tenant, by score.
pub(super) type Series = Arc<Vec<(ScoreKind, Vec<Sample>)>>;

/// What was last read of the fleet's samples; share one between all who ask. A kilobyte for each series.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<TenantId, Known>>);

#[derive(Debug)]
struct Known {
    entra: Option<EntraTenantId>,
    version: u64,
    series: Series,
}

impl Memory {
    /// The thinned samples of these tenants, read again where a tenant was committed since.
    pub(super) async fn series(
        &self,
        store: &(impl Overview + ?Sized),
        lines: &[&TenantLine],
        now: Timestamp,
    ) -> Result<HashMap<TenantId, Series>, Error> {
        let mut known = self.0.lock().await;
        let is_known = |line: &TenantLine| known.get(&line.tenant).filter(|known| known.entra == line.entra);
        let (old, new): (Vec<_>, Vec<_>) = lines
            .iter()
            .copied()
            .filter(|line| is_known(line).is_none_or(|known| known.version != line.version))
            .partition(|line| is_known(line).is_some());
        let mut holes = Vec::new();
        for batch in old.chunks(BATCH) {
            let ids: Vec<_> = batch.iter().map(|line| line.tenant.clone()).collect();
            let found = by_tenant(store.newest_samples_of(&ids, None).await?);
            holes.extend(batch.iter().copied().filter(|line| !is_joined(&mut known, line, &found, now)));
        }
        let new: Vec<_> = new.into_iter().chain(holes).collect();
        for batch in new.chunks(BATCH) {
            let ids: Vec<_> = batch.iter().map(|line| line.tenant.clone()).collect();
            let mut found = by_tenant(store.newest_samples_of(&ids, Some(movement::horizon(now))).await?);
            for line in batch {
                let series = found.remove(&line.tenant).unwrap_or_default();
                let series = series.iter().map(|(kind, samples)| (*kind, movement::thinned(samples, now)));
                let read = Known { entra: line.entra, version: line.version, series: Arc::new(series.collect()) };
                known.insert(line.tenant.clone(), read);
            }
        }
        let asked: HashSet<&TenantId> = lines.iter().map(|line| &line.tenant).collect();
        let answer = known.iter().filter(|(tenant, _)| asked.contains(tenant));
        Ok(answer.map(|(tenant, known)| (tenant.clone(), known.series.clone())).collect())
    }
}

fn by_tenant(found: Vec<SeriesSamples>) -> HashMap<TenantId, Vec<(ScoreKind, Vec<Sample>)>> {
    let mut by_tenant: HashMap<TenantId, Vec<_>> = HashMap::new();
    for SeriesSamples { tenant, score, samples } in found {
        by_tenant.entry(tenant).or_default().push((score, samples));
    }
    by_tenant
}

/// Adds what is new to what was known; `false`: something between them is missing, and everything has to be read.
fn is_joined(
    known: &mut HashMap<TenantId, Known>,
    line: &TenantLine,
    found: &HashMap<TenantId, Vec<(ScoreKind, Vec<Sample>)>>,
    now: Timestamp,
) -> bool {
    let Some(known) = known.get_mut(&line.tenant) else { return false };
    let none = Vec::new();
    let mut series = Vec::new();
    for (kind, samples) in found.get(&line.tenant).unwrap_or(&none) {
        let before = known.series.iter().find(|(before, _)| before == kind).map(|(_, before)| before);
        let Some(before) = before else { return false };
        let newest = before.last().map(|sample| sample.at);
        if samples.first().is_some_and(|first| newest.is_none_or(|newest| first.at > newest)) {
            return false;
        }
        let mut joined = before.clone();
        joined.extend(samples.iter().filter(|sample| newest.is_none_or(|newest| sample.at > newest)));
        series.push((*kind, movement::thinned(&joined, now)));
    }
    (known.version, known.series) = (line.version, Arc::new(series));
    true
}
