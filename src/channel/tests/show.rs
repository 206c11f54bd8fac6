//! Labels, and what a rule's author wrote, reach a channel only if it shows them; in every kind of channel and message.

use std::{fs, path::Path, sync::Arc, time::Duration};

use crate::{
    channel::{
        self, Alertmanager, Authorization, ChannelKind, ChannelSettings, Discord, Email, Form, GoogleChat, Mattermost,
        Pagerduty, PagerdutyRegion, RetryBounds, Show, Slack, Teams, Webhook, WebhookUrl,
    },
    domain::{ChannelName, Labels, TenantId, Timestamp},
    egress::{MailServer, Outgoing, Private},
    notify::{
        Notification, NotificationType,
        language::Locale,
        notification::{ExcludedControl, ExcludedFacts},
        route::Audience,
    },
    secret::SecretReference,
    template::sample,
};

const LABEL: &str = "margin-eleven";
const ABOUT: &str = "They forget to pay.";
const RUNBOOK: &str = "Ask Bob about it.";
const REASON: &str = "Okta is cheaper";

fn secret(folder: &Path, text: &str) -> SecretReference {
    let path = folder.join(text.len().to_string());
    fs::write(&path, text).unwrap();
    SecretReference::File(path)
}

/// One channel of each kind.
pub(super) fn kinds(folder: &Path) -> Vec<ChannelKind> {
    let url = |text: &str| secret(folder, text);
    let kinds = vec![
        ChannelKind::Teams(Teams {
            url: url("https://default0f.1a.environment.api.powerplatform.com/workflows/0f/invoke?api-version=1&sig=x"),
        }),
        ChannelKind::Slack(Slack { url: url("https://hooks.slack.com/services/T0/B0/x") }),
        ChannelKind::Discord(Discord { url: url("https://discord.com/api/webhooks/1/x") }),
        ChannelKind::GoogleChat(GoogleChat {
            url: url("https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"),
        }),
        ChannelKind::Mattermost(Mattermost { url: url("https://chat.example/hooks/xyz") }),
        ChannelKind::Webhook(Webhook {
            url: WebhookUrl::Open("https://soar.example/hook".to_owned()),
            signing_secrets: Vec::new(),
        }),
        ChannelKind::Email(Email {
            server: MailServer::parse("smtps://smtp.example", false).unwrap(),
            from: "scores@mssp.example".parse().unwrap(),
            to: vec!["lead@contoso.example".parse().unwrap()],
            sign_in: None,
        }),
        ChannelKind::Pagerduty(Pagerduty {
            routing_key: url("0123456789abcdef0123456789abcdef"),
            region: PagerdutyRegion::Us,
            url: None,
        }),
        ChannelKind::Alertmanager(Alertmanager {
            url: WebhookUrl::Open("https://alertmanager.example".to_owned()),
            authorization: Authorization::Nobody,
        }),
    ];
    assert_eq!(kinds.len(), ChannelKind::WORDS.len(), "add the new kind here");
    kinds
}

pub(super) fn settings(kind: ChannelKind, audience: Audience, show: Show) -> ChannelSettings {
    ChannelSettings {
        name: ChannelName::parse("contoso").unwrap(),
        kind,
        audience,
        show,
        locale: Locale::default(),
        pace: Duration::from_secs(1),
        retry: RetryBounds {
            first: Duration::from_secs(2),
            max: Duration::from_mins(15),
            give_up: Duration::from_hours(24),
        },
        timeout: Duration::from_secs(20),
        private: Private::Refused,
        digest_over: 20,
        drill: None,
        report: None,
        month: None,
        template: None,
    }
}

/// Every type of message, with labels and with what the rule's author wrote, also in its lines.
fn messages() -> Vec<Notification> {
    let with = |mut notification: Notification| {
        notification = sample::guided(notification, ABOUT, RUNBOOK);
        if let Some(tenant) = &mut notification.data.tenant {
            tenant.labels = Labels::from([("tier".into(), LABEL.into())]);
        }
        if let Some(score) = &mut notification.data.score {
            let reason = Some(REASON.to_owned());
            let control = ExcludedControl { control: "AdminMFAV2".to_owned(), until: Some(Timestamp::EPOCH), reason };
            score.excluded = Some(ExcludedFacts { value_with_them: Some(31.0), controls: vec![control] });
        }
        notification
    };
    let whole = |kind| {
        let mut message = with(sample::notification(kind, "Contoso Ltd"));
        let items = std::mem::take(&mut message.data.items);
        message.data.items = items.into_iter().map(|item| with(item.into()).into()).collect();
        message
    };
    sample::TYPES.into_iter().map(whole).collect()
}

pub(super) fn said(settings: ChannelSettings, message: &Notification, form: Form) -> String {
    let channel = channel::open(&Arc::new(settings), &Arc::new(channel::templates(None).unwrap()));
    let bytes = match channel.compose(message, form, Timestamp::EPOCH).unwrap() {
        Outgoing::Http(request) => request.body.to_vec(),
        // Mail breaks long lines, and so words.
        Outgoing::Mail(mail) => String::from_utf8_lossy(&mail.content).replace("=\r\n", "").into_bytes(),
    };
    String::from_utf8(bytes).unwrap().replace(['\\', '\u{200B}'], "")
}

fn of_contoso() -> Audience {
    Audience { tenants: Some([TenantId::parse("contoso").unwrap()].into()), ..Audience::default() }
}

#[test]
fn a_customer_s_channel_shows_labels_and_what_authors_wrote_only_if_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = Show::unless_written(&of_contoso());
    assert_eq!(hidden, Show { labels: false, about: false });
    for kind in kinds(folder.path()) {
        let word = kind.as_str();
        for message in messages() {
            for form in [Form::Rich, Form::Plain] {
                let said = said(settings(kind.clone(), of_contoso(), hidden), &message, form);
                for secret in [LABEL, "They forget", "Ask Bob", REASON] {
                    assert!(!said.contains(secret), "{word}, {}: {said}", message.kind.as_str());
                }
            }
        }
        let firing = messages().into_iter().find(|message| message.kind == NotificationType::AlertFiring).unwrap();
        for (show, shown) in [
            (Show { labels: true, about: false }, &[LABEL][..]),
            (Show { labels: false, about: true }, &["They forget", "Ask Bob"]),
            (Show::unless_written(&Audience::default()), &[LABEL, "They forget", "Ask Bob"]),
        ] {
            let said = said(settings(kind.clone(), of_contoso(), show), &firing, Form::Rich);
            for (text, is_shown) in [LABEL, "They forget", "Ask Bob"].map(|text| (text, shown.contains(&text))) {
                assert_eq!(said.contains(text), is_shown, "{word}, {show:?}: {text}: {said}");
            }
            // Services that manage alerts are sent fewer facts.
            if !matches!(word, "pagerduty" | "alertmanager") {
                assert_eq!(said.contains(REASON), show.about, "{word}, {show:?}: {said}");
                assert!(word == "webhook" || said.contains("1 control is excluded until 1970-01-01"), "{word}: {said}");
            }
        }
    }
}
