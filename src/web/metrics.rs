//! `GET /metrics`: counters of the process, gauges from the store.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State as Shared},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{
    State, access,
    health::{self, Operator},
};
use crate::{
    config::Config,
    domain::{ChannelName, Scope, Timestamp},
    notify::DeliveryState,
    query::{
        self, Page,
        tenants::{self, TenantStatus},
    },
    store::{ChannelRecord, Store, StoreError, Totals},
    telemetry::{ChannelCounts, Gauges, ReplicaCounts, TenantScore, classic},
};

/// Media type of the text format ("OpenMetrics 1.0", section "Exposition Text Format").
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a scrape waits for the store; scrapers give up after 10 s by default ("Prometheus configuration": `scrape_timeout`).
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Media type of the classic text format ("Exposition formats", prometheus.io).
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn page(Shared(state): Shared<State>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Some(app) = &state.app
        && let Err(refused) = access::may_scrape(&parts, app).await
    {
        return refused;
    }
    let ask = async { Ok((state.listings.totals().await?, state.channels.channels().await?)) };
    let asked = tokio::time::timeout(STORE_TIMEOUT, ask).await;
    let asked = asked.unwrap_or_else(|_| Err(StoreError::Failed("no answer in time".to_owned())));
    let config = state.config.borrow().clone();
    let mut gauges = asked.map(|(totals, records)| {
        let now = state.clock.now();
        Gauges {
            channels: channels(&config, &records, now),
            parked: parked(&config, &records),
            operator_unreachable: health::operator(&config, &records) != Operator::Reachable,
            ..gauges(totals, &config, now)
        }
    });
    if let Err(error) = &gauges {
        tracing::warn!(%error, "metrics are served without the store's gauges");
    }
    if let (Ok(gauges), Some(app)) = (&mut gauges, &state.app)
        && config.metrics.tenants
    {
        gauges.scores = scores(app.store.as_ref(), &config, state.clock.now()).await;
    }
    for sign in state.health.verdict(state.clock.now()) {
        state.metrics.part_is_ready(sign.part, sign.good);
    }
    if let (Ok(gauges), Some(app)) = (&mut gauges, &state.app) {
        gauges.replicas = replicas(app.store.as_ref()).await;
    }
    let page = state.metrics.render(gauges.ok().as_ref());
    if wants_classic(&parts.headers) {
        return ([(header::CONTENT_TYPE, CLASSIC)], classic(&page)).into_response();
    }
    ([(header::CONTENT_TYPE, OPENMETRICS)], page).into_response()
}

/// Whether the reader asks for text, and not for the newer format as well.
fn wants_classic(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let types: Vec<&str> =
        accepted.flat_map(|types| types.split(',')).map(|one| one.find(';').map_or(one, |end| &one[..end])).collect();
    let has = |wanted: &str| types.iter().any(|one| one.trim().eq_ignore_ascii_case(wanted));
    has("text/plain") && !has("application/openmetrics-text")
}

/// The services that share the store; none if the store does not answer in time.
async fn replicas(store: &dyn Store) -> Option<ReplicaCounts> {
    let division = store.division();
    if !division.is_shared() {
        return None;
    }
    let found = tokio::time::timeout(STORE_TIMEOUT, query::replicas::list(store, &Scope::All)).await.ok()?.ok()?;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let living = || found.iter().filter(|replica| replica.living);
    Some(ReplicaCounts {
        living: number(living().count()),
        of_other_configuration: number(living().filter(|replica| replica.differs()).count()),
        owned_shards: number(division.owned()),
    })
}

/// The newest reading of each score of each tenant; none if the store does not answer in time.
async fn scores(store: &dyn Store, config: &Arc<Config>, now: Timestamp) -> Vec<TenantScore> {
    let asked = tokio::time::timeout(STORE_TIMEOUT, tenants::list(store, config, &Scope::All, false, &Page::ALL)).await;
    let Ok(Ok(listing)) = asked else {
        tracing::warn!("metrics are served without the scores of tenants, which could not be read in time");
        return Vec::new();
    };
    let of = |tenant: TenantStatus| {
        let id = tenant.id;
        tenant.scores.into_iter().filter_map(move |score| {
            let (value, observed_at) = (score.value?, score.observed_at?);
            let age = now.since(observed_at);
            Some(TenantScore { tenant: id.clone(), score: score.kind, subject: score.subject, value, age })
        })
    };
    listing.items.into_iter().flat_map(of).collect()
}

fn gauges(totals: Totals, config: &Config, now: Timestamp) -> Gauges {
    let Totals { tenants, failing, failing_by_class, pending, firing, deliveries, oldest_queued_at } = totals;
    // A channel without dead letters has zero, so that the first one shows as a change. Those that are counted come later and hold.
    let none = config.channels.keys().map(|channel| (channel.clone(), DeliveryState::Dead, 0));
    // What is suppressed is final, and nobody has to do anything about it.
    let deliveries =
        none.chain(deliveries).filter(|(_, state, _)| !state.is_finished() || *state == DeliveryState::Dead);
    Gauges {
        tenants,
        failing,
        failing_by_class,
        pending,
        firing,
        deliveries: deliveries.map(|(channel, state, number)| (channel, state.as_str(), number)).collect(),
        channels: ChannelCounts::default(),
        parked: Vec::new(),
        operator_unreachable: false,
        oldest_queued: oldest_queued_at.into_iter().map(|(channel, at)| (channel, now.since(at))).collect(),
        replicas: None,
        scores: Vec::new(),
    }
}

/// The configured channels that are parked.
fn parked(config: &Config, records: &[ChannelRecord]) -> Vec<ChannelName> {
    let is_parked = |record: &&ChannelRecord| record.parked.is_some() && config.channels.contains_key(&record.channel);
    records.iter().filter(is_parked).map(|record| record.channel.clone()).collect()
}

/// How the configured channels stand; of one that nothing is known of, there is nothing bad to say.
fn channels(config: &Config, records: &[ChannelRecord], now: Timestamp) -> ChannelCounts {
    let mut counts = ChannelCounts { ok: config.channels.len() as u64, ..ChannelCounts::default() };
    for record in records {
        let Some(settings) = config.channels.get(&record.channel) else { continue };
        let bad = if record.parked.is_some() {
            Some(&mut counts.parked)
        } else if record.health.failing_since.is_some() {
            Some(&mut counts.failing)
        } else {
            None
        };
        if let Some(bad) = bad {
            *bad += 1;
            counts.ok -= 1;
        }
        let is_unproven =
            settings.drill.is_some_and(|interval| record.last_verified().missing_since(interval, now).is_some());
        counts.unproven += u64::from(is_unproven);
    }
    counts
}
