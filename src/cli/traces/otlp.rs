//! The exporter, and what brings spans to it.

use std::time::Duration;

use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, SpanExporter as _},
};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tracing::{info, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, filter::filter_fn};

use super::{
    Taker,
    client::{Client, REACH},
    queue::{Courier, queue},
    wanted::{Wanted, malformed_headers, wanted},
};
use crate::{egress::Egress, task, telemetry::TRACE_TARGET};

/// How long the last spans may take at shutdown.
const LAST_WITHIN: Duration = Duration::from_secs(2);

/// The name of the service, unless the environment has another.
const SERVICE: &str = "scorewatch";

/// What sends traces, once it is begun.
pub(in super::super) struct Traces(Courier<SpanExporter>);

/// What takes spans, and what sends them, if the environment asks for traces.
///
/// # Errors
/// Why no traces are sent, though the environment asks for them.
pub(in super::super) fn prepare() -> Result<Option<(Taker, Traces)>, String> {
    let url = match wanted(|name| std::env::var(name).ok()) {
        Wanted::Nothing => return Ok(None),
        Wanted::Unknown(what) => return Err(what.to_owned()),
        Wanted::To(url) => url,
    };
    let resource = resource();
    let (queue, courier) = queue(exporter(&url, &resource)?);
    let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(queue).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SERVICE))
        .with_context_activation(false)
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    let ours = filter_fn(|metadata| metadata.target() == TRACE_TARGET).with_max_level_hint(LevelFilter::INFO);
    Ok(Some((layer.with_filter(ours).boxed(), Traces(courier))))
}

/// An exporter that sends through `egress`. It reads its headers from the environment.
fn exporter(url: &SecretString, resource: &Resource) -> Result<SpanExporter, String> {
    let vetted = Egress::vet(url, &REACH);
    vetted.map_err(|error| format!("the collector that the environment names can't be called: {error}"))?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::default())
        .with_endpoint(url.expose_secret())
        .with_protocol(Protocol::HttpBinary)
        // Its own pauses would keep a thread of the runtime.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        // Its error repeats the URL.
        .map_err(|_| "the environment's variables for traces are malformed".to_owned())?;
    exporter.set_resource(resource);
    Ok(exporter)
}

/// Who sends: by `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
fn resource() -> Resource {
    let builder = || Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let named = builder().build();
    let name = named.get_ref(&Key::from_static_str("service.name")).map(ToString::to_string);
    if name.is_none_or(|name| name.starts_with("unknown_service")) {
        builder().with_service_name(SERVICE).build()
    } else {
        named
    }
}

/// Does the work, and sends its spans until it is done.
pub(in super::super) async fn along<T>(traces: Option<Traces>, work: impl Future<Output = T>) -> T {
    let Some(Traces(courier)) = traces else { return work.await };
    info!("traces are sent to the collector that the environment names");
    if let Some(variable) = malformed_headers(|name| std::env::var(name).ok()) {
        warn!(variable, "a header for the collector is left out: write `name=value,name=value`");
    }
    let ending = CancellationToken::new();
    let sending = tokio::spawn(task::brief("traces", courier.run(ending.clone())));
    let done = work.await;
    ending.cancel();
    if tokio::time::timeout(LAST_WITHIN, sending).await.is_err() {
        warn!("the last spans were not sent: the collector took too long");
    }
    done
}
