//! The outcome of an attempt: one word for metrics and traces, and a line of the log.

use tracing::{debug, error, info, warn};

use crate::{
    domain::ChannelName,
    store::{AttemptOutcome, ClaimedDelivery},
};

/// An outcome in one word, for metrics and traces.
pub(super) const fn name(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Delivered => "delivered",
        AttemptOutcome::Retry { .. } => "retry",
        AttemptOutcome::Plainer { .. } => "plainer",
        AttemptOutcome::Rejected { .. } => "rejected",
        AttemptOutcome::Dead { .. } => "dead",
        AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. } => "parked",
        AttemptOutcome::NotMade => "not-made",
    }
}

pub(super) fn log(channel: &ChannelName, delivery: &ClaimedDelivery, outcome: &AttemptOutcome) {
    let ClaimedDelivery { id, attempt, notification, .. } = delivery;
    let short_id = &notification.data.notification.short_id;
    let kind = notification.kind.as_str();
    match outcome {
        AttemptOutcome::Delivered => info!(%channel, delivery = %id, attempt, %short_id, kind, "delivered"),
        AttemptOutcome::Retry { error, next_attempt_at, .. } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, %next_attempt_at, "not delivered yet: {error}");
        }
        AttemptOutcome::Plainer { error } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, "rejected; now as plain text: {error}");
        }
        AttemptOutcome::Rejected { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "rejected: {error}");
        }
        AttemptOutcome::StillParked { error, .. } => {
            warn!(%channel, delivery = %id, attempt, %short_id, kind, "the channel is still parked: {error}");
        }
        AttemptOutcome::Dead { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "dead letter: {error}");
        }
        AttemptOutcome::Parked { error } => {
            error!(%channel, delivery = %id, attempt, %short_id, kind, "the channel is parked: {error}");
        }
        AttemptOutcome::NotMade => debug!(%channel, delivery = %id, attempt, %short_id, kind, "not sent after all"),
    }
}
