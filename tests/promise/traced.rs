//! Whoever names a collector in the environment is sent one span for each check and one for each attempt, and is never waited for.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{span::SpanKind, status::StatusCode},
};
use prost::Message;
use scorewatch::simulation::{Reply, cloud::Fetch};

use crate::harness::{LOW, SOC, Service, World, entra};

/// The door of the collector.
const COLLECTOR: &str = "collector";

/// A span, as a collector reads it.
#[derive(Debug)]
struct Traced {
    name: String,
    kind: SpanKind,
    is_error: bool,
    is_over: bool,
    has_events: bool,
    attributes: BTreeMap<String, String>,
}

impl Traced {
    fn says(&self, key: &str) -> &str {
        self.attributes.get(&format!("scorewatch.{key}")).map_or("", String::as_str)
    }
}

fn read(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let read: BTreeMap<_, _> = attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect();
    assert_eq!(read.len(), attributes.len(), "each attribute once");
    read
}

/// Every span that arrived, and what each request said of its sender.
fn collected(world: &World) -> (Vec<Traced>, Vec<BTreeMap<String, String>>) {
    let (mut spans, mut senders) = (Vec::new(), Vec::new());
    for request in world.receivers.received_by(COLLECTOR) {
        assert_eq!(request.header("content-type"), "application/x-protobuf");
        assert_eq!(request.header("x-api-key"), "the key");
        let sent = ExportTraceServiceRequest::decode(&request.body[..]).unwrap();
        for of_service in sent.resource_spans {
            senders.push(read(&of_service.resource.unwrap().attributes));
            for span in of_service.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                assert!(span.parent_span_id.is_empty(), "{span:?}");
                spans.push(Traced {
                    kind: span.kind(),
                    is_error: span.status.is_some_and(|status| status.code() == StatusCode::Error),
                    is_over: span.end_time_unix_nano > span.start_time_unix_nano,
                    has_events: !span.events.is_empty(),
                    attributes: read(&span.attributes),
                    name: span.name,
                });
            }
        }
    }
    (spans, senders)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_check_and_each_attempt_is_one_span() {
    let mut world = World::new().await;
    world.add_tenant("fails");
    world.cloud.set_fetch(entra("fails"), Some(Fetch::Raw(Reply::status(403))));
    world.receivers.script(SOC, vec![Reply::status(503)]);
    world.write();
    let endpoint = world.receivers.add_webhook(COLLECTOR);
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=the%20key"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=a"),
    ];
    let service = Service::spawn(&world.folder.config(), &environment);
    service.listening().await;
    world.checked(&service, "fails", 1).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    world.quiet(&service).await;
    let log = service.log();
    assert!(service.stop().await.success());

    let (spans, senders) = collected(&world);
    assert!(!senders.is_empty());
    for sender in senders {
        assert_eq!((&*sender["service.name"], &*sender["service.instance.id"]), ("scorewatch", "a"), "{sender:?}");
    }
    assert!(spans.iter().all(|span| span.is_over && !span.has_events), "{spans:#?}");
    let (checks, others): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.name == "check");
    let (ended, abandoned): (Vec<_>, Vec<_>) = checks.into_iter().partition(|span| !span.says("outcome").is_empty());
    for span in &ended {
        assert_eq!((span.says("scores"), span.kind), ("device-secure-score", SpanKind::Internal), "{span:?}");
        let is_refused = span.says("tenant") == "fails";
        assert_eq!((span.says("outcome") != "ok", span.is_error), (is_refused, is_refused), "{span:?}");
    }
    assert!(ended.iter().any(|span| span.is_error), "{ended:#?}");
    let of_contoso = |spans: &[&Traced]| spans.iter().filter(|span| span.says("tenant") == "contoso").count() as u64;
    // One may have been under way at the end.
    let asked = world.cloud.tenant_counts(entra("contoso")).score_requests;
    let (least, most) = (of_contoso(&ended), of_contoso(&ended) + of_contoso(&abandoned));
    assert!((least..=most).contains(&asked) && most - least <= 1, "{asked} requests: {least} to {most} spans");
    assert!(others.iter().all(|span| span.name == "attempt"), "{others:#?}");
    let attempts = others.iter().filter(|span| span.says("channel") == SOC);
    let attempts: Vec<_> = attempts
        .map(|span| {
            assert_eq!((span.says("channel_type"), span.kind), ("webhook", SpanKind::Client), "{span:?}");
            (span.says("notification_type"), span.says("attempt"), span.says("outcome"), span.is_error)
        })
        .collect();
    assert_eq!(attempts, [("alert.firing", "1", "retry", true), ("alert.firing", "2", "delivered", false)]);
    assert_eq!(attempts.len(), world.receivers.received_by(SOC).len());
    assert!(!log.contains("\"spans\"") && !log.contains("\"span\""), "spans are no part of the log:\n{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_collector_hangs_or_can_not_be_called_works_and_ends() {
    let world = World::new().await;
    world.write();
    let hangs = world.receivers.add_webhook(COLLECTOR);
    world.receivers.set(COLLECTOR, Some(Reply::hang()));
    for (endpoint, says) in [
        (&*hangs, "the last spans were not sent"),
        ("http://169.254.169.254:4318", "no traces are sent: the collector that the environment names can't be called"),
    ] {
        let service = Service::spawn(&world.folder.config(), &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)]);
        service.listening().await;
        world.settle(&service, SOC).await;
        service.signal("TERM");
        assert!(service.ended().await.success());
        assert!(service.log().contains(says), "{says}:\n{}", service.log());
    }
}
