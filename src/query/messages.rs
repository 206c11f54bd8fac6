//! Whether messages arrive: what was sent within a day, what waits, and which channels need attention.

use std::time::Duration;

use super::{
    Error, Page,
    channels::{self, ChannelStatus},
    deliveries,
};
use crate::{
    config::Config,
    domain::{Scope, Timestamp},
    notify::DeliveryState,
    store::Store,
};

/// The most deliveries that are looked through to count those of a day.
const COUNTED_MAX: u32 = 500;
const DAY: Duration = Duration::from_hours(24);

/// What was sent, what waits, and which channels don't work.
#[derive(Debug, Clone)]
pub struct MessageTotals {
    /// How many deliveries arrived within 24 hours.
    pub delivered: usize,
    /// Whether there may be more of them than were counted.
    pub is_capped: bool,
    /// How many deliveries are not finished.
    pub waiting: u64,
    /// How many are dead letters.
    pub dead: u64,
    /// The channels that don't work, or are not known to work.
    pub trouble: Vec<ChannelStatus>,
    /// How many channels the scope has.
    pub channels: usize,
}

/// What became of the messages of the last 24 hours, as far as the scope sees them.
///
/// # Errors
/// [`Error::Store`].
pub async fn recent(store: &dyn Store, config: &Config, scope: &Scope, now: Timestamp) -> Result<MessageTotals, Error> {
    let filter =
        deliveries::Filter { states: vec![DeliveryState::Delivered.as_str().to_owned()], ..Default::default() };
    let sent = deliveries::list(store, scope, &filter, &Page::first(COUNTED_MAX)).await?;
    let is_new = |at: Option<Timestamp>| at.is_some_and(|at| at >= now.minus(DAY));
    let delivered = sent.items.iter().filter(|delivery| is_new(delivery.finished_at)).count();
    let channels = channels::list(store, config, scope, now).await?;
    Ok(MessageTotals {
        is_capped: delivered == sent.items.len() && sent.next.is_some(),
        delivered,
        waiting: channels.iter().map(|channel| channel.waiting).sum(),
        dead: channels.iter().map(|channel| channel.dead).sum(),
        channels: channels.len(),
        trouble: channels.into_iter().filter(ChannelStatus::needs_attention).collect(),
    })
}
