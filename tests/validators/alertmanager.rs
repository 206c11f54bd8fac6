//! What a real Alertmanager makes of our alerts: `prometheus-alertmanager` of Debian, on loopback.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use scorewatch::{
    channel::{Alertmanager, Authorization, Channel, ChannelKind, Verdict, WebhookUrl},
    clock::Clock,
    domain::Timestamp,
    egress::{Answer, Egress, Method, Policy, Private, Request},
    notify::{Notification, NotificationType},
    template::sample,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{compose, open_within};

const PROGRAM: &str = "prometheus-alertmanager";
const SETTINGS: &str = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n";

/// A running Alertmanager that notifies nobody; it ends with this value.
struct Running {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn start() -> Running {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("alertmanager.yml");
    fs::write(&settings, SETTINGS).unwrap();
    let mut process = Command::new(PROGRAM)
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.path={}", folder.path().join("data").display()))
        .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("Debian's package prometheus-alertmanager is installed");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, address) = line.split_once("\"Listening on\" address=")?;
        Some(address.split(' ').next().unwrap().to_owned())
    });
    // What it says later must go somewhere, or it blocks.
    std::thread::spawn(move || lines.for_each(drop));
    let url = format!("http://{}", address.expect("it said where it listens"));
    Running { process, url, _folder: folder }
}

impl Running {
    fn channel(&self) -> Box<dyn Channel> {
        let kind = ChannelKind::Alertmanager(Alertmanager {
            url: WebhookUrl::Open(self.url.clone()),
            authorization: Authorization::Nobody,
        });
        open_within(kind, Private::Any)
    }

    async fn send(&self, outgoing: Request) -> Answer {
        let policy = Policy {
            private: Private::Any,
            deadline: std::time::Duration::from_mins(1),
            answer_bytes_max: 16 << 20,
            fail_above_max: true,
        };
        Egress::new().send(outgoing, &policy).await.unwrap()
    }

    async fn notify(&self, notification: &Notification, at: Timestamp) {
        let channel = self.channel();
        let answer = self.send(compose(&*channel, notification, at)).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(channel.verdict(&Ok(answer), None, at), Verdict::Delivered, "{said}");
    }

    /// Its alerts that are not over.
    async fn alerts(&self) -> Vec<Value> {
        let url = format!("{}/api/v2/alerts", self.url).into();
        let outgoing = Request { method: Method::Get, url, headers: Vec::new(), body: bytes::Bytes::new() };
        serde_json::from_slice(&self.send(outgoing).await.body).unwrap()
    }
}

/// A notification about what happens now, so that it can end now.
fn now(kind: NotificationType, name: &str) -> (Notification, Timestamp) {
    let now = Clock::System.now();
    let mut notification = sample::notification(kind, name);
    notification.timestamp = now;
    let alert = notification.data.alert.as_mut().unwrap();
    alert.started_at = now.minus(std::time::Duration::from_hours(2));
    if alert.resolved_at.is_some() {
        alert.resolved_at = Some(now.minus(std::time::Duration::from_secs(1)));
    }
    (notification, now)
}

#[tokio::test]
#[ignore = "needs prometheus-alertmanager"]
async fn an_alert_fires_worsens_and_ends_in_a_real_alertmanager() {
    let alertmanager = start();
    let (firing, at) = now(NotificationType::AlertFiring, "Contoso Ltd");
    alertmanager.notify(&firing, at).await;
    let alerts = alertmanager.alerts().await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["status"]["state"], "active");
    let labels = serde_json::json!({
        "alertname": "device-score-drop", "tenant": "contoso", "severity": "critical", "score": "device-secure-score",
        "label_country": "de", "label_tier": "gold", "source": "scorewatch",
    });
    assert_eq!(alerts[0]["labels"], labels);
    assert_eq!(alerts[0]["annotations"]["tenant_name"], "Contoso Ltd");
    assert_eq!(alerts[0]["annotations"]["short_id"], firing.data.notification.short_id.to_string());
    assert_eq!(alerts[0]["generatorURL"], firing.data.links.dashboard.as_deref().unwrap());

    let (mut worsened, at) = now(NotificationType::AlertWorsened, "Contoso Ltd");
    worsened.data.alert = firing.data.alert.clone();
    alertmanager.notify(&worsened, at).await;
    let later = alertmanager.alerts().await;
    assert_eq!(later.len(), 1);
    assert_eq!(later[0]["fingerprint"], alerts[0]["fingerprint"]);
    assert_eq!(later[0]["annotations"]["type"], "alert.worsened");

    // A test of the same rule for the same tenant neither opens nor ends the real alert.
    let (mut test, at) = now(NotificationType::AlertResolved, "Contoso Ltd");
    test.data.notification.test = true;
    alertmanager.notify(&test, at).await;
    assert_eq!(alertmanager.alerts().await.len(), 1);

    let (resolved, at) = now(NotificationType::AlertResolved, "Contoso Ltd");
    alertmanager.notify(&resolved, at).await;
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new());

    // It fires again: a later generation.
    let (mut again, at) = now(NotificationType::AlertFiring, "Contoso Ltd");
    again.data.alert.as_mut().unwrap().started_at = at;
    alertmanager.notify(&again, at).await;
    assert_eq!(alertmanager.alerts().await[0]["fingerprint"], alerts[0]["fingerprint"]);
}

/// Whether a character can be seen where names are shown.
fn is_seen(c: char) -> bool {
    let changes_direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_of_nobody = ('\u{e000}'..='\u{f8ff}').contains(&c);
    !c.is_control() && !c.is_whitespace() && !changes_direction && !is_of_nobody && c != '\u{200b}'
}

#[tokio::test]
#[ignore = "needs prometheus-alertmanager"]
async fn a_real_alertmanager_takes_every_message_and_hostile_names_arrive_harmless() {
    let alertmanager = start();
    for sample in sample::all() {
        alertmanager.notify(&sample, Clock::System.now()).await;
    }
    for (index, name) in sample::hostile_names().into_iter().enumerate() {
        let (mut firing, at) = now(NotificationType::AlertFiring, &name);
        let rule = format!("hostile-{index}");
        rule.clone_into(&mut firing.data.rule.as_mut().unwrap().name);
        alertmanager.notify(&firing, at).await;
        let alerts = alertmanager.alerts().await;
        let alert = alerts.iter().find(|alert| alert["labels"]["alertname"] == *rule).unwrap();
        // What would be a mention, a link or a change of direction in a chat is broken by characters that nobody sees.
        let shown: String = name.chars().filter(|c| is_seen(*c)).collect();
        for place in [&alert["annotations"]["tenant_name"], &alert["labels"]["label_tier"]] {
            let arrived = place.as_str().unwrap_or_default();
            let (start, is_cut) = arrived.strip_suffix('…').map_or((arrived, false), |start| (start, true));
            let seen: String = start.chars().filter(|c| is_seen(*c)).collect();
            assert!(shown.starts_with(&seen) && (is_cut || seen == shown), "{name:.50}: {arrived:.50}");
            assert!(["<!", "<@", "https:/"].iter().all(|harm| !arrived.contains(harm)), "{arrived:.50}");
        }
        assert_eq!(alert["labels"]["tenant"], "contoso");
    }
}
