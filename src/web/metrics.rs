//! `GET /metrics`: counters of the process, gauges from the store.

use std::time::Duration;

use axum::{
    extract::State as Shared,
    http::header,
    response::{IntoResponse, Response},
};

use super::State;
use crate::{
    domain::Timestamp,
    store::{StoreError, Totals},
    telemetry::Standing,
};

/// Media type of the text format ("OpenMetrics 1.0", section "Exposition Text Format").
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a scrape waits for the store; scrapers give up after 10 s by default ("Prometheus configuration": `scrape_timeout`).
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn page(Shared(state): Shared<State>) -> Response {
    let totals = tokio::time::timeout(STORE_TIMEOUT, state.store.totals()).await;
    let totals = totals.unwrap_or_else(|_| Err(StoreError::Failed("no answer in time".to_owned())));
    let standing = totals.map(|totals| standing(totals, state.clock.now()));
    if let Err(error) = &standing {
        tracing::warn!(%error, "metrics are served without the store's gauges");
    }
    ([(header::CONTENT_TYPE, OPENMETRICS)], state.metrics.render(standing.ok().as_ref())).into_response()
}

fn standing(totals: Totals, now: Timestamp) -> Standing {
    let Totals { tenants, failing, pending, firing, deliveries, oldest_queued_at } = totals;
    Standing {
        tenants,
        failing,
        pending,
        firing,
        deliveries: deliveries.into_iter().map(|(channel, state, number)| (channel, state.as_str(), number)).collect(),
        oldest_queued: oldest_queued_at.into_iter().map(|(channel, at)| (channel, now.since(at))).collect(),
    }
}
