//! Traces by OpenTelemetry's protocol (OTLP), if the environment names a collector.

#[cfg(feature = "traces")]
mod client;
#[cfg_attr(not(feature = "traces"), path = "traces/absent.rs")]
mod otlp;
#[cfg(feature = "traces")]
mod queue;
mod wanted;

pub(super) use self::otlp::{Traces, along, prepare};

use tracing_subscriber::{Layer, Registry};

/// What takes spans as they end.
type Taker = Box<dyn Layer<Registry> + Send + Sync>;
