//! A bounded queue of spans that wait to be sent. Work never waits for them.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Spans that may wait; some 1 KB each. This and the following two are OpenTelemetry's defaults.
const WAITING_MAX: usize = 2_048;
/// Spans that are sent in one request.
const BATCH_MAX: usize = 512;
/// The least time between two requests, unless a batch is full.
const INTERVAL: Duration = Duration::from_secs(5);

/// Takes spans as they end.
#[derive(Debug)]
pub(super) struct Queue {
    spans: Sender<SpanData>,
    dropped: Arc<AtomicU64>,
}

/// Sends the spans of a [`Queue`].
pub(super) struct Courier<E> {
    spans: Receiver<SpanData>,
    dropped: Arc<AtomicU64>,
    exporter: E,
}

/// An empty queue, and who sends what is put into it.
pub(super) fn queue<E: SpanExporter>(exporter: E) -> (Queue, Courier<E>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let dropped = Arc::<AtomicU64>::default();
    let queue = Queue { spans: sender, dropped: Arc::clone(&dropped) };
    (queue, Courier { spans: receiver, dropped, exporter })
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl<E: SpanExporter> Courier<E> {
    /// Sends batches, and after `ending` what is left.
    pub(super) async fn run(mut self, ending: CancellationToken) {
        let (mut batch, mut reported) = (Vec::new(), 0);
        while self.gather(&mut batch, &ending).await {
            // The client has logged what failed, and the batch is lost then.
            let _ = self.exporter.export(mem::take(&mut batch)).await;
            let dropped = self.dropped.load(Ordering::Relaxed);
            if reported == 0 && dropped > 0 {
                warn!(
                    dropped,
                    "spans were dropped, as they end faster than the collector takes them; further ones are only counted"
                );
            }
            reported = dropped;
        }
        if reported > 0 {
            info!(dropped = reported, "the total of spans that were dropped");
        }
    }

    /// Waits for the next batch; `false`: there is none any more.
    async fn gather(&mut self, batch: &mut Vec<SpanData>, ending: &CancellationToken) -> bool {
        let until = Instant::now() + INTERVAL;
        loop {
            let (is_ending, room) = (self.spans.is_closed(), BATCH_MAX - batch.len());
            tokio::select! {
                () = ending.cancelled(), if !is_ending => self.spans.close(),
                () = sleep_until(until), if !batch.is_empty() => return true,
                count = self.spans.recv_many(batch, room) => {
                    if count == 0 || count == room {
                        return !batch.is_empty();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::task;

    /// A collector that takes a batch for each permit, and notes when and how many spans it had.
    #[derive(Debug, Clone)]
    struct Collector {
        batches: Arc<Mutex<Vec<(u64, usize)>>>,
        permits: Arc<Semaphore>,
        began: Instant,
    }

    impl Collector {
        fn new(permits: usize) -> Self {
            Self { batches: Arc::default(), permits: Arc::new(Semaphore::new(permits)), began: Instant::now() }
        }
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.permits.acquire().await.unwrap().forget();
            self.batches.lock().unwrap().push((self.began.elapsed().as_secs(), batch.len()));
            Ok(())
        }
    }

    fn end(provider: &SdkTracerProvider, spans: usize) {
        for _ in 0..spans {
            drop(provider.tracer("test").start("check"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn spans_are_sent_in_full_batches_after_a_while_and_at_the_end() {
        let collector = Collector::new(usize::MAX >> 4);
        let (queue, courier) = queue(collector.clone());
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        let ending = CancellationToken::new();
        let running = tokio::spawn(task::brief("test-traces", courier.run(ending.clone())));
        end(&provider, 2 * BATCH_MAX + 3);
        tokio::time::sleep(INTERVAL / 2).await;
        assert_eq!(*collector.batches.lock().unwrap(), [(0, BATCH_MAX), (0, BATCH_MAX)]);
        tokio::time::sleep(INTERVAL).await;
        end(&provider, 2);
        ending.cancel();
        running.await.unwrap();
        assert_eq!(collector.batches.lock().unwrap()[2..], [(5, 3), (7, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn work_waits_for_no_collector_and_spans_that_do_not_fit_are_counted() {
        let collector = Collector::new(0);
        let (queue, courier) = queue(collector.clone());
        let dropped = Arc::clone(&queue.dropped);
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        let ending = CancellationToken::new();
        let running = tokio::spawn(task::brief("test-traces", courier.run(ending.clone())));
        end(&provider, WAITING_MAX + 7);
        assert_eq!(dropped.load(Ordering::Relaxed), 7);
        collector.permits.add_permits(WAITING_MAX);
        ending.cancel();
        running.await.unwrap();
        let sent: usize = collector.batches.lock().unwrap().iter().map(|(_, spans)| spans).sum();
        assert_eq!(sent, WAITING_MAX);
    }

    #[tokio::test]
    async fn what_is_not_sampled_is_not_sent() {
        let (queue, mut courier) = queue(Collector::new(0));
        let builder = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff);
        end(&builder.with_span_processor(queue).build(), 3);
        assert!(courier.spans.try_recv().is_err());
    }
}
