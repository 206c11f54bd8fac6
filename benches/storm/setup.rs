//! What both parts share: a configuration with many channels, receivers of which some hang, and messages of the usual size.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use scorewatch::{
    domain::{ChannelName, Labels, ScoreKind, Severity, TenantId, Timestamp},
    notify::{
        Notification,
        compose::{self, AcceptedBy, MessageParts},
        notification::{Links, TenantFacts},
    },
    rule::{AlertKey, Guide, RuleName, Transition, TransitionKind},
    simulation::{Receivers, Reply},
    store::NewNotification,
};
use uuid::Uuid;

pub(crate) const CHANNELS: usize = 1_000;
/// The secret of every tenant's app.
pub(crate) const SECRET: &str = "bench-secret";
/// How many tenants one file contains.
const PER_FILE: usize = 500;

pub(crate) fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

pub(crate) fn channel(number: usize) -> ChannelName {
    ChannelName::parse(&format!("channel-{number}")).expect("a channel's name")
}

pub(crate) fn tenant(number: usize) -> TenantId {
    TenantId::parse(&format!("tenant-{number}")).expect("a tenant's id")
}

/// A receiver for every channel, and their URLs. The first `hanging` receivers accept requests and never answer.
pub(crate) async fn receivers(hanging: usize) -> (Receivers, Vec<String>) {
    let receivers = Receivers::start().await.expect("receivers");
    let urls = (0..CHANNELS).map(|number| receivers.add_webhook(channel(number).as_str())).collect();
    for number in 0..hanging {
        receivers.set(channel(number).as_str(), Some(Reply::hang()));
    }
    (receivers, urls)
}

/// Writes a configuration with default settings.
pub(crate) fn configure(folder: &Path, cloud: &str, tenants: usize, urls: &[String]) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    for name in ["tenants", "data"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    write("secret", SECRET);
    write(
        "rules.yaml",
        "rules: [{ name: low, score: device-secure-score, when: { below: 1 }, notify: [channel-0] }]\n",
    );
    let mut main = format!(
        "store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\nschedule: \"0 */15 * * * *\"\ntimezone: UTC\n\
         endpoints: {{ login: \"{cloud}\", defender: \"{cloud}\" }}\nrules: [rules.yaml]\ntenants: [tenants/*.yaml]\n\
         operator: {{ notify: [channel-0] }}\nchannels:\n"
    );
    for (number, url) in urls.iter().enumerate() {
        writeln!(main, "  {}: {{ type: webhook, url: \"{url}\", allow_private: true }}", channel(number))
            .expect("text");
    }
    write("scorewatch.yaml", &main);
    for first in (0..tenants).step_by(PER_FILE) {
        let mut text = String::new();
        for number in first..tenants.min(first + PER_FILE) {
            writeln!(
                text,
                "- id: {}\n  name: Customer {number} Ltd\n  tenant_id: {}\n  labels: {{ tier: gold, country: de }}\n  \
                 credential: {{ client_id: 6d2a0000-0000-4000-8000-000000000002, secret: {{ file: ../secret }} }}",
                tenant(number),
                Uuid::from_u128((number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            )
            .expect("text");
        }
        write(&format!("tenants/{first}.yaml"), &text);
    }
}

/// A firing alert of that tenant, of which these channels are notified. Each `rule` is an alert of its own.
pub(crate) fn firing(number: usize, rule: &str, channels: Vec<ChannelName>, now: Timestamp) -> NewNotification {
    let tenant = tenant(number);
    let rule = RuleName::parse(rule).expect("a rule's name");
    let key = AlertKey { tenant: tenant.clone(), rule, score: Some(ScoreKind::DeviceSecureScore), subject: None };
    NewNotification {
        notification: notification(&key, now),
        alert: Some(key),
        tenant: Some(tenant),
        channels,
        hold: None,
    }
}

fn notification(key: &AlertKey, now: Timestamp) -> Notification {
    let labels = [("tier", "gold"), ("country", "de")];
    let labels: Labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    let parts = MessageParts {
        store: "bench",
        tenant_key: key.tenant.as_str(),
        key,
        score: ScoreKind::DeviceSecureScore,
        tenant: TenantFacts { id: key.tenant.to_string(), tenant_id: None, name: "Customer Ltd".to_owned(), labels },
        condition: "drop 5% within 24h".to_owned(),
        severity: Severity::Critical,
        guide: Guide::default(),
        points: None,
        loss: Some((25.5, Some(6.25))),
        excluded: None,
        remark: None,
        no_data: Vec::new(),
        accepted_by: AcceptedBy::Time,
        operator: None,
        links: Links::default(),
    };
    let transition = Transition {
        kind: TransitionKind::Fired,
        generation: 1,
        sequence: 1,
        gap: None,
        unread: Vec::new(),
        listed: 0,
        escalated: 0,
        unacknowledged: None,
        holds: true,
        at: now,
        previous: None,
        since: now.minus(Duration::from_mins(15)),
        fired_at: now,
        value: Some(382.5),
        baseline: Some(408.0),
        observed_at: Some(now),
    };
    compose::of_transition(parts, &transition)
}
