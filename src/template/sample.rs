//! Sample notifications: every type, with and without its optional fields, and with hostile text from outside.

mod fleet;
mod month;
mod operator;
mod report;
mod value;

use std::collections::BTreeMap;

#[cfg(test)]
use crate::notify::notification::NoDataFacts;
use crate::{
    domain::{Counts, Labels, ScoreKind, Severity, Timestamp},
    notify::{
        Notification, NotificationId, NotificationType,
        digest::LINES_MAX,
        notification::{
            AlertFacts, Cause, Data, DigestFacts, DigestItem, DigestRest, Facts, Links, NotificationFacts, RuleFacts,
            ScoreFacts, TenantFacts,
        },
    },
    rule::Resolution,
};

/// Every type of notification.
pub const TYPES: [NotificationType; 18] = [
    NotificationType::AlertFiring,
    NotificationType::AlertWorsened,
    NotificationType::AlertReminder,
    NotificationType::AlertEscalated,
    NotificationType::AlertResolved,
    NotificationType::AlertUnstable,
    NotificationType::FleetShift,
    NotificationType::Digest,
    NotificationType::Report,
    NotificationType::MonthReport,
    NotificationType::Drill,
    NotificationType::OperatorBlind,
    NotificationType::OperatorChannel,
    NotificationType::OperatorDowntime,
    NotificationType::OperatorCredential,
    NotificationType::OperatorConfiguration,
    NotificationType::OperatorSilence,
    NotificationType::Test,
];

/// Names that have done harm somewhere: mentions, markup, template syntax, control and direction characters, sheer length.
#[must_use]
pub fn hostile_names() -> Vec<String> {
    vec![
        "<!channel> \"x\" {{y}} & <@U012AB3CD> <https://evil.example|Contoso portal>".to_owned(),
        "*_[click](https://evil.example)_* `code` ~gone~ \\ <at>Everyone</at> {{DATE(2026-01-01T00:00:00Z)}}"
            .to_owned(),
        "\u{202E}moc.elpmaxe\u{0}\u{7}\u{1B}[31m\r\n# 1. - > \u{E000}\u{E001}".to_owned(),
        "👩‍👩‍👧‍👦 \u{5E9}\u{5DC}\u{5D5}\u{5DD} e\u{301}".to_owned(),
        "<&>".repeat(3_400),
        "\"\\".repeat(5_000),
        String::new(),
    ]
}

/// Every sample: each type whole, bare, without data, marked, and with each hostile name.
#[must_use]
pub fn all() -> Vec<Notification> {
    let mut samples = Vec::new();
    for kind in TYPES {
        let whole = notification(kind, "Contoso Ltd");
        samples.push(bare(whole.clone()));
        samples.push(without_data(whole.clone()));
        samples.push(marked(whole.clone()));
        samples.push(whole);
        samples.extend(hostile_names().iter().map(|name| notification(kind, name)));
        samples.extend(hostile_names().iter().map(|name| guided(notification(kind, ORDINARY), name, name)));
        samples.push(guided(notification(kind, ORDINARY), "What it is for.", RUNBOOK));
    }
    samples
}

/// The largest digests that there are, each with one hostile name in all of its lines.
#[must_use]
pub fn largest_digests() -> Vec<Notification> {
    let kinds = [
        NotificationType::AlertFiring,
        NotificationType::AlertWorsened,
        NotificationType::AlertReminder,
        NotificationType::AlertResolved,
        NotificationType::OperatorBlind,
    ];
    let lengthened = |name: &String| name.chars().cycle().take(if name.is_empty() { 0 } else { 10_000 }).collect();
    let names = hostile_names().iter().map(lengthened).chain([ORDINARY.to_owned()]).collect::<Vec<String>>();
    let digest = |name: &String| {
        let mut digest = notification(NotificationType::Digest, name);
        digest.data.items = kinds.into_iter().cycle().take(LINES_MAX).map(|kind| item(kind, name)).collect();
        if name != ORDINARY {
            for rule in digest.data.items.iter_mut().filter_map(|item| item.rule.as_mut()) {
                rule.name.clone_from(name);
            }
            for rest in digest.data.digest.iter_mut().flat_map(|facts| &mut facts.more) {
                rest.rule = Some(name.clone());
            }
        }
        digest
    };
    names.iter().map(digest).collect()
}

/// What a digest says of a notification of that type.
fn item(kind: NotificationType, name: &str) -> DigestItem {
    DigestItem::from(notification(kind, name))
}

/// A critical alert, one that is over and covers its beginning too, and one of the operator's.
fn items(name: &str) -> Vec<DigestItem> {
    let mut over = item(NotificationType::AlertResolved, name);
    over.notification.covers = vec![NotificationId::of_parts(&["sample", "earlier"])];
    let mut worse = item(NotificationType::AlertWorsened, name);
    worse.alert.iter_mut().for_each(|alert| alert.severity = Severity::Warning);
    vec![item(NotificationType::OperatorBlind, name), over, item(NotificationType::AlertFiring, name), worse]
}

/// What the sample of a digest comes to, most of which it does not show.
fn digest() -> DigestFacts {
    let rest = |severity, rule: &str, count| DigestRest {
        severity: Some(severity),
        rule: Some(rule.to_owned()),
        is_over: false,
        count,
    };
    DigestFacts {
        firing: 38,
        critical: 2,
        warning: 35,
        info: 1,
        tenants: 19,
        ended: 1,
        operator: 1,
        stored_as: Some("7Q4M2K".to_owned()),
        more: vec![rest(Severity::Critical, "device-score-drop", 1), rest(Severity::Warning, "device-score-low", 35)],
    }
}

/// One notification of that type about a tenant of that name, with all fields that the type has. All outside text is `name`
/// unless that is an ordinary one.
#[must_use]
pub fn notification(kind: NotificationType, name: &str) -> Notification {
    use NotificationType as Type;

    let id = NotificationId::of_parts(&["sample", kind.as_str()]);
    let is_alert = kind.as_str().starts_with("alert.");
    let is_blind = kind == Type::OperatorBlind;
    let about_tenant = is_alert || matches!(kind, Type::OperatorBlind | Type::OperatorCredential | Type::MonthReport);
    Notification {
        kind,
        timestamp: at("2026-11-24T09:15:58Z"),
        data: Data {
            facts: Facts {
                notification: NotificationFacts {
                    short_id: id.short(),
                    id,
                    sequence: 1,
                    test: kind == NotificationType::Test,
                    possible_duplicate: false,
                    covers: Vec::new(),
                },
                alert: if is_blind { Some(operator::alert()) } else { is_alert.then(|| alert(kind)) },
                tenant: about_tenant.then(|| tenant(name)),
                rule: if is_blind { Some(operator::rule()) } else { is_alert.then(rule) },
                score: if is_blind { Some(operator::score()) } else { is_alert.then(|| score(kind)) },
                no_data: Vec::new(),
                explanation: matches!(kind, NotificationType::AlertFiring | NotificationType::AlertWorsened)
                    .then(|| "Since the record of 2026-11-23: 2 controls of the tenant lost 60 points.".to_owned()),
                why: matches!(kind, NotificationType::AlertFiring | NotificationType::AlertWorsened).then(value::why),
                operator: operator::operator(kind),
                links: Links {
                    dashboard: Some("https://scores.mssp.example/alerts/alert_0123456789ABCDEFGHJKMNPQRS".to_owned()),
                    portal: about_tenant.then(|| {
                        "https://security.microsoft.com/securescore?tid=2f1c0a5e-0000-4000-8000-000000000001".to_owned()
                    }),
                    fix: value::fix_page(kind).map(str::to_owned),
                    confirm: (kind == NotificationType::Drill)
                        .then(|| "https://scores.mssp.example/confirm/msg_0123456789ABCDEFGHJKMNPQRS".to_owned()),
                },
            },
            breakdown: None,
            causes: if is_alert { causes(name) } else { Vec::new() },
            fleet: (kind == NotificationType::FleetShift).then(|| fleet::facts(name)),
            digest: (kind == NotificationType::Digest).then(digest),
            report: (kind == NotificationType::Report).then(|| report::facts(name)),
            month: (kind == NotificationType::MonthReport).then(|| Box::new(month::facts(name))),
            items: match kind {
                NotificationType::Digest => items(name),
                NotificationType::FleetShift => vec![item(NotificationType::AlertFiring, name); 2],
                _ => Vec::new(),
            },
        },
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or(Timestamp::EPOCH)
}

fn rule() -> RuleFacts {
    RuleFacts {
        name: "device-score-drop".to_owned(),
        condition: "drop 5% within 24h".to_owned(),
        about: None,
        runbook: None,
    }
}

fn alert(kind: NotificationType) -> AlertFacts {
    let is_over = kind == NotificationType::AlertResolved;
    AlertFacts {
        id: "alert_0123456789ABCDEFGHJKMNPQRS".to_owned(),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Critical,
        started_at: at("2026-11-24T07:00:00Z"),
        resolved_at: is_over.then(|| at("2026-11-24T09:15:58Z")),
        reason: None,
        remark: None,
        escalation: (kind == NotificationType::AlertEscalated).then(value::escalation),
        resolution: is_over.then_some(Resolution::Recovered),
        resolved_by: None,
    }
}

fn tenant(name: &str) -> TenantFacts {
    let tier = if name == ORDINARY { "gold" } else { name };
    let labels: Labels = BTreeMap::from([("country".into(), "de".into()), ("tier".into(), tier.into())]);
    TenantFacts {
        id: "contoso".to_owned(),
        tenant_id: Some("2f1c0a5e-0000-4000-8000-000000000001".to_owned()),
        name: name.to_owned(),
        labels,
    }
}

/// A name in which nothing has to be escaped.
const ORDINARY: &str = "Contoso Ltd";

fn score(kind: NotificationType) -> ScoreFacts {
    let value = match kind {
        NotificationType::AlertResolved => 396.0,
        NotificationType::AlertWorsened => 320.0,
        _ => 340.0,
    };
    ScoreFacts {
        kind: ScoreKind::DeviceSecureScore,
        all: false,
        subject: None,
        unit: ScoreKind::DeviceSecureScore.unit().as_str().to_owned(),
        value: Some(value),
        baseline: Some(400.0),
        previous: (kind == NotificationType::AlertWorsened).then_some(340.0),
        loss: Some(400.0 - value),
        loss_percent: Some((400.0 - value) / 4.0),
        gap: None,
        observed_at: Some(at("2026-11-24T09:15:58.1665846Z")),
        points: None,
        excluded: None,
        comparison: None,
    }
}

fn causes(name: &str) -> Vec<Cause> {
    let title = if name == ORDINARY { "Block Office applications from creating child processes" } else { name };
    let link = Some("https://security.microsoft.com/vulnerabilities".to_owned());
    let category = Some(if name == ORDINARY { "Devices" } else { name }.to_owned());
    let counts = Some(Counts { count: 50, total: 69 });
    let first = Cause { title: title.to_owned(), category, points: Some(9.5), counts, link, ..Cause::default() };
    vec![first, Cause { title: "Update Microsoft Defender definitions".to_owned(), ..Cause::default() }]
}

/// Where a runbook could be.
pub const RUNBOOK: &str = "https://scores.mssp.example/runbooks/device-score-drop";

/// By a rule whose author says what it is for, and what to do; of an alert only.
#[must_use]
pub fn guided(mut sample: Notification, about: &str, runbook: &str) -> Notification {
    if let Some(rule) = &mut sample.data.rule {
        (rule.about, rule.runbook) = (Some(about.to_owned()), Some(runbook.to_owned()));
    }
    sample
}

/// That a score has had no data for that class of failure.
#[cfg(test)]
pub(super) fn no_data(class: &str) -> NoDataFacts {
    NoDataFacts {
        kind: ScoreKind::DeviceSecureScore,
        since: Timestamp::EPOCH,
        class: Some(class.to_owned()),
        cause: Some("Microsoft's service fails".to_owned()),
        hint: None,
        reason: String::new(),
        lack: None,
        is_new: false,
    }
}

/// The same done to each item of a digest.
fn within(sample: &mut Notification, change: fn(Notification) -> Notification) {
    let items = std::mem::take(&mut sample.data.items).into_iter();
    sample.data.items = items.map(|item| DigestItem::from(change(Notification::from(item)))).collect();
}

/// Without any optional field.
fn bare(mut sample: Notification) -> Notification {
    within(&mut sample, bare);
    let data = &mut sample.data;
    data.tenant.iter_mut().for_each(|tenant| tenant.labels.clear());
    data.causes.clear();
    (data.explanation, data.why) = (None, None);
    data.links = Links::default();
    if let Some(operator) = &mut data.operator {
        (operator.hint, operator.channel, operator.from, operator.until) = (None, None, None, None);
        (operator.headline, operator.detail, operator.news) = (None, None, None);
    }
    if let Some(alert) = &mut data.alert {
        (alert.resolution, alert.reason, alert.remark) = (None, None, None);
    }
    if let Some(score) = &mut data.score {
        (score.baseline, score.previous, score.loss, score.loss_percent) = (None, None, None, None);
    }
    sample
}

/// Of a `no_data` rule.
fn without_data(mut sample: Notification) -> Notification {
    within(&mut sample, without_data);
    if let Some(score) = &mut sample.data.score {
        (score.value, score.baseline, score.previous) = (None, None, None);
        (score.loss, score.loss_percent, score.observed_at) = (None, None, None);
    }
    if let Some(rule) = &mut sample.data.rule {
        (rule.name, rule.condition) = ("blind".to_owned(), "no data for 6h".to_owned());
    }
    if let Some(alert) = &mut sample.data.alert {
        alert.reason = Some("the app's secret has expired; create a new one".to_owned());
        alert.remark = Some(value::unread());
    }
    sample.data.causes.clear();
    (sample.data.explanation, sample.data.why) = (None, None);
    sample
}

/// A possible repeat that somebody asked for.
fn marked(mut sample: Notification) -> Notification {
    within(&mut sample, marked);
    sample.data.notification.test = true;
    sample.data.notification.possible_duplicate = true;
    if let Some(score) = &mut sample.data.score {
        (score.kind, score.subject) = (ScoreKind::SecureScoreCategory, Some("Identity".to_owned()));
    }
    sample
}
