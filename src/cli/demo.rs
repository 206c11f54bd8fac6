//! `scorewatch demo`: the real service against a simulated Microsoft cloud and chat receivers on loopback.

use std::{fmt::Write as _, fs, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Failure, output};
use crate::{
    clock::Clock,
    config,
    query::Store,
    service::Service,
    simulation::{
        Cloud, Receivers,
        cloud::CloudSettings,
        receiver::Received,
        scenario::{Change, Scenario, Stage},
    },
    telemetry::Metrics,
};

/// How long a token lives: short, so that an expired secret shows within seconds.
const TOKEN_LIFE: Duration = Duration::from_secs(4);
/// How often a step checks whether everything has been sent.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// How many checks of each tenant a step waits for.
const CHECKS_PER_STEP: u64 = 3;
/// How long a step waits for something to be sent.
const STEP_MAX: Duration = Duration::from_secs(25);
/// The shortest time that each step takes, so that a person can follow.
const STEP_MIN: Duration = Duration::from_secs(2);

/// What to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch demo              three customers: one is calm, one drops and recovers, one lets its secret expire
  scorewatch demo --payloads   also the exact JSON that each receiver got

Everything is real except the cloud and the receivers, which listen on 127.0.0.1: configuration files in a temporary
folder, store, rules, templates, HTTP. Nothing leaves this machine.")]
pub(super) struct Arguments {
    /// Show the exact JSON that each receiver got
    #[arg(long)]
    payloads: bool,
}

pub(super) async fn demo(arguments: &Arguments) -> Result<(), Failure> {
    let mut settings = CloudSettings::new(Arc::new(|| Clock::System.now()));
    settings.token_life = TOKEN_LIFE;
    let cloud = Cloud::start(settings).await.context("the simulated cloud")?;
    let receivers = Receivers::start().await.context("the simulated receivers")?;
    let folder = tempfile::Builder::new().prefix("scorewatch-demo-").tempdir()?;
    let scenario = Scenario::three_customers();
    write_configuration(folder.path(), &scenario, &cloud, &receivers)?;
    let loaded = config::load(&folder.path().join("scorewatch.yaml"));
    let Some(config) = loaded.config else {
        output::complain_of(&loaded.problems, &loaded.excerpts);
        return Err(Failure::Run(Some(anyhow::anyhow!(
            "the demo's own configuration was rejected; this is a bug in scorewatch"
        ))));
    };
    let mut stage = Stage::set(scenario, &cloud);
    let (_keep, current) = watch::channel(Arc::new(config));
    let service = Service::start(current, Clock::System, Metrics::default(), CancellationToken::new()).await?;
    output::say(&format!("Configuration and store: {}", folder.path().display()));
    output::say(&format!("Health and metrics:      http://{}/metrics", service.address()));
    let mut shown = 0;
    let mut number = 0;
    while let Some(step) = stage.advance(&cloud, &receivers).cloned() {
        number += 1;
        output::say(&format!("\n── {number}. {}", step.title));
        renew_secrets(folder.path(), &step.changes, &stage, &cloud)?;
        settle(service.store().as_ref(), &cloud, &receivers, shown, step.changes.is_empty()).await;
        let received = receivers.received();
        for message in received.iter().skip(shown) {
            show(message, arguments.payloads)?;
        }
        shown = received.len();
    }
    output::say(&format!(
        "\n{shown} messages in all, none of them sent twice. Next: run `scorewatch check` on a configuration of your \
         own."
    ));
    service.stop().await;
    Ok(())
}

/// Stores the new secret where the configuration refers to; the running service finds it there.
fn renew_secrets(folder: &Path, changes: &[Change], stage: &Stage, cloud: &Cloud) -> Result<(), Failure> {
    for change in changes {
        if let Change::SecretRenewed { tenant } = change
            && let Some(entra) = stage.entra(tenant)
        {
            cloud.set_secret(entra, "renewed-secret");
            fs::write(folder.join("secrets").join(tenant), "renewed-secret")?;
        }
    }
    Ok(())
}

/// Waits until everything that a step causes has been sent, or for a few checks if it causes nothing.
async fn settle(store: &dyn Store, cloud: &Cloud, receivers: &Receivers, shown: usize, calm: bool) {
    let checks = cloud.counts().score_requests + 3 * CHECKS_PER_STEP;
    let notified = async {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let waiting = store.totals().await.is_ok_and(|totals| {
                totals.deliveries.iter().any(|(_, state, count)| !state.is_finished() && *count > 0)
            });
            let happened =
                if calm { cloud.counts().score_requests >= checks } else { receivers.received().len() > shown };
            if happened && !waiting {
                return;
            }
        }
    };
    let enough = async { tokio::join!(notified, tokio::time::sleep(STEP_MIN)) };
    // A step that nothing comes of shows nothing; the story goes on.
    let _ = tokio::time::timeout(STEP_MAX, enough).await;
}

fn write_configuration(
    folder: &Path,
    scenario: &Scenario,
    cloud: &Cloud,
    receivers: &Receivers,
) -> Result<(), Failure> {
    let secrets = folder.join("secrets");
    fs::create_dir(&secrets)?;
    let channels = [
        ("soc-teams", "teams", receivers.add_teams("soc-teams")),
        ("fabrikam-slack", "slack", receivers.add_slack("fabrikam-slack")),
        ("soar", "webhook", receivers.add_webhook("soar")),
    ];
    for (name, _, url) in &channels {
        fs::write(secrets.join(name), url)?;
    }
    let base = cloud.base_url();
    let mut text = format!(
        "store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\nschedule: \"* * * * * *\"\ntimezone: UTC\nspread: 0s\n\
         endpoints: {{ login: \"{base}\", defender: \"{base}\" }}\nrules: [rules.yaml]\n\
         operator: {{ notify: [soc-teams], blind_after: 2s }}\nchannels:\n"
    );
    for (name, kind, _) in &channels {
        let audience = if *kind == "slack" { ", tenants: [fabrikam]" } else { "" };
        let _ = writeln!(
            text,
            "  {name}: {{ type: {kind}, url: {{ file: secrets/{name} }}, allow_private: true, pace: 100ms{audience} }}"
        );
    }
    text.push_str("tenants:\n");
    for actor in &scenario.tenants {
        fs::write(secrets.join(actor.id), actor.secret)?;
        let notify = if actor.id == "fabrikam" { "[fabrikam-slack]" } else { "[]" };
        let _ = writeln!(
            text,
            "  - id: {id}\n    name: {name}\n    tenant_id: {entra}\n    notify: {notify}\n    \
             credential: {{ client_id: {client}, secret: {{ file: secrets/{id} }} }}",
            id = actor.id,
            name = actor.name,
            entra = actor.entra,
            client = actor.client_id
        );
    }
    fs::write(folder.join("scorewatch.yaml"), text)?;
    fs::write(
        folder.join("rules.yaml"),
        "rules:\n  - name: device-score-drop\n    score: device-secure-score\n    when: { drop: 5%, within: 24h }\n    \
         severity: critical\n    notify: [soc-teams, soar]\n",
    )?;
    Ok(())
}

/// Shows a message as a person would see it in the channel.
fn show(message: &Received, payloads: bool) -> Result<(), Failure> {
    let json = message.json();
    output::say(&format!("   ▸ {} got:", message.channel));
    for line in texts(&json) {
        output::say(&format!("       {}", output::visible(&line)));
    }
    if payloads {
        output::json(&json)?;
    }
    Ok(())
}

/// The texts of a card, of blocks, or of a webhook's body, in reading order.
fn texts(json: &Value) -> Vec<String> {
    if let Some(kind) = json.get("type").and_then(Value::as_str).filter(|_| json.get("data").is_some()) {
        let fact = |pointer: &str| json.pointer(pointer).map_or_else(|| "-".to_owned(), plain);
        return vec![format!(
            "{kind} {} {}: value {}, baseline {}",
            fact("/data/tenant/id"),
            fact("/data/rule/name"),
            fact("/data/score/value"),
            fact("/data/score/baseline")
        )];
    }
    let mut found = Vec::new();
    let content = json.pointer("/attachments/0/content/body").or_else(|| json.get("blocks")).unwrap_or(json);
    collect(content, &mut found);
    found
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map_while(inline).collect();
            if parts.len() == items.len() && !parts.is_empty() {
                found.push(parts.concat());
            } else {
                for item in items {
                    collect(item, found);
                }
            }
        }
        Value::Object(fields) => match (fields.get("title"), fields.get("value"), fields.get("text")) {
            (Some(Value::String(title)), Some(Value::String(value)), _) => found.push(format!("{title}: {value}")),
            (_, _, Some(Value::String(text))) => found.extend(text.lines().map(str::to_owned)),
            _ => fields
                .values()
                .filter(|field| field.is_array() || field.is_object())
                .for_each(|field| collect(field, found)),
        },
        _ => {}
    }
}

/// The text of a run inside a line of rich text.
fn inline(item: &Value) -> Option<String> {
    let text = item.get("text").and_then(Value::as_str)?;
    (item.get("type").and_then(Value::as_str) == Some("TextRun")).then(|| text.to_owned())
}
