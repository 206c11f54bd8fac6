//! The dashboard: pages written on the server, for people. Every page works without scripts; the one script that there is makes it
//! pleasant. A page holds no logic: it shows what [`crate::query`] answers, and a form does what is in [`crate::action`].

mod acts;
mod alert;
mod alerts;
mod answer;
mod assets;
mod audit;
mod channels;
mod chart;
mod chrome;
mod deliveries;
mod engine;
mod events;
mod fleet;
mod params;
mod reasons;
mod rule;
mod rules;
mod search;
mod silences;
mod system;
mod tenant;
mod trial;
mod words;
mod work;

use axum::{
    Router,
    routing::{get, post},
};
use tower_http::compression::CompressionLayer;

pub(super) use self::engine::render;
use super::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(fleet::page))
        .route("/tenants/{id}", get(tenant::page))
        .route("/tenants/{id}/recheck", post(acts::recheck))
        .route("/alerts", get(alerts::page).post(acts::on_many_alerts))
        .route("/alerts/{id}", get(alert::page))
        .route("/alerts/{id}/acknowledge", post(acts::acknowledge))
        .route("/alerts/{id}/accept", post(acts::accept))
        .route("/alerts/{id}/silence", post(acts::silence))
        .route("/deliveries", get(deliveries::page))
        .route("/deliveries/{id}", get(deliveries::one))
        .route("/deliveries/{id}/resend", post(acts::resend))
        .route("/channels", get(channels::page))
        .route("/channels/{name}/drill", post(acts::drill))
        .route("/channels/{name}/unpark", post(acts::unpark))
        .route("/silences", get(silences::page).post(acts::new_silence))
        .route("/silences/{id}/end", post(acts::end_silence))
        .route("/rules", get(rules::page))
        .route("/rules/{name}", get(rule::page))
        .route("/work", get(work::page))
        .route("/system", get(system::page))
        .route("/audit", get(audit::page))
        .route("/search", get(search::page))
        .route("/assets/{name}", get(assets::asset))
        // Streams are left alone by it, as text/event-stream.
        .layer(CompressionLayer::new())
        .route("/events", get(events::stream))
}
