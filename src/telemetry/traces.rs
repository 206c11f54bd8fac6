//! Spans of the work: one for each check, one for each attempt at a delivery. Where nobody collects them, none is made.
//!
//! They name tenants and channels, as logs do. Nothing of a message, an address or a credential is in them.

use std::fmt;

use tracing::{Span, field::Empty, info_span};

use crate::domain::{ChannelName, ScoreKind, TenantId};

/// The target of every span. Logs leave it out, and nothing else is sent to a collector.
pub const TARGET: &str = "scorewatch::trace";

/// A piece of work whose span ends when this is dropped. A span without an outcome is of work that was abandoned, or panicked.
#[must_use = "the span ends when this is dropped"]
#[derive(Debug)]
pub struct Traced(Span);

impl Traced {
    /// Work that has no span.
    pub fn nothing() -> Self {
        Self(Span::none())
    }

    /// A check of one tenant.
    pub fn check(tenant: &TenantId, scores: &[ScoreKind]) -> Self {
        Self(info_span!(
            target: TARGET,
            parent: None,
            "check",
            scorewatch.tenant = %tenant,
            scorewatch.scores = %Joined(scores),
            scorewatch.outcome = Empty,
            otel.status_code = Empty,
        ))
    }

    /// One attempt to deliver a message to a channel: its number counts from 1.
    pub fn attempt(
        channel: &ChannelName,
        kind: &'static str,
        message: &'static str,
        delivery: i64,
        number: u32,
    ) -> Self {
        Self(info_span!(
            target: TARGET,
            parent: None,
            "attempt",
            otel.kind = "client",
            scorewatch.channel = %channel,
            scorewatch.channel_type = kind,
            scorewatch.notification_type = message,
            scorewatch.delivery = delivery,
            scorewatch.attempt = i64::from(number),
            scorewatch.outcome = Empty,
            otel.status_code = Empty,
        ))
    }

    /// Ends the span with the outcome of the work.
    pub fn end(self, outcome: &'static str, is_failure: bool) {
        self.0.record("scorewatch.outcome", outcome);
        if is_failure {
            self.0.record("otel.status_code", "error");
        }
    }
}

/// A list of scores, separated by commas.
struct Joined<'a>(&'a [ScoreKind]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, score) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            score.fmt(f)?;
        }
        Ok(())
    }
}
