//! The messages that arrived at a webhook's receiver.

use std::{sync::Arc, time::Instant};

use scorewatch::simulation::receiver::Received;
use serde_json::Value;

/// One request to a webhook, read.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) at: Instant,
    /// `webhook-id`: the message that said it.
    pub(crate) message: String,
    /// Which notification: the message itself, one that it covers, or one of a digest's.
    pub(crate) id: String,
    /// `alert.firing` and so on.
    pub(crate) kind: String,
    /// Whether a newer one covered it. Then kind and sequence are what they are if none in between was suppressed.
    pub(crate) is_spoken_for: bool,
    /// The alert's id; empty for messages without one.
    pub(crate) alert: String,
    /// The tenant's slug; empty for messages about none.
    pub(crate) tenant: String,
    pub(crate) sequence: u64,
    pub(crate) possible_duplicate: bool,
    /// Whether the receiver took it.
    pub(crate) accepted: bool,
    pub(crate) body: Value,
}

impl Arrived {
    /// What one request says, notification by notification: a message may cover earlier ones of its alert that were never
    /// sent, and a digest says what many would have said.
    fn read(request: &Received) -> Vec<Self> {
        let body = request.json();
        let mut arrived = Self::voices(request, body["type"].as_str().unwrap_or_default(), &body["data"], &body);
        for item in body["data"]["items"].as_array().into_iter().flatten() {
            arrived.extend(Self::voices(request, item["type"].as_str().unwrap_or_default(), item, &body));
        }
        arrived
    }

    fn voices(request: &Received, kind: &str, data: &Value, body: &Value) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let itself = Self {
            at: request.at,
            message: request.header("webhook-id").to_owned(),
            id: text(&data["notification"]["id"]),
            kind: kind.to_owned(),
            is_spoken_for: false,
            alert: text(&data["alert"]["id"]),
            tenant: text(&data["tenant"]["id"]),
            sequence: data["notification"]["sequence"].as_u64().unwrap_or_default(),
            possible_duplicate: data["notification"]["possible_duplicate"] == true
                || body["data"]["notification"]["possible_duplicate"] == true,
            accepted: request.accepted(),
            body: body.clone(),
        };
        let covers = data["notification"]["covers"].as_array().cloned().unwrap_or_default();
        let before = covers.len() as u64;
        let voice = |(earlier, id): (u64, &Value)| {
            // Drills have no sequence: each is a first one.
            let sequence = (itself.sequence + earlier).saturating_sub(before);
            // A message that covers another says so: nobody takes it for the other by mistake.
            let (id, possible_duplicate) = (text(id), true);
            let kind = match (kind, sequence) {
                ("drill", _) => "drill",
                (_, 1) => "alert.firing",
                _ => "alert.worsened",
            };
            let kind = kind.to_owned();
            Self { id, kind, sequence, possible_duplicate, is_spoken_for: true, ..itself.clone() }
        };
        let mut voices: Vec<_> = (0..).zip(&covers).map(voice).collect();
        voices.push(itself);
        voices
    }
}

/// What one channel's receiver was sent, oldest first.
pub(crate) fn arrived(received: &[Arc<Received>], channel: &str) -> Vec<Arrived> {
    received.iter().filter(|request| &*request.channel == channel).flat_map(|request| Arrived::read(request)).collect()
}

/// What was taken of one tenant.
pub(crate) fn accepted(arrived: Vec<Arrived>, tenant: &str) -> Vec<Arrived> {
    arrived.into_iter().filter(|arrived| arrived.accepted && arrived.tenant == tenant).collect()
}

/// The kinds and sequence numbers, for comparing.
pub(crate) fn kinds(arrived: &[Arrived]) -> Vec<(&str, u64)> {
    arrived.iter().map(|arrived| (arrived.kind.as_str(), arrived.sequence)).collect()
}
