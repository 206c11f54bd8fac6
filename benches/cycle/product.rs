//! The product: real configuration files, the real planner, a clock that is set forward from one cycle to the next.

use std::{fmt::Write as _, fs, path::Path, sync::Arc, time::Duration};

use scorewatch::{
    clock::Clock,
    config,
    service::{
        engine::Engine,
        planner::{Parts, Planner},
    },
    telemetry::{Health, Metrics},
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    CONCURRENCY, cloud,
    usage::{Measured, Watch, memory, report},
};

/// Tenants per file. The loader has one file in memory at a time, so smaller files need less memory.
const PER_FILE: usize = 500;
/// The time from one cycle to the next.
const INTERVAL: Duration = Duration::from_mins(15);

pub(crate) fn run(address: &str, tenants: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    write_configuration(folder.path(), address, tenants);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let watch = Watch::start();
        let loaded = config::load(&folder.path().join("scorewatch.yaml"));
        assert!(loaded.config.is_some(), "{:#?}", loaded.problems.first());
        let (_keep, config) = watch::channel(Arc::new(loaded.config.expect("a configuration")));
        let (clock, metrics, shutdown) =
            (Clock::manual(Clock::System.now()), Metrics::default(), CancellationToken::new());
        let (engine, settled) =
            Engine::start(config.clone(), clock.clone(), metrics.clone(), shutdown.clone()).await.expect("the engine");
        let due_scan = Arc::new(Notify::new());
        let parts = Parts {
            checker: engine.checker.clone(),
            dispatcher: engine.dispatcher.clone(),
            health: Health::default(),
            config,
            due_scan: due_scan.clone(),
            store_recovered: Arc::default(),
            settled,
            shutdown: shutdown.clone(),
        };
        let planner = Planner::new(parts).await.expect("the planner");
        let start_s = watch.seconds();
        // By then everybody is due; the first checks of a new fleet are spread.
        clock.advance(INTERVAL);
        let watch = Watch::start();
        let planning = tokio::spawn(planner.run());
        due_scan.notify_one();
        checked(&metrics, tenants).await;
        let cold = watch.pass(tenants);
        clock.advance(INTERVAL);
        let watch = Watch::start();
        due_scan.notify_one();
        checked(&metrics, 2 * tenants).await;
        let warm = watch.pass(tenants);
        let (resident_mib, peak_mib) = memory();
        shutdown.cancel();
        planning.await.expect("the planner");
        engine.store.close().await;
        report(&Measured { start_s, cold, warm, resident_mib, peak_mib });
    });
}

/// Waits until that many checks have succeeded. Polls rarely, so that polling costs next to nothing.
async fn checked(metrics: &Metrics, wanted: usize) {
    loop {
        let text = metrics.render(None);
        let line = text.lines().find(|line| line.starts_with("scorewatch_checks_total{outcome=\"ok\"}"));
        let count: usize = line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0);
        if count >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn write_configuration(folder: &Path, address: &str, tenants: usize) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    fs::create_dir(folder.join("tenants")).expect("a folder");
    write("secret", cloud::SECRET);
    write("hook", "https://hooks.slack.com/services/T0/B0/secret");
    write(
        "scorewatch.yaml",
        &format!(
            "store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\nschedule: \"0 */15 * * * *\"\ntimezone: UTC\nspread: 0s\n\
             concurrency: {CONCURRENCY}\nendpoints: {{ login: \"{address}\", defender: \"{address}\" }}\n\
             rules: [rules.yaml]\ntenants: [tenants/*.yaml]\n\
             channels: {{ soc: {{ type: slack, url: {{ file: hook }} }} }}\noperator: {{ notify: [soc] }}\n"
        ),
    );
    write(
        "rules.yaml",
        "rules:\n  - { name: low, score: device-secure-score, when: { below: 100 }, notify: [soc] }\n  \
         - { name: drop, score: device-secure-score, when: { drop: 5%, within: 24h }, notify: [soc] }\n  \
         - { name: blind, when: { no_data: 6h }, notify: [soc] }\n",
    );
    for first in (0..tenants).step_by(PER_FILE) {
        let mut text = String::new();
        for number in first..tenants.min(first + PER_FILE) {
            writeln!(
                text,
                "- id: t{number}\n  name: Customer {number} Ltd\n  tenant_id: {}\n  labels: {{ tier: gold, country: de }}\n  \
                 credential: {{ client_id: 6d2a0000-0000-4000-8000-000000000002, secret: {{ file: ../secret }} }}",
                cloud::entra(number)
            )
            .expect("a text");
        }
        write(&format!("tenants/{first}.yaml"), &text);
    }
}
