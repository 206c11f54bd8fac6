//! The pictures of messages are drawn from files in `docs/images/`, which are what the service sends today: `message.json` to Teams,
//! `mail.html` by mail.

use std::{fs, path::Path};

use scorewatch::{
    channel::{
        self,
        email::{self, Letter},
        teams,
    },
    domain::{Counts, Labels, Points, ScoreKind, Timestamp},
    notify::language::Locale,
    notify::{Notification, NotificationType, notification::Cause, reason::CauseKind},
    template::sample,
};
use serde_json::Value;

use super::page::ROOT;

const PAYLOAD: &str = "docs/images/message.json";
const MAIL: &str = "docs/images/mail.html";

/// A secure score that fell because two controls lost points.
fn message() -> Notification {
    let mut message = sample::guided(
        sample::notification(NotificationType::AlertFiring, "Contoso Ltd"),
        "",
        "In the Defender portal, open Secure score > History, and see who changed these controls.",
    );
    let at = Timestamp::parse("2026-11-30T00:00:00Z").unwrap();
    message.timestamp = at;
    let data = &mut message.data;
    let score = data.score.as_mut().unwrap();
    (score.kind, score.unit) = (ScoreKind::SecureScore, "percent".to_owned());
    (score.value, score.baseline, score.loss, score.loss_percent) =
        (Some(57.0), Some(68.0), Some(11.0), Some(11.0 * 100.0 / 68.0));
    (score.points, score.observed_at) = (Some(Points { earned: 57.0, of: 100.0 }), Some(at));
    data.alert.as_mut().unwrap().started_at = at;
    let rule = data.rule.as_mut().unwrap();
    (rule.name, rule.condition) = ("secure-score-drop".to_owned(), "drop 5% within 2d".to_owned());
    data.tenant.as_mut().unwrap().labels = Labels::from([("tier".into(), "gold".into())]);
    data.explanation = Some("Since the record of 2026-11-29: 2 controls of the tenant lost 11 points.".to_owned());
    data.links.dashboard = None;
    let cause = |title: &str, points: f64, link: &str| Cause {
        kind: CauseKind::Lost,
        title: title.to_owned(),
        category: Some("Identity".to_owned()),
        points: Some(points),
        counts: Some(Counts { count: 212, total: 230 }),
        detail: None,
        change: None,
        link: Some(format!("https://security.microsoft.com/securescore?control={link}")),
    };
    data.causes = vec![
        cause("Ensure multifactor authentication is enabled for all users", 8.0, "a"),
        cause("Enable Conditional Access policies to block legacy authentication", 3.0, "b"),
    ];
    message
}

#[test]
fn the_message_in_the_readme_s_picture_is_what_the_service_sends() {
    let registry = channel::templates(None).unwrap();
    let written: Value =
        serde_json::from_slice(&registry.render("teams", &teams::DIALECT, &message(), &Locale::default()).unwrap())
            .unwrap();
    let file = Path::new(ROOT).join(PAYLOAD);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, serde_json::to_string_pretty(&written).unwrap() + "\n").unwrap();
    }
    let drawn: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(
        drawn == written,
        "run `UPDATE_DOCS=1 cargo test --test all -- docs::`, then `docs/images/render {PAYLOAD}`"
    );
}

#[test]
fn the_mail_in_the_guide_s_picture_is_what_the_service_sends() {
    let registry = channel::templates(None).unwrap();
    let letter = registry.render("email", &email::DIALECT, &message(), &Locale::default()).unwrap();
    let written = serde_json::from_slice::<Letter>(&letter).unwrap().html.unwrap();
    let file = Path::new(ROOT).join(MAIL);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &written).unwrap();
    }
    let is_drawn = fs::read_to_string(&file).is_ok_and(|drawn| drawn == written);
    assert!(is_drawn, "run `UPDATE_DOCS=1 cargo test --test all -- docs::`, then `docs/images/render {MAIL}`");
}
