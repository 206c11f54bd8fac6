//! `scorewatch preview`: the exact message of a rule, or the report, for a channel; `--send` posts it, marked as a test.

mod report;

use std::{path::Path, sync::Arc};

use serde_json::Value;

use super::{Failure, channel, configured, output, tenant, wrong_input};
use crate::{
    channel::{self, ChannelSettings, Form, Verdict},
    clock::Clock,
    config::{Config, Tenant},
    delivery::{secrets, send},
    domain::{ScoreKind, Timestamp},
    egress::{Egress, Mail, Outgoing, Request},
    notify::{
        Notification, NotificationId,
        compose::{self, Subjects},
        notification::{Links, NoDataFacts},
    },
    rule::{Change, Condition, Resolution, Rule, Size, Transition, TransitionKind},
    secret::{ExposeSecret, redact_url},
};

/// What to preview.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch preview --rule device-score-drop --channel soc-teams
  scorewatch preview --rule device-score-drop --channel soc-teams --resolved --tenant contoso
  scorewatch preview --rule device-score-drop --channel soc-teams --send    posts it, marked as a test
  scorewatch preview --report --channel contoso                             the report on the tenants that it may show

The values are made up; tenant, names, template and request are the real ones.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The rule's name
    #[arg(long, value_name = "NAME", required_unless_present = "report")]
    rule: Option<String>,
    /// The channel's report, not a rule's message
    #[arg(long, conflicts_with_all = ["rule", "tenant", "resolved"])]
    report: bool,
    /// The channel's name
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// The tenant; by default the first that the rule selects and the channel may show
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// The message that it is over, not that it began
    #[arg(long)]
    resolved: bool,
    /// Post it, marked as a test
    #[arg(long)]
    send: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn preview(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let settings = channel(&config, &arguments.channel)?;
    let now = Clock::System.now();
    let notification = match &arguments.rule {
        Some(name) => of_rule(&config, name, settings, arguments, now)?,
        None => report::report(&config, settings, now)?,
    };
    secrets::fetch(settings).await;
    let channel = channel::open(settings, &config.templates);
    let outgoing = channel.compose(&notification, Form::Rich, now)?;
    show(&outgoing, arguments.json)?;
    if !arguments.send {
        return Ok(());
    }
    // As a delivery would: whoever reads there may not see what this channel shows.
    if let Some(what) = config.shared_receivers().await.remove(&settings.name) {
        return Err(wrong_input(format!("not sent: {what}; give each channel a receiver of its own")));
    }
    let sent = match send::write(settings, &config.templates, &notification, Form::Rich, now) {
        Ok(written) => written.send(&Egress::new(), now).await.verdict,
        Err(verdict) => verdict,
    };
    match sent {
        Verdict::Delivered => {
            output::complain(
                "sent; the receiver took it. Look whether it appeared: a Teams workflow answers before it runs",
            );
            Ok(())
        }
        Verdict::Retry { reason, .. }
        | Verdict::Plainer { reason }
        | Verdict::Rejected { reason }
        | Verdict::Dead { reason }
        | Verdict::Parked { reason } => Err(Failure::Run(Some(anyhow::anyhow!("not delivered: {reason}")))),
    }
}

fn of_rule(
    config: &Config,
    name: &str,
    settings: &ChannelSettings,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<Notification, Failure> {
    let rule = config.rules.iter().find(|rule| rule.name.as_str() == name);
    let rule = rule.ok_or_else(|| wrong_input(format!("there is no rule `{name}`")))?;
    let tenant = tenant_for(config, rule, settings, arguments.tenant.as_deref())?;
    Ok(notification(rule, tenant, arguments.resolved, now))
}

fn tenant_for<'a>(
    config: &'a Config,
    rule: &Rule,
    settings: &ChannelSettings,
    wanted: Option<&str>,
) -> Result<&'a Tenant, Failure> {
    let admitted = |tenant: &&Arc<Tenant>| settings.fence.admits(&tenant.id, &tenant.labels);
    let found = match wanted {
        Some(id) => Some(tenant(config, id)?).filter(admitted),
        None => config.tenants.values().filter(|tenant| rule.tenants.matches(&tenant.labels)).find(admitted),
    };
    found.map(AsRef::as_ref).ok_or_else(|| wrong_input(format!("channel `{}` may show no such tenant", settings.name)))
}

fn notification(rule: &Rule, tenant: &Tenant, resolved: bool, now: Timestamp) -> Notification {
    let score = rule.score.or_else(|| tenant.scores.first().copied()).unwrap_or(ScoreKind::DeviceSecureScore);
    let (baseline, bad, good) = values(&rule.when);
    let kind = if resolved { TransitionKind::Resolved(Resolution::Recovered) } else { TransitionKind::Fired };
    let since = now.minus(rule.hold);
    let transition = Transition {
        kind,
        at: now,
        value: if resolved { good } else { bad },
        observed_at: Some(now),
        baseline,
        since,
        fired_at: now,
        generation: 1,
        sequence: if resolved { 2 } else { 1 },
        gap: None,
        unread: Vec::new(),
        holds: !resolved,
    };
    let unread: Vec<ScoreKind> = match rule.score {
        _ if !rule.is_no_data() => Vec::new(),
        Some(score) => vec![score],
        None => tenant.scores.to_vec(),
    };
    let no_data: Vec<NoDataFacts> = unread.into_iter().map(|kind| without_data(kind, since)).collect();
    let key = rule.alert_key(&tenant.id, if rule.is_no_data() { rule.score } else { Some(score) }, None);
    let subjects = Subjects {
        store: "preview",
        tenant_key: tenant.id.as_str(),
        key: &key,
        score,
        tenant: tenant.facts(),
        condition: rule.when.to_string(),
        severity: rule.severity,
        guide: rule.guide.clone(),
        loss: compose::loss_of(&rule.when, transition.baseline, transition.value),
        points: None,
        reason: (rule.is_no_data() && !resolved).then(|| compose::reasons(&no_data)),
        no_data,
        operator: None,
        links: Links { portal: Some(tenant.score_page()), ..Links::default() },
    };
    let mut notification = compose::of_transition(subjects, &transition);
    let id = NotificationId::of_parts(&["preview", &now.to_string(), tenant.id.as_str(), rule.name.as_str()]);
    notification.data.notification.short_id = id.short();
    notification.data.notification.id = id;
    notification.data.notification.test = true;
    notification
}

/// A score without data, as a preview shows it.
fn without_data(kind: ScoreKind, since: Timestamp) -> NoDataFacts {
    let hint = "make a new secret in the app registration".to_owned();
    let reason = format!("checks fail: secret-expired; {hint}");
    NoDataFacts { kind, since, class: Some("secret-expired".to_owned()), hint: Some(hint), reason }
}

/// A baseline, a value at which the condition holds, and one at which it is over.
fn values(condition: &Condition) -> (Option<f64>, Option<f64>, Option<f64>) {
    const BASELINE: f64 = 400.0;
    let distance = |change: &Change| match change.size {
        Size::Percent(percent) => BASELINE * percent / 100.0,
        Size::Points(points) => points,
    };
    match condition {
        Condition::Below(bound) => (None, Some(bound - 10.0), Some(bound + 25.0)),
        Condition::Above(bound) => (None, Some(bound + 10.0), Some(bound - 25.0)),
        Condition::Drop(change) => (Some(BASELINE), Some(BASELINE - 1.5 * distance(change)), Some(BASELINE)),
        Condition::Rise(change) => (Some(BASELINE), Some(BASELINE + 1.5 * distance(change)), Some(BASELINE)),
        Condition::NoData(_) => (None, None, Some(BASELINE)),
    }
}

fn show(outgoing: &Outgoing, as_json: bool) -> Result<(), Failure> {
    match outgoing {
        Outgoing::Http(request) => show_request(request, as_json),
        Outgoing::Mail(mail) => show_mail(mail, as_json),
    }
}

/// Prints the message as it is handed in, and to whom.
fn show_mail(mail: &Mail, as_json: bool) -> Result<(), Failure> {
    let message = String::from_utf8_lossy(&mail.content);
    let (server, from) = (mail.server.to_string(), mail.from.to_string());
    let to: Vec<String> = mail.to.iter().map(ToString::to_string).collect();
    if as_json {
        return output::json(&serde_json::json!({ "server": server, "from": from, "to": to, "message": message }));
    }
    output::say(&format!("MAIL FROM {from} TO {} BY {server}", to.join(", ")));
    output::say("");
    output::say(&message.replace("\r\n", "\n"));
    output::complain(&format!("({} bytes)", mail.content.len()));
    Ok(())
}

/// Prints the request: its URL and headers without what is secret in them, its body as it is.
fn show_request(request: &Request, as_json: bool) -> Result<(), Failure> {
    let url = redact_url(request.url.expose_secret());
    let headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, if *name == "authorization" { "…" } else { value.expose_secret() }))
        .collect();
    let body = String::from_utf8_lossy(&request.body);
    let mut parsed: Option<Value> = serde_json::from_str(&body).ok();
    // PagerDuty is authorised in the body.
    if let Some(key) = parsed.as_mut().and_then(|body| body.get_mut("routing_key")) {
        *key = Value::from("…");
    }
    if as_json {
        let body = parsed.unwrap_or_else(|| Value::String(body.into_owned()));
        let headers: serde_json::Map<_, _> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value.to_owned()))).collect();
        return output::json(&serde_json::json!({ "method": "POST", "url": url, "headers": headers, "body": body }));
    }
    output::say(&format!("POST {url}"));
    for (name, value) in headers {
        output::say(&format!("{name}: {}", output::visible(value)));
    }
    output::say("");
    match parsed {
        Some(value) => output::json(&value)?,
        None => output::say(&body),
    }
    output::complain(&format!("({} bytes)", request.body.len()));
    Ok(())
}
