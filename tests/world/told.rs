//! What a webhook's receiver was told.

use std::{sync::Arc, time::Instant};

use scorewatch::simulation::receiver::Received;
use serde_json::Value;

/// One request to a webhook, read.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    /// `webhook-id`.
    pub(crate) id: String,
    /// `alert.firing` and so on.
    pub(crate) kind: String,
    /// The alert's id; empty for messages without one.
    pub(crate) alert: String,
    /// The tenant's slug; empty for messages about none.
    pub(crate) tenant: String,
    pub(crate) sequence: u64,
    pub(crate) possible_repeat: bool,
    /// Whether the receiver took it.
    pub(crate) accepted: bool,
    pub(crate) body: Value,
}

impl Told {
    fn read(request: &Received) -> Self {
        let body = request.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let data = &body["data"];
        Self {
            at: request.at,
            id: request.header("webhook-id").to_owned(),
            kind: text(&body["type"]),
            alert: text(&data["alert"]["id"]),
            tenant: text(&data["tenant"]["id"]),
            sequence: data["notification"]["sequence"].as_u64().unwrap_or_default(),
            possible_repeat: data["notification"]["possible_repeat"] == true,
            accepted: request.accepted(),
            body,
        }
    }
}

/// What one channel's receiver was sent, oldest first.
pub(crate) fn told(received: &[Arc<Received>], channel: &str) -> Vec<Told> {
    received.iter().filter(|request| &*request.channel == channel).map(|request| Told::read(request)).collect()
}

/// What was taken of one tenant.
pub(crate) fn accepted(told: Vec<Told>, tenant: &str) -> Vec<Told> {
    told.into_iter().filter(|told| told.accepted && told.tenant == tenant).collect()
}

/// The kinds and sequence numbers, for comparing.
pub(crate) fn kinds(told: &[Told]) -> Vec<(&str, u64)> {
    told.iter().map(|told| (told.kind.as_str(), told.sequence)).collect()
}
