//! The dashboard: pages written on the server, for people. Every page works without scripts; the one script that there is makes it
//! pleasant. A page holds no logic: it shows what [`crate::query`] answers, and a form does what is in [`crate::action`].

mod acts;
mod alert;
mod alert_filters;
mod alert_table;
mod alerts;
mod answer;
mod assets;
mod audit;
mod channels;
mod chart;
mod chrome;
mod confirmation;
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

use axum::Router;
use tower_http::compression::CompressionLayer;

pub(super) use self::{answer::sentence, engine::render};
use super::{
    app::App,
    limits::EVENTS_OF_PAGES,
    listed::{self, Listed},
};

/// Every page and every form.
pub(super) fn table() -> Vec<Listed> {
    vec![
        Listed::get("/", fleet::page),
        Listed::get("/tenants/{id}", tenant::page),
        Listed::post("/tenants/{id}/recheck", acts::recheck),
        Listed::get("/alerts", alerts::page),
        Listed::post("/alerts", acts::on_many_alerts),
        Listed::get("/alerts/{id}", alert::page),
        Listed::post("/alerts/{id}/acknowledge", acts::acknowledge),
        Listed::post("/alerts/{id}/accept", acts::accept),
        Listed::post("/alerts/{id}/silence", acts::silence),
        Listed::get("/deliveries", deliveries::page),
        Listed::get("/deliveries/{id}", deliveries::one),
        Listed::post("/deliveries/{id}/resend", acts::resend),
        Listed::get("/channels", channels::page),
        Listed::post("/channels/{name}/drill", acts::drill),
        Listed::post("/channels/{name}/unpark", acts::unpark),
        Listed::get("/silences", silences::page),
        Listed::post("/silences", acts::new_silence),
        Listed::post("/silences/{id}/end", acts::end_silence),
        Listed::get("/rules", rules::page),
        Listed::get("/rules/{name}", rule::page),
        Listed::get("/work", work::page),
        Listed::get("/system", system::page),
        Listed::get("/audit", audit::page),
        Listed::get("/search", search::page),
        Listed::get("/assets/{name}", assets::asset),
        Listed::get(EVENTS_OF_PAGES, events::stream),
    ]
}

pub(super) fn routes() -> Router<App> {
    let (streams, pages): (Vec<_>, Vec<_>) = table().into_iter().partition(|listed| listed.path == EVENTS_OF_PAGES);
    // A stream is not compressed: each event is to arrive at once.
    listed::router(pages).layer(CompressionLayer::new()).merge(listed::router(streams))
}
