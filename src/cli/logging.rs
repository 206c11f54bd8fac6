//! Logs: to standard error, human on a terminal and JSON otherwise; `SCOREWATCH_LOG` sets the level. The service's spans go to a
//! collector, if the environment names one.

use std::io::{self, IsTerminal, Write, stderr};

use super::traces::{self, Traces};
use crate::{domain::characters, telemetry::TRACE_TARGET};
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries that print URLs and headers below `info`. A webhook's URL is a secret, so no setting lets these through.
const TALKATIVE: [&str; 13] = [
    "reqwest",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    "sqlx",
    "tower",
    "handlebars",
    "notify",
    // These name their targets after their packages.
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-http",
    "opentelemetry-otlp",
];
/// A library's target that logs every added job at `info`.
const CLOCKWORK: &str = "tokio_cron_scheduler";

/// Starts logging. The service logs what it does; other commands log only what goes wrong. Gives what sends the service's traces.
pub(super) fn start(service: bool) -> Option<Traces> {
    let level = if service { "info" } else { "error" };
    let filter = std::env::var("SCOREWATCH_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new(level));
    let layer = tracing_subscriber::fmt::layer();
    let layer = if stderr().is_terminal() {
        layer.with_writer(|| Shown { is_json: false }).boxed()
    } else {
        layer.json().flatten_event(true).with_writer(|| Shown { is_json: true }).boxed()
    };
    let mut layers = vec![layer.with_filter(filter_fn(harmless)).with_filter(filter).boxed()];
    let prepared = if service { traces::prepare() } else { Ok(None) };
    let (traces, fault) = match prepared {
        Ok(Some((taker, traces))) => {
            layers.push(taker);
            (Some(traces), None)
        }
        Ok(None) => (None, None),
        Err(fault) => (None, Some(fault)),
    };
    if tracing_subscriber::registry().with(layers).try_init().is_err() {
        tracing::debug!("logging was already started");
    }
    if let Some(fault) = fault {
        tracing::warn!("no traces are sent: {fault}");
    }
    traces
}

/// Standard error, with hidden characters escaped. On a terminal, the formatter's own colors stay: it has escaped the control
/// characters of values before.
struct Shown {
    is_json: bool,
}

impl Write for Shown {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let shown = if self.is_json { characters::shown_json(&text) } else { shown_but_colors(&text).into() };
        stderr().lock().write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().lock().flush()
    }
}

fn shown_but_colors(text: &str) -> String {
    const ESCAPE: char = '\u{1b}';
    text.split(ESCAPE).map(characters::shown_lines).collect::<Vec<_>>().join("\u{1b}")
}

/// Whether a line may be printed at any level that the user may choose.
fn harmless(metadata: &Metadata<'_>) -> bool {
    let of = |library: &str| {
        metadata.target().strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if metadata.target() == TRACE_TARGET {
        false
    } else if of(CLOCKWORK) {
        *metadata.level() <= Level::WARN
    } else {
        *metadata.level() <= Level::INFO || !TALKATIVE.iter().any(|library| of(library))
    }
}
